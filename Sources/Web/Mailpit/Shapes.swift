// Messages as Mailpit writes them in JSON: plain values whose property names are the keys. A list is never null here,
// which Mailpit's own may be, and clients take both.

import Journal
import Mail
import Store

extension Mailpit {
    struct Address: Encodable {
        let Name: String
        let Address: String

        init(_ address: MailAddress) {
            Name = address.name
            Address = address.address
        }
    }

    struct Summary: Encodable {
        let ID: String
        let MessageID: String
        let Read: Bool
        let From: Address
        let To: [Address]
        let Cc: [Address]
        let Bcc: [Address]
        let ReplyTo: [Address]
        let Subject: String
        let Created: String
        /// Of whoever logged in; messages do not keep it.
        let Username = ""
        let Tags: [String]
        let Size: Int
        let Attachments: Int
        let Snippet: String

        init(_ stored: StoredMessage, _ digest: Digest) {
            ID = stored.message.id
            MessageID = digest.messageID
            Read = stored.marks.isRead
            From = Address(digest.from)
            To = digest.to.map(Address.init)
            Cc = digest.cc.map(Address.init)
            Bcc = digest.bcc.map(Address.init)
            ReplyTo = digest.replyTo.map(Address.init)
            Subject = digest.subject
            Created = Moment.text(stored.message.received_us)
            Tags = stored.marks.tags
            Size = stored.size
            Attachments = digest.attachments
            Snippet = digest.snippet
        }
    }

    struct Page: Encodable {
        let total: Int
        let unread: Int
        /// Of this page.
        let count: Int
        /// Of everything that is meant.
        let messages_count: Int
        let messages_unread: Int
        let start: Int
        let tags: [String]
        let messages: [Summary]
    }

    struct Attachment: Encodable {
        let PartID: String
        let FileName: String
        let ContentType: String
        let ContentID: String
        let Size: Int
        let Checksums: Sums

        struct Sums: Encodable {
            let MD5: String
            let SHA1: String
            let SHA256: String
        }

        init(_ part: MailPart, _ sums: [String: Mail.Checksums]) {
            PartID = part.partID
            FileName = part.shownName
            ContentType = part.contentType
            ContentID = part.contentID
            Size = part.size
            let sum = sums[part.partID]
            Checksums = Sums(MD5: sum?.md5 ?? "", SHA1: sum?.sha1 ?? "", SHA256: sum?.sha256 ?? "")
        }
    }

    struct Whole: Encodable {
        let ID: String
        let MessageID: String
        /// Mailpit wrote it once, and some clients still ask for it.
        let Read = true
        let From: Address
        let To: [Address]
        let Cc: [Address]
        let Bcc: [Address]
        let ReplyTo: [Address]
        /// The sender of the envelope; empty for the null sender.
        let ReturnPath: String
        let Subject: String
        let ListUnsubscribe: Unsubscribing
        let Date: String
        let Tags: [String]
        let Username = ""
        let Text: String
        let HTML: String
        let Size: Int
        let Inline: [Attachment]
        let Attachments: [Attachment]

        struct Unsubscribing: Encodable {
            let Header: String
            let Links: [String]
            let Errors: String
            let HeaderPost: String
        }

        init(_ stored: StoredMessage, _ view: MailView) {
            let (inlines, attachments) = (view.inlines, view.attachments)
            let sums = MailView.checksums(
                of: Set((inlines + attachments).map(\.partID)), in: stored.message.content)
            ID = stored.message.id
            MessageID = view.messageID
            From = Address(view.from ?? MailAddress(name: "", address: ""))
            To = view.to.map(Address.init)
            Cc = view.cc.map(Address.init)
            Bcc = Digest.bcc(stored.message, view).map(Address.init)
            ReplyTo = view.replyTo.map(Address.init)
            ReturnPath = Journal.Text.lossy(stored.message.reversePath.address)
            Subject = view.subject
            ListUnsubscribe = Unsubscribing(
                Header: view.listUnsubscribe.header, Links: view.listUnsubscribe.links,
                Errors: view.listUnsubscribe.errors, HeaderPost: view.listUnsubscribe.headerPost)
            Date = view.date?.rfc3339 ?? Moment.text(stored.message.received_us)
            Tags = stored.marks.tags
            Text = view.text
            HTML = view.html
            Size = stored.size
            Inline = inlines.map { Attachment($0, sums) }
            Attachments = attachments.map { Attachment($0, sums) }
        }
    }
}
