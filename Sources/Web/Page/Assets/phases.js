// The strip of phases: how far a session came, and where it was refused, by colour, shape and word.

import { h } from "./dom.js";
import { verdictShape } from "./parts.js";

/** The phases of the strip, in the order in which a session passes them, with the word shown for each. */
export const STRIP = [
  ["greeting", "greeting"], ["ehlo", "EHLO"], ["tls", "TLS"], ["auth", "AUTH"], ["mail", "MAIL"], ["rcpt", "RCPT"],
  ["data", "DATA"], ["body", "body"], ["end-of-data", "final dot"],
];
const INDEX = new Map(STRIP.map(([phase], index) => [phase, index]));
// Phases that share a place on the strip.
const PLACE = { connect: "greeting", starttls: "tls", accepted: "end-of-data" };

/** The place of a phase on the strip, or -1 for one that has none (`quit`, `idle`, …). */
function placeOf(phase) {
  return INDEX.get(PLACE[phase] ?? phase) ?? -1;
}

/** A phase as it is written in a rule, and as it is said where that is another word. */
export function phaseName(phase) {
  const said = STRIP[INDEX.get(phase)]?.[1] ?? phase;
  return said.toLowerCase() === phase ? phase : `${phase} (the ${said})`;
}

/** How far a session came: the last place on the strip that it saw. */
export function phaseReached(session) {
  let reached = 0;
  const see = (phase) => { reached = Math.max(reached, placeOf(phase)); };
  if (session.helo) see("ehlo");
  if (session.tls || session.tls_failure) see("tls");
  for (const transaction of session.transactions ?? []) {
    see("mail");
    if (transaction.recipients.length) see("rcpt");
    if (transaction.message || transaction.verdict === "accepted") see("end-of-data");
    if (transaction.rejected_at) see(transaction.rejected_at);
  }
  if (session.rejected_at) see(session.rejected_at);
  // In a list a session has only its first transactions: where a later one came further, the strip falls short.
  if (session.verdict === "accepted") see("end-of-data");
  return reached;
}

/** Strip of a session or summary. */
export function phaseStrip(session) {
  const reached = phaseReached(session);
  const stop = stopOf(session);
  const verdict = session.verdict ?? (session.ended_by ? "none" : "open");
  const cells = STRIP.map(([phase, word], index) => {
    let state = index <= reached ? "passed" : "ahead";
    // What a session may leave out, it did not pass.
    if (phase === "tls" && !session.tls && index !== stop && index <= reached) state = "without";
    if (phase === "auth" && index !== stop && index <= reached) state = "without";
    if (index === stop) state = "stop";
    const isEnd = index === reached && stop < 0 && verdict === "accepted" && phase === "end-of-data";
    return h("span", { class: `cell ${state}${isEnd ? " arrived" : ""}`, title: word },
      index === stop ? verdictShape(verdict) : isEnd ? verdictShape("accepted") : null);
  });
  return h("span", { class: `strip strip-${verdict}`, role: "img", "aria-label": saying(session, reached) },
    h("span", { class: "cells", "aria-hidden": "true" }, cells),
    h("span", { class: "strip-word", "aria-hidden": "true" }, wordOf(session, reached)));
}

/** Where it went no further: where it was refused, or in the handshake. */
function stopOf(session) {
  if (session.rejected_at) return placeOf(session.rejected_at);
  return session.tls_failure && !session.tls && !session.transactions?.length ? placeOf("tls") : -1;
}

function wordOf(session, reached) {
  const place = stopOf(session);
  return place >= 0 ? STRIP[place][1] : session.rejected_at ?? STRIP[reached][1];
}

function saying(session, reached) {
  const came = `came to ${STRIP[reached][1]}`;
  if (session.rejected_at) return `${came}; ${session.verdict ?? "refused"} at ${session.rejected_at}`;
  if (stopOf(session) >= 0) return `${came}; the handshake failed`;
  return session.verdict ? `${came}; ${session.verdict}` : came;
}
