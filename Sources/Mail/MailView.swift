// What a message looks like to whoever reads mail: decoded headers, parts, text. Derived from octets when it is asked
// for; nothing here is stored, and a broken message gives what can be had of it.

import CGMime
import CXML2
