// The dialect of Mailpit, under /api/v1 and /view, so that clients made for it work unchanged.

import Hummingbird

enum Mailpit {
    static var routes: [Route] { [] }
}
