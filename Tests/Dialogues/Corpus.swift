// Finds the dialogue files beside this source and reads them.

import Glibc

enum Corpus {
    /// The folder of the files.
    static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/corpus"

    /// All dialogues, in the order of their paths.
    static func load() throws -> [Dialogue] {
        try paths(under: folder, prefix: "").sorted().map { path in
            try Dialogue.parse(String(decoding: read(folder + "/" + path), as: UTF8.self), file: "corpus/" + path)
        }
    }

    private static func paths(under folder: String, prefix: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            if name.hasSuffix(".dialogue") {
                found.append(prefix + name)
            } else if entry.pointee.d_type == UInt8(DT_DIR) {
                found += paths(under: folder + "/" + name, prefix: prefix + name + "/")
            }
        }
        return found
    }

    private static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DialogueError(
                place: Place(file: path, line: 0), message: "cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return octets }
            octets += buffer[..<count]
        }
    }
}
