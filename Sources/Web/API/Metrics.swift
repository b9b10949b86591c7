// What the sink counts, in the text format of Prometheus (exposition format 0.0.4).

import Findings
import Hummingbird
import Journal
import NIOCore
import Sink
import Store

enum Metrics {
    static func text(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let text = await written(call.face.server)
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private static func written(_ server: RunningSink) async -> String {
        var page = Page()
        let counts = server.store.counts
        let tallies = server.chronicle.tallies
        let loops = await server.statistics()
        page.gauge(
            "fakemx_start_time_seconds", "Unix time at which fakemx started.", Double(server.started_us / 1000) / 1000)
        page.counter("fakemx_sessions_total", "Sessions accepted.", server.counters.sessionsOpened)
        page.gauge("fakemx_sessions_open", "Sessions open now.", server.counters.sessionsOpen)
        page.counter("fakemx_messages_accepted_total", "Messages stored or counted.", server.counters.messagesAccepted)
        page.counter("fakemx_message_bytes_total", "Octets of messages stored or counted.", counts.messageOctetsEver)
        page.begin("fakemx_replies_refused_total", "counter", "Replies of 4yz and 5yz, by phase.")
        for (phase, count) in tallies.refusals.sorted(by: { $0.key < $1.key }) {
            page.sample("fakemx_replies_refused_total", [("phase", phase), ("class", "4yz")], count.deferred)
            page.sample("fakemx_replies_refused_total", [("phase", phase), ("class", "5yz")], count.rejected)
        }
        page.begin("fakemx_transactions_total", "counter", "Transactions that ended, by verdict.")
        for verdict in Verdict.allCases {
            page.sample("fakemx_transactions_total", [("verdict", verdict.rawValue)], tallies.verdicts[verdict] ?? 0)
        }
        page.begin("fakemx_sessions_ended_total", "counter", "Sessions that ended, by who ended them.")
        for ending in Ending.allCases {
            page.sample("fakemx_sessions_ended_total", [("by", ending.rawValue)], tallies.endings[ending] ?? 0)
        }
        page.counter("fakemx_rule_hits_total", "Decisions of rules and magic addresses.", tallies.ruleHits)
        page.gauge("fakemx_rules", "Rules in force.", server.ruleStatus.count)
        page.begin("fakemx_store_items", "gauge", "What the store holds.")
        page.sample("fakemx_store_items", [("kind", "message")], counts.messages)
        page.sample("fakemx_store_items", [("kind", "session")], counts.sessions)
        page.begin("fakemx_store_bytes", "gauge", "Octets of what the store holds.")
        page.sample("fakemx_store_bytes", [("kind", "message")], counts.messageOctets)
        page.sample("fakemx_store_bytes", [("kind", "session")], counts.sessionOctets)
        page.begin("fakemx_store_dropped_total", "counter", "What retention dropped.")
        page.sample("fakemx_store_dropped_total", [("kind", "message")], counts.messagesDropped)
        page.sample("fakemx_store_dropped_total", [("kind", "session")], counts.sessionsDropped)
        page.counter("fakemx_store_refusals_total", "Messages that the store could not take.", counts.refusals)
        if let octets = counts.fileOctets {
            page.gauge("fakemx_store_file_bytes", "Octets of the store's file.", octets)
        }
        page.counter("fakemx_chronicle_entries_total", "Happenings told.", Int(server.chronicle.last))
        page.gauge("fakemx_waiters", "Waits and streams that are open.", server.chronicle.waiterCount)
        page.counter(
            "fakemx_events_left_out_total", "Events that could not be told in time.", server.chronicle.eventsLeftOut)
        if let judging = server.judging { write(judging.status, &page) }
        page.counter("fakemx_loop_wakeups_total", "Wake-ups of the event loops.", Int(loops.wakeUps))
        return page.text
    }

    private static func write(_ status: Judging.Status, _ page: inout Page) {
        page.begin("fakemx_findings_total", "counter", "What was found against senders, by severity.")
        for severity in Severity.allCases {
            let count = status.findingsBySeverity[severity.rawValue] ?? 0
            page.sample("fakemx_findings_total", [("severity", severity.rawValue)], count)
        }
        page.counter("fakemx_sessions_judged_total", "Sessions that were judged.", status.sessionsJudged)
        page.gauge("fakemx_judging_waiting", "Messages and sessions that wait to be judged.", status.waiting)
        page.gauge(
            "fakemx_judging_lag_seconds", "For how long the oldest of them has been waiting.",
            Double(status.oldest_us) / 1_000_000)
        page.begin("fakemx_judging_left_out_total", "counter", "What was not judged since too much waited.")
        page.sample("fakemx_judging_left_out_total", [("kind", "message")], status.messagesLeftOut)
        page.sample("fakemx_judging_left_out_total", [("kind", "session")], status.sessionsLeftOut)
        page.begin(
            "fakemx_judging_unanswered_total", "counter",
            "What was judged without an answer from outside, by who was asked.")
        page.sample("fakemx_judging_unanswered_total", [("asked", "dns")], status.namesUnanswered)
        page.sample("fakemx_judging_unanswered_total", [("asked", "rspamd")], status.mailUnanswered)
    }

    private struct Page {
        private(set) var text = ""

        mutating func begin(_ name: String, _ type: String, _ help: String) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }

        mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Int) {
            let inside = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
            text += "\(name){\(inside)} \(value)\n"
        }

        mutating func counter(_ name: String, _ help: String, _ value: Int) {
            begin(name, "counter", help)
            text += "\(name) \(value)\n"
        }

        mutating func gauge(_ name: String, _ help: String, _ value: some Numeric) {
            begin(name, "gauge", help)
            text += "\(name) \(value)\n"
        }

        private static func escaped(_ text: String) -> String {
            text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        }
    }
}
