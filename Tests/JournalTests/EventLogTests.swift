// The compact event log: what goes in comes out, and damage ends it.

import SMTP
import Testing

@testable import Journal

@Suite("Event log")
struct EventLogTests {
    static let everyKind: [Event] =
        [
            .opened(
                session: "s1", listener: "smtp", client: "127.0.0.1:5000", local: "127.0.0.1:1025",
                wall_us: 1_700_000_000_123_456),
            .clientLine(octets: Array("EHLO a.example".utf8), segment: 1),
            .clientContent(octetCount: 70_000, segment: 300),
            .clientIgnored(octetCount: 5),
            .clientEarly(octetCount: 9, segment: 2),
            .reply(phase: .rcpt, wire: Array("550 5.1.1 No\r\n".utf8)),
            .reply(phase: nil, wire: Array("500 5.5.1 No\r\n".utf8)),
            .fault(rule: "r", why: "always", phase: .endOfData, action: "close", use: 1, octets: 0, script: []),
            .transactionBegan(reversePath: []),
            .transactionBegan(reversePath: Array("a@b".utf8)),
            .recipientAnswered(address: Array("c@d".utf8), wire: Array("250 2.1.5 Ok\r\n".utf8)),
            .transactionEnded(verdict: .accepted, at: .endOfData, reply: Array("250 ok\r\n".utf8), message: "s1.1"),
            .transactionEnded(verdict: .abandoned, at: nil, reply: nil, message: nil),
            .tlsStarted(TLSSummary(version: "TLSv1.3", cipher: "X", sni: "mx.test", clientNames: ["a", "b"])),
            .tlsStarted(TLSSummary(version: "TLSv1.2", cipher: "Y", sni: nil, clientNames: [])),
            .clientHello(
                TLSOffer(
                    versions: [0x0304, 0x0303], cipherSuites: [0x1301, 0xc02f], serverName: "mx.test",
                    hasSupportedVersions: true)),
            .clientHello(
                TLSOffer(versions: [0x0301], cipherSuites: [], serverName: nil, hasSupportedVersions: false)),
            .tlsFailed(reason: "no shared cipher"),
            .plaintextDiscarded(octetCount: 1),
            .noticed("x"),
            .clientFinished,
        ] + Ending.allCases.map { .ended($0) }

    @Test("what is appended is read again, whatever the kind")
    func roundTrip() {
        var log = EventLog()
        for (index, event) in Self.everyKind.enumerated() { log.append(event, at_us: UInt64(index * index * 1000)) }
        #expect(log.eventCount == Self.everyKind.count)
        #expect(Array(log).map(\.event) == Self.everyKind)
        #expect(Array(log).map(\.at_us) == Self.everyKind.indices.map { UInt64($0 * $0 * 1000) })
    }

    @Test("a log that was cut anywhere yields a prefix and never traps")
    func damage() {
        var log = EventLog()
        for event in Self.everyKind { log.append(event, at_us: 12_345_678) }
        let whole = Array(log).map(\.event)
        for cut in 0..<log.octetCount {
            let read = Array(EventLog.Iterated(octets: Array(log.octets[..<cut]))).map(\.event)
            #expect(read == Array(whole.prefix(read.count)))
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var octets = log.octets
            octets[Int.random(in: 0..<octets.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            _ = Array(EventLog.Iterated(octets: octets))
        }
    }

    @Test("of a ClientHello no more is kept than the limits allow")
    func longHello() {
        let offer = TLSOffer(
            versions: Array(0..<100), cipherSuites: Array(0..<10_000), serverName: String(repeating: "x", count: 1000),
            hasSupportedVersions: true)
        #expect(offer.versions == Array(0..<16))
        #expect(offer.cipherSuites == Array(0..<200))
        #expect(offer.serverName?.utf8.count == 255)
        var log = EventLog()
        log.append(.clientHello(offer), at_us: 7)
        #expect(Array(log).map(\.event) == [.clientHello(offer)])
    }

    @Test("every phase survives the log")
    func phases() {
        var log = EventLog()
        for phase in Phase.allCases { log.append(.reply(phase: phase, wire: []), at_us: 0) }
        #expect(Array(log).map(\.event) == Phase.allCases.map { .reply(phase: $0, wire: []) })
    }
}

extension EventLog {
    /// Octets of unknown worth, read as a log.
    struct Iterated: Sequence {
        let octets: [UInt8]
        func makeIterator() -> EventLog.Iterator { EventLog.Iterator(octets: octets) }
    }
}
