// A session as the rows of its sequence diagram, in the order in which things happened on the wire. Pure: no node is
// made here. Commands that came in one segment stand together, before the replies to them.

/** Rows at the start, around the reject and at the end that are always drawn; the rest as far as `limit` goes. */
const AROUND = 40;

/**
 * Rows: `{kind, at_us, …}` with kinds
 * - `command` and `reply`: `who`, `lines` (`{number, text}`), `segment`, `tls`, `notes`, `answers` (a line)
 * - `content`: `octets`, `isMessage`, `message`
 * - `tls`: the handshake, or what went wrong in it
 * - `fault`: one that is no reply of its own
 * - `end`: `ended_by`
 * - `left-out`: `count`
 * What refused or lost a mail has `reject`: `{verdict, phase}`.
 */
export function rowsOf(session, { limit = 300, isUnfolded = false } = {}) {
  const rows = merged(session);
  placeHandshake(rows, session);
  placeFaults(rows, session);
  if (session.ended_by) rows.push({ kind: "end", at_us: session.duration_us, ended_by: session.ended_by, notes: [] });
  markRejects(rows, session);
  const rest = placeFindings(rows, session);
  if (!isUnfolded) for (const row of rows) fold(row);
  return { rows: cut(rows, limit), rest };
}

// MARK: Lines

function merged(session) {
  const lines = (session.lines ?? []).map((line, index) => ({ ...line, number: index + 1 }));
  relate(lines, session);
  // What came in one segment came at one time: the client's lines first, since the replies follow from them.
  const sorted = [...lines].sort((a, b) => a.at_us - b.at_us || (a.who === b.who ? a.number - b.number
    : a.who === "client" ? -1 : 1));
  const rows = [];
  for (const line of sorted) {
    const last = rows.at(-1);
    if (line.who === "client") {
      if (line.octets !== undefined && !line.text) rows.push({ ...base(line), kind: "content", octets: line.octets,
        isMessage: line.isMessage, message: line.message });
      else rows.push({ ...base(line), kind: "command", lines: [line] });
    } else if (last?.kind === "reply" && last.isOpen && last.at_us === line.at_us) {
      last.lines.push(line);
      last.isOpen = isContinued(line.text);
    } else {
      rows.push({ ...base(line), kind: "reply", lines: [line], isOpen: isContinued(line.text), answers: line.answers });
    }
  }
  for (const [index, row] of rows.entries()) {
    // Which command a reply is for needs to be said only where it does not follow it.
    if (row.kind === "reply" && rows[index - 1]?.numbers.includes(row.answers?.number)) row.answers = undefined;
  }
  return rows;
}

function base(line) {
  return { at_us: line.at_us, who: line.who, segment: line.segment, tls: line.tls, numbers: [line.number], notes: [] };
}

function isContinued(text) {
  return /^\d{3}-/.test(text);
}

// In the order of the log each reply follows what it answers, and content the command that began it.
function relate(lines, session) {
  const messages = (session.transactions ?? []).map((one) => one.message).filter(Boolean);
  let asked = null, verb = "", isContent = false;
  for (const line of lines) {
    if (line.who === "sink") {
      if (asked) line.answers = asked;
      if (verb === "DATA") isContent = line.text.startsWith("354");
      continue;
    }
    asked = line;
    if (line.octets !== undefined && !line.text) {
      line.isMessage = isContent || verb === "BDAT";
      isContent = false;
    } else {
      verb = line.text.slice(0, 4).toUpperCase();
    }
  }
  // Which message it became is told by the reply, "queued as s6.1".
  for (const [index, line] of lines.entries()) {
    if (!line.isMessage) continue;
    const reply = lines.slice(index + 1, index + 40).find((one) => one.who === "sink" && one.answers === line);
    // One that was kept although its reply was lost is the last.
    line.message = messages.find((id) => reply?.text.endsWith(" " + id)) ?? (reply ? undefined : messages.at(-1));
  }
}

// MARK: TLS, faults, the reject

