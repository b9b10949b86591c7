// Command lines as lines: their ends, their octets, their length, their verbs, and how many of them carry no mail.

import SMTP

enum CommandChecks {
    /// RFC 5321 §4.5.3.1.4, in octets with CRLF.
    private static let lineLimit = 512
    /// RFC 4954 §4.
    private static let authLineLimit = 12_288

    // MARK: Octets

    /// What stands in a line, found in one pass.
    private struct Found {
        var bareLF: Int?
        var bareCR: Int?
        var control: Int?
        var eightBit: Int?

        init(_ octets: [UInt8], _ end: Int) {
            for index in 0..<end {
                let octet = octets[index]
                if octet >= 32 && octet < 127 { continue }
                switch octet {
                case 10: bareLF = bareLF ?? index
                case 13: bareCR = bareCR ?? index
                case 128...: eightBit = eightBit ?? index
                default: control = control ?? index
                }
            }
        }

        var isNothing: Bool { bareLF == nil && bareCR == nil && control == nil && eightBit == nil }
    }

    /// - Returns: whether the line can be read as the command that it seems to be.
    static func line(_ view: CommandView, _ isSMTPUTF8: Bool, _ ledger: inout Ledger) -> Bool {
        let octets = view.octets
        var end = octets.count
        while end > 0, octets[end - 1] == 32 || octets[end - 1] == 9 { end -= 1 }
        if end < octets.count {
            ledger.broken(
                .cmdTrailingSpace, view.evidence(end..<octets.count), under: view.under, saw: view.excerpt())
        } else {
            ledger.kept(.cmdTrailingSpace)
        }
        length(view, &ledger)
        let found = Found(octets, end)
        if found.isNothing {
            for rule in [RuleID.cmdBareLf, .cmdBareCr, .cmdControlCharacters, .cmd8bit] { ledger.kept(rule) }
            return true
        }
        return report(found, view, isSMTPUTF8, &ledger)
    }

    private static func report(
        _ found: Found, _ view: CommandView, _ isSMTPUTF8: Bool, _ ledger: inout Ledger
    ) -> Bool {
        func judge(_ rule: RuleID, _ place: Int?) {
            guard let place else { return ledger.kept(rule) }
            ledger.broken(rule, view.evidence(place..<place + 1), under: view.under, saw: view.excerpt())
        }
        judge(.cmdBareLf, found.bareLF)
        judge(.cmdBareCr, found.bareCR)
        judge(.cmdControlCharacters, found.control)
        // Names in EHLO have a rule of their own.
        if view.command.verb != "EHLO" && view.command.verb != "HELO" {
            judge(.cmd8bit, isSMTPUTF8 && view.command.verb == "RCPT" || asksSMTPUTF8(view) ? nil : found.eightBit)
        }
        return found.bareLF == nil && found.bareCR == nil && found.control == nil
    }

    /// The line itself ends in the parameter SMTPUTF8, or holds it (RFC 6531 §3.4, §3.7.4.2).
    private static func asksSMTPUTF8(_ view: CommandView) -> Bool {
        guard ["MAIL", "VRFY", "EXPN"].contains(view.command.verb) else { return false }
        return view.octets.split(separator: 32).dropFirst().contains { word in
            word.count == 8 && word.elementsEqual("SMTPUTF8".utf8) { $0 & 0xdf == $1 & 0xdf }
        }
    }

    // MARK: Length

    /// How long a line may be, with what the extensions on offer add to it.
    private static func limit(_ verb: String, _ offer: OfferFacts) -> Int {
        var limit = lineLimit
        switch verb {
        case "AUTH": return authLineLimit
        case "MAIL":
            if offer.hasSize { limit += 26 }  // RFC 1870 §3
            if offer.hasEightBitMIME { limit += 17 }  // RFC 6152 §2
            if offer.hasSMTPUTF8 { limit += 10 }  // RFC 6531 §3.1
            if offer.hasAuth { limit += 500 }  // RFC 4954 §3
            if offer.hasRequireTLS { limit += 11 }  // RFC 8689 §2
            if offer.hasDSN { limit += 120 }  // ENVID and RET: RFC 3461 §4.3, §5.4
        case "RCPT": if offer.hasDSN { limit += 530 }  // ORCPT and NOTIFY: RFC 3461 §5.4
        case "VRFY", "EXPN": if offer.hasSMTPUTF8 { limit += 10 }  // RFC 6531 §3.1
        default: break
        }
        return limit
    }

    private static func length(_ view: CommandView, _ ledger: inout Ledger) {
        // A secret was masked, so its length is not known.
        guard view.command.verb != "AUTH" else { return }
        let count = view.octets.count + 2
        guard count > lineLimit else { return ledger.kept(.cmdLineTooLong) }
        let limit = limit(view.command.verb, view.offer)
        guard count > limit else { return ledger.kept(.cmdLineTooLong) }
        ledger.broken(
            .cmdLineTooLong, view.evidence(limit - 2..<view.octets.count), under: view.under,
            saw: "\(count) octets where \(limit) are allowed: \(Excerpt.octets(view.octets.prefix(100)))")
    }

