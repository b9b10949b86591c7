// Builds a rule by choosing where, when, how often and what. What was chosen is checked by the server as it changes,
// and shown as the one line and the YAML that say the same. Whoever knows the words may write instead.

import { get } from "./api.js";
import { h, replace } from "./dom.js";
import { moveTo, newAction, newCondition, newDraft, ruleOf } from "./rule-draft.js";
import { link } from "./router.js";
import { ruleCheck } from "./rule-check.js";
import { actions, conditions, counters, fitting, phases, times } from "./rule-words.js";

/**
 * `start`: {at, use, to}; `onSet()` is called when a rule is in force, `onShow(name)` to lead to it; `edit(rule)`
 * begins with what there is.
 */
export function ruleBuilder({ start, onSet, onShow, signal }) {
  const draft = newDraft(start);
  const check = ruleCheck({ onSet, onShow, signal });
  const fields = h("div", { class: "builder-fields" });
  const changed = () => check.look(ruleOf(draft), "application/json");
  const sections = [whereSection, whenSection, timesSection, whatSection, moreSection];

  // What is drawn anew loses the focus: it goes to what stands in the same place then, as a row that was added.
  function draw() {
    const place = controls().indexOf(document.activeElement);
    replace(fields, sections.map((section) => section(draft, changed, draw)));
    changed();
    if (place >= 0) controls()[Math.min(place, controls().length - 1)].focus();
  }
  const controls = () => [...fields.querySelectorAll("input, select, summary, button:enabled")];

  const written = h("textarea", {
    id: "rule-text", rows: "4", spellcheck: "false", class: "wire",
    onInput: () => check.look(written.value, typeOf(written.value)),
  });
  const writing = h("div", { class: "builder-text", hidden: true },
    h("label", { for: "rule-text" }, "One line, or the YAML of one rule"), written);
  const modes = h("div", { class: "segmented", role: "group", "aria-label": "How to say the rule" },
    [["Choose", choose], ["Write", () => write(check.line)]].map(([word, onClick]) =>
      h("button", { type: "button", onClick }, word)));

  function turn(isWriting) {
    [...modes.children].forEach((one, index) => one.setAttribute("aria-pressed", isWriting === (index === 1)));
    writing.hidden = !isWriting;
    fields.hidden = isWriting;
  }

  function choose() {
    turn(false);
    check.replaces = null;
    changed();
  }

  function write(text) {
    turn(true);
    written.value = text;
    check.look(text, typeOf(text));
    written.focus();
  }

  draw();
  choose();
  return {
    element: h("div", { class: "builder" }, h("div", {}, modes, fields, writing), check.panel),
    // Its name stands where it is put, so that the line is free of it.
    edit: (rule) => {
      check.replaces = rule.name;
      write(rule.line.replace(/^(\S+) name=\S+/, "$1"));
    },
  };
}

const HOLDING = [{ word: "is", label: "is" }, { word: "not", label: "is not" }];

/** A line begins with its phase; anything with a key in front is YAML. */
const typeOf = (text) => /^\s*(-\s*)?[a-z]+:(\s|$)/.test(text) && /(^|\n)\s*(-\s*)?(at|do|steps|name|line):/.test(text)
  ? "application/yaml" : "text/plain";

const section = (title, hint, ...content) =>
  h("fieldset", {}, h("legend", {}, title), hint && h("p", { class: "quiet" }, hint), ...content);

function whereSection(draft, changed, draw) {
  return section("Where", "", h("div", { class: "phase-choice" }, phases.map((phase) => {
    const id = `at-${phase.word}`;
    return h("span", {}, h("input", {
      type: "radio", name: "at", id, value: phase.word, checked: phase.word === draft.at,
      onChange: () => {
        moveTo(draft, phase.word);
        draw();
      },
    }), h("label", { for: id, title: phase.about }, phase.word));
  })), h("p", { class: "quiet" }, phases.find((phase) => phase.word === draft.at).about));
}

function whenSection(draft, changed, draw) {
  const known = fitting(conditions, draft.at);
  const rows = draft.conditions.map((condition, index) => {
    const word = known.find((one) => one.word === condition.word);
    return h("li", { class: "builder-row" },
      choice("Condition", known, condition.word, (chosen) => {
        draft.conditions[index] = newCondition(chosen);
        draw();
      }),
      word.named ? input("Name of the header field", condition, "field", "Subject", changed) : null,
      choice("Holds or not", HOLDING, condition.isNot ? "not" : "is", (chosen) => {
        condition.isNot = chosen === "not";
        changed();
      }),
      input(`Value of ${word.label}`, condition, "value", word.example, changed),
      removeButton("condition", () => draft.conditions.splice(index, 1), draw));
  });
  const hint = rows.length ? "All of it has to hold. Commas stand between alternatives; * is any text." : "Always.";
  return section("When", hint,
    h("ol", { class: "builder-rows" }, rows), h("button", {
      type: "button", class: "add-condition", onClick: () => {
        const used = new Set(draft.conditions.map((one) => one.word));
        draft.conditions.push(newCondition((known.find((one) => !used.has(one.word)) ?? known[0]).word));
        draw();
      },
    }, "Add a condition"));
}

