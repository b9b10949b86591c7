// The corpus, run in each of its ways. Blocking work has its own threads: the cooperative pool is small and would
// dead-lock.

import EventLoop
import Testing

@Suite(.timeLimit(.minutes(3))) struct DialogueTests {
    private static let corpus: Result<[Dialogue], any Error> = Result { try Corpus.load() }

    @Test func `the corpus has at least 170 dialogues with titles of their own`() throws {
        let corpus = try Self.corpus.get()
        #expect(corpus.count >= 170)
        let titles = Dictionary(grouping: corpus, by: \.title).filter { $0.value.count > 1 }
        #expect(titles.isEmpty, "titles that stand twice: \(titles.keys.sorted())")
    }

    @Test func `every point of the checklist has a dialogue`() throws {
        let covered = Set(try Self.corpus.get().flatMap(\.covers))
        #expect(Coverage.points.filter { !covered.contains($0) } == [])
    }

    @Test func `every phase meets every action`() throws {
        let covered = Set(try Self.corpus.get().flatMap(\.covers))
        #expect(Coverage.cells.filter { !covered.contains($0) } == [])
    }

    @Test func `every phase meets every action over a socket, and inside TLS where the phase allows it`() throws {
        let corpus = try Self.corpus.get()
        let inClear = Set(corpus.filter { $0.ways.contains(.clear) }.flatMap(\.covers))
        let insideTLS = Set(corpus.filter { $0.ways.contains(.tls) }.flatMap(\.covers))
        #expect(Coverage.cells.filter { !inClear.contains($0) } == [])
        // STARTTLS is said in clear, and a reply at connect takes the place of a greeting before any handshake.
        let clearOnly = ["connect×4yz", "connect×5yz"] + Coverage.actions.map { "starttls×\($0)" }
        #expect(Coverage.cells.filter { !insideTLS.contains($0) && !clearOnly.contains($0) } == [])
    }

    @Test func `every dialogue runs without a socket on a virtual clock`() async throws {
        await Rehearsal.report(try Self.corpus.get().filter { $0.ways.contains(.pure) }) { try Rehearsal.pure($0) }
    }

    @Test func `the same conversation comes out however the octets are cut`() async throws {
        await Rehearsal.report(try Self.corpus.get().filter { $0.ways.contains(.cut) }) { try Rehearsal.cut($0) }
    }

    @Test func `every dialogue runs over a socket`() async throws {
        let identity = try TLSIdentity.selfSigned(hostname: "mx.test")
        await Rehearsal.report(try Self.corpus.get().filter { $0.ways.contains(.clear) }, threads: Self.clients) {
            try Rehearsal.socket($0, insideTLS: false, identity: identity)
        }
    }

    @Test func `every dialogue runs over a socket inside TLS`() async throws {
        let identity = try TLSIdentity.selfSigned(hostname: "mx.test")
        await Rehearsal.report(try Self.corpus.get().filter { $0.ways.contains(.tls) }, threads: Self.clients) {
            try Rehearsal.socket($0, insideTLS: true, identity: identity)
        }
    }

    /// Most of a dialogue's time over a socket is waiting.
    private static let clients = 12
}
