// The sender under test, as far as these tests need one: it says commands, one after the other, and gives the replies.
// It blocks, so it has a thread of Dispatch to itself; the cooperative pool is for nobody who blocks.

import Dispatch
import Glibc

struct SenderError: Error, CustomStringConvertible {
    let description: String

    init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
}

struct Sender: Sendable {
    let port: Int
    /// How long a reply may take.
    static let patience_s = 10

    /// One message for some recipients.
    ///
    /// - Returns: the last reply, without CRLF; nil where the server closed before it.
    @discardableResult
    func send(to recipients: [String], subject: String = "Hello", text: String = "How are you?") async throws -> String?
    {
        let envelope = ["EHLO client.example", "MAIL FROM:<shop@shop.example>"] + recipients.map { "RCPT TO:<\($0)>" }
        let replies = try await converse(envelope + ["DATA", "Subject: \(subject)\r\n\r\n\(text)\r\n.", "QUIT"])
        // The greeting comes first and the farewell last.
        let count = envelope.count + 3
        return replies.count >= count ? replies[count - 1] : nil
    }

    /// - Returns: the replies, beginning with the greeting, until one fails or the server closes.
    func converse(_ commands: [String]) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try talk(commands) }) }
        }
    }

    private func talk(_ commands: [String]) throws -> [String] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SenderError("socket") }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: Self.patience_s, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw SenderError("connect to 127.0.0.1:\(port)") }
        var replies: [String] = []
        var rest: [UInt8] = []
        for command in [nil] + commands.map(Optional.some) {
            if let command {
                let octets = Array("\(command)\r\n".utf8)
                guard write(descriptor, octets, octets.count) == octets.count else { break }
            }
            guard let reply = try reply(descriptor, &rest) else { break }
            replies.append(reply)
        }
        return replies
    }

    /// The next reply with all its lines; nil at the end of what comes.
    private func reply(_ descriptor: Int32, _ rest: inout [UInt8]) throws -> String? {
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            while let end = rest.firstIndex(of: 10) {
                let line = String(decoding: rest[..<end], as: UTF8.self).filter { $0 != "\r" }
                rest.removeSubrange(...end)
                lines.append(line)
                if line.dropFirst(3).first != "-" { return lines.joined(separator: "\n") }
            }
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno != ECONNRESET { throw SenderError("read") }
            guard count > 0 else { return nil }
            rest += buffer[..<count]
        }
    }
}
