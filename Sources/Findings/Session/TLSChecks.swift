// The layer tls as the session shows it: when STARTTLS is said, what is said around it, what goes in clear all the
// same. What the ClientHello offers is beside.

import Journal

struct TLSChecks {
    private let trace: SessionTrace
    private let isSubmission: Bool
    private let before: Disturbances
    /// The command in front.
    private var previous: TraceCommand?
    private var startTLS: TraceStep?
    /// STARTTLS was answered 220, and the handshake is still to come.
    private var awaitsHandshake = false
    /// TLS was started by STARTTLS.
    private var isUpgraded = false
    private var offerInClear = TraceOffer()
    private var hasEHLOInside = false
    private var hasToldMissingEHLO = false
    private var commandsInside = 0
    private var isRefused = false
    private var hasMailInClear = false
    private var hasFailed = false
    private var hasTrusted = false

    /// Certificates that a client which looks at them cannot accept. A chain with a piece missing may be completed, and
    /// weak ones are a matter of policy.
    private static let badCertificates: Set<String> = [
        "expired", "not-yet-valid", "wrong-host", "self-signed", "untrusted-root",
    ]

    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        TLSOfferChecks.check(trace, &ledger)
        var checks = TLSChecks(trace, circumstances, ledger)
        for step in trace.steps { checks.visit(step, &ledger) }
        checks.finish(&ledger)
    }

    private init(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: Ledger) {
        self.trace = trace
        before = circumstances.before
        isSubmission = circumstances.isSubmission || ledger.settings.profile == .submission
    }

    private mutating func visit(_ step: TraceStep, _ ledger: inout Ledger) {
        switch step.kind {
        case .command(let command) where command.isCommand:
            checkBehindSTARTTLS(command, step, &ledger)
            visit(command, step, &ledger)
            previous = command
        case .discarded(let count):
            guard let startTLS else { return }
            ledger.broken(
                .tlsDataAfterStarttls, Evidence(line: startTLS.line, at_us: step.at_us), under: step.disturbances,
                saw: "\(count) octets behind STARTTLS")
        case .tlsStarted:
            guard awaitsHandshake else { return }
            (awaitsHandshake, isUpgraded) = (false, true)
            ledger.kept(.tlsNoHandshakeAfter220)
            ledger.kept(.tlsDataAfterStarttls)
        case .tlsFailed(let reason):
            hasFailed = true
            guard awaitsHandshake, let startTLS, trace.tlsOffer == nil, Self.isNoTLS(reason) else { return }
            ledger.broken(
                .tlsNoHandshakeAfter220, Evidence(line: startTLS.line, at_us: step.at_us), under: step.disturbances,
                saw: reason)
        default: break
        }
    }

    private mutating func visit(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        if step.isTLS { visitInside(command, step, &ledger) }
        switch command.verb {
        case "STARTTLS": visitSTARTTLS(command, step, &ledger)
        case "MAIL": visitMail(command, step, &ledger)
        default: break
        }
    }

    // MARK: STARTTLS

    private mutating func visitSTARTTLS(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        let place = Self.place(command, step)
        if command.argumentOctets.allSatisfy({ $0 == 32 || $0 == 9 }) {
            ledger.kept(.tlsStarttlsArgument)
        } else {
            ledger.broken(.tlsStarttlsArgument, place, saw: Excerpt.octets(command.octets))
        }
        guard !step.isTLS else {
            return ledger.broken(.tlsStarttlsTwice, place, under: step.disturbances, saw: "STARTTLS inside TLS")
        }
        startTLS = step
        let isOffered = trace.offer(at: step).has("STARTTLS")
        if isOffered {
            ledger.kept(.tlsStarttlsNotOffered)
        } else if !trace.isCut {
            ledger.broken(.tlsStarttlsNotOffered, place, under: step.disturbances, saw: Excerpt.octets(command.octets))
        }
        guard let index = command.reply, index < trace.steps.count, case .reply(let reply) = trace.steps[index].kind
        else { return }
        awaitsHandshake = reply.code == 220
        if awaitsHandshake { offerInClear = trace.offer(at: step) }
        // 500 to 504 are about the command, not about TLS.
        isRefused = isOffered && (reply.isTransient || reply.isPermanent && !(500...504).contains(reply.code))
    }

    /// RFC 3207 §4: it is the last command of a group.
    private func checkBehindSTARTTLS(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        guard let previous, previous.verb == "STARTTLS", command.isPipelined, !step.isTLS else { return }
        ledger.broken(
            .tlsDataAfterStarttls, Self.place(command, step), under: step.disturbances,
            saw: "\(Excerpt.octets(command.octets.prefix(100))), sent before the reply to STARTTLS")
    }

    /// In OpenSSL's words, and those that the sink puts behind them.
    private static func isNoTLS(_ reason: String) -> Bool {
        ["what the client sent is not TLS", "the client speaks HTTP in clear", "https proxy request"].contains {
            reason.contains($0)
        }
    }

    // MARK: Mail

    private mutating func visitMail(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        checkREQUIRETLS(command, step, &ledger)
        guard !step.isTLS else {
            if isUpgraded { ledger.kept(.tlsNotUsed) }
            return
        }
        hasMailInClear = true
        if isRefused {
            ledger.broken(
                .tlsClearAfterFailure, Self.place(command, step), under: step.disturbances,
                saw: "\(Excerpt.octets(command.octets.prefix(100))), after STARTTLS was refused")
        } else if trace.offer(at: step).has("STARTTLS") {
            ledger.broken(
                .tlsNotUsed, Self.place(command, step), under: step.disturbances.union(before),
                saw: "\(Excerpt.octets(command.octets.prefix(100))), in clear")
        }
    }

    /// RFC 8689 §2.
    private func checkREQUIRETLS(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        guard let parameter = MailParameterNames.find("REQUIRETLS", in: command) else { return }
        let place = Evidence(
            line: step.line, transaction: command.transaction.map { $0 + 1 }, range: parameter.whole, at_us: step.at_us)
        let fault: String? =
            if !step.isTLS {
                "REQUIRETLS in clear"
            } else if parameter.hasValue {
                "REQUIRETLS with a value"
            } else if !trace.isCut, !trace.offer(at: step).has("REQUIRETLS") {
                "REQUIRETLS, which was not offered"
            } else {
                nil
            }
        guard let fault else { return ledger.kept(.tlsRequiretlsMisuse) }
        ledger.broken(.tlsRequiretlsMisuse, place, under: step.disturbances, saw: fault)
    }

    // MARK: Inside TLS

    private mutating func visitInside(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        commandsInside += 1
        switch command.verb {
        case "EHLO", "HELO":
            if isUpgraded, !hasToldMissingEHLO { ledger.kept(.tlsNoEhloAfter) }
            if isUpgraded, !hasEHLOInside { checkName(command, step, &ledger) }
            hasEHLOInside = true
        case "MAIL", "AUTH", "RCPT", "DATA", "BDAT":
            if command.verb == "MAIL" || command.verb == "AUTH" { noteTrust(command, step, &ledger) }
            if isUpgraded, !hasEHLOInside, !hasToldMissingEHLO, !trace.isCut {
                hasToldMissingEHLO = true
                ledger.broken(
                    .tlsNoEhloAfter, Self.place(command, step), under: step.disturbances,
                    saw: "\(Excerpt.octets(command.octets.prefix(100))), before any EHLO inside TLS")
            }
            if isUpgraded { checkStale(command, step, &ledger) }
        default: break
        }
    }

    /// The last name in clear that was accepted, against the first inside.
    private func checkName(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        guard let before = lastNameInClear else { return }
        let hello = HelloName(command)
        let name = command.octets[hello.name]
        if OctetWords.equal(before, name) { return ledger.kept(.tlsEhloNameDiffers) }
        ledger.broken(
            .tlsEhloNameDiffers, Evidence(line: step.line, range: hello.name, at_us: step.at_us),
            under: step.disturbances, saw: "\(Excerpt.octets(before)), then \(Excerpt.octets(name)) inside TLS")
    }

    private var lastNameInClear: ArraySlice<UInt8>? {
        for step in trace.steps.reversed() where !step.isTLS {
            guard case .command(let command) = step.kind, command.isCommand,
                command.verb == "EHLO" || command.verb == "HELO", let index = command.reply, index < trace.steps.count,
                case .reply(let reply) = trace.steps[index].kind, reply.isPositive
            else { continue }
            return command.octets[HelloName(command).name]
        }
        return nil
    }

    /// RFC 3207 §4.2: what was offered in clear is forgotten.
    private func checkStale(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        let offer = trace.offer(at: step)
        guard offer.isExtended, offer != offerInClear else { return }
        for (keyword, use) in MailParameterNames.uses where offerInClear.has(keyword) && !offer.has(keyword) {
            guard use.verb == command.verb else { continue }
            guard use.parameter.isEmpty || MailParameterNames.find(use.parameter, in: command) != nil else {
                ledger.kept(.tlsStaleCapability)
                continue
            }
            ledger.broken(
                .tlsStaleCapability, Self.place(command, step), under: step.disturbances,
                saw: "\(Excerpt.octets(command.octets.prefix(100))), but \(keyword) was offered in clear alone")
        }
    }

    private mutating func noteTrust(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        guard let bad = shownCertificate, !hasTrusted else { return }
        hasTrusted = true
        ledger.broken(
            isSubmission ? .tlsBadCertAcceptedSubmission : .tlsBadCertAcceptedRelay, Self.place(command, step),
            under: step.disturbances, saw: "\(command.verb) after the certificate \(bad)")
    }

    private var shownCertificate: String? { trace.badTLS.flatMap { Self.badCertificates.contains($0) ? $0 : nil } }

    // MARK: The end

    private func finish(_ ledger: inout Ledger) {
        guard let ending = trace.ending, !trace.isCut else { return }
        if commandsInside > 0 { ledger.kept(.tlsStarttlsTwice) }
        if isRefused, !hasMailInClear, [.quit, .clientClose, .clientReset].contains(ending) {
            ledger.kept(.tlsClearAfterFailure)
        }
        if shownCertificate != nil, !hasTrusted, trace.tls != nil || hasFailed {
            ledger.kept(isSubmission ? .tlsBadCertAcceptedSubmission : .tlsBadCertAcceptedRelay)
        }
    }

    private static func place(_ command: TraceCommand, _ step: TraceStep) -> Evidence {
        Evidence(
            line: step.line, transaction: command.transaction.map { $0 + 1 }, range: 0..<command.octets.count,
            at_us: step.at_us)
    }
}
