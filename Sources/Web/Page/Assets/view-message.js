// One message: its envelope next to its header, its text, HTML, source, parts and links, and what was found in it.

import { get, remove } from "./api.js";
import { clip, h, replace, visible } from "./dom.js";
import { longText } from "./lines.js";
import { envelope, headerFields } from "./message-envelope.js";
import { htmlFrame, linkTable, partTree } from "./message-parts.js";
import { messageSource } from "./message-source.js";
import { emptyState, errorBox, fact, findingItem, octets, time } from "./parts.js";
import { go, link, setQuery } from "./router.js";
import { tabs } from "./tabs.js";

export const title = "Message";

export async function show(main, { id }, query, signal) {
  const message = await get(`messages/${encodeURIComponent(id)}`, {}, signal);
  const ranges = message.findings.flatMap((finding) => finding.evidence
    .filter((one) => one.message === id && one.range)
    .map((one) => ({ from: one.range[0], to: one.range[1], rule: finding.rule })));
  // Made when it is first looked at: it reads the octets.
  let source = null;
  const views = tabs([
    ["envelope", "Envelope", () => [envelope(message), headerFields(message)]],
    ["text", "Text", () => message.text ? longText(message.text, "Text") : emptyState("There is no text in it.")],
    ["html", "HTML", () => message.html ? htmlFrame(message) : emptyState("There is no HTML in it.")],
    ["source", "Source", () => {
      source ??= messageSource(message, ranges, signal);
      return source.element;
    }],
    ["parts", `Parts ${message.parts.length}`, () => partTree(message, signal)],
    ["links", `Links ${message.links.length}`, () => linkTable(message)],
  ], query.view ?? "envelope", (view) => setQuery({ view }));
  const reveal = (offset) => {
    views.show("source");
    setQuery({ view: "source" });
    source.reveal(offset);
  };
  document.title = `${id} · fakemx`;
  replace(main,
    h("div", { class: "bar" }, h("a", { href: link("messages"), class: "button" }, "← Messages")),
    h("h1", {}, message.subject ? visible(clip(message.subject, 300)) : "(no subject)"),
    facts(message), actions(message, main),
    h("div", { class: "message" }, views.element,
      h("aside", { "aria-label": "Findings" }, h("h2", {}, `Findings (${message.findings.length})`),
        message.findings.length ? message.findings.map((finding) => foundItem(finding, id, reveal))
          : h("p", { class: "quiet" }, "Nothing was found in this message."))));
  views.show(views.now);
}

function facts(message) {
  return h("dl", { class: "facts message-facts" },
    fact("Message", h("code", {}, message.id), " in session ",
      h("a", { href: link("sessions/" + message.session) }, message.session)),
    fact("Received", time(message.received, { date: true }), ` · ${octets(message.size)} · ${message.with}`),
    fact("Client", h("span", { class: "wire" }, visible(message.client)), ", HELO ",
      h("span", { class: "wire" }, visible(clip(message.helo, 300)))));
}

function actions(message, main) {
  const path = `messages/${encodeURIComponent(message.id)}`;
  return h("div", { class: "bar" },
    h("a", { class: "button", href: link("attempts", { message: message.id }) }, "Its attempts"),
    h("button", {
      type: "button", onClick: async () => {
        try {
          await remove(path);
          go("messages");
        } catch (error) {
          main.prepend(errorBox(error));
        }
      },
    }, "Remove"));
}

/** A finding, and the way to the octets that it is about. */
function foundItem(finding, id, reveal) {
  const item = findingItem(finding);
  const places = finding.evidence.filter((one) => one.message === id && one.range);
  if (places.length) {
    item.append(h("p", { class: "bar" }, places.map(({ range: [from, to] }) => h("button", {
      type: "button", class: "small", onClick: () => reveal(from),
    }, to - from > 1 ? `octets ${from} to ${to - 1}` : `octet ${from}`))));
  }
  return item;
}
