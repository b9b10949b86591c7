// The words of filters: what each means, what is complained about, and that what a store looks up is never too little.

import Faults
import Journal
import SMTP
import Store
import Testing

@testable import Sink

@Suite("Filters")
struct FilterTests {
    func record() throws -> SessionRecord {
        var rehearsal = try Rehearsal(rules: ["rcpt name=full to=*@full.test: 452 4.2.2 Full"])
        rehearsal.send("EHLO mx.t9.test\r\nMAIL FROM:<Me@Sender.example>\r\nRCPT TO:<a@full.test>\r\n")
        rehearsal.send("RCPT TO:<b+t2@ok.example>\r\nDATA\r\nSubject: Invoice\r\n\r\nHello\r\n.\r\nQUIT\r\n")
        return rehearsal.record
    }

    @Test(arguments: [
        ("to", "a@full.test", true), ("to", "A@FULL.test", true), ("to", "*@full.test,x@y", true),
        ("to", "*@other", false),
        ("from", "me@sender.example", true), ("from", "<>", false), ("client", "127.0.0.0/8", true),
        ("client", "10.0.0.0/8", false),
        ("helo", "mx.t9.test", true), ("listener", "smtp", true), ("phase", "rcpt", true), ("phase", "data", false),
        ("verdict", "accepted", true), ("verdict", "lost,deferred", false), ("rule", "full", true),
        ("rule", "f*", true),
        ("code", "452", true), ("code", "4xx", true), ("code", "5xx", false), ("reply", "*Full*", true),
        ("space", "t2", true), ("space", "T9", true), ("space", "full", true), ("space", "ok", false),
        ("tls", "none", true), ("session", "s1", true), ("to", "/FULL/i", true),
    ])
    func `A word means what it says, and the facets let it through`(word: String, value: String, holds: Bool) throws {
        let record = try record()
        let filter = try Filter.parse([(word, value)], .session).get()
        #expect(filter.matches(Subject(record)) == holds)
        guard holds else { return }
        let facets = record.facets
        for group in filter.facets { #expect(group.contains { facets.contains($0) }) }
    }

    @Test func `All words must hold, and any value of one`() throws {
        let record = try record()
        let pairs = [("to", "nobody@x"), ("to", "a@full.test"), ("verdict", "accepted")]
        #expect(try Filter.parse(pairs, .session).get().matches(Subject(record)))
        #expect(try !Filter.parse(pairs + [("rule", "other")], .session).get().matches(Subject(record)))
    }

    @Test(arguments: [
        ("too", "x", "did you mean \"to\"?"), ("verdict", "acepted", "did you mean \"accepted\"?"),
        ("phase", "rctp", "did you mean \"rcpt\"?"), ("client", "10.0.0.0/99", "client:"),
        ("code", "9", "is not a reply code"),
        ("space", "a b", "a space is a name"), ("to", "/(/", "is not a regular expression"),
        ("subject", "x", "cannot be asked for"),
    ])
    func `What cannot be meant is a complaint`(word: String, value: String, complaint: String) {
        guard case .failure(let failure) = Filter.parse([(word, value)], .session) else {
            Issue.record("\(word)=\(value) was taken")
            return
        }
        #expect(failure.text.contains(complaint))
    }

    @Test func `Of a message its text is asked for as well`() throws {
        let content = Array(
            "Subject: =?utf-8?q?Rechnung_=C3=BC?=\r\nMessage-ID: <1@x>\r\n\r\nSee http://a.test/\r\n".utf8)
        let message = Message(
            id: "s3.1", reversePath: ReversePath(address: Array("a@b".utf8)), recipients: [], content: content,
            helo: [],
            client: "127.0.0.1", withProtocol: "SMTP", received_us: 0)
        let stored = StoredMessage(position: 1, message: message, size: content.count)
        func holds(_ word: String, _ value: String) throws -> Bool {
            try Filter.parse([(word, value)], .message).get().matches(Subject(stored), content)
        }
        #expect(try holds("subject", "Rechnung ü") && holds("header.subject", "*ü") && holds("message-id", "1@x"))
        #expect(try holds("body", "See*") && holds("links", "1") && holds("size", "<1KB") && holds("session", "s3"))
        #expect(try !holds("subject", "other") && !holds("size", ">1KB") && !holds("session", "s4"))
    }

    @Test func `A cursor is read as it was written, and nothing else is`() {
        let cursor = Cursor(run: 1_795_546_121_290_537, entry: 7, message: 3, session: 2)
        #expect(Cursor(cursor.description) == cursor)
        for bad in ["", "x", "1-2-3", "1-2-3-4-5", "1--2-3", "1-2-3-x", "1-2-3-99999999999999999999", "-1-2-3-4"] {
            #expect(Cursor(bad) == nil, "\(bad)")
        }
    }
}
