// The bearer token of the API, where one is set: asked for once, kept for as long as the tab lives.

import { h } from "./dom.js";
import { dialog } from "./parts.js";

const KEY = "fakemx-token";
let asking = null;
let isDeclined = false;
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

/** Whether a token was said. Several that wait share one dialog; who closed it is not asked again unless he wants. */
export function askToken() {
  if (token()) return Promise.resolve(true);
  if (isDeclined) return Promise.resolve(false);
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
      isDeclined = !token();
      resolve(!isDeclined);
    });
    field.focus();
  });
  return asking;
}

/** Asks one who closed the dialog, as he wants it now. With a token the page begins anew. */
export async function askTokenAgain() {
  isDeclined = false;
  if (await askToken()) location.reload();
}
