// The rules in force with what they did and what remains of them, kept up to date row by row, so that whoever has the
// focus in one keeps it.

import { patch, remove } from "./api.js";
import { h, replace, visible, visibleText } from "./dom.js";
import { copyButton, emptyState } from "./parts.js";
import { link } from "./router.js";
import { inFile } from "./rule-check.js";

const FEW = 2;

/** `update(rules)` shows them in `list`, `reveal(name)` leads to one that is there. `changed()` is called behind a change, `edit(rule)` to begin one. */
export function ruleRows({ complain, changed, edit }) {
  const list = h("div", { class: "rule-list", "aria-busy": true });
  const rows = new Map();

  function update(rules) {
    list.ariaBusy = "false";
    if (!rules.length) {
      rows.clear();
      replace(list, emptyState("No rules: every message is accepted, but for recipients that ask for something else.",
        "Build one, load a scenario, or send to ", h("code", {}, "rcpt-550@any.test"), "."));
      return;
    }
    const order = rules.map((rule) => {
      let row = rows.get(rule.name);
      if (row?.line !== rule.line || row.origin !== rule.origin) row = ruleRow(rule, { complain, changed, edit });
      rows.set(rule.name, row);
      row.update(rule);
      return row.node;
    });
    const names = new Set(rules.map((rule) => rule.name));
    for (const name of rows.keys()) if (!names.has(name)) rows.delete(name);
    const isSame = order.length === list.children.length && order.every((node, index) => node === list.children[index]);
    if (!isSame) list.replaceChildren(...order);
  }

  function reveal(name) {
    for (const [other, row] of rows) row.node.classList.toggle("wanted", other === name);
    const node = rows.get(name)?.node;
    node?.scrollIntoView({ block: "center" });
    node?.focus({ preventScroll: true });
    return Boolean(node);
  }

  return { list, update, reveal };
}

function ruleRow(rule, { complain, changed, edit }) {
  const { line, origin } = rule;
  const path = () => `rules/${encodeURIComponent(rule.name)}`;
  const attempt = (call) => async () => {
    try {
      await call();
      changed();
    } catch (error) {
      complain(error);
    }
  };
  const toggle = h("button", {
    type: "button", role: "switch", class: "switch", onClick: attempt(() => patch(path(), { enabled: !rule.enabled })),
  });
  const counts = h("p", { class: "rule-counts" });
  const keys = h("summary");
  const present = h("ul", { class: "present" });
  const presence = h("details", { hidden: true }, keys, present);
  const head = h("h3", {});
  // What the configuration says is changed there.
  const ours = origin === "run" ? [
    h("button", { type: "button", onClick: () => edit(rule) }, "Change"),
    h("button", { type: "button", onClick: attempt(() => remove(path())) }, "Remove"),
  ] : null;
  const node = h("article", { class: "rule", tabindex: "-1", "aria-label": `Rule ${visibleText(rule.name)}` },
    h("div", { class: "rule-head" }, toggle, head,
      copyButton(line, "Copy line"), copyButton(inFile(rule.yaml), "Copy YAML"), ours),
    h("p", { class: "wire" }, visible(line)), counts, presence);

  function update(said) {
    rule = said;
    node.classList.toggle("off", !rule.enabled);
    toggle.setAttribute("aria-checked", rule.enabled);
    toggle.setAttribute("aria-label", `Rule ${rule.name}`);
    toggle.textContent = rule.enabled ? "on" : "off";
    replace(head, visible(rule.name), " ", h("span", { class: "quiet" }, facts(rule)));
    replace(counts, h("strong", {}, `${rule.hits} fired`), ` of ${rule.matches} that met it · `, visible(rule.remains),
      rule.hits ? [" · ", h("a", { href: link("sessions", { rule: rule.name }) }, "sessions")] : null);
    // A few are named in what remains.
    presence.hidden = rule.present.length <= FEW;
    replace(keys, `${rule.present.length} that are counted`);
    replace(present, rule.present.map((one) => h("li", {},
      visible(one.key), `: ${one.count} now`, one.refused === undefined ? "" : `, ${one.refused} refused`)));
  }

  return { line, origin, node, update };
}

function facts(rule) {
  const words = [`at ${rule.at}`, rule.origin === "run" ? "set at run time" : "from the configuration"];
  if (rule.spaces.length) words.push(`for the space ${rule.spaces.join(", ")}`);
  if (rule.expires_in_s !== undefined && rule.expires_in_s !== null) {
    const end = new Date(Date.now() + rule.expires_in_s * 1000);
    words.push(`goes away at ${end.toLocaleTimeString("en-GB")}`);
  }
  return words.join(" · ");
}
