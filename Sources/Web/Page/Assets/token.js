// The bearer token of the API, where one is set: asked for once, kept for as long as the tab lives.

import { h } from "./dom.js";
import { dialog } from "./parts.js";

const KEY = "fakemx-token";
let asking = null;
let wasRefused = false;

export function token() {
  return sessionStorage.getItem(KEY);
}

/** A token that was refused is forgotten, unless a newer one was said meanwhile. */
export function forgetToken(refused) {
  if (!refused || token() !== refused) return;
  sessionStorage.removeItem(KEY);
  wasRefused = true;
}

/** Returns when a token was said; several that wait share one dialog. */
export function askToken() {
  if (token()) return Promise.resolve();
  asking ??= new Promise((resolve) => {
    const field = h("input", { type: "password", id: "token", autocomplete: "off", required: true });
    const said = (event) => {
      event.preventDefault();
      if (!field.value) return;
      sessionStorage.setItem(KEY, field.value);
      box.close();
    };
    const box = dialog("A token is needed",
      h("form", { onSubmit: said },
        wasRefused ? h("p", { class: "problem", role: "alert" }, "That token was refused.") : null,
        h("p", {}, "This fakemx was started with a token for its API. It is kept in this tab only."),
        h("p", {}, h("label", { for: "token" }, "Token "), field),
        h("button", { type: "submit", class: "primary" }, "Go on")));
    box.addEventListener("close", () => {
      asking = null;
      resolve();
    });
    field.focus();
  });
  return asking;
}
