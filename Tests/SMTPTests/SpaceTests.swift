// Which spaces an address belongs to.

import Testing

@testable import SMTP

@Suite("Spaces")
struct SpaceTests {
    @Test(arguments: [
        ("a@t17.test", ["t17"]), ("a@mx.T17.test", ["t17"]), ("a+t17@any.example", ["t17"]),
        ("a+x+Y@z.test", ["y", "z"]),
        ("a+z@z.test", ["z"]), ("a@example.com", []), ("a@test", []), ("a@.test", []), ("+@b.com", []), ("a", []),
        ("", []),
        ("\"a+b\"@c.com", []), ("a+b c@d.com", []), ("a@[127.0.0.1]", []), ("a@b.test.", []),
    ])
    func `An address says to which it belongs`(address: String, spaces: [String]) {
        #expect(Space.names(ofAddress: Array(address.utf8)) == spaces)
    }
}
