// The parameters of MAIL and RCPT (RFC 5321 §4.1.2: esmtp-param): offered or not, well formed or not, given once.

import SMTP

enum ParameterChecks {
    /// RFC 3461 §4.4, in characters.
    private static let envelopeIDLimit = 100
    /// RFC 3461 §4.2, in characters.
    private static let originalRecipientLimit = 500
    /// Keywords of unknown extensions that are compared with each other, at most.
    private static let unknownLimit = 32

    /// One `keyword[=value]` as it stands.
    private struct Parameter {
        let whole: Range<Int>
        let keyword: Range<Int>
        let value: Range<Int>?

        init(_ octets: [UInt8], _ whole: Range<Int>) {
            self.whole = whole
            if let sign = octets[whole].firstIndex(of: UInt8(ascii: "=")) {
                keyword = whole.lowerBound..<sign
                value = sign + 1..<whole.upperBound
            } else {
                keyword = whole
                value = nil
            }
        }

        func `is`(_ word: StaticString, _ octets: [UInt8]) -> Bool {
            keyword.count == word.utf8CodeUnitCount && PathDiagnosis.says(octets, keyword.lowerBound, word)
        }
    }

    /// The parameters that extensions define, by command.
    private enum Known: Int {
        case size, body, smtpUTF8, ret, envid, auth, requireTLS, notify, orcpt, other
    }

    // MARK: Commands

    static func mail(_ view: CommandView, from start: Int, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        var seen = Seen()
        var index = start
        while let parameter = next(view, &index, &ledger) {
            let known = mailKeyword(parameter, view.octets)
            seen.note(known, parameter, view, &ledger)
            guard isOffered(known, parameter, view, walk, &ledger) else {
                if known == .smtpUTF8 { walk.counts.mailIsSMTPUTF8 = true }
                continue
            }
            switch known {
            case .size: size(parameter, view, &ledger)
            case .body: walk.counts.mailIsBinary = body(parameter, view, &ledger)
            case .smtpUTF8:
                walk.counts.mailIsSMTPUTF8 = true
                hasNoValue(parameter, view, &ledger)
            case .requireTLS: hasNoValue(parameter, view, &ledger)
            case .ret: returnContent(parameter, view, &ledger)
            case .envid: envelopeID(parameter, view, &ledger)
            case .auth: if !isXtext(parameter, view) { bad(.paramSyntax, parameter, view, &ledger) }
            case .notify, .orcpt, .other: break
            }
        }
        seen.finish(&ledger)
    }

    static func recipient(_ view: CommandView, from start: Int, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        var seen = Seen()
        var index = start
        while let parameter = next(view, &index, &ledger) {
            let known: Known =
                parameter.is("notify", view.octets) ? .notify : parameter.is("orcpt", view.octets) ? .orcpt : .other
            seen.note(known, parameter, view, &ledger)
            guard isOffered(known, parameter, view, walk, &ledger) else { continue }
            switch known {
            case .notify: notify(parameter, view, &ledger)
            case .orcpt: originalRecipient(parameter, view, start, walk, &ledger)
            default: break
            }
        }
        seen.finish(&ledger)
    }

    private static func mailKeyword(_ parameter: Parameter, _ octets: [UInt8]) -> Known {
        switch parameter.keyword.count {
        case 3: parameter.is("ret", octets) ? .ret : .other
        case 4:
            parameter.is("size", octets)
                ? .size
                : parameter.is("body", octets) ? .body : parameter.is("auth", octets) ? .auth : .other
        case 5: parameter.is("envid", octets) ? .envid : .other
        case 8: parameter.is("smtputf8", octets) ? .smtpUTF8 : .other
        case 10: parameter.is("requiretls", octets) ? .requireTLS : .other
        default: .other
        }
    }

    // MARK: Grammar

    /// The next parameter that is well formed; what is not is judged here.
    private static func next(_ view: CommandView, _ index: inout Int, _ ledger: inout Ledger) -> Parameter? {
        let octets = view.octets
        while index < octets.count {
            guard octets[index] == 32 || octets[index] == 9 else {
                // Something glued to the path.
                let end = octets[index...].firstIndex(of: 32) ?? octets.count
                ledger.broken(
                    .paramSyntax, view.evidence(index..<end), under: view.under, saw: view.excerpt(index..<end))
                index = end
                continue
            }
            while index < octets.count, octets[index] == 32 || octets[index] == 9 { index += 1 }
            guard index < octets.count else { return nil }
            let end = octets[index...].firstIndex(of: 32) ?? octets.count
            let parameter = Parameter(octets, index..<end)
            index = end
            if isWellFormed(parameter, octets) {
                ledger.kept(.paramSyntax)
                return parameter
            }
            bad(.paramSyntax, parameter, view, &ledger)
        }
        return nil
    }

