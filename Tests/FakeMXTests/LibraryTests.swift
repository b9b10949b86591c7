// The library itself: what it refuses and how, what a failed wait says, spaces, scopes, stopping.

import FakeMX
import Testing

@Suite("FakeMX", .timeLimit(.minutes(1)))
struct LibraryTests {
    /// The text of the `FakeMXError` that is thrown.
    private func complaint(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "nothing was thrown"
        } catch let error as FakeMXError { return error.description } catch { return "another error: \(error)" }
    }

    @Test("options that are wrong are said by the flag")
    func options() async {
        var options = FakeMX.Options()
        options.flags = [("profil", "postfix")]
        #expect(await complaint { _ = try await FakeMX.start(options) }.contains("did you mean \"profile\"?"))
        options.flags = [("profile", "postfix"), ("store", "nowhere/at/all/x.db")]
        #expect(await complaint { _ = try await FakeMX.start(options) }.contains("store"))
        options = FakeMX.Options()
        options.rules = ["rctp: 550"]
        #expect(await complaint { _ = try await FakeMX.start(options) }.contains("did you mean \"rcpt\"?"))
        options = FakeMX.Options()
        options.smtp = ["127.0.0.1:99999"]
        #expect(await complaint { _ = try await FakeMX.start(options) }.contains("99999"))
    }

    @Test("what was found in a session is told for it, in the list, by a wait, and in the report")
    func findings() async throws {
        try await FakeMX.withSink { sink in
            let sender = Sender(port: sink.smtpPort)
            try await sender.send(to: ["ann@any.test"], text: "bare\nline")
            let session = try await sink.nextSession()
            let found = try await sink.findings(of: session)
            let bare = try #require(found.first { $0.rule == "data-bare-lf" })
            #expect(bare.session == session.id && bare.message == "\(session.id).1" && bare.range != nil)
            #expect(!bare.why.isEmpty && !bare.fix.isEmpty && !bare.citation.isEmpty)
            #expect(try await sink.findings(["finding": "data-bare-lf"]) == [bare])
            #expect(try await sink.nextFinding(["finding": "data-bare-*"]) == "data-bare-lf")
            #expect(try await sink.sessions(["finding": "data-bare-lf"]).map(\.id) == [session.id])
            #expect(try await sink.report("markdown").contains("data-bare-lf"))
            #expect(await complaint { _ = try await sink.report("markdwn") }.contains("did you mean \"markdown\"?"))
            try await sink.reset()
            #expect(try await sink.findings().isEmpty)
        }
    }

    @Test("a port that is taken is named")
    func taken() async throws {
        try await FakeMX.withSink { sink in
            var options = FakeMX.Options()
            options.smtp = ["127.0.0.1:\(sink.smtpPort)"]
            #expect(await complaint { _ = try await FakeMX.start(options) }.contains("127.0.0.1:\(sink.smtpPort)"))
        }
    }

    @Test("listeners, HTTP, rules and other flags of the options are there")
    func started() async throws {
        var options = FakeMX.Options()
        options.smtp = ["127.0.0.1:0", "127.0.0.2:0"]
        options.http = "127.0.0.1:0"
        options.rules = ["greeting name=busy: 421 4.3.2 Busy"]
        options.flags = [("hostname", "mx.example.test")]
        try await FakeMX.withSink(options) { sink in
            #expect(sink.addresses.count == 2)
            #expect(sink.addresses[1].hasPrefix("127.0.0.2:"))
            #expect(sink.url?.hasPrefix("http://127.0.0.1:") == true)
            let replies = try await Sender(port: sink.smtpPort).converse(["QUIT"])
            #expect(replies.first == "421 4.3.2 Busy")
            #expect(sink.hits(ofRule: "busy") == 1)
        }
    }

    @Test("rules that are wrong are refused with what is wrong, and none is set")
    func rules() async throws {
        try await FakeMX.withSink { sink in
            #expect(await complaint { try await sink.rule("rctp: 550") }.contains("did you mean \"rcpt\"?"))
            #expect(await complaint { try await sink.rule("mail to=a@b: 550 x") }.contains("to"))
            #expect(await complaint { try await sink.rule("rcpt: use gmail/no-such") }.contains("gmail/no-such"))
            try await sink.rule("rcpt name=full: 452 4.2.2 Full")
            #expect(await complaint { try await sink.rule("rcpt name=full: 550 x") }.contains("\"full\""))
            #expect(sink.hits(ofRule: "full") == 0)
            try await sink.removeRule("full")
            #expect(sink.hits(ofRule: "full") == nil)
            #expect(await complaint { try await sink.removeRule("full") }.contains("\"full\""))
        }
    }

    @Test("a rule with a lifetime goes")
    func lifetime() async throws {
        try await FakeMX.withSink { sink in
            let rule = try await sink.rule("rcpt: 452 4.2.2 Full", lifetime: .milliseconds(50))
            let sender = Sender(port: sink.smtpPort)
            var reply: String?
            while reply?.hasPrefix("250") != true { reply = try await sender.send(to: ["a@any.test"]) }
            #expect(sink.hits(ofRule: rule) == nil)
        }
    }

    @Test("a wait that fails says what came in its place")
    func instead() async throws {
        try await FakeMX.withSink { sink in
            let nothing = await complaint { _ = try await sink.nextMessage(timeout: .milliseconds(50)) }
            #expect(nothing.contains("no message in 0.05 seconds; in its place:\n  no session ended"))
            try await sink.rule("rcpt: 550 5.1.1 No such user")
            try await Sender(port: sink.smtpPort).send(to: ["bob@any.test"])
            let text = await complaint {
                _ = try await sink.nextMessage(["to": "bob@any.test"], timeout: .milliseconds(200))
            }
            #expect(text.contains("no message to=bob@any.test in 0.2 seconds"))
            #expect(text.contains("<shop@shop.example> to <bob@any.test>: rejected at rcpt: 550 5.1.1 No such user"))
            #expect(text.contains("fired 1 of 1 times"))
        }
    }

    @Test("what must not come, and does, fails at once")
    func absent() async throws {
        try await FakeMX.withSink { sink in
            try await sink.noSession(within: .milliseconds(50))
            try await Sender(port: sink.smtpPort).send(to: ["bob@any.test"])
            let start = ContinuousClock.now
            #expect(
                await complaint { try await sink.noMessage(within: .seconds(20)) }.contains(
                    "a message came that must not"))
            #expect(await complaint { try await sink.noSession(within: .seconds(20)) }.contains("accepted"))
            #expect(ContinuousClock.now - start < .seconds(10))
            try await sink.noReject(within: .milliseconds(50))
        }
    }

    @Test("a filter that is wrong is said, not waited for")
    func filters() async throws {
        try await FakeMX.withSink { sink in
            #expect(await complaint { _ = try await sink.nextSession(["verdikt": "lost"]) }.contains("verdict"))
            #expect(await complaint { _ = try await sink.nextSession(["verdict": "gone"]) }.contains("gone"))
        }
    }

    @Test("next gives each once, in order; another space sees none of them, and reset forgets")
    func spaces() async throws {
        try await FakeMX.withSink { sink in
            let mine = try sink.space("Mine")
            let other = try sink.space("other")
            let sender = Sender(port: sink.smtpPort)
            for number in 1...3 { try await sender.send(to: [mine.address("n\(number)")]) }
            for number in 1...3 { #expect(try await mine.nextMessage().to == ["n\(number)@mine.test"]) }
            try await mine.noMessage(within: .milliseconds(50))
            try await other.noSession(within: .milliseconds(50))
            #expect(try await sink.messages().count == 3)
            try await other.reset()
            #expect(try await mine.messages().count == 3)
            try await mine.reset()
            #expect(try await sink.messages().isEmpty)
            try await sender.send(to: ["bob+mine@shop.example"])
            #expect(try await mine.nextMessage().to == ["bob+mine@shop.example"])
            #expect(await complaint { _ = try sink.space("a.b") }.contains("\"a.b\""))
        }
    }

    @Test("a message has its octets, its header and its session's transcript")
    func message() async throws {
        try await FakeMX.withSink { sink in
            try await Sender(port: sink.smtpPort).send(
                to: ["bob@any.test"], subject: "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", text: "..dot")
            let message = try await sink.nextMessage(["subject": "Gr*"])
            #expect(message.text == "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n.dot\r\n")
            #expect(message.header("subject") == ["Grüße"])
            let transcript = try await sink.transcript(ofSession: message.session)
            #expect(transcript?.contains("RCPT TO:<bob@any.test>") == true)
            #expect(try await sink.transcript(ofSession: "s999") == nil)
        }
    }

    @Test("a wait ends when its task is cancelled")
    func cancelled() async throws {
        try await FakeMX.withSink { sink in
            let waiting = Task { try await sink.nextSession(timeout: .seconds(60)) }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let absent = Task { try await sink.noSession(within: .seconds(60)) }
            absent.cancel()
            await #expect(throws: CancellationError.self) { try await absent.value }
        }
    }

    @Test("stop ends it once and for all; whoever waits is told")
    func stopped() async throws {
        let sink = try await FakeMX.start()
        let waiting = Task { try await sink.nextSession(timeout: .seconds(30)) }
        let start = ContinuousClock.now
        await sink.stop()
        await sink.stop()
        #expect(await complaint { _ = try await waiting.value }.contains("the sink was stopped"))
        #expect(await complaint { try await sink.noSession(within: .seconds(20)) }.contains("the sink was stopped"))
        #expect(ContinuousClock.now - start < .seconds(20))
        await #expect(throws: SenderError.self) { try await Sender(port: sink.smtpPort).send(to: ["a@any.test"]) }
    }

    @Test("withSink stops the sink when its body throws")
    func scope() async throws {
        struct Trouble: Error { let port: Int }
        var port: Int?
        do {
            try await FakeMX.withSink { sink -> Void in throw Trouble(port: sink.smtpPort) }
        } catch let trouble as Trouble { port = trouble.port }
        let sender = Sender(port: try #require(port))
        await #expect(throws: SenderError.self) { try await sender.converse(["QUIT"]) }
    }
}
