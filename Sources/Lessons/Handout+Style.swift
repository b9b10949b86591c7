// What a handout adds to the style sheet of the report, and the hash by which its policy knows it: whoever changes the
// one changes the other (a test says to what).

extension Handout {
    package static let styleHash = "sha256-N89iJxDgdzXcJnkeP8Pfzkps8lBzqPlsIB+rcO0y/zM="

    package static let style = """

        h2, h3, h4 { break-after: avoid }
        pre { white-space: pre-wrap; overflow-wrap: anywhere }
        h4 { font-size: .95rem; margin: 1rem 0 .25rem }
        section.step { margin-bottom: 2.5rem }
        ol.plain { padding-left: 1.5rem }
        ol.letters { list-style: lower-alpha; margin: .25rem 0 .5rem; padding-left: 1.75rem }
        .log { border-left: 4px solid var(--line) }
        .means, .fails { margin: .75rem 0; padding: .25rem .75rem; border-left: 4px solid var(--kept) }
        .fails { border-left-color: var(--should) }
        .read { color: var(--quiet) }
        .yes { color: var(--kept); font-weight: 600 }
        .no { color: var(--must); font-weight: 600 }
        td.why { width: 55% }
        svg .life { stroke: var(--quiet); stroke-width: 2 }
        svg .secret { fill: var(--soft); stroke: var(--line) }
        svg .said-line { stroke: var(--quiet) }
        svg .said-tip { fill: var(--quiet) }
        svg .rejected-line { stroke: var(--must); stroke-width: 2 }
        svg .deferred-line { stroke: var(--should); stroke-width: 2; stroke-dasharray: 6 3 }
        svg .rejected-tip, svg text.rejected-word { fill: var(--must); font-weight: 700 }
        svg .deferred-tip, svg text.deferred-word { fill: var(--should); font-weight: 700 }
        svg .rejected-row, svg .deferred-row { fill: var(--mark) }
        svg text.note { fill: var(--quiet); font-style: italic }
        svg text.time { fill: var(--quiet); font-size: 11px }
        svg text.rejected-word, svg text.deferred-word { font-size: 11px }
        @media print { section.answers { break-before: page } }

        """
}
