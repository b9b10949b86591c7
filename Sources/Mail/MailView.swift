// What a message looks like to whoever reads mail: decoded header fields, parts, text. Derived from octets when it is
// asked for; nothing here is stored, nothing is fetched, and a broken message gives what can be had of it. In what it
// leaves open, it answers as Mailpit does.

package struct MailView: Sendable {
    /// The header fields in their order, unfolded and decoded (RFC 2047).
    package let headers: [(name: String, value: String)]
    /// The same as Mailpit's /headers gives them: by canonical name (`Message-Id`), unfolded, *not* decoded.
    package let headersByName: [String: [String]]
    /// The first author. A field that holds no address gives its text as the name.
    package let from: MailAddress?
    package let to: [MailAddress]
    package let cc: [MailAddress]
    package let bcc: [MailAddress]
    package let replyTo: [MailAddress]
    package let subject: String
    /// Without the angle brackets.
    package let messageID: String
    /// Nil when there is no Date or none that can be read.
    package let date: MailDate?
    /// The Return-Path field without its brackets, else the author's address, as Mailpit has it.
    package let returnPath: String
    package let listUnsubscribe: ListUnsubscribe
    /// The text parts, joined by a line `--` but for alternatives; without any, made from `html`. Lines end as they
    /// came.
    package let text: String
    package let html: String
    /// At most 200 octets and three dots, from the HTML if there is any, as Mailpit does it.
    package let snippet: String
    /// All parts, multiparts among them, in the order of the message.
    package let parts: [MailPart]
    /// What GMime and this room found odd, at most `MailLimit.warnings`.
    package let warnings: [String]

    package init(_ octets: [UInt8]) {
        self = octets.withUnsafeBufferPointer { MailView(reading: $0) }
    }

    package init(_ octets: UnsafeRawBufferPointer) {
        self = octets.withMemoryRebound(to: UInt8.self) { MailView(reading: $0) }
    }

    /// Mailpit's `Attachments`: those with a name, breadth first.
    package var attachments: [MailPart] { breadthFirst { $0.isAttachment && $0.isNamed } }

    /// Mailpit's `Inline`: those said to be inline, then the others that are no text; with a name, breadth first.
    package var inlines: [MailPart] {
        breadthFirst { $0.isInline && $0.isNamed && !$0.disposition.isEmpty }
            + breadthFirst { $0.isInline && $0.isNamed && $0.disposition.isEmpty }
    }

    /// The number that Mailpit's lists show: nameless attachments count.
    package var attachmentCount: Int { parts.count { $0.isAttachment } }

    /// A part's type, name and octets without transfer encoding, exactly as sent: Mailpit turns text into UTF-8 here,
    /// and then its checksums are not those of the file.
    package static func part(
        _ partID: String, of octets: [UInt8]
    ) -> (contentType: String, fileName: String, octets: [UInt8])? {
        octets.withUnsafeBufferPointer { octets in
            let octets = bounded(octets)
            let words = MIMEWords()
            let scan = MIMEScan(octets, words: words)
            guard let part = scan.parts.first(where: { $0.id == partID }), !part.isMultipart else { return nil }
            let (content, _) = PartContent.decode(
                part.body, of: octets, encoding: transferEncoding(of: part, in: octets), limit: MailLimit.messageOctets)
            let shown = MailPart(
                part, size: content.count, contentID: contentID(of: part, in: octets), words: words,
                isOnlyPart: part.depth == 0)
            return (shown.contentType, shown.shownName, content)
        }
    }

    private func breadthFirst(_ isWanted: (MailPart) -> Bool) -> [MailPart] {
        let wanted = parts.filter(isWanted)
        // Sorting by depth alone keeps the order within a depth: the index decides between equals.
        return wanted.enumerated().sorted { ($0.element.depth, $0.offset) < ($1.element.depth, $1.offset) }.map(
            \.element)
    }
}

extension MailView {
    private init(reading all: UnsafeBufferPointer<UInt8>) {
        let octets = MailView.bounded(all)
        let words = MIMEWords()
        if octets.count < all.count { words.warn("only the first \(octets.count) octets are shown") }
        let scan = MIMEScan(octets, words: words)
        let fields = MailFields(scan.parts[0].fields, octets: octets, words: words)
        headers = fields.decoded
        headersByName = fields.rawByName

        to = fields.addresses("To")
        cc = fields.addresses("Cc")
        bcc = fields.addresses("Bcc")
        replyTo = fields.addresses("Reply-To")
        let authorText = fields.first("From")
        from = fields.addresses("From").first ?? (authorText.isEmpty ? nil : MailAddress(name: authorText, address: ""))
        subject = fields.first("Subject")
        messageID = fields.first("Message-Id").trimmingAngles
        date = fields.date
        let path = fields.first("Return-Path").trimmingAngles
        returnPath = path.isEmpty ? from?.address ?? "" : path
        listUnsubscribe = ListUnsubscribe(
            header: fields.first("List-Unsubscribe"), headerPost: fields.first("List-Unsubscribe-Post"))

        let bodies = MailBodies(scan, octets: octets, words: words)
        parts = bodies.parts
        html = bodies.html
        text = bodies.text.isEmpty ? HTMLText.text(of: bodies.html) : bodies.text
        snippet = MailView.snippet(text: bodies.text, html: bodies.html)
        warnings = words.warnings
    }

    private static func bounded(_ octets: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: octets.prefix(MailLimit.messageOctets))
    }

    /// White space folded; 200 octets and three dots.
    private static func snippet(text: String, html: String) -> String {
        var line = HTMLText.line(of: html, withLinks: false)
        if line.isEmpty { line = HTMLText.folded(text.prefixOctets(MailLimit.snippetOctets * 64)) }
        guard line.utf8.count > MailLimit.snippetOctets else { return line }
        return line.prefixOctets(MailLimit.snippetOctets) + "..."
    }
}

extension MailView {
    static func transferEncoding(of part: MIMEScan.Part, in octets: UnsafeBufferPointer<UInt8>) -> String {
        guard let field = part.fields.first(where: { $0.isNamed("content-transfer-encoding", in: octets) }) else {
            return ""
        }
        let word = field.unfolded(in: octets).prefix { $0 > 0x20 && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "(") }
        return String(decoding: word, as: UTF8.self).lowercased()
    }

    static func contentID(of part: MIMEScan.Part, in octets: UnsafeBufferPointer<UInt8>) -> String {
        guard let field = part.fields.first(where: { $0.isNamed("content-id", in: octets) }) else { return "" }
        return String(decoding: field.unfolded(in: octets), as: UTF8.self).trimmingAngles
    }
}

extension String {
    var trimmingAngles: String {
        var slice = self[...]
        while let first = slice.first, first == "<" || first == " " { slice = slice.dropFirst() }
        while let last = slice.last, last == ">" || last == " " { slice = slice.dropLast() }
        return String(slice)
    }

    /// As much of the beginning as fits into this many octets of UTF-8, no character cut in two.
    func prefixOctets(_ count: Int) -> String {
        guard utf8.count > count else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: max(0, count))
        while end > startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
