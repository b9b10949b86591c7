// The live list of sessions: how far each came, where it was refused, what was found. See session-list.js for what is
// loaded when, virtual-list.js for how it is drawn.

import { events } from "./api.js";
import { clip, counted, grouped, h, painted, replace, visible, visibleText } from "./dom.js";
import { FilterBox } from "./filter-box.js";
import { duration, emptyState, errorBox, phaseStrip, severityMark, time, verdictMark } from "./parts.js";
import { go, link, setQuery } from "./router.js";
import { SessionList } from "./session-list.js";
import { VirtualList } from "./virtual-list.js";

export const title = "Sessions";

const REFRESH_EVERY_MS = 150;
const REFRESH_BUSY_MS = 1000;
const BUSY_MS = 1500;
const RUNNING_EVERY_MS = 1000;
const SAID_EVERY_MS = 4000;
const MOST_COMPARED = 6;

const COLUMNS = [
  ["pick", "Select"], ["time", "Time"], ["id", "Session"], ["client", "Client"], ["helo", "HELO"], ["from", "From"],
  ["to", "To"], ["phase", "Came to"], ["verdict", "Verdict"], ["findings", "Findings"], ["duration", "Duration"],
].map(([name, title]) => ({ name, title }));

const HELP = [
  ["from", "the sender's address", "from=*@shop.test"], ["to", "any recipient", "to=*@full.test"],
  ["client", "address or network", "client=10.0.0.0/8"], ["helo", "the name it gave", "helo=*.test"],
  ["verdict", "accepted, rejected, deferred, lost, abandoned", "verdict=rejected,deferred"],
  ["phase", "where it was refused", "phase=rcpt"], ["code", "of the reply that decided", "code=4xx"],
  ["reply", "its text", 'reply="*5.7.1*"'], ["rule", "the rule that fired", "rule=magic*"],
  ["finding", "the rule of conduct that was broken", "finding=tls-*"], ["severity", "how grave", "severity=must"],
  ["tls", "version, or none", "tls=none"], ["listener", "where it came in", "listener=smtp"],
  ["space", "the test it belongs to", "space=shop"], ["session", "by its id", "session=s1,s2"],
];
const QUICK = [
  ["rejected", "verdict=rejected"], ["deferred", "verdict=deferred"], ["lost", "verdict=lost"],
    ["must findings", "severity=must"],
];

// The list outlives the view, so that one comes back to where one was.
let kept = null;
const picked = new Set();

export async function show(main, parameters, query, signal) {
  const view = new SessionsView(main, query, signal);
  await view.start();
}

class SessionsView {
  constructor(main, query, signal) {
    Object.assign(this, { main, signal, query });
    this.sessions = new SessionList({});
    this.filter = new FilterBox({ words: query, help: HELP, quick: QUICK, changed: (words) => this.filtered(words) });
    this.list = new VirtualList({
      label: "Sessions, newest first", columns: COLUMNS, key: (one) => one.id, cells: (one) => this.cells(one),
      opened: (one) => go("sessions/" + one.id), toggled: (one) => this.pick(one.id),
      rowClass: (one) => (one.ended_by ? "" : "running"),
    });
    this.list.onScroll = () => this.scrolled();
    this.newer = h("button", { type: "button", class: "newer primary", hidden: true, onClick: () => this.toTop() });
    this.summary = h("span", { class: "quiet summary" });
    this.compare = h("button", { type: "button", onClick: () => go("compare", { ids: [...picked] }) });
    this.clear = h("button", { type: "button", class: "link", onClick: () => this.pickNone() }, "select none");
    this.news = h("p", { class: "offscreen", role: "status", "aria-live": "polite" });
    this.notice = h("div", { class: "list-notice" });
    replace(main,
      h("div", { class: "bar list-title" }, h("h1", {}, title), this.summary, h("span", { class: "spring" }),
        this.compare, this.clear),
      this.filter.element, this.notice,
      h("div", { class: "list-frame" }, this.newer, this.list.element), this.news);
    this.countPicked();
  }

  async start() {
    const isSame = kept?.list.cursor && !kept.isStale
      && JSON.stringify(kept.list.filter) === JSON.stringify(this.query);
    this.stops = [
      events({ kind: ["opened", "session", "reset"] }, (event) => this.happened(event)), () => this.list.stop(),
    ];
    this.signal.addEventListener("abort", () => this.leave());
    if (isSame) {
      this.sessions = kept.list;
      this.list.active = kept.active;
      this.draw();
      this.list.element.scrollTop = kept.top;
      this.refresh();
    } else {
      await this.load(this.query);
    }
    // One who comes back goes on where he was.
    if (isSame && this.list.active) this.list.welcome();
  }

