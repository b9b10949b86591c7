// The rules of the layer behaviour-over-time: what they are called, how grave they are, where they are written down.

extension SenderRules {
    /// Whom rules for servers with a queue are about: a client that hands in mail shows its user the reply instead.
    private static let senders: [SenderProfile] = [.mx, .bulk, .strict]

    static let overTime: [SenderRule] = [
        SenderRule(
            .retryAfterPermanent, .core, .should, needs: .crossSession,
            what: "Sends a message again to a recipient for whom it was refused for good.",
            why: "A 5yz is the server's last word on this message, and senders that go on asking look like they do "
                + "not read replies at all.",
            fix: "Take the recipient off the queue at the first 5yz and tell the author.",
            citation: "RFC 5321 §4.2.1 (SHOULD NOT repeat), §4.2.5; Proximus e-mail rules",
            excuses: .garbled),
        SenderRule(
            .retryMissing, .core, .must, needs: .crossSession,
            what: "Never comes back after a temporary failure.",
            why: "A 4yz or a broken connection only puts the delivery off, and mail that is dropped at that point is "
                + "lost to greylisting and every short outage.",
            fix: "Queue what a 4yz or a lost connection left undelivered, and try it again on a schedule of hours.",
            citation: "RFC 5321 §4.5.4.1 (MUST be queued and periodically retried), §4.2.1",
            excuses: [.garbled, .limit], profiles: senders),
        SenderRule(
            .retryImmediate, .core, .must, needs: .crossSession,
            what: "Comes back within a minute after a temporary failure.",
            why: "The cause of a 4yz rarely goes away within seconds, and a queue that hammers a busy server makes it "
                + "busier and gets its address limited.",
            fix: "Wait before the next attempt at the same server, half an hour by default, and let other messages go "
                + "on.",
            citation: "RFC 5321 §4.5.4.1 (MUST delay retrying)",
            excuses: [.garbled, .limit], profiles: senders),
        SenderRule(
            .retryTooSoon, .core, .should, needs: .crossSession,
            what: "Tries again in less than half an hour.",
            why: "Short intervals spend the attempts of a queue on the same outage, and receivers count every one of "
                + "them.",
            fix: "Set the retry interval to 30 minutes or more.",
            citation: "RFC 5321 §4.5.4.1 (SHOULD be at least 30 minutes)",
            excuses: [.garbled, .limit], profiles: senders),
        SenderRule(
            .retryGivesUpEarly, .core, .should, needs: .crossSession,
            what: "Stops trying long before four days have passed.",
            why: "A server may be away over a weekend, and mail that is given up within hours bounces for an outage "
                + "that nobody would have noticed.",
            fix: "Keep a message in the queue for four to five days before it is returned.",
            citation: "RFC 5321 §4.5.4.1 (give-up time generally at least 4-5 days)",
            excuses: [.garbled, .limit], profiles: senders),
        SenderRule(
            .greylistChangedTuple, .core, .reputation, needs: .crossSession,
            what: "Tries again from another network or with another envelope sender.",
            why: "Greylisting knows a sender by its address and envelope, so each change begins the wait anew and the "
                + "mail may never pass.",
            fix: "Let one host retry its own mail, and keep the envelope sender of a message for all its attempts.",
            citation: "RFC 6647 §2.4, §4.2, §5; Postfix POSTSCREEN_README (clients that retry from different "
                + "addresses)",
            excuses: .garbled, profiles: senders),
        SenderRule(
            .duplicateAfterAccept, .core, .must, needs: .crossSession,
            what: "Delivers a message again to a recipient for whom it was already accepted.",
            why: "With the 250 the receiver has the message and the responsibility for it, so whatever comes again "
                + "lands in the mailbox twice.",
            fix: "Remove a recipient from the queue as soon as the 250 to the end of the message is read, before "
                + "anything else is done.",
            citation: "RFC 5321 §4.2.5, §6.1 (receiver has taken responsibility); RFC 1047",
            excuses: [.garbled, .replyLost, .stalled]),
        SenderRule(
            .duplicateAfterLostReply, .core, .info, needs: .probe,
            what: "Sends a message whose reply was lost again under another Message-ID.",
            why: "Sending it again is right, but only an unchanged Message-ID lets the receiver see that both copies "
                + "are one message.",
            fix: "Create Message-ID and Date once, when the message is written, and keep them for every attempt.",
            citation: "RFC 5321 §4.5.3.2.6, §6.1; RFC 1047; RFC 5322 §3.6.4",
            excuses: .garbled),
        SenderRule(
            .partialAcceptResendAll, .core, .must, needs: .probe,
            what: "Names recipients that were served again when it retries for those that were refused.",
            why: "Each reply to RCPT stands for one recipient, and a retry for all of them gives those that were "
                + "served the message once more.",
            fix: "Keep the state of each recipient by itself, and retry only for those that got a 4yz.",
            citation: "RFC 5321 §4.2.5, §4.5.3.1.10 (only the refused addresses stay in the queue)",
            excuses: [.garbled, .replyLost, .stalled]),
        SenderRule(
            .mxNoFallback, .core, .must, needs: .probe,
            what: "Does not try another exchanger where the first one turned it away.",
            why: "A domain has several exchangers so that mail arrives while one of them is down or busy.",
            fix: "Go through the exchangers in their order, two at least, before the message goes back to the queue.",
            citation: "RFC 5321 §5.1 (MUST be able to try each address in order; SHOULD try at least two)",
            profiles: senders),
        SenderRule(
            .unknownUserRatio, .core, .reputation, needs: .crossSession,
            what: "Asks for too many recipients that do not exist.",
            why: "A high share of unknown recipients is how bought and harvested lists show, so receivers block "
                + "addresses by it.",
            fix: "Mail only to addresses that were confirmed, and remove those that are answered with 5.1.1.",
            citation: "Proximus e-mail rules (10 %); RFC 5321 §7.8",
            profiles: senders),
        SenderRule(
            .retryNoBackoff, .extra, .info, needs: .crossSession,
            what: "Tries again in intervals that never grow.",
            why: "The longer a server is away the longer it is likely to stay away, and steady attempts cost both "
                + "sides for nothing.",
            fix: "Let the intervals grow, to two or three hours after the first hour.",
            citation: "RFC 5321 §4.5.4.1 (two attempts in the first hour, then every two or three hours)",
            excuses: .garbled, profiles: senders),
        SenderRule(
            .partialAcceptAbandoned, .extra, .info, needs: .probe,
            what: "Drops the whole message when one of several recipients is refused.",
            why: "The refusal of one recipient says nothing of the others, and those that were accepted could have "
                + "had their mail at once.",
            fix: "Go on to DATA while at least one recipient was accepted, and report the refused ones by themselves.",
            citation: "RFC 5321 §3.3",
            excuses: .leaving),
        SenderRule(
            .mxWrongOrder, .extra, .must, needs: .probe,
            what: "Goes to a less preferred exchanger without a try at the better one.",
            why: "Backup exchangers often check less and queue longer, so receivers take senders that go there first "
                + "for spammers.",
            fix: "Sort the exchangers by their preference, the lowest number first.",
            citation: "RFC 5321 §5.1 (MX preference MUST be used in sorting)",
            profiles: senders),
        SenderRule(
            .deadAddressKept, .extra, .reputation, needs: .crossSession,
            what: "Keeps mailing an address that was refused as unknown again and again.",
            why: "Large providers turn abandoned addresses into traps, and mail to them counts against everything "
                + "else that the sender sends.",
            fix: "Take an address off all lists after its first few 5.1.1 replies.",
            citation: "Apple iCloud postmaster (policy for bouncing addresses); M3AAWG Sender BCP v3 (Feb 2015); "
                + "Yahoo letter of 2001",
            profiles: senders),
        SenderRule(
            .sameContentManyIps, .extra, .reputation, needs: .crossSession,
            what: "Sends one text from many addresses.",
            why: "Spreading a mailing over addresses is done to stay under the limits of each, and receivers put such "
                + "addresses together again by the content.",
            fix: "Send each stream of mail from one address, or a few, and raise its volume slowly.",
            citation: "Word to the Wise, Following the SMTP rules (2016)",
            profiles: senders),
        SenderRule(
            .returnPathInconsistent, .extra, .reputation, needs: .crossSession,
            what: "Uses ever other domains in the envelope for one domain in From.",
            why: "Receivers tie reputation to the domain of the return path, and one that keeps changing looks like "
                + "an attempt to have none.",
            fix: "Use one bounce domain for each domain that writes mail.",
            citation: "Word to the Wise, Following the SMTP rules (2016)",
            profiles: senders),
        SenderRule(
            .mail5yzCached, .extra, .must, needs: .probe,
            what: "Remembers a 5yz to MAIL and holds back the sender's other mail.",
            why: "A refusal of MAIL is about one transaction, and the next message of the same sender may be welcome.",
            fix: "Never carry a 5yz to MAIL over to another message.",
            citation: "RFC 5321 §4.5.4.1 (5yz responses to MAIL MUST NOT be cached)",
            judging: .never(
                because: "what a sender holds back never reaches a receiver; its own queue alone could show it")),
    ]
}
