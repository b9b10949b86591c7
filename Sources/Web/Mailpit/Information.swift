// What the sink says of itself in Mailpit's terms, and what of Mailpit is not spoken here, with the reason.

import FoundationEssentials
import Glibc
import Hummingbird
import Journal
import NIOCore
import Sink
import Store

extension Mailpit {
    private struct Info: Encodable {
        let Version: String
        /// Mailpit's word where nobody is asked: here nobody ever is.
        let LatestVersion = "disabled"
        let Database: String
        let DatabaseSize: Int
        let Messages: Int
        let Unread: Int
        let Tags: [String: Int]
        let RuntimeStats: Statistics

        struct Statistics: Encodable {
            let Uptime: Int64
            let Memory: Int
            let MessagesDeleted: Int
            let SMTPAccepted: Int
            let SMTPAcceptedSize: Int
            let SMTPRejected: Int
            let SMTPIgnored = 0
        }
    }

    @Sendable static func info(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let server = call.face.server
        let counts = box.store.counts
        let verdicts = server.chronicle.tallies.verdicts
        let refused = (verdicts[.rejected] ?? 0) + (verdicts[.deferred] ?? 0)
        return JSONText.response(
            Info(
                Version: "fakemx/\(call.face.settings.version)", Database: call.face.settings.storeName,
                DatabaseSize: counts.fileOctets ?? counts.messageOctets, Messages: counts.messages,
                Unread: counts.unreadMessages, Tags: try await box.store.tags(),
                RuntimeStats: Info.Statistics(
                    Uptime: Int64(Date().timeIntervalSince1970) - server.started_us / 1_000_000, Memory: residentOctets,
                    MessagesDeleted: counts.messagesRemoved + counts.messagesDropped,
                    SMTPAccepted: server.counters.messagesAccepted, SMTPAcceptedSize: counts.messageOctetsEver,
                    SMTPRejected: refused)))
    }

    /// The second number of statm is in pages.
    private static var residentOctets: Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return 0 }
        let numbers = line.split(separator: 32).map { $0.prefix { (48...57).contains($0) } }
        guard numbers.count > 1 else { return 0 }
        let pages = numbers[1].reduce(0) { $0 &* 10 &+ Int($1) - 48 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private struct WebUI: Encodable {
        let Label = ""
        let MessageRelay = Relay()
        let SpamAssassin = false
        let ChaosEnabled = true
        let DuplicatesIgnored = false
        let HideDeleteAllButton = false

        struct Relay: Encodable {
            let Enabled = false
            let SMTPServer = ""
            let ReturnPath = ""
            let AllowedRecipients = ""
            let BlockedRecipients = ""
            let OverrideFrom = ""
            let PreserveMessageIDs = false
            let RecipientAllowlist = ""
        }
    }

    @Sendable static func webUI(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        JSONText.response(WebUI())
    }

    /// Calls that are known and not answered.
    enum Unspoken {
        private static func refusal(_ reason: String) -> PlainRefusal { PlainRefusal(status: 501, text: reason) }

        /// Of a message that is there; an unknown one is not found.
        private static func refuse(_ reason: String, _ call: inout Call, _ box: Mailbox) async throws -> Response {
            _ = try await box.message(&call)
            throw refusal(reason)
        }

        @Sendable static func thumbnail(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            try await refuse("fakemx makes no thumbnails; the part itself is there without /thumb", &call, box)
        }

        @Sendable static func htmlCheck(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            try await refuse(
                "fakemx does not know what mail programs make of HTML; ask a Mailpit for that", &call, box)
        }

        @Sendable static func linkCheck(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            try await refuse("fakemx follows no links: it fetches nothing from anywhere", &call, box)
        }

        @Sendable static func spamCheck(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            try await refuse("fakemx has no SpamAssassin", &call, box)
        }

        @Sendable static func release(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            try await refuse("fakemx sends nothing to anybody, so no message is released", &call, box)
        }

        private struct Failure: Encodable { let Error: String }

        /// Errors of this call are JSON in Mailpit.
        @Sendable static func send(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            JSONText.response(
                Failure(Error: "fakemx takes messages by SMTP alone: its faults and findings are about SMTP"),
                status: .notImplemented)
        }

        @Sendable static func swagger(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            throw refusal("Mailpit describes this API; what is fakemx's own is described by /api/fakemx/openapi.json")
        }

        @Sendable static func events(_ call: inout Call, _ box: Mailbox) async throws -> Response {
            throw refusal(
                "fakemx speaks no WebSocket; the same happenings are server-sent events at /api/fakemx/events")
        }
    }
}