function timesSection(draft, changed, draw) {
  const known = fitting(times, draft.at);
  const chosen = known.find((one) => one.word === draft.times.word);
  const fields = chosen.fields.map(([label, example], index) => shortField(label, {
    value: draft.times.values[index] ?? example, size: "7",
  }, (value) => {
    draft.times.values[index] = value;
    changed();
  }));
  const per = fitting(counters, draft.at).map((counter) => h("label", { class: "tick" }, h("input", {
    type: "checkbox", checked: draft.per.includes(counter.word), onChange: (event) => {
      draft.per = event.currentTarget.checked
        ? [...draft.per, counter.word] : draft.per.filter((word) => word !== counter.word);
      changed();
    },
  }), counter.word));
  const kind = choice("How often", known, draft.times.word, (word) => {
    draft.times = { word, values: [] };
    if (word === "steps" && draft.steps.length < 2) draft.steps.push([newAction("accept")]);
    draw();
  });
  return section("How often", "", h("div", { class: "builder-row" }, kind, fields),
    h("details", { open: draft.per.length > 0 },
      h("summary", {}, "Counted for each …"), h("div", { class: "ticks" }, per)));
}

function whatSection(draft, changed, draw) {
  const isSteps = draft.times.word === "steps";
  const lists = isSteps ? draft.steps : draft.steps.slice(0, 1);
  const known = fitting(actions, draft.at);
  return section("What", isSteps ? "Each use takes the next step; the last one stays." : "In this order.",
    lists.map((step, number) => h("div", { class: "builder-step" },
      isSteps ? h("h4", {}, `Step ${number + 1}`) : null,
      h("ol", { class: "builder-rows" }, step.map((_, index) => actionRow(step, index, known, changed, draw))),
      h("button", {
        type: "button", onClick: () => {
          step.push(newAction(step.length ? "close" : "reply"));
          draw();
        },
      }, "Add an action"),
      isSteps && lists.length > 1 ? [" ", h("button", {
        type: "button", onClick: () => {
          draft.steps.splice(number, 1);
          draw();
        },
      }, "Remove this step")] : null)),
    isSteps ? h("button", {
      type: "button", onClick: () => {
        draft.steps.push([newAction("accept")]);
        draw();
      },
    }, "Add a step") : null);
}

function actionRow(step, index, known, changed, draw) {
  const action = step[index];
  const word = known.find((one) => one.word === action.word);
  return h("li", { class: "builder-row" },
    choice("Action", known, action.word, (chosen) => {
      step[index] = newAction(chosen);
      draw();
    }),
    word.field ? input(`${word.label}: ${word.field}`, action, "value", word.example, changed, choicesOf(word)) : null,
    word.word === "use" ? h("a", { href: link("replies") }, "the catalogue") : null,
    h("button", {
      type: "button", class: "small", "aria-label": "Earlier", title: "Earlier", disabled: index === 0, onClick: () => {
        step.splice(index - 1, 2, step[index], step[index - 1]);
        draw();
      },
    }, "↑"),
    removeButton("action", () => step.splice(index, 1), draw));
}

function moreSection(draft, changed) {
  const field = (label, name, example) =>
    shortField(label, { value: draft[name], placeholder: example, size: "14" }, (value) => {
      draft[name] = value;
      changed();
    });
  const isSaid = Boolean(draft.name || draft.space || draft.expires);
  return h("details", { class: "builder-more", open: isSaid }, h("summary", {}, "Name, space, end"),
    h("div", { class: "builder-row" }, field("Name", "name", "by itself"), field("For the space", "space", "everybody"),
      field("Goes away after", "expires", "never, 10m")));
}

const shortField = (label, attributes, onSaid) => h("label", { class: "inline-field" }, label, " ",
  h("input", { ...attributes, spellcheck: "false", onInput: (event) => onSaid(event.currentTarget.value) }));

const choice = (label, options, chosen, onChosen) => h("select", {
  "aria-label": label, onChange: (event) => onChosen(event.currentTarget.value),
}, options.map((option) => h("option", { value: option.word, selected: option.word === chosen }, option.label)));

let lists = 0;
let catalogue = null;

/** What is offered for an action, as a list for its field; undefined where there is nothing to offer. */
function choicesOf(word) {
  if (!word.choices && word.word !== "use") return undefined;
  const list = h("datalist", { id: `choices-${++lists}` });
  const fill = (names) => replace(list, names.map((name) => h("option", { value: name })));
  if (word.choices) {
    fill(word.choices);
  } else {
    // The names of the catalogue are asked for when a rule first needs one.
    catalogue ??= get("replies").then(({ replies }) => replies.map((reply) => reply.name));
    catalogue.then(fill, () => { catalogue = null; });
  }
  return list;
}

const input = (label, target, key, example, changed, list) => [h("input", {
  "aria-label": label, title: label, value: target[key], placeholder: example, list: list?.id, spellcheck: "false",
  class: "wide wire",
  onInput: (event) => {
    target[key] = event.currentTarget.value;
    changed();
  },
}), list];

const removeButton = (what, take, draw) => h("button", {
  type: "button", class: "small", "aria-label": `Remove this ${what}`, title: `Remove this ${what}`, onClick: () => {
    take();
    draw();
  },
}, "✕");
