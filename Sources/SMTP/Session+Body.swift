// The message while it arrives: by DATA up to its final dot, by BDAT in chunks, with the checkpoints at which the phase
// `body` is to be decided.

extension Session {
    mutating func beginContent() {
        content.keeps = keepsContent
        content.begin(expected: transaction?.reversePath.size)
        checkpoints = bodyCheckpoints
        nextCheckpoint = 0
    }

    /// Content octets until the next checkpoint.
    private var room: Int {
        nextCheckpoint < checkpoints.count ? checkpoints[nextCheckpoint] - content.count : Int.max
    }

    /// Whether a checkpoint is reached; moves past it, and past all that fall on the same octet.
    private mutating func passesCheckpoint() -> Bool {
        var passes = false
        while room <= 0 {
            nextCheckpoint += 1
            passes = true
        }
        return passes
    }

    mutating func receiveBody(
        _ input: UnsafeRawBufferPointer, _ receiver: BodyReceiver, answered: Bool
    ) -> Step {
        if input.isEmpty { return Step(consumed: 0, unit: .none, demand: .input) }
        if !answered, passesCheckpoint() {
            return Step(consumed: 0, unit: .none, demand: decide(.body, .body))
        }
        var receiver = receiver
        let wasTooBig = content.isTooBig
        let (consumed, ended) = receiver.receive(input, atMost: answered ? Int.max : room, into: &content)
        // A CR that was held back may fill the room without a new octet.
        var step = Step(consumed: consumed, unit: consumed == 0 ? .none : .content, demand: .input)
        if content.isTooBig, !wasTooBig, !answered { step.notice = .messageTooBig }
        if ended {
            mode = .command(LineReceiver())
            if answered {
                move(.transactionOver)
            } else {
                step.demand = endMessage(&step.notice)
            }
        } else {
            mode = .body(receiver, answered: answered)
            if !answered, passesCheckpoint() { step.demand = decide(.body, .body) }
        }
        return step
    }

    /// RFC 1870 §6.3: too big is said behind the dot, and the transaction is over.
    private mutating func endMessage(_ notice: inout Notice?) -> Demand {
        guard !content.isTooBig else {
            move(.transactionOver)
            return refuse(.messageTooBig, &notice)
        }
        return decide(.endOfData, .endOfData)
    }

    mutating func receiveChunk(_ input: UnsafeRawBufferPointer, _ receiver: ChunkReceiver) -> Step {
        if input.isEmpty { return Step(consumed: 0, unit: .none, demand: .input) }
        var chunk = receiver
        let isContent = chunk.fate == .content
        if isContent { content.isChunked = true }
        var step = Step(consumed: 0, unit: isContent ? .content : .swallowed, demand: .input)
        if chunk.owesOctet {
            chunk.owesOctet = false
            step.consumed = 1
            step.demand = endChunk(chunk, &step.notice)
            return step
        }
        if isContent, passesCheckpoint() {
            return Step(consumed: 0, unit: .none, demand: decide(.body, .body))
        }
        step.consumed = min(input.count, chunk.remaining)
        if isContent {
            step.consumed = min(step.consumed, room)
            let wasTooBig = content.isTooBig
            content.append(input.slice(0, step.consumed))
            if content.isTooBig, !wasTooBig { step.notice = .messageTooBig }
        }
        chunk.remaining -= step.consumed
        if isContent, passesCheckpoint() {
            if chunk.remaining == 0 {
                // The last octet is given back once, so that the caller comes again for the end of the chunk.
                chunk.owesOctet = true
                step.consumed -= 1
            }
            mode = .chunk(chunk)
            step.secretFrom = step.consumed
            step.demand = decide(.body, .body)
            if step.consumed == 0 { step.unit = .none }
            return step
        }
        step.secretFrom = step.consumed
        if chunk.remaining == 0 {
            step.demand = endChunk(chunk, &step.notice)
        } else {
            mode = .chunk(chunk)
        }
        return step
    }

    /// Behind the last octet of a chunk: one answer for each BDAT (RFC 3030 §2).
    mutating func endChunk(_ chunk: ChunkReceiver, _ notice: inout Notice?) -> Demand {
        mode = .command(LineReceiver())
        switch chunk.fate {
        case .answered: return .input
        case .refused(let reason): return refuse(reason, &notice)
        case .content:
            if chunk.isLast { return endMessage(&notice) }
            guard !content.isTooBig else {
                move(.transactionOver)
                return refuse(.messageTooBig, &notice)
            }
            return decide(.chunk, .data)
        }
    }
}
