// Tabs: one stop for the Tab key, arrows between them, and what a tab shows is made when it is first looked at.

import { h, replace } from "./dom.js";

/** `list`: `[name, label, () => node]`. `chosen(name)` is told. Returns the element, with `choose(name)`. */
export function tabs(list, first, chosen) {
  const made = new Map();
  const panel = h("div", { role: "tabpanel", id: "tab-panel", tabindex: "0" });
  const buttons = list.map(([name, label]) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tab-panel", onClick: () => choose(name),
    onKeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const index = list.findIndex(([one]) => one === name);
      const next = list[(index + step + list.length) % list.length][0];
      choose(next);
      element.querySelector(`#tab-${next}`).focus();
      event.preventDefault();
    },
  }, label));

  function choose(name) {
    const index = Math.max(0, list.findIndex(([one]) => one === name));
    const [known, , make] = list[index];
    buttons.forEach((button, place) => {
      button.setAttribute("aria-selected", place === index);
      button.tabIndex = place === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${known}`);
    if (!made.has(known)) made.set(known, make());
    replace(panel, made.get(known));
    chosen(known);
  }

  const element = h("div", { class: "tabs" }, h("div", { role: "tablist" }, buttons), panel);
  choose(first);
  return { element, choose };
}
