// The files of lessons: a title, what it is about, and steps with words, rules, what is sent and what the sink must
// see. Every complaint has its place; what is complained about is left out.

import Faults
import Lessons
import SMTP
import Yams

/// Judges what the sink must see: the words of `fakemx wait` are not known here.
package struct ExpectationJudge: Sendable {
    package struct Finding: Sendable {
        /// The word at fault.
        package var word: String
        package var text: String

        package init(word: String, text: String) {
            self.word = word
            self.text = text
        }
    }

    /// Finds nothing wrong, for files without lessons.
    package static let any = ExpectationJudge { _ in nil }

    let judge: @Sendable (Expectation) -> Finding?

    /// - Parameter judge: nil where nothing is wrong.
    package init(_ judge: @escaping @Sendable (Expectation) -> Finding?) { self.judge = judge }
}

package enum LessonFile {
    package typealias Read = (lesson: Lesson?, complaints: [Complaint])

    /// Reads a file; its name in front of `.yaml` is that of the lesson.
    package static func read(_ path: String, _ catalogue: Catalogue, _ judge: ExpectationJudge) -> Read {
        switch TextFile.read(path) {
        case .success(let octets): parse(octets, file: path, catalogue, judge)
        case .failure(let complaint): (nil, [complaint])
        }
    }

    /// - Returns: no lesson where there is an error.
    package static func parse(
        _ octets: [UInt8], file: String, _ catalogue: Catalogue, _ judge: ExpectationJudge
    ) -> Read {
        let (root, complaints) = YAMLText.parse(
            octets, file: file, empty: "holds no lesson; a lesson has the keys lesson, title, about and steps")
        guard let root else { return (nil, complaints) }
        return read(root, file: file, complaints, catalogue, judge)
    }

    static func read(
        _ root: Node, file: String, _ earlier: [Complaint], _ catalogue: Catalogue, _ judge: ExpectationJudge
    ) -> Read {
        var reader = LessonReader(file: file, catalogue: catalogue, judge: judge)
        let lesson = reader.read(root)
        let complaints = (earlier + reader.complaints).inOrderOfTheFile
        return (complaints.contains(where: \.isError) ? nil : lesson, complaints)
    }

    /// Whether the tree is one of a lesson and not of settings.
    static func isRecognised(_ root: Node) -> Bool {
        guard case .mapping(let mapping) = root else { return false }
        return mapping.contains { ["lesson", "steps"].contains($0.key.scalar?.string ?? "") }
    }
}

/// Reads the tree of a file.
private struct LessonReader {
    private var nodes: NodeReader
    private let file: String
    private let catalogue: Catalogue
    private let judge: ExpectationJudge
    /// What a `send` takes where it states nothing.
    private var usual = Send(helo: "mail.sender.test", from: "news@sender.test", to: [], message: "")

    var complaints: [Complaint] { nodes.complaints }

    init(file: String, catalogue: Catalogue, judge: ExpectationJudge) {
        self.file = file
        self.catalogue = catalogue
        self.judge = judge
        nodes = NodeReader(file: file)
    }

    mutating func read(_ root: Node) -> Lesson? {
        let keys = ["lesson", "title", "about", "minutes", "order", "sender", "rules", "steps"]
        let before = nodes.complaints.count
        let fields = nodes.fields(of: root, known: keys, in: "a lesson")
        guard case .mapping = root else { return nil }
        let isMisspelt = nodes.complaints.count > before
        func needed(_ key: String, _ example: String) {
            if fields[key] == nil, !isMisspelt { nodes.error(root, "a lesson needs \(key), as \(example)") }
        }
        let name = CatalogueFile.baseName(file)
        if let complaint = CatalogueEntry.complaint(aboutPart: name) {
            nodes.add(Complaint(Place(source: file), "the file's name is the lesson's: \(complaint)"))
        }
        needed("lesson", "lesson: \(name)")
        if let field = fields["lesson"], let text = nodes.string(field), text != name {
            nodes.error(field.value, "lesson is \"\(text.shown)\", and the file is named \(name).yaml; they must agree")
        }
        needed("title", "title: When did the reject happen?")
        needed("about", "about: what it teaches, in a few sentences")
        let (title, about) = (text(fields["title"]), text(fields["about"]))
        let minutes = nodes.parsed(fields["minutes"]) { Value.number($0, in: 1...1000) }
        let order = nodes.parsed(fields["order"]) { Value.number($0, in: 1...1000) }
        if let field = fields["sender"] { usual = send(field.value, isUsual: true) }
        let rules = rules(fields["rules"])
        needed("steps", "steps: with a list of steps")
        let steps = list(fields["steps"], most: LessonLimit.steps, "steps").compactMap { step($0) }
        if let field = fields["steps"], case .sequence(let sequence) = field.value, sequence.isEmpty {
            nodes.error(field.value, "steps is empty; a lesson has one at least")
        }
        return Lesson(
            name: name, title: title, about: about, minutes: minutes, order: order, rules: rules, steps: steps)
    }

