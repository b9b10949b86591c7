// The catalogue: replies with placeholders, names, suggestions, search.

import Faults
import SMTP
import Testing

private func template(_ lines: String...) throws -> ReplyTemplate { try ReplyTemplate.parse(lines).get() }

private func entry(
    _ name: String, _ lines: String..., provider: String? = nil, phase: Phase? = nil, means: Meaning = .policy,
    advice: Advice = .fix
) throws -> CatalogueEntry {
    let entry = CatalogueEntry(
        name: name, provider: provider ?? String(name.prefix { $0 != "/" }), phase: phase, meaning: means,
        advice: advice, source: "a test", template: try ReplyTemplate.parse(lines).get())
    return entry
}

private func sample() throws -> Catalogue {
    Catalogue([
        try entry(
            "gmail/over-quota", "452-4.2.2 The inbox of <{to}> is full.", "452 4.2.2 {id} - gsmtp", provider: "Gmail",
            phase: .rcpt, means: .mailboxFull, advice: .retry),
        try entry(
            "gmail/unauthenticated", "550 5.7.26 Not authenticated: SPF with ip [{ip}]", provider: "Gmail",
            phase: .endOfData, means: .authentication),
        try entry("yahoo/tss04", "421 4.7.0 [TSS04] deferred", provider: "Yahoo", means: .rateLimit, advice: .slowDown),
        try entry("icloud/over-quota", "552 5.2.2 <{to}>: overquota", provider: "iCloud", means: .mailboxFull),
        try entry("postfix/must-starttls", "530 5.7.0 Must issue a STARTTLS command first", means: .tls),
    ])
}

@Suite struct ReplyTemplateTests {
    @Test func `Placeholders are filled in from the session`() throws {
        let reply = try template("550 5.1.1 <{to}> from <{from}> by {helo} [{ip}]: {id}")
            .reply(ReplyFill(ip: "192.0.2.1", to: "b@x.test", from: "a@y.test", helo: "c.test", id: "17"))
        #expect(reply.text == "550 5.1.1 <b@x.test> from <a@y.test> by c.test [192.0.2.1]: 17")
        #expect(reply.code.value == 550)
        #expect(reply.enhanced == EnhancedStatus(5, 1, 1))
    }

    @Test func `What the session has not said is unknown`() throws {
        #expect(try template("550 <{to}>: no").reply(ReplyFill()).text == "550 <unknown>: no")
    }

    @Test func `Several lines go out as they are written`() throws {
        let reply = try template("554-mx.test", "554-5.7.1", "554 Go away, {ip}").reply(ReplyFill(ip: "::1"))
        #expect(reply.wire == Array("554-mx.test\r\n554-5.7.1\r\n554 Go away, ::1\r\n".utf8))
        #expect(reply.enhanced == nil)
    }

    @Test func `A reply without placeholders is the same for every session`() throws {
        let template = try template("421 4.7.0 [TSS04] deferred")
        #expect(template.reply(ReplyFill(ip: "192.0.2.1")) == template.reply(ReplyFill()))
        #expect(template.reply(ReplyFill()).wire == Array("421 4.7.0 [TSS04] deferred\r\n".utf8))
    }

    @Test func `What a client sent forges no line and leaves no ASCII`() throws {
        let reply = try template("550 <{to}>: no").reply(ReplyFill(to: "a\r\n250 ok\u{7F}ü"))
        #expect(reply.text == "550 <a??250 ok???>: no")
    }

    @Test func `Long values are cut, and so is the line that holds several of them`() throws {
        let long = String(repeating: "x", count: 1000)
        let one = try template("550 <{to}>").reply(ReplyFill(to: long))
        #expect(one.wire.count == 4 + 1 + ReplyTemplate.longestValue + 1 + 2)
        let two = try template("550-{to}{to}{to}", "550 end").reply(ReplyFill(to: long))
        #expect(two.wire.split(separator: 10).first?.count == ReplyTemplate.longestLine + 1)
        #expect(two.wire.suffix(9) == Array("550 end\r\n".utf8)[...])
    }

    @Test func `Two braces are one`() throws {
        #expect(try template("550 {{to} {{}").reply(ReplyFill(to: "x")).text == "550 {to} {}")
    }

    @Test func `A code alone has its space`() throws {
        #expect(try template("550").reply(ReplyFill()).wire == Array("550 \r\n".utf8))
    }

