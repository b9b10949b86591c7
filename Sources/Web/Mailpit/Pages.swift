// A message as a page of its own: /view/ID.html and /view/ID.txt, ID or `latest`.

import HTTPTypes
import Hummingbird
import Mail
import NIOCore
import Store

extension Mailpit {
    private static let noMessage = PlainRefusal(status: 404, text: "Message not found")

    @Sendable static func view(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let name = call.arguments["id"] ?? ""
        for ending in [".html", ".txt"] where name.hasSuffix(ending) {
            let stored = try await shown(String(name.dropLast(ending.count)), &call, box)
            let view = call.face.views.view(of: stored.message)
            if ending == ".txt" {
                try await box.markRead(stored)
                return text(view.text)
            }
            guard !view.html.isEmpty else {
                throw PlainRefusal(status: 404, text: "This message does not contain a HTML part")
            }
            try await box.markRead(stored)
            return MessageFrame.response(view, stored.message.content)
        }
        return try await forwarded(name, &call, box)
    }

    private static func shown(_ id: String, _ call: inout Call, _ box: Mailbox) async throws -> StoredMessage {
        do {
            return try await box.message(id, &call)
        } catch let refusal as PlainRefusal where refusal.status == 404 {
            throw noMessage
        }
    }

    /// To the page of the message; where there is none, to the page that one lands on.
    private static func forwarded(_ id: String, _ call: inout Call, _ box: Mailbox) async throws -> Response {
        var target = "/"
        do {
            let stored = try await box.message(id, &call)
            let view = call.face.views.view(of: stored.message)
            target = "/view/\(stored.message.id).\(view.html.isEmpty ? "txt" : "html")"
        } catch let refusal as PlainRefusal where refusal.status == 404 {
            if id != "latest" { throw noMessage }
        }
        return Response(status: .found, headers: [.location: target])
    }
}
