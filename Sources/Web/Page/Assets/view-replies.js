// The catalogue of replies seen in the field: searched, and used in a rule, or by the address that asks for one.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { visibleLines } from "./lines.js";
import { copyButton, emptyState } from "./parts.js";
import { link, setQuery } from "./router.js";

export const title = "Replies";

const STEP = 40;
const FIELDS = ["provider", "phase", "meaning", "advice"];
const NAMES = { provider: "Provider", phase: "Phase", meaning: "Meaning", advice: "What the sender had better do" };
// Where an address can ask for a reply, with the word in front of it; any phase will do at the recipient.
const MAGIC = { mail: "mail", rcpt: "rcpt", data: "data", "end-of-data": "eod", any: "rcpt" };

export async function show(main, parameters, query, signal) {
  const { replies } = await get("replies", {}, signal);
  const chosen = { q: query.q ?? "" };
  for (const name of FIELDS) chosen[name] = query[name] ?? "";
  const list = h("div", { class: "replies" });
  const count = h("p", { role: "status", class: "quiet" });

  const changed = () => {
    setQuery(chosen);
    draw();
  };
  const filters = h("form", { class: "filters", role: "search", onSubmit: (event) => event.preventDefault() },
    h("label", { class: "grow" }, "Words in it", h("input", {
      type: "search", value: chosen.q, placeholder: "quota, 4.7.650, spamhaus", onInput: (event) => {
        chosen.q = event.currentTarget.value;
        changed();
      },
    })),
    FIELDS.map((name) => h("label", {}, NAMES[name], h("select", {
      onChange: (event) => {
        chosen[name] = event.currentTarget.value;
        changed();
      },
    }, h("option", { value: "" }, "all"), valuesOf(replies, name).map(([value, number]) =>
      h("option", { value, selected: value === chosen[name] }, `${value} (${number})`))))));

  function draw() {
    const words = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
    const found = replies.filter((reply) => FIELDS.every((name) => !chosen[name] || reply[name] === chosen[name])
      && words.every((word) => textOf(reply).includes(word)));
    count.textContent = `${found.length} of ${replies.length} replies`;
    list.replaceChildren();
    if (!found.length) list.append(emptyState("No reply is like that.", "Take a word or a choice away."));
    grow(found, 0);
  }

  function grow(found, from) {
    list.append(...found.slice(from, from + STEP).map(replyItem));
    const next = from + STEP;
    if (next >= found.length) return;
    const more = h("button", {
      type: "button", onClick: () => {
        more.replaceWith();
        grow(found, next);
        list.children[next]?.querySelector("a, button")?.focus();
      },
    }, `Show more (${found.length - next})`);
    list.append(more);
  }

  replace(main, h("h1", {}, "Replies seen in the field"),
    h("p", { class: "quiet" },
      "How real providers say no. Each can be said again: by a rule, or by sending to its address."),
    filters, count, list);
  draw();
}

function valuesOf(replies, name) {
  const numbers = new Map();
  for (const reply of replies) numbers.set(reply[name], (numbers.get(reply[name]) ?? 0) + 1);
  return [...numbers].sort(([a], [b]) => a.localeCompare(b));
}

const texts = new WeakMap();
function textOf(reply) {
  if (!texts.has(reply)) texts.set(reply, Object.values(reply).join("\n").toLowerCase());
  return texts.get(reply);
}

function replyItem(reply) {
  const at = reply.phase === "any" ? "rcpt" : reply.phase;
  const word = MAGIC[reply.phase];
  const local = word && `${word}-use-${reply.name}`;
  // RFC 5321 §4.5.3.1.1: a local part has 64 octets at most.
  const address = local?.length <= 64 ? `${local}@any.test` : null;
  return h("article", { class: "reply" },
    h("h2", {}, reply.name),
    h("p", { class: "reply-facts quiet" }, h("span", {}, reply.provider),
      h("span", {}, reply.phase === "any" ? "at any phase" : `at ${reply.phase}`),
      h("span", {}, `means ${reply.meaning}`),
      h("span", {}, `the sender had better ${ADVICE[reply.advice] ?? reply.advice}`)),
    h("pre", { class: "wire" }, visibleLines(reply.text)),
    h("div", { class: "bar" },
      h("a", { class: "button", href: link("rules", { use: reply.name, at }) }, "Use in a rule"),
      address ? [h("code", {}, address), copyButton(address, "Copy"),
        word === "mail" ? h("span", { class: "quiet" }, "as the sender") : null] : null),
    h("p", { class: "quiet reply-source" }, `Seen: ${reply.source}`));
}

const ADVICE = {
  retry: "try again", "slow-down": "slow down", suppress: "send no more to it", fix: "mend something first",
};
