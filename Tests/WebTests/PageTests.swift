// The files of the page: those of the folder, all of them, and served as what they are.

import FoundationEssentials
import Testing

@testable import Web

@Suite("The page")
struct PageTests {
    private static let folder = #filePath.replacing("Tests/WebTests/PageTests.swift", with: "Sources/Web/Page/Assets")

    @Test func `The binary holds every file of the folder, octet for octet, and no other`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
        #expect(Set(names) == Set(Page.assets.keys), "Sources/CPage/CPage.c lists the files")
        for name in names {
            let octets = try Data(contentsOf: URL(filePath: "\(Self.folder)/\(name)"))
            #expect(Page.assets[name].map { Data($0.body.readableBytesView) == octets } ?? false, "\(name)")
        }
    }

    @Test func `It is small, and each file says what it is`() {
        #expect(Page.assets.values.reduce(0) { $0 + $1.body.readableBytes } <= 300 << 10)
        for (name, asset) in Page.assets {
            #expect(asset.contentType != "application/octet-stream", "\(name)")
            #expect(name.utf8.allSatisfy { (97...122).contains($0) || $0 == 45 || $0 == 46 }, "\(name)")
        }
    }

    @Test(arguments: [
        (["\"a\""], true), (["W/\"a\""], true), (["\"b\", \"a\""], true), (["\"b\"", "\"a\""], true), (["*"], true),
        ([], false), (["\"b\""], false), (["a"], false), (["\"a"], false),
    ])
    func `A file that is known is not sent again`(values: [String], isKnown: Bool) {
        #expect(Page.knows(values, "\"a\"") == isKnown)
    }
}
