// The forms of a report, by the names that the command line and the API give them.

package enum ReportFormat: String, Sendable, Hashable, CaseIterable {
    case json, text, markdown, html, junit, sarif

    /// RFC 2046, RFC 8259, RFC 7763, RFC 7303.
    package var mediaType: String {
        switch self {
        case .json: "application/json"
        case .text: "text/plain; charset=utf-8"
        case .markdown: "text/markdown; charset=utf-8"
        case .html: "text/html; charset=utf-8"
        case .junit: "application/xml"
        case .sarif: "application/sarif+json"
        }
    }

    /// - Parameters:
    ///   - failOn: of JUnit: what is at least as grave fails its test.
    ///   - columns: of text: how wide a line is.
    /// - Returns: nil for JSON, which is the report itself as `Codable` has it.
    package func render(_ report: Report, failOn: Severity = .must, columns: Int = 100, colours: Bool = false)
        -> String?
    {
        switch self {
        case .json: nil
        case .text: TextReport.render(report, columns: columns, colours: colours)
        case .markdown: MarkdownReport.render(report)
        case .html: HTMLReport.render(report)
        case .junit: JUnitReport.render(report, failOn: failOn)
        case .sarif: SARIFReport.render(report)
        }
    }
}
