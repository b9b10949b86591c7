// The one pass over all octets of a message that finds what no line of a message may hold: line ends that are none,
// NUL, control characters, octets above 127, lines that are too long, look-alikes of the end of the message. It reads
// the lines of headers and bodies alike, and tells which is which; what it finds is judged by `DataChecks` and
// `HeaderLineChecks`. Eight octets are looked at together; a line with nothing odd in it is not looked at again.

struct ContentLines {
    /// RFC 5322 §2.1.1, without CRLF.
    static let lineLimit = 998
    static let lineAdvice = 78

    /// Whose lines are read.
    private struct Region {
        var isHeader = false
        /// Content that is no lines at all (RFC 3030 §3: BODY=BINARYMIME).
        var isBinary = false
        /// The length of its lines is of the encoding's making, and judged with that.
        var isEncoded = false
        /// ISO-2022 charsets switch by ESC, SO and SI (RFC 1468, RFC 1557, RFC 1922).
        var shiftsCharsets = false
        /// Its lines may have any length: text under BINARYMIME.
        var hasNoLineLimit = false
    }

    private(set) var bareLF = Places()
    private(set) var bareCR = Places()
    private(set) var nul = Places()
    private(set) var controls = Places()
    private(set) var endVariants = Places()
    private(set) var longLines = Places()
    private(set) var longHeaderLines = Places()
    private(set) var linesOverAdvice = Places()
    private(set) var eightBitHeaderLines = Places()
    private(set) var headerLinesNotUTF8 = Places()
    private(set) var blankFolds = Places()
    private(set) var gluedEnds = Places()
    private(set) var firstEightBitInBody: Int?
    /// There is a line that begins with a dot.
    private(set) var hasDotLine = false
    /// There is nothing but white space and line ends.
    private(set) var isBlank = true

    private let octets: MessageOctets

    init(_ octets: MessageOctets, _ scan: MessageScan, isBinaryMIME: Bool) {
        self.octets = octets
        for (index, part) in scan.parts.enumerated() {
            read(part.header, Region(isHeader: true))
            var region = Region()
            region.isEncoded = part.encoding == "base64" || part.encoding == "quoted-printable"
            if let charset = part.type.parameters["charset"], charset.count >= 8 {
                region.shiftsCharsets = charset[..<8].elementsEqual("iso-2022".utf8) { FieldText.small($0) == $1 }
            }
            if isBinaryMIME, part.encoding == "binary" {
                region.isBinary = part.type.type != "text" && !part.isMultipart && !part.isMessage
                region.hasNoLineLimit = true
            }
            let next = index + 1 < scan.parts.count ? scan.parts[index + 1].header.lowerBound : octets.count
            let end = region.isBinary ? part.body.upperBound : next
            read(part.header.upperBound..<end, region)
            if region.isBinary { read(end..<next, Region()) }
        }
    }

    // MARK: Lines

    private mutating func read(_ range: Range<Int>, _ region: Region) {
        if region.isBinary {
            if !range.isEmpty { isBlank = false }
            return
        }
        var start = range.lowerBound
        while start < range.upperBound {
            let lf = FieldText.position(octets, of: FieldText.lf, in: start..<range.upperBound)
            let end = lf ?? range.upperBound
            let hasCR = lf != nil && end > start && octets[end - 1] == FieldText.cr
            readLine(start..<(hasCR ? end - 1 : end), region)
            if let lf, !hasCR { noteBareLF(lf) }
            start = end + 1
        }
    }

    /// - Parameter line: without its line end.
    private mutating func readLine(_ line: Range<Int>, _ region: Region) {
        guard !line.isEmpty else { return }
        let (hasEightBit, hasControl) = traits(line)
        if hasControl { readControls(line, region) }
        if hasEightBit { noteEightBit(line, region) }
        let first = octets[line.lowerBound]
        if first == UInt8(ascii: ".") { hasDotLine = true }
        if region.isHeader {
            if FieldText.isSpace(first), FieldText.trimmed(octets, line).isEmpty { blankFolds.note(line) }
        } else if first | 0x20 == UInt8(ascii: "m") {
            noteGluedEnd(line)
        }
        if isBlank, !FieldText.trimmed(octets, line).isEmpty { isBlank = false }
        if line.count > Self.lineAdvice { noteLength(line, region, hasEightBit: hasEightBit) }
    }

    private mutating func noteLength(_ line: Range<Int>, _ region: Region, hasEightBit: Bool) {
        if line.count > Self.lineLimit, !region.hasNoLineLimit {
            if region.isHeader { longHeaderLines.note(line) } else { longLines.note(line) }
        }
        guard !region.isEncoded, !region.hasNoLineLimit else { return }
        // RFC 5322 §2.1.1 counts characters.
        if hasEightBit {
            var characters = 0
            for index in line where octets[index] & 0xc0 != 0x80 { characters += 1 }
            guard characters > Self.lineAdvice else { return }
        }
        if region.isHeader, !isFoldable(line) { return }
        linesOverAdvice.note(line)
    }

    /// White space stands behind the first word of the value: the line could have been shorter. A long URI alone
    /// cannot.
    private func isFoldable(_ line: Range<Int>) -> Bool {
        var index = line.lowerBound
        if !FieldText.isSpace(octets[index]) {
            while index < line.upperBound, octets[index] != UInt8(ascii: ":") { index += 1 }
            index += 1
        }
        while index < line.upperBound, FieldText.isSpace(octets[index]) { index += 1 }
        let limit = min(line.upperBound, line.lowerBound + Self.lineAdvice)
        while index < limit {
            if FieldText.isSpace(octets[index]) { return true }
            index += 1
        }
        return false
    }

