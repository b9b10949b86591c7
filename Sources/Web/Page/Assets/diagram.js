// Draws a session as a sequence diagram: client left, sink right, time running down. Gaps in time are to scale as far
// as they fit; long waits are folded, with a mark and their length. See diagram-model.js for what the rows are.

import { clip, grouped, svg, visibleText } from "./dom.js";
import { endingOf, moment, rowsOf } from "./diagram-model.js";
import { proseLines, wireLines, wireText, wireWidth } from "./diagram-text.js";
import { duration, octets } from "./parts.js";

const LINE = 16;
const NOTE_LINE = 15;
/** A gap in time higher than this is folded. */
const MOST_GAP = 72;
const FOLDED_GAP = 34;
/** A gap lower than this has no room for its length. */
const LEAST_SAID_GAP = 24;
/** Steps of the scale: so many microseconds are ten pixels. */
const STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
const LINES_OF_TEXT = 3;
const LINES_OF_REJECT = 12;
const NOTES_OF_ROW = 4;
const GRAVITY = ["must", "should", "reputation", "info"];
const HEADLINE = { rejected: "REJECTED", deferred: "DEFERRED", lost: "REPLY LOST", abandoned: "CUT OFF" };

/** The diagram as `{element, rest, scale, rejectY}`; `rest`: findings that have no place in it. */
export function drawDiagram(session, width, options) {
  const { rows, rest } = rowsOf(session, options);
  const drawing = new Drawing(session, width, rows);
  drawing.draw();
  return { element: drawing.element, rows, rest, scale: drawing.scale, rejectY: drawing.rejectY };
}

class Drawing {
  constructor(session, width, rows) {
    Object.assign(this, { session, width, rows });
    this.isNarrow = width < 700;
    this.isWide = width >= 980;
    this.timeX = this.isNarrow ? 56 : 76;
    this.clientX = this.timeX + 20;
    this.sinkX = this.isWide ? Math.round(width * .7) : width - 16;
    this.notesX = this.sinkX + 34;
    this.textX = this.clientX + 10;
    this.replyX = this.isNarrow ? this.textX + 8 : this.textX + Math.round((this.sinkX - this.textX) * .22);
    this.columnWidth = wireWidth();
    this.back = svg("g", {});
    this.front = svg("g", {});
    this.scale = scaleOf(rows);
    this.y = 58;
    this.noteBottom = 0;
  }

  draw() {
    let before = null;
    for (const row of this.rows) {
      this.gap(row, before);
      this.makeRoomForNotes(row);
      this.row(row, before);
      before = row;
    }
    this.closeTLS();
    this.closeBracket();
    const bottom = Math.max(this.y, this.noteBottom) + 16;
    this.frame(this.y + 8);
    this.element = svg("svg", {
      class: "diagram", viewBox: `0 0 ${this.width} ${bottom}`, width: this.width, height: bottom, role: "img",
      "aria-label": `Sequence diagram of session ${this.session.id}; the same follows as a list`,
    }, this.back, this.front);
  }

  // MARK: The frame

  frame(bottom) {
    const { session } = this;
    const line = (x, name) => svg("line", { x1: x, x2: x, y1: 44, y2: bottom, class: "life " + name });
    const half = Math.floor((this.sinkX - this.timeX) / 2 / 7.5);
    this.back.append(line(this.clientX, "client"), line(this.sinkX, "sink"));
    this.front.append(
      text("client", this.clientX - 6, 18, "party client"), text("sink", this.sinkX + 6, 18, "party sink end"),
      text(clip(visibleText(session.client), half), this.clientX - 6, 34, "small"),
      text(clip(visibleText(session.listener), half), this.sinkX + 6, 34, "small end"));
  }

  gap(row, before) {
    if (!before) return;
    const dt = row.at_us - before.at_us;
    const height = dt > 0 ? dt / this.scale * 10 : 0;
    if (height <= MOST_GAP) {
      if (height >= LEAST_SAID_GAP) this.wait(row, dt, this.y + height / 2);
      this.y += Math.max(this.isTogether(row, before) ? 2 : 7, height);
      return;
    }
    const middle = this.y + 4 + FOLDED_GAP / 2;
    for (const x of [this.clientX, this.sinkX]) this.front.append(fold(x, middle));
    this.wait(row, dt, middle);
    this.y += FOLDED_GAP + 8;
  }

