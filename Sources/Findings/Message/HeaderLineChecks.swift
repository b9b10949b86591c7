// Judges the lines of headers as lines: how long they are, whether they hold octets above 127, whether a folded line is
// blank (RFC 5322 §2.1.1, §2.2, §3.2.2; RFC 6532). Headers of parts count as well.

enum HeaderLineChecks {
    static func check(_ view: MessageView, _ lines: ContentLines, _ ledger: inout Ledger) {
        view.judge(.hdrLineTooLong, lines.longHeaderLines, &ledger)
        view.judge(.hdrBlankFold, lines.blankFolds, &ledger)
        if view.input.reversePath.smtpUTF8 {
            // RFC 6532 §3.1: UTF-8 is what a header may hold now, and nothing else.
            if lines.eightBitHeaderLines.count > 0 || lines.headerLinesNotUTF8.count > 0 {
                view.judge(.hdrInvalidUtf8, lines.headerLinesNotUTF8, &ledger)
            }
        } else {
            view.judge(.hdrRaw8bit, lines.eightBitHeaderLines, &ledger)
        }
    }
}
