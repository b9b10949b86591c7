// Commands that a learner can paste: nothing in them means anything to a shell but what it should.

import Lessons
import Testing

@Suite struct HandsTests {
    private func commands(_ change: (inout Send) -> Void = { _ in }) -> [HandCommand] {
        var send = Send(
            helo: "a.test", from: "a@a.test", to: ["b@b.test", "c@c.test"],
            message: "Subject: it's $(me)\nDate: {date}\n\n.\n")
        change(&send)
        return Hands.commands(send, host: "127.0.0.1", port: 2525, date: "today", id: "1@a.test")
    }

    @Test func linesAreTypedWithDotsDoubled() {
        #expect(commands()[0].command == "nc -C 127.0.0.1 2525")
        #expect(
            commands()[0].type == [
                "EHLO a.test", "MAIL FROM:<a@a.test>", "RCPT TO:<b@b.test>", "RCPT TO:<c@c.test>", "DATA",
                "Subject: it's $(me)", "Date: today", "", "..", ".", "QUIT",
            ])
    }

    @Test func aShellTakesNothingOutOfTheMessage() {
        #expect(
            commands()[1].command == "swaks --server 127.0.0.1:2525 --helo a.test --from a@a.test "
                + "--to b@b.test,c@c.test --data 'Subject: it'\\''s $(me)\\nDate: %DATE%\\n\\n.'")
    }

    @Test func tlsNeedsAnotherTool() {
        let commands = commands { $0.tls = .must }
        #expect(commands.map(\.tool) == ["openssl", "swaks"])
        #expect(commands[0].command == "openssl s_client -starttls smtp -crlf -quiet -connect 127.0.0.1:2525")
        #expect(commands[1].command.contains(" --tls "))
    }

    @Test func swaksStopsWhereTheLinesDo() {
        let commands = commands { $0.lines = [SpokenLine("EHLO a.test"), SpokenLine("QUIT")] }
        #expect(commands[1].command.hasSuffix("--quit-after EHLO"))
        let bot = self.commands { $0.lines = [SpokenLine("HELO x", waits: false)] }
        #expect(bot.map(\.tool) == ["nc"])
    }

    @Test(arguments: [
        ("session", "session"), ("no  message to=a@b.test", "no message to=a@b.test"),
        ("session count=2 reply=\"*S3140 here*\"", "session count=2 reply=\"*S3140 here*\""),
    ])
    func whatMustBeSeenIsReadAndWritten(text: String, written: String) throws {
        #expect(try Expectation.parse(text).get().text == written)
    }

    @Test(arguments: [
        ("", 0), ("sesion", 0), ("no", 0), ("no sesion", 3), ("session foo", 8), ("session a=b count=0", 12),
    ])
    func whatIsWrongHasItsPlace(text: String, offset: Int) {
        guard case .failure(let complaint) = Expectation.parse(text) else {
            Issue.record("\(text) was read")
            return
        }
        #expect(complaint.offset == offset)
    }
}
