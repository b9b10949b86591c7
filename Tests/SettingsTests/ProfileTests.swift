// The key and the flag `profile`: which server a listener looks like, and what is put over it.

import SMTP
import Settings
import Testing

@Suite struct ProfileTests {
    private func listeners(_ yaml: String) throws -> [Configuration.Listener] {
        let (settings, found) = read(yaml)
        #expect(found == [])
        return Configuration.complete(try #require(settings), .empty).configuration.listeners
    }

    @Test(arguments: ServerStyle.all)
    func `Each profile is known by its name`(style: ServerStyle) throws {
        let listener = try #require(try listeners("profile: \(style.name)\n").first)
        #expect(listener.style == style)
        #expect(listener.capabilities == style.capabilities)
        #expect(listener.limits.messageSize == style.messageSize ?? Limits().messageSize)
        #expect(load([(.profile, style.name.uppercased())]).configuration?.listeners.first == listener)
    }

    @Test func `Without a profile nothing changes`() throws {
        #expect(try listeners("seed: 1\n") == Configuration().listeners)
        #expect(try listeners("profile: modern\n") == Configuration().listeners)
        #expect(Configuration().listeners.map(\.profile) == [Profile(hostname: "mx.fakemx.test")])
    }

    @Test func `A listener's profile counts more than that of the file`() throws {
        let yaml = """
            profile: gmail
            listeners: [ { smtp: 127.0.0.1:0 }, { smtp: 127.0.0.1:0, profile: rfc821 }, \
            { smtp: 127.0.0.1:0, profile: null }, { smtp: 127.0.0.1:0, profile: modern } ]
            """
        #expect(try listeners(yaml).map(\.style.name) == ["gmail", "rfc821", "gmail", "modern"])
    }

    @Test func `Flag beats environment beats file`() throws {
        try withFiles(["f.yaml": "profile: exim"]) { folder in
            let file: [(Option, String)] = [(.config, "\(folder)/f.yaml")]
            func style(_ loaded: Loaded) -> String? { loaded.configuration?.listeners.first?.style.name }
            #expect(style(load(file)) == "exim")
            #expect(style(load(file, ["FAKEMX_PROFILE": "yahoo"])) == "yahoo")
            #expect(style(load(file + [(.profile, "modern")], ["FAKEMX_PROFILE": "yahoo"])) == "modern")
        }
    }

    @Test func `Hide, offer and limits are put over the profile`() throws {
        let yaml = """
            profile: gmail
            hide: CHUNKING
            listeners:
              - { smtp: 127.0.0.1:0, offer: [AUTH, CHUNKING] }
              - { smtp: 127.0.0.1:0, hide: SIZE, limits: { message-size: 10KB } }
            """
        let found = try listeners(yaml)
        let gmail = try #require(ServerStyle.named("gmail"))
        #expect(found[0].capabilities == gmail.capabilities.union(CapabilitySet(.auth)))
        #expect(found[1].capabilities == gmail.capabilities.subtracting(CapabilitySet([.size, .chunking])))
        #expect(found.map(\.limits.messageSize) == [157_286_400, 10_000])
        #expect(found[0].profile.style == gmail)
    }

    @Test func `An unknown profile is told the nearest name, or all of them`() {
        #expect(
            complaints("profile: postfx\n") == [
                "f.yaml:1:10: profile: \"postfx\" is no profile; did you mean \"postfix\"?"
            ])
        #expect(
            load([(.profile, "gmial")]).complaints.map(\.description) == [
                "--profile: \"gmial\" is no profile; did you mean \"gmail\"?"
            ])
        let all = load([(.profile, "zzzzzzzz")]).complaints.map(\.description).joined()
        #expect(all.contains("; there are modern, rfc821, "))
        #expect(complaints("profil: gmail\n").joined().contains("did you mean \"profile\"?"))
        let listener = "listeners: [ { smtp: 127.0.0.1:0, profile: rfc822 } ]\n"
        #expect(complaints(listener).joined().contains("did you mean \"rfc821\"?"))
    }
}
