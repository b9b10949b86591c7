// The library: a fake MX inside a test's own process. Start it, give it rules, let the sender under test send, and look
// at what it did.

import EventLoop
import Faults
import Journal
import SMTP
import Settings
import Sink
import Store
import Synchronization

/// A fake MX that runs in this process.
///
///     let sink = try await FakeMX.start()
///     try await sink.rule("end-of-data: 554 5.7.1 No, for its content")
///     // … the sender under test sends to 127.0.0.1, port sink.smtpPort …
///     let session = try await sink.nextSession()
///     #expect(session.rejected_at == "end-of-data")
///     await sink.stop()
public final class FakeMX: Sendable {
    /// What a sink starts with. Texts are those of the command line: see `fakemx serve --help`.
    public struct Options: Sendable {
        /// Where to listen, `HOST:PORT`; port 0 takes a free one.
        public var smtp: [String] = ["127.0.0.1:0"]
        /// The same with TLS from the first octet.
        public var smtps: [String] = []
        /// Where HTTP listens, `HOST:PORT`; nil: nowhere.
        public var http: String?
        /// Rules, one line each.
        public var rules: [String] = []
        /// Scenarios by name or by file.
        public var scenarios: [String] = []
        /// What every chance is drawn from.
        public var seed: UInt64 = 1
        /// Divides every duration of the rules.
        public var timeScale: Double = 1
        /// `memory`, `none`, or a path.
        public var store = "memory"
        /// Any other flags of `fakemx serve`, with their values: `[("profile", "postfix")]`.
        public var flags: [(name: String, value: String)] = []

        public init() {}
    }

    /// What a session was, from accept to close.
    public typealias Session = SessionRecord

    /// A message that was stored.
    public struct Message: Sendable {
        public let id: String
        /// The session that it came in.
        public let session: String
        /// The reverse-path without angle brackets; empty for the null reverse-path.
        public let from: String
        public let to: [String]
        /// As it came, without stuffed dots.
        public let octets: [UInt8]
        /// Microseconds since 1970-01-01 UTC.
        public let received_us: Int64

        init(_ stored: StoredMessage) {
            id = stored.message.id
            session = stored.message.session
            from = Text.lossy(stored.message.reversePath.address)
            to = stored.message.recipients.map { Text.lossy($0.address) }
            octets = stored.message.content
            received_us = stored.message.received_us
        }

        /// The octets as text.
        public var text: String { String(decoding: octets, as: UTF8.self) }

        /// The values of the header fields of this name, decoded.
        public func header(_ name: String) -> [String] { MessageFacts(octets).values(of: name.asciiLowercased) }
    }

    /// A reply of 4yz or 5yz.
    public struct Refusal: Sendable {
        public let session: String
        public let phase: String
        public let reply: String
        public let rule: String?
        public let from: String?
        public let to: [String]

        init(_ entry: Entry) {
            session = entry.subject.session
            phase = entry.subject.phases.first ?? ""
            reply = entry.subject.replies.first ?? ""
            rule = entry.subject.rules.first
            from = entry.subject.from.first
            to = entry.subject.to
        }
    }

    private let launched: Launched
    private let space: String?
    /// What `next…` has given already.
    private let seen: Mutex<[Filter.Kind: Cursor]>

    private init(_ launched: Launched, space: String?, _ seen: [Filter.Kind: Cursor]) {
        self.launched = launched
        self.space = space
        self.seen = Mutex(seen)
    }

    // MARK: Start and stop

