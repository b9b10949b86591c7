// Everything a sink needs to start, as plain values. Whoever reads files and flags makes one of these.

import EventLoop
import Faults
import Findings
import Journal
import SMTP
import Store

/// One place where connections are accepted.
package struct ListenerConfiguration: Sendable {
    /// As rules and records say it.
    package var name: String
    package var address: ListenAddress
    /// TLS begins with the first octet (RFC 8314 §3.3).
    package var implicitTLS: Bool
    package var profile: Profile
    /// nil: no TLS here.
    package var identity: TLSIdentity?
    /// How TLS goes wrong here, where no rule says otherwise.
    package var tlsFault: TLSFault?

    package init(
        name: String, address: ListenAddress, implicitTLS: Bool = false, profile: Profile, identity: TLSIdentity?,
        tlsFault: TLSFault? = nil
    ) {
        self.name = name
        self.address = address
        self.implicitTLS = implicitTLS
        self.profile = profile
        self.identity = identity
        self.tlsFault = tlsFault
    }
}

package enum StoreKind: Sendable, Hashable {
    case memory(Retention)
    case none
    /// A file of SQLite.
    case file(path: String, sync: SyncMode, Retention)
}

package struct SinkConfiguration: Sendable {
    package var listeners: [ListenerConfiguration]
    package var rules: [Rule]
    package var seed: UInt64
    package var timeScale: Double
    package var magic: MagicPacks
    /// What `use` finds its replies in.
    package var catalogue: Catalogue
    /// Makes what bad TLS takes.
    package var tlsMenu: TLSMenu
    package var store: StoreKind
    package var transcript: TranscriptForm?
    /// Somebody will wait for what happens, or watch it.
    package var isWatched: Bool
    /// What is looked for in a message that stands in a file: its decoded text.
    package var searchText: @Sendable (Message) -> String
    /// How senders are judged; nil: they are not.
    package var judging: JudgingSettings?
    /// Those who are asked about senders; what a reload names here is left aside.
    package var outsiders = Outsiders()
    /// Event loops, one thread each.
    package var loops: Int
    /// Connections open at once, over all loops.
    package var connectionLimit: Int

    package init(
        listeners: [ListenerConfiguration], tlsMenu: TLSMenu, rules: [Rule] = [], seed: UInt64 = 0,
        timeScale: Double = 1,
        magic: MagicPacks = .usual, catalogue: Catalogue = .empty, store: StoreKind = .memory(Retention()),
        transcript: TranscriptForm? = nil, isWatched: Bool = true,
        searchText: @escaping @Sendable (Message) -> String = { Text.lossy($0.content) },
        judging: JudgingSettings? = nil, loops: Int = 1, connectionLimit: Int = 20_000
    ) {
        self.listeners = listeners
        self.tlsMenu = tlsMenu
        self.rules = rules
        self.seed = seed
        self.timeScale = timeScale
        self.magic = magic
        self.catalogue = catalogue
        self.store = store
        self.transcript = transcript
        self.isWatched = isWatched
        self.searchText = searchText
        self.judging = judging
        self.loops = loops
        self.connectionLimit = connectionLimit
    }
}

/// What makes a reload impossible while the sink runs.
package struct ReloadRefusal: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
}