  /** How long it was waited, and for whom: for the one who speaks next. */
  wait(row, dt, middle) {
    const isClients = row.who === "client" || row.ended_by?.startsWith("client");
    const who = isClients ? "client: " : row.who === "sink" || row.kind === "end" ? "sink: " : "";
    this.front.append(text(who + duration(dt), (this.clientX + this.sinkX) / 2, middle + 4, "wait middle"));
  }

  isTogether(row, before) {
    return isClient(row) && isClient(before) && row.segment === before.segment;
  }

  // MARK: Rows

  row(row, before) {
    if (row.tls && this.tlsTop === undefined) this.tlsTop = this.y - 3;
    if (!row.tls && row.kind !== "end") this.closeTLS();
    this.bracket(row, before);
    const top = this.y;
    this.time(row);
    if (row.reject) this.reject(row);
    else this.body(row);
    if (row.notes.length) this.notes(row, top);
  }

  body(row) {
    switch (row.kind) {
      case "command": return this.command(row);
      case "reply": return this.reply(row);
      case "content": return this.content(row);
      case "tls": return this.handshake(row);
      case "fault": return this.fault(row);
      case "end": return this.end(row);
      default: return this.leftOut(row);
    }
  }

  time(row) {
    const said = moment(row.at_us);
    if (said !== this.lastTime) this.front.append(text(said, this.timeX - 4, this.y + 12, "time end"));
    this.lastTime = said;
  }

  columns(x) {
    return Math.max(8, Math.floor((this.sinkX - 12 - x) / this.columnWidth));
  }

  wire(content, x, classes, mostLines, range) {
    for (const pieces of wireLines(content, this.columns(x), mostLines, range)) {
      this.front.append(wireText(pieces, x, this.y + 12, { class: "wire " + classes }));
      this.y += LINE;
    }
  }

  command(row) {
    const marked = row.notes.find((note) => note.range);
    this.wire(row.lines[0].text, this.textX, "client", LINES_OF_TEXT, marked?.range);
    this.arrow(this.clientX, this.sinkX, "client");
  }

  reply(row) {
    const kind = { 4: "deferral", 5: "refusal" }[row.lines[0].text[0]] ?? "";
    if (row.answers) {
      const said = "to " + visibleText(row.answers.text || "the content");
      this.aside(proseLines(said, this.sinkX - this.replyX - 26, "11px", 1)[0]);
    }
    const most = row.reject ? LINES_OF_REJECT : LINES_OF_TEXT;
    for (const line of row.lines) this.wire(line.text, this.replyX, "sink " + kind, most,
      row.notes.find((note) => note.range && note.line === line.number)?.range);
    if (row.folded) {
      const words = "… " + visibleText(row.folded);
      for (const line of proseLines(words, this.sinkX - this.replyX - 12, "11px", 3)) this.aside(line);
    }
    this.arrow(this.sinkX, this.clientX, "sink " + kind);
  }

  aside(said) {
    this.front.append(text(said, this.replyX, this.y + 11, "small"));
    this.y += NOTE_LINE;
  }

  content(row) {
    const [top, middle, bottom] = [this.y + 2, this.y + 14, this.y + 26];
    const edge = this.sinkX - 14;
    this.front.append(svg("path", {
      class: row.isMessage ? "content" : "content odd",
      d: `M${this.clientX} ${top}H${edge}L${this.sinkX} ${middle}L${edge} ${bottom}H${this.clientX}z`,
    }), text(row.isMessage ? `message${row.message ? " " + row.message : ""} · ${octets(row.octets)}`
      : `line too long to keep · ${octets(row.octets)}`,
      this.textX, this.y + 18, "wire client"));
    this.y += 30;
  }

  handshake(row) {
    const said = row.failure ? `TLS failed: ${visibleText(row.failure)}` :
      ["TLS handshake", row.version, row.cipher,
        row.sni ? "server name " + visibleText(row.sni) : "no server name"].join(" · ");
    for (const line of proseLines(said, this.sinkX - this.textX - 14, "600 12px", 4)) {
      this.front.append(text(line, this.textX, this.y + 12, row.failure ? "tls-text refusal" : "tls-text"));
      this.y += LINE;
    }
    this.arrow(this.clientX, this.sinkX, "tls-line");
    this.y -= 8;
    this.arrow(this.sinkX, this.clientX, "tls-line");
  }

