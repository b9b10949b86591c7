// The connections of a loop by number. A number is a slot and a generation: the slot is found without searching,
// and the generation tells whether it still belongs to the same connection.

struct ConnectionTable {
    private struct Slot {
        var connection: Connection?
        var generation: UInt32 = 0
        var nextFree: Int32 = -1
    }

    private var slots = ContiguousArray<Slot>()
    private var firstFree: Int32 = -1

    /// The number that the next connection will have. `fill` must follow before the next call.
    mutating func reserve() -> UInt64 {
        if firstFree < 0 {
            slots.append(Slot())
            firstFree = Int32(slots.count - 1)
        }
        let slot = Int(firstFree)
        return UInt64(slots[slot].generation & 0x7fff_ffff) << 32 | UInt64(slot)
    }

    mutating func fill(_ cookie: UInt64, _ connection: Connection) {
        let slot = Int(cookie & 0xffff_ffff)
        firstFree = slots[slot].nextFree
        slots[slot].connection = connection
    }

    @inline(__always)
    func find(_ cookie: UInt64) -> Connection? {
        let slot = Int(cookie & 0xffff_ffff)
        guard slot < slots.count, UInt64(slots[slot].generation & 0x7fff_ffff) == cookie >> 32 else { return nil }
        return slots[slot].connection
    }

    mutating func remove(_ cookie: UInt64) {
        let slot = Int(cookie & 0xffff_ffff)
        slots[slot].connection = nil
        slots[slot].generation &+= 1
        slots[slot].nextFree = firstFree
        firstFree = Int32(slot)
    }

    func all() -> [Connection] { slots.compactMap(\.connection) }
}
