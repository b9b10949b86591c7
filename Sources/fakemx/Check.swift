// `fakemx check FILE…`: says what is wrong with configurations, scenarios, lessons and files of replies, and starts
// nothing.

import ArgumentParser
import EventLoop
import FakeMX
import Faults
import Settings

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate configuration files, scenarios, lessons and files of the catalogue.",
        discussion: """
            Prints every complaint as file:line:column. Exit status: 0 when there is no error (warnings are said), 2 \
            when there is one.
            """)

    @Argument(help: .init("Files, or names of scenarios and lessons.", valueName: "file|name"))
    var files: [String]

    @ArgumentParser.Option(
        help: .init("A folder with files of the catalogue, as for serve; may be repeated.", valueName: "dir"))
    var replies: [String] = []

    func run() async throws {
        for folder in replies {
            if let complaint = CatalogueFolder.complaint(about: folder) {
                throw ExitStatus.badUse("--replies \(folder.shown): \(complaint)")
            }
        }
        let (catalogue, broken) = CatalogueFolder.read(replies + Places.replyFolders)
        let checked = Loading.check(
            files, scenarioFolders: Places.scenarioFolders + Places.lessonFolders, catalogue: catalogue,
            expectations: LessonStage.judge)
        let menu: TLSMenu
        do { menu = try Launch.menu() } catch { throw ExitStatus.failure(error.description) }
        let complaints = broken + checked.complaints + TLSTrouble.complaints(about: checked.configurations, menu)
        for complaint in complaints { Output.error(complaint.description) }
        if complaints.contains(where: \.isError) { throw ExitStatus.badUse("") }
        let warnings = complaints.isEmpty ? "" : ", \(complaints.count) warnings"
        Output.line("\(files.count) checked, no errors\(warnings)")
    }
}
