// Public URL shorteners: services that anybody can use, so that their reputation is everybody's. Those that lead into
// one brand's own pages only (youtu.be, fb.me, amzn.to) are not among them. As of 2026-11.

enum Shorteners {
    private static let hosts: Set<String> = [
        "bit.ly", "bitly.com", "j.mp", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "v.gd", "buff.ly",
        "rebrand.ly",
        "cutt.ly", "shorturl.at", "shorturl.com", "rb.gy", "tiny.cc", "t.ly", "bl.ink", "dlvr.it", "adf.ly",
        "shorte.st",
        "s.id", "soo.gd", "clck.ru", "qr.ae", "tr.im", "x.co", "ift.tt", "mcaf.ee", "po.st", "su.pr", "u.to", "vk.cc",
        "snip.ly", "short.io", "short.gy", "tinu.be", "urlz.fr", "lc.chat", "hyperurl.co", "bc.vc", "ouo.io",
        "t2m.io", "2no.co", "iplogger.org", "grabify.link", "shrtco.de", "9qr.de", "0rz.tw", "reurl.cc", "ppt.cc",
        "surl.li",
        "n9.cl", "acortar.link", "l1nq.com", "tinyurl.mobi", "qrco.de", "gg.gg", "zpr.io", "kutt.it", "dub.sh", "u.nu",
    ]

    /// - Parameter host: in small letters.
    static func contains(_ host: [UInt8]) -> Bool {
        guard host.count <= 20 else { return false }
        let name = String(decoding: host, as: UTF8.self)
        return hosts.contains(name) || name.hasPrefix("www.") && hosts.contains(String(name.dropFirst(4)))
    }
}
