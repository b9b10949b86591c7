// What a message is made of: its parts as a tree, its links with what was found in them, its HTML in a frame that can
// do nothing.

import { ask } from "./api.js";
import { clip, counted, h, visible, visibleText } from "./dom.js";
import { longText } from "./lines.js";
import { copyButton, download, emptyState, octets, severityMark, table } from "./parts.js";

const MOST_LINKS = 500;
// Whatever a part says it is, it is saved and not opened.
const OCTETS = "application/octet-stream";

export function partTree(message, signal) {
  return table([
    { title: "Part", cell: (part) => h("span", { class: "part", style: { "--depth": depth(part.id) } },
      h("code", {}, part.id), " ", visible(clip(part.content_type, 100))) },
    { title: "Name", cell: (part) => visible(clip(part.file_name, 200)) },
    { title: "Content-ID", cell: (part) => visible(clip(part.content_id, 100)) },
    { title: "Size", class: "number", cell: (part) => isMultipart(part) ? "" : octets(part.size) },
    { title: "Save", cell: (part) => isMultipart(part) ? "" : saveButton(message, part, signal) },
  ], message.parts, { caption: "Parts" });
}

const isMultipart = (part) => part.content_type.startsWith("multipart/");

// `0` is the root, `1` a part of it, `2.0` a multipart in it, `2.1` a part of that one.
function depth(id) {
  const steps = id.split(".");
  return steps.length - (steps.at(-1) === "0" ? 1 : 0);
}

function saveButton(message, part, signal) {
  return h("button", {
    type: "button", "aria-label": `Download part ${part.id}`, onClick: async () => {
      const path = `/api/v1/message/${encodeURIComponent(message.id)}/part/${part.id}`;
      const content = await (await ask("GET", path, { signal })).blob();
      download(fileName(message, part), OCTETS, content.slice(0, content.size, OCTETS));
    },
  }, "Download");
}

// A name of a peer's: no paths, and nothing that turns its end around.
const fileName = (message, part) =>
  visibleText(clip(part.file_name, 100)).replace(/[^\p{L}\p{N}._ -]/gu, "_") || `${message.id}-part-${part.id}`;

export function linkTable(message) {
  if (!message.links.length) return emptyState("No links in it.");
  const severities = new Map(message.findings.map((finding) => [finding.rule, finding.severity]));
  const words = { anchor: "a link", resource: "loaded by a reader", text: "in the text" };
  return h("div", {}, h("p", { class: "quiet" }, "None of them is followed, by fakemx or by this page."), table([
    { title: "Address", cell: (one) => h("span", { class: "wire" }, visible(clip(one.url, 500))) },
    { title: "Host", cell: (one) => visible(clip(one.host, 200)) },
    { title: "As", cell: (one) => words[one.origin] ?? one.origin },
    { title: "Found", cell: (one) => one.rules.map((rule) => h("div", {},
      severityMark(severities.get(rule) ?? "info"), " ", h("code", {}, rule))) },
    { title: "Copy", cell: (one) => copyButton(one.url) },
  ], message.links.slice(0, MOST_LINKS), { caption: "Links" }),
  message.links.length > MOST_LINKS ? h("p", { class: "quiet" }, `${message.links.length - MOST_LINKS} more.`) : null);
}

export function htmlFrame(message) {
  const count = message.remote_count;
  const blocked = h("p", {}, h("strong", {}, `${counted(count, "remote reference")} blocked`),
    h("span", { class: "quiet" }, " · no scripts, no forms, nothing loaded from anywhere"));
  const source = h("details", {}, h("summary", {}, "HTML as text"), longText(message.html, "HTML as text"));
  return h("div", {}, blocked, h("iframe", {
    class: "html-frame", sandbox: "", referrerpolicy: "no-referrer", title: "HTML of the message",
    src: message.html_path,
  }), source);
}
