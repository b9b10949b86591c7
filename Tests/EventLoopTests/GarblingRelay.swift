// Stands between a TLS 1.2 client and the server and spoils the records of application data that the client sends
// behind its handshake.

import CLinux
import Foundation

@testable import EventLoop

/// @unchecked: everything is set before the threads begin.
final class GarblingRelay: @unchecked Sendable {
    let port: UInt16
    private let listener: Int32
    private let server: TestClient

    init(to address: SocketAddress) throws {
        server = try TestClient(address)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        listener = descriptor
        _ = SocketAddress.ipv4(127, 0, 0, 1, port: 0).withSystemAddress { linux_bind(descriptor, $0, $1) }
        _ = linux_listen(descriptor, 1)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = linux_local_address(descriptor, &storage, &length)
        port = SocketAddress(storage, length: length)?.port ?? 0
        Thread { [self] in run() }.start()
    }

    private func run() {
        let client = accept(listener, nil, nil)
        close(listener)
        Thread { [self] in
            while let octets = try? server.receive(), !octets.isEmpty { write(client, octets, octets.count) }
            shutdown(client, Int32(SHUT_WR))
        }.start()
        var records: [UInt8] = []
        var octets = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(client, &octets, octets.count)
            if count <= 0 { break }
            records += octets[..<count]
            while records.count >= 5 {
                let length = 5 + Int(records[3]) << 8 + Int(records[4])
                if records.count < length { break }
                var record = Array(records[..<length])
                records.removeFirst(length)
                // Until TLS 1.2 octets of the application, and nothing else, are in records of type 23.
                if record[0] == 23 { record[length - 1] ^= 0xff }
                try? server.send(record)
            }
        }
        server.finish()
        close(client)
    }
}
