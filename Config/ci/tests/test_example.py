# What tests of a sender look like: `fakemx serve -- pytest Config/ci/tests`, or with `-n 4` (pytest-xdist), or pytest alone.
# The sender under test is Outbox, a stand-in for yours: it tries again when it was deferred or when the connection broke.

import email
import smtplib

import pytest


class Outbox:
    def __init__(self, mx, tries=3, unsubscribed=()):
        self.host, self.port, self.tries, self.unsubscribed = mx.smtp_host, mx.smtp_port, tries, unsubscribed

    def send(self, *to, subject="Your invoice", body="Please find it below."):
        """Returns "sent", "failed", "gave up" or "nobody", and whom the server refused."""
        to = [address for address in to if address not in self.unsubscribed]
        if not to:
            return "nobody", {}
        text = f"From: shop@shop.example\r\nTo: {', '.join(to)}\r\nSubject: {subject}\r\n\r\n{body}\r\n"
        for _ in range(self.tries):
            try:
                with smtplib.SMTP(self.host, self.port, "client.example", timeout=10) as smtp:
                    return "sent", smtp.sendmail("shop@shop.example", to, text)
            except smtplib.SMTPServerDisconnected:
                continue
            except smtplib.SMTPRecipientsRefused as error:
                if all(code >= 500 for code, _ in error.recipients.values()):
                    return "failed", error.recipients
            except smtplib.SMTPResponseException as error:
                if error.smtp_code >= 500:
                    return "failed", {}
        return "gave up", {}


def test_a_message_arrives_as_it_was_sent(fakemx):
    assert Outbox(fakemx).send(fakemx.address("ann"), subject="Hello") == ("sent", {})
    message = fakemx.wait_message(subject="Hello")
    assert message["from"] == "shop@shop.example"
    assert message["to"] == [fakemx.address("ann")]
    content = email.message_from_bytes(fakemx.raw(message["id"]))
    assert content.get_payload() == "Please find it below.\r\n"


def test_a_refusal_for_the_content_is_final(fakemx):
    fakemx.rule("end-of-data: 554 5.7.1 No, for its content")
    assert Outbox(fakemx).send(fakemx.address("ann"))[0] == "failed"
    session = fakemx.wait_session()
    assert session["verdict"] == "rejected"
    assert session["rejected_at"] == "end-of-data"
    assert session["reply"] == "554 5.7.1 No, for its content"
    fakemx.expect_none("message")  # nothing was stored
    assert len(fakemx.sessions()) == 1  # and it did not come again


def test_a_deferred_message_comes_again(fakemx):
    rule = fakemx.rule("rcpt first=2 per=to: 452 4.2.2 Mailbox full")
    assert Outbox(fakemx).send(fakemx.address("full"))[0] == "sent"
    sessions = fakemx.wait_sessions(3)
    assert [session["verdict"] for session in sessions] == ["deferred", "deferred", "accepted"]
    assert [session.get("rejected_at") for session in sessions] == ["rcpt", "rcpt", None]
    assert fakemx.hits(rule) == 2
    assert len(fakemx.messages()) == 1


def test_a_lost_reply_makes_a_duplicate(fakemx):
    """The message is stored and the 250 lost: whoever tries again sends it twice. Message-ID is how receivers tell."""
    fakemx.rule({"at": "end-of-data", "times": "first 1", "do": ["keep", "close"]})
    assert Outbox(fakemx).send(fakemx.address("ann"))[0] == "sent"
    first, second = fakemx.wait_messages(2)
    assert fakemx.raw(first["id"]) == fakemx.raw(second["id"])
    assert [session["verdict"] for session in fakemx.wait_sessions(2)] == ["lost", "accepted"]


def test_of_three_recipients_one_is_refused(fakemx):
    ann, bob, gone = map(fakemx.address, ["ann", "bob", "gone"])
    fakemx.rule({"at": "rcpt", "when": {"to": gone}, "do": ["550 5.1.1 No such user"]})
    outcome, refused = Outbox(fakemx).send(ann, gone, bob)
    assert (outcome, list(refused)) == ("sent", [gone])
    reject = fakemx.wait_reject(phase="rcpt")
    assert (reject["to"], reject["reply"]) == ([gone], "550 5.1.1 No such user")
    assert fakemx.wait_message()["to"] == [ann, bob]


def test_addresses_say_what_happens(fakemx):
    """No rule needed: the local part says it."""
    assert Outbox(fakemx, tries=1).send(fakemx.address("data-421"))[0] == "gave up"
    assert fakemx.wait_session()["rejected_at"] == "data"


def test_nothing_is_sent_to_those_who_unsubscribed(fakemx):
    ann = fakemx.address("ann")
    assert Outbox(fakemx, unsubscribed=[ann]).send(ann)[0] == "nobody"
    fakemx.expect_none("session", within=0.3)  # nobody even connected


@pytest.mark.parametrize("number", range(8))
def test_tests_in_parallel_do_not_meet(fakemx, number):
    """Each has its own space: the rule of one is none for the others, and nobody sees another's mail."""
    fakemx.rule(f"end-of-data: 554 5.7.1 No number {number}")
    Outbox(fakemx).send(fakemx.address(), fakemx.address("second"))
    session = fakemx.wait_session()
    assert session["reply"] == f"554 5.7.1 No number {number}"
    assert len(fakemx.sessions()) == 1


def test_a_fixed_address_gets_a_tag(fakemx):
    """Where the domain is not to be changed, the tag carries the space."""
    Outbox(fakemx).send(fakemx.tagged("bob@shop.example"))
    assert fakemx.wait_message()["to"] == [f"bob+{fakemx.space}@shop.example"]
