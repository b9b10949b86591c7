// Globs, regular expressions and networks against values.

import Faults
import Testing

@Suite struct PatternTests {
    private func matches(_ pattern: String, _ from: String) throws -> Bool {
        var engine = try engine("mail from=\"\(pattern)\": 550 no")
        return engine.decide(.mail, Facts(from: from), now_ns: 0) != nil
    }

    @Test(arguments: [
        ("*@full.test", "a@full.test", true), ("*@full.test", "a@FULL.Test", true),
        ("*@full.test", "a@sub.full.test", false),
        ("*@*full.test", "a@sub.full.test", true), ("a@b", "A@B", true), ("a@b", "a@bc", false),
        ("a?c@*", "abc@x", true),
        ("a?c@*", "ac@x", false), ("*", "", true), ("", "", true), ("<>", "", true), ("<>", "a@b", false),
        ("**", "a", true),
        ("?", "é", true), ("??", "é", false), ("*é*", "caffé latte", true), ("a\\\\*b", "a*b", true),
        ("a\\\\*b", "axb", false),
        ("*a*b*c", "xxaxxbxxc", true), ("*a*b*c", "xxaxxbxx", false), ("a*", "b", false), ("?*", "", false),
    ])
    func `A glob matches the whole value`(pattern: String, value: String, expected: Bool) throws {
        #expect(try matches(pattern, value) == expected)
    }

    @Test(arguments: [
        ("/^bounce/", "bounce-1@x", true), ("/^bounce/", "Bounce@x", false), ("/^bounce/i", "Bounce@x", true),
        ("/x$/", "a@x", true), ("/a{2,3}/", "baab", true), ("/a{2,3}/", "bab", false),
    ])
    func `A regular expression is searched for in the value`(pattern: String, value: String, expected: Bool) throws {
        #expect(try matches(pattern, value) == expected)
    }

    @Test func `A regular expression sees bounded input`() throws {
        #expect(try !matches("/b/", String(repeating: "a", count: 5000) + "b"))
        #expect(try matches("/a/", String(repeating: "a", count: 5000)))
    }

    @Test(arguments: ["/", "//", "/abc", "/(/", "/[z-a]/"])
    func `A broken regular expression is refused`(pattern: String) {
        #expect(throws: RuleText.self) { try TextPattern.parse(pattern).get() }
    }

    @Test func `A glob with many stars ends soon`() throws {
        let pattern = String(repeating: "*a", count: 200) + "b*"
        #expect(try !matches(pattern, String(repeating: "a", count: 4000)))
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.0/24", "192.0.2.200", true), ("192.0.2.0/24", "192.0.3.1", false),
        ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/32", "2001:db8:1::5", true),
        ("2001:db8::/32", "2001:db9::1", false), ("::/0", "2001:db8::1", true), ("::1", "::1", true),
        ("192.0.2.0/24", "::ffff:192.0.2.7", true), ("::ffff:192.0.2.0/120", "192.0.2.7", true),
        ("10.0.0.0/8", "unix", false),
        ("unix", "unix", true), ("unix", "10.0.0.1", false), ("2001:db8:0:0:1::/80", "2001:db8::1:2:3:4", true),
        ("10.0.0.0/8,unix", "unix", true),
    ])
    func `A network holds its addresses`(network: String, client: String, expected: Bool) throws {
        var engine = try engine("greeting client=\(network): 554 no")
        let facts = Facts(client: client, clientAddress: IPAddress(client))
        #expect((engine.decide(.greeting, facts, now_ns: 0) != nil) == expected)
    }

    @Test(arguments: [
        "10.0.0.0/33", "10.0.0/8", "10.0.0.0.0", "256.0.0.1", "::1/129", "1::2::3", ":::", "fe80::/", "10.0.0.0/-1",
        "*",
        "1:2:3:4:5:6:7:8:9", "12345::", "", "a.b.c.d", "1.2.3.4/8/8",
    ])
    func `A bad network is refused`(text: String) {
        #expect(throws: RuleError.self) { try RuleLine.parse("connect client=\"\(text)\": close") }
    }

    @Test func `Bits behind the prefix are named`() {
        #expect(
            throws: RuleError(
                message: "\"10.1.2.3/8\" has bits behind its prefix; did you mean \"10.0.0.0/8\" or \"10.1.2.3\"?",
                column: 16)
        ) {
            try RuleLine.parse("connect client=10.1.2.3/8: close")
        }
    }

    @Test func `Addresses are printed so that they read back`() {
        var dice = Dice(3)
        for _ in 0..<2000 {
            let octets = (0..<dice.one(of: [4, 16])).map { _ in dice.chance(50) ? 0 : UInt8(dice.below(256)) }
            let address = IPAddress(octets: octets)
            #expect(address != nil && address?.description.isEmpty == false)
            #expect(IPAddress(address?.description ?? "") == address)
        }
        #expect(IPAddress("2001:db8:0:0:1:0:0:1")?.description == "2001:db8::1:0:0:1")
        #expect(IPAddress("::")?.description == "::")
    }

    @Test(arguments: [
        (">10", 11, true), (">10", 10, false), (">= 3", 3, true), ("<3", 2, true), ("<3", 3, false), ("<=3", 3, true),
        ("3", 3, true),
        ("=3", 4, false), ("2..4", 2, true), ("2..4", 4, true), ("2..4", 5, false),
    ])
    func `A comparison compares`(test: String, number: Int, expected: Bool) throws {
        var engine = try engine("data recipients=\"\(test)\": 451 no")
        let facts = Facts(from: "", to: ["a@b"], recipients: number)
        #expect((engine.decide(.data, facts, now_ns: 0) != nil) == expected)
    }
}
