// The verdict on those who sent: what must be mended first, the bot check of each sender, and what was kept, excused or
// not seen. Fit to be printed, and to be taken along in the other forms.

import { events, get, text } from "./api.js";
import { clip, counted, h, replace, visible } from "./dom.js";
import { botCheck } from "./bot-check.js";
import { FilterBox } from "./filter-box.js";
import { download, emptyState, errorBox, fact, seen, severityMark, time } from "./parts.js";
import { passage } from "./passage.js";
import { link, setQuery } from "./router.js";

export const title = "Report";

const FORMATS = [
  ["html", "HTML", "html", "text/html"], ["markdown", "Markdown", "md", "text/markdown"],
  ["text", "Text", "txt", "text/plain"], ["json", "JSON", "json", "application/json"],
  ["junit", "JUnit", "xml", "application/xml"], ["sarif", "SARIF", "sarif", "application/json"],
];
const SEVERITIES = [
  ["must", "Mend first: the standards say MUST"], ["should", "Then: the standards say SHOULD"],
  ["reputation", "Held against a sender by large receivers"], ["info", "Worth knowing"],
];
// Of the rules to mend first so many are shown in full; what is printed is shown in full anyway.
const MOST_OPEN = 3;
const HELP = [
  ["from", "the sender's address", "from=*@shop.test"], ["client", "address or network", "client=10.0.0.0/8"],
  ["helo", "the name it gave", "helo=*.test"], ["to", "any recipient", "to=*@full.test"],
  ["space", "the test it belongs to", "space=shop"], ["session", "by its id", "session=s1,s2"],
  ["finding", "sessions with this finding", "finding=tls-*"], ["verdict", "what became of them", "verdict=accepted"],
  ["limit", "the newest so many sessions", "limit=100"],
];

export async function show(main, parameters, query, signal) {
  let words = query;
  const body = h("div", { class: "report" }, h("p", { class: "quiet" }, "Judging …"));
  const stale = h("button", { type: "button", hidden: true, onClick: () => draw() }, "More came: judge again");
  // Nothing is there to be printed before the first answer.
  const printing = h("button", { type: "button", class: "primary", disabled: true, onClick: printAll }, "Print");
  const filter = new FilterBox({
    words, help: HELP, quick: [], changed: (said) => {
      words = said;
      setQuery(said);
      draw();
    },
  });
  filter.field.placeholder = "from=*@shop.test";
  replace(main, h("h1", {}, "Report"), h("div", { class: "no-print" }, filter.element,
    h("div", { class: "bar" }, printing,
      h("span", { class: "quiet" }, "Download as"), FORMATS.map(([format, label, end, type]) => h("button", {
        type: "button", "aria-label": `Download as ${label}`, onClick: async () => {
          try {
            download(`fakemx-report.${end}`, type, await text("report", { ...words, format }, signal));
          } catch (error) {
            if (error.name !== "AbortError") body.prepend(errorBox(error));
          }
        },
      }, label)), stale)), body);

  let latest = 0;
  async function draw() {
    stale.hidden = true;
    const mine = ++latest;
    body.ariaBusy = "true";
    try {
      const report = await get("report", { ...words, format: "json" }, signal);
      // Another one was asked for meanwhile.
      if (mine !== latest) return;
      filter.complain(null);
      replace(body, reportOf(report));
      printing.disabled = false;
    } catch (problem) {
      if (problem.name === "AbortError" || mine !== latest) return;
      if (problem.status === 400) filter.complain(problem.detail);
      else replace(body, errorBox(problem));
    }
    body.ariaBusy = "false";
  }

  signal.addEventListener("abort", events({ kind: ["session", "reset"] }, () => { stale.hidden = false; }));
  await draw();
}

// What is folded is printed, too.
function printAll() {
  for (const one of document.querySelectorAll(".report details")) one.open = true;
  print();
}

function reportOf(report) {
  if (!report.session_count && !report.broken.length) {
    return emptyState("Nothing to judge: no session was looked at.", "Sessions are judged when they have ended.");
  }
  return [
    verdict(report),
    SEVERITIES.map(([severity, words]) => {
      const rules = report.broken.filter((rule) => rule.severity === severity);
      return rules.length ? h("section", {}, h("h2", {}, words, ` (${rules.length})`),
        rules.map((rule) => brokenRule(rule, report.broken.indexOf(rule) < MOST_OPEN))) : null;
    }),
    h("h2", {}, "Server or bot: what receivers look at"),
    report.senders.map((sender) => botCheck(sender)),
    report.senders_omitted
      ? h("p", { class: "quiet" }, `${report.senders_omitted} more senders with fewer sessions.`) : null,
    restOf(report),
  ];
}

