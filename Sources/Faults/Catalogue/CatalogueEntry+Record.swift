// An entry of the catalogue as others see it: an object of the API and of `fakemx replies --output json`.

extension CatalogueEntry: Encodable {
    private enum CodingKeys: String, CodingKey {
        case name, provider, phase, code, enhanced, meaning, advice, text, source
    }

    /// All keys are always there: `phase` is `any` where none is known, `enhanced` is null where there is none. `text`
    /// has LF between its lines, and its placeholders.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(provider, forKey: .provider)
        try fields.encode(phaseWord, forKey: .phase)
        try fields.encode(code.value, forKey: .code)
        try fields.encode(enhanced?.description, forKey: .enhanced)
        try fields.encode(meaning.rawValue, forKey: .meaning)
        try fields.encode(advice.rawValue, forKey: .advice)
        try fields.encode(text, forKey: .text)
        try fields.encode(source, forKey: .source)
    }

    /// The phase, or `any`.
    package var phaseWord: String { phase?.rawValue ?? "any" }

    /// What the lines say behind code and enhanced code, with spaces between them.
    package var words: String {
        let said = template.lines.map { line in
            var rest = line.dropFirst(4)
            if let enhanced, rest.hasPrefix("\(enhanced)") { rest = rest.dropFirst(enhanced.description.count) }
            return String(rest).trimmed
        }
        return said.joined(separator: " ")
    }
}
