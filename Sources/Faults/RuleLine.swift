// The grammar of a rule on the command line.

import SMTP

/// A rule as one line: `rcpt to=*@full.test first=2 per=to: delay 200ms, 452 4.2.2 Mailbox full`.
package enum RuleLine {
    package static func parse(_ line: String) throws(RuleError) -> Rule {
        throw RuleError(message: "not yet", column: 1)
    }
}

/// What is wrong with a rule line.
package struct RuleError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    /// From 1, in characters.
    package let column: Int

    package var description: String { "column \(column): \(message)" }
}
