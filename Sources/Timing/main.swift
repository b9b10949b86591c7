import Faults
import Settings

let clock = ContinuousClock()
for round in 0..<40 {
    var count = 0
    var complaints: [Complaint] = []
    let t = clock.measure {
        let (c, found) = CatalogueFolder.read(["Config/replies"])
        count = c.entries.count
        complaints = found
    }
    print(round, t, count, complaints.count)
    if round == 0 { for c in complaints.prefix(60) { print(c) } }
}
