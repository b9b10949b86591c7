// What the loop does with a connection when the socket is ready: read, write, finish. One turn is one read, one call
// of the handler, one write.

import CLinux
import Glibc

extension Connection {
    private var wantsReading: Bool {
        switch state {
        case .open: !(isPaused || isStifled || isFinished)
        case .finishing, .lingering: !sawFIN
        case .gone, .closed: false
        }
    }

    private var hasBacklog: Bool { !backlog.isEmpty }

    /// The socket is ready for something.
    func ready(_ conditions: UInt32, now: Instant) {
        if conditions & LINUX_WRITABLE != 0, hasBacklog { writeBacklog() }
        if conditions & ~LINUX_WRITABLE != 0 {
            if wantsReading {
                read(conditions, now: now)
            } else if state.rawValue < State.gone.rawValue {
                noticeWhileNotReading(conditions, now: now)
            }
        }
    }

    // MARK: reading

    private func read(_ conditions: UInt32, now: Instant) {
        let buffer = reactor.readBuffer
        // One read a turn. When it did not take all, epoll says so again after the others had their turn.
        let count = linux_receive(descriptor, buffer, state == .open ? readSize : reactor.settings.readBuffer)
        if count > 0 {
            reactor.statistics.octetsReceived &+= UInt64(count)
            guard state == .open else { return discard(count) }
            let octets = UnsafeRawBufferPointer(start: buffer, count: count)
            if tls != nil { receiveRecords(octets, now: now) } else { handler.received(self, octets, now: now) }
        } else if count == 0 {
            sawFIN = true
            finishInput(now: now)
        } else if count != -Int(EAGAIN) {
            fail(Int32(-count))
        } else if conditions & (LINUX_FAILED | LINUX_HUNG_UP) != 0 {
            let code = linux_take_error(descriptor)
            fail(code == 0 ? ECONNRESET : code)
        }
    }

    /// The client sends no more.
    func finishInput(now: Instant) {
        guard state == .open, !isFinished else { return }
        if let tls, tls.isShakingHands {
            tls.fail("the client closed the connection during the handshake")
            tellHandshakeFailure(now: now)
            guard state == .open else { return }
        }
        isFinished = true
        handler.peerFinished(self, now: now)
    }

    private func discard(_ count: Int) {
        discarded += count
        if discarded > reactor.settings.lingerOctets { abandon() }
    }

    /// Nothing is to be read now, yet the socket reports something: it is noticed once, and not watched for again.
    private func noticeWhileNotReading(_ conditions: UInt32, now: Instant) {
        if conditions & LINUX_FAILED != 0 {
            let code = linux_take_error(descriptor)
            if code != 0 { return fail(code) }
        }
        if conditions & LINUX_HUNG_UP != 0, state != .open { return abandon() }
        if state == .open, !isFinished, !toldLeaving, conditions & (LINUX_PEER_FINISHED | LINUX_HUNG_UP) != 0 {
            toldLeaving = true
            let next = linux_peek(descriptor)
            if next == 0, tls?.heldInput.isEmpty ?? true {
                sawFIN = true
                finishInput(now: now)
            } else if next < 0, next != -Int(EAGAIN) {
                return fail(Int32(-next))
            } else {
                handler.peerLeaving(self, now: now)
            }
            guard state.rawValue < State.gone.rawValue else { return }
        }
        if conditions & (LINUX_HUNG_UP | LINUX_FAILED) != 0, isWatched {
            // epoll cannot be told to be silent about these two.
            linux_epoll_remove(reactor.epoll, descriptor)
            isWatched = false
            armed = 0
        } else {
            watch(onlyWanted: true)
        }
    }

    // MARK: writing

