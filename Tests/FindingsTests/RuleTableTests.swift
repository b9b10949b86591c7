// The tables of rules: one for every id, with everything that a report says of it.

import Findings
import Testing

@Suite struct RuleTableTests {
    @Test func everyIDHasItsRuleAndItsPlace() {
        for (index, id) in RuleID.allCases.enumerated() {
            #expect(id.ordinal == index)
            #expect(SenderRules.rule(id).id == id)
        }
        #expect(SenderRules.all.count == 249)
        #expect(SenderRules.all.filter { $0.tier == .core }.count == 147)
    }

    @Test func everyRuleSaysWhatWhyAndHow() {
        for rule in SenderRules.all {
            for text in [rule.what, rule.why, rule.fix, rule.citation] {
                #expect(text.count > 10, "\(rule.id.rawValue)")
            }
        }
    }
}
