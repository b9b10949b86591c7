// The envelope of a message: the reverse-path, the forward-paths, and what MAIL and RCPT said about them
// (RFC 5321 §2.3.1, §4.1.1.2, §4.1.1.3). Octets as they came; nothing is normalised.

/// The argument of MAIL (RFC 5321 §4.1.1.2) with its parameters.
package struct ReversePath: Sendable, Hashable {
    /// Without angle brackets and without a source route (RFC 5321 appendix C); empty for the null path `<>`.
    package var address: [UInt8]
    /// SIZE, in octets (RFC 1870 §3).
    package var size: Int?
    /// BODY (RFC 6152 §2, RFC 3030 §3).
    package var body: BodyType?
    /// SMTPUTF8 was given (RFC 6531 §3.4).
    package var smtpUTF8: Bool
    /// RET (RFC 3461 §4.3).
    package var returnContent: ReturnContent?
    /// ENVID, still as xtext (RFC 3461 §4.4).
    package var envelopeID: [UInt8]?
    /// AUTH, still as xtext; `<>` when the client does not know (RFC 4954 §5).
    package var auth: [UInt8]?

    package init(
        address: [UInt8], size: Int? = nil, body: BodyType? = nil, smtpUTF8: Bool = false,
        returnContent: ReturnContent? = nil, envelopeID: [UInt8]? = nil, auth: [UInt8]? = nil
    ) {
        self.address = address
        self.size = size
        self.body = body
        self.smtpUTF8 = smtpUTF8
        self.returnContent = returnContent
        self.envelopeID = envelopeID
        self.auth = auth
    }
}

/// The argument of RCPT (RFC 5321 §4.1.1.3) with its parameters.
package struct ForwardPath: Sendable, Hashable {
    /// Without angle brackets and without a source route; `Postmaster` may stand without a domain.
    package var address: [UInt8]
    /// NOTIFY (RFC 3461 §4.1); nil when it was not given.
    package var notify: Notify?
    /// ORCPT, address type and xtext as they came (RFC 3461 §4.2).
    package var originalRecipient: [UInt8]?

    package init(address: [UInt8], notify: Notify? = nil, originalRecipient: [UInt8]? = nil) {
        self.address = address
        self.notify = notify
        self.originalRecipient = originalRecipient
    }
}

/// The value of BODY.
package enum BodyType: String, Sendable, Hashable {
    case sevenBit = "7BIT"
    case eightBitMIME = "8BITMIME"
    case binaryMIME = "BINARYMIME"
}

/// The value of RET.
package enum ReturnContent: String, Sendable, Hashable {
    case full = "FULL"
    case headers = "HDRS"
}

/// The value of NOTIFY; empty for NEVER (RFC 3461 §4.1).
package struct Notify: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let never: Notify = []
    package static let success = Notify(rawValue: 1)
    package static let failure = Notify(rawValue: 2)
    package static let delay = Notify(rawValue: 4)
}

/// What is open between MAIL and the reply after the message.
package struct Transaction: Sendable, Hashable {
    package var reversePath: ReversePath
    /// Those that were accepted, in their order.
    package var recipients: [ForwardPath]

    package init(reversePath: ReversePath, recipients: [ForwardPath] = []) {
        self.reversePath = reversePath
        self.recipients = recipients
    }
}
