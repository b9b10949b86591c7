// Judges how a client behaves around the message: whether it waits for the reply to the end of it, how long, and how
// fast it sends (RFC 5321 §4.1.1.10, §4.5.3.2.5, §4.5.3.2.6). The octets themselves are judged with the message.

import Journal
import SMTP

enum DataSessionChecks {
    /// RFC 5321 §4.5.3.2.6: ten minutes, in microseconds.
    private static let finalTimeout_us = 600_000_000.0
    /// Who is gone within this time did not wait; who stays longer had a time-out of its own.
    private static let patience_us = 5_000_000.0
    /// A transfer that takes less is not slow, whatever its size.
    private static let transferFloor_us: UInt64 = 10_000_000

    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        var wait: Wait?
        var started: (at_us: UInt64, disturbances: Disturbances)?
        // What the sink did, but for what it did to the reply to the end of a message: that is what shows how long it
        // waits.
        var elsewhere: Disturbances = []
        for (place, step) in trace.steps.enumerated() {
            switch step.kind {
            case .fault(let phase, let disturbances):
                if phase != .endOfData || wait == nil { elsewhere.formUnion(disturbances) }
            case .content(let count, let transaction):
                if let started { checkPace(started, step, count, transaction, trace, &ledger) }
                started = nil
                wait = Wait(content: place, transaction: transaction, isLeft: false)
            case .reply(let reply):
                if reply.code == 354 { started = (step.at_us, step.disturbances) }
                if let open = wait, reply.phase == .endOfData || reply.command == nil {
                    noteReply(open, step, trace, &ledger)
                    wait = nil
                }
            case .command: wait = nil
            case .clientFinished: leave(&wait, step, elsewhere, trace, &ledger)
            case .ended(let ending):
                if ending == .clientClose || ending == .clientReset { leave(&wait, step, elsewhere, trace, &ledger) }
            default: break
            }
        }
    }

    /// Between the end of a message and the reply to it.
    private struct Wait {
        let content: Int
        let transaction: Int?
        var isLeft: Bool
    }

    private static func evidence(_ wait: Wait, _ trace: SessionTrace, _ at_us: UInt64) -> Evidence {
        let step = trace.steps[wait.content]
        return Evidence(
            line: step.line > 0 ? step.line : nil, message: wait.transaction.flatMap { trace.transactions[$0].message },
            transaction: wait.transaction.map { $0 + 1 }, at_us: at_us)
    }

    /// Seconds of the sender's own time.
    private static func waited_us(_ wait: Wait, _ step: TraceStep, _ trace: SessionTrace, _ ledger: Ledger) -> Double {
        let from = trace.steps[wait.content].at_us
        return Double(step.at_us > from ? step.at_us - from : 0) * ledger.settings.thresholds.timeScale
    }

    /// A reply that came at once shows nothing; one that was long in coming shows that the client waits.
    private static func noteReply(_ wait: Wait, _ step: TraceStep, _ trace: SessionTrace, _ ledger: inout Ledger) {
        guard !wait.isLeft else { return }
        let waited_us = waited_us(wait, step, trace, ledger)
        if waited_us >= patience_us { ledger.kept(.dataHangupBeforeReply) }
        if waited_us >= finalTimeout_us { ledger.kept(.dataFinalTimeoutShort) }
    }

    private static func leave(
        _ wait: inout Wait?, _ step: TraceStep, _ elsewhere: Disturbances, _ trace: SessionTrace,
        _ ledger: inout Ledger
    ) {
        guard let open = wait, !open.isLeft, isWhole(open, trace) else { return }
        wait?.isLeft = true
        let waited_us = waited_us(open, step, trace, ledger)
        guard waited_us < finalTimeout_us else { return }
        let isAtOnce = waited_us < patience_us
        ledger.broken(
            isAtOnce ? .dataHangupBeforeReply : .dataFinalTimeoutShort, evidence(open, trace, step.at_us),
            under: elsewhere, saw: "left \(tenths(waited_us)) s after the end of the message, without its reply")
    }

    /// The final dot, or the last octet of the chunk, had come. Of a message that was cut short nobody waits for a
    /// reply.
    private static func isWhole(_ wait: Wait, _ trace: SessionTrace) -> Bool {
        guard let transaction = wait.transaction else { return false }
        let verdict = trace.transactions[transaction]
        return verdict.phase == .endOfData || verdict.verdict == .lost
    }

    // MARK: Pace

    /// The rate is of real time: how fast octets flow has nothing to do with the scale of time-outs.
    private static func checkPace(
        _ started: (at_us: UInt64, disturbances: Disturbances), _ step: TraceStep, _ count: Int, _ transaction: Int?,
        _ trace: SessionTrace, _ ledger: inout Ledger
    ) {
        let wait = Wait(content: 0, transaction: transaction, isLeft: false)
        guard isWhole(wait, trace), step.at_us >= started.at_us else { return }
        let time_us = step.at_us - started.at_us
        let rate = Double(count) / max(Double(time_us) / 1_000_000, 0.000_001)
        let floor = Double(ledger.settings.thresholds.dataFloor_octetsPerSecond)
        guard time_us >= transferFloor_us, rate < floor else { return ledger.kept(.dataTrickle) }
        ledger.broken(
            .dataTrickle,
            Evidence(line: step.line > 0 ? step.line : nil, transaction: transaction.map { $0 + 1 }, at_us: step.at_us),
            under: step.disturbances, saw: "\(count) octets in \(tenths(Double(time_us))) s")
    }

    /// Microseconds as seconds with one digit behind the point.
    private static func tenths(_ time_us: Double) -> String {
        let tenths = Int(time_us / 100_000)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
