// Message content by DATA and by BDAT (R02, R37 to R41, R49 to R51), checkpoints and the phase `body`.

import Testing

@testable import SMTP

@Suite("Content")
struct ContentTests {
    private let start = envelope + "DATA\r\n"

    @Test(
        "R02: only CRLF.CRLF ends a message",
        arguments: [
            "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\n\n.\n\n", "\r\r.\r\r", "\r\n.\r\r\n",
            "\n.\r",
            "\r.\n", "\r\n.\n\r\n", "\r\n\0.\r\n", "\r\n. \r\n",
        ])
    func lookAlikes(ending: String) {
        let said = "a\(ending)MAIL FROM:<x@y>\r\n"
        let heard = converse(start + said + ".\r\n" + quit)
        #expect(heard.codes == "250 250 250 354 250 221")
        #expect(heard.messages.count == 1)
        #expect(heard.messages.first == naiveBody(Array((said + ".\r\n").utf8)).content)
    }

    @Test("R37: one leading dot of a line is removed, the line of the final dot is not part of the message")
    func dots() {
        let heard = converse(start + "..x\r\n...\r\n.y\r\na.\r\n..\r\n\r\n.\r\n")
        #expect(heard.texts == [".x\r\n..\r\ny\r\na.\r\n.\r\n\r\n"])
        #expect(converse(start + ".\r\n").texts == [""])
        #expect(converse(start + "..\r\n.\r\n").texts == [".\r\n"])
        #expect(converse(start + "a\r\n.\rb\r\n.\r\n").texts == ["a\r\n\rb\r\n"])
        #expect(converse(start + "a\n..b\r\n.\r\n").texts == ["a\n..b\r\n"])
    }

    @Test("R38: all other octets are unchanged")
    func octetExact() {
        let all = (0...255).map { UInt8($0) } + Array(" \t \r\n\0\0\u{7f}\r\r\n\n\r\n".utf8)
        let heard = converse(octets: Array(start.utf8) + all + Array(".\r\n".utf8))
        #expect(heard.messages == [all])
    }

    @Test("R39, R40: lines of any length and messages above 64 KiB are taken")
    func large() {
        let line = String(repeating: "x", count: 998) + "\r\n"
        let text = String(repeating: line, count: 70) + String(repeating: "y", count: 100_000) + "\r\n"
        #expect(converse(start + text + ".\r\n").texts == [text])
    }

    @Test("R41, R42: one decision behind the dot, with the envelope and the content at hand")
    func oneReply() {
        let heard = converse(start + "x\r\n.\r\n", rulings: [.endOfData: [.stored(id: "A17")]])
        #expect(heard.last == "250 2.0.0 Ok: queued as A17")
        #expect(heard.phases == [.greeting, .ehlo, .mail, .rcpt, .data, .endOfData])
    }