    /// Something that the sink noticed.
    static func notice(
        _ text: String, _ step: TraceStep, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger
    ) {
        let evidence = Evidence(at_us: step.at_us)
        switch text {
        case "a line was longer than the limit":
            if case .content(let content) = walk.front, ChunkChecks.isChunk(content, walk.trace) {
                ledger.broken(
                    .bdatSizeWrong, evidence, under: step.disturbances,
                    saw: "behind the chunk no command follows, but a long line")
            } else {
                ledger.broken(
                    .cmdLineTooLong, evidence, under: step.disturbances, saw: "a line longer than the sink reads")
            }
            walk.front = .longLine
        case "a BDAT had a size that is none": ChunkChecks.noSize(step, walk, &ledger)
        case "the message is larger than the limit": ParameterChecks.tooBig(step, walk, &ledger)
        default: break
        }
    }

    // MARK: Verbs

    private static func extensionKeyword(_ verb: String) -> String? {
        switch verb {
        case "AUTH": "AUTH"
        case "BDAT": "CHUNKING"
        case "BURL": "BURL"
        case "ETRN": "ETRN"
        case "ATRN": "ATRN"
        case "TURN": "TURN"
        case "SEND": "SEND"
        case "SOML": "SOML"
        case "SAML": "SAML"
        default: nil
        }
    }

    /// The verb is a word of its own: white space, or nothing, stands behind it.
    private static func hasVerb(_ view: CommandView) -> Bool {
        let count = view.command.verb.utf8.count
        guard count > 0 else { return false }
        guard count < view.octets.count else { return true }
        return view.octets[count] == 32 || view.octets[count] == 9
    }

    /// - Returns: false for what is no command, which is judged here.
    static func isKnown(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) -> Bool {
        let verb = view.command.verb
        if walk.hearsContent, !walk.hearsRestOfChunk, view.command.isPipelined, !isQuit(view) {
            // The words of a message may be those of a command.
            walk.hearsContent = !isDot(view.octets)
            return false
        }
        if hasVerb(view) {
            switch verb {
            case "EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "STARTTLS":
                walk.hearsContent = false
                ledger.kept(.cmdUnknownVerb)
                return true
            default: break
            }
            if let keyword = extensionKeyword(verb) {
                walk.hearsContent = false
                return isOffered(keyword, view, walk, &ledger)
            }
            let offer = walk.trace.offer(at: view.step)
            if verb.hasPrefix("X") && !walk.hearsContent || offer.isExtended && offer.has(verb) { return true }
        }
        unknown(view, &walk, &ledger)
        return false
    }

    private static func isOffered(
        _ keyword: String, _ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger
    ) -> Bool {
        let offer = walk.trace.offer(at: view.step)
        if offer.isExtended, offer.has(keyword) {
            ledger.kept(.cmdUnofferedExtension)
            return true
        }
        ledger.broken(
            .cmdUnofferedExtension, view.evidence(), under: view.under,
            saw: offer.isExtended
                ? "\(view.command.verb), and no \(keyword) in the EHLO reply"
                : "\(view.command.verb) without an EHLO before it")
        return view.command.verb == "AUTH" || view.command.verb == "BDAT"
    }

    private static func unknown(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        guard walk.judgesOrder, !isHTTP(view, walk) else { return }
        if case .content(let content) = walk.front, ChunkChecks.isChunk(content, walk.trace) {
            // RFC 3030 §2: what stands behind the last octet of a chunk is a command.
            (walk.hearsContent, walk.hearsRestOfChunk) = (true, true)
            return ledger.broken(
                .bdatSizeWrong, view.evidence(view.whole), under: view.under,
                saw: "behind the chunk stands \(view.excerpt())")
        }
        if walk.hearsContent {
            if isDot(view.octets) { walk.hearsContent = false }
            return
        }
        if looksLikeContent(view.octets, afterRefusal: walk.wasRefused) {
            (walk.hearsContent, walk.hearsRestOfChunk) = (!isDot(view.octets), false)
            if !PipeliningChecks.isBehindData(view, walk) {
                ledger.broken(
                    .cmdHeaderAsCommand, view.evidence(view.whole), under: view.under, saw: view.excerpt())
                OrderChecks.contentAfterRefusal(view, walk, &ledger)
            }
            return
        }
        ledger.broken(.cmdUnknownVerb, view.evidence(view.whole), under: view.under, saw: view.excerpt())
    }

    /// The sink took it for a request of HTTP, which is a rule's matter elsewhere.
    private static func isHTTP(_ view: CommandView, _ walk: EnvelopeWalk) -> Bool {
        let next = view.index + 1
        guard next < walk.trace.steps.count, case .notice(let text) = walk.trace.steps[next].kind else { return false }
        return text.hasPrefix("an HTTP request")
    }

    private static func isDot(_ octets: [UInt8]) -> Bool { octets.count == 1 && octets[0] == UInt8(ascii: ".") }

