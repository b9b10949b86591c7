// What receivers look at to tell a mail server from a bot, point by point, for one sender. A point knows nothing of its
// own: its answer is that of its rules.

/// One point of the check.
package struct BotPoint: Sendable, Hashable, Codable {
    package enum Question: String, Sendable, Hashable, Codable, CaseIterable {
        case heloQualified = "helo-qualified"
        case heloConstant = "helo-constant"
        case heloOfAddress = "helo-of-address"
        case heloNoLiteral = "helo-no-literal"
        case reverseName = "reverse-name"
        case waitsForGreeting = "waits-for-greeting"
        case pipelinesAsOffered = "pipelines-as-offered"
        case quits
        case letsGo = "lets-go"
        case fewAtOnce = "few-at-once"
        case messageID = "message-id"
        case envelopeDomain = "envelope-domain"
        case oneAddress = "one-address"
    }

    /// What one of its rules says.
    package struct Answer: Sendable, Hashable, Codable {
        package var rule: RuleID
        package var state: RuleState
        /// How often it was broken, or in how many sessions it was kept.
        package var count: Int
        /// Where broken: in effect here, after profile and configuration.
        package var severity: Severity?
        /// Where broken: what was seen first, the session, the line of its transcript, and why the severity is not the
        /// rule's own.
        package var saw: String?
        package var session: String?
        package var line: Int?
        package var reason: String?
    }

    package var question: Question
    /// Broken where one of its rules is; kept where all rules are that decide it.
    package var state: RuleState
    package var answers: [Answer]
}

extension BotPoint.Question {
    /// What a mail server does.
    package var title: String {
        switch self {
        case .heloQualified: "Gives a fully qualified name in EHLO"
        case .heloConstant: "Always gives the same name"
        case .heloOfAddress: "Gives a name that leads to its address"
        case .heloNoLiteral: "Gives a name, not an address literal"
        case .reverseName: "Has a reverse name that leads back"
        case .waitsForGreeting: "Waits for the greeting"
        case .pipelinesAsOffered: "Pipelines only what was offered"
        case .quits: "Ends with QUIT"
        case .letsGo: "Does not hold idle connections"
        case .fewAtOnce: "Opens few connections at once"
        case .messageID: "Gives each message its Message-ID"
        case .envelopeDomain: "Uses envelope domains that can be answered"
        case .oneAddress: "Sends one mailing from one address"
        }
    }

    /// Rules that all have to be kept for the point to be kept.
    package var deciding: [RuleID] {
        switch self {
        case .heloQualified: [.heloNotFqdn]
        case .heloConstant: [.heloChangesOverTime]
        case .heloOfAddress: [.heloNameNotPeer]
        case .heloNoLiteral: [.heloLiteralUsed]
        case .reverseName: [.connFcrdnsMismatch]
        case .waitsForGreeting: [.greetEarlyTalker]
        case .pipelinesAsOffered: [.pipeNotOffered]
        case .quits: [.quitMissing]
        case .letsGo: [.connHeldIdle]
        case .fewAtOnce: [.connTooManyConcurrent]
        case .messageID: [.hdrMessageIdMissing]
        case .envelopeDomain: [.senderDomainDead]
        case .oneAddress: [.sameContentManyIps]
        }
    }

    /// Rules that break the point, but whose being kept does not show that it is kept.
    package var breaking: [RuleID] {
        switch self {
        case .heloQualified: [.heloMissing, .heloNoArgument, .heloInvalidCharacters, .heloLocalhost, .heloBareIp]
        case .heloConstant: [.heloChangesInSession, .tlsEhloNameDiffers]
        case .heloOfAddress: [.heloUnresolvable, .heloNotMatchingPtr, .heloLiteralMismatch, .heloReceiverName]
        case .heloNoLiteral: [.heloBareIp, .heloLiteralSyntax]
        case .reverseName: [.connNoPtr, .connGenericPtr]
        case .waitsForGreeting: [.greetMultilineIgnored, .greetRefusalIgnored]
        case .pipelinesAsOffered: [.pipeAcrossSyncPoint, .pipeContentBefore354]
        case .quits: [.quitNotAwaited]
        case .letsGo: []
        case .fewAtOnce: [.connRateBurst]
        case .messageID: [.hdrMessageIdSyntax, .hdrMessageIdReused, .hdrMessageIdNoDomain]
        case .envelopeDomain: [.mailDomainNotFqdn, .spfFail, .returnPathInconsistent]
        case .oneAddress: []
        }
    }

    var rules: [RuleID] { deciding + breaking }
}

/// Collects the answers for one sender.
struct BotCheck: Sendable {
    private var broken: [RuleID: BotPoint.Answer] = [:]
    private var kept: [RuleID: Int] = [:]
    /// States that belong to no single session.
    private(set) var states = RuleStates()

    private static let rules = Set(BotPoint.Question.allCases.flatMap(\.rules))

    mutating func add(_ judgement: SessionJudgement) {
        states.formUnion(judgement.states)
        for rule in Self.rules where judgement.states[rule] == .kept { kept[rule, default: 0] += 1 }
        for finding in judgement.findings { add(finding) }
    }

    mutating func add(_ finding: Finding) {
        states[finding.rule] = .broken
        guard Self.rules.contains(finding.rule) else { return }
        guard var answer = broken[finding.rule] else {
            broken[finding.rule] = Self.answer(finding)
            return
        }
        if finding.severity > answer.severity ?? .info {
            let count = answer.count
            answer = Self.answer(finding)
            answer.count += count
        } else {
            answer.count += finding.count
        }
        broken[finding.rule] = answer
    }

    private static func answer(_ finding: Finding) -> BotPoint.Answer {
        BotPoint.Answer(
            rule: finding.rule, state: .broken, count: finding.count, severity: finding.severity, saw: finding.saw,
            session: finding.session, line: finding.evidence.first?.line, reason: finding.reason)
    }

    /// - Parameter overTime: states that are known of all senders together: what nobody broke, this one kept.
    func points(_ overTime: RuleStates) -> [BotPoint] {
        BotPoint.Question.allCases.map { question in
            let answers = question.rules.map { answer($0, overTime) }
            var state = RuleState.notObserved
            if answers.contains(where: { $0.state == .broken }) {
                state = .broken
            } else if answers.prefix(question.deciding.count).allSatisfy({ $0.state == .kept }) {
                state = .kept
            }
            return BotPoint(question: question, state: state, answers: answers)
        }
    }

    private func answer(_ rule: RuleID, _ overTime: RuleStates) -> BotPoint.Answer {
        if let answer = broken[rule] { return answer }
        let isKept = states[rule] == .kept || overTime[rule] == .kept
        return BotPoint.Answer(rule: rule, state: isKept ? .kept : .notObserved, count: kept[rule] ?? 0)
    }
}
