// The sink without a socket: conversations on a virtual clock that jumps from deadline to deadline. What the event loop
// does with effects over a real connection, this file does with arrays.

import Faults
import Journal
import SMTP
import Sink

/// How the client's octets are cut before the conversation sees them.
enum Cutting: Sendable, Hashable {
    case whole
    case oneByOne
    /// At random places; the seed says which.
    case random(seed: UInt64)

    static let longestPiece: UInt64 = 97
    /// Octets beyond this are cut into larger pieces, or the largest dialogues would take minutes.
    static let smallWrite = 64 << 10
    static let largePiece = 4093
}

/// Several conversations that share rules, store and clock.
final class PureStage: Stage {
    fileprivate let context: ListenerContext
    fileprivate let cutting: Cutting
    fileprivate(set) var now_ns: UInt64 = 1_000_000_000
    fileprivate var messages: [Message] = []
    fileprivate var storedCount = 0
    private var wires: [PureWire] = []

    /// 2026-01-01T00:00:00Z.
    static let wall_us: Int64 = 1_767_225_600_000_000

    init(_ dialogue: Dialogue, cutting: Cutting) throws(DialogueError) {
        self.cutting = cutting
        context = try dialogue.listenerContext()
    }

    func connect() -> any Wire {
        let wire = PureWire(on: self, number: UInt64(wires.count + 1))
        wires.append(wire)
        wire.open()
        return wire
    }

    func conclude() -> Aftermath {
        Aftermath(
            logs: wires.map(\.log), messages: messages, storedCount: storedCount, hostname: context.profile.hostname)
    }
}

extension Dialogue {
    /// The rules, parsed, each named after its position where it has no name.
    func parsedRules() throws(DialogueError) -> [Rule] {
        var parsed: [Rule] = []
        for rule in rules {
            do {
                parsed.append(try RuleLine.parse(rule.text))
            } catch {
                throw DialogueError(place: rule.place, message: "in the rule: \(error)")
            }
        }
        return parsed
    }

    var profile: Profile {
        Profile(
            hostname: setup.hostname, capabilities: setup.capabilities, limits: setup.limits,
            tlsAvailable: setup.tls != .off, authInClear: setup.authInClear)
    }

    fileprivate func listenerContext() throws(DialogueError) -> ListenerContext {
        ListenerContext(
            name: "smtp", profile: profile,
            rules: RuleBook(
                rules: try parsedRules(), seed: setup.seed, timeScale: setup.timeScale, magic: setup.magic,
                catalogue: .empty),
            implicitTLS: setup.tls == .implicit, tlsFault: nil, keepsMessages: setup.keepsMessages, records: true)
    }
}

/// One conversation, and the client in front of it.
private final class PureWire: Wire {
    private let stage: PureStage
    private let conversation: Conversation
    private var effects = Effects()
    private(set) var log = EventLog()
    /// What the client has not read yet: octets and the time they left.
    private var output: [UInt8] = []
    /// What the client wrote and the conversation has not taken yet.
    private var input: [UInt8] = []
    private var inputOffset = 0
    private var finishPending = false
    private var closing = Effects.Closing.no
    private var handshakeAsked = false
    private var dice: SplitMix

    init(on stage: PureStage, number: UInt64) {
        self.stage = stage
        if case .random(let seed) = stage.cutting { dice = SplitMix(seed) } else { dice = SplitMix(0) }
        conversation = Conversation(
            id: "s\(number)", number: number, context: stage.context, client: "192.0.2.1:25000",
            clientHost: "192.0.2.1", clientAddress: IPAddress("192.0.2.1"))
    }

    var now_ns: UInt64 { stage.now_ns }
    var isVirtual: Bool { true }
    var patience_ns: UInt64 { 10_000_000_000 }

    func open() {
        conversation.opened(local: "192.0.2.2:25", wall_us: PureStage.wall_us, now_ns: now_ns, &effects)
        settle()
    }

    // MARK: What the client does

    func send(_ octets: [UInt8]) {
        if stage.context.implicitTLS, handshakeAsked { _ = startTLS(within: 0) }
        input.append(contentsOf: octets)
        feed()
    }

