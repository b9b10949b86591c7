// Sessions drawn from a seed, in no sensible order: the book stays within its bounds, contradicts itself nowhere, and
// says the same of the same.

import Findings
import Journal
import SMTP
import Testing

@Suite struct RandomBookTests {
    /// A linear congruential generator: the same numbers everywhere.
    private struct Draw {
        var state: UInt64
        mutating func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        mutating func one<Element>(of list: [Element]) -> Element { list[next(list.count)] }
    }

    private func scene(_ seed: UInt64) -> Scene {
        var draw = Draw(state: seed)
        var scene = Scene()
        let replies = [
            "250 Ok", "250 Ok", "451 4.7.1 Later", "550 5.1.1 Gone", "452 4.5.3 Many", "552", "421 4.3.2 Bye", "xyz",
        ]
        for _ in 0..<30 {
            let at = Double(draw.next(100_000))
            if draw.next(8) == 0 {
                scene.refused(at, draw.one(of: ["421 4.3.2 Busy", "554 5.7.1 No", "220 Hello"]))
                continue
            }
            scene.call(at, dropped: draw.next(20) == 0 ? 1 : 0) { call in
                call.client = draw.one(of: ["192.0.2.9", "198.51.100.1", "[2001:db8::1]", "127.0.0.1", "unix", ":", ""])
                call.hello = draw.one(of: ["mta1.sender.example", "mta2.sender.example", "x", ""])
                call.listener = draw.one(of: ["mx1", "mx2"])
                call.from = draw.one(of: ["a@sender.example", "a9@sender.example", "", "@", "b"])
                call.parameters = draw.one(of: [
                    "", "SIZE=1", "SIZE=2", "ENVID=x", "SIZE=99999999999999999999", "SIZE=",
                ])
                call.mailReply = draw.next(6) == 0 ? draw.one(of: replies) : "250 Ok"
                call.to = (0..<draw.next(4)).map { _ in
                    (draw.one(of: ["b@any.test", "c@ANY.test", "@", ""]), draw.one(of: replies))
                }
                call.end = draw.one(of: ["250 Ok", "", nil, "451 4.3.0 Later", "554 5.6.0 No"])
                call.letter.id = draw.one(of: ["<1@a>", "<2@a>", nil])
                call.letter.subject = draw.one(of: ["One", "Two"])
                call.fault = draw.one(of: [nil, (.rcpt, "stall"), (.mail, "close"), (.ehlo, "raw \"x\"")])
                call.isHasty = draw.next(3) == 0
            }
        }
        return scene
    }

    @Test(arguments: UInt64(1)...200)
    func nothingDrawnBreaksTheBook(_ seed: UInt64) {
        let scene = scene(seed)
        for seconds in [-10.0, 0, 50_000, 200_000, 1e12 / 1e6 * 1e3] {
            let judged = scene.judged(seconds) { $0.exchangers = [["mx1"], ["mx2"]] }
            for finding in judged.findings {
                #expect(judged.states[finding.rule] == .broken)
                #expect(!finding.session.isEmpty)
                #expect(!finding.sessions.contains(finding.session) && finding.sessions.count <= Finding.evidenceLimit)
                #expect(finding.count >= finding.evidence.count && !finding.saw.isEmpty)
            }
            #expect(Set(judged.findings.map(\.rule)) == Set(judged.states.ids(.broken)))
            #expect(scene.judged(seconds) { $0.exchangers = [["mx1"], ["mx2"]] } == judged)
            let lines = scene.book.timelines(now_us: Scene.at(seconds), scene.settings())
            // Every session with a transaction stands on a line, and no attempt on two.
            let attempts = lines.flatMap(\.attempts).filter { $0.tie != .peer }.map {
                "\($0.session) \($0.transaction)"
            }
            #expect(Set(attempts).count == attempts.count)
        }
    }
}
