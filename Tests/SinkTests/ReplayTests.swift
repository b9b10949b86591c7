// A recorded session, replayed: the scenario is read back as any other, and the same client meets the same faults.

import Faults
import SMTP
import Settings
import Testing

@testable import Journal
@testable import Sink

@Suite("Replay")
struct ReplayTests {
    static let message = "Subject: x\r\n\r\n0123456789\r\n0123456789\r\n0123456789\r\n.\r\n"
    static let transaction = [
        "MAIL FROM:<a@a.test>\r\n", "RCPT TO:<b@b.test>\r\n", "RCPT TO:<c@b.test>\r\n", "DATA\r\n",
    ]
    /// A client that goes on, whatever it is told.
    static let stubborn: [String] =
        ["EHLO c.test\r\n"] + transaction + [message] + transaction + [message]
        + [
            "MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n", "BDAT 20\r\n01234567890123456789",
            "BDAT 30 LAST\r\n012345678901234567890123456789", "NOOP\r\n", "VRFY x\r\n", "RSET\r\n", "NOOP\r\n",
            "QUIT\r\n",
        ]

    /// What must be the same again: everything said, by whom and when, and what became of it.
    struct Outcome: Equatable {
        var lines: [String]
        var transactions: [String]
        var session: String
        var faults: [String]
        var notices: [String]

        init(_ record: SessionRecord) {
            lines = []
            var content = 0
            for (index, line) in record.lines.enumerated() {
                content = line.octets.map { content + $0 } ?? 0
                // Content is told in one piece, or in two where a rule at body was asked and did nothing.
                if index > 0, line.octets != nil, record.lines[index - 1].octets != nil { lines.removeLast() }
                lines.append("\(line.at_us) \(line.who) \(line.text) \(content)")
            }
            transactions = record.transactions.map {
                "\($0.from) \($0.recipients.map { [$0.address, $0.reply] }) \($0.verdict?.rawValue ?? "-") "
                    + "\($0.rejected_at ?? "-") \($0.reply ?? "-") \($0.message ?? "-")"
            }
            session =
                "\(record.verdict?.rawValue ?? "-") \(record.rejected_at ?? "-") \(record.reply ?? "-") "
                + "\(record.ended_by?.rawValue ?? "-") \(record.duration_us)"
            faults = record.faults.map { "\($0.at_us) \($0.phase) \($0.use) \($0.octets ?? 0) \($0.script)" }
            notices = record.notices
        }
    }

    /// The rules of a scenario, which has no complaints.
    static func rules(of scenario: String) throws -> [Rule] {
        let (settings, complaints) = SettingsFile.parse(Array(scenario.utf8), file: "f.yaml")
        #expect(complaints.filter(\.isError).isEmpty, "\(complaints)\n\(scenario)")
        let read = try #require(settings)
        #expect(Configuration.complete(read, .empty).complaints.filter(\.isError).isEmpty)
        #expect(read.magic == [] && read.timeScale == 1)
        return read.rules.map(\.rule)
    }

    static func play(_ rehearsal: inout Rehearsal, _ client: [String]) {
        for octets in client where !rehearsal.conversation.hasEnded {
            rehearsal.send(octets)
            rehearsal.wait(ms: 40)
        }
        rehearsal.wait(ms: 20_000)
        rehearsal.clientCloses()
        rehearsal.wait(ms: 20_000)
    }

    /// Plays, replays, and compares.
    static func check(_ lines: [String], _ client: [String] = stubborn, magic: MagicPacks = .usual) throws -> String {
        var recorded = try Rehearsal(rules: lines, magic: magic)
        play(&recorded, client)
        let replay = Replay(of: recorded.record)
        #expect(replay.leftOut.isEmpty)
        var replayed = Rehearsal(rules: try rules(of: replay.scenario), magic: [])
        play(&replayed, client)
        #expect(Outcome(replayed.record) == Outcome(recorded.record), "\(lines)\n\(replay.scenario)")
        #expect(replayed.closing == recorded.closing && replayed.stored == recorded.stored)
        return replay.scenario
    }