    // MARK: Steps

    private mutating func step(_ node: Node) -> LessonStep? {
        let keys = ["title", "say", "rules", "guess", "send", "hands", "sees", "means", "fails", "questions", "read"]
        let before = nodes.complaints.count
        let fields = nodes.fields(of: node, known: keys, in: "a step")
        guard case .mapping = node else { return nil }
        let isMisspelt = nodes.complaints.count > before
        for (key, example) in [("title", "title: Refused at RCPT"), ("say", "say: words for the learner")]
        where fields[key] == nil && !isMisspelt {
            nodes.error(node, "a step needs \(key), as \(example)")
        }
        var step = LessonStep(title: text(fields["title"]), say: text(fields["say"]))
        step.rules = rules(fields["rules"])
        step.guess = list(fields["guess"], most: LessonLimit.questions, "questions").compactMap { question($0) }
        if let field = fields["send"] {
            let all: [Node] = if case .sequence(let sequence) = field.value { Array(sequence) } else { [field.value] }
            step.sends = limited(all, most: LessonLimit.sends, "connections in a step").map { send($0, isUsual: false) }
        }
        step.hands = optional(fields["hands"])
        step.sees = expectations(fields["sees"])
        step.means = optional(fields["means"])
        step.fails = optional(fields["fails"])
        step.questions = list(fields["questions"], most: LessonLimit.questions, "questions").compactMap { question($0) }
        step.read = nodes.strings(fields["read"])?.map(\.text) ?? []
        agree(step, fields)
        return step
    }

    /// What belongs together in a step.
    private mutating func agree(_ step: LessonStep, _ fields: [String: NodeReader.Field]) {
        if let send = fields["send"], fields["sees"] == nil {
            nodes.error(send.key, "send needs sees beside it: what the sink must see, as session verdict=accepted")
        }
        guard let sees = fields["sees"] else { return }
        if fields["send"] == nil {
            nodes.error(sees.key, "sees needs send beside it: nobody would send what is to be seen")
        }
        if !step.sees.isEmpty, step.sees.allSatisfy({ $0.count == 0 }) {
            nodes.error(
                sees.value, "sees has only what must not happen; say what must, so that it is known when to look")
        }
    }

    private mutating func rules(_ field: NodeReader.Field?) -> [LessonRule] {
        var reader = RuleReader(nodes: nodes)
        let placed = reader.read(field)
        nodes = reader.nodes
        if let field, placed.count > LessonLimit.rules {
            nodes.error(field.value, "more than \(LessonLimit.rules) rules")
        }
        for complaint in RuleSet.complaints(about: placed, [], catalogue) { nodes.add(complaint) }
        return placed.map { LessonRule($0.rule) }
    }

    // MARK: Sending

