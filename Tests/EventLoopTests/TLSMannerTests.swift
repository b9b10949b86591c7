// Handshakes that go wrong on purpose, and the choice of how by the name that the client asks for.

import COpenSSL
import Foundation
import Testing

@testable import EventLoop

extension EventLoopSuite {
    @Suite struct TLSMannerTests {
        let menu: TLSMenu
        let identity: TLSIdentity

        init() throws {
            menu = try TLSMenu()
            identity = try menu.sound("mx.example")
        }

        private func misconduct(_ manner: TLSManner, obeysServerName: Bool = false) -> TLSMisconduct {
            TLSMisconduct(manner: manner, menu: menu, hostname: "mx.example", obeysServerName: obeysServerName)
        }

        private func options(_ name: String? = "mx.example", _ version: Int32 = TLS1_3_VERSION) -> TLSProbe.Options {
            TLSProbe.Options(rootPEM: menu.rootPEM, serverName: name, lowest: TLS1_2_VERSION, highest: version)
        }

        // MARK: names

        @Test func `every name of the menu is a manner, and the way back`() {
            var manners = TLSFlaw.allCases.map(TLSManner.flawed)
            manners += [.stall, .closeInHandshake, .closeAfterHandshake, .noCloseNotify]
            manners += TLSManner.alerts.map { .alert($0.number) }
            for manner in manners { #expect(manner.name.flatMap(TLSManner.init(named:)) == manner) }
            #expect(TLSManner.orderly.name == nil)
            for name in ["", "orderly", "alert-", "alert-40", "hidden", "Expired", "only-tls1"] {
                #expect(TLSManner(named: name) == nil)
            }
        }

        @Test(
            arguments: [
                ("expired.mx.example", .flawed(.expired)), ("EXPIRED.mx.example", .flawed(.expired)), ("stall", .stall),
                ("only-tls1-2.mx.example", .flawed(.onlyTLS1_2)), ("only-tls1.2.mx.example", .flawed(.onlyTLS1_2)),
                ("only-tls1.0", .flawed(.onlyTLS1_0)), ("alert-internal-error.mx.example", .alert(80)),
                ("mx.expired.example", nil), ("mx.example", nil), ("", nil), (".", nil), ("only-tls1", nil),
                ("only-tls1.mx.example", nil), ("only-tls1-9.mx.example", nil), ("expired-not.mx.example", nil),
            ] as [(String, TLSManner?)])
        func `the first label of a server name names a manner`(name: String, manner: TLSManner?) {
            #expect(TLSManner(serverName: name) == manner)
        }

        // MARK: alerts

        @Test func `each alert is the whole answer to a ClientHello`() async throws {
            for alert in TLSManner.alerts {
                let handler = misbehaving(identity, misconduct(.alert(alert.number)))
                let options = options()
                try await served(handler: handler) { served in
                    let octets = try await blocking {
                        let probe = try TLSProbe(served.address, options)
                        defer { probe.close() }
                        try probe.sayHello()
                        return try probe.receiveRaw()
                    }
                    #expect(octets.count == 7 && octets[0] == 21 && octets[6] == alert.number)
                    #expect(try await served.recorder.wait(for: "closed"))
                    let reason = "handshake failed: the alert \(alert.name) was sent, as asked"
                    #expect(served.recorder.all == ["opened", reason, "manner: alert-\(alert.name)", "closed"])
                    #expect(await served.loop.statistics.handshakeFailures == 1)
                }
            }
        }

        @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
        func `OpenSSL's client understands the alert`(version: Int32) async throws {
            let options = options("mx.example", version)
            try await served(handler: misbehaving(identity, misconduct(.alert(40)))) { served in
                let failure = try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    defer { probe.close() }
                    try probe.shakeHands()
                    return probe.failure
                }
                #expect(failure.contains("handshake failure"), "\(failure)")
            }
        }

        // MARK: silence

