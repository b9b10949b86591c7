// The header of messages: for each rule what breaks it, and what only looks like it.

import SMTP
import Testing

@testable import Findings

@Suite struct HeaderChecksTests {
    @Test func aCleanLetterKeepsWhatCanBeSeenInIt() {
        let states = Letter().judged.states
        for rule: RuleID in [
            .hdrMissingDate, .hdrMissingFrom, .hdrDuplicateField, .hdrFieldNameInvalid, .hdrLineWithoutColon,
            .hdrAddressSyntax, .hdrDisplayNameUnquoted, .hdrToMalformedUndisclosed, .hdrNoDestination, .hdrFromMany,
            .hdrDateSyntax, .hdrDateImpossible, .hdrDateSkew, .hdrDateObsolete, .hdrMessageIdMissing,
            .hdrMessageIdSyntax, .hdrMessageIdNoDomain, .hdrReturnPathPresent, .hdrSubjectMissing, .hdrDkimMissing,
            .hdrDkimInvalid, .hdrDkimBodyLength, .hdrMimeFieldDuplicate, .hdrStartsWithSpace, .hdrBlockTooLarge,
        ] {
            #expect(states[rule] == .kept, "\(rule.rawValue)")
        }
        for rule: RuleID in [
            .hdrMessageIdReused, .hdrEncodedWordSyntax, .hdrEncodedWordTooLong, .hdrEncodedWordMisplaced,
            .hdrEncodedWordSplitCharacter, .hdrListUnsubscribeMissing, .hdrListUnsubscribeSyntax, .hdrOneClickMissing,
            .hdrOneClickSyntax, .hdrOneClickNotSigned, .hdrFromNotAligned, .hdrArcBroken, .hdrSenderMissing,
            .hdrSenderRedundant, .hdrReceivedSyntax, .hdrResentIncomplete, .hdrBccLeak, .hdrAutoSubmittedMissing,
            .hdrListIdSyntax, .hdrTlsRequiredRepeated,
        ] {
            #expect(states[rule] == .notObserved, "\(rule.rawValue)")
        }
    }

    static let fields: [LetterCase] = [
        LetterCase("Date", nil, .hdrMissingDate),
        LetterCase("From", nil, .hdrMissingFrom),
        LetterCase("Message-ID", nil, .hdrMessageIdMissing),
        LetterCase("Subject", nil, .hdrSubjectMissing),
        LetterCase("Subject", " \r\n\t", .hdrSubjectMissing, .hdrBlankFold),
        LetterCase("Subject", "x"),
        LetterCase("To", nil, .hdrNoDestination),
        LetterCase("Cc in place of To") {
            $0.set("To", nil)
            $0.set("Cc", "bob@any.test")
        },
        LetterCase("names without regard to case") {
            $0.set("Date", nil)
            $0.set("dATE", "Mon, 21 Sep 2026 14:13:20 +0000")
        },
        LetterCase("two Subject", .hdrDuplicateField) { $0.fields.append("SUBJECT: b") },
        LetterCase("two References", .hdrDuplicateField) {
            $0.fields += ["References: <a@b.example>", "References: <c@b.example>"]
        },
        LetterCase("two of what may be repeated") {
            $0.fields += ["Comments: a", "Comments: b", "Keywords: a", "Keywords: b", "X-A: a", "X-A: b"]
        },
        LetterCase("space before the colon", .hdrFieldNameInvalid) { $0.fields.append("X-Note : b") },
        LetterCase("space inside a name", .hdrFieldNameInvalid) { $0.fields.append("Reply Notice: b") },
        LetterCase("no name", .hdrFieldNameInvalid) { $0.fields.append(": b") },
        LetterCase("a control character in a name", .hdrFieldNameInvalid, .dataControlCharacters) {
            $0.fields.append("X-\u{1}: b")
        },
        LetterCase("a letter outside ASCII in a name", .hdrFieldNameInvalid, .hdrRaw8bit) {
            $0.fields.append("Grüße: b")
        },
        LetterCase("odd marks in a name") { $0.fields.append("X_!#$%&'*+/=?^`{|}~.;: b") },
        LetterCase("a line without a colon", .hdrLineWithoutColon) { $0.fields.append("and so on") },
        LetterCase("text with a colon", .hdrLineWithoutColon) { $0.fields.append("and so on: more") },
        LetterCase("no blank line", .hdrLineWithoutColon) {
            $0.octets = Array(($0.fields.joined(separator: "\r\n") + "\r\nHello Bob\r\n\r\nmore\r\n").utf8)
        },
        LetterCase("white space first", .hdrStartsWithSpace) { $0.octets = Array(" X-A: b\r\n".utf8) + $0.content },
        LetterCase("TAB first", .hdrStartsWithSpace) { $0.octets = Array("\tX-A: b\r\n".utf8) + $0.content },
        LetterCase("two Content-Type", .hdrMimeFieldDuplicate) { $0.fields.append("content-type: text/html") },
        LetterCase("two MIME-Version", .hdrMimeFieldDuplicate) { $0.fields.append("MIME-Version: 1.0") },
        LetterCase("two in a part", .hdrMimeFieldDuplicate) {
            $0.set("Content-Type", "multipart/mixed; boundary=b")
            $0.body =
                "--b\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n--b--\r\n"
        },
        LetterCase("one in each part") {
            $0.set("Content-Type", "multipart/mixed; boundary=b")
            $0.body =
                "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"
        },
        LetterCase("a field of 33 kB", .hdrBlockTooLarge) {
            $0.set("X-Big", String(repeating: "word\r\n ", count: 5000) + "x")
        },
        LetterCase("a long To") { $0.set("To", String(repeating: "bob@any.test,\r\n ", count: 3000) + "bob@any.test") },
        LetterCase("5,001 fields", .hdrBlockTooLarge) {
            $0.fields += [String](repeating: "X-A: b", count: 5001 - $0.fields.count)
        },
        LetterCase("5,000 fields") { $0.fields += [String](repeating: "X-A: b", count: 5000 - $0.fields.count) },
        LetterCase("500 kB", .hdrBlockTooLarge) {
            $0.fields += [String](repeating: "X-A: " + String(repeating: "b", count: 70), count: 4990)
            $0.set("To", String(repeating: "bob@any.test,\r\n ", count: 10_000) + "bob@any.test")
        },
        LetterCase("a Message-ID of 501", .hdrBlockTooLarge, .hdrLineTooLong) {
            $0.set("Message-ID", "<" + String(repeating: "a", count: 985) + "@sender.example>")
        },
        LetterCase("a Message-ID of 500") {
            $0.set("Message-ID", "<" + String(repeating: "a", count: 483) + "@sender.example>")
        },
        LetterCase("Return-Path", "<ann@sender.example>", .hdrReturnPathPresent),
    ]

