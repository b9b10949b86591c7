// Durations, sizes, rates: what people write, and the way back.

import Faults
import Testing

@Suite struct QuantitiesTests {
    @Test(arguments: [
        ("200ms", 200_000_000 as UInt64), ("2s", 2_000_000_000), ("1.5s", 1_500_000_000), ("5m", 300_000_000_000),
        ("1h", 3_600_000_000_000), ("1h30m", 5_400_000_000_000), ("0s", 0), (" 3S ", 3_000_000_000), ("10us", 10_000),
        ("10µs", 10_000), ("2d", 172_800_000_000_000),
    ])
    func `A duration is read as it is written`(text: String, ns: UInt64) throws {
        #expect(try Span.parse(text).get().ns == ns)
    }

    @Test(arguments: [
        "", "s", "2", "2 s x", "-1s", "1s1h", "1s1s", "1e3s", "999999d", "1..2s", ".5s", "99999999999999999999s",
    ])
    func `What is no duration is refused`(text: String) {
        #expect(throws: RuleText.self) { try Span.parse(text).get() }
    }

    @Test func `A duration without a unit is told which it may mean`() {
        #expect(throws: RuleText("\"200\" has no unit; did you mean \"200s\" or \"200ms\"?")) {
            try Span.parse("200").get()
        }
    }

    @Test(arguments: [
        ("1000", 1000 as UInt64), ("10KB", 10_000), ("10kb", 10_000), ("1 MiB", 1_048_576), ("1.5MB", 1_500_000),
        ("0", 0),
        ("50 MiB", 52_428_800), ("7B", 7), ("1KiB", 1024),
    ])
    func `A size is read as it is written`(text: String, octets: UInt64) throws {
        #expect(try ByteSize.parse(text).get().octets == octets)
    }

    @Test(arguments: ["", "KB", "-1", "1.5", "1XB", "1e9", "99999999999 GB", "10 K B"])
    func `What is no size is refused`(text: String) {
        #expect(throws: RuleText.self) { try ByteSize.parse(text).get() }
    }

    @Test func `A size with half a unit is told the whole one`() {
        #expect(throws: RuleText("\"10K\" is not a size; did you mean \"10KB\"?")) { try ByteSize.parse("10K").get() }
    }

    @Test func `A rate is octets in a time`() throws {
        #expect(try Rate.parse("1/s").get().octetsPerSecond == 1)
        #expect(try Rate.parse("10KB/s").get().octetsPerSecond == 10_000)
        #expect(try Rate.parse("6/m").get().octetsPerSecond == 0.1)
        for bad in ["", "1", "1/", "/s", "0/s", "1/fortnight", "1/s/s"] {
            #expect(throws: RuleText.self) { try Rate.parse(bad).get() }
        }
    }

    @Test func `Each quantity is printed so that it reads back`() throws {
        var dice = Dice(7)
        for _ in 0..<2000 {
            let span = Span(ns: UInt64(dice.below(1 << 40)) * dice.one(of: [1, 1000, 1_000_000]) % Span.longest.ns)
            #expect(try Span.parse(span.description).get() == span)
            let size = ByteSize(octets: UInt64(dice.below(1 << 40)) * dice.one(of: [1, 1000, 1024]))
            #expect(try ByteSize.parse(size.description).get() == size)
        }
    }
}
