// The same octets give the same conversation however they are cut; the body scanner agrees with a naive reference; the
// fuzz corpora run through without a finding.

import Foundation
import Testing

@testable import SMTP

@Suite("Cuts and corpora")
struct CutTests {
    /// Conversations that pass through every mode of the octet stream.
    static let conversations: [String] = [
        envelope + "DATA\r\n.\r\n..a\r\n.\r\n" + quit,
        envelope + "DATA\r\nx\r\n.\r.\r\n.\n\r\n..\r\n\r\n.\r\nNOOP\r\n" + mail + quit,
        envelope + "BDAT 5\r\nab\r\ncBDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\n" + mail + rcpt + "BDAT 2 LAST\r\n.\r" + quit,
        "BDAT 6\r\nQUIT\r\nFROB\r\nNOOP\nNOOP\r\n" + String(repeating: "x", count: 200) + "\r\r\n\r\n" + quit,
        ehlo + "AUTH LOGIN\r\nYQ==\r\nYg==\r\nAUTH PLAIN\r\nMAIL FROM:<\u{e9}@b.test> SMTPUTF8\r\n" + rcpt + "RSET\r\n",
        ehlo + "AUTH PLAIN\r\n" + String(repeating: "A", count: 300) + "\r\nSTARTTLS\r\n" + ehlo + mail + quit,
        envelope + "DATA\r\n" + String(repeating: "0123456789\r\n..", count: 9) + "\r\n.\r\nNOOP\r\n",
        "GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}abc", envelope + "BDAT 99999999999999999999\r\nx", "\r\n\n\r\r\n",
    ]

    private func happened(_ text: String, pieces: [Int], checkpoints: [Int]) throws -> [Happening] {
        try happenings(Array(text.utf8), pieces: pieces, profile: smallProfile(), bodyCheckpoints: checkpoints)
    }

    @Test("Cut at every position", arguments: conversations)
    func everyPosition(text: String) throws {
        for checkpoints in [[], [0, 1, 5, 13]] {
            let whole = try happened(text, pieces: [], checkpoints: checkpoints)
            for position in 1..<text.utf8.count {
                #expect(try happened(text, pieces: [position], checkpoints: checkpoints) == whole, "cut at \(position)")
            }
            let single = try happened(
                text, pieces: [Int](repeating: 1, count: text.utf8.count), checkpoints: checkpoints)
            #expect(single == whole, "one by one")
        }
    }

    @Test("Cut at seeded random positions", arguments: conversations)
    func randomPositions(text: String) throws {
        var random = Seeded(UInt64(text.utf8.count))
        let whole = try happened(text, pieces: [], checkpoints: [3])
        for _ in 0..<200 {
            let pieces = (0..<40).map { _ in Int.random(in: 1...20, using: &random) }
            #expect(try happened(text, pieces: pieces, checkpoints: [3]) == whole, "\(pieces)")
        }
    }

    @Test("The body scanner agrees with the naive reference over random octets of its alphabet")
    func bodyReference() {
        var random = Seeded(20260)
        for _ in 0..<20_000 {
            let stream = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                bodyAlphabet[Int.random(in: 0..<bodyAlphabet.count, using: &random)]
            }
            let expected = naiveBody(stream)
            for (cut, room) in [(Int.max, Int.max), (1, Int.max), (Int.max, 1), (1, 1), (3, 2), (2, 5)] {
                #expect(scannedBody(stream, cut: cut, room: room) == expected, "\(stream) cut \(cut) room \(room)")
            }
        }
    }

    @Test("Every stream of up to seven octets of the alphabet CR LF dot a, against the naive reference")
    func allShortStreams() {
        let alphabet = bodyAlphabet[0..<4]
        var streams: [[UInt8]] = [[]]
        var different = 0
        for _ in 1...7 {
            streams = streams.flatMap { stream in alphabet.map { stream + [$0] } }
            for stream in streams {
                let expected = naiveBody(stream)
                if scannedBody(stream, cut: Int.max, room: Int.max) != expected { different += 1 }
                if scannedBody(stream, cut: 1, room: Int.max) != expected { different += 1 }
            }
        }
        #expect(different == 0)
    }

    @Test("Random conversations of the fuzzers' words hold what the fuzzers ask", arguments: FuzzTarget.allCases)
    func randomWords(target: FuzzTarget) throws {
        var random = Seeded(99)
        for round in 0..<1500 {
            let octets = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            #expect(throws: Never.self, "\(octets)") { try target.run(octets, mapped: round % 4 != 0) }
        }
    }

    @Test("The corpora are replayed", arguments: FuzzTarget.allCases)
    func corpora(target: FuzzTarget) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fuzz/corpus/\(target.rawValue)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let octets = [UInt8](try Data(contentsOf: file))
            for mapped in [false, true] {
                #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run(octets, mapped: mapped) }
            }
        }
    }
}
