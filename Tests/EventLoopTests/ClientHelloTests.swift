// What a client offers, read from its records: real ones of OpenSSL 3.0, cut and glued in every way, and hostile ones.

import Testing

@testable import EventLoop

@Suite("ClientHello")
struct ClientHelloTests {
    /// TLS 1.3 and 1.2, with the name mx.test.
    private static let modern =
        octets(
            """
            1603010200010001fc030356d941b7250161ac6c57f369bce3a860785e771baa6dd54721a188573367f06120d77f03af
            8c7b213732ea51775538224dceb712dde30c8d707c8a7bfe9735269b000c130213031301c02f003500ff010001a70000
            000c000a0000076d782e74657374000b000403000102000a000400020017002300000016000000170000000d002a0028
            040305030603080708080809080a080b080408050806040105010601030303010302040205020602002b000908030403
            0303020301002d0002010100330047004500170041042109f479be466b943ad6e289d5f1ab697814961923c1dc1b68bb
            1efb565effa6aeeb48bd14f79f24d7ba33280ca3570a7d33c0c8a3ea62188d2c4eae8ada82a6001500eb
            """) + [UInt8](repeating: 0, count: 235)
    /// TLS 1.2 at most, without a name.
    private static let old = octets(
        """
        160301007d010000790303a1452423e8ab2496f5b754159ce8801d5b41eb7bc8ccd59d5a760d7d9c70ff3e000006c02f
        003500ff0100004a000b000403000102000a000400020017002300000016000000170000000d002a0028040305030603
        080708080809080a080b080408050806040105010601030303010302040205020602
        """)

    private static func octets(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map { UInt8($0) } }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private func heard(_ records: [UInt8]) -> TLSClientHello? {
        if case .heard(let hello) = TLSClientHello.read(records) { hello } else { nil }
    }

    private func isWanting(_ records: [UInt8]) -> Bool {
        if case .wanting = TLSClientHello.read(records) { true } else { false }
    }

    private func isUnreadable(_ records: [UInt8]) -> Bool {
        if case .unreadable = TLSClientHello.read(records) { true } else { false }
    }

    @Test func `What OpenSSL offers is read`() throws {
        let modern = try #require(heard(Self.modern))
        #expect(modern.versions == [0x0304, 0x0303, 0x0302, 0x0301] && modern.hasSupportedVersions)
        #expect(modern.cipherSuites == [0x1302, 0x1303, 0x1301, 0xc02f, 0x0035, 0x00ff])
        #expect(modern.serverName == "mx.test")
        let old = try #require(heard(Self.old))
        #expect(old.versions == [0x0303] && !old.hasSupportedVersions && old.serverName == nil)
        #expect(old.cipherSuites == [0xc02f, 0x0035, 0x00ff])
    }

    @Test func `Until the last octet has come it is wanting`() {
        for hello in [Self.modern, Self.old] {
            for count in 0..<hello.count { #expect(isWanting(Array(hello[..<count])), "\(count) octets") }
            #expect(heard(hello + [20, 3, 3, 0, 1, 1]) == heard(hello), "what stands behind it says nothing")
        }
    }

    @Test func `A message that is cut into records is the same message`() {
        let message = Array(Self.old[5...])
        for size in 1...message.count {
            var records: [UInt8] = []
            for start in stride(from: 0, to: message.count, by: size) {
                let piece = message[start..<min(start + size, message.count)]
                records += [22, 3, 1, UInt8(piece.count >> 8), UInt8(piece.count & 255)] + piece
            }
            #expect(heard(records) == heard(Self.old), "records of \(size) octets")
        }
    }

    @Test func `What is no ClientHello is unreadable`() {
        #expect(isUnreadable(Array("EHLO client.test\r\n".utf8)))
        #expect(isUnreadable([22, 3, 1, 0, 0]), "an empty record")
        #expect(isUnreadable([22, 3, 1, 0, 4, 2, 0, 0, 0]), "a ServerHello")
        #expect(isUnreadable([22, 3, 1, 0, 4, 1, 255, 255, 255]), "16 MiB of message")
        #expect(isUnreadable([22, 3, 1, 0, 5, 1, 0, 0, 1, 3]), "a message of one octet")
    }

    @Test func `Lengths that lie are never believed`() {
        // Each octet of the message in turn, at its extremes: whatever comes of it, it ends and says something.
        for hello in [Self.modern, Self.old] {
            for index in 5..<hello.count {
                for octet in [0, 1, 0x7f, 0xff] as [UInt8] {
                    var bent = hello
                    bent[index] = octet
                    guard let read = heard(bent) else { continue }
                    #expect(read.cipherSuites.count * 2 <= hello.count)
                }
            }
        }
    }

    @Test func `Random octets and random changes do no harm`() {
        var state: UInt64 = 1
        func draw(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
        var read = 0
        for round in 0..<5000 {
            var octets = round.isMultiple(of: 2) ? Self.modern : (0..<draw(600)).map { _ in UInt8(draw(256)) }
            for _ in 0...draw(4) where !octets.isEmpty { octets[draw(octets.count)] = UInt8(draw(256)) }
            if heard(octets) != nil { read += 1 }
        }
        #expect(read > 0, "some changes must leave it readable, or nothing was tested")
    }
}
