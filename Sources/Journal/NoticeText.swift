// Notices whose words somebody else reads again: what the judge of a session looks for, the sink says in these words.

package enum NoticeText {
    package static let clientHelloInClear = "a TLS ClientHello came on a port that speaks in clear first"
    package static let httpRequest = "an HTTP request came on an SMTP port"
}
