// Profiles that are about what is missing: our own words, or the plainest there are, and a shorter list.

extension ServerStyle {
    /// What fakemx is without a profile.
    package static let modern = ServerStyle("modern", offering: .all)

    static let restricted: [ServerStyle] = [
        rfc821, minimal,
        ServerStyle("no-esmtp-extensions", offering: []),
        ServerStyle("no-pipelining", offering: .all.subtracting(CapabilitySet(.pipelining))),
        ServerStyle("no-tls", offering: .all.subtracting(CapabilitySet(.startTLS))),
        // BINARYMIME without 8BITMIME is allowed (RFC 3030 §3), but nobody who lacks the one has the other.
        ServerStyle("no-8bitmime", offering: .all.subtracting(CapabilitySet([.eightBitMIME, .binaryMIME, .smtpUTF8]))),
    ]

    /// Before there were extensions: HELO alone, no parameter behind a path, the replies that RFC 821 §4.2.2 lists.
    /// A message with octets above 127 is kept as it came: that it was sent is the client's fault, not ours to mend.
    private static let rfc821 = ServerStyle(
        "rfc821", greeting: "{host} Simple Mail Transfer Service Ready", list: [], offered: CapabilitySet(.help),
        speaksEHLO: false, queued: "OK", helpTitle: "Commands:",
        [
            .ok: "OK", .resetOk: "OK", .senderOk: "OK", .recipientOk: "OK",
            .startData: "Start mail input; end with <CRLF>.<CRLF>",
            .bye: "{host} Service closing transmission channel",
            // 252 came with RFC 1123 §5.2.3; VRFY is not in the minimum of RFC 821 §4.5.1.
            .notVerified: Wording(502, nil, "Command not implemented"),
            .unknownCommand: "Syntax error, command unrecognized",
            .badSyntax: "Syntax error, command unrecognized",
            .lineTooLong: "Line too long.",
            // STARTTLS, AUTH and BDAT are not known at all.
            .notOffered: Wording(500, nil, "Syntax error, command unrecognized"),
            .argumentMissing: "Syntax error in parameters or arguments",
            .argumentNotAllowed: "Syntax error in parameters or arguments",
            .badArgument: "Syntax error in parameters or arguments",
            .badSender: "Syntax error in parameters or arguments",
            .badRecipient: "Syntax error in parameters or arguments",
            .sayHelloFirst: "Bad sequence of commands", .nestedMail: "Bad sequence of commands",
            .needMail: "Bad sequence of commands", .needRecipient: "Bad sequence of commands",
            .tooManyRecipients: Wording(552, nil, "Too many recipients."),
            .messageTooBig: "Requested mail action aborted: exceeded storage allocation",
        ])

    /// As little as a server of today can say.
    private static let minimal = ServerStyle(
        "minimal", greeting: "{host}", list: [.capability(.size), .capability(.eightBitMIME)], queued: "OK",
        [
            .ok: "OK", .resetOk: "OK", .senderOk: "OK", .recipientOk: "OK", .startData: "Go ahead", .bye: "Bye",
            .notVerified: "Cannot verify", .authenticated: "OK", .readyForTLS: "Go ahead", .chunkOk: "OK",
            .unknownCommand: "Unknown command", .badSyntax: "Syntax error", .notOffered: "Not implemented",
            .badArgument: "Syntax error", .argumentMissing: "Syntax error", .argumentNotAllowed: "Syntax error",
            .sayHelloFirst: "Bad sequence", .nestedMail: "Bad sequence", .needMail: "Bad sequence",
            .needRecipient: "Bad sequence",
        ])
}