function placeHandshake(rows, session) {
  if (!session.tls && !session.tls_failure) return;
  const at = session.findings?.flatMap((one) => one.layer === "tls" ? one.evidence : []).find((one) =>
    one.line === undefined)?.at_us;
  const first = rows.findIndex((row) => row.tls);
  const asked = rows.findIndex((row) => row.kind === "reply" && row.answers === undefined
    && /^220/.test(row.lines[0].text) && row.at_us > 0);
  const place = first >= 0 ? first : asked >= 0 ? asked + 1 : Math.min(1, rows.length);
  const before = rows[place - 1]?.at_us ?? 0;
  const after = rows[place]?.at_us ?? session.duration_us ?? before;
  rows.splice(place, 0, {
    kind: "tls", at_us: at === undefined ? after : Math.max(before, Math.min(after, at)), tls: true, notes: [],
    version: session.tls?.version, cipher: session.tls?.cipher, sni: session.tls?.sni, failure: session.tls_failure,
  });
}

// A fault that is a reply stands beside it; others (waits, cuts) have a row of their own.
function placeFaults(rows, session) {
  const taken = new Set();
  for (const fault of session.faults ?? []) {
    const said = (fault.script ?? []).filter((action) => /^\d{3}/.test(action));
    const row = rows.find((one) => one.kind === "reply" && !taken.has(one) && one.at_us >= fault.at_us &&
      said.includes(one.lines.at(-1).text));
    if (row) {
      taken.add(row);
      row.notes.push({ kind: "fault", fault });
      if ((fault.script ?? []).length === said.length) continue;
    }
    let place = rows.findIndex((one) => one.at_us > fault.at_us || (one.at_us === fault.at_us && one.kind === "reply" &&
      (one === row || one.answers === undefined && one.at_us > 0)));
    if (place < 0) place = rows.length;
    const actions = row ? fault.script.filter((action) => !said.includes(action)).join(", ") : fault.action;
    rows.splice(place, 0, { kind: "fault", at_us: fault.at_us, fault, actions, tls: rows[place - 1]?.tls ?? false,
      notes: [] });
  }
}

// Each mail that was not taken has the row that says so; a session refused before any mail has one, too.
function markRejects(rows, session) {
  const isLost = (one) => ["rejected", "deferred", "lost"].includes(one.verdict) || Boolean(one.rejected_at);
  const refused = (session.transactions ?? []).filter(isLost);
  let from = 0;
  for (const one of refused.length ? refused : isLost(session) ? [session] : []) {
    const place = refusalOf(rows, one, from);
    if (place < 0) continue;
    rows[place].reject = { verdict: one.verdict ?? "rejected", phase: one.rejected_at };
    from = place + 1;
  }
}

function refusalOf(rows, one, from) {
  const find = (is) => rows.findIndex((row, index) => index >= from && is(row));
  const isReply = (row, is) => row.kind === "reply" && row.lines.some((line) => is(line.text));
  if (one.reply && /^[45]/.test(one.reply)) {
    const said = find((row) => isReply(row, (text) => one.reply.includes(text)));
    if (said >= 0) return said;
  }
  if (one.rejected_at === "tls") return find((row) => row.kind === "tls");
  // A lost reply is seen where the connection ends, or where the rule cut it.
  if (one.verdict === "lost") return rows.length - 1;
  const any = find((row) => isReply(row, (text) => /^[45]/.test(text)));
  return any >= 0 ? any : rows.length - 1;
}

// MARK: Findings

/** Puts findings beside what they are about; returns those that have no place. */
function placeFindings(rows, session) {
  const byLine = new Map();
  for (const row of rows) for (const number of row.lines?.map((line) => line.number) ?? row.numbers
    ?? []) byLine.set(number, row);
  const rest = [];
  for (const finding of session.findings ?? []) {
    const evidence = finding.evidence.filter((one) => !one.session || one.session === session.id);
    const seen = new Set();
    for (const one of evidence) {
      const row = departure(rows, session, one) ?? byLine.get(one.line) ?? (one.message !== undefined || one.transaction !== undefined
        ? contentOf(rows, one) : undefined)
        ?? (one.at_us !== undefined ? nearest(rows, one.at_us, finding.layer) : undefined);
      if (!row || seen.has(row)) continue;
      const line = row.kind === "end" ? undefined : one.line;
      row.notes.push({ kind: "finding", finding, line, range: line ? one.range : undefined, isAgain: seen.size > 0 });
      seen.add(row);
    }
    if (!seen.size) rest.push(finding);
  }
  return rest;
}

