// Reads a small text file, bounded, and says in words why it could not.

import Glibc

enum TextFile {
    /// A configuration is written by hand; what is larger is something else.
    static let largest = 1 << 20

    /// The octets of a file of at most `largest` octets.
    static func read(_ path: String) -> Result<[UInt8], Complaint> {
        func failed(_ message: String) -> Result<[UInt8], Complaint> {
            .failure(Complaint(Place(source: path), message))
        }
        guard !path.isEmpty, !path.utf8.contains(0) else { return failed("this is not a file name") }
        // Without O_NONBLOCK a named pipe would hold us here.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return failed("cannot be read: \(reason(errno))") }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return failed("cannot be read: \(reason(errno))") }
        guard facts.st_mode & S_IFMT != S_IFDIR else { return failed("is a folder, not a file") }
        guard facts.st_size <= largest else { return failed(tooLarge) }
        var octets: [UInt8] = []
        // One read more than the file needs; what grows, or has no size, takes several.
        var buffer = [UInt8](repeating: 0, count: min(max(Int(facts.st_size) + 1, 4 << 10), 64 << 10))
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return failed("cannot be read: \(reason(errno))") }
            guard count > 0 else { return .success(octets) }
            octets += buffer[..<count]
            guard octets.count <= largest else { return failed(tooLarge) }
        }
    }

    private static let tooLarge = "is larger than \(largest) octets, which no configuration is"

    private static func reason(_ code: Int32) -> String {
        switch code {
        case ENOENT: "no such file"
        case EACCES, EPERM: "permission denied"
        default: String(cString: strerror(code))
        }
    }

    /// The names in a folder; nil when it cannot be read.
    static func names(in folder: String) -> [String]? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.append(name)
        }
        return names.sorted()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A path named in a file is meant from that file's folder.
    static func path(_ path: String, from file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}
