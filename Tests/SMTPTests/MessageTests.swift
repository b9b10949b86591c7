// The delivered view of a message (R45, R46) and its date.

import Testing

@testable import SMTP

@Suite("Delivered view")
struct MessageTests {
    private func message(_ setUp: (inout Message) -> Void = { _ in }) -> Message {
        var message = Message(
            id: "A17", reversePath: ReversePath(address: Array("a@from.test".utf8)),
            recipients: [ForwardPath(address: Array("b@to.test".utf8))],
            content: Array("Received: older\r\nSubject: x\r\n\r\n\0body".utf8), helo: Array("client.test".utf8),
            client: "192.0.2.1", withProtocol: "ESMTPS", received_us: 1_893_456_000_000_000)
        setUp(&message)
        return message
    }

    private func view(_ message: Message) -> String {
        String(decoding: message.deliveredView(hostname: "mx.test"), as: UTF8.self)
    }

    @Test("R45, R46: Return-Path and Received stand on top, everything else is as it came")
    func golden() {
        #expect(
            view(message()) == """
                Return-Path: <a@from.test>\r
                Received: from client.test ([192.0.2.1])\r
                \tby mx.test (fakemx) with ESMTPS\r
                \tid A17\r
                \tfor <b@to.test>;\r
                \tTue, 1 Jan 2030 00:00:00 +0000\r
                Received: older\r
                Subject: x\r
                \r
                \0body
                """)
    }

    @Test("`for` stands only where there is a single recipient")
    func severalRecipients() {
        let text = view(message { $0.recipients.append(ForwardPath(address: Array("c@to.test".utf8))) })
        #expect(!text.contains("for <"))
        #expect(text.contains("\tid A17;\r\n\tTue"))
    }

    @Test("The null path, an IPv6 client, a Unix socket")
    func variants() {
        #expect(view(message { $0.reversePath.address = [] }).hasPrefix("Return-Path: <>\r\n"))
        #expect(view(message { $0.client = "2001:db8::1" }).contains("from client.test ([IPv6:2001:db8::1])\r\n"))
        #expect(view(message { $0.client = "fe80::1%eth0" }).contains("([IPv6:fe80::1])\r\n"))
        #expect(view(message { $0.client = "unix" }).contains("from client.test\r\n\tby"))
    }

    @Test("An EHLO name that is no domain cannot break the field")
    func hostileName() {
        #expect(view(message { $0.helo = Array("x (y); z".utf8) }).contains("from x??y???z ([192"))
        #expect(view(message { $0.helo = Array("[IPv6:::1]".utf8) }).contains("from [IPv6:::1] ([192"))
        #expect(view(message { $0.helo = [] }).contains("from unknown ([192"))
        #expect(view(message { $0.id = "a b;c" }).contains("\tid a?b?c\r\n"))
    }

    @Test(
        "Dates by arithmetic alone",
        arguments: [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"), (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"), (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 +0000"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000"), (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"), (-62_135_596_800, "Mon, 1 Jan 0001 00:00:00 +0000"),
        ] as [(Int64, String)])
    func dates(seconds: Int64, text: String) {
        #expect(CivilDate(seconds: seconds).mailDate == text)
    }

    @Test("The `with` value follows the session (RFC 3848, RFC 6531)")
    func withProtocol() throws {
        func with(_ text: String, tls: Bool) throws -> String {
            var trial = Trial(
                Session(
                    profile: Profile(hostname: "mx.test", authInClear: true), insideTLS: tls, keepsContent: false,
                    bodyCheckpoints: []))
            try trial.feed(Array(text.utf8))
            return trial.session.withProtocol
        }
        let auth = "AUTH PLAIN AGEAYg==\r\n"
        #expect(try with("HELO x\r\n", tls: false) == "SMTP")
        #expect(try with(ehlo, tls: false) == "ESMTP")
        #expect(try with(ehlo, tls: true) == "ESMTPS")
        #expect(try with(ehlo + auth, tls: false) == "ESMTPA")
        #expect(try with(ehlo + auth, tls: true) == "ESMTPSA")
        #expect(try with(ehlo + "MAIL FROM:<a@b> SMTPUTF8\r\n", tls: false) == "UTF8SMTP")
        #expect(try with(ehlo + auth + "MAIL FROM:<a@b> SMTPUTF8\r\n", tls: true) == "UTF8SMTPSA")
    }
}
