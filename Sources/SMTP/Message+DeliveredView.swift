// The message as final delivery would hand it on: Return-Path and Received on top (RFC 5321 §4.4), everything else
// octet for octet as it came. Derived when it is read; the stored octets stay as they are.

extension Message {
    /// - Parameter hostname: ours, for the `by` clause.
    package func deliveredView(hostname: String) -> [UInt8] {
        var view: [UInt8] = []
        view.reserveCapacity(content.count + 512)
        // RFC 5321 §4.4: one Return-Path at final delivery, in front of the trace.
        view.append("Return-Path: <")
        view.append(contentsOf: reversePath.address)
        view.append(">\r\n")

        view.append("Received: from ")
        appendSourceName(to: &view)
        if let literal = addressLiteral {
            view.append(" (")
            view.append(contentsOf: literal.utf8)
            view.append(")")
        }
        view.append("\r\n\tby ")
        view.append(contentsOf: hostname.utf8)
        view.append(" (fakemx) with ")
        view.append(contentsOf: withProtocol.utf8)
        view.append("\r\n\tid ")
        appendID(to: &view)
        // RFC 5321 §7.2: `for` would tell the recipients of each other.
        if recipients.count == 1 {
            view.append("\r\n\tfor <")
            view.append(contentsOf: recipients[0].address)
            view.append(">")
        }
        view.append(";\r\n\t")
        view.append(contentsOf: CivilDate(seconds: received_us / 1_000_000).mailDate.utf8)
        view.append("\r\n")
        view.append(contentsOf: content)
        return view
    }

    /// The argument of EHLO where it is a domain or an address literal. A name that is neither would break the grammar
    /// of the field; what may not stand in a domain becomes a question mark.
    private func appendSourceName(to view: inout [UInt8]) {
        guard !helo.isEmpty else { return view.append("unknown") }
        if helo.withUnsafeBytes({ isDomainOrLiteral($0) }) { return view.append(contentsOf: helo) }
        for octet in helo {
            let fits =
                octet.isLetterOrDigit || octet == UInt8(ascii: "-") || octet == .dot || octet == UInt8(ascii: "_")
            view.append(fits ? octet : UInt8(ascii: "?"))
        }
    }

    /// RFC 5321 §4.1.3; nil for a client without an IP address (a Unix socket).
    private var addressLiteral: String? {
        var client = client
        return client.withUTF8 { text in
            let octets = UnsafeRawBufferPointer(text)
            if isIPv4(octets) { return "[\(String(decoding: text, as: UTF8.self))]" }
            // A zone (`%eth0`) is of no meaning to others (RFC 4007 §11).
            let end = octets.firstIndex(of: UInt8(ascii: "%")) ?? octets.count
            guard isIPv6(octets.slice(0, end)) else { return nil }
            return "[IPv6:\(String(decoding: octets.slice(0, end), as: UTF8.self))]"
        }
    }

    /// RFC 5321 §4.4: the id is an atom or a msg-id.
    private func appendID(to view: inout [UInt8]) {
        if id.isEmpty { return view.append("unknown") }
        for octet in id.utf8 {
            view.append(octet.isAtomText && !octet.isNonASCII || octet == .dot ? octet : UInt8(ascii: "?"))
        }
    }
}
