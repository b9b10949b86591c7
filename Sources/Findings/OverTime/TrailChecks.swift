// Judges how a sender treats one message over time: whether, when and from where it comes back, and whether it stops
// when it should (RFC 5321 §4.2.5, §4.5.4.1, §5.1; RFC 6647).

import SMTP

struct TrailChecks {
    let settings: OverTimeSettings
    let now_us: Int64
    let peers: BoundedTable<String, PeerNote>

    private var thresholds: Thresholds { settings.judging.thresholds }

    /// The most recipients of one trail that are judged.
    private static let historyLimit = 1000

    mutating func check(_ trail: Trail, _ ledger: inout OverTimeLedger) {
        guard !trail.attempts.isEmpty else { return }
        if trail.attempts.count == 1, isSettled(trail.attempts[0]) {
            keptAtOnce(trail.attempts[0], &ledger)
            return
        }
        for history in History.all(trail).prefix(Self.historyLimit) { check(history, trail, &ledger) }
        CopyChecks.check(trail, settings, &ledger)
        for attempt in trail.attempts { checkPartial(attempt, trail, &ledger) }
    }

    /// Nothing more can be expected of it, and nothing more came: the usual case, so it is quick.
    private func isSettled(_ attempt: Attempt) -> Bool {
        attempt.recipients.allSatisfy { $0.outcome == .delivered || $0.outcome == .unheard }
            && !attempt.recipients.isEmpty
    }

    private func keptAtOnce(_ attempt: Attempt, _ ledger: inout OverTimeLedger) {
        if attempt.hasContent, attempt.recipients.count > 1 {
            ledger.kept(.rcptSplitCopies, peer(attempt), isLoopback: attempt.isLoopback)
        }
        guard attempt.isTellable, attempt.hasDelivered, hasPassed(attempt, settings) else { return }
        ledger.kept(.duplicateAfterAccept, peer(attempt), isLoopback: attempt.isLoopback)
    }

    private func peer(_ attempt: Attempt) -> String { PeerName.peer(attempt.client) }

    /// The window for another attempt has passed, and the sink was there all the time.
    private func hasPassed(_ attempt: Attempt, _ settings: OverTimeSettings) -> Bool {
        Waiting.hasPassed(attempt, window_us: thresholds.retryWindow_us, now_us, settings)
            && (peers[peer(attempt)]?.cutUntil_us ?? .min) < attempt.end_us
    }

    private func check(_ history: History, _ trail: Trail, _ ledger: inout OverTimeLedger) {
        var before: [String: Visit] = [:]
        var delivered: Visit?
        var lost: Visit?
        for visit in history.visits {
            if let last = before[visit.attempt.server] { judge(last, visit, history, &ledger) }
            before[visit.attempt.server] = visit
            if let delivered { judgeDuplicate(delivered, visit, &ledger) }
            if let lost { judgeLostReply(lost, visit, &ledger) }
            if visit.outcome == .delivered { delivered = visit }
            lost = visit.outcome == .lost ? visit : visit.attempt.hasContent ? nil : lost
        }
        judgeEnd(history, trail, &ledger)
        judgeBackoff(history, &ledger)
    }

    // MARK: Coming back to the same server

    private func judge(_ before: Visit, _ visit: Visit, _ history: History, _ ledger: inout OverTimeLedger) {
        switch before.outcome {
        case .deferred:
            judgePause(before, visit, history, &ledger)
            judgeTuple(before, visit, &ledger)
        case .failed: judgeAfterPermanent(before, visit, &ledger)
        case .overLimit: ledger.kept(.rcpt452Lost, peer(visit.attempt), isLoopback: visit.attempt.isLoopback)
        default: break
        }
    }

    /// How sure it is that both are attempts for one message.
    private enum Certainty { case sure, likely, possible }

    private func certainty(_ one: Visit, _ other: Visit) -> Certainty {
        let (first, second) = (one.attempt, other.attempt)
        if first.hasContent, second.hasContent, first.messageID == second.messageID { return .sure }
        if first.envelopeID != nil, first.envelopeID == second.envelopeID { return .sure }
        return first.declares(sameAs: second) == true ? .likely : .possible
    }

    private static let byEnvelope = "the message never came, so it is known by its envelope alone"