    private static func isQuit(_ view: CommandView) -> Bool { view.octets.count == 4 && view.command.verb == "QUIT" }

    /// A header field (RFC 5322 §2.2), or behind a refusal also an empty line or the final dot.
    private static func looksLikeContent(_ octets: [UInt8], afterRefusal: Bool) -> Bool {
        if octets.isEmpty || isDot(octets) { return afterRefusal }
        guard let colon = octets.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            octets[..<colon].allSatisfy({ (33...126).contains($0) })
        else { return false }
        if afterRefusal { return true }
        let name = String(decoding: octets[..<colon], as: UTF8.self).lowercased()
        return commonFields.contains(name)
    }

    private static let commonFields: Set<String> = [
        "received", "return-path", "date", "from", "to", "cc", "subject", "message-id", "reply-to", "sender",
        "mime-version", "content-type", "content-transfer-encoding", "dkim-signature", "x-mailer",
    ]

    // MARK: Arguments and noise

    static func arguments(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        switch view.command.verb {
        case "DATA", "RSET", "QUIT":
            if view.command.argumentOctets.contains(where: { $0 != 32 && $0 != 9 }) {
                ledger.broken(
                    .cmdArgumentNotAllowed, view.evidence(view.command.argument), under: view.under,
                    saw: view.excerpt())
            } else {
                ledger.kept(.cmdArgumentNotAllowed)
            }
            // RSET ends a transaction; without one it does nothing.
            if view.command.verb == "RSET", walk.sent.mail == nil { noise(view, &walk, &ledger) }
        case "NOOP", "HELP": noise(view, &walk, &ledger)
        case "VRFY", "EXPN":
            noise(view, &walk, &ledger)
            walk.counts.verifyCount += 1
            if walk.counts.verify.isEmpty { walk.counts.firstVerify = view.excerpt() }
            if walk.counts.verify.count < Finding.evidenceLimit { walk.counts.verify.append(view.evidence()) }
        case "EHLO", "HELO":
            if walk.counts.greetings > 0 { noise(view, &walk, &ledger) }
            walk.counts.greetings += 1
        case "STARTTLS": walk.counts.greetings = 0  // another EHLO has to follow (RFC 3207 §4.2)
        default: break
        }
    }

    private static func noise(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        walk.counts.nonMail += 1
        guard walk.counts.nonMail > ledger.settings.thresholds.nonMailCommands else { return }
        ledger.broken(
            .cmdNoise, view.evidence(), under: view.under,
            saw: "\(walk.counts.nonMail) commands that carry no mail, the last of them \(view.excerpt())")
    }

    // MARK: Errors

    /// Replies that say the protocol was broken, where no rule of ours made them.
    static func countError(_ step: TraceStep, _ reply: TraceReply, _ walk: inout EnvelopeWalk) {
        guard [500, 501, 502, 503, 504, 555].contains(reply.code), walk.judgesOrder, !walk.isGreetingRefused,
            !walk.hearsContent, reply.phase != .tls, walk.faultSinceCommand.isDisjoint(with: [.refused, .garbled])
        else { return }
        if let asked = reply.command.flatMap({ walk.command(at: $0) }) {
            // Not broken by asking: EXPN, HELP, VRFY may be missing, and so may EHLO. A 503 may be the echo of a
            // refusal inside a group.
            if ["EHLO", "HELO", "EXPN", "HELP", "VRFY"].contains(asked.verb), reply.code == 500 || reply.code == 502 {
                return
            }
            if reply.code == 503, asked.isPipelined { return }
        }
        walk.counts.errorCount += 1
        let evidence = Evidence(line: step.line, at_us: step.at_us)
        if walk.counts.errors.isEmpty { walk.counts.firstError = Excerpt.octets(reply.wire.prefix(100)) }
        if walk.counts.errors.count < Finding.evidenceLimit { walk.counts.errors.append(evidence) }
    }

    static func finish(_ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        let counts = walk.counts
        let thresholds = ledger.settings.thresholds
        let disturbances = walk.trace.disturbances
        if counts.errorCount > thresholds.errorsPerSession {
            for evidence in counts.errors {
                ledger.broken(
                    .cmdTooManyErrors, evidence, under: disturbances,
                    saw: "\(counts.errorCount) errors, the first: \(counts.firstError)")
            }
        } else if walk.hasCommands, walk.judgesOrder {
            ledger.kept(.cmdTooManyErrors)
        }
        if counts.verifyCount > 0 {
            let isMany = counts.verifyCount > thresholds.vrfyNames
            for evidence in counts.verify {
                ledger.broken(
                    .cmdVrfyHarvest, evidence, under: disturbances,
                    as: isMany ? (.reputation, "more than \(thresholds.vrfyNames) names were asked for") : nil,
                    saw: counts.firstVerify)
            }
        } else if walk.hasCommands, walk.judgesOrder {
            ledger.kept(.cmdVrfyHarvest)
        }
        if walk.hasCommands, walk.judgesOrder { ledger.kept(.cmdNoise) }
    }
}
