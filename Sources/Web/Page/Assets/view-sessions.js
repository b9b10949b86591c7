// The live list of sessions.

import { get } from "./api.js";
import { h } from "./dom.js";
import { phaseStrip, verdictMark, time, duration, table } from "./parts.js";

export const title = "Sessions";

export async function show(main, parameters, query, signal) {
  const { sessions } = await get("sessions", { ...query, limit: 50 }, signal);
  main.append(h("h1", {}, title), table([
    { title: "Time", cell: (one) => time(one.started) },
    { title: "Phase", cell: phaseStrip },
    { title: "Verdict", cell: (one) => verdictMark(one.verdict) },
    { title: "Duration", class: "number", cell: (one) => duration(one.duration_us) },
  ], sessions, { caption: "Sessions" }));
}
