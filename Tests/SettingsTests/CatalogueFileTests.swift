// Files of the catalogue: what is wrong with one and where, the shipped folder, and that the quick reader and YAML say
// the same.

import Faults
import Foundation
import SMTP
import Testing

@testable import Settings

private let sound = """
    provider: Gmail
    replies:
      - name: over-quota
        phase: rcpt
        means: mailbox-full
        advice: retry
        seen: a log
        reply: "452 4.2.2 Full"

    """

private func replies(_ yaml: String, file: String = "gmail.yaml") -> (entries: [CatalogueEntry], complaints: [String]) {
    let (entries, complaints) = CatalogueFile.parse(Array(yaml.utf8), file: file)
    return (entries, complaints.map(\.description))
}

/// The sound file with something else in place of a part.
private func changed(_ part: String, _ other: String) -> String { sound.replacingOccurrences(of: part, with: other) }

private let second = """
      - { name: second, phase: mail, means: policy, advice: fix, seen: a log, reply: "550 No" }

    """

private let listed = """
      - name: listed

        phase: any
        means: policy
        advice: fix
        seen: 'another''s log'
        # a comment
        reply:
          - "550-<{to}>: {{no}"
          - '550 it''s no'

    """

@Suite struct CatalogueFileTests {
    @Test func `A sound file gives its entries`() throws {
        let (entries, complaints) = replies(sound + second)
        #expect(complaints == [])
        #expect(entries.map(\.name) == ["gmail/over-quota", "gmail/second"])
        let entry = try #require(entries.first)
        #expect(entry.provider == "Gmail")
        #expect(entry.phase == .rcpt)
        #expect(entry.meaning == .mailboxFull)
        #expect(entry.advice == .retry)
        #expect(entry.source == "a log")
        #expect(entry.text == "452 4.2.2 Full")
    }

    @Test func `Lines are a list, or a block`() {
        let list = changed("\"452 4.2.2 Full\"", "[ \"452-4.2.2 Full\", \"452 4.2.2 {id} - gsmtp\" ]")
        let block = changed("\"452 4.2.2 Full\"", "|\n      452-4.2.2 Full\n      452 4.2.2 {id} - gsmtp")
        #expect(replies(list).complaints == [])
        #expect(replies(list).entries.map(\.text) == ["452-4.2.2 Full\n452 4.2.2 {id} - gsmtp"])
        #expect(replies(block).entries == replies(list).entries)
    }

    @Test func `any is no phase`() {
        let (entries, complaints) = replies(changed("phase: rcpt", "phase: any"))
        #expect(complaints == [])
        #expect(entries.map(\.phase) == [nil])
    }

