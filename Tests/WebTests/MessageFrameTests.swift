// The HTML of strangers in a frame: no tag that a policy cannot hold, and keys that open one page.

import Testing

@testable import Web

@Suite("The frame of a message")
struct MessageFrameTests {
    @Test(arguments: [
        ("<link rel=preconnect href=//x>", "<wbr  rel=preconnect href=//x>"), ("<LiNk>", "<wbr >"),
        ("a<linkb", "a<wbr b"), ("<lin", "<lin"), ("<<link", "<<wbr "), ("link < link", "link < link"), ("", ""),
        ("ü<link/>€", "ü<wbr />€"),
    ])
    func `There is no link to anything that would be opened at once`(html: String, page: String) {
        #expect(String(decoding: MessageFrame.withoutLinks(html), as: UTF8.self) == page)
    }

    @Test(arguments: [
        ("<p style='background: url( \"https://a.test/x\")'>URL(//b.test/y)", 2), ("url(", 0),
        ("url(data:x) url(x.png)", 0),
        ("<p>curl(http://a.test)", 1), ("", 0),
    ])
    func `Addresses in styles are counted`(html: String, count: Int) {
        #expect(MessageFrame.remoteCount(html, []) == count)
    }

    @Test func `A key opens the page of its message in this run, and nothing else`() {
        let (frames, others) = (FrameKey(), FrameKey())
        let key = frames.key(ofMessage: "s1.1")
        let path = FrameKey.path(ofMessage: "s1.1")
        #expect(frames.opens(path, key))
        #expect(!frames.opens(path, nil) && !frames.opens(path, "") && !frames.opens(path, key + "0"))
        #expect(!others.opens(path, key))
        for other in ["s1.2/html", "s1.1/raw", "s1.1", "s1.1/html/", "/s1.1/html", "s1.1/html/x"] {
            #expect(!frames.opens("/api/fakemx/messages/\(other)", key), "\(other)")
        }
        #expect(!frames.opens("/api/fakemx/rules/s1.1/html", key))
    }
}
