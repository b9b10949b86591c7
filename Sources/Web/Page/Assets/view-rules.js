// Rules: built, looked at while they fire, switched off and on, removed; scenarios to load.

import { events, get } from "./api.js";
import { clip, h, replace, visible } from "./dom.js";
import { errorBox } from "./parts.js";
import { ruleBuilder } from "./rule-builder.js";
import { ruleRows } from "./rule-rows.js";
import { scenarioList } from "./scenario-list.js";

export const title = "Rules";

const REFRESH_EVERY_MS = 250;

export async function show(main, parameters, query, signal) {
  const trouble = h("div");
  const complain = (error) => {
    if (error.name === "AbortError") return;
    replace(trouble, errorBox(error));
    trouble.scrollIntoView({ block: "center" });
  };
  // What is in force is another thing, not only what the rules did.
  const changed = () => {
    replace(trouble);
    refresh();
    scenarios.load(signal).catch(complain);
  };
  const builder = ruleBuilder({
    start: query, signal, onSet: changed, onShow: (name) => {
      wanted = name;
      refresh();
    },
  });
  const build = h("details", { class: "panel", open: true },
    h("summary", {}, h("h2", {}, "Build a rule")), builder.element);
  const rows = ruleRows({
    complain, changed, edit: (rule) => {
      build.open = true;
      builder.edit(rule);
    },
  });
  const gone = h("p", { class: "quiet" });
  let wanted = query.name;
  const reveal = () => {
    if (!rows.reveal(wanted)) replace(gone, "There is no rule ", visible(clip(wanted, 100)), " any more.");
    wanted = null;
  };
  const scenarios = scenarioList({ complain, changed });
  replace(main,
    h("h1", {}, title), trouble, build,
    h("h2", {}, "In force, in the order in which they are asked"), gone, rows.list,
    h("h2", {}, "Scenarios"),
    h("p", { class: "quiet" }, "Rules that belong together. Loaded, they stand in front of all others."),
    scenarios.element);

  let isAsking = false, isStale = false;
  async function refresh() {
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    try {
      while (isStale && !signal.aborted) {
        isStale = false;
        const { rules } = await get("rules", {}, signal);
        rows.update(rules);
        if (wanted) reveal();
        await new Promise((resolve) => setTimeout(resolve, REFRESH_EVERY_MS));
      }
    } catch (error) {
      complain(error);
    }
    isAsking = false;
  }

  const happened = (event) => event.kind === "rule" ? refresh() : changed();
  signal.addEventListener("abort", events({ kind: ["rule", "rules", "reset"] }, happened));
  changed();
}
