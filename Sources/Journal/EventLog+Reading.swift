// Decodes an event log. A log that was cut or damaged yields the events before the damage and then ends.

import SMTP

/// An event and the time it happened, in microseconds since the start of its session.
package struct TimedEvent: Sendable, Hashable {
    package let at_us: UInt64
    package let event: Event

    package init(at_us: UInt64, event: Event) {
        self.at_us = at_us
        self.event = event
    }
}

extension EventLog: Sequence {
    package func makeIterator() -> Iterator { Iterator(octets: octets) }

    package struct Iterator: IteratorProtocol {
        private let octets: [UInt8]
        private var position = 0

        init(octets: [UInt8]) { self.octets = octets }

        package mutating func next() -> TimedEvent? {
            guard let rawKind = octet(), let kind = Kind(rawValue: rawKind), let at_us = number(),
                let event = event(of: kind)
            else {
                position = octets.count
                return nil
            }
            return TimedEvent(at_us: at_us, event: event)
        }

        private mutating func event(of kind: Kind) -> Event? {
            switch kind {
            case .opened:
                guard let session = text(), let listener = text(), let client = text(), let local = text(),
                    let wall = number()
                else { return nil }
                return .opened(
                    session: session, listener: listener, client: client, local: local,
                    wall_us: Int64(bitPattern: wall))
            case .clientLine:
                guard let segment = count(), let line = bytes() else { return nil }
                return .clientLine(octets: line, segment: segment)
            case .clientContent:
                guard let count = count(), let segment = self.count() else { return nil }
                return .clientContent(octetCount: count, segment: segment)
            case .clientIgnored: return count().map { .clientIgnored(octetCount: $0) }
            case .clientEarly:
                guard let count = count(), let segment = self.count() else { return nil }
                return .clientEarly(octetCount: count, segment: segment)
            case .reply:
                guard let phase = phase(), let wire = bytes() else { return nil }
                return .reply(phase: phase.value, wire: wire)
            case .fault:
                guard let rule = text(), let why = text(), let phase = phase()?.value, let action = text(),
                    let use = count(), let octetCount = count(), let script = texts()
                else { return nil }
                return .fault(
                    rule: rule, why: why, phase: phase, action: action, use: use, octets: octetCount, script: script)
            case .transactionBegan: return bytes().map { .transactionBegan(reversePath: $0) }
            case .recipientAnswered:
                guard let address = bytes(), let wire = bytes() else { return nil }
                return .recipientAnswered(address: address, wire: wire)
            case .transactionEnded:
                guard let ordinal = octet(), let verdict = Verdict.allCases.first(where: { $0.ordinal == ordinal }),
                    let phase = phase(), let reply = bytes(), let message = text()
                else { return nil }
                return .transactionEnded(
                    verdict: verdict, at: phase.value, reply: reply.isEmpty ? nil : reply,
                    message: message.isEmpty ? nil : message)
            case .clientHello: return clientHello().map { .clientHello($0) }
            case .tlsStarted: return tls().map { .tlsStarted($0) }
            case .tlsFailed: return text().map { .tlsFailed(reason: $0) }
            case .plaintextDiscarded: return count().map { .plaintextDiscarded(octetCount: $0) }
            case .noticed: return text().map { .noticed($0) }
            case .clientFinished: return .clientFinished
            case .ended:
                guard let ordinal = octet(), let ending = Ending.allCases.first(where: { $0.ordinal == ordinal })
                else { return nil }
                return .ended(ending)
            }
        }

        private mutating func tls() -> TLSSummary? {
            guard let version = text(), let cipher = text(), let sni = text(), let names = texts() else { return nil }
            return TLSSummary(version: version, cipher: cipher, sni: sni.isEmpty ? nil : sni, clientNames: names)
        }

        private mutating func clientHello() -> TLSOffer? {
            guard let flag = octet(), flag <= 1, let versions = shorts(TLSOffer.versionLimit),
                let suites = shorts(TLSOffer.suiteLimit), let name = text()
            else { return nil }
            return TLSOffer(
                versions: versions, cipherSuites: suites, serverName: name.isEmpty ? nil : name,
                hasSupportedVersions: flag == 1)
        }

        /// How many, then each; nil where there are more than `limit`.
        private mutating func shorts(_ limit: Int) -> [UInt16]? {
            guard let count = count(), count <= limit else { return nil }
            var numbers: [UInt16] = []
            numbers.reserveCapacity(count)
            for _ in 0..<count {
                guard let number = number().flatMap({ UInt16(exactly: $0) }) else { return nil }
                numbers.append(number)
            }
            return numbers
        }

        /// How many, then each.
        private mutating func texts() -> [String]? {
            guard let count = count() else { return nil }
            var texts: [String] = []
            for _ in 0..<count {
                guard let text = text() else { return nil }
                texts.append(text)
            }
            return texts
        }

        private mutating func octet() -> UInt8? {
            guard position < octets.count else { return nil }
            defer { position += 1 }
            return octets[position]
        }

        private mutating func number() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let next = octet() {
                guard shift < 64 else { return nil }
                value |= UInt64(next & 0x7f) << shift
                if next < 0x80 { return value }
                shift += 7
            }
            return nil
        }

        private mutating func count() -> Int? { number().flatMap { Int(exactly: $0) } }

        private mutating func bytes() -> [UInt8]? {
            guard let count = count(), count <= octets.count - position else { return nil }
            defer { position += count }
            return Array(octets[position..<position + count])
        }

        private mutating func text() -> String? { bytes().map { String(decoding: $0, as: UTF8.self) } }

        /// Wrapped, since "no phase" is a value here and "no more octets" is not.
        private mutating func phase() -> (value: Phase?, Void)? {
            guard let ordinal = octet() else { return nil }
            if ordinal == 255 { return (nil, ()) }
            guard let phase = Phase.allCases.first(where: { $0.ordinal == UInt32(ordinal) }) else { return nil }
            return (phase, ())
        }
    }
}
