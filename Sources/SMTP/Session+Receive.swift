// From octets to a step: hands the input to the receiver of the current mode and turns what it found into a demand.

extension Session {
    /// Takes at most one unit from the front of `input`: a command line, an AUTH line, a stretch of message content, a
    /// stretch of a chunk, or octets to be swallowed. Octets not consumed are given again in front of new ones; the
    /// session remembers how far it searched. Never to be called while a decision is pending.
    package mutating func receive(_ input: UnsafeRawBufferPointer) -> Step {
        if let phase = pendingPhase { return Step(consumed: 0, unit: .none, demand: .decision(phase)) }
        return switch mode {
        case .command(let receiver): receiveCommand(input, receiver)
        case .auth(let receiver): receiveAuth(input, receiver)
        case .body(let receiver, let answered): receiveBody(input, receiver, answered: answered)
        case .chunk(let receiver): receiveChunk(input, receiver)
        case .swallow(let receiver, let answer): receiveSwallowed(input, receiver, answer)
        case .closed: Step(consumed: input.count, unit: input.isEmpty ? .none : .swallowed, demand: .input)
        }
    }

    private mutating func receiveCommand(_ input: UnsafeRawBufferPointer, _ receiver: LineReceiver) -> Step {
        if !heardLine, !isTLS, input.count >= 2, input[0] == 0x16, input[1] == 0x03 {
            // The record header of a TLS handshake (RFC 8446 §5.1); it has no line end to wait for.
            return hangUp(.clientHello, consumed: input.count, unit: .swallowed, notice: .clientHelloInClear)
        }
        var receiver = receiver
        var limit = max(profile.limits.commandLine, Limits.shortestCommandLine)
        if input.count >= limit, input.begins(with: "auth ") {
            // An initial response may be as long as a line of the exchange (RFC 4954 §4).
            limit = max(limit, profile.limits.authLine)
        }
        switch receiver.receive(input, limit: limit) {
        case .incomplete:
            mode = .command(receiver)
            return Step(consumed: 0, unit: .none, demand: .input)
        case .line(let length):
            mode = .command(LineReceiver())
            return receiveLine(input.slice(0, length - 2), length)
        case .tooLong:
            heardLine = true
            let answer: StandardReply = input.begins(with: "auth ") ? .authLineTooLong : .lineTooLong
            if answer == .authLineTooLong { mayHearCredentials = true }
            return beginSwallowing(input.slice(0, limit), answer)
        }
    }

    private mutating func receiveLine(_ line: UnsafeRawBufferPointer, _ length: Int) -> Step {
        let command = Command(line)
        let isFirst = !heardLine
        heardLine = true
        if command.verb == .unknown {
            if isFirst, command.isHTTP { return hangUp(.http, consumed: length, unit: .line, notice: .httpRequest) }
            return receiveUnknown(command, length)
        }
        var step = Step(consumed: length, unit: .line, demand: .input)
        if command.verb == .auth, let start = command.secretStart {
            step.unit = .secretLine
            step.secretFrom = start
        }
        // Whoever begins a transaction, or anew, has given up to log in.
        if [.mail, .ehlo, .helo].contains(command.verb) { mayHearCredentials = false }
        do throws(StandardReply) {
            step.demand = try obey(command, &step.notice)
        } catch {
            step.demand = refuse(error, &step.notice)
        }
        if command.verb == .auth, case .command = mode, pending == .nothing { mayHearCredentials = true }
        return step
    }

    /// RFC 5321 §4.2.4: 500, and never a close for it. What follows a refused AUTH may be its credentials, sent
    /// without waiting, so it is treated as a secret.
    private mutating func receiveUnknown(_ command: Command, _ length: Int) -> Step {
        var step = Step(consumed: length, unit: .line, demand: .input)
        if mayHearCredentials {
            step.unit = .secretLine
            step.secretFrom = 0
        } else if let start = command.secretStart {
            step.unit = .secretLine
            step.secretFrom = start
            mayHearCredentials = true
        }
        step.demand = refuse(state == .shut ? .shut : command.unknownReply, &step.notice)
        return step
    }

    /// Takes the line up to its limit, so that the notice is a step of its own however the octets are cut.
    mutating func beginSwallowing(_ start: UnsafeRawBufferPointer, _ answer: StandardReply) -> Step {
        var step = receiveSwallowed(start, SwallowReceiver(), answer)
        step.notice = .lineTooLong
        return step
    }

    private mutating func receiveSwallowed(
        _ input: UnsafeRawBufferPointer, _ receiver: SwallowReceiver, _ answer: StandardReply
    ) -> Step {
        var receiver = receiver
        let (consumed, ended) = receiver.receive(input)
        var step = Step(consumed: consumed, unit: consumed == 0 ? .none : .swallowed, demand: .input)
        if ended {
            mode = .command(LineReceiver())
            step.demand = refuse(state == .shut ? .shut : answer, &step.notice)
        } else {
            mode = .swallow(receiver, answer: answer)
        }
        return step
    }

    /// Not SMTP: one reply in words and the end.
    private mutating func hangUp(_ reply: StandardReply, consumed: Int, unit: Unit, notice: Notice) -> Step {
        mode = .closed
        return Step(
            consumed: consumed, unit: unit, demand: .reply(standard(reply), closes: true), notice: notice)
    }

    /// The protocol's own refusal. Counts what breaks the protocol, and ends the session when that is too much
    /// (RFC 5321 §7.8).
    mutating func refuse(_ reason: StandardReply, _ notice: inout Notice?) -> Demand {
        if reason.isProtocolError {
            errorsSeen += 1
            if errorsSeen > profile.limits.errors {
                mode = .closed
                notice = .tooManyErrors
                return .reply(farewell(EnhancedStatus(4, 7, 0), "Too many errors"), closes: true)
            }
        }
        guard reason == .shut, let shutReply else { return .reply(standard(reason), closes: false) }
        return .reply(shutReply, closes: false)
    }
}
