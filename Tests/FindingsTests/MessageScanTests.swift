// Where the scan finds fields and parts, in messages that are as they should be and in messages that are not.

import Testing

@testable import Findings

@Suite struct MessageScanTests {
    private func scan(_ text: String) -> (scan: MessageScan, octets: [UInt8]) {
        let octets = Array(text.utf8)
        return (octets.withUnsafeBufferPointer { MessageScan($0) }, octets)
    }

    private func text(_ range: Range<Int>, _ octets: [UInt8]) -> String {
        String(decoding: octets[range], as: UTF8.self)
    }

    private func bodies(_ message: String) -> [String] {
        let (scan, octets) = scan(message)
        return scan.parts.map { text($0.body, octets) }
    }

    @Test func fieldsWithFoldingAndOddities() {
        let (scan, octets) = scan(
            "From: a@b\r\nSubject : one\r\n two\r\n \r\nno colon here\r\nX Y: z\r\nEmpty:\r\n: nameless\r\n\r\nbody\r\n"
        )
        let fields = scan.fields
        #expect(fields.map { text($0.name, octets) } == ["From", "Subject", "", "", "Empty", ""])
        #expect(
            fields.map { text($0.value, octets) } == [
                " a@b", " one\r\n two\r\n ", "no colon here", "X Y: z", "", ": nameless",
            ])
        #expect(fields.map(\.isStray) == [false, false, true, true, false, true])
        #expect(fields.map(\.hasSpaceBeforeColon) == [false, true, false, false, false, false])
        #expect(text(fields[1].whole, octets) == "Subject : one\r\n two\r\n \r\n")
        #expect(scan.parts[0].hasBlankLine)
        #expect(text(scan.parts[0].body, octets) == "body\r\n")
        #expect(text(scan.parts[0].header, octets).hasSuffix(": nameless\r\n"))
    }

    @Test(arguments: ["", "\r\n", "\n", "\r", "a", ":", " ", "--", "--\r\n--", "a:\r\n\r\n", "a: b"])
    func smallThingsAreNoTrouble(_ message: String) {
        #expect(scan(message).scan.parts.count == 1)
    }

    @Test func aHeaderWithoutABlankLineHasNoBody() {
        let (scan, _) = scan("From: a@b\r\nHello\r\nWorld\r\n")
        #expect(!scan.parts[0].hasBlankLine)
        #expect(scan.parts[0].body.isEmpty)
        #expect(scan.fields.count == 3)
    }

    @Test func contentType() {
        let (scan, octets) = scan(
            "Content-Type: (a (b) c) Text/HTML (x); charset = \"UTF-8\";\r\n"
                + "\tname=\"a\\\"b;c\"; NAME=two; format=flowed\r\n"
                + "Content-Transfer-Encoding: (why) Quoted-Printable (so)\r\n\r\n")
        let type = scan.parts[0].type
        #expect(type.isGiven && type.fault == nil && !type.endsInSemicolon)
        #expect((type.type, type.subtype) == ("text", "html"))
        #expect(type.parameters["charset"] == Array("UTF-8".utf8))
        #expect(type.parameters["name"] == Array("a\"b;c".utf8))
        #expect(type.written.map(\.name) == ["charset", "name", "name", "format"])
        #expect(text(type.written[1].valueRange, octets) == "\"a\\\"b;c\"")
        #expect(scan.parts[0].encoding == "quoted-printable")
    }

    @Test(arguments: [
        ("text", "text", 0), ("text/", "text", 0), ("text/plain charset=utf-8; boundary=x", "text", 1),
        ("multipart/mixed; boundary=a=b?c", "multipart", 1), ("text/plain; charset", "text", 0),
        ("text/plain; charset=", "text", 1), ("text/plain; a=\"open", "text", 1), ("text/plain; =b", "text", 0),
    ])
    func contentTypeThatBreaksItsGrammar(_ value: String, _ type: String, _ parameters: Int) {
        let (scan, _) = scan("Content-Type: \(value)\r\n\r\n")
        #expect(scan.parts[0].type.fault != nil)
        #expect(scan.parts[0].type.type == type)
        #expect(scan.parts[0].type.parameters.count == parameters)
    }

    @Test func aSemicolonAtTheEndIsNoted() {
        let (scan, _) = scan("Content-Type: text/plain; charset=utf-8; \r\n\r\n")
        #expect(scan.parts[0].type.endsInSemicolon)
        #expect(scan.parts[0].type.fault == nil)
    }

    private static let nested =
        "Content-Type: multipart/mixed; boundary=outer\r\n\r\npreamble\r\n--outer \t\r\n"
        + "Content-Type: multipart/alternative; boundary=\"inner\"\r\n\r\n--inner\r\n\r\none\r\n--inner\r\n\r\ntwo\r\n"
        + "--inner--\r\nepilogue of inner\r\n--outer\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n"
        + "--outer--\r\nepilogue\r\n"

    @Test func partsOfMultiparts() {
        let (scan, octets) = scan(Self.nested)
        let parts = scan.parts
        #expect(parts.map(\.depth) == [0, 1, 2, 2, 1])
        #expect(parts.map(\.parent) == [nil, 0, 1, 1, 0])
        #expect(parts.map(\.childCount) == [2, 2, 0, 0, 0])
        #expect(parts.map(\.isClosed) == [true, true, false, false, false])
        #expect(parts[2...].map { text($0.body, octets) } == ["one", "two", "<p>\r\n"])
        #expect(text(parts[1].body, octets).hasSuffix("--inner--\r\nepilogue of inner"))
        #expect(text(parts[0].body, octets).hasSuffix("epilogue\r\n"))
        #expect(parts[0].firstDelimiter.map { text($0, octets) } == "--outer \t\r\n")
        #expect(parts[0].closeDelimiter.map { text($0, octets) } == "--outer--\r\n")
        #expect(!scan.isCut)
    }

    @Test func anOuterDelimiterEndsWhatIsInside() {
        let (scan, octets) = scan(
            "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n"
                + "Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\nA: b\r\n\r\n"
                + "one\r\n--outer\r\n\r\ntwo\r\n"
                + "--inner\r\n--outer--\r\n--outer\r\n\r\nno part\r\n")
        #expect(scan.parts.count == 4)
        #expect(!scan.parts[1].isClosed)
        #expect(scan.parts[0].isClosed)
        #expect(text(scan.parts[2].body, octets) == "one")
        #expect(text(scan.parts[3].body, octets) == "two\r\n--inner")
    }

    @Test func aBoundaryMayCutAHeader() {
        let (scan, octets) = scan(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n--b\r\n"
                + "\r\ntwo\r\n--b--"
        )
        #expect(scan.parts.map(\.hasBlankLine) == [true, false, true])
        #expect(scan.parts[1].body.isEmpty)
        #expect(text(scan.parts[2].body, octets) == "two")
        #expect(scan.parts[0].isClosed)
    }

    @Test func linesThatOnlyBeginLikeABoundary() {
        let (scan, octets) = scan(
            "Content-Type: multipart/mixed; boundary=abcdefghij\r\n\r\n--abcdefghij\r\n\r\n"
                + "--abcdefghijk\r\n--abcdefghi\r\n"
                + " --abcdefghij\r\n--abcdefghix\r\n--abcdefghij--x\r\n--abcdefghij--\r\n")
        #expect(scan.parts.count == 2)
        #expect(scan.parts[0].lookalikes == 2)
        #expect(octets[scan.parts[0].firstLookalike...].starts(with: Array("--abcdefghijk".utf8)))
        #expect(scan.parts[0].isClosed)
    }

    @Test func messagesInMessagesAreOpened() {
        let inner = "Subject: in\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nleaf\r\n--x--\r\n"
        let (scan, octets) = scan(
            "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n" + inner
                + "--o\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n--o--\r\n")
        #expect(scan.parts.map(\.depth) == [0, 1, 2, 3, 1])
        #expect(text(scan.parts[1].body, octets) + "\r\n" == inner)
        #expect(text(scan.parts[2].fields[0].value, octets) == " in")
        #expect(text(scan.parts[3].body, octets) == "leaf")
        #expect(scan.parts[2].isClosed)
        #expect(text(scan.parts[4].body, octets) == "QQ==")
    }

    @Test func partsOfADigestAreMessages() {
        let (scan, _) = scan(
            "Content-Type: multipart/digest; boundary=o\r\n\r\n--o\r\n\r\nSubject: one\r\n\r\nhi\r\n--o--\r\n")
        #expect(scan.parts.map(\.isMessage) == [false, true, false])
    }

    @Test func aMultipartWithoutAUsableBoundaryHasNoParts() {
        for value in ["multipart/mixed", "multipart/mixed; boundary=\"\"", "multipart/mixed; boundary=\" \""] {
            let (scan, octets) = scan("Content-Type: \(value)\r\n\r\n--\r\n\r\n----\r\n")
            #expect(scan.parts.count == 1)
            #expect(text(scan.parts[0].body, octets) == "--\r\n\r\n----\r\n")
        }
    }

    @Test func everyCutOfAMessageIsScanned() {
        let octets = Array(Self.nested.utf8)
        for end in 0...octets.count {
            octets[..<end].withUnsafeBufferPointer { cut in
                for part in MessageScan(cut).parts {
                    #expect(part.header.upperBound <= part.body.lowerBound && part.body.upperBound <= end)
                }
            }
        }
    }

    /// Whatever is nested, repeated or without end: within the limits, and said to be cut.
    @Test func hostileMessagesAreCut() {
        let fields = String(repeating: "a:\n", count: 2_000_000)
        #expect(scan(fields).scan.fields.count == MessageScan.fieldLimit)
        #expect(scan(fields).scan.isCut)

        var deep = "Content-Type: multipart/mixed; boundary=a0\n\n"
        for level in 1...10_000 { deep += "--a\(level - 1)\nContent-Type: multipart/mixed; boundary=a\(level)\n\n" }
        #expect(scan(deep).scan.parts.count == MessageScan.depthLimit + 1)
        #expect(scan(deep).scan.isCut)

        let messages = String(repeating: "Content-Type: message/rfc822\n\n", count: 100_000)
        #expect(scan(messages).scan.parts.count == MessageScan.depthLimit + 1)
        #expect(scan(messages).scan.isCut)

        let many = "Content-Type: multipart/mixed; boundary=a\n\n" + String(repeating: "--a\n\n", count: 1_000_000)
        #expect(scan(many).scan.parts.count == MessageScan.partLimit)
        #expect(scan(many).scan.parts[0].childCount == 1_000_000)
        #expect(scan(many).scan.isCut)
    }
}
