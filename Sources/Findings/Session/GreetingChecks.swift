// The layer greeting: whether the client waits for it, reads it to its end, obeys it, and how long it waits. Most of it
// shows only when a rule holds the greeting back (`delay`, `drip`, `stall`, `raw` in pieces): octets that are seen
// early prove something, octets that are not seen early prove nothing.

import Journal
import SMTP

struct GreetingChecks {
    /// So long must a greeting be held, or its lines lie apart, before silence says that the client waits.
    static let proof_us: UInt64 = 1_000_000
    /// RFC 5321 §4.5.3.2.1.
    static let patience_us = 300_000_000.0
    /// A polite client that gives up says this, and is no early talker.
    private static let quitLine = 6

    private let trace: SessionTrace
    /// Since when a rule held the greeting back, in this session's time.
    private var heldSince_us: UInt64?
    private var greeting: (step: TraceStep, reply: TraceReply)?
    /// The first octets that came before the greeting was complete.
    private var early: (at_us: UInt64, octetCount: Int)?
    /// When the client left without having been greeted.
    private var left_us: UInt64?
    private var ignoredCount = 0
    private var rest: ArraySlice<TraceStep> = []

    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        var checks = GreetingChecks(trace)
        checks.find(circumstances)
        checks.checkRefusal(&ledger)
        guard checks.heldSince_us != nil, !circumstances.isImplicitTLS || trace.tls != nil else { return }
        checks.checkEarly(&ledger)
        checks.checkPatience(&ledger)
    }

    private init(_ trace: SessionTrace) { self.trace = trace }

    // MARK: What there is

    private mutating func find(_ circumstances: Circumstances) {
        for (index, step) in trace.steps.enumerated() {
            switch step.kind {
            case .fault(.connect, _), .fault(.greeting, _):
                if heldSince_us == nil, holdsBack { heldSince_us = step.at_us }
            case .tlsStarted where circumstances.isImplicitTLS:
                if heldSince_us != nil { heldSince_us = step.at_us }
            case .early(let count): if early == nil { early = (step.at_us, count) }
            case .ignored(let count): ignoredCount += count
            case .clientFinished, .ended(.clientClose), .ended(.clientReset): left_us = left_us ?? step.at_us
            case .reply(let reply):
                guard reply.phase == .greeting || reply.phase == .connect else { return }
                greeting = (step, reply)
                rest = trace.steps[(index + 1)...]
                return
            case .command: return
            case .fault, .tlsStarted, .content, .discarded, .tlsFailed, .notice, .ended: break
            }
        }
    }

    /// Time passes before the greeting, or within it.
    private var holdsBack: Bool {
        trace.greetingScript.contains { action in
            ["delay", "drip", "stall", "raw"].contains { action.hasPrefix($0) }
        }
    }

    // MARK: Talking early

    private func checkEarly(_ ledger: inout Ledger) {
        guard !isNoMailClient else { return }
        guard let (step, reply) = greeting else { return checkUngreeted(&ledger) }
        let gap_us = lineGap_us(reply.wire)
        let firstLine_us = step.at_us - min(step.at_us, gap_us ?? 0)
        if let early {
            let command = firstCommand
            // Whoever has waited in vain and says so did not talk early.
            if let command, command.verb == "QUIT" { return }
            let place = Evidence(line: command?.line, at_us: early.at_us)
            if gap_us != nil, early.at_us >= firstLine_us {
                ledger.broken(
                    .greetMultilineIgnored, place, under: step.disturbances,
                    saw: "\(early.octetCount) octets between the first and the last line of the greeting")
            } else {
                let lead_ms = (step.at_us - min(step.at_us, early.at_us)) / 1000
                ledger.broken(
                    .greetEarlyTalker, place, under: step.disturbances,
                    saw: "\(early.octetCount) octets, \(lead_ms) ms before the greeting was complete")
            }
            return
        }
        guard left_us == nil, let heldSince_us, firstCommand != nil, !trace.isCut else { return }
        if step.at_us - min(step.at_us, heldSince_us) >= Self.proof_us { ledger.kept(.greetEarlyTalker) }
        if let gap_us, gap_us >= Self.proof_us { ledger.kept(.greetMultilineIgnored) }
    }

    /// The greeting never came.
    private func checkUngreeted(_ ledger: inout Ledger) {
        let count = early?.octetCount ?? ignoredCount
        guard count > Self.quitLine else { return }
        ledger.broken(
            .greetEarlyTalker, Evidence(at_us: early?.at_us), under: trace.disturbances,
            saw: "\(count) octets, and no greeting had been said")
    }

    /// The first command behind the greeting; rules at `idle` may come in between.
    private var firstCommand: (line: Int, verb: String)? {
        for step in rest.prefix(4) {
            if case .command(let command) = step.kind { return (step.line, command.verb) }
        }
        return nil
    }

    /// TLS and HTTP clients speak first by nature; that they came here at all is the finding.
    private var isNoMailClient: Bool {
        rest.prefix(3).contains { step in
            switch step.kind {
            case .notice(ConnectionChecks.clientHelloNotice), .notice(ConnectionChecks.httpNotice): true
            default: false
            }
        }
    }

    // MARK: A greeting in pieces

    /// Microseconds between the end of the first line and the end of the greeting; nil where it is one line, or not
    /// what a server says, or all of it went out at once.
    private func lineGap_us(_ wire: [UInt8]) -> UInt64? {
        guard let firstEnd = wire.firstIndex(of: 10).map({ $0 + 1 }), firstEnd < wire.count, Self.isWellFormed(wire)
        else { return nil }
        // What is raw goes out in its own pieces, and a drip is nothing to it.
        if let raw = trace.greetingScript.last(where: { $0.hasPrefix("raw ") }) {
            let pieces =
                raw == "raw split-reply" ? wire.count - firstEnd : PieceCount.pieces(raw, beginningAtOrBehind: firstEnd)
            return pieces > 0 ? UInt64(pieces) * PieceCount.gap_us : nil
        }
        guard let drip = trace.greetingScript.last(where: { $0.hasPrefix("drip ") }),
            let octet_us = PieceCount.octetTime_us(drip)
        else { return nil }
        return UInt64(Double(wire.count - firstEnd) * octet_us)
    }

    /// All lines but the last have a hyphen behind the same code, and each ends in CRLF (RFC 5321 §4.2).
    private static func isWellFormed(_ wire: [UInt8]) -> Bool {
        let code = SessionTrace.code(wire)
        var start = 0
        while start < wire.count {
            guard let end = wire[start...].firstIndex(of: 10), end - start >= 4, wire[end - 1] == 13,
                SessionTrace.code(Array(wire[start..<start + 3])) == code
            else { return false }
            let isLast = end + 1 == wire.count
            guard isLast == (wire[start + 3] != UInt8(ascii: "-")) else { return false }
            start = end + 1
        }
        return code >= 200
    }

    // MARK: Obeying it

    private func checkRefusal(_ ledger: inout Ledger) {
        guard let (greeting, reply) = greeting, reply.code >= 400, !isNoMailClient else { return }
        for step in rest {
            switch step.kind {
            case .command(let command):
                // What was sent before the refusal was read does not ignore it.
                guard step.at_us >= greeting.at_us else { continue }
                guard command.verb != "QUIT" else { return ledger.kept(.greetRefusalIgnored) }
                return ledger.broken(
                    .greetRefusalIgnored,
                    Evidence(line: step.line, range: 0..<command.octets.count, at_us: step.at_us),
                    under: step.disturbances,
                    saw: "\(Excerpt.octets(command.octets.prefix(80))) after \(Excerpt.octets(reply.wire.prefix(60)))")
            case .ended(.clientClose), .ended(.clientReset):
                if !trace.isCut { ledger.kept(.greetRefusalIgnored) }
            default: break
            }
        }
    }

    // MARK: Waiting for it

    private func checkPatience(_ ledger: inout Ledger) {
        guard early == nil, ignoredCount == 0, !trace.isCut, let heldSince_us else { return }
        // A connection that is only opened and closed asks whether somebody listens. What counts is the wait from the
        // accept on.
        let start_us = trace.tls == nil ? 0 : heldSince_us
        let end_us = left_us ?? greeting?.step.at_us ?? 0
        guard end_us > start_us, end_us - start_us >= Self.proof_us else { return }
        let waited_us = Double(end_us - start_us)
        if waited_us * ledger.settings.thresholds.timeScale >= Self.patience_us {
            ledger.kept(.greetTimeoutShort)
        } else if left_us != nil {
            ledger.broken(
                .greetTimeoutShort, Evidence(at_us: end_us), under: trace.disturbances,
                saw: "the client left after \(Transcript.milliseconds(UInt64(waited_us))) ms without a greeting")
        }
    }
}

/// How a reply of several pieces went out, by the words of the rule that made it.
enum PieceCount {
    /// Between the pieces of a raw reply, in microseconds.
    static let gap_us: UInt64 = 5000

    /// `drip 10/s`: microseconds an octet.
    static func octetTime_us(_ drip: String) -> Double? {
        let words = drip.dropFirst("drip ".utf8.count).split(separator: "/")
        guard words.count == 2, let octets = Double(words[0]), octets > 0 else { return nil }
        switch words[1] {
        case "s": return 1e6 / octets
        case "m": return 60e6 / octets
        case "h": return 3600e6 / octets
        default: return nil
        }
    }

    /// `raw "220-a\r\n\|220 b\r\n"`: how many pieces begin behind so many octets of the reply.
    static func pieces(_ raw: String, beginningAtOrBehind octets: Int) -> Int {
        let text = raw.utf8.drop { $0 != UInt8(ascii: "\"") }.dropFirst().dropLast()
        var (written, pieces) = (0, 0)
        var rest = text
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "\\") else {
                written += 1
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "|"): if written >= octets { pieces += 1 }
            case UInt8(ascii: "x"):
                rest = rest.dropFirst(2)
                written += 1
            default: written += 1
            }
        }
        return pieces
    }
}
