// What happened, in the past tense. Events are the only source of transcripts, session records, the API and metrics;
// nobody else remembers a session. This room reads and writes events; it never decides anything and holds no clock.

import SMTP

/// Who spoke.
public enum Party: String, Sendable, Hashable, Codable {
    case client, sink
}

/// How a session ended.
public enum Ending: String, Sendable, Hashable, Codable, CaseIterable {
    /// QUIT was answered (RFC 5321 §4.1.1.10).
    case quit
    /// The client closed without QUIT.
    case clientClose = "client-close"
    /// The client's connection was reset, or nothing could be written to it any more.
    case clientReset = "client-reset"
    /// The client was silent for longer than the limit (RFC 5321 §4.5.3.2.7).
    case timeout
    /// The sink closed: a 421, or a fault.
    case sinkClose = "sink-close"
    /// A fault reset the connection.
    case sinkReset = "sink-reset"
    /// The sink was stopped.
    case shutdown
}

/// What became of a transaction.
public enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
    /// A 250 was said to the final dot and the message was stored.
    case accepted
    /// A 5yz ended it.
    case rejected
    /// A 4yz ended it.
    case deferred
    /// The message arrived whole, but what the client knows of it is not the truth: the reply was never said, or a 250
    /// was said for a message that was thrown away.
    case lost
    /// It was cut short: RSET, QUIT, a new EHLO, or a connection that ended before the message was complete.
    case abandoned
}

/// TLS facts of a session.
public struct TLSSummary: Sendable, Hashable, Codable {
    public var version: String
    public var cipher: String
    /// The server name that the client asked for (RFC 6066 §3); nil when it named none.
    public var sni: String?
    /// The names in the client's certificate; empty without one.
    public var client_names: [String]

    public init(version: String, cipher: String, sni: String?, clientNames: [String]) {
        self.version = version
        self.cipher = cipher
        self.sni = sni
        self.client_names = clientNames
    }
}

/// What a ClientHello offered (RFC 8446 §4.1.2).
package struct TLSOffer: Sendable, Hashable {
    /// Versions and cipher suites that are kept, at most.
    package static let versionLimit = 16
    package static let suiteLimit = 200
    /// Octets of a server name: those of a domain name (RFC 1035 §2.3.4).
    package static let nameLimit = 255

    /// As they stand in supported_versions; without that extension the one legacy_version.
    package let versions: [UInt16]
    /// In the order of the client's preference.
    package let cipherSuites: [UInt16]
    /// RFC 6066 §3; nil when none was named.
    package let serverName: String?
    /// The extension supported_versions was there (RFC 8446 §4.2.1).
    package let hasSupportedVersions: Bool

    /// What is beyond a limit is left out.
    package init(versions: [UInt16], cipherSuites: [UInt16], serverName: String?, hasSupportedVersions: Bool) {
        self.versions = Array(versions.prefix(Self.versionLimit))
        self.cipherSuites = Array(cipherSuites.prefix(Self.suiteLimit))
        self.serverName = serverName.map { Self.shortened($0) }
        self.hasSupportedVersions = hasSupportedVersions
    }

    private static func shortened(_ name: String) -> String {
        guard name.utf8.count > nameLimit else { return name }
        var short = String(decoding: name.utf8.prefix(nameLimit), as: UTF8.self)
        while short.utf8.count > nameLimit { short.unicodeScalars.removeLast() }
        return short
    }
}

/// One thing that happened in a session.
package enum Event: Sendable, Hashable {
    /// The connection was accepted. `wall_us` is the time of day, microseconds since 1970-01-01 UTC.
    case opened(session: String, listener: String, client: String, local: String, wall_us: Int64)
    /// The client sent a line; secrets are already masked. `segment` numbers the reads of the session from 1.
    case clientLine(octets: [UInt8], segment: Int)
    /// The client sent message octets: how many, as they came, and the last segment they came in.
    case clientContent(octetCount: Int, segment: Int)
    /// Octets came that nobody read as SMTP: after a fault or an error had ended the conversation.
    case clientIgnored(octetCount: Int)
    /// Octets came while the sink was still holding back its answer.
    case clientEarly(octetCount: Int, segment: Int)
    /// The sink said this, one reply with all its lines. The phase is nil where the protocol itself answered.
    case reply(phase: Phase?, wire: [UInt8])
    /// A rule acted. What is needed to do it again: `use` counts the decisions of this session at the phase (at body:
    /// those at this octet), `octets` is how much of the message had come, `script` holds the actions in the grammar of
    /// rules.
    case fault(rule: String, why: String, phase: Phase, action: String, use: Int, octets: Int, script: [String])
    /// MAIL was accepted or refused: a transaction began.
    case transactionBegan(reversePath: [UInt8])
    /// A recipient got its answer.
    case recipientAnswered(address: [UInt8], wire: [UInt8])
    /// A transaction ended. The reply is nil when none was said; the message is nil when none was stored.
    case transactionEnded(verdict: Verdict, at: Phase?, reply: [UInt8]?, message: String?)
    /// A ClientHello came, whatever becomes of the handshake.
    case clientHello(TLSOffer)
    case tlsStarted(TLSSummary)
    /// The handshake failed; the reason is in words.
    case tlsFailed(reason: String)
    /// Octets that came in clear behind STARTTLS were thrown away (RFC 3207 §4.2).
    case plaintextDiscarded(octetCount: Int)
    /// The peer did something that is worth a line of its own.
    case noticed(String)
    /// The client sent FIN; it may still read.
    case clientFinished
    case ended(Ending)
}
