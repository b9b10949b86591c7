// What each fuzz target does with its octets; Tests/Fuzz/Entry.swift hands them in, the tests replay the corpora.
// A target throws what is wrong; it may not crash, and it may not run long.

#if canImport(SMTP)
    @testable import SMTP
#endif

enum FuzzTarget: String, CaseIterable {
    case commands, body, session

    /// - Parameter mapped: octets stand for words of the protocol instead of themselves.
    func run(_ octets: [UInt8], mapped: Bool) throws {
        switch self {
        case .commands: try fuzzCommands(mapped ? words(octets) : octets)
        case .body: try fuzzBody(mapped ? octets.map { bodyAlphabet[Int($0) % bodyAlphabet.count] } : octets)
        case .session: try fuzzSession(octets, mapped: mapped)
        }
    }
}

let bodyAlphabet: [UInt8] = [13, 10, UInt8(ascii: "."), UInt8(ascii: "a"), 0]

/// Words of the protocol; an octet picks one.
private let vocabulary: [String] = [
    "\r\n", "\r\n", "\r\n", "\r", "\n", " ", " ", ".", "\r\n.\r\n", "EHLO a.test\r\n", "HELO a.test\r\n", "MAIL FROM:",
    "RCPT TO:", "MAIL FROM:<a@b.test>\r\n", "RCPT TO:<c@d.test>\r\n", "DATA\r\n", "BDAT ", "BDAT 3\r\nabc",
    "BDAT 2 LAST\r\nxy", "BDAT 0 LAST\r\n", "LAST", "RSET\r\n", "NOOP", "QUIT\r\n", "VRFY x\r\n", "EXPN x", "HELP",
    "STARTTLS\r\n", "AUTH PLAIN", "AUTH LOGIN\r\n", "AUTH PLAIN AGEAYg==\r\n", "dQ==\r\n", "*\r\n", "=", "<", ">", "@",
    "a", "b", "\"", "\\", "[", "]", "IPv6:", "::1", "192.0.2.1", ":", ",", ";", "+", "-", "\t", "\0", "\u{e9}",
    "<a@b.test>", "<\"q s\"@b.test>", "<@r.test:a@b.test>", "<Postmaster>", "<>", " SIZE=", " BODY=8BITMIME",
    " BODY=BINARYMIME", " SMTPUTF8", " RET=HDRS", " ENVID=x+2B", " NOTIFY=NEVER", " NOTIFY=SUCCESS,DELAY",
    " ORCPT=rfc822;a", " AUTH=<>", "9", "1", "0", "99999999999999999999", "GET / HTTP/1.1\r\n", "\u{16}\u{3}\u{1}",
]

private func words(_ octets: [UInt8]) -> [UInt8] {
    octets.flatMap { Array(vocabulary[Int($0) % vocabulary.count].utf8) }
}

/// Limits low enough for a fuzzer to pass them.
func smallProfile(_ setUp: (inout Profile) -> Void = { _ in }) -> Profile {
    var profile = Profile(hostname: "mx.test", authInClear: true)
    profile.limits.commandLine = 128
    profile.limits.authLine = 160
    profile.limits.messageSize = 64
    profile.limits.recipients = 3
    profile.limits.transactions = 4
    profile.limits.errors = 30
    setUp(&profile)
    return profile
}

/// One conversation, its octets fed in pieces of the given sizes, taken in turn; what is left goes in one piece.
func happenings(
    _ octets: [UInt8], pieces: [Int], profile: Profile, keepsContent: Bool = true, bodyCheckpoints: [Int] = [],
    rulings: [Ruling] = []
) throws -> [Happening] {
    var next = 0
    var trial = Trial(
        Session(
            profile: profile, insideTLS: false, keepsContent: keepsContent, bodyCheckpoints: bodyCheckpoints),
        rule: { _ in
            defer { next += 1 }
            return rulings.isEmpty ? .proceed : rulings[next % rulings.count]
        })
    try trial.begin(.greeting)
    var rest = octets[...]
    for piece in pieces where piece > 0 {
        try trial.feed(rest.prefix(piece))
        rest = rest.dropFirst(piece)
    }
    try trial.feed(rest)
    return trial.happenings
}

/// Line scanner and parser: whatever the octets are, whole and one by one give the same.
private func fuzzCommands(_ octets: [UInt8]) throws {
    var profile = smallProfile()
    profile.limits.errors = 1000
    let setUp = Array("EHLO a.test\r\n".utf8)
    let whole = try happenings(setUp + octets, pieces: [], profile: profile)
    let single = try happenings(
        setUp + octets, pieces: [Int](repeating: 1, count: setUp.count + octets.count), profile: profile)
    if whole != single { throw Broken("cut one by one, it differs:\n\(whole)\n\(single)") }
    // The path grammar alone, on the octets as they are.
    octets.withUnsafeBytes { octets in
        for forward in [false, true] {
            if let path = Path(octets, from: 0, forward: forward) { precondition(path.end <= octets.count) }
        }
        _ = isDomainOrLiteral(octets)
        _ = isIPv6(octets)
        _ = decodeBase64(octets)
    }
}

