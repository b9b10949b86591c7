// The parts of a message as lists and texts: each is decoded once, counted, and kept only if it is to be read. Which
// part is text and which is attachment follows enmime, on which Mailpit stands.

struct MailBodies {
    private(set) var parts: [MailPart] = []
    private(set) var text = ""
    private(set) var html = ""
    /// In multipart/alternative the first text is the text; else all of them are (enmime).
    private let isAlternative: Bool
    private var textDepth: Int?

    init(_ scan: MIMEScan, octets: UnsafeBufferPointer<UInt8>, words: MIMEWords) {
        let root = scan.parts[0]
        isAlternative = root.type == "multipart/alternative" && root.hasParts
        for part in scan.parts {
            let isBrokenRoot = part.depth == 0 && part.type.hasPrefix("multipart/") && !part.hasParts
            let role = MailBodies.role(of: part, isBrokenRoot: isBrokenRoot)
            let isWanted = role == .text || (role == .html && html.isEmpty)
            let (content, size) = PartContent.decode(
                part.body, of: octets, encoding: MailView.transferEncoding(of: part, in: octets),
                limit: isWanted ? MailLimit.textOctets : 0)
            parts.append(
                MailPart(
                    part, size: size, contentID: MailView.contentID(of: part, in: octets), words: words,
                    isOnlyPart: part.depth == 0))
            guard isWanted else { continue }
            if size > content.count { words.warn("text of part \(part.id) is cut after \(content.count) octets") }
            add(content, of: part, role: role)
        }
    }

    private enum Role {
        case text
        case html
        case other
    }

    private static func role(of part: MIMEScan.Part, isBrokenRoot: Bool) -> Role {
        if isBrokenRoot { return .text }
        guard !part.isMultipart, part.disposition.value != "attachment" else { return .other }
        switch part.type {
        case "text/plain": return .text
        case "text/html": return .html
        default: return .other
        }
    }

    private mutating func add(_ content: [UInt8], of part: MIMEScan.Part, role: Role) {
        var charset = part.contentType.parameters["charset"] ?? ""
        switch role {
        case .text:
            if isAlternative {
                // Breadth first: a text further out stands in for one found before further in.
                if let textDepth, textDepth <= part.depth { return }
                textDepth = part.depth
                text = Charset.decode(content, charset: charset, limit: MailLimit.textOctets)
                return
            }
            let separator = textDepth == nil ? "" : "\n--\n"
            let room = MailLimit.textOctets - text.utf8.count - separator.utf8.count
            textDepth = part.depth
            if room > 0 { text += separator + Charset.decode(content, charset: charset, limit: room) }
        case .html:
            if charset.isEmpty { charset = Charset.stated(inHTML: content) ?? "" }
            html = Charset.decode(content, charset: charset, limit: MailLimit.textOctets)
        case .other:
            break
        }
    }
}
