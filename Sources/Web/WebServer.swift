// The HTTP side of a running sink.

import Hummingbird
import Sink