  leave() {
    for (const stop of this.stops) stop();
    clearTimeout(this.refreshing);
    clearTimeout(this.judging);
    clearTimeout(this.watching);
    clearTimeout(this.telling);
    const state = { list: this.sessions, active: this.list.active, top: this.list.element.scrollTop,
      isStale: this.isBroken };
    kept = state;
    // What is kept is of no use once fakemx forgot it.
    state.stop = events({ kind: "reset" }, (event) => {
      state.isStale ||= event.kind !== "missed";
      if (kept !== state || state.isStale) state.stop();
    });
  }

  // MARK: Loading

  filtered(words) {
    setQuery(words);
    this.load(words);
  }

  /** The list that is shown stays until the other is there; where its words are wrong, it stays. */
  async load(words) {
    const list = new SessionList(words);
    this.coming = list;
    try {
      await list.load(this.signal);
      if (this.coming !== list) return;
      this.sessions = list;
      this.isBroken = false;
      this.filter.complain(null);
      replace(this.notice);
      this.isEmpty = false;
      this.list.element.scrollTop = 0;
      this.draw();
      // First what is there is seen; the rest is work for the sink and for the browser.
      await painted();
      if (this.sessions !== list || this.signal.aborted) return;
      this.fill(list);
      // What came while it was loaded was told to the list before it.
      this.refresh();
    } catch (problem) {
      if (problem.name === "AbortError" || this.coming !== list) return;
      this.list.rest();
      if (problem.status === 400) {
        this.filter.complain(problem.detail);
        return;
      }
      this.isBroken = true;
      replace(this.notice, errorBox(problem));
    }
  }

  /** Loads older pages, one after the other, as long as the sink is not busy with newer ones. */
  async fill(list) {
    if (this.filling) return;
    this.filling = true;
    try {
      while (this.sessions === list && !this.signal.aborted && !list.isComplete) {
        const isNear = !this.list.isAtTop && this.list.window[1] > list.rows.length - 200;
        if (this.isBusy && !isNear) {
          await pause(500);
          continue;
        }
        await list.more(this.signal);
        this.draw();
        await pause(30);
      }
    } catch (problem) {
      if (problem.name !== "AbortError") replace(this.notice, errorBox(problem));
    } finally {
      this.filling = false;
    }
    if (this.sessions !== list && !this.signal.aborted) this.fill(this.sessions);
  }

  happened(event) {
    if (event.kind === "reset" || event.kind === "restarted") this.load(this.sessions.filter);
    else this.refresh();
  }

  /** Sessions come in numbers: what can wait waits. */
  get isBusy() {
    return performance.now() - (this.lastNews ?? -Infinity) < BUSY_MS;
  }

  /** At once for the first that comes, then at most so often. */
  refresh() {
    this.isWanted = true;
    if (this.refreshing) return;
    const run = async () => {
      this.isWanted = false;
      const began = performance.now();
      const list = this.sessions;
      const holds = this.isReading;
      try {
        const count = await list.refresh({ holds, asksRunning: !this.isBusy }, this.signal);
        if (this.signal.aborted || this.sessions !== list) return;
        if (count) {
          if (count > 5) this.lastNews = performance.now();
          this.tellNews(count);
        }
        this.draw();
        this.fill(list);
      } catch (problem) {
        if (problem.name === "AbortError") return;
        // A cursor of another run, or a sink that is gone: it is loaded anew when it is back.
        if (problem.status === 400) this.load(list.filter);
      } finally {
        const left = Math.max(0, (this.isBusy ? REFRESH_BUSY_MS : REFRESH_EVERY_MS) - (performance.now() - began));
        this.refreshing = setTimeout(() => {
          this.refreshing = null;
          if (this.isWanted && !this.signal.aborted) this.refresh();
        }, left);
        this.watchRunning();
      }
    };
    this.refreshing = true;
    run();
  }

  /** Nothing is told of a session that goes on: as long as one runs, it is asked. */
  watchRunning() {
    clearTimeout(this.watching);
    if (this.sessions.open.length || this.sessions.isBehind || this.isBusy) {
      this.watching = setTimeout(() => this.refresh(), this.isBusy ? BUSY_MS : RUNNING_EVERY_MS);
    }
  }

  /** One reads further down, or goes through the rows by keyboard: nothing may move. */
  get isReading() {
    return !this.list.isAtTop || (document.activeElement === this.list.element && this.list.place > 0);
  }

  // MARK: Drawing

  draw() {
    const list = this.sessions;
    const rows = list.rows;
    this.list.show(rows);
    const held = list.heldCount;
    this.newer.hidden = !held;
    replace(this.newer, `↑ ${held} new`);
    const count = grouped(rows.length);
    replace(this.summary, list.isComplete ? `${count}${list.isCapped ? "; older ones are found by a filter" : ""}`
      : `${count}, loading…`);
    const isFiltered = Object.keys(list.filter).length > 0;
    if (rows.length) {
      if (this.isEmpty) replace(this.notice);
      this.isEmpty = false;
    } else if (!this.isEmpty) {
      this.isEmpty = true;
      replace(this.notice, isFiltered ? emptyState("No session meets this filter.") : emptyState(
        "No session yet.", "Send something: ", h("code", {}, "swaks --server 127.0.0.1:1025 --to eod-554@any.test"),
        " shows a reject after the final dot."));
    }
    this.list.element.classList.toggle("is-empty", rows.length === 0);
    this.awaitJudge();
  }

