// What lists and searches need of a message, read out once: a list of ten thousand messages does not read ten thousand
// bodies each time that a client polls for it.

import Glibc
import Journal
import Mail
import SMTP
import Synchronization

extension Mailpit {
    struct Digest: Sendable {
        let from: MailAddress
        let to: [MailAddress]
        let cc: [MailAddress]
        /// Those of the header, then the recipients of the envelope that stand in no header.
        let bcc: [MailAddress]
        let replyTo: [MailAddress]
        let subject: String
        let messageID: String
        let snippet: String
        let attachments: Int
        let inlines: Int
        /// What a search for plain words looks at, folded; nil where it is too long to be kept.
        let text: [UInt8]?

        /// Octets of a text that are kept.
        private static let keptText = 4 << 10

        init(_ message: Message, _ view: MailView) {
            from = view.from ?? MailAddress(name: "", address: "")
            to = view.to
            cc = view.cc
            bcc = Self.bcc(message, view)
            replyTo = view.replyTo
            subject = view.subject
            messageID = view.messageID
            snippet = view.snippet
            attachments = view.attachmentCount
            inlines = view.inlines.count
            let text = Self.searched(message, view)
            self.text = text.count <= Self.keptText ? text : nil
        }

        /// Octets, about.
        var size: Int {
            let addresses = [from] + to + cc + bcc + replyTo
            return addresses.reduce(512 + subject.utf8.count + snippet.utf8.count + (text?.count ?? 0)) {
                $0 + 64 + $1.name.utf8.count + $1.address.utf8.count
            }
        }

        static func bcc(_ message: Message, _ view: MailView) -> [MailAddress] {
            var known = Set((view.to + view.cc + view.bcc).map { $0.address.lowercased() })
            var bcc = view.bcc
            for recipient in message.recipients where bcc.count < MailLimit.addresses {
                let address = Text.lossy(recipient.address)
                // Postmaster alone is no address that a header could have.
                guard address.contains("@"), known.insert(address.lowercased()).inserted else { continue }
                bcc.append(MailAddress(name: "", address: address))
            }
            return bcc
        }

        /// Octets of the text that a search looks at; as many as the index of a store holds.
        private static let searchedText = 1 << 20

        /// Author, subject, addresses, names of files and the text; and what only the envelope tells.
        static func searched(_ message: Message, _ view: MailView) -> [UInt8] {
            let envelope =
                ([message.reversePath.address] + message.recipients.prefix(MailLimit.addresses).map(\.address))
                .map { Text.lossy($0) }.joined(separator: " ")
            return Folded.octets(view.searchText(maxOctets: searchedText) + " " + envelope)
        }
    }

    /// Digests of late, in two halves: when the younger one is full, the older one is forgotten.
    final class Digests: Sendable {
        private struct Half {
            var digests: [Int64: Digest] = [:]
            var octets = 0
        }

        private static let most = 12_000
        private static let mostOctets = 24 << 20

        private let state = Mutex<(young: Half, old: Half)>((Half(), Half()))

        /// - Parameter position: of the message in the store, which is given once.
        func digest(at position: Int64) -> Digest? {
            state.withLock { state in
                if let digest = state.young.digests[position] { return digest }
                guard let digest = state.old.digests.removeValue(forKey: position) else { return nil }
                Self.add(digest, position, &state)
                return digest
            }
        }

        func keep(_ digest: Digest, at position: Int64) { state.withLock { Self.add(digest, position, &$0) } }

        private static func add(_ digest: Digest, _ position: Int64, _ state: inout (young: Half, old: Half)) {
            state.young.digests[position] = digest
            state.young.octets += digest.size
            if state.young.digests.count >= most || state.young.octets >= mostOctets { state = (Half(), state.young) }
        }
    }

    /// Text as a search sees it: in lower case, and what separates words or addresses is one space, as in Mailpit.
    enum Folded {
        static func octets(_ text: String) -> [UInt8] {
            var folded: [UInt8] = []
            let lower = text.lowercased()
            folded.reserveCapacity(lower.utf8.count)
            var isSpacePending = false
            for octet in lower.utf8 {
                switch octet {
                case 0...32, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: ","),
                    UInt8(ascii: ";"), UInt8(ascii: "("), UInt8(ascii: ")"):
                    isSpacePending = !folded.isEmpty
                default:
                    if isSpacePending { folded.append(32) }
                    isSpacePending = false
                    folded.append(octet)
                }
            }
            return folded
        }

        static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
            guard let first = part.first else { return true }
            return text.withUnsafeBytes { text in
                part.withUnsafeBytes { part in
                    guard let base = text.baseAddress, let wanted = part.baseAddress else { return false }
                    var position = 0
                    // Where the first octet stands, the rest is compared.
                    while position + part.count <= text.count,
                        let found = memchr(base + position, Int32(first), text.count - part.count - position + 1)
                    {
                        if memcmp(found, wanted, part.count) == 0 { return true }
                        position = base.distance(to: UnsafeRawPointer(found)) + 1
                    }
                    return false
                }
            }
        }
    }
}
