// The style sheet of the HTML report, and the hash by which its policy knows it: whoever changes the one changes the
// other (a test says to what).

extension HTMLReport {
    package static let styleHash = "sha256-Tk9L/GfTzIx6W6tG5YmSljYKb23IanWHpcRUaIiD6jY="

    package static let style = """

        :root { --ink: #1b1f24; --paper: #fff; --soft: #f3f4f6; --line: #c9ced6; --quiet: #57606a; --link: #0550ae;
          --must: #a40e26; --should: #7d4e00; --reputation: #6639ba; --info: #0550ae; --kept: #116329; --mark: #ffe58a }
        @media screen and (prefers-color-scheme: dark) {
          :root { --ink: #e6e9ee; --paper: #14171c; --soft: #1f242b; --line: #3b424d; --quiet: #a3acb8; --link: #79b8ff;
            --must: #ff8a94; --should: #f0b95b; --reputation: #cda4ff; --info: #79b8ff; --kept: #6fdd8b;
            --mark: #6b5200 }
        }
        * { box-sizing: border-box }
        body { margin: 0 auto; padding: 1.5rem; max-width: 70rem; color: var(--ink); background: var(--paper);
          font: 1rem/1.5 system-ui, sans-serif }
        h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem }
        h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line) }
        h3 { font-size: 1rem; margin: 1rem 0 .25rem }
        p { margin: .25rem 0 }
        a { color: var(--link) }
        header p, footer, figcaption, caption { color: var(--quiet) }
        .lag { color: var(--should) }
        code, pre { font: .875rem/1.45 ui-monospace, monospace }
        code { overflow-wrap: anywhere }
        pre { margin: .25rem 0; padding: .5rem .75rem; white-space: pre-wrap; overflow-wrap: anywhere;
          background: var(--soft); border: 1px solid var(--line); border-radius: 4px }
        mark { color: inherit; background: var(--mark); outline: 1px solid var(--line);
          print-color-adjust: exact }
        figure { margin: .5rem 0 }
        ol.rules { padding-left: 2.25rem }
        ol.rules > li { margin-bottom: 1.5rem }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .75rem; margin: .5rem 0 }
        dt { color: var(--quiet) }
        dd { margin: 0; overflow-wrap: anywhere }
        .severity { padding: 0 .4rem; border: 1px solid; border-radius: 4px; font-weight: 600 }
        .must, td.broken { color: var(--must) }
        .should { color: var(--should) }
        .reputation { color: var(--reputation) }
        .info { color: var(--info) }
        td.kept { color: var(--kept) }
        td.unseen { color: var(--quiet) }
        .wide { overflow-x: auto }
        table { border-collapse: collapse; width: 100% }
        caption { text-align: left }
        th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left;
          vertical-align: top; overflow-wrap: anywhere }
        th[scope=row] { font-weight: 400 }
        td.broken, td.kept, td.unseen { white-space: nowrap; font-weight: 600 }
        ul.ids { margin: .25rem 0; padding-left: 1.25rem; columns: 20rem; column-gap: 2.5rem }
        ul.ids > li { break-inside: avoid }
        svg { max-width: 100%; height: auto }
        svg text { fill: var(--ink); font: 12px ui-monospace, monospace }
        svg .axis { stroke: var(--line) }
        svg .accepted { fill: var(--kept) }
        svg .rejected { fill: var(--must) }
        svg .deferred { fill: var(--should) }
        svg .other { fill: var(--quiet) }
        @media (max-width: 40rem) {
          body { padding: 1rem }
          dl { display: block }
          dd { margin-bottom: .35rem }
          svg text { display: none }
        }
        @media print {
          html { font-size: 10pt }
          body { max-width: none; padding: 0 }
          dl { display: grid }
          h2, h3, ol.rules > li > p { break-after: avoid }
          figure, tr { break-inside: avoid }
          a[href^=http]::after { content: " <" attr(href) ">"; color: var(--quiet) }
        }

        """
}
