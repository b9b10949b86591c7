// A connection inside TLS: records come in, octets in clear go to the handler.

extension Connection {
    /// Handles records as they came from the socket (or were held while reading was paused).
    func receiveRecords(_ records: UnsafeRawBufferPointer, now: Instant) {
        guard let tls else { return }
        let engine = reactor.tlsEngine
        engine.supply(records)
        defer { engine.supply(UnsafeRawBufferPointer(start: nil, count: 0)) }

        tls.overhear(records)
        if tls.isListening {
            let heard = tls.listen(records)
            transmitRecords()
            if tls.hasFailed { return tellHandshakeFailure(now: now) }
            heard?.withUnsafeBytes { receiveRecords($0, now: now) }
            return
        }
        if tls.isShakingHands {
            let isFinished = tls.shakeHands()
            transmitRecords()
            if tls.hasFailed { return tellHandshakeFailure(now: now) }
            guard isFinished, state == .open else { return }
            reactor.statistics.handshakes &+= 1
            let held = tls.takeHeldOutput()
            if tls.manner == .closeAfterHandshake {
                // Closed first, so that nothing of what the handler says now is sent.
                close()
            } else {
                held.withUnsafeBytes { if !$0.isEmpty { emit($0) } }
            }
            handler.handshakeFinished(self, .success(tls.facts()), now: now)
            guard state == .open else { return }
            if isPaused {
                // What came right behind the client's Finished waits until it is asked for.
                tls.heldInput = Array(engine.unread)
                return
            }
        }
        guard tls.isEstablished else { return }

        let count = tls.decrypt(into: engine.plaintext)
        transmitRecords()
        if count > 0 {
            handler.received(self, UnsafeRawBufferPointer(rebasing: engine.plaintext[..<count]), now: now)
        }
        guard state == .open else { return }
        if tls.hasFailed {
            fail(Self.brokenTLS)
        } else if tls.sawCloseNotify {
            finishInput(now: now)
        }
    }

    /// What the client offered in its ClientHello; nil before it came.
    package var clientHello: TLSClientHello? { tls?.clientHello }

    /// Records that were held while reading was paused, and failures before the first octet.
    func receiveHeldRecords(now: Instant) {
        guard state == .open, let tls else { return }
        if tls.hasFailed, !tls.toldFailure { return tellHandshakeFailure(now: now) }
        guard !isPaused, !tls.heldInput.isEmpty else { return }
        let held = tls.heldInput
        tls.heldInput = []
        held.withUnsafeBytes { receiveRecords($0, now: now) }
    }

    func tellHandshakeFailure(now: Instant) {
        guard let tls, !tls.toldFailure else { return }
        tls.toldFailure = true
        reactor.statistics.handshakeFailures &+= 1
        handler.handshakeFinished(self, .failure(TLSFailure(reason: tls.reason)), now: now)
    }
}
