// Good files: what each key means, and that the annotated configuration says the defaults.

import Faults
import SMTP
import Settings
import Testing

@Suite struct SettingsFileTests {
    @Test func `The annotated configuration states exactly the defaults`() throws {
        let (settings, found) = SettingsFile.read("\(configFolder)/fakemx.yaml")
        #expect(found == [])
        #expect(Configuration.complete(try #require(settings), .empty).configuration == Configuration())
        #expect(Configuration.complete(Settings(), .empty).configuration == Configuration())
    }

    @Test func `The annotated configuration names every key`() throws {
        let (settings, _) = SettingsFile.read("\(configFolder)/fakemx.yaml")
        let all = try #require(settings)
        #expect(all.hostname != nil && all.profile != nil && all.hide != nil && all.authInClear != nil)
        #expect(all.storeSync != nil && all.http != nil && all.httpHosts != nil && all.httpOrigins != nil)
        #expect(all.store != nil && all.transcript != nil && all.seed != nil && all.timeScale != nil)
        #expect(all.loops != nil && all.magic != nil && all.exitAfter != nil && all.listeners?.count == 1)
        #expect(all.judging.profile != nil && all.judging.thresholds.count == Threshold.allCases.count)
        for value in Mirror(reflecting: all.limits).children {
            #expect("\(value.value)" != "nil", "\(value.label ?? "")")
        }
        for value in Mirror(reflecting: all.retention).children {
            #expect("\(value.value)" != "nil", "\(value.label ?? "")")
        }
    }

    @Test func `Each scenario loads without a complaint and says what it teaches`() throws {
        let folder = "\(configFolder)/scenarios"
        let names = Scenarios.names(in: [folder])
        #expect(names.count == 19)
        for name in names {
            let (settings, found) = SettingsFile.read("\(folder)/\(name).yaml")
            #expect(found == [])
            #expect(settings?.name == name)
            #expect((settings?.description ?? "").utf8.count > 100)
            let loaded = load([(.scenario, name)], scenarios: [folder], replies: ["\(configFolder)/replies"])
            #expect(loaded.complaints == [])
            #expect(loaded.configuration?.rules.isEmpty == false)
            #expect(loaded.configuration?.rules.allSatisfy { !$0.name.isEmpty } == true)
        }
        #expect(
            load([(.scenario, "training")], scenarios: [folder]).configuration?.listeners.map(\.address)
                == (1025...1029).map { "127.0.0.1:\($0)" })
    }

    @Test func `A rule in YAML is the rule of its line`() throws {
        let yaml = """
            rules:
              - name: full-mailbox
                at: rcpt
                when: { to: ["*@full.test", '/^a,b/'], size: ">10KB", tls: any }
                times: first 2 per to
                do: [ delay 200ms, "452 4.2.2 Mailbox full" ]
              - name: greylist
                at: rcpt
                per: [client, from, to]
                steps: [ "451 4.7.1 Greylisted", [ delay 1s, "451 4.7.1 Still" ], accept ]
              - at: end-of-data
                times: 30%
                do: |
                  554 5.7.1 first
                  second
            """
        let (settings, found) = read(yaml)
        #expect(found == [])
        let lines = [
            """
            rcpt name=full-mailbox to=*@full.test,/^a,b/ size=>10KB tls=any first=2 per=to: delay 200ms, 452 4.2.2 \
            Mailbox full
            """,
            "rcpt name=greylist per=client,from,to steps: 451 4.7.1 Greylisted; delay 1s, 451 4.7.1 Still; accept",
            "end-of-data chance=30%: 554 5.7.1 first\\nsecond",
        ]
        let rules = try #require(settings).rules.map(\.rule)
        #expect(rules == (try lines.map { try RuleLine.parse($0) }))
    }

    @Test func `A listener states its own and takes the rest`() throws {
        let yaml = """
            hostname: all.test
            hide: [AUTH, DSN]
            limits: { recipients: 7, errors: 5 }
            tls: { cert: mx.pem, key: /etc/mx.key }
            listeners:
              - smtp: "[::1]:0"
              - smtps: unix:/run/x.sock
                name: own
                hostname: own.test
                hide: SIZE
                offer: DSN
                auth-in-clear: on
                limits: { recipients: 9 }
                rules: [ "rcpt: 550 x" ]
              - smtp: 0.0.0.0:25
                tls: off
            """
        let (settings, found) = SettingsFile.parse(Array(yaml.utf8), file: "/etc/fakemx/f.yaml")
        #expect(found == [])
        let (configuration, more) = Configuration.complete(try #require(settings), .empty)
        #expect(more == [])
        let listeners = configuration.listeners
        #expect(listeners.map(\.name) == ["smtp", "own", "smtp-2"])
        #expect(listeners.map(\.hostname) == ["all.test", "own.test", "all.test"])
        #expect(listeners.map(\.limits.recipients) == [7, 9, 7])
        #expect(listeners.map(\.limits.errors) == [5, 5, 5])
        #expect(
            listeners[0].capabilities == CapabilitySet.all.subtracting([CapabilitySet(.auth), CapabilitySet(.dsn)]))
        #expect(
            listeners[1].capabilities == CapabilitySet.all.subtracting([CapabilitySet(.auth), CapabilitySet(.size)]))
        #expect(listeners.map(\.implicitTLS) == [false, true, false])
        guard case .files(let certificate, let key) = listeners[0].tls else {
            Issue.record("no files")
            return
        }
        #expect(certificate.path == "/etc/fakemx/mx.pem" && key.path == "/etc/mx.key")
        #expect(listeners[2].tls == .off && !listeners[2].profile.tlsAvailable)
        #expect(RuleLine.line(of: configuration.rules[0]) == "rcpt listener=own: 550 x")
    }

    @Test(arguments: [
        ("sessions=10", Settings.ExitAfter(sessions: 10)),
        ("{ messages: 5, idle: 30s }", Settings.ExitAfter(messages: 5, idle: Span(ns: 30_000_000_000))),
        ("never", Settings.ExitAfter()),
        ("sessions=1, idle=1m", Settings.ExitAfter(sessions: 1, idle: Span(ns: 60_000_000_000))),
    ])
    func `Exit-after is a word or keys`(yaml: String, expected: Settings.ExitAfter) {
        #expect(read("exit-after: \(yaml)\n").settings?.exitAfter == expected)
    }
}
