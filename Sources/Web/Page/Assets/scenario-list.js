// Scenarios that lie ready: what each does, and whether its rules are in force.

import { get, post, remove } from "./api.js";
import { h, replace, visible } from "./dom.js";
import { emptyState } from "./parts.js";

/** `load(signal)` asks for them, again when rules have changed; `changed()` is called behind what was done here. */
export function scenarioList({ complain, changed }) {
  const element = h("div", { class: "scenarios", "aria-busy": true });
  const items = new Map();

  async function load(signal) {
    const { scenarios } = await get("scenarios", {}, signal);
    const isSame = scenarios.length === items.size && scenarios.every((one) => items.has(one.name));
    if (!isSame) {
      items.clear();
      for (const one of scenarios) items.set(one.name, scenarioItem(one, complain, changed));
      replace(element, scenarios.length ? [...items.values()].map((item) => item.element)
        : emptyState("No scenario was found.", "They are files in the folder scenarios."));
    }
    for (const one of scenarios) items.get(one.name).update(one.is_set);
    element.ariaBusy = "false";
  }

  return { element, load };
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
    h("ul", {}, scenario.rules.map((line) => h("li", { class: "wire" }, visible(line)))),
    scenario.trouble ? h("p", { class: "wire" }, visible(scenario.trouble)) : null,
    scenario.left_out.length
      ? h("p", { class: "quiet" }, `What else it says needs a start with --scenario ${scenario.name}: `,
        `${scenario.left_out.join(", ")}.`) : null,
    h("p", { class: "bar" }, load, away));

  function update(isSet) {
    state.textContent = isSet ? "● loaded" : scenario.trouble ? "✕ broken" : "";
    load.disabled = isSet || !scenario.rules.length;
    away.disabled = !isSet;
  }

  return { element, update };
}
