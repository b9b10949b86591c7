// HTML as libxml2's tree, with the means of a stranger to make reading slow taken away: libxml2 compares each
// attribute of a tag with all others, so a tag is not let grow without end. What stands before such a tag is had, the
// rest is not.

import CXML2

enum HTMLDocument {
    private static let pieceOctets = 4 << 10

    private static let options = Int32(
        HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue
            | HTML_PARSE_NONET.rawValue | HTML_PARSE_COMPACT.rawValue | HTML_PARSE_IGNORE_ENC.rawValue)

    /// Calls `visit` with the first node of the document, which is gone afterwards.
    static func read(_ html: String, _ visit: (xmlNodePtr?) -> Void) {
        guard html.utf8.contains(where: { $0 > 0x20 }), XMLLibrary.start(),
            let parser = htmlCreatePushParserCtxt(nil, nil, nil, 0, nil, XML_CHAR_ENCODING_UTF8)
        else { return }
        defer { htmlFreeParserCtxt(parser) }
        htmlCtxtUseOptions(parser, options)
        feed(shortened(html.utf8.prefix(MailLimit.htmlOctets)), to: parser)
        guard let document = parser.pointee.myDoc else { return }
        defer { xmlFreeDoc(document) }
        visit(document.pointee.children)
    }

    private static func feed(_ octets: [UInt8], to parser: htmlParserCtxtPtr) {
        octets.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            var position = 0
            while position < bytes.count {
                let count = min(pieceOctets, bytes.count - position)
                htmlParseChunk(parser, base + position, Int32(count), 0)
                position += count
                // Do not end the document then: it would read the endless tag after all.
                if isStuckInTag(parser) { return }
            }
            htmlParseChunk(parser, nil, 0, 1)
        }
    }

    /// A tag is read when its end has come; one that is still waiting for it stands where the parser stands.
    private static func isStuckInTag(_ parser: htmlParserCtxtPtr) -> Bool {
        guard let input = parser.pointee.input, let cursor = input.pointee.cur, let end = input.pointee.end else {
            return false
        }
        return end - cursor > MailLimit.htmlTagOctets && cursor[0] == UInt8(ascii: "<")
            && cursor[1] | 0x20 >= UInt8(ascii: "a") && cursor[1] | 0x20 <= UInt8(ascii: "z")
    }

    /// Without NULs, which end the input of libxml2, and with endless words of ASCII cut: pictures that are written
    /// into their tag as base64 hold no text.
    private static func shortened(_ html: Substring.UTF8View.SubSequence) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(html.count)
        var wordOctets = 0
        for octet in html {
            switch octet {
            case 0...0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"), 0x80...0xFF:
                wordOctets = 0
                result.append(octet == 0 ? UInt8(ascii: " ") : octet)
            default:
                wordOctets += 1
                if wordOctets <= MailLimit.htmlWordOctets { result.append(octet) }
            }
        }
        return result
    }
}

private enum XMLLibrary {
    private static let started: Bool = {
        xmlInitParser()
        return true
    }()

    /// libxml2 wants to be started before two threads use it.
    static func start() -> Bool { started }
}
