// Runs one dialogue in one way from its first line to its last expectation, and many of them on threads of their own.

import EventLoop
import Journal
import Testing

enum Rehearsal {
    /// What one run left behind.
    struct Outcome {
        var heard: [UInt8]
        var aftermath: Aftermath
        var transcript: [String]
    }

    static func pure(_ dialogue: Dialogue) throws {
        _ = try run(dialogue, on: PureStage(dialogue, cutting: .whole), way: "pure")
    }

    /// Octets one by one and at random places; both must sound like the whole.
    static func cut(_ dialogue: Dialogue) throws {
        let whole = try run(dialogue, on: PureStage(dialogue, cutting: .whole), way: "pure")
        let seed = dialogue.file.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        let cuttings: [(Cutting, String)] = [
            (.oneByOne, "one by one"), (.random(seed: seed), "random cuts"),
            (.random(seed: ~seed), "other random cuts"),
        ]
        for (cutting, way) in cuttings {
            let other = try run(dialogue, on: PureStage(dialogue, cutting: cutting), way: way)
            guard other.heard == whole.heard else {
                throw difference(
                    dialogue, way,
                    "the sink said\n    \(Player.shown(whole.heard))\n  and now\n    \(Player.shown(other.heard))")
            }
            let expected = whole.aftermath.records.map(\.skeleton)
            let found = other.aftermath.records.map(\.skeleton)
            guard expected == found else {
                let differing = zip(expected.joined(), found.joined()).first { $0 != $1 }
                throw difference(
                    dialogue, way, "the record said\n    \(differing?.0 ?? "…")\n  and now\n    \(differing?.1 ?? "…")")
            }
            guard other.aftermath.messages.map(\.content) == whole.aftermath.messages.map(\.content) else {
                throw difference(dialogue, way, "other messages were stored")
            }
        }
    }

    private static func difference(_ dialogue: Dialogue, _ way: String, _ message: String) -> DialogueFailure {
        let place = dialogue.steps.first?.place ?? Place(file: dialogue.file, line: 0)
        return DialogueFailure(place: place, way: way, message: message, transcript: [])
    }

    /// Plays the script, as often as `parallel` says, one time behind the other, and looks at what was recorded.
    private static func run(_ dialogue: Dialogue, on stage: PureStage, way: String) throws -> Outcome {
        var outcome = Outcome(heard: [], aftermath: Aftermath(), transcript: [])
        for _ in 0..<dialogue.parallel {
            let player = try Player(dialogue, on: stage, way: way)
            try player.play()
            outcome.heard += player.heard
            outcome.transcript = player.transcript
        }
        outcome.aftermath = stage.conclude()
        try verify(dialogue, outcome, way)
        return outcome
    }

    /// Over a real socket, in clear or inside TLS; with `parallel`, all clients at once.
    static func socket(_ dialogue: Dialogue, insideTLS: Bool, identity: TLSIdentity) throws {
        let way = insideTLS ? "tls" : "clear"
        let stage = try SocketStage(dialogue, insideTLS: insideTLS, identity: identity)
        var outcome = Outcome(heard: [], aftermath: Aftermath(), transcript: [])
        do {
            if dialogue.parallel == 1 {
                let player = try Player(dialogue, on: stage, way: way)
                try player.play()
                outcome.transcript = player.transcript
            } else {
                let failures = Crew.together(dialogue.parallel) { _ in try Player(dialogue, on: stage, way: way).play()
                }
                if let first = failures.first {
                    throw WireError("\(failures.count) of \(dialogue.parallel) failed: \(first)")
                }
            }
        } catch {
            _ = stage.conclude()
            throw error
        }
        outcome.aftermath = stage.conclude()
        try verify(dialogue, outcome, way)
    }

    static func verify(_ dialogue: Dialogue, _ outcome: Outcome, _ way: String) throws {
        guard !dialogue.expectations.isEmpty else { return }
        let records = outcome.aftermath.records
        for expectation in dialogue.expectations {
            if let complaint = expectation.complaint(about: outcome.aftermath, records) {
                let wanted = "expected \(expectation.subject.rawValue) `\(expectation.pattern)`"
                throw DialogueFailure(
                    place: expectation.place, way: way, message: "\(wanted): \(complaint)",
                    transcript: outcome.transcript.suffix(60))
            }
        }
    }

    // MARK: Many

    /// Runs the dialogues on threads of their own and makes an issue of each failure.
    static func report(
        _ dialogues: [Dialogue], threads: Int = 2, _ body: @escaping @Sendable (Dialogue) throws -> Void,
        at location: SourceLocation = #_sourceLocation
    ) async {
        #expect(!dialogues.isEmpty, sourceLocation: location)
        let failures = await withCheckedContinuation { continuation in
            Crew.work(on: dialogues, threads: threads, body) { continuation.resume(returning: $0) }
        }
        for failure in failures { Issue.record("\(failure)", sourceLocation: location) }
    }
}
