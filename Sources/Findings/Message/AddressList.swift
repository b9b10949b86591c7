// The grammar of addresses (RFC 5322 §3.4) without its obsolete forms, read octet by octet: mailboxes, groups, display
// names, quoted strings, domain literals, comments. Linear and without recursion: comments are counted, groups do not
// nest. Octets above 127 count as letters (RFC 6532 §3.2); whether they may stand there is judged elsewhere.

struct AddressList {
    private(set) var mailboxes = 0
    private(set) var groups = 0
    /// The first one: what stands between the angle brackets, or the bare address.
    private(set) var firstMailbox: Range<Int>?
    /// The first place at which the grammar is broken.
    private(set) var syntaxFault: Range<Int>?
    /// The first display name with characters that it may hold in quotes only.
    private(set) var nameFault: Range<Int>?
    /// The first one with a dot outside quotes, which RFC 5322 §4.1 wants to be read and not to be written.
    private(set) var dotFault: Range<Int>?
    /// There is an "@" outside comments and quoted strings.
    private(set) var hasAtSign = false

    /// - Parameter found: told each mailbox.
    init(_ octets: MessageOctets, _ value: Range<Int>, found: (Range<Int>) -> Void = { _ in }) {
        var reader = AddressReader(octets: octets, index: value.lowerBound, end: value.upperBound)
        while reader.readMember() {
            if let mailbox = reader.takeMailbox() {
                mailboxes += 1
                if firstMailbox == nil { firstMailbox = mailbox }
                found(mailbox)
            }
        }
        groups = reader.groups
        hasAtSign = reader.hasAtSign
        (syntaxFault, nameFault, dotFault) = (reader.syntaxFault, reader.nameFault, reader.dotFault)
    }
}

private struct AddressReader {
    /// A word of a phrase or a local part: atoms and dots in one run, or a quoted string.
    private enum Word { case atoms(hasDot: Bool, isDotAtom: Bool), quoted, encoded }

    let octets: MessageOctets
    var index: Int
    let end: Int
    private(set) var groups = 0
    private(set) var hasAtSign = false
    private(set) var syntaxFault: Range<Int>?
    private(set) var nameFault: Range<Int>?
    private(set) var dotFault: Range<Int>?
    private var mailbox: Range<Int>?
    private var isInGroup = false
    private var groupStart = 0
    private var hasGroupMember = false
    private var hasBracketsInGroup = false
    private var isFirst = true
    /// A member without an address: the beginning of a display name with a comma, if an address in brackets follows.
    private var textMember: Range<Int>?
    private var isDone = false

    init(octets: MessageOctets, index: Int, end: Int) {
        (self.octets, self.index, self.end) = (octets, index, end)
    }

    mutating func takeMailbox() -> Range<Int>? {
        defer { mailbox = nil }
        return mailbox
    }

    /// Reads up to behind the next comma, colon or semicolon.
    /// - Returns: false at the end.
    mutating func readMember() -> Bool {
        guard !isDone else { return false }
        skip()
        let start = index
        var words = 0
        var onlyWord: Word?
        var special: Int?
        var hasDot = false
        defer { isFirst = false }
        while index < end {
            let octet = octets[index]
            switch octet {
            case UInt8(ascii: ","), UInt8(ascii: ";"):
                if octet == UInt8(ascii: ";"), !isInGroup {
                    special = special ?? index
                    index += 1
                    break
                }
                endWithoutAddress(start, words, special)
                if octet == UInt8(ascii: ";") { leaveGroup() }
                index += 1
                if octet == UInt8(ascii: ";") { return behindGroup() }
                return true
            case UInt8(ascii: ":"):
                guard !isInGroup, words > 0, special == nil else {
                    special = special ?? index
                    index += 1
                    break
                }
                if hasDot, dotFault == nil { dotFault = start..<index }
                enterGroup(start)
                return true
            case UInt8(ascii: "<"):
                noteName(start, special: special, hasDot: hasDot)
                readAngle()
                return behindAddress(start)
            case UInt8(ascii: "@"):
                hasAtSign = true
                if words == 1, special == nil, let onlyWord, isLocalPart(onlyWord), readDomain() {
                    // `a@b <a@b>`: the address is a display name that needs quotes.
                    if index < end, octets[index] == UInt8(ascii: "<") {
                        special = start
                        words += 1
                        break
                    }
                    mailbox = start..<wordEndOfDomain
                    return behindAddress(start)
                }
                special = special ?? index
                if index < end, octets[index] == UInt8(ascii: "@") { index += 1 }
            case _ where octet == UInt8(ascii: "\"") || isAtomOrDot(octet):
                guard let word = readWord() else { return finish() }
                words += 1
                onlyWord = word
                if case .atoms(true, _) = word { hasDot = true }
            default:
                special = special ?? index
                index += 1
            }
            skip()
        }
        endWithoutAddress(start, words, special)
        return finish()
    }

