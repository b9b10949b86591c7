// What the OpenAPI document says of lessons.

import Journal
import Lessons

extension OpenAPI {
    static var lessonPaths: [String: Node] {
        let lessons = API.prefix + "/lessons"
        let name = path("name", "when-did-the-reject-happen")
        let run = [name, path("id", "r1")]
        let view = ["200": json("The run", ref("LessonRun"))]
        return [
            lessons: [
                "get": operation(
                    "The lessons there are.", "listLessons", answers: ["200": json("Lessons", ref("LessonList"))])
            ],
            lessons + "/{name}": [
                "get": operation(
                    "One lesson with its steps.", "getLesson", [name],
                    answers: ["200": json("The lesson", ref("Lesson"))], problems: [404])
            ],
            lessons + "/{name}/runs": [
                "post": operation(
                    "Take a lesson: it gets a small sink of its own, with the rules of its first step.", "beginLesson",
                    [name], answers: ["201": json("The run", ref("LessonRun"))], problems: [404, 409])
            ],
            lessons + "/{name}/runs/{id}": [
                "get": operation(
                    "A run: which step is on, and what the sink saw.", "getLessonRun", run, answers: view,
                    problems: [404]),
                "delete": operation(
                    "End a run; unused ones end by themselves.", "endLessonRun", run, answers: view, problems: [404]),
            ],
            lessons + "/{name}/runs/{id}/send": [
                "post": operation(
                    "The built-in sender does the step that is on; answered when it has.", "sendLessonStep", run,
                    answers: view, problems: [404])
            ],
            lessons + "/{name}/runs/{id}/next": [
                "post": operation(
                    "Go on to the next step, and to its rules.", "nextLessonStep", run, answers: view, problems: [404])
            ],
            lessons + "/{name}/runs/{id}/handout": [
                "get": operation(
                    "The lesson as far as it was taken, as one HTML file.", "getLessonHandout", run,
                    answers: [
                        "200": ["description": "The handout", "content": ["text/html": ["schema": ["type": "string"]]]]
                    ], problems: [404])
            ],
        ]
    }

    static var lessonSchemas: [String: Node] {
        let (text, number): (Node, Node) = (["type": "string"], ["type": "integer"])
        func array(_ items: Node) -> Node { .object(["type": "array", "items": items]) }
        func object(_ properties: [String: Node], _ required: [String]) -> Node {
            .object([
                "type": "object", "properties": .object(properties), "required": .list(required.map(Node.text)),
            ])
        }
        let check = object(["text": text, "met": ["type": "boolean"]], ["text", "met"])
        let line = object(
            [
                "at_us": number, "who": words(["client", "sink", "note"]), "text": text, "tls": ["type": "boolean"],
                "mark": words(["rejected", "deferred"]), "phase": text,
            ], ["at_us", "who", "text", "tls"])
        let session = object(
            [
                "by": text, "session": ref("Session"), "talk": array(line), "log": array(text),
                "findings": array(["type": "object"]),
            ], ["session", "talk", "log"])
        let step = object(["checks": array(check), "sessions": array(session)], ["checks", "sessions"])
        let hand = object(["tool": text, "command": text, "type": array(text)], ["tool", "command", "type"])
        return [
            "LessonList": object(
                [
                    "lessons": array(
                        object(
                            ["name": text, "title": text, "about": text, "minutes": number, "steps": number],
                            ["name", "title", "about", "steps"]))
                ], ["lessons"]),
            "Lesson": object(
                [
                    "name": text, "title": text, "about": text, "minutes": number, "order": number,
                    "rules": array(text),
                    "steps": array(["type": "object"]),
                ], ["name", "title", "about", "rules", "steps"]),
            "LessonRun": object(
                [
                    "id": text, "lesson": text, "state": words(["open", "seen", "ended"]), "step": number, "host": text,
                    "port": number, "steps": array(step), "hands": array(array(hand)),
                    "live": array(["type": "object"]),
                ], ["id", "lesson", "state", "step", "host", "port", "steps", "hands", "live"]),
        ]
    }
}
