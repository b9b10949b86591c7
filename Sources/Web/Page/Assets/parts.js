// Pieces that several views share: marks, times, boxes, tables, dialogs. Colour is never alone: each mark has a shape
// and a word, too.

import { clip, h, svg, unseen, visible } from "./dom.js";

export { phaseName, phaseReached, phaseStrip, STRIP } from "./phases.js";

// Shapes for a square of 16: a ring with a tick, an octagon with a cross, …
const SHAPES = {
  accepted: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z", "M4.8 8.2l2.3 2.3l4.2-4.8"],
  rejected: ["M5.2 1.2h5.6l4 4v5.6l-4 4h-5.6l-4-4v-5.6z", "M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4"],
  deferred: ["M8 1.2l7 13.3h-14z", "M8 6v3.6M8 11.4v1.2"],
  lost: ["M8 1l7 7l-7 7l-7-7z", "M6.2 6.4c0-2.4 3.6-2.4 3.6 0c0 1.4-1.8 1.4-1.8 2.8M8 10.6v1.2"],
  abandoned: ["M2 2h12v12h-12z", "M4.5 8h7"],
  open: ["M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z", "M8 5v3h2.5"],
  none: ["M8 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8z", ""],
};

/** The shape of a verdict, 16 by 16. */
export function verdictShape(word) {
  const [outline, sign] = SHAPES[word] ?? SHAPES.none;
  return svg("svg", { viewBox: "0 0 16 16", class: "shape", "aria-hidden": "true" },
    svg("path", { d: outline, class: "shape-outline" }), svg("path", { d: sign, class: "shape-sign" }));
}

/** A verdict as shape and word. Without one: `open` for a session that runs, else `no mail`. */
export function verdictMark(word) {
  const known = SHAPES[word] ? word : "none";
  return h("span", { class: `verdict verdict-${known}` }, verdictShape(known), h("span", {}, word ?? "no mail"));
}

const SEVERITIES = { must: "▲", should: "◆", reputation: "●", info: "○" };

/** How grave a finding is, as shape and word; with a number: so many of it. */
export function severityMark(severity, count) {
  const word = count === undefined ? severity : `${count} ${severity}`;
  return h("span", { class: `severity severity-${severity}` },
    h("span", { "aria-hidden": "true" }, SEVERITIES[severity] ?? "○"), " ", word);
}

/** One finding with what was seen, why it matters, what to do, and where that stands. */
export function findingItem(finding) {
  return h("details", { class: `finding severity-${finding.severity}-edge`, "data-rule": finding.rule },
    h("summary", {}, severityMark(finding.severity), " ", h("span", { class: "finding-what" }, finding.what), " ",
      h("code", {}, finding.rule), finding.count > 1 ? h("span", { class: "quiet" }, ` ×${finding.count}`) : null),
    h("dl", { class: "facts" },
      fact("Seen", seen(finding.saw)),
      fact("Why", finding.why), fact("Fix", finding.fix), fact("Source", finding.citation),
      finding.reason ? fact("Mild, since", finding.reason) : null));
}

/** What was seen of a peer, as evidence: blanks at its ends are marks, since they may be what is meant. */
export function seen(text) {
  const [, before, middle, after] = /^( *)([^]*?)( *)$/.exec(clip(text, 400));
  const blanks = (all) => [...all].map(() => unseen("SP"));
  return h("span", { class: "wire" }, blanks(before), visible(middle), blanks(after));
}

/** A row of a `dl class="facts"`. */
export function fact(name, ...value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
}

/** A moment: an ISO text or microseconds since 1970. Shown in the reader's zone, with milliseconds; `date`: with the day
 *  and the zone. */
