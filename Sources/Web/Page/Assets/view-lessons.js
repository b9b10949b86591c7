// Lessons: the list, and one that is taken step by step. A run has a small sink of its own; who sends is the built-in
// sender or the learner, and the sink says what it saw.

import { get, post, removeOnLeaving, text } from "./api.js";
import { drawDiagram } from "./diagram.js";
import { clip, counted, h, replace, visible } from "./dom.js";
import { LiveTalk } from "./lesson-talk.js";
import { visibleLines } from "./lines.js";
import { copyButton, download, emptyState, errorBox, findingItem } from "./parts.js";
import { go, link } from "./router.js";

export const title = "Lessons";

const LOOK_EVERY_MS = 1000;
/** Somebody types. */
const FOLLOW_EVERY_MS = 300;
const LONGEST_WAIT_MS = 10_000;

export async function show(main, { name }, query, signal) {
  if (name) await new LessonView(main, name, signal).load();
  else await showList(main, signal);
}

async function showList(main, signal) {
  const { lessons } = await get("lessons", {}, signal);
  replace(main, h("h1", {}, "Lessons"),
    h("p", { class: "quiet" },
      "Each step is sent by a small built-in sender, or by your own hands, and the sink says what it saw."),
    lessons.length ? lessons.map(lessonItem)
      : emptyState("There are no lessons.", "fakemx looks for them in Config/lessons and /usr/share/fakemx/lessons."));
}

function lessonItem(lesson) {
  const facts = [counted(lesson.steps, "step")];
  if (lesson.minutes) facts.unshift(`about ${lesson.minutes} minutes`);
  return h("article", { class: "lesson-item" },
    h("h2", {}, h("a", { href: link(`lessons/${lesson.name}`) }, lesson.title)),
    h("p", {}, lesson.about), h("p", { class: "quiet" }, facts.join(", ")));
}

class LessonView {
  constructor(main, name, signal) {
    Object.assign(this, { main, name, signal });
    this.path = `lessons/${encodeURIComponent(name)}`;
    this.shown = new Map();
    this.failedCount = 0;
  }

  async load() {
    this.lesson = await get(this.path, {}, this.signal);
    document.title = `${this.lesson.title} · fakemx`;
    this.area = h("div", { class: "lesson-area" });
    this.steps = h("ol", { class: "lesson-steps", "aria-label": "Steps" });
    this.state = h("p", { class: "offscreen", role: "status" });
    replace(this.main,
      h("div", { class: "bar" }, h("a", { class: "button", href: link("lessons") }, "← Lessons"),
        h("h1", {}, this.lesson.title)),
      paragraphs(this.lesson.about), this.state, h("div", { class: "lesson-frame" }, this.steps, this.area));
    this.begun = h("button", { type: "button", class: "primary", onClick: () => this.begin() }, "Begin");
    replace(this.area, this.begun);
    this.drawSteps();
  }

  async begin() {
    await this.doing(this.begun, async () => {
      // It is not given up half way: a run that nobody knows of would go on.
      this.run = await post(`${this.path}/runs`);
      this.runPath = `${this.path}/runs/${this.run.id}`;
      if (this.signal.aborted) return removeOnLeaving(this.runPath);
      // Whoever leaves needs no sink any more.
      const leaving = new AbortController();
      const leave = () => {
        leaving.abort();
        clearTimeout(this.looking);
        removeOnLeaving(this.runPath);
      };
      this.signal.addEventListener("abort", leave, { signal: leaving.signal });
      addEventListener("pagehide", leave, { signal: leaving.signal });
      this.drawStep();
      this.look();
    });
  }

  /** One thing is done at a time; what goes wrong stands beside its button. */
  async doing(button, work) {
    const buttons = [...this.area.querySelectorAll("button:not(.copy)")];
    for (const one of buttons) one.disabled = true;
    button.parentElement?.querySelectorAll(":scope > .problem").forEach((box) => box.remove());
    try {
      await work();
    } catch (problem) {
      if (problem.name !== "AbortError") button.after(errorBox(problem));
    } finally {
      for (const one of buttons) one.disabled = false;
    }
  }

  drawSteps() {
    const now = this.run?.step ?? -1;
    replace(this.steps, this.lesson.steps.map((step, index) => h("li", {
      class: index < now ? "is-done" : index === now ? "is-now" : "", "aria-current": index === now ? "step" : null,
    }, step.title, index < now ? h("span", { class: "quiet" }, " ✓ done") : null)));
  }

  // MARK: One step

