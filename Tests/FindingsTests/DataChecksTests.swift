// The octets of messages: what breaks a rule, and what only looks like it.

import SMTP
import Testing

@testable import Findings

@Suite struct DataChecksTests {
    @Test func aCleanLetterBreaksNothing() {
        let ledger = Letter().judged
        #expect(Letter().broken == [])
        for rule: RuleID in [
            .dataBareLf, .dataBareCr, .dataEndVariant, .dataLineTooLong, .dataNul, .dataControlCharacters, .dataEmpty,
            .dataLineOver78, .dataStartsWithBom, .dataMboxFromLine, .hdrRaw8bit, .hdrBlankFold, .hdrLineTooLong,
        ] {
            #expect(ledger.states[rule] == .kept, "\(rule.rawValue)")
        }
        // What could not be seen is not said to be kept.
        for rule: RuleID in [
            .dataNotDotStuffed, .data8bitNotOffered, .data8bitNotDeclared, .dataBdatStuffed, .dataEndGlued,
            .dataBinaryOverData, .hdrInvalidUtf8,
        ] {
            #expect(ledger.states[rule] == .notObserved, "\(rule.rawValue)")
        }
    }

    private static let long = String(repeating: "x", count: 999)

    static let cases: [LetterCase] = [
        LetterCase("LF alone", .dataBareLf) { $0.body = "Hello\nworld\r\n" },
        LetterCase("CR alone", .dataBareCr) { $0.body = "Hello\rworld\r\n" },
        LetterCase("CR CR LF", .dataBareCr) { $0.body = "Hello\r\r\nworld\r\n" },
        LetterCase("CR at the end", .dataBareCr) { $0.body = "Hello\r\nworld\r" },
        LetterCase("LF alone in the header", .dataBareLf) { $0.fields[4] = "X-A: b\nSubject: s" },
        LetterCase("no line end at the end") { $0.body = "Hello\r\nworld" },
        LetterCase("LF dot LF", .dataBareLf, .dataEndVariant) { $0.body = "a\n.\nMAIL FROM:<x@y>\r\n" },
        LetterCase("LF dot CRLF", .dataBareLf, .dataEndVariant) { $0.body = "a\n.\r\nMAIL FROM:<x@y>\r\n" },
        LetterCase("LF dot CR", .dataBareLf, .dataBareCr, .dataEndVariant) { $0.body = "a\n.\rb\r\n" },
        LetterCase("CR dot CR", .dataBareCr, .dataEndVariant) { $0.body = "a\r.\rb\r\n" },
        LetterCase("CR dot LF", .dataBareCr, .dataBareLf, .dataEndVariant) { $0.body = "a\r.\nb\r\n" },
        LetterCase("CR dot CRLF", .dataBareCr, .dataEndVariant) { $0.body = "a\r.\r\nb\r\n" },
        LetterCase("CRLF NUL dot CRLF", .dataNul, .dataEndVariant) { $0.body = "a\r\n\0.\r\nb\r\n" },
        LetterCase("LF and a dot in front of text", .dataBareLf) { $0.body = "a\n.b\r\n" },
        LetterCase("a doubled dot that stands alone") { $0.body = "a\r\n.\r\nb\r\n" },
        LetterCase("CRLF dot LF", .dataBareLf, .dataEndVariant, .dataNotDotStuffed) {
            $0.body = "a\r\n\nb\r\n"
            $0.mark("\nb")
        },
        LetterCase("CRLF dot CR x", .dataBareCr, .dataEndVariant) {
            $0.body = "a\r\n\rb\r\n"
            $0.mark("\rb")
        },
        LetterCase("CRLF dot CR CRLF", .dataBareCr, .dataEndVariant) {
            $0.body = "a\r\n\r\r\nb\r\n"
            $0.mark("\r\r\nb")
        },
        LetterCase("CRLF dot NUL CRLF", .dataNul, .dataEndVariant, .dataNotDotStuffed) {
            $0.body = "a\r\n\0\r\nb\r\n"
            $0.mark("\0\r\nb")
        },
        LetterCase("a dot that was not doubled", .dataNotDotStuffed) {
            $0.body = "a\r\nhidden\r\n"
            $0.mark("hidden")
        },
        LetterCase("a dot that was doubled") { $0.body = "a\r\n.hidden\r\n" },
        LetterCase("999 octets", .dataLineTooLong, .dataLineOver78) { $0.body = long + "\r\n" },
        LetterCase("998 octets", .dataLineOver78) { $0.body = long.dropLast() + "\r\n" },
        LetterCase("79 characters", .dataLineOver78) { $0.body = long.prefix(79) + "\r\n" },
        LetterCase("78 characters") { $0.body = long.prefix(78) + "\r\n" },
        LetterCase("78 characters of two octets") {
            $0.body = String(repeating: "ü", count: 78) + "\r\n"
            $0.reversePath.body = .eightBitMIME
        },
        LetterCase("79 characters in base64 are for the rules of base64") {
            $0.set("Content-Transfer-Encoding", "BASE64")
            $0.body = long.prefix(79) + "\r\n"
        },
        LetterCase("a header line that could be folded", .dataLineOver78) {
            $0.set("Subject", "one " + long.prefix(80))
        },
        LetterCase("a URI that cannot be folded") {
            $0.set("X-Link", "<https://sender.example/" + long.prefix(80) + ">")
        },
        LetterCase("NUL", .dataNul) { $0.body = "abc\0def\r\n" },
        LetterCase("NUL in a short line", .dataNul) { $0.body = "a\0\r\n" },
        LetterCase("ESC", .dataControlCharacters) { $0.body = "\u{1b}[31mred\r\n" },
        LetterCase("DEL", .dataControlCharacters) { $0.body = "a long line with \u{7f} in it\r\n" },
        LetterCase("form feed", .dataControlCharacters) { $0.body = "\u{0c}\r\n" },
        LetterCase("TAB") { $0.body = "a\tb and some more of it\r\n\t\r\n" },
        LetterCase("ESC in ISO-2022-JP") {
            $0.set("Content-Type", "text/plain; charset=ISO-2022-JP")
            $0.body = "\u{1b}$B$3$s\u{1b}(B\r\n"
        },
        LetterCase("8-bit, not declared", .data8bitNotDeclared) { $0.body = "Grüße\r\n" },
        LetterCase("8-bit, declared 7BIT", .data8bitNotDeclared) {
            $0.body = "Grüße\r\n"
            $0.reversePath.body = .sevenBit
        },
        LetterCase("8-bit, declared") {
            $0.body = "Grüße\r\n"
            $0.reversePath.body = .eightBitMIME
        },
        LetterCase("8-bit, not offered", .data8bitNotOffered) {
            $0.body = "Grüße\r\n"
            $0.offersEightBit = false
        },
        LetterCase("7-bit, not offered") { $0.offersEightBit = false },
        LetterCase("binary by DATA", .dataBinaryOverData) { $0.set("Content-Transfer-Encoding", "binary") },
        LetterCase("binary in a part", .dataBinaryOverData) {
            $0.set("Content-Type", "multipart/mixed; boundary=b")
            $0.body = "--b\r\nContent-Transfer-Encoding: Binary\r\n\r\nx\r\n--b--\r\n"
        },
        LetterCase("8bit by DATA") { $0.set("Content-Transfer-Encoding", "8bit") },
        LetterCase("binary by BDAT, not declared", .dataBinaryOverData) {
            $0.set("Content-Transfer-Encoding", "binary")
            $0.isChunked = true
        },
        LetterCase("binary by BDAT, declared") {
            $0.set("Content-Transfer-Encoding", "binary")
            $0.set("Content-Type", "application/octet-stream")
            $0.body = "a\0\n\r\u{1}" + long
            $0.isChunked = true
            $0.reversePath.body = .binaryMIME
        },
        LetterCase("text under BINARYMIME", .dataBareLf) {
            $0.body = "a\nb\r\n"
            $0.isChunked = true
            $0.reversePath.body = .binaryMIME
        },
        LetterCase("a final dot by BDAT", .dataBdatStuffed) {
            $0.body = "a\r\n.\r\n"
            $0.isChunked = true
        },
        LetterCase("a line with a dot by BDAT") {
            $0.body = "a\r\n.b\r\n"
            $0.isChunked = true
        },
        LetterCase("nothing", .dataEmpty) { $0.octets = [] },
        LetterCase("blank lines", .dataEmpty) { $0.octets = Array("\r\n \r\n".utf8) },
        LetterCase("nothing for nobody") {
            $0.octets = []
            $0.recipients = []
        },
        LetterCase("UTF-8 mark", .dataStartsWithBom) { $0.octets = [0xef, 0xbb, 0xbf] + $0.content },
        LetterCase("UTF-16 mark", .dataStartsWithBom) { $0.octets = [0xff, 0xfe] + $0.content },
        LetterCase("mbox line", .dataMboxFromLine) {
            $0.octets = Array("From ann@sender.example Mon Sep 21 14:13:20 2026\r\n".utf8) + $0.content
        },
        LetterCase("quoted mbox line", .dataMboxFromLine) {
            $0.octets = Array(">From ann@sender.example Mon Sep 21 14:13:20 2026\r\n".utf8) + $0.content
        },
        LetterCase("an mbox line in the body") { $0.body = "From ann Mon Sep 21 14:13:20 2026\r\n" },
        LetterCase("a dot behind text, then commands", .dataEndGlued) {
            $0.body = "Best regards.\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
        },
        LetterCase("a line of its own in a text about SMTP") {
            $0.body = "First comes\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
        },
        LetterCase("a text about MAIL") { $0.body = "Say this.\r\nMail from:<a@b.example>\r\nis a command.\r\n" },
        // Lines of headers.
        LetterCase("a header line of 999", .hdrLineTooLong) { $0.set("X-Long", "<" + long.prefix(992) + ">") },
        LetterCase("a header line of 998") { $0.set("X-Long", "<" + long.prefix(988) + ">") },
        LetterCase("a blank folded line", .hdrBlankFold) { $0.set("X-A", "b\r\n  \r\n c") },
        LetterCase("a folded line") { $0.set("X-A", "b\r\n c") },
        LetterCase("raw 8-bit in Subject", .hdrRaw8bit) { $0.set("Subject", "Grüße") },
        LetterCase("raw 8-bit in a part's header", .hdrRaw8bit) {
            $0.set("Content-Type", "multipart/mixed; boundary=b")
            $0.body = "--b\r\nContent-Disposition: attachment; filename=\"ü\"\r\n\r\nx\r\n--b--\r\n"
        },
        LetterCase("UTF-8 under SMTPUTF8") {
            $0.set("Subject", "Grüße")
            $0.reversePath.smtpUTF8 = true
        },
        LetterCase("Latin 1 under SMTPUTF8", .hdrInvalidUtf8) {
            $0.octets =
                Array("Subject: Gr".utf8) + [0xfc, 0xdf] + Array("e\r\n".utf8)
                + Letter.without("Subject").content
            $0.reversePath.smtpUTF8 = true
        },
    ]

