// Scenarios by name: NAME stands for NAME.yaml in a folder of scenarios. What holds a slash or ends in .yaml is a file.

import Faults

package enum Scenarios {
    /// - Parameter folders: looked through in order.
    /// - Parameter what: lessons are found in the same way.
    /// - Returns: the path of a scenario's file, or a complaint with the nearest names.
    package static func find(
        _ name: String, in folders: [String], place: Place, what: String = "scenario"
    ) -> Result<String, Complaint> {
        let isFile = name.contains("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        if isFile, TextFile.exists(name) { return .success(name) }
        if !name.contains("/"), !name.utf8.contains(0) {
            for folder in folders {
                let path = "\(folder)/\(name)\(isFile ? "" : ".yaml")"
                if TextFile.exists(path) { return .success(path) }
            }
        }
        if isFile { return .failure(Complaint(Place(source: name.shown), "cannot be read: no such file")) }
        return .failure(Complaint(place, unknown(what, name, in: folders)))
    }

    /// The names of all scenarios.
    package static func names(in folders: [String]) -> [String] {
        var seen: Set<String> = []
        return folders.flatMap { TextFile.names(in: $0) ?? [] }
            .filter { $0.hasSuffix(".yaml") && $0.utf8.count > 5 && seen.insert($0).inserted }
            .map { String($0.dropLast(5)) }
    }

    /// One that lies ready in a folder; never another file.
    package static func ready(_ name: String, in folders: [String]) -> Result<ReadyScenario, Complaint> {
        let place = Place(source: "scenarios")
        guard names(in: folders).contains(name) else {
            return .failure(Complaint(place, unknown("scenario", name, in: folders)))
        }
        return find(name, in: folders, place: place).flatMap(TextFile.read).flatMap { octets in
            let (root, broken) = YAMLText.parse(octets, file: name)
            guard let root else { return .failure(broken.first ?? Complaint(Place(source: name), "is empty")) }
            let (settings, complaints) = SettingsFile.read(root, file: name, broken)
            if let error = complaints.first(where: \.isError) { return .failure(error) }
            let keys = root.mapping?.keys.compactMap(\.scalar?.string) ?? []
            return .success(
                ReadyScenario(
                    name: name, about: settings?.description ?? "", rules: settings?.rules.map(\.rule) ?? [],
                    leftOut: keys.filter { !["name", "description", "rules"].contains($0) }))
        }
    }

    private static func unknown(_ what: String, _ name: String, in folders: [String]) -> String {
        let known = names(in: folders)
        let word = "unknown \(what) \"\(name.shown)\""
        guard !known.isEmpty else {
            return
                "\(word), and no \(what) at all in \(folders.isEmpty ? "any folder" : folders.joined(separator: ", "))"
        }
        let nearest = Suggestion.ranked(name, among: known).prefix(3).map { "\"\($0)\"" }
        if !nearest.isEmpty { return "\(word); did you mean \(nearest.joined(separator: " or "))?" }
        return "\(word); there are \(known.joined(separator: ", "))"
    }
}

/// A scenario as one looks at it before one chooses it.
package struct ReadyScenario: Sendable {
    package let name: String
    /// What it does, and what there is to see.
    package let about: String
    /// Those that concern every listener: they can be set while the sink runs.
    package let rules: [Rule]
    /// Its other settings, by their keys: these need a start.
    package let leftOut: [String]
}
