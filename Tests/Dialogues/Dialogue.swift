// A dialogue: one conversation between a client and the sink, read from a text file, with the configuration it needs
// and what must be true at its end. This file is the vocabulary; the format is described in FORMAT.md.

import Faults
import SMTP

/// Where a line of a dialogue stands.
struct Place: Sendable, Hashable, CustomStringConvertible {
    var file: String
    var line: Int

    var description: String { "\(file):\(line)" }
}

/// The four ways in which a dialogue is run.
enum Way: String, Sendable, Hashable, CaseIterable {
    /// The conversation without a socket, on a virtual clock, octets whole.
    case pure
    /// The same with the octets cut: one by one, and at seeded random places.
    case cut
    /// A real socket against a server in this process.
    case clear
    /// The same inside TLS.
    case tls
}

/// What the listener of a dialogue is like.
struct Setup: Sendable {
    enum TLSMode: String, Sendable, CaseIterable {
        /// No certificate: STARTTLS is not offered.
        case off
        /// STARTTLS is offered.
        case on
        /// The handshake comes first.
        case implicit
    }

    var hostname = "mx.test"
    var limits = Limits()
    /// EHLO keywords in force before rules act.
    var capabilities = CapabilitySet.all
    var authInClear = false
    var timeScale = 1.0
    var seed: UInt64 = 1
    var magic = MagicPacks.usual
    var tls = TLSMode.on
    /// Messages are kept, so that their octets can be looked at; false: the store only counts.
    var keepsMessages = true
}

/// One thing that the client does, or that must be seen.
enum Step: Sendable {
    /// One line from the sink.
    case line(Glob)
    /// So many lines, each matching.
    case lines(Int, Glob)
    /// A whole reply with this code.
    case reply(code: Glob)
    /// A line of the last whole reply matches behind its code; or none does.
    case has(Glob), lacks(Glob)
    /// One write.
    case send([Piece])
    case wait(Interval)
    case silence(Interval)
    /// From the last write (or the connect) to the end of the last reply, of the handshake, or to the close. The upper
    /// bound is checked on the virtual clock alone.
    case took(atLeast: Interval), tookAtMost(Interval)
    case startTLS(succeeds: Bool)
    case halfClose, drop, abort
    case closed, wasReset
    /// A new session with the same sink.
    case reconnect
}

/// Part of a write; long repetitions stay short until they are sent.
struct Piece: Sendable {
    var octets: [UInt8]
    var count = 1
    /// The text holds `#` for the number of the repetition, from 1.
    var isNumbered = false

    func append(to write: inout [UInt8]) {
        write.reserveCapacity(write.count + octets.count * count)
        for number in 0..<count {
            guard isNumbered, let mark = octets.firstIndex(of: UInt8(ascii: "#")) else {
                write.append(contentsOf: octets)
                continue
            }
            write.append(contentsOf: octets[..<mark])
            for octet in octets[mark...] {
                if octet == UInt8(ascii: "#") {
                    write.append(contentsOf: String(number + 1).utf8)
                } else {
                    write.append(octet)
                }
            }
        }
    }
}

/// A span of time.
struct Interval: Sendable, Hashable, CustomStringConvertible {
    var ns: UInt64
    var description: String { ns % 1_000_000 == 0 ? "\(ns / 1_000_000)ms" : "\(ns / 1000)us" }
}

/// What must be true after the end.
struct Expectation: Sendable {
    enum Subject: String, Sendable, CaseIterable {
        case verdict, verdicts, rejectedAt = "rejected-at", reply, rule, endedBy = "ended-by"
        case from, recipients, transactions, helo
        case stored, message, messageSize = "message-size", delivered
        case fault, faults, event, noEvent = "no-event"
    }

    var subject: Subject
    var pattern: Glob
    /// For `message`: the octets, exactly.
    var octets: [UInt8] = []
    var place: Place
}

/// One dialogue file.
struct Dialogue: Sendable {
    var file = ""
    var title = ""
    /// Points of the checklist (`R19`) and cells of the fault matrix (`mail×5yz`).
    var covers: [String] = []
    /// Rules, each with its place; the grammar is that of the command line.
    var rules: [(text: String, place: Place)] = []
    var setup = Setup()
    /// Ways in which this dialogue makes sense.
    var ways = Set(Way.allCases)
    /// How many clients hold this conversation at once with one sink.
    var parallel = 1
    var steps: [(step: Step, place: Place)] = []
    var expectations: [Expectation] = []
}

/// What is wrong with a dialogue file.
struct DialogueError: Error, CustomStringConvertible {
    var place: Place
    var message: String

    var description: String { "\(place): \(message)" }
}
