// AUTH: the command and its exchange (RFC 4954 §4). Any credentials that are well-formed reach the phase `auth`.

extension Session {
    mutating func beginAuth(_ argument: UnsafeRawBufferPointer) throws(StandardReply) -> Demand {
        if isAuthenticated { throw .authTwice }
        guard !argument.isEmpty else { throw .argumentMissing }
        guard argument.isPrintable else { throw .badArgument }
        let end = argument.firstIndex(of: .space) ?? argument.count
        let mechanism = argument.slice(0, end)
        let awaits: AuthReceiver.Await
        if mechanism.equals("plain") {
            awaits = .plain
        } else if mechanism.equals("login") {
            awaits = .loginUser
        } else {
            throw .unknownMechanism
        }
        var start = end
        while start < argument.count, argument[start] == .space { start += 1 }
        guard start < argument.count else {
            mode = .auth(AuthReceiver(awaits: awaits))
            return .reply(standard(awaits == .plain ? .emptyChallenge : .askUserName), closes: false)
        }
        let initial = argument.slice(start, argument.count)
        // RFC 4954 §4: "=" is an initial response of no octets.
        return try continueAuth(initial.equals("=") ? argument.slice(0, 0) : initial, awaits)
    }

    mutating func receiveAuth(_ input: UnsafeRawBufferPointer, _ receiver: AuthReceiver) -> Step {
        var receiver = receiver
        let limit = max(profile.limits.authLine, Limits.shortestCommandLine)
        switch receiver.line.receive(input, limit: limit) {
        case .incomplete:
            mode = .auth(receiver)
            return Step(consumed: 0, unit: .none, demand: .input)
        case .tooLong:
            user = nil
            mayHearCredentials = true
            return beginSwallowing(input.slice(0, limit), .authLineTooLong)
        case .line(let length):
            mode = .command(LineReceiver())
            let line = input.slice(0, length - 2)
            let isSecret = !line.equals("*")
            var step = Step(
                consumed: length, unit: isSecret ? .secretLine : .line, demand: .input,
                secretFrom: isSecret ? 0 : length)
            do throws(StandardReply) {
                step.demand = try continueAuth(line, receiver.awaits)
            } catch {
                user = nil
                mayHearCredentials = true
                step.demand = refuse(error, &step.notice)
            }
            return step
        }
    }

    private mutating func continueAuth(
        _ response: UnsafeRawBufferPointer, _ awaits: AuthReceiver.Await
    ) throws(StandardReply) -> Demand {
        switch AuthReceiver.answer(response, to: awaits) {
        case .refused(let reason): throw reason
        case .challenge(let challenge, let next, let user):
            self.user = user
            mode = .auth(AuthReceiver(awaits: next))
            return .reply(standard(challenge), closes: false)
        case .finished(let user):
            if let user { self.user = user }
            return decide(.auth, .auth)
        }
    }
}