    private mutating func send(_ node: Node, isUsual: Bool) -> Send {
        let keys = ["helo", "from", "to", "message", "tls"]
        let more = ["by", "lines", "talks-first", "leaves"]
        let what = isUsual ? "sender" : "send"
        let before = nodes.complaints.count
        let fields = nodes.fields(of: node, known: isUsual ? keys : keys + more, in: what)
        var send = usual
        send.by = optional(fields["by"])
        if let helo = line(fields["helo"]) { send.helo = helo }
        if let from = path(fields["from"]) { send.from = from == "<>" ? "" : from }
        if let field = fields["to"], let texts = nodes.strings(field) {
            send.to = limited(texts.map(\.node), most: LessonLimit.recipients, "recipients").compactMap { node in
                path(NodeReader.Field(key: field.key, value: node))
            }
        }
        if let field = fields["message"] {
            send.message = text(field)
            for (index, line) in send.messageLines.enumerated() where line.utf8.count > Self.longestLine {
                nodes.error(field.value, "line \(index + 1) of the message has more than \(Self.longestLine) octets")
            }
        }
        send.tls = nodes.parsed(fields["tls"]) { Value.choice($0, Send.TLSUse.self) } ?? send.tls
        if let field = fields["lines"] { send.lines = spoken(field) }
        send.talksFirst = nodes.parsed(fields["talks-first"], Value.switched) ?? false
        send.leaves = nodes.parsed(fields["leaves"], Value.switched) ?? false
        guard !isUsual, nodes.complaints.count == before, send.lines.isEmpty else { return send }
        if send.to.isEmpty { nodes.error(node, "send needs to: the recipients, here or in the lesson's sender") }
        if send.message.isEmpty { nodes.error(node, "send needs message, here or in the lesson's sender") }
        return send
    }

    /// RFC 5321 §4.5.3.1.6, without CRLF.
    private static let longestLine = 998

    private mutating func spoken(_ field: NodeReader.Field) -> [SpokenLine] {
        list(field, most: LessonLimit.lines, "lines").compactMap { node in
            guard node.scalar == nil else {
                return line(NodeReader.Field(key: field.key, value: node)).map { SpokenLine($0) }
            }
            let fields = nodes.fields(of: node, known: ["line", "why", "waits"], in: "a line")
            guard let words = fields["line"] else {
                nodes.error(node, "a line needs line: what is said, as line: \"EHLO mail.sender.test\"")
                return nil
            }
            let waits = nodes.parsed(fields["waits"], Value.switched) ?? true
            return line(words).map { SpokenLine($0, why: optional(fields["why"]), waits: waits) }
        }
    }

    /// What goes over the wire as one line. Empty ones are allowed: they end a header.
    private mutating func line(_ field: NodeReader.Field?) -> String? {
        guard let field, let text = nodes.string(field) else { return nil }
        guard text.utf8.count <= Self.longestLine else {
            nodes.error(field.value, "a line has at most \(Self.longestLine) octets")
            return nil
        }
        guard text.utf8.allSatisfy({ $0 >= 32 || $0 == 9 }) else {
            nodes.error(field.value, "a line holds no line end and no control character")
            return nil
        }
        return text
    }

    /// An address without angle brackets.
    private mutating func path(_ field: NodeReader.Field) -> String? { path(Optional(field)) }

    private mutating func path(_ field: NodeReader.Field?) -> String? {
        guard let field, let text = line(field) else { return nil }
        let isAddress = text.contains("@") && !text.contains { " <>,".contains($0) }
        guard isAddress || text == "<>" else {
            nodes.error(field.value, "\"\(text.shown)\" is no address; write user@host without angle brackets")
            return nil
        }
        return text
    }

    // MARK: What must be seen

    private mutating func expectations(_ field: NodeReader.Field?) -> [Expectation] {
        guard let texts = nodes.strings(field) else { return [] }
        let all = limited(texts.map(\.node), most: LessonLimit.expectations, "things that must be seen")
        return all.compactMap { node in
            let text = node.scalar?.string ?? ""
            switch Expectation.parse(text) {
            case .failure(let complaint):
                nodes.add(Complaint(nodes.place(node, offset: complaint.offset), complaint.text))
                return nil
            case .success(let expectation):
                guard let finding = judge.judge(expectation) else { return expectation }
                let at = text.ranges(of: finding.word + "=").first?.lowerBound
                let offset = at.map { text.distance(from: text.startIndex, to: $0) } ?? 0
                nodes.add(Complaint(nodes.place(node, offset: offset), finding.text))
                return nil
            }
        }
    }

    // MARK: Questions

