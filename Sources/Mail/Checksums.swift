// The octets of several parts of a message from one look at it, and their checksums, by GLib. Whoever asks part by part
// has the whole message read for each of them.

import CGMime

/// Checksums of a part's octets without transfer encoding, exactly as sent; in hexadecimal, lower case.
package struct Checksums: Sendable, Hashable {
    package var md5: String
    package var sha1: String
    package var sha256: String
}

extension Checksums {
    package init(of octets: [UInt8]) {
        md5 = Self.checksum(G_CHECKSUM_MD5, octets)
        sha1 = Self.checksum(G_CHECKSUM_SHA1, octets)
        sha256 = Self.checksum(G_CHECKSUM_SHA256, octets)
    }

    private static func checksum(_ type: GChecksumType, _ octets: [UInt8]) -> String {
        octets.withUnsafeBufferPointer { buffer in
            guard let text = g_compute_checksum_for_data(type, buffer.baseAddress, gsize(buffer.count)) else {
                return ""
            }
            defer { g_free(text) }
            return String(cString: text)
        }
    }
}

extension MailView {
    package static func checksums(of partIDs: Set<String>, in octets: [UInt8]) -> [String: Checksums] {
        var result: [String: Checksums] = [:]
        forEachContent(of: partIDs, in: octets) { id, content in
            result[id] = Checksums(of: content)
            return true
        }
        return result
    }

    /// The octets of parts without transfer encoding, in the order of the message, as long as `limit` octets are not
    /// exceeded; the first one that does not fit and those behind it are left out.
    package static func contents(of partIDs: Set<String>, in octets: [UInt8], limit: Int) -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        var total = 0
        forEachContent(of: partIDs, in: octets) { id, content in
            guard total + content.count <= limit else { return false }
            total += content.count
            result[id] = content
            return true
        }
        return result
    }

    /// - Parameter body: says whether to go on.
    private static func forEachContent(
        of partIDs: Set<String>, in octets: [UInt8], _ body: (String, [UInt8]) -> Bool
    ) {
        guard !partIDs.isEmpty else { return }
        octets.withUnsafeBufferPointer { all in
            let octets = UnsafeBufferPointer(rebasing: all.prefix(MailLimit.messageOctets))
            let scan = MIMEScan(octets, words: MIMEWords())
            for part in scan.parts where !part.isMultipart && partIDs.contains(part.id) {
                let (content, _) = PartContent.decode(
                    part.body, of: octets, encoding: transferEncoding(of: part, in: octets),
                    limit: MailLimit.messageOctets)
                guard body(part.id, content) else { return }
            }
        }
    }
}
