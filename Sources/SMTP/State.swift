// The state of a session between two commands, and the only place where it changes.
//
//   shut      The greeting or the handshake was refused. Only QUIT is obeyed (RFC 5321 §3.1, RFC 3207 §4.1,
//             RFC 7504 §3).
//   start     Nobody said EHLO or HELO yet, or TLS has just begun (RFC 3207 §4.2).
//   ready     Greeted, no transaction is open.
//   mail      MAIL was accepted, no recipient yet.
//   rcpt      At least one recipient was accepted.
//   chunks    At least one BDAT chunk was accepted, LAST is still to come (RFC 3030 §2).
//
// A command that is refused, by the protocol or by a ruling, leaves the state as it was (RFC 5321 §4.1.4), with two
// exceptions: a refused message, and a refused chunk, end the transaction. So the chunks that a client sends behind a
// refused one meet the state `ready`, where BDAT is out of order.

enum State: Sendable, Hashable {
    case shut, start, ready, mail, rcpt, chunks
}

/// What moves a session from one state to another. All of it was accepted.
enum Transition: Sendable, Hashable {
    /// EHLO or HELO.
    case greeted
    /// RSET, a message that was answered, or a chunk that was refused.
    case transactionOver
    case mailAccepted, recipientAccepted, chunkAccepted
    /// STARTTLS and the handshake.
    case handshake
    /// The greeting or the handshake was refused.
    case refusedService
}

extension State {
    func after(_ transition: Transition) -> State {
        switch (self, transition) {
        case (.shut, _), (_, .refusedService): .shut
        case (_, .handshake): .start
        case (_, .greeted): .ready
        case (.start, .transactionOver): .start  // RSET before EHLO is allowed and changes nothing
        case (_, .transactionOver): .ready
        case (_, .mailAccepted): .mail
        case (_, .recipientAccepted): .rcpt
        case (_, .chunkAccepted): .chunks
        }
    }

    /// What a command out of order is answered with; nil when it is in order (RFC 5321 §4.1.4). Extensions that are
    /// not offered, and the state `shut`, are looked at before.
    func refusal(of verb: Verb) -> StandardReply? {
        switch verb {
        case .ehlo, .helo, .rset, .noop, .quit, .vrfy, .expn, .help, .unknown: nil
        case .starttls: self == .start ? .sayEHLOFirst : nil
        case .auth:
            switch self {
            case .start: .sayEHLOFirst
            case .mail, .rcpt, .chunks: .authInTransaction  // RFC 4954 §4
            case .ready, .shut: nil
            }
        case .mail:
            switch self {
            case .start: .sayHelloFirst
            case .mail, .rcpt, .chunks: .nestedMail
            case .ready, .shut: nil
            }
        case .rcpt:
            switch self {
            case .start, .ready: .needMail
            case .chunks: .afterChunk
            case .mail, .rcpt, .shut: nil
            }
        case .data:
            switch self {
            case .start, .ready: .needMail
            case .mail: .needRecipient  // RFC 5321 §3.3
            case .chunks: .dataAfterChunk  // RFC 3030 §2
            case .rcpt, .shut: nil
            }
        case .bdat:
            switch self {
            case .start, .ready: .needMail
            case .mail: .needRecipient
            case .rcpt, .chunks, .shut: nil
            }
        }
    }
}