    /// A new Message-ID makes it a new message for whoever is not told more.
    private func isNewMessage(_ one: Visit, _ other: Visit) -> Bool {
        one.attempt.hasContent && other.attempt.hasContent && one.attempt.messageID != other.attempt.messageID
    }

    private func judgePause(_ before: Visit, _ visit: Visit, _ history: History, _ ledger: inout OverTimeLedger) {
        let (first, second) = (before.attempt, visit.attempt)
        guard !isNewMessage(before, visit), first.declares(sameAs: second) != false, first.tie != .peer,
            first.isTLS == second.isTLS, before.code != 455
        else { return }
        // A 421 on a connection that was used before asks for a new one, not for patience (RFC 5321 §3.8).
        if before.code == 421, first.isReused { return }
        let certainty = certainty(before, visit)
        let pause_us = settings.scaled(second.start_us.since(first.end_us))
        let interval_us = settings.scaled(second.start_us.since(first.start_us))
        let peer = peer(second)
        if pause_us >= thresholds.retryImmediate_us {
            ledger.kept(.retryImmediate, peer, isLoopback: second.isLoopback)
        }
        if interval_us >= thresholds.retrySoon_us {
            ledger.kept(.retryTooSoon, peer, isLoopback: second.isLoopback)
            return
        }
        let rule: RuleID = pause_us < thresholds.retryImmediate_us ? .retryImmediate : .retryTooSoon
        ledger.broken(
            rule, peer, isLoopback: second.isLoopback, second.evidence, in: places(before, visit),
            under: first.disturbances, as: certainty == .possible ? (.info, Self.byEnvelope) : nil,
            saw: "\(reply(before)), again after \(Span.words(pause_us))\(how(certainty))\(intervals(history))")
    }

    private func judgeTuple(_ before: Visit, _ visit: Visit, _ ledger: inout OverTimeLedger) {
        let (first, second) = (before.attempt, visit.attempt)
        let peer = peer(second)
        guard first.tie != .peer else { return }
        if first.network == second.network, first.reversePath == second.reversePath {
            ledger.kept(.greylistChangedTuple, peer, isLoopback: second.isLoopback)
            return
        }
        let certainty = certainty(before, visit)
        // Another sender with no proof that it is the same message is another message.
        if certainty != .sure, first.reversePath != second.reversePath, first.declares(sameAs: second) != true {
            return
        }
        if isNewMessage(before, visit) { return }
        ledger.broken(
            .greylistChangedTuple, peer, isLoopback: second.isLoopback, second.evidence, in: places(before, visit),
            under: first.disturbances, as: certainty == .sure ? nil : (.info, Self.byEnvelope),
            saw: first.network != second.network
                ? "from \(first.client), then from \(second.client)\(how(certainty))"
                : "MAIL FROM:<\(first.reversePath)>, then MAIL FROM:<\(second.reversePath)>\(how(certainty))")
    }

    /// Refusals that ask for another request, not for another message: syntax, order, TLS, AUTH, parameters.
    private static func isAboutRequest(_ code: Int) -> Bool {
        (500...504).contains(code) || (520..<540).contains(code) && code != 521 || code == 555
    }

    private func judgeAfterPermanent(_ before: Visit, _ visit: Visit, _ ledger: inout OverTimeLedger) {
        let (first, second) = (before.attempt, visit.attempt)
        guard !isNewMessage(before, visit), first.tie != .peer, first.isTLS == second.isTLS,
            !Self.isAboutRequest(before.code), first.network == second.network || certainty(before, visit) == .sure
        else { return }
        if before.code == 552, first.phase == .mail {
            judgeSize(before, visit, &ledger)
            return
        }
        // A full mailbox may be tried again, whatever its class (RFC 3463 §3.3).
        guard before.code != 552 || first.phase != .rcpt && !first.recipients.isEmpty && first.hasContent else {
            return
        }
        let certainty = certainty(before, visit)
        guard certainty != .possible else { return }
        ledger.broken(
            .retryAfterPermanent, peer(second), isLoopback: second.isLoopback, second.evidence,
            in: places(before, visit), under: first.disturbances,
            as: certainty == .sure ? nil : (.info, Self.byEnvelope),
            saw: "\(reply(before)), again after "
                + "\(Span.words(settings.scaled(second.start_us.since(first.end_us))))\(how(certainty))")
    }

