# Every method and fixture of pytest-mailpit against the sink of test_mailpit.py, which runs this with pytest.
# Not here: mailpit_container, which starts a Mailpit in Docker.

import asyncio
import dataclasses
import smtplib
import time
import urllib.request
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from pytest_mailpit.aio import AsyncMailpitClient
from pytest_mailpit.errors import MailpitAPIError, MailpitAssertionError, MailpitConnectionError
from pytest_mailpit.client import MailpitClient
from pytest_mailpit.models import ChaosTrigger, ChaosTriggers
from pytest_mailpit.search import build_query


def compose(to, subject="Sign up", **fields):
    message = EmailMessage()
    message["From"] = "Shop <shop@sender.test>"
    message["To"] = str(to)
    message["Subject"] = subject
    message["Message-ID"] = f"<{time.monotonic_ns()}@sender.test>"
    message["Date"] = "Mon, 23 Nov 2026 10:00:00 +0000"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content("Your code is 482913.\nhttps://shop.test/confirm?token=abc\n")
    return message


def rich(to):
    message = compose(to, List_Unsubscribe="<https://shop.test/u>", List_Unsubscribe_Post="List-Unsubscribe=One-Click")
    message.add_alternative(
        '<p>Your code is 482913.</p><a href="https://shop.test/confirm?token=abc">Confirm</a>', subtype="html")
    message.add_attachment(b"PDF octets", maintype="application", subtype="pdf", filename="invoice-1.pdf")
    return message


@pytest.fixture
def send(mailpit_smtp):
    def send(message, to=None):
        with smtplib.SMTP(*mailpit_smtp) as client:
            client.send_message(message, to_addrs=to)

    return send


def test_the_server(mailpit, mailpit_config, mailpit_smtp):
    assert mailpit.url == mailpit_config.url.rstrip("/") + "/"
    assert mailpit_smtp.port != 1025
    assert mailpit.is_ready()
    info = mailpit.info()
    assert info.version.startswith("fakemx/") and info.latest_version == "disabled"
    assert abs((mailpit.server_time() - datetime.now(UTC)).total_seconds()) < 3
    assert not MailpitClient("http://127.0.0.1:9/").is_ready()
    with pytest.raises(MailpitConnectionError):
        MailpitClient("http://127.0.0.1:9/").info()


def test_an_inbox(mailpit, mailpit_inbox, mailpit_inbox_factory, send):
    other = mailpit_inbox_factory()
    since = mailpit.server_time()
    send(rich(mailpit_inbox))
    send(compose(other, "Other"))
    message = mailpit_inbox.wait_for_message(subject="sign", sender="shop@sender.test", query="has:attachment")
    assert message.sender.name == "Shop" and message.return_path == "shop@sender.test"
    assert message.date == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert message.link("confirm") == "https://shop.test/confirm?token=abc"
    assert message.link(text="Confirm") == message.links()[0]
    assert message.code() == "482913" == message.codes()[0]
    attachment = message.attachment("invoice-*.pdf", content_type="application/*")
    assert mailpit.get_attachment(attachment) == b"PDF octets"
    assert attachment.checksums["MD5"] and attachment.size == 10
    assert message.unsubscribe_link(one_click=True) == "https://shop.test/u"
    assert [m.subject for m in mailpit_inbox.messages()] == ["Sign up"]
    assert mailpit_inbox.describe().startswith("Messages to")
    other.assert_no_message(subject="Sign", within=0.1)
    send(compose(other, "Second"))
    assert [m.subject for m in other.wait_for_messages(2)] == ["Other", "Second"]
    found = mailpit.wait_for_message(recipient=str(other), subject="Second", since=since)
    assert found.subject == "Second"
    other.clear()
    assert other.messages() == []
    with pytest.raises(MailpitAssertionError, match="none arrived"):
        other.wait_for_message(timeout=0.1)
    with pytest.raises(MailpitAssertionError, match="found 1"):
        mailpit_inbox.assert_no_message(within=0.1)


def test_a_blind_recipient(mailpit, mailpit_inbox, send):
    send(compose("somebody@any.test"), to=["somebody@any.test", str(mailpit_inbox)])
    message = mailpit_inbox.wait_for_message()
    assert [a.address for a in message.bcc] == [str(mailpit_inbox)]
    assert [s.id for s in mailpit.search(build_query(bcc=str(mailpit_inbox))).messages] == [message.id]