    @Test(
        "a session with one rule is the same again",
        arguments: [
            "connect: 554 5.7.1 No", "connect: close", "connect: delay 2s, reset", "greeting: 421 4.3.2 Full",
            "greeting: raw multiline-greeting", "greeting: raw \"220 a \\xff\\|b\\r\\n\"", "greeting: drip 20/s",
            "ehlo: hide CHUNKING PIPELINING", "ehlo: offer STARTTLS", "ehlo: 502 5.5.1 No EHLO", "ehlo: stall",
            "mail: 451 4.3.0 No \"really\": #1 'not' \\\\ {now} [or] & * ! | > % @ `", "mail nth=2: 421 Bye",
            "mail every=2: 550 5.1.0 One\\nTwo\\nThree", "mail: slow-read 200/s", "rcpt: delay 10ms..900ms",
            "rcpt 40%: 450 4.2.0 Perhaps", "rcpt first=2 per=to: 451 4.7.1 Greylisted",
            "rcpt to=c@*: 550 5.1.1 c is not here", "rcpt limit=3 per=session: 452 4.5.3 Too many",
            "rcpt: tarpit 10ms..1s",
            "data: 354 Go on", "data: 554 5.5.1 No valid recipients", "data nth=2: delay 300ms, accept, close",
            "data: raw two-replies", "data: raw early-reply", "data: raw no-code",
            "body size=>=0: 451 4.3.0 At once", "body size=>=17: 452 4.3.1 Half-way", "body size=>=17: stop-reading",
            "body size=>=17 nth=2: close", "body size=>=17 nth=3: 552 5.3.4 Too much", "body: delay 30ms",
            "body size=>=50: reset", "body size=>=20: delay 10ms", "body size=>=12 header.subject=x nth=2: 554 5.6.0 x",
            "end-of-data: keep, close", "end-of-data: keep, 451 4.3.0 Stored all the same", "end-of-data: lose",
            "end-of-data: lose, 250 2.0.0 Of course", "end-of-data: 250 2.0.0 Ok: queued as x", "end-of-data: reset",
            "end-of-data nth=2: stall", "end-of-data: raw unsolicited-421", "end-of-data: drip 40/s, 550 5.7.1 Spam",
            "end-of-data nth=2: accept, close", "rset: 421 4.3.0 No", "noop nth=2: 500 5.5.2 What", "vrfy: 252 Perhaps",
            "quit: 554 5.0.0 Stay", "quit: stall", "quit: delay 100ms", "idle nth=4: delay 20ms, 421 4.4.2 Time-out",
            "idle: delay 5s, close", "accepted: 421 4.3.2 Done", "accepted nth=2: delay 10ms, reset",
            "rcpt greylist=1h..4h/36d per=from,to: 451 4.7.1 Come again",
        ])
    func oneRule(line: String) throws {
        let scenario = try Self.check([line])
        #expect(scenario.contains(" per session\n"))
    }

    @Test("several rules at one phase, and several phases, keep their uses apart")
    func severalRules() throws {
        let lines = [
            "mail nth=3: 451 4.0.0 Third", "mail first=1: 450 4.0.0 First", "mail: delay 1ms",
            "rcpt every=2: 452 4.5.3 x",
            "body size=>=5 nth=2: delay 3ms", "body size=>=5: delay 2ms", "body size=>=9 nth=2: 451 4.0.0 Nine",
            "end-of-data nth=2: keep, 451 4.4.0 Late", "noop: delay 1ms, 250 Yes", "ehlo: hide SIZE",
        ]
        let scenario = try Self.check(lines)
        #expect(scenario.contains("times: first 1 per session"))
        #expect(scenario.contains("when: { size: \">=5\" }"))
    }

    @Test("what was counted in the session is not counted again")
    func counted() throws {
        let lines = ["rcpt nth=2: 550 5.1.1 No", "rcpt errors=1 per=session: 421 4.7.0 Too many errors"]
        let scenario = try Self.check(lines)
        #expect(scenario.contains("nth 3 per session") && scenario.contains("nth 2 per session"))
    }

    @Test("steps, one use after the other, are replayed each at its own")
    func steps() throws {
        let rule = Rule(
            at: .rcpt,
            schedule: .steps(
                try ["451 4.7.1 One", "delay 20ms", "450 4.2.0 Three", "accept"].map {
                    [try RuleAction.parse($0).get()]
                }))
        var recorded = Rehearsal(rules: [rule])
        Self.play(&recorded, Self.stubborn)
        var replayed = Rehearsal(rules: try Self.rules(of: Replay.scenario(of: recorded.record)), magic: [])
        Self.play(&replayed, Self.stubborn)
        #expect(Outcome(replayed.record) == Outcome(recorded.record))
        #expect(recorded.record.faults.count == 5)
    }

