// Each message with its attempts on a time line: gaps, back-off, duplicates, and what became of each recipient.

import { events, get } from "./api.js";
import { clip, counted, h, replace, visible, visibleText } from "./dom.js";
import { FilterBox } from "./filter-box.js";
import { duration, emptyState, errorBox, table, time, verdictMark, verdictShape } from "./parts.js";
import { link, setQuery } from "./router.js";
import { OUTCOMES, OUTCOME_SAYS, timelineFigure } from "./timeline-figure.js";
import { backOff } from "./timeline-layout.js";

export const title = "Attempts";

const REFRESH_EVERY_MS = 1000;
// With so many attempts their table is open.
const FEW = [2, 6];
const HELP = [
  ["from", "the reverse-path", "from=*@shop.example"], ["to", "any recipient", "to=*@full.test"],
  ["client", "address or network", "client=10.0.0.0/8"], ["helo", "the name it gave", "helo=*.test"],
  ["message-id", "as it stands there", "message-id=<1@shop.example>"], ["message", "a stored message", "message=s1.1"],
  ["session", "in which it came", "session=s1"], ["space", "the test it belongs to", "space=shop"],
  ["limit", "so many at most", "limit=200"],
];

export async function show(main, parameters, query, signal) {
  let words = query;
  let said = { timelines: [], omitted: 0 };
  const cards = new Map();
  const list = h("div", { class: "timelines", "aria-busy": true });
  const count = h("p", { class: "quiet", role: "status" });
  const filter = new FilterBox({
    words, help: HELP, quick: [], changed: (chosen) => {
      words = chosen;
      setQuery(chosen);
      refresh();
    },
  });
  const onlyAgain = h("input", { type: "checkbox", onChange: () => draw() });
  filter.field.placeholder = "from=*@shop.example to=*@full.test";
  replace(main, h("h1", {}, title),
    h("p", { class: "quiet" }, "One line for each message, over all the sessions in which it came, the newest first."),
    filter.element,
    h("p", {}, h("label", {}, onlyAgain, " only what came more than once")), count, list);

  function draw() {
    const timelines = said.timelines.filter((one) => !onlyAgain.checked || one.attempts.length > 1);
    const kept = new Map(cards);
    cards.clear();
    for (const timeline of timelines) {
      const name = `${timeline.from} ${timeline.key}`;
      const state = JSON.stringify(timeline);
      const card = kept.get(name)?.state === state ? kept.get(name) : timelineCard(timeline, state);
      cards.set(name, card);
    }
    for (const [name, card] of kept) if (cards.get(name) !== card) card.stop();
    count.textContent = `${timelines.length} of ${said.timelines.length + said.omitted} messages`;
    if (timelines.length) list.replaceChildren(...[...cards.values()].map((card) => card.element));
    else replace(list, emptyState("No such message came.", "A message that is deferred is to come again: send one to ",
      h("code", {}, "rcpt-451-x2@any.test"), "."));
  }

  let isWanted = false, isAsking = false;
  async function refresh() {
    isWanted = true;
    if (isAsking) return;
    isAsking = true;
    while (isWanted && !signal.aborted) {
      isWanted = false;
      try {
        said = await get("attempts", words, signal);
        draw();
        filter.complain(null);
      } catch (problem) {
        if (problem.name === "AbortError") break;
        if (problem.status === 400) filter.complain(problem.detail);
        else replace(list, errorBox(problem));
      }
      list.ariaBusy = "false";
      await new Promise((resolve) => setTimeout(resolve, REFRESH_EVERY_MS));
    }
    isAsking = false;
  }

  const stop = events({ kind: ["session", "reset"] }, refresh);
  signal.addEventListener("abort", () => {
    stop();
    for (const card of cards.values()) card.stop();
  });
  refresh();
}

