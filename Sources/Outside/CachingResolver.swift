// Remembers answers for a while: a sender with a thousand sessions is asked about once.

import Findings

package actor CachingResolver: NameResolver {
    private struct Key: Hashable {
        let name: String
        let type: RecordType
    }

    private struct Entry {
        let answer: Task<NameAnswer<[String]>, Never>
        let since: ContinuousClock.Instant
    }

    /// Whatever the records themselves allow: a report is about what was so at about that time.
    private static let lifetime = Duration.seconds(60)
    private static let limit = 10_000
    /// Questions on their way at once; beyond them the answer is that nobody knows, at once.
    private static let mostAsked = 256

    private let resolver: any NameResolver
    private var entries: [Key: Entry] = [:]
    private var asked = 0

    package init(_ resolver: any NameResolver) { self.resolver = resolver }

    package func records(_ name: String, _ type: RecordType) async -> NameAnswer<[String]> {
        let (key, now) = (Key(name: name, type: type), ContinuousClock.now)
        if let entry = entries[key], now - entry.since < Self.lifetime { return await entry.answer.value }
        guard asked < Self.mostAsked else { return .unknown }
        if entries.count >= Self.limit { entries = [:] }
        asked += 1
        defer { asked -= 1 }
        let answer = Task { [resolver] in await resolver.records(name, type) }
        entries[key] = Entry(answer: answer, since: now)
        let value = await answer.value
        // Who did not answer may do so next time.
        if value == .unknown { entries[key] = nil }
        return value
    }
}
