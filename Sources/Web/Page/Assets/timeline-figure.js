// The attempts of a message as a picture: a bar for each, gaps to scale, and below them for each recipient what became
// of it. Everything in it stands in the table beside it, too.

import { clip, h, svg, visibleText } from "./dom.js";
import { duration, verdictShape } from "./parts.js";
import { link } from "./router.js";
import { layout } from "./timeline-layout.js";

const EDGE = 12;
const BAR = { top: 22, height: 22, least: 24 };
const ROW = { first: 58, height: 38, sign: 15 };
const FIGURE_WIDTH = 7;
// One attempt has nothing beside it to be to scale with.
const ALONE = 300;
const MOST_RECIPIENTS = 8;

/** Outcomes of a recipient: the verdict whose shape and colour they share. */
export const OUTCOMES = {
  delivered: "accepted", unheard: "lost", failed: "rejected", deferred: "deferred", "over-limit": "deferred",
  lost: "lost", interrupted: "lost", abandoned: "abandoned",
};

/** What an outcome means, where its word does not say it. */
export const OUTCOME_SAYS = {
  unheard: "accepted, but the client was gone before anything showed that it had heard so: it may come again",
  "over-limit": "too many for one transaction: it is to come in the next one",
  lost: "the message came whole, and no reply was said: it may come again",
  interrupted: "cut short by the sink without a reply: it is to come again",
};

/** Drawn anew when its place gets another width. Returns the element; `stop` ends the watching. */
export function timelineFigure(timeline) {
  const frame = h("div", { class: "timeline-frame scroll" });
  let drawn = 0;
  const watcher = new ResizeObserver(() => {
    const width = Math.floor(frame.clientWidth);
    if (width === drawn || width === 0) return;
    drawn = width;
    frame.replaceChildren(draw(timeline, width));
  });
  watcher.observe(frame);
  return { element: frame, stop: () => watcher.disconnect() };
}

function draw(timeline, width) {
  const { attempts } = timeline;
  const room = (attempts.length > 1 ? width : Math.min(width, ALONE)) - 2 * EDGE;
  const { spans, width: used } = layout(attempts, { width: room, bar: BAR.least, gap: 14, fold: 60 });
  const shown = timeline.recipients.slice(0, MOST_RECIPIENTS);
  const left = timeline.recipients.length - shown.length;
  const height = ROW.first + ROW.height * shown.length + (left ? 18 : 0);
  const middle = new Map(spans.filter((span) => span.kind === "bar")
    .map((span) => [span.index, EDGE + span.start + span.width / 2]));
  return svg("svg", {
    width: used + 2 * EDGE, height, class: "timeline", role: "group",
    "aria-label": `${attempts.length} attempts on a time line; the table below says the same`,
  }, spans.map((span) => span.kind === "bar" ? bar(span, attempts[span.index]) : between(span, attempts[span.index])),
  shown.map((recipient, row) => recipientRow(recipient, ROW.first + row * ROW.height, attempts, middle, used)),
  left ? svg("text", { x: EDGE, y: height - 5, class: "timeline-quiet" }, `and ${left} more recipients`) : null);
}

function bar(span, attempt) {
  const x = EDGE + span.start;
  const title = `attempt ${span.index + 1}, session ${attempt.session}, ${duration(attempt.duration_us)}`;
  const kind = `timeline-bar verdict-${attempt.verdict ?? "none"}`;
  return svg("a", { href: link("sessions/" + attempt.session), class: kind },
    svg("title", {}, title),
    svg("rect", { x, y: BAR.top, width: span.width, height: BAR.height, rx: 3 }),
    svg("text", { x: x + span.width / 2, y: BAR.top + 15.5, "text-anchor": "middle" }, String(span.index + 1)));
}

function between(span, attempt) {
  const x = EDGE + span.start;
  const end = x + span.width;
  const middle = x + span.width / 2;
  const y = BAR.top + BAR.height / 2;
  const said = duration(attempt.gap_us ?? 0);
  const hasRoom = said.length * FIGURE_WIDTH < span.width + BAR.least;
  const label = hasRoom
    ? svg("text", { x: middle, y: 13, "text-anchor": "middle", class: "timeline-gap" }, said) : null;
  if (span.kind === "gap") return svg("g", {}, svg("path", { d: `M${x} ${y}H${end}`, class: "timeline-line" }), label);
  const fold = `M${x} ${y}H${middle - 7}l4 -8 6 16 4 -8H${end}`;
  return svg("g", {}, svg("title", {}, `${said}, not to scale`),
    svg("path", { d: fold, class: "timeline-line folded" }), label);
}

function recipientRow(recipient, y, attempts, middle, used) {
  const signs = attempts.flatMap((attempt, index) => {
    const found = attempt.recipients.findLast((one) => one.address === recipient.address);
    return found ? [{ ...found, x: middle.get(index) }] : [];
  });
  const taken = signs.filter((sign) => ["delivered", "unheard", "lost"].includes(sign.outcome)).length;
  const again = taken > 1 ? ` · taken ${taken} times` : "";
  const line = y + 25;
  return svg("g", {},
    svg("text", { x: EDGE, y: y + 9, class: "timeline-address" }, visibleText(clip(recipient.address, 60)),
      svg("tspan", { class: "timeline-quiet" }, again)),
    svg("path", { d: `M${EDGE} ${line}H${EDGE + used}`, class: "timeline-thread" }),
    signs.map((sign) => {
      const shape = verdictShape(OUTCOMES[sign.outcome]);
      const size = ROW.sign;
      const place = { x: sign.x - size / 2, y: line - size / 2, width: size, height: size };
      for (const [name, value] of Object.entries(place)) shape.setAttribute(name, value);
      return svg("g", { class: `verdict-${OUTCOMES[sign.outcome]}` },
        svg("title", {}, [sign.outcome, sign.code || null, OUTCOME_SAYS[sign.outcome]].filter(Boolean).join(" · ")),
        svg("circle", { cx: sign.x, cy: line, r: size / 2 + 1, class: "timeline-ground" }), shape);
    }));
}
