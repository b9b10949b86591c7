// The flags of `serve`, as text. What they mean, and what is wrong with them, is said by Settings: the same words hold
// for flags, for variables of the environment and for files.

import ArgumentParser
import Settings

struct ServeOptions: ParsableArguments {
    @ArgumentParser.Option(help: .init("Configuration file (Config/fakemx.yaml shows every key).", valueName: "file"))
    var config: String?

    @ArgumentParser.Option(
        help: .init(
            "Scenario by name or by file; may be repeated. The first rule that fires wins.", valueName: "name|file"))
    var scenario: [String] = []

    @ArgumentParser.Option(
        help: .init(
            "A folder with files of the catalogue, asked before those that come with fakemx; may be repeated.",
            valueName: "dir"))
    var replies: [String] = []

    @ArgumentParser.Option(
        help: .init(
            "A rule, such as 'rcpt to=*@full.test first=2 per=to: delay 200ms, 452 4.2.2 Full'; may be repeated.",
            valueName: "line"))
    var rule: [String] = []

    @ArgumentParser.Option(
        help: .init(
            """
            Where to listen, 127.0.0.1:1025 without this flag; port 0 takes a free one, unix:/path is a Unix socket; \
            may be repeated.
            """,
            valueName: "host:port"))
    var smtp: [String] = []

    @ArgumentParser.Option(
        help: .init("The same with TLS from the first octet; may be repeated.", valueName: "host:port"))
    var smtps: [String] = []

    @ArgumentParser.Option(
        help: .init(
            """
            Where the API listens, 127.0.0.1:8025 without this flag (or a free port where that is taken); \
            unix:/path is a Unix socket.
            """,
            valueName: "host:port|off"))
    var http: String?

    @ArgumentParser.Option(
        help: .init(
            "What a client of the API must say as its bearer token, or as the password of Basic.", valueName: "text"))
    var httpToken: String?

    @ArgumentParser.Option(
        help: .init(
            """
            A name that the Host of a request may have, beside addresses, plain names and those that nobody can \
            register; may be repeated.
            """,
            valueName: "name"))
    var httpHost: [String] = []

    @ArgumentParser.Option(
        help: .init("An origin whose pages may use the API (CORS), or * for all; may be repeated.", valueName: "origin")
    )
    var httpOrigin: [String] = []

    @ArgumentParser.Option(help: .init("The name that the greeting begins with.", valueName: "name"))
    var hostname: String?

    @ArgumentParser.Option(
        help: .init(
            """
            Which server the greeting, the EHLO list and the replies look like: \(ServeOption.profileNames).
            """,
            valueName: "name"))
    var profile: String?

    @ArgumentParser.Option(
        help: .init("Certificate chain in PEM; without one a self-signed one is made.", valueName: "file"))
    var tlsCert: String?

    @ArgumentParser.Option(help: .init("The key of --tls-cert, in PEM.", valueName: "file"))
    var tlsKey: String?

    @ArgumentParser.Option(
        help: .init(
            "How TLS goes wrong for every client: expired, only-tls1.0, refused, stall, alert-internal-error …",
            valueName: "name"))
    var tlsFault: String?

    @ArgumentParser.Option(
        help: .init(
            "Sign what fakemx makes by an authority of its own, and write that authority's certificate here.",
            valueName: "path"))
    var caFile: String?

    @ArgumentParser.Option(help: .init("off: no TLS anywhere.", valueName: "off|on"))
    var tls: String?

    @ArgumentParser.Option(
        help: .init(
            "Where sessions and messages are kept: in memory, nowhere, or in a file of SQLite.",
            valueName: "memory|none|path"))
    var store: String?

    @ArgumentParser.Option(
        help: .init(
            "What a file survives: normal, the end of fakemx however it ends; full, a power cut as well.",
            valueName: "normal|full"))
    var storeSync: String?

    @ArgumentParser.Option(
        help: .init(
            "Sessions on standard output; text on a terminal and off elsewhere without this flag.",
            valueName: "text|json|off"))
    var transcript: String?

    @ArgumentParser.Option(help: .init("What every chance is drawn from.", valueName: "n"))
    var seed: String?

    @ArgumentParser.Option(help: .init("Divides every duration of the rules.", valueName: "x"))
    var timeScale: String?

    @ArgumentParser.Option(
        help: .init("Event loops; auto, the default, is one a core, and one with a store in a file.", valueName: "n"))
    var loops: String?

    @ArgumentParser.Option(
        help: .init(
            "Whose addresses that say what happens are obeyed; fakemx without this flag.",
            valueName: "off|all|fakemx,badsmtp,mox,ses,mailtrap,kumo"))
    var magic: String?

    @Flag(help: "Treat addresses such as rcpt-550@any.test as ordinary ones.")
    var noMagic = false

    @ArgumentParser.Option(
        help: .init(
            "What senders are held to, mx without this flag; off judges nobody.", valueName: ServeOption.judgeNames))
    var judge: String?

    @ArgumentParser.Option(
        help: .init(
            "Whom to ask about the names of senders, nobody without this flag: the servers of this system, one server, "
                + "or a zone file.", valueName: "off|system|address[:port]|file"))
    var dns: String?

    @ArgumentParser.Option(
        help: .init(
            "The rspamd to ask about SPF, DKIM, DMARC and ARC, nobody without this flag.", valueName: "off|url"))
    var rspamd: String?

    @ArgumentParser.Option(
        help: .init("Stop after sessions=N, messages=N or idle=DURATION; may be repeated.", valueName: "condition"))
    var exitAfter: [String] = []

    @ArgumentParser.Option(help: .init("Write the ready line to this file, too.", valueName: "path"))
    var readyFile: String?

    /// Each flag with its value, repeated ones repeated.
    var stated: [(option: ServeOption, value: String)] {
        var stated: [(option: ServeOption, value: String)] = []
        func add(_ option: ServeOption, _ values: [String]) { stated += values.map { (option, $0) } }
        add(.config, config.map { [$0] } ?? [])
        add(.scenario, scenario)
        add(.replies, replies)
        add(.rule, rule)
        add(.smtp, smtp)
        add(.smtps, smtps)
        add(.http, http.map { [$0] } ?? [])
        add(.httpToken, httpToken.map { [$0] } ?? [])
        add(.httpHost, httpHost)
        add(.httpOrigin, httpOrigin)
        add(.hostname, hostname.map { [$0] } ?? [])
        add(.profile, profile.map { [$0] } ?? [])
        add(.tlsCert, tlsCert.map { [$0] } ?? [])
        add(.tlsKey, tlsKey.map { [$0] } ?? [])
        add(.tlsFault, tlsFault.map { [$0] } ?? [])
        add(.caFile, caFile.map { [$0] } ?? [])
        add(.tls, tls.map { [$0] } ?? [])
        add(.store, store.map { [$0] } ?? [])
        add(.storeSync, storeSync.map { [$0] } ?? [])
        add(.transcript, transcript.map { [$0] } ?? [])
        add(.seed, seed.map { [$0] } ?? [])
        add(.timeScale, timeScale.map { [$0] } ?? [])
        add(.loops, loops.map { [$0] } ?? [])
        add(.magic, magic.map { [$0] } ?? [])
        add(.noMagic, noMagic ? ["on"] : [])
        add(.judge, judge.map { [$0] } ?? [])
        add(.dns, dns.map { [$0] } ?? [])
        add(.rspamd, rspamd.map { [$0] } ?? [])
        add(.exitAfter, exitAfter)
        add(.readyFile, readyFile.map { [$0] } ?? [])
        return stated
    }
}