        @Test func `a stalled handshake takes everything, says nothing, and ends at the handler's deadline`()
            async throws
        {
            let (identity, misconduct) = (identity, misconduct(.stall))
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = {
                    $0.startTLS(identity, misconduct: misconduct)
                    $0.send(Array("220 never seen\r\n".utf8))
                    $0.setDeadline(Instant.now().adding(ms: 200))
                }
                handler.onDeadline = { connection, _ in
                    recorder.note("manner: \(connection.tlsManner.name ?? "")")
                    connection.close()
                }
                return handler
            }
            let options = options()
            try await served(handler: handler) { served in
                let octets = try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    defer { probe.close() }
                    try probe.sayHello()
                    for _ in 0..<16 { try? probe.sendRaw([UInt8](repeating: 0x17, count: 65_536)) }
                    return (try? probe.receiveRaw()) ?? []
                }
                #expect(octets == [])
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all == ["opened", "deadline", "manner: stall", "closed"])
            }
        }

        @Test func `a client that leaves a stalled handshake is noticed`() async throws {
            let options = options()
            try await served(handler: misbehaving(identity, misconduct(.stall))) { served in
                try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    try probe.sayHello()
                    probe.close()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                let reason = "handshake failed: the client closed the connection during the handshake"
                #expect(served.recorder.count(reason) == 1)
            }
        }

        // MARK: ends

        @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
        func `half of the server's flight, then FIN`(version: Int32) async throws {
            let options = options("mx.example", version)
            try await served(handler: misbehaving(identity, misconduct(.closeInHandshake))) { served in
                let octets = try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    defer { probe.close() }
                    try probe.sayHello()
                    return try probe.receiveRaw()
                }
                // A handshake record that begins with a ServerHello.
                #expect(octets.count > 100 && octets[0] == 22 && octets[5] == 2)
                #expect(try await served.recorder.wait(for: "closed"))
                let reason = "handshake failed: the connection was closed in the handshake, as asked"
                #expect(served.recorder.all == ["opened", reason, "manner: close-in-handshake", "closed"])
            }
        }

        @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
        func `nothing but close_notify follows the handshake`(version: Int32) async throws {
            let options = options("mx.example", version)
            try await served(handler: misbehaving(identity, misconduct(.closeAfterHandshake))) { served in
                let seen = try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    defer { probe.close() }
                    let isDone = try probe.shakeHands()
                    return (isDone, try probe.receive(), probe.sawCloseNotify)
                }
                #expect(seen == (true, "", true))
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.count("manner: close-after-handshake") == 1)
            }
        }

        @Test(arguments: [false, true])
        func `close_notify is left out on request`(isLeftOut: Bool) async throws {
            let (identity, options) = (identity, options())
            let misconduct = misconduct(isLeftOut ? .noCloseNotify : .orderly)
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { $0.startTLS(identity, misconduct: misconduct) }
                handler.onHandshake = { connection, _ in
                    connection.send(Array("221 bye\n".utf8))
                    connection.close()
                }
                return handler
            }
            try await served(handler: handler) { served in
                let seen = try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    defer { probe.close() }
                    try probe.shakeHands()
                    return (try probe.receive(), probe.sawCloseNotify)
                }
                #expect(seen == ("221 bye\n", !isLeftOut))
                #expect(try await served.recorder.wait(for: "closed"))
            }
        }

        // MARK: by server name

        @Test func `the name that a client asks for chooses`() async throws {
            let handler = misbehaving(identity, misconduct(.orderly, obeysServerName: true))
            let all = [
                ("expired.mx.example", [X509_V_ERR_CERT_HAS_EXPIRED]),
                ("wrong-host.mx.example", [X509_V_ERR_HOSTNAME_MISMATCH]),
                ("self-signed.mx.example", [X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT]), ("mx.example", []),
                ("no-close-notify.mx.example", [X509_V_ERR_HOSTNAME_MISMATCH]), ("only-tls1-2.mx.example", []),
            ]
            let menu = menu
            for (name, errors) in all {
                try await served(handler: handler) { served in
                    let seen = try await blocking {
                        let probe = try TLSProbe(
                            served.address, TLSProbe.Options(rootPEM: menu.rootPEM, serverName: name, pieces: 100))
                        defer { probe.close() }
                        try probe.shakeHands()
                        _ = try probe.receive(until: "220 inside")
                        return (probe.verifyErrors, probe.version)
                    }
                    #expect(seen.0 == errors, "\(name)")
                    #expect(seen.1 == (name.hasPrefix("only-tls1-2") ? "TLSv1.2" : "TLSv1.3"))
                    #expect(try await served.recorder.wait(for: "closed"))
                    #expect(served.recorder.count("sni: \(name)") == 1)
                }
            }
        }

        @Test func `a manner of the server holds for names that choose none, and for none`() async throws {
            let handler = misbehaving(identity, misconduct(.alert(80), obeysServerName: true))
            let menu = menu
            for name in [nil, "mx.example"] {
                try await served(handler: handler) { served in
                    let failure = try await blocking {
                        let probe = try TLSProbe(
                            served.address, TLSProbe.Options(rootPEM: menu.rootPEM, serverName: name))
                        defer { probe.close() }
                        try probe.shakeHands()
                        return probe.failure
                    }
                    #expect(failure.contains("internal error"))
                }
            }
        }

        @Test func `what a flaw lacks is the reason of the failure`() async throws {
            let misconduct = TLSMisconduct(manner: .flawed(.expired), menu: menu, hostname: "not a host")
            let options = options(nil)
            try await served(handler: misbehaving(identity, misconduct)) { served in
                try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    defer { probe.close() }
                    try probe.shakeHands()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all.contains { $0.contains("it is not a host name") })
            }
        }

        // MARK: what is no ClientHello

        @Test(arguments: [
            ("GET / HTTP/1.1\r\n\r\n", "handshake failed: http request: the client speaks HTTP in clear"),
            ("EHLO in.clear\r\n", "what the client sent is not TLS"),
            ("", "handshake failed: the client closed the connection during the handshake"),
            ("\u{16}\u{3}\u{1}", "handshake failed: the client closed the connection during the handshake"),
        ])
        func `what is no handshake is named as ever`(text: String, reason: String) async throws {
            try await served(handler: misbehaving(identity, misconduct(.stall, obeysServerName: true))) { served in
                let client = try await served.connect()
                try await blocking {
                    try client.send(text)
                    client.finish()
                    _ = try? client.receiveAll()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all.contains { $0.contains(reason) }, "\(served.recorder.all)")
            }
        }

        @Test func `a ClientHello without end is cut off`() async throws {
            try await served(handler: misbehaving(identity, misconduct(.stall))) { served in
                let client = try await served.connect()
                try await blocking {
                    // One ClientHello of 128 KiB less one octet, in records of one octet each.
                    try? client.send([22, 3, 1, 0, 4, 1, 1, 0xff, 0xff])
                    let records = [UInt8](repeating: 0, count: 6 * 10_000)
                    let record: [UInt8] = [22, 3, 1, 0, 1, 3]
                    let many = records.indices.map { record[$0 % 6] }
                    for _ in 0..<8 { if (try? client.send(many)) == nil { break } }
                    _ = try? client.receiveAll()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all.contains { $0.hasPrefix("handshake failed: ") }, "\(served.recorder.all)")
            }
        }
    }
}
