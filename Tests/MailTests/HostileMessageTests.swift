// Messages made to hurt: deep, wide, long, random. None may crash, hang or grow beyond the limits.

import Mail
import Testing

@Suite struct HostileMessageTests {
    @Test func tenThousandNestedMultipartsAreCutAtTheLimit() {
        var text = ""
        for level in 0..<10_000 { text += "Content-Type: multipart/mixed; boundary=b\(level)\r\n\r\n--b\(level)\r\n" }
        let view = MailView(Array(text.utf8))
        #expect(view.parts.count == MailLimit.nestingDepth + 1)
        #expect(view.parts.allSatisfy { $0.depth <= MailLimit.nestingDepth })
        #expect(view.warnings.contains("multiparts nested deeper than \(MailLimit.nestingDepth)"))
    }

    @Test func tenThousandNestedMessagesAreOnePart() {
        let unit = "Content-Type: message/rfc822\r\n\r\n"
        #expect(MailView(Array(String(repeating: unit, count: 10_000).utf8)).parts.count == 1)
    }

    @Test func partsBeyondTheLimitAreNotShown() {
        let text =
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + String(repeating: "--b\r\n\r\nx\r\n", count: 100_000)
        let view = MailView(Array(text.utf8))
        #expect(view.parts.count == MailLimit.parts)
        #expect(view.warnings.contains("more than \(MailLimit.parts) parts: the rest is not shown"))
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["To: a@b\r\n", "a:\r\n", "X-Long: y\r\n z\r\n", "\u{1}:\r\n", ":\r\n", "X\r\n"])
    func sixteenMebibytesOfHeaderAreReadInLinearTime(unit: String) {
        var octets: [UInt8] = []
        let repeated = Array(unit.utf8)
        while octets.count < 16 << 20 { octets += repeated }
        let view = MailView(octets)
        #expect(view.headers.count <= MailLimit.headers)
        #expect(view.to.count <= MailLimit.addresses)
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["a", "a: ", "(", "<", ",", "a@b,", "=?utf-8?q?=C3=A4?= ", "\"", "[", "=?x?b?"])
    func sixteenMebibytesOfOneFieldAreReadInLinearTime(unit: String) {
        let value = String(repeating: unit, count: (16 << 20) / unit.utf8.count)
        for name in ["Subject", "To", "Content-Type", "Content-Disposition", "Date", "List-Unsubscribe", "Message-ID"] {
            let view = MailView(Array("\(name): \(value)\r\n\r\n".utf8))
            #expect(view.headers.count <= 1)
            #expect(view.headers.allSatisfy { $0.value.utf8.count <= MailLimit.headerValueOctets * 4 })
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["--\n", "\n", "--b\n\n", "--b--\n", "--b\na:\n", "\n--", "--c\r\n"])
    func bodiesOfNothingButLinesAreReadInLinearTime(unit: String) {
        let body = String(repeating: unit, count: (8 << 20) / unit.utf8.count)
        let view = MailView(Array(("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n" + body).utf8))
        #expect(view.parts.count <= MailLimit.parts)
    }

    @Test(.timeLimit(.minutes(1)), arguments: [";a#=b", ";a=b", ";a*#=b", ";a=\"", " a#=b"])
    func endlessParametersAreCut(unit: String) {
        let parameters = (0..<5_000).map { unit.replacing("#", with: String($0)) }.joined()
        let part =
            "--b\r\nContent-Type: text/plain\(parameters)\r\nContent-Disposition: inline\(parameters)\r\n\r\nx\r\n"
        let octets =
            Array("Content-Type: multipart/mixed; boundary=b\r\n\r\n".utf8)
            + Array(repeating: Array(part.utf8), count: 10).joined()
        let view = MailView(octets)
        #expect(view.parts.count == 11)
        #expect(view.warnings.contains { $0.hasPrefix("more than \(MailLimit.parameters) parameters") })
    }

    @Test func longTextIsCut() {
        let view = MailView(Array("Subject: x\r\n\r\n".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 9 << 20))
        #expect(view.text.utf8.count == MailLimit.textOctets)
        #expect(view.parts[0].size == 9 << 20)
        #expect(view.warnings.count == 1)
        let bytes = [UInt8](repeating: 0xE4, count: 1 << 20)
        for charset in ["iso-8859-1", "utf-8", "shift_jis", "x"] {
            let view = MailView(message(head: ["Content-Type: text/plain; charset=\(charset)"], body: bytes))
            #expect(view.text.utf8.count <= MailLimit.textOctets * 3)
        }
    }

    @Test func groupsWithinGroupsDoNotUseUpTheStack() {
        let view = MailView(message("To: " + String(repeating: "a:", count: 30_000) + "b@c", "", ""))
        #expect(view.to.count <= 1)
        #expect(view.warnings.contains { $0.contains("colons") })
    }

    @Test func randomAndSpoiledMessagesStayWithinTheLimits() {
        var dice = SeededDice(seed: 0x6D61_696C)
        for number in 0..<2_000 {
            let octets = number % 4 == 0 ? randomMessage(&dice) : spoiled(everything, &dice)
            let view = MailView(octets)
            #expect(view.parts.count <= MailLimit.parts && !view.parts.isEmpty)
            #expect(view.headers.count <= MailLimit.headers)
            #expect(view.warnings.count <= MailLimit.warnings)
            #expect(view.snippet.utf8.count <= MailLimit.snippetOctets + 3)
            #expect(view.searchText(maxOctets: 500).utf8.count <= 500)
            #expect(Set(view.parts.map(\.partID)).count == view.parts.count)
            for part in view.parts where !part.isMultipart {
                if let again = MailView.part(part.partID, of: octets) { #expect(again.octets.count == part.size) }
            }
        }
    }

    @Test func twoHundredMessagesAreReadAtOnce() async {
        let expected = MailView(everything)
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let view = MailView(everything)
                    let html = HTMLText.text(of: "<p>\(number)</p><b>x")
                    return view.parts == expected.parts && view.text == expected.text && view.to == expected.to
                        && view.subject == expected.subject && html == "\(number)\n\nx"
                }
            }
            for await isEqual in group { #expect(isEqual) }
        }
    }

