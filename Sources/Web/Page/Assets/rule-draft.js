// A rule while it is being built, as plain values, and the JSON that the API takes for it. No nodes here.

import { fitting, actions, conditions, counters, phases, times } from "./rule-words.js";

/** What a new action, condition or step begins with. */
export const newAction = (word) => ({
  word, value: actions.find((one) => one.word === word).example?.split(" or ")[0] ?? "",
});
export const newCondition = (word) => ({ word, field: word === "header" ? "Subject" : "", isNot: false, value: "" });

/** A draft that says something, so that there is something to see at once. `use`: a reply of the catalogue. */
export function newDraft({ at: asked, use, to = "*@full.test" } = {}) {
  const at = phases.some((phase) => phase.word === asked) ? asked : "rcpt";
  return {
    name: "", at, expires: "", space: "",
    conditions: has(conditions, at, "to") ? [{ ...newCondition("to"), value: to }] : [],
    times: { word: "always", values: [] }, per: [],
    steps: [[use ? { word: "use", value: use } : { word: "reply", value: "452 4.2.2 Mailbox full" }]],
  };
}

const has = (list, phase, word) => fitting(list, phase).some((one) => one.word === word);

/** Another phase: what it cannot know or do is left out. */
export function moveTo(draft, phase) {
  draft.at = phase;
  draft.conditions = draft.conditions.filter((one) => has(conditions, phase, one.word));
  draft.per = draft.per.filter((word) => has(counters, phase, word));
  draft.steps = draft.steps.map((step) => step.filter((one) => has(actions, phase, one.word)));
  if (!has(times, phase, draft.times.word)) draft.times = { word: "always", values: [] };
}

/** As in a file, in JSON: what `POST rules` takes. */
export function ruleOf(draft) {
  const rule = { at: draft.at };
  for (const name of ["name", "expires", "space"]) if (draft[name].trim()) rule[name] = draft[name].trim();
  const when = whenOf(draft.conditions.filter((one) => one.value.trim()));
  if (when) rule.when = when;
  if (draft.per.length) rule.per = draft.per;
  const steps = draft.steps.map((step) => step.map(textOf));
  if (draft.times.word === "steps") {
    rule.steps = steps;
  } else {
    const known = times.find((one) => one.word === draft.times.word);
    if (known.word !== "always") {
      const said = known.fields.map(([, example], index) => draft.times.values[index]?.trim() || example);
      rule.times = known.text(...said);
    }
    rule.do = steps[0];
  }
  return rule;
}

// What must not hold stands in one group: none of it.
function whenOf(conditions) {
  const positive = conditions.filter((one) => !one.isNot);
  const negative = conditions.filter((one) => one.isNot).map((one) => ({ [keyOf(one)]: valuesOf(one.value) }));
  const when = {};
  const again = [];
  for (const one of positive) {
    if (Object.hasOwn(when, keyOf(one))) again.push({ [keyOf(one)]: valuesOf(one.value) });
    else when[keyOf(one)] = valuesOf(one.value);
  }
  if (again.length) when.all = again;
  if (negative.length) when.not = negative.length > 1 ? { any: negative } : negative[0];
  return Object.keys(when).length ? when : null;
}

const keyOf = ({ word, field }) => word === "header" ? `header.${field.trim() || "subject"}` : word;

// Commas stand between values; in a regular expression they are its own.
function valuesOf(text) {
  const said = text.trim();
  const values = said.startsWith("/") ? [said] : said.split(",").map((one) => one.trim()).filter(Boolean);
  return values.length === 1 ? values[0] : values;
}

function textOf(action) {
  const value = action.value.trim();
  if (action.word === "reply") return value;
  return value ? `${action.word} ${value}` : action.word;
}
