// What has to be remembered of a message so that it is known again: its Message-ID, and digests of what does not change
// while a sender tries again. Made while the octets are at hand, in one pass; the octets themselves are not kept.

import Journal
import SMTP

package struct MessageIdentity: Sendable, Hashable {
    /// Octets that are kept of a Message-ID or a List-Id.
    package static let idLimit = 512
    package static let subjectLimit = 100

    /// The transaction of the session, from 1.
    package var transaction: Int
    /// With its angle brackets, without white space around it; nil where there is none.
    package var messageID: String?
    /// Of the body and the header without trace fields (RFC 5321 §4.4), signatures, Message-ID and Date: what stays the
    /// same even where a sender makes a new message of the old one.
    package var content: UInt64
    /// Of From, Subject and Date as they stand.
    package var head: UInt64
    /// Of the body alone.
    package var body: UInt64
    package var bodyOctetCount = 0
    /// The beginning of Subject, fit to be read; empty without one.
    package var subject = ""
    /// The List-Id (RFC 2919), as it stands.
    package var listID: String?
    /// The domain of the author in small letters; nil where From has none.
    package var authorDomain: String?
    /// It says so itself: List-Id, Precedence of bulk or list, Feedback-ID.
    package var isBulk = false
    /// multipart/report (RFC 6522): a DSN or a receipt.
    package var isReport = false
    package var hasDate = false
    /// 8BITMIME was offered: without it a relay may have had to convert the body (RFC 6152 §3).
    package var offersEightBit = false

    /// Of (From, Subject, Date, body): a Message-ID stands for exactly one (RFC 5322 §3.6.4).
    package var version: UInt64 {
        var digest = ContentDigest()
        digest.add(head)
        digest.add(body)
        return digest.value
    }

    package init(_ input: MessageInput) {
        transaction = input.transaction
        (content, head, body) = (0, 0, 0)
        offersEightBit = input.offer.has("8BITMIME")
        input.content.withUnsafeBytes { read($0) }
    }

    private mutating func read(_ octets: UnsafeRawBufferPointer) {
        var contentDigest = ContentDigest()
        var headDigest = ContentDigest()
        var at = 0
        while let end = HeaderWalk.fieldEnd(octets, from: at) {
            take(UnsafeRawBufferPointer(rebasing: octets[at..<end]), &contentDigest, &headDigest)
            at = end
        }
        // The blank line belongs to neither.
        if at < octets.count, octets[at] == 13 { at += 1 }
        if at < octets.count, octets[at] == 10 { at += 1 }
        var bodyDigest = ContentDigest()
        bodyDigest.add(UnsafeRawBufferPointer(rebasing: octets[min(at, octets.count)...]))
        bodyOctetCount = octets.count - min(at, octets.count)
        body = bodyDigest.value
        head = headDigest.value
        contentDigest.add(body)
        content = contentDigest.value
    }

    private mutating func take(
        _ field: UnsafeRawBufferPointer, _ content: inout ContentDigest, _ head: inout ContentDigest
    ) {
        let colon = field.firstPlace(of: UInt8(ascii: ":"), from: 0) ?? field.count
        let name = UnsafeRawBufferPointer(rebasing: field[..<colon])
        let value = UnsafeRawBufferPointer(rebasing: field[min(colon + 1, field.count)...])
        switch FollowedField(name) {
        case .trace: return
        case .messageID:
            if messageID == nil { messageID = HeaderWalk.text(value, limit: Self.idLimit) }
            return
        case .date:
            hasDate = true
            head.add(field)
            return
        case .from:
            if authorDomain == nil { authorDomain = HeaderWalk.domain(value) }
            head.add(field)
        case .subject:
            if subject.isEmpty { subject = HeaderWalk.text(value, limit: Self.subjectLimit) ?? "" }
            head.add(field)
        case .listID:
            listID = HeaderWalk.text(value, limit: Self.idLimit)
            isBulk = true
        case .feedbackID: isBulk = true
        case .precedence:
            if HeaderWalk.holds(value, "bulk") || HeaderWalk.holds(value, "list") { isBulk = true }
        case .contentType: if HeaderWalk.holds(value, "multipart/report") { isReport = true }
        case .other: break
        }
        content.add(field)
    }
}

