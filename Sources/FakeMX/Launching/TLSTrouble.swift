// What the menu of bad TLS cannot serve on this machine: builds of OpenSSL leave things out, and policies forbid them.

import EventLoop
import Faults
import Settings

/// Bad TLS that this machine's OpenSSL cannot serve.
package enum TLSTrouble {
    /// - Parameter menu: makes what is asked for, so that the first client need not wait for it.
    package static func complaints(about configurations: [Configuration], _ menu: TLSMenu) -> [Complaint] {
        var asked: [(flaw: TLSFlaw, hostname: String)] = []
        for configuration in configurations {
            let hostname = configuration.hostname
            for listener in configuration.listeners {
                if let flaw = listener.tlsFault.flatMap({ TLSFlaw(rawValue: $0.name) }) {
                    asked.append((flaw, listener.hostname))
                }
            }
            for case .tls(let fault) in configuration.rules.flatMap({ $0.schedule.steps.joined() }) {
                if let flaw = TLSFlaw(rawValue: fault.name) { asked.append((flaw, hostname)) }
            }
        }
        guard !asked.isEmpty else { return [] }
        let place = Place(source: "tls")
        var seen: Set<String> = []
        return asked.compactMap { flaw, hostname in
            guard seen.insert("\(flaw.rawValue) \(hostname)").inserted,
                let trouble = menu.trouble(of: flaw, hostname: hostname)
            else {
                return nil
            }
            return Complaint(place, trouble)
        }
    }
}
