// What the process may take from the system, and gives back.

import CLinux

package enum SystemLimits {
    /// How many descriptors the process may have open; 0 when the system does not say.
    package static var descriptors: Int { Int(clamping: linux_descriptor_limit()) }

    /// Raises the limit of descriptors as far as it goes without privileges.
    ///
    /// - Returns: the limit then in force.
    @discardableResult
    package static func raiseDescriptors() -> Int { Int(clamping: linux_raise_descriptor_limit()) }

    /// Gives memory that the allocator keeps for later back to the system. Takes milliseconds; for quiet moments.
    package static func trimMemory() { linux_trim_memory() }
}