    private func judgeSize(_ before: Visit, _ visit: Visit, _ ledger: inout OverTimeLedger) {
        let (first, second) = (before.attempt, visit.attempt)
        guard let size = first.size, let again = second.size, again >= size else { return }
        ledger.broken(
            .sizeRefusalIgnored, peer(second), isLoopback: second.isLoopback, second.evidence,
            in: places(before, visit), under: first.disturbances,
            saw: "552 to MAIL with SIZE=\(size), again with SIZE=\(again), by envelope")
    }

    // MARK: Served already

    private func judgeDuplicate(_ delivered: Visit, _ visit: Visit, _ ledger: inout OverTimeLedger) {
        let (first, second) = (delivered.attempt, visit.attempt)
        guard certainty(delivered, visit) == .sure, second.hasContent, first.isTellable else { return }
        // Two ways to one mailbox, say directly and through a list, are two messages of two senders.
        guard SenderAddress.steady(first.reversePath) == SenderAddress.steady(second.reversePath) else { return }
        let refused = first.recipients.filter { $0.outcome != .delivered && $0.outcome != .unheard }
        let isPartial = refused.contains { refused in second.recipient(refused.address) != nil }
        let rule: RuleID = isPartial ? .partialAcceptResendAll : .duplicateAfterAccept
        ledger.broken(
            rule, peer(second), isLoopback: second.isLoopback, second.evidence, in: places(delivered, visit),
            under: first.disturbances,
            saw:
                "\(second.messageID ?? "the same content") was accepted for "
                + "\(recipientWords(delivered, visit)) before, "
                + "and came again after \(Span.words(settings.scaled(second.start_us.since(first.end_us))))")
    }

    private func recipientWords(_ delivered: Visit, _ visit: Visit) -> String {
        let twice = visit.attempt.recipients.filter { recipient in
            delivered.attempt.recipient(recipient.address)?.outcome == .delivered
        }
        guard let first = twice.first else { return "a recipient" }
        return twice.count == 1 ? first.address : "\(first.address) and \(twice.count - 1) more"
    }

    private func judgeLostReply(_ lost: Visit, _ visit: Visit, _ ledger: inout OverTimeLedger) {
        let (first, second) = (lost.attempt, visit.attempt)
        guard first.hasContent, second.hasContent else { return }
        guard isNewMessage(lost, visit) else {
            ledger.kept(.duplicateAfterLostReply, peer(second), isLoopback: second.isLoopback)
            return
        }
        ledger.broken(
            .duplicateAfterLostReply, peer(second), isLoopback: second.isLoopback, second.evidence,
            in: places(lost, visit), under: first.disturbances.intersection(.garbled),
            saw: "\(first.messageID ?? "no Message-ID") before the reply was lost, then "
                + "\(second.messageID ?? "no Message-ID") with the same content")
    }

    /// After mixed replies to RCPT (RFC 5321 §3.3): the accepted ones are served, or dropped with the others.
    private func checkPartial(_ attempt: Attempt, _ trail: Trail, _ ledger: inout OverTimeLedger) {
        let peer = peer(attempt)
        let wasAccepted = attempt.recipients.filter {
            $0.outcome == .abandoned && $0.code / 100 != 4 && $0.code / 100 != 5
        }
        if attempt.hasRefused, attempt.hasDelivered {
            ledger.kept(.partialAcceptAbandoned, peer, isLoopback: attempt.isLoopback)
            judgeRefusedAlone(attempt, trail, &ledger)
        }
        guard attempt.verdict == .abandoned, attempt.hasRefused, let first = wasAccepted.first else { return }
        // It may begin anew with the accepted ones alone.
        let isServed = trail.attempts.contains { other in
            other.session == attempt.session && other.isLater(than: attempt)
                && other.recipient(first.address) != nil
        }
        guard !isServed, (peers[peer]?.cutUntil_us ?? .min) < attempt.end_us else { return }
        let words = attempt.recipients.first { $0.outcome == .failed || $0.outcome == .deferred }
        ledger.broken(
            .partialAcceptAbandoned, peer, isLoopback: attempt.isLoopback, attempt.evidence,
            in: [(attempt.session, attempt.sessionStarted_us)], under: attempt.disturbances,
            saw:
                "\(first.address) was accepted, \(words?.address ?? "another") got \(words?.code ?? 0), "
                + "and no message came"
        )
    }

