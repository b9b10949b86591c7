// Which view is shown, from the part of the address after #. A view is a module `view-NAME.js` that is loaded when it
// is first needed; its `signal` fires when it is left. The list of sessions has its style sheet in index.html; those of
// the other views come behind it, so that nothing waits for them that does not need them.

import { h, replace } from "./dom.js";
import { errorBox } from "./parts.js";

const ROUTES = [
  ["sessions", "sessions"],
  ["sessions/:id", "session"],
  ["compare", "compare"],
  ["attempts", "attempts"],
  ["messages", "messages"],
  ["messages/:id", "message"],
  ["rules", "rules"],
  ["replies", "replies"],
  ["report", "report"],
  ["lessons", "lessons"],
  ["lessons/:name", "lessons"],
];

const FIRST = "sessions";
const STYLES = [
  "view-session", "diagram", "view-compare", "view-messages", "view-attempts", "view-rules", "view-report",
  "view-lessons",
];

let styling = null;
let leaving = null;
let area = null;
let onShown = () => {};

/** The address of a view, for `href`. */
export function link(path, query) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === "") continue;
    words.append(name, Array.isArray(value) ? value.join(",") : value);
  }
  // Readable words in the address bar: these need no escape in a fragment.
  const asked = words.toString().replace(/%2C/g, ",").replace(/%40/g, "@").replace(/%2F/g, "/");
  return "#/" + path.split("/").map(encodeURIComponent).join("/") + (asked ? "?" + asked : "");
}

/** Shows another view. */
export function go(path, query) {
  location.hash = link(path, query);
}

/** Says the state of the present view in the address bar, without a new entry in the history. */
export function setQuery(query) {
  const path = place().path.join("/");
  history.replaceState(history.state, "", link(path, query));
}

/** Starts: `main` holds the views; `shown(path, title)` is called for each. */
export function start(main, shown) {
  area = main;
  onShown = shown;
  addEventListener("hashchange", () => show(true));
  if (!location.hash.startsWith("#/")) history.replaceState(null, "", link(FIRST));
  show(false);
}

function place() {
  const [path, words] = location.hash.replace(/^#\/?/, "").split("?", 2);
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: Object.fromEntries(new URLSearchParams(words ?? "")),
  };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function match(path) {
  for (const [pattern, view] of ROUTES) {
    const parts = pattern.split("/");
    if (parts.length !== path.length) continue;
    const parameters = {};
    const isSame = parts.every((part, index) => {
      if (!part.startsWith(":")) return part === path[index];
      parameters[part.slice(1)] = path[index];
      return true;
    });
    if (isSame) return { view, parameters };
  }
  return null;
}

/** The style sheets of all views: at once in the document, so that their order is this one; there when they arrived. */
function styles() {
  styling ??= Promise.all(STYLES.map((name) => new Promise((resolve) => {
    // Without its style sheet a view can still be read.
    document.head.append(h("link", { rel: "stylesheet", href: `/page/${name}.css`, onLoad: resolve, onError: resolve }));
  })));
  return styling;
}

async function show(takesFocus) {
  const { path, query } = place();
  const found = match(path);
  leaving?.abort();
  leaving = new AbortController();
  const signal = leaving.signal;
  // A view that is still loading when it is left must not write into the next one.
  const view = h("div", { class: "view" });
  if (!found) {
    onShown(path[0] ?? "", "Not found");
    replace(area, errorBox({ title: "There is no such view", detail: "#/" + path.join("/") }));
    return;
  }
  try {
    const [module] = await Promise.all([
      import(`./view-${found.view}.js`), found.view === FIRST ? null : styles(),
    ]);
    if (signal.aborted) return;
    view.classList.add("view-" + found.view);
    replace(area, view);
    onShown(path[0], module.title);
    if (takesFocus) area.focus({ preventScroll: true });
    scrollTo(0, 0);
    await module.show(view, found.parameters, query, signal);
    styles();
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    console.error(error);
    if (!view.isConnected) replace(area, view);
    view.append(errorBox(error));
  }
}
