// The state of a session as its client ought to know it, step by step, and the call of each theme's checks at the steps
// that concern it. It judges nothing itself.

import SMTP

/// What an EHLO reply offered, as far as the envelope asks: looked up once, asked at every command.
struct OfferFacts: Sendable {
    var isExtended = false
    var hasPipelining = false
    var hasSize = false
    var hasEightBitMIME = false
    var hasSMTPUTF8 = false
    var hasChunking = false
    var hasBinaryMIME = false
    var hasDSN = false
    var hasAuth = false
    var hasRequireTLS = false
    /// Octets of a message (RFC 1870 §4); nil where no maximum was announced.
    var sizeLimit: Int?
    /// Recipients of a transaction (RFC 9422 §4.2).
    var recipientLimit: Int?

    init(_ offer: TraceOffer) {
        isExtended = offer.isExtended
        guard isExtended else { return }
        for (keyword, words) in offer.keywords {
            switch keyword {
            case "PIPELINING": hasPipelining = true
            case "SIZE":
                hasSize = true
                sizeLimit = words.first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
            case "8BITMIME": hasEightBitMIME = true
            case "SMTPUTF8": hasSMTPUTF8 = true
            case "CHUNKING": hasChunking = true
            case "BINARYMIME": hasBinaryMIME = true
            case "DSN": hasDSN = true
            case "AUTH": hasAuth = true
            case "REQUIRETLS": hasRequireTLS = true
            case "LIMITS": recipientLimit = Self.recipientLimit(words)
            default: break
            }
        }
    }

    /// The words of LIMITS, names and values in turn.
    private static func recipientLimit(_ words: [String]) -> Int? {
        guard let index = words.firstIndex(where: { $0.uppercased() == "RCPTMAX" }), index + 1 < words.count else {
            return nil
        }
        return Int(words[index + 1]).flatMap { $0 > 0 ? $0 : nil }
    }
}

/// A command line with what was known when it came.
struct CommandView {
    let index: Int
    let step: TraceStep
    let command: TraceCommand
    let offer: OfferFacts
    let message: String?

    var octets: [UInt8] { command.octets }
    var under: Disturbances { step.disturbances }
    /// The whole line.
    var whole: Range<Int> { 0..<command.octets.count }

    func evidence(_ range: Range<Int>? = nil) -> Evidence {
        Evidence(
            line: step.line, message: message, transaction: command.transaction.map { $0 + 1 },
            range: range, at_us: step.at_us)
    }

    func excerpt(_ range: Range<Int>? = nil) -> String { Excerpt.octets(command.octets[range ?? whole]) }
}

struct EnvelopeWalk {
    /// What stands in front of a command line.
    enum Front { case nothing, command(Int), content(Int), longLine }

    /// What was sent of a transaction. "Sent" is what the client did, "accepted" and "refused" what it was told.
    struct Sent {
        var mail: Int?
        var recipientCount = 0
        var acceptedCount = 0
        /// The step of the reply to the last RCPT.
        var recipientReply: Int?
        /// The step of a reply that said there are too many recipients.
        var tooMany: Int?
        var isMailAccepted = false
        /// The step of the reply that refused MAIL.
        var mailRefusal: Int?
        /// The step of the reply that refused DATA.
        var dataRefusal: Int?
        var isSMTPUTF8 = false
        var isBinary = false
        var hasChunks = false
        /// The step of the reply that refused a chunk.
        var chunkRefusal: Int?
    }

    let trace: SessionTrace
    let circumstances: Circumstances
    let offers: [OfferFacts]
    /// Steps may be missing in the middle, so nothing is said about their order.
    let judgesOrder: Bool

