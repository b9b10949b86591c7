# Every method of mailpit-api-client against the sink of test_mailpit.py, which runs this with pytest.

import datetime
import os
import smtplib
from email.message import EmailMessage

import httpx
import pytest
from mailpit.client.api import API
from mailpit.client.models import Contact, Messages
from mailpit.testing.pytest import mailpit_api  # noqa: F401
from mailpit.testing.unittest import EMailTestCase

URL = os.environ["MAILPIT_URL"]


def send(subject="Hello", message_id="<one@sender.test>"):
    message = EmailMessage()
    message["From"] = "Ann <ann@sender.test>"
    message["To"] = "Bob <b@any.test>"
    message["Cc"] = "c@any.test"
    message["Subject"] = subject
    message["Message-ID"] = message_id
    message["Date"] = "Mon, 23 Nov 2026 10:00:00 +0100"
    message["Delivered-To"] = "b@any.test"  # the client asks each header for it
    message.set_content("text\n")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment("an attachment's text\n", filename="a.txt")
    host, port = os.environ["MAILPIT_SMTP"].split(":")
    with smtplib.SMTP(host, int(port)) as client:
        client.send_message(message, to_addrs=["b@any.test", "c@any.test", "hidden@any.test"])


@pytest.fixture(autouse=True)
def empty():
    API(URL).delete_messages([])


def test_messages():
    api = API(URL)
    messages = api.get_messages()
    assert (messages.total, messages.unread, messages.count, messages.messages) == (0, 0, 0, [])
    send()
    send("Second", "<two@sender.test>")
    messages = api.get_messages(limit=1)
    assert (messages.total, messages.unread, messages.count, messages.start) == (2, 2, 1, 0)
    [summary] = messages.messages
    assert (summary.subject, summary.message_id, summary.attachments, summary.read) == ("Second", "two@sender.test", 1, False)
    assert summary.from_ == Contact("Ann", "ann@sender.test") and summary.to == [Contact("Bob", "b@any.test")]
    assert summary.bcc == [Contact("", "hidden@any.test")]
    assert abs(datetime.datetime.now(datetime.timezone.utc) - summary.created) < datetime.timedelta(minutes=1)
    assert api.get_messages(start=1).messages[0].subject == "Hello"
    assert api.last_response.status_code == 200
    Messages.from_json(messages.to_json())


def test_one_message():
    api = API(URL)
    send()
    [summary] = api.get_messages().messages
    message = api.get_message(summary.id)
    assert message.id == summary.id and message.size == summary.size
    assert message.date == datetime.datetime(2026, 11, 23, 9, tzinfo=datetime.timezone.utc)
    assert (message.text, message.html) == ("text\r\n", "<p>html</p>\r\n")
    [attachment] = message.attachments
    assert (attachment.file_name, attachment.content_type) == ("a.txt", "text/plain")
    assert api.get_message_attachment(message.id, attachment.part_id) == "an attachment's text\r\n"
    headers = api.get_message_headers(message.id)
    assert headers.from_ == ["Ann <ann@sender.test>"] and headers.delivered_to == ["b@any.test"]
    assert headers.message_id == ["<one@sender.test>"] and headers.additional["Subject"] == ["Hello"]
    assert api.get_messages().unread == 0
    for missing in (api.get_message, api.get_message_headers, lambda id: api.get_message_attachment(id, "1")):
        with pytest.raises(httpx.HTTPStatusError) as error:
            missing("x")
        assert error.value.response.status_code == 404


def test_changing():
    api = API(URL)
    send()
    send("Second", "<two@sender.test>")
    second, first = api.get_messages().messages
    # This client sends its ids as a form. Mailpit refuses that for a read state, and for a delete it deletes everything.
    api.put_messages([first.id, second.id], "Read", True)
    assert api.get_messages().unread == 0
    api.put_messages([first.id], "Read", False)
    assert api.get_messages().unread == 1
    api.delete_messages([first.id])
    assert [m.subject for m in api.get_messages().messages] == ["Second"]
    api.delete_messages([])
    assert api.get_messages().total == 0


@pytest.mark.parametrize("mailpit_api", [URL], indirect=True)
def test_the_fixture(mailpit_api):  # noqa: F811
    send()
    assert mailpit_api.get_messages().total == 1


class TestCaseOfTheirs(EMailTestCase):
    api_url = URL

    def test_assertions(self):
        send()
        self.assertMessageReceived("one@sender.test")
        with self.assertRaises(AssertionError):
            self.assertMessageReceived("other@sender.test")
        summary = self.mailpit_api.get_messages().messages[0]
        message, again = self.mailpit_api.get_message(summary.id), self.mailpit_api.get_message(summary.id)
        self.assertMessageEqual(message, again)
        self.assertEqual(message, again)
        again.subject = "other"
        with self.assertRaises(AssertionError):
            self.assertMessageEqual(message, again)
