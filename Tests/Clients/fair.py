# What was found against clients at a sink, and what of it may be. Each entry of a list of what may be says why: it is the
# client's own doing, or that of the test. Whatever else is found is an unfairness of the judge.

import json
import urllib.request

PAGE = 1000
SHOWN_LINES = 6


class May:
    """The finding `rule` may be, with these severities, against these clients, at rows of a test that `where` holds for (of
    what is not said, all); `why` is for who reads the list."""

    def __init__(self, rule, why, clients=None, where=None, severities=None):
        self.rule, self.why, self.clients, self.where, self.severities = rule, why, clients, where, severities
        self.is_used = False

    def covers(self, finding, client, row):
        return (finding["rule"] == self.rule and (self.clients is None or client in self.clients)
                and (self.where is None or row is not None and self.where(row))
                and (self.severities is None or finding["severity"] in self.severities))

    def __repr__(self):
        return f"{self.rule}: {self.why}"


def unfair(sink, allowed, whose):
    """What no entry of `allowed` covers, in words. `whose` tells (client, row) of a session as fakemx recorded it; of one that
    nobody knows, (None, None)."""
    sink.settle()
    with urllib.request.urlopen(f"{sink.url}/api/fakemx/findings?limit={PAGE}", timeout=20) as answer:
        page = json.load(answer)
    records = {record["id"]: record for record in sink.records}
    if page["judging"]["sessions_judged"] < len(records):
        return [f"{page['judging']['sessions_judged']} of {len(records)} sessions were judged"]
    if len(page["findings"]) == PAGE:
        return [f"more than {PAGE} findings"]
    kept = []
    for finding in page["findings"]:
        record = records[finding["session"]]
        client, row = whose(record)
        entries = [entry for entry in allowed if entry.covers(finding, client, row)]
        for entry in entries:
            entry.is_used = True
        if not entries:
            kept.append(f"{row}, {client}: {finding['severity']} {finding['rule']}: {finding['saw']}\n{ending(record)}")
    return kept


def unused(allowed):
    """Entries that nothing needed: what they allow is not found any more."""
    return [entry for entry in allowed if not entry.is_used]


def ending(record):
    """The last lines of a session, and how it ended."""
    lines = [f"    {line['at_us'] / 1000:10.3f} {'C' if line['who'] == 'client' else 'S'}: {line['text'] or '[message]'}"
             for line in record["lines"][-SHOWN_LINES:]]
    faults = "; ".join(f"{fault['phase']}: {fault['action']}" for fault in record["faults"]) or "no fault"
    return "\n".join([*lines, f"    {record['id']}: {record['ended_by']}, {faults}"])
