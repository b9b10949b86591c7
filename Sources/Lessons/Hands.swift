// How a learner does by hand what the built-in sender does: the exact commands, with the sink's host and port.

package struct HandCommand: Sendable, Hashable, Codable {
    /// `nc`, `openssl` or `swaks`.
    package var tool: String
    package var command: String
    /// What is typed then, line by line.
    package var type: [String]
}

package enum Hands {
    /// - Parameters:
    ///   - date: for a Date field (RFC 5322 §3.3).
    ///   - id: for a Message-ID, without angle brackets.
    package static func commands(
        _ send: Send, host: String, port: Int, date: String, id: String
    ) -> [HandCommand] {
        var commands: [HandCommand] = []
        let typed = typed(send.filled(date: date, id: id))
        let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        if send.tls == .never, !send.lines.contains(where: { isSTARTTLS($0.line) }) {
            // OpenBSD's nc and ncat send CRLF with -C.
            commands.append(HandCommand(tool: "nc", command: "nc -C \(quoted(host)) \(port)", type: typed))
        } else {
            // Without -quiet a line that begins with R or Q would be an order to s_client itself.
            let command = "openssl s_client -starttls smtp -crlf -quiet -connect \(quoted(place))"
            let behind = typed.drop { !isSTARTTLS($0) }.dropFirst()
            commands.append(
                HandCommand(tool: "openssl", command: command, type: Array(behind.isEmpty ? typed[...] : behind)))
        }
        if let swaks = swaks(send, place) { commands.append(HandCommand(tool: "swaks", command: swaks, type: [])) }
        return commands
    }

    private static func isSTARTTLS(_ line: String) -> Bool { line.uppercased() == "STARTTLS" }

    /// Every line that goes over the wire, dots doubled where they must be.
    package static func typed(_ send: Send) -> [String] {
        guard send.lines.isEmpty else { return send.lines.map(\.line) }
        var lines = ["EHLO \(send.helo)", "MAIL FROM:<\(send.from)>"]
        lines += send.to.map { "RCPT TO:<\($0)>" }
        lines.append("DATA")
        // RFC 5321 §4.5.2
        lines += send.messageLines.map { $0.hasPrefix(".") ? "." + $0 : $0 }
        return lines + ["."] + (send.leaves ? [] : ["QUIT"])
    }

    /// nil where swaks cannot do the same.
    private static func swaks(_ send: Send, _ place: String) -> String? {
        guard !send.talksFirst, send.lines.allSatisfy(\.waits) else { return nil }
        var words = ["swaks", "--server", quoted(place), "--helo", quoted(send.helo)]
        var stop: String?
        if !send.lines.isEmpty {
            func says(_ verb: String) -> Bool { send.lines.contains { $0.line.uppercased().hasPrefix(verb) } }
            if !says("DATA") { stop = says("RCPT") ? "RCPT" : says("MAIL") ? "MAIL" : "EHLO" }
            // It says its own lines, so nothing must be odd about ours.
            guard says("EHLO"), says("QUIT"), !says("RSET"), !says("NOOP") else { return nil }
        }
        words += ["--from", quoted(send.from.isEmpty ? "<>" : send.from)]
        words += ["--to", quoted(send.to.joined(separator: ","))]
        switch send.tls {
        case .never: break
        case .may: words.append("--tls-optional")
        case .must: words.append("--tls")
        }
        if let stop {
            words += ["--quit-after", stop]
        } else {
            let message = send.messageLines.joined(separator: "\\n")
                .replacing("{date}", with: "%DATE%").replacing("<{id}>", with: "<%MESSAGEID%>")
            words += ["--data", quoted(message)]
        }
        return words.joined(separator: " ")
    }

    /// For a shell (POSIX.1-2024, shell command language §2.2.2).
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [43, 44, 45, 46, 47, 58, 61, 64, 95].contains($0)
            }
        return isPlain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }
}

extension Send {
    package var messageLines: [String] {
        var lines = message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // A block of YAML ends with a line feed.
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// With a date and an id in the place of `{date}` and `{id}`.
    package func filled(date: String, id: String) -> Send {
        func filled(_ text: String) -> String { text.replacing("{date}", with: date).replacing("{id}", with: id) }
        var send = self
        send.message = filled(message)
        send.lines = lines.map { SpokenLine(filled($0.line), why: $0.why, waits: $0.waits) }
        return send
    }
}

extension Send {
    /// What a line is for: that very line, or one with the same command.
    package func why(of line: String) -> String? {
        if let same = lines.first(where: { $0.line.lowercased() == line.lowercased() }) { return same.why }
        func verb(_ line: String) -> String { line.prefix { $0 != " " && $0 != ":" }.lowercased() }
        let commands = ["ehlo", "helo", "mail", "rcpt", "data", "rset", "noop", "vrfy", "quit", "starttls"]
        guard commands.contains(verb(line)) else { return nil }
        return lines.first { verb($0.line) == verb(line) }?.why
    }

    /// What is said between DATA and the final dot, the dot included.
    package var contentLines: [SpokenLine] {
        let behind = lines.drop { $0.line.uppercased() != "DATA" }.dropFirst()
        guard let dot = behind.firstIndex(where: { $0.line == "." }) else { return [] }
        return Array(behind[...dot])
    }
}