    @Test(arguments: cases) func oneChange(_ test: LetterCase) {
        #expect(Set(test.letter.broken) == Set(test.rules))
    }

    @Test func everyPlaceIsCountedAndTheFirstTenAreShown() throws {
        var letter = Letter()
        letter.body = String(repeating: "a\n", count: 25)
        let finding = try #require(letter.judged.findings.first { $0.rule == .dataBareLf })
        #expect(finding.count == 25)
        #expect(finding.evidence.count == Finding.evidenceLimit)
        let header = letter.content.count - letter.body.utf8.count
        #expect(finding.evidence[0].range == header + 1..<header + 2)
        #expect(finding.evidence[1].range == header + 3..<header + 4)
        #expect(finding.evidence[0].message == "s1.1")
        #expect(finding.saw.contains("a\\na"))
    }

    @Test func dotsThatWereNotDoubledAreCounted() throws {
        var letter = Letter()
        letter.body = "a\r\nhidden\r\n"
        letter.mark("hidden")
        letter.unstuffedDots = 3
        let finding = try #require(letter.judged.findings.first { $0.rule == .dataNotDotStuffed })
        #expect(finding.count == 3)
        #expect(finding.saw == "\\r\\n.hidden\\r\\n")
    }

    @Test func aDoubledDotIsSeenToBeKept() {
        var letter = Letter()
        letter.body = ".x\r\n"
        #expect(letter.judged.states[.dataNotDotStuffed] == .kept)
        letter.isChunked = true
        #expect(letter.judged.states[.dataNotDotStuffed] == .notObserved)
        #expect(letter.judged.states[.dataBdatStuffed] == .kept)
    }

