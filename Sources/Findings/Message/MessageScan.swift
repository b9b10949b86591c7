// Where the header fields, the parts and the lines of a message are: one pass, no recursion, no copies, linear in the
// size of the message whatever it holds. It judges nothing; the checks beside it do, by what stands at these places.
// Unlike the scan that shows mail it keeps every oddity: a broken message must be judged as it is.

/// A header field as it stands in the octets.
package struct ScannedField: Sendable, Hashable {
    /// Where the name stands, without white space before the colon; empty for a line that is no field.
    package var name: Range<Int>
    /// From behind the colon to the end of the last folded line, its line end not among them. Of a stray line all of
    /// it.
    package var value: Range<Int>
    /// The whole field with its line end.
    package var whole: Range<Int>
    /// A line of the header that is neither a field nor a continuation: there is no colon, or white space stands inside
    /// of what would be the name.
    package var isStray = false
    /// White space stands between the name and the colon.
    package var hasSpaceBeforeColon = false
}

/// A part of the message: the message itself, or a body part (RFC 2046 §5.1), or the message inside message/rfc822.
package struct ScannedPart: Sendable {
    /// Of the root 0.
    package var depth: Int
    /// The part around it: an index; nil for the root.
    package var parent: Int?
    package var fields: [ScannedField]
    /// The header, up to and without the blank line.
    package var header: Range<Int>
    /// Up to the line break that belongs to the next boundary (RFC 2046 §5.1.1). Of a multipart with its preamble,
    /// parts and epilogue; of message/rfc822 the whole message inside, which is a part of its own as well.
    package var body: Range<Int>
    /// A blank line stood behind the header. A body part with nothing in it needs none (RFC 2046 §5.1.1).
    package var hasBlankLine: Bool
    package var type = ContentType()
    /// The value of Content-Transfer-Encoding in small letters, without comments; nil where there is no such field.
    package var encoding: String?
    /// Of a multipart: how many parts were found, and whether the close-delimiter was.
    package var childCount = 0
    package var isClosed = false
    /// The line with its first delimiter, in front of which the preamble stands; nil where there is none.
    package var firstDelimiter: Range<Int>?
    /// The line with the close-delimiter, behind which the epilogue stands; nil where there is none.
    package var closeDelimiter: Range<Int>?
    /// Lines that begin with two hyphens and its boundary and then go on: a parser that looks at the beginning of a
    /// line only (RFC 2046 §5.1.1 lets it) takes them for a delimiter. How many, and where the first begins.
    package var lookalikes = 0
    package var firstLookalike = 0
    package var isMultipart: Bool { type.type == "multipart" }
    /// message/rfc822 or message/global (RFC 6532 §3.7).
    package var isMessage: Bool { type.type == "message" && (type.subtype == "rfc822" || type.subtype == "global") }
}

package struct MessageScan: Sendable {
    /// Lines of one header that are kept, those of all headers together, and parts that are kept, at most.
    package static let fieldLimit = 10_000
    package static let allFieldsLimit = 50_000
    package static let partLimit = 10_000
    /// Parts inside parts that are opened, at most.
    package static let depthLimit = 100

    /// The root first, then each part in the order in which it begins.
    package private(set) var parts: [ScannedPart]
    /// Something is there beyond a limit: nothing is concluded from an absence.
    package private(set) var isCut: Bool

    package init(_ octets: UnsafeBufferPointer<UInt8>) {
        var scanner = PartScanner(octets)
        scanner.scan()
        parts = scanner.parts
        isCut = scanner.isCut
    }

    package var fields: [ScannedField] { parts[0].fields }
}
