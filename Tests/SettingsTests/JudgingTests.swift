// How senders are judged, as files, the environment and flags say it.

import Faults
import Findings
import Settings
import Testing

@Suite struct JudgingTests {
    private func judging(_ yaml: String) throws -> JudgingSettings? {
        let (settings, found) = read(yaml)
        #expect(found == [])
        return Configuration.complete(try #require(settings), .empty).configuration.judging
    }

    @Test func `Off, a profile alone, and everything in its place`() throws {
        #expect(try judging("judging: off\n") == nil)
        #expect(try judging("judging: on\n") == JudgingSettings())
        #expect(try judging("judging: bulk\n")?.profile == .bulk)
        let settings = try #require(
            try judging(
                """
                judging:
                  profile: strict
                  rules:
                    quit-missing: { severity: off, reason: "the pool drops connections" }
                    helo-old-helo: { severity: must, reason: "we need EHLO" }
                  thresholds: { held-idle: 90s, unknown-share: 2.5%, hello-names: 7, data-floor: 2KB/s, give-up: 5d }
                """))
        #expect(settings.profile == .strict)
        #expect(
            settings.overrides == [
                .quitMissing: .init(severity: nil, reason: "the pool drops connections"),
                .heloOldHelo: .init(severity: .must, reason: "we need EHLO"),
            ])
        var thresholds = Thresholds()
        thresholds.heldIdle_us = 90_000_000
        thresholds.unknownShare = 0.025
        thresholds.helloNames = 7
        thresholds.dataFloor_octetsPerSecond = 2000
        thresholds.giveUp_us = 5 * 86_400_000_000
        #expect(settings.thresholds == thresholds)
    }

    @Test func `Each threshold of a file reaches one of its own, and none is left out`() throws {
        let usual = Thresholds()
        var reached: Set<Thresholds> = []
        for threshold in Threshold.allCases {
            let value =
                switch threshold {
                case .heldIdle, .retryImmediate, .retrySoon, .retryWindow, .giveUp: "77s"
                case .unknownShare: "77%"
                case .dataFloor: "77B/s"
                default: "77"
                }
            let settings = try judging("judging: { thresholds: { \(threshold.rawValue): \(value) } }\n")
            let thresholds = try #require(settings).thresholds
            #expect(thresholds != usual, "\(threshold)")
            reached.insert(thresholds)
        }
        #expect(reached.count == Threshold.allCases.count)
        // The time scale is that of the rules.
        #expect(Mirror(reflecting: usual).children.count == Threshold.allCases.count + 1)
    }

    @Test func `Flag beats environment beats scenario beats file, rule by rule`() throws {
        let files = [
            "f.yaml": """
            judging:
              profile: bulk
              rules:
                quit-missing: { severity: info, reason: file }
                helo-old-helo: { severity: info, reason: file }
            """,
            "s.yaml": "judging: { rules: { quit-missing: { severity: must, reason: scenario } } }\n",
        ]
        try withFiles(files) { folder in
            let all: [(Option, String)] = [(.config, "\(folder)/f.yaml"), (.scenario, "\(folder)/s.yaml")]
            let loaded = load(all).configuration?.judging
            #expect(loaded?.profile == .bulk)
            #expect(loaded?.overrides[.quitMissing] == .init(severity: .must, reason: "scenario"))
            #expect(loaded?.overrides[.heloOldHelo] == .init(severity: .info, reason: "file"))
            #expect(load(all, ["FAKEMX_JUDGE": "submission"]).configuration?.judging?.profile == .submission)
            let flagged = load(all + [(.judge, "strict")], ["FAKEMX_JUDGE": "submission"]).configuration
            #expect(flagged?.judging?.profile == .strict)
            #expect(flagged?.judging?.overrides.count == 2)
            let off = load(all + [(.judge, "off")]).configuration
            #expect(off != nil && off?.judging == nil)
            #expect(load(all + [(.judge, "mx")], ["FAKEMX_JUDGE": "off"]).configuration?.judging?.profile == .mx)
            #expect(load([(.judge, "bluk")]).errors.map(\.description).joined().contains("did you mean \"bulk\"?"))
        }
    }
}
