// The header fields of the message itself: all of them in order, and the few that everybody asks for by name. Of several
// fields with the same name the first is the one that counts, but addresses are gathered from all.

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
            decoded.append((name, words.text(raw)))
            rawByName[key, default: []].append(String(decoding: raw, as: UTF8.self))
        }
        self.fields = fields
        self.decoded = decoded
        self.rawByName = rawByName
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
