// Judges the octets of a message as octets: line ends, lengths, dots, NUL and 8-bit (RFC 5321 §2.3.8, §4.5.2,
// §4.5.3.1.6; RFC 5322 §2.1.1; RFC 6152; RFC 3030). The lines are read once, by `ContentLines`; what that tells of
// headers goes to `HeaderLineChecks`.

enum DataChecks {
    static func check(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        let isBinaryMIME = input.isChunked && input.reversePath.body == .binaryMIME
        let lines = ContentLines(octets, scan, isBinaryMIME: isBinaryMIME)
        let view = MessageView(input: input, scan: scan, octets: octets)
        checkEmpty(view, lines, &ledger)
        guard !lines.isBlank else { return }
        view.judge(.dataBareLf, lines.bareLF, &ledger)
        view.judge(.dataBareCr, lines.bareCR, &ledger)
        view.judge(.dataLineTooLong, lines.longLines, &ledger)
        view.judge(.dataLineOver78, lines.linesOverAdvice, &ledger)
        view.judge(.dataNul, lines.nul, &ledger)
        view.judge(.dataControlCharacters, lines.controls, &ledger)
        checkDots(view, lines, &ledger)
        checkEightBit(view, lines, &ledger)
        checkBinary(view, isBinaryMIME: isBinaryMIME, &ledger)
        checkBeginning(view, &ledger)
        HeaderLineChecks.check(view, lines, &ledger)
    }

    /// A message that consists of white space.
    static func isBlank(_ octets: MessageOctets) -> Bool { FieldText.trimmed(octets, 0..<octets.count).isEmpty }

    /// RFC 5321 §4.1.1.4: there is no transaction without mail data. A lone dot after DATA with no recipient is another
    /// thing (RFC 2920 §3.1).
    private static func checkEmpty(_ view: MessageView, _ lines: ContentLines, _ ledger: inout Ledger) {
        guard !view.input.recipients.isEmpty else { return }
        guard lines.isBlank else { return ledger.kept(.dataEmpty) }
        view.broken(.dataEmpty, 0..<view.octets.count, &ledger, saw: "\(view.octets.count) octets of white space")
    }

    private static func checkDots(_ view: MessageView, _ lines: ContentLines, _ ledger: inout Ledger) {
        if view.input.isChunked { return checkChunkedDots(view, lines, &ledger) }
        view.judge(.dataEndVariant, lines.endVariants, &ledger)
        if !lines.gluedEnds.first.isEmpty { view.judge(.dataEndGlued, lines.gluedEnds, &ledger) }
        let count = view.input.unstuffedDots
        guard count > 0 else {
            if lines.hasDotLine { ledger.kept(.dataNotDotStuffed) }
            return
        }
        let octets = view.octets
        let place = min(view.input.firstUnstuffedDot, octets.count)
        let rest = octets[place...].prefix(80)
        // The dot at the beginning of the line was taken away; what follows it decides what it looked like.
        if isEndVariant(behindDot: place, octets) {
            ledger.broken(
                .dataEndVariant, view.evidence(place..<min(place + 1, octets.count)), under: view.input.disturbances,
                saw: "\\r\\n." + Excerpt.octets(rest))
            // CRLF . CR and something: a client that adds dots would have added one, but nothing more can be said.
            if count == 1, rest.first == FieldText.cr { return }
        }
        ledger.broken(
            .dataNotDotStuffed, view.evidence(place..<min(place + 1, octets.count)), under: view.input.disturbances,
            times: count, saw: "\\r\\n." + Excerpt.octets(rest))
    }

    /// CRLF, a dot and something that is nearly CRLF: LF; CR without LF; NUL CRLF; CR CRLF.
    private static func isEndVariant(behindDot place: Int, _ octets: MessageOctets) -> Bool {
        guard place < octets.count else { return false }
        switch octets[place] {
        case FieldText.lf: return true
        case FieldText.cr: return place + 1 >= octets.count || octets[place + 1] != FieldText.lf
        case 0:
            return place + 2 < octets.count && octets[place + 1] == FieldText.cr && octets[place + 2] == FieldText.lf
        default: return false
        }
    }

    /// RFC 3030 §2: chunks are octets; nobody adds dots to them, and nobody takes them away.
    private static func checkChunkedDots(_ view: MessageView, _ lines: ContentLines, _ ledger: inout Ledger) {
        let (octets, end) = (view.octets, view.octets.count)
        let tail: [UInt8] = [13, 10, 46, 13, 10]
        guard end >= 5, octets[(end - 5)...].elementsEqual(tail) else {
            if lines.hasDotLine { ledger.kept(.dataBdatStuffed) }
            return
        }
        view.broken(.dataBdatStuffed, end - 3..<end, &ledger, saw: "the last chunk ends in " + Excerpt.octets(tail))
    }

    /// RFC 6152 §3. Octets above 127 in headers are judged by `hdr-raw-8bit`.
    private static func checkEightBit(_ view: MessageView, _ lines: ContentLines, _ ledger: inout Ledger) {
        let isOffered = view.input.offer.has("8BITMIME")
        guard let first = lines.firstEightBitInBody else {
            if !isOffered { ledger.kept(.data8bitNotOffered) }
            return
        }
        let range = first..<min(first + 20, view.octets.count)
        guard isOffered else { return view.broken(.data8bitNotOffered, range, &ledger) }
        switch view.input.reversePath.body {
        case .eightBitMIME, .binaryMIME: ledger.kept(.data8bitNotDeclared)
        case .sevenBit, nil: view.broken(.data8bitNotDeclared, range, &ledger)
        }
    }

    /// RFC 3030 §3, RFC 2045 §6.2: binary content needs BDAT and BODY=BINARYMIME.
    private static func checkBinary(_ view: MessageView, isBinaryMIME: Bool, _ ledger: inout Ledger) {
        guard !isBinaryMIME else { return ledger.kept(.dataBinaryOverData) }
        var isSeen = false
        for part in view.scan.parts {
            guard let encoding = part.encoding else { continue }
            isSeen = true
            if encoding == "binary" {
                let field = part.fields.first {
                    FieldText.equals(view.octets, $0.name, "content-transfer-encoding")
                }
                view.broken(.dataBinaryOverData, field?.whole ?? part.header, &ledger)
            }
        }
        if isSeen, !view.scan.isCut { ledger.kept(.dataBinaryOverData) }
    }

    private static func checkBeginning(_ view: MessageView, _ ledger: inout Ledger) {
        if let end = ByteOrderMark.end(view.octets) {
            view.broken(.dataStartsWithBom, 0..<end, &ledger)
        } else {
            ledger.kept(.dataStartsWithBom)
        }
        if let line = MboxLine.range(view.octets, view.scan) {
            view.broken(.dataMboxFromLine, line, &ledger)
        } else {
            ledger.kept(.dataMboxFromLine)
        }
    }
}

/// The line that mbox files have in front of each message: `From ` or `>From `, an address, a date.
enum MboxLine {
    static func range(_ octets: MessageOctets, _ scan: MessageScan) -> Range<Int>? {
        guard let first = scan.fields.first, first.isStray,
            FieldText.begins(octets, first.value, "from ") || FieldText.begins(octets, first.value, ">from ")
        else { return nil }
        return first.value
    }
}
