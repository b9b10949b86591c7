// What is wrong with the settings, and where: `fakemx.yaml:14:5: unknown key "probabilty"; did you mean "probability"?`

/// Where something stands: a file with line and column, a flag, or a variable of the environment.
package struct Place: Sendable, Hashable, CustomStringConvertible {
    /// The file as it was named, `--rule`, or `FAKEMX_SEED`.
    package var source: String
    /// From 1; nil where there are no lines.
    package var line: Int?
    /// From 1, in Unicode scalars; nil when the whole source is meant.
    package var column: Int?

    package init(source: String, line: Int? = nil, column: Int? = nil) {
        self.source = source
        self.line = line
        self.column = column
    }

    package var description: String {
        switch (line, column) {
        case (let line?, let column?): "\(source):\(line):\(column)"
        case (let line?, nil): "\(source):\(line)"
        case (nil, let column?): "\(source), column \(column)"
        case (nil, nil): source
        }
    }
}

/// One thing that is wrong with the settings.
package struct Complaint: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Severity: Sendable, Hashable {
        /// fakemx does not start with it, and a reload is refused.
        case error
        case warning
    }

    package var severity: Severity
    package var place: Place
    package var message: String

    package init(_ severity: Severity, _ place: Place, _ message: String) {
        self.severity = severity
        self.place = place
        self.message = message
    }

    /// An error.
    package init(_ place: Place, _ message: String) { self.init(.error, place, message) }

    package var isError: Bool { severity == .error }

    package var description: String { "\(place): \(isError ? "" : "warning: ")\(message)" }
}
