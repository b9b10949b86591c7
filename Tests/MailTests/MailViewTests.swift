// What is read out of messages, sound ones and broken ones.

import Mail
import Testing
