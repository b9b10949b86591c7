// One session: what became of it in one sentence, its sequence diagram, its findings, and the same raw, as JSON and as
// a scenario that plays it again.

import { get, text } from "./api.js";
import { drawDiagram } from "./diagram.js";
import { markdown, picture, standalone } from "./diagram-export.js";
import { moment, sentenceOf } from "./diagram-model.js";
import { clip, grouped, h, replace, visible, visibleText } from "./dom.js";
import { copyButton, download, duration, emptyState, errorBox, fact, findingItem, phaseName, phaseStrip, time,
  verdictMark, verdictShape } from "./parts.js";
import { link, setQuery } from "./router.js";
import { lastFilter } from "./session-list.js";
import { tabs } from "./tabs.js";

export const title = "Session";

const FIRST_ROWS = 300;
const MORE_ROWS = 1000;
/** A picture higher than this is read by nobody: it has fewer rows. */
const TALLEST_PICTURE = 12_000;
const ROWS_OF_PICTURE = 120;
/** More of a text is not shown on the page; the file has it. */
const MOST_SHOWN = 300_000;
const RUNNING_EVERY_MS = 500;
// It is judged a moment after its end, or never: where the judge is off, in another run, forgotten.
const JUDGED_AFTER_MS = 400;
const MOST_ASKED = 6;
const LONGEST_WAIT_MS = 10_000;

export async function show(main, { id }, query, signal) {
  await new SessionView(main, id, query, signal).load();
}

class SessionView {
  constructor(main, id, query, signal) {
    Object.assign(this, { main, id, query, signal });
    this.limit = FIRST_ROWS;
    this.isUnfolded = false;
    this.askedCount = 0;
    this.failedCount = 0;
    this.trouble = h("div", {});
  }

  async load() {
    this.session = await get("sessions/" + encodeURIComponent(this.id), {}, this.signal);
    document.title = `${this.id} · fakemx`;
    this.draw();
    this.signal.addEventListener("abort", () => clearTimeout(this.following));
    this.follow();
  }

  // A session that runs is drawn again as it goes on; one that just ended, when it is judged, if it ever is.
  follow() {
    const isJudged = this.session.is_judged !== false || this.isGivenUp;
    if (this.signal.aborted || (this.session.ended_by && isJudged)) return;
    const wait_ms = this.session.ended_by ? JUDGED_AFTER_MS * 2 ** this.askedCount : RUNNING_EVERY_MS;
    this.following = setTimeout(() => this.look(),
      Math.max(wait_ms, this.failedCount && Math.min(LONGEST_WAIT_MS, RUNNING_EVERY_MS * 2 ** this.failedCount)));
  }

  async look() {
    const before = this.session;
    try {
      this.session = await get("sessions/" + encodeURIComponent(this.id), {}, this.signal);
      this.failedCount = 0;
      replace(this.trouble);
      if (before.ended_by) this.askedCount += 1;
      const isLast = this.askedCount === MOST_ASKED && this.session.is_judged === false;
      if (isLast || JSON.stringify(this.session) !== JSON.stringify(before)) this.draw();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      replace(this.trouble, errorBox(problem));
      // It is gone, or nothing is told without a token.
      if ([401, 404].includes(problem.status)) return;
      this.failedCount += 1;
    }
    this.follow();
  }

  get isGivenUp() {
    return this.askedCount >= MOST_ASKED;
  }

  draw() {
    const { session } = this;
    const isFirst = !this.tabs;
    this.head ??= h("div", {});
    replace(this.head, this.heading(), this.verdict(), this.facts());
    this.tabs ??= tabs([
      ["diagram", "Diagram", () => this.diagram()],
      ["transcript", "Transcript", () => this.raw(() => text(`sessions/${this.id}/transcript`, {}, this.signal),
        `${this.id}.txt`)],
      ["json", "JSON", () => this.raw(async () => JSON.stringify(this.session, null, 2), `${this.id}.json`)],
      ["scenario", "Replay as scenario", () => this.scenario()],
    ], this.query.tab, (name) => setQuery({ ...this.query, tab: name === "diagram" ? undefined : name }));
    this.findings ??= h("section", { "aria-label": "Findings" });
    replace(this.findings, h("h2", {}, `Findings${session.findings?.length ? ` (${session.findings.length})` : ""}`),
      session.findings?.length ? session.findings.map(findingItem) : h("p", { class: "quiet" },
        !session.ended_by ? "Judged when it ends."
          : session.is_judged === false ? this.isGivenUp ? "Not judged." : "Not judged yet."
          : "Nothing was found against the sender."));
    if (isFirst) {
      replace(this.main, this.head, this.trouble, this.tabs.element, this.findings);
      this.watchWidth();
    }
    this.tabs.show(this.tabs.now);
  }

