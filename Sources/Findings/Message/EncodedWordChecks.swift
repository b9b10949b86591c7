// Judges encoded-words in header fields: their grammar and length (RFC 2047 §2), where they stand (§5), and that each
// holds whole characters.

enum EncodedWordChecks {
    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        var reader = EncodedWordReader(octets: view.octets)
        for (place, field) in view.fields.enumerated() where !field.isStray {
            reader.read(field, EncodedWordReader.site(view.index.names[place], field, view.octets))
        }
        // Parameters of parts: `filename="=?utf-8?…?="`.
        for part in view.message.scan.parts.dropFirst() {
            for field in part.fields where !field.isStray {
                guard field.name.count == 12 || field.name.count == 19,
                    FieldText.equals(view.octets, field.name, "content-type")
                        || FieldText.equals(view.octets, field.name, "content-disposition")
                else { continue }
                reader.read(field, .forbidden)
            }
        }
        guard reader.words > 0 else { return }
        view.message.judge(.hdrEncodedWordSyntax, reader.malformed, &ledger)
        view.message.judge(.hdrEncodedWordTooLong, reader.tooLong, &ledger)
        view.message.judge(.hdrEncodedWordMisplaced, reader.misplaced, &ledger)
        view.message.judge(.hdrEncodedWordSplitCharacter, reader.split, &ledger)
    }
}

struct EncodedWordReader {
    /// What a field is made of.
    enum Site {
        /// Text (RFC 2047 §5 (1)).
        case text
        /// Phrases, addresses, quoted strings and comments (§5 (2), (3)).
        case phrases
        /// Nothing that may be encoded, but for comments.
        case forbidden
        /// Nothing at all, comments neither: Received (§5).
        case received
        /// Nobody knows what.
        case unknown
    }

    let octets: MessageOctets
    private(set) var words = 0
    private(set) var malformed = Places()
    private(set) var tooLong = Places()
    private(set) var misplaced = Places()
    private(set) var split = Places()

    init(octets: MessageOctets) { self.octets = octets }

    static func site(_ name: KnownField, _ field: ScannedField, _ octets: MessageOctets) -> Site {
        switch name {
        case .subject, .comments: .text
        case .from, .sender, .replyTo, .to, .cc, .bcc, .resentFrom, .keywords, .listID, .apparentlyTo: .phrases
        case .received: .received
        case .date, .messageID, .inReplyTo, .references, .returnPath, .resentDate, .mimeVersion, .contentType,
            .contentTransferEncoding, .listUnsubscribe, .listUnsubscribePost, .precedence, .autoSubmitted,
            .dkimSignature, .arcSeal, .arcMessageSignature, .arcAuthenticationResults, .tlsRequired:
            .forbidden
        case .contentOther: FieldText.equals(octets, field.name, "content-disposition") ? .forbidden : .text
        case .resentOther, .listOther, .feedbackID, .autoReply, .envelopeRecipients, .other: .unknown
        }
    }

    mutating func read(_ field: ScannedField, _ site: Site) {
        let value = field.value
        guard value.count > 7 else { return }
        var context = Context(index: value.lowerBound)
        var marks = EncodedWordMarks(octets, value)
        var lineStart = field.whole.lowerBound
        var searched = lineStart
        var index = value.lowerBound
        var previous: (word: EncodedWord, rest: UTF8Reader)?
        while let found = FieldText.position(octets, of: UInt8(ascii: "="), in: index..<value.upperBound) {
            index = found + 1
            guard index < value.upperBound, octets[index] == UInt8(ascii: "?"),
                let word = EncodedWord(octets, found, &marks)
            else { continue }
            if site == .unknown, word.encoding == .unknown { continue }
            words += 1
            index = word.whole.upperBound
            while let lf = FieldText.position(octets, of: FieldText.lf, in: searched..<found) {
                (lineStart, searched) = (lf + 1, lf + 1)
            }
            searched = found
            let isWrongPlace = isMisplaced(word, value, site, &context)
            if isWrongPlace { misplaced.note(word.whole) }
            context.index = max(context.index, word.whole.upperBound)
            guard site != .forbidden, site != .received else { continue }
            checkWord(word, lineStart, value, isPhrase: site == .phrases && context.isPlain)
            previous = checkCharacters(word, previous)
        }
    }

    // MARK: Form

