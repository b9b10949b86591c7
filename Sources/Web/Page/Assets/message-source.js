// The source of a message, octet for octet. It is read as a stream and drawn piece by piece, so that a message of any
// size, or a line of any length, costs what is looked at and no more.

import { ask } from "./api.js";
import { h } from "./dom.js";
import { OctetLines } from "./octets.js";
import { download, errorBox, octets } from "./parts.js";

// Of each step; more when asked for.
const STEP_OCTETS = 64 * 1024;
const STEP_NODES = 3000;
// Further than this nothing is drawn: the file is for an editor.
const MOST_OCTETS = 8 * 1024 * 1024;

/** `ranges` as for OctetLines. Returns the element, and `reveal(offset)` that shows a place. */
export function messageSource(message, ranges, signal) {
  const lines = new OctetLines(ranges);
  const area = h("div", { class: "octets wire", tabindex: "0", role: "region", "aria-label": "Source" });
  const said = h("span", { class: "quiet", role: "status" });
  const more = h("button", { type: "button", disabled: true, onClick: () => grow() }, "Show more");
  const path = `messages/${encodeURIComponent(message.id)}/raw`;
  const save = h("button", {
    type: "button", onClick: async () => {
      download(`${message.id}.eml`, "message/rfc822", await (await ask("GET", path, { signal })).blob());
    },
  }, "Download");
  const element = h("div", {}, legend(), area, h("p", { class: "bar" }, more, save, said));
  let reader = null, rest = new Uint8Array(0), isEnded = false, working = Promise.resolve();

  async function read() {
    reader ??= (await ask("GET", path, { signal })).body.getReader();
    const { value, done } = await reader.read();
    isEnded = done;
    if (!value) return;
    const joined = new Uint8Array(rest.length + value.length);
    joined.set(rest);
    joined.set(value, rest.length);
    rest = joined;
  }

  function grow() {
    working = working.then(step).catch((error) => {
      if (error.name !== "AbortError") element.append(errorBox(error));
    });
    return working;
  }

  async function step() {
    more.disabled = true;
    area.ariaBusy = "true";
    while (!isEnded && rest.length < STEP_OCTETS) await read();
    const chunk = h("div", { class: "octets-chunk" });
    area.append(chunk);
    const offered = rest.subarray(0, STEP_OCTETS);
    const taken = lines.append(chunk, offered, isEnded && offered.length === rest.length, STEP_NODES);
    rest = rest.slice(taken);
    area.ariaBusy = "false";
    const isWhole = isEnded && !rest.length;
    const isFull = lines.offset >= MOST_OCTETS;
    more.disabled = isWhole || isFull;
    more.hidden = isWhole;
    said.textContent = isWhole ? `All of ${octets(message.size)}.`
      : `${octets(lines.offset)} of ${octets(message.size)}.${isFull ? " For the rest download it." : ""}`;
  }

  async function reveal(offset) {
    await working;
    while (lines.offset <= offset && !more.disabled) await grow();
    const place = area.querySelector(`mark[data-offset="${offset}"]`) ?? area.lastElementChild;
    area.querySelector(".revealed")?.classList.remove("revealed");
    place?.classList.add("revealed");
    place?.scrollIntoView({ block: "center" });
    area.focus({ preventScroll: true });
  }

  grow();
  return { element, reveal };
}

function legend() {
  const sign = (kind, text, meaning) => [h("span", { class: `octet octet-${kind}` }, text), ` ${meaning} `];
  return h("p", { class: "quiet" }, sign("end", "CRLF", "the end of a line"), sign("odd", "LF", "alone, or a control"),
    sign("high", "C3 BC", "beyond ASCII"), sign("stuffed", ".", "doubled by DATA"),
    h("mark", {}, "marked"), " something was found here");
}
