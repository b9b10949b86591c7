// Makes rules at random, sensible or not, for the round-trip test.

import Faults
import SMTP

enum RuleMaker {
    static func rule(_ dice: inout Dice) -> Rule {
        let phase = dice.one(of: Phase.allCases)
        let keys = (ConditionKey.plain + [.header("subject")]).shuffled(using: &dice)
            .filter { $0.unknownReason(at: phase) == nil }
        let when = keys.prefix(dice.below(3)).compactMap { condition($0, &dice) }
        let groups = dice.chance(30) ? [group(keys, depth: 1, &dice)] : []
        let counts = CountKey.allCases.shuffled(using: &dice).filter { $0.unknownReason(at: phase) == nil }
        let schedule: Schedule
        if dice.chance(25) {
            schedule = .steps((0...dice.below(4)).map { _ in actions(&dice) })
        } else {
            schedule = .times(frequency(&dice), do: actions(&dice))
        }
        var per = Array(counts.prefix(dice.below(3)))
        if case .times(.always, _) = schedule { per = [] }
        let name = dice.chance(40) ? "rule.\(dice.below(1000))_x-y" : ""
        return Rule(name: name, at: phase, when: when, groups: groups, schedule: schedule, per: per)
    }

    private static func group(_ keys: [ConditionKey], depth: Int, _ dice: inout Dice) -> ConditionGroup {
        let conditions = (0...dice.below(2)).compactMap { _ in condition(dice.one(of: keys), &dice) }
        let inner = depth < 3 && (dice.chance(30) || conditions.isEmpty) ? [group(keys, depth: depth + 1, &dice)] : []
        if conditions.isEmpty, inner.isEmpty {
            return ConditionGroup(.not, [condition(.client, &dice)].compactMap(\.self))
        }
        return ConditionGroup(dice.one(of: ConditionGroup.Kind.allCases), conditions, inner)
    }

    private static let texts = [
        "par(en)", ")", "/(a)/",
        "*@full.test", "a@b", "<>", "", "/^a b,c$/", "/x\\/y/i", "with space", "comma,ed", "\"quoted\"@x", "ends:",
        "back\\*slash",
        "a\\\\", "ünï@cödé.test", "::", "/[:]: /", "a\"b", ",", "x=y", "steps",
    ]

    private static func condition(_ key: ConditionKey, _ dice: inout Dice) -> Condition? {
        let values = (0...dice.below(3)).map { _ -> String in
            switch key {
            case .from, .to, .helo, .user, .listener, .header, .body, .messageID, .parameter: dice.one(of: texts)
            case .space: dice.one(of: ["t17", "A-b_c", "0"])
            case .hello: dice.one(of: ["ehlo", "HELO"])
            case .time: dice.one(of: ["22:00..06:00", "00:00..24:00", "9:00..10:00"])
            case .links: dice.one(of: [">3", "0", "*example*", "/x/"])
            case .client: dice.one(of: ["10.0.0.0/8", "::1", "2001:db8::/32", "unix", "192.0.2.7", "::", "::/0"])
            case .tls: dice.one(of: ["none", "any", "TLSv1.2", "TLSv1.3"])
            case .size: dice.one(of: [">10KB", "<5", ">=1MiB", "17", "1KB..2KB", "<=9"])
            case .recipients, .attempt, .messageAttempt: dice.one(of: [">3", "1", "<=2", "2..5"])
            }
        }
        return try? Condition.parse(key, values).get()
    }

    private static func frequency(_ dice: inout Dice) -> Frequency {
        let number = 1 + dice.below(100)
        let span = Span(ns: UInt64(1 + dice.below(500_000)) * dice.one(of: [1, 1_000_000, 60_000_000_000]))
        return dice.one(of: [
            .always, .first(number), .nth(number), .every(number), .chance(millionths: 1 + dice.below(1_000_000)),
            .until(span), .after(span),
            .allowance(Allowance(kind: dice.one(of: [.limit, .octets, .errors]), most: UInt64(number), window: span)),
            .allowance(Allowance(kind: .limit, most: UInt64(number), window: nil)),
            .allowance(Allowance(kind: .atOnce, most: UInt64(number), window: nil)),
            .allowance(
                Allowance(kind: .unknownShare, most: UInt64(number), window: dice.one(of: [nil, span]), sample: 7)),
            .greylist(Greylist(wait: Span(ns: 5), window: span, memory: span)),
            .recover(Recovery(down: span, ramp: span)),
        ])
    }

    private static let replies = [
        "550 5.1.1 No such user", "451 4.7.1 Greylisted, please wait; 10 minutes", "421 bye", "554", "550 5.1.1",
        "550 a, close", "550 a, 551 b", "550 a; accept", "550 say \"no\"", "452 back\\\\slash", "554 one\\ntwo\\nthree",
        "550 5.7.1 x\\n550 5.7.1 y", "550 trailing ", "550 trailing,", "550 5.1.1 ünï", "550 x\\n\\n550 y",
        "250 2.0.0 Ok",
        "550 550 5.1.1", "550  two  spaces", "550 5.1.1  lead", "550 \\\\n", "550 x\\n551 y", "354 Go", "220 hi",
        "550 a, \"b", "550 ends\\\\",
        "550 x\\n5.1.1 y", "550 5.1.1 x\\n550 y", "550 5.1.1 x\\n550 4.1.1 y", "550 x\\n550-5.1.1 y", "550 x\\n550",
        "550 x\\n",
    ]

    private static func actions(_ dice: inout Dice) -> [RuleAction] {
        (0...dice.below(3)).compactMap { _ -> RuleAction? in
            let words = [
                "close", "reset", "stall", "keep", "lose", "accept", "delay 2s", "delay 1s..5s", "drip 1/s",
                "drip 10KB/m",
                "stop-reading", "use gmail/over-quota", "tarpit 500ms..30s", "raw bare-lf-reply",
                "raw \"250 a, close; b\\r\\n\\x00\\|\\\\\\\"\"", "tls expired", "tls alert-internal-error",
                "slow-read 1KiB/s", "hide SIZE STARTTLS", "offer AUTH", "delay 1500ms",
            ]
            return try? RuleAction.parse(dice.chance(50) ? dice.one(of: replies) : dice.one(of: words)).get()
        }
    }
}
