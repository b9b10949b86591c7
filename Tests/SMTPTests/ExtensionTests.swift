// The EHLO list, STARTTLS, AUTH, enhanced codes, hide and offer (R09, R54 to R58).

import Testing

@testable import SMTP

@Suite("Extensions")
struct ExtensionTests {
    @Test("The EHLO list has its order, and STARTTLS and AUTH where they belong")
    func list() {
        let clear = converse(ehlo).list
        #expect(
            clear == [
                "PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN",
                "ENHANCEDSTATUSCODES", "STARTTLS", "LIMITS RCPTMAX=1000 MAILMAX=999999", "HELP",
            ])
        let secure = converse(ehlo, insideTLS: true).list
        #expect(secure.contains("AUTH PLAIN LOGIN") && !secure.contains("STARTTLS"))
        #expect(converse(ehlo, profile { $0.authInClear = true }).list.contains("AUTH PLAIN LOGIN"))
        #expect(!converse(ehlo, profile { $0.tlsAvailable = false }).list.contains("STARTTLS"))
    }

    @Test("R09: each keyword that is hidden is gone from the list", arguments: Capability.allCases)
    func hiddenKeyword(capability: Capability) {
        let hidden = profile {
            $0.capabilities.remove(CapabilitySet(capability))
            $0.authInClear = true
        }
        let keywords = converse(ehlo, hidden).list.map { $0.split(separator: " ")[0] }
        #expect(!keywords.contains { $0 == capability.keyword })
        let others = Capability.allCases.filter { $0 != capability }.map(\.keyword)
        let dependents = capability == .chunking ? ["BINARYMIME"] : capability == .eightBitMIME ? ["SMTPUTF8"] : []
        #expect(Set(keywords.map(String.init)) == Set(others).subtracting(dependents))
    }

    @Test("Hidden commands are 502")
    func hiddenCommands() {
        let nothing = profile { $0.capabilities = [] }
        let heard = converse(ehlo + "STARTTLS\r\nAUTH PLAIN\r\nHELP\r\nBDAT 1\r\nx", nothing)
        #expect(heard.codes == "250 502 502 502 502")
        #expect(heard.replies[1] == "502 Command not implemented")
        #expect(converse(ehlo + "STARTTLS\r\n", profile { $0.tlsAvailable = false }).codes == "250 502")
    }

    @Test("Hidden PIPELINING and LIMITS change the list alone")
    func listOnly() {
        let hidden = profile {
            $0.capabilities.subtract([CapabilitySet(.pipelining), CapabilitySet(.limits)])
            $0.limits.recipients = 1
        }
        #expect(converse(envelope + rcpt + "DATA\r\n.\r\n", hidden).codes == "250 250 250 452 354 250")
    }

    @Test("R54: enhanced codes on every reply, or on none when they are hidden")
    func enhanced() {
        let said = "HELP\r\n" + envelope + "FROB\r\nDATA\r\nx\r\n.\r\nVRFY x\r\nRSET\r\nQUIT\r\n"
        for reply in converse(said).replies where !reply.hasPrefix("354") && !reply.hasPrefix("250-") {
            #expect(reply.contains(#/^[245]\d\d[ -][245]\.\d\.\d /#))
        }
        let plain = converse(said, profile { $0.capabilities.remove(CapabilitySet(.enhancedStatusCodes)) })
        for reply in plain.replies { #expect(!reply.contains(#/[245]\.\d\.\d/#)) }
    }

    @Test("hide and offer last for the session and undo each other")
    func hideAndOffer() throws {
        var session = Session(
            profile: Profile(hostname: "mx.test", tlsAvailable: false), insideTLS: false, keepsContent: false,
            bodyCheckpoints: [])
        var list = session.capabilities
        #expect(!list.contains(.auth) && !list.contains(.startTLS))
        session.offer([CapabilitySet(.auth), CapabilitySet(.startTLS)])
        session.hide(CapabilitySet(.size))
        list = session.capabilities
        #expect(list.contains(.auth) && list.contains(.startTLS) && !list.contains(.size))
        session.offer(CapabilitySet(.size))
        session.hide(CapabilitySet(.auth))
        list = session.capabilities
        #expect(list.contains(.size) && !list.contains(.auth))
        var trial = Trial(session)
        try trial.feed(Array((ehlo + "STARTTLS\r\n").utf8))
        #expect(trial.replies.last?.hasPrefix("454 4.7.0 ") == true)
    }

    @Test("R55: the handshake forgets everything that was said in clear")
    func startTLS() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: false, bodyCheckpoints: []))
        try trial.feed(Array((envelope + "STARTTLS\r\n").utf8))
        #expect(trial.replies.last == "220 2.0.0 Ready to start TLS")
        #expect(trial.happenings.last == .startTLS)
        let (helo, transaction, isTLS) = (trial.session.helo, trial.session.transaction, trial.session.isTLS)
        #expect(helo == nil && transaction == nil && isTLS)
        try trial.feed(Array((mail + ehlo + "STARTTLS\r\n" + mail).utf8))
        #expect(trial.codes.suffix(4) == ["503", "250", "503", "250"])
        #expect(!trial.replies[5].contains("STARTTLS"))
    }

    @Test("R55: a refused STARTTLS leaves the session in clear")
    func refusedStartTLS() {
        let heard = converse(ehlo + mail + "STARTTLS\r\n" + rcpt, rulings: [.starttls: [ruling(454, "4.7.0")]])
        #expect(heard.codes == "250 250 454 250")
    }

    @Test("A reply at tls is what every command but QUIT hears (RFC 3207 §4.1)")
    func refusedHandshake() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: false, bodyCheckpoints: []),
            rule: { $0 == .tls ? ruling(554, "5.7.3", "no certificate") : .proceed })
        try trial.feed(Array((ehlo + "STARTTLS\r\n").utf8))
        try trial.begin(.tls)
        try trial.feed(Array((ehlo + "NOOP\r\nQUIT\r\n").utf8))
        #expect(trial.replies.suffix(3) == ["554 5.7.3 no certificate", "554 5.7.3 no certificate", "221 2.0.0 Bye"])
    }

    // MARK: AUTH

    private let secure = "AGFsaWNlAHMzY3JldA=="  // NUL alice NUL s3cret

    @Test("R57: PLAIN with and without an initial response, LOGIN with and without one")
    func mechanisms() throws {
        let dialogues = [
            "AUTH PLAIN \(secure)\r\n", "AUTH PLAIN\r\n\(secure)\r\n", "auth login\r\nYWxpY2U=\r\nczNjcmV0\r\n",
            "AUTH LOGIN YWxpY2U=\r\nczNjcmV0\r\n",
        ]
        for dialogue in dialogues {
            var user: [UInt8]?
            var trial = Trial(
                Session(
                    profile: Profile(hostname: "mx.test"), insideTLS: true, keepsContent: false, bodyCheckpoints: []))
            try trial.feed(Array((ehlo + dialogue + "AUTH PLAIN\r\n" + mail).utf8))
            user = trial.session.user
            #expect(user == Array("alice".utf8))
            #expect(trial.codes.suffix(3) == ["235", "503", "250"])
            let with = trial.session.withProtocol
            #expect(with == "ESMTPSA")
            #expect(!trial.happenings.contains { $0.description.contains(secure) || $0.description.contains("czNj") })
        }
    }

    @Test("R57: what goes wrong in an exchange")
    func authErrors() {
        func codes(_ dialogue: String) -> String { converse(ehlo + dialogue, insideTLS: true).codes }
        #expect(codes("AUTH PLAIN\r\n*\r\n") == "250 334 501")
        #expect(codes("AUTH PLAIN\r\n!!!!\r\n") == "250 334 501")
        #expect(codes("AUTH PLAIN YQ\r\n") == "250 501")
        #expect(codes("AUTH PLAIN =\r\n") == "250 501")
        #expect(codes("AUTH PLAIN YWxpY2U=\r\n") == "250 501")
        #expect(codes("AUTH CRAM-MD5\r\n") == "250 504")
        #expect(codes("AUTH\r\n") == "250 501")
        #expect(codes("AUTH PLAIN a b\r\n") == "250 501")
        #expect(codes(mail + "AUTH PLAIN\r\n") == "250 250 503")
        #expect(converse("AUTH PLAIN\r\n", insideTLS: true).codes == "503")
        #expect(converse("HELO x\r\nAUTH PLAIN\r\n", insideTLS: true).codes == "250 503")
        #expect(converse(ehlo + "AUTH PLAIN\r\n").codes == "250 502")
    }

    @Test("R57: refused credentials leave nobody authenticated, and AUTH may be tried again")
    func refusedAuth() {
        let heard = converse(
            ehlo + "AUTH PLAIN \(secure)\r\nAUTH PLAIN \(secure)\r\n", insideTLS: true,
            rulings: [.auth: [ruling(535, "5.7.8")]])
        #expect(heard.codes == "250 535 235")
    }

    @Test("R57: a line of the exchange may have 12288 octets; a longer one is 500 5.5.6")
    func longAuthLines() {
        let long = String(repeating: "A", count: 12284)
        #expect(converse(ehlo + "AUTH PLAIN\r\n\(long)\r\nNOOP\r\n", insideTLS: true).codes == "250 334 501 250")
        let over = converse(ehlo + "AUTH PLAIN\r\n\(long)AAAA\r\nNOOP\r\n", insideTLS: true)
        #expect(over.codes == "250 334 500 250")
        #expect(over.replies[2].hasPrefix("500 5.5.6 "))
        let initial = String(repeating: "A", count: 8000)
        #expect(converse(ehlo + "AUTH LOGIN \(initial)\r\n", insideTLS: true).codes == "250 334")
        #expect(converse(ehlo + "AUTH LOGIN \(long)\r\n", insideTLS: true).last.hasPrefix("500 5.5.6 "))
    }

    @Test("Credentials never show: in the command, in the exchange, or behind a refused AUTH")
    func secrets() {
        let dialogues = [
            "AUTH PLAIN \(secure)\r\n", "AUTH PLAIN\r\n\(secure)\r\n", "AUTH XOAUTH2 \(secure)\r\n",
            "AUTH  PLAIN  \(secure)\r\n", "AUTH\tPLAIN\t\(secure)\r\n", "AUTH LOGIN\r\n!\r\n\(secure)\r\n",
            "AUTH CRAM-MD5\r\n\(secure)\r\n\(secure)\r\n", "auth: \(secure)\r\n", "AUTH\r\n\(secure)\r\n",
        ]
        for dialogue in dialogues {
            for insideTLS in [true, false] {
                let heard = converse(ehlo + dialogue + "NOOP\r\n", insideTLS: insideTLS)
                #expect(!heard.happenings.contains { $0.description.contains(secure) }, "\(dialogue)")
                #expect(heard.happenings.contains { $0.description.contains("NOOP") })
            }
        }
    }

    @Test("Base64 is strict")
    func base64() {
        func decode(_ text: String) -> [UInt8]? { Array(text.utf8).withUnsafeBytes { decodeBase64($0) } }
        #expect(decode("") == [])
        #expect(decode("Zm9vYmFy") == Array("foobar".utf8))
        #expect(decode("Zm9vYg==") == Array("foob".utf8))
        #expect(decode("Zm9vYmE=") == Array("fooba".utf8))
        for bad in ["Z", "Zg", "Zg=", "====", "Zg===", "Z===", "Zm9v YmF", "Zm=v", "Zm9v\u{1}mFy", "-_-_"] {
            #expect(decode(bad) == nil, "\(bad)")
        }
    }
}