// Evidence that lies behind all that was said: the client left. What it left unfinished is said in that same moment.
function departure(rows, session, evidence) {
  const isLast = evidence.line === session.lines.length && evidence.at_us === session.duration_us
    && session.lines.at(-1).at_us < session.duration_us;
  return isLast && /^client-/.test(session.ended_by) ? rows.at(-1) : undefined;
}

function contentOf(rows, evidence) {
  const contents = rows.filter((row) => row.kind === "content" && row.isMessage);
  return contents.find((row) => row.message && row.message === evidence.message)
    ?? contents[(evidence.transaction ?? 1) - 1] ?? contents[0];
}

function nearest(rows, at_us, layer) {
  if (layer === "tls") {
    const handshake = rows.find((row) => row.kind === "tls");
    if (handshake) return handshake;
  }
  return rows.find((row) => row.at_us >= at_us) ?? rows.at(-1);
}

// MARK: What is left out

// A long reply, as that to EHLO, is one line and the words of the others.
function fold(row) {
  if (row.kind !== "reply" || row.lines.length < 4 || row.reject) return;
  row.folded = row.lines.slice(1).map((line) => line.text.slice(4).split(" ")[0]).join(" ");
  row.lines = [row.lines[0]];
}

function cut(rows, limit) {
  if (rows.length <= limit + 2 * AROUND) return rows;
  const near = new Set();
  for (const [index, row] of rows.entries()) {
    if (!row.reject || near.size > limit) continue;
    for (let step = -AROUND / 2; step <= AROUND / 2; step++) near.add(index + step);
  }
  const isKept = (index) => index < limit || index >= rows.length - AROUND || near.has(index);
  const kept = [];
  for (const [index, row] of rows.entries()) {
    if (isKept(index)) kept.push(row);
    else if (kept.at(-1).kind === "left-out") kept.at(-1).count += 1;
    else kept.push({ kind: "left-out", at_us: row.at_us, count: 1, tls: row.tls, notes: [] });
  }
  return kept;
}

// MARK: In words

/** One row as a sentence: for the list beside the diagram, and for Markdown. */
export function sentenceOf(row) {
  const who = row.who === "client" ? "Client" : "Sink";
  switch (row.kind) {
    case "command": return `${who}: ${row.lines[0].text}`;
    case "reply": return `${who}${row.reject ? " refuses" : ""}: ${row.lines.map((line) => line.text).join(" / ")}` +
      (row.folded ? ` … ${row.folded}` : "") + (row.answers ? ` (to ${row.answers.text || "the content"})` : "");
    case "content": return row.isMessage ? `Client: message, ${row.octets} octets`
      : `Client: a line of ${row.octets} octets, too long to keep`;
    case "tls": return row.failure ? `TLS failed: ${row.failure}`
      : `TLS handshake: ${row.version} ${row.cipher}, ${row.sni ? "server name " + row.sni : "no server name"}`;
    case "fault": return `Fault at ${row.fault.phase}: ${row.actions} (rule ${row.fault.rule}: ${row.fault.why})`;
    case "end": return endingOf(row.ended_by);
    default: return `${row.count} rows left out`;
  }
}

const ENDINGS = {
  "quit": "Closed after QUIT", "client-close": "Client closes the connection",
    "client-reset": "Client resets the connection",
  "timeout": "Sink closes: the client was silent for too long", "sink-close": "Sink closes the connection",
  "sink-reset": "Sink resets the connection", "shutdown": "Closed: the sink was stopped",
};

export function endingOf(word) {
  return ENDINGS[word] ?? word;
}

/** Milliseconds or seconds since the start, with all that is known of it worth reading. */
export function moment(us) {
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 100_000 ? 2 : 1)} ms`;
  return `${(us / 1_000_000).toFixed(3)} s`;
}
