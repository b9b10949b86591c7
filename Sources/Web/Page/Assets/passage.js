// Lines of a session or of a message around the place that a finding is about, with the place marked.

import { h, visible } from "./dom.js";
import { octets } from "./parts.js";
import { link } from "./router.js";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A passage of the report. */
export function passage(passage) {
  const target = passage.message
    ? link("messages/" + passage.message, { view: "source" }) : link("sessions/" + passage.session);
  const about = passage.message ? `message ${passage.message}` : `session ${passage.session}`;
  return h("figure", { class: "passage" },
    h("pre", { class: "wire" }, passage.lines.map((line) => h("div", { class: line.is_marked ? "passage-marked" : "" },
      h("span", { class: "passage-number" }, `${line.is_marked ? "▶" : " "}${line.number}`),
      speaker(line.who), text(line)))),
    h("figcaption", {}, h("a", { href: target }, about)));
}

const speaker = (who) => who ? h("span", { class: `passage-who ${who}` }, who === "client" ? "C: " : "S: ") : null;

// The mark counts octets of the text.
function text(line) {
  if (line.octets !== undefined) return h("span", { class: "quiet" }, `[message, ${octets(line.octets)}]`);
  if (!line.mark) return visible(line.text);
  const bytes = encoder.encode(line.text);
  const part = (from, to) => visible(decoder.decode(bytes.subarray(from, to)));
  const [from, to] = line.mark;
  return [part(0, from), h("mark", { class: "revealed" }, part(from, to)), part(to, bytes.length)];
}
