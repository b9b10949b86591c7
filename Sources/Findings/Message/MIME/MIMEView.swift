// The parts of a message as the checks of MIME and body want them: whose they are, how they are labelled, where the
// fields stand that say so. What is inside an enclosed message is not the sender's own work: a bounce returns what
// somebody else wrote, a forwarded mail is as its author made it. Such parts are looked at as octets, and never
// judged.

/// How a part says that it is encoded (RFC 2045 §6).
enum TransferEncoding {
    case sevenBit, eightBit, binary, quotedPrintable, base64
    /// A word that is none of them.
    case other

    /// - Parameter word: in small letters; nil where there is no field, which means 7bit (RFC 2045 §6.1).
    init(_ word: String?) {
        switch word {
        case nil, "7bit": self = .sevenBit
        case "8bit": self = .eightBit
        case "binary": self = .binary
        case "quoted-printable": self = .quotedPrintable
        case "base64": self = .base64
        default: self = .other
        }
    }

    /// The octets stand as they are.
    var isIdentity: Bool { self == .sevenBit || self == .eightBit || self == .binary }
}

/// What is known of one part beside its scan.
struct PartFacts {
    /// The sender made it: it is not inside an enclosed message.
    var isOwn = true
    var encoding = TransferEncoding.sevenBit
    /// Whole fields; nil where there is none. Of several the first, as in the scan.
    var typeField: Range<Int>?
    var encodingField: Range<Int>?
    /// The value of Content-Disposition.
    var disposition: Range<Int>?
    /// The value of Content-ID.
    var contentID: Range<Int>?
    /// Content-Disposition says so (RFC 2183 §2.2).
    var isAttachment = false
    var hasLocation = false
}

struct MIMEView {
    let octets: MessageOctets
    let scan: MessageScan
    let facts: [PartFacts]
    /// A Content-Location stands somewhere: relative links may have their base in the header (RFC 2557 §5).
    let hasContentLocation: Bool
    private let message: String?
    private let transaction: Int?

    init(_ octets: MessageOctets, _ scan: MessageScan, message: String? = nil, transaction: Int? = nil) {
        self.octets = octets
        self.scan = scan
        self.message = message
        self.transaction = transaction
        var all: [PartFacts] = []
        all.reserveCapacity(scan.parts.count)
        for part in scan.parts {
            var facts = Self.facts(octets, part)
            if let parent = part.parent {
                facts.isOwn = all[parent].isOwn && scan.parts[parent].type.type != "message"
            }
            all.append(facts)
        }
        facts = all
        hasContentLocation = all.contains { $0.hasLocation }
    }

    private static func facts(_ octets: MessageOctets, _ part: ScannedPart) -> PartFacts {
        var facts = PartFacts()
        facts.encoding = TransferEncoding(part.encoding)
        for field in part.fields {
            switch field.name.count {
            case 10:
                if facts.contentID == nil, FieldText.equals(octets, field.name, "content-id") {
                    facts.contentID = field.value
                }
            case 12:
                if facts.typeField == nil, FieldText.equals(octets, field.name, "content-type") {
                    facts.typeField = field.whole
                }
            case 16:
                if FieldText.equals(octets, field.name, "content-location") { facts.hasLocation = true }
            case 19:
                if facts.disposition == nil, FieldText.equals(octets, field.name, "content-disposition") {
                    facts.disposition = field.value
                    let start = FieldText.behindComments(octets, field.value.lowerBound, field.value.upperBound)
                    facts.isAttachment = OctetSearch.holds(
                        octets, "attachment", at: start, before: field.value.upperBound)
                }
            case 25:
                if facts.encodingField == nil, FieldText.equals(octets, field.name, "content-transfer-encoding") {
                    facts.encodingField = field.whole
                }
            default: break
            }
        }
        return facts
    }

    func evidence(_ range: Range<Int>) -> Evidence {
        Evidence(message: message, transaction: transaction, range: range)
    }

    /// The field that describes the part, or its header where there is none.
    func typePlace(_ index: Int) -> Range<Int> { facts[index].typeField ?? scan.parts[index].header }
    func encodingPlace(_ index: Int) -> Range<Int> { facts[index].encodingField ?? typePlace(index) }

    /// An excerpt of the octets, without the line end behind them.
    func excerpt(_ range: Range<Int>) -> String { Excerpt.octets(octets[FieldText.trimmed(octets, range)]) }
}

extension ContentType {
    func isType(_ type: String, _ subtype: String) -> Bool { self.type == type && self.subtype == subtype }

    /// The first parameter of that name, as it stands.
    func writtenParameter(_ name: String) -> Written? {
        for parameter in written where parameter.name == name { return parameter }
        return nil
    }
}
