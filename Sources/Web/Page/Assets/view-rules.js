// Rules: built, looked at while they fire, switched off and on, removed; scenarios to load.

import { events, get, post, remove } from "./api.js";
import { h, replace, visible } from "./dom.js";
import { emptyState, errorBox } from "./parts.js";
import { ruleBuilder } from "./rule-builder.js";
import { ruleRows } from "./rule-rows.js";

export const title = "Rules";

const REFRESH_MS = 250;

export async function show(main, parameters, query, signal) {
  const trouble = h("div");
  const said = h("p", { role: "status", class: "quiet" });
  const complain = (error) => {
    if (error.name !== "AbortError") replace(trouble, errorBox(error));
  };
  const rows = ruleRows({ complain, changed: () => refresh() });
  const scenarios = h("div", { class: "scenarios" });
  const builder = ruleBuilder({
    start: query, signal, onSet: (rule) => {
      said.replaceChildren("Set: ", visible(rule.line));
      refresh();
    },
  });
  replace(main,
    h("h1", {}, "Rules"), trouble,
    h("details", { class: "panel", open: true },
      h("summary", {}, h("h2", {}, "Build a rule")), builder, said),
    h("h2", {}, "In force, in the order in which they are asked"), rows.list,
    h("h2", {}, "Scenarios"),
    h("p", { class: "quiet" }, "Rules that belong together. Loaded, they stand in front of all others."), scenarios);

  let isAsking = false, isStale = false;
  async function refresh() {
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    try {
      while (isStale && !signal.aborted) {
        isStale = false;
        rows.update((await get("rules", {}, signal)).rules);
        await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      }
    } catch (error) {
      complain(error);
    }
    isAsking = false;
  }

  signal.addEventListener("abort", events({ kind: ["rule", "rules", "reset"] }, refresh));
  await Promise.all([refresh(), drawScenarios(scenarios, signal, complain)]);
}

async function drawScenarios(place, signal, complain) {
  const list = await get("scenarios", {}, signal);
  replace(place, list.length ? list.map((scenario) => scenarioItem(scenario, complain))
    : emptyState("No scenario was found.", "They are files in the folder scenarios."));
}

function scenarioItem(scenario, complain) {
  const path = `scenarios/${encodeURIComponent(scenario.name)}`;
  const done = h("span", { role: "status", class: "quiet" });
  const act = (call, word) => async () => {
    try {
      await call(path);
      done.textContent = word;
    } catch (error) {
      complain(error);
    }
  };
  return h("details", { class: "scenario" },
    h("summary", {}, h("strong", {}, scenario.name), " ", h("span", { class: "quiet" }, scenario.about)),
    scenario.rules.length
      ? h("ul", {}, scenario.rules.map((line) => h("li", { class: "wire" }, visible(line))))
      : h("p", { class: "quiet" }, "It has no rules that could be loaded into a running fakemx."),
    h("p", { class: "bar" },
      h("button", { type: "button", class: "primary", disabled: !scenario.rules.length, onClick: act(post, "Loaded.") },
        "Load"),
      h("button", { type: "button", onClick: act(remove, "Its rules are removed.") }, "Take away"), done));
}
