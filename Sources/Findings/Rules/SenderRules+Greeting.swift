// The rules of the layer greeting: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let greeting: [SenderRule] = [
        SenderRule(
            .greetEarlyTalker, .core, .should, needs: .probe,
            what: "Sends octets before the greeting is complete.",
            why: """
                A client has to wait for the 220; spam programs do not, so many receivers delay the greeting a \
                little and drop whoever talks into it.
                """,
            fix: "Send nothing before the last line of the greeting has come.",
            citation: "RFC 5321 §4.3.1; Postfix POSTSCREEN_README (Pregreet test)"),
        SenderRule(
            .greetMultilineIgnored, .core, .must, needs: .probe,
            what: "Takes the first line of a greeting of several lines for the whole greeting.",
            why: """
                A reply ends with the line that has a space behind its code; receivers use a first line as bait and \
                drop clients that go for it.
                """,
            fix: "Read replies, the greeting among them, up to the line whose fourth octet is no hyphen.",
            citation: """
                RFC 5321 §4.2 (Greeting grammar); RFC 2920 §3.1 (multiline responses MUST be supported); Postfix \
                POSTSCREEN_README
                """,
            excuses: [.stalled, .cut]),
        SenderRule(
            .greetRefusalIgnored, .core, .must, needs: .probe,
            what: "Goes on although the greeting was a refusal.",
            why: """
                The code of the greeting says that no mail is taken here; whatever follows is answered 503 and shows \
                that replies are not read.
                """,
            fix: "After a greeting of 4yz or 5yz send QUIT, and try later or elsewhere as the code says.",
            citation: "RFC 5321 §3.1, §4.2 (actions are determined by the reply code alone); RFC 7504 §3",
            excuses: .garbled),
        SenderRule(
            .greetTimeoutShort, .extra, .should, needs: .probe,
            what: "Gives up on the greeting earlier than after five minutes.",
            why: """
                A server under load may greet late, and a client that leaves before that comes again and adds to the \
                load.
                """,
            fix: "Set the time-out for the greeting to 300 seconds or more.",
            citation: "RFC 5321 §4.5.3.2.1",
            excuses: .tls),
    ]
}