    static let addresses: [LetterCase] = [
        LetterCase("From", "ann@sender.example"),
        LetterCase("From", "<ann@sender.example>"),
        LetterCase("From", #""Author, Ann" <ann@sender.example>"#),
        LetterCase("From", #"Ann (of (all) people\)) <ann@sender.example> (really)"#),
        LetterCase("From", #""ann of"@sender.example"#),
        LetterCase("From", "ann+x=y/z!#$%&'*-?^_`{|}~@sender.example"),
        LetterCase("From", "a@[IPv6:::1]"),
        LetterCase("From", "a@b"),
        LetterCase("From", "=?utf-8?q?ACME=2C_Inc=2E?= <ann@sender.example>"),
        LetterCase("From", "Ann\r\n <ann@sender.example>"),
        LetterCase("From", "ann(c)@(c)sender.example"),
        LetterCase("To", "A: bob@any.test, Eve <eve@any.test>;, c@any.test"),
        LetterCase("To", "undisclosed-recipients:;"),
        LetterCase("To", "Undisclosed recipients: (none) ;"),
        LetterCase("Bcc", ""),
        LetterCase("From", "Bob <bob@example.org", .hdrAddressSyntax),
        LetterCase("From", "bob@example.org>", .hdrAddressSyntax),
        LetterCase("From", "Bob", .hdrAddressSyntax),
        LetterCase("From", "", .hdrAddressSyntax),
        LetterCase("From", "<>", .hdrAddressSyntax),
        LetterCase("From", "@", .hdrAddressSyntax),
        LetterCase("From", "bob@", .hdrAddressSyntax),
        LetterCase("From", "@example.org", .hdrAddressSyntax),
        LetterCase("From", "bob@@example.org", .hdrAddressSyntax),
        LetterCase("From", "bob smith@example.org", .hdrAddressSyntax),
        LetterCase("From", ".bob@example.org", .hdrAddressSyntax),
        LetterCase("From", "b..ob@example.org", .hdrAddressSyntax),
        LetterCase("From", "bob.@example.org", .hdrAddressSyntax),
        LetterCase("From", "bob@example.org.", .hdrAddressSyntax),
        LetterCase("From", "bob@exa mple.org", .hdrAddressSyntax),
        LetterCase("From", #""Bob <bob@example.org>"#, .hdrAddressSyntax),
        LetterCase("From", "Bob (never closed <bob@example.org>", .hdrAddressSyntax),
        LetterCase("From", "Bob <@a.example,@b.example:bob@example.org>", .hdrAddressSyntax),
        LetterCase("From", "bob@[192.0.2.1", .hdrAddressSyntax),
        LetterCase("Reply-To", "bob@example.org x", .hdrAddressSyntax),
        LetterCase("To", "bob@any.test,", .hdrAddressSyntax),
        LetterCase("To", "bob@any.test, , eve@any.test", .hdrAddressSyntax),
        LetterCase("To", ", bob@any.test", .hdrAddressSyntax),
        LetterCase("To", "bob@any.test; eve@any.test", .hdrAddressSyntax),
        LetterCase("To", "bob@any.test eve@any.test", .hdrAddressSyntax),
        LetterCase("To", "bob@any.test, Eve", .hdrAddressSyntax),
        LetterCase("To", "A: bob@any.test", .hdrAddressSyntax),
        LetterCase("To", "A: bob@any.test; eve@any.test", .hdrAddressSyntax),
        LetterCase("Cc", "<bob@any.test", .hdrAddressSyntax),
        LetterCase("Bcc", "x", .hdrAddressSyntax),
        LetterCase("From", "ACME, Inc. <ann@sender.example>", .hdrDisplayNameUnquoted),
        LetterCase("From", "ann@sender.example <ann@sender.example>", .hdrDisplayNameUnquoted),
        LetterCase("From", "[ACME] Ann <ann@sender.example>", .hdrDisplayNameUnquoted),
        LetterCase("From", "Re: Ann <ann@sender.example>", .hdrDisplayNameUnquoted),
        LetterCase("From", "Ann; Author <ann@sender.example>", .hdrDisplayNameUnquoted),
        LetterCase("From", #"Ann \Author <ann@sender.example>"#, .hdrDisplayNameUnquoted),
        LetterCase("From", "Ann A. Author <ann@sender.example>", .hdrDisplayNameUnquoted),
        LetterCase("From", #""Ann A. Author" <ann@sender.example>"#),
        LetterCase("To", "undisclosed-recipients", .hdrToMalformedUndisclosed),
        LetterCase("To", "undisclosed-recipients:", .hdrToMalformedUndisclosed),
        LetterCase("To", "Undisclosed recipients <>", .hdrToMalformedUndisclosed),
        LetterCase("To", "", .hdrToMalformedUndisclosed),
        LetterCase("Cc", "", .hdrToMalformedUndisclosed),
        LetterCase("Cc", "(nobody)", .hdrToMalformedUndisclosed),
        LetterCase("two authors, no Sender", .hdrFromMany, .hdrSenderMissing) {
            $0.set("From", "a@sender.example, b@sender.example")
        },
        LetterCase("two authors and a Sender", .hdrFromMany) {
            $0.set("From", "a@sender.example, b@sender.example")
            $0.set("Sender", "a@sender.example")
        },
        LetterCase("Sender", "c@sender.example, d@sender.example", .hdrSenderMissing),
        LetterCase("Sender", "Desk <ann@SENDER.example>", .hdrSenderRedundant),
        LetterCase("Sender", "Ann@sender.example"),
        LetterCase("Sender", "desk@sender.example"),
        LetterCase("Bcc", "secret@any.test", .hdrBccLeak),
        LetterCase("Bcc", "Bob <BOB@any.test>"),
        LetterCase("Bcc", "bob@any.test, secret@any.test", .hdrBccLeak),
        LetterCase("Bcc to two", .hdrBccLeak) {
            $0.set("Bcc", "bob@any.test")
            $0.recipients = ["bob@any.test", "eve@any.test"]
        },
        LetterCase("Apparently-To that shows all", .hdrBccLeak) {
            $0.set("Apparently-To", "eve@any.test, Zoe@any.test")
            $0.recipients = ["bob@any.test", "eve@any.test", "zoe@any.test"]
        },
        LetterCase("Apparently-To that shows who is in To") {
            $0.set("To", "bob@any.test, eve@any.test")
            $0.set("Apparently-To", "bob@any.test, eve@any.test")
            $0.recipients = ["bob@any.test", "eve@any.test"]
        },
        LetterCase("X-Envelope-To", "bob@any.test"),
    ]

    static let dates: [LetterCase] = [
        LetterCase("Date", "21 Sep 2026 14:13 +0000"),
        LetterCase("Date", "Mon,21 Sep 2026 14:13:20 +0000 (UTC (so to say))"),
        LetterCase("Date", "Mon, 21 Sep 2026\r\n\t14:13:60 -0000"),
        LetterCase("Date", "mon, 21 SEP 2026 23:13:20 +0900"),
        LetterCase("Date", "2026-09-21T14:13:20Z", .hdrDateSyntax),
        LetterCase("Date", "Mo, 21 Sep 2026 14:13:20 +0000", .hdrDateSyntax),
        LetterCase("Date", "Monday, 21 Sep 2026 14:13:20 +0000", .hdrDateSyntax),
        LetterCase("Date", "Mon 21 Sep 2026 14:13:20 +0000", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 September 2026 14:13:20 +0000", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20+0000", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20 +00:00", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 Sep 2026 4:13:20 +0000", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20 PM +0000", .hdrDateSyntax),
        LetterCase("Date", "Mon, Sep 21 2026 14:13:20 +0000", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20 +0000 x", .hdrDateSyntax),
        LetterCase("Date", "", .hdrDateSyntax),
        LetterCase("Date", "Tue, 21 Sep 2026 14:13:20 +0000", .hdrDateImpossible),
        LetterCase("Date", "31 Sep 2026 14:13:20 +0000", .hdrDateImpossible),
        LetterCase("Date", "29 Feb 2026 14:13:20 +0000", .hdrDateImpossible),
        LetterCase("Date", "0 Sep 2026 14:13:20 +0000", .hdrDateImpossible),
        LetterCase("Date", "21 Sep 2026 24:13:20 +0000", .hdrDateImpossible),
        LetterCase("Date", "21 Sep 2026 14:60:20 +0000", .hdrDateImpossible),
        LetterCase("Date", "21 Sep 2026 14:13:61 +0000", .hdrDateImpossible),
        LetterCase("Date", "21 Sep 2026 14:13:20 +0160", .hdrDateImpossible),
        LetterCase("Date", "21 Sep 0026 14:13:20 +0000", .hdrDateImpossible),
        LetterCase("Date", "Mon, 21 Sep 26 14:13:20 +0000", .hdrDateObsolete),
        LetterCase("Date", "Mon, 21 Sep 126 14:13:20 +0000", .hdrDateObsolete),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20 GMT", .hdrDateObsolete),
        LetterCase("Date", "Mon, 21 Sep 2026 09:13:20 EST", .hdrDateObsolete),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20 Z", .hdrDateObsolete),
        LetterCase("Date", "Mon, 21 Sep 2026 14:13:20 UTC", .hdrDateSyntax),
        LetterCase("Date", "Mon, 21 (day) Sep 2026 14:13:20 +0000", .hdrDateObsolete),
        LetterCase("Date", "Mon, 21 Sep 2026 14 : 13:20 +0000", .hdrDateObsolete),
        LetterCase("Date", "23 Sep 2026 14:13:20 +0000"),
        LetterCase("Date", "23 Sep 2026 14:13:21 +0000", .hdrDateSkew),
        LetterCase("Date", "6 Sep 2026 14:13:20 +0000"),
        LetterCase("Date", "6 Sep 2026 14:13:19 +0000", .hdrDateSkew),
        LetterCase("Date", "6 Sep 2026 14:13:20 +0100", .hdrDateSkew),
        LetterCase("Date", "1 Jan 2038 00:00:00 +0000", .hdrDateSkew),
        LetterCase("Date", "29 Feb 2024 00:00:00 +0000", .hdrDateSkew),
    ]

    static let ids: [LetterCase] = [
        LetterCase("Message-ID", "<a.b+c@[192.0.2.1]>"),
        LetterCase("Message-ID", "(c) <a@sender.example> (c)"),
        LetterCase("Message-ID", "4711@sender.example", .hdrMessageIdSyntax),
        LetterCase("Message-ID", "<4711>", .hdrMessageIdSyntax),
        LetterCase("Message-ID", "<47 11@sender.example>", .hdrMessageIdSyntax),
        LetterCase("Message-ID", "<4711@sender.example", .hdrMessageIdSyntax),
        LetterCase("Message-ID", "<4711@sender@example>", .hdrMessageIdSyntax),
        LetterCase("Message-ID", "<4711.@sender.example>", .hdrMessageIdSyntax),
        LetterCase("Message-ID", "<a@sender.example> <b@sender.example>", .hdrMessageIdSyntax),
        LetterCase("Message-ID", #"<"a b"@sender.example>"#, .hdrMessageIdSyntax),
        LetterCase("Message-ID", "", .hdrMessageIdSyntax),
        LetterCase("References", "<a@b.example>\r\n <c@b.example>"),
        LetterCase("References", "<a@b.example>, <c@b.example>", .hdrMessageIdSyntax),
        LetterCase("References", "", .hdrMessageIdSyntax),
        LetterCase("In-Reply-To", "<a@b.example>"),
        LetterCase("In-Reply-To", "your message of Monday", .hdrMessageIdSyntax),
        LetterCase("Message-ID", "<a@localhost>", .hdrMessageIdNoDomain),
        LetterCase("Message-ID", "<a@mail.local>", .hdrMessageIdNoDomain),
        LetterCase("Message-ID", "<a@192.0.2.1>", .hdrMessageIdNoDomain),
        LetterCase("Message-ID", "<a@local.example>"),
        LetterCase("Message-ID", "<a@192.0.2.example>"),
        // In-Reply-To is of somebody else's making.
        LetterCase("In-Reply-To", "<a@localhost>"),
    ]

    static let words: [LetterCase] = [
        LetterCase("Subject", "=?utf-8?q?gr=C3=BCn?= =?ISO-8859-1*de?B?Z3L8bg==?= and more"),
        LetterCase("Subject", "what =? is this ?="),
        LetterCase("Subject", "a=?b, is it?"),
        LetterCase("Subject", "=?utf-8?Q?gr\u{fc}n?=", .hdrEncodedWordSyntax, .hdrRaw8bit),
        LetterCase("Subject", "=?utf-8?Q?gr n?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?Q?gr=C3=BXn?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?Q?gr=C?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?Q?why?not?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?Q??=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?X?abc?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?B?Z3L8b?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?B?Z3L8bg=?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?B?Z=L8?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=??Q?abc?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf 8?Q?abc?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?gr=C3=BCn?=", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?Q?never closed", .hdrEncodedWordSyntax),
        LetterCase("From", "=?utf-8?Q?ACME,_Inc?= <ann@sender.example>", .hdrEncodedWordSyntax),
        LetterCase("Subject", "=?utf-8?Q?ACME,_(Inc.)?="),
        LetterCase("Subject", "=?utf-8?Q?" + String(repeating: "a", count: 64) + "?=", .hdrEncodedWordTooLong),
        LetterCase("Subject", "a\r\n =?utf-8?Q?" + String(repeating: "a", count: 63) + "?="),
        // Lines of 77 and 76, with the name of the field.
        LetterCase("Subject", String(repeating: "a", count: 54) + " =?utf-8?q?a?=", .hdrEncodedWordTooLong),
        LetterCase("Subject", String(repeating: "a", count: 53) + " =?utf-8?q?a?="),
        LetterCase("From", "\"=?utf-8?q?J=C3=B6?=\" <ann@sender.example>", .hdrEncodedWordMisplaced),
        LetterCase("From", "=?utf-8?q?J=C3=B6?=<ann@sender.example>", .hdrEncodedWordMisplaced),
        LetterCase("From", "Ann <ann@sender.example> (=?utf-8?q?J=C3=B6?=)"),
        LetterCase("From", "=?utf-8?q?J=C3=B6?= Ann <ann@sender.example>"),
        LetterCase("Subject", "Re:=?utf-8?q?J=C3=B6?=", .hdrEncodedWordMisplaced),
        LetterCase("Subject", "=?utf-8?q?J=C3=B6?=!", .hdrEncodedWordMisplaced),
        LetterCase("Subject", "=?utf-8?q?J=C3=B6?==?utf-8?q?J=C3=B6?=", .hdrEncodedWordMisplaced),
        LetterCase("Subject", "Re: =?utf-8?q?J=C3=B6?= \r\n =?utf-8?q?J=C3=B6?="),
        LetterCase("Content-Disposition", "attachment; filename=\"=?utf-8?q?J=C3=B6?=\"", .hdrEncodedWordMisplaced),
        LetterCase("in a part", .hdrEncodedWordMisplaced) {
            $0.set("Content-Type", "multipart/mixed; boundary=b")
            $0.body = "--b\r\nContent-Type: text/plain; name=\"=?utf-8?q?J=C3=B6?=\"\r\n\r\nx\r\n--b--\r\n"
        },
        LetterCase("Content-Description", "=?utf-8?q?J=C3=B6?="),
        LetterCase("X-Anything", "\"=?utf-8?q?J=C3=B6?=\""),
        LetterCase("Subject", "=?utf-8?B?ww==?= =?utf-8?B?vA==?=", .hdrEncodedWordSplitCharacter),
        LetterCase("Subject", "=?utf-8?q?J=C3?=\r\n =?UTF-8?Q?=B6?=", .hdrEncodedWordSplitCharacter),
        LetterCase("Subject", "=?utf-8?q?J=C3?= x =?UTF-8?Q?=B6?="),
        LetterCase("Subject", "=?utf-8?B?w7w=?= =?utf-8?B?w7w=?="),
        LetterCase("Subject", "=?iso-8859-1?q?J=C3?= =?iso-8859-1?q?=B6?="),
    ]

    private static let bulk = "<https://sender.example/u/1>, <mailto:u@sender.example>"
    private static let oneClick = "List-Unsubscribe=One-Click"

    static let lists: [LetterCase] = [
        LetterCase("List-Id, nothing else", .hdrListUnsubscribeMissing) {
            $0.set("List-Id", "News <news.sender.example>")
        },
        LetterCase("Precedence", "Bulk", .hdrListUnsubscribeMissing),
        LetterCase("Feedback-ID", "1:2:3:sender", .hdrListUnsubscribeMissing),
        LetterCase("Precedence", "first-class"),
        LetterCase("profile bulk", .hdrListUnsubscribeMissing) { $0.profile = .bulk },
        LetterCase("an automatic reply is no bulk") {
            $0.set("Precedence", "bulk")
            $0.set("Auto-Submitted", "auto-replied")
        },
        LetterCase("a bounce is no bulk") {
            $0.set("Precedence", "bulk")
            $0.set("Auto-Submitted", "no")
            $0.reversePath.address = []
        },
        LetterCase("all that bulk mail needs") {
            $0.set("List-Id", "News <news.sender.example>")
            $0.set("List-Unsubscribe", bulk)
            $0.set("List-Unsubscribe-Post", oneClick)
        },
        LetterCase("bulk without one-click", .hdrOneClickMissing) {
            $0.set("Precedence", "list")
            $0.set("List-Unsubscribe", bulk)
        },
        LetterCase("bulk with mailto alone") {
            $0.set("Precedence", "list")
            $0.set("List-Unsubscribe", "<mailto:u@sender.example>")
        },
        LetterCase(
            "List-Unsubscribe", "(a way out) <https://sender.example/u/1>\r\n (c), <mailto:u@sender.example> (c)"),
        LetterCase("List-Unsubscribe", "https://sender.example/u", .hdrListUnsubscribeSyntax),
        LetterCase("List-Unsubscribe", "<https://sender.example/a b>", .hdrListUnsubscribeSyntax),
        LetterCase("List-Unsubscribe", "<https://sender.example/\r\n a>", .hdrListUnsubscribeSyntax),
        LetterCase(
            "List-Unsubscribe", "<https://sender.example/a> <mailto:u@sender.example>", .hdrListUnsubscribeSyntax),
        LetterCase("List-Unsubscribe", "<https://sender.example/a>,", .hdrListUnsubscribeSyntax),
        LetterCase("List-Unsubscribe", "<https://sender.example/a", .hdrListUnsubscribeSyntax),
        LetterCase("List-Unsubscribe", "", .hdrListUnsubscribeSyntax),
        LetterCase("List-Unsubscribe", "<tel:+4912345>", .hdrListUnsubscribeSyntax),
        LetterCase("two List-Unsubscribe", .hdrListUnsubscribeSyntax) {
            $0.fields += ["List-Unsubscribe: " + bulk, "List-Unsubscribe: " + bulk]
        },
        LetterCase("another value", .hdrOneClickSyntax) {
            $0.set("List-Unsubscribe", bulk)
            $0.set("List-Unsubscribe-Post", "One-Click")
        },
        LetterCase("small letters", .hdrOneClickSyntax) {
            $0.set("List-Unsubscribe", bulk)
            $0.set("List-Unsubscribe-Post", "list-unsubscribe=one-click")
        },
        LetterCase("two https URIs", .hdrOneClickSyntax) {
            $0.set("List-Unsubscribe", "<https://sender.example/1>, <https://sender.example/2>")
            $0.set("List-Unsubscribe-Post", oneClick)
        },
        LetterCase("http alone", .hdrOneClickSyntax) {
            $0.set("List-Unsubscribe", "<http://sender.example/1>")
            $0.set("List-Unsubscribe-Post", oneClick)
        },
        LetterCase("List-Unsubscribe-Post", oneClick, .hdrOneClickSyntax),
        LetterCase("one-click that is not signed", .hdrOneClickNotSigned) {
            $0.set("List-Unsubscribe", bulk)
            $0.set("List-Unsubscribe-Post", oneClick)
            $0.fields[0] = $0.fields[0].replacing(":list-unsubscribe-post", with: "")
        },
        LetterCase("List-Id", "news", .hdrListIdSyntax, .hdrListUnsubscribeMissing),
        LetterCase("List-Id", "<news>", .hdrListIdSyntax, .hdrListUnsubscribeMissing),
        LetterCase("List-Id", "<news.sender.example> x", .hdrListIdSyntax, .hdrListUnsubscribeMissing),
        LetterCase("List-Id", "<news..example>", .hdrListIdSyntax, .hdrListUnsubscribeMissing),
        LetterCase(
            "List-Id", "<a." + String(repeating: "b", count: 254) + ">", .hdrListIdSyntax, .hdrListUnsubscribeMissing),
        LetterCase("List-Id", "\"<a> b\" (<c>) <news.localhost> (d)", .hdrListUnsubscribeMissing),
        LetterCase("two List-Id", .hdrListIdSyntax, .hdrListUnsubscribeMissing) {
            $0.fields += ["List-Id: <a.b>", "List-Id: <a.b>"]
        },
        LetterCase("null sender", .hdrAutoSubmittedMissing) { $0.reversePath.address = [] },
        LetterCase("a bounce says what it is") {
            $0.reversePath.address = []
            $0.set("Content-Type", "multipart/report; report-type=delivery-status; boundary=b")
        },
        LetterCase("null sender with Auto-Submitted") {
            $0.reversePath.address = []
            $0.set("Auto-Submitted", "auto-generated")
        },
        LetterCase("Subject", "Out of Office", .hdrAutoSubmittedMissing),
        LetterCase("Subject", "Automatic reply: Your invoice", .hdrAutoSubmittedMissing),
        LetterCase("Subject", "Out of office hours in July"),
        LetterCase("X-Autoreply", "yes", .hdrAutoSubmittedMissing),
        LetterCase("Precedence", "auto_reply", .hdrAutoSubmittedMissing),
    ]

    private static func dkim(_ from: String, _ to: String, _ rules: RuleID...) -> LetterCase {
        let name = "DKIM: \(from) is \(to)"
        let change: @Sendable (inout Letter) -> Void = { $0.fields[0] = $0.fields[0].replacing(from, with: to) }
        switch rules.count {
        case 0: return LetterCase(name, change: change)
        default: return LetterCase(name, rules[0], change: change)
        }
    }

    static let signatures: [LetterCase] = [
        LetterCase("DKIM-Signature", nil, .hdrDkimMissing),
        LetterCase("none on submission") {
            $0.set("DKIM-Signature", nil)
            $0.isSubmission = true
        },
        dkim("v=1; ", "", .hdrDkimInvalid), dkim("v=1", "v=2", .hdrDkimInvalid),
        dkim("a=rsa-sha256; ", "", .hdrDkimInvalid), dkim("rsa-sha256", "rsa-sha1", .hdrDkimInvalid),
        dkim("rsa-sha256", "rsa-md5", .hdrDkimInvalid), dkim("rsa-sha256", "ed25519-sha256"),
        dkim("d=sender.example; ", "", .hdrDkimInvalid), dkim("d=sender.example", "d=sender..example", .hdrDkimInvalid),
        dkim("s=k1; ", "", .hdrDkimInvalid), dkim("h=from:", "h=", .hdrDkimInvalid),
        dkim("h=from:", "h=Subject : From :"),
        dkim("bh=47DEQ", "bh=47DE", .hdrDkimInvalid), dkim("bh=47DEQ", "bh=47DE!", .hdrDkimInvalid),
        dkim("bh=47DEQ", "bh=47 DE\r\n Q"), dkim("b=QUJD", "b=QU", .hdrDkimInvalid),
        dkim("s=k1", "s=k1; s=k2", .hdrDkimInvalid),
        dkim("s=k1", "s=k1; nonsense", .hdrDkimInvalid), dkim("s=k1", "s=k1; unknown=tag"),
        dkim("s=k1", "s=k1; i=@mail.Sender.example"), dkim("s=k1", "s=k1; i=a@mailsender.example", .hdrDkimInvalid),
        dkim("s=k1", "s=k1; x=1790000001"), dkim("t=1790000000", "t=1780000000; x=1789999999", .hdrDkimInvalid),
        dkim("s=k1", "s=k1; x=1790000000", .hdrDkimInvalid), dkim("s=k1", "s=k1; x=soon", .hdrDkimInvalid),
        dkim("s=k1", "s=k1; l=512", .hdrDkimBodyLength), dkim("s=k1", "s=k1; z=From:l=5"),
    ]

    private static func arc(_ instance: Int, _ cv: String, without: Int? = nil) -> [String] {
        let set = [
            "ARC-Seal: i=\(instance); a=rsa-sha256; cv=\(cv);\r\n d=f.example; s=k; b=QUJD",
            "ARC-Message-Signature: i=\(instance); a=rsa-sha256;\r\n d=f.example; s=k; h=from; bh=QUJD; b=QUJD",
            "ARC-Authentication-Results: i=\(instance); f.example; dkim=pass",
        ]
        return set.enumerated().filter { $0.offset != without }.map(\.element)
    }

    static let traces: [LetterCase] = [
        LetterCase("one ARC set") { $0.fields += arc(1, "none") },
        LetterCase("two ARC sets") { $0.fields += arc(2, "pass") + arc(1, "none") },
        LetterCase("no set 1", .hdrArcBroken) { $0.fields += arc(2, "pass") },
        LetterCase("a gap", .hdrArcBroken) { $0.fields += arc(3, "pass") + arc(1, "none") },
        LetterCase("a set without its seal", .hdrArcBroken) { $0.fields += arc(1, "none", without: 0) },
        LetterCase("a set without its results", .hdrArcBroken) { $0.fields += arc(1, "none", without: 2) },
        LetterCase("two of a kind", .hdrArcBroken) { $0.fields += arc(1, "none") + arc(1, "none", without: 0) },
        LetterCase("cv=pass at the beginning", .hdrArcBroken) { $0.fields += arc(1, "pass") },
        LetterCase("cv=none later", .hdrArcBroken) { $0.fields += arc(2, "none") + arc(1, "none") },
        LetterCase("cv=maybe", .hdrArcBroken) { $0.fields += arc(2, "maybe") + arc(1, "none") },
        LetterCase("i=51", .hdrArcBroken) { $0.fields += (2...51).flatMap { arc($0, "pass") } + arc(1, "none") },
        LetterCase("i=50") { $0.fields += (2...50).flatMap { arc($0, "pass") } + arc(1, "none") },
        LetterCase("i=0", .hdrArcBroken) { $0.fields += arc(0, "none") },
        LetterCase(
            "Received",
            "from app.sender.example ([203.0.113.5])\r\n by mta1.sender.example with ESMTPS id 1;\r\n"
                + " Mon, 21 Sep 2026 14:13:20 +0000 (UTC)"
        ),
        LetterCase("Received", "by mta1.sender.example (x; y) id 1; Mon, 21 Sep 2026 14:13:20 +0000"),
        LetterCase("Received", "from app", .hdrReceivedSyntax),
        LetterCase("Received", "from app (by x); Mon, 21 Sep 2026 14:13:20 +0000", .hdrReceivedSyntax),
        LetterCase("Received", "by mta1.sender.example id 1", .hdrReceivedSyntax),
        LetterCase("Received", "by mta1.sender.example id 1; today", .hdrReceivedSyntax),
        LetterCase("Received", "by mta1.sender.example id 1; Mon, 21 Sep 2026 14:13:20 GMT", .hdrReceivedSyntax),
        LetterCase("Received", "by mta1.sender.example id 1; Tue, 21 Sep 2026 14:13:20 +0000", .hdrReceivedSyntax),
        LetterCase("a bad Received below a good one") {
            $0.fields += ["Received: by a.example; Mon, 21 Sep 2026 14:13:20 +0000", "Received: from app"]
        },
        LetterCase("Received", "by =?utf-8?q?a?= id 1; 21 Sep 2026 14:13:20 +0000", .hdrEncodedWordMisplaced),
        LetterCase("Resent-To", "x@any.test", .hdrResentIncomplete),
        LetterCase("Resent without a date", .hdrResentIncomplete) {
            $0.fields += ["Resent-From: x@any.test", "Resent-To: y@any.test"]
        },
        LetterCase("Resent, whole") {
            $0.fields += [
                "Resent-To: y@any.test", "Resent-From: x@any.test", "Resent-Date: 21 Sep 2026 14:13:20 +0000",
            ]
        },
        LetterCase("one block whole, one not", .hdrResentIncomplete) {
            $0.fields += [
                "Resent-From: x@any.test", "X-A: b", "Resent-From: x@any.test",
                "Resent-Date: 21 Sep 2026 14:13:20 +0000",
            ]
        },
        LetterCase("TLS-Required", "No"),
        LetterCase("TLS-Required", "Yes", .hdrTlsRequiredRepeated),
        LetterCase("two TLS-Required", .hdrTlsRequiredRepeated) {
            $0.fields += ["TLS-Required: No", "TLS-Required: No"]
        },
    ]

    @Test(arguments: fields + addresses) func fieldsAndAddresses(_ test: LetterCase) {
        #expect(Set(test.letter.broken) == Set(test.rules))
    }

    @Test(arguments: dates + ids) func datesAndIDs(_ test: LetterCase) {
        #expect(Set(test.letter.broken) == Set(test.rules))
    }

    @Test(arguments: words + lists) func wordsAndLists(_ test: LetterCase) {
        #expect(Set(test.letter.broken) == Set(test.rules))
    }

    @Test(arguments: signatures + traces) func signaturesAndTraces(_ test: LetterCase) {
        #expect(Set(test.letter.broken) == Set(test.rules))
    }

    /// Each rule of the two layers is broken by some case here or beside it, but for those that take more than a
    /// message.
    @Test func everyRuleHasACase() {
        let elsewhere: Set<RuleID> = [
            .dataHangupBeforeReply, .dataFinalTimeoutShort, .dataTrickle, .hdrMessageIdReused, .hdrFromNotAligned,
        ]
        let cases = Self.fields + Self.addresses + Self.dates + Self.ids + Self.words + Self.lists + Self.signatures
        let broken = Set((cases + Self.traces + DataChecksTests.cases).flatMap(\.rules))
        for rule in SenderRules.data + SenderRules.header where !elsewhere.contains(rule.id) {
            #expect(broken.contains(rule.id), "\(rule.id.rawValue)")
        }
    }

    // MARK: Severity and evidence

    private func finding(_ rule: RuleID, _ change: (inout Letter) -> Void) throws -> Finding {
        var letter = Letter()
        letter.profile = .mx
        change(&letter)
        return try #require(letter.judged.findings.first { $0.rule == rule })
    }

    @Test func aDotInANameIsForInformation() throws {
        let dot = try finding(.hdrDisplayNameUnquoted) { $0.set("From", "Ann A. Author <ann@sender.example>") }
        #expect(dot.severity == .info)
        #expect(dot.reason?.contains("RFC 5322 §4.1") == true)
        let comma = try finding(.hdrDisplayNameUnquoted) { $0.set("From", "Author, Ann <ann@sender.example>") }
        #expect(comma.severity == .must)
    }

    @Test func aSubmissionServerMayAddWhatIsMissing() throws {
        #expect(try finding(.hdrMissingDate) { $0.set("Date", nil) }.severity == .must)
        let submitted = try finding(.hdrMissingDate) {
            $0.set("Date", nil)
            $0.isSubmission = true
        }
        #expect(submitted.severity == .should)
        #expect(submitted.reason != nil)
    }

    @Test func thisMachineMayHaveNoBetterName() throws {
        let local = try finding(.hdrMessageIdNoDomain) {
            $0.set("Message-ID", "<a@localhost>")
            $0.isLocalPeer = true
        }
        #expect(local.severity == .info)
        #expect(try finding(.hdrMessageIdNoDomain) { $0.set("Message-ID", "<a@localhost>") }.severity == .should)
    }

    @Test func evidenceIsTheFieldOrItsPart() throws {
        var letter = Letter()
        letter.set("To", "bob@any.test, Eve <eve@any.test")
        letter.profile = .mx
        let finding = try #require(letter.judged.findings.first { $0.rule == .hdrAddressSyntax })
        let range = try #require(finding.evidence[0].range)
        #expect(String(decoding: letter.content[range], as: UTF8.self) == "<eve@any.test")
        #expect(finding.saw == "<eve@any.test")
    }

    /// Whoever is cut off before the end of the header is not told that something is missing.
    @Test func nothingIsMissingFromAHeaderThatWasNotReadToItsEnd() {
        var letter = Letter()
        letter.octets = Array(String(repeating: "X-A: b\r\n", count: MessageScan.fieldLimit + 1).utf8) + letter.content
        let broken = letter.broken
        #expect(broken == [.hdrBlockTooLarge])
    }

    /// Long rows of whatever the grammars look at: nothing traps, and nothing is read past its end.
    @Test(arguments: [
        "(", ")", "<", "\"", "\\", "=?", "=?a?q?", "=?utf-8?q?=C3?= ", "=?a?b", "a@b,", "a:", ";", "=?a,", "<a@b>",
        "a=b;",
        "i=1;", "@", ".", "[", "a ", ":", "\r\n ", "<https:x>,", "(a)",
    ])
    func hostileFields(_ text: String) {
        for count in [1, 2, 50, 500] {
            for name in [
                "From", "To", "Bcc", "Subject", "Date", "Message-ID", "References", "Received", "DKIM-Signature",
                "ARC-Seal", "List-Unsubscribe", "List-Id", "Content-Type", "Apparently-To",
            ] {
                var letter = Letter()
                letter.set(name, String(repeating: text, count: count))
                letter.recipients.append("eve@any.test")
                let octets = letter.content
                for finding in letter.judged.findings {
                    for evidence in finding.evidence {
                        #expect((evidence.range?.upperBound ?? 0) <= octets.count, "\(name) \(finding.rule)")
                    }
                }
            }
        }
    }
}
