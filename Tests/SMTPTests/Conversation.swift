// A conversation in one call, for tests: what the client says, and what comes back.

import Testing

@testable import SMTP

/// Says `text` to a new session, in one piece, behind the greeting.
///
/// - Parameter rulings: for each phase its rulings in order; `proceed` where there is none.
func converse(
    _ text: String, _ profile: Profile = Profile(hostname: "mx.test"), insideTLS: Bool = false,
    keepsContent: Bool = true, checkpoints: [Int] = [], rulings: [Phase: [Ruling]] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) -> Heard {
    converse(
        octets: Array(text.utf8), profile, insideTLS: insideTLS, keepsContent: keepsContent, checkpoints: checkpoints,
        rulings: rulings, sourceLocation: sourceLocation)
}

func converse(
    octets: [UInt8], _ profile: Profile = Profile(hostname: "mx.test"), insideTLS: Bool = false,
    keepsContent: Bool = true, checkpoints: [Int] = [], rulings: [Phase: [Ruling]] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
) -> Heard {
    var waiting = rulings
    var trial = Trial(
        Session(profile: profile, insideTLS: insideTLS, keepsContent: keepsContent, bodyCheckpoints: checkpoints),
        rule: { phase in
            guard let next = waiting[phase]?.first else { return .proceed }
            waiting[phase]?.removeFirst()
            return next
        })
    do {
        try trial.begin(.greeting)
        try trial.feed(octets)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
    return Heard(
        replies: Array(trial.replies.dropFirst(rulings[.greeting] == nil ? 1 : 0)), messages: trial.messages,
        envelopes: trial.envelopes, phases: trial.phases, notices: trial.notices, happenings: trial.happenings,
        isOver: trial.isOver)
}

/// What a conversation came to. The greeting is left out of the replies, unless there was a ruling on it.
struct Heard {
    var replies: [String]
    var messages: [[UInt8]]
    var envelopes: [Transaction]
    var phases: [Phase]
    var notices: [Notice]
    var happenings: [Happening]
    var isOver: Bool

    /// The codes of all replies, with a space between.
    var codes: String { replies.map { String($0.prefix(3)) }.joined(separator: " ") }
    var last: String { replies.last ?? "" }
    var texts: [String] { messages.map { String(decoding: $0, as: UTF8.self) } }
    /// The keywords of the last EHLO reply.
    var list: [String] {
        guard let reply = replies.last(where: { $0.hasPrefix("250-") }) else { return [] }
        return reply.split(separator: "\r\n").dropFirst().map { String($0.dropFirst(4)) }
    }
}

func ruling(_ code: Int, _ status: String? = nil, _ text: String = "by rule") -> Ruling {
    guard let code = ReplyCode(code) else { return .proceed }
    return .reply(Reply(code, status.flatMap { EnhancedStatus($0) }, text))
}

func profile(_ setUp: (inout Profile) -> Void) -> Profile {
    var profile = Profile(hostname: "mx.test")
    setUp(&profile)
    return profile
}

let ehlo = "EHLO client.test\r\n"
let mail = "MAIL FROM:<a@from.test>\r\n"
let rcpt = "RCPT TO:<b@to.test>\r\n"
let envelope = ehlo + mail + rcpt
let quit = "QUIT\r\n"