  drawStep() {
    this.drawSteps();
    this.shown.clear();
    const step = this.lesson.steps[this.run.step];
    if (!step) return this.drawEnd();
    this.state.textContent = `Step ${this.run.step + 1} of ${this.lesson.steps.length}: ${step.title}`;
    const rules = [...step.rules, ...this.lesson.rules];
    this.talk = new LiveTalk(step);
    this.sessions = h("div", {});
    this.checks = h("ul", { class: "lesson-checks" });
    this.after = h("div", { hidden: true });
    const isLast = this.run.step + 1 === this.lesson.steps.length;
    this.next = h("button", { type: "button", class: "primary", onClick: () => this.goOn() },
      isLast ? "Finish" : "Next step");
    replace(this.area, h("h2", { tabindex: "-1" }, `${this.run.step + 1}. ${step.title}`), paragraphs(step.say),
      rules.length ? [h("h3", {}, "The sink's rules"), h("pre", { class: "wire" }, rules.join("\n"))] : null,
      step.guess.map((question) => this.question(question)), step.sends.length ? this.sending(step) : null,
      this.talk.element, this.sessions, this.checks, this.after, h("div", { class: "bar" }, this.next));
    replace(this.after,
      step.means ? h("section", { class: "lesson-means" }, h("h3", {}, "What it probably means"),
        paragraphs(step.means)) : null,
      step.fails ? h("section", { class: "lesson-fails" }, h("h3", {}, "Where that fails"),
        paragraphs(step.fails)) : null,
      step.questions.map((question) => this.question(question)),
      step.read.length ? h("p", { class: "quiet" }, "Read: ",
        step.read.flatMap((one, index) => [index ? "; " : "", citation(one)])) : null);
    this.drawSeen();
    this.area.querySelector("h2").focus();
  }

  sending(step) {
    const button = h("button", { type: "button", class: "primary", onClick: () => this.doing(button, async () => {
      this.run = await post(`${this.runPath}/send`, undefined, { signal: this.signal });
      this.drawSeen();
    }) }, "Let the built-in sender send");
    const { host, port } = this.run;
    const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    return h("section", {}, h("div", { class: "bar" }, button),
      h("details", {}, h("summary", {}, "Or by hand"),
        h("p", {}, "The sink of this lesson listens on ", h("code", {}, place), "; what you send is seen here."),
        step.hands ? paragraphs(step.hands.replaceAll("{host}", host).replaceAll("{port}", port)) : null,
        this.run.hands.map((commands, index) => [
          step.sends[index]?.by ? h("h4", {}, `As ${step.sends[index].by}`) : null,
          commands.map((one) => h("div", { class: "lesson-command" },
            h("pre", { class: "wire" }, `$ ${one.command}`, one.type.length ? "\n" + one.type.join("\n") : ""),
            copyButton(one.command, "Copy the command")))])),
      this.lines(step));
  }

  /** The lines of a dialogue, each with what it is for. */
  lines(step) {
    const told = step.sends.flatMap((send) => send.lines).filter((line) => line.why);
    if (!told.length) return null;
    return h("dl", { class: "lesson-lines" }, told.map((line) => h("div", {},
      h("dt", { class: "wire" }, line.line || "(an empty line)"), h("dd", {}, line.why))));
  }

  question(question) {
    const answer = h("div", { class: "lesson-answer", role: "status" });
    const group = "question-" + this.questionNumber();
    const choose = (index) => {
      const isRight = index === question.answer;
      const verdict = isRight ? "✓ Right." : "✕ Not quite.";
      replace(answer, h("p", {}, h("strong", { class: isRight ? "is-right" : "is-wrong" }, verdict), " ",
        isRight ? null : `It is: ${question.choices[question.answer]}`), paragraphs(question.why));
    };
    return h("fieldset", { class: "lesson-question" }, h("legend", {}, question.ask),
      question.reply ? h("pre", { class: "wire" }, visibleLines(question.reply.text)) : null,
      question.choices.map((choice, index) => h("label", {},
        h("input", { type: "radio", name: group, onChange: () => choose(index) }), " ", choice)), answer);
  }

  questionNumber() {
    this.questions = (this.questions ?? 0) + 1;
    return this.questions;
  }

  // MARK: What the sink saw

