// The diagram as a file of its own, SVG or PNG, and a session as Markdown.

import { visibleText } from "./dom.js";
import { moment, rowsOf, sentenceOf } from "./diagram-model.js";

/** Canvases are not larger than this in any browser. */
const MOST_PIXELS = 16_000;
const SHEET = "diagram.css";

/** A drawn diagram as text of an SVG file that needs nothing else. */
export function standalone(element) {
  const copy = element.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  style.textContent = rules();
  copy.prepend(style);
  // What XML cannot say at all was made visible before; U+FFFE and U+FFFF are left.
  return '<?xml version="1.0" encoding="UTF-8"?>\n'
    + new XMLSerializer().serializeToString(copy).replace(/[\ufffe\uffff]/g, "\ufffd");
}

// The rules of the style sheet, with the values that the custom properties have at present.
function rules() {
  const sheet = [...document.styleSheets].find((one) => one.href?.endsWith(SHEET));
  const text = [...sheet.cssRules].map((rule) => rule.cssText).join("\n");
  const probe = document.createElement("span");
  document.body.append(probe);
  const valueOf = (name) => {
    const said = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    if (!said.includes("(")) return said;
    probe.style.color = said;
    return getComputedStyle(probe).color;
  };
  const done = text.replace(/var\((--[a-z-]+)\)/g, (_, name) => valueOf(name));
  probe.remove();
  return done;
}

/** A drawn diagram as a PNG; twice as fine as the screen where that fits. */
export async function picture(element) {
  const width = element.width.baseVal.value, height = element.height.baseVal.value;
  const factor = Math.min(2, MOST_PIXELS / height, MOST_PIXELS / width);
  const address = URL.createObjectURL(new Blob([standalone(element)], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * factor);
    canvas.height = Math.round(height * factor);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large for this browser"))), "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** A session for an issue or a mail: what became of it, its rows, its findings. */
export function markdown(session) {
  const { rows } = rowsOf(session, { isUnfolded: true });
  const facts = [
    ["client", session.client], ["HELO", session.helo], ["started", session.started],
    ["verdict", session.verdict ?? "no mail"], ["refused at", session.rejected_at], ["reply", session.reply],
      ["rule", session.rule],
    ["TLS", session.tls ? `${session.tls.version} ${session.tls.cipher}` : "none"], ["ended by", session.ended_by],
  ].filter(([, value]) => value).map(([name, value]) => `- ${name}: ${code(value)}`);
  const lines = rows.flatMap((row) => {
    const at = moment(row.at_us).padStart(10);
    if (row.lines) return row.lines.map((line) =>
      `${at}  ${row.who === "client" ? "C:" : "S:"} ${visibleText(line.text)}`);
    return [`${at}  -- ${visibleText(sentenceOf(row))}`];
  });
  const findings = (session.findings ?? []).map((one) =>
    `- **${one.severity}** ${one.what} (\`${one.rule}\`; ${one.citation})\n  - seen: ${code(one.saw)}\n` +
    `  - fix: ${one.fix}`);
  // A fence that no line can close.
  const fence = "`".repeat(Math.max(3, ...lines.map((line) => (line.match(/`+/g) ?? []).reduce((most, run) =>
    Math.max(most, run.length + 1), 0))));
  return [`## Session ${session.id}`, "", ...facts, "", fence + "text", ...lines, fence, "",
    ...(findings.length ? ["### Findings", "", ...findings, ""] : [])].join("\n");
}

function code(text) {
  const said = visibleText(text);
  return said.includes("`") ? "`` " + said + " ``" : "`" + said + "`";
}
