// Dots that a client should have doubled (RFC 5321 §4.5.2): how many, and where the first stands in the content.

import Testing

@testable import SMTP

@Suite("Dots that were not doubled")
struct UnstuffedDotTests {
    /// The dots of a message that is not over yet, cut into reads of so many octets in front of the rest.
    private func dots(_ content: String, cutAt cut: Int? = nil) throws -> UnstuffedDots {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        try trial.begin(.greeting)
        let octets = Array((envelope + "DATA\r\n" + content).utf8)
        let cut = cut ?? octets.count
        try trial.feed(octets[..<cut])
        try trial.feed(octets[cut...])
        return trial.session.unstuffedDots
    }

    @Test(
        "The count, and the octets in front of the first",
        arguments: [
            ("a\r\n..b\r\n...c\r\nd.\r\n", 0, 0), (".a\r\n", 1, 0), ("x\r\n.a\r\n..b\r\n.c\r\n", 2, 3),
            ("..x\r\n.y\r\n", 1, 4), ("a\n.b\r\n", 0, 0), ("\r\n. \r\n", 1, 2),
        ])
    func counts(content: String, count: Int, first: Int) throws {
        let found = try dots(content)
        #expect(found.count == count)
        if count > 0 { #expect(found.first == first) }
    }

    @Test func `Wherever the octets are cut, the same dots are found`() throws {
        let content = "x\r\n.a\r\n..b\r\n.c\r\n\r\n.\rd\r\n"
        let whole = try dots(content)
        #expect(whole.count == 3 && whole.first == 3)
        let count = (envelope + "DATA\r\n" + content).utf8.count
        for cut in 0...count { #expect(try dots(content, cutAt: cut) == whole, "cut at \(cut)") }
    }

    @Test func `A message begins anew, and one by BDAT has no dots to double`() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        try trial.begin(.greeting)
        try trial.feed(Array((envelope + "DATA\r\n.a\r\n.\r\n" + mail + rcpt + "DATA\r\nb\r\n").utf8))
        #expect(trial.session.unstuffedDots.count == 0)
        var chunked = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        try chunked.begin(.greeting)
        try chunked.feed(Array((envelope + "BDAT 4\r\n.a\r\n").utf8))
        #expect(chunked.session.isChunked && chunked.session.unstuffedDots.count == 0)
    }
}
