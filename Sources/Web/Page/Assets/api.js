// Asks the API of this fakemx. Whatever goes wrong is a `Problem` with a title and a detail to show (RFC 9457).

import { askToken, askTokenAgain, forgetToken, token } from "./token.js";

const ROOT = "/api/fakemx/";

/** What the API, or the way to it, complains about. */
export class Problem extends Error {
  constructor(object) {
    super(object.detail ?? object.title);
    this.title = object.title ?? "Something went wrong";
    this.detail = object.detail ?? "";
    this.status = object.status ?? 0;
    this.parameter = object.parameter;
    this.complaints = object.complaints ?? [];
    // What a reader can do about it: {label, act}.
    this.remedy = object.remedy;
  }
}

/** The address of a call: `path` is under /api/fakemx/ unless it begins with a slash; lists get commas. */
export function address(path, query) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined || value === null || value === "") continue;
    words.append(name, Array.isArray(value) ? value.join(",") : value);
  }
  const asked = words.toString();
  return (path.startsWith("/") ? path : ROOT + path) + (asked ? "?" + asked : "");
}

/** A response that is not a problem. Asks for a token where one is needed, and asks again with it. */
export async function ask(method, path, { query, body, type, headers, signal, keepalive } = {}) {
  for (;;) {
    const said = { ...headers };
    const used = token();
    if (used) said.Authorization = "Bearer " + used;
    if (body !== undefined) said["Content-Type"] = type ?? "application/json";
    let response;
    try {
      response = await fetch(address(path, query), {
        method, headers: said, signal, keepalive, cache: "no-store", credentials: "omit",
        body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem({ title: "fakemx does not answer", detail: "Is it still running? " + error.message });
    }
    if (response.ok) return response;
    if (response.status === 401) {
      forgetToken(used);
      if (await askToken()) continue;
      signal?.throwIfAborted();
      throw new Problem({
        status: 401, title: "A token is needed", detail: "This fakemx tells nothing without its token.",
        remedy: { label: "Say the token", act: askTokenAgain },
      });
    }
    throw await problemOf(response);
  }
}

async function problemOf(response) {
  const text = await response.text();
  try {
    return new Problem({ status: response.status, ...JSON.parse(text) });
  } catch {
    return new Problem({ status: response.status, title: `Status ${response.status}`, detail: text.slice(0, 500) });
  }
}

async function json(response) {
  return response.status === 204 ? null : response.json();
}

export async function get(path, query, signal) {
  return json(await ask("GET", path, { query, signal }));
}

export async function text(path, query, signal) {
  return (await ask("GET", path, { query, signal })).text();
}

/** `body`: an object goes as JSON, a string as it is, with `type` as its media type. */
export async function post(path, body, { query, type, signal } = {}) {
  return json(await ask("POST", path, { query, body, type, signal }));
}

export async function put(path, body, { query, type, signal } = {}) {
  return json(await ask("PUT", path, { query, body, type, signal }));
}

export async function patch(path, body, { query, signal } = {}) {
  return json(await ask("PATCH", path, { query, body, signal }));
}

export async function remove(path, query, signal) {
  return json(await ask("DELETE", path, { query, signal }));
}

/** Removes what belongs to a view that is left: it goes on its way even where the whole page is left. */
export function removeOnLeaving(path) {
  ask("DELETE", path, { keepalive: true }).catch(() => {
    // Nobody is there to be told.
  });
}

export { events, onConnection } from "./events.js";
