// Where libFuzzer comes in: hands its octets to one target (FuzzTargets.swift of a room's tests). Scripts/fuzz builds
// it, once for each target, and once more with octets mapped to words of the protocol (-D MAPPED).

#if FUZZ_RULES
    private let target = FaultsFuzzTarget.rules
#elseif FUZZ_MESSAGE
    private let target = FaultsFuzzTarget.message
#elseif FUZZ_FINDINGS
    private let target = FindingsFuzzTarget.findings
#elseif FUZZ_COMMANDS
    private let target = FuzzTarget.commands
#elseif FUZZ_BODY
    private let target = FuzzTarget.body
#else
    private let target = FuzzTarget.session
#endif

#if MAPPED
    private let mapped = true
#else
    private let mapped = false
#endif

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try target.run(Array(UnsafeBufferPointer(start: start, count: count)), mapped: mapped)
    } catch {
        // libFuzzer keeps the octets of an abort as a finding.
        fatalError("\(error)")
    }
    return 0
}