    @Test(
        "what an address asked for comes again, once, without its magic",
        arguments: [
            "rcpt-550", "rcpt-451-x2", "mail-452-4.2.2", "data-421", "eod-close", "eod-554-5.7.1", "eod-drop",
            "eod-delay-3s", "eod-reset", "eod-stall", "rcpt-delay-20ms-450",
        ])
    func magic(word: String) throws {
        let address = "\(word)@any.test"
        let once = ["MAIL FROM:<\(address)>\r\n", "RCPT TO:<\(address)>\r\n", "DATA\r\n", Self.message]
        let scenario = try Self.check([], ["EHLO c\r\n"] + once + once + ["RSET\r\n"] + once + ["QUIT\r\n"])
        #expect(scenario.contains("name: s1.magic-\(word)"))
    }

    @Test("packs of other tools come again as well", arguments: ["helo500.example.com", "no8bit-nopipelining.x.test"])
    func packs(name: String) throws {
        let packs = try MagicPacks.parse("all").get()
        _ = try Self.check(
            [],
            [
                "EHLO \(name)\r\n", "MAIL FROM:<rset421@x.test>\r\n", "RCPT TO:<bounce+550+no+such+user@x.test>\r\n",
                "RSET\r\n", "QUIT\r\n",
            ], magic: packs)
    }

    @Test("random sessions with random faults are the same again", arguments: 0..<300)
    func random(seed: Int) throws {
        var dice = SplitMix(state: UInt64(seed) &* 0x9e37_79b9)
        let phases = Phase.allCases.filter { ![.tls, .starttls].contains($0) }
        let actions = [
            "451 4.3.0 No", "550 5.3.0 No", "delay 10ms..90ms", "close", "reset", "stall", "drip 5000/s", "accept",
            "raw two-replies", "keep, close", "lose", "421 Bye", "slow-read 500/s", "delay 5ms, 550 5.0.0 \"#: \\\\ -",
        ]
        let rules = (0..<Int(1 + dice.next() % 5)).compactMap { _ -> String? in
            let phase = phases[Int(dice.next() % UInt64(phases.count))]
            let times = ["", "nth=2", "every=2", "first=2 per=session", "\(20 + dice.next() % 80)%"][
                Int(dice.next() % 5)]
            let when = phase == .body ? " size=>=\(dice.next() % 4)" : ""
            let line = "\(phase.rawValue)\(when) \(times): \(actions[Int(dice.next() % UInt64(actions.count))])"
            return (try? RuleLine.parse(line)) == nil ? nil : line
        }
        let client = (0..<40).map { _ in
            RandomSessionTests.words[Int(dice.next() % UInt64(RandomSessionTests.words.count))]
        }
        _ = try Self.check(rules, ["EHLO c.test\r\n"] + client)
    }

    @Test(
        "every text stands in the file as it was",
        arguments: [
            "550 5.1.1 - # : \"'\\\\ %{}[]|>&*!@`,", "550 #", "550 : ", "550  two  spaces ", "550 Nö, ще — 漢字 😀",
            "550 ~",
            "550 \u{2028}line\u{feff}\u{200d}\u{e000}\u{85}\u{a0}", "550 a\\nb\\n550-c",
            "raw \"\\0\\xff\\r\\n\\\"\\\\\\|x\"",
            "550 \(String(repeating: "long ", count: 390))", "451-4.1.1 One\\n4.1.1 Two",
        ])
    func quoting(action: String) throws {
        var record = SessionRecord()
        record.id = "s1 \" # \n é"
        record.reply = "550 \"\\ #\u{1b}[2J\u{0}"
        record.client = "\u{2029}: -"
        record.faults = [
            FaultRecord(
                at_us: 0, rule: "magic \"#: \\\u{7}\n- x", phase: "rcpt", action: "", why: "#\n- \u{1b} \"", use: 3,
                octets: nil, script: ["delay 3ns", action])
        ]
        let rules = try Self.rules(of: Replay.scenario(of: record))
        let asked = [try RuleAction.parse("delay 3ns").get(), try RuleAction.parse(action).get()]
        #expect(rules.map(\.schedule) == [.times(.nth(3), do: asked)])
        #expect(rules.map(\.per) == [[.session]])
    }

    @Test("a rate beyond all that a rule can say is written as the highest")
    func rates() throws {
        for (rate, text) in [(1e30, "100000000000000000/s"), (0.5, "30/m"), (1e-9, "1/h")] {
            #expect(Action.drip(octetsPerSecond: rate).written == "drip \(text)")
            #expect(throws: Never.self) { try RuleAction.parse("drip \(text)").get() }
        }
    }

