// Calls for one message: what it says, its header, its octets, its parts. What a part is called and what type it has
// were written by a stranger, so a browser gets no part that it would carry out.

import Faults
import HTTPTypes
import Hummingbird
import Mail
import NIOCore
import Store

extension Mailpit {
    @Sendable static func message(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let stored = try await box.message(&call)
        let view = call.face.views.view(of: stored.message)
        try await box.markRead(stored)
        return JSONText.response(Whole(stored, view))
    }

    @Sendable static func headers(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let stored = try await box.message(&call)
        return JSONText.response(call.face.views.view(of: stored.message).headersByName)
    }

    @Sendable static func raw(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let stored = try await box.message(&call)
        var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
        if first("dl", &call) == "1" {
            headers[.contentDisposition] = "attachment; filename=\"\(stored.message.id).eml\""
        }
        return Response(
            status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: stored.message.content)))
    }

    @Sendable static func part(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let stored = try await box.message(&call)
        let id = call.arguments["part"] ?? ""
        guard let part = MailView.part(id, of: stored.message.content) else { throw notFound }
        let charset = call.face.views.view(of: stored.message).parts.first { $0.partID == id }?.charset ?? ""
        let kind = PartKind(part.contentType, charset: charset)
        let name = escaped(part.fileName)
        return Response(
            status: .ok,
            headers: [
                .contentType: kind.contentType,
                .contentDisposition: "\(kind.isShown ? "inline" : "attachment"); filename=\"\(name)\"",
                .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: part.octets)))
    }

    /// How a part is handed out.
    struct PartKind {
        let contentType: String
        /// A browser may show it.
        let isShown: Bool

        /// They can hold scripts.
        private static let scripted: Set<String> = [
            "text/html", "text/xml", "application/xhtml+xml", "image/svg+xml", "application/xml", "text/xsl",
            "text/javascript", "application/javascript",
        ]

        init(_ type: String, charset: String) {
            let halves = type.split(separator: "/", omittingEmptySubsequences: false)
            guard halves.count == 2, halves.allSatisfy(Self.isToken), !Self.scripted.contains(type) else {
                contentType = "application/octet-stream"
                isShown = false
                return
            }
            isShown = type == "text/plain" || halves[0] == "image"
            contentType = halves[0] == "text" && Self.isToken(charset) ? "\(type); charset=\(charset)" : type
        }

        /// RFC 9110 §5.6.2.
        private static func isToken(_ text: some StringProtocol) -> Bool {
            !text.isEmpty && text.utf8.count <= 127
                && text.utf8.allSatisfy {
                    (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                        || "!#$&-^_.+".utf8.contains($0)
                }
        }
    }

    /// As a segment of a path (RFC 3986 §3.3): nothing in it ends the quotes or the line.
    private static func escaped(_ name: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var escaped: [UInt8] = []
        for octet in name.utf8.prefix(1024) {
            let isPlain =
                (48...57).contains(octet) || (65...90).contains(octet) || (97...122).contains(octet)
                || "-_.~$&+=:@".utf8.contains(octet)
            if isPlain {
                escaped.append(octet)
            } else {
                escaped += [37, digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
