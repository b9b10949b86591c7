// A list of any length of which only the rows in sight are in the document. One stop for the Tab key; arrows, Page Up
// and Down, Home and End move the row that is active, Enter opens it, Space selects it.

import { h, painted } from "./dom.js";

const OVERSCAN = 6;
let lists = 0;

export class VirtualList {
  /**
   * @param label what it is a list of
   * @param columns words of the columns, shown where the style sheet lays rows out as columns
   * @param key a row's own name
   * @param cells one item as cells; each becomes a `gridcell` with the class of its column
   * @param opened Enter or a press on a row
   * @param toggled Space on a row
   */
  constructor({ label, columns, key, cells, opened, toggled, rowClass }) {
    Object.assign(this, { columns, key, cells, opened, toggled, rowClass });
    this.items = [];
    // Rows beyond those in sight: none until those are on the screen.
    this.overscan = 0;
    this.active = null;
    this.drawn = new Map();
    this.name = `list-${++lists}`;
    this.canvas = h("div", { class: "list-canvas", role: "presentation" });
    this.element = h("div", {
      class: "list", role: "grid", tabindex: "0", "aria-label": label, "aria-busy": true, "aria-colcount": columns.length,
      onScroll: () => this.scrolled(), onKeydown: (event) => this.pressed(event), onClick: (event) =>
        this.clicked(event),
    }, h("div", { class: "list-head", role: "row", "aria-rowindex": "1" },
      columns.map((column) => h("div", { role: "columnheader", class: "cell-" + column.name }, column.title))),
        this.canvas);
    this.watcher = new ResizeObserver(() => this.resized());
    this.watcher.observe(this.element);
    this.onScroll = () => {};
  }

  stop() {
    this.watcher.disconnect();
  }

  /** Nothing is waited for any more. */
  rest() {
    this.element.ariaBusy = "false";
  }

  /** Shows these; a row whose item is the same object is left alone. What one reads stays where it is. */
  show(items) {
    const first = Math.floor(this.element.scrollTop / this.height);
    const anchor = this.isAtTop || !this.items[first] ? null : this.key(this.items[first]);
    this.items = items;
    this.places = null;
    this.element.setAttribute("aria-rowcount", items.length + 1);
    this.canvas.style.height = `${items.length * this.height}px`;
    if (anchor !== null && (!items[first] || this.key(items[first]) !== anchor)) {
      const now = items.findIndex((item) => this.key(item) === anchor);
      if (now >= 0) this.element.scrollTop += (now - first) * this.height;
    }
    this.draw();
    this.rest();
  }

  /** Draws the same rows again, since something beside their items changed. */
  redraw() {
    for (const row of this.drawn.values()) row.element.remove();
    this.drawn.clear();
    this.draw();
  }

  /** Takes the focus of one who came to this view and waited for it; whoever went elsewhere meanwhile stays there. */
  welcome() {
    const now = document.activeElement;
    if (!now || now === document.body || now.contains(this.element)) this.element.focus({ preventScroll: true });
  }

  get isAtTop() {
    return this.element.scrollTop < 4;
  }

  get height() {
    this.rowHeight ??= parseFloat(getComputedStyle(this.element).getPropertyValue("--row")) || 30;
    return this.rowHeight;
  }

  resized() {
    const before = this.rowHeight;
    this.rowHeight = null;
    if (before && before !== this.height) {
      this.canvas.style.height = `${this.items.length * this.height}px`;
      this.element.scrollTop *= this.height / before;
      for (const row of this.drawn.values()) row.place = -1;
    }
    this.draw();
  }

  scrolled() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
      this.onScroll();
    });
  }

  /** The first and the last place in sight, and a few more. */
  get window() {
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.height) - this.overscan);
    const last = Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.height) + this.overscan;
    return [first, Math.min(this.items.length, last)];
  }

  draw() {
    const [first, last] = this.window;
    const wanted = new Map();
    for (let place = first; place < last; place++) wanted.set(this.key(this.items[place]), place);
    for (const [key, row] of this.drawn) {
      if (wanted.has(key) && this.items[wanted.get(key)] === row.item) continue;
      row.element.remove();
      this.drawn.delete(key);
    }
    let before = null;
    for (const [key, place] of wanted) {
      const row = this.drawn.get(key) ?? this.make(key, this.items[place]);
      // They are read in the order of the document.
      if (row.element.previousSibling !== before || !row.element.parentNode) {
        this.canvas.insertBefore(row.element, before ? before.nextSibling : this.canvas.firstChild);
      }
      before = row.element;
      if (row.place === place) continue;
      row.place = place;
      row.element.style.transform = `translateY(${place * this.height}px)`;
      row.element.setAttribute("aria-rowindex", place + 2);
    }
    this.mark();
    if (!this.overscan && wanted.size) this.widen();
  }

  async widen() {
    this.overscan = OVERSCAN;
    await painted();
    this.draw();
  }

  make(key, item) {
    const cells = this.cells(item);
    const element = h("div", { class: "list-row " + (this.rowClass?.(item) ?? ""), role: "row",
      id: `${this.name}-${key}` },
      this.columns.map((column, index) => h("div", { role: "gridcell", class: "cell-" + column.name }, cells[index])));
    element.dataset.key = key;
    const row = { item, element, place: -1 };
    this.drawn.set(key, row);
    return row;
  }

  mark() {
    for (const [key, row] of this.drawn) row.element.classList.toggle("active", key === this.active);
    if (this.drawn.has(this.active)) this.element.setAttribute("aria-activedescendant", `${this.name}-${this.active}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  get place() {
    this.places ??= new Map(this.items.map((item, index) => [this.key(item), index]));
    return this.places.get(this.active) ?? -1;
  }

  pressed(event) {
    if (event.target !== this.element || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.height) - 2);
    const last = this.items.length - 1;
    const place = this.place;
    const to = {
      ArrowDown: place + 1, ArrowUp: place < 0 ? 0 : place - 1, PageDown: place + page, PageUp: place - page, Home: 0,
        End: last,
    }[event.key];
    if (to !== undefined) this.activate(Math.max(0, Math.min(last, to)));
    else if (event.key === "Enter" && place >= 0) this.opened(this.items[place]);
    else if (event.key === " " && place >= 0) this.toggled?.(this.items[place]);
    else return;
    event.preventDefault();
  }

  activate(place) {
    if (!this.items[place]) return;
    this.active = this.key(this.items[place]);
    const top = place * this.height;
    const head = this.canvas.offsetTop;
    const view = this.element.clientHeight - head;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (top + this.height > this.element.scrollTop + view) this.element.scrollTop = top + this.height - view;
    this.draw();
  }

  clicked(event) {
    const element = event.target.closest(".list-row");
    if (!element || event.target.closest("a, input, button, label")) return;
    if (String(getSelection()) && getSelection().containsNode(element, true)) return;
    const row = this.drawn.get(element.dataset.key);
    if (row) this.opened(row.item);
  }
}