    // MARK: Members

    private mutating func finish() -> Bool {
        if isInGroup {
            // A colon in a display name looks like a group that is never closed.
            if hasBracketsInGroup { unquoted(groupStart..<end) } else { wrong(groupStart..<end) }
        }
        if let text = textMember { wrong(text) }
        isDone = true
        return false
    }

    /// A comma, semicolon or the end, and no address in front of it.
    private mutating func endWithoutAddress(_ start: Int, _ words: Int, _ special: Int?) {
        if words == 0, special == nil {
            // `group:;` holds nobody, and that is right (RFC 5322 §3.4).
            if isInGroup, !hasGroupMember, index < end, octets[index] == UInt8(ascii: ";") { return }
            // Nothing at all is judged by who asked; nothing between commas is wrong.
            if isFirst, index >= end { return }
            return wrong(start..<min(end, index + 1))
        }
        if special == nil, textMember == nil {
            textMember = start..<index
        } else {
            wrong(start..<max(index, start))
        }
    }

    private mutating func enterGroup(_ start: Int) {
        groups += 1
        isInGroup = true
        (hasGroupMember, hasBracketsInGroup) = (false, false)
        groupStart = start
        index += 1
    }

    private mutating func leaveGroup() { isInGroup = false }

    /// - Returns: whether another member follows.
    private mutating func behindGroup() -> Bool {
        skip()
        if index == end { return finish() }
        if octets[index] == UInt8(ascii: ",") {
            index += 1
            return true
        }
        wrong(index..<end)
        return true
    }

    /// Behind a mailbox: a comma, the end of the group, the end.
    private mutating func behindAddress(_ start: Int) -> Bool {
        hasGroupMember = true
        if isAngle { hasBracketsInGroup = true }
        if let text = textMember {
            // `ACME, Inc. <a@b>`.
            if isAngle { unquoted(text.lowerBound..<index) } else { wrong(text) }
            textMember = nil
        }
        skip()
        if index == end {
            // The mailbox is still to be taken.
            if mailbox != nil {
                _ = finish()
                return true
            }
            return finish()
        }
        switch octets[index] {
        case UInt8(ascii: ","):
            index += 1
            // A comma at the end: an empty member.
            skip()
            if index == end {
                wrong(end - 1..<end)
                _ = finish()
            }
            return true
        case UInt8(ascii: ";") where isInGroup:
            leaveGroup()
            index += 1
            let goesOn = behindGroup()
            return goesOn || mailbox != nil
        default:
            wrong(start..<min(end, index + 40))
            // On with what follows the next comma.
            while index < end, octets[index] != UInt8(ascii: ",") { index += 1 }
            if index < end { index += 1 }
            return true
        }
    }

    private var isAngle: Bool { index > 0 && octets[index - 1] == UInt8(ascii: ">") }

    private mutating func noteName(_ start: Int, special: Int?, hasDot: Bool) {
        if special != nil {
            unquoted(start..<index)
        } else if hasDot, dotFault == nil {
            dotFault = start..<index
        }
    }

    private mutating func wrong(_ range: Range<Int>) { if syntaxFault == nil { syntaxFault = range } }
    private mutating func unquoted(_ range: Range<Int>) { if nameFault == nil { nameFault = range } }

    // MARK: Addresses

    private var wordEndOfDomain = 0

    /// From "<" to behind ">".
    private mutating func readAngle() {
        let start = index
        index += 1
        skip()
        let first = index
        var isGood = false
        if index < end, octets[index] == UInt8(ascii: "\"") || isAtomOrDot(octets[index]), let word = readWord() {
            skip()
            if index < end, octets[index] == UInt8(ascii: "@") {
                hasAtSign = true
                isGood = isLocalPart(word) && readDomain()
            }
        }
        if isGood, index < end, octets[index] == UInt8(ascii: ">") {
            mailbox = first..<wordEndOfDomain
            index += 1
            return
        }
        // To the bracket that closes it, if there is one.
        while index < end, octets[index] != UInt8(ascii: ">"), octets[index] != UInt8(ascii: ",") {
            if octets[index] == UInt8(ascii: "@") { hasAtSign = true }
            index += 1
        }
        if index < end, octets[index] == UInt8(ascii: ">") { index += 1 }
        wrong(start..<index)
    }

