// The envelope against the message.

import Findings
import SMTP
import Testing

@Suite struct EnvelopeMessageTests {
    private static let text = "From: a@sender.example\r\nSubject: hello\r\n\r\nHello\r\n"

    private func findings(
        _ content: String, padding: Int = 0, offer: TraceOffer = TraceOffer(), _ path: ReversePath
    ) -> RuleStates {
        var input = MessageInput(
            content: Array(content.utf8) + [UInt8](repeating: 0x78, count: padding), reversePath: path,
            recipients: [Array("b@any.test".utf8)], received_us: 0)
        input.offer = offer
        input.message = "s1.1"
        return Judge.judge(
            SessionTrace(Talk.clean().log), [input], Circumstances(), JudgingSettings(profile: .strict)
        ).states
    }

    private static let sender = Array("a@sender.example".utf8)

    @Test func sizeIsNotUnderstated() {
        let count = Self.text.utf8.count
        #expect(findings(Self.text, ReversePath(address: Self.sender, size: count - 1))[.sizeUnderstated] == .broken)
        #expect(findings(Self.text, ReversePath(address: Self.sender, size: count))[.sizeUnderstated] == .kept)
        #expect(findings(Self.text, ReversePath(address: Self.sender))[.sizeUnderstated] == .notObserved)
    }

    @Test func largeMessagesDeclareTheirSize() {
        var offer = TraceOffer()
        offer.isExtended = true
        let path = ReversePath(address: Self.sender)
        let padding = 65_536 - Self.text.utf8.count
        #expect(findings(Self.text, padding: padding + 1, offer: offer, path)[.sizeNotDeclared] == .notObserved)
        offer.keywords = ["SIZE": ["100000"]]
        #expect(findings(Self.text, padding: padding, offer: offer, path)[.sizeNotDeclared] == .notObserved)
        #expect(findings(Self.text, padding: padding + 1, offer: offer, path)[.sizeNotDeclared] == .broken)
        let declared = ReversePath(address: Self.sender, size: 70_000)
        #expect(findings(Self.text, padding: padding + 1, offer: offer, declared)[.sizeNotDeclared] == .kept)
        #expect(findings(Self.text, padding: 100_000, offer: offer, declared)[.sizeOverLimit] == .broken)
        #expect(findings(Self.text, padding: padding + 1, offer: offer, declared)[.sizeOverLimit] == .kept)
    }

    @Test func eightBitContentIsMIME() {
        let path = ReversePath(address: Self.sender, body: .eightBitMIME)
        #expect(findings("Subject: x\r\n\r\nGrüße\r\n", path)[.body8bitmimeWithoutMime] == .broken)
        #expect(findings(Self.text, path)[.body8bitmimeWithoutMime] == .notObserved)
        let plain = ReversePath(address: Self.sender, body: .sevenBit)
        #expect(findings("Subject: x\r\n\r\nGrüße\r\n", plain)[.body8bitmimeWithoutMime] == .notObserved)
    }

    // MARK: What needs the header

    /// The scan finds header fields.
    private static let readsFields = Array("A: b\r\n\r\n".utf8).withUnsafeBufferPointer {
        !MessageScan($0).fields.isEmpty
    }

    @Test(.enabled(if: readsFields)) func eightBitContentOfMIMEIsKept() {
        let path = ReversePath(address: Self.sender, body: .eightBitMIME)
        let text = "MIME-version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n"
        #expect(findings(text, path)[.body8bitmimeWithoutMime] == .kept)
    }

    @Test(.enabled(if: readsFields)) func smtpUTF8IsNeeded() {
        let path = ReversePath(address: Self.sender, smtpUTF8: true)
        #expect(findings(Self.text, path)[.smtputf8Needless] == .broken)
        #expect(findings("Subject: x\r\n\r\nGrüße\r\n", path)[.smtputf8Needless] == .broken)
        #expect(findings("Subject: Grüße\r\n\r\nx\r\n", path)[.smtputf8Needless] == .kept)
        let name = ReversePath(address: Array("ä@sender.example".utf8), smtpUTF8: true)
        #expect(findings(Self.text, name)[.smtputf8Needless] == .kept)
        #expect(findings(Self.text, ReversePath(address: Self.sender))[.smtputf8Needless] == .notObserved)
    }

    @Test(.enabled(if: readsFields)) func theNullReversePathIsForNotifications() {
        let null = ReversePath(address: [])
        #expect(findings(Self.text, null)[.nullSenderOrdinaryMail] == .broken)
        #expect(findings("Auto-Submitted: no\r\n" + Self.text, null)[.nullSenderOrdinaryMail] == .broken)
        for field in [
            "Auto-Submitted: auto-replied (vacation)", "From: MAILER-DAEMON@sender.example",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        ] {
            #expect(findings("\(field)\r\n\r\nx\r\n", null)[.nullSenderOrdinaryMail] == .kept, "\(field)")
        }
        #expect(
            findings(Self.text, ReversePath(address: Self.sender))[.nullSenderOrdinaryMail] == .notObserved)
    }
}