@pytest.mark.mailpit(timeout=3)
def test_reading(mailpit, mailpit_inbox, send):
    assert mailpit_inbox.wait_timeout == 3
    send(rich(mailpit_inbox))
    [summary] = mailpit_inbox.messages()
    assert summary.created.tzinfo is not None and not summary.read and summary.attachments == 1
    assert mailpit.messages(limit=1).messages[0] == summary
    assert mailpit.get_message().id == summary.id
    assert mailpit_inbox.messages()[0].read
    headers = mailpit.get_headers(summary.id)
    assert headers["Subject"] == ["Sign up"] and headers["From"] == ["Shop <shop@sender.test>"]
    raw = mailpit.get_raw(summary.id)
    assert len(raw) == summary.size and b"Subject: Sign up\r\n" in raw
    assert mailpit.get_part(summary.id, "2") == b"PDF octets"
    for broken in (lambda: mailpit.get_message("nobody"), lambda: mailpit.get_part(summary.id, "99")):
        with pytest.raises(MailpitAPIError) as error:
            broken()
        assert error.value.status_code == 404
    with pytest.raises(MailpitAPIError, match="unknown search word"):
        mailpit.search("foo:bar")


def test_searches(mailpit, mailpit_inbox, send):
    message = compose(mailpit_inbox, "Größe two words", Cc="carl@any.test", Reply_To="help@desk.test")
    send(message, to=[str(mailpit_inbox)])
    mine = {"addressed": str(mailpit_inbox)}
    for criteria in (
            {"to": str(mailpit_inbox)}, {"sender": "shop@sender.test"}, {"cc": "carl@any.test"},
            {"reply_to": "help@desk.test"}, {"subject": "Größe two"}, {"message_id": message["Message-ID"].strip("<>")}):
        assert len(mailpit.search_all(build_query(**{**mine, **criteria}))) == 1, criteria
    assert len(mailpit.search_all(build_query("code is 482913", "https://shop.test/confirm", **mine), page_size=1)) == 1
    assert mailpit.search_all(build_query("12:30", **mine)) == []
    page = mailpit.search(build_query(**mine), limit=1)
    assert (page.messages_count, page.start) == (1, 0)


def test_changing(mailpit, mailpit_inbox, send):
    for subject in ("one", "two", "three"):
        send(compose(mailpit_inbox, subject))
    ids = {m.subject: m.id for m in mailpit_inbox.messages()}
    mailpit.mark_read(ids.values())
    mailpit.mark_read([ids["two"]], read=False)
    assert [m.subject for m in mailpit_inbox.messages() if not m.read] == ["two"]
    mailpit.set_tags([ids["one"], ids["two"]], ["smoke test", "a/b"])
    assert mailpit.messages().tags == ("a b", "smoke test")
    assert mailpit.wait_for_messages(2, tag="smoke test", timeout=1)[0].tags == ("a b", "smoke test")
    assert mailpit.info().tags == {"a b": 2, "smoke test": 2}
    mailpit.set_tags([ids["one"], ids["two"]], [])
    mailpit.delete_messages([ids["one"], ids["one"]])
    mailpit.delete_messages([])
    assert [m.subject for m in mailpit_inbox.messages()] == ["two", "three"]
    mailpit.delete_search(build_query(addressed=str(mailpit_inbox), subject="two"))
    assert [m.subject for m in mailpit_inbox.messages()] == ["three"]
    mailpit.delete_all()
    assert mailpit.messages().total == 0


def test_checks_say_that_they_are_not_there(mailpit, mailpit_inbox, send):
    send(rich(mailpit_inbox))
    message = mailpit_inbox.wait_for_message()
    for check in (
            message.check_links, message.check_html, message.assert_links_work, lambda: message.assert_html_support(50),
            lambda: mailpit.check_links(message.id, follow_redirects=True), lambda: mailpit.check_html(message.id)):
        with pytest.raises(MailpitAPIError, match="fakemx") as error:
            check()
        assert error.value.status_code == 501


