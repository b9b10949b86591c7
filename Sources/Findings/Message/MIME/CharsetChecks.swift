// The charset of text (RFC 2046 §4.1.2): whether one is named where it must be, whether the name is known, whether the
// text is in it. UTF-8 and what has seven bits can be checked; of other charsets every octet could be right.

/// A charset, as far as it matters to those who read its octets.
enum TextCharset: Equatable {
    /// No parameter: US-ASCII.
    case unnamed
    case ascii, utf8
    /// Two or four octets a character: not permitted in text (RFC 2046 §4.1.1, RFC 2781 §4).
    case wide
    /// Escapes in seven bits, where octets of ASCII may be something else: iso-2022-…, hz-gb-2312, utf-7.
    case escaped
    /// Two octets a character where the second may be one of ASCII: Shift_JIS, Big5, GBK.
    case mixed
    /// ASCII with more above it.
    case other
    /// In the extended form (RFC 2231), or in one that nobody can read.
    case unreadable

    /// What ASCII octets stand for is plain: words and links can be looked for.
    var hasPlainASCII: Bool { self != .wide && self != .escaped && self != .unreadable }

    init(_ type: ContentType) {
        guard let value = type.parameters["charset"] else {
            self = type.written.contains { $0.name.hasPrefix("charset*") } ? .unreadable : .unnamed
            return
        }
        if Self.isWord(value, "utf-8") {
            self = .utf8
        } else if Self.isWord(value, "us-ascii") {
            self = .ascii
        } else {
            self = Self.lookUp(Self.name(value))
        }
    }

    /// In small letters, 100 octets at most.
    static func name(_ value: [UInt8]) -> String {
        value.withUnsafeBufferPointer { FieldText.word($0, 0..<min($0.count, 100)) }
    }

    private static func isWord(_ value: [UInt8], _ word: StaticString) -> Bool {
        value.withUnsafeBufferPointer { FieldText.equals($0, 0..<$0.count, word) }
    }

    private static func lookUp(_ name: String) -> TextCharset {
        switch name {
        case "": .unreadable
        case "utf8", "csutf8": .utf8
        case "ansi_x3.4-1968", "ansi_x3.4-1986", "iso_646.irv:1991", "iso646-us", "us", "ascii", "csascii": .ascii
        case "utf-7", "csutf7", "unicode-1-1-utf-7", "hz-gb-2312", "utf-7-imap": .escaped
        case "shift_jis", "ms_kanji", "csshiftjis", "windows-31j", "cswindows31j", "big5", "csbig5", "big5-hkscs",
            "gbk", "cp936", "ms936", "windows-936", "gb18030", "ks_c_5601-1987":
            .mixed
        default:
            if name.hasPrefix("utf-16") || name.hasPrefix("utf-32") || name.hasPrefix("iso-10646-ucs-") {
                .wide
            } else if name.hasPrefix("iso-2022-") || name.hasPrefix("csiso2022") || name == "cp50220" {
                .escaped
            } else {
                .other
            }
        }
    }
}

enum CharsetChecks {
    /// - Parameter text: the decoded part, or as much of it as is looked at.
    static func check(
        _ text: PartText, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        let type = view.scan.parts[text.part].type
        checkName(type, input, view, &ledger)
        let high = OctetSearch.firstHigh(text.octets, 0..<text.octets.count)
        switch text.charset {
        case .unnamed: checkUnnamed(text, high, type, input, view, &ledger)
        case .ascii, .escaped:
            if let high {
                report(text, high..<high + 1, type, input, view, &ledger)
            } else if text.charset == .ascii, !text.isCut {
                ledger.kept(.mimeCharsetFalse)
            }
        case .utf8:
            let fault = high.flatMap {
                UTF8Survey.firstFault(text.octets, $0..<text.octets.count, isCut: text.isCut)
            }
            if let fault {
                report(text, fault..<fault + 1, type, input, view, &ledger)
            } else if !text.isCut {
                ledger.kept(.mimeCharsetFalse)
            }
        case .wide:
            let place = view.typePlace(text.part)
            ledger.broken(
                .mimeCharsetFalse, view.evidence(place), under: input.disturbances, saw: view.excerpt(place))
        case .mixed, .other, .unreadable: break
        }
        let isNamed = text.charset != .unnamed && text.charset != .unreadable
        if isNamed, high != nil { ledger.kept(.mimeCharsetMissing) }
    }

    private static func checkName(
        _ type: ContentType, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        guard let value = type.parameters["charset"], let written = type.writtenParameter("charset") else { return }
        let name = TextCharset.name(value)
        if name == "utf-8" || name == "us-ascii" || CharsetNames.isRegistered(name) {
            return ledger.kept(.mimeCharsetUnknown)
        }
        ledger.broken(
            .mimeCharsetUnknown, view.evidence(written.nameRange.lowerBound..<written.valueRange.upperBound),
            under: input.disturbances, saw: "charset=" + view.excerpt(written.valueRange))
    }

    private static func checkUnnamed(
        _ text: PartText, _ high: Int?, _ type: ContentType, _ input: MessageInput, _ view: MIMEView,
        _ ledger: inout Ledger
    ) {
        // Other types of text say for themselves what is meant where nothing is said (RFC 6657 §3).
        guard type.type == "text", ["plain", "html", "enriched", "richtext"].contains(type.subtype) else { return }
        guard let high else {
            if !text.isCut { ledger.kept(.mimeCharsetMissing) }
            return
        }
        ledger.broken(
            .mimeCharsetMissing, view.evidence(text.source(high..<high + 1)), under: input.disturbances,
            saw: "no charset, but \(text.excerpt(from: high))")
    }

    private static func report(
        _ text: PartText, _ range: Range<Int>, _ type: ContentType, _ input: MessageInput, _ view: MIMEView,
        _ ledger: inout Ledger
    ) {
        let charset = Excerpt.octets(type.parameters["charset"] ?? [])
        ledger.broken(
            .mimeCharsetFalse, view.evidence(text.source(range)), under: input.disturbances,
            saw: "charset=\(charset), but \(text.excerpt(from: range.lowerBound))")
    }
}
