// The rules of the layer message-header: what they are called, how grave they are, where they are written down. No
// fault of the sink changes what stands in a header, so few rules have an excuse: where a client out of step may have
// sent something that was to be no message.

extension SenderRules {
    static let header: [SenderRule] = [
        SenderRule(
            .hdrMissingDate, .core, .must, needs: .wire,
            what: "Sends a message without a Date field.",
            why: "Date is one of two fields that every message must have; without it mail is refused or counted as "
                + "junk, and shown at a wrong place.",
            fix: "Write a Date field with the time at which the message was made.",
            citation: "RFC 5322 §3.6, §3.6.1; WEB.DE and GMX", excuses: .garbled),
        SenderRule(
            .hdrMissingFrom, .core, .must, needs: .wire,
            what: "Sends a message without a From field.",
            why: "From is who the reader sees and what DMARC is about; large receivers refuse mail without it.",
            fix: "Write a From field with the mailbox of the author.",
            citation: "RFC 5322 §3.6, §3.6.2; Gmail SMTP error reference", excuses: .garbled),
        SenderRule(
            .hdrDuplicateField, .core, .must, needs: .wire,
            what: "Sends a field more than once that may occur once.",
            why: "Filter, signature and reader may each take another of the two, which is a known trick; Gmail and "
                + "others refuse it.",
            fix: "Write each of these fields once; set a field instead of adding it.",
            citation: "RFC 5322 §3.6 (table); RFC 7103 §7.5; Gmail on duplicate headers; WEB.DE and GMX"),
        SenderRule(
            .hdrFieldNameInvalid, .core, .must, needs: .wire,
            what: "Writes a field name with a space, a control character or a letter outside ASCII.",
            why: "Such a name is read differently by each program: as another field, as text, or as the end of the "
                + "header.",
            fix: "Use printable ASCII for the name, and put the colon right behind it.",
            citation: "RFC 5322 §2.2, §3.6.8, §3.1, §4.5; RFC 7103 §7.4; Exim verify=header_names_ascii"),
        SenderRule(
            .hdrLineWithoutColon, .core, .must, needs: .wire,
            what: "Has a line in the header that is neither a field nor a folded one.",
            why: "Many readers end the header there, so that all fields below become text, those that matter for "
                + "trust too.",
            fix: "Begin folded lines with a space, and put a blank line between header and body.",
            citation: "RFC 5322 §2.2, §2.2.3, §3.5; RFC 7103 §7.2", excuses: .garbled),
        SenderRule(
            .hdrBlankFold, .core, .must, needs: .wire,
            what: "Folds a field into a line of white space alone.",
            why: "Servers that remove white space at the end of lines make a blank line of it, which ends the "
                + "header in the middle.",
            fix: "Never leave a folded line blank: fold in front of text.",
            citation: "RFC 5322 §3.2.2"),
        SenderRule(
            .hdrLineTooLong, .core, .must, needs: .wire,
            what: "Sends a header line of more than 998 octets.",
            why: "Servers may refuse or cut longer lines; what is cut is a recipient, a signature or a subject.",
            fix: "Fold long fields, lists of addresses behind a comma.",
            citation: "RFC 5322 §2.1.1, §2.2.3; RFC 6532 §3.4"),
        SenderRule(
            .hdrRaw8bit, .core, .must, needs: .wire,
            what: "Writes octets above 127 into a header without SMTPUTF8.",
            why: "Outside SMTPUTF8 a header is ASCII: without a charset readers guess, and strict servers refuse.",
            fix: "Write encoded-words (RFC 2047), or RFC 2231 in parameters, or ask for SMTPUTF8.",
            citation: "RFC 5322 §2.2; RFC 6532 §3; RFC 6531 §3.2, §3.4; Postfix strict_7bit_headers"),
        SenderRule(
            .hdrAddressSyntax, .core, .must, needs: .wire,
            what: "Writes an address field that does not follow the grammar.",
            why: "A reader cannot reply to what it cannot parse, and filters take a malformed From or To for a "
                + "sign of spam; some servers refuse it.",
            fix: "Write addresses as name <local@domain>, with commas between them and none at the end.",
            citation: "RFC 5322 §3.4, §3.4.1, §3.6.2, §3.6.3; RFC 7103 §7.1; WEB.DE and GMX"),
        SenderRule(
            .hdrDisplayNameUnquoted, .core, .must, needs: .wire,
            what: "Writes a display name with special characters that is not in quotes.",
            why: "A comma, bracket or at-sign in a bare name splits the field: readers see other senders and "
                + "recipients than were meant.",
            fix: "Put such a display name in double quotes, or encode it (RFC 2047).",
            citation: "RFC 5322 §3.2.3, §3.2.4, §3.4; RFC 7103 §7.1.5"),
        SenderRule(
            .hdrToMalformedUndisclosed, .core, .must, needs: .wire,
            what: "Writes To or Cc empty, or with text that is no address.",
            why: "Empty and made-up recipients are refused by strict servers and count as a sign of spam.",
            fix: "Leave the field out, or write the empty group: undisclosed-recipients:;",
            citation: "RFC 5322 §3.4 (group), §3.6.3"),
        SenderRule(
            .hdrNoDestination, .core, .reputation, needs: .wire,
            what: "Sends a message without To, Cc and Bcc.",
            why: "Mail that names nobody looks like a mass mailing; filters give points for it.",
            fix: "Write the recipient into To, or undisclosed-recipients:; when there are many.",
            citation: "RFC 5322 §3.6 (optional); rspamd MISSING_TO", excuses: .garbled),
        SenderRule(
            .hdrFromMany, .core, .reputation, needs: .wire,
            what: "Names more than one mailbox in From.",
            why: "DMARC cannot be applied to several authors; Gmail refuses such mail, and others treat it as "
                + "suspicious.",
            fix: "Name one mailbox in From.",
            citation: "RFC 5322 §3.6.2; RFC 7489 §6.6.1; Gmail SMTP error reference"),
        SenderRule(
            .hdrDateSyntax, .core, .must, needs: .wire,
            what: "Writes a date that does not follow the grammar.",
            why: "Readers sort by Date and filters check it; a date that cannot be read is as bad as none.",
            fix: "Write it as Tue, 7 Oct 2025 10:00:00 +0200, with English names whatever the locale.",
            citation: "RFC 5322 §3.3; WEB.DE and GMX"),
        SenderRule(
            .hdrDateImpossible, .core, .must, needs: .wire,
            what: "Writes a date that does not exist.",
            why: "A date must mean something: a 31 February or a wrong weekday shows that the date was made up.",
            fix: "Let the date be formatted by a library from one point in time.",
            citation: "RFC 5322 §3.3"),
        SenderRule(
            .hdrDateSkew, .core, .reputation, needs: .wire,
            what: "Writes a date that is far from the time of arrival.",
            why: "Old and future dates are used to get to the end of a mailbox; filters hold them against a message.",
            fix: "Set the clock, and write the time at which this message was made, not that of a template.",
            citation: "RFC 5322 §3.6.1; Haraka headers plugin (2 days ahead, 15 days behind)"),
        SenderRule(
            .hdrMessageIdMissing, .core, .should, needs: .wire,
            what: "Sends a message without a Message-ID.",
            why: "Replies, bounces and complaints cannot be joined to the message, and filters count a missing id "
                + "against it.",
            fix: "Write a fresh Message-ID under a domain of your own.",
            citation: "RFC 5322 §3.6.4; rspamd MISSING_MID", excuses: .garbled),
        SenderRule(
            .hdrMessageIdSyntax, .core, .must, needs: .wire,
            what: "Writes a Message-ID, In-Reply-To or References that does not follow the grammar.",
            why: "Readers join conversations by these ids; one that is malformed is ignored, rewritten or taken "
                + "for junk.",
            fix: "Write <left@right> with no spaces inside, and white space alone between several.",
            citation: "RFC 5322 §3.6.4"),
        SenderRule(
            .hdrMessageIdReused, .core, .must, needs: .crossSession,
            what: "Uses one Message-ID for different messages.",
            why: "Servers and readers take the second message with an id for a copy of the first and may hide or "
                + "drop it.",
            fix: "Make a new Message-ID for every message; keep it only when the same message is tried again.",
            citation: "RFC 5322 §3.6.4 (identifier pertains to exactly one version)"),
        SenderRule(
            .hdrEncodedWordSyntax, .core, .must, needs: .wire,
            what: "Writes an encoded-word that does not follow the grammar.",
            why: "A reader shows a malformed encoded-word as it stands, so the recipient sees a riddle in place of "
                + "the subject.",
            fix: "Let a library encode; no spaces inside, B or Q, and a known charset.",
            citation: "RFC 2047 §2, §4.1, §4.2, §5, §7"),
        SenderRule(
            .hdrEncodedWordTooLong, .core, .must, needs: .wire,
            what: "Writes an encoded-word over 75 characters, or one in a line over 76.",
            why: "Readers need not decode longer words, and a few cut them.",
            fix: "Make several words of at most 75 characters and fold between them.",
            citation: "RFC 2047 §2"),
        SenderRule(
            .hdrReturnPathPresent, .core, .should, needs: .wire,
            what: "Sends a message that has a Return-Path already.",
            why: "The receiving server writes that field at delivery; one that is there before misleads who looks "
                + "for the sender.",
            fix: "Remove Return-Path before a message is sent.",
            citation: "RFC 5321 §4.4"),
        SenderRule(
            .hdrSubjectMissing, .core, .reputation, needs: .wire,
            what: "Sends a message without a Subject, or with an empty one.",
            why: "Filters give points for a missing subject, and readers skip such mail.",
            fix: "Write a Subject.",
            citation: "RFC 5322 §3.6.5 (optional); rspamd MISSING_SUBJECT; SpamAssassin MISSING_SUBJECT",
            excuses: .garbled),
        SenderRule(
            .hdrListUnsubscribeMissing, .core, .reputation, needs: .wire,
            what: "Sends bulk mail without List-Unsubscribe.",
            why: "Gmail, Yahoo and Microsoft ask bulk senders for it; recipients who find no way out press the "
                + "spam button.",
            fix: "Add List-Unsubscribe with an https and a mailto URI.",
            citation: "Gmail sender guidelines (5,000 a day and more); Microsoft requirements for high-volume senders "
                + "(550 5.7.515); RFC 2369 §3.2"),
        SenderRule(
            .hdrListUnsubscribeSyntax, .core, .must, needs: .wire,
            what: "Writes List-Unsubscribe in a form that cannot be read, or twice.",
            why: "A URI without angle brackets or with spaces inside is ignored, so there is no button to "
                + "unsubscribe.",
            fix: "Write each URI in angle brackets, with commas between them, in one field.",
            citation: "RFC 2369 §2, §3"),
        SenderRule(
            .hdrOneClickMissing, .core, .reputation, needs: .wire,
            what: "Sends bulk mail with an https List-Unsubscribe but without List-Unsubscribe-Post.",
            why: "Gmail and Yahoo ask bulk senders for one-click unsubscribing, and only this field announces it.",
            fix: "Add List-Unsubscribe-Post: List-Unsubscribe=One-Click, and accept the POST.",
            citation: "RFC 8058 §3.1; Gmail sender guidelines"),
        SenderRule(
            .hdrOneClickSyntax, .core, .must, needs: .wire,
            what: "Writes List-Unsubscribe-Post with another value, or without exactly one https URI to post to.",
            why: "The value is compared letter by letter; whatever else stands there offers no one-click "
                + "unsubscribing.",
            fix: "Write List-Unsubscribe=One-Click and put one https URI into List-Unsubscribe.",
            citation: "RFC 8058 §3.1, §5"),
        SenderRule(
            .hdrOneClickNotSigned, .core, .must, needs: .wire,
            what: "Leaves the one-click fields out of the DKIM signature.",
            why: "Receivers offer one-click only when a signature shows that the sender wrote both fields.",
            fix: "List list-unsubscribe and list-unsubscribe-post in h= of the signature.",
            citation: "RFC 8058 §3.1, §4"),
        SenderRule(
            .hdrDkimMissing, .core, .reputation, needs: .wire,
            what: "Sends a message without a DKIM signature.",
            why: "Large receivers refuse or distrust mail that neither DKIM nor SPF vouches for, and ask bulk "
                + "senders for both.",
            fix: "Sign with DKIM under the domain of From.",
            citation: "Gmail sender guidelines (550 5.7.30); Microsoft requirements for high-volume senders (550 "
                + "5.7.515); Apple iCloud postmaster", profiles: [.mx, .bulk]),
        SenderRule(
            .hdrDkimInvalid, .core, .must, needs: .wire,
            what: "Sends a DKIM signature that breaks the rules of DKIM.",
            why: "A verifier ignores such a signature, and the message counts as unsigned.",
            fix: "Have v, a, b, bh, d, h and s, sign From, use rsa-sha256 or ed25519-sha256, and set x= in the "
                + "future or not at all.",
            citation: "RFC 6376 §3.5, §5.4, §6.1.3; RFC 8301 §3.1, §3.2"),
        SenderRule(
            .hdrFromNotAligned, .core, .reputation, needs: .dns,
            what: "Signs and sends under domains that have nothing to do with the domain of From.",
            why: "DMARC asks that SPF or DKIM speak for the domain that the reader sees; without that large "
                + "receivers refuse bulk mail.",
            fix: "Sign with d= of the domain of From, or use that domain in MAIL FROM.",
            citation: "RFC 7489 §3.1; Gmail sender guidelines; Microsoft requirements for high-volume senders (550 "
                + "5.7.515)",
            judging: .with(.rspamd)),
        SenderRule(
            .hdrArcBroken, .core, .must, needs: .wire,
            what: "Sends an ARC set that is incomplete, or a chain with a gap.",
            why: "A broken chain counts as none for good: what earlier servers found is lost.",
            fix: "Add all three fields with the next number, and cv=none only at i=1.",
            citation: "RFC 8617 §4.2, §4.2.1, §4.4, §5.2"),
        SenderRule(
            .hdrMimeFieldDuplicate, .extra, .must, needs: .wire,
            what: "Writes MIME-Version, Content-Type or Content-Transfer-Encoding twice in one header.",
            why: "Filter and reader may take different ones, and so see different content.",
            fix: "Write each of them once in a header.",
            citation: "RFC 2045 §3 (entity-headers grammar)"),
        SenderRule(
            .hdrStartsWithSpace, .extra, .must, needs: .wire,
            what: "Begins the message with white space.",
            why: "The first line then goes on with a field that is not there; readers drop it or end the header.",
            fix: "Begin the message with the first letter of the first field.",
            citation: "RFC 5322 §2.2, §2.2.3"),
        SenderRule(
            .hdrInvalidUtf8, .extra, .must, needs: .wire,
            what: "Sends a header that is no valid UTF-8 in a message with SMTPUTF8.",
            why: "SMTPUTF8 promises UTF-8; octets of another charset cannot be shown and may be refused.",
            fix: "Convert all header text to UTF-8 before it is sent.",
            citation: "RFC 6532 §3.1, §3.2"),
        SenderRule(
            .hdrSenderMissing, .extra, .must, needs: .wire,
            what: "Names several authors without one Sender.",
            why: "With several mailboxes in From only Sender tells who answers for the message.",
            fix: "Write a Sender field with one mailbox, or one author into From.",
            citation: "RFC 5322 §3.6.2"),
        SenderRule(
            .hdrSenderRedundant, .extra, .should, needs: .wire,
            what: "Repeats the only mailbox of From in Sender.",
            why: "A Sender that says nothing new makes some readers show \"on behalf of\", and it is one more "
                + "field that can disagree.",
            fix: "Leave Sender out when author and sender are the same.",
            citation: "RFC 5322 §3.6.2 (SHOULD NOT)"),
        SenderRule(
            .hdrDateObsolete, .extra, .must, needs: .wire,
            what: "Writes a date in an obsolete form, such as a two-digit year or a zone name.",
            why: "Old forms must be read and must not be written: letters for a zone and short years are read "
                + "differently.",
            fix: "Write a year of four digits and a zone as +hhmm.",
            citation: "RFC 5322 §3.1 (obs- MUST NOT be generated), §4.3"),
        SenderRule(
            .hdrMessageIdNoDomain, .extra, .should, needs: .wire,
            what: "Writes a Message-ID whose right side is no domain of the sender.",
            why: "Ids under localhost or a bare host name are not unique in the world, and filters know them from "
                + "badly configured machines.",
            fix: "Use a domain of your own on the right side.",
            citation: "RFC 5322 §3.6.4"),
        SenderRule(
            .hdrEncodedWordMisplaced, .extra, .must, needs: .wire,
            what: "Puts an encoded-word where none may stand.",
            why: "In quotes, addresses and parameters, or glued to text, encoded-words are not decoded: the reader "
                + "sees the code.",
            fix: "Write encoded-words bare, with white space around them; use RFC 2231 in parameters.",
            citation: "RFC 2047 §5"),
        SenderRule(
            .hdrEncodedWordSplitCharacter, .extra, .must, needs: .wire,
            what: "Cuts a character between two encoded-words.",
            why: "Each word is decoded alone, so both halves turn into replacement marks.",
            fix: "Break only between characters; let a library encode.",
            citation: "RFC 2047 §5 (MUST represent an integral number of characters)"),
        SenderRule(
            .hdrReceivedSyntax, .extra, .must, needs: .wire,
            what: "Writes a Received field that does not follow the grammar.",
            why: "Filters and people trace a message by these fields, and loops are found by them.",
            fix: "Write from, by, with and id, then a semicolon and a date with a numeric zone.",
            citation: "RFC 5321 §4.4; RFC 5322 §3.6.7"),
        SenderRule(
            .hdrResentIncomplete, .extra, .must, needs: .wire,
            what: "Adds Resent- fields without Resent-From or Resent-Date.",
            why: "A block without who and when says nothing about who sent the message again.",
            fix: "Add Resent-From and Resent-Date to each block.",
            citation: "RFC 5322 §3.6.6; RFC 5321 §3.3 (server MUST NOT reject)"),
        SenderRule(
            .hdrBccLeak, .extra, .should, needs: .wire,
            what: "Shows blind recipients in the message.",
            why: "Everybody who gets the copy can read who was to stay unseen.",
            fix: "Remove Bcc, and whatever repeats the envelope, before the message is sent.",
            citation: "RFC 5322 §3.6.3, §5; RFC 5321 §7.2"),
        SenderRule(
            .hdrBlockTooLarge, .extra, .reputation, needs: .wire,
            what: "Sends a header that is larger than large receivers take.",
            why: "Gmail refuses headers beyond its limits, and long ones slow down every server on the way.",
            fix: "Keep the header below 500 kB and 5,000 fields, and a field below 32 kB.",
            citation: "Gmail header limits"),
        SenderRule(
            .hdrAutoSubmittedMissing, .extra, .should, needs: .wire,
            what: "Sends an automatic reply or notice without Auto-Submitted.",
            why: "Other machines answer mail that does not say it is automatic, and two that answer each other "
                + "never stop.",
            fix: "Add Auto-Submitted: auto-replied, or auto-generated.",
            citation: "RFC 3834 §3.1.7, §5, §3.3"),
        SenderRule(
            .hdrListIdSyntax, .extra, .must, needs: .wire,
            what: "Writes List-Id in a form that cannot be read, or twice.",
            why: "Readers and filters sort by it; one that is malformed is ignored.",
            fix: "Write a name and <label.domain> with at least one dot.",
            citation: "RFC 2919 §2, §3"),
        SenderRule(
            .hdrDkimBodyLength, .extra, .reputation, needs: .wire,
            what: "Limits the signature to the beginning of the body with l=.",
            why: "Anybody can add text behind what is signed; Gmail and others distrust such signatures.",
            fix: "Sign without l=.",
            citation: "RFC 6376 §3.5, §5.3.1, §8.2"),
        SenderRule(
            .hdrTlsRequiredRepeated, .extra, .must, needs: .wire,
            what: "Writes TLS-Required twice, or with another value than No.",
            why: "The field has one meaning and one value; whatever else stands there is ignored or breaks delivery.",
            fix: "Write TLS-Required: No once, or leave it out.",
            citation: "RFC 8689 §3"),
    ]
}
