// `fakemx dns`: prints the DNS records that lead a sender to the listeners, and starts nothing.

import ArgumentParser
import FakeMX
import Settings

struct Dns: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the zone for dnsmasq, unbound or a zone file.",
        discussion: """
            Every listener of the configuration gets its address and a place in these domains: any.test (all, in order \
            of preference), equal.test (all at the same preference), null.test (null MX), dead.test (nobody listens), \
            dead-first.test (dead, then all), implicit.test (no MX, an address), missing.test (an MX without an \
            address), and NAME.test for each listener alone.

              fakemx dns --scenario several-mx > zone.conf
              dnsmasq --keep-in-foreground --no-resolv --listen-address=127.0.0.54 --conf-file=zone.conf
            """)

    @ArgumentParser.Option(help: .init("Configuration file, as for serve.", valueName: "file"))
    var config: String?

    @ArgumentParser.Option(
        help: .init("Scenario by name or by file, as for serve; may be repeated.", valueName: "name|file"))
    var scenario: [String] = []

    @ArgumentParser.Option(
        help: .init("A listener in place of those of the files; may be repeated.", valueName: "host:port"))
    var smtp: [String] = []

    @ArgumentParser.Option(
        help: .init("For what the text is: dnsmasq, unbound or zone (RFC 1035).", valueName: "format"))
    var format = Zone.Format.dnsmasq.rawValue

    @ArgumentParser.Option(help: .init("Under which domain the others stand.", valueName: "name"))
    var domain = Zone.usualDomain

    @ArgumentParser.Option(
        help: .init(
            "An address at which nobody listens. The usual one refuses at once, 192.0.2.1 is silent.",
            valueName: "address"))
    var dead = Zone.usualDeadAddress

    func run() async throws {
        var flags: [(option: ServeOption, value: String)] = config.map { [(.config, $0)] } ?? []
        flags += scenario.map { (.scenario, $0) } + smtp.map { (.smtp, $0) }
        let loaded = Loading.load(
            SettingsSources(
                flags: flags, environment: Places.environment, scenarioFolders: Places.scenarioFolders,
                replyFolders: Places.replyFolders))
        var complaints = loaded.complaints
        let format = Zone.Format.parse(format)
        if case .failure(let complaint) = format { complaints.append(complaint) }
        var zone: Zone?
        if let configuration = loaded.configuration {
            let made = Zone.make(of: configuration.listeners, domain: domain, dead: dead)
            zone = made.zone
            complaints += made.complaints
        }
        for complaint in complaints { Output.error(complaint.description) }
        guard let zone, case .success(let format) = format else { throw ExitStatus.badUse("") }
        Output.text(zone.text(format))
    }
}
