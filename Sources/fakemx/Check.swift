// `fakemx check FILE…`: says what is wrong with configurations, scenarios and files of replies, and
// starts nothing.

import ArgumentParser
import EventLoop
import Faults
import Settings

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate configuration files, scenarios and files of the catalogue.",
        discussion: """
            Prints every complaint as file:line:column. Exit status: 0 when there is no error (warnings are said), 2 \
            when there is one.
            """)

    @Argument(help: .init("Files, or names of scenarios.", valueName: "file|name"))
    var files: [String]

    func run() async throws {
        let (catalogue, broken) = CatalogueFolder.read(Places.replyFolders)
        let checked = Loading.check(files, scenarioFolders: Places.scenarioFolders, catalogue: catalogue)
        let complaints = broken + checked.complaints + TLSTrouble.complaints(about: checked.configurations)
        for complaint in complaints { Output.error(complaint.description) }
        if complaints.contains(where: \.isError) { throw ExitStatus.badUse("") }
        let warnings = complaints.isEmpty ? "" : ", \(complaints.count) warnings"
        Output.line("\(files.count) checked, no errors\(warnings)")
    }
}

/// Bad TLS that this machine's OpenSSL cannot serve.
private enum TLSTrouble {
    static func complaints(about configurations: [Configuration]) -> [Complaint] {
        var asked: [(flaw: TLSFlaw, hostname: String)] = []
        for configuration in configurations {
            let hostname = configuration.hostname
            for listener in configuration.listeners {
                if let flaw = listener.tlsFault.flatMap({ TLSFlaw(rawValue: $0.name) }) {
                    asked.append((flaw, listener.hostname))
                }
            }
            for case .tls(let fault) in configuration.rules.flatMap({ $0.schedule.steps.joined() }) {
                if let flaw = TLSFlaw(rawValue: fault.name) { asked.append((flaw, hostname)) }
            }
        }
        guard !asked.isEmpty else { return [] }
        let place = Place(source: "tls")
        let menu: TLSMenu
        do { menu = try TLSMenu() } catch { return [Complaint(place, "\(error)")] }
        var seen: Set<TLSFlaw> = []
        return asked.compactMap { flaw, hostname in
            guard seen.insert(flaw).inserted, let trouble = menu.trouble(of: flaw, hostname: hostname) else {
                return nil
            }
            return Complaint(place, trouble)
        }
    }
}
