// Where the attempts of a message stand on a line: bars and gaps to scale, as far as that can be read. A gap that
// dwarfs everything else is folded to a mark, and a bar is never too thin to be seen. No nodes here.

/** How much longer than all the rest together a gap has to be to be folded. */
const FOLD_FACTOR = 4;

/**
 * Spans from left to right: `{kind: "bar"|"gap"|"fold", index, start, width}`; a gap has the index of the attempt
 * behind it. `bar`, `gap`, `fold`: the least widths. The width grows where the attempts need more than there is.
 */
export function layout(attempts, { width, bar, gap, fold }) {
  const folded = foldedGaps(attempts);
  const least = attempts.length * bar + folded.size * fold + (attempts.length - 1 - folded.size) * gap;
  const whole = Math.max(width, least);
  let total = 0;
  attempts.forEach((attempt, index) => {
    total += attempt.duration_us + (index > 0 && !folded.has(index) ? gapOf(attempt) : 0);
  });
  const scale = total > 0 ? (whole - least) / total : 0;
  const spans = [];
  let start = 0;
  const add = (kind, index, size) => {
    spans.push({ kind, index, start, width: size });
    start += size;
  };
  attempts.forEach((attempt, index) => {
    if (index > 0 && folded.has(index)) add("fold", index, fold);
    else if (index > 0) add("gap", index, gap + gapOf(attempt) * scale);
    add("bar", index, bar + attempt.duration_us * scale);
  });
  return { spans, width: Math.max(start, 1) };
}

const gapOf = (attempt) => attempt.gap_us ?? 0;

// The longest first, as long as one dwarfs the rest; the last gap has only bars beside it, and those have their least
// width.
function foldedGaps(attempts) {
  const gaps = attempts.slice(1).map((attempt, index) => ({ index: index + 1, length: gapOf(attempt) }))
    .sort((a, b) => b.length - a.length);
  let rest = attempts.reduce((sum, attempt) => sum + attempt.duration_us, 0)
    + gaps.reduce((sum, one) => sum + one.length, 0);
  const folded = new Set();
  for (const one of gaps.slice(0, -1)) {
    rest -= one.length;
    if (one.length <= FOLD_FACTOR * rest) break;
    folded.add(one.index);
  }
  return folded;
}

/** How much longer each gap is than the one in front of it; undefined where there is none. */
export function backOff(attempts) {
  return attempts.map((attempt, index) => index > 1 && gapOf(attempts[index - 1]) > 0
    ? gapOf(attempt) / gapOf(attempts[index - 1]) : undefined);
}
