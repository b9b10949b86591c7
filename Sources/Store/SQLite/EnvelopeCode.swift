// The envelope of a message as octets of one column, and back, exactly: a version, then the fields, each a number
// (LEB128) or a length with its octets. What is decoded is what was encoded, or nil where the octets are not whole.

import SMTP

enum EnvelopeCode {
    static let version: UInt8 = 1

    private struct ReverseMarks: OptionSet {
        let rawValue: UInt8
        static let size = ReverseMarks(rawValue: 1)
        static let smtpUTF8 = ReverseMarks(rawValue: 2)
        static let envelopeID = ReverseMarks(rawValue: 4)
        static let auth = ReverseMarks(rawValue: 8)
    }

    private struct ForwardMarks: OptionSet {
        let rawValue: UInt8
        static let notify = ForwardMarks(rawValue: 1)
        static let originalRecipient = ForwardMarks(rawValue: 2)
    }

    /// Appends everything of a message but its content and its time.
    static func encode(_ message: Message, into octets: inout [UInt8]) {
        octets.append(version)
        octets.put(message.id)
        octets.put(message.client)
        octets.put(message.withProtocol)
        octets.put(message.helo)
        encode(message.reversePath, into: &octets)
        octets.put(UInt64(message.recipients.count))
        for recipient in message.recipients { encode(recipient, into: &octets) }
    }

    private static func encode(_ path: ReversePath, into octets: inout [UInt8]) {
        octets.put(path.address)
        var marks: ReverseMarks = []
        if path.size != nil { marks.insert(.size) }
        if path.smtpUTF8 { marks.insert(.smtpUTF8) }
        if path.envelopeID != nil { marks.insert(.envelopeID) }
        if path.auth != nil { marks.insert(.auth) }
        octets.append(marks.rawValue)
        octets.append(ordinal(path.body))
        octets.append(ordinal(path.returnContent))
        if let size = path.size { octets.put(UInt64(bitPattern: Int64(size))) }
        if let envelopeID = path.envelopeID { octets.put(envelopeID) }
        if let auth = path.auth { octets.put(auth) }
    }

    private static func encode(_ path: ForwardPath, into octets: inout [UInt8]) {
        octets.put(path.address)
        var marks: ForwardMarks = []
        if path.notify != nil { marks.insert(.notify) }
        if path.originalRecipient != nil { marks.insert(.originalRecipient) }
        octets.append(marks.rawValue)
        if let notify = path.notify { octets.append(notify.rawValue) }
        if let originalRecipient = path.originalRecipient { octets.put(originalRecipient) }
    }

    static func decode(_ octets: UnsafeRawBufferPointer, content: [UInt8], received_us: Int64) -> Message? {
        var reader = OctetReader(octets)
        guard reader.octet() == version, let id = reader.text(), let client = reader.text(),
            let withProtocol = reader.text(), let helo = reader.bytes(), let reversePath = reversePath(&reader),
            let count = reader.count()
        else { return nil }
        var recipients: [ForwardPath] = []
        // A damaged count must not reserve what is not there: each has two octets at least.
        guard count <= reader.remaining / 2 else { return nil }
        recipients.reserveCapacity(count)
        for _ in 0..<count {
            guard let recipient = forwardPath(&reader) else { return nil }
            recipients.append(recipient)
        }
        return Message(
            id: id, reversePath: reversePath, recipients: recipients, content: content, helo: helo, client: client,
            withProtocol: withProtocol, received_us: received_us)
    }

    private static func reversePath(_ reader: inout OctetReader) -> ReversePath? {
        guard let address = reader.bytes(), let rawMarks = reader.octet(), let body = reader.octet(),
            let returnContent = reader.octet()
        else { return nil }
        let marks = ReverseMarks(rawValue: rawMarks)
        var path = ReversePath(address: address, smtpUTF8: marks.contains(.smtpUTF8))
        path.body = bodyType(body)
        path.returnContent = self.returnContent(returnContent)
        if marks.contains(.size) {
            guard let size = reader.number() else { return nil }
            path.size = Int(Int64(bitPattern: size))
        }
        if marks.contains(.envelopeID) {
            guard let envelopeID = reader.bytes() else { return nil }
            path.envelopeID = envelopeID
        }
        if marks.contains(.auth) {
            guard let auth = reader.bytes() else { return nil }
            path.auth = auth
        }
        return path
    }

    private static func forwardPath(_ reader: inout OctetReader) -> ForwardPath? {
        guard let address = reader.bytes(), let rawMarks = reader.octet() else { return nil }
        let marks = ForwardMarks(rawValue: rawMarks)
        var path = ForwardPath(address: address)
        if marks.contains(.notify) {
            guard let notify = reader.octet() else { return nil }
            path.notify = Notify(rawValue: notify)
        }
        if marks.contains(.originalRecipient) {
            guard let originalRecipient = reader.bytes() else { return nil }
            path.originalRecipient = originalRecipient
        }
        return path
    }

    // The numbers stand in files: they never change.

    private static func ordinal(_ body: BodyType?) -> UInt8 {
        switch body {
        case nil: 0
        case .sevenBit: 1
        case .eightBitMIME: 2
        case .binaryMIME: 3
        }
    }

    private static func bodyType(_ ordinal: UInt8) -> BodyType? {
        switch ordinal {
        case 1: .sevenBit
        case 2: .eightBitMIME
        case 3: .binaryMIME
        default: nil
        }
    }

    private static func ordinal(_ returnContent: ReturnContent?) -> UInt8 {
        switch returnContent {
        case nil: 0
        case .full: 1
        case .headers: 2
        }
    }

    private static func returnContent(_ ordinal: UInt8) -> ReturnContent? {
        switch ordinal {
        case 1: .full
        case 2: .headers
        default: nil
        }
    }
}

/// Tags as octets of one column.
enum TagsCode {
    static func encode(_ tags: [String]) -> [UInt8] {
        var octets: [UInt8] = []
        for tag in tags { octets.put(tag) }
        return octets
    }

    static func decode(_ octets: UnsafeRawBufferPointer) -> [String] {
        var reader = OctetReader(octets)
        var tags: [String] = []
        while reader.remaining > 0, let tag = reader.text() { tags.append(tag) }
        return tags
    }
}

extension [UInt8] {
    fileprivate mutating func put(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(truncatingIfNeeded: value))
    }

    fileprivate mutating func put(_ bytes: [UInt8]) {
        put(UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    fileprivate mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}

private struct OctetReader {
    private let octets: UnsafeRawBufferPointer
    private var position = 0

    init(_ octets: UnsafeRawBufferPointer) { self.octets = octets }

    var remaining: Int { octets.count - position }

    mutating func octet() -> UInt8? {
        guard remaining > 0 else { return nil }
        defer { position += 1 }
        return octets[position]
    }

    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, let next = octet() {
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    mutating func count() -> Int? { number().flatMap { Int(exactly: $0) } }

    mutating func bytes() -> [UInt8]? {
        guard let count = count(), count <= remaining else { return nil }
        defer { position += count }
        return Array(octets[position..<position + count])
    }

    mutating func text() -> String? { bytes().map { String(decoding: $0, as: UTF8.self) } }
}
