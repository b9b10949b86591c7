// Every reply of the protocol whose text does not depend on the session, rendered once. Those that carry the host name
// or a list are in Session+Replies.swift.

/// A reply that stands in the source. As an error it is what a command that breaks the protocol is answered with.
enum StandardReply: Int, CaseIterable, Error {
    // Accepted.
    case ok, resetOk, senderOk, recipientOk, startData, chunkOk, readyForTLS, authenticated, notVerified, bye
    // The AUTH dialogue (RFC 4954 §4).
    case emptyChallenge, askUserName, askPassword
    // Syntax (RFC 5321 §4.2.4, §4.3.2).
    case unknownCommand, badSyntax, lineTooLong, notOffered, argumentMissing, argumentNotAllowed, badArgument
    case badSender, badRecipient, nonASCIIPath, badParameter, doubleParameter, unknownParameter
    // Order (RFC 5321 §4.1.4).
    case sayHelloFirst, sayEHLOFirst, nestedMail, needMail, needRecipient, afterChunk, dataAfterChunk, dataForBinary
    case shut
    // Limits (RFC 5321 §4.5.3.1, RFC 1870 §6).
    case tooManyRecipients, tooManyTransactions, messageTooBig
    // STARTTLS and AUTH (RFC 3207 §4, RFC 4954 §4).
    case alreadyTLS, tlsNotAvailable, authTwice, authInTransaction, unknownMechanism, authCancelled, badBase64
    case badCredentials, authLineTooLong
    // Not SMTP at all.
    case clientHello, http

    /// Code, enhanced code, text.
    private var parts: (UInt16, StaticString?, String) {
        switch self {
        case .ok, .resetOk: (250, "2.0.0", "Ok")
        case .senderOk: (250, "2.1.0", "Ok")
        case .recipientOk: (250, "2.1.5", "Ok")
        case .startData: (354, nil, "End data with <CR><LF>.<CR><LF>")
        case .chunkOk: (250, "2.0.0", "Ok, chunk received")
        case .readyForTLS: (220, "2.0.0", "Ready to start TLS")
        case .authenticated: (235, "2.7.0", "Authentication successful")
        // RFC 5321 §3.5.3, §7.3: never 250 for what was not verified, and nothing about users.
        case .notVerified: (252, "2.0.0", "Not verified; send mail and see")
        case .bye: (221, "2.0.0", "Bye")

        case .emptyChallenge: (334, nil, "")
        case .askUserName: (334, nil, "VXNlcm5hbWU6")
        case .askPassword: (334, nil, "UGFzc3dvcmQ6")

        case .unknownCommand: (500, "5.5.1", "Command not recognised")
        case .badSyntax: (500, "5.5.2", "Syntax error, this is no command")
        case .lineTooLong: (500, "5.5.2", "Line too long")
        case .notOffered: (502, "5.5.1", "Command not implemented")
        case .argumentMissing: (501, "5.5.4", "An argument is missing")
        case .argumentNotAllowed: (501, "5.5.4", "No argument allowed")
        case .badArgument: (501, "5.5.4", "Syntax error in the argument")
        case .badSender: (501, "5.1.7", "Bad sender address syntax")
        case .badRecipient: (501, "5.1.3", "Bad recipient address syntax")
        // RFC 6531 §3.5.
        case .nonASCIIPath: (553, "5.6.7", "Non-ASCII address without SMTPUTF8")
        case .badParameter: (501, "5.5.4", "Syntax error in a parameter")
        case .doubleParameter: (501, "5.5.4", "Parameter given twice")
        // RFC 5321 §4.1.1.11.
        case .unknownParameter: (555, "5.5.4", "Parameter not recognised or not offered")

        case .sayHelloFirst: (503, "5.5.1", "Send EHLO or HELO first")
        case .sayEHLOFirst: (503, "5.5.1", "Send EHLO first")
        case .nestedMail: (503, "5.5.1", "Nested MAIL command")
        case .needMail: (503, "5.5.1", "Send MAIL first")
        case .needRecipient: (503, "5.5.1", "No valid recipients")
        case .afterChunk: (503, "5.5.1", "Message chunks are under way")
        case .dataAfterChunk: (503, "5.5.1", "DATA cannot follow BDAT")
        case .dataForBinary: (503, "5.5.1", "BINARYMIME needs BDAT")
        case .shut: (503, "5.5.1", "No mail here, only QUIT is possible")

        case .tooManyRecipients: (452, "4.5.3", "Too many recipients")
        case .tooManyTransactions: (452, "4.5.3", "Too many messages in this session")
        case .messageTooBig: (552, "5.3.4", "Message size exceeds the limit")

        case .alreadyTLS: (503, "5.5.1", "TLS is active already")
        case .tlsNotAvailable: (454, "4.7.0", "TLS not available")
        case .authTwice: (503, "5.5.1", "Already authenticated")
        case .authInTransaction: (503, "5.5.1", "AUTH is not allowed inside a transaction")
        case .unknownMechanism: (504, "5.5.4", "Mechanism not supported")
        case .authCancelled: (501, "5.7.0", "Authentication cancelled")
        case .badBase64: (501, "5.5.2", "Cannot decode this as base64")
        case .badCredentials: (501, "5.5.2", "Credentials are malformed")
        case .authLineTooLong: (500, "5.5.6", "Authentication exchange line is too long")

        case .clientHello: (554, "5.5.1", "This port speaks SMTP in clear first; use STARTTLS, or the port for TLS")
        case .http: (554, "5.5.1", "This is an SMTP server, it does not speak HTTP")
        }
    }

    /// A command that breaks the protocol, as against one that meets a limit (RFC 5321 §7.8).
    var isProtocolError: Bool {
        switch self {
        case .tooManyRecipients, .tooManyTransactions, .messageTooBig, .tlsNotAvailable: false
        default: Self.withStatus[rawValue].code.isPermanent
        }
    }

    /// - Parameter status: whether ENHANCEDSTATUSCODES is in force (RFC 2034).
    func reply(status: Bool) -> Reply { status ? Self.withStatus[rawValue] : Self.withoutStatus[rawValue] }

    private static let withStatus: [Reply] = allCases.map { Reply($0.parts.0, $0.parts.1, $0.parts.2) }
    private static let withoutStatus: [Reply] = allCases.map { Reply($0.parts.0, nil, $0.parts.2) }
}
