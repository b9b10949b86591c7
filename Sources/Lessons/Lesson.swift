// A lesson as data: steps with words for the learner, rules that the sink gets, what is to be sent, and what the sink
// must see. Where it is read from, and who sends, is not known here.

import Faults

package enum LessonLimit {
    package static let steps = 50
    /// Of one step.
    package static let sends = 10
    package static let lines = 200
    package static let rules = 50
    package static let expectations = 10
    package static let questions = 20
    package static let choices = 10
    package static let recipients = 20
    /// Octets of one text, a message included.
    package static let text = 20_000
    /// Sessions that are kept of one step, the first ones.
    package static let sessions = 20
}

package struct Lesson: Sendable, Hashable, Codable {
    /// Letters, digits and `-`; that of its file.
    package var name: String
    package var title: String
    package var about: String
    /// How long a class takes.
    package var minutes: Int?
    /// Its place in the list of lessons; those without one stand behind, by name.
    package var order: Int?
    /// In force from the first step to the last.
    package var rules: [LessonRule]
    package var steps: [LessonStep]

    package init(
        name: String, title: String, about: String, minutes: Int? = nil, order: Int? = nil, rules: [LessonRule] = [],
        steps: [LessonStep]
    ) {
        self.name = name
        self.title = title
        self.about = about
        self.minutes = minutes
        self.order = order
        self.rules = rules
        self.steps = steps
    }
}

/// A rule of a lesson; in JSON its line.
package struct LessonRule: Sendable, Hashable, Codable {
    package var rule: Rule

    package init(_ rule: Rule) { self.rule = rule }

    package var line: String { RuleLine.line(of: rule) }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do { rule = try RuleLine.parse(try container.decode(String.self)) } catch let error as RuleError {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(line)
    }
}

package struct LessonStep: Sendable, Hashable, Codable {
    package var title: String
    /// For the learner, before anything is sent. Paragraphs stand between empty lines.
    package var say: String
    /// In force during this step, in front of those of the lesson.
    package var rules: [LessonRule] = []
    /// Asked before anything is sent.
    package var guess: [Question] = []
    /// One connection each, or two where a sender falls back from TLS.
    package var sends: [Send] = []
    /// More about doing it by hand; `{host}` and `{port}` stand for the sink's.
    package var hands: String?
    /// What the sink must see.
    package var sees: [Expectation] = []
    /// What it means, told when the sink has seen it.
    package var means: String?
    /// Where that inference fails.
    package var fails: String?
    /// Asked at the end of the step.
    package var questions: [Question] = []
    /// Where it stands: RFCs with their sections.
    package var read: [String] = []

    package init(title: String, say: String) {
        self.title = title
        self.say = say
    }
}

/// What the built-in sender does, and learners by hand.
package struct Send: Sendable, Hashable, Codable {
    package enum TLSUse: String, Sendable, Hashable, Codable, CaseIterable {
        /// Never, whatever is offered.
        case never
        /// Where it is offered and works, else in clear (RFC 7435).
        case may
        /// Or not at all.
        case must
    }

    /// Who sends, where several do: `the bot`.
    package var by: String?
    package var helo: String
    package var from: String
    package var to: [String]
    /// Lines between LF, without the final dot.
    package var message: String
    package var tls = TLSUse.never
    /// Said line by line in the place of a sender that minds the replies.
    package var lines: [SpokenLine] = []
    /// The first lines are said before the greeting came.
    package var talksFirst = false
    /// Leaves without QUIT. Of a sender; lines say it themselves.
    package var leaves = false

    private enum CodingKeys: String, CodingKey {
        case by, helo, from, to, message, tls, lines, leaves
        case talksFirst = "talks_first"
    }

    package init(helo: String, from: String, to: [String], message: String) {
        self.helo = helo
        self.from = from
        self.to = to
        self.message = message
    }
}

package struct SpokenLine: Sendable, Hashable, Codable {
    package var line: String
    /// What it is for.
    package var why: String?
    /// The next line waits for the reply; of commands alone.
    package var waits: Bool

    package init(_ line: String, why: String? = nil, waits: Bool = true) {
        self.line = line
        self.why = why
        self.waits = waits
    }
}

/// What the sink must see: `session verdict=rejected phase=rcpt`, in the words of `fakemx wait`.
package struct Expectation: Sendable, Hashable, Codable {
    /// One of the words of `kinds`.
    package var kind: String
    package var words: [Word]
    /// How many of them; 0: it must not happen.
    package var count: Int

    package struct Word: Sendable, Hashable, Codable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(kind: String, words: [Word], count: Int = 1) {
        self.kind = kind
        self.words = words
        self.count = count
    }

    package static let kinds = ["session", "message", "reject", "finding"]

    /// As it is written in a lesson.
    package var text: String {
        let values = words.map { word in
            let isPlain = !word.value.isEmpty && !word.value.contains { $0 == " " || $0 == "\"" }
            return isPlain ? "\(word.name)=\(word.value)" : "\(word.name)=\"\(word.value)\""
        }
        let counted = count > 1 ? ["count=\(count)"] : []
        return ((count == 0 ? ["no", kind] : [kind]) + counted + values).joined(separator: " ")
    }
}

package struct Question: Sendable, Hashable, Codable {
    package var ask: String
    /// A reply of the catalogue that is asked about: its name and its lines, as a sender reads them.
    package var reply: CataloguedReply?
    package var choices: [String]
    /// The index of the right one.
    package var answer: Int
    package var why: String

    package struct CataloguedReply: Sendable, Hashable, Codable {
        package var name: String
        package var provider: String
        package var text: String

        package init(name: String, provider: String, text: String) {
            self.name = name
            self.provider = provider
            self.text = text
        }
    }

    package init(ask: String, reply: CataloguedReply? = nil, choices: [String], answer: Int, why: String) {
        self.ask = ask
        self.reply = reply
        self.choices = choices
        self.answer = answer
        self.why = why
    }

    /// `b`
    package static func letter(_ index: Int) -> String {
        String(Unicode.Scalar(UInt8(ascii: "a") + UInt8(clamping: index)))
    }
}
