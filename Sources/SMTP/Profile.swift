// What a session needs to know about the listener it belongs to: its name, what it offers, and every limit.

/// Every limit of a session, by name. Octets unless the name says otherwise.
package struct Limits: Sendable, Hashable {
    /// A command line with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512, and extensions add to it (RFC 1870 §3,
    /// RFC 3461 §5.4, RFC 4954 §3, RFC 6531 §3.1). A longer line is answered once with 500.
    package var commandLine = 4096
    /// A line of an AUTH exchange (RFC 4954 §4 asks for 12288).
    package var authLine = 12288
    /// The message (RFC 1870). 0: no limit is announced and the hard bound of the store holds.
    package var messageSize = 50 << 20
    /// Accepted recipients of one transaction (RFC 5321 §4.5.3.1.8 asks for 100). Beyond it: 452.
    package var recipients = 1000
    /// Transactions of one session (RFC 9422 §4.1 MAILMAX). Beyond it: 452.
    package var transactions = 1_000_000
    /// Commands that break the protocol before the session ends with 421 (RFC 5321 §7.8).
    package var errors = 100
    /// How long the sink waits for the client, in milliseconds (RFC 5321 §4.5.3.2.7 asks for 5 minutes).
    package var clientTimeout_ms = 300_000

    package init() {}
}

/// What a session needs to know about the listener it belongs to.
package struct Profile: Sendable, Hashable {
    /// The domain that the greeting and the EHLO reply begin with.
    package var hostname: String
    /// The EHLO list. STARTTLS appears only where TLS is possible and not yet active; AUTH only inside TLS
    /// (RFC 4954 §4) unless `authInClear`.
    package var capabilities: CapabilitySet
    package var limits: Limits
    /// A certificate is there, so STARTTLS can be honoured.
    package var tlsAvailable: Bool
    /// Offer AUTH on a connection without TLS.
    package var authInClear: Bool
    /// The words of another server; nil: our own. What it would offer is not asked here: that is `capabilities`.
    package let style: ServerStyle?

    package init(
        hostname: String, capabilities: CapabilitySet = .all, limits: Limits = Limits(), tlsAvailable: Bool = true,
        authInClear: Bool = false, style: ServerStyle? = nil
    ) {
        self.hostname = hostname
        self.capabilities = capabilities
        self.limits = limits
        self.tlsAvailable = tlsAvailable
        self.authInClear = authInClear
        // Whoever says nothing in its own words costs a session nothing.
        self.style = style?.hasOwnWords == true ? style : nil
    }
}