    /// Words of the protocol in any order.
    private func randomMessage(_ dice: inout SeededDice) -> [UInt8] {
        let words = [
            "Content-Type: ", "multipart/mixed; ", "boundary=b", "boundary=\"b", "\r\n", "\n", "\r", "--b", "--b--",
            "--",
            "text/html", "text/plain; charset=utf-7", "=?utf-8?q?", "?=", "<", ">", "\"", "(", ")", ":", ";", "@",
            "To: ",
            "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: x-uuencode\n", "begin 644 a\n", "AAAA",
            "=E9",
            "Content-Transfer-Encoding: quoted-printable\n", "; name*0*=", "''%41", " ", "\t", "\0", "é", "Date: ",
            "Mon, 1",
            "Content-Disposition: attachment; filename=", "<b a='", "</b>", "&#x", "charset=iso-2022-jp", "\u{1B}$B",
        ]
        var octets: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<200, using: &dice) {
            if Int.random(in: 0..<20, using: &dice) == 0 {
                octets.append(UInt8.random(in: 0...255, using: &dice))
            } else {
                octets += (words.randomElement(using: &dice) ?? "").utf8
            }
        }
        return octets
    }

    /// A few octets changed, dropped, doubled, or the end cut off.
    private func spoiled(_ octets: [UInt8], _ dice: inout SeededDice) -> [UInt8] {
        var octets = octets
        for _ in 0..<Int.random(in: 1..<20, using: &dice) {
            let position = Int.random(in: 0..<octets.count, using: &dice)
            switch Int.random(in: 0..<5, using: &dice) {
            case 0: octets[position] = UInt8.random(in: 0...255, using: &dice)
            case 1: octets.remove(at: position)
            case 2: octets.insert(octets[position], at: position)
            case 3: octets.swapAt(position, Int.random(in: 0..<octets.count, using: &dice))
            default:
                let end = min(octets.count, position + Int.random(in: 0..<100, using: &dice))
                octets.insert(contentsOf: octets[position..<end], at: position)
            }
        }
        if Int.random(in: 0..<5, using: &dice) == 0 {
            octets.removeLast(Int.random(in: 0..<octets.count, using: &dice))
        }
        return octets
    }
}
