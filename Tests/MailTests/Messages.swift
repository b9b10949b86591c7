// Messages for the tests of this room, built line by line, and the dice that spoil them. Nothing here is a test.

import Mail

/// The lines with CRLF behind each.
func message(_ lines: String...) -> [UInt8] {
    Array(lines.map { $0 + "\r\n" }.joined().utf8)
}

/// The same for lines whose octets are no UTF-8.
func message(head: [String], body: [UInt8]) -> [UInt8] {
    Array((head + [""]).map { $0 + "\r\n" }.joined().utf8) + body
}

/// SplitMix64: the same seed, the same messages, for ever.
struct SeededDice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A newsletter with everything: alternatives, a picture of the HTML, attachments with names in both encodings, a
/// message.
let everything = message(
    "Return-Path: <bounce@example.org>",
    "Received: from a (b [192.0.2.1])",
    "\tby c; Thu, 29 Feb 2024 23:59:58 +0100",
    "From: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>",
    "To: \"Doe, Jane\" <jane@example.org>, team: a@example.org, Bo <b@example.org>;, plain@example.org",
    "Cc: c@example.org",
    "Reply-To: <reply@example.org>",
    "Subject: =?utf-8?b?R3LDvMOfZQ==?= =?iso-8859-1?q?_aus_K=F6ln?=",
    "Date: Thu, 29 Feb 2024 23:59:58 +0100",
    "message-id: <1@example.org>",
    "List-Unsubscribe: <mailto:leave@example.org>, <https://example.org/leave>",
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    "MIME-Version: 1.0",
    "Content-Type: multipart/mixed; boundary=\"outer\"",
    "",
    "preamble",
    "--outer",
    "Content-Type: multipart/related; boundary=middle",
    "",
    "--middle",
    "Content-Type: multipart/alternative; boundary=inner",
    "",
    "--inner",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "Gr=C3=BC=C3=9Fe =",
    "an alle",
    "--inner",
    "Content-Type: text/html; charset=iso-8859-1",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "<p>Gr=FC=DFe <a href=3D\"https://example.org/x\">an alle</a></p><img src=3D\"cid:pic@x\">",
    "--inner--",
    "--middle",
    "Content-Type: image/png; name=\"pic.png\"",
    "Content-ID: <pic@x>",
    "Content-Transfer-Encoding: base64",
    "",
    "iVBORw0KGgo=",
    "--middle--",
    "--outer",
    "Content-Type: application/pdf",
    "Content-Disposition: attachment; filename*0*=utf-8''R%C3%A9sum; filename*1*=%C3%A9.pdf",
    "Content-Transfer-Encoding: base64",
    "",
    "JVBERg==",
    "--outer",
    "Content-Type: application/octet-stream; name=\"=?utf-8?b?w4RwZmVsLmJpbg==?=\"",
    "",
    "\u{1}\u{2}",
    "--outer",
    "Content-Type: message/rfc822",
    "Content-Disposition: attachment; filename=forwarded.eml",
    "",
    "Subject: inside",
    "Content-Type: multipart/mixed; boundary=deep",
    "",
    "--deep",
    "",
    "inside text",
    "--deep--",
    "--outer--",
    "epilogue")
