// What the name system says of the peer and of its EHLO name.

import Journal
import Testing

@testable import Findings

@Suite struct PeerNameTests {
    private static let peer = "192.0.2.9"
    private static let hello = "mta1.sender.example"

    private static func known() -> NameFacts {
        var facts = NameFacts()
        facts.reverseNames = .found([hello])
        facts.reverseAddresses = [hello: .found([peer])]
        facts.helloAddresses = [hello: .found([peer])]
        return facts
    }

    private static let rules: Set<RuleID> = [
        .connNoPtr, .connFcrdnsMismatch, .connGenericPtr, .heloUnresolvable, .heloNameNotPeer, .heloNotMatchingPtr,
    ]

    private func judged(
        client: String = peer + ":40025", profile: SenderProfile = .strict, isSubmission: Bool = false,
        _ change: (inout NameFacts) -> Void
    ) -> SessionJudgement {
        var talk = Talk(client: client)
        talk.beginInTLS()
        talk.oneMessage()
        talk.quit()
        var circumstances = Circumstances()
        circumstances.isSubmission = isSubmission
        var facts = Self.known()
        change(&facts)
        circumstances.names = facts
        return talk.judged(circumstances, JudgingSettings(profile: profile))
    }

    @Test func aWellKeptServerKeepsAllOfThem() {
        let judgement = judged { _ in }
        #expect(judgement.brokenOnTheWire == [])
        for rule in Self.rules { #expect(judgement.states[rule] == .kept, "\(rule.rawValue)") }
    }

    struct Change: CustomTestStringConvertible {
        let testDescription: String
        let broken: Set<RuleID>
        let change: @Sendable (inout NameFacts) -> Void
    }

    static let changes: [Change] = [
        Change(testDescription: "no reverse name", broken: [.connNoPtr]) { $0.reverseNames = .none },
        Change(testDescription: "nobody knows of a reverse name", broken: []) { $0.reverseNames = .unknown },
        Change(testDescription: "the reverse name has another address", broken: [.connFcrdnsMismatch]) {
            $0.reverseAddresses[hello] = .found(["192.0.2.77"])
        },
        Change(testDescription: "the reverse name does not exist", broken: [.connFcrdnsMismatch]) {
            $0.reverseAddresses[hello] = NameAnswer.none
        },
        Change(testDescription: "the reverse name could not be asked about", broken: []) {
            $0.reverseAddresses[hello] = .unknown
        },
        Change(testDescription: "a second reverse name leads back", broken: []) {
            $0.reverseNames = .found(["other.sender.example", hello])
            $0.reverseAddresses["other.sender.example"] = .found(["192.0.2.77"])
        },
        Change(testDescription: "a second reverse name may lead back", broken: []) {
            $0.reverseNames = .found(["other.sender.example", hello])
            $0.reverseAddresses = ["other.sender.example": .found(["192.0.2.77"])]
        },
        Change(
            testDescription: "the reverse name is made of the address", broken: [.connGenericPtr, .heloNotMatchingPtr]
        ) {
            $0.reverseNames = .found(["192-0-2-9.isp.example"])
            $0.reverseAddresses["192-0-2-9.isp.example"] = .found([peer])
        },
        Change(testDescription: "the EHLO name does not exist", broken: [.heloUnresolvable]) {
            $0.helloAddresses[hello] = NameAnswer.none
        },
        Change(testDescription: "the EHLO name could not be asked about", broken: []) {
            $0.helloAddresses[hello] = .unknown
        },
        Change(testDescription: "nobody asked about the EHLO name", broken: []) { $0.helloAddresses = [:] },
        Change(testDescription: "the EHLO name has another address", broken: [.heloNameNotPeer]) {
            $0.helloAddresses[hello] = .found(["192.0.2.77", "2001:db8::77"])
        },
        Change(testDescription: "the EHLO name has the address written otherwise", broken: []) {
            $0.helloAddresses[hello] = .found(["::ffff:192.0.2.9"])
        },
        Change(testDescription: "the EHLO name is not the reverse name", broken: [.heloNotMatchingPtr]) {
            $0.reverseNames = .found(["app7.sender.example"])
            $0.reverseAddresses["app7.sender.example"] = .found([peer])
        },
        Change(testDescription: "the reverse name ends in a dot, in capitals", broken: []) {
            $0.reverseNames = .found(["MTA1.sender.example."])
            $0.reverseAddresses["MTA1.sender.example."] = .found([peer])
        },
    ]

    @Test(arguments: changes) func oneChange(_ change: Change) {
        #expect(judged(change.change).brokenOnTheWire == change.broken)
    }

    @Test func twoNamesOfOneOrganisationAreSaidToBe() {
        let finding = judged {
            $0.reverseNames = .found(["app7.sender.example"])
            $0.reverseAddresses["app7.sender.example"] = .found([Self.peer])
        }.finding(.heloNotMatchingPtr)
        #expect(finding?.saw.hasSuffix("both are names of sender.example") == true)
    }

    @Test(arguments: ["127.0.0.1:5", "10.1.2.3:5", "172.31.0.1:5", "[::1]:5", "[fd00::1]:5", "169.254.1.1:5"])
    func nearbyPeersAreNotAskedAbout(_ client: String) {
        let judgement = judged(client: client) {
            $0.reverseNames = .none
            $0.helloAddresses[Self.hello] = NameAnswer.none
        }
        #expect(judgement.brokenOnTheWire == [])
        for rule in Self.rules { #expect(judgement.states[rule] == .notObserved, "\(rule.rawValue)") }
    }

    @Test func clientsOfSubmissionNeedNoNames() {
        let change: (inout NameFacts) -> Void = {
            $0.reverseNames = .none
            $0.helloAddresses[Self.hello] = NameAnswer.none
        }
        #expect(judged(profile: .mx, isSubmission: true, change).brokenOnTheWire == [])
        #expect(judged(profile: .submission, change).brokenOnTheWire == [])
        #expect(judged(profile: .mx, change).brokenOnTheWire == [.connNoPtr, .heloUnresolvable])
    }

    @Test(arguments: [
        ("192-0-2-9.isp.example", true), ("9.2.0.192.isp.example", true), ("host192.0.2.9.example", true),
        ("ip192000002009.example", true), ("c0000209.isp.example", true), ("dhcp-77.isp.example", true),
        ("x.dyn.isp.example", true), ("adsl12.isp.example", true), ("mta192.sender.example", false),
        ("192-0-2-10.isp.example", false), ("cablevision.example", false), ("c0000210.isp.example", false),
        ("pool-3.sender.example", false),
        ("mail.dynamics.example", false), ("mta9.sender.example", false),
    ])
    func namesThatLookGeneric(_ name: String, _ isGeneric: Bool) throws {
        let address = try #require(NetworkAddress(Self.peer))
        #expect((GenericName.sign(in: name, of: address) != nil) == isGeneric)
    }

    @Test func genericNamesOfIPv6() throws {
        let address = try #require(NetworkAddress("2001:db8::1:2:3:4"))
        #expect(GenericName.sign(in: "2001-0db8-0000-0000-0001-0002-0003-0004.isp.example", of: address) != nil)
        #expect(GenericName.sign(in: "4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.isp.example", of: address) != nil)
        #expect(GenericName.sign(in: "mta1.sender.example", of: address) == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", "::ffff:192.0.2.1", true), ("2001:db8::1", "2001:DB8:0:0:0:0:0:1", true),
        ("::", "0:0:0:0:0:0:0:0", true),
        ("2001:db8::", "2001:db8:0:0:0:0:0:0", true), ("::1", "0:0:0:0:0:0:0:1", true),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:9", false),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221", true), ("fe80::1%eth0", "fe80::1", true),
        ("192.0.2.1", "192.0.2.2", false),
    ])
    func addressesAreOneHoweverWritten(_ one: String, _ other: String, _ areEqual: Bool) throws {
        let (one, other) = try (#require(NetworkAddress(one)), #require(NetworkAddress(other)))
        #expect((one == other) == areEqual)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.0.9", true), ("128.0.0.1", false), ("::1", true), ("::2", false),
        ("10.0.0.1", true),
        ("11.0.0.1", false), ("172.16.0.1", true), ("172.15.0.1", false), ("172.32.0.1", false), ("192.168.1.1", true),
        ("192.169.1.1", false), ("100.64.0.1", true), ("100.128.0.1", false), ("100.63.0.1", false), ("fc00::1", true),
        ("fdff::1", true), ("fe00::1", false), ("fe80::1", true), ("febf::1", true), ("fec0::1", false),
        ("2001:db8::1", false),
        ("::ffff:10.0.0.1", true),
    ])
    func whatIsNearby(_ text: String, _ isLocal: Bool) throws {
        #expect(try #require(NetworkAddress(text)).isLocal == isLocal)
    }

    @Test(arguments: ["", "192.0.2", "192.0.2.256", "1:2:3", "g::1", "mx.test", "192.0.2.1:25"])
    func whatIsNoAddress(_ text: String) { #expect(NetworkAddress(text) == nil) }
}
