// The words of rules as the builder offers them: phases, conditions, times and actions, what each takes and where it
// can stand. The server alone judges a rule; this only keeps the choices short and says what they mean.

const commands = ["rset", "noop", "vrfy", "quit", "idle"];
const early = ["connect", "greeting", "ehlo", "starttls", "tls"];
const transaction = ["mail", "rcpt", "data", "body", "end-of-data", "accepted"];
const content = ["body", "end-of-data"];

/** In the order of a session. */
export const phases = [
  { word: "connect", about: "accepted, nothing sent" },
  { word: "greeting", about: "the 220" },
  { word: "ehlo", about: "the reply to EHLO or HELO" },
  { word: "starttls", about: "the reply to STARTTLS" },
  { word: "tls", about: "the handshake" },
  { word: "auth", about: "the reply to AUTH" },
  { word: "mail", about: "the reply to MAIL" },
  { word: "rcpt", about: "the reply to RCPT, for each recipient" },
  { word: "data", about: "the reply to DATA, the 354" },
  { word: "body", about: "while the message arrives" },
  { word: "end-of-data", about: "the reply to the final dot" },
  { word: "accepted", about: "after the 250" },
  { word: "rset", about: "the reply to RSET" },
  { word: "noop", about: "the reply to NOOP" },
  { word: "vrfy", about: "the reply to VRFY" },
  { word: "quit", about: "the reply to QUIT" },
  { word: "idle", about: "between commands" },
];

const all = phases.map((phase) => phase.word);
const without = (...words) => all.filter((word) => !words.includes(word));
const sender = [...transaction, ...commands];
const recipient = sender.filter((word) => word !== "mail");

/** `at`: the phases that know it. */
export const conditions = [
  { word: "to", label: "recipient", example: "*@full.test", at: recipient },
  { word: "from", label: "sender (reverse-path)", example: "news@*, <>", at: sender },
  { word: "client", label: "client address", example: "192.0.2.0/24", at: all },
  { word: "helo", label: "name in EHLO or HELO", example: "*.example", at: without("connect", "greeting", "tls") },
  { word: "hello", label: "EHLO or HELO", example: "helo", at: without("connect", "greeting", "tls") },
  { word: "tls", label: "TLS", example: "none, any or TLSv1.2", at: without("connect", "starttls") },
  { word: "user", label: "user who logged in", example: "ann", at: without(...early) },
  { word: "listener", label: "listener", example: "smtp", at: all },
  { word: "time", label: "time of day (UTC)", example: "22:00..06:00", at: all },
  { word: "space", label: "space", example: "t17", at: without("connect", "greeting", "tls") },
  { word: "parameter", label: "parameter of MAIL or RCPT", example: "SMTPUTF8", at: ["mail", "rcpt"] },
  { word: "recipients", label: "number of recipients", example: ">100", at: recipient },
  {
    word: "attempt", label: "attempt of this sender and recipient", example: "<3",
    at: transaction.filter((word) => word !== "mail"),
  },
  { word: "size", label: "size", example: ">10MB", at: transaction },
  { word: "header", label: "header field", example: "*invoice*", at: content, named: true },
  { word: "body", label: "a line of the text", example: "/viagra/i", at: content },
  { word: "links", label: "a link, or their number", example: "*bad.example*, >20", at: content },
  { word: "message-id", label: "Message-ID", example: "*@shop.example", at: content },
  { word: "message-attempt", label: "attempt of this message", example: "1", at: ["end-of-data"] },
];

/** `text` makes the words of a file out of what stands in the fields. */
export const times = [
  { word: "always", label: "each time", fields: [], text: () => "always" },
  { word: "first", label: "the first times", fields: [["times", "2"]], text: (count) => `first ${count}` },
  { word: "nth", label: "one time alone", fields: [["which", "3"]], text: (count) => `nth ${count}` },
  { word: "every", label: "every so many times", fields: [["every", "10"]], text: (count) => `every ${count}` },
  { word: "chance", label: "by chance", fields: [["percent", "10"]], text: (share) => `${share}%` },
  {
    word: "until", label: "for a while from the first time", fields: [["for", "10m"]],
    text: (span) => `until ${span}`,
  },
  { word: "after", label: "when a while has passed", fields: [["after", "1h"]], text: (span) => `after ${span}` },
  {
    word: "limit", label: "beyond a rate", fields: [["more than", "100"], ["in", "1h"]],
    text: (count, span) => `limit ${count} in ${span}`,
  },
  { word: "at-once", label: "beyond so many open sessions", fields: [["more than", "5"]], text: (n) => `at-once ${n}` },
  {
    word: "octets", label: "beyond so many octets", fields: [["more than", "10MB"], ["in", "1h"]],
    text: (size, span) => `octets ${size} in ${span}`, at: ["end-of-data"],
  },
  {
    word: "errors", label: "behind so many refusals", fields: [["refusals", "10"], ["in", "1h"]],
    text: (count, span) => `errors ${count} in ${span}`,
  },
  {
    word: "unknown-share", label: "when too many recipients are unknown",
    fields: [["percent", "10"], ["of at least", "20"], ["in", "1h"]],
    text: (share, least, span) => `unknown-share ${share}% of ${least} in ${span}`, at: ["rcpt"],
  },
  {
    word: "greylist", label: "until it comes again in time (greylisting)",
    fields: [["not before", "5m"], ["within", "4h"], ["remembered for", "30d"]],
    text: (wait, window, memory) => `greylist ${wait}..${window} keep ${memory}`,
  },
  {
    word: "recover", label: "down, then better and better", fields: [["down for", "10m"], ["better over", "1h"]],
    text: (down, ramp) => `recover ${down}..${ramp}`,
  },
  { word: "steps", label: "step by step", fields: [], text: () => "" },
];

