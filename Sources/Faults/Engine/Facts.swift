// What the engine is told about a session when it is asked for a decision. Plain values, gathered by the Sink only at
// phases where a rule could decide; what is not known yet is nil.

import SMTP

/// What is known at the moment of a decision.
package struct Facts: Sendable {
    /// The listener's name.
    package var listener: String
    /// The client's address as text, `unix` for a Unix socket.
    package var client: String
    /// The same as a number, for networks; nil for a Unix socket.
    package var clientAddress: IPAddress?
    /// The argument of EHLO or HELO; at phase ehlo that of the command being answered.
    package var helo: String?
    /// The version as OpenSSL names it (`TLSv1.3`); nil in clear.
    package var tls: String?
    /// Who is authenticated; at phase auth who tries.
    package var user: String?
    /// The reverse path without its brackets: nil is not known yet, empty is the null path (RFC 5321 §4.5.5).
    package var from: String?
    /// At rcpt the one recipient being decided; later all that were accepted.
    package var to: [String]
    /// Recipients accepted in this transaction so far. At rcpt the engine counts the one being decided on top.
    package var recipients: Int
    /// Octets: declared with SIZE= until the body begins, received so far at body, the whole message afterwards.
    package var size: Int?
    /// `ehlo` or `helo`, as the client said it; at phase ehlo of the command being answered.
    package var hello: String?
    /// Parameters of MAIL, or at rcpt of RCPT, as `SIZE=1000`.
    package var parameters: [String] = []
    /// Seconds since midnight, UTC; only where `Engine.needsTime`.
    package var secondOfDay = 0
    /// 5yz replies of the session so far.
    package var errors = 0
    /// At body and end-of-data, and only where `Engine.needsMessage`.
    package var message: MessageFacts?
    /// The number of the session.
    package var session: UInt64
    /// The number of the transaction inside its session.
    package var transaction: Int

    package init(
        listener: String = "", client: String = "", clientAddress: IPAddress? = nil, helo: String? = nil,
        tls: String? = nil, user: String? = nil, from: String? = nil, to: [String] = [], recipients: Int = 0,
        size: Int? = nil, session: UInt64 = 0, transaction: Int = 0
    ) {
        self.listener = listener
        self.client = client
        self.clientAddress = clientAddress
        self.helo = helo
        self.tls = tls
        self.user = user
        self.from = from
        self.to = to
        self.recipients = recipients
        self.size = size
        self.session = session
        self.transaction = transaction
    }
}

extension Facts {
    /// The spaces that the recipients, the sender and the EHLO name belong to.
    var spaces: [String] {
        var names = to.flatMap { Space.names(ofAddress: $0.utf8) }
        if let from { names += Space.names(ofAddress: from.utf8) }
        if let helo, let name = Space.name(ofDomain: helo.utf8) { names.append(name) }
        return names
    }

    /// The client's /24, or /64 for IPv6.
    var clientNetwork: String {
        guard let address = clientAddress ?? IPAddress(client) else { return client }
        let base =
            address.isV4
            ? IPAddress(high: address.high, low: address.low & ~0xff) : IPAddress(high: address.high, low: 0)
        return "\(base)/\(address.isV4 ? 24 : 64)"
    }
}