    private mutating func question(_ node: Node) -> Question? {
        let before = nodes.complaints.count
        let fields = nodes.fields(of: node, known: ["ask", "reply", "choices", "answer", "why"], in: "a question")
        guard case .mapping = node else { return nil }
        if nodes.complaints.count == before {
            for key in ["ask", "choices", "answer", "why"] where fields[key] == nil {
                nodes.error(node, "a question needs \(key)")
            }
        }
        let choices = nodes.strings(fields["choices"])?.map(\.text) ?? []
        if let field = fields["choices"], !(2...LessonLimit.choices).contains(choices.count) {
            nodes.error(field.value, "choices are 2 to \(LessonLimit.choices), not \(choices.count)")
        }
        if let field = fields["choices"], Set(choices).count < choices.count {
            nodes.error(field.value, "the same choice stands there twice")
        }
        var answer: Int?
        if let field = fields["answer"], let text = nodes.string(field), !choices.isEmpty {
            answer = choices.firstIndex(of: text)
            if answer == nil {
                let hint = Suggestion.didYouMean(text, among: choices)
                nodes.error(
                    field.value, "answer is one of the choices, word for word; \"\(text.shown)\" is none\(hint)")
            }
        }
        let reply = reply(fields["reply"])
        guard let answer else { return nil }
        return Question(
            ask: text(fields["ask"]), reply: reply, choices: choices, answer: answer, why: text(fields["why"]))
    }

    private mutating func reply(_ field: NodeReader.Field?) -> Question.CataloguedReply? {
        guard let field, let name = nodes.string(field) else { return nil }
        guard let entry = catalogue[name] else {
            let nearest = catalogue.nearest(name).map { "\"\($0)\"" }
            let hint = nearest.isEmpty ? "" : "; did you mean \(nearest.joined(separator: " or "))?"
            nodes.error(field.value, "no reply of the catalogue is named \"\(name.shown)\"\(hint)")
            return nil
        }
        // As a sender reads it: with the values of an example in its places.
        let lines = String(decoding: entry.reply(.example).wire, as: UTF8.self).split(separator: "\r\n")
        return Question.CataloguedReply(
            name: entry.name, provider: entry.provider, text: lines.joined(separator: "\n"))
    }

    // MARK: Texts and lists

    /// Empty after a complaint.
    private mutating func text(_ field: NodeReader.Field?) -> String {
        guard let field, let text = nodes.string(field) else { return "" }
        if text.allSatisfy(\.isWhitespace) {
            nodes.error(field.value, "\(field.key.scalar?.string ?? "this") is empty")
        }
        if text.utf8.count > LessonLimit.text {
            nodes.error(field.value, "\(field.key.scalar?.string ?? "this") has more than \(LessonLimit.text) octets")
        }
        return text
    }

    private mutating func optional(_ field: NodeReader.Field?) -> String? { field == nil ? nil : text(field) }

    private mutating func list(_ field: NodeReader.Field?, most: Int, _ what: String) -> [Node] {
        limited(nodes.list(field) ?? [], most: most, what)
    }

    private mutating func limited(_ list: [Node], most: Int, _ what: String) -> [Node] {
        if list.count > most { nodes.error(list[most], "more than \(most) \(what)") }
        return Array(list.prefix(most))
    }
}

/// All lessons that are found by name.
package enum LessonShelf {
    /// Files that are looked at.
    package static let mostFiles = 200

    /// One lesson by its name or its file; a complaint for each thing that is wrong with it.
    package static func find(
        _ name: String, in folders: [String], _ catalogue: Catalogue, _ judge: ExpectationJudge
    ) -> LessonFile.Read {
        switch Scenarios.find(name, in: folders, place: Place(source: name.shown), what: "lesson") {
        case .failure(let complaint): (nil, [complaint])
        case .success(let path): LessonFile.read(path, catalogue, judge)
        }
    }

    /// Those without errors, in their order.
    package static func all(in folders: [String], _ catalogue: Catalogue, _ judge: ExpectationJudge) -> [Lesson] {
        Scenarios.names(in: folders).prefix(mostFiles).compactMap { find($0, in: folders, catalogue, judge).lesson }
            .sorted { ($0.order ?? .max, $0.name) < ($1.order ?? .max, $1.name) }
    }
}