    /// Those who were served are not named again when the others are.
    private func judgeRefusedAlone(_ attempt: Attempt, _ trail: Trail, _ ledger: inout OverTimeLedger) {
        for other in trail.attempts where other.isLater(than: attempt) {
            let names = other.recipients.map(\.address)
            let isAgain = names.contains { attempt.recipient($0)?.outcome.isOpen ?? false }
            let isServedAgain = names.contains { attempt.recipient($0)?.outcome == .delivered }
            if isAgain, !isServedAgain {
                ledger.kept(.partialAcceptResendAll, peer(other), isLoopback: other.isLoopback)
                return
            }
        }
    }

    // MARK: Not coming back

    private func judgeEnd(_ history: History, _ trail: Trail, _ ledger: inout OverTimeLedger) {
        guard let last = history.visits.last else { return }
        let rounds = history.rounds(settings)
        let peer = peer(last.attempt)
        let isLoopback = last.attempt.isLoopback
        if rounds.count > 1, rounds[0].outcome.isOpen { ledger.kept(.retryMissing, peer, isLoopback: isLoopback) }
        if last.outcome == .failed, !Self.isAboutRequest(last.code), last.attempt.tie != .peer,
            hasPassed(last.attempt, settings), last.attempt.hasContent
        {
            ledger.kept(.retryAfterPermanent, peer, isLoopback: isLoopback)
        }
        if last.outcome == .delivered, last.attempt.isTellable, hasPassed(last.attempt, settings) {
            ledger.kept(.duplicateAfterAccept, peer, isLoopback: isLoopback)
        }
        guard Waiting.isGone(history, trail, now_us, settings), trail.attemptsDropped == 0 || rounds.count > 1,
            (peers[peer]?.cutUntil_us ?? .min) < last.attempt.end_us, let first = rounds.first
        else {
            keptToTheEnd(rounds, peer, isLoopback, &ledger)
            return
        }
        let span_us = settings.scaled(last.attempt.start_us.since(first.attempt.start_us))
        let silence_us = settings.scaled(now_us.since(last.attempt.end_us))
        let known = last.attempt.tie == .peer ? ", by peer" : last.attempt.hasContent ? "" : ", by envelope"
        if last.outcome == .overLimit {
            broken(
                .rcpt452Lost, history, &ledger, saw: "\(last.code) to RCPT TO:<\(history.address)>, and not seen again")
        } else if rounds.count == 1 {
            broken(
                .retryMissing, history, &ledger,
                saw: "\(reply(last)), and for \(Span.words(silence_us)) nothing more\(known)")
        } else if span_us < thresholds.giveUp_us {
            broken(
                .retryGivesUpEarly, history, &ledger,
                saw:
                    "\(rounds.count) attempts in \(Span.words(span_us)), "
                    + "then nothing for \(Span.words(silence_us))\(known)"
                    + intervals(history))
        } else {
            ledger.kept(.retryGivesUpEarly, peer, isLoopback: isLoopback)
        }
    }

    private func keptToTheEnd(
        _ rounds: [Visit], _ peer: String, _ isLoopback: Bool, _ ledger: inout OverTimeLedger
    ) {
        guard let first = rounds.first, let last = rounds.last, rounds.count > 1, first.outcome.isOpen else { return }
        let span_us = settings.scaled(last.attempt.start_us.since(first.attempt.start_us))
        if span_us >= thresholds.giveUp_us { ledger.kept(.retryGivesUpEarly, peer, isLoopback: isLoopback) }
    }

    private func broken(
        _ rule: RuleID, _ history: History, _ ledger: inout OverTimeLedger, saw: @autoclosure () -> String
    ) {
        guard let last = history.visits.last else { return }
        let places = history.visits.suffix(Finding.evidenceLimit + 1).map {
            (session: $0.attempt.session, started_us: $0.attempt.sessionStarted_us)
        }
        ledger.broken(
            rule, peer(last.attempt), isLoopback: last.attempt.isLoopback, last.attempt.evidence, in: places,
            under: last.attempt.disturbances, saw: saw())
    }

