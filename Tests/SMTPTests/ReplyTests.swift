// Replies: their form, and the vocabulary they are made of (R04 to R06, R54).

import Testing

@testable import SMTP

@Suite("Replies")
struct ReplyTests {
    @Test("Every standard reply is well-formed, with and without enhanced codes", arguments: StandardReply.allCases)
    func standardReplies(reply: StandardReply) {
        for status in [true, false] {
            #expect(replyFault(reply.reply(status: status)) == nil)
        }
        let rendered = reply.reply(status: true)
        // RFC 2034 §4: a code on every 2yz, 4yz and 5yz, none on 3yz.
        #expect((rendered.enhanced == nil) == (300...399).contains(rendered.code.value))
        #expect(reply.reply(status: false).enhanced == nil)
    }

    @Test("Replies with the host name are well-formed, even with the longest of names")
    func hostReplies() {
        let name = String(repeating: "a", count: 255)
        let session = Session(
            profile: Profile(hostname: name), insideTLS: true, keepsContent: false, bodyCheckpoints: [])
        for reply in [
            session.greetingReply(), session.heloReply(), session.ehloReply(), session.helpReply(),
            session.queuedReply("abc\r\n250 forged"), session.farewell(EnhancedStatus(4, 4, 2), "idle too long"),
        ] {
            #expect(replyFault(reply) == nil)
        }
    }

    @Test("A line end in a text cannot forge a second reply")
    func noForgery() throws {
        let reply = Reply(try #require(ReplyCode(550)), EnhancedStatus(5, 1, 1), "no\r\n250 yes")
        #expect(replyFault(reply) == nil)
        #expect(reply.text == "550 5.1.1 no  250 yes")
    }

    @Test("Codes below 200 and above 599 do not exist")
    func codes() {
        #expect(ReplyCode(199) == nil)
        #expect(ReplyCode(600) == nil)
        #expect(EnhancedStatus(3, 0, 0) == nil)
        #expect(EnhancedStatus("5.1") == nil)
        #expect(EnhancedStatus("5.1.1000") == nil)
        #expect(EnhancedStatus("4.2.2")?.description == "4.2.2")
    }

    @Test("An EHLO list without any extension is one line")
    func emptyList() {
        let session = Session(
            profile: Profile(hostname: "mx.test", capabilities: []), insideTLS: false, keepsContent: false,
            bodyCheckpoints: [])
        #expect(session.ehloReply().text == "250 mx.test")
    }
}
