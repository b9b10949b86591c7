// A message that was accepted: its octets and its envelope as they came. Views are derived when they are read
// (Message+DeliveredView.swift) and never stored.

/// The octets of one accepted DATA or BDAT body, with its envelope.
package struct Message: Sendable, Hashable {
    package var id: String
    package var reversePath: ReversePath
    package var recipients: [ForwardPath]
    /// After removal of the dots that RFC 5321 §4.5.2 adds; otherwise octet for octet.
    package var content: [UInt8]
    /// The argument of EHLO or HELO as it came.
    package var helo: [UInt8]
    /// The address of the client in text, without a port.
    package var client: String
    /// The `with` value of the Received field: ESMTP, ESMTPS, … (RFC 3848, RFC 6531 §4.3).
    package var withProtocol: String
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var received_us: Int64

    package init(
        id: String, reversePath: ReversePath, recipients: [ForwardPath], content: [UInt8], helo: [UInt8],
        client: String, withProtocol: String, received_us: Int64
    ) {
        self.id = id
        self.reversePath = reversePath
        self.recipients = recipients
        self.content = content
        self.helo = helo
        self.client = client
        self.withProtocol = withProtocol
        self.received_us = received_us
    }
}
