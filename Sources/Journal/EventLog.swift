// Events as compact octets: appended on the hot path without a String or an allocation of their own, decoded only when
// somebody reads them. An entry is: kind (1 octet), microseconds since the start of the session (varint), fields.

import SMTP

/// An append-only sequence of events of one session.
package struct EventLog: Sendable, Hashable {
    package private(set) var octets: [UInt8] = []
    /// How many events were appended.
    package private(set) var eventCount = 0

    package init() {}

    /// Octets of another log, or a part of them that begins and ends between events.
    package init(octets: [UInt8], eventCount: Int) {
        self.octets = octets
        self.eventCount = eventCount
    }

    package var isEmpty: Bool { octets.isEmpty }
    package var octetCount: Int { octets.count }

    /// The storage stays allocated.
    package mutating func removeAll() {
        octets.removeAll(keepingCapacity: true)
        eventCount = 0
    }

    /// Appends all events of another log.
    package mutating func append(_ other: EventLog) {
        octets.append(contentsOf: other.octets)
        eventCount += other.eventCount
    }

    enum Kind: UInt8 {
        case opened, clientLine, clientContent, clientIgnored, clientEarly, reply, fault
        case transactionBegan, recipientAnswered, transactionEnded
        case tlsStarted, tlsFailed, plaintextDiscarded, noticed, clientFinished, ended
        case clientHello
    }

    // MARK: The hot path: what every session does

    package mutating func clientLine(_ line: UnsafeRawBufferPointer, segment: Int, at_us: UInt64) {
        begin(.clientLine, at_us)
        put(UInt64(segment))
        put(line)
    }

    package mutating func clientContent(octetCount: Int, segment: Int, at_us: UInt64) {
        begin(.clientContent, at_us)
        put(UInt64(octetCount))
        put(UInt64(segment))
    }

    package mutating func reply(_ wire: [UInt8], phase: Phase?, at_us: UInt64) {
        begin(.reply, at_us)
        put(phase)
        put(wire)
    }

    package mutating func transactionBegan(_ reversePath: [UInt8], at_us: UInt64) {
        begin(.transactionBegan, at_us)
        put(reversePath)
    }

    package mutating func recipientAnswered(_ address: [UInt8], wire: [UInt8], at_us: UInt64) {
        begin(.recipientAnswered, at_us)
        put(address)
        put(wire)
    }

    package mutating func transactionEnded(
        _ verdict: Verdict, at phase: Phase?, reply: [UInt8]?, message: String?, at_us: UInt64
    ) {
        begin(.transactionEnded, at_us)
        octets.append(verdict.ordinal)
        put(phase)
        put(reply ?? [])
        put(message ?? "")
    }

    // MARK: Everything else

    package mutating func append(_ event: Event, at_us: UInt64) {
        switch event {
        case .opened(let session, let listener, let client, let local, let wall_us):
            begin(.opened, at_us)
            put(session)
            put(listener)
            put(client)
            put(local)
            put(UInt64(bitPattern: wall_us))
        case .clientLine(let line, let segment):
            line.withUnsafeBytes { clientLine($0, segment: segment, at_us: at_us) }
        case .clientContent(let count, let segment):
            clientContent(octetCount: count, segment: segment, at_us: at_us)
        case .clientIgnored(let count):
            begin(.clientIgnored, at_us)
            put(UInt64(count))
        case .clientEarly(let count, let segment):
            begin(.clientEarly, at_us)
            put(UInt64(count))
            put(UInt64(segment))
        case .reply(let phase, let wire): reply(wire, phase: phase, at_us: at_us)
        case .fault(let rule, let why, let phase, let action, let use, let octetCount, let script):
            begin(.fault, at_us)
            put(rule)
            put(why)
            put(phase)
            put(action)
            put(UInt64(use))
            put(UInt64(octetCount))
            put(UInt64(script.count))
            for text in script { put(text) }
        case .transactionBegan(let path): transactionBegan(path, at_us: at_us)
        case .recipientAnswered(let address, let wire): recipientAnswered(address, wire: wire, at_us: at_us)
        case .transactionEnded(let verdict, let phase, let reply, let message):
            transactionEnded(verdict, at: phase, reply: reply, message: message, at_us: at_us)
        case .clientHello(let offer): clientHello(offer, at_us)
        case .tlsStarted(let tls):
            begin(.tlsStarted, at_us)
            put(tls.version)
            put(tls.cipher)
            put(tls.sni ?? "")
            put(UInt64(tls.client_names.count))
            for name in tls.client_names { put(name) }
        case .tlsFailed(let reason):
            begin(.tlsFailed, at_us)
            put(reason)
        case .plaintextDiscarded(let count):
            begin(.plaintextDiscarded, at_us)
            put(UInt64(count))
        case .noticed(let text):
            begin(.noticed, at_us)
            put(text)
        case .clientFinished: begin(.clientFinished, at_us)
        case .ended(let ending):
            begin(.ended, at_us)
            octets.append(ending.ordinal)
        }
    }

    private mutating func clientHello(_ offer: TLSOffer, _ at_us: UInt64) {
        begin(.clientHello, at_us)
        octets.append(offer.hasSupportedVersions ? 1 : 0)
        put(offer.versions)
        put(offer.cipherSuites)
        put(offer.serverName ?? "")
    }

    // MARK: Fields

    private mutating func begin(_ kind: Kind, _ at_us: UInt64) {
        eventCount += 1
        octets.append(kind.rawValue)
        put(at_us)
    }

    private mutating func put(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            octets.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        octets.append(UInt8(truncatingIfNeeded: value))
    }

    private mutating func put(_ bytes: UnsafeRawBufferPointer) {
        put(UInt64(bytes.count))
        octets.append(contentsOf: bytes)
    }

    private mutating func put(_ bytes: [UInt8]) {
        put(UInt64(bytes.count))
        octets.append(contentsOf: bytes)
    }

    /// How many, then each.
    private mutating func put(_ numbers: [UInt16]) {
        put(UInt64(numbers.count))
        for number in numbers { put(UInt64(number)) }
    }

    private mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        octets.append(contentsOf: text.utf8)
    }

    /// A phase as its ordinal; 255 where there is none.
    private mutating func put(_ phase: Phase?) {
        octets.append(phase.map { UInt8($0.ordinal) } ?? 255)
    }
}

extension Verdict {
    var ordinal: UInt8 {
        switch self {
        case .accepted: 0
        case .rejected: 1
        case .deferred: 2
        case .lost: 3
        case .abandoned: 4
        }
    }
}

extension Ending {
    var ordinal: UInt8 {
        switch self {
        case .quit: 0
        case .clientClose: 1
        case .clientReset: 2
        case .timeout: 3
        case .sinkClose: 4
        case .sinkReset: 5
        case .shutdown: 6
        }
    }
}
