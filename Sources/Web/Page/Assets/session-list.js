// The sessions that are shown, newest first: the first page at once, the others behind it, what is new in front. While
// one reads further down, what is new is held back, so that nothing moves under the eye. Where more come than anybody
// sees, only the newest are asked for, so that a page that is open costs the sink next to nothing.

import { get } from "./api.js";

const FIRST_PAGE = 60;
const PAGE = 1000;
// What a row shows of a session; one that stays open for a day has thousands of transactions.
const NESTED = 20;
// More than these are not loaded: a filter finds what is older.
const MOST = 20_000;
/** More than these are not held back: then the list is loaded anew. */
const MOST_HELD = 1000;
const MOST_OPEN = 50;
// A session is judged a moment after its end, or never: where the judge is off, in another run, forgotten.
const JUDGED_AFTER_MS = 400;
const MOST_ASKED = 6;

let last = {};

/** The filter of the list that was shown last: for the way back. */
export function lastFilter() {
  return last;
}
/** The longer sessions run, the more it takes to tell of them: no more than this part of the time is spent on that. */
const RUNNING_SHARE = 0.02;

export class SessionList {
  constructor(filter) {
    this.filter = filter;
    this.open = [];
    this.runningDue = 0;
    // Those that run were not asked for, as it was too early: one that just began may be missing.
    this.isBehind = false;
    this.ended = [];
    this.held = [];
    this.isOverfull = false;
    this.next = null;
    this.gap = null;
    this.cursor = null;
    this.asked = new Map();
  }

  /** All rows: those that still run, then those that ended. */
  get rows() {
    return this.open.length ? [...this.open, ...this.ended] : this.ended;
  }

  get isComplete() {
    return this.next === null && this.gap === null;
  }

  get heldCount() {
    return this.isOverfull ? `more than ${Math.max(FIRST_PAGE, this.held.length)}` : this.held.length;
  }

  /** The newest page, forgetting what was there. */
  async load(signal) {
    const [open, page] = await Promise.all([this.running(signal), this.page({ limit: FIRST_PAGE }, signal)]);
    this.open = open;
    this.ended = page.sessions;
    this.held = [];
    this.isOverfull = false;
    this.gap = null;
    this.next = page.next ?? null;
    this.cursor = page.cursor;
    last = this.filter;
  }

  /** One more page: of the gap behind the newest, if there is one, else of older ones. */
  async more(signal) {
    if (this.gap) return this.closeGap(signal);
    const before = this.next;
    const page = await this.page({ limit: PAGE, before }, signal);
    if (this.next !== before || this.gap) return;
    this.ended = this.ended.concat(page.sessions);
    this.next = this.ended.length < MOST ? page.next ?? null : null;
    this.isCapped = this.next === null && Boolean(page.next);
  }

  async closeGap(signal) {
    const gap = this.gap;
    const page = await this.page({ limit: PAGE, before: gap.before, since: gap.since }, signal);
    if (this.gap !== gap) return;
    this.ended.splice(gap.place, 0, ...page.sessions);
    this.ended = [...this.ended];
    if (page.next) this.gap = { ...gap, before: page.next, place: gap.place + page.sessions.length };
    else this.gap = null;
    this.trim();
  }

  /**
   * What came since then: in front, or held back. Which run is asked for, too, or none are shown.
   *
   * Returns how many came.
   */
  async refresh({ holds, asksRunning }, signal) {
    // Until the first page says where it ends, new and known cannot be told apart.
    if (this.cursor === null) return 0;
    if (this.isOverfull) {
      if (!holds) await this.load(signal);
      return 0;
    }
    const since = this.cursor;
    const isEarly = performance.now() < this.runningDue;
    const keeps = holds || isEarly;
    this.isBehind = isEarly;
    const [open, page] = await Promise.all([
      keeps ? this.open : asksRunning ? this.running(signal) : [], this.page({ since, limit: FIRST_PAGE }, signal),
    ]);
    this.cursor = page.cursor;
    if (page.next) {
      // More came than are seen at once: the newest are shown, and the gap behind them is closed when it is quiet.
      if (holds) this.isOverfull = true;
      else this.leap(page, since);
    } else {
      this.held = page.sessions.concat(this.held);
      this.isOverfull = this.held.length > MOST_HELD;
    }
    this.open = open;
    if (!holds) this.release();
    return page.sessions.length;
  }

  // Of two gaps the older is kept and takes in what stood between them.
  leap(page, since) {
    const rest = this.gap ? this.ended.slice(this.gap.place) : this.held.concat(this.ended);
    this.gap = { before: page.next, since: this.gap?.since ?? since, place: page.sessions.length };
    this.ended = page.sessions.concat(rest);
    this.held = [];
  }

  /** What was held back comes in front. */
  release() {
    if (!this.held.length) return;
    const ids = new Set(this.held.map((one) => one.id));
    this.open = this.open.filter((one) => !ids.has(one.id));
    this.ended = this.held.concat(this.ended);
    if (this.gap) this.gap = { ...this.gap, place: this.gap.place + this.held.length };
    this.held = [];
    this.trim();
  }

  trim() {
    if (this.ended.length > MOST + PAGE) this.ended = this.ended.slice(0, MOST);
  }

  /** Whether no judgement of this session is waited for any more. */
  isGivenUp(id) {
    return this.asked.get(id)?.count >= MOST_ASKED;
  }

  /** In how many milliseconds the first of these is to be asked for again; null: none of them is. */
  judgeIn(ids) {
    const now = performance.now();
    let due = Infinity;
    for (const id of ids) {
      if (!this.asked.has(id)) this.asked.set(id, { count: 0, due: now + JUDGED_AFTER_MS });
      if (!this.isGivenUp(id)) due = Math.min(due, this.asked.get(id).due);
    }
    return due === Infinity ? null : Math.max(0, due - now);
  }

  /** Asks anew for those of these whose turn it is; each has its turn so many times, later and later. */
  async judge(all, signal) {
    const now = performance.now();
    const ids = all.filter((id) => !this.isGivenUp(id) && this.asked.get(id).due <= now);
    if (!ids.length) return;
    for (const id of ids) {
      const one = this.asked.get(id);
      one.count += 1;
      one.due = now + JUDGED_AFTER_MS * 2 ** one.count;
    }
    const { sessions } = await get("sessions", { session: ids, limit: ids.length, nested: NESTED }, signal);
    const judged = new Map(sessions.filter((one) => one.is_judged).map((one) => [one.id, one]));
    if (judged.size) this.ended = this.ended.map((one) => judged.get(one.id) ?? one);
  }

  async running(signal) {
    const began = performance.now();
    const { sessions } = await get("sessions", { ...this.filter, open: true, limit: MOST_OPEN, nested: NESTED }, signal);
    const now = performance.now();
    this.runningDue = now + (now - began) / RUNNING_SHARE;
    return sessions;
  }

  page(query, signal) {
    return get("sessions", { ...this.filter, ...query, nested: NESTED }, signal);
  }
}
