// One question for many askers; who did not answer is asked again.

import Findings
import Synchronization
import Testing

@testable import Outside

@Suite struct CachingTests {
    private final class Counting: NameResolver {
        let asked = Mutex<[String: Int]>([:])
        func records(_ name: String, _ type: RecordType) async -> NameAnswer<[String]> {
            asked.withLock { $0["\(name) \(type.word)", default: 0] += 1 }
            return name.hasPrefix("dumb") ? .unknown : .found(["192.0.2.1"])
        }
    }

    @Test func answersAreRemembered() async {
        let counting = Counting()
        let resolver = CachingResolver(counting)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { #expect(await resolver.records("a.example", .address4) == .found(["192.0.2.1"])) }
            }
        }
        _ = await resolver.records("a.example", .address6)
        #expect(counting.asked.withLock { $0 } == ["a.example A": 1, "a.example AAAA": 1])
    }

    @Test func silenceIsNot() async {
        let counting = Counting()
        let resolver = CachingResolver(counting)
        for _ in 0..<3 { #expect(await resolver.records("dumb.example", .pointer) == .unknown) }
        #expect(counting.asked.withLock { $0 } == ["dumb.example PTR": 3])
    }
}