def test_pages(mailpit, mailpit_config, mailpit_inbox, send):
    class Browser:
        def goto(self, url):
            request = urllib.request.Request(url)
            if mailpit_config.password:
                request.add_header("Authorization", f"Bearer {mailpit_config.password}")
            with urllib.request.urlopen(request) as answer:
                self.url, self.text = answer.url, answer.read().decode()

        def screenshot(self, *, path=None, full_page=False):
            return self.text.encode()

    send(rich(mailpit_inbox))
    message = mailpit_inbox.wait_for_message()
    assert "Confirm</a>" in message.open(Browser()).text
    assert b"482913" in message.screenshot(Browser())
    page = Browser()
    page.goto(mailpit.view_url(message.id))
    assert page.url == mailpit.html_url(message.id)
    assert mailpit.search_url("a b").endswith("search?q=a%20b")


def test_chaos(mailpit, mailpit_chaos, mailpit_inbox, send):
    mailpit_chaos.reject_senders(452)
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        send(compose(mailpit_inbox))
    assert refused.value.smtp_code == 452
    mailpit_chaos.reset()
    mailpit_chaos.reject_recipients(550, probability=100)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(compose(mailpit_inbox))
    mailpit_chaos.reject_authentication(probability=20)
    assert mailpit_chaos.triggers == ChaosTriggers(
        recipient=ChaosTrigger(550, 100), authentication=ChaosTrigger(535, 20))
    wanted = dataclasses.replace(mailpit_chaos.triggers, sender=ChaosTrigger(421, 1))
    assert mailpit.set_chaos(wanted) == wanted == mailpit.chaos()
    mailpit.set_chaos(ChaosTriggers())


def test_chaos_is_over_after_its_test(mailpit, mailpit_inbox, send):
    assert mailpit.chaos() == ChaosTriggers()
    send(compose(mailpit_inbox))
    mailpit_inbox.wait_for_message()


def test_async(mailpit_async, mailpit_async_inbox, send):
    async def run():
        client, inbox = mailpit_async, mailpit_async_inbox
        assert await client.is_ready() and (await client.info()).version and await client.server_time()
        waiting = asyncio.ensure_future(inbox.wait_for_message())
        await asyncio.to_thread(send, rich(inbox))
        message = await waiting
        assert (await inbox.wait_for_messages(1))[0] == message == await client.wait_for_message(recipient=str(inbox))
        assert len(await client.wait_for_messages(1, recipient=str(inbox))) == 1
        await inbox.assert_no_message(subject="other", within=0.1)
        await client.assert_no_message(recipient="nobody@any.test", within=0.1)
        assert (await client.get_message(message.id)) == message and await client.get_headers(message.id)
        assert await client.get_part(message.id, "2") == await client.get_attachment(message.attachments[0])
        assert len(await client.get_raw(message.id)) == message.size
        query = build_query(addressed=str(inbox))
        assert len((await client.search(query)).messages) == len(await client.search_all(query)) == 1
        assert (await client.messages()).total >= 1
        await client.mark_read([message.id], read=False)
        await client.set_tags([message.id], ["async"])
        assert (await inbox.messages())[0].tags == ("async",)
        assert client.html_url(message.id) and client.view_url(message.id) and client.search_url("x")
        for check in (client.check_links(message.id), client.check_html(message.id)):
            with pytest.raises(MailpitAPIError):
                await check
        assert await client.set_chaos(ChaosTriggers()) == await client.chaos()
        await inbox.clear()
        await client.delete_messages([message.id])
        await client.delete_search(query)
        await client.delete_all()
        assert (await client.messages()).total == 0

    asyncio.run(run())


def test_an_async_client_of_ones_own(mailpit_config):
    async def run():
        async with AsyncMailpitClient(mailpit_config.client()) as client:
            assert await client.is_ready()

    asyncio.run(run())


def test_django(mailpit_inbox, request):
    from django.conf import settings
    from django.core.mail import EmailMultiAlternatives

    if not settings.configured:
        settings.configure(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
    request.getfixturevalue("mailpit_django")
    email = EmailMultiAlternatives("From Django", "text", "django@sender.test", [str(mailpit_inbox)])
    email.attach_alternative("<b>html</b>", "text/html")
    assert email.send() == 1
    message = mailpit_inbox.wait_for_message()
    assert message.subject == "From Django" and message.html == "<b>html</b>"
