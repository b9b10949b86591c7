// Where things are found that come with fakemx.

import Glibc

package enum Places {
    /// Folders in which scenarios are found by name.
    package static var scenarioFolders: [String] { folders("scenarios") }

    /// Folders in which lessons are found by name.
    package static var lessonFolders: [String] { folders("lessons") }

    /// Folders with files of the catalogue.
    package static var replyFolders: [String] { folders("replies") }

    /// Of the folder one works in, of the tree that fakemx was built in, of an installation.
    private static func folders(_ name: String) -> [String] {
        var folders = ["Config/\(name)"]
        var folder = executable.split(separator: "/").dropLast()
        while !folder.isEmpty {
            let candidate = "/" + folder.joined(separator: "/") + "/Config/\(name)"
            if access(candidate, R_OK) == 0 {
                folders.append(candidate)
                break
            }
            folder = folder.dropLast()
        }
        folders.append("/usr/share/fakemx/\(name)")
        return folders
    }

    private static var executable: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            let count = readlink("/proc/self/exe", start, buffer.count)
            guard count > 0 else { return "" }
            return String(
                decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]), as: UTF8.self)
        }
    }

    /// The variables of the environment.
    package static var environment: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }
}
