// Profiles: what each known server looks like, and that every one of them is still a server one can send mail to.

import Testing

@testable import SMTP

@Suite("Server styles")
struct ServerStyleTests {
    static let message = "DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\n"

    private func profile(_ style: ServerStyle) -> Profile {
        Profile(hostname: "mx.test", capabilities: style.capabilities, style: style)
    }

    private func profile(_ name: String) throws -> Profile { profile(try #require(ServerStyle.named(name))) }

    /// Greeting and all, from a client whose address is known.
    private func session(_ text: String, _ profile: Profile) throws -> [String] {
        var session = Session(profile: profile, insideTLS: false, keepsContent: true, bodyCheckpoints: [])
        session.client = "192.0.2.9"
        var trial = Trial(session, rule: { $0 == .endOfData ? .stored(id: "4Xy7-1") : .proceed })
        try trial.begin(.greeting)
        try trial.feed(Array(text.utf8))
        return trial.replies
    }

    @Test("Every profile has a name of its own and is found by it")
    func names() {
        #expect(Set(ServerStyle.names).count == ServerStyle.all.count)
        for style in ServerStyle.all { #expect(ServerStyle.named(style.name) == style) }
        #expect(ServerStyle.named("postfx") == nil)
        let wanted = [
            "modern", "rfc821", "minimal", "no-esmtp-extensions", "no-pipelining", "no-tls", "no-8bitmime", "postfix",
            "exim", "sendmail", "exchange", "gmail", "exchange-online", "outlook", "yahoo",
        ]
        #expect(ServerStyle.names == wanted)
    }

    @Test("Modern is what there is without a profile, octet for octet")
    func modern() throws {
        let said = "FROB\r\nMAIL FROM:<a@b>\r\n" + envelope + Self.message + "RSET\r\nNOOP\r\nVRFY x\r\nHELP\r\n" + quit
        #expect(profile(.modern) == Profile(hostname: "mx.test"))
        #expect(try session(said, profile(.modern)) == session(said, Profile(hostname: "mx.test")))
        #expect(profile(.modern).style == nil)
    }

    @Test("Every reply of every profile is well-formed", arguments: ServerStyle.all)
    func wellFormed(style: ServerStyle) {
        for hostname in ["mx.test", String(repeating: "a", count: 255)] {
            for capabilities in [style.capabilities, .all] {
                var profile = profile(style)
                profile.hostname = hostname
                profile.capabilities = capabilities
                var session = Session(profile: profile, insideTLS: false, keepsContent: false, bodyCheckpoints: [])
                session.client = "2001:db8:1234:1234:1234:1234:1234:1234"
                session.establishedName = Array(String(repeating: "h", count: 255).utf8)
                let long = Array(String(repeating: "ä", count: 127).utf8)
                session.transaction = Transaction(reversePath: ReversePath(address: long))
                session.transaction?.recipients = [ForwardPath(address: long)]
                var replies = StandardReply.allCases.map { session.standard($0) }
                replies += [
                    session.greetingReply(), session.heloReply(), session.ehloReply(), session.helpReply(),
                    session.queuedReply("abc\r\n250 forged"),
                ]
                for reply in replies {
                    #expect(replyFault(reply) == nil, "\(reply.text)")
                    #expect(!reply.text.contains("{"), "\(reply.text)")
                }
            }
        }
    }

    @Test("A reply keeps its meaning in every profile", arguments: ServerStyle.all)
    func meaning(style: ServerStyle) {
        let session = Session(profile: profile(style), insideTLS: false, keepsContent: false, bodyCheckpoints: [])
        for reply in StandardReply.allCases where reply != .notVerified && reply != .tooManyRecipients {
            let usual = reply.reply(status: true).code.value
            let said = session.standard(reply).code.value
            #expect(said / 100 == usual / 100, "\(reply)")
            if usual < 400 { #expect(said == usual, "\(reply)") }
        }
    }

    @Test("Whole and pipelined sessions deliver in every profile", arguments: ServerStyle.all)
    func delivers(style: ServerStyle) throws {
        let hello = style.speaksEHLO ? ehlo : "HELO client.test\r\n"
        let transaction = mail + rcpt + Self.message
        let replies = try session(hello + transaction + "RSET\r\nNOOP\r\n" + transaction + quit, profile(style))
        #expect(
            replies.map { String($0.prefix(3)) } == [
                "220", "250", "250", "250", "354", "250", "250", "250", "250", "250", "354", "250", "221",
            ])
        #expect(replies[0].hasPrefix("220 mx.test"))
    }

    @Test("Octet by octet a profile says the same", arguments: ServerStyle.all)
    func cuts(style: ServerStyle) throws {
        let said = Array((envelope + "HELO x\r\n" + mail + rcpt + Self.message + "FROB\r\n" + quit).utf8)
        var whole = Trial(Session(profile: profile(style), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        try whole.feed(said)
        var cut = Trial(Session(profile: profile(style), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        for octet in said { try cut.feed([octet]) }
        #expect(whole.replies == cut.replies)
    }

    @Test(
        "Each server has its list in its order",
        arguments: [
            ("postfix", "PIPELINING SIZE VRFY STARTTLS ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8 CHUNKING"),
            ("exim", "SIZE 8BITMIME PIPELINING CHUNKING STARTTLS SMTPUTF8 HELP"),
            ("sendmail", "ENHANCEDSTATUSCODES PIPELINING 8BITMIME SIZE DSN STARTTLS HELP"),
            ("exchange", "SIZE PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS 8BITMIME BINARYMIME CHUNKING SMTPUTF8"),
            ("gmail", "SIZE 8BITMIME STARTTLS ENHANCEDSTATUSCODES PIPELINING CHUNKING SMTPUTF8"),
            ("outlook", "SIZE PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS 8BITMIME BINARYMIME CHUNKING SMTPUTF8"),
            ("yahoo", "PIPELINING SIZE 8BITMIME STARTTLS"),
            ("minimal", "SIZE 8BITMIME"),
            ("no-esmtp-extensions", ""),
            (
                "no-pipelining",
                "SIZE 8BITMIME SMTPUTF8 CHUNKING BINARYMIME "
                    + "DSN ENHANCEDSTATUSCODES STARTTLS LIMITS HELP"
            ),
            ("no-tls", "PIPELINING SIZE 8BITMIME SMTPUTF8 CHUNKING BINARYMIME DSN ENHANCEDSTATUSCODES LIMITS HELP"),
            ("no-8bitmime", "PIPELINING SIZE CHUNKING DSN ENHANCEDSTATUSCODES STARTTLS LIMITS HELP"),
        ])
    func list(name: String, keywords: String) throws {
        let heard = converse(ehlo, try profile(name)).list.map { String($0.split(separator: " ")[0]) }
        #expect(heard.joined(separator: " ") == keywords)
    }

    @Test(
        "What is offered beyond the list follows it, and what is hidden is gone",
        arguments: ["postfix", "exim", "gmail", "yahoo", "minimal"])
    func hideAndOffer(name: String) throws {
        var profile = try profile(name)
        profile.authInClear = true
        profile.capabilities.formUnion(CapabilitySet([.auth, .limits]))
        profile.capabilities.remove(CapabilitySet(.size))
        let heard = converse(ehlo, profile).list
        #expect(!heard.contains { $0.hasPrefix("SIZE") })
        #expect(heard.contains("AUTH PLAIN LOGIN") && heard.last?.hasPrefix("LIMITS ") == true)
    }

    @Test("Rules at run time hide and offer on top of a profile")
    func runTime() throws {
        var session = Session(profile: try profile("gmail"), insideTLS: false, keepsContent: false, bodyCheckpoints: [])
        session.hide(CapabilitySet(.enhancedStatusCodes))
        session.offer(CapabilitySet(.dsn))
        var trial = Trial(session)
        try trial.feed(Array((ehlo + "MAIL FROM:<a@b> RET=HDRS\r\n").utf8))
        #expect(trial.replies[0].hasSuffix("250 DSN"))
        #expect(!trial.replies[0].contains("ENHANCED"))
        #expect(trial.replies[1].hasPrefix("250 OK ") && trial.replies[1].hasSuffix(" - gsmtp"))
    }

    @Test("Each server speaks in its words")
    func words() throws {
        let said = envelope + Self.message + "RSET\r\nQUIT\r\n"
        func heard(_ name: String) throws -> [String] {
            try session(said, profile(name)).map { String($0.split(separator: "\r\n")[0]) }
        }
        #expect(
            try heard("postfix") == [
                "220 mx.test ESMTP Postfix", "250-mx.test", "250 2.1.0 Ok", "250 2.1.5 Ok",
                "354 End data with <CR><LF>.<CR><LF>", "250 2.0.0 Ok: queued as 4Xy7-1", "250 2.0.0 Ok",
                "221 2.0.0 Bye",
            ])
        #expect(
            try heard("exim") == [
                "220 mx.test ESMTP Exim 4.96", "250-mx.test Hello client.test [192.0.2.9]", "250 OK", "250 Accepted",
                "354 Enter message, ending with \".\" on a line by itself", "250 OK id=4Xy7-1", "250 Reset OK",
                "221 mx.test closing connection",
            ])
        #expect(
            try heard("sendmail") == [
                "220 mx.test ESMTP Sendmail 8.17.1/8.17.1", "250-mx.test Hello [192.0.2.9], pleased to meet you",
                "250 2.1.0 <a@from.test>... Sender ok", "250 2.1.5 <b@to.test>... Recipient ok",
                "354 Enter mail, end with \".\" on a line by itself",
                "250 2.0.0 4Xy7-1 Message accepted for delivery", "250 2.0.0 Reset state",
                "221 2.0.0 mx.test closing connection",
            ])
        for name in ["exchange", "exchange-online", "outlook"] {
            var replies = try heard(name)
            let queued = replies.remove(at: 5)
            #expect(
                replies == [
                    "220 mx.test Microsoft ESMTP MAIL Service ready", "250-mx.test Hello [192.0.2.9]",
                    "250 2.1.0 Sender OK", "250 2.1.5 Recipient OK", "354 Start mail input; end with <CRLF>.<CRLF>",
                    "250 2.0.0 Resetting", "221 2.0.0 Service closing transmission channel",
                ])
            #expect(queued.hasPrefix("250 2.6.0 <4Xy7-1@mx.test> [InternalId="))
            #expect(queued.hasSuffix(", Hostname=mx.test] Queued mail for delivery"))
        }
        let gmail = try heard("gmail")
        #expect(gmail[0].wholeMatch(of: #/220 mx\.test ESMTP [0-9a-f]+si\d+ - gsmtp/#) != nil)
        #expect(gmail[1] == "250-mx.test at your service, [192.0.2.9]")
        #expect(gmail[2].wholeMatch(of: #/250 2\.1\.0 OK [0-9a-f]+si\d+ - gsmtp/#) != nil)
        #expect(gmail[4].hasPrefix("354 Go ahead "))
        #expect(gmail[5].wholeMatch(of: #/250 2\.0\.0 OK \d+ 4Xy7-1 - gsmtp/#) != nil)
        #expect(gmail[7].hasPrefix("221 2.0.0 closing connection "))
        #expect(
            try heard("yahoo") == [
                "220 mx.test ESMTP ready", "250-mx.test", "250 sender <a@from.test> ok", "250 recipient <b@to.test> ok",
                "354 go ahead", "250 ok dirdel", "250 reset", "221 mx.test",
            ])
    }

    @Test("Without a known address a server does not invent one")
    func noAddress() throws {
        #expect(converse(ehlo, try profile("exim")).replies[0].hasPrefix("250-mx.test Hello client.test\r\n"))
        #expect(
            converse(ehlo, try profile("gmail")).replies[0].hasPrefix("250-mx.test at your service, client.test\r\n"))
    }

    @Test("RFC 821: EHLO is unknown, HELO works")
    func heloOnly() throws {
        let heard = converse(ehlo + mail + "HELO client.test\r\n" + mail + rcpt + Self.message, try profile("rfc821"))
        #expect(heard.codes == "500 503 250 250 250 354 250")
        #expect(heard.replies[0] == "500 Syntax error, command unrecognized")
        #expect(heard.replies[2] == "250 mx.test")
        #expect(heard.texts == ["Subject: x\r\n\r\nhello\r\n"])
        #expect(heard.phases == [.greeting, .ehlo, .mail, .rcpt, .data, .endOfData])
    }

    @Test(
        "RFC 821: no parameter is taken",
        arguments: [
            "MAIL FROM:<a@b> BODY=8BITMIME", "MAIL FROM:<a@b> SIZE=1", "MAIL FROM:<a@b> RET=FULL",
            "MAIL FROM:<a@b> SMTPUTF8",
        ])
    func noParameters(line: String) throws {
        #expect(converse("HELO c\r\n\(line)\r\n", try profile("rfc821")).codes == "250 555")
        let rcpt = converse("HELO c\r\n" + mail + "RCPT TO:<a@b> NOTIFY=NEVER\r\n", try profile("rfc821"))
        #expect(rcpt.codes == "250 250 555")
    }

    @Test("RFC 821: no command of an extension, and no enhanced code")
    func noExtensions() throws {
        let said = "HELO c\r\nSTARTTLS\r\nAUTH PLAIN\r\nBDAT 1\r\nxHELP\r\nVRFY x\r\nNOOP\r\nFROB\r\nQUIT\r\n"
        let heard = converse(said, try profile("rfc821"))
        #expect(heard.codes == "250 500 500 500 214 502 250 500 221")
        for reply in heard.replies { #expect(!reply.contains(#/[245]\.\d\.\d/#)) }
    }

    @Test("What a profile leaves out behaves as not there")
    func leftOut() throws {
        #expect(converse(ehlo + "STARTTLS\r\n", try profile("no-tls")).codes == "250 502")
        #expect(converse(ehlo + "MAIL FROM:<a@b> BODY=8BITMIME\r\n", try profile("no-8bitmime")).codes == "250 555")
        #expect(converse(ehlo, try profile("no-esmtp-extensions")).replies == ["250 mx.test"])
        let bare = converse(ehlo + "MAIL FROM:<a@b> SIZE=3\r\n" + mail, try profile("no-esmtp-extensions"))
        #expect(bare.codes == "250 555 250")
        #expect(bare.replies[2] == "250 Ok")
    }

    @Test("The same is said to the same, and the number names the message")
    func repeatable() throws {
        let session = Session(
            profile: try profile("gmail"), insideTLS: false, keepsContent: false, bodyCheckpoints: [])
        #expect(session.greetingReply() == session.greetingReply())
        #expect(session.queuedReply("a") == session.queuedReply("a"))
        #expect(session.queuedReply("a") != session.queuedReply("b"))
    }
}
