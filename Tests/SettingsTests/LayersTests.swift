// Layers: flags over environment over scenarios over the file over defaults, and what is found by name.

import Faults
import SMTP
import Settings
import Testing

@Suite struct LayersTests {
    @Test func `Flag beats environment beats scenario beats file beats default`() throws {
        let files = [
            "f.yaml": "hostname: file.test\nseed: 5\nloops: 3\nstore: none\n",
            "s.yaml": "hostname: scenario.test\nseed: 6\nloops: 4\n",
        ]
        try withFiles(files) { folder in
            let file: [(Option, String)] = [(.config, "\(folder)/f.yaml")]
            #expect(load().configuration?.hostname == "mx.fakemx.test")
            #expect(load(file).configuration?.hostname == "file.test")
            let all: [(Option, String)] = file + [(.scenario, "\(folder)/s.yaml")]
            #expect(load(all).configuration?.hostname == "scenario.test")
            let variables = ["FAKEMX_HOSTNAME": "environment.test", "FAKEMX_SEED": "7", "HOSTNAME": "x"]
            #expect(load(all, variables).configuration?.hostname == "environment.test")
            let loaded = load(all + [(.hostname, "flag.test")], variables)
            #expect(loaded.configuration?.hostname == "flag.test")
            #expect(loaded.configuration?.seed == 7)
            #expect(loaded.configuration?.loops == 4)
            #expect(loaded.configuration?.store == Settings.Store.none)
            #expect(loaded.files == ["\(folder)/f.yaml", "\(folder)/s.yaml"])
        }
    }

    @Test func `Rules of the command line come first, then scenarios as named, then the file`() throws {
        let files = [
            "f.yaml": "rules: [ \"rcpt name=f: close\" ]", "a.yaml": "rules: [ \"rcpt name=a: close\" ]",
            "b.yaml": "rules: [ \"rcpt name=b1: close\", \"rcpt name=b2: close\" ]",
        ]
        try withFiles(files) { folder in
            let loaded = load(
                [
                    (.config, "\(folder)/f.yaml"), (.rule, "rcpt name=r1: close"), (.scenario, "b"), (.scenario, "a"),
                    (.rule, "rcpt name=r2: close"),
                ], ["FAKEMX_RULE": "rcpt name=e1: close\nrcpt name=e2: close"], scenarios: [folder])
            #expect(loaded.complaints == [])
            #expect(loaded.configuration?.rules.map(\.name) == ["r1", "r2", "e1", "e2", "b1", "b2", "a", "f"])
        }
    }

    @Test func `Addresses on the command line take the place of listeners in files`() throws {
        try withFiles(["f.yaml": "listeners: [ { smtp: 127.0.0.1:1, name: x, rules: [ \"rcpt: close\" ] } ]"]) {
            folder in
            let loaded = load([
                (.config, "\(folder)/f.yaml"), (.smtp, "127.0.0.1:0"), (.smtps, "[::1]:0"), (.smtp, "unix:/x"),
            ])
            #expect(loaded.configuration?.listeners.map(\.address) == ["127.0.0.1:0", "[::1]:0", "unix:/x"])
            #expect(loaded.configuration?.listeners.map(\.name) == ["smtp", "smtps", "smtp-2"])
            #expect(loaded.configuration?.rules == [])
        }
    }

    @Test func `Every option is a flag and a variable`() {
        #expect(Option.timeScale.flag == "--time-scale" && Option.timeScale.variable == "FAKEMX_TIME_SCALE")
        for option in Option.allCases { #expect(Option(variable: option.variable) == option) }
    }

    @Test(arguments: [
        (Option.seed, "x", "--seed: \"x\" is not a seed"),
        (.smtp, "127.0.0.1:port", "--smtp: \"127.0.0.1:port\" is not an address"),
        (.http, "127.0.0.1", "--http: \"127.0.0.1\" is not an address to listen on"),
        (.storeSync, "ful", "--store-sync: \"ful\" is none of normal, full; did you mean \"full\"?"),
        (.httpToken, "a b c d e f", "--http-token: a token has"),
        (.httpHost, "a b", "--http-host: \"a b\" is not a host name"),
        (.transcript, "josn", "did you mean \"json\"?"),
        (.rule, "rctp: close", "--rule, column 1: unknown phase \"rctp\"; did you mean \"rcpt\"?"),
        (.rule, "rcpt: 999 no", "--rule, column 7: \"999\" is not a reply code"),
        (.exitAfter, "sessions=soon", "\"soon\" is not a whole number"),
        (.tlsCert, "x.pem", "--tls-cert: a certificate without its key; name it with --tls-key"),
        (.timeScale, "-1", "is not a time scale"),
        (.config, "/nonexistent/f.yaml", "/nonexistent/f.yaml: cannot be read: no such file"),
        (.store, "mem", "did you mean \"memory\"?"),
        (.scenario, "./none.yaml", "./none.yaml: cannot be read: no such file"), (.tls, "of", "is neither on nor off"),
        (.loops, "x", "is not a whole number"),
    ])
    func `A bad flag names itself`(option: Option, value: String, complaint: String) {
        let loaded = load([(option, value)])
        #expect(loaded.configuration == nil)
        #expect(
            loaded.complaints.count == 1 && loaded.complaints[0].description.contains(complaint), "\(loaded.complaints)"
        )
    }

