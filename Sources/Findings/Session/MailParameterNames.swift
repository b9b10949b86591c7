// The names of the parameters behind a path (RFC 5321 §4.1.2): whether one is there. What it is worth is judged where
// the envelope is.

enum MailParameterNames {
    /// Where a parameter stands in the line, and whether a value follows its name.
    struct Place {
        let whole: Range<Int>
        let hasValue: Bool
    }

    /// By keyword of the EHLO list, the verbs and parameters that use it; without a parameter the verb itself does.
    static let uses: [(keyword: String, use: (verb: String, parameter: String))] = [
        ("CHUNKING", ("BDAT", "")), ("AUTH", ("AUTH", "")), ("AUTH", ("MAIL", "AUTH")), ("SIZE", ("MAIL", "SIZE")),
        ("8BITMIME", ("MAIL", "BODY")), ("SMTPUTF8", ("MAIL", "SMTPUTF8")), ("DSN", ("MAIL", "RET")),
        ("DSN", ("MAIL", "ENVID")), ("DSN", ("RCPT", "NOTIFY")), ("DSN", ("RCPT", "ORCPT")),
    ]

    static func find(_ name: String, in command: TraceCommand) -> Place? {
        let octets = command.octets
        var index = pathEnd(octets, from: command.argument.lowerBound)
        while index < octets.count {
            while index < octets.count, octets[index] == 32 { index += 1 }
            let start = index
            while index < octets.count, octets[index] != 32 { index += 1 }
            let nameEnd = octets[start..<index].firstIndex(of: UInt8(ascii: "=")) ?? index
            if nameEnd > start, OctetWords.equal(octets[start..<nameEnd], name) {
                return Place(whole: start..<index, hasValue: nameEnd < index)
            }
        }
        return nil
    }

    /// Behind the closing bracket; a quoted local part may hold one (RFC 5321 §4.1.2). Without brackets, behind the
    /// first word.
    private static func pathEnd(_ octets: [UInt8], from start: Int) -> Int {
        guard let open = octets[start...].firstIndex(of: UInt8(ascii: "<")) else {
            return octets[start...].firstIndex(of: 32) ?? octets.count
        }
        var index = open + 1
        var isQuoted = false
        while index < octets.count {
            let octet = octets[index]
            index += 1
            if octet == UInt8(ascii: "\\"), isQuoted {
                index += 1
            } else if octet == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if octet == UInt8(ascii: ">"), !isQuoted {
                return index
            }
        }
        return octets.count
    }
}
