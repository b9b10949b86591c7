# What README shows of mta-table.md: phase × answer × MTA -> outcome, without the logs. Run by itself it rewrites README.

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join(ROOT, "Tests", "Clients", "mta-table.md")
README = os.path.join(ROOT, "README.md")
BEGIN, END = "<!-- mta-digest -->\n", "<!-- /mta-digest -->"


def digest(table):
    """The Markdown of the digest, from the text of mta-table.md."""
    outcomes, order = {}, []
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 8 or cells[3] not in ("Postfix", "Exim"):
            continue
        phase, answer, fires, mta, outcome, _, named, _ = cells
        if (phase, answer) not in order:
            order.append((phase, answer))
        outcomes[phase, answer, fires, mta] = outcome + (" ¹" if named.startswith("no, says") else "")
    out = ["| phase | answer | Postfix, once | Postfix, always | Exim, once | Exim, always |", "|---|---|---|---|---|---|"]
    for phase, answer in order:
        cells = [outcomes.get((phase, answer, fires, mta), "") for mta in ("Postfix", "Exim") for fires in ("once", "always")]
        out.append(f"| `{phase}` | {answer} | " + " | ".join(cells) + " |")
    out += ["", "`once`: the fault fires for the first attempt alone; `always`: for each.",
            "¹ The log names another phase than the one that refused: the reply was read after more had been sent.", ""]
    return "\n".join(out)


def shown(readme):
    return re.search(re.escape(BEGIN) + "(.*?)" + re.escape(END), readme, re.S).group(1)


if __name__ == "__main__":
    with open(README) as file:
        text = file.read()
    with open(TABLE) as file:
        text = text.replace(BEGIN + shown(text) + END, BEGIN + digest(file.read()) + END)
    with open(README, "w") as file:
        file.write(text)
    sys.exit(0)