/// The body scanner against a reference that is too simple to be wrong. The first octet says how it is cut.
private func fuzzBody(_ octets: [UInt8]) throws {
    guard let first = octets.first else { return }
    let stream = Array(octets.dropFirst())
    let expected = naiveBody(stream)
    for cut in [Int.max, 1, Int(first % 16) + 1] {
        for room in [Int.max, Int(first / 16) + 1] {
            let found = scannedBody(stream, cut: cut, room: room)
            if found != expected { throw Broken("cut \(cut), room \(room): \(found) is not \(expected)") }
        }
    }
}

/// A message that was read: its content, and how many octets of the stream it took; nil while its end is not there.
struct ReadBody: Equatable {
    var content: [UInt8]
    var end: Int?
}

/// RFC 5321 §4.1.1.4 and §4.5.2, word by word: lines end in CRLF; a line that is a dot alone ends the message; a dot at
/// the start of any other line is removed.
func naiveBody(_ stream: [UInt8]) -> ReadBody {
    var content: [UInt8] = []
    var line: [UInt8] = []
    for (index, octet) in stream.enumerated() {
        line.append(octet)
        guard line.suffix(2) == [13, 10] else { continue }
        if line == [UInt8(ascii: "."), 13, 10] { return ReadBody(content: content, end: index + 1) }
        content += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
        line = []
    }
    // What is not a whole line yet: a dot, or a dot and a CR, may still be the end.
    if line == [UInt8(ascii: "."), 13] { line = [] }
    content += line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]
    return ReadBody(content: content, end: nil)
}

func scannedBody(_ stream: [UInt8], cut: Int, room: Int) -> ReadBody {
    var receiver = BodyReceiver()
    var content = Content(keeps: true, limit: Int.max)
    content.begin(expected: nil)
    var index = 0
    while index < stream.count {
        let end = cut < stream.count - index ? index + cut : stream.count
        let before = content.count
        let (consumed, ended) = stream[index..<end].withUnsafeBytes {
            receiver.receive($0, atMost: room, into: &content)
        }
        precondition(consumed > 0 || content.count > before, "no progress")
        index += consumed
        if ended { return ReadBody(content: content.take(), end: index) }
    }
    return ReadBody(content: content.take(), end: nil)
}

/// The whole session: the first octets choose extensions, checkpoints, rulings and cuts, the rest is what the client
/// says. Whole, cut as chosen, and one by one give the same.
private func fuzzSession(_ octets: [UInt8], mapped: Bool) throws {
    guard octets.count > 8 else { return }
    let head = octets[0..<8].map(Int.init)
    let profile = smallProfile {
        $0.tlsAvailable = head[0] & 1 == 0
        $0.authInClear = head[0] & 2 == 0
        if head[0] & 4 != 0 { $0.capabilities.remove(CapabilitySet(Capability.allCases[(head[0] >> 4) % 12])) }
        if head[0] & 8 != 0 { $0.limits.errors = 2 }
    }
    let rulings = (0..<head[1] % 12).map { index in menu[(head[2] * 31 + head[3] * 7 * index + index) % menu.count] }
    let checkpoints: [Int] = [[], [0], [1], [5], [0, 1, 2], [3, 3, 64, 65], [63], [66]][head[4] % 8]
    let pieces = (0..<64).map { index in 1 + (head[5] + head[6] * index) % (head[7] % 23 + 1) }
    let keeps = head[4] & 8 == 0
    let said = mapped ? words(Array(octets[8...])) : Array(octets[8...])
    let whole = try happenings(
        said, pieces: [], profile: profile, keepsContent: keeps, bodyCheckpoints: checkpoints, rulings: rulings)
    for pieces in [pieces, [Int](repeating: 1, count: said.count)] {
        let cut = try happenings(
            said, pieces: pieces, profile: profile, keepsContent: keeps, bodyCheckpoints: checkpoints,
            rulings: rulings)
        if cut != whole { throw Broken("cut, it differs:\n\(whole)\n\(cut)") }
    }
}

/// Rulings that a fuzzer may pick.
private let menu: [Ruling] = {
    var menu: [Ruling] = [.proceed, .proceed, .proceed, .proceed, .proceed, .stored(id: "A1"), .silence]
    for (code, status) in [(250, "2.0.0"), (354, nil), (450, "4.2.0"), (550, "5.1.1"), (521, "5.3.2"), (421, "4.7.0")] {
        guard let code = ReplyCode(code) else { continue }
        menu.append(.reply(Reply(code, status.flatMap { EnhancedStatus($0) }, "by rule")))
    }
    return menu
}()