    @Test(arguments: [
        ("591 no", nil as String?), ("422 4.2.2 full", "4.2.2"), ("421 5.7.32 odd", "5.7.32"), ("550 #5.1.0 no", nil),
        ("450 cuda_nsu 4.7.1 no", nil), ("554 30 no", nil),
    ])
    func `Odd codes stay as they are`(line: String, enhanced: String?) throws {
        let template = try template(line)
        #expect(template.enhanced?.description == enhanced)
        #expect(template.reply(ReplyFill()).text == line)
    }

    @Test(
        arguments: [
            ([], 0, 0, "an empty reply"),
            (["650 no"], 0, 0, "\"650\" is not a reply code"),
            (["no"], 0, 0, "is not a reply code"),
            (["5500 no"], 0, 0, "is not a reply code"),
            (["550-no"], 0, 3, "the last line of a reply has a space behind its code"),
            (["550 no", "550 no"], 0, 3, "a line that another follows has \"-\" behind its code"),
            (["550-no", "551 no"], 1, 0, "each line begins with the code of the first, 550"),
            (["550-no", "no"], 1, 0, "each line begins with the code of the first, 550"),
            (["550 <{rcpt}> no"], 0, 5, "unknown placeholder {rcpt}; known are {ip}, {to}, {from}, {helo}, {id}"),
            (["550 {form} no"], 0, 4, "unknown placeholder {form}; did you mean \"from\"?"),
            (["550-ok", "550 <{to no"], 1, 5, "a placeholder without its \"}\""),
            (["550 caf\u{E9}"], 0, 7, "a reply is printable ASCII (RFC 5321 §4.2), not \"\u{E9}\""),
            (["550 a\u{7}b"], 0, 5, "not the control character 7"),
            (["550 " + String(repeating: "x", count: 507)], 0, 0, "at most 510 octets (RFC 5321 §4.5.3.1.5), not 511"),
            (Array(repeating: "550-x", count: 101), 100, 0, "at most 100 lines"),
        ] as [([String], Int, Int, String)])
    func `A malformed reply is refused at its place`(lines: [String], line: Int, offset: Int, text: String) {
        guard case .failure(let error) = ReplyTemplate.parse(lines) else {
            Issue.record("accepted: \(lines)")
            return
        }
        #expect(error.text.description.contains(text), "\(error.text)")
        #expect((error.line, error.offset) == (line, offset))
    }

    @Test func `Garbage never becomes more than lines of the code`() throws {
        var dice = Dice(7)
        let alphabet = Array("450-{}to ip x.1\u{E9}\n\r\t<>".unicodeScalars)
        for _ in 0..<20_000 {
            let lines = (0..<dice.below(4)).map { number in
                var text = dice.chance(70) ? (dice.chance(50) ? "450-" : "450 ") : ""
                for _ in 0..<dice.below(12) { text.unicodeScalars.append(dice.one(of: alphabet)) }
                return text
            }
            guard case .success(let template) = ReplyTemplate.parse(lines) else { continue }
            let reply = template.reply(ReplyFill(ip: "a\nb", to: "\r\n."))
            let sent = reply.wire.split(separator: 10, omittingEmptySubsequences: false).dropLast()
            #expect(sent.count == lines.count)
            for (index, line) in sent.enumerated() {
                #expect(line.last == 13)
                #expect(line.dropLast().allSatisfy { (32...126).contains($0) || $0 == 9 })
                #expect(line.starts(with: Array((index == sent.count - 1 ? "450 " : "450-").utf8)), "\(lines)")
            }
        }
    }
}

@Suite struct CatalogueTests {
    @Test(arguments: ["gmail/over-quota", "GMAIL/Over-Quota", "gmail.over-quota"])
    func `A name is found in any case, and with a dot for its slash`(name: String) throws {
        #expect(try sample()[name]?.name == "gmail/over-quota")
    }

    @Test func `What is not in it is not found`() throws {
        let catalogue = try sample()
        for name in ["", "/", ".", "gmail", "gmail/", "over-quota", "gmail/over-quot", "gmail/over-quota/"] {
            #expect(catalogue[name] == nil, "\(name)")
        }
        #expect(Catalogue.empty["gmail/over-quota"] == nil)
    }

