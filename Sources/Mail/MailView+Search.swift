// The words of a message in one string, for an index of full text. The index decides what a word is; here is only what
// the message says, in the order in which a reader would look for it.

extension MailView {
    /// Author, subject, addresses, names of attachments and the text: of the HTML with its links if there is any, as in
    /// Mailpit, else of the plain parts. White space is folded. At most `maxOctets` octets of UTF-8.
    package func searchText(maxOctets: Int) -> String {
        var result = ""
        func add(_ text: String) {
            guard !text.isEmpty, result.utf8.count < maxOctets else { return }
            if !result.isEmpty { result += " " }
            result += HTMLText.folded(text.prefixOctets(maxOctets - result.utf8.count))
        }
        add(subject)
        for address in [from].compactMap({ $0 }) + to + cc + bcc + replyTo {
            add(address.name)
            add(address.address)
        }
        add(returnPath)
        for part in parts where part.isAttachment || part.isInline { add(part.fileName) }
        let line = HTMLText.line(of: html, withLinks: true)
        add(line.isEmpty ? text : line)
        return result.prefixOctets(max(0, maxOctets))
    }
}