  heading() {
    const { session } = this;
    return h("div", { class: "bar" },
      h("a", { href: link("sessions", lastFilter()), class: "button", "aria-label": "Back to the list of sessions" },
        "← Sessions"),
      h("h1", {}, `Session ${session.id}`), phaseStrip(session), h("span", { class: "spring" }),
      copyButton(() => markdown(session), "Copy as Markdown"),
      h("button", { type: "button", onClick: () => this.save("svg") }, "Save SVG"),
      h("button", { type: "button", onClick: () => this.save("png") }, "Save PNG"));
  }

  /** What happened, in one sentence. */
  verdict() {
    const { session } = this;
    const word = session.verdict ?? (session.ended_by ? "none" : "open");
    const isCut = session.rejected_at !== undefined;
    const said = {
      rejected: "Rejected", deferred: "Deferred", lost: "Taken, but the reply was lost", accepted: "Accepted",
        abandoned: isCut ? "Cut off" : "Abandoned by the client",
      open: "Runs", none: session.tls_failure ? "TLS failed, no mail was sent" : "No mail was sent",
    }[word];
    return h("div", { class: `outcome outcome-${word}` },
      h("p", {}, h("span", { class: `verdict verdict-${word}` }, verdictShape(word),
        h("strong", {}, said, session.rejected_at ? ` at ${phaseName(session.rejected_at)}` : "")),
        ". ",
        session.rule ? reason(session) : null),
      session.reply ? clip(session.reply, 600).split("\n").map((line) => h("p", { class: "wire" }, visible(line)))
        : null);
  }

  facts() {
    const { session } = this;
    const { tls, tls_failure: failure } = session;
    return h("dl", { class: "facts session-facts" },
      fact("Client", h("span", { class: "wire" }, visible(session.client)),
        session.helo ? [", says ", h("span", { class: "wire" }, visible(clip(session.helo, 255)))] : null),
      fact("Started", time(session.started, { date: true }), ", on listener ", session.listener),
      fact("Took", session.ended_by ? [duration(session.duration_us), `, ended by ${session.ended_by}`] : "runs"),
      fact("TLS", tls ? `${tls.version}, ${tls.cipher}` : failure ? visible("failed: " + failure) : "none",
        tls?.sni ? [", for ", visible(tls.sni)] : null),
      session.transactions.map((one, index) => fact(session.transactions.length > 1 ? `Mail ${index + 1}` : "Mail",
        this.transaction(one))),
      session.notices.map((notice) => fact("Notice", visible(notice))),
      session.events_dropped
        ? fact("Not kept", `${session.events_dropped} events: the session was longer than its limit`) : null);
  }

  transaction(one) {
    const shown = one.recipients.slice(0, 10);
    return h("span", {}, verdictMark(one.verdict ?? (this.session.ended_by ? undefined : "open")), " ",
      h("span", { class: "wire" }, visible(clip(`<${one.from}>`, 300))), " → ",
      shown.map((recipient, index) => [index ? ", " : null,
        h("span", { class: "wire", title: visibleText(recipient.reply) }, visible(clip(recipient.address, 300))),
        /^[45]/.test(recipient.reply) ? h("span", { class: recipient.reply[0] === "5" ? "refused" : "delayed" },
          ` (${recipient.reply.slice(0, 3)})`) : null]),
      one.recipients.length > shown.length ? `, and ${one.recipients.length - shown.length} more` : null,
      one.message ? [" · ", h("a", { href: link("messages/" + one.message) }, `message ${one.message}`)] : null);
  }

  // MARK: The diagram

  diagram() {
    const frame = h("div", { class: "diagram-frame" });
    this.frame = frame;
    const unfold = h("input", { type: "checkbox", id: "unfold", checked: this.isUnfolded, onChange: (event) => {
      this.isUnfolded = event.target.checked;
      this.redraw();
    } });
    this.jump = h("button", { type: "button", hidden: true, onClick: () => this.showReject() }, "Show the reject");
    this.more = h("button", { type: "button", hidden: true, onClick: () => {
      this.limit += MORE_ROWS;
      this.redraw();
    } });
    this.legend = h("span", { class: "quiet" });
    this.list = h("ol", { class: "offscreen", "aria-label": "The diagram as a list" });
    // Its width is known when it is in the document.
    queueMicrotask(() => this.redraw());
    const choice = h("span", {}, unfold, " ", h("label", { for: "unfold" }, "all lines of replies"));
    return [h("div", { class: "bar" }, choice, this.jump, this.more, this.legend),
      frame, this.list];
  }

