// The text of HTML, for people who read none: libxml2 reads, this room walks the tree without calling itself and
// writes what a browser would show, roughly. Scripts, styles and heads are silent; nothing is fetched, and nothing is
// executed.

import CXML2

package enum HTMLText {
    /// The text with its lines: a block begins a line, a paragraph leaves one free, list items get `* `, a link is
    /// followed by its address in parentheses. At most `MailLimit.htmlOctets` of the HTML are read.
    package static func text(of html: String) -> String {
        var writer = LineWriter()
        walk(html) { event in
            switch event {
            case .text(let text): writer.write(text)
            case .enter(let name, _):
                if name == "br" {
                    writer.breakLine()
                } else if name == "li" {
                    writer.endLine()
                    writer.write("* ")
                } else if name == "td" || name == "th" {
                    writer.space()
                } else if isBlock(name) {
                    writer.endLine(leavingFree: isParagraph(name))
                }
            case .leave(let name, let link):
                if let link, !link.isEmpty { writer.write(" ( \(link) )") }
                if isBlock(name) { writer.endLine(leavingFree: isParagraph(name)) }
            }
        }
        return writer.text
    }

    /// The text in one line with white space folded, as Mailpit has it for snippets and for its search.
    package static func line(of html: String, withLinks: Bool) -> String {
        var result = ""
        walk(html) { event in
            switch event {
            case .text(let text): result += text
            case .enter(let name, let link):
                if name == "br" || name == "img" || isBlock(name) { result += " " }
                if withLinks, let link, link.lowercased().hasPrefix("http") { result += " \(link) " }
            case .leave(let name, _):
                if isBlock(name) || name == "td" || name == "th" { result += " " }
            }
        }
        return folded(result)
    }

    /// Runs of white space, of controls and of characters without a glyph become one space, none at the ends.
    package static func folded(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isSpacePending = false
        for scalar in text.unicodeScalars {
            if isSpace(scalar) {
                isSpacePending = !result.isEmpty
            } else {
                if isSpacePending { result.append(" ") }
                isSpacePending = false
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value <= 0x20 || scalar.value == 0x7F }
        return scalar == "\u{FEFF}" || scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
            || scalar.properties.generalCategory == .format
    }

    // MARK: - Walking

    private enum Event {
        case text(String)
        /// An element, with the href of an `a`.
        case enter(String, link: String?)
        case leave(String, link: String?)
    }

    private static func walk(_ html: String, _ visit: (Event) -> Void) {
        HTMLDocument.read(html) { walk($0, visit) }
    }

    /// libxml2 gives up on elements nested deeper than 256, so the way up is short; still nothing here calls itself.
    private static func walk(_ first: xmlNodePtr?, _ visit: (Event) -> Void) {
        var open: [(node: xmlNodePtr, name: String, link: String?)] = []
        var next = first
        while true {
            guard let node = next else {
                guard let (parent, name, link) = open.popLast() else { return }
                visit(.leave(name, link: link))
                next = parent.pointee.next
                continue
            }
            next = node.pointee.next
            switch node.pointee.type {
            case XML_TEXT_NODE, XML_CDATA_SECTION_NODE:
                if let content = node.pointee.content { visit(.text(String(cString: content))) }
            case XML_ELEMENT_NODE:
                let name = node.pointee.name.map { String(cString: $0).lowercased() } ?? ""
                if isSilent(name) { continue }
                let link = name == "a" ? address(of: node) : nil
                visit(.enter(name, link: link))
                open.append((node, name, link))
                next = node.pointee.children
            default:
                break
            }
        }
    }

    private static func address(of node: xmlNodePtr) -> String? {
        guard let value = xmlGetProp(node, "href") else { return nil }
        defer { fakemx_xml_free(value) }
        return folded(String(cString: value))
    }

    private static func isSilent(_ name: String) -> Bool {
        switch name {
        case "script", "style", "head", "title", "link", "meta", "noscript", "template": true
        default: false
        }
    }

    private static func isParagraph(_ name: String) -> Bool {
        switch name {
        case "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre", "table": true
        default: false
        }
    }

    private static func isBlock(_ name: String) -> Bool {
        switch name {
        case "div", "li", "tr", "address", "article", "aside", "dd", "dt", "footer", "header", "hr", "main", "nav",
            "section", "thead", "tbody", "tfoot", "video", "form", "fieldset", "figure", "body":
            true
        default: isParagraph(name)
        }
    }
}

/// Text that grows by words and line breaks: spaces never double, and never more than one line stays free.
private struct LineWriter {
    private var scalars = String.UnicodeScalarView()
    private var isSpacePending = false
    private var breaksAtEnd = 2

    mutating func write(_ text: String) {
        for scalar in text.unicodeScalars {
            if scalar.value <= 0x20 || scalar == "\u{A0}" || scalar == "\u{FEFF}" {
                isSpacePending = true
                continue
            }
            if isSpacePending, breaksAtEnd == 0 { scalars.append(" ") }
            isSpacePending = false
            scalars.append(scalar)
            breaksAtEnd = 0
        }
    }

    mutating func space() { isSpacePending = true }

    mutating func breakLine() {
        isSpacePending = false
        guard breaksAtEnd < 2 else { return }
        scalars.append("\n")
        breaksAtEnd += 1
    }

    mutating func endLine(leavingFree: Bool = false) {
        isSpacePending = false
        while breaksAtEnd < (leavingFree ? 2 : 1) { breakLine() }
    }

    var text: String {
        var result = scalars
        while result.last == "\n" { result.removeLast() }
        return String(result)
    }
}
