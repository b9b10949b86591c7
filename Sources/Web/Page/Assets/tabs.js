// Tabs whose panels are made when they are shown; arrows move between them, as the pattern of ARIA has it.

import { h, replace } from "./dom.js";

/**
 * `all`: `[name, word, make() -> nodes]`; `changed(name)` is called when the reader takes another.
 *
 * Returns `{element, now, show}`.
 */
export function tabs(all, first, changed) {
  const panel = h("div", { role: "tabpanel", id: "panel" });
  const buttons = all.map(([name, word]) => h("button", {
    type: "button", role: "tab", id: "tab-" + name, "aria-controls": "panel", onClick: () => choose(name),
    onKeydown: (event) => move(event, name),
  }, word));
  const self = {
    element: h("div", {}, h("div", { role: "tablist" }, buttons), panel),
    now: all.some(([name]) => name === first) ? first : all[0][0],
    show(name) {
      self.now = name;
      for (const [index, [other]] of all.entries()) {
        buttons[index].setAttribute("aria-selected", String(other === name));
        buttons[index].tabIndex = other === name ? 0 : -1;
      }
      panel.setAttribute("aria-labelledby", "tab-" + name);
      replace(panel, all.find(([other]) => other === name)[2]());
    },
  };
  function choose(name) {
    self.show(name);
    changed(name);
  }
  function move(event, name) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const index = all.findIndex(([other]) => other === name);
    const next = (index + step + all.length) % all.length;
    choose(all[next][0]);
    buttons[next].focus();
  }
  return self;
}
