// The verdict on the sender, for tests: what was found in its sessions, one by one, and the report.

import Faults
import Findings
import Journal
import Sink
import Store

extension FakeMX {
    /// A rule of sending that was broken.
    public struct Finding: Sendable, Hashable {
        /// How grave it is, the gravest first.
        public enum Severity: String, Sendable, Hashable, CaseIterable {
            /// The standards say MUST.
            case must
            /// They say SHOULD.
            case should
            /// No standard is broken, but large receivers hold it against a sender.
            case reputation
            /// Worth knowing.
            case info
        }

        /// The rule's id, as the list of rules has it: `cmd-bare-lf`.
        public let rule: String
        public let severity: Severity
        /// The session; the last of them where it took several.
        public let session: String
        /// The message that it is about, where it was stored.
        public let message: String?
        /// Octets of that message, or of a line of the session: the first one, and the one behind the last.
        public let range: Range<Int>?
        /// How often the rule was broken there.
        public let count: Int
        /// What was seen at the first place: printable, 200 characters at most.
        public let saw: String
        /// What is wrong, why receivers care, and what to do about it.
        public let what, why, fix: String
        /// Where the rule stands: an RFC with its section, or who asks for it.
        public let citation: String

        init(_ finding: Findings.Finding) {
            rule = finding.rule.rawValue
            severity = Severity(rawValue: finding.severity.rawValue) ?? .info
            session = finding.session
            message = finding.evidence.first?.message
            range = finding.evidence.first?.range
            count = finding.count
            saw = finding.saw
            (what, why, fix) = (finding.what, finding.why, finding.fix)
            citation = finding.citation
        }
    }

    /// What was found in one session, the gravest first; empty where nothing was.
    ///
    /// It returns when the session is judged, which lags under load.
    /// - Throws: `FakeMXError` where the session is not kept, is open, or where nobody is judged.
    public func findings(of session: Session) async throws -> [Finding] {
        let judgement: SessionJudgement?
        do {
            await launched.server.settleJudging()
            guard launched.server.judging != nil else { throw Server.judgesNobody }
            guard let number = UInt64(session.id.dropFirst()), let stored = try await launched.server.session(number)
            else { throw StoreFailure(reason: "no session \(session.id) is kept; retention may have dropped it") }
            judgement = try await launched.server.judgement(of: stored)
        } catch { throw FakeMXError("\(error)") }
        guard let judgement else {
            throw FakeMXError("the session \(session.id) is not judged; it is open, or there was no room for it")
        }
        return judgement.findings.map(Finding.init)
    }

    /// What was found in the sessions that are kept, those of the newest first, and over several of them behind it.
    ///
    /// - Parameters:
    ///   - filter: words of sessions, and `finding` and `severity`: `["severity": "must"]`.
    ///   - limit: how many sessions are looked at, at most.
    /// - Throws: `FakeMXError` where the filter is wrong, or where nobody is judged.
    public func findings(_ filter: [String: String] = [:], limit: Int = 1000) async throws -> [Finding] {
        let wait = try wait(.session, filter, .zero)
        do {
            let judged = try await launched.server.judged(wait.filter, StoreQuery(limit: limit))
            let ofEach = judged.judgements.flatMap { judgement in
                judgement.findings.filter { finding in
                    var subject = Subject()
                    subject.note(finding)
                    return wait.filter.matchesFinding(subject)
                }
            }
            let overTime = judged.overTime.findings.filter { finding in
                var subject = Subject()
                subject.note(finding)
                return wait.filter.matchesFinding(subject)
            }
            return (ofEach + overTime).map(Finding.init)
        } catch { throw FakeMXError("\(error)") }
    }

    /// The next finding, behind the one that this gave last; as ``nextSession(_:timeout:)``.
    ///
    /// - Parameter filter: `["finding": "cmd-bare-lf", "severity": "must"]`, and words of sessions.
    public func nextFinding(_ filter: [String: String] = [:], timeout: Duration = .seconds(10)) async throws -> String {
        let answer = try await next(.finding, filter, timeout)
        guard let rule = answer.entries.first?.subject.findings.first else { throw FakeMXError("no finding") }
        return rule
    }

    /// The report on the newest sessions.
    ///
    /// - Parameters:
    ///   - format: `text`, `markdown`, `html`, `junit` or `sarif`.
    ///   - filter: words of sessions.
    ///   - limit: sessions it is about, at most.
    /// - Throws: `FakeMXError` where the format or the filter is wrong, or where nobody is judged.
    public func report(
        _ format: String = "text", _ filter: [String: String] = [:], limit: Int = 1000
    ) async throws -> String {
        let wait = try wait(.session, filter, .zero)
        let known = ReportFormat.allCases.filter { $0 != .json }.map(\.rawValue)
        guard let form = ReportFormat(rawValue: format), form != .json else {
            let hint = Suggestion.didYouMean(format, among: known)
            throw FakeMXError("a report is \(known.joined(separator: ", ")), not \"\(format.shown)\"\(hint)")
        }
        do {
            let query = StoreQuery(limit: limit)
            let report = try await launched.server.report(wait.filter, query, version: Launched.version)
            return form.render(report) ?? ""
        } catch { throw FakeMXError("\(error)") }
    }
}
