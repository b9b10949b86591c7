// The receiver of message content after DATA: removes the dots that RFC 5321 §4.5.2 adds and finds the end, which is
// CRLF.CRLF and nothing else (RFC 5321 §4.1.1.4). Every octet is looked at once, and copied once in long runs.
//
//   text        inside a line
//   cr          behind a CR
//   lineStart   behind CRLF, or at the start of the message
//   dot         behind a dot at the start of a line; it is not content, whatever follows (RFC 5321 §4.5.2)
//   dotCR       behind such a dot and a CR; this CR is held back, LF makes it the end, anything else makes it content

struct BodyReceiver: Sendable, Hashable {
    private enum Position: Sendable, Hashable { case text, cr, lineStart, dot, dotCR }

    private var position = Position.lineStart

    /// - Parameters:
    ///   - room: content octets to take at most; at least one.
    /// - Returns: how many octets were taken, and whether the final dot was among them.
    mutating func receive(
        _ input: UnsafeRawBufferPointer, atMost room: Int, into content: inout Content
    ) -> (consumed: Int, ended: Bool) {
        var index = 0
        var room = room
        while index < input.count, room > 0 {
            switch position {
            case .lineStart where input[index] == .dot:
                position = .dot
                index += 1
            case .dot where input[index] == .cr:
                position = .dotCR
                index += 1
            case .dotCR where input[index] == .lf:
                position = .lineStart
                return (index + 1, true)
            case .dotCR:
                content.noteUnstuffedDot()
                content.appendCR()
                room -= 1
                position = .cr
            case .dot:
                // The second dot, or what else follows, is content and not a dot at the start of a line.
                if input[index] != .dot { content.noteUnstuffedDot() }
                let run = takeRun(input, from: index, room: room, searchFrom: index + 1)
                content.append(input.slice(index, run))
                room -= run - index
                index = run
            case .text, .cr, .lineStart:
                let run = takeRun(input, from: index, room: room, searchFrom: index)
                content.append(input.slice(index, run))
                room -= run - index
                index = run
            }
        }
        return (index, false)
    }

    /// The end of the run of content that begins at `start`: in front of the next dot at the start of a line, at the
    /// end of the input, or where there is no more room. Sets the position behind the run.
    private mutating func takeRun(
        _ input: UnsafeRawBufferPointer, from start: Int, room: Int, searchFrom: Int
    ) -> Int {
        let limit = room < input.count - start ? start + room : input.count
        var search = searchFrom
        var end = limit
        // Dots are rarer than line ends: one search over the run, and a look back at each dot.
        while let dot = input.position(of: .dot, from: search, before: limit) {
            if isLineStart(input, dot, runStart: start) {
                end = dot
                break
            }
            search = dot + 1
        }
        position = positionBehind(input, end, runStart: start)
        return end
    }

    /// Whether CRLF stands in front of `index`. What stands in front of the run is known by `position` alone: there may
    /// have been a removed dot.
    private func isLineStart(_ input: UnsafeRawBufferPointer, _ index: Int, runStart: Int) -> Bool {
        switch index - runStart {
        case 0: position == .lineStart
        case 1: position == .cr && input[index - 1] == .lf
        default: input[index - 1] == .lf && input[index - 2] == .cr
        }
    }

    private func positionBehind(_ input: UnsafeRawBufferPointer, _ end: Int, runStart: Int) -> Position {
        if end == runStart { return position }
        if isLineStart(input, end, runStart: runStart) { return .lineStart }
        return input[end - 1] == .cr ? .cr : .text
    }
}
