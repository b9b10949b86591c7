// The contents of messages, one behind the other in a file beside the database: each octet goes to the disk once, where
// a database with a write-ahead log would write it twice. The rows of messages say where each stands. It is written
// before the transaction that names it, and only what a committed row names is ever read: what a transaction that
// failed has left behind the end is written over.

import CLinux
import GRDBSQLite
import Glibc
import Synchronization

/// Where the content of a message stands in the file of contents, its head not among it.
struct BodyPlace: Sendable, Hashable {
    let offset: Int64
    let size: Int

    /// With its head.
    var whole: Range<Int64> { offset - Int64(BodyHead.octetCount)..<offset + Int64(size) }
}

/// What stands in front of each content, so that a damaged file is not taken for a whole one.
private struct BodyHead: Equatable {
    static let octetCount = 16
    /// The position of the message; never given twice.
    var position: UInt64
    var size: UInt64

    init(position: Int64, size: Int) {
        self.position = UInt64(bitPattern: position).littleEndian
        self.size = UInt64(size).littleEndian
    }
}

final class BodyFile: Sendable {
    /// Contents up to this size are gathered and written together, in octets.
    private static let gathered = 64 << 10
    /// Room is given back in blocks of the file system.
    private static let block: Int64 = 4096

    /// What the writer has put together and not written; touched on the writer's queue alone.
    private struct Pending {
        var octets: [UInt8] = []
        /// Where they belong.
        var offset: Int64 = 0
    }

    /// Room that is to be given back, and who may still read there.
    private struct Room {
        /// Ranges with the number of the first read that cannot see them any more.
        var freed: [(range: Range<Int64>, from: UInt64)] = []
        /// Reads that run, by their numbers.
        var reads: [UInt64] = []
        var nextRead: UInt64 = 1
        /// Where the last range that was given back ended.
        var lastEnd: Int64 = 0
    }

    let path: String
    private let descriptor: Int32
    private let pending = Mutex(Pending())
    private let room = Mutex(Room())

