// Text of several lines as nodes: line ends (CRLF, LF) break the line, and whatever else cannot be seen is a mark.

import { grouped, h, visible } from "./dom.js";

/** For use inside of `pre`. */
export function visibleLines(text) {
  return String(text ?? "").split(/\r\n|\n/).flatMap((line, index) => index ? ["\n", visible(line)] : [visible(line)]);
}

const STEP = 20_000;
const FURTHER = 10;

/** A long text, of which a part is shown and more when asked for. What is shown of it is all that becomes nodes. */
export function longText(text, label) {
  const body = h("pre", { class: "wire", tabindex: "0", "aria-label": label });
  const left = h("span", { class: "quiet" });
  const more = h("button", { type: "button", onClick: () => grow(STEP * FURTHER) }, "Show more");
  const rest = h("p", {}, more, " ", left);
  let shown = 0;

  function grow(count) {
    let end = Math.min(text.length, shown + count);
    // Neither a pair of surrogates nor a CRLF is torn apart.
    if (end < text.length && /[\ud800-\udbff\r]/.test(text[end - 1])) end += 1;
    body.append(...visibleLines(text.slice(shown, end)));
    shown = end;
    const isWhole = shown === text.length;
    left.textContent = `${grouped(shown)} of ${grouped(text.length)} characters`;
    if (isWhole) rest.remove();
  }

  const whole = h("div", {}, body, rest);
  grow(STEP);
  return whole;
}
