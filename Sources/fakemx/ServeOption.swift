// `Option` is also a word of the argument parser; here it is the one of Settings.

import Settings

typealias ServeOption = Option