  cells(one) {
    // Of a long session the list has the first transactions only.
    const isCut = one.transaction_count > one.transactions.length;
    const from = [...new Set(one.transactions.map((each) => each.from))];
    const to = one.transactions.flatMap((each) => each.recipients.map((recipient) => recipient.address));
    const box = h("input", {
      type: "checkbox", tabindex: "-1", checked: picked.has(one.id), "aria-label": `Select ${one.id} to compare`,
      onChange: () => this.pick(one.id),
    });
    return [
      box, time(one.started), h("a", { href: link("sessions/" + one.id), tabindex: "-1" }, one.id), peer(one.client),
      peer(one.helo), from.length ? peer(from[0] === "" ? "<>" : from[0], from.length, from, isCut) : quiet("—"),
      to.length ? peer(to[0], one.recipient_count, to)
        : quiet(one.recipient_count ? counted(one.recipient_count, "recipient") : "—"),
      phaseStrip(one),
      verdictMark(one.verdict ?? (one.ended_by ? undefined : "open")),
      findings(one, this.sessions.isGivenUp(one.id)),
      one.ended_by ? duration(one.duration_us) : quiet("runs"),
    ];
  }

  /** Findings come a moment after the end: rows in sight that wait for theirs are asked for again. */
  awaitJudge() {
    if (this.isJudging) return;
    clearTimeout(this.judging);
    if (this.isBusy) {
      this.judging = setTimeout(() => this.awaitJudge(), BUSY_MS);
      return;
    }
    const [first, last] = this.list.window;
    const ids = this.sessions.rows.slice(first, last).filter((one) => one.ended_by
      && one.is_judged === false).map((one) => one.id);
    const list = this.sessions;
    const wait_ms = list.judgeIn(ids);
    if (wait_ms === null) return;
    this.judging = setTimeout(async () => {
      this.isJudging = true;
      try {
        await list.judge(ids, this.signal);
      } catch {
        // Its next turn comes; what is wrong is said by the list.
      }
      this.isJudging = false;
      if (this.signal.aborted) return;
      if (ids.some((id) => list.isGivenUp(id))) this.list.redraw();
      this.draw();
    }, Math.ceil(wait_ms));
  }

  tellNews(count) {
    this.untold = (this.untold ?? 0) + count;
    this.telling ??= setTimeout(() => {
      this.telling = null;
      replace(this.news, counted(this.untold, "new session"));
      this.untold = 0;
    }, SAID_EVERY_MS);
  }

  scrolled() {
    if (!this.isReading && this.sessions.heldCount) this.refresh();
    this.awaitJudge();
  }

  toTop() {
    this.list.active = null;
    this.list.element.scrollTop = 0;
    this.sessions.release();
    this.draw();
    this.refresh();
    this.list.element.focus();
  }

  // MARK: Selecting

  pick(id) {
    if (!picked.delete(id)) picked.add(id);
    if (picked.size > MOST_COMPARED) picked.delete(picked.values().next().value);
    this.countPicked();
    this.list.redraw();
  }

  pickNone() {
    picked.clear();
    this.countPicked();
    this.list.redraw();
  }

  countPicked() {
    this.compare.disabled = picked.size < 2;
    this.clear.hidden = picked.size === 0;
    replace(this.compare, picked.size < 2 ? "Compare: select two" : `Compare ${picked.size}`);
  }
}

function peer(text, count = 1, all = [text], areMore = false) {
  if (text === undefined) return quiet("—");
  return h("span", { class: "wire elided", title: clip(all.map(visibleText).join("\n"), 2000) },
    visible(clip(text, 200)), count > 1 ? h("span", { class: "quiet" }, ` +${count - 1}${areMore ? " or more" : ""}`) : null);
}

function quiet(text) {
  return h("span", { class: "quiet" }, text);
}

function findings(one, isGivenUp) {
  if (!one.ended_by) return quiet("—");
  if (one.is_judged === false && isGivenUp) return h("span", { class: "quiet", title: "not judged" }, "—");
  if (one.is_judged === false) return h("span", { class: "quiet", title: "not judged yet" }, "…");
  const counts = new Map();
  for (const { severity } of one.findings ?? []) counts.set(severity, (counts.get(severity) ?? 0) + 1);
  const order = ["must", "should", "reputation", "info"];
  const worst = order.find((severity) => counts.has(severity));
  if (!worst) return quiet("none");
  const others = one.findings.length - counts.get(worst);
  return h("span", { title: one.findings.map((each) => `${each.severity}: ${each.rule}`).join("\n") },
    severityMark(worst, counts.get(worst)), others ? quiet(` +${others}`) : null);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
