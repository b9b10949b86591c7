// The live list of stored messages, newest first. It is paged and drawn as the list of sessions is.

import { events, get, remove } from "./api.js";
import { clip, counted, grouped, h, replace, visible, visibleText } from "./dom.js";
import { FilterBox } from "./filter-box.js";
import { dialog, emptyState, errorBox, octets, time } from "./parts.js";
import { go, link, setQuery } from "./router.js";
import { SessionList } from "./session-list.js";
import { VirtualList } from "./virtual-list.js";

export const title = "Messages";

const REFRESH_EVERY_MS = 250;
const SAID_EVERY_MS = 4000;
const NEAR_END = 200;
const COLUMNS = [
  ["time", "Time"], ["id", "Message"], ["from", "From"], ["to", "To"], ["subject", "Subject"], ["size", "Size"],
  ["session", "Session"],
].map(([name, word]) => ({ name, title: word }));
const HELP = [
  ["from", "the reverse-path", "from=*@shop.example"], ["to", "any recipient", "to=*@full.test"],
  ["subject", "its Subject, decoded", "subject=*invoice*"], ["header.NAME", "another field", "header.list-id=*"],
  ["message-id", "without < and >", "message-id=*@shop.example"], ["size", "octets", "size=>10MB"],
  ["body", "a line of its text", "body=/viagra/i"], ["links", "a link, or their number", "links=*bad.example*"],
  ["client", "address or network", "client=10.0.0.0/8"], ["helo", "the name it gave", "helo=*.test"],
  ["session", "in which it came", "session=s1"], ["space", "the test it belongs to", "space=shop"],
];
const QUICK = [["bounces", "from=<>"], ["beyond 1 MB", "size=>1MB"]];

/** Messages in place of sessions: none of them is open. */
class MessageList extends SessionList {
  async running() {
    return [];
  }

  async page(query, signal) {
    const { messages, ...page } = await get("messages", { ...this.filter, ...query }, signal);
    return { ...page, sessions: messages };
  }
}

export async function show(main, parameters, query, signal) {
  await new MessagesView(main, query, signal).start();
}

class MessagesView {
  constructor(main, query, signal) {
    this.signal = signal;
    this.messages = new MessageList(query);
    this.filter = new FilterBox({
      words: query, help: HELP, quick: QUICK, changed: (words) => {
        setQuery(words);
        this.load(words);
      },
    });
    this.list = new VirtualList({
      label: "Messages, newest first", columns: COLUMNS, key: (one) => one.id, cells,
      opened: (one) => go("messages/" + one.id),
    });
    this.filter.field.placeholder = "from=*@shop.test subject=*invoice*";
    this.list.onScroll = () => this.scrolled();
    this.newer = h("button", { type: "button", class: "newer primary", hidden: true, onClick: () => this.toTop() });
    this.summary = h("span", { class: "quiet summary" });
    this.news = h("p", { class: "offscreen", role: "status" });
    this.notice = h("div", { class: "list-notice" });
    replace(main,
      h("div", { class: "bar list-title" }, h("h1", {}, title), this.summary, h("span", { class: "spring" }),
        h("button", { type: "button", onClick: () => this.askRemoval() }, "Remove …")),
      this.filter.element, this.notice, h("div", { class: "list-frame" }, this.newer, this.list.element), this.news);
  }

  async start() {
    const stop = events({ kind: ["message", "reset"] }, (event) => {
      if (event.kind === "message") this.refresh();
      else this.load(this.messages.filter);
    });
    this.signal.addEventListener("abort", () => {
      stop();
      this.list.stop();
    });
    await this.load(this.messages.filter);
    this.list.welcome();
  }

  async load(words) {
    const list = new MessageList(words);
    this.messages = list;
    await this.attempt(list, () => list.load(this.signal));
    if (this.messages === list) this.list.element.scrollTop = 0;
  }

  /** Shows what a call changed, or what went wrong with it. */
  async attempt(list, call) {
    try {
      await call();
      if (this.messages !== list || this.signal.aborted) return;
      this.filter.complain(null);
      this.draw();
    } catch (problem) {
      if (problem.name === "AbortError" || this.messages !== list) return;
      this.list.rest();
      if (problem.status === 400) this.filter.complain(problem.detail);
      else replace(this.notice, errorBox(problem));
    }
  }

  async refresh() {
    this.isWanted = true;
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    while (this.isWanted && !this.signal.aborted) {
      this.isWanted = false;
      const list = this.messages;
      await this.attempt(list, async () => this.tell(await list.refresh({ holds: !this.list.isAtTop }, this.signal)));
      await new Promise((resolve) => setTimeout(resolve, REFRESH_EVERY_MS));
    }
    this.isRefreshing = false;
  }

  /** For those who listen: counts, and not too often. */
  tell(count) {
    this.untold = (this.untold ?? 0) + count;
    if (!this.untold) return;
    this.telling ??= setTimeout(() => {
      this.telling = null;
      replace(this.news, counted(this.untold, "new message"));
      this.untold = 0;
    }, SAID_EVERY_MS);
  }

  async scrolled() {
    const list = this.messages;
    if (this.list.isAtTop && list.heldCount) this.toTop();
    if (this.isGrowing || list.isComplete || this.list.window[1] < list.rows.length - NEAR_END) return;
    this.isGrowing = true;
    await this.attempt(list, () => list.more(this.signal));
    this.isGrowing = false;
  }

  toTop() {
    this.list.element.scrollTop = 0;
    this.messages.release();
    this.draw();
    this.refresh();
  }

  draw() {
    const { rows, heldCount, isComplete, filter } = this.messages;
    this.list.show(rows);
    this.newer.hidden = !heldCount;
    replace(this.newer, `↑ ${heldCount} new`);
    replace(this.summary, `${grouped(rows.length)}${isComplete ? "" : ", older ones as you scroll"}`);
    this.list.element.classList.toggle("is-empty", !rows.length);
    if (rows.length) return replace(this.notice);
    return replace(this.notice, Object.keys(filter).length ? emptyState("No message meets this filter.") : emptyState(
      "No message is stored.", "What is refused is not stored: it is under ",
      h("a", { href: link("sessions") }, "Sessions"), "."));
  }

  askRemoval() {
    const { filter } = this.messages;
    const isAll = !Object.keys(filter).length;
    const box = dialog("Remove messages",
      h("p", {}, isAll ? "All messages go. Sessions and their findings stay."
        : "All messages that meet the filter go, those that are not shown yet, too. Their sessions stay."),
      h("p", { class: "bar" }, h("button", {
        type: "button", class: "primary", onClick: async () => {
          box.close();
          await this.attempt(this.messages, () => remove("messages", filter, this.signal));
          await this.load(filter);
        },
      }, isAll ? "Remove all" : "Remove those"),
      h("button", { type: "button", onClick: () => box.close() }, "Keep them")));
  }
}

function cells(one) {
  return [
    time(one.received), h("a", { href: link("messages/" + one.id), tabindex: "-1" }, one.id),
    peer(one.from || "<>"), peer(one.to[0], one.to), h("span", { class: "elided" }, visible(clip(one.subject, 300))),
    octets(one.size), h("a", { href: link("sessions/" + one.session), tabindex: "-1" }, one.session),
  ];
}

function peer(text, all = [text]) {
  return h("span", { class: "wire elided", title: visibleText(clip(all.join(", "), 1000)) }, visible(clip(text, 200)),
    all.length > 1 ? h("span", { class: "quiet" }, ` +${all.length - 1}`) : null);
}
