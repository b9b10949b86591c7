// Words by which a reader, or the path of a link, says that a subscription can be ended. Stems, so that forms and
// spellings without accents are found as well; in languages in which bulk mail is usual. A word too many excuses a
// sender, one too few accuses it, so the list is wide.

enum UnsubscribeWords {
    private static let words: [String] = [
        // English, and what paths of links say in every language.
        "unsub", "opt-out", "optout", "opt out", "opt_out", "preference", "email settings", "email-settings",
        "manage subscription", "manage your subscription", "subscription", "stop receiving", "no longer wish",
        "remove me",
        "mailing list", "notification settings", "signoff", "sign off",
        // German, Dutch, Scandinavian languages.
        "abmeld", "abbestell", "austrag", "abonnement", "newsletter beenden", "afmeld", "uitschrijv", "avmeld",
        "avregist",
        "avprenumer", "peruut", "tilaus",
        // French, Spanish, Portuguese, Italian, Romanian.
        "sabonn", "sinscri", "suscrib", "suscripci", "darse de baja", "darte de baja", "dar de baja", "cancelar",
        "baja",
        "descadastr", "inscri", "remover", "disiscri", "cancellati", "annulla", "dezabon",
        // Polish, Czech, Slovak, Hungarian, Croatian, Turkish, Indonesian, Vietnamese.
        "wypisz", "rezygn", "subskryp", "odhl", "odber", "leiratkoz", "odjav", "abonelik", "listeden", "berhenti",
        "ngung nhan", "h\u{1ee7}y",
        // Russian, Ukrainian, Greek, Hebrew, Arabic, Hindi, Thai.
        "отпис", "Отпис", "подписк", "відпис", "Відпис", "διαγραφ", "Διαγραφ", "הסר", "הסרה", "إلغاء", "सदस्यता",
        "ยกเลิก",
        // Chinese, Japanese, Korean.
        "退订", "退訂", "取消订阅", "取消訂閱", "配信停止", "配信解除", "購読", "登録解除", "解除", "수신거부", "수신 거부", "구독",
    ]

    /// The words by the octet with which they begin.
    private static let byFirst: [[[UInt8]]] = {
        var table = [[[UInt8]]](repeating: [], count: 256)
        for word in words {
            let octets = Array(word.utf8)
            if let first = octets.first { table[Int(first)].append(octets) }
        }
        return table
    }()

    /// Whether one of them stands somewhere in the text, without regard to case.
    static func stand(in octets: MessageOctets) -> Bool {
        for index in octets.indices {
            for word in byFirst[Int(FieldText.small(octets[index]))] where index + word.count <= octets.count {
                let isThere = word.indices.allSatisfy { FieldText.small(octets[index + $0]) == word[$0] }
                if isThere { return true }
            }
        }
        return false
    }
}
