// The fields of the root header by name: which there are, how often, and where the first of each stands. One comparison
// or two a field; what the fields hold is not looked at.

/// A field that some rule asks for.
enum KnownField: UInt8, CaseIterable {
    case date, from, sender, replyTo, to, cc, bcc, messageID, inReplyTo, references, subject
    case returnPath, received
    case resentDate, resentFrom, resentOther
    case mimeVersion, contentType, contentTransferEncoding, contentOther
    case listUnsubscribe, listUnsubscribePost, listID, listOther
    case precedence, feedbackID, autoSubmitted, autoReply
    case dkimSignature, arcSeal, arcMessageSignature, arcAuthenticationResults
    case tlsRequired, apparentlyTo, envelopeRecipients, comments, keywords
    case other
}

struct HeaderIndex {
    /// By place of the field in the header.
    let names: [KnownField]
    private var counts = [Int32](repeating: 0, count: KnownField.allCases.count)
    private var firsts = [Int32](repeating: -1, count: KnownField.allCases.count)

    init(_ octets: MessageOctets, _ fields: [ScannedField]) {
        var names: [KnownField] = []
        names.reserveCapacity(fields.count)
        for (index, field) in fields.enumerated() {
            let name = field.isStray ? .other : Self.known(octets, Self.name(of: field, octets))
            names.append(name)
            let place = Int(name.rawValue)
            if firsts[place] < 0 { firsts[place] = Int32(index) }
            counts[place] += 1
        }
        self.names = names
    }

    /// How many there are.
    func count(_ field: KnownField) -> Int { Int(counts[Int(field.rawValue)]) }

    /// The place of the first one.
    func first(_ field: KnownField) -> Int? {
        let place = firsts[Int(field.rawValue)]
        return place < 0 ? nil : Int(place)
    }

    /// Without a byte-order mark, which has its own rule and hides no field.
    static func name(of field: ScannedField, _ octets: MessageOctets) -> Range<Int> {
        guard field.name.lowerBound == 0, let end = ByteOrderMark.end(octets), end <= field.name.upperBound else {
            return field.name
        }
        return end..<field.name.upperBound
    }

    private static func known(_ octets: MessageOctets, _ name: Range<Int>) -> KnownField {
        guard let first = name.first else { return .other }
        func named(_ text: StaticString) -> Bool { FieldText.equals(octets, name, text) }
        switch FieldText.small(octets[first]) {
        case UInt8(ascii: "a"):
            if named("arc-seal") { return .arcSeal }
            if named("arc-message-signature") { return .arcMessageSignature }
            if named("arc-authentication-results") { return .arcAuthenticationResults }
            if named("auto-submitted") { return .autoSubmitted }
            if named("apparently-to") { return .apparentlyTo }
        case UInt8(ascii: "b"):
            if named("bcc") { return .bcc }
        case UInt8(ascii: "c"):
            if named("cc") { return .cc }
            if named("content-type") { return .contentType }
            if named("content-transfer-encoding") { return .contentTransferEncoding }
            if named("comments") { return .comments }
            if FieldText.begins(octets, name, "content-") { return .contentOther }
        case UInt8(ascii: "d"):
            if named("date") { return .date }
            if named("dkim-signature") { return .dkimSignature }
        case UInt8(ascii: "f"):
            if named("from") { return .from }
            if named("feedback-id") { return .feedbackID }
        case UInt8(ascii: "i"):
            if named("in-reply-to") { return .inReplyTo }
        case UInt8(ascii: "k"):
            if named("keywords") { return .keywords }
        case UInt8(ascii: "l"):
            if named("list-unsubscribe") { return .listUnsubscribe }
            if named("list-unsubscribe-post") { return .listUnsubscribePost }
            if named("list-id") { return .listID }
            if FieldText.begins(octets, name, "list-") { return .listOther }
        case UInt8(ascii: "m"):
            if named("message-id") { return .messageID }
            if named("mime-version") { return .mimeVersion }
        case UInt8(ascii: "p"):
            if named("precedence") { return .precedence }
        case UInt8(ascii: "r"):
            if named("received") { return .received }
            if named("reply-to") { return .replyTo }
            if named("references") { return .references }
            if named("return-path") { return .returnPath }
            if named("resent-date") { return .resentDate }
            if named("resent-from") { return .resentFrom }
            if FieldText.begins(octets, name, "resent-") { return .resentOther }
        case UInt8(ascii: "s"):
            if named("subject") { return .subject }
            if named("sender") { return .sender }
        case UInt8(ascii: "t"):
            if named("to") { return .to }
            if named("tls-required") { return .tlsRequired }
        case UInt8(ascii: "x"):
            if named("x-autoreply") || named("x-autorespond") || named("x-autoresponder") { return .autoReply }
            if named("x-envelope-to") || named("x-rcpt-to") || named("x-bcc") || named("x-receiver") {
                return .envelopeRecipients
            }
        default: break
        }
        return .other
    }
}

/// What the checks of the root header are given.
struct HeaderView {
    let message: MessageView
    let index: HeaderIndex

    init(_ message: MessageView) {
        self.message = message
        index = HeaderIndex(message.octets, message.scan.fields)
    }

    var octets: MessageOctets { message.octets }
    var input: MessageInput { message.input }
    var fields: [ScannedField] { message.scan.fields }

    func count(_ field: KnownField) -> Int { index.count(field) }
    func first(_ field: KnownField) -> ScannedField? { index.first(field).map { fields[$0] } }

    /// The field is not there, which is certain only where the whole header was read.
    func isMissing(_ field: KnownField) -> Bool { index.count(field) == 0 && !message.scan.isCut }

    /// The header as a place: its first line.
    var headerPlace: Range<Int> {
        let header = message.scan.parts[0].header
        let end = FieldText.position(octets, of: FieldText.lf, in: header).map { $0 + 1 } ?? header.upperBound
        return header.lowerBound..<end
    }

    /// Fields of this name in their order.
    func each(_ name: KnownField, _ body: (ScannedField) -> Void) {
        guard let first = index.first(name) else { return }
        for place in first..<fields.count where index.names[place] == name { body(fields[place]) }
    }
}