export function time(moment, { date = false } = {}) {
  const at = new Date(typeof moment === "number" ? moment / 1000 : moment);
  if (Number.isNaN(at.getTime())) return h("span", {}, "—");
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}` +
    `.${String(at.getMilliseconds()).padStart(3, "0")}`;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const exact = typeof moment === "number" ? at.toISOString() : moment;
  return h("time", { datetime: at.toISOString(), title: exact }, date ? `${day} ${clock} ${zone(at)}` : clock);
}

const two = (number) => String(number).padStart(2, "0");

function zone(at) {
  const ahead = -at.getTimezoneOffset();
  if (ahead === 0) return "UTC";
  return `UTC${ahead < 0 ? "−" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`;
}

/** A duration in microseconds, in the unit that fits. */
export function duration(us) {
  if (us === undefined || us === null) return "—";
  if (us < 1000) return `${us} µs`;
  if (us < 1_000_000) return `${figure(us / 1000)} ms`;
  if (us < 120_000_000) return `${figure(us / 1_000_000)} s`;
  if (us < 7_200_000_000) return `${Math.floor(us / 60_000_000)} min ${Math.round(us / 1_000_000) % 60} s`;
  return `${Math.floor(us / 3_600_000_000)} h ${Math.round(us / 60_000_000) % 60} min`;
}

function figure(number) {
  return number < 10 ? number.toFixed(2) : number < 100 ? number.toFixed(1) : Math.round(number).toString();
}

/** A size in octets, as people say it. */
export function octets(count) {
  if (count < 1000) return `${count} octets`;
  if (count < 1_000_000) return `${figure(count / 1000)} kB`;
  return `${figure(count / 1_000_000)} MB`;
}

/** Nothing is there; `hint` says how something would be. */
export function emptyState(text, ...hint) {
  return h("div", { class: "empty" }, h("p", {}, text), h("p", { class: "quiet" }, ...hint));
}

/** What went wrong, for people to read. */
export function errorBox(problem) {
  return h("div", { class: "problem", role: "alert" },
    h("strong", {}, problem.title ?? "Something went wrong"),
    h("p", {}, visible(clip(problem.detail || problem.message || "", 1000))),
    problem.remedy ? h("p", {}, h("button", { type: "button", onClick: problem.remedy.act }, problem.remedy.label))
      : null,
    (problem.complaints ?? []).map((one) => h("p", { class: "wire" },
      visible(`${one.line ? `${one.line}:${one.column ?? 1}: ` : ""}${one.message}`))));
}

/** Copies a text, or what a function returns, when it is pressed; says so on itself. */
export function copyButton(text, label = "Copy") {
  const button = h("button", {
    type: "button", class: "copy", onClick: async () => {
      const said = typeof text === "function" ? await text() : text;
      const done = await copy(said);
      button.textContent = done ? "Copied" : "Not allowed to copy";
      setTimeout(() => { button.textContent = label; }, 1500);
    },
  }, label);
  return button;
}

// The clipboard is there on https and localhost only; elsewhere the old way is asked.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { value: text, class: "offscreen", "aria-hidden": "true" });
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

/** Gives a file to the reader. `content`: a text or a Blob. */
export function download(name, type, content) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const anchor = h("a", { href: URL.createObjectURL(blob), download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}

/** A modal dialog, shown at once; Esc and its button close it, and it is gone then. */
export function dialog(title, ...children) {
  const box = h("dialog", { "aria-label": title },
    h("header", {}, h("h2", {}, title),
      h("button", { type: "button", class: "close", "aria-label": "Close", onClick: () => box.close() }, "✕")),
    children);
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

/**
 * A table: columns are `{title, cell(row) -> node or text, class?}`. `row(row)` may give attributes of a row. Where it
 * has no room, each row stands as a list of its own.
 */
export function table(columns, rows, { caption, row = () => ({}) } = {}) {
  const cell = (column, one) => h("td", { class: column.class, "data-title": column.title },
    h("div", {}, column.cell(one)));
  const frame = h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": caption ?? "Table" },
    h("table", {},
      caption ? h("caption", { class: "offscreen" }, caption) : null,
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.class },
        column.title)))),
      h("tbody", {}, rows.map((one) => h("tr", row(one), columns.map((column) => cell(column, one)))))));
  fitting.observe(frame);
  return frame;
}

const widths = new WeakMap();
const fitting = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (!target.isConnected) {
      fitting.unobserve(target);
      continue;
    }
    // Its own change is of the height alone.
    if (widths.get(target) === target.clientWidth) continue;
    widths.set(target, target.clientWidth);
    target.classList.remove("stacked");
    target.classList.toggle("stacked", target.scrollWidth > target.clientWidth);
  }
});
