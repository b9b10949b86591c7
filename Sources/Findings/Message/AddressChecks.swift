// Judges the fields that hold addresses: From, Sender, Reply-To, To, Cc and Bcc (RFC 5322 §3.4, §3.6.2, §3.6.3).

enum AddressChecks {
    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        let from = read(.from, view, &ledger)
        let sender = read(.sender, view, &ledger)
        _ = read(.replyTo, view, &ledger)
        checkDestination(.to, view, &ledger)
        checkDestination(.cc, view, &ledger)
        if let bcc = view.first(.bcc), !FieldText.trimmed(view.octets, bcc.value).isEmpty {
            _ = read(.bcc, view, &ledger)
        }
        checkAuthors(from, sender, view, &ledger)
        BlindCopyChecks.check(view, &ledger)
    }

    // MARK: Syntax

    private static func read(_ name: KnownField, _ view: HeaderView, _ ledger: inout Ledger) -> AddressList? {
        guard let field = view.first(name) else { return nil }
        let list = AddressList(view.octets, field.value)
        judge(list, field, view, &ledger)
        return list
    }

    private static func judge(
        _ list: AddressList, _ field: ScannedField, _ view: HeaderView, _ ledger: inout Ledger
    ) {
        if let fault = list.syntaxFault {
            view.message.broken(.hdrAddressSyntax, shown(fault, field), &ledger)
        } else if list.mailboxes == 0, list.groups == 0, list.nameFault == nil {
            view.message.broken(.hdrAddressSyntax, field.whole, &ledger)
        } else {
            ledger.kept(.hdrAddressSyntax)
        }
        if let fault = list.nameFault {
            view.message.broken(.hdrDisplayNameUnquoted, shown(fault, field), &ledger)
        } else if let fault = list.dotFault {
            view.message.broken(
                .hdrDisplayNameUnquoted, shown(fault, field), &ledger,
                as: view.message.softened(
                    to: .info, if: true,
                    "a dot alone is obsolete syntax, which every receiver must read (RFC 5322 §4.1)",
                    ledger))
        } else if list.syntaxFault == nil {
            ledger.kept(.hdrDisplayNameUnquoted)
        }
    }

    /// An empty place in a list shows nothing; the field shows where it is.
    private static func shown(_ range: Range<Int>, _ field: ScannedField) -> Range<Int> {
        range.count > 1 ? range : field.whole
    }

    /// RFC 5322 §3.4: nobody is said as a group without members, `name:;`.
    private static func checkDestination(_ name: KnownField, _ view: HeaderView, _ ledger: inout Ledger) {
        guard let field = view.first(name) else { return }
        let list = AddressList(view.octets, field.value)
        let namesNobody = !list.hasAtSign && (list.groups == 0 || list.syntaxFault != nil)
        if namesNobody {
            return view.message.broken(.hdrToMalformedUndisclosed, field.whole, &ledger)
        }
        ledger.kept(.hdrToMalformedUndisclosed)
        judge(list, field, view, &ledger)
    }

    // MARK: Authors

    private static func checkAuthors(
        _ from: AddressList?, _ sender: AddressList?, _ view: HeaderView, _ ledger: inout Ledger
    ) {
        let octets = view.octets
        if let from, let field = view.first(.from) {
            if from.mailboxes > 1 {
                view.message.broken(.hdrFromMany, field.whole, &ledger, saw: "\(from.mailboxes) mailboxes in From")
                if sender == nil {
                    if view.isMissing(.sender) {
                        view.message.broken(
                            .hdrSenderMissing, field.whole, &ledger,
                            saw: "\(from.mailboxes) mailboxes in From, no Sender")
                    }
                }
            } else if from.mailboxes == 1 {
                ledger.kept(.hdrFromMany)
            }
        }
        guard let sender, let field = view.first(.sender) else { return }
        if sender.mailboxes > 1 {
            view.message.broken(.hdrSenderMissing, field.whole, &ledger, saw: "\(sender.mailboxes) mailboxes in Sender")
        } else if sender.mailboxes == 1 {
            ledger.kept(.hdrSenderMissing)
        }
        guard let from, from.mailboxes == 1, sender.mailboxes == 1, let author = from.firstMailbox,
            let agent = sender.firstMailbox
        else { return }
        if isSame(octets, author, agent) {
            view.message.broken(.hdrSenderRedundant, field.whole, &ledger)
        } else {
            ledger.kept(.hdrSenderRedundant)
        }
    }

    /// Local parts octet by octet, domains without regard to case (RFC 5321 §2.4).
    private static func isSame(_ octets: MessageOctets, _ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return false }
        guard let at = octets[one].lastIndex(of: UInt8(ascii: "@")) else { return false }
        for offset in 0..<one.count {
            let (a, b) = (octets[one.lowerBound + offset], octets[other.lowerBound + offset])
            let isDomain = one.lowerBound + offset > at
            guard isDomain ? FieldText.small(a) == FieldText.small(b) : a == b else { return false }
        }
        return true
    }
}

/// Recipients that were to be unseen (RFC 5322 §3.6.3, RFC 5321 §7.2).
enum BlindCopyChecks {
    /// Addresses of one field that are compared, at most.
    private static let addressLimit = 10_000

    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        if let field = view.first(.bcc) { checkBcc(field, view, &ledger) }
        guard view.count(.apparentlyTo) + view.count(.envelopeRecipients) > 0, view.input.recipients.count > 1 else {
            return
        }
        checkEnvelopeCopies(view, &ledger)
    }

    /// A copy for one blind recipient may name that one.
    private static func checkBcc(_ field: ScannedField, _ view: HeaderView, _ ledger: inout Ledger) {
        let only = view.input.recipients.count == 1 ? view.input.recipients[0] : nil
        var others = 0
        _ = AddressList(view.octets, field.value) { mailbox in
            if let only, only.elementsEqual(view.octets[mailbox], by: { FieldText.small($0) == FieldText.small($1) }) {
                return
            }
            others += 1
        }
        if others > 0 {
            view.message.broken(.hdrBccLeak, field.whole, &ledger)
        } else {
            ledger.kept(.hdrBccLeak)
        }
    }

    /// Fields that repeat the envelope show to each recipient all the others.
    private static func checkEnvelopeCopies(_ view: HeaderView, _ ledger: inout Ledger) {
        var unseen = Set<[UInt8]>()
        for recipient in view.input.recipients.prefix(addressLimit) { unseen.insert(recipient.map(FieldText.small)) }
        for name in [KnownField.to, .cc] {
            guard let field = view.first(name) else { continue }
            forEachAddress(view, field) { unseen.remove($0) }
        }
        for name in [KnownField.apparentlyTo, .envelopeRecipients] {
            var shown = 0
            view.each(name) { field in forEachAddress(view, field) { if unseen.contains($0) { shown += 1 } } }
            guard shown > 1, let field = view.first(name) else { continue }
            view.message.broken(.hdrBccLeak, field.whole, &ledger)
        }
    }

    private static func forEachAddress(_ view: HeaderView, _ field: ScannedField, _ body: ([UInt8]) -> Void) {
        var count = 0
        _ = AddressList(view.octets, field.value) { mailbox in
            count += 1
            if count <= addressLimit { body(view.octets[mailbox].map(FieldText.small)) }
        }
    }
}