    @Test("A refused message ends the transaction; so does an accepted one")
    func afterMessage() {
        #expect(converse(start + ".\r\nDATA\r\n" + mail).codes == "250 250 250 354 250 503 250")
        #expect(
            converse(start + ".\r\nDATA\r\n" + mail, rulings: [.endOfData: [ruling(554, "5.7.1")]]).codes
                == "250 250 250 354 554 503 250")
        #expect(
            converse(start + ".\r\nDATA\r\n" + mail, rulings: [.endOfData: [.silence]]).codes
                == "250 250 250 354 503 250")
    }

    @Test("A refused DATA leaves the transaction, and what follows are commands")
    func refusedData() {
        #expect(
            converse(start + "NOOP\r\nDATA\r\n.\r\n", rulings: [.data: [ruling(451, "4.3.0")]]).codes
                == "250 250 250 451 250 354 250")
        #expect(converse(start + ".\r\n", rulings: [.data: [ruling(354, nil, "go on")]]).replies[3] == "354 go on")
    }

    @Test("R49: over the limit while reading is 552 behind the dot, and nothing is kept")
    func tooBig() {
        let small = profile { $0.limits.messageSize = 10 }
        #expect(converse(start + "12345678\r\n.\r\n", small).last == "250 2.0.0 Ok")
        let heard = converse(start + "123456789\r\n.\r\n" + mail, small)
        #expect(heard.codes == "250 250 250 354 552 250")
        #expect(heard.notices == [.messageTooBig])
        #expect(heard.phases.contains(.endOfData) == false)
    }

    @Test("R50: a whole session in one segment, the dot first in its group")
    func pipelining() {
        let heard = converse(start + "x\r\n.\r\n" + mail + rcpt + "DATA\r\ny\r\n.\r\n" + quit)
        #expect(heard.codes == "250 250 250 354 250 250 250 354 250 221")
        #expect(heard.texts == ["x\r\n", "y\r\n"])
    }

    @Test("Without keeping, octets are counted and not stored")
    func counting() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: false, bodyCheckpoints: []))
        try trial.feed(Array((start + "abc\r\n..\r\n").utf8))
        let count = trial.session.contentCount
        #expect(count == 8)
        try trial.feed(Array(".\r\n".utf8))
        #expect(trial.messages == [[]])
    }

    // MARK: Checkpoints

    @Test("Checkpoints stop exactly where they say, once for each message")
    func checkpoints() throws {
        var counts: [Int] = []
        var session = Session(
            profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: [0, 3, 3, 8])
        let said = Array((start + "ab\r\n..cd\r\n.\r\n" + mail + rcpt + "BDAT 8 LAST\r\n12345678" + quit).utf8)
        var index = 0
        while index < said.count {
            let step = said[index...].withUnsafeBytes { session.receive($0) }
            index += step.consumed
            if case .decision(let phase) = step.demand {
                if phase == .body { counts.append(session.contentCount) }
                _ = session.resolve(.proceed)
            }
        }
        #expect(counts == [0, 3, 8, 0, 3, 8])
    }

    @Test("A reply at body goes out at once, the rest is read and not answered again")
    func replyAtBody() {
        let heard = converse(
            start + "abc\r\nQUIT\r\n.\r\nNOOP\r\n" + mail, checkpoints: [2], rulings: [.body: [ruling(554, "5.6.0")]])
        #expect(heard.codes == "250 250 250 354 554 250 250")
        #expect(heard.messages.isEmpty)
        let silent = converse(start + "abc\r\n.\r\nNOOP\r\n", checkpoints: [0], rulings: [.body: [.silence]])
        #expect(silent.codes == "250 250 250 354 250")
        #expect(silent.phases.contains(.endOfData) == false)
    }

    @Test("A reply at body answers the chunk that it falls into; the chunks behind it hear 503")
    func replyAtBodyOfChunk() {
        let heard = converse(
            envelope + "BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n" + mail, checkpoints: [3],
            rulings: [.body: [ruling(554, "5.6.0")]])
        #expect(heard.codes == "250 250 250 554 503 250 250")
        let atEnd = converse(
            envelope + "BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", checkpoints: [6], rulings: [.body: [ruling(554, "5.6.0")]])
        #expect(atEnd.codes == "250 250 250 554 250")
        let ends = converse(envelope + "BDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\nNOOP\r\n", checkpoints: [6])
        #expect(ends.codes == "250 250 250 250 250 250")
        #expect(ends.texts == ["QUIT\r\n"])
    }

    // MARK: BDAT

    @Test("R51: chunks are exact octets, each has one answer, dots are nothing special")
    func chunks() {
        let heard = converse(envelope + "BDAT 5\r\n\r\n.\r\nBDAT 4\r\n..ab" + "NOOP\r\nBDAT 3 LAST\r\nxyz" + quit)
        #expect(heard.codes == "250 250 250 250 250 250 250 221")
        #expect(heard.texts == ["\r\n.\r\n..abxyz"])
        #expect(heard.phases.filter { $0 == .data }.count == 2)
        #expect(converse(envelope + "BDAT 0 LAST\r\n").texts == [""])
        #expect(converse(envelope + "BDAT 3\r\nabcBDAT 0 LAST\r\n").texts == ["abc"])
        #expect(converse(envelope + "bdat  3  last \r\nabc").texts == ["abc"])
    }

    @Test("R51: on every refusal the chunk is read and thrown away")
    func refusedChunks() {
        #expect(converse("BDAT 6\r\nQUIT\r\n").codes == "503")
        #expect(converse(ehlo + "BDAT 6 LAST\r\nQUIT\r\n").codes == "250 503")
        #expect(converse(ehlo + mail + "BDAT 6\r\nQUIT\r\n" + rcpt).codes == "250 250 503 250")
        #expect(converse(envelope + "BDAT 6 LAST x\r\nQUIT\r\nBDAT 2 LAST\r\nxy").codes == "250 250 250 501 250")
        #expect(converse(envelope + "BDAT 6 FIRST\r\nQUIT\r\n").codes == "250 250 250 501")
        let hidden = profile { $0.capabilities.remove(CapabilitySet(.chunking)) }
        #expect(converse(envelope + "BDAT 6\r\nQUIT\r\n", hidden).codes == "250 250 250 502")
        #expect(converse(ehlo, hidden).list.contains("BINARYMIME") == false)
    }

    @Test("R51: behind a refused chunk all chunks are 503, until MAIL, RSET or EHLO")
    func afterRefusedChunk() {
        let heard = converse(
            envelope + "BDAT 3\r\nabcBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\n" + mail + rcpt + "BDAT 2 LAST\r\nxy",
            rulings: [.data: [ruling(452, "4.3.1")]])
        #expect(heard.codes == "250 250 250 452 503 503 250 250 250")
        #expect(heard.texts == ["xy"])
    }

    @Test("R51: DATA behind BDAT is 503, so is DATA for BINARYMIME; RSET between chunks is allowed")
    func mixing() {
        #expect(
            converse(envelope + "BDAT 3\r\nabcDATA\r\nRCPT TO:<x@y>\r\n" + mail + "BDAT 1 LAST\r\nx").codes
                == "250 250 250 250 503 503 503 250")
        let binary = ehlo + "MAIL FROM:<a@b> BODY=BINARYMIME\r\n" + rcpt
        #expect(converse(binary + "DATA\r\nBDAT 2 LAST\r\n\r\n").codes == "250 250 250 503 250")
        #expect(converse(envelope + "BDAT 3\r\nabcRSET\r\nBDAT 1\r\nx" + mail).codes == "250 250 250 250 250 503 250")
    }

    @Test("R51: chunks over the size limit are 552 and end the transaction")
    func tooBigChunk() {
        let small = profile { $0.limits.messageSize = 4 }
        let heard = converse(envelope + "BDAT 3\r\nabcBDAT 3\r\nabcBDAT 3 LAST\r\nabc" + mail, small)
        #expect(heard.codes == "250 250 250 250 552 503 250")
        #expect(heard.notices == [.messageTooBig])
    }

    @Test("Chunk sizes that are no numbers are 501, one beyond reckoning ends the session")
    func chunkSizes() {
        let heard = converse(envelope + "BDAT -5\r\nBDAT x\r\nBDAT\r\nBDAT 5x\r\nNOOP\r\n")
        #expect(heard.codes == "250 250 250 501 501 501 501 250")
        #expect(heard.notices == [.malformedChunkSize, .malformedChunkSize, .malformedChunkSize])
        let huge = converse(envelope + "BDAT 99999999999999999999\r\nNOOP\r\n")
        #expect(huge.codes == "250 250 250 421")
        #expect(huge.isOver)
    }

    @Test("A chunk of 4 EiB is swallowed in no memory")
    func hugeChunk() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        try trial.feed(Array((envelope + "BDAT 4611686018427387904\r\n").utf8))
        let stretch = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<60 { try trial.feed(stretch) }
        #expect(trial.codes == ["250", "250", "250"])
        #expect(trial.notices == [.messageTooBig])
        let held = trial.session.takeContent().count
        #expect(held == 0)
    }
}
