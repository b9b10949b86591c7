// Plays the script of a dialogue on a wire and says, at the first thing that differs, where it stands, what was
// expected, what came, and what was said so far. Knows neither sockets nor conversations.

import Glibc
import SMTP

/// The first thing that differs.
struct DialogueFailure: Error, CustomStringConvertible {
    var place: Place
    var way: String
    var message: String
    var transcript: ArraySlice<String>

    var description: String {
        let said = transcript.map { "    " + $0 }.joined(separator: "\n")
        return "\(place) (\(way)): \(message)\n  the conversation so far:\n\(said)"
    }
}

final class Player {
    private let dialogue: Dialogue
    private let stage: any Stage
    private let way: String
    private var wire: any Wire
    private var arrived: [UInt8] = []
    /// How much of `arrived` was read.
    private var readCount = 0
    private var place: Place
    private var began_ns: UInt64
    private var lastWrite_ns: UInt64
    private var lastArrival_ns: UInt64
    private var lastReply: [String] = []
    private var grammar: ReplyGrammar
    private var isOver = false
    private(set) var transcript: [String] = []
    /// Everything that the sink said, over all sessions.
    private(set) var heard: [UInt8] = []

    init(_ dialogue: Dialogue, on stage: any Stage, way: String) throws {
        self.dialogue = dialogue
        self.stage = stage
        self.way = way
        place = dialogue.steps.first?.place ?? Place(file: dialogue.file, line: 0)
        // Before the connect: the sink may have accepted before this thread goes on.
        began_ns = stage.now_ns
        wire = try stage.connect()
        lastWrite_ns = began_ns
        lastArrival_ns = began_ns
        grammar = ReplyGrammar(dialogue)
    }

    func play() throws {
        for (step, place) in dialogue.steps {
            self.place = place
            do {
                try perform(step)
            } catch let error as WireError {
                throw failure(error.description)
            }
        }
        try endSession()
    }

    func failure(_ message: String, at other: Place? = nil) -> DialogueFailure {
        DialogueFailure(
            place: other ?? place, way: way, message: message, transcript: transcript.suffix(Self.toldAtMost))
    }

    // MARK: Steps

    private func perform(_ step: Step) throws {
        switch step {
        case .line(let glob):
            lastReply = []
            try expectLine(glob)
        case .lines(let count, let glob):
            lastReply = []
            for _ in 0..<count { try expectLine(glob) }
        case .reply(let code): try readReply(code)
        case .has(let glob):
            guard lastReply.contains(where: { glob.matches($0.dropFirst(4)) }) else {
                throw failure("expected a line `\(glob)` in the last reply")
            }
        case .lacks(let glob):
            if let line = lastReply.first(where: { glob.matches($0.dropFirst(4)) }) {
                throw failure("the last reply must not have `\(line)`")
            }
        case .send(let pieces): try send(pieces)
        case .wait(let interval):
            note("--", "wait \(interval)")
            wire.wait(interval.ns)
        case .silence(let interval): try expectSilence(interval)
        case .took(let least):
            let took = elapsed
            guard took.ns >= least.ns else { throw failure("expected at least \(least), took \(took)") }
        case .tookAtMost(let most):
            let took = elapsed
            guard !wire.isVirtual || took.ns <= most.ns else { throw failure("expected at most \(most), took \(took)") }
        case .startTLS(let succeeds): try startTLS(succeeds)
        case .halfClose:
            note("--", "half-close")
            wire.finishSending()
            lastWrite_ns = wire.now_ns
        case .drop: leave(by: { $0.close() }, "drop")
        case .abort: leave(by: { $0.abort() }, "abort")
        case .closed: try expectEnd(byReset: false)
        case .wasReset: try expectEnd(byReset: true)
        case .reconnect: try reconnect()
        }
    }

    /// What came and was not read yet.
    private var unread: ArraySlice<UInt8> { arrived[readCount...] }

    private var elapsed: Interval { Interval(ns: lastArrival_ns - min(lastWrite_ns, lastArrival_ns)) }

    private func send(_ pieces: [Piece]) throws {
        for piece in pieces {
            note("C:", piece.count == 1 ? Self.shown(piece.octets) : "\(piece.count) times \(Self.shown(piece.octets))")
            grammar.clientSaid(piece)
        }
        lastWrite_ns = wire.now_ns
        var octets: [UInt8] = []
        for piece in pieces { piece.append(to: &octets) }
        try wire.send(octets)
    }

    private func startTLS(_ succeeds: Bool) throws {
        guard unread.isEmpty else { throw failure("unread before the handshake: \(Self.shown(unread))") }
        let reason = wire.startTLS(within: succeeds ? wire.patience_ns : Self.patienceWithFailure_ns)
        lastArrival_ns = wire.now_ns
        note("--", reason.map { "handshake failed: \($0)" } ?? "handshake done")
        if succeeds, let reason { throw failure("the handshake failed: \(reason)") }
        if !succeeds, reason == nil { throw failure("the handshake was expected to fail") }
    }

    private func leave(by action: (any Wire) -> Void, _ word: String) {
        note("--", word)
        action(wire)
        isOver = true
    }

    private func reconnect() throws {
        try endSession()
        note("--", "reconnect")
        lastWrite_ns = stage.now_ns
        lastArrival_ns = lastWrite_ns
        wire = try stage.connect()
        isOver = false
        grammar.sessionBegan()
    }