  fault(row) {
    const top = this.y;
    const { fault } = row;
    const said = `${row.actions} — at ${fault.phase}, by rule ${fault.rule} (${fault.why})`;
    for (const line of proseLines(visibleText(said), this.sinkX - this.replyX - 26, "12px", 4)) {
      this.front.append(text(line, this.replyX, this.y + 12, "fault-text"));
      this.y += LINE;
    }
    this.front.append(svg("path", { class: "fault", d: diamond(this.sinkX, top + 8, 7) }),
      svg("line", { class: "fault-line", x1: this.replyX - 8, x2: this.replyX - 8, y1: top + 1, y2: this.y }));
    this.y += 4;
  }

  end(row) {
    const isSink = ["sink-close", "sink-reset", "timeout", "shutdown"].includes(row.ended_by);
    const [from, to] = isSink ? [this.sinkX, this.clientX] : [this.clientX, this.sinkX];
    const isHard = row.ended_by !== "quit";
    this.front.append(text(endingOf(row.ended_by), isSink ? this.replyX : this.textX, this.y + 12,
      isHard ? "ending hard" : "ending"));
    this.y += LINE;
    if (isHard) {
      this.arrow(from, to, row.ended_by.endsWith("reset") ? "cut reset" : "cut");
      this.front.append(svg("path", { class: "cross", d: cross(from, this.y - 7, 5) }));
    }
  }

  leftOut(row) {
    for (const x of [this.clientX, this.sinkX]) this.front.append(fold(x, this.y + 16));
    this.front.append(text(`${grouped(row.count)} rows are left out here`, (this.clientX + this.sinkX) / 2,
      this.y + 20, "wait middle"));
    this.y += 34;
  }

  /** The eye's first stop. */
  reject(row) {
    const top = this.y - 2;
    const { verdict, phase } = row.reject;
    this.y += 4;
    const said = (HEADLINE[verdict] ?? "REFUSED") + (phase ? ` at ${phase}` : "");
    this.front.append(text(said, this.isNarrow ? this.textX : this.replyX, this.y + 14,
      this.isNarrow ? "headline narrow" : "headline"));
    this.y += 22;
    this.body(row);
    this.y += 4;
    this.back.append(svg("rect", { class: `reject reject-${verdict}`, x: this.clientX - 8, y: top,
      width: this.sinkX - this.clientX + 16,
      height: this.y - top, rx: 5 }));
    this.front.append(svg("path", { class: `stop stop-${verdict}`, d: octagon(this.sinkX, top + 14, 11) }),
      svg("path", { class: "stop-sign", d: cross(this.sinkX, top + 14, 4.5) }));
    this.rejectY ??= top;
    this.y += 4;
  }

  arrow(from, to, classes) {
    const y = this.y + 3;
    const back = from < to ? -7 : 7;
    this.front.append(svg("path", { class: "arrow " + classes, d: `M${from} ${y}H${to}` }),
      svg("path", { class: "head " + classes, d: `M${to} ${y}l${back} -3.5v7z` }));
    this.y += 8;
  }

  // MARK: Segments and TLS

  bracket(row, before) {
    if (before && this.open && this.isTogether(row, before)) {
      this.open.count += 1;
      return;
    }
    this.closeBracket();
    const index = this.rows.indexOf(row);
    const next = this.rows[index + 1];
    if (!isClient(row) || !next || !this.isTogether(next, row)) return;
    let count = 1;
    while (this.rows[index + count] && this.isTogether(this.rows[index + count], row)) count++;
    this.front.append(text(`one segment: ${count} lines at once`, this.textX, this.y + 11, "small"));
    this.y += NOTE_LINE;
    this.open = { top: this.y, count };
  }

  closeBracket() {
    if (!this.open) return;
    const { top } = this.open;
    this.front.append(svg("path", { class: "bracket", d: `M${this.clientX - 5} ${top}h-7V${this.y - 4}h7` }));
    this.open = null;
  }

  closeTLS() {
    if (this.tlsTop === undefined) return;
    this.back.prepend(svg("rect", { class: "tls", x: this.clientX, y: this.tlsTop, width: this.sinkX - this.clientX,
      height: this.y - this.tlsTop + 3 }));
    this.tlsTop = undefined;
  }

