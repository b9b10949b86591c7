// Judges what a message says of the list or campaign that it belongs to: List-Unsubscribe (RFC 2369), one-click
// (RFC 8058), List-Id (RFC 2919). What is asked of bulk mail is asked only of mail that is bulk.

enum ListChecks {
    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        checkUnsubscribe(view, &ledger)
        if let field = view.first(.listID) { checkListID(field, view, &ledger) }
    }

    /// The sender is one of bulk mail, or the message says it is bulk. Replies of machines say so too, and are none.
    private static func isBulk(_ view: HeaderView, _ ledger: Ledger) -> Bool {
        if view.input.reversePath.address.isEmpty { return false }
        if let field = view.first(.autoSubmitted), !isNo(view.octets, field.value) { return false }
        if ledger.settings.profile == .bulk || view.count(.listID) > 0 || view.count(.feedbackID) > 0 { return true }
        guard let field = view.first(.precedence) else { return false }
        let value = FieldText.trimmed(view.octets, field.value)
        return FieldText.equals(view.octets, value, "bulk") || FieldText.equals(view.octets, value, "list")
    }

    static func isNo(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        let start = FieldText.behindComments(octets, value.lowerBound, value.upperBound)
        var end = start
        while end < value.upperBound, FieldText.isToken(octets[end]) { end += 1 }
        return FieldText.equals(octets, start..<end, "no")
    }

    // MARK: List-Unsubscribe

    private static func checkUnsubscribe(_ view: HeaderView, _ ledger: inout Ledger) {
        let isBulk = isBulk(view, ledger)
        guard let field = view.first(.listUnsubscribe) else {
            if isBulk, view.isMissing(.listUnsubscribe) {
                view.message.broken(
                    .hdrListUnsubscribeMissing, view.headerPlace, &ledger, saw: "bulk mail, no List-Unsubscribe")
            }
            if let post = view.first(.listUnsubscribePost), view.isMissing(.listUnsubscribe) {
                view.message.broken(.hdrOneClickSyntax, post.whole, &ledger, saw: "no List-Unsubscribe to post to")
            }
            return
        }
        if isBulk { ledger.kept(.hdrListUnsubscribeMissing) }
        let list = URIList(view.octets, field.value)
        if view.count(.listUnsubscribe) > 1 {
            view.message.broken(
                .hdrListUnsubscribeSyntax, field.whole, &ledger, saw: "\(view.count(.listUnsubscribe)) List-Unsubscribe"
            )
        } else if let fault = list.fault {
            view.message.broken(.hdrListUnsubscribeSyntax, fault.isEmpty ? field.whole : fault, &ledger)
        } else if list.https + list.http + list.mailto == 0 {
            view.message.broken(.hdrListUnsubscribeSyntax, field.whole, &ledger)
        } else {
            ledger.kept(.hdrListUnsubscribeSyntax)
        }
        checkOneClick(list, isBulk: isBulk, field, view, &ledger)
    }

    private static func checkOneClick(
        _ list: URIList, isBulk: Bool, _ field: ScannedField, _ view: HeaderView, _ ledger: inout Ledger
    ) {
        guard let post = view.first(.listUnsubscribePost) else {
            guard isBulk, list.https > 0, view.isMissing(.listUnsubscribePost) else { return }
            return view.message.broken(.hdrOneClickMissing, field.whole, &ledger)
        }
        ledger.kept(.hdrOneClickMissing)
        let value = view.octets[FieldText.trimmed(view.octets, post.value)]
        if !value.elementsEqual("List-Unsubscribe=One-Click".utf8) || view.count(.listUnsubscribePost) > 1 {
            view.message.broken(.hdrOneClickSyntax, post.whole, &ledger)
        } else if list.https != 1 {
            view.message.broken(.hdrOneClickSyntax, field.whole, &ledger, saw: "\(list.https) https URIs to post to")
        } else {
            ledger.kept(.hdrOneClickSyntax)
        }
        checkSigned(post, view, &ledger)
    }

    /// RFC 8058 §4: a signature covers both fields. Whether it verifies is for who can ask for the key.
    private static func checkSigned(_ post: ScannedField, _ view: HeaderView, _ ledger: inout Ledger) {
        var isSigned = false
        view.each(.dkimSignature) { field in
            guard let covered = TagList(view.octets, field.value).value("h") else { return }
            if TagList.names(view.octets, covered, "list-unsubscribe"),
                TagList.names(view.octets, covered, "list-unsubscribe-post")
            {
                isSigned = true
            }
        }
        if isSigned { return ledger.kept(.hdrOneClickNotSigned) }
        guard !view.message.scan.isCut else { return }
        view.message.broken(
            .hdrOneClickNotSigned, post.whole, &ledger,
            saw: "\(view.count(.dkimSignature)) signatures, none with both fields in h=")
    }

    // MARK: List-Id

    /// RFC 2919 §3: a phrase or nothing, then a list-id in angle brackets.
    private static func checkListID(_ field: ScannedField, _ view: HeaderView, _ ledger: inout Ledger) {
        if view.count(.listID) == 1, isListID(view.octets, field.value) { return ledger.kept(.hdrListIdSyntax) }
        if view.count(.listID) > 1 {
            return view.message.broken(.hdrListIdSyntax, field.whole, &ledger, saw: "\(view.count(.listID)) List-Id")
        }
        view.message.broken(.hdrListIdSyntax, field.whole, &ledger)
    }

    private static let listIDLimit = 255

    private static func isListID(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        let end = value.upperBound
        var index = value.lowerBound
        // The phrase.
        while index < end, octets[index] != UInt8(ascii: "<") {
            if octets[index] == UInt8(ascii: "(") || FieldText.isFoldingSpace(octets[index]) {
                index = FieldText.behindComments(octets, index, end)
            } else if octets[index] == UInt8(ascii: "\"") {
                index += 1
                while index < end, octets[index] != UInt8(ascii: "\"") {
                    index += octets[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                index += 1
            } else {
                index += 1
            }
        }
        guard index < end, let close = MessageIDs.dotAtomEnd(octets, index + 1, end), close < end,
            octets[close] == UInt8(ascii: ">"), close - index - 1 <= listIDLimit,
            octets[index + 1..<close].contains(UInt8(ascii: "."))
        else { return false }
        return FieldText.behindComments(octets, close + 1, end) == end
    }
}

/// URIs in angle brackets with commas between them (RFC 2369 §2).
struct URIList {
    private(set) var https = 0
    private(set) var http = 0
    private(set) var mailto = 0
    /// The first place at which it is none; nil where it is.
    private(set) var fault: Range<Int>?

    init(_ octets: MessageOctets, _ value: Range<Int>) {
        let end = value.upperBound
        var index = FieldText.behindComments(octets, value.lowerBound, end)
        if index == end { fault = index..<index }
        while index < end {
            guard octets[index] == UInt8(ascii: "<"),
                let close = FieldText.position(octets, of: UInt8(ascii: ">"), in: index..<end)
            else {
                fault = fault ?? index..<min(end, index + 80)
                return
            }
            add(octets, index + 1..<close)
            index = FieldText.behindComments(octets, close + 1, end)
            if index == end { return }
            guard octets[index] == UInt8(ascii: ",") else {
                fault = fault ?? index..<min(end, index + 80)
                return
            }
            index = FieldText.behindComments(octets, index + 1, end)
            if index == end { fault = fault ?? end - 1..<end }
        }
    }

    private mutating func add(_ octets: MessageOctets, _ uri: Range<Int>) {
        let isBroken = uri.isEmpty || uri.contains { octets[$0] <= 32 || octets[$0] >= 127 }
        if isBroken, fault == nil { fault = uri }
        if FieldText.begins(octets, uri, "https:") { https += 1 }
        if FieldText.begins(octets, uri, "http:") { http += 1 }
        if FieldText.begins(octets, uri, "mailto:") { mailto += 1 }
    }
}
