// The receiver of an AUTH exchange (RFC 4954 §4): which line of it is awaited, and what a line means. PLAIN (RFC 4616)
// and LOGIN. Passwords are decoded to see whether they are well-formed, and kept nowhere.

struct AuthReceiver: Sendable, Hashable {
    enum Await: Sendable, Hashable { case plain, loginUser, loginPassword }

    /// What a line leads to.
    enum Result: Sendable, Hashable {
        case challenge(StandardReply, Await, user: [UInt8])
        /// The user of PLAIN; nil for LOGIN, whose user came before.
        case finished(user: [UInt8]?)
        case refused(StandardReply)
    }

    var line = LineReceiver()
    let awaits: Await

    init(awaits: Await) { self.awaits = awaits }

    /// - Parameter response: without CRLF; base64, or `*`.
    static func answer(_ response: UnsafeRawBufferPointer, to awaits: Await) -> Result {
        if response.equals("*") { return .refused(.authCancelled) }
        guard let decoded = decodeBase64(response) else { return .refused(.badBase64) }
        switch awaits {
        case .plain:
            // RFC 4616 §2: [authzid] NUL authcid NUL passwd.
            let parts = decoded.split(separator: 0, omittingEmptySubsequences: false)
            guard parts.count == 3, !parts[1].isEmpty else { return .refused(.badCredentials) }
            return .finished(user: Array(parts[1]))
        case .loginUser:
            guard !decoded.isEmpty else { return .refused(.badCredentials) }
            return .challenge(.askPassword, .loginPassword, user: decoded)
        case .loginPassword:
            return .finished(user: nil)
        }
    }
}

/// Base64 with its padding, nothing else (RFC 4648 §3.3, §4); nil for anything malformed.
func decodeBase64(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count.isMultiple(of: 4) else { return nil }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.count / 4 * 3)
    var end = text.count
    while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
    var bits: UInt32 = 0
    var held = 0
    for octet in text.slice(0, end) {
        guard let value = octet.base64Value else { return nil }
        bits = bits << 6 | UInt32(value)
        held += 6
        if held >= 8 {
            held -= 8
            decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
        }
    }
    return decoded
}