  drawSeen() {
    const step = this.lesson.steps[this.run.step];
    const seen = this.run.steps[this.run.step];
    if (!step || !seen) return;
    for (const session of this.run.live) this.talk.follow(session);
    for (const one of seen.sessions) {
      if (this.shown.has(one.session.id)) continue;
      this.shown.set(one.session.id, true);
      this.talk.end(one.session);
      this.sessions.append(sessionFigure(one));
    }
    replace(this.checks, seen.checks.map((check) => h("li", { class: check.met ? "is-right" : "quiet" },
      check.met ? "✓ seen: " : "○ not seen yet: ", h("code", {}, check.text))));
    const isSeen = seen.checks.every((check) => check.met);
    if (isSeen && this.after.hidden && seen.checks.length) {
      this.state.textContent = "The sink has seen what this step asks for.";
    }
    this.after.hidden = !isSeen;
    this.next.classList.toggle("primary", isSeen);
    if (!isSeen) this.next.textContent = "Skip this step";
    else this.next.textContent = this.run.step + 1 === this.lesson.steps.length ? "Finish" : "Next step";
  }

  async goOn() {
    await this.doing(this.next, async () => {
      this.run = await post(`${this.runPath}/next`, undefined, { signal: this.signal });
      this.drawStep();
    });
  }

  // What is sent by hand shows by itself.
  look() {
    const every_ms = this.run.live.length ? FOLLOW_EVERY_MS : LOOK_EVERY_MS;
    const wait_ms = this.failedCount ? Math.min(LONGEST_WAIT_MS, LOOK_EVERY_MS * 2 ** this.failedCount) : every_ms;
    this.looking = setTimeout(async () => {
      try {
        if (!document.hidden) await this.lookOnce();
        this.failedCount = 0;
      } catch (problem) {
        if (problem.name === "AbortError") return;
        // It is gone, or nothing is told without a token.
        if ([401, 404].includes(problem.status)) return this.area.append(errorBox(problem));
        this.failedCount += 1;
      }
      if (!this.signal.aborted && this.run.state !== "ended") this.look();
    }, wait_ms);
  }

  async lookOnce() {
    const before = this.run;
    const run = await get(this.runPath, {}, this.signal);
    // What a button brought meanwhile is newer.
    if (this.run !== before) return;
    this.run = run;
    this.drawSeen();
  }

  drawEnd() {
    this.state.textContent = "The lesson is over.";
    const save = h("button", { type: "button", class: "primary", onClick: () => this.doing(save, async () => {
      download(`${this.name}.html`, "text/html", await text(`${this.runPath}/handout`, {}, this.signal));
    }) }, "Save the handout");
    replace(this.area, h("h2", { tabindex: "-1" }, "That was it"),
      h("p", {}, "The handout is one HTML file: the steps, the diagrams of what the sink saw, and the answers on a page ",
        "of their own."),
      h("div", { class: "bar" }, save, h("button", { type: "button", onClick: () => go("lessons") }, "All lessons")));
    this.area.querySelector("h2").focus();
  }
}

function sessionFigure(one) {
  const frame = h("div", { class: "diagram-frame" });
  const session = { ...one.session, findings: one.findings ?? [] };
  const figure = h("figure", { class: "lesson-session" },
    h("figcaption", {}, `What the sink saw: session ${session.id}`, one.by ? [", ", visible(clip(one.by, 200))] : null),
    frame, h("h3", {}, "In the sender's log"),
    one.log.length ? h("pre", { class: "wire" },
      one.log.map((line, index) => [index ? "\n" : "", visible(clip(line, 2000))]))
      : h("p", { class: "quiet" }, "Nothing: no mail was under way."),
    one.findings ? [h("h3", {}, "Found against this sender"),
      one.findings.length ? one.findings.map(findingItem) : h("p", { class: "quiet" }, "Nothing.")] : null);
  // Its width is known when it is in the document.
  queueMicrotask(() => {
    const width = Math.max(320, Math.floor(frame.clientWidth || 640));
    frame.append(drawDiagram(session, width, {}).element);
  });
  return figure;
}

/** Empty lines stand between paragraphs. */
function paragraphs(words) {
  return words.trim().split(/\n[ \t]*\n/).map((one) => h("p", {}, one.replace(/\s*\n\s*/g, " ")));
}

/** `RFC 5321 §4.2.1` as a link. */
function citation(words) {
  const found = /^RFC (\d+)(?: §([\d.]+))?$/.exec(words);
  if (!found) return words;
  const section = found[2] ? `#section-${found[2]}` : "";
  return h("a", { href: `https://www.rfc-editor.org/rfc/rfc${found[1]}${section}`, rel: "noopener noreferrer" }, words);
}
