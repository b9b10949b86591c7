// UTF-8 as RFC 3629 §4 writes it, strictly: no overlong forms, no surrogates, nothing beyond U+10FFFF.

enum UTF8Survey {
    /// The first octet that belongs to no character.
    /// - Parameter isCut: the range may end inside a character.
    static func firstFault(_ octets: MessageOctets, _ range: Range<Int>, isCut: Bool = false) -> Int? {
        var index = range.lowerBound
        while let high = OctetSearch.firstHigh(octets, index..<range.upperBound) {
            index = high
            // Text beyond ASCII comes in runs.
            while index < range.upperBound, octets[index] >= 0x80 {
                let (count, low, up) = form(octets[index])
                if count == 0 { return index }
                for offset in 1..<count {
                    guard index + offset < range.upperBound else { return isCut ? nil : index }
                    let octet = octets[index + offset]
                    let isRight = offset == 1 ? octet >= low && octet <= up : octet & 0xc0 == 0x80
                    if !isRight { return index }
                }
                index += count
            }
        }
        return nil
    }

    /// How many octets the character has, and between which the second one lies.
    private static func form(_ first: UInt8) -> (count: Int, low: UInt8, up: UInt8) {
        switch first {
        case 0xc2...0xdf: (2, 0x80, 0xbf)
        case 0xe0: (3, 0xa0, 0xbf)
        case 0xe1...0xec, 0xee, 0xef: (3, 0x80, 0xbf)
        case 0xed: (3, 0x80, 0x9f)
        case 0xf0: (4, 0x90, 0xbf)
        case 0xf1...0xf3: (4, 0x80, 0xbf)
        case 0xf4: (4, 0x80, 0x8f)
        default: (0, 0, 0)
        }
    }
}
