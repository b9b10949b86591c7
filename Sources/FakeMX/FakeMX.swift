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
///     try await FakeMX.withSink { sink in
///         try await sink.rule("end-of-data: 554 5.7.1 No, for its content")
///         // … the sender under test sends to 127.0.0.1, port sink.smtpPort …
///         let session = try await sink.nextSession()
///         #expect(session.rejected_at == "end-of-data")
///     }
///
/// Every method may be called from any task. Those that wait end when their task is cancelled, with
/// `CancellationError`; all other errors are `FakeMXError`.
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
        /// Event loops. With one, sessions are told in the order in which they ended; with several, sessions that end
        /// within the same milliseconds may be told in another. 0: one a core.
        public var loops = 1
        /// Any other flags of `fakemx serve`, with their values: `[("profile", "postfix")]`.
        public var flags: [(name: String, value: String)] = []

        public init() {}
    }

    let launched: Launched
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
        flags.append((.loops, options.loops == 0 ? "auto" : "\(options.loops)"))
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
            return FakeMX(launched, space: nil, Self.everything(cursor))
        } catch { throw FakeMXError("\(error)") }
    }

    /// Starts a sink, hands it over, and stops it whatever came of that.
    ///
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, or what ``start(_:)`` does.
    nonisolated(nonsending) public static func withSink<Result>(
        _ options: Options = Options(), _ body: nonisolated(nonsending) (FakeMX) async throws -> Result
    ) async throws -> Result {
        let sink = try await start(options)
        do {
            let result = try await body(sink)
            await sink.stop(grace_ms: 0)
            return result
        } catch {
            await sink.stop(grace_ms: 0)
            throw error
        }
    }

    /// Stops it: idle clients get 421, running transactions have `grace_ms` milliseconds. A second call does nothing.
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
    /// space, `anyone@NAME.test` and `anyone+NAME@any.example`. Nobody has to create a space.
    ///
    /// - Parameter name: letters, digits, `-` and `_`, 63 at most; their case says nothing.
    /// - Throws: `FakeMXError` where it is no such name.
    public func space(_ name: String) throws -> FakeMX {
        guard Space.isName(name) else {
            throw FakeMXError("a space is a name of at most 63 letters, digits, - and _, not \"\(name.shown)\"")
        }
        return FakeMX(launched, space: name.asciiLowercased, seen.withLock { $0 })
    }

    /// An address of this space, or of `any.test`.
    public func address(_ user: String = "user") -> String { "\(user)@\(space ?? "any").test" }

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

    /// Takes a rule away that was set with ``rule(_:lifetime:)``.
    ///
    /// - Throws: `FakeMXError` where there is none of the name, or where it stands in the configuration.
    public func removeRule(_ name: String) async throws {
        do { try await launched.server.removeRule(name) } catch { throw FakeMXError("\(error)") }
    }

    /// How often a rule fired; nil where there is none of the name.
    public func hits(ofRule name: String) -> Int? { launched.server.ruleStatus.first { $0.name == name }?.hits }

    // MARK: Waiting

    /// The next session that ended, behind the one that this gave last: what ended before the call counts as well.
    ///
    /// - Parameters:
    ///   - filter: words as of the API: `["to": "*@full.test", "verdict": "deferred"]`.
    ///   - timeout: how long to wait, 600 s at most.
    /// - Throws: `FakeMXError` when none came in time; it says what came instead.
    public func nextSession(_ filter: [String: String] = [:], timeout: Duration = .seconds(10)) async throws -> Session
    {
        let answer = try await next(.session, filter, timeout)
        guard let session = answer.sessions.first else { throw FakeMXError("no session") }
        return session.record
    }

    /// The next message that was stored, behind the one that this gave last; as ``nextSession(_:timeout:)``.
    public func nextMessage(_ filter: [String: String] = [:], timeout: Duration = .seconds(10)) async throws -> Message
    {
        let answer = try await next(.message, filter, timeout)
        guard let message = answer.messages.first else { throw FakeMXError("no message") }
        return Message(message)
    }

    /// The next 4yz or 5yz that was said, behind the one that this gave last; as ``nextSession(_:timeout:)``.
    public func nextReject(_ filter: [String: String] = [:], timeout: Duration = .seconds(10)) async throws -> Refusal {
        let answer = try await next(.reject, filter, timeout)
        guard let entry = answer.entries.first else { throw FakeMXError("no reject") }
        return Refusal(entry)
    }

    /// Returns when no such session ended since the last that ``nextSession(_:timeout:)`` gave, and within a time.
    ///
    /// - Throws: `FakeMXError` as soon as one did.
    public func noSession(_ filter: [String: String] = [:], within time: Duration) async throws {
        try await none(.session, filter, time)
    }

    /// The same for messages that are stored.
    public func noMessage(_ filter: [String: String] = [:], within time: Duration) async throws {
        try await none(.message, filter, time)
    }

    /// The same for replies of 4yz and 5yz.
    public func noReject(_ filter: [String: String] = [:], within time: Duration) async throws {
        try await none(.reject, filter, time)
    }

    /// Each `next…` begins behind this point.
    private static func everything(_ cursor: Cursor) -> [Filter.Kind: Cursor] {
        [.session: cursor, .message: cursor, .reject: cursor, .finding: cursor]
    }

    func none(_ kind: Filter.Kind, _ words: [String: String], _ time: Duration) async throws {
        var wait = try wait(kind, words, time)
        wait.isAbsent = true
        let since = seen.withLock { $0[kind] }
        wait.since = since
        guard try await ask(wait).isFulfilled else {
            throw FakeMXError("a \(kind.rawValue)\(Self.spoken(words)) came that must not" + (try await instead(since)))
        }
    }

    func wait(_ kind: Filter.Kind, _ words: [String: String], _ timeout: Duration) throws -> Wait {
        var pairs = words.map { (name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
        if let space { pairs.append(("space", space)) }
        switch Filter.parse(pairs, kind) {
        case .failure(let complaint): throw FakeMXError(complaint.text)
        case .success(let filter):
            let longest = Duration.milliseconds(Wait.Bounds.longestTimeout_ms)
            var wait = Wait(kind, filter)
            wait.timeout_ms = Int(min(max(timeout, .zero), longest) / .milliseconds(1))
            return wait
        }
    }

    private func ask(_ wait: Wait) async throws -> WaitAnswer {
        let answer: WaitAnswer
        do { answer = try await launched.server.wait(wait) } catch let error as CancellationError {
            throw error
        } catch is SinkStops {
            throw FakeMXError("the sink was stopped, so no \(wait.kind.rawValue) can come")
        } catch let forgotten as Forgotten {
            throw FakeMXError(
                "\(forgotten), so nobody can say that no \(wait.kind.rawValue) came")
        } catch {
            throw FakeMXError("\(error)")
        }
        // Nothing came: that means something only where the whole time was waited.
        if answer.count == 0 { try Task.checkCancellation() }
        return answer
    }

    func next(_ kind: Filter.Kind, _ words: [String: String], _ timeout: Duration) async throws -> WaitAnswer {
        var wait = try wait(kind, words, timeout)
        let since = seen.withLock { $0[kind] }
        wait.since = since
        let answer = try await ask(wait)
        guard answer.isFulfilled else {
            throw FakeMXError("no \(kind.rawValue)\(Self.spoken(words)) in \(timeout)" + (try await instead(since)))
        }
        let end = answer.cursor
        seen.withLock { $0[kind] = end }
        return answer
    }

    private static func spoken(_ words: [String: String]) -> String {
        words.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    }

    /// What came, for the text of a failure: sessions, and how far rules have come.
    private func instead(_ since: Cursor?) async throws -> String {
        let everything = try wait(.session, [:], .zero).filter
        var query = StoreQuery(limit: Self.mostInstead)
        query.after = since.flatMap { launched.server.position($0, .session) }
        let sessions = try await launched.server.sessions(everything, query).reversed().map { $0.record.spoken }
        let rules = launched.server.ruleStatus.filter { $0.isRunRule && space.map($0.rule.spaces.contains) ?? true }
        let lines =
            (sessions.isEmpty ? ["no session ended" + (space.map { " for the space \($0)" } ?? "")] : sessions)
            + rules.map { "rule \($0.line): fired \($0.hits) of \($0.matches) times" }
        return "; in its place:\n  " + lines.joined(separator: "\n  ")
    }

    /// Sessions told in a failure, at most.
    private static let mostInstead = 10

    // MARK: Looking

    /// Sessions that ended and are kept, the newest first.
    ///
    /// - Parameter limit: how many at most.
    /// - Throws: `FakeMXError` where the filter is wrong.
    public func sessions(_ filter: [String: String] = [:], limit: Int = 50) async throws -> [Session] {
        await launched.server.settle()
        let wait = try wait(.session, filter, .zero)
        return try await launched.server.sessions(wait.filter, StoreQuery(limit: limit)).map(\.record)
    }

    /// A session as people read it, line by line with times in milliseconds; nil where none of this id is kept.
    public func transcript(ofSession id: String) async throws -> String? {
        guard id.first == "s", let number = UInt64(id.dropFirst()) else { return nil }
        let found: StoredSession?
        do { found = try await launched.server.session(number) } catch { throw FakeMXError("\(error)") }
        guard let session = found else { return nil }
        var transcript = Transcript(colours: false)
        return session.log.reduce(into: "") { $0 += transcript.render($1) }
    }

    /// Messages that are kept, the newest first.
    public func messages(_ filter: [String: String] = [:], limit: Int = 50) async throws -> [Message] {
        await launched.server.settle()
        let wait = try wait(.message, filter, .zero)
        return try await launched.server.messages(wait.filter, StoreQuery(limit: limit)).map(Message.init)
    }

    /// Forgets messages, sessions and rules set at run time; of a space, its own alone. `next…` begin anew.
    public func reset() async throws {
        _ = try await launched.server.reset(space: space)
        let cursor = try await launched.server.cursor()
        seen.withLock { $0 = Self.everything(cursor) }
    }
}
