// The menu of bad TLS stands in two rooms that do not know each other; here the names of both are held together.

import EventLoop
import Faults
import Testing

@Suite("The menu of bad TLS")
struct TLSNamesTests {
    @Test("what is not of SMTP alone is a manner of the event loop with the same name")
    func names() {
        for fault in TLSFault.all {
            let manner = TLSManner(named: fault.name)
            #expect((manner == nil) == (fault.kind == .smtp), "\(fault)")
            if let manner { #expect(manner.name == fault.name) }
            if case .alert(let alert) = fault { #expect(manner == .alert(alert.number)) }
        }
        let faults = TLSFault.all.filter { $0.kind == .certificate || $0.kind == .protocols }
        #expect(Set(faults.map(\.name)) == Set(TLSFlaw.allCases.map(\.rawValue)))
        #expect(TLSManner.alerts.count == TLSAlert.allCases.count)
    }
}