    @Test func aGarbledReplyExcusesWhatComesOfIt() {
        var letter = Letter()
        letter.octets = []
        letter.disturbances = .garbled
        #expect(letter.broken == [])
        #expect(letter.judged.excused[.dataEmpty] == .garbled)
    }

    /// Whatever stands in the lines, each octet in turn: the fast look and the slow one agree.
    @Test func everyOctetAtEveryPlaceOfALine() {
        for octet in UInt8.min...UInt8.max where octet != 10 && octet != 13 {
            for (before, behind) in [(0, 0), (0, 9), (7, 0), (7, 1), (12, 3), (16, 0)] {
                var letter = Letter()
                letter.reversePath.body = .eightBitMIME
                let line = [UInt8](repeating: 97, count: before) + [octet] + [UInt8](repeating: 97, count: behind)
                letter.octets = letter.content + line + [13, 10]
                let expected: [RuleID] =
                    octet == 0
                    ? [.dataNul]
                    : octet == 9 || (32...126).contains(octet) || octet >= 128
                        ? [] : [.dataControlCharacters]
                #expect(letter.broken == expected, "octet \(octet) between \(before) and \(behind)")
                let sees8bit = letter.judged.states[.data8bitNotDeclared] == .kept
                #expect(sees8bit == (octet >= 128))
            }
        }
    }

