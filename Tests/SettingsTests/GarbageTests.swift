// Whatever stands in a file, reading it ends with settings and complaints that have places, never with a crash.

import Foundation
import Settings
import Testing

@Suite struct GarbageTests {
    @Test func `Mutated files never crash, and every complaint has its place`() throws {
        var texts = [try String(contentsOfFile: "\(configFolder)/fakemx.yaml", encoding: .utf8)]
        for name in Scenarios.names(in: ["\(configFolder)/scenarios"]) {
            texts.append(try String(contentsOfFile: "\(configFolder)/scenarios/\(name).yaml", encoding: .utf8))
        }
        // Without comments mutations meet more of the grammar.
        texts[0] = texts[0].split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
        var dice = Dice(4711)
        let alphabet = Array(" \n\t:-,[]{}#&*!|>'\"%@`?~0a.\\é\u{0}\u{FEFF}\u{E000}".utf8)
        var sound = 0
        for _ in 0..<3000 {
            var octets = Array(texts[dice.below(texts.count)].utf8)
            for _ in 0...dice.below(5) {
                let at = dice.below(octets.count)
                switch dice.below(5) {
                case 0: octets.remove(at: at)
                case 1: octets[at] = alphabet[dice.below(alphabet.count)]
                case 2: octets.insert(alphabet[dice.below(alphabet.count)], at: at)
                case 3: octets.removeSubrange(at..<min(octets.count, at + dice.below(40)))
                default:
                    let from = dice.below(octets.count)
                    octets.insert(contentsOf: octets[from..<min(octets.count, from + dice.below(60))], at: at)
                }
                if octets.isEmpty { octets = [10] }
            }
            let (settings, complaints) = SettingsFile.parse(octets, file: "g.yaml")
            #expect(settings != nil || !complaints.isEmpty)
            #expect(complaints.allSatisfy { $0.place.source == "g.yaml" && !$0.message.isEmpty })
            let text = String(decoding: octets, as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(complaints.allSatisfy { ($0.place.line ?? 1) <= lines + 1 })
            if let settings, complaints.isEmpty {
                sound += 1
                _ = Configuration.complete(settings, .empty)
            }
        }
        #expect(sound > 100)
    }

    @Test func `Random octets never crash`() {
        var dice = Dice(12)
        for _ in 0..<2000 {
            let octets = (0..<dice.below(200)).map { _ in UInt8(dice.below(256)) }
            let (settings, complaints) = SettingsFile.parse(octets, file: "g.yaml")
            #expect(settings != nil || !complaints.isEmpty)
        }
    }
}
