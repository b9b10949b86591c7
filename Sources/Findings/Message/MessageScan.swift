// Where the header fields, the parts and the lines of a message are: one pass, no recursion, no copies, linear in the size of
// the message whatever it holds. It judges nothing; the checks beside it do, by what stands at these places. Unlike the
// scan that shows mail it keeps every oddity: a broken message must be judged as it is.

import SMTP

/// A header field as it stands in the octets.
package struct ScannedField: Sendable, Hashable {
    /// Where the name stands, without white space before the colon; empty for a line that is no field.
    package var name: Range<Int>
    /// From behind the colon to the end of the last folded line, its line end not among them.
    package var value: Range<Int>
    /// The whole field with its line end.
    package var whole: Range<Int>
    /// A line of the header that is neither a field nor a continuation.
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
    package var body: Range<Int>
    /// A blank line stood behind the header.
    package var hasBlankLine: Bool
    package var type = ContentType()
    /// The value of Content-Transfer-Encoding in small letters, without comments; nil where there is no such field.
    package var encoding: String?
    /// Of a multipart: how many parts were found, and whether the close-delimiter was.
    package var childCount = 0
    package var isClosed = false
    package var isMultipart: Bool { type.type == "multipart" }
}

/// The Content-Type of a part, as far as it could be read.
package struct ContentType: Sendable, Hashable {
    /// In small letters; text/plain where there is no field (RFC 2045 §5.2).
    package var type = "text"
    package var subtype = "plain"
    /// By name in small letters, as they stand, quotes removed; of several the first.
    package var parameters: [String: [UInt8]] = [:]
    /// The field is there.
    package var isGiven = false
    package init() {}
}

package struct MessageScan: Sendable {
    /// Lines of the header and parts that are kept, at most.
    package static let fieldLimit = 10_000
    package static let partLimit = 10_000
    package static let depthLimit = 100

    /// The root first, then each part in the order in which it begins.
    package private(set) var parts: [ScannedPart] = []
    /// Something is there beyond a limit: nothing is concluded from an absence.
    package private(set) var isCut = false

    package init(_ octets: UnsafeBufferPointer<UInt8>) {
        parts = [
            ScannedPart(
                depth: 0, parent: nil, fields: [], header: 0..<0, body: 0..<octets.count, hasBlankLine: false)
        ]
    }

    package var fields: [ScannedField] { parts[0].fields }
}
