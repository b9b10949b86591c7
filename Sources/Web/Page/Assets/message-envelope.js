// The envelope next to the header: who was said to the server, and who is written in the message. They may differ, and
// where they do is what one wants to see.

import { clip, h, visible } from "./dom.js";
import { table } from "./parts.js";

const SENDERS = ["from", "sender", "return-path"];
const RECIPIENTS = ["to", "cc", "bcc", "resent-to", "resent-cc"];
const MOST_ROWS = 200;

export function envelope(message) {
  const senders = addressesIn(message.headers, SENDERS);
  const recipients = addressesIn(message.headers, RECIPIENTS);
  const rows = [...senderRows(message.from, senders), ...recipientRows(message.to, recipients)];
  return h("section", { class: "envelope" }, h("h2", {}, "Envelope and header"), table([
    { title: "Whom", cell: (row) => [h("div", {}, row.what), comparison(row)] },
    { title: "Said in the envelope", cell: (row) => row.said === null ? "—" : wire(row.said || "<>") },
    { title: "Written in the header", cell: (row) => row.written === null ? "—"
      : [h("span", { class: "quiet" }, `${row.field}: `), wire(row.written)] },
  ], rows.slice(0, MOST_ROWS), { caption: "Envelope and header" }),
  rows.length > MOST_ROWS ? h("p", { class: "quiet" }, `${rows.length - MOST_ROWS} more are not shown.`) : null);
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
  return headers.filter((field) => names.includes(field.name.toLowerCase())).flatMap((field) =>
    [...clip(field.value, 100_000).replace(/"(?:[^"\\]|\\.)*"(?!@)|\([^()]*\)/g, "")
      .matchAll(/<([^<>]*)>|([^\s,;:<>]+@[^\s,;:<>]+)/g)]
      .map((match) => ({ field: field.name, address: match[1] ?? match[2] })));
}
