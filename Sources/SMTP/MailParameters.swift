// The arguments of MAIL and RCPT: path, then parameters (RFC 5321 §4.1.2, §4.1.1.11), each of which belongs to an
// extension. What is not offered is answered 555, what is malformed or double 501.

/// What MAIL and RCPT need to know of the session.
struct ArgumentContext {
    /// In force: empty in a session that was greeted by HELO.
    let capabilities: CapabilitySet
    /// The transaction is one of SMTPUTF8 (RFC 6531 §3.4); for RCPT.
    let smtpUTF8: Bool
}

/// One `keyword[=value]`.
private struct Parameter {
    let keyword: UnsafeRawBufferPointer
    let value: UnsafeRawBufferPointer?
}

extension ReversePath {
    /// - Parameter argument: what stands behind MAIL.
    init(_ argument: UnsafeRawBufferPointer, _ context: ArgumentContext) throws(StandardReply) {
        let (path, start) = try pathArgument(argument, keyword: "from:", forward: false)
        self.init(address: argument.slice(path.mailbox.lowerBound, path.mailbox.upperBound).array)
        if start < argument.count { try readParameters(argument, from: start, context) }
        if path.hasNonASCII, !smtpUTF8 {
            throw context.capabilities.contains(.smtpUTF8) ? .nonASCIIPath : .badSender
        }
    }

    private mutating func readParameters(
        _ argument: UnsafeRawBufferPointer, from start: Int, _ context: ArgumentContext
    ) throws(StandardReply) {
        var index = start
        while let parameter = try nextParameter(argument, &index) {
            if parameter.keyword.equals("size") {
                try require(.size, in: context)
                if size != nil { throw .doubleParameter }
                // RFC 1870 §3: 1*20DIGIT.
                guard let value = parameter.value, value.count <= 20, let number = value.number else {
                    throw .badParameter
                }
                size = number
            } else if parameter.keyword.equals("body") {
                if body != nil { throw .doubleParameter }
                body = try bodyType(parameter.value, context)
            } else if parameter.keyword.equals("smtputf8") {
                try require(.smtpUTF8, in: context)
                if smtpUTF8 { throw .doubleParameter }
                guard parameter.value == nil else { throw .badParameter }
                smtpUTF8 = true
            } else if parameter.keyword.equals("ret") {
                try require(.dsn, in: context)
                if returnContent != nil { throw .doubleParameter }
                returnContent = try returnContent(parameter.value)
            } else if parameter.keyword.equals("envid") {
                try require(.dsn, in: context)
                if envelopeID != nil { throw .doubleParameter }
                envelopeID = try xtext(parameter.value)
            } else if parameter.keyword.equals("auth") {
                try require(.auth, in: context)
                if auth != nil { throw .doubleParameter }
                auth = try xtext(parameter.value)  // `<>` consists of xchars too
            } else {
                throw .unknownParameter
            }
        }
    }

    /// RFC 6152 §2 and RFC 3030 §3: another value is a syntax error, the parameter without its extension unknown.
    private func bodyType(
        _ value: UnsafeRawBufferPointer?, _ context: ArgumentContext
    ) throws(StandardReply) -> BodyType {
        guard context.capabilities.contains(.eightBitMIME) || context.capabilities.contains(.binaryMIME) else {
            throw .unknownParameter
        }
        guard let value else { throw .badParameter }
        if value.equals("binarymime") {
            guard context.capabilities.contains(.binaryMIME) else { throw .badParameter }
            return .binaryMIME
        }
        try require(.eightBitMIME, in: context)
        if value.equals("8bitmime") { return .eightBitMIME }
        if value.equals("7bit") { return .sevenBit }
        throw .badParameter
    }

    private func returnContent(_ value: UnsafeRawBufferPointer?) throws(StandardReply) -> ReturnContent {
        guard let value else { throw .badParameter }
        if value.equals("full") { return .full }
        if value.equals("hdrs") { return .headers }
        throw .badParameter
    }
}

extension ForwardPath {
    /// - Parameter argument: what stands behind RCPT.
    init(_ argument: UnsafeRawBufferPointer, _ context: ArgumentContext) throws(StandardReply) {
        let (path, start) = try pathArgument(argument, keyword: "to:", forward: true)
        self.init(address: argument.slice(path.mailbox.lowerBound, path.mailbox.upperBound).array)
        if path.hasNonASCII, !context.smtpUTF8 {
            throw context.capabilities.contains(.smtpUTF8) ? .nonASCIIPath : .badRecipient
        }
        if start < argument.count { try readParameters(argument, from: start, context) }
    }

    private mutating func readParameters(
        _ argument: UnsafeRawBufferPointer, from start: Int, _ context: ArgumentContext
    ) throws(StandardReply) {
        var index = start
        while let parameter = try nextParameter(argument, &index) {
            if parameter.keyword.equals("notify") {
                try require(.dsn, in: context)
                if notify != nil { throw .doubleParameter }
                notify = try notify(parameter.value)
            } else if parameter.keyword.equals("orcpt") {
                try require(.dsn, in: context)
                if originalRecipient != nil { throw .doubleParameter }
                originalRecipient = try originalRecipient(parameter.value, utf8: context.smtpUTF8)
            } else {
                throw .unknownParameter
            }
        }
    }

