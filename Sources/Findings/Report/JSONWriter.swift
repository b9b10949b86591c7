// Writes JSON (RFC 8259), value by value, for the forms of the report whose keys are not ours. The caller sees to it
// that names and values alternate; commas and quotes are put here.

struct JSONWriter {
    private(set) var text = ""
    /// Whether something stands in front at this depth.
    private var hasValue = [false]
    private var isBehindName = false

    mutating func object(_ fields: (inout JSONWriter) -> Void) { nested("{", "}", fields) }

    mutating func array(_ values: (inout JSONWriter) -> Void) { nested("[", "]", values) }

    mutating func name(_ name: String) {
        separate()
        quote(name)
        text += ":"
        isBehindName = true
    }

    mutating func value(_ value: String) {
        separate()
        quote(value)
    }

    mutating func value(_ value: Int) {
        separate()
        text += String(value)
    }

    mutating func value(_ value: Bool) {
        separate()
        text += value ? "true" : "false"
    }

    mutating func field(_ name: String, _ value: String) {
        self.name(name)
        self.value(value)
    }

    mutating func field(_ name: String, _ value: Int) {
        self.name(name)
        self.value(value)
    }

    mutating func field(_ name: String, _ value: Bool) {
        self.name(name)
        self.value(value)
    }

    mutating func object(_ name: String, _ fields: (inout JSONWriter) -> Void) {
        self.name(name)
        object(fields)
    }

    mutating func array(_ name: String, _ values: (inout JSONWriter) -> Void) {
        self.name(name)
        array(values)
    }

    private mutating func nested(_ open: String, _ close: String, _ inner: (inout JSONWriter) -> Void) {
        separate()
        text += open
        hasValue.append(false)
        inner(&self)
        hasValue.removeLast()
        text += close
    }

    private mutating func separate() {
        guard !isBehindName else {
            isBehindName = false
            return
        }
        if hasValue[hasValue.count - 1] { text += "," }
        hasValue[hasValue.count - 1] = true
    }

    /// RFC 8259 §7; U+2028 and U+2029 as well, which old readers take for line ends.
    private mutating func quote(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{2028}": text += "\\u2028"
            case "\u{2029}": text += "\\u2029"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    let hex = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}