    /// Starts a sink; when this returns, every listener accepts.
    ///
    /// - Throws: `FakeMXError` that says what is wrong with an option, or what could not be bound.
    public static func start(_ options: Options = Options()) async throws -> FakeMX {
        var flags: [(option: Option, value: String)] = []
        flags += options.smtp.map { (.smtp, $0) } + options.smtps.map { (.smtps, $0) }
        flags += options.rules.map { (.rule, $0) } + options.scenarios.map { (.scenario, $0) }
        flags += [(.seed, "\(options.seed)"), (.timeScale, "\(options.timeScale)"), (.store, options.store)]
        flags += [(.http, options.http ?? "off"), (.transcript, "off")]
        for (name, value) in options.flags {
            guard let option = Option(rawValue: name) else {
                throw FakeMXError(
                    "no flag is named \"\(name)\"" + Suggestion.didYouMean(name, among: Option.allCases.map(\.rawValue))
                )
            }
            flags.append((option, value))
        }
        var surroundings = Launched.Surroundings()
        surroundings.isWatched = true
        let sources = SettingsSources(
            flags: flags, scenarioFolders: Places.scenarioFolders, replyFolders: Places.replyFolders)
        do {
            let launched = try await Launched.start(sources, surroundings)
            let cursor = try await launched.server.cursor()
            return FakeMX(launched, space: nil, [.session: cursor, .message: cursor, .reject: cursor])
        } catch { throw FakeMXError("\(error)") }
    }

    /// Stops it: idle clients get 421, running transactions have `grace_ms` milliseconds.
    public func stop(grace_ms: Int = 1000) async { await launched.stop(grace_ms: grace_ms) }

    /// The addresses of the listeners, `smtp` before `smtps`, as `HOST:PORT`.
    public var addresses: [String] { launched.addresses }
    /// The port of the first listener.
    public var smtpPort: Int {
        Int(addresses.first.map { $0.split(separator: ":").last.map(String.init) ?? "" } ?? "") ?? 0
    }
    /// Where HTTP listens; nil where it does not.
    public var url: String? { launched.web.map { "http://" + $0.address } }

    /// The same sink as a test sees it that shares it with others: rules, waits and resets concern the addresses of one
    /// space, `anyone@NAME.test` and `anyone+NAME@any.example`.
    public func space(_ name: String) -> FakeMX { FakeMX(launched, space: name.asciiLowercased, seen.withLock { $0 }) }

    // MARK: Rules

    /// Sets a rule in front of all others; in force everywhere when this returns.
    ///
    /// - Parameters:
    ///   - line: `rcpt first=2 per=to: 452 4.2.2 Mailbox full`.
    ///   - lifetime: after so long it goes.
    /// - Returns: its name.
    @discardableResult
    public func rule(_ line: String, lifetime: Duration? = nil) async throws -> String {
        let read = RuntimeRule.line(line, space: space)
        let errors = read.complaints.filter(\.isError)
        guard errors.isEmpty, let rule = read.rule else {
            throw FakeMXError(errors.map(\.description).joined(separator: "\n"))
        }
        let configuration = launched.configuration
        if let complaint = RuntimeRule.complaints(
            about: rule.rule, configuration.listeners, configuration.catalogue
        ).first(where: \.isError) {
            throw FakeMXError(complaint.description)
        }
        let lifetime_ns = lifetime.map { UInt64(max(0, $0 / .nanoseconds(1))) }
        do { return try await launched.server.addRule(rule.rule, lifetime_ns: lifetime_ns) } catch {
            throw FakeMXError("\(error)")
        }
    }

    /// Takes a rule away that was set with `rule(_:)`.
    public func removeRule(_ name: String) async throws {
        do { try await launched.server.removeRule(name) } catch { throw FakeMXError("\(error)") }
    }

    /// How often a rule fired; nil where there is none of the name.
    public func hits(ofRule name: String) -> Int? { launched.server.ruleStatus.first { $0.name == name }?.hits }

    // MARK: Waiting

    /// The next session that ended, behind the one that this gave last.
    ///
    /// - Parameters:
    ///   - filter: words as of the API: `["to": "*@full.test", "verdict": "deferred"]`.
    ///   - timeout: how long to wait.
    /// - Throws: `FakeMXError` when none came in time; it says what came instead.
    public func nextSession(_ filter: [String: String] = [:], timeout: Duration = .seconds(10)) async throws -> Session
    {
        let answer = try await next(.session, filter, timeout)
        guard let session = answer.sessions.first else { throw FakeMXError("no session") }
        return session.record
    }

    /// The next message that was stored, behind the one that this gave last.
    public func nextMessage(_ filter: [String: String] = [:], timeout: Duration = .seconds(10)) async throws -> Message
    {
        let answer = try await next(.message, filter, timeout)
        guard let message = answer.messages.first else { throw FakeMXError("no message") }
        return Message(message)
    }

