// The command line. Each command has a file; this one says which there are, and what their exit statuses mean.

import ArgumentParser
import FakeMX
import Glibc

@main
struct Fakemx: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fakemx",
        abstract: "A fake MX: receives whatever a sender hands it and, on request, goes wrong at a chosen moment.",
        discussion: """
            Exit status: 0 done, 1 failed at run time, 2 bad configuration or arguments, 3 a wait whose time was over.
            """,
        version: "fakemx \(Launched.version)",
        subcommands: [
            Serve.self, Check.self, Replies.self, ReplayCommand.self, Dns.self, LessonCommand.self,
            SessionsCommand.self, MessagesCommand.self, ShowCommand.self, TailCommand.self, WaitCommand.self,
            ReportCommand.self,
            RulesCommand.self, ResetCommand.self, CursorCommand.self,
        ],
        defaultSubcommand: nil)

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let status as ExitStatus {
            if !status.message.isEmpty { Output.error(status.message) }
            Glibc.exit(status.code)
        } catch {
            let isHelp = exitCode(for: error) == .success
            if isHelp {
                Output.line(fullMessage(for: error))
            } else {
                Output.error(fullMessage(for: error))
            }
            Glibc.exit(isHelp ? 0 : ExitStatus.badUse)
        }
    }
}

/// An end with a status and what is said about it on standard error.
struct ExitStatus: Error {
    static let failed: Int32 = 1
    static let badUse: Int32 = 2
    static let timedOut: Int32 = 3
    /// Of waits: the question was not answered.
    static let unasked: Int32 = 4

    let code: Int32
    let message: String

    /// Something went wrong while running.
    static func failure(_ message: String) -> ExitStatus { ExitStatus(code: failed, message: message) }
    /// The configuration or the arguments are bad.
    static func badUse(_ message: String) -> ExitStatus { ExitStatus(code: badUse, message: message) }
}

enum Output {
    /// To standard error, with a line end.
    static func error(_ text: String) { write(text + "\n", STDERR_FILENO) }

    /// To standard output, with a line end, at once.
    static func line(_ text: String) { write(text + "\n", STDOUT_FILENO) }

    /// To standard output, as it is.
    static func text(_ text: String) { write(text, STDOUT_FILENO) }

    /// The same for octets.
    static func octets(_ octets: [UInt8]) { write(octets, STDOUT_FILENO) }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Columns of the terminal; nil where there is none.
    static var width: Int? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func write(_ text: String, _ descriptor: Int32) { write(Array(text.utf8), descriptor) }

    private static func write(_ octets: [UInt8], _ descriptor: Int32) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