    /// Gives octets to the connection: to the socket, or into TLS.
    func emit(_ octets: UnsafeRawBufferPointer) {
        guard let tls else { return transmit(octets) }
        if tls.isShakingHands {
            tls.heldOutput.append(contentsOf: octets)
        } else if tls.isEstablished {
            var rest = octets[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest.prefix(reactor.settings.outputBuffer))
                rest = rest.dropFirst(part.count)
                guard tls.encrypt(part) else { return fail(Self.brokenTLS) }
                if rest.isEmpty, state == .finishing { tls.finish() }
                transmitRecords()
            }
        }
    }

    /// Writes the records that TLS made. The place where a fault can hold, cut or garble them.
    func transmitRecords() {
        let records = reactor.tlsEngine.takeRecords()
        if !records.isEmpty { transmit(records) }
    }

    /// Writes to the socket; what it does not take is kept.
    private func transmit(_ octets: UnsafeRawBufferPointer) {
        guard state.rawValue < State.gone.rawValue else { return }
        hasWritten = true
        var taken = 0
        if !hasBacklog {
            taken = linux_send(descriptor, octets.baseAddress, octets.count)
            if taken < 0 {
                guard taken == -Int(EAGAIN) else { return fail(Int32(-taken)) }
                taken = 0
            }
            reactor.statistics.octetsSent &+= UInt64(taken)
            if taken == octets.count { return }
        } else if backlogHead > backlog.count / 2 {
            backlog.removeSubrange(..<backlogHead)
            backlogHead = 0
        }
        backlog.append(contentsOf: UnsafeRawBufferPointer(rebasing: octets[taken...]))
        if backlog.count - backlogHead > reactor.settings.pendingOutputLimit { isStifled = true }
    }

    private func writeBacklog() {
        let taken = backlog.withUnsafeBytes { octets in
            linux_send(descriptor, octets.baseAddress.map { $0 + backlogHead }, octets.count - backlogHead)
        }
        if taken < 0 {
            if taken != -Int(EAGAIN) { fail(Int32(-taken)) }
            return
        }
        reactor.statistics.octetsSent &+= UInt64(taken)
        backlogHead += taken
        guard backlogHead == backlog.count else { return }
        backlog = []
        backlogHead = 0
        isStifled = false
    }

    // MARK: the end of a turn

    /// Brings the connection as far as it gets without the client: FIN, the end, the conditions to wait for. All it
    /// sent was given to the socket before.
    func progress(now: Instant) {
        switch state {
        case .open:
            if hasWritten, !hasBacklog, tls?.heldOutput.isEmpty ?? true {
                hasWritten = false
                handler.drained(self, now: now)
                if state != .open || reactor.collected(for: self) > 0 { reactor.enqueue(self) }
            }
            watch(onlyWanted: false)
        case .finishing:
            finishOutput(now: now)
        case .lingering:
            if sawFIN { abandon() }
        case .gone, .closed:
            break
        }
        if state == .gone { tellEnd(now: now) }
    }

    private func finishOutput(now: Instant) {
        if let tls, tls.isEstablished {
            tls.finish()
            transmitRecords()
        }
        guard state == .finishing else { return }
        if hasBacklog { return watch(onlyWanted: false) }
        if sawFIN { return abandon() }
        linux_finish_sending(descriptor)
        state = .lingering
        reschedule(now.adding(ms: reactor.settings.lingerTime_ms).nanoseconds)
        watch(onlyWanted: false)
    }

    /// The deadline is reached.
    func expire(now: Instant) {
        deadline = .max
        switch state {
        case .open:
            handler.deadlineReached(self, now: now)
        case .finishing:
            // The client does not take the rest; it shall not think that it has all.
            linux_reset_on_close(descriptor)
            abandon()
        case .lingering:
            abandon()
        case .gone, .closed:
            break
        }
    }

    private func tellEnd(now: Instant) {
        if ruin != 0 {
            reactor.statistics.peersGone &+= 1
            let reason: String
            switch ruin {
            case ECONNRESET, EPIPE: reason = "the client reset the connection"
            case Self.brokenTLS: reason = tls?.reason ?? "TLS failed"
            default: reason = SystemError.words(ruin)
            }
            if let tls, tls.isShakingHands {
                tls.fail("\(reason) during the handshake")
                tellHandshakeFailure(now: now)
            }
            handler.peerGone(self, reason: reason, now: now)
        }
        state = .closed
        tls = nil
        handler.closed(self, now: now)
        reactor.forget(self)
    }

    /// Tells epoll what to wait for. A condition that is no longer wanted is left in place until it comes up once
    /// (`onlyWanted`): most pauses are over before that, and cost no system call.
    private func watch(onlyWanted: Bool) {
        var wanted: UInt32 = 0
        if wantsReading {
            wanted = LINUX_READABLE | LINUX_PEER_FINISHED
        } else if state == .open, !isFinished, !toldLeaving {
            wanted = LINUX_PEER_FINISHED
        }
        if hasBacklog { wanted |= LINUX_WRITABLE }
        if wanted == armed { return }
        if wanted & ~armed != 0 || onlyWanted || armed & ~wanted & LINUX_WRITABLE != 0 {
            if isWatched {
                linux_epoll_modify(reactor.epoll, descriptor, wanted, cookie)
            } else {
                linux_epoll_add(reactor.epoll, descriptor, wanted, cookie)
                isWatched = true
            }
            armed = wanted
        }
    }
}
