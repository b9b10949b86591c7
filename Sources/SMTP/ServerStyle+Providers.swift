// The receiving servers of large mailbox providers, as transcripts of 2023 to 2025 show them on port 25. None of them
// offers AUTH, HELP or LIMITS there.

extension ServerStyle {
    static let providers: [ServerStyle] = [gmail, exchangeOnline, outlook, yahoo]

    /// mx.google.com. Most of its replies end with a word that names the session, and `gsmtp`.
    private static let gmail = ServerStyle(
        "gmail", greeting: "{host} ESMTP {token} - gsmtp", helo: "{host} at your service",
        ehlo: "{host} at your service, {client}",
        list: [
            .capability(.size), .capability(.eightBitMIME), .capability(.startTLS), .capability(.enhancedStatusCodes),
            .capability(.pipelining), .capability(.chunking), .capability(.smtpUTF8),
        ],
        messageSize: 157_286_400, queued: "OK {number} {id} - gsmtp",
        [
            .ok: "OK {token} - gsmtp",
            .resetOk: Wording(250, "2.1.5", "Flushed {token} - gsmtp"),
            .senderOk: "OK {token} - gsmtp", .recipientOk: "OK {token} - gsmtp",
            .startData: "Go ahead {token} - gsmtp",
            .chunkOk: "OK {token} - gsmtp",
            .authenticated: "Accepted",
            .notVerified: Wording(252, "2.1.5", "Send some mail, I'll try my best {token} - gsmtp"),
            .bye: "closing connection {token} - gsmtp",
            .unknownCommand: Wording(502, "5.5.1", "Unrecognized command. {token} - gsmtp"),
            .badSyntax: Wording(502, "5.5.1", "Unrecognized command. {token} - gsmtp"),
            .notOffered: "Unrecognized command. {token} - gsmtp",
            .argumentMissing: Wording(555, "5.5.2", "Syntax error. {token} - gsmtp"),
            .argumentNotAllowed: Wording(555, "5.5.2", "Syntax error. {token} - gsmtp"),
            .badArgument: Wording(555, "5.5.2", "Syntax error. {token} - gsmtp"),
            .badSender: Wording(555, "5.5.2", "Syntax error. {token} - gsmtp"),
            .badRecipient: Wording(555, "5.5.2", "Syntax error. {token} - gsmtp"),
            .unknownParameter: Wording(555, "5.5.2", "Syntax error. {token} - gsmtp"),
            .sayHelloFirst: "EHLO/HELO first. {token} - gsmtp", .sayEHLOFirst: "EHLO/HELO first. {token} - gsmtp",
            .needMail: "MAIL first. {token} - gsmtp", .needRecipient: "RCPT first. {token} - gsmtp",
        ])

    /// *.mail.protection.outlook.com for companies.
    private static let exchangeOnline = microsoft("exchange-online", messageSize: 157_286_400)

    /// *.olc.protection.outlook.com for outlook.com, hotmail.com, live.com and msn.com.
    private static let outlook = microsoft("outlook", messageSize: 49_283_072)

    private static func microsoft(_ name: String, messageSize: Int) -> ServerStyle {
        ServerStyle(
            name, greeting: "{host} Microsoft ESMTP MAIL Service ready", helo: "{host} Hello {client}",
            ehlo: "{host} Hello {client}",
            list: [
                .capability(.size), .capability(.pipelining), .capability(.dsn), .capability(.enhancedStatusCodes),
                .capability(.startTLS), .capability(.eightBitMIME), .capability(.binaryMIME), .capability(.chunking),
                .capability(.smtpUTF8),
            ],
            messageSize: messageSize, queued: exchangeQueued, queuedStatus: "2.6.0", exchangeWords)
    }

    /// *.mail.*.yahoo.com, for AOL too. It has no enhanced codes; what it answers to errors is not known, so that is
    /// said in our own words. `dirdel` stands where others name the message.
    private static let yahoo = ServerStyle(
        "yahoo", greeting: "{host} ESMTP ready",
        list: [
            .capability(.pipelining), .capability(.size), .capability(.eightBitMIME), .capability(.startTLS),
        ],
        messageSize: 41_943_040, queued: "ok dirdel",
        [
            .ok: "ok", .resetOk: "reset", .senderOk: "sender <{from}> ok", .recipientOk: "recipient <{to}> ok",
            .startData: "go ahead", .bye: "{host}", .readyForTLS: "Start TLS",
        ])
}
