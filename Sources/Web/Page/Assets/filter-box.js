// The box in which one says what is wanted, in the API's own words: `from=*@shop.test verdict=rejected`.

import { h, replace, visible } from "./dom.js";

const PAUSE_MS = 250;

/** `from=a reply="550 5.1.1*"` as an object; a word that comes again is met by any of its values. */
export function parseFilter(text) {
  const words = {};
  for (const [whole, name, quoted, plain] of text.matchAll(/([^\s=]+)=(?:"([^"]*)"|(\S*))|\S+/g)) {
    if (name === undefined) throw new SyntaxError(`"${whole}" is no condition: write word=value, as verdict=rejected`);
    const value = quoted ?? plain;
    words[name] = name in words ? `${words[name]},${value}` : value;
  }
  return words;
}

/** The other way round. */
export function spellFilter(words) {
  return Object.entries(words).map(([name, value]) => `${name}=${/\s/.test(value) ? `"${value}"` : value}`).join(" ");
}

export class FilterBox {
  /**
   * @param help rows of `[word, meaning, example]`
   * @param quick buttons: `[label, filter text]`
   * @param changed called with the words whenever they can be read
   */
  constructor({ words, help, quick, changed }) {
    this.changed = changed;
    this.complaint = h("p", { class: "filter-complaint", id: "filter-complaint", role: "alert" });
    this.field = h("input", {
      type: "search", id: "filter", value: spellFilter(words), placeholder: "from=*@shop.test verdict=rejected",
      spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-describedby": "filter-complaint",
      onInput: () => this.typed(), onChange: () => this.said(),
    });
    this.quick = quick.map(([label, text]) => h("button", {
      type: "button", class: "chip", "data-filter": text, onClick: () => this.press(text),
    }, label));
    this.element = h("div", { class: "filter", role: "search" },
      h("div", { class: "bar" },
        h("label", { for: "filter" }, "Filter"), this.field, this.quick),
      this.complaint,
      h("details", { class: "filter-help" }, h("summary", {}, "Words of the filter"),
        h("p", {}, "All words must hold. Values are globs (*, ?), /regular expressions/, several with commas; ",
          "quote what has spaces."),
        h("dl", { class: "facts" }, help.map(([word, meaning, example]) => h("div", {},
          h("dt", {}, h("code", {}, word)),
          h("dd", {}, meaning, " ", h("button", { type: "button", class: "link wire", onClick: () =>
            this.add(example) }, example)))))));
    this.mark();
  }

  typed() {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => this.said(), PAUSE_MS);
  }

  said() {
    clearTimeout(this.pause);
    // The view may be left before the pause is over.
    if (this.field.value === this.last || !this.element.isConnected) return;
    this.last = this.field.value;
    this.mark();
    try {
      const words = parseFilter(this.field.value);
      this.complain(null);
      this.changed(words);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.complain(error.message);
    }
  }

  /** Shows what is wrong with the words, or that nothing is. */
  complain(text) {
    this.field.setAttribute("aria-invalid", text ? "true" : "false");
    replace(this.complaint, text ? visible(text) : null);
  }

  /** A quick button puts its words in, and takes them out again. */
  press(text) {
    const parts = this.field.value.split(/\s+/).filter(Boolean);
    if (parts.includes(text)) this.set(parts.filter((part) => part !== text).join(" "));
    else this.add(text);
  }

  /** A word takes the place of the one that asks for the same. */
  add(text) {
    const name = text.split("=")[0];
    let words = {};
    try {
      words = parseFilter(this.field.value);
    } catch {
      // What cannot be read gives way.
    }
    this.set(spellFilter({ ...words, [name]: parseFilter(text)[name] }));
  }

  set(text) {
    this.field.value = text;
    this.said();
    this.field.focus();
  }

  mark() {
    const parts = this.field.value.split(/\s+/);
    for (const button of this.quick) button.setAttribute("aria-pressed", String(parts.includes(button.dataset.filter)));
  }
}
