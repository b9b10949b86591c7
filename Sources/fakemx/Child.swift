// A command that runs beside the sink: `fakemx serve -- pytest tests/`.

import Dispatch
import Glibc

struct Child: Sendable {
    private let process: pid_t

    /// - Parameter ended: told its exit status; 128 and the number of the signal that ended it.
    /// - Throws: status 127 when there is no such command, as a shell has it.
    static func start(
        _ command: [String], environment: [String: String], ended: @escaping @Sendable (Int32) -> Void
    ) throws(ExitStatus) -> Child {
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        // What the sink ignores, the command must not.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGUSR1] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // Threads of Dispatch block signals, and a command would inherit that: SIGTERM would never reach it.
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var spawned = pid_t()
        let code = posix_spawnp(&spawned, command[0], nil, &attributes, &arguments, &variables)
        guard code == 0 else {
            let hint = command[0].contains(" ") ? "; each word stands by itself: serve -- \(command[0])" : ""
            throw ExitStatus(
                code: code == ENOENT ? 127 : 126,
                message: "cannot run \"\(command[0])\": \(String(cString: strerror(code)))\(hint)")
        }
        let process = spawned
        let child = Child(process: process)
        // Its thread blocks until the command has ended, and nobody else's does.
        DispatchQueue(label: "fakemx.child").async {
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7f
            ended(signal == 0 ? (status >> 8) & 0xff : 128 + signal)
        }
        return child
    }

    func tell(_ signal: Int32) { kill(process, signal) }
}
