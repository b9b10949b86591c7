// Sessions side by side, aligned by phase: what one said where the other said something else.

import { get } from "./api.js";
import { isSame, keysOf, partsOf } from "./conversation.js";
import { clip, h, replace, visible } from "./dom.js";
import { duration, emptyState, errorBox, octets, phaseStrip, severityMark, time, verdictMark } from "./parts.js";
import { link, setQuery } from "./router.js";
import { lastFilter } from "./session-list.js";

export const title = "Compare";

const MOST = 6;
const LINES_OF_CELL = 14;
const REFUSAL = { 4: "refusal deferral", 5: "refusal" };

export async function show(main, parameters, query, signal) {
  const view = new CompareView(main, signal);
  await view.load((query.ids ?? "").split(",").filter(Boolean).slice(0, MOST));
}

class CompareView {
  constructor(main, signal) {
    Object.assign(this, { main, signal });
    this.onlyDifferent = false;
  }

  async load(ids) {
    this.ids = ids;
    this.sessions = await Promise.all(ids.map((id) => this.one(id)));
    if (!this.signal.aborted) this.draw();
  }

  async one(id) {
    try {
      return await get("sessions/" + encodeURIComponent(id), {}, this.signal);
    } catch (problem) {
      if (problem.name === "AbortError") throw problem;
      return { id, problem };
    }
  }

  change(ids) {
    setQuery({ ids });
    this.load(ids);
  }

  draw() {
    const found = this.sessions.filter((one) => !one.problem);
    replace(this.main,
      h("div", { class: "bar" }, h("a", { href: link("sessions", lastFilter()), class: "button" }, "← Sessions"),
        h("h1", {}, "Compare sessions")),
      this.controls(),
      this.sessions.filter((one) => one.problem).map((one) => errorBox(one.problem)),
      found.length ? this.table(found) : emptyState("No sessions to compare.",
        "Select two or more in the list of sessions, or add them here by id."));
  }

  controls() {
    const field = h("input", { id: "add", size: "8", placeholder: "s12", autocomplete: "off",
      disabled: this.ids.length >= MOST });
    const add = (event) => {
      event.preventDefault();
      const id = field.value.trim();
      if (id && !this.ids.includes(id)) this.change([...this.ids, id]);
    };
    const only = h("input", { type: "checkbox", id: "only", checked: this.onlyDifferent, onChange: (event) => {
      this.onlyDifferent = event.target.checked;
      this.draw();
      document.getElementById("only").focus();
    } });
    return h("form", { class: "bar", onSubmit: add },
      h("label", { for: "add" }, "Add session"), field, h("button", { type: "submit" }, "Add"),
      h("span", {}, only, " ", h("label", { for: "only" }, "only what differs")));
  }

  table(sessions) {
    const parts = sessions.map(partsOf);
    const rows = keysOf(parts).map((key) => {
      const own = parts.map((one) => one.get(key));
      return { key, same: isSame(own), cells: own.map((part, index) => this.part(part, sessions[index], key)) };
    });
    const facts = [
      ["Outcome", (one) => h("div", {}, verdictMark(one.verdict ?? (one.ended_by ? undefined : "open")), one.rejected_at
        ? ` at ${one.rejected_at}` : null, h("div", {}, phaseStrip(one)))],
      ["Client", (one) => h("span", { class: "wire" }, visible(one.client))],
      ["TLS", (one) => one.tls ? `${one.tls.version} ${one.tls.cipher}` : "none"],
      ["Took", (one) => one.ended_by ? `${duration(one.duration_us)}, ${one.ended_by}` : "runs"],
      ["Findings", (one) => this.findings(one, sessions)],
    ];
    return h("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": "Sessions side by side" },
      h("table", { class: "compare" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Phase"), sessions.map((one) => h("th", { scope: "col" },
          h("a", { href: link("sessions/" + one.id) }, one.id), " ", h("span", { class: "quiet" }, time(one.started)),
            " ",
          h("button", { type: "button", class: "close", "aria-label": `Take ${one.id} out`, onClick: () =>
            this.change(this.ids.filter((id) => id !== one.id)) }, "✕"))))),
        h("tbody", {},
          facts.map(([name, cell]) => h("tr", {}, h("th", { scope: "row" }, name),
            sessions.map((one) => this.cell(one, cell(one))))),
          rows.filter((row) => !this.onlyDifferent || !row.same).map((row) =>
            h("tr", { class: row.same ? "same" : "differs" },
            h("th", { scope: "row" }, row.key, h("div", { class: "quiet" }, sessions.length < 2 ? "" : row.same
              ? "= same" : "≠ differs")),
            row.cells.map((cell, index) => this.cell(sessions[index], cell)))))));
  }

  cell(session, content) {
    return h("td", { "data-session": session.id, class: content === null ? "absent" : undefined }, content
      ?? h("span", { class: "quiet" }, "—"));
  }

  part(part, session, key) {
    if (!part) return null;
    const phase = key.split(" ")[0];
    const isRefused = session.rejected_at === phase
      || session.transactions[Number(key.split(" ")[1]) - 1]?.rejected_at === phase;
    const lines = folded(part.lines);
    return h("div", {},
      part.waited_us === undefined ? null : h("div", { class: "quiet waited" }, part.waited_us > 0
        ? `client waited ${duration(part.waited_us)}` : "client did not wait"),
      lines.slice(0, LINES_OF_CELL).map((line) =>
        h("div", { class: `line ${line.who} ${isRefused && line.who === "sink" ? REFUSAL[line.text[0]] ?? "" : ""}` },
        h("span", { class: "who", title: line.who }, line.who === "client" ? "C " : "S "),
        line.octets !== undefined && !line.text ? `content, ${octets(line.octets)}` : visible(clip(line.text, 400)))),
      lines.length > LINES_OF_CELL ? h("div", { class: "quiet" }, `+${lines.length - LINES_OF_CELL} lines`) : null,
      isRefused && !part.lines.some((line) => line.who === "sink") ? h("div", { class: "line refusal" },
        `no reply: ${session.ended_by}`) : null);
  }

  findings(one, sessions) {
    if (!one.findings?.length) return h("span", { class: "quiet" }, one.is_judged === false ? "not judged yet"
      : "none");
    const having = (rule) => sessions.filter((other) => other.findings?.some((each) => each.rule === rule)).length;
    return h("ul", { class: "plain" }, one.findings.map((each) => {
      const count = having(each.rule);
      const isOwn = count < sessions.length;
      return h("li", { class: isOwn ? "own" : "quiet" },
        severityMark(each.severity), " ", h("code", { title: each.what }, each.rule),
        isOwn ? count === 1 ? " (only here)" : ` (in ${count} of ${sessions.length})` : null);
    }));
  }
}

// A reply of several lines is shown as one.
function folded(lines) {
  const all = [];
  for (const line of lines) {
    const last = all.at(-1);
    if (line.who === "sink" && last?.who === "sink" && /^\d{3}-/.test(last.raw)) {
      all[all.length - 1] = { ...last, text: `${last.text} · ${line.text.slice(4)}`, raw: line.text };
    } else {
      all.push({ ...line, raw: line.text });
    }
  }
  return all;
}