    /// The next 4yz or 5yz that was said, behind the one that this gave last.
    public func nextReject(_ filter: [String: String] = [:], timeout: Duration = .seconds(10)) async throws -> Refusal {
        let answer = try await next(.reject, filter, timeout)
        guard let entry = answer.entries.first else { throw FakeMXError("no reject") }
        return Refusal(entry)
    }

    /// Returns when no such session ended within a time.
    ///
    /// - Throws: `FakeMXError` as soon as one did.
    public func noSession(_ filter: [String: String] = [:], within time: Duration) async throws {
        var wait = try wait(.session, filter, time)
        wait.isAbsent = true
        wait.since = seen.withLock { $0[.session] }
        let answer = try await launched.server.wait(wait)
        if !answer.isFulfilled { throw FakeMXError("a session ended: \(answer.sessions.first?.id ?? "")") }
    }

    private func wait(_ kind: Filter.Kind, _ words: [String: String], _ timeout: Duration) throws -> Wait {
        var pairs = words.map { (name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
        if let space { pairs.append(("space", space)) }
        switch Filter.parse(pairs, kind) {
        case .failure(let complaint): throw FakeMXError(complaint.text)
        case .success(let filter):
            var wait = Wait(kind, filter)
            wait.timeout_ms = Int(timeout / .milliseconds(1))
            return wait
        }
    }

    private func next(_ kind: Filter.Kind, _ words: [String: String], _ timeout: Duration) async throws -> WaitAnswer {
        var wait = try wait(kind, words, timeout)
        wait.since = seen.withLock { $0[kind] }
        let answer: WaitAnswer
        do { answer = try await launched.server.wait(wait) } catch { throw FakeMXError("\(error)") }
        guard answer.isFulfilled else {
            let instead = answer.seen.map {
                "\($0.kind.rawValue) of \($0.subject.session) to \($0.subject.to.joined(separator: ", "))"
            }
            throw FakeMXError(
                "no \(kind.rawValue) in \(timeout)"
                    + (instead.isEmpty
                        ? "; nothing of the kind came" : "; instead came " + instead.joined(separator: "; ")))
        }
        let end = cursor(behind: answer, kind)
        seen.withLock { $0[kind] = end }
        return answer
    }

    /// Just behind what was given, so that what came with it is not passed over.
    private func cursor(behind answer: WaitAnswer, _ kind: Filter.Kind) -> Cursor {
        let cursor = answer.cursor
        return switch kind {
        case .session:
            Cursor(
                run: cursor.run, entry: cursor.entry, message: cursor.message,
                session: answer.sessions.last?.position ?? cursor.session)
        case .message:
            Cursor(
                run: cursor.run, entry: cursor.entry, message: answer.messages.last?.position ?? cursor.message,
                session: cursor.session)
        case .reject, .rule:
            Cursor(
                run: cursor.run, entry: answer.entries.last?.number ?? cursor.entry, message: cursor.message,
                session: cursor.session)
        }
    }

    // MARK: Looking

    /// Sessions that ended, the newest first.
    public func sessions(_ filter: [String: String] = [:], limit: Int = 50) async throws -> [Session] {
        await launched.server.settle()
        let wait = try wait(.session, filter, .zero)
        return try await launched.server.sessions(wait.filter, StoreQuery(limit: limit)).map(\.record)
    }

    /// Messages that are kept, the newest first.
    public func messages(_ filter: [String: String] = [:], limit: Int = 50) async throws -> [Message] {
        await launched.server.settle()
        let wait = try wait(.message, filter, .zero)
        return try await launched.server.messages(wait.filter, StoreQuery(limit: limit)).map(Message.init)
    }

    /// Forgets messages, sessions and rules set at run time; of a space, its own alone.
    public func reset() async throws {
        _ = try await launched.server.reset(space: space)
        let cursor = try await launched.server.cursor()
        seen.withLock { $0 = [.session: cursor, .message: cursor, .reject: cursor] }
    }
}

/// Something that was asked of a sink and could not be had: what happened, where, what to do.
public struct FakeMXError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
