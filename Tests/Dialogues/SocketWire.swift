// One client on a real socket, in clear or inside TLS. Blocks its thread, with a time limit on everything; reads while
// it writes, so that a sink that answers before it has read all cannot dead-lock it.

import CLinux
import Glibc

final class SocketWire: Wire {
    private let descriptor: Int32
    private let hostname: String
    private var tls: TLSClient?
    private var inbox: [UInt8] = []
    /// Octets of TLS that came while records were written; looked at afterwards.
    private var held: [UInt8] = []
    private var ending: Arrival?
    private var isClosed = false

    /// How long a client that leaves waits for the sink's FIN.
    private static let farewell_ns: UInt64 = 500_000_000
    private static let readSize = 64 << 10

    /// - Parameter implicitTLS: the handshake begins at once; it is carried on by whatever is done next.
    init(port: UInt16, hostname: String, implicitTLS: Bool) throws(WireError) {
        self.hostname = hostname
        descriptor = linux_stream_socket(AF_INET)
        guard descriptor >= 0 else { throw WireError("no socket: \(Self.words(descriptor))") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            linux_connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        let isUnderWay = status == 0 || status == -EINPROGRESS || status == -ECONNRESET
        let trouble = isUnderWay && waitFor(POLLOUT, 5_000_000_000) ? linux_take_error(descriptor) : -status
        // A sink that resets at once may be quicker than this look at how the connect went.
        if trouble == ECONNRESET || status == -ECONNRESET {
            ending = .reset
            return
        }
        guard isUnderWay, trouble == 0 else {
            Glibc.close(descriptor)
            throw WireError("cannot connect to port \(port): \(Self.words(-trouble))")
        }
        _ = linux_no_delay(descriptor)
        if implicitTLS { try beginTLS() }
    }

    deinit { if !isClosed { Glibc.close(descriptor) } }

    var now_ns: UInt64 { linux_monotonic_ns() }
    var isVirtual: Bool { false }
    var patience_ns: UInt64 { 8_000_000_000 }

    // MARK: What the client does

    func send(_ octets: [UInt8]) throws(WireError) {
        guard tls != nil else { return octets.withUnsafeBytes { write($0) } }
        let until = now_ns + patience_ns
        while isHandshaking, ending == nil, now_ns < until { advance(until - now_ns) }
        octets.withUnsafeBytes { octets in
            var offset = 0
            while offset < octets.count {
                let count = min(TLSClient.recordSize, octets.count - offset)
                tls?.send(UnsafeRawBufferPointer(rebasing: octets[offset..<offset + count]))
                offset += count
                writeRecords()
            }
        }
    }

    func receive(within patience_ns: UInt64) -> Arrival {
        let until = now_ns + patience_ns
        while true {
            if !inbox.isEmpty {
                defer { inbox = [] }
                return .octets(inbox)
            }
            if let ending { return ending }
            let now = now_ns
            if !advance(until > now ? until - now : 0), now >= until { return .nothing }
        }
    }

    func wait(_ ns: UInt64) {
        let until = now_ns + ns
        while case let now = now_ns, now < until {
            let left = until - now
            var interval = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            nanosleep(&interval, nil)
        }
    }

    func startTLS(within patience_ns: UInt64) -> String? {
        do { try beginTLS() } catch { return error.description }
        let until = now_ns + patience_ns
        while isHandshaking, ending == nil, case let now = now_ns, now < until { advance(until - now) }
        switch tls?.state {
        case .open: return nil
        case .failed(let reason): return reason
        case .handshaking, .finished, nil:
            switch ending {
            case .reset: return "the sink reset the connection"
            case .finished: return "the sink closed"
            case .octets, .nothing, nil: return "nothing came"
            }
        }
    }

    func finishSending() {
        tls?.finish()
        writeRecords()
        _ = linux_finish_sending(descriptor)
    }

    /// Says FIN and waits a moment for the sink's, since closing with unread octets would be a reset.
    func close() {
        guard !isClosed else { return }
        if ending == nil {
            finishSending()
            let until = now_ns + Self.farewell_ns
            while ending == nil, case let now = now_ns, now < until { advance(until - now) }
        }
        isClosed = true
        Glibc.close(descriptor)
    }

    func abort() {
        guard !isClosed else { return }
        _ = linux_reset_on_close(descriptor)
        isClosed = true
        Glibc.close(descriptor)
    }

    // MARK: The socket

    private var isHandshaking: Bool { if case .handshaking = tls?.state { true } else { false } }

    private func beginTLS() throws(WireError) {
        tls = try TLSClient(serverName: hostname)
        writeRecords()
    }

    /// Waits for octets or the end and takes them in.
    ///
    /// - Returns: false when nothing came.
    @discardableResult private func advance(_ patience_ns: UInt64) -> Bool {
        if !held.isEmpty {
            let octets = held
            held = []
            octets.withUnsafeBytes { take($0) }
            return true
        }
        guard waitFor(POLLIN, patience_ns) else { return false }
        takeIn()
        return true
    }

    /// Everything that is there now.
    private func takeIn() {
        var buffer = [UInt8](repeating: 0, count: Self.readSize)
        while ending == nil {
            let count = linux_receive(descriptor, &buffer, buffer.count)
            if count > 0 {
                buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                if count < buffer.count { return }
            } else if count == 0 {
                ending = .finished
            } else if count != -Int(EAGAIN) {
                ending = .reset
            } else {
                return
            }
        }
    }

    private func take(_ octets: UnsafeRawBufferPointer) {
        guard let tls else {
            inbox.append(contentsOf: octets)
            return
        }
        inbox += tls.receive(octets)
        writeRecords()
        switch tls.state {
        case .handshaking, .open: break
        case .finished, .failed: ending = .finished
        }
    }

    private func writeRecords() {
        guard let output = tls?.takeOutput(), !output.isEmpty else { return }
        output.withUnsafeBytes { write($0) }
    }

    /// All of it, or what goes before the sink is gone or the patience is used up.
    private func write(_ octets: UnsafeRawBufferPointer) {
        let until = now_ns + patience_ns
        var rest = octets
        while !rest.isEmpty {
            let count = linux_send(descriptor, rest.baseAddress, rest.count)
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if count == -Int(EAGAIN) {
                guard waitFor(POLLIN | POLLOUT, 50_000_000) || now_ns < until else { return }
                takeInWhileWriting()
            } else {
                if count == -Int(ECONNRESET) { ending = ending ?? .reset }
                return
            }
        }
    }

    /// Inside TLS, reading may want to write, so that what comes is only held.
    private func takeInWhileWriting() {
        guard tls != nil else { return takeIn() }
        var buffer = [UInt8](repeating: 0, count: Self.readSize)
        let count = linux_receive(descriptor, &buffer, buffer.count)
        if count > 0 { held += buffer[..<count] }
    }

    private func waitFor(_ events: Int32, _ patience_ns: UInt64) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        let patience_ms = Int32(min((patience_ns + 999_999) / 1_000_000, 60_000))
        return Glibc.poll(&poll, 1, patience_ms) > 0
    }

    private static func words(_ status: Int32) -> String { String(cString: strerror(-status)) }
}