const STATES = {
  delivered: ["accepted", "delivered"],
  failed: ["rejected", "failed"],
  waiting: ["deferred", "the sender owes another attempt"],
  missing: ["lost", "was to come back and never did"],
  "given-up": ["lost", "came back, then gave up"],
  abandoned: ["abandoned", "left by the client"],
};

const TIES = {
  "message-id": "its Message-ID", content: "its content", envelope: "its envelope alone", peer: "its client alone",
};

function timelineCard(timeline, state) {
  const [verdict, words] = STATES[timeline.state] ?? ["none", timeline.state];
  const figure = timelineFigure(timeline);
  const { attempts } = timeline;
  const element = h("article", { class: "timeline-card" },
    h("h2", {}, timeline.subject ? visible(clip(timeline.subject, 200)) : "(no subject)"),
    h("p", { class: "timeline-facts" },
      h("span", { class: `verdict verdict-${verdict}` }, verdictShape(verdict), h("span", {}, words)),
      h("span", {}, counted(attempts.length, "attempt")),
      timeline.retried ? h("span", {}, "↻ retried") : null,
      timeline.duplicated ? h("strong", { class: "duplicate" }, "2× taken more than once") : null,
      timeline.report ? h("span", {}, "a report (bounce or receipt)") : null,
      h("span", { class: "quiet" }, "from ", h("span", { class: "wire" }, visible(clip(timeline.from || "<>", 200)))),
      h("span", { class: "quiet" }, `known by ${TIES[timeline.tie] ?? timeline.tie}: `,
        h("span", { class: "wire" }, visible(clip(timeline.key, 200))))),
    timeline.attempts_dropped
      ? h("p", { class: "quiet" }, `${timeline.attempts_dropped} earlier attempts are not kept.`) : null,
    figure.element,
    h("details", { open: attempts.length >= FEW[0] && attempts.length <= FEW[1] },
      h("summary", {}, "Attempts as a table"), attemptTable(timeline), outcomesSaid(attempts)));
  return { element, state, stop: figure.stop };
}

function attemptTable({ attempts, key }) {
  const ratios = backOff(attempts);
  const rows = attempts.map((attempt, index) => ({ ...attempt, number: index + 1, ratio: ratios[index] }));
  return table([
    { title: "#", cell: (row) => String(row.number) },
    { title: "Began", cell: (row) => time(row.started_us) },
    { title: "After", class: "number", cell: (row) => row.gap_us === undefined ? "" : duration(row.gap_us) },
    { title: "Back-off", class: "number", cell: (row) => row.ratio === undefined ? "" : `×${row.ratio.toFixed(1)}` },
    { title: "Took", class: "number", cell: (row) => duration(row.duration_us) },
    { title: "Session", cell: (row) => h("a", { href: link("sessions/" + row.session) }, row.session) },
    { title: "Came to", cell: (row) => row.phase ?? "—" },
    { title: "Reply", cell: (row) => row.code ? String(row.code) : "none" },
    { title: "Verdict", cell: (row) => verdictMark(row.verdict) },
    { title: "Recipients", cell: (row) => outcomes(row) },
    { title: "What the sink did", cell: (row) => row.disturbances || "nothing" },
  ], rows, { caption: `Attempts of ${visibleText(clip(key, 200))}` });
}

/** What the outcomes mean that do not say it themselves. */
function outcomesSaid(attempts) {
  const seen = new Set(attempts.flatMap((attempt) => attempt.recipients.map((recipient) => recipient.outcome)));
  return Object.entries(OUTCOME_SAYS).filter(([outcome]) => seen.has(outcome)).map(([outcome, words]) =>
    h("p", { class: "quiet" }, h("strong", {}, outcome), `: ${words}.`));
}

function outcomes(attempt) {
  const counts = new Map();
  for (const { outcome } of attempt.recipients) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, number]) => h("div", {},
    h("span", { class: `verdict verdict-${OUTCOMES[outcome]}` },
      verdictShape(OUTCOMES[outcome]), h("span", {}, `${number} ${outcome}`))));
}
