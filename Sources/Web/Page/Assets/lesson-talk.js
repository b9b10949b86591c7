// Sessions that a learner types by hand: each line as it arrives, with what it is for.

import { clip, h, visible } from "./dom.js";

const COMMANDS = ["ehlo", "helo", "mail", "rcpt", "data", "rset", "noop", "vrfy", "quit", "starttls"];
const verb = (line) => /^[^ :]*/.exec(line)[0].toLowerCase();

/** Only of a step whose lines are explained; of others nothing is shown. */
export class LiveTalk {
  constructor(step) {
    this.sends = step.sends;
    this.isExplained = step.sends.some((send) => send.lines.some((line) => line.why));
    this.element = h("div", { class: "lesson-talk", role: "log", "aria-label": "Lines as they arrive" });
    this.told = new Map();
  }

  /** Shows what came since this session was seen last. */
  follow(session) {
    if (!this.isExplained || !session.lines?.length) return;
    const one = this.told.get(session.id) ?? this.begin(session);
    const news = session.lines.slice(one.count);
    one.count = Math.max(one.count, session.lines.length);
    one.list.append(...news.flatMap((line) => this.rows(line)));
  }

  /** The last lines of a session that was followed; one that was over at once has its diagram. */
  end(session) {
    if (this.told.has(session.id)) this.follow(session);
  }

  begin(session) {
    const one = { list: h("dl", { class: "lesson-lines" }), count: 0 };
    this.told.set(session.id, one);
    this.element.append(h("h3", {}, `Session ${session.id}, line by line`), one.list);
    return one;
  }

  rows(line) {
    if (line.octets !== undefined) return this.contentRows(line);
    if (line.who === "sink") return [row(`S: ${line.text}`, "", "from-sink")];
    return [row(`C: ${line.text}`, this.why(line.text), "from-client")];
  }

  /** The lines of a message are one line to the sink. */
  contentRows(line) {
    const content = this.sends.map((send) => contentOf(send.lines)).find((lines) => lines.length) ?? [];
    return [row(`C: (the message, ${line.octets} octets)`, "", "from-client"),
      ...content.filter((one) => one.why).map((one) => row(one.line || "(an empty line)", one.why, "from-client"))];
  }

  /** The very line first, else the same command with other words. */
  why(text) {
    const isSame = (line) => line.line.toLowerCase() === text.toLowerCase();
    const isAlike = (line) => COMMANDS.includes(verb(text)) && verb(line.line) === verb(text);
    for (const { lines } of this.sends) {
      const why = (lines.find(isSame) ?? lines.find(isAlike))?.why;
      if (why) return why;
    }
    return "";
  }
}

/** What is said between DATA and the final dot, the dot included. */
function contentOf(lines) {
  const data = lines.findIndex((one) => one.line.toUpperCase() === "DATA");
  const dot = lines.findIndex((one, index) => index > data && one.line === ".");
  return data >= 0 && dot >= 0 ? lines.slice(data + 1, dot + 1) : [];
}

const row = (said, why, from) => h("div", { class: from },
  h("dt", { class: "wire" }, visible(clip(said, 1000))), h("dd", {}, why));
