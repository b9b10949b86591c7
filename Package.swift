// swift-tools-version: 6.2
// The rooms of fakemx and the arrows between them. Arrows run one way:
// fakemx -> FakeMX -> {Web, Outside}; Web -> Sink -> {EventLoop, Store, Findings, Journal, Faults, SMTP}; Web -> Mail;
// Outside -> Findings; Settings -> {Lessons, Faults, Findings}; Lessons -> {Findings, Faults};
// Store, Findings -> Journal; Journal, Faults -> SMTP.

import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error)
]

let package = Package(
    name: "fakemx",
    products: [
        .executable(name: "fakemx", targets: ["fakemx"]),
        .library(name: "FakeMX", targets: ["FakeMX"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System headers that the Glibc overlay does not show.
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("resolv")]),
        // The files of the page, embedded.
        .target(name: "CPage"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        .systemLibrary(name: "CGMime", pkgConfig: "gmime-3.0", providers: [.apt(["libgmime-3.0-dev"])]),
        .systemLibrary(name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),

        // Pure rooms: no I/O, no clock, no dice, no log, no Foundation.
        .target(name: "SMTP", swiftSettings: strict),
        .target(name: "Faults", dependencies: ["SMTP"], swiftSettings: strict),
        .target(name: "Journal", dependencies: ["SMTP"], swiftSettings: strict),
        .target(name: "Findings", dependencies: ["Journal", "SMTP"], swiftSettings: strict),
        .target(name: "Lessons", dependencies: ["Findings", "Faults", "Journal", "SMTP"], swiftSettings: strict),

        // Rooms with effects.
        .target(
            name: "Store",
            dependencies: [
                "CLinux", "Journal", "SMTP", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(name: "EventLoop", dependencies: ["CLinux", "COpenSSL"], swiftSettings: strict),
        .target(
            name: "Settings",
            dependencies: ["Faults", "Findings", "Lessons", "SMTP", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .target(
            name: "Outside",
            dependencies: [
                "CLinux", "Findings", "SMTP",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "Sink",
            dependencies: [
                "EventLoop", "Store", "Findings", "Journal", "Faults", "SMTP",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .target(name: "Mail", dependencies: ["CGMime", "CXML2"], swiftSettings: strict),
        .target(
            name: "Web",
            dependencies: [
                "CPage", "Sink", "Settings", "Store", "Lessons", "Findings", "Journal", "Faults", "SMTP", "Mail",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Page/Assets"], swiftSettings: strict),
        .target(
            name: "FakeMX",
            dependencies: [
                "Web", "Mail", "Sink", "Outside", "Settings", "Store", "EventLoop", "Lessons", "Findings", "Journal",
                "Faults", "SMTP",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "fakemx",
            dependencies: [
                "FakeMX", "Web", "Sink", "Outside", "Settings", "Lessons", "Findings", "Faults", "Journal", "EventLoop",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // What tests of several rooms need.
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
        .testTarget(name: "SMTPTests", dependencies: ["SMTP"], swiftSettings: strict),
        .testTarget(name: "FaultsTests", dependencies: ["Faults", "SMTP"], swiftSettings: strict),
        .testTarget(
            name: "SettingsTests", dependencies: ["Settings", "Faults", "Findings", "Lessons", "SMTP"],
            swiftSettings: strict),
        .testTarget(
            name: "LessonsTests", dependencies: ["Lessons", "Findings", "Faults", "Journal", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "FindingsTests", dependencies: ["Findings", "Journal", "SMTP", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "OutsideTests", dependencies: ["Outside", "Findings", "SMTP"], swiftSettings: strict),
        .testTarget(name: "JournalTests", dependencies: ["Journal", "SMTP"], swiftSettings: strict),
        .testTarget(name: "StoreTests", dependencies: ["Store", "Journal", "SMTP"], swiftSettings: strict),
        .testTarget(name: "WebTests", dependencies: ["Web"], swiftSettings: strict),
        .testTarget(name: "MailTests", dependencies: ["Mail"], swiftSettings: strict),
        .testTarget(
            name: "SinkTests",
            dependencies: ["Sink", "Settings", "Store", "EventLoop", "Findings", "Journal", "Faults", "SMTP"],
            swiftSettings: strict),
        .testTarget(name: "FakeMXTests", dependencies: ["FakeMX"], swiftSettings: strict),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "CLinux", "COpenSSL"], swiftSettings: strict),
        .testTarget(
            name: "Dialogues",
            dependencies: ["Sink", "Store", "EventLoop", "Journal", "Faults", "SMTP", "CLinux", "COpenSSL"],
            path: "Tests/Dialogues", exclude: ["corpus", "FORMAT.md"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
