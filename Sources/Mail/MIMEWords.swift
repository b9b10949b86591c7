// What header fields mean: addresses, types with parameters, dates. GMime reads them, one bounded value at a time,
// behind `EncodedWords`; what leaves here are plain Swift values, and no object of GMime outlives the call that made
// it. An instance belongs to one thread; any number of instances work at once.

import CGMime

/// A Content-Type or Content-Disposition. Without one, a part is text/plain (RFC 2045 §5.2) without disposition.
struct MediaType: Sendable {
    /// Lower case: `text/plain`, `attachment`; empty for a disposition that is not there.
    var value = ""
    /// By lower-case name, decoded (RFC 2231, and RFC 2047 where it does not belong); of several the first.
    var parameters: [String: String] = [:]

    var isMultipart: Bool { value.hasPrefix("multipart/") }
}

final class MIMEWords {
    private let options: OpaquePointer
    private(set) var warnings: [String] = []

    init() {
        GMimeLibrary.start()
        options = g_mime_parser_options_new()
        // What is 8-bit in a header is UTF-8 (RFC 6532) or else what old mailers of the West meant.
        MIMEWords.withFallbackCharsets { g_mime_parser_options_set_fallback_charsets(options, $0) }
        let hearing: GMimeParserWarningFunc = { _, code, item, user in
            guard let user else { return }
            let words = Unmanaged<MIMEWords>.fromOpaque(user).takeUnretainedValue()
            words.warn(MIMEWords.text(of: code, item: item.map { String(cString: $0) }))
        }
        g_mime_parser_options_set_warning_callback(options, hearing, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { g_mime_parser_options_free(options) }

    func warn(_ text: String) {
        guard warnings.count < MailLimit.warnings, warnings.last != text else { return }
        warnings.append(text)
    }

    // MARK: - Reading

    /// Unstructured text with its encoded words decoded (RFC 2047).
    func text(_ value: [UInt8]) -> String {
        // Most fields are plain ASCII without an encoded word.
        if value.allSatisfy({ $0 < 0x80 }), !value.containsEncodedWord { return String(decoding: value, as: UTF8.self) }
        return words(in: value).decoded
    }

    func contentType(_ value: [UInt8]) -> MediaType {
        guard let type = g_mime_content_type_parse(options, joined(cutAtParameters(value)).cString) else {
            return MediaType()
        }
        defer { g_object_unref(type) }
        var result = MediaType()
        if let media = g_mime_content_type_get_media_type(type) {
            result.value = String(cString: media).lowercased()
            if let subtype = g_mime_content_type_get_media_subtype(type) {
                result.value += "/" + String(cString: subtype).lowercased()
            }
        }
        result.parameters = parameters(g_mime_content_type_get_parameters(type))
        return result
    }

    func disposition(_ value: [UInt8]) -> MediaType {
        guard let disposition = g_mime_content_disposition_parse(options, joined(cutAtParameters(value)).cString) else {
            return MediaType()
        }
        defer { g_object_unref(disposition) }
        var result = MediaType()
        if let kind = g_mime_content_disposition_get_disposition(disposition) {
            result.value = String(cString: kind).lowercased()
        }
        result.parameters = parameters(g_mime_content_disposition_get_parameters(disposition))
        return result
    }

    /// The mailboxes of an address list (RFC 5322 §3.4), those of groups among them, at most `limit`.
    func addresses(_ value: [UInt8], limit: Int) -> [MailAddress] {
        guard let list = internet_address_list_parse(options, joined(cutAtColons(value)).cString) else { return [] }
        defer { g_object_unref(list) }
        var result: [MailAddress] = []
        collect(list, into: &result, limit: limit)
        return result
    }

    func date(_ value: [UInt8]) -> MailDate? {
        guard let date = g_mime_utils_header_decode_date(value.cString) else { return nil }
        defer { g_date_time_unref(date) }
        return MailDate(
            secondsSince1970: Int(g_date_time_to_unix(date)),
            offsetSeconds: Int(g_date_time_get_utc_offset(date) / 1_000_000))
    }

    // MARK: - Walking

    private func collect(
        _ list: UnsafeMutablePointer<InternetAddressList>, into result: inout [MailAddress], limit: Int
    ) {
        // GMime has read the groups already; their depth is bounded by `MailLimit.addressColons`.
        let count = internet_address_list_length(list)
        for index in 0..<max(0, count) where result.count < limit {
            guard let address = internet_address_list_get_address(list, index) else { continue }
            if let mailbox = fakemx_address_as_mailbox(address) {
                let name = internet_address_get_name(address).map { String(cString: $0) } ?? ""
                let text = internet_address_mailbox_get_addr(mailbox).map { String(cString: $0) } ?? ""
                if !name.isEmpty || !text.isEmpty { result.append(MailAddress(name: name, address: text)) }
            } else if let group = fakemx_address_as_group(address),
                let members = internet_address_group_get_members(group)
            {
                collect(members, into: &result, limit: limit)
            }
        }
    }

    private func parameters(_ list: UnsafeMutablePointer<GMimeParamList>?) -> [String: String] {
        guard let list else { return [:] }
        var result: [String: String] = [:]
        for index in 0..<max(0, g_mime_param_list_length(list)) {
            guard let parameter = g_mime_param_list_get_parameter_at(list, index),
                let name = g_mime_param_get_name(parameter), let value = g_mime_param_get_value(parameter)
            else { continue }
            let key = String(cString: name).lowercased()
            if result[key] == nil { result[key] = String(cString: value) }
        }
        return result
    }

    /// GMime's reader of groups calls itself at each colon, so a value of nothing but colons would use up the stack.
    private func cutAtColons(_ value: [UInt8]) -> [UInt8] {
        guard let end = value.position(of: UInt8(ascii: ":"), behind: MailLimit.addressColons) else { return value }
        warn("more than \(MailLimit.addressColons) colons in an address field: the rest is not read")
        return Array(value[..<end])
    }

    /// GMime reads parameters in quadratic time.
    private func cutAtParameters(_ value: [UInt8]) -> [UInt8] {
        let end = value.position(of: UInt8(ascii: ";"), behind: MailLimit.parameters) ?? value.count
        guard end < value.count || end > MailLimit.parameterOctets else { return value }
        warn("more than \(MailLimit.parameters) parameters or \(MailLimit.parameterOctets) octets of them")
        return Array(value[..<min(end, MailLimit.parameterOctets)])
    }

    private func joined(_ value: [UInt8]) -> [UInt8] {
        value.containsEncodedWord ? words(in: value).joined : value
    }

    private func words(in value: [UInt8]) -> EncodedWords {
        let words = EncodedWords(value)
        if let start = words.firstBroken {
            let text = String(decoding: value[start...].prefix(MailLimit.warningItemCharacters), as: UTF8.self)
            warn("invalid encoded word: " + text)
        }
        return words
    }

    private static func withFallbackCharsets(_ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Void) {
        "utf-8".withCString { first in
            "windows-1252".withCString { second in
                var names: [UnsafePointer<CChar>?] = [first, second, nil]
                names.withUnsafeMutableBufferPointer { buffer in
                    if let base = buffer.baseAddress { body(base) }
                }
            }
        }
    }
}

extension MIMEWords {
    /// What GMime found, in words.
    private static func text(of code: GMimeParserWarning, item: String?) -> String {
        let what: String
        switch code {
        case GMIME_WARN_DUPLICATED_HEADER: what = "header field is there twice"
        case GMIME_WARN_DUPLICATED_PARAMETER: what = "parameter is there twice"
        case GMIME_WARN_UNENCODED_8BIT_HEADER: what = "header holds 8-bit characters that are not encoded"
        case GMIME_WARN_INVALID_CONTENT_TYPE: what = "invalid content type"
        case GMIME_WARN_INVALID_RFC2047_HEADER_VALUE: what = "invalid encoded word"
        case GMIME_CRIT_INVALID_HEADER_NAME: what = "invalid header name"
        case GMIME_CRIT_CONFLICTING_HEADER: what = "header fields contradict each other"
        case GMIME_CRIT_CONFLICTING_PARAMETER: what = "parameters contradict each other"
        case GMIME_WARN_INVALID_PARAMETER: what = "invalid parameter"
        case GMIME_WARN_INVALID_ADDRESS_LIST: what = "invalid address list"
        default: what = "malformed (\(code.rawValue))"
        }
        guard let item, !item.isEmpty else { return what }
        return what + ": " + item.prefix(MailLimit.warningItemCharacters)
    }
}

/// GMime, started once for the process at its first use. Its functions may then run on any number of threads, each
/// with objects of its own: what it shares (charset names, types) is locked or, like the types, made here before
/// anybody runs.
private enum GMimeLibrary {
    private static let started: Bool = {
        g_mime_init()
        // GMime registers a type without a lock when the first object of it is made.
        if let list = internet_address_list_parse(nil, "group: a <a@example.org>;, b@example.org") {
            g_object_unref(list)
        }
        if let type = g_mime_content_type_parse(nil, "text/plain; charset*=utf-8''utf-8") { g_object_unref(type) }
        if let kind = g_mime_content_disposition_parse(nil, "inline; filename=a") { g_object_unref(kind) }
        return true
    }()

    static func start() { _ = started }
}

extension [UInt8] {
    /// Where the octet stands for the time behind the `count`th.
    fileprivate func position(of octet: UInt8, behind count: Int) -> Int? {
        var seen = 0
        return firstIndex {
            guard $0 == octet else { return false }
            seen += 1
            return seen > count
        }
    }

    /// Whether "=?" stands in it.
    fileprivate var containsEncodedWord: Bool {
        var isAfterEquals = false
        for octet in self {
            if isAfterEquals, octet == UInt8(ascii: "?") { return true }
            isAfterEquals = octet == UInt8(ascii: "=")
        }
        return false
    }

    /// The octets, which hold no NUL, with one behind them.
    fileprivate var cString: [CChar] {
        var result = map { CChar(bitPattern: $0) }
        result.append(0)
        return result
    }
}
