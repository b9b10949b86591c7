// Bad TLS as far as SMTP has a part in it: what becomes of the EHLO list, of the 220, and of what stands behind it.
// What goes wrong inside the handshake is the event loop's.

import Faults
import Journal
import SMTP

extension Conversation {
    /// Behind the 220 of `garbage`: no TLS record begins like this.
    private static let noise: [UInt8] = (0..<256).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 89) }
    /// Behind the 220 of `injected-reply`: what a man in the middle would have put there.
    private static let injectedReply = Reply(ReplyCode.ok, nil, "Injected behind the 220, in clear")
    /// Taken out of the list inside TLS by `ehlo-changed`.
    private static let changedAway = CapabilitySet([.pipelining, .eightBitMIME, .chunking, .dsn])

    /// From now on TLS goes wrong in this way.
    func spoilTLS(_ fault: TLSFault) {
        tlsFault = fault
        if fault == .hidden { session.hide(CapabilitySet(.startTLS)) }
    }

    /// The fault is a setting of the listener, so no rule tells of it.
    func noteSetting(at phase: Phase, _ effects: inout Effects) {
        // A refusal is told each time, as each is a reply of its own.
        guard let fault = tlsFault, fault == context.tlsFault, !toldSetting || fault == .refused else { return }
        toldSetting = true
        noteTLSFault(fault.name, rule: "listener \(context.name)", why: "a setting", phase, &effects)
    }

    package var isHandshaking: Bool { if case .handshaking = gate { true } else { false } }

    /// The handshake went, or goes, in this manner; told where no rule and no setting did.
    package func handshakeSpoiled(_ name: String, now_ns: UInt64, _ effects: inout Effects) {
        guard tlsFault?.name != name, case .success(let fault) = TLSFault.parse(name) else { return }
        now_us = (now_ns - began_ns) / 1000
        tlsFault = fault
        noteTLSFault(name, rule: "server name", why: "the client asked for the host \(name).…", .tls, &effects)
    }

    private func noteTLSFault(
        _ name: String, rule: String, why: String, _ phase: Phase, _ effects: inout Effects
    ) {
        guard context.records else { return }
        disturbances.formUnion(.tls)
        effects.events.append(
            .fault(
                rule: rule, why: why, phase: phase, action: "tls \(name)", use: Int(uses[Int(phase.ordinal)]),
                octets: 0, script: ["tls \(name)"]), at_us: now_us)
    }

    func settleSTARTTLS(_ ruling: Ruling, _ now_ns: UInt64, _ effects: inout Effects) {
        noteSetting(at: .starttls, &effects)
        guard tlsFault == .refused, case .proceed = ruling else {
            return complete(.starttls, ruling, now_ns, &effects)
        }
        // A rule that refuses this command says nothing of the next.
        if plan?.actions.contains(.tls(.refused)) == true { tlsFault = context.tlsFault }
        complete(.starttls, .reply(Replies.tlsRefused), now_ns, &effects)
    }

    /// The 220 is on its way; what happens in the handshake's place.
    ///
    /// - Returns: whether there is to be no handshake.
    func spoilsSTARTTLS(_ effects: inout Effects) -> Bool {
        switch tlsFault {
        case .silent:
            closeTransaction(&effects)
            stall(isDeaf: true)
            return true
        case .garbage:
            closeTransaction(&effects)
            stall(isDeaf: false)
            answersWithNoise = true
            return true
        case .close:
            end(.sinkClose, closing: .finish, &effects)
            return true
        case .injectedReply:
            say(Self.injectedReply, nil, &effects)
            return false
        default: return false
        }
    }

    /// Noise goes out when the ClientHello has come: together with the 220 it would end in the buffer of a client that
    /// still reads replies, and never be taken for TLS.
    func answerWithNoise(_ effects: inout Effects) {
        guard answersWithNoise else { return }
        answersWithNoise = false
        effects.output.append(contentsOf: Self.noise)
    }

    /// Behind the handshake: the list that the next EHLO will show.
    func changeListAfterTLS() {
        switch tlsFault {
        case .ehloChanged: session.hide(Self.changedAway)
        case .offeredAgain: session.offerTLSInside()
        default: break
        }
    }
}

extension TLSFault {
    /// The sink itself ends the handshake.
    var endsHandshake: Bool {
        switch self {
        case .alert, .closeInHandshake: true
        default: false
        }
    }
}