    /// Nothing may be left unread.
    private func endSession() throws {
        if !isOver {
            while case .octets(let octets) = wire.receive(within: 0) { take(octets) }
            wire.close()
            isOver = true
        }
        if !unread.isEmpty { throw failure("unread at the end: \(Self.shown(unread))") }
    }

    // MARK: What the sink says

    private func expectLine(_ glob: Glob) throws {
        guard let line = try readLine() else { throw failure("expected `\(glob)`, \(lastWords)") }
        lastReply.append(line)
        guard glob.matches(line) else { throw failure("expected `\(glob)`, came `\(line)`") }
    }

    private func readReply(_ code: Glob) throws {
        lastReply = []
        while true {
            guard let line = try readLine() else { throw failure("expected a reply \(code), \(lastWords)") }
            lastReply.append(line)
            guard code.matches(line.prefix(3)) else { throw failure("expected a reply \(code), came `\(line)`") }
            if line.dropFirst(3).first != "-" { return }
        }
    }

    private var lastWords = ""

    /// - Returns: nil when none came; `lastWords` says why.
    private func readLine() throws -> String? {
        let until = wire.now_ns + wire.patience_ns
        while true {
            if let octets = nextLine() {
                let line = Self.shown(octets.last == 13 ? octets.dropLast() : octets[...])
                note("S:", line)
                if octets.last != 13 { throw failure("the line `\(line)` ends in a bare LF") }
                if let complaint = grammar.complaint(about: octets.dropLast()) {
                    throw failure("the line `\(line)`: \(complaint)")
                }
                return line
            }
            let now = wire.now_ns
            guard now < until else {
                lastWords = "nothing came in \(Interval(ns: wire.patience_ns))"
                return nil
            }
            switch wire.receive(within: until - now) {
            case .octets(let octets): take(octets)
            case .finished:
                lastWords = "the sink closed" + (unread.isEmpty ? "" : " behind `\(Self.shown(unread))`")
                note("--", "closed by the sink")
                return nil
            case .reset:
                lastWords = "the sink reset the connection"
                note("--", "reset by the sink")
                return nil
            case .nothing: break
            }
        }
    }

    /// - Returns: the line without its LF; nil while none is whole.
    private func nextLine() -> [UInt8]? {
        let length: Int? = arrived.withUnsafeBytes { octets in
            guard octets.count > readCount, let start = octets.baseAddress?.advanced(by: readCount),
                let found = memchr(start, 10, octets.count - readCount)
            else { return nil }
            return UnsafeRawPointer(found) - start
        }
        guard let length else { return nil }
        let line = Array(arrived[readCount..<readCount + length])
        readCount += length + 1
        if readCount == arrived.count {
            arrived.removeAll(keepingCapacity: true)
            readCount = 0
        }
        return line
    }

    private func take(_ octets: [UInt8]) {
        lastArrival_ns = wire.now_ns
        arrived += octets
        heard += octets
    }

    private func expectSilence(_ interval: Interval) throws {
        note("--", "silence \(interval)")
        guard unread.isEmpty else { throw failure("expected silence, came \(Self.shown(unread))") }
        switch wire.receive(within: interval.ns) {
        case .nothing: return
        case .octets(let octets):
            take(octets)
            throw failure("expected silence, came \(Self.shown(octets))")
        case .finished: throw failure("expected silence, the sink closed")
        case .reset: throw failure("expected silence, the sink reset the connection")
        }
    }

    private func expectEnd(byReset: Bool) throws {
        let wanted = byReset ? "a reset" : "the sink to close"
        guard unread.isEmpty else { throw failure("expected \(wanted), came \(Self.shown(unread))") }
        let arrival = wire.receive(within: wire.patience_ns)
        lastArrival_ns = wire.now_ns
        switch arrival {
        case .octets(let octets):
            heard += octets
            throw failure("expected \(wanted), came \(Self.shown(octets))")
        case .nothing: throw failure("expected \(wanted), nothing happened in \(Interval(ns: wire.patience_ns))")
        case .finished:
            note("--", "closed by the sink")
            if byReset { throw failure("expected \(wanted), the sink closed") }
        case .reset:
            note("--", "reset by the sink")
            if !byReset { throw failure("expected \(wanted), the sink reset the connection") }
        }
        wire.close()
        isOver = true
    }

    // MARK: Words

    private func note(_ who: String, _ text: String) {
        let now = wire.now_ns
        let ms = (now - min(began_ns, now)) / 1_000_000
        transcript.append("\(String(repeating: " ", count: max(0, 6 - String(ms).utf8.count)))\(ms) \(who) \(text)")
    }

    private static let shownAtMost = 300
    /// A handshake that is expected to fail may just hang.
    private static let patienceWithFailure_ns: UInt64 = 300_000_000
    /// Lines of the conversation that a failure shows.
    private static let toldAtMost = 60

    /// Octets as a dialogue would write them.
    static func shown(_ octets: some Collection<UInt8>) -> String {
        var text = ""
        for octet in octets.prefix(shownAtMost) {
            switch octet {
            case 13: text += "\\r"
            case 10: text += "\\n"
            case 9: text += "\\t"
            case 92: text += "\\\\"
            case 32..<127: text.unicodeScalars.append(Unicode.Scalar(octet))
            default: text += "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
            }
        }
        return octets.count > shownAtMost ? text + "… (\(octets.count) octets)" : text
    }
}