    /// Opens the file, or makes it.
    ///
    /// - Parameter end: where the next content goes, as the database has it; what stands behind is cut off.
    init(path: String, end: Int64) throws(SQLiteFault) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SQLiteFault(
                code: SQLITE_CANTOPEN, systemError: errno, words: "\(path): \(StoreFile.words(errno))")
        }
        guard lseek(descriptor, 0, SEEK_END) >= end else {
            close(descriptor)
            throw SQLiteFault(
                code: SQLITE_CORRUPT, words: "\(path) is missing or too short: it belongs to the database, move both")
        }
        _ = ftruncate(descriptor, off_t(end))
        Self.syncFolder(of: path)
    }

    /// So that the name of the file survives a power cut, too.
    private static func syncFolder(of path: String) {
        let folder = open(StoreFile.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    deinit { close(descriptor) }

    /// What it takes on the disk.
    static func octetCount(path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_blocks) * 512 : 0
    }

    /// Nothing in it is named by anybody.
    func remove() { unlink(path) }

    // MARK: Writing; on the writer's queue

    /// Takes the content of a message that belongs at `end`; it is written at the latest by `flush`.
    func append(_ content: [UInt8], position: Int64, end: Int64) throws(SQLiteFault) -> BodyPlace {
        let head = BodyHead(position: position, size: content.count)
        let place = BodyPlace(offset: end + Int64(BodyHead.octetCount), size: content.count)
        let isGathered = pending.withLock { pending in
            if pending.octets.isEmpty { pending.offset = end }
            withUnsafeBytes(of: head) { pending.octets.append(contentsOf: $0) }
            guard content.count <= Self.gathered else { return false }
            pending.octets.append(contentsOf: content)
            return pending.octets.count <= 4 * Self.gathered
        }
        if isGathered { return place }
        try flush()
        if content.count > Self.gathered {
            let code = content.withUnsafeBytes { write($0, at: place.offset) }
            try check(code)
        }
        return place
    }

    /// Writes what was gathered.
    func flush() throws(SQLiteFault) {
        let code = pending.withLock { pending in
            defer { pending.octets.removeAll(keepingCapacity: true) }
            return pending.octets.withUnsafeBytes { write($0, at: pending.offset) }
        }
        try check(code)
    }

    /// The transaction has failed: what it has written goes, so that a full disk has room for removing something.
    ///
    /// - Parameter end: where the next content goes now.
    func forget(from end: Int64) {
        pending.withLock { $0.octets.removeAll(keepingCapacity: true) }
        _ = ftruncate(descriptor, off_t(end))
    }

    /// Waits for the disk.
    func sync() throws(SQLiteFault) { try check(fdatasync(descriptor) == 0 ? 0 : errno) }

    /// - Returns: 0, or the error of the system.
    private func write(_ octets: UnsafeRawBufferPointer, at offset: Int64) -> Int32 {
        var written = 0
        while written < octets.count {
            guard let base = octets.baseAddress else { return 0 }
            let count = pwrite(descriptor, base + written, octets.count - written, off_t(offset) + off_t(written))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? ENOSPC : errno }
            written += count
        }
        return 0
    }

    private func check(_ code: Int32) throws(SQLiteFault) {
        guard code != 0 else { return }
        throw SQLiteFault(code: SQLITE_IOERR, systemError: code, words: path)
    }

    // MARK: Reading; anywhere

    /// To be called before a transaction that reads contents: what it will see stays there until `endRead`.
    func beginRead() -> UInt64 {
        room.withLock { room in
            room.reads.append(room.nextRead)
            room.nextRead += 1
            return room.nextRead - 1
        }
    }

    func endRead(_ number: UInt64) { room.withLock { room in room.reads.removeAll { $0 == number } } }

    /// The first octets of a content, all where there is no limit.
    func octets(_ place: BodyPlace, position: Int64, limit: Int?) throws(SQLiteFault) -> [UInt8] {
        let count = min(place.size, limit ?? .max)
        var (head, code) = (BodyHead(position: 0, size: 0), Int32(0))
        code = withUnsafeMutableBytes(of: &head) { read(into: $0, at: place.whole.lowerBound) }
        try check(code)
        guard head == BodyHead(position: position, size: place.size) else {
            throw SQLiteFault.damaged("the content of message", position)
        }
        let octets = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            code = read(into: UnsafeMutableRawBufferPointer(buffer), at: place.offset, count: count)
            filled = code == 0 ? count : 0
        }
        try check(code)
        return octets
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64, count: Int? = nil) -> Int32 {
        let wanted = count ?? buffer.count
        var done = 0
        while done < wanted {
            guard let base = buffer.baseAddress else { return 0 }
            let count = pread(descriptor, base + done, wanted - done, off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? EIO : errno }
            done += count
        }
        return 0
    }

    // MARK: Giving room back

    /// Behind the commit that has removed the rows of these places.
    ///
    /// - Parameter ranges: in ascending order.
    func free(_ ranges: [Range<Int64>]) {
        room.withLock { room in
            for range in ranges {
                if let last = room.freed.last, last.range.upperBound == range.lowerBound {
                    room.freed[room.freed.count - 1] = (last.range.lowerBound..<range.upperBound, room.nextRead)
                } else {
                    room.freed.append((range, room.nextRead))
                }
            }
        }
    }

    var hasRoomToGive: Bool { room.withLock { !$0.freed.isEmpty } }

    /// Gives back what nobody can read any more. What is still read stays for the next call.
    func giveBack() {
        let ranges: [Range<Int64>] = room.withLock { room in
            let oldest = room.reads.min() ?? .max
            let ready = room.freed.filter { $0.from <= oldest }.map(\.range)
            room.freed.removeAll { $0.from <= oldest }
            return ready.map { range in
                defer { room.lastEnd = range.upperBound }
                // The block that two neighbours share goes with the second.
                let isNeighbour = range.lowerBound == room.lastEnd
                let start = isNeighbour ? range.lowerBound / Self.block * Self.block : range.lowerBound
                return start..<range.upperBound
            }
        }
        for range in ranges {
            let start = (range.lowerBound + Self.block - 1) / Self.block * Self.block
            let end = range.upperBound / Self.block * Self.block
            guard end > start else { continue }
            // A file system that cannot do it keeps the room until all is gone.
            _ = linux_punch_hole(descriptor, start, end - start)
        }
    }
}
