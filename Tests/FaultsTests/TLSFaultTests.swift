// The menu of bad TLS: every name, what is near to a misspelt one, and the way back.

import Faults
import Testing

@Suite struct TLSFaultTests {
    /// As the documentation has it.
    private let menu: [TLSFault.Kind: String] = [
        .certificate: """
        expired not-yet-valid wrong-host self-signed untrusted-root incomplete-chain reversed-chain no-common-name \
        no-san sha1 rsa-1024 huge-chain client-certificate-required
        """,
        .protocols: "only-tls1.0 only-tls1.1 only-tls1.2 only-tls1.3 weak-ciphers",
        .handshake: "stall close-in-handshake close-after-handshake no-close-notify",
        .smtp: "hidden refused silent garbage close ehlo-changed offered-again injected-reply",
    ]

    @Test func `The menu has what the documentation names, and the alerts`() {
        for kind in TLSFault.Kind.allCases {
            let names = TLSFault.all.filter { $0.kind == kind && !$0.name.hasPrefix("alert-") }.map(\.name)
            #expect(names.sorted() == (menu[kind] ?? "").split(separator: " ").map(String.init).sorted())
        }
        #expect(TLSFault.all.count { $0.name.hasPrefix("alert-") && $0.kind == .handshake } == TLSAlert.allCases.count)
        #expect(Set(TLSFault.names).count == TLSFault.all.count)
    }

    @Test func `Each name parses back to its fault, and each says what it does`() throws {
        for fault in TLSFault.all {
            #expect(try TLSFault.parse(fault.name).get() == fault)
            #expect(try TLSFault.parse(" \(fault.description.uppercased()) ").get() == fault)
            #expect(!fault.summary.isEmpty && !fault.summary.contains("\n"))
        }
        #expect(Set(TLSFault.all.map(\.summary)).count == TLSFault.all.count)
    }

    @Test(arguments: [
        ("close-notify", 0 as UInt8), ("handshake-failure", 40), ("unknown-ca", 48), ("internal-error", 80),
        ("inappropriate-fallback", 86), ("certificate-required", 116), ("no-application-protocol", 120),
    ])
    func `An alert has the number of its RFC`(name: String, number: UInt8) throws {
        let alert = try #require(TLSAlert(rawValue: name))
        #expect(alert.number == number)
        #expect(try TLSFault.parse("alert-\(name)").get() == .alert(alert))
    }

    @Test func `Numbers of alerts are their own`() {
        #expect(Set(TLSAlert.allCases.map(\.number)).count == TLSAlert.allCases.count)
    }

    @Test(arguments: [
        ("expird", "did you mean \"expired\"?"), ("only-tls1", "did you mean \"only-tls1."),
        ("selfsigned", "did you mean \"self-signed\"?"),
        ("alert-handshake-falure", "did you mean \"alert-handshake-failure\"?"), ("alert-", "unknown alert"),
        ("alert-40", "unknown alert"), ("", "name the bad TLS"), ("frob", "known are expired"),
    ])
    func `What is not on the menu is told what is near`(text: String, words: String) {
        guard case .failure(let complaint) = TLSFault.parse(text) else {
            Issue.record("\(text) was parsed")
            return
        }
        #expect(complaint.description.contains(words))
    }
}
