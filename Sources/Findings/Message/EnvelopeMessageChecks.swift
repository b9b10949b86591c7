// The envelope against the message that came with it: its size, 8-bit content, UTF-8, and the null reverse-path.

import SMTP

enum EnvelopeMessageChecks {
    /// RFC 5321 §4.5.3.1.7: what every server takes, in octets.
    private static let smallSize = 65_536

    static func check(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        size(input, octets.count, &ledger)
        eightBit(input, scan, octets, &ledger)
        utf8(input, scan, octets, &ledger)
        nullSender(input, scan, octets, &ledger)
    }

    private static func evidence(_ input: MessageInput, _ range: Range<Int>? = nil) -> Evidence {
        Evidence(message: input.message, transaction: input.transaction, range: range)
    }

    // MARK: SIZE (RFC 1870)

    private static func size(_ input: MessageInput, _ count: Int, _ ledger: inout Ledger) {
        if let declared = input.reversePath.size {
            if count > declared {
                ledger.broken(
                    .sizeUnderstated, evidence(input, declared..<count), under: input.disturbances,
                    saw: "SIZE=\(declared), and \(count) octets came, \(count - declared) more")
            } else {
                ledger.kept(.sizeUnderstated)
            }
            ledger.kept(.sizeNotDeclared)
        } else if input.offer.isExtended, input.offer.has("SIZE"), count > smallSize {
            ledger.broken(
                .sizeNotDeclared, evidence(input), under: input.disturbances,
                saw: "\(count) octets without SIZE in MAIL")
        }
        guard let limit = OfferFacts(input.offer).sizeLimit else { return }
        guard count > limit else { return ledger.kept(.sizeOverLimit) }
        ledger.broken(
            .sizeOverLimit, evidence(input, limit..<count), under: input.disturbances,
            saw: "\(count) octets where SIZE \(limit) was announced")
    }

    // MARK: 8BITMIME (RFC 5321 §2.4)

    private static func eightBit(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        guard input.reversePath.body == .eightBitMIME, !scan.isCut else { return }
        guard field("mime-version", scan, octets) == nil else { return ledger.kept(.body8bitmimeWithoutMime) }
        guard let first = firstEightBit(octets) else { return }
        ledger.broken(
            .body8bitmimeWithoutMime, evidence(input, first..<first + 1), under: input.disturbances,
            saw: "BODY=8BITMIME, 8-bit content, and no MIME-Version")
    }

    /// The first octet above 127; eight at a time until then.
    private static func firstEightBit(_ octets: UnsafeBufferPointer<UInt8>) -> Int? {
        let raw = UnsafeRawBufferPointer(octets)
        var index = 0
        while index + 8 <= raw.count {
            if raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        return octets[index...].firstIndex { $0 >= 128 }
    }

    // MARK: SMTPUTF8 (RFC 6531 §3.4)

    private static func utf8(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        guard input.reversePath.smtpUTF8, !scan.isCut, !scan.fields.isEmpty else { return }
        let needsIt =
            input.reversePath.address.contains { $0 >= 128 }
            || input.recipients.contains { $0.contains { $0 >= 128 } }
            || scan.parts.contains { part in octets[part.header].contains { $0 >= 128 } }
        if needsIt { return ledger.kept(.smtputf8Needless) }
        ledger.broken(
            .smtputf8Needless, evidence(input), under: input.disturbances,
            saw: "SMTPUTF8, and neither the addresses nor the header hold anything but ASCII")
    }

    // MARK: The null reverse-path (RFC 5321 §4.5.5)

    private static func nullSender(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        guard input.reversePath.address.isEmpty, !scan.isCut, !scan.fields.isEmpty else { return }
        if isNotification(scan, octets) { return ledger.kept(.nullSenderOrdinaryMail) }
        ledger.broken(
            .nullSenderOrdinaryMail, evidence(input), under: input.disturbances,
            saw: "MAIL FROM:<> for a message that is neither a report nor an automatic answer")
    }

    /// A report (RFC 6522), an automatic answer (RFC 3834 §5), or a bounce of the old form, which is known by its
    /// author.
    private static func isNotification(_ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>) -> Bool {
        let type = scan.parts[0].type
        if type.type == "multipart", type.subtype == "report" { return true }
        if let value = field("auto-submitted", scan, octets) {
            let word = octets[value].drop { $0 == 32 || $0 == 9 }.prefix {
                $0 != 59 && $0 != 32 && $0 != 13 && $0 != 10
            }
            if !word.isEmpty, !equals(word, "no") { return true }
        }
        guard let from = field("from", scan, octets) else { return false }
        let author = String(decoding: octets[from], as: UTF8.self).lowercased()
        return author.contains("mailer-daemon") || author.contains("postmaster")
    }

    /// The value of the first field of this name.
    private static func field(
        _ name: String, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>
    ) -> Range<Int>? {
        scan.fields.first { !$0.isStray && equals(octets[$0.name], name) }?.value
    }

    /// - Parameter text: ASCII in small letters.
    private static func equals(_ octets: Slice<UnsafeBufferPointer<UInt8>>, _ text: String) -> Bool {
        octets.count == text.utf8.count
            && zip(octets, text.utf8).allSatisfy { ((65...90).contains($0) ? $0 | 0x20 : $0) == $1 }
    }
}
