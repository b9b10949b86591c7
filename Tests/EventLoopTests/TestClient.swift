// A client with a blocking socket, for threads that may block. Every call gives up after the tests' patience.

import CLinux
import Foundation

@testable import EventLoop

private let noSignal = Int32(MSG_NOSIGNAL)

struct ClientError: Error {
    let call: String
    let code: Int32
}

/// @unchecked: the descriptor never changes but for `close`, which the owner calls last.
final class TestClient: @unchecked Sendable {
    private(set) var descriptor: Int32

    init(_ address: SocketAddress, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(address.systemFamily, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw ClientError(call: "socket", code: errno) }
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var limit = timeval(tv_sec: Int(patience_s), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let code = address.withSystemAddress { linux_connect(descriptor, $0, $1) } ?? -EINVAL
        guard code == 0 else {
            Foundation.close(descriptor)
            throw ClientError(call: "connect", code: -code)
        }
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { Foundation.close(descriptor) }
        descriptor = -1
    }

    /// RST.
    func abort() {
        _ = linux_reset_on_close(descriptor)
        close()
    }

    /// FIN; reading goes on.
    func finish() { _ = linux_finish_sending(descriptor) }

    func send(_ octets: [UInt8]) throws {
        var sent = 0
        while sent < octets.count {
            let count = octets.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress.map { $0 + sent }, $0.count - sent, noSignal)
            }
            guard count > 0 else { throw ClientError(call: "send", code: errno) }
            sent += count
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// What one read gives; empty at the end of the stream.
    func receive(_ capacity: Int = 65_536) throws -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: capacity)
        let count = recv(descriptor, &octets, capacity, 0)
        guard count >= 0 else { throw ClientError(call: "recv", code: errno) }
        return Array(octets[..<count])
    }

    func receive(exactly count: Int) throws -> [UInt8] {
        var octets: [UInt8] = []
        while octets.count < count {
            let more = try receive(min(count - octets.count, 65_536))
            if more.isEmpty { throw ClientError(call: "end of stream", code: 0) }
            octets += more
        }
        return octets
    }

    func receiveText(_ count: Int) throws -> String { String(decoding: try receive(exactly: count), as: UTF8.self) }

    /// Everything up to FIN.
    func receiveAll() throws -> [UInt8] {
        var octets: [UInt8] = []
        while true {
            let more = try receive()
            if more.isEmpty { return octets }
            octets += more
        }
    }
}
