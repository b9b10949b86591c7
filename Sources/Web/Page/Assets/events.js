// What happens at the sink, as it happens: one stream of server-sent events, shared by all views. It is read with
// fetch and not with EventSource, so that the token can go along. A stream that broke resumes where it was. Where more
// happens than a reader could follow, the stream is left for a while, and only how much was missed is told.

import { ask } from "./api.js";

const RETRY_MS = [250, 1000, 2000, 5000];
/** More events than that within a second are a flood; it is over at less than a quarter of it. */
const FLOOD = 500;
const FLOOD_EVERY_MS = 1000;
const readers = new Set();
const watchers = new Set();
let shared = null;

/**
 * Calls `onEvent({kind, …})` for each event. `kind`: one or several; more words are a filter of its own stream.
 * Besides the API's kinds there come `missed` (events were forgotten before they were read: fetch anew) and
 * `restarted` (it is another run of fakemx: what is shown is gone). Returns what stops it.
 */
export function events({ kind, ...filter }, onEvent) {
  const kinds = new Set([kind ?? []].flat().flatMap((words) => words.split(",")));
  if (Object.keys(filter).length > 0) {
    const own = new Stream(() => ({ kind: [...kinds], ...filter }), onEvent);
    return () => own.stop();
  }
  const reader = { kinds, onEvent };
  readers.add(reader);
  tune();
  return () => {
    readers.delete(reader);
    tune();
  };
}

/** Calls `told(isLive)` now and whenever the shared stream breaks or is there again. Returns what stops it. */
export function onConnection(told) {
  watchers.add(told);
  told(shared?.isLive ?? false);
  return () => watchers.delete(told);
}

// The shared stream carries what any reader wants; views come and go within one turn, so it is changed after it.
let tuning = null;
function tune() {
  tuning ??= setTimeout(() => {
    tuning = null;
    const kinds = [...new Set([...readers].flatMap((reader) => [...reader.kinds]))].sort();
    if (!kinds.length) {
      shared?.stop();
      shared = null;
    } else if (!shared) {
      shared = new Stream(() => ({ kind: shared.kinds }), deliver, kinds);
    } else if (kinds.join() !== shared.kinds.join()) {
      shared.kinds = kinds;
      shared.reopen();
    }
  }, 0);
}

function deliver(event) {
  for (const reader of [...readers]) {
    if (reader.kinds.has(event.kind) || event.kind === "missed" || event.kind === "restarted") reader.onEvent(event);
  }
}

class Stream {
  constructor(query, onEvent, kinds) {
    this.query = query;
    this.onEvent = onEvent;
    this.kinds = kinds;
    this.isLive = false;
    this.isStopped = false;
    this.position = null;
    this.opening = null;
    this.run();
  }

  stop() {
    this.isStopped = true;
    this.opening?.abort();
  }

  reopen() {
    this.opening?.abort();
  }

  tell(isLive) {
    if (this.isLive === isLive) return;
    this.isLive = isLive;
    if (this === shared) for (const told of watchers) told(isLive);
  }

  async run() {
    // The first turn may come before `shared` is set.
    await null;
    for (let failures = 0; !this.isStopped;) {
      this.opening = new AbortController();
      try {
        await this.findPlace();
        const response = await ask("GET", "events", {
          query: this.query(), headers: { "Last-Event-ID": this.position }, signal: this.opening.signal,
        });
        this.tell(true);
        failures = 0;
        await this.read(response.body.pipeThrough(new TextDecoderStream()).getReader());
        while (this.isFlooded && !this.isStopped) await this.wade();
        // Left on purpose, for a flood or for other kinds: it goes on at once.
        if (this.opening.signal.aborted) continue;
      } catch (error) {
        if (error.name === "AbortError") continue;
      }
      this.tell(false);
      const wait_ms = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
  }

  /** Where the stream begins: at the present, or where it broke; another run of fakemx has nothing of that. */
  async findPlace() {
    if (this.position && this.isLive) return;
    const { cursor } = await (await ask("GET", "cursor", { signal: this.opening.signal })).json();
    const isOther = this.position && this.position.split("-")[0] !== cursor.split("-")[0];
    if (!this.position || isOther) this.position = cursor;
    if (isOther) this.onEvent({ kind: "restarted" });
  }

  async read(reader) {
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) this.take(block);
      if (this.floods(blocks.length)) {
        this.opening.abort();
        return;
      }
    }
  }

  floods(count) {
    const now = performance.now();
    if (now - (this.counted?.since ?? -Infinity) > 1000) this.counted = { since: now, events: 0 };
    this.counted.events += count;
    this.isFlooded = this.counted.events > FLOOD;
    return this.isFlooded;
  }

  async wade() {
    await new Promise((resolve) => setTimeout(resolve, FLOOD_EVERY_MS));
    const { cursor } = await (await ask("GET", "cursor", {})).json();
    const [run, entry] = cursor.split("-"), [before, last] = this.position.split("-");
    const missed = run === before ? entry - last : Number(entry);
    if (run !== before) this.onEvent({ kind: "restarted" });
    this.position = cursor;
    this.isFlooded = missed > FLOOD / 4 * FLOOD_EVERY_MS / 1000;
    if (missed) this.onEvent({ kind: "missed", missed });
  }

  take(block) {
    let data = "", id = null, name = "";
    for (const line of block.split("\n")) {
      if (line.startsWith("data: ")) data += line.slice(6);
      else if (line.startsWith("id: ")) id = line.slice(4);
      else if (line.startsWith("event: ")) name = line.slice(7);
    }
    if (!data) return;
    if (id) this.position = id;
    this.onEvent({ kind: name, ...JSON.parse(data) });
  }
}