/// Fields that are looked at, or left out, by name.
private enum FollowedField {
    case messageID, date, from, subject, listID, feedbackID, precedence, contentType, trace, other

    init(_ name: UnsafeRawBufferPointer) {
        // By length first: most fields are told apart by it.
        switch name.count {
        case 4: self = name.isName("from") ? .from : name.isName("date") ? .date : .other
        case 7: self = name.isName("subject") ? .subject : name.isName("list-id") ? .listID : .other
        case 8: self = name.isName("received") || name.isName("arc-seal") ? .trace : .other
        case 10: self = name.isName("message-id") ? .messageID : name.isName("precedence") ? .precedence : .other
        case 11:
            self =
                name.isName("feedback-id")
                ? .feedbackID : name.isName("return-path") || name.isName("x-received") ? .trace : .other
        case 12: self = name.isName("content-type") ? .contentType : name.isName("delivered-to") ? .trace : .other
        case 13: self = name.isName("x-original-to") ? .trace : .other
        case 14: self = name.isName("dkim-signature") ? .trace : .other
        case 19: self = name.isName("domainkey-signature") ? .trace : .other
        case 21: self = name.isName("arc-message-signature") ? .trace : .other
        case 22: self = name.isName("authentication-results") ? .trace : .other
        case 26: self = name.isName("arc-authentication-results") ? .trace : .other
        default: self = .other
        }
    }
}

private enum HeaderWalk {
    /// Where the field that begins at `start` ends, its folded lines and last line end with it; nil at the end of the
    /// header.
    static func fieldEnd(_ octets: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < octets.count, octets[start] != 10 else { return nil }
        if octets[start] == 13, start + 1 < octets.count, octets[start + 1] == 10 { return nil }
        var at = start
        while let end = octets.firstPlace(of: 10, from: at) {
            at = end + 1
            guard at < octets.count, octets[at] == 32 || octets[at] == 9 else { return at }
        }
        return octets.count
    }

    /// Without line ends and white space around it; nil where nothing is left.
    static func text(_ value: UnsafeRawBufferPointer, limit: Int) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(value.count, limit))
        for octet in value where octet != 13 && octet != 10 {
            if bytes.isEmpty, octet == 32 || octet == 9 { continue }
            guard bytes.count < limit else { break }
            bytes.append(octet)
        }
        while let last = bytes.last, last == 32 || last == 9 { bytes.removeLast() }
        return bytes.isEmpty ? nil : Text.shown(Text.lossy(bytes))
    }

    /// Behind the last `@`, as long as it looks like a domain; in small letters.
    static func domain(_ value: UnsafeRawBufferPointer) -> String? {
        guard let place = value.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let domain = value[(place + 1)...].prefix(255).prefix { octet in
            octet == 45 || octet == 46 || (48...57).contains(octet) || (97...122).contains(octet | 0x20)
        }
        return domain.isEmpty ? nil : Text.lossy(domain.map { (65...90).contains($0) ? $0 | 0x20 : $0 })
    }

    /// - Parameter word: ASCII in small letters. The value's case does not count; its first 200 octets are looked at.
    static func holds(_ value: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        let count = min(value.count, 200)
        let length = word.utf8CodeUnitCount
        guard count >= length else { return false }
        for start in 0...(count - length)
        where UnsafeRawBufferPointer(rebasing: value[start..<(start + length)]).isName(word) {
            return true
        }
        return false
    }
}

extension UnsafeRawBufferPointer {
    /// - Parameter word: ASCII in small letters; of the octets the case does not count.
    fileprivate func isName(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let octet = self[index]
            guard ((65...90).contains(octet) ? octet | 0x20 : octet) == word.utf8Start[index] else { return false }
        }
        return true
    }
}
