// Certificates and keys from files and made at start; complaints in words.

import Foundation
import Testing

@testable import EventLoop

extension EventLoopSuite {
    @Suite struct IdentityTests {
        private func text(_ arguments: [String]) async throws -> String {
            try await blocking { try OpenSSLClient.run(arguments, until: { _ in false }) }
        }

        @Test(arguments: [("mx.example", "DNS:mx.example"), ("127.0.0.1", "IP Address:127.0.0.1")])
        func `a certificate made at start names its host`(host: String, name: String) async throws {
            let identity = try TLSIdentity.selfSigned(hostname: host)
            try await withTemporaryFolder { folder in
                try identity.certificatePEM.write(toFile: folder + "/c.pem", atomically: true, encoding: .utf8)
                let shown = try await text(["x509", "-in", folder + "/c.pem", "-noout", "-text"])
                #expect(shown.contains(name))
                #expect(shown.contains("prime256v1"))
                let valid = try await text(["x509", "-in", folder + "/c.pem", "-noout", "-checkend", "\(360 * 86_400)"])
                #expect(valid.contains("will not expire"))
            }
        }

        @Test func `what is no host name gets no certificate`() {
            #expect(throws: TLSIdentityError.self) { try TLSIdentity.selfSigned(hostname: "a,DNS:b") }
            #expect(throws: TLSIdentityError.self) { try TLSIdentity.selfSigned(hostname: "") }
        }

        @Test func `a chain and its key are read from files`() async throws {
            let made = try TLSIdentity.selfSigned(hostname: "mx.example")
            let issuer = try TLSIdentity.selfSigned(hostname: "issuer.example")
            try await withTemporaryFolder { folder in
                let (certificate, key) = (folder + "/c.pem", folder + "/k.pem")
                try (made.certificatePEM + issuer.certificatePEM).write(
                    toFile: certificate, atomically: true, encoding: .utf8)
                try made.keyPEM.write(toFile: key, atomically: true, encoding: .utf8)
                let identity = try TLSIdentity.load(certificateFile: certificate, keyFile: key)
                #expect(identity.chain == made.chain + issuer.chain)
                #expect(TLSContext(identity).pointer != nil)
            }
        }

        @Test func `each fault of a file is said in words`() async throws {
            let one = try TLSIdentity.selfSigned(hostname: "one.example")
            let two = try TLSIdentity.selfSigned(hostname: "two.example")
            try await withTemporaryFolder { folder in
                func file(_ name: String, _ text: String) throws -> String {
                    try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
                    return folder + "/" + name
                }
                func complaint(_ certificate: String, _ key: String) -> String {
                    do {
                        _ = try TLSIdentity.load(certificateFile: certificate, keyFile: key)
                        return "none"
                    } catch { return error.description }
                }
                let certificate = try file("c.pem", one.certificatePEM)
                let key = try file("k.pem", one.keyPEM)
                let other = try file("o.pem", two.keyPEM)
                let empty = try file("empty.pem", "nothing here\n")
                let cut = try file("cut.pem", String(one.certificatePEM.prefix(200)))
                #expect(complaint(certificate, key) == "none")
                #expect(complaint(folder + "/absent.pem", key).contains("No such file or directory"))
                #expect(complaint(certificate, folder + "/absent.pem").contains("cannot read the key file"))
                #expect(complaint(folder, key).contains("Is a directory"))
                #expect(complaint(empty, key).contains("no certificate in this file"))
                #expect(complaint(cut, key).contains("damaged"))
                #expect(complaint(certificate, empty).contains("no private key in this file"))
                #expect(complaint(certificate, other).contains("does not belong to"))
                let sealed = folder + "/sealed.pem"
                _ = try await text(["pkcs8", "-topk8", "-in", key, "-out", sealed, "-passout", "pass:secret"])
                #expect(complaint(certificate, sealed).contains("pass phrase"))
            }
        }
    }
}