  // MARK: Notes: findings, and faults that are replies

  makeRoomForNotes(row) {
    if (this.isWide && row.notes.length && this.noteBottom > this.y + 24) this.y = this.noteBottom - 24;
  }

  notes(row, top) {
    const gravity = (note) => note.kind === "fault" ? -1 : GRAVITY.indexOf(note.finding.severity);
    const fresh = row.notes.filter((note) => !note.isAgain).sort((a, b) => gravity(a) - gravity(b));
    const shown = fresh.slice(0, NOTES_OF_ROW);
    if (fresh.length > shown.length) shown.push({ kind: "more", count: fresh.length - shown.length });
    const again = row.notes.filter((note) => note.isAgain).map((note) => note.finding.rule);
    if (again.length) shown.push({ kind: "again", rules: again });
    let y = this.isWide ? Math.max(top + 2, this.noteBottom + 6) : this.y + 2;
    const x = this.isWide ? this.notesX : this.replyX;
    const width = (this.isWide ? this.width - 6 : this.sinkX - 8) - x - 10;
    if (this.isWide) this.front.append(svg("path",
      { class: "tie", d: `M${this.sinkX + 6} ${top + 10}H${x - 14}V${y + 10}H${x - 2}` }));
    for (const note of shown) y = this.note(note, x, y, width);
    if (this.isWide) this.noteBottom = y;
    else this.y = y + 2;
  }

  note(note, x, y, width) {
    const start = y;
    const lines = proseLines(saying(note), width, "600 12px", 4);
    const name = note.kind === "finding" ? note.finding.severity : note.kind;
    for (const [index, line] of lines.entries()) {
      const lead = index === 0 ? LEAD.exec(line)?.[0] ?? "" : "";
      this.front.append(text([lead ? svg("tspan", { class: "lead" }, lead) : null, line.slice(lead.length)],
        x + 8, y + 12, `note note-${name}`));
      y += NOTE_LINE;
    }
    this.front.append(svg("line", { class: `note-edge note-${name}`, x1: x, x2: x, y1: start + 2, y2: y }));
    return y + 4;
  }
}

// What a note is about, in front of what it says.
const LEAD = /^\S+ (rule|must:|should:|reputation:|info:)/;
const SIGNS = { must: "▲", should: "◆", reputation: "●", info: "○" };

function saying(note) {
  if (note.kind === "again") return "again: " + note.rules.join(", ");
  if (note.kind === "more") return `+${note.count} more, listed below`;
  if (note.kind === "fault") return visibleText(`⚑ rule ${note.fault.rule} at ${note.fault.phase}: ${note.fault.why}`);
  return visibleText(`${SIGNS[note.finding.severity]} ${note.finding.severity}: ${note.finding.what}`);
}

function isClient(row) {
  return row.kind === "command" || row.kind === "content";
}

// The usual gap is drawn to scale, and what is a few times longer; the rest is folded.
function scaleOf(rows) {
  const gaps = [];
  for (let index = 1; index < rows.length; index++) {
    const dt = rows[index].at_us - rows[index - 1].at_us;
    if (dt > 50) gaps.push(dt);
  }
  if (!gaps.length) return 1000;
  gaps.sort((a, b) => a - b);
  const usual = gaps[Math.floor((gaps.length - 1) / 2)];
  return STEPS.find((step) => usual / step * 10 <= MOST_GAP * .6) ?? STEPS.at(-1);
}

function text(said, x, y, classes) {
  return svg("text", { x, y, class: classes }, said);
}

function fold(x, y) {
  return svg("path", { class: "fold", d: `M${x} ${y - 12}l5 4l-10 5l10 5l-10 5l5 4` });
}

function diamond(x, y, r) {
  return `M${x} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z`;
}

function octagon(x, y, r) {
  const c = r * .414;
  const e = r - c;
  return `M${x - c} ${y - r}h${2 * c}l${e} ${e}v${2 * c}l${-e} ${e}h${-2 * c}l${-e} ${-e}v${-2 * c}z`;
}

function cross(x, y, r) {
  return `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x + r} ${y - r}l${-2 * r} ${2 * r}`;
}
