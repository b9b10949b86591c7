// swift-tools-version: 6.2
// The rooms of fakemx and the arrows between them. Arrows run one way:
// fakemx -> Sink -> {EventLoop, Store, Journal, Faults, SMTP}; Settings -> Faults; Store -> Journal; Journal, Faults -> SMTP.

import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error)
]

let package = Package(
    name: "fakemx",
    products: [
        .executable(name: "fakemx", targets: ["fakemx"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System headers that the Glibc overlay does not show.
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // Pure rooms: no I/O, no clock, no dice, no log, no Foundation.
        .target(name: "SMTP", swiftSettings: strict),
        .target(name: "Faults", dependencies: ["SMTP"], swiftSettings: strict),
        .target(name: "Journal", dependencies: ["SMTP"], swiftSettings: strict),

        // Rooms with effects.
        .target(
            name: "Store",
            dependencies: ["Journal", "SMTP", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: strict),
        .target(name: "EventLoop", dependencies: ["CLinux", "COpenSSL"], swiftSettings: strict),
        .target(
            name: "Settings", dependencies: ["Faults", "SMTP", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .target(
            name: "Sink",
            dependencies: ["EventLoop", "Store", "Journal", "Faults", "SMTP"], swiftSettings: strict),
        .executableTarget(
            name: "fakemx",
            dependencies: [
                "Sink", "Settings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .testTarget(name: "SMTPTests", dependencies: ["SMTP"], swiftSettings: strict),
        .testTarget(name: "FaultsTests", dependencies: ["Faults", "SMTP"], swiftSettings: strict),
        .testTarget(name: "SettingsTests", dependencies: ["Settings", "Faults", "SMTP"], swiftSettings: strict),
        .testTarget(name: "JournalTests", dependencies: ["Journal", "SMTP"], swiftSettings: strict),
        .testTarget(name: "StoreTests", dependencies: ["Store", "Journal", "SMTP"], swiftSettings: strict),
        .testTarget(
            name: "SinkTests", dependencies: ["Sink", "Settings", "Store", "EventLoop", "Journal", "Faults", "SMTP"],
            swiftSettings: strict),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "CLinux", "COpenSSL"], swiftSettings: strict),
        .testTarget(
            name: "Dialogues",
            dependencies: ["Sink", "Store", "EventLoop", "Journal", "Faults", "SMTP", "CLinux", "COpenSSL"],
            path: "Tests/Dialogues", exclude: ["corpus", "FORMAT.md"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
