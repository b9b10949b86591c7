// Writes transcripts to a descriptor, off the loops: a terminal or a pipe that does not read must never make a session
// wait. What waits to be written is bounded; what had to be left out is said in the output itself.

import Dispatch
import FoundationEssentials
import Glibc
import Journal
import Synchronization

/// How sessions are shown while the sink runs.
package enum TranscriptForm: Sendable, Hashable {
    /// Every session line by line, as it happens.
    case text(colours: Bool)
    /// One session object a line, when the session has ended.
    case json
}

package final class TranscriptWriter: Sendable {
    /// Event octets that wait to be written, at most.
    package static let backlogLimit = 64 << 20

    private let form: TranscriptForm
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "fakemx.transcript")
    private let backlog = Atomic<Int>(0)
    private let leftOut = Atomic<Int>(0)
    private let open: Mutex<Open>

    /// What is known of the sessions that are open.
    private struct Open {
        var transcripts: [String: Transcript] = [:]
        var builders: [String: SessionBuilder] = [:]
    }

    /// - Parameter descriptor: stays open; it belongs to the caller.
    package init(form: TranscriptForm, descriptor: Int32) {
        self.form = form
        self.descriptor = descriptor
        open = Mutex(Open())
    }

    /// Takes the events of one turn of a session; returns at once.
    package func write(session: String, events: EventLog, isLast: Bool) {
        let size = events.octetCount
        // The end is taken all the same: without it a session would never be written.
        guard isLast || backlog.load(ordering: .relaxed) + size <= Self.backlogLimit else {
            leftOut.wrappingAdd(events.eventCount, ordering: .relaxed)
            return
        }
        backlog.wrappingAdd(size, ordering: .relaxed)
        queue.async { [self] in
            let text = open.withLock { open in
                switch form {
                case .text(let colours): render(events, of: session, colours: colours, isLast: isLast, &open)
                case .json: fold(events, of: session, isLast: isLast, &open)
                }
            }
            put(text)
            backlog.wrappingSubtract(size, ordering: .relaxed)
        }
    }

    /// Returns when everything that was taken is written, or when the time is over: nobody may be reading.
    package func flush(atMost_ms: Int) {
        let written = DispatchSemaphore(value: 0)
        queue.async { written.signal() }
        _ = written.wait(timeout: .now() + .milliseconds(atMost_ms))
    }

    private func render(
        _ events: EventLog, of session: String, colours: Bool, isLast: Bool, _ open: inout Open
    ) -> String {
        var transcript = open.transcripts[session] ?? Transcript(colours: colours)
        var text = noteOfWhatIsMissing()
        for event in events { text += transcript.render(event) }
        open.transcripts[session] = isLast ? nil : transcript
        return text
    }

    private func fold(_ events: EventLog, of session: String, isLast: Bool, _ open: inout Open) -> String {
        var builder = open.builders[session] ?? SessionBuilder(keepsLines: true)
        for event in events { builder.apply(event) }
        open.builders[session] = isLast ? nil : builder
        guard isLast else { return "" }
        return JSON.line(builder.record)
    }

    private func noteOfWhatIsMissing() -> String {
        let count = leftOut.exchange(0, ordering: .relaxed)
        return count == 0 ? "" : "!! \(count) events were left out: the transcript is not read fast enough\n"
    }

    /// Everything, or nothing more after an error: a closed pipe must not end the sink.
    private func put(_ text: String) {
        var text = text
        text.withUTF8 { octets in
            var rest = octets[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}

/// Records as JSON.
package enum JSON {
    /// One object on one line, ended by LF. Keys are sorted, so that the same record gives the same octets.
    package static func line(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return "" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// An array with one object a line.
    package static func array(_ values: [some Encodable]) -> String {
        guard !values.isEmpty else { return "[]\n" }
        return "[\n" + values.map { "  " + line($0).dropLast() }.joined(separator: ",\n") + "\n]\n"
    }
}