  redraw() {
    const width = Math.floor(this.frame.clientWidth);
    if (!width || !this.frame.isConnected) return;
    this.drawnWidth = width;
    const drawn = drawDiagram(this.session, width, { limit: this.limit, isUnfolded: this.isUnfolded });
    this.drawn = drawn;
    replace(this.frame, drawn.element);
    this.jump.hidden = drawn.rejectY === undefined || drawn.rejectY < innerHeight * .4;
    const leftOut = drawn.rows.reduce((sum, row) => sum + (row.kind === "left-out" ? row.count : 0), 0);
    this.more.hidden = !leftOut;
    replace(this.more, `${grouped(leftOut)} rows are left out: show ${grouped(Math.min(MORE_ROWS, leftOut))} more`);
    const step = duration(drawn.scale).replace(/\.0+ /, " ");
    replace(this.legend, `Time runs down: 10 px are ${step}; longer waits are folded.`);
    replace(this.list, drawn.rows.map((row) =>
      h("li", {}, `${moment(row.at_us)}: ${clip(visibleText(sentenceOf(row)), 500)}`,
      row.notes.map((note) => note.kind === "fault" ? ` Fault of rule ${note.fault.rule}: ${note.fault.why}.`
        : ` Finding, ${note.finding.severity}: ${note.finding.what}`))));
  }

  showReject() {
    const top = this.frame.getBoundingClientRect().top + scrollY + this.drawn.rejectY - innerHeight / 3;
    scrollTo({ top, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  watchWidth() {
    const watcher = new ResizeObserver(() => {
      if (this.frame?.isConnected && Math.abs(this.frame.clientWidth - this.drawnWidth) > 1) this.redraw();
    });
    watcher.observe(this.main);
    this.signal.addEventListener("abort", () => watcher.disconnect());
  }

  async save(kind) {
    if (this.tabs.now !== "diagram") this.tabs.show("diagram");
    await null;
    try {
      const { element } = this.drawn.element.height.baseVal.value > TALLEST_PICTURE && kind === "png"
        ? drawDiagram(this.session, this.drawnWidth, { limit: ROWS_OF_PICTURE }) : this.drawn;
      if (kind === "svg") download(`${this.id}.svg`, "image/svg+xml", standalone(element));
      else download(`${this.id}.png`, "image/png", await picture(element));
    } catch (error) {
      this.frame.before(errorBox(error));
    }
  }

  // MARK: Texts

  raw(fetched, name) {
    const place = h("div", {}, h("p", { class: "quiet" }, "Loading…"));
    (async () => {
      try {
        const all = await fetched();
        replace(place,
          h("div", { class: "bar" }, copyButton(all),
            h("button", { type: "button", onClick: () => download(name, "text/plain", all) }, `Save ${name}`),
            all.length > MOST_SHOWN ? h("span", { class: "quiet" },
              `The first ${grouped(MOST_SHOWN)} of ${grouped(all.length)} characters; the file has all.`) : null),
          h("pre", { tabindex: "0", class: "raw" }, all.slice(0, MOST_SHOWN).split("\n").flatMap((line) =>
            [visible(clip(line, 5000)), "\n"])));
      } catch (problem) {
        if (problem.name === "AbortError") return;
        // A session in which nothing went wrong on purpose is no mistake of anybody's.
        replace(place, problem.status === 409 ? emptyState("Nothing to replay", problem.message) : errorBox(problem));
      }
    })();
    return place;
  }

  scenario() {
    return [
      h("p", {}, "Rules that make the same happen to the next sender. Save it and start ",
        h("code", {}, `fakemx serve --scenario ${this.id}.yaml`), "."),
      this.raw(() => text(`sessions/${this.id}/scenario`, {}, this.signal), `${this.id}.yaml`),
    ];
  }
}

/** By what it was refused: a rule, or an address, a host name or a user that asks for it and is no rule. */
function reason({ rule, faults }) {
  if (rule.startsWith("magic ")) {
    const fault = faults.find((one) => one.rule === rule);
    return ["Asked for by ", h("span", { class: "wire" }, visible(clip(fault?.why ?? rule, 300))), "."];
  }
  return ["By rule ", h("a", { href: link("rules", { name: rule }) }, visible(clip(rule, 100))), "."];
}
