// A session's lines sorted by the phase they belong to, so that two sessions can be laid side by side. Pure.

const PHASE_OF = {
  EHLO: "ehlo", HELO: "ehlo", LHLO: "ehlo", STAR: "starttls", AUTH: "auth", MAIL: "mail", RCPT: "rcpt", DATA: "data",
    BDAT: "end-of-data",
  QUIT: "quit",
};
const BEFORE = ["greeting", "ehlo", "starttls", "ehlo in TLS", "auth"];
const OF_MAIL = ["mail", "rcpt", "data", "end-of-data"];
const AFTER = ["other", "quit"];

/** Parts by key, as `rcpt 2`: `{lines: [{who, text, octets, at_us}], waited_us}`, the wait being the client's. */
export function partsOf(session) {
  const parts = new Map();
  let key = "greeting", mail = 0, lastSink_us = null, isContent = false;
  for (const line of session.lines ?? []) {
    if (line.who === "client") {
      key = keyOf(line);
      if (line.text || line.octets === undefined) isContent = false;
    } else {
      isContent = key.startsWith("data") && line.text.startsWith("354");
    }
    if (!parts.has(key)) {
      const waited_us = line.who === "client" && lastSink_us !== null ? line.at_us - lastSink_us : undefined;
      parts.set(key, { lines: [], waited_us });
    }
    parts.get(key).lines.push(line);
    if (line.who === "sink") lastSink_us = line.at_us;
  }
  return parts;

  function keyOf(line) {
    if (line.octets !== undefined && !line.text) return isContent || key.startsWith("end-of-data")
      ? `end-of-data ${mail}` : "other";
    // What is said after AUTH and is no command is a part of it.
    const phase = PHASE_OF[line.text.slice(0, 4).toUpperCase()] ?? (key === "auth" ? "auth" : "other");
    if (phase === "mail") return `mail ${++mail}`;
    if (OF_MAIL.includes(phase)) return `${phase} ${Math.max(1, mail)}`;
    return phase === "ehlo" && line.tls ? "ehlo in TLS" : phase;
  }
}

/** Keys of all, in the order of a conversation. */
export function keysOf(all) {
  const present = new Set(all.flatMap((parts) => [...parts.keys()]));
  const mails = Math.max(0, ...[...present].map((key) => Number(key.split(" ").at(-1)) || 0));
  const keys = [...BEFORE];
  for (let mail = 1; mail <= mails; mail++) keys.push(...OF_MAIL.map((phase) => `${phase} ${mail}`));
  return [...keys, ...AFTER].filter((key) => present.has(key));
}

/** Whether a part says the same in all: numbers of messages differ anyway and count not. */
export function isSame(parts) {
  const said = parts.map((part) => (part?.lines ?? []).map((line) =>
    `${line.who} ${line.text.replace(/queued as \S+/, "queued")} ${line.octets ?? ""}`).join("\n"));
  return said.every((one) => one === said[0]);
}
