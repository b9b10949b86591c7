// Mail servers that people run themselves, as their newer versions answer with their default settings.
//
// Left out of their lists is what would have to be obeyed and is not: ETRN, DELIVERBY, PIPECONNECT, X-ANONYMOUSTLS,
// X-EXPS, XRDST. VRFY is listed where the server lists it: it is answered, and no client does anything because of it.
// The date in their greetings is left out: nothing here knows it.

extension ServerStyle {
    static let software: [ServerStyle] = [postfix, exim, sendmail, exchange]

    private static let postfix = ServerStyle(
        "postfix", greeting: "{host} ESMTP Postfix",
        list: [
            .capability(.pipelining), .capability(.size), "VRFY", .capability(.startTLS), .capability(.auth),
            .capability(.enhancedStatusCodes), .capability(.eightBitMIME), .capability(.dsn),
            .capability(.smtpUTF8), .capability(.chunking),
        ],
        messageSize: 10_240_000,
        [
            .chunkOk: "Ok",
            .unknownCommand: Wording(500, "5.5.2", "Error: command not recognized"),
            .badSyntax: "Error: bad syntax",
            .notOffered: "Error: command not implemented",
            .argumentMissing: "Syntax error", .argumentNotAllowed: "Syntax error", .badArgument: "Syntax error",
            .nonASCIIPath: "Must declare SMTPUTF8 to send unicode address",
            .unknownParameter: "Unsupported option",
            .sayHelloFirst: "Error: send HELO/EHLO first", .sayEHLOFirst: "Error: send HELO/EHLO first",
            .nestedMail: "Error: nested MAIL command",
            .needMail: "Error: need MAIL command",
            .needRecipient: Wording(554, "5.5.1", "Error: no valid recipients"),
            .afterChunk: "Error: RCPT after BDAT", .dataAfterChunk: "Error: DATA after BDAT",
            .shut: Wording(503, "5.7.0", "Error: access denied"),
            .tooManyRecipients: "Error: too many recipients",
            .messageTooBig: "Message size exceeds fixed limit",
            .alreadyTLS: Wording(554, "5.5.1", "Error: TLS already active"),
            .tlsNotAvailable: "TLS not available due to local problem",
            .authTwice: "Error: already authenticated",
            .authInTransaction: "Error: MAIL transaction in progress",
            .unknownMechanism: Wording(535, "5.7.8", "Error: authentication failed: Invalid authentication mechanism"),
            .authCancelled: "Authentication aborted",
            .authLineTooLong: "SASL response limit exceeded",
        ])

    /// It has no enhanced codes, and lists none.
    private static let exim = ServerStyle(
        "exim", greeting: "{host} ESMTP Exim 4.96", helo: "{host} Hello {helo}{peer}",
        ehlo: "{host} Hello {helo}{peer}",
        list: [
            .capability(.size), .capability(.eightBitMIME), .capability(.pipelining), .capability(.auth),
            .capability(.chunking), .capability(.startTLS), .capability(.smtpUTF8), .capability(.help),
        ],
        messageSize: 52_428_800, queued: "OK id={id}", helpTitle: "Commands supported:",
        [
            .ok: "OK", .resetOk: "Reset OK", .senderOk: "OK", .recipientOk: "Accepted",
            .startData: "Enter message, ending with \".\" on a line by itself",
            .chunkOk: "OK, chunk received",
            .readyForTLS: "TLS go ahead", .authenticated: "Authentication succeeded",
            .notVerified: "Administrative prohibition",
            .bye: "{host} closing connection",
            .unknownCommand: "unrecognized command", .badSyntax: "unrecognized command",
            .badArgument: "Syntactically invalid argument(s)", .argumentMissing: "Syntactically invalid argument(s)",
            .argumentNotAllowed: "Unexpected argument data",
            .sayHelloFirst: "HELO or EHLO required", .sayEHLOFirst: "HELO or EHLO required",
            .nestedMail: "sender already given", .needMail: "sender not yet given",
            .needRecipient: "valid RCPT command must precede DATA",
            .tooManyRecipients: "too many recipients",
            .messageTooBig: "Message size exceeds maximum permitted",
            .alreadyTLS: Wording(554, "5.5.1", "Already in TLS"), .tlsNotAvailable: "TLS currently unavailable",
            .authTwice: "already authenticated", .authInTransaction: "not permitted in mail transaction",
            .authCancelled: "Authentication cancelled", .badBase64: "Invalid base64 data",
        ])

