// Envelope and extensions on MAIL and RCPT (R27 to R36, R48, R49, R52, R53, R59).

import Testing

@testable import SMTP

@Suite("Envelope")
struct EnvelopeTests {
    private func mailCode(_ argument: String, _ profile: Profile = Profile(hostname: "mx.test")) -> String {
        let heard = converse(ehlo + "MAIL FROM:\(argument)\r\n", profile)
        return String(heard.last.prefix(9))
    }

    private func rcptCode(_ argument: String, _ profile: Profile = Profile(hostname: "mx.test")) -> String {
        let heard = converse(ehlo + mail + "RCPT TO:\(argument)\r\n", profile)
        return String(heard.last.prefix(9))
    }

    @Test("R27: the null path is accepted as the sender, not as a recipient")
    func nullPath() {
        #expect(mailCode("<>") == "250 2.1.0")
        #expect(mailCode("<> SIZE=1") == "250 2.1.0")
        #expect(rcptCode("<>") == "501 5.1.3")
    }

    @Test("R28: Postmaster is accepted without a domain, in any case")
    func postmaster() {
        for text in ["<Postmaster>", "<postmaster>", "<POSTMASTER>", "<postmaster@mx.test>"] {
            #expect(rcptCode(text) == "250 2.1.5")
        }
        #expect(mailCode("<postmaster>") == "501 5.1.7")
        #expect(rcptCode("<hostmaster>") == "501 5.1.3")
    }

    @Test("R29: of a source route the mailbox stays")
    func sourceRoute() {
        let heard = converse(ehlo + mail + "RCPT TO:<@a.example,@d.example:b@c.example>\r\nDATA\r\n.\r\n")
        #expect(heard.envelopes.first?.recipients.first?.address == Array("b@c.example".utf8))
    }

    @Test("R32: beyond the limit 452, those before are kept, and DATA works")
    func recipientLimit() {
        let three = profile { $0.limits.recipients = 3 }
        let heard = converse(ehlo + mail + rcpt + rcpt + rcpt + rcpt + rcpt + "DATA\r\n.\r\n", three)
        #expect(heard.codes == "250 250 250 250 250 452 452 354 250")
        #expect(heard.replies[5].hasPrefix("452 4.5.3 "))
        #expect(heard.envelopes.first?.recipients.count == 3)
    }

    @Test("R32: 1000 recipients by default, and limits are no errors of the client")
    func manyRecipients() {
        let heard = converse(ehlo + mail + String(repeating: rcpt, count: 1500) + "DATA\r\n.\r\n")
        #expect(heard.envelopes.first?.recipients.count == 1000)
        #expect(heard.replies.count { $0.hasPrefix("452") } == 500)
        #expect(heard.last.hasPrefix("250 2.0.0"))
    }

    @Test("R33: what is not known or not offered is 555")
    func unknownParameters() {
        #expect(mailCode("<a@b> FOO=1") == "555 5.5.4")
        #expect(mailCode("<a@b> X-Y") == "555 5.5.4")
        #expect(mailCode("<a@b> NOTIFY=NEVER") == "555 5.5.4")
        #expect(rcptCode("<a@b> SIZE=1") == "555 5.5.4")
        #expect(mailCode("<a@b> AUTH=<>") == "555 5.5.4")
        #expect(mailCode("<a@b> AUTH=<>", profile { $0.authInClear = true }) == "250 2.1.0")
        #expect(mailCode("<a@b> AUTH=e+3Dmc2@example.com", profile { $0.authInClear = true }) == "250 2.1.0")
    }

    @Test(
        "What is hidden behaves as not offered",
        arguments: [
            (Capability.size, "SIZE=1"), (.eightBitMIME, "BODY=8BITMIME"), (.eightBitMIME, "BODY=7BIT"),
            (.smtpUTF8, "SMTPUTF8"), (.dsn, "RET=FULL"), (.dsn, "ENVID=x"), (.eightBitMIME, "SMTPUTF8"),
        ])
    func hiddenParameters(capability: Capability, parameter: String) {
        let hidden = profile { $0.capabilities.remove(CapabilitySet(capability)) }
        #expect(mailCode("<a@b> \(parameter)", hidden) == "555 5.5.4")
        #expect(mailCode("<a@b> \(parameter)") == "250 2.1.0")
    }