    /// From "@" to behind the domain and what space follows it.
    private mutating func readDomain() -> Bool {
        index += 1
        skip()
        guard index < end else { return false }
        if octets[index] == UInt8(ascii: "[") {
            var place = index + 1
            // dtext (RFC 5322 §3.4.1).
            while place < end, octets[place] > 32, octets[place] < 127, octets[place] != UInt8(ascii: "["),
                octets[place] != UInt8(ascii: "\\"), octets[place] != UInt8(ascii: "]")
            {
                place += 1
            }
            guard place < end, octets[place] == UInt8(ascii: "]") else { return false }
            index = place + 1
        } else {
            guard isAtomOrDot(octets[index]), case .atoms(_, true)? = readWord() else { return false }
        }
        wordEndOfDomain = index
        skip()
        return true
    }

    private func isLocalPart(_ word: Word) -> Bool {
        switch word {
        case .atoms(_, let isDotAtom): isDotAtom
        case .quoted: true
        case .encoded: false
        }
    }

    // MARK: Words

    private func isAtomOrDot(_ octet: UInt8) -> Bool { octet == UInt8(ascii: ".") || FieldText.isAtomText(octet) }

    private mutating func readWord() -> Word? {
        if octets[index] == UInt8(ascii: "\"") { return readQuoted() ? .quoted : nil }
        let start = index
        var hasDot = false
        var isDotAtom = octets[index] != UInt8(ascii: ".")
        while index < end, isAtomOrDot(octets[index]) {
            if octets[index] == UInt8(ascii: ".") {
                hasDot = true
                if index > start, octets[index - 1] == UInt8(ascii: ".") { isDotAtom = false }
            }
            index += 1
        }
        if octets[index - 1] == UInt8(ascii: ".") { isDotAtom = false }
        if octets[start] == UInt8(ascii: "="), let behind = encodedWordEnd(start) {
            index = max(index, behind)
            return .encoded
        }
        return .atoms(hasDot: hasDot, isDotAtom: isDotAtom)
    }

    /// An encoded-word is one word, whatever stands in it (RFC 2047 §5); what may stand in it is judged elsewhere.
    private func encodedWordEnd(_ start: Int) -> Int? {
        guard start + 1 < end, octets[start + 1] == UInt8(ascii: "?") else { return nil }
        var place = start + 2
        var marks = 0
        // RFC 2047 §2 allows 75 octets; what is much longer is none.
        let limit = min(end, start + 150)
        while place < limit, !FieldText.isFoldingSpace(octets[place]), octets[place] != UInt8(ascii: "<") {
            if octets[place] == UInt8(ascii: "?") {
                marks += 1
                if marks >= 3, place + 1 < end, octets[place + 1] == UInt8(ascii: "=") { return place + 2 }
            }
            place += 1
        }
        return nil
    }

    private mutating func readQuoted() -> Bool {
        let start = index
        index += 1
        while index < end {
            let octet = octets[index]
            index += 1
            if octet == UInt8(ascii: "\"") { return true }
            if octet == UInt8(ascii: "\\") { index = min(index + 1, end) }
        }
        wrong(start..<end)
        return false
    }

    /// Over white space and comments. A comment that is never closed is wrong.
    private mutating func skip() {
        guard index < end, octets[index] == UInt8(ascii: "(") || FieldText.isFoldingSpace(octets[index]) else { return }
        var depth = 0
        var open = index
        while index < end {
            let octet = octets[index]
            if octet == UInt8(ascii: "(") {
                if depth == 0 { open = index }
                depth += 1
            } else if depth > 0 {
                if octet == UInt8(ascii: ")") { depth -= 1 }
                if octet == UInt8(ascii: "\\") { index += 1 }
            } else if !FieldText.isFoldingSpace(octet) {
                return
            }
            index += 1
        }
        index = min(index, end)
        if depth > 0 { wrong(open..<end) }
    }
}