    @Test(arguments: [
        (
            changed("provider: Gmail", "provder: Gmail"),
            "gmail.yaml:1:1: unknown key \"provder\" in a file of replies; did you"
        ),
        (changed("provider: Gmail\n", ""), "gmail.yaml:1:1: a file of replies needs its provider, as provider: Gmail"),
        ("provider: Gmail\n", "gmail.yaml:1:1: a file of replies needs the list replies"),
        ("provider: Gmail\nreplies: 5\n", "gmail.yaml:2:10: replies is a list, not \"5\""),
        ("", "gmail.yaml: holds no replies"),
        ("provider: \" \"\nreplies: []\n", "gmail.yaml:1:11: provider is empty"),
        (changed("phase:", "phse:"), "gmail.yaml:4:5: unknown key \"phse\" in a reply; did you mean \"phase\"?"),
        (changed("    phase: rcpt\n", ""), "gmail.yaml:3:5: a reply needs its phase, as phase: rcpt, or any"),
        (changed("phase: rcpt", "phase: rctp"), "gmail.yaml:4:12: phase: \"rctp\" is none of connect, greeting,"),
        (changed("phase: rcpt", "phase: rctp"), "accepted, any; did you mean \"rcpt\"?"),
        (changed("phase: rcpt", "phase: [rcpt, mail]"), "gmail.yaml:4:12: phase is one value, not a list"),
        (changed("mailbox-full", "mailbox-ful"), "gmail.yaml:5:12: means: \"mailbox-ful\" is none of unknown-user,"),
        (changed("mailbox-full", "mailbox-ful"), "did you mean \"mailbox-full\"?"),
        (
            changed("retry", "rety"),
            "gmail.yaml:6:13: advice: \"rety\" is none of retry, slow-down, suppress, fix; did you"
        ),
        (changed("seen: a log", "seen: \"\""), "gmail.yaml:7:11: seen is empty"),
        (changed("name: over-quota", "name: Over.Quota"), "gmail.yaml:3:11: \"Over.Quota\" is not a name"),
        (
            changed("name: over-quota", "name: " + String(repeating: "x", count: 45)),
            "gmail.yaml:3:11: the name gmail/xxxxx"
        ),
        (changed("\"452 4.2.2 Full\"", "652 no"), "gmail.yaml:8:12: \"652\" is not a reply code"),
        (changed("Full", "<{rcpt}> full"), "gmail.yaml:8:24: unknown placeholder {rcpt}"),
        (changed("Full", "{form} full"), "unknown placeholder {form}; did you mean \"from\"?"),
        (changed("452 4.2.2 Full", "452-4.2.2 Full"), "gmail.yaml:8:16: the last line of a reply has a space behind"),
        (
            changed("\"452 4.2.2 Full\"", "\n      - \"452-Full\"\n      - \"453 Full\""),
            "gmail.yaml:10:10: each line begins with the code of the first, 452"
        ),
        (
            changed("\"452 4.2.2 Full\"", "|\n      452-Full\n      453 Full"),
            "gmail.yaml:10:12: each line begins with the code of the first, 452"
        ),
        (changed("    reply: \"452 4.2.2 Full\"\n", ""), "gmail.yaml:3:5: a reply needs its text, as reply: \"452"),
        (
            sound + second.replacingOccurrences(of: "second", with: "over-quota"),
            "gmail.yaml:9:13: a second reply named \"over-quota\"; the first stands in line 3"
        ),
        (
            sound + second.replacingOccurrences(of: "550 No", with: "452 4.2.2 Full"),
            "says the same as gmail/over-quota, but at mail and not at rcpt; what was seen at several phases is one"
        ),
        (
            sound
                + second.replacingOccurrences(of: "550 No", with: "452 4.2.2 Full").replacingOccurrences(
                    of: "phase: mail", with: "phase: rcpt"),
            "gmail.yaml:9:83: says the same as gmail/over-quota"
        ),
        (
            changed("    advice: retry\n", "    advice: retry\n    advice: fix\n"),
            "the key \"advice\" stands twice here"
        ),
    ])
    func `A bad file is complained about at its place`(yaml: String, complaint: String) {
        let complaints = replies(yaml).complaints
        #expect(complaints.count == 1, "\(complaints)")
        #expect(complaints.first?.contains(complaint) == true, "\(complaints)")
    }

    @Test func `The name of the file begins the names, so it is judged as well`() {
        #expect(replies(sound, file: "a/b/yahoo-japan.yaml").entries.map(\.name) == ["yahoo-japan/over-quota"])
        let complaints = replies(sound, file: "a/Yahoo.JP.yaml").complaints
        #expect(complaints.first?.hasPrefix("a/Yahoo.JP.yaml: the file's name begins the names of its replies") == true)
    }

    @Test func `Everything that is wrong with a reply is said at once`() {
        let yaml = changed("phase: rcpt", "phase: x").replacingOccurrences(of: "retry", with: "x")
        #expect(replies(yaml.replacingOccurrences(of: "452", with: "652")).complaints.count == 3)
    }

    @Test func `A file in an earlier folder hides that of the same name in a later one`() throws {
        let files = [
            "one/gmail.yaml": sound, "two/gmail.yaml": changed("over-quota", "hidden"), "two/yahoo.yaml": sound,
            "two/notes.txt": "no YAML", "two/.gmail.yaml": "an editor's",
        ]
        try withFiles(files) { folder in
            let (catalogue, complaints) = CatalogueFolder.read(["\(folder)/one", "\(folder)/two", "\(folder)/three"])
            #expect(complaints == [])
            #expect(catalogue.entries.map(\.name) == ["gmail/over-quota", "yahoo/over-quota"])
            #expect(CatalogueFolder.complaint(about: "\(folder)/one") == nil)
            #expect(CatalogueFolder.complaint(about: "\(folder)/three") == "no such folder")
        }
    }

    @Test func `check knows a file of replies by its key`() throws {
        try withFiles(["gmail.yaml": sound, "bad.yaml": changed("rcpt", "rctp")]) { folder in
            #expect(
                Loading.check(["\(folder)/gmail.yaml"], scenarioFolders: [], catalogue: .empty, expectations: .any)
                    .complaints == [])
            let complaints = Loading.check(
                ["\(folder)/bad.yaml"], scenarioFolders: [], catalogue: .empty, expectations: .any
            ).complaints
            #expect(complaints.map(\.place) == [Place(source: "\(folder)/bad.yaml", line: 4, column: 12)])
        }
    }
}

@Suite struct ShippedCatalogueTests {
    private let folder = configFolder + "/replies"

