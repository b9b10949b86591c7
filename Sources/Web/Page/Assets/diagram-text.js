// Text in the diagram: what cannot be seen made visible, broken into lines, with the octets that a finding is about
// underlined.

import { grouped, svg, visibleText } from "./dom.js";

const WIRE_SIZE = 12;
/** What of a line is looked at at all: enough for every line that is shown. */
const MOST_READ = 2000;

let pen = null;

function penWith(font) {
  pen ??= document.createElement("canvas").getContext("2d");
  pen.font = font;
  return pen;
}

/** Width of one character of wire text. */
export function wireWidth() {
  const family = getComputedStyle(document.documentElement).getPropertyValue("--mono");
  return penWith(`${WIRE_SIZE}px ${family}`).measureText("0".repeat(50)).width / 50;
}

/** A peer's text as pieces `{text, isMarked, isUnseen}` in lines of so many characters, at most so many lines. */
export function wireLines(text, columns, mostLines, range) {
  const read = text.slice(0, MOST_READ);
  const marks = range ? marksOf(read, range) : [Infinity, Infinity];
  const cells = [];
  let index = 0;
  for (const one of read) {
    const seen = visibleText(one);
    const width = seen.length === 1 && seen.codePointAt(0) > 0x10ff ? 2 : seen.length;
    cells.push({ seen, width, isMarked: index >= marks[0] && index < marks[1], isUnseen: seen !== one });
    index += one.length;
  }
  const lines = [];
  let from = 0;
  while (from < cells.length && lines.length < mostLines) {
    const to = lineEnd(cells, from, columns);
    lines.push(pieces(cells.slice(from, to)));
    from = to;
  }
  const shown = read.length - cells.slice(from).reduce((sum, cell) => sum + cell.seen.length, 0);
  if (!lines.length) lines.push([]);
  if (from < cells.length || text.length > read.length) {
    lines.push([{ text: `… (+${grouped(text.length - shown)} characters)`, isMarked: false,
      isNote: true }]);
  }
  return lines;
}

// Where a line that begins there ends: after the last space that leaves it half full, else where it is full.
function lineEnd(cells, from, columns) {
  let column = 0, space = -1;
  for (let at = from; at < cells.length; at++) {
    column += cells[at].width;
    if (column > columns && at > from) return space > 0 ? space : at;
    if (cells[at].seen === " " && column > columns / 2) space = at + 1;
  }
  return cells.length;
}

function pieces(cells) {
  const all = [];
  for (const { seen, isMarked, isUnseen } of cells) {
    const last = all.at(-1);
    if (last && last.isMarked === isMarked && last.isUnseen === isUnseen) last.text += seen;
    else all.push({ text: seen, isMarked, isUnseen });
  }
  return all;
}

// A range counts octets of UTF-8; the text counts what JavaScript counts.
function marksOf(text, [from, to]) {
  let octet = 0, index = 0, start = Infinity, end = Infinity;
  for (const one of text) {
    if (octet >= from && start === Infinity) start = index;
    if (octet >= to && end === Infinity) end = index;
    const code = one.codePointAt(0);
    octet += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    index += one.length;
  }
  return [start, end];
}

/** A line of pieces as an SVG text. */
export function wireText(pieces, x, y, attributes) {
  return svg("text", { x, y, ...attributes }, pieces.map((piece) => svg("tspan", {
    class: [piece.isMarked && "marked", piece.isUnseen && "unseen", piece.isNote && "note-text"]
      .filter(Boolean).join(" "),
  }, piece.text)));
}

/** Prose broken at spaces into lines of so many pixels; `font`: weight and size. */
export function proseLines(text, width, font, mostLines) {
  const family = getComputedStyle(document.documentElement).getPropertyValue("--sans");
  const measure = penWith(`${font} ${family}`);
  const lines = [""];
  for (let word of text.slice(0, MOST_READ).split(" ")) {
    // A word that is wider than a line is cut where the line ends.
    while (measure.measureText(word).width > width) {
      let end = word.length;
      while (end > 1 && measure.measureText(word.slice(0, end)).width > width) end = Math.ceil(end / 2);
      while (end < word.length && measure.measureText(word.slice(0, end + 1)).width <= width) end++;
      if (lines.at(-1)) lines.push("");
      lines[lines.length - 1] = word.slice(0, end);
      word = word.slice(end);
      lines.push("");
    }
    const joined = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (measure.measureText(joined).width <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines - 1), lines[mostLines - 1] + " …"];
}