    @Test("uses in a row, from the first on, are one rule")
    func rows() throws {
        var record = SessionRecord()
        record.id = "s1"
        record.faults = [1, 2, 3, 5, 6].map {
            FaultRecord(
                at_us: 0, rule: "r", phase: "rcpt", action: "", why: "", use: $0, octets: nil, script: ["550 No"])
        }
        let rules = try Self.rules(of: Replay.scenario(of: record))
        let no = [try RuleAction.parse("550 No").get()]
        #expect(rules.map(\.schedule) == [.times(.nth(6), do: no), .times(.nth(5), do: no), .times(.first(3), do: no)])
        #expect(rules.map(\.name) == ["s1.r", "s1.r-2", "s1.r-3"])
    }

    @Test("a setting or a server name that spoilt TLS becomes a rule, beside what a rule did at the same place")
    func spoiltTLS() throws {
        func fault(_ rule: String, _ phase: String, _ use: Int, _ script: [String]) -> FaultRecord {
            FaultRecord(at_us: 0, rule: rule, phase: phase, action: "", why: "", use: use, octets: nil, script: script)
        }
        func lines(_ faults: FaultRecord...) throws -> [String] {
            var record = SessionRecord()
            record.faults = faults
            return try Self.rules(of: Replay.scenario(of: record)).map { rule in
                "\(rule.at.rawValue) \(rule.schedule.steps[0].map(\.description).joined(separator: ", "))"
            }
        }
        #expect(try lines(fault("listener smtp", "ehlo", 0, ["tls hidden"])) == ["connect tls hidden"])
        #expect(
            try lines(
                fault("listener smtp", "ehlo", 0, ["tls hidden"]), fault("r", "connect", 1, ["delay 1s", "close"]))
                == ["connect tls hidden, delay 1s, close"])
        #expect(
            try lines(fault("r", "starttls", 1, ["454 4.7.0 No"]), fault("listener a", "starttls", 1, ["tls expired"]))
                == ["starttls tls expired, 454 4.7.0 No"])
        #expect(
            try lines(fault("r", "tls", 2, ["delay 1s"]), fault("server name", "tls", 2, ["tls alert-bad-certificate"]))
                == ["tls tls alert-bad-certificate, delay 1s"])
    }

    @Test(
        "STARTTLS that a setting hides or refuses is hidden or refused again", arguments: [TLSFault.hidden, .refused])
    func settings(fault: TLSFault) throws {
        let client = ["EHLO c\r\n", "STARTTLS\r\n", "STARTTLS\r\n", "EHLO c\r\n", "QUIT\r\n"]
        var profile = Profile(hostname: "mx.test")
        profile.capabilities.insert(CapabilitySet(.startTLS))
        var recorded = Rehearsal(rules: [], profile: profile, tlsFault: fault)
        Self.play(&recorded, client)
        var replayed = Rehearsal(
            rules: try Self.rules(of: Replay.scenario(of: recorded.record)), profile: profile, magic: [])
        Self.play(&replayed, client)
        #expect(recorded.record.faults.count == (fault == .refused ? 2 : 1))
        #expect(Outcome(replayed.record).lines == Outcome(recorded.record).lines)
        #expect(Outcome(replayed.record).session == Outcome(recorded.record).session)
    }

    @Test("what no rule can do is left out, and the file says so")
    func leftOut() throws {
        var record = SessionRecord()
        record.id = "s1"
        func add(_ phase: String, _ use: Int, _ script: [String]) {
            record.faults.append(
                FaultRecord(
                    at_us: 0, rule: "r", phase: phase, action: "", why: "", use: use, octets: nil, script: script))
        }
        add("rcptt", 1, ["close"])
        add("rcpt", 0, ["close"])
        add("rcpt", 1, [])
        add("rcpt", 1, ["cloze"])
        add("rcpt", 1, ["close"])
        add("rcpt", 1, ["reset"])
        add("quit", 1, ["hide SIZE"])
        // Not a code that MAIL knows: its octets are said all the same.
        add("mail", 1, ["221 2.0.0 Bye"])
        let replay = Replay(of: record)
        #expect(replay.leftOut.count == 6, "\(replay.leftOut)")
        #expect(replay.leftOut[0].contains("did you mean \"rcpt\"?"))
        #expect(replay.scenario.contains("# Left out:"))
        let rules = try Self.rules(of: replay.scenario)
        #expect(
            rules.flatMap { $0.schedule.steps.joined() }.map(\.description) == ["close", "raw \"221 2.0.0 Bye\\r\\n\""])
    }
}