    @Test func `The shipped replies have nothing wrong with them and cover the field`() {
        let (catalogue, complaints) = CatalogueFolder.read([folder])
        #expect(complaints == [])
        #expect(catalogue.entries.count >= 250)
        #expect(catalogue.files.count >= 30)
        #expect(Set(catalogue.entries.map(\.provider)).count == catalogue.files.count)
        for meaning in Meaning.allCases { #expect(catalogue.entries.contains { $0.meaning == meaning }, "\(meaning)") }
        for advice in Advice.allCases { #expect(catalogue.entries.contains { $0.advice == advice }, "\(advice)") }
        for entry in catalogue.entries {
            #expect(catalogue[entry.name] == entry)
            #expect(catalogue[entry.name.replacingOccurrences(of: "/", with: ".")] == entry)
            #expect("rcpt-use-\(entry.name)".utf8.count <= 64)
        }
    }

    @Test(arguments: [
        ("gmail/over-quota", "rcpt", 452, "4.2.2"), ("gmail/unauthenticated", "end-of-data", 550, "5.7.26"),
        ("gmail/unknown-user", "rcpt", 550, "5.1.1"), ("gmail/rate-limited", "any", 421, "4.7.28"),
        ("outlook/s3140", "mail", 550, "5.7.1"), ("yahoo/tss04", "mail", 421, "4.7.0"),
        ("gmail/dmarc-alignment-blocked", "end-of-data", 421, "5.7.32"), ("comcast/no-ptr", "greeting", 554, ""),
        ("postfix/dnsbl", "rcpt", 554, "5.7.1"), ("exim/bad-ehlo", "ehlo", 501, ""),
        ("postfix/tls-not-available", "starttls", 454, "4.7.0"), ("postfix/need-rcpt", "data", 503, "5.5.1"),
        ("postfix/bad-credentials", "auth", 535, "5.7.8"), ("sorbs/code-591", "any", 591, ""),
        ("stalwart/greylist-422", "rcpt", 422, "4.2.2"), ("microsoft365/thread-limit", "any", 432, "4.3.2"),
    ])
    func `Phases and codes are those of the source`(name: String, phase: String, code: UInt16, enhanced: String) throws
    {
        let entry = try #require(CatalogueFolder.read([folder]).catalogue[name])
        #expect(entry.phaseWord == phase)
        #expect(entry.code.value == code)
        #expect(entry.enhanced?.description ?? "" == enhanced)
    }

    @Test func `Marks stand in the texts`() throws {
        let catalogue = CatalogueFolder.read([folder]).catalogue
        for (name, mark) in [
            ("yahoo/tss04", "[TSS04]"), ("outlook/s3140", "(S3140)"), ("gmail/over-quota", "{id} - gsmtp"),
            ("icloud/cs01", "[CS01]"), ("orange/ofr006-102", "OFR006_102"), ("godaddy/ib607", "IB607"),
        ] {
            #expect(try #require(catalogue[name]).text.contains(mark), "\(name)")
        }
        #expect(try #require(catalogue["gmail/over-quota"]).template.lines.count > 1)
    }

    @Test func `All shipped files are of the layout that needs no tree, and the tree says the same`() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let path = "\(folder)/\(name)"
            let octets = [UInt8](try Data(contentsOf: URL(filePath: path)))
            #expect(CatalogueLines.read(octets) != nil, "\(name)")
            let (entries, complaints) = CatalogueFile.parseTree(octets, file: path)
            #expect(complaints == [], "\(name)")
            #expect(entries == CatalogueFile.parse(octets, file: path).entries, "\(name)")
        }
    }

    @Test func `Whatever is written in a file, the quick reader never says other than YAML`() {
        let path = "a/gmail.yaml"
        let original = Array((sound + listed).utf8)
        let alphabet = Array("\n :-'\"#{}[]&*|>\\,~nulab01\t\r!%@`?\u{E9}".utf8)
        var dice = Dice(11)
        var accepted = 0
        for _ in 0..<1500 {
            var octets = Array(original)
            for _ in 0...dice.below(3) {
                let index = dice.below(octets.count)
                switch dice.below(3) {
                case 0: octets[index] = alphabet[dice.below(alphabet.count)]
                case 1: octets.insert(alphabet[dice.below(alphabet.count)], at: index)
                default: octets.remove(at: index)
                }
            }
            let quick = CatalogueFile.parse(octets, file: path)
            let tree = CatalogueFile.parseTree(octets, file: path)
            accepted += quick.complaints.isEmpty ? 1 : 0
            #expect(
                quick.entries == tree.entries && quick.complaints == tree.complaints,
                "\(String(decoding: octets, as: UTF8.self))")
        }
        #expect(accepted > 50)
    }
}
