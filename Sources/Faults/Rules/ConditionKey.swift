// What the conditions of a rule can look at, by the words of rules. Which phase can know what stands in
// Phase+Knowledge.swift, how values are tested in Condition.swift.

/// What a condition looks at. The raw value is its word; header fields have their name behind a dot: `header.subject`.
package enum ConditionKey: Sendable, Hashable {
    /// A space that a recipient, the sender or the EHLO name belongs to (SMTP/Space.swift).
    case space
    case from, to, client, helo, tls, user, listener, size, recipients, attempt
    /// How the client said hello: EHLO or HELO.
    case hello
    /// The parameters of MAIL, or at rcpt of RCPT, as `SIZE=1000` or `SMTPUTF8`.
    case parameter
    /// The time of day of the sink's clock, in UTC.
    case time
    /// Which attempt of this message it is: by its Message-ID, or by its envelope where it has none or none came yet.
    case messageAttempt
    case messageID
    case body
    case links
    /// A header field by its name, in lower case.
    case header(String)
}

extension ConditionKey: RawRepresentable {
    /// All but header fields, of which there is no end.
    package static let plain: [ConditionKey] = [
        .from, .to, .client, .helo, .tls, .user, .listener, .size, .recipients, .attempt, .hello, .parameter, .time,
        .messageAttempt, .messageID, .body, .links, .space,
    ]

    /// The words for complaints.
    package static let all = plain.map(\.rawValue) + ["header.NAME"]

    private static let headerWord = "header."
    /// A line has 998 octets (RFC 5322 §2.1.1); names are far shorter.
    private static let longestHeaderName = 100

    package init?(rawValue: String) {
        if let key = Self.plain.first(where: { $0.rawValue == rawValue }) {
            self = key
            return
        }
        let name = rawValue.dropFirst(Self.headerWord.count)
        // RFC 5322 §2.2: printable ASCII but the colon; what a rule line could not hold without quotes is left out.
        guard rawValue.hasPrefix(Self.headerWord), (1...Self.longestHeaderName).contains(name.utf8.count),
            name.utf8.allSatisfy({ (33...126).contains($0) && !Self.forbidden.contains($0) })
        else { return nil }
        self = .header(String(name).asciiLowercased)
    }

    private static let forbidden = Array(":=,()\"".utf8)

    package var rawValue: String {
        switch self {
        case .from: "from"
        case .to: "to"
        case .client: "client"
        case .helo: "helo"
        case .tls: "tls"
        case .user: "user"
        case .listener: "listener"
        case .size: "size"
        case .recipients: "recipients"
        case .attempt: "attempt"
        case .hello: "hello"
        case .parameter: "parameter"
        case .time: "time"
        case .messageAttempt: "message-attempt"
        case .messageID: "message-id"
        case .body: "body"
        case .links: "links"
        case .space: "space"
        case .header(let name): Self.headerWord + name
        }
    }

    /// Needs the octets of the message.
    package var looksIntoMessage: Bool {
        switch self {
        case .messageID, .body, .links, .header, .messageAttempt: true
        default: false
        }
    }

    /// Asked for each recipient by itself.
    var isAboutRecipient: Bool { self == .to || self == .attempt }

    package static func unknown(_ word: String, among known: [String] = all) -> String {
        """
        unknown condition "\(word.shown)"\(Suggestion.didYouMean(word, among: known)); known are \
        \(all.joined(separator: ", "))
        """
    }
}