    /// RFC 3461 §4.1: NEVER stands alone.
    private func notify(_ value: UnsafeRawBufferPointer?) throws(StandardReply) -> Notify {
        guard let value else { throw .badParameter }
        if value.equals("never") { return .never }
        var all: Notify = []
        for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let word = UnsafeRawBufferPointer(rebasing: part)
            if word.equals("success") {
                all.insert(.success)
            } else if word.equals("failure") {
                all.insert(.failure)
            } else if word.equals("delay") {
                all.insert(.delay)
            } else {
                throw .badParameter
            }
        }
        return all
    }

    /// RFC 3461 §4.2: an address type, a semicolon, xtext. RFC 6533 §3 adds the type utf-8, whose text may hold UTF-8
    /// where the transaction is one of SMTPUTF8.
    private func originalRecipient(
        _ value: UnsafeRawBufferPointer?, utf8: Bool
    ) throws(StandardReply) -> [UInt8] {
        guard let value, let semicolon = value.firstIndex(of: UInt8(ascii: ";")), semicolon > 0 else {
            throw .badParameter
        }
        let type = value.slice(0, semicolon)
        let text = value.slice(semicolon + 1, value.count)
        guard type.allSatisfy({ $0.isAtomText && !$0.isNonASCII }), !text.isEmpty else { throw .badParameter }
        if utf8, type.equals("utf-8"), text.hasNonASCII {
            guard text.isUTF8 else { throw .badParameter }
        } else {
            guard isXtext(text) else { throw .badParameter }
        }
        return value.array
    }
}

/// The path, and where its parameters begin. A space behind the colon breaks RFC 5321 §3.3 but is so common that it
/// is tolerated, and left to the findings.
@inline(__always)
private func pathArgument(
    _ argument: UnsafeRawBufferPointer, keyword: StaticString, forward: Bool
) throws(StandardReply) -> (Path, Int) {
    guard argument.begins(with: keyword) else { throw argument.isEmpty ? .argumentMissing : .badArgument }
    var start = keyword.utf8CodeUnitCount
    while start < argument.count, argument[start] == .space { start += 1 }
    guard let path = Path(argument, from: start, forward: forward),
        path.end == argument.count || argument[path.end] == .space
    else { throw forward ? .badRecipient : .badSender }
    return (path, path.end)
}

/// The next parameter at or behind `index`, which is moved past it; nil at the end (RFC 5321 §4.1.2: esmtp-param).
private func nextParameter(
    _ argument: UnsafeRawBufferPointer, _ index: inout Int
) throws(StandardReply) -> Parameter? {
    while index < argument.count, argument[index] == .space { index += 1 }
    guard index < argument.count else { return nil }
    let start = index
    while index < argument.count, argument[index].isLetterOrDigit || argument[index] == UInt8(ascii: "-") { index += 1 }
    let keyword = argument.slice(start, index)
    guard let first = keyword.first, first.isLetterOrDigit else { throw .badParameter }
    if index == argument.count || argument[index] == .space { return Parameter(keyword: keyword, value: nil) }
    guard argument[index] == UInt8(ascii: "=") else { throw .badParameter }
    index += 1
    let valueStart = index
    while index < argument.count, argument[index] != .space {
        // Visible ASCII without "=", and what RFC 6531 §3.3 adds. Each parameter looks closer.
        guard argument[index].isVisible && argument[index] != UInt8(ascii: "=") || argument[index].isNonASCII else {
            throw .badParameter
        }
        index += 1
    }
    guard index > valueStart else { throw .badParameter }
    return Parameter(keyword: keyword, value: argument.slice(valueStart, index))
}

private func require(_ capability: Capability, in context: ArgumentContext) throws(StandardReply) {
    guard context.capabilities.contains(capability) else { throw .unknownParameter }
}

private func xtext(_ value: UnsafeRawBufferPointer?) throws(StandardReply) -> [UInt8] {
    guard let value, isXtext(value) else { throw .badParameter }
    return value.array
}

/// RFC 3461 §4: visible ASCII without "+" and "=", which are written as "+" and two hexadecimal digits in upper case.
package func isXtext(_ octets: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < octets.count {
        let octet = octets[index]
        if octet == UInt8(ascii: "+") {
            guard index + 2 < octets.count, isUpperHexadecimal(octets[index + 1]), isUpperHexadecimal(octets[index + 2])
            else { return false }
            index += 3
        } else {
            guard octet.isVisible, octet != UInt8(ascii: "=") else { return false }
            index += 1
        }
    }
    return !octets.isEmpty
}

private func isUpperHexadecimal(_ octet: UInt8) -> Bool { octet.isDigit || (65...70).contains(octet) }
