// Judges one list of actions at a phase: what the phase cannot do, and what contradicts what stands before it.

import SMTP

struct ActionJudge {
    let at: Phase
    private(set) var complaints: [(index: Int, text: RuleText)] = []

    private var reply: ReplyText?
    private var ending: RuleAction?
    private var accepts = false
    private var keeps: Int?
    private var loses: Int?
    private var drips: Int?
    private var slowReads: Int?
    private var hidden = CapabilitySet()
    private var offered = CapabilitySet()
    private var changesList: Int?
    private var bends: Int?
    private var saysRaw = false
    private var rawAccepts = false
    private var tls: Int?

    init(at: Phase) { self.at = at }

    /// Something goes out or is promised in place of silence.
    private var speaks: Bool { hasReply || accepts }
    private var hasReply: Bool { reply != nil || saysRaw || usesCatalogue }
    private var usesCatalogue = false

    private mutating func add(_ index: Int, _ text: RuleText) { complaints.append((index, text)) }

    mutating func judge(_ actions: [RuleAction]) {
        guard !actions.isEmpty else { return add(0, "no action; write a reply, close, delay 2s …") }
        guard actions.count <= Rule.mostActions else {
            return add(Rule.mostActions, "more than \(Rule.mostActions) actions")
        }
        for (index, action) in actions.enumerated() {
            if let ending {
                add(index, "\(action.word) behind \(ending.word): nothing can follow it")
                continue
            }
            judge(action, index)
        }
        judgeTogether(actions)
    }

    private mutating func judge(_ action: RuleAction, _ index: Int) {
        switch action {
        case .reply(let text): judgeReply(text, index)
        case .delay, .tarpit: break
        case .use:
            judgeSecondReply(index)
            usesCatalogue = true
        case .raw(let text): judgeRaw(text, index)
        case .tls(let fault): judgeTLS(fault, index)
        case .drip:
            if drips != nil { add(index, "a second drip") }
            if speaks { add(index, "drip stands in front of the reply that it slows down") }
            drips = index
        case .slowRead:
            if slowReads != nil { add(index, "a second slow-read") }
            if let reason = slowReadComplaint { add(index, reason) }
            slowReads = index
        case .stall, .close, .reset, .stopReading: ending = action
        case .keep, .lose: judgeStorage(action, index)
        case .accept:
            if accepts { add(index, "a second accept") }
            if hasReply { add(index, "accept beside a reply: accept means the protocol's own") }
            accepts = true
        case .hide(let set):
            judgeList("hide", index)
            hidden.formUnion(set)
        case .offer(let set):
            judgeList("offer", index)
            offered.formUnion(set)
        }
    }

    private mutating func judgeReply(_ text: ReplyText, _ index: Int) {
        guard judgeSecondReply(index) else { return }
        reply = text
        guard text.code.value < 400 else { return }
        let fitting = at.positiveCodes
        if fitting.isEmpty {
            add(index, "\(text.code) says yes where nothing was asked; at \(at.rawValue) a reply is 4yz or 5yz")
        } else if !fitting.contains(text.code.value) {
            let known = fitting.map(String.init).joined(separator: ", ")
            add(index, "\(text.code) does not fit \(at.rawValue): \(known), 4yz or 5yz do")
        }
    }

    /// - Returns: false when a reply stands in front of this one.
    @discardableResult
    private mutating func judgeSecondReply(_ index: Int) -> Bool {
        if hasReply {
            add(
                index,
                """
                a second reply; a command has one (RFC 5321 §4.2), and its lines share it with \\n; for two see raw \
                two-replies
                """)
            return false
        }
        if accepts { add(index, "a reply beside accept: accept means the protocol's own") }
        return true
    }

    private mutating func judgeRaw(_ text: RawText, _ index: Int) {
        switch text {
        case .octets:
            judgeSecondReply(index)
            if at == .tls {
                add(index, "raw at tls: octets in clear would end the handshake; use tls garbage at starttls")
            }
            if drips != nil { add(index, "raw beside drip: its pieces have a pace of their own") }
            saysRaw = true
            rawAccepts = text.code?.isPositive ?? true
        case .preset(let preset):
            if bends != nil { add(index, "a second preset of raw") }
            if speaks { add(index, "raw \(preset.rawValue) stands in front of the reply that it bends") }
            if let phases = preset.phases, !phases.contains(PhaseSet(at)) {
                let fitting = Phase.allCases.filter { phases.contains(PhaseSet($0)) }.map(\.rawValue)
                add(
                    index,
                    """
                    raw \(preset.rawValue) at \(at.rawValue) means nothing; use at: \
                    \(fitting.joined(separator: " or "))
                    """
                )
            }
            if drips != nil { add(index, "raw beside drip: its pieces have a pace of their own") }
            bends = index
        }
    }

