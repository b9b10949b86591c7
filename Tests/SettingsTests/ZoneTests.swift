// The zone that `fakemx dns` prints: which records the listeners get, and what is said of those that get none.

import Faults
import Settings
import Testing

@Suite struct ZoneTests {
    private typealias Listener = Configuration.Listener

    private func zone(_ listeners: [Listener], domain: String = "test", dead: String = Zone.usualDeadAddress) -> (
        records: [String], notes: [String], complaints: [String]
    ) {
        let (zone, complaints) = Zone.make(of: listeners, domain: domain, dead: dead)
        let lines = zone?.text(.zone).split(separator: "\n").map(String.init).filter { $0.contains(" IN ") } ?? []
        return (lines.filter { !$0.hasPrefix("@") }, zone?.notes ?? [], complaints.map(\.description))
    }

    private let two = [
        Listener(name: "MX1", address: "127.0.0.11:1025", hostname: "MX1.fakemx.test"),
        Listener(name: "mx2", address: "[::2]:1025", hostname: "mx2.fakemx.test"),
    ]

    @Test func `Every domain shows what its name says`() {
        let made = zone(two)
        #expect(made.notes == [] && made.complaints == [])
        #expect(
            made.records == [
                "mx1.fakemx.test. IN A 127.0.0.11", "mx2.fakemx.test. IN AAAA ::2",
                "mx.dead.test. IN A 127.255.255.254",
                "any.test. IN MX 10 mx1.fakemx.test.", "any.test. IN MX 20 mx2.fakemx.test.",
                "equal.test. IN MX 10 mx1.fakemx.test.", "equal.test. IN MX 10 mx2.fakemx.test.",
                "null.test. IN MX 0 .", "dead.test. IN MX 10 mx.dead.test.",
                "dead-first.test. IN MX 10 mx.dead.test.", "dead-first.test. IN MX 20 mx1.fakemx.test.",
                "dead-first.test. IN MX 30 mx2.fakemx.test.", "implicit.test. IN AAAA ::2",
                "missing.test. IN MX 10 nowhere.missing.test.",
                "mx1.test. IN MX 10 mx1.fakemx.test.", "mx2.test. IN MX 10 mx2.fakemx.test.",
            ])
    }

    @Test func `Each format holds each record`() throws {
        let zone = try #require(Zone.make(of: two, domain: "test", dead: "192.0.2.1").zone)
        for format in Zone.Format.allCases {
            let lines = zone.text(format).split(separator: "\n").filter { line in
                ["host-record=", "mx-host=", "dns-rr=", "  local-data: ", ". IN "].contains { line.contains($0) }
            }
            #expect(lines.count == zone.records.count)
            #expect(zone.text(format).contains("Postfix smtp_tcp_port = 1025"))
        }
        #expect(zone.text(.dnsmasq).contains("\ndns-rr=null.test,15,0000:00\n"))
        #expect(zone.text(.unbound).contains("\n  local-data: \"mx2.fakemx.test. 0 IN AAAA ::2\"\n"))
    }

    @Test func `A host name that cannot stand in the zone gets another`() {
        let listeners = [
            Listener(name: "a", address: "127.0.0.1:25", hostname: "mx.test"),
            Listener(name: "b", address: "127.0.0.2:25", hostname: "mx.test"),
            Listener(name: "c", address: "127.0.0.3:25", hostname: "[192.0.2.1]"),
            Listener(name: "d", address: "127.0.0.4:25", hostname: "mx.elsewhere.example"),
            Listener(name: "e", address: "127.0.0.5:25", hostname: "mx.a.test"),
            Listener(name: "f", address: "127.0.0.6:25", hostname: "null.test"),
            Listener(name: "g", address: "127.0.0.7:25", hostname: "g.test"),
        ]
        let made = zone(listeners)
        #expect(made.complaints == [])
        #expect(made.notes.count == 6)
        #expect(made.notes.first == "mx.a.test is listener a: several listeners greet as mx.test.")
        let hosts = made.records.filter { $0.contains("any.test. IN MX") }.map { $0.split(separator: " ").last ?? "" }
        #expect(hosts == ["a", "b", "c", "d", "e", "f"].map { "mx.\($0).test." } + ["g.test."])
    }

    @Test func `Listeners that no MX can lead to are left out with a reason`() {
        var implicit = Listener(name: "smtps", address: "127.0.0.1:1465", hostname: "x.test")
        implicit.implicitTLS = true
        let others = [
            implicit, Listener(name: "all", address: "0.0.0.0:1025", hostname: "x.test"),
            Listener(name: "all6", address: "[::]:1025", hostname: "x.test"),
            Listener(name: "socket", address: "unix:/run/x", hostname: "x.test"),
            Listener(name: "named", address: "mx.example.test:25", hostname: "x.test"),
        ]
        let made = zone(two + others)
        #expect(made.records.count == zone(two).records.count)
        #expect(made.complaints.count == 5 && made.notes.count == 5)
        #expect(made.complaints.allSatisfy { $0.contains(": warning: left out of the zone: ") })
        #expect(zone(others).complaints.last?.hasPrefix("dns: no listener is left") == true)
    }

    @Test func `Names and addresses that cannot be are complained about`() {
        func complaint(_ name: String, domain: String = "test", dead: String = "192.0.2.1") -> String? {
            let listeners = [
                Listener(name: "a", address: "127.0.0.1:25", hostname: "x.test"),
                Listener(name: name, address: "127.0.0.2:25", hostname: "y.test"),
            ]
            return zone(listeners, domain: domain, dead: dead).complaints.first
        }
        #expect(complaint("b") == nil)
        #expect(complaint("Null")?.hasPrefix("listener Null: null.test shows something else already") == true)
        #expect(complaint("A")?.hasPrefix("listener A: another listener has a.test already") == true)
        #expect(complaint("b..c")?.hasPrefix("listener b..c: b..c.test is not a domain") == true)
        #expect(complaint("b", domain: "te st")?.hasPrefix("--domain: \"te st\" is not a domain") == true)
        #expect(complaint("b", dead: "nowhere")?.hasPrefix("--dead: \"nowhere\" is not an IP address") == true)
        #expect(complaint("b", dead: "127.0.0.2") == "--dead: the listener b is at 127.0.0.2; name another address")
    }
}