    var front = Front.nothing
    var sent = Sent()
    /// The message went by BDAT LAST, and no transaction was begun since.
    var isBehindLast = false
    var isAuthenticated = false
    /// What was refused last was MAIL, RCPT, DATA or BDAT.
    var wasRefused = false
    /// Lines of a message come as commands.
    var hearsContent = false
    /// They are what is left of a chunk, which may end anywhere.
    var hearsRestOfChunk = false
    /// A fault acted since the last command.
    var faultSinceCommand: Disturbances = []
    /// The read in which octets came while an answer was held back.
    var earlySegment = 0
    /// DATA was said, its 354 perhaps not yet.
    var dataStep: Int?
    /// The MAIL that was answered 552, and the reply.
    var sizeRefusal: (mail: Int, reply: Int)?
    /// A reply with a code that no list has, or without text, whose consequence is still to be seen.
    var oddReply: Int?
    /// The command whose reply was held back on purpose.
    var delayedReplyTo: Int?
    /// The command whose reply was taken for its first line.
    var misreadReplyTo: Int?
    /// An AUTH exchange that has shown no secret yet.
    var authMayShowSecret = false
    var quit: Int?
    var farewell: Int?
    var hasCommands = false
    /// The client sent FIN, or is gone.
    var hasLeft = false
    var isGreetingRefused = false
    var hasGreeting = false
    /// TLS was begun, and no command has come since.
    var isBehindHandshake = false
    var counts = SessionCounts()
    /// The shortest time so far between a reply that the client had to wait for and its next command.
    private var reaction_us: UInt64?
    /// When the last reply of that kind went out.
    private var awaitedReplyAt_us: UInt64?
    /// How fast the reply to the command at hand leaves.
    private(set) var pace: TracePace?
    private var nextPace = 0

    init(_ trace: SessionTrace, _ circumstances: Circumstances) {
        self.trace = trace
        self.circumstances = circumstances
        offers = trace.offers.map { OfferFacts($0) }
        judgesOrder = !trace.isCut
    }

    // MARK: Steps

    mutating func take(_ index: Int, _ ledger: inout Ledger) {
        let step = trace.steps[index]
        switch step.kind {
        case .command(let command): takeCommand(index, step, command, &ledger)
        case .reply(let reply): takeReply(index, step, reply, &ledger)
        case .content: takeContent(index, step, &ledger)
        case .early: earlySegment = step.segment
        case .fault(_, let disturbances):
            faultSinceCommand.formUnion(disturbances)
            if nextPace < trace.paces.count, trace.paces[nextPace].fault == index {
                pace = trace.paces[nextPace]
                nextPace += 1
            }
        case .notice(let text): CommandChecks.notice(text, step, &self, &ledger)
        case .tlsStarted:
            forgetTransaction()
            isAuthenticated = false
            isBehindHandshake = true
            front = .nothing
        case .tlsFailed: isBehindHandshake = true
        case .clientFinished, .ended: QuitChecks.left(index, step, &self, &ledger)
        case .ignored, .discarded: break
        }
    }

    private mutating func takeCommand(
        _ index: Int, _ step: TraceStep, _ command: TraceCommand, _ ledger: inout Ledger
    ) {
        let view = CommandView(
            index: index, step: step, command: command, offer: offers[step.offer],
            message: command.transaction.flatMap { trace.transactions[$0].message })
        if judgesOrder { PipeliningChecks.check(view, &self, &ledger) }
        defer {
            front = .command(index)
            faultSinceCommand = []
        }
        hasCommands = true
        isBehindHandshake = false
        pace = nil
        noteReaction(step, command)
        guard command.isCommand else { return AuthChecks.response(view, &self, &ledger) }
        // What may be a secret was masked whole.
        guard !command.octets.elementsEqual(Self.mask) else { return }
        guard CommandChecks.line(view, sent.isSMTPUTF8, &ledger) else { return }
        guard CommandChecks.isKnown(view, &self, &ledger) else { return }
        if case .content(let content) = front, ChunkChecks.isChunk(content, trace) { ledger.kept(.bdatSizeWrong) }
        CommandChecks.arguments(view, &self, &ledger)
        if judgesOrder, !isGreetingRefused {
            OrderChecks.check(view, self, &ledger)
            ReplyChecks.goesOn(view, &self, &ledger)
        }
        switch command.verb {
        case "MAIL": takeMail(view, &ledger)
        case "RCPT": takeRecipient(view, &ledger)
        case "AUTH": AuthChecks.command(view, &self, &ledger)
        default: break
        }
        note(view)
    }