    /// Intervals are to grow up to hours (RFC 5321 §4.5.4.1).
    private func judgeBackoff(_ history: History, _ ledger: inout OverTimeLedger) {
        guard let peer = history.visits.last.map({ peer($0.attempt) }), history.visits[0].attempt.tie != .peer else {
            return
        }
        let rounds = history.rounds(settings)
        guard rounds.count > settings.intervalsToGrow,
            rounds.dropLast().allSatisfy({ $0.outcome.isOpen })
        else { return }
        let intervals = zip(rounds, rounds.dropFirst()).map {
            settings.scaled($1.attempt.start_us.since($0.attempt.start_us))
        }
        let recent = intervals.suffix(max(settings.intervalsToGrow, intervals.count / 2))
        guard let least = intervals.min(), let most = recent.max(), let newest = rounds.last else { return }
        guard intervals.reduce(0, +) >= settings.backoffSpan_us else { return }
        // A fifth is chance: queues are looked at in their own rhythm.
        if most > least + least / 5 || least >= settings.backoffSpan_us {
            ledger.kept(.retryNoBackoff, peer, isLoopback: newest.attempt.isLoopback)
        } else {
            broken(
                .retryNoBackoff, history, &ledger,
                saw: "\(intervals.count) intervals, none longer than \(Span.words(most))\(self.intervals(history))")
        }
    }

    // MARK: Words

    private func reply(_ visit: Visit) -> String {
        switch visit.outcome {
        case .lost: return "no reply to the end of the message"
        case .interrupted: return "the connection was cut at \(visit.attempt.phase?.rawValue ?? "an open transaction")"
        default: return "\(visit.code) at \(visit.attempt.phaseOf(visit.code).rawValue)"
        }
    }

    private func how(_ certainty: Certainty) -> String { certainty == .sure ? "" : ", by envelope" }

    private func intervals(_ history: History) -> String {
        let rounds = history.rounds(settings)
        guard rounds.count > 2 else { return "" }
        let words = zip(rounds, rounds.dropFirst()).prefix(10).map {
            Span.words(settings.scaled($1.attempt.start_us.since($0.attempt.start_us)))
        }
        return "; intervals: " + words.joined(separator: ", ")
    }

    private func places(_ one: Visit, _ other: Visit) -> [(session: String, started_us: Int64)] {
        [one, other].map { ($0.attempt.session, $0.attempt.sessionStarted_us) }
    }
}

extension Attempt {
    fileprivate func isLater(than other: Attempt) -> Bool {
        session == other.session ? transaction > other.transaction : start_us > other.start_us
    }

    /// Where a recipient's code was said: at RCPT, or where the transaction ended.
    fileprivate func phaseOf(_ code: Int) -> Phase {
        guard let phase, code == self.code else { return .rcpt }
        return phase
    }
}

/// Whether a sender is still expected.
enum Waiting {
    /// - Parameter window_us: of the sender's own time.
    static func hasPassed(_ attempt: Attempt, window_us: UInt64, _ now_us: Int64, _ settings: OverTimeSettings) -> Bool
    {
        settings.observedSince_us <= attempt.sessionStarted_us && now_us > attempt.end_us
            && settings.scaled(now_us.since(attempt.end_us)) >= window_us
    }

    /// The sender owes another attempt and has been silent for longer than its intervals explain.
    static func isGone(_ history: History, _ trail: Trail, _ now_us: Int64, _ settings: OverTimeSettings) -> Bool {
        guard let last = history.visits.last, last.outcome.isOpen, !trail.isRevisited,
            last.attempt.recipientsDropped == 0, !last.attempt.disturbances.contains(.garbled)
        else { return false }
        var longest_us: UInt64 = 0
        for (one, other) in zip(history.visits, history.visits.dropFirst()) {
            longest_us = max(longest_us, settings.scaled(other.attempt.start_us.since(one.attempt.start_us)))
        }
        // Intervals grow; three times the longest one is beyond what queues do.
        let window_us = max(settings.judging.thresholds.retryWindow_us, 3 * min(longest_us, UInt64.max / 4))
        return hasPassed(last.attempt, window_us: window_us, now_us, settings)
    }
}
