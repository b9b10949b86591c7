// Scenarios that can be loaded into the running sink: what each does, and whether its rules are in force.

import { get, post, remove } from "./api.js";
import { h, replace, visible } from "./dom.js";
import { emptyState } from "./parts.js";

/** `load(signal)` asks for them; `update(rules)` says which rules are in force; `changed()` is called then. */
export function scenarioList({ complain, changed }) {
  const element = h("div", { class: "scenarios" });
  let items = [];
  let names = [];

  async function load(signal) {
    const scenarios = await get("scenarios", {}, signal);
    items = scenarios.map((scenario) => scenarioItem(scenario, complain, changed));
    for (const item of items) item.update(names);
    replace(element, items.length ? items.map((item) => item.element)
      : emptyState("No scenario was found.", "They are files in the folder scenarios."));
  }

  function update(rules) {
    names = rules.filter((rule) => rule.origin === "run").map((rule) => rule.name);
    for (const item of items) item.update(names);
  }

  return { element, load, update };
}

function scenarioItem(scenario, complain, changed) {
  const path = `scenarios/${encodeURIComponent(scenario.name)}`;
  const state = h("span", { class: "scenario-state" });
  const act = (call) => async () => {
    try {
      await call(path);
      changed();
    } catch (error) {
      complain(error);
    }
  };
  const load = h("button", { type: "button", class: "primary", onClick: act(post) }, "Load");
  const away = h("button", { type: "button", onClick: act(remove) }, "Take away");
  const element = h("details", { class: "scenario" },
    h("summary", {}, h("strong", {}, scenario.name), " ", state, " ", h("span", { class: "quiet" }, scenario.about)),
    scenario.rules.length
      ? h("ul", {}, scenario.rules.map((line) => h("li", { class: "wire" }, visible(line))))
      : h("p", { class: "quiet" }, "It has no rules that could be loaded into a running fakemx."),
    h("p", { class: "bar" }, load, away));

  // Its rules are in force under its name and a number.
  function update(names) {
    const isLoaded = names.some((name) =>
      name.startsWith(scenario.name + "-") && /^\d+$/.test(name.slice(scenario.name.length + 1)));
    state.textContent = isLoaded ? "● loaded" : "";
    load.disabled = isLoaded || !scenario.rules.length;
    away.disabled = !isLoaded;
  }

  return { element, update };
}
