// Makes nodes. Text becomes text nodes only: nothing that a peer sent is ever parsed as markup. What cannot be seen
// in it (controls, direction marks, zero width) is shown as a mark with a name.

const SVG = "http://www.w3.org/2000/svg";
// No frame comes in a tab that is not seen.
const UNSEEN_TAB_MS = 250;
// These say more as properties than as attributes: the attribute is only their first value.
const PROPERTIES = new Set(["value", "checked", "indeterminate", "disabled", "selected", "open"]);

/** An HTML element. Attributes: `class`, `data-…`, `aria-…`, `on…` (functions), `style` (an object), true and false. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element; attributes as with `h`. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Puts children in the place of what a node holds. */
export function replace(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

function fill(node, attributes, children) {
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) {
      node.addEventListener(name.slice(2).toLowerCase(), value);
    } else if (name === "style") {
      for (const [property, said] of Object.entries(value)) node.style.setProperty(property, said);
    } else if (PROPERTIES.has(name) && node.namespaceURI !== SVG) {
      node[name] = value;
    } else if (value !== false || name.startsWith("aria-")) {
      node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
    }
  }
  return append(node, children);
}

/** When what was drawn is on the screen; in a tab that is not seen, after a moment. */
export function painted() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve, 0));
    setTimeout(resolve, UNSEEN_TAB_MS);
  });
}

function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

// Controls, soft hyphen, marks of direction, zero width, line and paragraph separators, tags, lone surrogates.
const UNSEEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f" +
  "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb" +
  "\\u{e0000}-\\u{e0fff}\\ud800-\\udfff]", "gu");
const CONTROLS = ("NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM " +
  "SUB ESC FS GS RS US").split(" ");
const NAMES = {
  0x7f: "DEL", 0x85: "NEL", 0xad: "SHY", 0x61c: "ALM", 0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM",
  0x200f: "RLM", 0x2028: "LS", 0x2029: "PS", 0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO",
  0x202e: "RLO", 0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM",
};

const PLAIN = /^[ -~]*$/;

function nameOf(code) {
  return CONTROLS[code] ?? NAMES[code] ?? "U+" + code.toString(16).toUpperCase().padStart(4, "0");
}

/** What a peer sent, as an element of its own direction: what cannot be seen is a mark with its name. */
export function visible(text) {
  const whole = h("bdi", { class: "peer" });
  const said = String(text ?? "");
  if (PLAIN.test(said)) {
    whole.append(said);
    return whole;
  }
  let from = 0;
  for (const match of said.matchAll(UNSEEN)) {
    if (match.index > from) whole.append(said.slice(from, match.index));
    const name = nameOf(match[0].codePointAt(0));
    whole.append(unseen(name));
    from = match.index + match[0].length;
  }
  whole.append(said.slice(from));
  return whole;
}

/** The mark of what cannot be seen. */
export function unseen(name) {
  return h("span", { class: "unseen", title: "invisible: " + name }, name);
}

/** The same as a string, for places that hold text only: titles, SVG, Markdown. */
export function visibleText(text) {
  const said = String(text ?? "");
  return PLAIN.test(said) ? said : said.replace(UNSEEN, (one) => "⟨" + nameOf(one.codePointAt(0)) + "⟩");
}

/** A number with commas between its thousands: in English whatever the browser speaks, as the rest of the page. */
export function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 session`, `2 sessions`. */
export function counted(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** At most so many characters of a text; says how many are left out. */
export function clip(text, limit) {
  const said = String(text ?? "");
  if (said.length <= limit) return said;
  // Half of a surrogate pair would be shown as a mark.
  const end = /[\ud800-\udbff]/.test(said[limit - 1]) ? limit - 1 : limit;
  return `${said.slice(0, end)}… (+${grouped(said.length - end)} characters)`;
}
