// What the server says of a rule that is being built: its one line and its YAML, or what is wrong with it and where.
// Sets the rule when asked to.

import { post, put } from "./api.js";
import { h, replace, visible } from "./dom.js";
import { visibleLines } from "./lines.js";
import { copyButton, errorBox } from "./parts.js";

const PAUSE_MS = 150;

/**
 * `look(body, type)` checks; `line` is what it came to; `panel` shows it, and what was set. `replaces` is the name of
 * the rule whose place it takes, or null. `onShow(name)` leads to a rule that is in force.
 */
export function ruleCheck({ onSet, onShow, signal }) {
  let asked = null;
  let waiting = 0;
  let body = "", type = "";
  const result = h("div", { class: "check-result", role: "status" });
  const set = h("button", { type: "button", class: "primary", disabled: true, onClick: setRule }, "Set this rule");
  const where = h("p", { class: "quiet" });
  const done = h("p", { role: "status" });
  const panel = h("section", { class: "check", "aria-label": "The rule as text" },
    h("h3", {}, "The same as text"), result,
    h("p", {}, set), where, done);
  const self = { panel, line: "", look, replaces: null };

  function look(newBody, newType) {
    [body, type] = [newBody, newType];
    replace(where, "In force at once, ", self.replaces ? ["in the place of ", visible(self.replaces)]
      : "in front of all others", ", until fakemx stops.");
    if (done.hasChildNodes()) replace(done);
    set.disabled = true;
    panel.ariaBusy = "true";
    // The answer of a check that is under way is about another text.
    asked?.abort();
    clearTimeout(waiting);
    waiting = setTimeout(check, PAUSE_MS);
  }

  async function check() {
    asked = new AbortController();
    const stop = AbortSignal.any([signal, asked.signal]);
    try {
      const rule = await post("rules", body, { query: { check: true }, type, signal: stop });
      self.line = rule.line;
      set.disabled = false;
      replace(result, form("On a line", rule.line), form("In a file", inFile(rule.yaml)),
        complaints(rule.warnings?.map((message) => ({ message, is_warning: true }))));
    } catch (error) {
      if (error.name === "AbortError") return;
      replace(result, error.complaints?.length ? complaints(error.complaints) : errorBox(error));
    }
    panel.ariaBusy = "false";
  }

  async function setRule() {
    set.disabled = true;
    const asSet = body;
    try {
      const path = `rules/${encodeURIComponent(self.replaces)}`;
      const rule = await (self.replaces ? put(path, body, { type, signal }) : post("rules", body, { type, signal }));
      replace(done, h("strong", {}, "✓ In force: "), h("span", { class: "wire" }, visible(rule.line)), " ",
        h("button", { type: "button", class: "link", onClick: () => onShow(rule.name) }, "show it"));
      onSet();
      // What was written meanwhile is checked first.
      if (body === asSet) set.disabled = false;
    } catch (error) {
      if (error.name !== "AbortError") replace(result, errorBox(error));
    }
  }

  return self;
}

/** The YAML of a rule where it stands in a file. */
export const inFile = (yaml) => `rules:\n  - ${yaml.trimEnd().replaceAll("\n", "\n    ")}\n`;

const form = (title, text) => h("div", { class: "rule-form" },
  h("h4", {}, title, " ", copyButton(text)), h("pre", { class: "wire", tabindex: "0", "aria-label": title },
    visibleLines(text)));

function complaints(list) {
  if (!list?.length) return null;
  return h("ul", { class: "complaints" }, list.map((one) => h("li", { class: one.is_warning ? "warning" : "wrong" },
    h("strong", {}, one.is_warning ? "Note: " : "Wrong: "), place(one), visible(one.message))));
}

function place(complaint) {
  const said = [["line", complaint.line], ["column", complaint.column]].filter(([, number]) => number);
  return said.length ? said.map(([word, number]) => `${word} ${number}`).join(", ") + ": " : "";
}
