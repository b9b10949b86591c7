# The story with smtplib and urllib: a rule is set, mail is sent, the refusal is waited for and looked at.
# Every file here does the same against FAKEMX_SMTP and FAKEMX_URL in the space of its first argument.

import json
import os
import smtplib
import sys
import urllib.parse
import urllib.request

space = sys.argv[1]
host, port = os.environ["FAKEMX_SMTP"].rsplit(":", 1)
api = os.environ["FAKEMX_URL"] + "/api/fakemx/"


def ask(path, body=None, **query):
    url = api + path + "?" + urllib.parse.urlencode({**query, "space": space})
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "text/plain"})) as answer:
        return json.load(answer)


with urllib.request.urlopen(api + "cursor") as answer:
    since = json.load(answer)["cursor"]
ask("rules", b"end-of-data header.subject=*invoice*: 554 5.7.1 No invoices here")

to = f"ann@{space}.test"
with smtplib.SMTP(host, int(port), "client.example") as smtp:
    try:
        smtp.sendmail("shop@shop.example", [to], "Subject: Your invoice\r\n\r\nPlease pay.\r\n")
        sys.exit("the invoice was taken")
    except smtplib.SMTPDataError as error:
        assert error.smtp_code == 554, error
    smtp.sendmail("shop@shop.example", [to], "Subject: Hello\r\n\r\nHow are you?\r\n")

reject = ask("wait", **{"for": "reject", "since": since, "timeout": 5})["rejects"][0]
assert (reject["phase"], reject["reply"]) == ("end-of-data", "554 5.7.1 No invoices here"), reject
message = ask("wait", **{"for": "message", "since": since, "timeout": 5})["messages"][0]
assert (message["to"], message["subject"]) == ([to], "Hello"), message
print(f"story ok: {reject['phase']}, {message['id']}")
