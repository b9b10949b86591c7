// What a ClientHello offers: versions, cipher suites, the name of the server.

import Journal
import Testing

@testable import Findings

@Suite struct TLSOfferTests {
    private static let suites: [UInt16] = [0x1302, 0x1301, 0xc02f, 0xc030, 0xcca8, 0x009e, 0x00ff]

    /// A clean session whose ClientHello is as it is said.
    private static func judged(
        _ versions: [UInt16] = [0x0304, 0x0303], _ suites: [UInt16] = suites, name: String? = "mx.test",
        hasSupportedVersions: Bool = true, client: String = "192.0.2.9:40025", profile: SenderProfile = .strict
    ) -> SessionJudgement {
        var talk = Talk(client: client)
        talk.greeting()
        talk.ehlo()
        talk.client("STARTTLS")
        talk.sink(.starttls, "220 2.0.0 Ready")
        talk.append(
            .clientHello(
                TLSOffer(
                    versions: versions, cipherSuites: suites, serverName: name,
                    hasSupportedVersions: hasSupportedVersions)))
        talk.append(.tlsStarted(TLSSummary(version: "TLSv1.3", cipher: "X", sni: name, clientNames: [])))
        talk.ehlo(without: "STARTTLS")
        talk.oneMessage()
        talk.quit()
        return talk.judged(Circumstances(), JudgingSettings(profile: profile))
    }

    @Test func anOfferOfToday() {
        let judgement = Self.judged()
        #expect(judgement.brokenOnTheWire == [])
        for rule: RuleID in [.tlsVersionTooOld, .tlsWeakCiphers, .tlsNoSni, .tlsNoTls13, .tlsNoForwardSecrecy] {
            #expect(judgement.states[rule] == .kept, "\(rule.rawValue)")
        }
    }

    @Test(
        arguments: [
            ([0x0304, 0x0303, 0x0302, 0x0301], true, []),
            ([0x0303], true, [.tlsNoTls13]), ([0x0303], false, [.tlsNoTls13]),
            ([0x0302], false, [.tlsVersionTooOld, .tlsNoTls13]),
            ([0x0302, 0x0301], true, [.tlsVersionTooOld, .tlsNoTls13]),
            ([0x0301], false, [.tlsVersionTooOld, .tlsNoTls13]),
            // SSL 3.0 beside better ones.
            ([0x0304, 0x0303, 0x0300], true, [.tlsVersionTooOld]),
            // GREASE, and a draft of TLS 1.3 (RFC 8701, RFC 8446 §4.2.1).
            ([0x7a7a, 0x0304, 0x0303], true, []), ([0xfafa, 0x0302], true, [.tlsVersionTooOld, .tlsNoTls13]),
            ([0x7f1c, 0x0303], true, [.tlsNoTls13]),
            // No version can be told from such a list.
            ([0x0a0a], true, []), ([], true, []),
            // TLS 1.3 is offered by the extension alone.
            ([0x0304], false, [.tlsNoTls13]),
        ] as [([UInt16], Bool, Set<RuleID>)])
    func versions(_ versions: [UInt16], _ hasSupportedVersions: Bool, _ broken: Set<RuleID>) {
        #expect(Self.judged(versions, hasSupportedVersions: hasSupportedVersions).brokenOnTheWire == broken)
    }

    @Test(
        arguments: [
            (0x0000, "no encryption"), (0x003b, "no encryption"), (0xc010, "no encryption"), (0xc0b5, "no encryption"),
            (0x0003, "export"), (0x0019, "export"), (0x0062, "export"), (0x0004, "RC4"), (0x0018, "RC4"),
            (0xc011, "RC4"),
            (0x0009, "DES"), (0x001a, "DES"),
        ] as [(UInt16, String)])
    func suitesThatMustNotBeUsed(_ suite: UInt16, _ why: String) throws {
        let judgement = Self.judged([0x0304, 0x0303], Self.suites + [suite])
        #expect(judgement.brokenOnTheWire == [.tlsWeakCiphers])
        let finding = try #require(judgement.finding(.tlsWeakCiphers))
        #expect(finding.severity == .must)
        #expect(finding.saw.hasSuffix("(\(why))"))
        #expect(finding.evidence.first?.at_us.map { $0 > 0 } == true)
    }

