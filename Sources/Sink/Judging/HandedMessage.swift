// A message on its way to the judge: shared octets and a few facts, put together on the loop without a copy.

import Findings
import SMTP

package struct HandedMessage: Sendable {
    /// The number of its session.
    let session: UInt64
    /// The address of the client, without a port.
    let client: String
    /// What the client called itself.
    let helo: [UInt8]
    var input: MessageInput
    /// What EHLO listed; nothing after HELO.
    let capabilities: CapabilitySet
    let isExtended: Bool
    let sizeLimit: Int

    /// nil of a client about which nobody is asked.
    var question: MailQuestion? { MailQuestion(input, client: client, helo: helo) }

    /// What it takes while it waits, in octets, about.
    var octetCount: Int { input.content.count + 512 + 64 * input.recipients.count }
}

extension Conversation {
    /// The message is whole; what is answered is nothing to the judge.
    func handToJudge(isStored: Bool, _ effects: inout Effects) {
        guard let transaction = session.transaction else { return }
        var input = MessageInput(
            content: session.contentSoFar, reversePath: transaction.reversePath,
            recipients: transaction.recipients.map(\.address), received_us: wallBegan_us + Int64(now_us))
        input.session = id
        input.transaction = record.number
        input.message = isStored ? messageID : nil
        input.isChunked = session.isChunked
        input.unstuffedDots = session.unstuffedDots.count
        input.firstUnstuffedDot = session.unstuffedDots.first
        input.isSubmission = context.isSubmission
        input.disturbances = disturbances
        effects.judged.append(
            HandedMessage(
                session: number, client: clientHost, helo: session.helo ?? [], input: input,
                capabilities: session.saidEHLO ? session.capabilities : [],
                isExtended: session.saidEHLO, sizeLimit: context.profile.limits.messageSize))
    }
}
