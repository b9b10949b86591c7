// The octets of a part without their transfer encoding (RFC 2045 §6), by GMime's decoders, in pieces: the whole is
// counted, and only as much is kept as is asked for. Broken base64 gives what comes before and after the break; no
// error leaves here.

import CGMime

enum PartContent {
    private static let pieceOctets = 64 << 10

    /// The decoded octets, at most `limit` of them, and how many there are in all.
    static func decode(
        _ body: Range<Int>, of octets: UnsafeBufferPointer<UInt8>, encoding name: String, limit: Int
    ) -> (kept: [UInt8], total: Int) {
        guard let encoding = decodable(name) else {
            let kept = Array(octets[body.lowerBound..<(body.lowerBound + min(limit, body.count))])
            return (kept, body.count)
        }
        var state = GMimeEncoding()
        g_mime_encoding_init_decode(&state, encoding)
        var kept: [UInt8] = []
        kept.reserveCapacity(min(limit, body.count))
        var total = 0
        // No decoder gives more than it takes, but for what it held back of the piece before.
        let room = g_mime_encoding_outlen(&state, pieceOctets) + 1_024
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) { output in
            guard let base = octets.baseAddress, let out = output.baseAddress else { return }
            var position = body.lowerBound
            while position < body.upperBound {
                let count = min(pieceOctets, body.upperBound - position)
                let written = (base + position).withMemoryRebound(to: CChar.self, capacity: count) { input in
                    position + count < body.upperBound
                        ? g_mime_encoding_step(&state, input, count, out)
                        : g_mime_encoding_flush(&state, input, count, out)
                }
                let new = UnsafeRawBufferPointer(start: out, count: min(written, room))
                kept.append(contentsOf: new.prefix(max(0, limit - kept.count)))
                total += new.count
                position += count
            }
        }
        return (kept, total)
    }

    private static func decodable(_ name: String) -> GMimeContentEncoding? {
        switch name {
        case "base64": GMIME_CONTENT_ENCODING_BASE64
        case "quoted-printable": GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE
        case "x-uuencode", "uuencode", "x-uu", "x-uue": GMIME_CONTENT_ENCODING_UUENCODE
        default: nil
        }
    }
}
