// What the tests of this room share: reading YAML from a string, and folders that go away again.

import Faults
import Foundation
import SMTP
import Settings
import Testing

func read(_ yaml: String) -> (settings: Settings?, complaints: [Complaint]) {
    SettingsFile.parse(Array(yaml.utf8), file: "f.yaml")
}

/// The complaints of a file as it would be checked, with those about all rules together.
func complaints(_ yaml: String) -> [String] {
    let (settings, complaints) = read(yaml)
    let more = settings.map { Configuration.complete($0, .empty).complaints } ?? []
    return (complaints + more).map(\.description)
}

/// The folder Config of this repository.
let configFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Config").path(percentEncoded: false)

/// A folder with files that lives as long as `body` runs.
func withFiles<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "fakemx-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
        let file = folder.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
    return try body(folder.path(percentEncoded: false))
}

func load(
    _ flags: [(Option, String)] = [], _ environment: [String: String] = [:], scenarios: [String] = [],
    replies: [String] = []
) -> Loaded {
    Loading.load(
        SettingsSources(
            flags: flags.map { (option: $0.0, value: $0.1) }, environment: environment, scenarioFolders: scenarios,
            replyFolders: replies))
}

/// SplitMix64, so that a failing mutation fails again.
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
