// What receivers look at to tell a mail server from a bot, point by point, for one sender.

import { clip, counted, h, visible, visibleText } from "./dom.js";
import { severityMark, table } from "./parts.js";
import { link } from "./router.js";

const TITLES = {
  "helo-qualified": "Gives a fully qualified name in EHLO",
  "helo-constant": "Always gives the same name",
  "helo-of-address": "Gives a name that leads to its address",
  "helo-no-literal": "Gives a name, not an address literal",
  "reverse-name": "Has a reverse name that leads back",
  "waits-for-greeting": "Waits for the greeting",
  "pipelines-as-offered": "Pipelines only what was offered",
  quits: "Ends with QUIT",
  "lets-go": "Does not hold idle connections",
  "few-at-once": "Opens few connections at once",
  "message-id": "Gives each message its Message-ID",
  "envelope-domain": "Uses envelope domains that can be answered",
  "one-address": "Sends one mailing from one address",
};
const STATES = { kept: ["✓", "kept"], broken: ["✕", "broken"], "not observed": ["–", "not seen"] };

export function botCheck(sender) {
  const broken = sender.bot_check.filter((point) => point.state === "broken").length;
  return h("section", { class: "bot-check" },
    h("h3", {}, sender.address ? visible(sender.address) : "a sender whose sessions are gone",
      sender.helo.length ? [" ", h("span", { class: "quiet" }, "as ",
        sender.helo.map((name, index) => [index ? ", " : "", visible(clip(name, 100))]))] : null),
    h("p", {}, `${broken} of ${sender.bot_check.length} points are those of a bot. `,
      h("a", { href: link("sessions", { client: sender.address }) }, counted(sender.session_count, "session")),
      `, ${counted(sender.message_count, "message")}.`),
    table([
      { title: "A mail server …", cell: (point) => TITLES[point.question] ?? point.question },
      { title: "This sender", cell: (point) => state(point) },
      { title: "Evidence", cell: (point) => evidence(point) },
    ], sender.bot_check, { caption: `Bot check of ${visibleText(sender.address)}` }));
}

function state(point) {
  const [sign, word] = STATES[point.state] ?? ["?", point.state];
  return h("span", { class: `point point-${word.replace(" ", "-")}` },
    h("span", { "aria-hidden": "true" }, sign), ` ${word}`);
}

function evidence(point) {
  if (point.state === "broken") return point.answers.filter((one) => one.state === "broken").map(brokenAnswer);
  const names = point.answers.filter((one) => one.state === "kept" || point.state !== "kept").map((one) => one.rule);
  return h("details", {}, h("summary", { class: "quiet" }, counted(names.length, "rule")),
    names.map((name) => [h("code", {}, name), " "]));
}

function brokenAnswer(answer) {
  return h("div", {}, severityMark(answer.severity ?? "info"), " ", h("code", {}, answer.rule),
    answer.saw ? [": ", h("span", { class: "wire" }, visible(clip(answer.saw, 200)))] : null,
    answer.session ? [" ", h("a", { href: link("sessions/" + answer.session) }, answer.session),
      answer.line ? `, line ${answer.line}` : ""] : null,
    answer.reason ? h("span", { class: "quiet" }, ` (${answer.reason})`) : null);
}
