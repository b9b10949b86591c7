// Puts the layers together: default < configuration file < scenarios < environment < flags. Everything that is wrong in
// any of them is said, not only the first.

import Faults

/// Where settings come from.
package struct SettingsSources: Sendable {
    /// As they came, repeated ones repeated.
    package var flags: [(option: Option, value: String)]
    package var environment: [String: String]
    /// Folders in which scenarios are found by name.
    package var scenarioFolders: [String]
    /// Folders in which the replies of `use` are found; those that are stated come before.
    package var replyFolders: [String]

    package init(
        flags: [(option: Option, value: String)] = [], environment: [String: String] = [:],
        scenarioFolders: [String] = [], replyFolders: [String] = []
    ) {
        self.flags = flags
        self.environment = environment
        self.scenarioFolders = scenarioFolders
        self.replyFolders = replyFolders
    }
}

/// What was loaded.
package struct Loaded: Sendable {
    /// nil when there is an error.
    package var configuration: Configuration?
    package var complaints: [Complaint]
    /// The files that were read, in the order in which they were put over each other.
    package var files: [String]
    /// Somebody said where to listen.
    package var statesListeners = false

    package var errors: [Complaint] { complaints.filter(\.isError) }
}

package enum Loading {
    /// Scenarios named at once.
    package static let mostScenarios = 100

    /// For `serve`, and again for a reload.
    package static func load(_ sources: SettingsSources) -> Loaded {
        let (flags, flagComplaints) = Stated.flags(sources.flags)
        let (environment, variableComplaints) = Stated.environment(sources.environment)
        var complaints = flagComplaints + variableComplaints
        var files: [String] = []
        var settings = Settings()
        if let config = flags.config ?? environment.config {
            files.append(config)
            let (layer, found) = SettingsFile.read(config)
            complaints += found
            if let layer { settings.merge(layer) }
        }
        // Scenarios of the command line take the place of those of the environment.
        let named = flags.scenarios.isEmpty ? environment : flags
        if let scenarios = scenarios(named, sources.scenarioFolders, &files, &complaints) { settings.merge(scenarios) }
        let lost = (settings.listeners ?? []).filter { !$0.rules.isEmpty || $0.name != nil }
        if let instead = (flags.settings.listeners ?? environment.settings.listeners)?.first, !lost.isEmpty {
            complaints.append(
                Complaint(
                    .warning, instead.place,
                    "takes the place of all listeners of the files, and of their rules: "
                        + lost.map { $0.name ?? $0.address }.joined(separator: ", ")))
        }
        settings.merge(environment.settings)
        settings.merge(flags.settings)
        // Folders of the command line take the place of those of the environment.
        let stated = flags.replyFolders.isEmpty ? environment.replyFolders : flags.replyFolders
        let folders = stated.isEmpty ? settings.replyFolders ?? [] : stated
        for folder in folders {
            if let complaint = CatalogueFolder.complaint(about: folder.path) {
                complaints.append(Complaint(folder.place, "\(folder.path.shown): \(complaint)"))
            }
        }
        let (catalogue, catalogueComplaints) = CatalogueFolder.read(folders.map(\.path) + sources.replyFolders)
        complaints += catalogueComplaints
        let (configuration, found) = Configuration.complete(settings, catalogue)
        complaints += found
        let isSound = !complaints.contains(where: \.isError)
        return Loaded(
            configuration: isSound ? configuration : nil, complaints: complaints, files: files,
            statesListeners: settings.listeners != nil)
    }

    /// For `check`: each file by itself, over the defaults; one with the key `replies` is a file of the catalogue, one
    /// with the key `lesson` a lesson.
    ///
    /// - Parameters:
    ///   - scenarioFolders: and those of lessons.
    ///   - expectations: judges what lessons ask the sink to see.
    /// - Returns: the configurations as well, as far as they have no errors.
    package static func check(
        _ names: [String], scenarioFolders: [String], catalogue: Catalogue, expectations: ExpectationJudge
    ) -> (complaints: [Complaint], configurations: [Configuration]) {
        let checked = names.map { check(name: $0, scenarioFolders, catalogue, expectations) }
        return (checked.flatMap(\.complaints), checked.compactMap(\.configuration))
    }

    private typealias Checked = (complaints: [Complaint], configuration: Configuration?)

    private static func check(
        name: String, _ scenarioFolders: [String], _ catalogue: Catalogue, _ expectations: ExpectationJudge
    ) -> Checked {
        switch Scenarios.find(name, in: scenarioFolders, place: Place(source: name.shown)) {
        case .failure(let complaint):
            // Here a name is a file first, whatever it ends in.
            guard TextFile.exists(name) else { return ([complaint], nil) }
            return check(file: name, catalogue, expectations)
        case .success(let path): return check(file: path, catalogue, expectations)
        }
    }

    private static func check(file: String, _ catalogue: Catalogue, _ expectations: ExpectationJudge) -> Checked {
        let octets: [UInt8]
        switch TextFile.read(file) {
        case .success(let found): octets = found
        case .failure(let complaint): return ([complaint], nil)
        }
        let (root, broken) = YAMLText.parse(octets, file: file)
        guard let root else { return (broken, nil) }
        if CatalogueFile.isRecognised(root) {
            return (CatalogueFile.read(root, file: file, broken).complaints, nil)
        }
        if LessonFile.isRecognised(root) {
            return (LessonFile.read(root, file: file, broken, catalogue, expectations).complaints, nil)
        }
        let (settings, complaints) = SettingsFile.read(root, file: file, broken)
        guard let settings else { return (complaints, nil) }
        let (configuration, more) = Configuration.complete(settings, catalogue)
        let all = complaints + more
        return (all, all.contains(where: \.isError) ? nil : configuration)
    }

    /// All scenarios as one layer. Their rules stand in the order in which they were named, and so do their listeners;
    /// of other values the last named counts.
    private static func scenarios(
        _ stated: Stated, _ folders: [String], _ files: inout [String], _ complaints: inout [Complaint]
    ) -> Settings? {
        guard !stated.scenarios.isEmpty else { return nil }
        if stated.scenarios.count > mostScenarios {
            complaints.append(Complaint(stated.scenarioPlace, "more than \(mostScenarios) scenarios"))
        }
        var sum = Settings()
        for name in stated.scenarios.prefix(mostScenarios) {
            switch Scenarios.find(name, in: folders, place: stated.scenarioPlace) {
            case .failure(let complaint): complaints.append(complaint)
            case .success(let path):
                files.append(path)
                let (layer, found) = SettingsFile.read(path)
                complaints += found
                guard var layer else { continue }
                let rules = sum.rules + layer.rules
                if let earlier = sum.listeners, let later = layer.listeners { layer.listeners = earlier + later }
                sum.merge(layer)
                sum.rules = rules
            }
        }
        return sum
    }
}
