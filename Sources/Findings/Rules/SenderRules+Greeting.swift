// The rules of the layer greeting: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let greeting: [SenderRule] = [
        SenderRule(
            .greetEarlyTalker, .core, .should, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.3.1; Postfix POSTSCREEN_README (Pregreet test)"),
        SenderRule(
            .greetMultilineIgnored, .core, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.2 (Greeting grammar); RFC 2920 §3.1 (multiline responses MUST be supported); Postfix POSTSCREEN_README"),
        SenderRule(
            .greetRefusalIgnored, .core, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §3.1, §4.2 ('MUST determine its actions only by the reply code'); RFC 7504"),
        SenderRule(
            .greetTimeoutShort, .extra, .should, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.3.2.1"),
    ]
}
