// The limits of the room that shows mail, in one place. A message beyond one of them is shown as far as it goes, with a
// warning where the reader would otherwise wonder; none of them refuses a message.

package enum MailLimit {
    /// Octets of a message that are looked at; what follows is not shown. 64 MiB.
    package static let messageOctets = 64 << 20
    /// Multiparts inside one another; a multipart deeper than this is one part without parts of its own.
    package static let nestingDepth = 64
    /// Parts of a message, multiparts included; what follows the last one is not shown.
    package static let parts = 1_000
    /// Header fields of the message that are kept, in their order.
    package static let headers = 1_000
    /// Octets of one header field's value; the rest is cut off.
    package static let headerValueOctets = 64 << 10
    /// Octets of all header fields of the message that are kept; fields behind them are dropped.
    package static let headerOctets = 1 << 20
    /// Addresses of one kind (To, Cc, …).
    package static let addresses = 1_000
    /// Colons in an address field: each may open a group, and the reader of groups calls itself for each.
    package static let addressColons = 100
    /// Octets of a Content-Type or Content-Disposition that are read: GMime compares each parameter with all others.
    package static let parameterOctets = 4 << 10
    /// Semicolons of such a field that are read.
    package static let parameters = 64
    /// Octets of a boundary; RFC 2046 §5.1.1 allows 70. A multipart with a longer one has no parts.
    package static let boundaryOctets = 256
    /// Octets of the decoded text, and of the decoded HTML, each. 4 MiB.
    package static let textOctets = 4 << 20
    /// Octets of HTML that are read for their text. 1 MiB.
    package static let htmlOctets = 1 << 20
    /// Octets of one HTML tag; behind a longer one the HTML is not read.
    package static let htmlTagOctets = 32 << 10
    /// Octets of HTML without a space, a quote or a tag; the rest of such a word is left out.
    package static let htmlWordOctets = 4 << 10
    /// Octets of the snippet without its dots, as Mailpit has it.
    package static let snippetOctets = 200
    /// Warnings of one message.
    package static let warnings = 100
    /// Characters of a header's text that a warning repeats.
    package static let warningItemCharacters = 120
}
