// The header fields of the message itself: all of them in order, and the few that everybody asks for by name. Of
// several fields with the same name the first is the one that counts, but addresses are gathered from all.

struct MailFields {
    private let fields: [(name: String, raw: [UInt8])]
    private let words: MIMEWords
    let decoded: [(name: String, value: String)]
    let rawByName: [String: [String]]

    init(_ header: [HeaderField], octets: UnsafeBufferPointer<UInt8>, words: MIMEWords) {
        self.words = words
        var fields: [(name: String, raw: [UInt8])] = []
        var decoded: [(name: String, value: String)] = []
        var rawByName: [String: [String]] = [:]
        fields.reserveCapacity(header.count)
        decoded.reserveCapacity(header.count)
        for field in header {
            let name = field.name(in: octets)
            let key = HeaderField.canonicalName(name)
            let raw = field.unfolded(in: octets)
            fields.append((key, raw))
            if String(validating: raw, as: UTF8.self) == nil {
                words.warn("\(key) holds 8-bit characters that are no UTF-8")
            }
            if rawByName[key] != nil, MailFields.isSingle(key) { words.warn("\(key) is there more than once") }
            decoded.append((name, words.text(raw)))
            rawByName[key, default: []].append(String(decoding: raw, as: UTF8.self))
        }
        self.fields = fields
        self.decoded = decoded
        self.rawByName = rawByName
    }

    /// Fields that a message has at most once (RFC 5322 §3.6, RFC 2045 §3).
    private static func isSingle(_ name: String) -> Bool {
        switch name {
        case "Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-Id", "In-Reply-To", "References",
            "Subject",
            "Mime-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Id":
            true
        default: false
        }
    }

    /// The decoded value of the first field of this canonical name; empty when there is none.
    func first(_ name: String) -> String {
        fields.firstIndex { $0.name == name }.map { decoded[$0].value } ?? ""
    }

    func addresses(_ name: String) -> [MailAddress] {
        var result: [MailAddress] = []
        for field in fields where field.name == name && result.count < MailLimit.addresses {
            result += words.addresses(field.raw, limit: MailLimit.addresses - result.count)
        }
        return result
    }

    var date: MailDate? {
        guard let field = fields.first(where: { $0.name == "Date" }), !field.raw.isEmpty else { return nil }
        return words.date(field.raw)
    }
}
