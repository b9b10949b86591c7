// What every conversation of one listener shares for as long as it lives. A reload makes new contexts; open sessions
// keep the one they started with.

import Faults
import SMTP

package final class ListenerContext: Sendable {
    /// The listener's name, as rules and records say it.
    package let name: String
    package let profile: Profile
    package let rules: RuleBook
    /// TLS begins with the first octet (RFC 8314 §3.3).
    package let implicitTLS: Bool
    /// How TLS goes wrong here, if it does and no rule says otherwise.
    package let tlsFault: TLSFault?
    /// Messages are stored; false: counted.
    package let keepsMessages: Bool
    /// Somebody reads the events: a store or a transcript.
    package let records: Bool
    /// Senders are judged by what they send here.
    package let judges: Bool
    /// Users hand their mail in here (RFC 6409), by their settings or since TLS begins at once (RFC 8314 §3.3).
    package let isSubmission: Bool

    package init(
        name: String, profile: Profile, rules: RuleBook, implicitTLS: Bool, tlsFault: TLSFault?, keepsMessages: Bool,
        records: Bool, judges: Bool = false, isSubmission: Bool = false
    ) {
        self.name = name
        self.profile = profile
        self.rules = rules
        self.implicitTLS = implicitTLS
        self.tlsFault = tlsFault
        self.keepsMessages = keepsMessages
        self.records = records
        self.judges = judges
        self.isSubmission = isSubmission
    }
}
