// What rspamd's symbols come to, and what is held against a sender for it.

import Findings
import SMTP
import Testing

@testable import Outside

@Suite struct VerdictTests {
    private func judged(_ symbols: [String: [String]], sender: String = "a@sender.example") -> Ledger {
        let message = MessageInput(
            content: Array("Subject: x\r\n\r\nx\r\n".utf8), reversePath: ReversePath(address: Array(sender.utf8)),
            recipients: [Array("b@any.test".utf8)], received_us: 0)
        var ledger = Ledger(settings: JudgingSettings(), session: "s1", isLocalPeer: false)
        MailVerdict(symbols).judge(message, helo: Array("mta1.sender.example".utf8), &ledger)
        return ledger
    }

    @Test(arguments: [
        ("R_SPF_ALLOW", RuleState.kept), ("R_SPF_FAIL", .broken), ("R_SPF_SOFTFAIL", .broken),
        ("R_SPF_NEUTRAL", .broken), ("R_SPF_NA", .broken), ("R_SPF_PERMFAIL", .broken),
        ("R_SPF_DNSFAIL", .notObserved), ("SOMETHING_ELSE", .notObserved),
    ])
    func policies(_ symbol: String, _ state: RuleState) {
        #expect(judged([symbol: []]).states[.spfFail] == state)
    }

    @Test func whoseRecordItWas() {
        #expect(judged(["R_SPF_FAIL": []]).findings.first?.saw == "SPF of sender.example: fail")
        #expect(judged(["R_SPF_FAIL": []], sender: "").findings.first?.saw == "SPF of mta1.sender.example: fail")
    }

    @Test(arguments: [
        ("DMARC_POLICY_ALLOW", RuleState.kept), ("DMARC_POLICY_REJECT", .broken), ("DMARC_POLICY_QUARANTINE", .broken),
        ("DMARC_POLICY_SOFTFAIL", .broken), ("DMARC_NA", .notObserved), ("DMARC_DNSFAIL", .notObserved),
    ])
    func alignment(_ symbol: String, _ state: RuleState) {
        #expect(judged([symbol: []]).states[.hdrFromNotAligned] == state)
    }

    @Test func signatures() {
        let good = judged(["R_DKIM_ALLOW": ["sender.example:s=one"]])
        #expect(good.states[.hdrDkimInvalid] == .kept)
        let bad = judged(["R_DKIM_REJECT": ["sender.example:s=one"], "R_DKIM_ALLOW": ["other.example:s=two"]])
        #expect(bad.states[.hdrDkimInvalid] == .broken)
        #expect(bad.findings.first?.saw == "the signature of sender.example does not verify")
        #expect(judged([:]).states[.hdrDkimInvalid] == .notObserved)
    }

    @Test func chains() {
        #expect(judged(["ARC_REJECT": []]).states[.hdrArcBroken] == .broken)
        #expect(judged(["ARC_ALLOW": []]).states[.hdrArcBroken] == .notObserved)
        #expect(judged(["ARC_NA": []]).states[.hdrArcBroken] == .notObserved)
    }

    @Test func ofThisMachineNobodyIsAsked() {
        let message = MessageInput(
            content: [], reversePath: ReversePath(address: []), recipients: [], received_us: 0)
        for client in ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "fd00::1", "not an address"] {
            #expect(MailQuestion(message, client: client, helo: []) == nil, "\(client)")
        }
        #expect(MailQuestion(message, client: "192.0.2.9", helo: []) != nil)
    }

    /// Or three of these in a row would look like one who does not answer.
    @Test func ofWhatIsTooLargeNobodyIsAsked() {
        var message = MessageInput(
            content: Array(repeating: 120, count: MailQuestion.largestMessage), reversePath: ReversePath(address: []),
            recipients: [], received_us: 0)
        #expect(MailQuestion(message, client: "192.0.2.9", helo: []) != nil)
        message.content.append(120)
        #expect(MailQuestion(message, client: "192.0.2.9", helo: []) == nil)
    }
}