    @Test(
        arguments: [
            ([0x61], true), ([0xc3, 0xbc], true), ([0xc3], false), ([0xbc], false), ([0xc0, 0x80], false),
            ([0xe0, 0x9f, 0x80], false), ([0xe2, 0x82, 0xac], true), ([0xed, 0xa0, 0x80], false),
            ([0xf0, 0x9f, 0x98, 0x80], true), ([0xf0, 0x80, 0x80, 0x80], false), ([0xf4, 0x90, 0x80, 0x80], false),
            ([0xf5, 0x80, 0x80, 0x80], false), ([0xe2, 0x61, 0x61], false),
        ] as [([UInt8], Bool)])
    func utf8(_ octets: [UInt8], _ isValid: Bool) {
        octets.withUnsafeBufferPointer { #expect(UTF8Reader.isValid($0, 0..<octets.count) == isValid) }
        #expect((String(validating: octets, as: UTF8.self) != nil) == isValid)
    }
}

extension Letter {
    /// The sink took a dot away in front of this text of the body, which no client had doubled.
    mutating func mark(_ text: String) {
        let (content, text) = (content, Array(text.utf8))
        for place in stride(from: content.count - text.count, through: 0, by: -1)
        where content[place...].starts(with: text) {
            (unstuffedDots, firstUnstuffedDot) = (1, place)
            return
        }
    }

    static func without(_ name: String) -> Letter {
        var letter = Letter()
        letter.set(name, nil)
        return letter
    }
}
