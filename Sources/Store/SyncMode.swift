// How sure a store on disk is that what it kept stays.

package enum SyncMode: String, Sendable, Hashable, CaseIterable {
    /// What was kept survives the end of the process, however it ends.
    case normal
    /// It survives a power cut as well: each commit waits for the disk.
    case full
}
