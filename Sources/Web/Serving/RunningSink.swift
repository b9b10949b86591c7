// Hummingbird has a type named Server, too.

import Sink

/// What the HTTP side speaks for.
package typealias RunningSink = Sink.Server