/** What uses are counted by. */
export const counters = [
  { word: "client", at: all },
  { word: "client-network", at: all },
  { word: "from", at: sender },
  { word: "to", at: recipient },
  { word: "from-domain", at: sender },
  { word: "to-domain", at: recipient },
  { word: "helo", at: without("connect", "greeting", "tls") },
  { word: "user", at: without(...early) },
  { word: "listener", at: all },
  { word: "session", at: all },
  { word: "transaction", at: sender },
];

const keywords = [
  "STARTTLS", "AUTH", "PIPELINING", "SIZE", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING", "BINARYMIME",
  "ENHANCEDSTATUSCODES", "LIMITS", "HELP",
];

const odd = [
  "multiline-greeting", "bare-lf-reply", "no-text", "no-code", "mixed-codes", "missing-last-line", "long-line",
  "long-line-4k", "eight-bit-text", "nul-in-reply", "two-replies", "unsolicited-421", "early-reply", "split-reply",
  "lowercase-ehlo", "greeting-without-esmtp", "pix",
];

const badTLS = [
  "expired", "not-yet-valid", "wrong-host", "self-signed", "untrusted-root", "incomplete-chain", "reversed-chain",
  "no-common-name", "no-san", "sha1", "rsa-1024", "huge-chain", "client-certificate-required", "only-tls1.0",
  "only-tls1.1", "only-tls1.2", "only-tls1.3", "weak-ciphers", "hidden", "refused", "silent", "garbage", "close",
  "stall", "close-in-handshake", "close-after-handshake", "no-close-notify", "ehlo-changed", "offered-again",
  "injected-reply", "alert-handshake-failure", "alert-unknown-ca", "alert-protocol-version", "alert-internal-error",
];

/** `field`: what stands behind the word; `choices` are offered and nothing else is refused here. */
export const actions = [
  { word: "reply", label: "say a reply", field: "code and text", example: "550 5.1.1 No such user", at: all },
  { word: "use", label: "say a reply of the catalogue", field: "name", example: "gmail/over-quota", at: all },
  { word: "delay", label: "wait", field: "for", example: "2s or 1s..5s", at: all },
  { word: "close", label: "close (FIN)", at: all },
  { word: "reset", label: "reset (RST)", at: all },
  { word: "stall", label: "say nothing, ever", at: all },
  { word: "stop-reading", label: "stop reading", at: all },
  { word: "accept", label: "let it pass", at: all },
  { word: "keep", label: "store it although no 250 follows", at: ["end-of-data"] },
  { word: "lose", label: "say 250 and lose it", at: ["end-of-data"] },
  { word: "tarpit", label: "wait longer for each refusal", field: "from..to", example: "500ms..30s", at: all },
  { word: "drip", label: "send the reply slowly", field: "rate", example: "1/s", at: all },
  {
    word: "slow-read", label: "read slowly", field: "rate", example: "10KB/s",
    at: without("end-of-data", "accepted", "quit"),
  },
  {
    word: "hide", label: "hide from the EHLO list", field: "keywords", example: "STARTTLS", at: early,
    choices: keywords,
  },
  { word: "offer", label: "offer in the EHLO list", field: "keywords", example: "AUTH", at: early, choices: keywords },
  { word: "tls", label: "go wrong in TLS", field: "how", example: "expired", at: early, choices: badTLS },
  {
    word: "raw", label: "bend the reply, or exact octets", field: "how", example: "bare-lf-reply", at: without("tls"),
    choices: odd,
  },
];

/** Those of a list that a phase can have. */
export const fitting = (list, phase) => list.filter((entry) => !entry.at || entry.at.includes(phase));
