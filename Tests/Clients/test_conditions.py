# What rules can ask for, put to real messages that Python's email package made and smtplib sent: header fields, text,
# links, Message-ID, attempts; how the client spoke; the time of day; and groups of these. Each condition is written as a
# rule line and as YAML, and asked with the messages kept and with none kept.

import datetime
import email.message
import email.policy
import json
import smtplib
import tempfile
import unittest

import wire
from sink import NotReady, Sink
from wire import Wire

MET = "554 5.6.0 Met"
SENDER, RECIPIENT = "a@sender.test", "b@any.test"
POLICY = email.policy.SMTP


def plain(subject="Hello", text="Nothing to see.\n", **headers):
    message = email.message.EmailMessage(policy=POLICY)
    message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, subject
    message["Message-ID"] = headers.pop("message_id", "<1@sender.test>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def encoded(text, cte, charset="utf-8", subtype="plain"):
    message = plain()
    message.clear_content()
    message.set_content(text, cte=cte, charset=charset, subtype=subtype)
    return message


def multipart():
    """Text and HTML as alternatives, with an attachment of text and one of octets."""
    message = plain("Your invoice", "The plain part says alpha.\nSee http://good.example/a?x=1.\n")
    html = '<p>Der schöne Teil sagt beta.</p><a href="https://bad.example/path?one=1&two=2">x</a> http://third.example'
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.add_attachment("gamma in a file\n", filename="notes.txt", cte="base64")
    message.add_attachment(b"http://hidden.example delta in octets", maintype="application", subtype="octet-stream", filename="x.bin")
    return message


LONG = "A subject that is folded since it is longer than a line of a message may be, and goes on until casino"
NESTED = multipart()
FOLDED = plain(LONG)
ENCODED = plain("Größere Rechnung für alle, die schöne Grüße lesen können, auch in sehr langen Betreffzeilen")
BARE = b"From: a@sender.test\r\nTo: b@any.test\r\n\r\nno subject, and an id of none\r\n"
HEADERS_ONLY = b"Subject: casino\r\n\r\n"
NO_HEADER = b"\r\nSubject: casino in the text\r\n"
LATIN = b"Subject: =?ISO-8859-1?Q?Caf=E9_Gr=FC=DFe?= =?utf-8?b?4oKs?= end\r\n\r\nx\r\n"
TWICE = b"X-Spam: no\r\nX-Spam: yes\r\n\r\nx\r\n"

# (condition, messages that meet it, messages that do not)
AT_THE_END = [
    ({"header.subject": "*invoice*"}, [NESTED, plain("INVOICE 7")], [plain(), BARE, NO_HEADER]),
    ({"header.subject": "*until casino"}, [FOLDED], [plain(), NO_HEADER]),
    ({"header.Subject": "casino"}, [HEADERS_ONLY], [NO_HEADER, FOLDED]),
    ({"header.subject": "Größere Rechnung für alle*langen Betreffzeilen"}, [ENCODED], [plain()]),
    ({"header.subject": "Café Grüße€ end"}, [LATIN], [ENCODED]),
    ({"header.subject": "/^In[v]oice \\d+$/i"}, [plain("invoice 12")], [plain("the invoice 12"), NESTED]),
    ({"header.subject": ["*invoice*", "hello"]}, [NESTED, plain()], [plain("other")]),
    ({"header.x-spam": "yes"}, [TWICE, plain(X_Spam="Yes")], [plain(), plain(X_Spam="yes, sure")]),
    ({"header.x-mailer": "*"}, [plain(X_Mailer="y")], [plain()]),
    ({"message-id": "1@sender.test"}, [plain()], [plain(message_id="<2@sender.test>"), BARE]),
    ({"message-id": "*@sender.test"}, [plain(message_id="<xyz@sender.test>")], [BARE]),
    ({"body": "*alpha*"}, [NESTED], [plain(), plain("alpha")]),
    ({"body": "*schöne Teil sagt beta*"}, [NESTED], [ENCODED]),
    ({"body": "gamma in a file"}, [NESTED], [plain()]),
    ({"body": "*delta*"}, [plain(text="delta\n")], [NESTED]),
    ({"body": "*casino*"}, [NO_HEADER, encoded("the casino\n", "base64"), encoded("the Casino\n", "7bit")],
     [HEADERS_ONLY, plain("casino"), encoded("the cas\nino\n", "7bit")]),
    # A soft line break of quoted-printable stands in the middle of the word.
    ({"body": "*" + "lang" * 30 + "*"}, [encoded("sehr " + "lang" * 40 + "\n", "quoted-printable")], [plain()]),
    ({"body": "*naïve Käse*"}, [encoded("der naïve Käse\n", cte) for cte in ("quoted-printable", "base64", "8bit")], [plain()]),
    ({"body": "/casino|poker/"}, [plain(text="online poker\n")], [plain()]),
    ({"links": "*bad.example*"}, [NESTED, encoded('<a href="HTTP://bad.example">x</a>', "base64", subtype="html")],
     [plain(), plain(text="bad.example without a scheme\n"), plain("http://bad.example")]),
    ({"links": "https://bad.example/path?one=1&two=2"}, [NESTED], [plain()]),
    ({"links": "http://good.example/a?x=1"}, [NESTED], [plain(text="http://good.example/a?x=12\n")]),
    ({"links": "*hidden.example*"}, [plain(text="http://hidden.example\n")], [NESTED]),
    ({"links": ">2"}, [NESTED, plain(text="http://a.test http://a.test http://a.test\n")], [plain(text="http://a.test http://b.test\n")]),
    ({"links": "0"}, [plain(), BARE], [NESTED]),
    ({"links": "1..2"}, [plain(text="see https://a.test.\n")], [plain(), NESTED]),
    ({"any": {"header.subject": "*invoice*", "body": "*casino*"}}, [NESTED, plain(text="casino\n")], [plain()]),
    ({"all": {"header.subject": "*invoice*", "body": "*casino*"}}, [plain("invoice", "casino\n")], [NESTED, plain(text="casino\n")]),
    ({"not": {"header.subject": "*invoice*"}}, [plain(), BARE], [NESTED]),
    ({"not": {"header.subject": "*invoice*", "body": "*alpha*"}}, [plain(), plain("invoice")], [NESTED]),
    ({"from": "a@*", "not": {"any": {"links": ">0", "header.subject": "*invoice*"}}}, [plain(), BARE],
     [NESTED, plain("invoice"), plain(text="http://a.test\n")]),
    ({"from": "z@*", "not": {"links": ">0"}}, [], [plain(), NESTED]),
    ({"any": {"to": "z@*", "all": {"message-id": "*", "not": {"client": "10.0.0.0/8"}}}}, [plain()], [BARE]),
    ({"any": {"client": "10.0.0.0/8", "to": "*@any.test"}, "size": "<1000"}, [plain()], [NESTED]),
]


def quoted(value):
    return value if value.startswith("/") or not set(value) & set(" ,()\"") else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words(conditions):
    """Conditions as a rule line says them."""
    said = []
    for key, value in conditions.items():
        if isinstance(value, dict):
            said.append(f"{key}({words(value)})")
        else:
            said.append(f"{key}=" + ",".join(quoted(v) for v in (value if isinstance(value, list) else [value])))
    return " ".join(said)


class Asked:
    """A sink with one rule, as a line or in YAML (of which JSON is a part)."""

    def __init__(self, at, when, form, store):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        if form == "yaml":
            rule = {"name": "asked", "at": at, "when": when, "do": [MET]}
        else:
            rule = f"{at} {words(when)}: {MET}"
        json.dump({"rules": [rule]}, self.file, ensure_ascii=False)
        self.file.flush()
        arguments = ["--rule", rule] if form == "line" else ["--config", self.file.name]
        self.sink = Sink(*arguments, "--store", store)

    def __enter__(self):
        return self.sink

    def __exit__(self, *_):
        self.sink.stop()
        self.file.close()


FORMS = (("line", "memory"), ("line", "none"), ("yaml", "none"))


def octets_of(message):
    return message if isinstance(message, bytes) else message.as_bytes()


def send(client, message, sender=SENDER, to=RECIPIENT, options=()):
    """Sends by smtplib; returns the code that came last."""
    try:
        client.sendmail(sender, [to], octets_of(message), options)
        return 250
    except smtplib.SMTPRecipientsRefused as refused:
        return refused.recipients[to][0]
    except smtplib.SMTPResponseException as error:
        return error.smtp_code


class AtTheEndOfTheMessage(unittest.TestCase):
    def test_each_condition_meets_the_messages_it_should_and_no_others(self):
        for form, store in FORMS:
            for when, meeting, others in AT_THE_END:
                with self.subTest(form=form, store=store, when=when), Asked("end-of-data", when, form, store) as sink:
                    with smtplib.SMTP("127.0.0.1", sink.port, "client.test", timeout=10) as client:
                        for number, message in enumerate(meeting):
                            self.assertEqual(send(client, message), 554, f"message {number} was not met")
                        for number, message in enumerate(others):
                            self.assertEqual(send(client, message), 250, f"message {number} of the others was met")

    def test_by_bdat_and_in_tls_as_well(self):
        rules = ("--rule", f"end-of-data body=*alpha* links=*bad.example* header.subject=*invoice*: {MET}")
        content = NESTED.as_bytes()
        for tls in (False, True):
            with self.subTest(tls=tls), Sink(*rules, smtps=1) as sink, Wire(sink.tls_port if tls else sink.port, tls) as client:
                wire.hello(client)
                for _ in range(2):
                    client.ask(f"MAIL FROM:<{SENDER}>")
                    client.ask(f"RCPT TO:<{RECIPIENT}>")
                    half = len(content) // 2
                    self.assertEqual(client.send(b"BDAT %d\r\n%s" % (half, content[:half])).reply().code, 250)
                    self.assertEqual(client.send(b"BDAT %d LAST\r\n%s" % (len(content) - half, content[half:])).reply().text, MET)

    def test_a_stuffed_dot_is_none_of_the_text(self):
        with Sink("--rule", f"end-of-data body=.hidden: {MET}") as sink, smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
            self.assertEqual(send(client, plain(text="..hidden\n")), 250)
            self.assertEqual(send(client, plain(text=".hidden\n")), 554)

    def test_inside_the_body_what_came_so_far_is_seen(self):
        """The header has come by octet 600; what stands behind it has not."""
        padding = "padding line\n" * 100
        for when, message, code in (({"header.subject": "*invoice*"}, plain("invoice", padding), 554),
                                    ({"header.subject": "*invoice*"}, plain("other", padding), 250),
                                    ({"body": "*padding*"}, plain("x", padding), 554),
                                    ({"body": "*last*"}, plain("x", padding + "last\n"), 250),
                                    ({"header.subject": "*invoice*"}, plain("invoice", "short\n"), 250)):
            for form, store in FORMS:
                with self.subTest(when=when, form=form, store=store):
                    with Asked("body", {"size": ">=600", **when}, form, store) as sink:
                        with Wire(sink.port) as client:
                            wire.hello(client)
                            self.assertEqual(wire.deliver(client, message=octets_of(message))[-1].code, code)
                            self.assertEqual(client.ask("NOOP").code, 250)

    def test_a_big_message_is_looked_into_as_far_as_the_limit(self):
        """A megabyte is looked at; a word behind it is not seen, and nothing breaks."""
        text = ("x" * 76 + "\n") * 20_000
        with Sink("--rule", f"end-of-data body=*casino*: {MET}") as sink, smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
            self.assertEqual(send(client, plain(text=text[:900_000] + "\ncasino\n")), 554)
            self.assertEqual(send(client, plain(text=text + "casino\n")), 250)

    def test_damaged_messages_are_asked_as_far_as_they_go(self):
        damaged = [
            b"", b"\r\n", b"no colon\r\n\r\ncasino\r\n",
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\ncasino\r\n",
            b"Content-Transfer-Encoding: base64\r\n\r\n!!Y2Fza\r\nW5v!!\r\n",
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\ncas=69no=\r\n=Z\r\n",
            b"Subject: =?utf-8?q?broken\r\n =?x?y?z?=\r\n\r\n\xff\xfe casino \x80\r\n", b": empty\r\n folded\r\n\r\ncasino",
        ]
        met = [250, 250, 554, 554, 554, 554, 554, 554]
        with Sink("--rule", f"end-of-data body=*casino*: {MET}") as sink, Wire(sink.port) as client:
            wire.hello(client)
            for number, (content, code) in enumerate(zip(damaged, met)):
                with self.subTest(number=number):
                    client.ask(f"MAIL FROM:<{SENDER}>")
                    client.ask(f"RCPT TO:<{RECIPIENT}>")
                    self.assertEqual(client.send(b"BDAT %d LAST\r\n%s" % (len(content), content)).reply().code, code)


    def test_a_multipart_without_a_boundary_is_plain_text(self):
        """RFC 2045 §5.2: a Content-Type that is broken is read as text/plain."""
        for boundary in (b"", b"; boundary=\"\""):
            with self.subTest(boundary=boundary), Sink("--rule", f"end-of-data body=*casino*: {MET}") as sink:
                with smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
                    message = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed" + boundary + b"\r\n\r\ncasino\r\n"
                    self.assertEqual(send(client, message), 554)

    def test_text_in_latin_1_is_read_like_a_header_in_latin_1(self):
        for cte in ("8bit", "quoted-printable", "base64"):
            with self.subTest(cte=cte), Sink("--rule", f"end-of-data body=*Grüße*: {MET}") as sink:
                with smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
                    self.assertEqual(send(client, encoded("schöne Grüße\n", cte, "iso-8859-1")), 554)

    def test_a_boundary_that_begins_another_ends_no_part_of_it(self):
        """RFC 2046 §5.1.1: behind the boundary stands the end of its line."""
        message = (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\none\r\n"
                   b"--bulk mail is no delimiter\r\ncasino\r\n\r\nmore\r\n--b--\r\nthe epilogue says poker\r\n")
        for pattern, code in (("one", 554), ("casino", 554), ("more", 554), ("*no delimiter", 554), ("*poker*", 250)):
            with self.subTest(pattern=pattern), Sink("--rule", f"end-of-data body={quoted(pattern)}: {MET}") as sink:
                with smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
                    self.assertEqual(send(client, message), code)


class Attempts(unittest.TestCase):
    def test_which_attempt_of_this_message(self):
        """By its Message-ID, whoever gets it; by the envelope where it has none."""
        for form, store in FORMS:
            with self.subTest(form=form, store=store), Asked("end-of-data", {"message-attempt": "<3"}, form, store) as sink:
                with smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
                    one, two = plain(message_id="<one@s.test>"), plain(message_id="<two@s.test>")
                    self.assertEqual([send(client, m) for m in (one, two, one)], [554, 554, 554])
                    self.assertEqual(send(client, one, to="other@any.test"), 250, "the third attempt")
                    self.assertEqual([send(client, m) for m in (two, two, one)], [554, 250, 250])
                    self.assertEqual([send(client, BARE) for _ in range(3)], [554, 554, 250])
                    self.assertEqual(send(client, BARE, to="other@any.test"), 554, "another envelope")

    def test_a_message_that_is_refused_earlier_was_no_attempt(self):
        rules = ("--rule", "rcpt first=2: 450 4.2.0 Later", "--rule", f"end-of-data message-attempt=1: {MET}")
        with Sink(*rules) as sink, smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
            self.assertEqual([send(client, plain()) for _ in range(4)], [450, 450, 554, 250])

    def test_attempts_of_an_envelope_at_rcpt(self):
        for form, store in FORMS:
            with self.subTest(form=form), Asked("rcpt", {"attempt": "<3", "to": "b@*"}, form, store) as sink:
                with smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
                    self.assertEqual([send(client, plain()) for _ in range(3)], [554, 554, 250])
                    self.assertEqual(send(client, plain(), sender="z@z.test"), 554)
                    self.assertEqual(send(client, plain(), to="c@any.test"), 250)


class HowTheClientSpeaks(unittest.TestCase):
    def said(self, sink, hello, mail, rcpt=f"RCPT TO:<{RECIPIENT}>"):
        """The codes of the hello, MAIL and RCPT."""
        with Wire(sink.port) as client:
            assert client.reply().code == 220
            return [client.ask(line).code for line in (hello, mail, rcpt)]

    def test_hello_and_parameters(self):
        ehlo, helo, mail = "EHLO client.test", "HELO client.test", f"MAIL FROM:<{SENDER}>"
        rows = [
            ("ehlo", {"hello": "helo"}, (helo, mail), 0), ("ehlo", {"hello": "helo"}, (ehlo, mail), None),
            ("ehlo", {"hello": "EHLO"}, (ehlo, mail), 0),
            ("mail", {"hello": "helo"}, (helo, mail), 1), ("mail", {"hello": "helo"}, (ehlo, mail), None),
            ("rcpt", {"hello": "ehlo"}, (ehlo, mail), 2), ("rcpt", {"hello": "ehlo"}, (helo, mail), None),
            ("mail", {"parameter": "SIZE=*"}, (ehlo, mail + " SIZE=1000"), 1),
            ("mail", {"parameter": "size=1000"}, (ehlo, mail + " BODY=8BITMIME size=1000"), 1),
            ("mail", {"parameter": "SIZE=*"}, (ehlo, mail), None), ("mail", {"parameter": "SIZE=*"}, (ehlo, mail + " BODY=8BITMIME"), None),
            ("mail", {"parameter": "SMTPUTF8"}, (ehlo, mail + " SMTPUTF8"), 1),
            ("mail", {"parameter": "BODY=8BITMIME"}, (ehlo, mail + " body=8bitmime"), 1),
            ("mail", {"parameter": ["RET=HDRS", "ENVID=*"]}, (ehlo, mail + " ENVID=x1"), 1),
            ("rcpt", {"parameter": "NOTIFY=NEVER"}, (ehlo, mail, f"RCPT TO:<{RECIPIENT}> NOTIFY=NEVER"), 2),
            ("rcpt", {"parameter": "NOTIFY=*"}, (ehlo, mail), None),
            ("rcpt", {"parameter": "ORCPT=*"}, (ehlo, mail, f"RCPT TO:<{RECIPIENT}> ORCPT=rfc822;x@y.test"), 2),
            ("mail", {"not": {"parameter": "SIZE=*"}}, (ehlo, mail), 1),
            ("mail", {"not": {"parameter": "SIZE=*"}}, (ehlo, mail + " SIZE=5"), None),
            ("mail", {"any": {"hello": "helo", "helo": "*.bad"}}, ("EHLO x.bad", mail), 1),
            ("mail", {"any": {"hello": "helo", "helo": "*.bad"}}, (ehlo, mail), None),
        ]
        for form, store in FORMS[::2]:
            for at, when, lines, refused in rows:
                with self.subTest(form=form, at=at, when=when, lines=lines), Asked(at, when, form, store) as sink:
                    codes = self.said(sink, *lines)
                    wanted = [250, 250, 250]
                    if refused is not None:
                        wanted[refused] = 554
                    # Without a hello, or a sender, what comes behind is out of order.
                    self.assertEqual(codes[:3 if refused is None else refused + 1], wanted[:3 if refused is None else refused + 1])

    def test_groups_of_addresses(self):
        rows = [
            ({"any": {"to": "a@x.test", "from": "<>"}}, {("s@s.test", "a@x.test"), ("", "b@x.test")}, {("s@s.test", "b@x.test")}),
            ({"not": {"client": "10.0.0.0/8"}}, {("s@s.test", "a@x.test")}, set()),
            ({"not": {"client": "127.0.0.0/8"}}, set(), {("s@s.test", "a@x.test")}),
            ({"all": {"to": "a@x.test", "from": "<>"}}, {("", "a@x.test")}, {("s@s.test", "a@x.test"), ("", "b@x.test")}),
            ({"to": "*@x.test", "not": {"to": ["a@*", "b@*"]}}, {("s@s.test", "c@x.test")}, {("s@s.test", "a@x.test"), ("s@s.test", "c@y.test")}),
            ({"any": {"all": {"to": "a@*", "from": "s@*"}, "not": {"to": "*@x.test"}}},
             {("s@s.test", "a@x.test"), ("z@z.test", "a@y.test")}, {("z@z.test", "a@x.test")}),
        ]
        for form, store in FORMS[::2]:
            for when, meeting, others in rows:
                with self.subTest(form=form, when=when), Asked("rcpt", when, form, store) as sink:
                    for pairs, code in ((meeting, 554), (others, 250)):
                        for sender, to in sorted(pairs):
                            codes = self.said(sink, "EHLO client.test", f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>")
                            self.assertEqual(codes, [250, 250, code], (sender, to))

    def test_a_list_of_groups_in_yaml(self):
        """`any` of two pairs; `not` of two is neither of them."""
        pairs = [{"to": "a@x.test", "from": "a@*"}, {"to": "b@x.test", "from": "b@*"}]
        for kind, met in (("any", 554), ("not", 250)):
            with self.subTest(kind=kind), Asked("rcpt", {kind: pairs}, "yaml", "memory") as sink:
                for sender, to, inside in (("a@s.test", "a@x.test", True), ("b@s.test", "b@x.test", True),
                                           ("a@s.test", "b@x.test", False)):
                    codes = self.said(sink, "EHLO client.test", f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>")
                    self.assertEqual(codes[2], met if inside else {554: 250, 250: 554}[met], (sender, to))


class TimeOfDay(unittest.TestCase):
    def test_now_is_inside_one_stretch_and_outside_the_other(self):
        def clock(hours):
            return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%H:%M")
        around, elsewhere = f"{clock(-2)}..{clock(2)}", f"{clock(2)}..{clock(-2)}"
        for when, met in (({"time": around}, True), ({"time": elsewhere}, False), ({"time": [elsewhere, around]}, True),
                          ({"not": {"time": around}}, False), ({"not": {"time": elsewhere}}, True), ({"time": "00:00..24:00"}, True)):
            for form, store in FORMS[::2]:
                for at in ("greeting", "mail", "end-of-data"):
                    with self.subTest(when=when, form=form, at=at), Asked(at, when, form, store) as sink, Wire(sink.port) as client:
                        first = client.reply()
                        if at == "greeting":
                            self.assertEqual(first.code, 554 if met else 220)
                            continue
                        client.ask("EHLO client.test")
                        self.assertEqual(wire.deliver(client)[-1].code, 554 if met else 250)


class TooEarly(unittest.TestCase):
    def test_what_a_phase_cannot_know_is_refused_with_the_phase_to_use(self):
        for line, word in (("mail header.subject=x: close", "end-of-data"), ("rcpt body=*x*: close", "end-of-data"),
                           ("data links=>1: close", "end-of-data"), ("mail message-attempt=1: close", "end-of-data"),
                           ("end-of-data parameter=SIZE=*: close", "mail or rcpt"), ("connect hello=helo: close", "ehlo"),
                           ("rcpt any(header.subject=x to=y): close", "end-of-data"), ("mail not(to=x): close", "rcpt")):
            with self.subTest(line=line), self.assertRaises(NotReady) as caught:
                Sink("--rule", line).stop()
            self.assertIn("exit 2", str(caught.exception))
            self.assertIn(word, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
