// What the sink says: reply codes, enhanced status codes, and a reply in the form in which it goes out.
// A reply is rendered once, when it is made; sending it copies octets and nothing else.

/// A three-digit reply code (RFC 5321 §4.2.1). The first digit is 2 to 5 (RFC 5321 §4.3.2).
package struct ReplyCode: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let value: UInt16

    /// - Returns: nil unless `value` is 200 to 599.
    package init?(_ value: Int) {
        guard (200...599).contains(value) else { return nil }
        self.value = UInt16(value)
    }

    /// For codes that stand in the source.
    init(known value: UInt16) { self.value = value }

    /// 250 Requested mail action okay, completed (RFC 5321 §4.2.3).
    package static let ok = ReplyCode(known: 250)
    /// 454 TLS not available due to temporary reason (RFC 3207 §4).
    package static let tlsNotAvailable = ReplyCode(known: 454)
    /// 452 Requested action not taken: insufficient system storage (RFC 5321 §4.2.3).
    package static let insufficientStorage = ReplyCode(known: 452)

    package var isPositive: Bool { value < 400 }
    /// A 4yz code: a deferral.
    package var isTransient: Bool { (400...499).contains(value) }
    /// A 5yz code: a reject.
    package var isPermanent: Bool { value >= 500 }

    package var description: String { String(value) }
    package static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}

/// An enhanced mail system status code, `class.subject.detail` (RFC 3463 §2, RFC 2034 §4).
package struct EnhancedStatus: Sendable, Hashable, CustomStringConvertible {
    package let statusClass: UInt8
    package let subject: UInt16
    package let detail: UInt16

    /// - Returns: nil unless class is 2, 4 or 5 and the others are below 1000 (RFC 3463 §2).
    package init?(_ statusClass: Int, _ subject: Int, _ detail: Int) {
        guard [2, 4, 5].contains(statusClass), (0...999).contains(subject), (0...999).contains(detail) else {
            return nil
        }
        self.statusClass = UInt8(statusClass)
        self.subject = UInt16(subject)
        self.detail = UInt16(detail)
    }

    /// Parses `5.1.1`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3,
            parts.allSatisfy({ (1...3).contains($0.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let statusClass = Int(parts[0]), let subject = Int(parts[1]), let detail = Int(parts[2])
        else { return nil }
        self.init(statusClass, subject, detail)
    }

    package var description: String { "\(statusClass).\(subject).\(detail)" }

    /// For codes that stand in the source.
    private init(known statusClass: UInt8, _ subject: UInt16, _ detail: UInt16) {
        self.statusClass = statusClass
        self.subject = subject
        self.detail = detail
    }

    /// 4.3.1 Mail system full (RFC 3463 §3.4).
    package static let mailSystemFull = EnhancedStatus(known: 4, 3, 1)
    /// 4.3.2 System not accepting network messages (RFC 3463 §3.4).
    package static let notAcceptingMessages = EnhancedStatus(known: 4, 3, 2)
    /// 4.7.0 Other or undefined security status (RFC 3463 §3.8).
    package static let otherSecurity = EnhancedStatus(known: 4, 7, 0)
    /// 4.4.2 Bad connection (RFC 3463 §3.5).
    package static let badConnection = EnhancedStatus(known: 4, 4, 2)
}

/// One reply, of one line or several, as it goes over the wire.
package struct Reply: Sendable, Hashable {
    package let code: ReplyCode
    /// The enhanced code of the first line, if it has one.
    package let enhanced: EnhancedStatus?
    /// All lines, each ended by CRLF; every line but the last has `-` behind its code (RFC 5321 §4.2.1).
    package let wire: [UInt8]

    /// - Parameter lines: the text behind the code, a line each, without line ends; at least one. CR and LF in a line
    ///   are replaced by a space, so that no text can forge a second reply.
    package init(_ code: ReplyCode, _ enhanced: EnhancedStatus? = nil, lines: [String]) {
        self.code = code
        self.enhanced = enhanced
        var wire: [UInt8] = []
        let digits = Array(String(code.value).utf8)
        for (index, line) in lines.enumerated() {
            wire += digits
            wire.append(index == lines.count - 1 ? UInt8(ascii: " ") : UInt8(ascii: "-"))
            if let enhanced {
                wire += Array(enhanced.description.utf8)
                wire.append(UInt8(ascii: " "))
            }
            for octet in line.utf8 { wire.append(octet == 13 || octet == 10 ? 32 : octet) }
            wire += [13, 10]
        }
        self.wire = wire
    }

    package init(_ code: ReplyCode, _ enhanced: EnhancedStatus? = nil, _ text: String) {
        self.init(code, enhanced, lines: [text])
    }

    /// For replies that stand in the source.
    init(_ code: UInt16, _ enhanced: StaticString?, _ text: String) {
        self.init(ReplyCode(known: code), enhanced.flatMap { EnhancedStatus($0.description) }, text)
    }

    /// For replies that are rendered octet by octet.
    /// - Parameter wire: lines as they are sent, each with its code, its mark and CRLF.
    package init(code: ReplyCode, enhanced: EnhancedStatus?, wire: [UInt8]) {
        self.code = code
        self.enhanced = enhanced
        self.wire = wire
    }

    /// The reply as text without its last CRLF; inner line ends stay.
    package var text: String { String(decoding: wire.dropLast(2), as: UTF8.self) }
}
