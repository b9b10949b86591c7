// One part of a message as a list of attachments needs it, in Mailpit's terms; its octets are read again when somebody
// wants them.

package struct MailPart: Sendable, Hashable {
    /// The place in the tree as Mailpit numbers it: `0` the root, `1`, `2` its parts, `2.0` a multipart, `2.1` in it.
    package var partID: String
    /// From Content-Disposition, else from Content-Type's name, decoded; may be empty.
    package var fileName: String
    /// Lower case without parameters.
    package var contentType: String
    /// As Content-Type has it; empty when it does not.
    package var charset: String
    /// Without the angle brackets.
    package var contentID: String
    /// `attachment`, `inline`, another word, or empty.
    package var disposition: String
    /// Octets without the transfer encoding.
    package var size: Int
    /// Multiparts around it.
    package var depth: Int
    /// What Mailpit calls an attachment.
    package var isAttachment: Bool
    /// What Mailpit lists as inline: said to be, or neither text nor attachment, as the images of multipart/related.
    package var isInline: Bool

    package var isMultipart: Bool { contentType.hasPrefix("multipart/") }

    /// Mailpit's lists hold only parts that have a name of one kind.
    package var isNamed: Bool { !fileName.isEmpty || !contentID.isEmpty }

    /// The name that Mailpit shows: the file's, else the Content-ID.
    package var shownName: String { fileName.isEmpty ? contentID : fileName }
}

extension MailPart {
    init(_ part: MIMEScan.Part, size: Int, contentID: String, words: MIMEWords, isOnlyPart: Bool) {
        let name =
            [
                part.disposition.parameters["filename"], part.contentType.parameters["name"],
                part.contentType.parameters["file"],
            ]
            .lazy.compactMap { $0 }.first { !$0.isEmpty }
        let disposition = part.disposition.value
        // A multipart without parts is shown as text.
        let isText = part.isText || part.type.hasPrefix("multipart/")
        partID = part.id
        fileName = name.map { MailPart.decodedName($0, words: words) } ?? ""
        contentType = part.type
        charset = part.contentType.parameters["charset"] ?? ""
        self.contentID = contentID
        self.disposition = disposition
        self.size = size
        depth = part.depth
        if part.isMultipart {
            isAttachment = disposition == "attachment"
            isInline = false
        } else if isOnlyPart {
            isAttachment = isText ? disposition == "attachment" : disposition != "inline"
            isInline = !isText && disposition == "inline"
        } else {
            isAttachment = disposition == "attachment" || part.type == "application/octet-stream"
            let isOther = disposition.isEmpty && !isText && !isAttachment
            isInline = disposition == "inline" || isOther
        }
    }

    /// An encoded word has no place in a parameter (RFC 2047 §5), and everybody writes it there.
    private static func decodedName(_ name: String, words: MIMEWords) -> String {
        name.contains("=?") ? words.text(Array(name.utf8).map { $0 == 0 ? 0x20 : $0 }) : name
    }
}

extension MIMEScan.Part {
    /// The content type without parameters; what does not say is text (RFC 2045 §5.2).
    var type: String { contentType.value.isEmpty ? "text/plain" : contentType.value }

    var isText: Bool { type == "text/plain" || type == "text/html" }
}
