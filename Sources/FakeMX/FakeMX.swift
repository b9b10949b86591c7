// The library: a fake MX inside a process.

import NIOHTTP1
import Web