    private mutating func judgeTLS(_ fault: TLSFault, _ index: Int) {
        if tls != nil { add(index, "a second tls; a handshake goes wrong in one way") }
        tls = index
        switch at {
        case .connect, .greeting, .ehlo: break
        case .starttls where fault == .hidden:
            add(index, "tls hidden at starttls: the list has been sent by then; use at: ehlo or connect")
        case .starttls: break
        case .tls where fault.kind == .smtp && fault != .ehloChanged && fault != .offeredAgain:
            add(index, "tls \(fault) at tls: STARTTLS has been answered by then; use at: starttls")
        case .tls: break
        default: add(index, "tls \(fault) at \(at.rawValue): it comes too late; use at: starttls or tls")
        }
    }

    private mutating func judgeStorage(_ action: RuleAction, _ index: Int) {
        if at != .endOfData {
            return add(
                index, "\(action.word) at \(at.rawValue): a message is stored at end-of-data only; use at: end-of-data")
        }
        if speaks { add(index, "\(action.word) stands in front of the reply") }
        switch action {
        case .keep where keeps != nil, .lose where loses != nil: add(index, "a second \(action.word)")
        case .keep where loses != nil, .lose where keeps != nil: add(index, "keep and lose contradict each other")
        default: break
        }
        if action == .keep { keeps = index } else { loses = index }
    }

    private mutating func judgeList(_ word: RuleText, _ index: Int) {
        switch at {
        case .connect, .greeting, .ehlo, .starttls, .tls: break
        default: add(index, "\(word) at \(at.rawValue): the EHLO list has been sent by then; use at: ehlo or connect")
        }
        changesList = index
    }

    private var slowReadComplaint: RuleText? {
        switch at {
        case .endOfData, .accepted: "slow-read at \(at.rawValue): the message has been read by then; use at: data"
        case .quit: "slow-read at quit: nothing is read afterwards"
        default: nil
        }
    }

    /// What only the whole list can show.
    private mutating func judgeTogether(_ actions: [RuleAction]) {
        let last = actions.count - 1
        if actions[last].isDelay {
            if speaks { add(last, "a delay behind the reply delays nothing; put it in front, or close behind it") }
            if at == .idle || at == .accepted {
                add(last, "a delay alone delays nothing at \(at.rawValue); add a reply or close")
            }
        }
        if let bends {
            if ending != nil, !speaks {
                add(bends, "nothing is said here, so nothing can be bent; add a reply or accept")
            } else if !at.hasOwnReply, !hasReply {
                add(bends, "nothing is said at \(at.rawValue) by itself, so nothing can be bent; add a reply")
            }
        }
        if let drips {
            if ending != nil, !speaks {
                add(drips, "nothing is said here, so nothing can drip; add a reply or accept")
            } else if !at.hasOwnReply, !hasReply {
                add(drips, "nothing is said at \(at.rawValue) by itself, so nothing can drip; add a reply")
            }
        }
        if let slowReads, ending == .close || ending == .reset || ending == .stopReading {
            add(slowReads, "nothing is read from a connection that closes, or that nobody reads")
        }
        if let changesList {
            if !hidden.isDisjoint(with: offered) {
                add(changesList, "hide and offer of the same keyword: \(hidden.intersection(offered).words)")
            }
            if ending != nil { add(changesList, "no EHLO list follows here") }
            if at == .ehlo, hasReply {
                add(changesList, "the reply takes the EHLO list's place, so it cannot be changed")
            }
        }
        judgeStoring()
    }

    private mutating func judgeStoring() {
        if let keeps {
            if accepts || reply.map({ $0.code.isPositive }) == true || saysRaw && rawAccepts {
                add(keeps, "keep stores although no 250 follows, and here one does: leave it out")
            } else if !hasReply, ending == nil {
                add(keeps, "keep stores although no 250 follows; add close, reset, stall or a 4yz or 5yz reply")
            }
        }
        if let loses {
            if reply.map({ !$0.code.isPositive }) == true {
                add(loses, "lose beside a refusal: what is refused is not stored anyway")
            } else if ending != nil, !speaks {
                add(loses, "lose says 250 and nothing is said here; leave it out, or add accept")
            }
        }
    }
}

extension Phase {
    /// The codes below 400 that a command knows here.
    fileprivate var positiveCodes: [UInt16] {
        switch self {
        case .connect, .greeting, .starttls: [220]
        case .ehlo, .mail, .endOfData, .rset, .noop: [250]
        case .auth: [235]
        case .rcpt: [250, 251]
        case .data: [354]
        case .vrfy: [250, 251, 252]
        case .quit: [221]
        case .tls, .body, .idle, .accepted: []
        }
    }

    /// The protocol itself says something at this phase.
    fileprivate var hasOwnReply: Bool {
        switch self {
        case .connect, .tls, .body, .idle, .accepted: false
        default: true
        }
    }
}

extension RuleAction {
    fileprivate var isDelay: Bool {
        switch self {
        case .delay, .tarpit: true
        default: false
        }
    }
}
