// The envelope next to the header: who was said to the server, and who is written in the message. They may differ, and
// where they do is what one wants to see.

import { clip, grouped, h, visible } from "./dom.js";
import { table } from "./parts.js";

const SENDERS = ["from", "sender", "return-path"];
const RECIPIENTS = ["to", "cc", "bcc", "resent-to", "resent-cc"];
const MOST_ROWS = 200;
/** More characters of the fields of one side are not read for addresses. */
const MOST_READ = 1_000_000;

export function envelope(message) {
  const senders = addressesIn(message.headers, SENDERS);
  const recipients = addressesIn(message.headers, RECIPIENTS);
  const rows = [...senderRows(message.from, senders.found), ...recipientRows(message.to, recipients.found)];
  return h("section", { class: "envelope" }, h("h2", {}, "Envelope and header"), table([
    { title: "Whom", cell: (row) => [h("div", {}, row.what), comparison(row)] },
    { title: "Said in the envelope", cell: (row) => row.said === null ? "—" : wire(row.said || "<>") },
    { title: "Written in the header", cell: (row) => row.written === null ? "—"
      : [h("span", { class: "quiet" }, `${row.field}: `), wire(row.written)] },
  ], rows.slice(0, MOST_ROWS), { caption: "Envelope and header" }),
  rows.length > MOST_ROWS ? h("p", { class: "quiet" }, `${rows.length - MOST_ROWS} more are not shown.`) : null,
  senders.isCut || recipients.isCut ? h("p", { class: "quiet" },
    `The fields are very long: only their first ${grouped(MOST_READ)} characters were read.`) : null);
}

/** All fields in their order, as they are read. */
export function headerFields(message) {
  const shown = message.headers.slice(0, MOST_ROWS);
  return h("section", {}, h("h2", {}, `Header fields (${message.headers.length})`),
    h("dl", { class: "facts header-fields" }, shown.map((field) => h("div", {},
      h("dt", {}, visible(clip(field.name, 100))), h("dd", {}, visible(clip(field.value, 2000)))))),
    message.headers.length > MOST_ROWS
      ? h("p", { class: "quiet" }, `${message.headers.length - MOST_ROWS} more are in the source.`) : null);
}

const wire = (text) => h("span", { class: "wire" }, visible(clip(text, 320)));
const fold = (address) => address.toLowerCase();
const domain = (address) => fold(address).slice(address.lastIndexOf("@") + 1);

function senderRows(said, written) {
  if (!written.length) return [{ what: "sender", said, written: null, field: "", state: "missing" }];
  return written.map(({ field, address }) => ({
    what: "sender", said, written: address, field, state: said === "" ? "null" : fold(said) === fold(address) ? "same"
      : domain(said) === domain(address) ? "domain" : "differs",
  }));
}

function recipientRows(said, written) {
  const unsaid = new Map(written.map((one) => [fold(one.address), one]));
  const rows = said.map((address) => {
    const found = unsaid.get(fold(address));
    unsaid.delete(fold(address));
    return {
      what: "recipient", said: address, written: found?.address ?? null, field: found?.field,
      state: found ? "same" : "blind",
    };
  });
  for (const { field, address } of unsaid.values()) {
    rows.push({ what: "recipient", said: null, written: address, field, state: "unsaid" });
  }
  return rows;
}

const STATES = {
  same: ["✓", "the same", "accepted"],
  domain: ["≈", "another address of the same domain", "quiet"],
  differs: ["≠", "another domain", "deferred"],
  null: ["∅", "the null sender: a bounce or a notice", "quiet"],
  missing: ["≠", "no field names a sender", "deferred"],
  blind: ["≠", "in no field: a blind copy, a list, or forwarded", "deferred"],
  unsaid: ["≠", "not in this envelope", "deferred"],
};

function comparison({ state }) {
  const [sign, words, kind] = STATES[state];
  return h("span", { class: `compared-${kind}` }, h("span", { "aria-hidden": "true" }, sign), ` ${words}`);
}

/** Addresses in fields of these names. Comments and quoted names are left out; groups give their members. */
function addressesIn(headers, names) {
  const found = [];
  let left = MOST_READ, isCut = false;
  for (const { name, value } of headers) {
    if (!names.includes(name.toLowerCase())) continue;
    isCut ||= value.length > left;
    const read = withoutNames(value.slice(0, left));
    left -= Math.min(left, value.length);
    for (const [word, bracketed] of read.matchAll(/<([^<>]*)>|[^\s,;:<>]+/g)) {
      const at = word.indexOf("@", 1);
      if (bracketed !== undefined) found.push({ field: name, address: bracketed });
      else if (at > 0 && at < word.length - 1) found.push({ field: name, address: word });
    }
  }
  return { found, isCut };
}

/**
 * A field without its comments and quoted names; a quoted local part stays. It is read once: what a peer sent may hold
 * any number of quotes and brackets that nothing closes, and from the first of them on they are characters like others.
 */
function withoutNames(text) {
  const kept = [];
  const unclosed = new Set();
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if ((sign !== "\"" && sign !== "(") || unclosed.has(sign)) continue;
    const end = endOf(text, at);
    if (end === -1) {
      unclosed.add(sign);
      continue;
    }
    if (sign === "(" || text[end] !== "@") {
      kept.push(text.slice(from, at));
      from = end;
    }
    at = end - 1;
  }
  kept.push(text.slice(from));
  return kept.join("");
}

/** Behind the end of what begins at this quote or bracket; -1 where it has no end. Comments may hold comments. */
function endOf(text, start) {
  const isQuote = text[start] === "\"";
  const last = isQuote ? "\"" : ")";
  let depth = 1;
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === last) depth -= 1;
    else if (text[at] === "(" && !isQuote) depth += 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}