    @Test func `An unknown variable is a complaint and FAKEMX_URL is known`() {
        let loaded = load(
            [], ["FAKEMX_SED": "1", "FAKEMX_URL": "http://x", "FAKEMX_NO_MAGIC": "1", "FAKEMX_LOOPS": ""])
        #expect(loaded.complaints.map(\.description) == ["FAKEMX_SED: unknown variable; did you mean \"FAKEMX_SEED\"?"])
        #expect(load([], ["FAKEMX_NO_MAGIC": "1"]).configuration?.magic == [])
        #expect(load([], ["FAKEMX_SMTP": "127.0.0.1:1,127.0.0.1:2"]).configuration?.listeners.count == 2)
    }

    @Test(arguments: [
        ("magic: on", "fakemx"), ("magic: off", "off"), ("magic: []", "off"), ("magic: [mox, kumo]", "mox,kumo"),
        ("magic: badsmtp, ses", "badsmtp,ses"), ("magic: all", MagicPacks.all.description), ("magic: null", "fakemx"),
    ])
    func `The packs of magic addresses in a file, and the flags before them`(yaml: String, packs: String) throws {
        try withFiles(["a.yaml": yaml + "\n"]) { folder in
            let file = (Option.config, "\(folder)/a.yaml")
            #expect(load([file]).configuration?.magic.description == packs)
            #expect(load([file, (.magic, "mailtrap")]).configuration?.magic == .mailtrap)
            #expect(load([file, (.magic, "mailtrap"), (.noMagic, "on")]).configuration?.magic == [])
            #expect(load([file], ["FAKEMX_MAGIC": "kumo,ses"]).configuration?.magic == [.ses, .kumo])
        }
    }

    @Test func `An unknown scenario is told the nearest names`() {
        let folder = "\(configFolder)/scenarios"
        func said(_ name: String) -> String {
            load([(.scenario, name)], scenarios: [folder]).complaints.map(\.description).joined()
        }
        #expect(said("greylistin") == "--scenario: unknown scenario \"greylistin\"; did you mean \"greylisting\"?")
        #expect(said("lost_reply").contains("\"lost-reply\""))
        #expect(said("zebra").contains("; there are bad-tls, defer-then-accept, flaky"))
        #expect(said("../scenarios/flaky").contains("no such file"))
        #expect(load([(.scenario, "x")]).complaints[0].message.contains("no scenario at all"))
    }

    @Test func `Listeners of the command line say whose place they take`() throws {
        let yaml = "listeners:\n  - { smtp: \"127.0.0.1:1025\", name: mx1, rules: [ \"rcpt: 550 x\" ] }\n"
        try withFiles(["mx.yaml": yaml]) { folder in
            let said = load([(.scenario, "mx"), (.smtp, "127.0.0.1:0")], scenarios: [folder]).complaints
            #expect(
                said.map(\.description) == [
                    "--smtp: warning: takes the place of all listeners of the files, and of their rules: mx1"
                ])
            #expect(load([(.scenario, "mx")], scenarios: [folder]).complaints.isEmpty)
        }
    }

    @Test func `Rules with one name in two places are an error that names both`() throws {
        try withFiles(["a.yaml": "rules:\n  - { name: x, at: rcpt, do: close }\n"]) { folder in
            let loaded = load([(.scenario, "a"), (.rule, "rcpt name=x: close")], scenarios: [folder])
            #expect(
                loaded.complaints.map(\.description) == [
                    "\(folder)/a.yaml:2:5: a second rule named \"x\"; the first stands at --rule"
                ])
        }
    }

    @Test func `Check looks at each file by itself`() throws {
        try withFiles(["good.yaml": "seed: 1", "bad.yaml": "sed: 1", "odd.conf": "seed: x"]) { folder in
            let found = Loading.check(
                ["\(folder)/good.yaml", "\(folder)/bad.yaml", "\(folder)/odd.conf", "flaky"],
                scenarioFolders: ["\(configFolder)/scenarios"], catalogue: .empty, expectations: .any
            ).complaints
            #expect(found.count == 2)
            #expect(found.first?.description.contains("bad.yaml:1:1:") == true)
            #expect(found.last?.description.contains("odd.conf:1:7:") == true)
        }
    }
}