    private static let sendmail = ServerStyle(
        "sendmail", greeting: "{host} ESMTP Sendmail 8.17.1/8.17.1", helo: "{host} Hello {client}, pleased to meet you",
        ehlo: "{host} Hello {client}, pleased to meet you",
        list: [
            .capability(.enhancedStatusCodes), .capability(.pipelining), .capability(.eightBitMIME),
            .capability(.size), .capability(.dsn), .capability(.auth), .capability(.startTLS), .capability(.help),
        ],
        queued: "{id} Message accepted for delivery", helpTitle: "This is sendmail",
        [
            .ok: "OK", .resetOk: "Reset state", .senderOk: "<{from}>... Sender ok",
            .recipientOk: "<{to}>... Recipient ok",
            .startData: "Enter mail, end with \".\" on a line by itself",
            .authenticated: Wording(235, "2.0.0", "OK Authenticated"),
            .notVerified: Wording(252, "2.5.2", "Cannot VRFY user; try RCPT to attempt delivery (or try finger)"),
            .bye: "{host} closing connection",
            .unknownCommand: "Command unrecognized", .badSyntax: Wording(500, "5.5.1", "Command unrecognized"),
            .argumentMissing: Wording(501, "5.5.2", "Syntax error in parameters"),
            .argumentNotAllowed: Wording(501, "5.5.2", "Syntax error (no parameters allowed)"),
            .badArgument: Wording(501, "5.5.2", "Syntax error in parameters"),
            .nonASCIIPath: "Address requires SMTPUTF8",
            .unknownParameter: "parameter unrecognized",
            .sayHelloFirst: Wording(503, "5.0.0", "Polite people say HELO first"),
            .sayEHLOFirst: Wording(503, "5.0.0", "Polite people say HELO first"),
            .nestedMail: Wording(503, "5.5.0", "Sender already specified"),
            .needMail: Wording(503, "5.0.0", "Need MAIL before RCPT"),
            .needRecipient: Wording(503, "5.0.0", "Need RCPT (recipient)"),
            .messageTooBig: Wording(552, "5.2.3", "Message size exceeds fixed maximum message size"),
            .alreadyTLS: Wording(503, "5.5.0", "TLS not available"),
            .tlsNotAvailable: Wording(454, "4.3.3", "TLS not available after start"),
            .authTwice: Wording(503, "5.5.0", "Already Authenticated"),
            .authInTransaction: Wording(503, "5.5.0", "AUTH not permitted during a mail transaction"),
            .unknownMechanism: Wording(504, "5.3.3", "AUTH mechanism not available"),
        ])

    /// Exchange Server. HELP is there but not listed, so it is not offered.
    private static let exchange = ServerStyle(
        "exchange", greeting: "{host} Microsoft ESMTP MAIL Service ready", helo: "{host} Hello {client}",
        ehlo: "{host} Hello {client}",
        list: [
            .capability(.size), .capability(.pipelining), .capability(.dsn), .capability(.enhancedStatusCodes),
            .capability(.startTLS), .capability(.auth), .capability(.eightBitMIME), .capability(.binaryMIME),
            .capability(.chunking), .capability(.smtpUTF8),
        ],
        messageSize: 37_748_736, queued: exchangeQueued, queuedStatus: "2.6.0", exchangeWords)

    static let exchangeQueued: Phrase =
        "<{id}@{host}> [InternalId={number}, Hostname={host}] Queued mail for delivery"

    static let exchangeWords: [StandardReply: Wording] = [
        .ok: "OK", .resetOk: "Resetting", .senderOk: "Sender OK", .recipientOk: "Recipient OK",
        .startData: "Start mail input; end with <CRLF>.<CRLF>",
        .chunkOk: Wording(250, "2.6.0", "CHUNK received OK"),
        .readyForTLS: "SMTP server ready",
        .notVerified: Wording(252, "2.1.5", "Cannot VRFY user"),
        .bye: "Service closing transmission channel",
        .unknownCommand: Wording(500, "5.3.3", "Unrecognized command"),
        .badSyntax: Wording(500, "5.3.3", "Unrecognized command"),
        .notOffered: Wording(502, "5.3.3", "Command not implemented"),
        .argumentMissing: "Invalid arguments", .argumentNotAllowed: "Invalid arguments",
        .badArgument: "Invalid arguments",
        .badSender: "Invalid address", .badRecipient: "Invalid address",
        .unknownParameter: "Unsupported parameter",
        .sayHelloFirst: Wording(503, "5.5.2", "Send hello first"),
        .sayEHLOFirst: Wording(503, "5.5.2", "Send hello first"),
        .nestedMail: Wording(503, "5.5.2", "Sender already specified"),
        .needMail: Wording(503, "5.5.2", "Need mail command"),
        .needRecipient: Wording(503, "5.5.2", "Need rcpt command"),
        .messageTooBig: "Message size exceeds fixed maximum message size",
    ]
}
