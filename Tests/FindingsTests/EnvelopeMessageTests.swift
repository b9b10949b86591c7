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
}
