// One message as it was handed over, with what the session knew about it: what message checks are given.

import SMTP

/// The octets of a message, accepted or not, and its circumstances.
package struct MessageInput: Sendable {
    /// Without the dots that RFC 5321 §4.5.2 adds; otherwise octet for octet.
    package var content: [UInt8]
    package var session = ""
    /// The transaction of the session, from 1.
    package var transaction = 1
    /// The id, where it was stored.
    package var message: String?
    package var reversePath: ReversePath
    /// Those that were accepted.
    package var recipients: [[UInt8]]
    /// It came by BDAT (RFC 3030).
    package var isChunked = false
    /// What the last EHLO reply offered.
    package var offer = TraceOffer()
    /// Lines that began with a dot which no client adds: how many, and where the first stands in the content.
    package var unstuffedDots = 0
    package var firstUnstuffedDot = 0
    /// Microseconds since 1970-01-01 UTC.
    package var received_us: Int64
    /// It came on a listener for submission (RFC 6409).
    package var isSubmission = false
    /// What the sink's faults had done to the session by the end of the message.
    package var disturbances: Disturbances = []

    package init(content: [UInt8], reversePath: ReversePath, recipients: [[UInt8]], received_us: Int64) {
        self.content = content
        self.reversePath = reversePath
        self.recipients = recipients
        self.received_us = received_us
    }
}
