// What is asked about a session, and what the lines of a zone file answer.

import Testing

@testable import Findings

@Suite struct NameQuestionTests {
    private static let zone = """
        ; what a sender's names are
        $ORIGIN sender.example.
        $TTL 300
        @            IN MX 20 backup
                     IN MX 10 mx1.sender.example.
        mta1     60  IN A     192.0.2.9
        mta1         IN AAAA  2001:db8::9
        null.example. MX 0 .
        9.2.0.192.in-addr.arpa. PTR mta1.sender.example.
        other        TXT "v=spf1 -all" ; of no interest here
        """

    @Test func aZoneFileAnswers() async throws {
        let zone = try ZoneRecords(Self.zone)
        #expect(
            await zone.records("sender.example", .exchanger) == .found(["mx1.sender.example", "backup.sender.example"]))
        #expect(await zone.addresses("mta1.sender.example") == .found(["192.0.2.9", "2001:db8::9"]))
        #expect(await zone.records("9.2.0.192.in-addr.arpa", .pointer) == .found(["mta1.sender.example"]))
        #expect(await zone.exchangers("null.example") == .found(["."]))
        #expect(await zone.exchangers("mta1.sender.example") == .found(["mta1.sender.example"]))
        #expect(await zone.exchangers("nowhere.example") == .none)
    }

    @Test(arguments: [
        ("a.example. A 192.0.2.256", 1, "IPv4"), ("\na.example. AAAA 192.0.2.1", 2, "IPv6"),
        ("a.example. MX mx.example.", 1, "preference"), ("  A 192.0.2.1", 1, "needs a name"),
        ("$INCLUDE other", 1, "$INCLUDE"), ("a.example. B 1", 1, "no type"), ("a..example. A 192.0.2.1", 1, "domain"),
        ("a.example.", 1, "type is missing"),
    ])
    func whatIsWrongIsSaid(_ text: String, _ line: Int, _ words: String) {
        let trouble = #expect(throws: ZoneRecords.Trouble.self) { try ZoneRecords(text) }
        #expect(trouble?.line == line)
        #expect(trouble?.words.contains(words) == true, "\(trouble?.words ?? "")")
    }

    @Test func garbageNeverCrashes() {
        var state: UInt64 = 7
        for _ in 0..<2000 {
            let characters: [Character] = (0..<60).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Array("a.1 \n$@;:MXPTRINA-é\u{0}")[Int(state >> 33) % 20]
            }
            _ = try? ZoneRecords(String(characters))
        }
    }

    private func questions(client: String = "192.0.2.9:40025", _ talk: (inout Talk) -> Void) -> NameQuestions? {
        var session = Talk(client: client)
        session.beginInTLS()
        talk(&session)
        session.quit()
        return NameQuestions(SessionTrace(session.log))
    }

    @Test func thePeerItsNamesAndItsSenders() throws {
        let questions = try #require(
            questions { talk in
                talk.oneMessage()
                talk.client("HELO [192.0.2.9]")
                talk.client("HELO one two")
                talk.client("EHLO \u{1}\u{2}")
            })
        #expect(questions.peer.reverseDomain == "9.2.0.192.in-addr.arpa")
        #expect(questions.helloNames == ["mta1.sender.example", "one"])
        #expect(questions.senderDomains == ["sender.example"])
    }

    @Test func thousandsOfNamesAreNotAskedFor() throws {
        let questions = try #require(
            questions { talk in for number in 0..<100 { talk.client("EHLO n\(number).example") } })
        #expect(questions.helloNames.count == NameQuestions.limit)
    }

    @Test func ofThisMachineNobodyIsAsked() {
        for client in ["127.0.0.1:1", "[::1]:1", "10.0.0.1:1", "[fd00::1]:1"] {
            #expect(questions(client: client) { _ in } == nil, "\(client)")
        }
    }

    @Test func addressesOfSixteenOctets() throws {
        let address = try #require(NetworkAddress("2001:db8::567:89ab"))
        #expect(
            address.reverseDomain == "b.a.9.8.7.6.5.0" + String(repeating: ".0", count: 16)
                + ".8.b.d.0.1.0.0.2.ip6.arpa")
    }

    @Test func allOfItIsAskedAtOnce() async throws {
        let questions = try #require(questions { $0.oneMessage() })
        let facts = await NameFacts.asked(questions, of: try ZoneRecords(Self.zone))
        #expect(facts.reverseNames == .found(["mta1.sender.example"]))
        #expect(facts.reverseAddresses == ["mta1.sender.example": .found(["192.0.2.9", "2001:db8::9"])])
        #expect(facts.helloAddresses == ["mta1.sender.example": .found(["192.0.2.9", "2001:db8::9"])])
        #expect(facts.exchangers == ["sender.example": .found(["mx1.sender.example", "backup.sender.example"])])
    }
}