function verdict(report) {
  const count = (severity) => report.broken.filter((rule) => rule.severity === severity).length;
  const marks = SEVERITIES.filter(([severity]) => count(severity))
    .map(([severity]) => severityMark(severity, count(severity)));
  const first = report.broken[0];
  return h("section", { class: `report-verdict ${first ? `severity-${first.severity}-edge` : ""}` },
    h("p", { class: "report-sentence" }, first
      ? [`${counted(report.broken.length, "rule")} broken. Mend `, h("code", {}, first.rule), " first."]
      : `No broken rule was seen: ${report.kept.length} kept, ${report.not_observed.length} not observed.`),
    marks.length ? h("p", { class: "report-counts" }, marks) : null,
    h("p", { class: "quiet" },
      counted(report.session_count, "session"), senderWords(report),
      `, ${counted(report.message_count, "message")} accepted, profile ${report.profile}`,
      report.since ? [", ", time(report.since, { date: true })] : null,
      report.until ? [" to ", time(report.until, { date: true })] : null, `; fakemx ${report.version}`),
    report.lag
      ? h("p", { class: "quiet" }, `${counted(report.lag.waiting, "session")} ended and wait to be judged.`) : null);
}

/** Whose sessions these are, in the words of the other forms. */
function senderWords({ senders, senders_omitted: omitted }) {
  if (senders.length > 1) return ` of ${senders.length + omitted} senders`;
  if (!senders.length || omitted) return null;
  const [{ address, helo }] = senders;
  const name = helo.length ? [" (", visible(clip(helo[0], 100)), helo.length > 1 ? " and other names)" : ")"] : null;
  return [" of ", address ? visible(address) : "a sender whose sessions are gone", name];
}

function brokenRule(rule, isOpen) {
  const times = rule.count === 1 ? "once" : `${rule.count} times`;
  return h("details", { class: `finding severity-${rule.severity}-edge`, open: isOpen, "data-rule": rule.rule },
    h("summary", {}, severityMark(rule.severity), " ", h("span", { class: "finding-what" }, rule.what), " ",
      h("code", {}, rule.rule),
      h("span", { class: "quiet" }, ` ${times} in ${counted(rule.session_count, "session")}`)),
    rule.passage ? passage(rule.passage) : null,
    h("dl", { class: "facts" },
      fact("Seen", seen(rule.saw)),
      fact("Why", rule.why), fact("Fix", h("strong", {}, rule.fix)), fact("Source", rule.citation),
      rule.receivers.length ? fact("Who cares", rule.receivers.join(", ")) : null,
      rule.reason ? fact("Mild, since", rule.reason) : null,
      fact("Sessions", sessionLinks(rule))));
}

const MOST_LINKS = 20;
function sessionLinks(rule) {
  const links = rule.sessions.slice(0, MOST_LINKS).flatMap((id) => [h("a", { href: link("sessions/" + id) }, id), " "]);
  const more = rule.session_count - Math.min(rule.sessions.length, MOST_LINKS);
  return more > 0 ? [links, h("a", { href: link("sessions", { finding: rule.rule }) }, `and ${more} more`)] : links;
}

const UNJUDGED = [
  ["off", "switched off"], ["option", "waiting for an option"], ["profile", "not asked of this profile"],
  ["local", "not asked about peers on this machine and in private networks"], ["never", "never judged"],
];

function restOf(report) {
  const codes = (rules) => h("p", { class: "rule-names" }, rules.map((rule) => [h("code", {}, rule), " "]));
  const group = (words, count, ...content) =>
    count ? h("details", {}, h("summary", {}, `${words} (${count})`), content) : null;
  const pairs = (rules, words) => h("dl", { class: "facts rule-reasons" },
    rules.map((one) => fact(h("code", {}, one.rule), words(one))));
  return h("section", {}, h("h2", {}, "All other rules"),
    group("Kept", report.kept.length, codes(report.kept)),
    group("Excused: a fault of the sink explains it", report.excused.length, pairs(report.excused, (one) =>
      `${one.because.join("; ")}${one.session_count ? `, in ${counted(one.session_count, "session")}` : ""}`)),
    group("Not observed", report.not_observed.length, codes(report.not_observed)),
    UNJUDGED.map(([kind, words]) => {
      const rules = report.not_judged.filter((one) => one.kind === kind);
      return group(`Not judged: ${words}`, rules.length, pairs(rules, (one) => one.because));
    }));
}