    @Test(
        "Malformed and double parameters are 501",
        arguments: [
            "SIZE", "SIZE=", "SIZE=x", "SIZE=-1", "SIZE=123456789012345678901", "SIZE=1 SIZE=1", "BODY", "BODY=",
            "BODY=9BIT", "BODY=7BIT BODY=7BIT", "SMTPUTF8=", "SMTPUTF8=1", "SMTPUTF8 SMTPUTF8", "RET", "RET=NO",
            "RET=FULL RET=FULL", "ENVID", "ENVID=", "ENVID=a+", "ENVID=a+2b", "ENVID=a+2", "ENVID=a=b",
            "ENVID=x ENVID=x", "=1", "FOO?=1", "-A=1", "SIZE =1", "FOO=\u{1}",
        ])
    func malformed(parameter: String) {
        #expect(mailCode("<a@b> \(parameter)") == "501 5.5.4")
    }

    @Test("A refused MAIL leaves no transaction")
    func refusedMail() {
        #expect(converse(ehlo + "MAIL FROM:<a@b> FOO\r\n" + rcpt).codes == "250 555 503")
        #expect(
            converse(ehlo + mail + rcpt + mail, rulings: [.mail: [ruling(550, "5.1.8")]]).codes == "250 550 503 250")
        #expect(converse(ehlo + mail + rcpt, rulings: [.mail: [.silence]]).codes == "250 503")
    }

    @Test("A refused RCPT adds nobody; one that is accepted with another 2yz does")
    func refusedRecipient() {
        let heard = converse(
            envelope + rcpt + rcpt + "DATA\r\n.\r\n",
            rulings: [.rcpt: [ruling(550, "5.1.1"), ruling(251, "2.1.5"), .silence]])
        #expect(heard.codes == "250 250 550 251 354 250")
        #expect(heard.envelopes.first?.recipients.count == 1)
        #expect(converse(envelope + "DATA\r\n", rulings: [.rcpt: [ruling(450)]]).last.hasPrefix("503 5.5.1 No valid"))
    }

    @Test("R48: BODY and its values; BINARYMIME needs CHUNKING")
    func body() {
        #expect(mailCode("<a@b> BODY=BINARYMIME") == "250 2.1.0")
        #expect(
            mailCode("<a@b> BODY=BINARYMIME", profile { $0.capabilities.remove(CapabilitySet(.chunking)) })
                == "501 5.5.4")
        #expect(
            mailCode("<a@b> BODY=BINARYMIME", profile { $0.capabilities.remove(CapabilitySet(.binaryMIME)) })
                == "501 5.5.4")
        #expect(
            mailCode("<a@b> BODY=BINARYMIME", profile { $0.capabilities.remove(CapabilitySet(.eightBitMIME)) })
                == "250 2.1.0")
    }

    @Test("R49: a size above the limit is refused at MAIL, one of twenty digits too")
    func declaredSize() {
        let small = profile { $0.limits.messageSize = 1000 }
        #expect(mailCode("<a@b> SIZE=1000", small) == "250 2.1.0")
        #expect(mailCode("<a@b> SIZE=1001", small) == "552 5.3.4")
        #expect(mailCode("<a@b> SIZE=99999999999999999999") == "552 5.3.4")
        #expect(converse(ehlo, small).list.contains("SIZE 1000"))
        #expect(converse(ehlo, profile { $0.limits.messageSize = 0 }).list.contains("SIZE 0"))
    }

    @Test("R52: the parameters of DSN reach the envelope")
    func dsn() {
        let heard = converse(
            ehlo
                + "MAIL FROM:<a@b> RET=HDRS ENVID=QQ+2B314\r\n"
                + "RCPT TO:<c@d> NOTIFY=SUCCESS,delay ORCPT=rfc822;c@d+3D\r\n"
                + "RCPT TO:<e@f> NOTIFY=NEVER\r\nDATA\r\n.\r\n")
        let first = heard.envelopes.first
        #expect(first?.reversePath.returnContent == .headers)
        #expect(first?.reversePath.envelopeID == Array("QQ+2B314".utf8))
        #expect(first?.recipients.first?.notify == [.success, .delay])
        #expect(first?.recipients.first?.originalRecipient == Array("rfc822;c@d+3D".utf8))
        #expect(first?.recipients.last?.notify == Notify.never)
        let long = String(repeating: "e", count: 100)
        #expect(mailCode("<a@b> ENVID=\(long)") == "250 2.1.0")
        #expect(rcptCode("<a@b> ORCPT=rfc822;\(String(repeating: "e", count: 500))") == "250 2.1.5")
        #expect(rcptCode("<a@b> NOTIFY=NEVER", profile { $0.capabilities.remove(CapabilitySet(.dsn)) }) == "555 5.5.4")
    }

    @Test(
        "R52: bad or double parameters of RCPT are 501",
        arguments: [
            "NOTIFY", "NOTIFY=", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,", "NOTIFY=X", "NOTIFY=NEVER NOTIFY=NEVER",
            "ORCPT", "ORCPT=", "ORCPT=rfc822", "ORCPT=rfc822;", "ORCPT=;x", "ORCPT=r f;x", "ORCPT=rfc822;a+2",
            "ORCPT=rfc822;\u{e9}", "ORCPT=rfc822;a ORCPT=rfc822;a",
        ])
    func badDSN(parameter: String) {
        #expect(rcptCode("<a@b> \(parameter)").hasPrefix("501 5.5.4"))
    }

    @Test("R53: non-ASCII paths need the parameter SMTPUTF8 on MAIL")
    func smtpUTF8() {
        #expect(mailCode("<\u{fc}@x.test>") == "553 5.6.7")
        #expect(mailCode("<\u{fc}@x.test> SMTPUTF8") == "250 2.1.0")
        #expect(rcptCode("<\u{fc}@x.test>") == "553 5.6.7")
        let heard = converse(ehlo + "MAIL FROM:<a@b> SMTPUTF8\r\nRCPT TO:<\u{fc}@x.test> ORCPT=utf-8;\u{fc}@x.test\r\n")
        #expect(heard.codes == "250 250 250")
        let hidden = profile { $0.capabilities.remove(CapabilitySet(.smtpUTF8)) }
        #expect(mailCode("<\u{fc}@x.test>", hidden) == "501 5.1.7")
        #expect(rcptCode("<\u{fc}@x.test>", hidden) == "501 5.1.3")
        #expect(
            converse(octets: Array((ehlo + "MAIL FROM:<").utf8) + [0xff] + Array("@b> SMTPUTF8\r\n".utf8)).codes
                == "250 501")
    }

    @Test("R53: VRFY takes UTF-8 with the parameter")
    func verifyUTF8() {
        #expect(
            converse(ehlo + "VRFY \u{fc}\r\nVRFY \u{fc} SMTPUTF8\r\nVRFY a SMTPUTF8\r\n").codes == "250 553 252 252")
    }

    @Test("R59: LIMITS announces what is enforced, MAILMAX by 452")
    func limits() {
        let few = profile {
            $0.limits.recipients = 3
            $0.limits.transactions = 2
        }
        let message = mail + rcpt + "DATA\r\n.\r\n"
        let heard = converse(ehlo + message + message + message, few)
        #expect(heard.list.contains("LIMITS RCPTMAX=3 MAILMAX=2"))
        #expect(heard.codes == "250 250 250 354 250 250 250 354 250 452 503 503 500")
        // RFC 9422 §4: six digits at most.
        #expect(converse(ehlo).list.contains("LIMITS RCPTMAX=1000 MAILMAX=999999"))
    }
}