    private mutating func checkWord(_ word: EncodedWord, _ lineStart: Int, _ value: Range<Int>, isPhrase: Bool) {
        if word.isMalformed || (isPhrase && !word.fitsPhrase(octets)) { malformed.note(word.whole) }
        // RFC 2047 §2: 75 characters a word, 76 a line that holds one.
        if word.whole.count > EncodedWord.limit {
            tooLong.note(word.whole)
        } else if lineEnd(lineStart, value.upperBound) - lineStart > 76 {
            tooLong.note(lineStart..<lineEnd(lineStart, value.upperBound))
        }
    }

    /// Without its line end; not farther than it takes to know that it is too long.
    private func lineEnd(_ start: Int, _ end: Int) -> Int {
        let far = min(end, start + 1000)
        let lf = FieldText.position(octets, of: FieldText.lf, in: start..<far) ?? far
        return lf > start && octets[lf - 1] == FieldText.cr ? lf - 1 : lf
    }

    // MARK: Characters

    /// RFC 2047 §5: each word holds whole characters. Looked at for UTF-8, where a cut character is known by itself.
    private mutating func checkCharacters(
        _ word: EncodedWord, _ previous: (word: EncodedWord, rest: UTF8Reader)?
    ) -> (word: EncodedWord, rest: UTF8Reader)? {
        guard !word.isMalformed, FieldText.equals(octets, word.charset, "utf-8") else { return nil }
        var alone = UTF8Reader()
        word.decode(octets) { alone.read($0) }
        if let previous, previous.rest.pending > 0,
            FieldText.trimmed(octets, previous.word.whole.upperBound..<word.whole.lowerBound).isEmpty
        {
            var joined = previous.rest
            var missing = joined.pending
            word.decode(octets) { octet in
                if missing > 0 { joined.read(octet) }
                missing -= 1
            }
            if joined.pending == 0, !joined.isBroken {
                split.note(previous.word.whole.lowerBound..<word.whole.upperBound)
                // What follows behind the rest of that character.
                var rest = previous.rest
                word.decode(octets) { rest.read($0) }
                return rest.isBroken ? nil : (word, rest)
            }
        }
        return alone.isBroken ? nil : (word, alone)
    }

    // MARK: Place

    /// Where in a structured field one is.
    private struct Context {
        var index: Int
        var comments = 0
        var isQuoted = false
        var isAngle = false
        var isPlain: Bool { comments == 0 && !isQuoted && !isAngle }

        mutating func move(_ octets: MessageOctets, to end: Int) {
            while index < end {
                let octet = octets[index]
                index += 1
                switch octet {
                case UInt8(ascii: "\\") where isQuoted || comments > 0: index += 1
                case UInt8(ascii: "\"") where comments == 0: isQuoted.toggle()
                case UInt8(ascii: "(") where !isQuoted: comments += 1
                case UInt8(ascii: ")") where !isQuoted && comments > 0: comments -= 1
                case UInt8(ascii: "<") where !isQuoted && comments == 0: isAngle = true
                case UInt8(ascii: ">") where !isQuoted && comments == 0: isAngle = false
                default: break
                }
            }
        }
    }

    private func isMisplaced(
        _ word: EncodedWord, _ value: Range<Int>, _ site: Site, _ context: inout Context
    ) -> Bool {
        switch site {
        case .received: return true
        case .unknown: return false
        case .text: return touches(word, value, inComment: false, isPhrase: false)
        case .phrases, .forbidden:
            context.move(octets, to: word.whole.lowerBound)
            if context.comments > 0 { return touches(word, value, inComment: true, isPhrase: false) }
            if site == .forbidden || !context.isPlain { return true }
            return touches(word, value, inComment: false, isPhrase: true)
        }
    }

    /// RFC 2047 §5: white space stands between an encoded-word and what is beside it. Commas and colons behind a phrase
    /// are let pass, since every reader does.
    private func touches(_ word: EncodedWord, _ value: Range<Int>, inComment: Bool, isPhrase: Bool) -> Bool {
        if word.whole.lowerBound > value.lowerBound {
            let before = octets[word.whole.lowerBound - 1]
            let isOpening = inComment && before == UInt8(ascii: "(") || isPhrase && before == UInt8(ascii: ",")
            if !FieldText.isFoldingSpace(before), !isOpening { return true }
        }
        if word.whole.upperBound < value.upperBound {
            let behind = octets[word.whole.upperBound]
            let isClosing =
                inComment && behind == UInt8(ascii: ")")
                || isPhrase && [UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: ";")].contains(behind)
            if !FieldText.isFoldingSpace(behind), !isClosing { return true }
        }
        return false
    }
}