    func receive(within patience_ns: UInt64) -> Arrival {
        let until = now_ns + patience_ns
        while true {
            if stage.context.implicitTLS, handshakeAsked { _ = startTLS(within: 0) }
            if !output.isEmpty {
                defer { output = [] }
                return .octets(output)
            }
            switch closing {
            case .finish: return .finished
            case .reset: return .reset
            case .no: break
            }
            guard let deadline = effects.deadline_ns, deadline <= until else {
                stage.now_ns = max(now_ns, until)
                return .nothing
            }
            reach(deadline)
        }
    }

    func wait(_ ns: UInt64) {
        let until = now_ns + ns
        while closing == .no, let deadline = effects.deadline_ns, deadline <= until { reach(deadline) }
        stage.now_ns = until
    }

    func startTLS(within patience_ns: UInt64) -> String? {
        let until = now_ns + patience_ns
        while !handshakeAsked, closing == .no, let deadline = effects.deadline_ns, deadline <= until { reach(deadline) }
        guard handshakeAsked, closing == .no else { return "the sink does not want a handshake" }
        handshakeAsked = false
        conversation.handshakeFinished(
            TLSSummary(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", sni: nil, clientNames: []),
            now_ns: now_ns, &effects)
        settle()
        return nil
    }

    func finishSending() {
        finishPending = true
        feed()
    }

    func close() {
        finishSending()
        // The client reads no more: what is still to be said is said to nobody.
        var turns = 0
        while !conversation.hasEnded, let deadline = effects.deadline_ns, turns < Self.turnsAfterClose {
            reach(deadline)
            turns += 1
        }
        output = []
        if !conversation.hasEnded { abort() }
    }

    /// A drip of a long reply takes a turn an octet.
    private static let turnsAfterClose = 10_000

    func abort() {
        guard !conversation.hasEnded else { return }
        conversation.peerGone(now_ns: now_ns, &effects)
        settle()
        output = []
    }

    // MARK: What the event loop would do

    private func reach(_ deadline: UInt64) {
        stage.now_ns = max(now_ns, deadline)
        conversation.deadlineReached(now_ns: now_ns, &effects)
        settle()
        feed()
    }

    /// Gives the conversation what it wants to read now.
    private func feed() {
        while inputOffset < input.count, effects.reading, closing == .no, !handshakeAsked {
            let rest = input.count - inputOffset
            let count = min(rest, effects.readLimit ?? rest, nextCut(rest))
            input.withUnsafeBytes { octets in
                conversation.received(
                    UnsafeRawBufferPointer(rebasing: octets[inputOffset..<inputOffset + count]), now_ns: now_ns,
                    &effects)
            }
            inputOffset += count
            settle()
        }
        if inputOffset == input.count {
            input = []
            inputOffset = 0
            if finishPending {
                finishPending = false
                conversation.peerFinished(now_ns: now_ns, &effects)
                settle()
            }
        }
    }

    private func nextCut(_ rest: Int) -> Int {
        switch stage.cutting {
        case .whole: rest
        case .oneByOne: input.count > Cutting.smallWrite ? Cutting.largePiece : 1
        case .random:
            input.count > Cutting.smallWrite
                ? Cutting.largePiece + Int(dice.next() % Cutting.longestPiece)
                : 1 + Int(dice.next() % Cutting.longestPiece)
        }
    }

    /// Carries out the effects of one turn, and of the turns that follow from it.
    private func settle() {
        while true {
            output += effects.output
            log.append(effects.events)
            if effects.closing != .no { closing = effects.closing }
            if effects.startsTLS {
                handshakeAsked = true
                // RFC 3207 §4.2: what was read before the handshake is gone.
                inputOffset = input.count
            }
            let message = effects.message
            if effects.countedMessage != nil { stage.storedCount += 1 }
            effects.clear()
            guard let message else { return }
            stage.messages.append(message)
            stage.storedCount += 1
            conversation.stored(nil, now_ns: now_ns, &effects)
        }
    }
}

/// Steele, Lea and Flood's SplitMix64: the same cuts in every run.
struct SplitMix {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