    private static let mask = [UInt8](repeating: UInt8(ascii: "*"), count: 8)

    /// EHLO ends its group, so what follows it shows how long the client takes to read a reply.
    private mutating func noteReaction(_ step: TraceStep, _ command: TraceCommand) {
        if let replied = awaitedReplyAt_us, !command.isPipelined, step.at_us > replied {
            reaction_us = min(reaction_us ?? .max, step.at_us - replied)
        }
        awaitedReplyAt_us = nil
    }

    private mutating func takeMail(_ view: CommandView, _ ledger: inout Ledger) {
        (counts.mailIsSMTPUTF8, counts.mailIsBinary) = (false, false)
        if let start = PathChecks.check(view, isForward: false, &ledger) {
            ParameterChecks.mail(view, from: start, &self, &ledger)
        }
    }

    private mutating func takeRecipient(_ view: CommandView, _ ledger: inout Ledger) {
        if judgesOrder { RecipientChecks.overLimit(view, self, &ledger) }
        if let start = PathChecks.check(view, isForward: true, &ledger) {
            ParameterChecks.recipient(view, from: start, self, &ledger)
        }
    }

    private mutating func takeReply(_ index: Int, _ step: TraceStep, _ reply: TraceReply, _ ledger: inout Ledger) {
        if !hasGreeting {
            hasGreeting = true
            isGreetingRefused = reply.code >= 400
        } else if reply.code == 421, farewell == nil {
            farewell = index
        }
        if judgesOrder {
            PipeliningChecks.reply(index, step, reply, &self, &ledger)
            ReplyChecks.reply(index, step, reply, &self, &ledger)
        }
        CommandChecks.countError(step, reply, &self)
        if reply.phase == .ehlo { awaitedReplyAt_us = step.at_us }
        switch reply.phase {
        case .endOfData where !isRefusalOfChunk(reply):
            forgetTransaction()
            counts.nonMail = 0
        case .body where !sent.hasChunks: forgetTransaction()  // a rule refused it half-way
        default: break
        }
        faultSinceCommand = []
    }

    /// Of a chunk that was not the last: what is under way behind it is still of this transaction.
    private func isRefusalOfChunk(_ reply: TraceReply) -> Bool {
        guard reply.code >= 400, let command = reply.command.flatMap({ self.command(at: $0) }) else { return false }
        return command.verb == "BDAT" && !ChunkChecks.isLast(command)
    }

    private mutating func takeContent(_ index: Int, _ step: TraceStep, _ ledger: inout Ledger) {
        // An over-long line inside a transaction is counted as its octets.
        if case .longLine = front { return }
        if judgesOrder { PipeliningChecks.content(index, step, self, &ledger) }
        dataStep = nil
        front = .content(index)
    }

    // MARK: What the client knows

    mutating func forgetTransaction() { sent = Sent() }

    /// The reply to a command; nil where none was said.
    func reply(to command: TraceCommand) -> TraceReply? {
        guard let index = command.reply, case .reply(let reply) = trace.steps[index].kind else { return nil }
        return reply
    }

    func command(at index: Int) -> TraceCommand? {
        guard case .command(let command) = trace.steps[index].kind else { return nil }
        return command
    }

    /// What a command and its reply leave behind.
    private mutating func note(_ view: CommandView) {
        let reply = reply(to: view.command)
        let isRefused = reply.map { $0.code >= 400 } ?? false
        switch view.command.verb {
        case "EHLO", "HELO":
            if reply?.isPositive == true { forgetTransaction() }
            wasRefused = false
        case "RSET":
            forgetTransaction()
            wasRefused = false
            isBehindLast = false
        case "MAIL": noteMail(view, reply, isRefused)
        case "RCPT": noteRecipient(view, reply, isRefused)
        case "DATA":
            dataStep = view.index
            sent.dataRefusal = isRefused ? view.command.reply : nil
            wasRefused = isRefused
        case "BDAT": noteChunk(view, reply, isRefused)
        case "AUTH": if reply?.code == 235 { isAuthenticated = true }
        case "QUIT": quit = quit ?? view.index
        default: break
        }
    }

