// What the process may take from the system, and gives back.

import CLinux

package enum SystemLimits {
    /// Heaps of the C library, at most. What one thread allocates and another frees stays in the heap of the first:
    /// with one for each of Dispatch's threads, 100,000 messages into a file left 101 MiB resident, with two of them
    /// 89.
    private static let heaps: Int32 = 2

    /// To be called before anything else.
    package static func shareHeaps() { linux_limit_arenas(heaps) }

    /// How many descriptors the process may have open; 0 when the system does not say.
    package static var descriptors: Int { Int(clamping: linux_descriptor_limit()) }

    /// Raises the limit of descriptors as far as it goes without privileges.
    ///
    /// - Returns: the limit then in force.
    @discardableResult
    package static func raiseDescriptors() -> Int { Int(clamping: linux_raise_descriptor_limit()) }
}
