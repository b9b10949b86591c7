// The parameters of MAIL and RCPT as words, for those who ask what a client said: `SIZE=1000`, `SMTPUTF8`.

extension ReversePath {
    /// RFC 1870 §3, RFC 6152 §2, RFC 6531 §3.4, RFC 3461 §4.3 and §4.4, RFC 4954 §5; in this order.
    package var parameters: [String] {
        var words: [String] = []
        if let size { words.append("SIZE=\(size)") }
        if let body { words.append("BODY=\(body.rawValue)") }
        if smtpUTF8 { words.append("SMTPUTF8") }
        if let returnContent { words.append("RET=\(returnContent.rawValue)") }
        if let envelopeID { words.append("ENVID=\(String(decoding: envelopeID, as: UTF8.self))") }
        if let auth { words.append("AUTH=\(String(decoding: auth, as: UTF8.self))") }
        return words
    }
}

extension ForwardPath {
    /// RFC 3461 §4.1 and §4.2.
    package var parameters: [String] {
        var words: [String] = []
        if let notify { words.append("NOTIFY=\(notify.words)") }
        if let originalRecipient { words.append("ORCPT=\(String(decoding: originalRecipient, as: UTF8.self))") }
        return words
    }
}

extension Notify {
    fileprivate var words: String {
        let named: [(Notify, String)] = [(.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY")]
        let said = named.filter { contains($0.0) }.map(\.1)
        return said.isEmpty ? "NEVER" : said.joined(separator: ",")
    }
}