    private mutating func noteMail(_ view: CommandView, _ reply: TraceReply?, _ isRefused: Bool) {
        if !sent.isMailAccepted {
            let (isUTF8, isBinary) = (counts.mailIsSMTPUTF8, counts.mailIsBinary)
            sent = Sent()
            sent.mail = view.index
            sent.isSMTPUTF8 = isUTF8
            sent.isBinary = isBinary
            sent.isMailAccepted = reply?.isPositive == true
            sent.mailRefusal = isRefused ? view.command.reply : nil
        }
        isBehindLast = false
        wasRefused = isRefused
    }

    private mutating func noteRecipient(_ view: CommandView, _ reply: TraceReply?, _ isRefused: Bool) {
        sent.recipientCount += 1
        if reply?.isPositive == true { sent.acceptedCount += 1 }
        sent.recipientReply = view.command.reply
        if let reply, reply.code == 452, Self.says(reply.wire, "4.5.3") { sent.tooMany = view.command.reply }
        wasRefused = isRefused
    }

    private mutating func noteChunk(_ view: CommandView, _ reply: TraceReply?, _ isRefused: Bool) {
        sent.hasChunks = true
        isBehindLast = sent.recipientCount > 0 && ChunkChecks.isLast(view.command)
        if isRefused, sent.isMailAccepted, sent.acceptedCount > 0 {
            sent.chunkRefusal = view.command.reply
            sent.isMailAccepted = false
        }
        wasRefused = isRefused
    }

    mutating func finish(_ ledger: inout Ledger) {
        QuitChecks.finish(&self, &ledger)
        CommandChecks.finish(&self, &ledger)
    }

    /// Whether a reply holds these words.
    ///
    /// - Parameter text: ASCII without capitals.
    static func says(_ wire: [UInt8], _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard wire.count >= count else { return false }
        return (0...wire.count - count).contains { start in
            (0..<count).allSatisfy { offset in
                let octet = wire[start + offset]
                return ((65...90).contains(octet) ? octet | 0x20 : octet) == text.utf8Start[offset]
            }
        }
    }

    // MARK: What the client could have read

    /// Longer than any client takes to send the rest of a group, in microseconds.
    private static let groupGap_us: UInt64 = 100_000
    /// A client that writes the commands of a group one by one, and is not run in between, may come this late, in
    /// microseconds; nobody who answers faster can be told from it. msmtp 1.8 on loopback came 5 ms late.
    private static let writeGap_us: UInt64 = 20_000

    /// Whether the client had this reply, or had to wait for it, when it sent the command. Where PIPELINING is offered
    /// a command may be on its way already; so it must stand alone in its read, and have come no sooner than a group
    /// that is written in pieces, and than half the time that the client needs to answer where it has to wait. What
    /// came in one read with it was sent without looking (RFC 2920 §3.1).
    func knew(_ reply: Int, _ view: CommandView) -> Bool {
        guard !view.command.isPipelined else { return false }
        guard view.offer.hasPipelining else { return true }
        let replied = trace.steps[reply].at_us
        guard view.step.at_us > replied else { return false }
        let gap = view.step.at_us - replied
        if gap > Self.groupGap_us { return true }
        guard let reaction = reaction_us, gap >= max(reaction / 2, Self.writeGap_us) else { return false }
        return !isFollowedInRead(view)
    }

    private func isFollowedInRead(_ view: CommandView) -> Bool {
        for step in trace.steps[(view.index + 1)...] {
            switch step.kind {
            case .command: return step.segment == view.step.segment
            case .content: return false
            default: continue
            }
        }
        return false
    }
}

/// What is counted over a session.
struct SessionCounts {
    var errors: [Evidence] = []
    var errorCount = 0
    var firstError = ""
    var nonMail = 0
    var verify: [Evidence] = []
    var verifyCount = 0
    var firstVerify = ""
    /// Of the MAIL at hand.
    var mailIsSMTPUTF8 = false
    var mailIsBinary = false
    /// EHLO or HELO that were needed.
    var greetings = 0
}
