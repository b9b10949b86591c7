// The grammar of paths (R27 to R31, R53): decided by RFC 5321 §4.1.2 and §4.1.3, never by a short expression.

import Testing

@testable import SMTP

@Suite("Paths")
struct AddressTests {
    /// The mailbox of a path; nil when it is none.
    private func mailbox(_ path: String, forward: Bool = true) -> String? {
        var path = path
        return path.withUTF8 { text -> String? in
            let octets = UnsafeRawBufferPointer(text)
            guard let parsed = Path(octets, from: 0, forward: forward), parsed.end == octets.count else { return nil }
            return String(decoding: octets[parsed.mailbox], as: UTF8.self)
        }
    }

    @Test(
        "These are mailboxes, kept as they came",
        arguments: [
            "a@b", "a@b.test", "Ab.cD@X.Test", "a+b=c/d'e@b.test", "!#$%&'*+-/=?^_`{|}~@b.test", "1@2.3", "a@1.2.3.4",
            "a@a-b.test", "a@a--b.test", "\"\"@b.test", "\"a b\"@b.test", "\"a\\\"b\"@b.test", "\"a@b\"@b.test",
            "\"a\\\\\"@b.test", "\"<>\"@b.test", "a@[192.0.2.1]", "a@[255.255.255.255]", "a@[1.002.03.4]",
            "a@[IPv6:::1]", "a@[IPv6:::]", "a@[ipv6:2001:db8::1]", "a@[IPv6:1:2:3:4:5:6:7:8]", "a@[IPv6:1::]",
            "a@[IPv6:::ffff:192.0.2.1]", "a@[IPv6:1:2:3:4:5:6:1.2.3.4]", "a@[IPv6:1:2::5:6:7:8]",
            "a@[IPv6:ABCD:ef01::]", "\u{e4}@b.test", "a@b\u{fc}cher.test", "\"\u{e4} \u{f6}\"@b.test",
        ])
    func mailboxes(text: String) {
        #expect(mailbox("<\(text)>") == text)
        #expect(mailbox("<\(text)>", forward: false) == text)
    }

    @Test(
        "These are none",
        arguments: [
            "", "a@b", "<a@b", "a@b>", "<@b>", "<a@>", "<a>", "<a b@c>", "<a@b c>", "<a@@b>", "<a@b@c>", "<.a@b>",
            "<a.@b>", "<a..b@c>", "<a@b.>", "<a@.b>", "<a@b..c>", "<a@-b>", "<a@b->", "<a@b-.c>", "<a@b_c>", "<a(c)@b>",
            "<\"a@b>", "<\"a\"b@c>", "<\"a\\\"@b>", "<a\"b\"@c>", "<\"a\u{1}\"@b>", "<a\0@b>", "<a@b\r>", "<a@b\n>",
            "<a@[192.0.2]>", "<a@[192.0.2.256]>", "<a@[192.0.2.0001]>", "<a@[192.0.2.1>", "<a@192.0.2.1]>",
            "<a@[192.0.2.1].b>", "<a@[]>", "<a@[IPv6:]>", "<a@[IPv6:1]>", "<a@[IPv6:1:2:3:4:5:6:7]>",
            "<a@[IPv6:1:2:3:4:5:6:7:8:9]>", "<a@[IPv6:1::2::3]>", "<a@[IPv6::1]>", "<a@[IPv6:1:]>",
            "<a@[IPv6:12345::]>",
            "<a@[IPv6:::g]>", "<a@[IPv6:1:2:3:4:5:6:7:1.2.3.4]>", "<a@[2001:db8::1]>", "<a@[x:y]>", "<<a@b>>",
            "<@r.test:>", "<@r.test>", "<@r.test:a>", "<r.test:a@b>", "<@:a@b>", "<@r.test,a@b>", "<@r.test,:a@b>",
        ])
    func noMailboxes(text: String) {
        #expect(mailbox(text) == nil)
        #expect(mailbox(text, forward: false) == nil)
    }

    @Test("Source routes are recognised and thrown away (RFC 5321 appendix C)")
    func sourceRoutes() {
        #expect(mailbox("<@r.test:a@b.test>") == "a@b.test")
        #expect(mailbox("<@r.test,@s.test:a@b.test>", forward: false) == "a@b.test")
    }

    @Test("The null path is a reverse-path only, Postmaster alone a forward-path only")
    func special() {
        #expect(mailbox("<>", forward: false) == "")
        #expect(mailbox("<>", forward: true) == nil)
        for text in ["Postmaster", "postmaster", "POSTMASTER"] {
            #expect(mailbox("<\(text)>") == text)
            #expect(mailbox("<\(text)>", forward: false) == nil)
        }
    }

    @Test("UTF-8 that is not well-formed is refused")
    func brokenUTF8() {
        for bad: [UInt8] in [[0xc3], [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]] {
            let octets = Array("<".utf8) + bad + Array("@b.test>".utf8)
            octets.withUnsafeBytes { #expect(Path($0, from: 0, forward: true) == nil) }
        }
    }

    @Test("R31: 64 octets of local part, 255 of domain, 256 of path are accepted, one more is not")
    func limits() {
        func local(_ count: Int) -> String { String(repeating: "l", count: count) }
        #expect(mailbox("<\(local(64))@b.test>") != nil)
        #expect(mailbox("<\(local(65))@b.test>") == nil)
        #expect(mailbox("<\"\(local(62))\"@b.test>") != nil)
        #expect(mailbox("<\"\(local(63))\"@b.test>") == nil)
        #expect(mailbox("<a@\(local(252))>") != nil)
        #expect(mailbox("<a@\(local(253))>") == nil)
        Array(local(255).utf8).withUnsafeBytes { #expect(isDomainOrLiteral($0)) }
        Array(local(256).utf8).withUnsafeBytes { #expect(!isDomainOrLiteral($0)) }
    }

    @Test("Any octets at all: no path reaches beyond its octets")
    func anyOctets() {
        var random = Seeded(7)
        let alphabet = Array("<>@.\"\\[]:,aA1- IPv6:\u{e9}\0".utf8)
        for _ in 0..<20_000 {
            let octets = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            octets.withUnsafeBytes { octets in
                if let path = Path(octets, from: 0, forward: true) {
                    #expect(path.end <= octets.count && path.mailbox.upperBound < path.end)
                }
            }
        }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
