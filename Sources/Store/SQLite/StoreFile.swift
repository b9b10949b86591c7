// The file of a store before SQLite touches it: whether it can be opened, whether it is ours, and that no other fakemx
// has it. The hold is flock on a file beside it, since closing any descriptor of the database itself would take
// SQLite's own locks away.

import GRDB
import GRDBSQLite
import Glibc

struct StoreFile {
    let path: String
    /// False where there is no file yet, or an empty one.
    let exists: Bool
    private let hold: Int32

    /// Takes hold of the file.
    init(path named: String) throws(StoreFailure) {
        // Two names of one file are one store: the hold goes by the file that they mean.
        let path = Self.resolved(named)
        self.path = path
        guard !path.isEmpty else { throw StoreFailure(reason: "the store has no file name; name one") }
        guard !Self.isFolder(path) else {
            throw StoreFailure(reason: "\(path): cannot keep a store in a folder; name a file in it")
        }
        let folder = Self.folder(of: path)
        guard Self.isFolder(folder) else {
            throw StoreFailure(reason: "\(path): the folder \(folder) does not exist; create it, or name another file")
        }
        hold = try Self.takeHold(path)
        do {
            exists = try Self.judge(path)
        } catch {
            Self.release(hold, path)
            throw error
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// To be called when SQLite has closed the file.
    func release() { Self.release(hold, path) }

    /// Octets of the database, of its write-ahead log, and of the contents of messages.
    var octetCount: Int {
        Self.octetCount(path) + Self.octetCount(path + "-wal") + BodyFile.octetCount(path: bodyPath)
    }

    /// Of the file that holds the contents of messages.
    var bodyPath: String { path + "-bodies" }

    /// For SQLite, which would take "file:" for a URI and ":memory:" for no file at all.
    var pathForSQLite: String { path.hasPrefix("/") ? path : "./" + path }

    private static func octetCount(_ path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }

    // MARK: One process a file

    private static func takeHold(_ path: String) throws(StoreFailure) -> Int32 {
        let lockPath = path + "-lock"
        while true {
            let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw StoreFailure(
                    reason: "\(path): cannot write beside it (\(words(errno))); allow it, or name another file")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                close(descriptor)
                if code == EINTR { continue }
                let why = code == EWOULDBLOCK ? "another fakemx has this store open" : "cannot lock it (\(words(code)))"
                throw StoreFailure(reason: "\(path): \(why); stop that one, or give this one a file of its own")
            }
            // Whoever held it may have removed the file between our open and our lock.
            var (mine, named) = (stat(), stat())
            if fstat(descriptor, &mine) == 0, stat(lockPath, &named) == 0, mine.st_ino == named.st_ino,
                mine.st_dev == named.st_dev
            {
                return descriptor
            }
            close(descriptor)
        }
    }

    private static func release(_ hold: Int32, _ path: String) {
        unlink(path + "-lock")
        close(hold)
    }

    // MARK: Ours or not

    /// Looks at the header of the database (SQLite file format §1.3) and changes nothing.
    private static func judge(_ path: String) throws(StoreFailure) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return false }
            throw StoreFailure(reason: "\(path): cannot be read (\(words(errno))); allow it, or name another file")
        }
        var header = [UInt8](repeating: 0, count: 100)
        let count = read(descriptor, &header, header.count)
        close(descriptor)
        guard count >= 0 else {
            throw StoreFailure(reason: "\(path): cannot be read (\(words(errno))); look at the disk")
        }
        guard access(path, R_OK | W_OK) == 0 else {
            throw StoreFailure(reason: "\(path): cannot be written (\(words(errno))); allow it, or name another file")
        }
        guard count > 0 else { return false }
        guard count == header.count, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw StoreFailure(reason: "\(path): is no fakemx store, nor any SQLite database; name another file")
        }
        func number(_ offset: Int) -> UInt32 { header[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        guard number(68) == UInt32(Schema.applicationID) else {
            throw StoreFailure(reason: "\(path): is a database of another program; name another file")
        }
        guard number(60) <= Schema.version else { throw newer(path, number(60)) }
        return true
    }

    static func newer(_ path: String, _ version: UInt32) -> StoreFailure {
        StoreFailure(
            reason: "\(path): was written by a newer fakemx (store version \(version), this one reads up to "
                + "\(Schema.version)); update fakemx, or name another file")
    }

    private static func isFolder(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func words(_ code: Int32) -> String { String(cString: strerror(code)) }

    // MARK: Trouble in words

    /// What went wrong, where, what to do.
    func failure(_ error: any Error) -> StoreFailure {
        switch error {
        case let failure as StoreFailure: failure
        case let fault as SQLiteFault: failure(fault)
        case let fault as DatabaseError:
            failure(SQLiteFault(code: fault.extendedResultCode.rawValue, words: fault.message ?? "no reason given"))
        case is CancellationError: StoreFailure(reason: "\(path): the question was withdrawn; ask again")
        default: StoreFailure(reason: "\(path): \(error); look at the file and its disk")
        }
    }

    private func failure(_ fault: SQLiteFault) -> StoreFailure {
        let full = [ENOSPC, EDQUOT, EFBIG].contains(fault.systemError)
        let reason =
            switch fault.kind {
            case SQLITE_IOERR where full, SQLITE_FULL:
                "the disk is full; make room, and keeping goes on by itself"
            case SQLITE_BUSY, SQLITE_LOCKED: "another program has the database locked; close that one"
            case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN:
                "cannot be opened for writing (\(fault.words)); allow it, or name another file"
            case SQLITE_CORRUPT, SQLITE_NOTADB:
                "the database is damaged (\(fault.words)); move it away and start with a new one"
            case SQLITE_IOERR: "reading or writing failed (\(detail(fault))); look at the disk"
            case SQLITE_INTERRUPT: "the question was withdrawn; ask again"
            case SQLITE_MISUSE: "the store is closed (\(fault.words)); start it again"
            default: "SQLite refuses (\(fault.words), code \(fault.code)); look at the file and its disk"
            }
        return StoreFailure(reason: "\(path): \(reason)")
    }

    private func detail(_ fault: SQLiteFault) -> String {
        fault.systemError == 0 ? fault.words : "\(fault.words): \(Self.words(fault.systemError))"
    }
}
