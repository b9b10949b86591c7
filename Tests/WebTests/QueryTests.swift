// Addresses as they come: queries, percent escapes, paths.

import Testing

@testable import Web

@Suite("Queries and paths")
struct QueryTests {
    @Test func `Names and values are decoded and keep their order`() throws {
        let query = try Query("to=a%2Bb%40c.test&to=%3C%3E&empty&x=1=2&%C3%BC=%E2%82%AC+%2B")
        #expect(query.pairs.map(\.name) == ["to", "to", "empty", "x", "ü"])
        #expect(query.pairs.map(\.value) == ["a+b@c.test", "<>", "", "1=2", "€ +"])
    }

    @Test(arguments: ["%", "%4", "%zz", "a=%C3", "%FF=1", "a=%e2%28%a1"])
    func `A broken escape, or what is no UTF-8, is refused`(text: String) {
        #expect(throws: Problem.self) { _ = try Query(text[...]) }
    }

    @Test func `What is too long, or too much, is refused with its limit`() throws {
        #expect(throws: Problem.self) { _ = try Query(String(repeating: "a", count: Query.longest + 1)[...]) }
        let many = Array(repeating: "a=1", count: Query.most + 1).joined(separator: "&")
        #expect(throws: Problem.self) { _ = try Query(many[...]) }
        let most = try Query(Array(repeating: "a=1", count: Query.most).joined(separator: "&")[...])
        #expect(most.pairs.count == Query.most)
    }

    @Test func `A number, a flag and a single value say what they are not`() throws {
        var query = try Query("limit=5&open&absent=no&twice=1&twice=2&bad=5x&flag=maybe")
        #expect(try query.takeNumber("limit", 1...10) == 5)
        #expect(
            try query.takeFlag("open") == true && query.takeFlag("absent") == false && query.takeFlag("none") == nil)
        #expect(throws: Problem.self) { _ = try query.take("twice") }
        #expect(throws: Problem.self) { _ = try query.takeNumber("bad", 1...10) }
        #expect(throws: Problem.self) { _ = try query.takeFlag("flag") }
        do {
            try query.finish(["limit", "open"])
            Issue.record("what nobody took was taken")
        } catch {
            #expect(error.status == 400 && error.parameter == "twice")
        }
    }

    @Test func `Random octets are taken or refused, and never more`() {
        var state: UInt64 = 42
        func next(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        let letters = Array("ab=&%+:/0129aAfF\u{0}ü€\"<>,*".unicodeScalars)
        for _ in 0..<5_000 {
            var text = ""
            for _ in 0..<next(40) { text.unicodeScalars.append(letters[next(letters.count)]) }
            guard let query = try? Query(text[...]) else { continue }
            #expect(query.pairs.count <= Query.most)
        }
    }

    @Test func `A path finds its handler by words before places, and says which methods it takes`() {
        let routes = Routes([
            Route("GET", "/a/{id}") { _ in Health.text("one") },
            Route("DELETE", "/a/{id}") { _ in Health.text("gone") },
            Route("GET", "/a/latest") { _ in Health.text("latest") },
            Route("GET", "/v/{id}.html") { _ in Health.text("page") },
        ])
        func arguments(_ method: String, _ segments: [String]) -> [String: String]? {
            if case .found(_, let arguments) = routes.match(method, segments) { arguments } else { nil }
        }
        #expect(arguments("GET", ["a", "s1"]) == ["id": "s1"])
        #expect(arguments("HEAD", ["a", "latest"]) == [:])
        #expect(arguments("GET", ["v", "s1.1.html"]) == ["id": "s1.1"])
        #expect(arguments("GET", ["v", ".html"]) == nil)
        #expect(arguments("GET", ["a"]) == nil && arguments("GET", ["a", "b", ""]) == nil)
        guard case .otherMethods(let methods) = routes.match("POST", ["a", "x"]) else {
            Issue.record("POST was taken")
            return
        }
        #expect(methods == ["DELETE", "GET", "HEAD"])
    }

    @Test(arguments: [
        ("5", 5000), ("0.25", 250), ("500ms", 500), ("2m", 120_000), ("600", 600_000), ("0", 0),
    ])
    func `A timeout is seconds or a duration`(text: String, ms: Int) throws {
        #expect(try Waiting.timeout(text) == ms)
    }

    @Test(arguments: ["", "x", "-1", "601", "1h", "1e3", "٣", "5 s s"])
    func `Anything else is no timeout`(text: String) {
        #expect(throws: Problem.self) { _ = try Waiting.timeout(text) }
    }
}
