// What the fuzzers of this room keep is replayed, and random words of their grammars are tried.

import Foundation
import Testing

@Suite struct CorpusTests {
    @Test(arguments: FaultsFuzzTarget.allCases) func `The corpora are replayed`(target: FaultsFuzzTarget) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fuzz/corpus/\(target.rawValue)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let octets = [UInt8](try Data(contentsOf: file))
            for mapped in [false, true] {
                #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run(octets, mapped: mapped) }
            }
        }
    }

    @Test(arguments: FaultsFuzzTarget.allCases)
    func `Random words of the grammar hold what the fuzzers ask`(target: FaultsFuzzTarget) throws {
        var dice = Dice(2)
        for _ in 0..<3000 {
            let octets = (0...dice.below(24)).map { _ in UInt8(dice.below(256)) }
            #expect(throws: Never.self, "\(octets)") { try target.run(octets, mapped: true) }
        }
    }
}
