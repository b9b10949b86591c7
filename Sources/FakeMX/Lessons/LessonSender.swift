// The lessons' sender: makes one connection after the other to the sink of its lesson, and to nobody else. As a sender
// it minds the replies (RFC 5321 §4.2.1) and tries TLS as it was told; with lines of its own it says those, come what
// may.

import Dispatch
import EventLoop
import Lessons

struct LessonSender: Sendable {
    let host: String
    let port: Int
    /// For each wait. Longer than what lessons let a sink delay, shorter than a class would sit through.
    static let patience_ms = 15_000

    /// Says them all; what went wrong is for the sink to tell.
    func send(_ sends: [Send]) async {
        let now = LessonClock.now()
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            // It blocks, so it has a thread of Dispatch to itself.
            DispatchQueue(label: "fakemx.lesson").async {
                for send in sends {
                    // The same message has the same id: it is sent again.
                    let first = sends.firstIndex { $0.message == send.message && $0.lines == send.lines } ?? 0
                    deliver(send.filled(date: now.date, id: "\(now.stamp).\(first)@\(send.helo)"))
                }
                done.resume()
            }
        }
    }

    private func deliver(_ send: Send) {
        var isBroken = false
        do { try talk(send) } catch { if case .tls = error { isBroken = true } }
        // A sender that may do without TLS comes again without it (RFC 7435).
        guard isBroken, send.tls == .may, send.lines.isEmpty else { return }
        var plain = send
        plain.tls = .never
        try? talk(plain)
    }

    private func talk(_ send: Send) throws(ClientTrouble) {
        let connection = try ClientConnection(host: host, port: port, patience_ms: Self.patience_ms)
        var dialogue = Dialogue(connection: connection, send: send)
        if send.lines.isEmpty { try dialogue.deliver() } else { try dialogue.recite() }
    }
}

/// One connection of the sender.
private struct Dialogue {
    let connection: ClientConnection
    let send: Send

    // MARK: As a sender

    mutating func deliver() throws(ClientTrouble) {
        defer { connection.finish() }
        guard try reply().first == "2" else { return try quit() }
        var keywords = try hello()
        guard keywords != nil else { return try quit() }
        if send.tls != .never {
            if keywords?.contains("STARTTLS") ?? false {
                if try ask("STARTTLS").first == "2" {
                    do { try connection.startTLS(serverName: "mx.lesson.test") } catch { throw Self.asTLS(error) }
                    // What was known of the server is forgotten (RFC 3207 §4.2).
                    keywords = try hello()
                    guard keywords != nil else { return try quit() }
                } else if send.tls == .must {
                    return try quit()
                }
            } else if send.tls == .must {
                return try quit()
            }
        }
        guard try ask("MAIL FROM:<\(send.from)>").first == "2" else { return try quit() }
        var isWanted = false
        for address in send.to { isWanted = try ask("RCPT TO:<\(address)>").first == "2" || isWanted }
        // Nobody is left to send to.
        guard isWanted, try ask("DATA").first == "3" else { return try quit() }
        // RFC 5321 §4.5.2
        for line in send.messageLines { try say(line.hasPrefix(".") ? "." + line : line) }
        try say(".")
        _ = try reply()
        try quit()
    }

    /// A handshake that broke is TLS's trouble, whatever the socket says.
    private static func asTLS(_ trouble: ClientTrouble) -> ClientTrouble {
        if case .tls = trouble { return trouble }
        return .tls(trouble.description)
    }

    /// The keywords of EHLO; none where the server knows HELO alone; nil where it wants neither.
    private func hello() throws(ClientTrouble) -> [String]? {
        let lines = try ask("EHLO \(send.helo)")
        if lines.first == "2" { return lines.keywords }
        // RFC 5321 §3.2
        guard ["500", "502"].contains(lines.code), try ask("HELO \(send.helo)").first == "2" else { return nil }
        return []
    }

    private func quit() throws(ClientTrouble) {
        guard !send.leaves else { return }
        _ = try ask("QUIT")
        connection.finish()
        connection.awaitEnd()
    }

    // MARK: Line by line

    /// Says the lines, whatever is answered: that is what they are for.
    mutating func recite() throws(ClientTrouble) {
        defer { connection.finish() }
        // As long as its lines do not wait for replies, one that talks first does not hear the greeting.
        var owed = 1
        if !send.talksFirst { owed = try settle(owed) }
        var isContent = false
        for line in send.lines {
            try say(line.line)
            if isContent {
                guard line.line == "." else { continue }
                isContent = false
            }
            owed += 1
            guard line.waits else { continue }
            var last = try reply()
            owed -= 1
            while owed > 0 {
                last = try reply()
                owed -= 1
            }
            let verb = line.line.uppercased()
            if verb == "DATA", last.first == "3" { isContent = true }
            if verb == "STARTTLS", last.first == "2" {
                do { try connection.startTLS(serverName: "mx.lesson.test") } catch { throw Self.asTLS(error) }
            }
            if verb == "QUIT" {
                connection.finish()
                connection.awaitEnd()
                return
            }
        }
    }

    private func settle(_ owed: Int) throws(ClientTrouble) -> Int {
        for _ in 0..<owed { _ = try reply() }
        return 0
    }

    // MARK: Both

    private func say(_ line: String) throws(ClientTrouble) {
        try connection.write(Array((line + "\r\n").utf8))
    }

    private func ask(_ line: String) throws(ClientTrouble) -> ReplyLines {
        try say(line)
        return try reply()
    }

    private func reply() throws(ClientTrouble) -> ReplyLines {
        var lines: [String] = []
        while true {
            let line = String(decoding: try connection.readLine(), as: UTF8.self)
            lines.append(line)
            if line.dropFirst(3).first != "-" { return ReplyLines(lines: lines) }
            // A server that never comes to an end is left alone.
            guard lines.count < Self.mostLines else { throw .closed }
        }
    }

    private static let mostLines = 200

    private struct ReplyLines {
        var lines: [String]
        var code: String { String(lines.last?.prefix(3) ?? "") }
        /// The digit that decides.
        var first: Character? { code.first }
        var keywords: [String] {
            lines.dropFirst().map { String($0.dropFirst(4).prefix { $0 != " " }).uppercased() }
        }
    }
}