    @Test func anonymousSuitesAreWorthKnowing() {
        let finding = Self.judged([0x0304], Self.suites + [0x0034, 0xc018]).finding(.tlsWeakCiphers)
        #expect(finding?.severity == .info)
        #expect(finding?.reason?.contains("RFC 7435") == true)
        #expect(finding?.saw == "anonymous suites 0x0034 0xc018")
        #expect(Self.judged([0x0304], Self.suites + [0x0034, 0x0004]).finding(.tlsWeakCiphers)?.severity == .must)
    }

    /// No suite of today is called weak, static or none.
    @Test(
        arguments: [
            0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0xccaa, 0x009e,
            0x009f,
            0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028, 0x0033, 0x0039, 0x0067, 0x006b, 0xc0ac,
            0xc0af,
        ] as [UInt16])
    func goodSuites(_ suite: UInt16) {
        #expect(CipherSuites.weakness(suite) == nil)
        #expect(!CipherSuites.isStatic(suite) && !CipherSuites.isNone(suite) && !CipherSuites.isAnonymous(suite))
        #expect(suite >> 8 == 0x13 || CipherSuites.isEphemeral(suite))
    }

    @Test func noSuiteIsStaticAndEphemeral() {
        for suite in UInt16.min...UInt16.max where CipherSuites.isStatic(suite) {
            #expect(!CipherSuites.isEphemeral(suite) && !CipherSuites.isAnonymous(suite))
        }
    }

    @Test(
        arguments: [
            ([0x009c, 0x002f, 0x0035], [0x0303], [.tlsNoTls13, .tlsNoForwardSecrecy]),
            ([0x009c, 0xc00e, 0x00ff, 0x0a0a], [0x0303], [.tlsNoTls13, .tlsNoForwardSecrecy]),
            ([0x009c, 0xc013], [0x0303], [.tlsNoTls13]), ([0x009c, 0x0033], [0x0303], [.tlsNoTls13]),
            // One that is not known may have it.
            ([0x009c, 0xd001], [0x0303], [.tlsNoTls13]),
            ([0x009c, 0x1301], [0x0304, 0x0303], []), ([0x00ff], [0x0303], [.tlsNoTls13]),
        ] as [([UInt16], [UInt16], Set<RuleID>)])
    func forwardSecrecy(_ suites: [UInt16], _ versions: [UInt16], _ broken: Set<RuleID>) {
        #expect(Self.judged(versions, suites).brokenOnTheWire == broken)
    }

    @Test func serverNames() {
        #expect(Self.judged(name: nil).brokenOnTheWire == [.tlsNoSni])
        #expect(Self.judged(name: "192.0.2.1").brokenOnTheWire == [.tlsNoSni])
        #expect(Self.judged(name: "2001:db8::1").brokenOnTheWire == [.tlsNoSni])
        #expect(Self.judged(name: "localhost").brokenOnTheWire == [])
    }

    @Test func aSinkNearbyIsReachedByItsAddress() {
        let near = Self.judged(name: nil, client: "127.0.0.1:5", profile: .mx).finding(.tlsNoSni)
        #expect(near?.severity == .info)
        #expect(near?.reason != nil)
        #expect(Self.judged(name: nil, profile: .mx).finding(.tlsNoSni)?.severity == .should)
        #expect(Self.judged(name: nil, client: "127.0.0.1:5").finding(.tlsNoSni)?.severity == .should)
    }

    // MARK: Without a ClientHello

    @Test func theOutcomeAloneShowsNothingBad() {
        var talk = Talk()
        talk.greeting()
        talk.ehlo()
        talk.client("STARTTLS")
        talk.sink(.starttls, "220 2.0.0 Ready")
        talk.append(.tlsStarted(TLSSummary(version: "TLSv1", cipher: "AES128-SHA", sni: nil, clientNames: [])))
        talk.quit()
        let judgement = talk.judged()
        #expect(judgement.brokenOnTheWire == [.tlsNoSni])
        for rule: RuleID in [.tlsVersionTooOld, .tlsWeakCiphers, .tlsNoTls13, .tlsNoForwardSecrecy] {
            #expect(judgement.states[rule] == .notObserved, "\(rule.rawValue)")
        }
    }
}
