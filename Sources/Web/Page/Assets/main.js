// Starts the page: navigation, colour scheme, live counts, and the view that the address names.

import { events, get, onConnection } from "./api.js";
import { h, replace } from "./dom.js";
import { link, start } from "./router.js";

const VIEWS = ["sessions", "messages", "attempts", "rules", "replies", "report", "lessons"];
// A view that belongs to another's place in the navigation.
const PARENT = { compare: "sessions" };
const COUNTS_EVERY_MS = 1500;

function navigation() {
  const list = document.getElementById("navigation");
  const links = new Map(VIEWS.map((name) => {
    const word = name[0].toUpperCase() + name.slice(1);
    return [name, h("a", { href: link(name) }, word, h("span", { class: "count", "data-count": name }))];
  }));
  replace(list, [...links.values()].map((anchor) => h("li", {}, anchor)));
  return (path) => {
    for (const [name, anchor] of links) {
      if (name === (PARENT[path] ?? path)) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
  };
}

function scheme() {
  const button = document.getElementById("scheme");
  const order = ["auto", "light", "dark"];
  const use = (word) => {
    if (word === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = word;
    replace(button, { auto: "◐", light: "☼", dark: "☾" }[word]);
    button.title = `Colours: ${word}`;
    button.setAttribute("aria-label", `Colours: ${word}. Press to change.`);
  };
  let now = order.includes(localStorage.getItem("fakemx-theme")) ? localStorage.getItem("fakemx-theme") : "auto";
  use(now);
  button.addEventListener("click", () => {
    now = order[(order.indexOf(now) + 1) % order.length];
    localStorage.setItem("fakemx-theme", now);
    use(now);
  });
}

// Counts are asked for, not too often: adding up events would go wrong where some were missed.
function counts() {
  const short = (number) => number < 10_000 ? String(number) : `${Math.floor(number / 1000)}k`;
  const put = (name, number) => {
    const place = document.querySelector(`[data-count="${name}"]`);
    replace(place, number ? " " + short(number) : "");
  };
  let waiting = false, again = false;
  const refresh = async () => {
    if (waiting) {
      again = true;
      return;
    }
    waiting = true;
    try {
      const info = await get("info");
      put("sessions", info.sessions.kept);
      put("messages", info.messages.kept);
      const name = document.getElementById("version");
      replace(name, `${info.version}`);
      name.title = `store ${info.store}, listeners ${info.listeners.join(", ")}, run ${info.run}`;
    } catch {
      // The mark of the connection says it.
    }
    setTimeout(() => {
      waiting = false;
      if (again) {
        again = false;
        refresh();
      }
    }, COUNTS_EVERY_MS);
  };
  events({ kind: ["session", "reset"] }, refresh);
  refresh();
}

function connection() {
  const mark = document.getElementById("live");
  onConnection((isLive) => {
    mark.className = isLive ? "live" : "live broken";
    replace(mark, isLive ? "● live" : "○ not connected");
  });
}

// Behind # stands the view, so this link may not lead there.
function skipping() {
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });
}

const mark = navigation();
skipping();
scheme();
connection();
start(document.getElementById("main"), (path, title) => {
  mark(path);
  document.title = `${title} · fakemx`;
});
counts();
