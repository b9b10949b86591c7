// Octets as lines that can be looked at: line ends, controls, NUL, octets beyond ASCII and spaces at the end of a line
// are marks. Only printable ASCII becomes text as it is, so nothing here depends on what the octets would mean.

import { h, visibleText } from "./dom.js";

const CR = 13, LF = 10, TAB = 9, SPACE = 32, DOT = 46, DEL = 127;
const LONGEST_RUN = 16;
const utf8 = new TextDecoder("utf-8", { fatal: true });

const isPlain = (octet) => octet >= SPACE && octet < DEL;
const hex = (octet) => octet.toString(16).toUpperCase().padStart(2, "0");

export class OctetLines {
  /** `ranges`: `{from, to, rule}`: octets that something was found in. */
  constructor(ranges) {
    this.ranges = ranges;
    this.offset = 0;
    this.lines = 0;
    this.row = null;
    this.edges = [...new Set(ranges.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  }

  /**
   * Appends octets to `place` until they are used up or about `budget` nodes were made.
   * @param isLast no octets come behind these
   * @returns how many octets were taken
   */
  append(place, bytes, isLast, budget) {
    let at = 0;
    // What continues a line that began in another place begins a row of its own there.
    if (this.row && this.row.parentNode.parentNode !== place) this.row = null;
    for (let nodes = 0; at < bytes.length && nodes < budget; nodes++) {
      if (bytes[at] === CR && at + 1 === bytes.length && !isLast) break;
      if (!this.row) this.begin(place, bytes[at]);
      const length = this.piece(bytes, at);
      at += length;
      this.offset += length;
    }
    return at;
  }

  begin(place, octet) {
    if (!this.isWithin) this.lines += 1;
    this.row = h("span", { class: "octets-line" });
    place.append(h("div", { class: "octets-row" },
      h("span", { class: "octets-number", "aria-hidden": "true" }, this.isWithin ? "" : String(this.lines)), this.row));
    if (octet === DOT && !this.isWithin) {
      this.row.append(mark(".", "Sent by DATA, this line has one more dot in front (RFC 5321 §4.5.2)", "stuffed"));
    }
    this.isWithin = true;
  }

  /** Appends the piece that begins here; returns its length. */
  piece(bytes, at) {
    const octet = bytes[at];
    const most = this.room();
    if (octet === CR && bytes[at + 1] === LF) return this.end("CRLF", "CRLF", "end", 2);
    if (octet === LF) return this.end("LF", "LF without CR", "odd", 1);
    if (octet === CR) return this.put(mark("CR", "CR without LF", "odd"), 1);
    if (octet === TAB) return this.put(mark("→\t", "tab", "end"), 1);
    if (octet >= 128) return this.put(...beyondASCII(bytes, at, Math.min(most, LONGEST_RUN)));
    if (!isPlain(octet)) {
      const name = visibleText(String.fromCharCode(octet)).slice(1, -1);
      return this.put(mark(name, `control character, hexadecimal ${hex(octet)}`, "odd"), 1);
    }
    return this.plain(bytes, at, most);
  }

  plain(bytes, at, most) {
    let end = at + 1;
    while (end < bytes.length && end - at < most && isPlain(bytes[end])) end += 1;
    let text = end;
    if (bytes[end] === CR || bytes[end] === LF) while (text > at && bytes[text - 1] === SPACE) text -= 1;
    if (text === at) return this.put(mark("·".repeat(end - at), "spaces at the end of the line", "odd"), end - at);
    return this.put(String.fromCharCode(...bytes.subarray(at, Math.min(text, at + 8192))), Math.min(text - at, 8192));
  }

  /** How many octets there are up to the next edge of a range. */
  room() {
    const edge = this.edges.find((one) => one > this.offset);
    return edge === undefined ? Infinity : edge - this.offset;
  }

  put(node, length) {
    const rules = this.ranges.filter(({ from, to }) => from <= this.offset && this.offset < to).map(({ rule }) => rule);
    this.row.append(rules.length
      ? h("mark", { title: [...new Set(rules)].join(", "), "data-offset": this.offset }, node) : node);
    return length;
  }

  end(name, title, kind, length) {
    this.put(mark(name, title, kind), length);
    this.row = null;
    this.isWithin = false;
    return length;
  }
}

function mark(text, title, kind) {
  return h("span", { class: `octet octet-${kind}`, title }, text);
}

function beyondASCII(bytes, at, most) {
  let end = at + 1;
  while (end < bytes.length && end - at < most && bytes[end] >= 128) end += 1;
  const run = bytes.subarray(at, end);
  let title = "octets beyond ASCII, and not UTF-8";
  try {
    title = `UTF-8: ${visibleText(utf8.decode(run))}`;
  } catch {
    // Latin-1, or a character that was cut.
  }
  return [mark([...run].map(hex).join(" "), title, "high"), end - at];
}