    @Test(arguments: [
        ("gmail/over-qouta", "gmail/over-quota"), ("gmial/over-quota", "gmail/over-quota"),
        ("gmail.over_quota", "gmail/over-quota"), ("over-quota", "gmail/over-quota"), ("yahoo", "yahoo/tss04"),
        ("outlook/tss04", "yahoo/tss04"), ("gmail", "gmail/over-quota"), ("gmail/nothing-like-it", "gmail/over-quota"),
    ])
    func `The nearest names are those of the provider or of the reply that was named`(word: String, first: String)
        throws
    {
        #expect(try sample().nearest(word).first == first)
    }

    @Test func `At most three names are suggested, each once`() throws {
        let catalogue = try sample()
        for word in ["gmail/over-quota", "over-quota", "o", "gmail", ""] {
            let names = catalogue.nearest(word)
            #expect(names.count <= 3)
            #expect(Set(names).count == names.count)
        }
        #expect(catalogue.nearest("over-quota") == ["gmail/over-quota", "icloud/over-quota"])
        #expect(catalogue.nearest("xyzzy-plugh").isEmpty)
        #expect(Catalogue.empty.nearest("gmail").isEmpty)
    }

    @Test(
        arguments: [
            (["gmail"], ["gmail/over-quota", "gmail/unauthenticated"]), (["452"], ["gmail/over-quota"]),
            (["4xx"], ["gmail/over-quota", "yahoo/tss04"]), (["5.7.26"], ["gmail/unauthenticated"]),
            (["gmail", "mailbox-full"], ["gmail/over-quota"]), (["mailbox-full", "5xx"], ["icloud/over-quota"]),
            (["rcpt"], ["gmail/over-quota"]), (["slow-down"], ["yahoo/tss04"]), (["[TSS04]"], ["yahoo/tss04"]),
            (["GSMTP"], ["gmail/over-quota"]), (["starttls", "first"], []),
            (["command", "first"], ["postfix/must-starttls"]),
            (["tls"], ["postfix/must-starttls"]), (["gmail", "tss04"], []),
            (["over-q"], ["gmail/over-quota", "icloud/over-quota"]),
        ] as [([String], [String])])
    func `Bare words stand for any part of an entry, and all must hold`(words: [String], names: [String]) throws {
        #expect(try sample().search(CatalogueQuery(words: words)).map(\.name) == names)
    }

    @Test func `Each field of a query narrows it`() throws {
        let catalogue = try sample()
        func names(_ query: CatalogueQuery) -> [String] { catalogue.search(query).map(\.name) }
        #expect(names(CatalogueQuery()).count == 5)
        #expect(names(CatalogueQuery(provider: "GMAIL")).count == 2)
        #expect(names(CatalogueQuery(code: CodePattern("55x"))) == ["gmail/unauthenticated", "icloud/over-quota"])
        #expect(names(CatalogueQuery(enhanced: EnhancedPattern("4.7"))) == ["yahoo/tss04"])
        #expect(names(CatalogueQuery(enhanced: EnhancedPattern("5.x.26"))) == ["gmail/unauthenticated"])
        #expect(names(CatalogueQuery(meaning: .mailboxFull)) == ["gmail/over-quota", "icloud/over-quota"])
        #expect(names(CatalogueQuery(phase: .at(.endOfData))) == ["gmail/unauthenticated"])
        #expect(names(CatalogueQuery(phase: .any)).count == 3)
        #expect(names(CatalogueQuery(provider: "gmail", meaning: .tls)).isEmpty)
    }

    @Test func `Patterns of codes are three digits with x at the end`() {
        for good in ["550", "4xx", "45X", "5", "2"] { #expect(CodePattern(good) != nil, "\(good)") }
        for bad in ["", "650", "x50", "5x0", "55", "5500", "5.5", "1xx"] { #expect(CodePattern(bad) == nil, "\(bad)") }
        for good in ["5", "5.7", "4.2.2", "4.x.2", "5.7.515"] { #expect(EnhancedPattern(good) != nil, "\(good)") }
        for bad in ["", "3.1.1", "5.", "5.7.1.1", "5.1234", "x.1", "5.a"] {
            #expect(EnhancedPattern(bad) == nil, "\(bad)")
        }
    }

    @Test(arguments: ["over-quota", "s3140", "a", "0"]) func `Names are plain`(name: String) {
        #expect(CatalogueEntry.complaint(aboutPart: name) == nil)
    }

    @Test(arguments: ["", "-a", "a-", "Over", "a.b", "a/b", "a_b", "a b", "\u{E9}"]) func `Other names are refused`(
        name: String
    ) {
        #expect(CatalogueEntry.complaint(aboutPart: name) != nil)
    }
}
