// What is remembered of a message: the same for two copies, another for two messages.

import Findings
import SMTP
import Testing

@Suite struct MessageFactsTests {
    private let letter = SceneLetter()

    private func facts(_ text: String) -> MessageIdentity {
        MessageIdentity(
            MessageInput(
                content: Array(text.utf8), reversePath: ReversePath(address: []), recipients: [], received_us: 0))
    }

    @Test func theFactsAreWhatTheHeaderSays() {
        let facts = facts(
            "Message-id:\r\n <a@b> \r\nSubject: A \r\n folded one\r\n"
                + "FROM: \"x@y\" <Me@Sender.EXAMPLE>\r\nList-ID: News <n.example>\r\n"
                + "Content-Type: Multipart/Report; report-type=delivery-status\r\nDate: now\r\n\r\nbody")
        #expect(facts.messageID == "<a@b>")
        #expect(facts.subject == "A  folded one")
        #expect(facts.authorDomain == "sender.example")
        #expect(facts.listID == "News <n.example>")
        #expect(facts.isBulk && facts.isReport && facts.hasDate)
        #expect(facts.bodyOctetCount == 4)
        #expect(facts.transaction == 1)
    }

    @Test(arguments: [
        ("Precedence: BULK", true), ("Precedence: list", true), ("Precedence: normal", false), ("Feedback-ID: x", true),
    ])
    func bulkMailSaysSo(_ field: String, _ isBulk: Bool) {
        #expect(facts("\(field)\r\n\r\n").isBulk == isBulk)
    }

    @Test func whatChangesOnTheWayDoesNotCount() {
        let first = letter.facts()
        var other = letter
        other.extra = "DKIM-Signature: v=1; b=\r\n abc\r\nARC-Seal: i=1\r\nReturn-Path: <x@y>\r\n"
        // The Received field of a letter differs with what else it has.
        #expect(other.facts().content == first.content)
        #expect(other.facts().version == first.version)
    }

    @Test(arguments: [\SceneLetter.subject, \.from, \.date, \.body])
    func whatTheAuthorChangesDoes(_ path: WritableKeyPath<SceneLetter, String> & Sendable) {
        var other = letter
        other[keyPath: path] += "x"
        #expect(other.facts().version != letter.facts().version)
    }

    @Test func aNewIDAndANewDateLeaveTheContentTheSame() {
        var other = letter
        (other.id, other.date) = ("<2@sender.example>", "Sat, 28 Nov 2026 10:00:00 +0000")
        #expect(other.facts().content == letter.facts().content)
        #expect(other.facts().version != letter.facts().version)
        other.extra = "X-Campaign: 7\r\n"
        #expect(other.facts().content != letter.facts().content)
    }

    @Test(arguments: [
        "", "\n", "\r\n", "\r", ":", "Subject", "a\nb\n\n", "\r\n\r\n", "From: @", "From: a@\r\n b", " x\r\n",
    ])
    func nothingIsTooBroken(_ text: String) {
        let facts = facts(text)
        #expect(facts.messageID == nil)
        #expect(facts.bodyOctetCount <= text.utf8.count)
    }

    @Test func aLongIDIsCutAndWhatHidesInItIsShown() {
        let facts = facts("Message-ID: <\(String(repeating: "x", count: 5000))>\r\nSubject: \u{1b}[31m red\r\n\r\n")
        #expect(facts.messageID?.utf8.count == MessageIdentity.idLimit)
        #expect(facts.subject == "\\x1b[31m red")
    }

    @Test func everyOctetOfABodyCounts() {
        var body = [UInt8](repeating: 0x61, count: 70)
        var seen: Set<UInt64> = []
        func digest() -> UInt64 {
            var digest = ContentDigest()
            body.withUnsafeBytes { digest.add($0) }
            return digest.value
        }
        seen.insert(digest())
        for index in body.indices {
            body[index] = 0x62
            #expect(seen.insert(digest()).inserted)
            body[index] = 0x61
        }
        for count in 0..<70 {
            body = [UInt8](repeating: 0x61, count: count)
            #expect(seen.insert(digest()).inserted)
        }
        // Two words that trade places are two texts.
        body = Array(("12345678" + "abcdefgh" + "ABCDEFGH" + "87654321").utf8)
        let before = digest()
        body = Array(("abcdefgh" + "12345678" + "ABCDEFGH" + "87654321").utf8)
        #expect(digest() != before)
    }
}