    private static func isWellFormed(_ parameter: Parameter, _ octets: [UInt8]) -> Bool {
        let keyword = octets[parameter.keyword]
        guard let first = keyword.first, isLetterOrDigit(first),
            keyword.allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: "-") })
        else { return false }
        guard let value = parameter.value else { return true }
        return !value.isEmpty
            && octets[value].allSatisfy { (33...126).contains($0) && $0 != UInt8(ascii: "=") || $0 >= 128 }
    }

    private static func isLetterOrDigit(_ octet: UInt8) -> Bool {
        (48...57).contains(octet) || (97...122).contains(octet | 0x20)
    }

    private static func bad(_ rule: RuleID, _ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger) {
        ledger.broken(
            rule, view.evidence(parameter.whole), under: view.under, saw: view.excerpt(parameter.whole))
    }

    private static func isXtext(_ parameter: Parameter, _ view: CommandView) -> Bool {
        guard let value = parameter.value else { return false }
        return view.octets[value].withUnsafeBytes { SMTP.isXtext($0) }
    }

    private static func says(_ parameter: Parameter, _ word: StaticString, _ view: CommandView) -> Bool {
        guard let value = parameter.value, value.count == word.utf8CodeUnitCount else { return false }
        return PathDiagnosis.says(view.octets, value.lowerBound, word)
    }

    private static func hasNoValue(_ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger) {
        if parameter.value != nil { bad(.paramSyntax, parameter, view, &ledger) }
    }

    // MARK: Offers

    private static func isOffered(
        _ known: Known, _ parameter: Parameter, _ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger
    ) -> Bool {
        let offer = view.offer
        let isThere =
            switch known {
            case .size: offer.hasSize
            case .body: offer.hasEightBitMIME || offer.hasBinaryMIME
            case .smtpUTF8: offer.hasSMTPUTF8
            case .ret, .envid, .notify, .orcpt: offer.hasDSN
            case .auth: offer.hasAuth
            case .requireTLS: offer.hasRequireTLS
            case .other: offersOther(parameter, view, walk)
            }
        if isThere {
            ledger.kept(.paramNotOffered)
        } else {
            bad(.paramNotOffered, parameter, view, &ledger)
        }
        return isThere
    }

    /// Parameters of extensions that the sink does not speak, and that a rule may have offered.
    private static func offersOther(_ parameter: Parameter, _ view: CommandView, _ walk: EnvelopeWalk) -> Bool {
        guard view.offer.isExtended else { return false }
        let offer = walk.trace.offer(at: view.step)
        let keyword = String(decoding: view.octets[parameter.keyword], as: UTF8.self).uppercased()
        switch keyword {
        case "HOLDFOR", "HOLDUNTIL": return offer.has("FUTURERELEASE")  // RFC 4865 §4
        case "BY": return offer.has("DELIVERBY")  // RFC 2852 §4
        case "TRANSID": return offer.has("CHECKPOINT")  // RFC 1845 §4
        case "SOLICIT": return offer.has("NO-SOLICITING")  // RFC 3865 §2
        // Parameters of MAIL at RCPT, or the other way round, which no extension allows.
        case "SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH", "REQUIRETLS", "NOTIFY", "ORCPT": return false
        default: return offer.has(keyword)
        }
    }

    // MARK: Repetition

    private struct Seen {
        private var known = 0
        private var others: [[UInt8]] = []

        mutating func note(
            _ kind: Known, _ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger
        ) {
            if kind != .other {
                if known & 1 << kind.rawValue != 0 { bad(.paramRepeated, parameter, view, &ledger) }
                known |= 1 << kind.rawValue
                return
            }
            let word = view.octets[parameter.keyword].map { (65...90).contains($0) ? $0 | 0x20 : $0 }
            if others.contains(word) {
                bad(.paramRepeated, parameter, view, &ledger)
            } else if others.count < unknownLimit {
                others.append(word)
            }
        }

        func finish(_ ledger: inout Ledger) { if known != 0 || !others.isEmpty { ledger.kept(.paramRepeated) } }
    }

    // MARK: SIZE and BODY

    /// RFC 1870 §3: 1*20DIGIT.
    private static func size(_ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger) {
        guard let value = parameter.value, value.count <= 20,
            view.octets[value].allSatisfy({ (48...57).contains($0) })
        else { return bad(.paramSyntax, parameter, view, &ledger) }
        guard let limit = view.offer.sizeLimit else { return }
        let size = view.octets[value].reduce(0.0) { $0 * 10 + Double($1 - 48) }
        if size > Double(limit) {
            ledger.broken(
                .sizeOverLimit, view.evidence(parameter.whole), under: view.under,
                saw: "\(view.excerpt(parameter.whole)) where SIZE \(limit) was announced")
        } else {
            ledger.kept(.sizeOverLimit)
        }
    }

    /// More came than the sink takes.
    static func tooBig(_ step: TraceStep, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        guard let limit = walk.offers[step.offer].sizeLimit else { return }
        ledger.broken(
            .sizeOverLimit, Evidence(transaction: walk.trace.transactions.count, at_us: step.at_us),
            under: step.disturbances, saw: "more octets than SIZE \(limit) announced")
    }

    /// - Returns: whether it is BINARYMIME.
    private static func body(_ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger) -> Bool {
        let isBinary = says(parameter, "binarymime", view)
        // RFC 6152 §2, RFC 3030 §3.
        let isValid =
            isBinary
            ? view.offer.hasBinaryMIME && view.offer.hasChunking
            : says(parameter, "7bit", view) || says(parameter, "8bitmime", view)
        if isValid { ledger.kept(.bodyValueInvalid) } else { bad(.bodyValueInvalid, parameter, view, &ledger) }
        return isBinary && isValid
    }

    // MARK: DSN (RFC 3461)

    private static func returnContent(_ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger) {
        if says(parameter, "full", view) || says(parameter, "hdrs", view) {
            ledger.kept(.dsnRetEnvidSyntax)
        } else {
            bad(.dsnRetEnvidSyntax, parameter, view, &ledger)
        }
    }

    private static func envelopeID(_ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger) {
        if isXtext(parameter, view), parameter.value.map({ $0.count <= envelopeIDLimit }) ?? false {
            ledger.kept(.dsnRetEnvidSyntax)
        } else {
            bad(.dsnRetEnvidSyntax, parameter, view, &ledger)
        }
    }

    private static func notify(_ parameter: Parameter, _ view: CommandView, _ ledger: inout Ledger) {
        let words = parameter.value.map {
            view.octets[$0].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        }
        func isWord(_ word: ArraySlice<UInt8>, _ text: String) -> Bool {
            word.elementsEqual(text.utf8) { $0 & 0xdf == $1 }
        }
        let isValid =
            words.map { words in
                words.count == 1 && isWord(words[0], "NEVER")
                    || words.allSatisfy { isWord($0, "SUCCESS") || isWord($0, "FAILURE") || isWord($0, "DELAY") }
            } ?? false
        if isValid { ledger.kept(.dsnNotifySyntax) } else { bad(.dsnNotifySyntax, parameter, view, &ledger) }
    }

    /// Address types of the registry that RFC 3461 §4.2 refers to.
    private static let addressTypes: Set<String> = ["rfc822", "utf-8", "x400", "local", "unknown"]

    private static func originalRecipient(
        _ parameter: Parameter, _ view: CommandView, _ pathEnd: Int, _ walk: EnvelopeWalk, _ ledger: inout Ledger
    ) {
        let octets = view.octets
        guard let value = parameter.value, value.count <= originalRecipientLimit,
            let semicolon = octets[value].firstIndex(of: UInt8(ascii: ";"))
        else { return bad(.dsnOrcptSyntax, parameter, view, &ledger) }
        let type = String(decoding: octets[value.lowerBound..<semicolon], as: UTF8.self).lowercased()
        let text = semicolon + 1..<value.upperBound
        // RFC 6533 §3: the type utf-8 may hold UTF-8 in a transaction of SMTPUTF8.
        let isUTF8 = type == "utf-8" && walk.sent.isSMTPUTF8
        let isText = octets[text].withUnsafeBytes { bytes in
            isUTF8 && bytes.contains { $0 >= 128 }
                ? String(validating: bytes, as: UTF8.self) != nil : SMTP.isXtext(bytes)
        }
        guard isText, addressTypes.contains(type) || type.hasPrefix("x-") else {
            return bad(.dsnOrcptSyntax, parameter, view, &ledger)
        }
        ledger.kept(.dsnOrcptSyntax)
        if type == "rfc822" { compare(decoded(octets[text]), parameter, view, pathEnd, walk, &ledger) }
    }

    /// Xtext that is well formed (RFC 3461 §4).
    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "+"), index + 2 < text.endIndex {
                result.append(hexadecimal(text[index + 1]) << 4 | hexadecimal(text[index + 2]))
                index += 3
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func hexadecimal(_ octet: UInt8) -> UInt8 { octet < 58 ? octet &- 48 : octet &- 55 }

    private static func compare(
        _ original: [UInt8], _ parameter: Parameter, _ view: CommandView, _ pathEnd: Int, _ walk: EnvelopeWalk,
        _ ledger: inout Ledger
    ) {
        let octets = view.octets
        guard pathEnd > 0, octets[pathEnd - 1] == UInt8(ascii: ">"),
            let open = octets[..<pathEnd].firstIndex(of: UInt8(ascii: "<"))
        else { return }
        let mailbox = Array(octets[(open + 1)..<(pathEnd - 1)])
        guard RecipientChecks.normalised(mailbox) != RecipientChecks.normalised(original) else {
            return ledger.kept(.dsnOrcptDiffers)
        }
        ledger.broken(
            .dsnOrcptDiffers, view.evidence(parameter.whole), under: view.under,
            as: walk.circumstances.isSubmission ? nil : (.info, "between servers it may have been forwarded"),
            saw: "\(view.excerpt(parameter.whole)) for \(Excerpt.octets(mailbox))")
    }
}