    private mutating func noteEightBit(_ line: Range<Int>, _ region: Region) {
        guard region.isHeader || firstEightBitInBody == nil else { return }
        guard var first = line.first(where: { octets[$0] >= 0x80 }) else { return }
        if !region.isHeader {
            firstEightBitInBody = first
            return
        }
        if !UTF8Reader.isValid(octets, line) { headerLinesNotUTF8.note(line) }
        // A byte-order mark has its own rule.
        if first == 0, let behind = ByteOrderMark.end(octets) {
            guard let next = (behind..<max(behind, line.upperBound)).first(where: { octets[$0] >= 0x80 }) else {
                return
            }
            first = next
        }
        eightBitHeaderLines.note(first..<first + 1)
    }

    // MARK: Octets

    /// Whether there are octets above 127, and whether there are control characters (TAB may count).
    private func traits(_ line: Range<Int>) -> (eightBit: Bool, control: Bool) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var all: UInt64 = 0
        var low: UInt64 = 0
        func look(_ word: UInt64) {
            all |= word
            // A borrow makes a wrong hit only above a true one: as a yes or no this is exact (below 0x20, then 0x7f).
            low |= (word &- ones &* 0x20) & ~word
            let other = word ^ (ones &* 0x7f)
            low |= (other &- ones) & ~other
        }
        guard line.count >= 8, let base = octets.baseAddress else {
            // Spaces fill the word up.
            for index in line { look(UInt64(octets[index]) | 0x2020_2020_2020_2000) }
            return (all & tops != 0, low & tops != 0)
        }
        let start = UnsafeRawPointer(base + line.lowerBound)
        var offset = 0
        while offset + 8 <= line.count {
            look(start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        if offset < line.count { look(start.loadUnaligned(fromByteOffset: line.count - 8, as: UInt64.self)) }
        return (all & tops != 0, low & tops != 0)
    }

    private mutating func readControls(_ line: Range<Int>, _ region: Region) {
        // smtpsmuggling.com: some servers throw NUL away before they look for the dot.
        if line.count == 2, octets[line.lowerBound] == 0, octets[line.lowerBound + 1] == UInt8(ascii: ".") {
            endVariants.note(line)
        }
        for index in line {
            switch octets[index] {
            case FieldText.tab, 0x20...0x7e, 0x80...: break
            case 0: nul.note(index..<index + 1)
            case FieldText.cr:
                bareCR.note(index..<index + 1)
                noteEndVariant(index)
            case 0x0e, 0x0f, 0x1b: if !region.shiftsCharsets { controls.note(index..<index + 1) }
            default: controls.note(index..<index + 1)
            }
        }
    }

    private mutating func noteBareLF(_ lf: Int) {
        bareLF.note(lf..<lf + 1)
        noteEndVariant(lf)
    }

    /// A dot alone behind a CR or LF that is no line end: a dot that no client doubles, and that another server may
    /// take for the end.
    private mutating func noteEndVariant(_ index: Int) {
        guard index + 2 < octets.count, octets[index + 1] == UInt8(ascii: "."),
            octets[index + 2] == FieldText.cr || octets[index + 2] == FieldText.lf
        else { return }
        endVariants.note(index..<index + 3)
    }

    /// `… text.` CRLF `MAIL FROM:<…` CRLF `RCPT TO:<…`: the dot that was to end the message stands behind text.
    private mutating func noteGluedEnd(_ line: Range<Int>) {
        let start = line.lowerBound
        guard start >= 4, octets[start - 3] == UInt8(ascii: "."), octets[start - 4] != FieldText.lf,
            FieldText.begins(octets, line, "mail from:<"), line.upperBound + 2 < octets.count,
            FieldText.begins(octets, line.upperBound + 2..<octets.count, "rcpt to:<")
        else { return }
        gluedEnds.note(start - 3..<line.upperBound)
    }
}

/// The mark that Unicode puts in front of a text, and that no message may begin with.
enum ByteOrderMark {
    /// Where it ends; nil where there is none.
    static func end(_ octets: MessageOctets) -> Int? {
        if octets.count >= 3, octets[0] == 0xef, octets[1] == 0xbb, octets[2] == 0xbf { return 3 }
        guard octets.count >= 2 else { return nil }
        return (octets[0] == 0xfe && octets[1] == 0xff) || (octets[0] == 0xff && octets[1] == 0xfe) ? 2 : nil
    }
}

/// UTF-8 octet by octet (RFC 3629 §4), without a String.
struct UTF8Reader {
    /// Octets of the character that are still to come.
    private(set) var pending = 0
    private(set) var isBroken = false
    private var least: UInt8 = 0x80
    private var most: UInt8 = 0xbf

    mutating func read(_ octet: UInt8) {
        if pending > 0 {
            if octet < least || octet > most { isBroken = true }
            pending -= 1
            (least, most) = (0x80, 0xbf)
            return
        }
        switch octet {
        case 0..<0x80: break
        case 0xc2...0xdf: pending = 1
        case 0xe0: (pending, least) = (2, 0xa0)
        case 0xed: (pending, most) = (2, 0x9f)
        case 0xe1...0xef: pending = 2
        case 0xf0: (pending, least) = (3, 0x90)
        case 0xf4: (pending, most) = (3, 0x8f)
        case 0xf1...0xf3: pending = 3
        default: isBroken = true
        }
    }

    static func isValid(_ octets: MessageOctets, _ range: Range<Int>) -> Bool {
        var reader = UTF8Reader()
        for index in range {
            reader.read(octets[index])
            if reader.isBroken { return false }
        }
        return reader.pending == 0
    }
}
