// A conversation without a socket: octets and time go in, replies and events come out.

import Faults
import Journal
import SMTP

@testable import Sink

/// Plays the client, the clock and the store of one conversation.
struct Rehearsal: ~Copyable {
    let conversation: Conversation
    var effects = Effects()
    var now_ns: UInt64 = 1_000_000_000
    var log = EventLog()
    var said: [UInt8] = []
    var closing = Effects.Closing.no
    var stored: [Message] = []
    /// What the store says to each message; nil: kept.
    var storeFailure: String?

    init(rules lines: [String] = [], profile: Profile = Profile(hostname: "mx.test"), magic: MagicPacks = .usual) throws
    {
        self.init(rules: try lines.map { try RuleLine.parse($0) }, profile: profile, magic: magic)
    }

    init(
        rules: [Rule], profile: Profile = Profile(hostname: "mx.test"), magic: MagicPacks = .usual,
        tlsFault: TLSFault? = nil
    ) {
        self.init(
            sharing: RuleBook(rules: rules, seed: 1, timeScale: 1, magic: magic, catalogue: .empty), number: 1,
            profile: profile, tlsFault: tlsFault)
    }

    /// One of several sessions with the same rules and their counts.
    init(
        sharing rules: RuleBook, number: UInt64, profile: Profile = Profile(hostname: "mx.test"),
        tlsFault: TLSFault? = nil, clientHost: String = "127.0.0.1"
    ) {
        let context = ListenerContext(
            name: "smtp", profile: profile, rules: rules, implicitTLS: false, tlsFault: tlsFault, keepsMessages: true,
            records: true)
        conversation = Conversation(
            id: "s\(number)", number: number, context: context, client: "\(clientHost):5000", clientHost: clientHost,
            clientAddress: IPAddress(clientHost))
        conversation.opened(local: "127.0.0.1:25", wall_us: 0, now_ns: now_ns, &effects)
        collect()
    }

    mutating func send(_ text: String) {
        Array(text.utf8).withUnsafeBytes { conversation.received($0, now_ns: now_ns, &effects) }
        collect()
    }

    mutating func wait(ms: UInt64) {
        let end_ns = now_ns + ms * 1_000_000
        while let deadline = effects.deadline_ns, deadline <= end_ns, !conversation.hasEnded {
            now_ns = max(now_ns, deadline)
            conversation.deadlineReached(now_ns: now_ns, &effects)
            collect()
        }
        now_ns = end_ns
    }

    mutating func clientCloses() {
        conversation.peerFinished(now_ns: now_ns, &effects)
        collect()
    }

    /// What was said since the last call.
    mutating func replies() -> String {
        defer { said = [] }
        return String(decoding: said, as: UTF8.self)
    }

    var record: SessionRecord { SessionBuilder.record(of: log) }

    private mutating func collect() {
        while let message = effects.message {
            effects.message = nil
            // A 250 must not be on its way before the message is kept.
            precondition(!String(decoding: effects.output, as: UTF8.self).contains("queued as \(message.id)"))
            if storeFailure == nil { stored.append(message) }
            conversation.stored(storeFailure, now_ns: now_ns, &effects)
        }
        said += effects.output
        log.append(effects.events)
        if effects.closing != .no { closing = effects.closing }
        effects.clear()
    }
}
