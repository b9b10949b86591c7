# Tests that are meant to fail, run by test_mailpit.py: what pytest-mailpit then keeps, tags and says.

import smtplib

import pytest


def test_that_fails(mailpit_inbox, mailpit_smtp):
    with smtplib.SMTP(*mailpit_smtp) as client:
        client.sendmail("a@sender.test", [mailpit_inbox.address], f"To: {mailpit_inbox}\r\nSubject: kept\r\n\r\nx\r\n")
    mailpit_inbox.wait_for_message(timeout=5)
    pytest.fail("on purpose")


def test_that_waits_in_vain(mailpit_inbox, mailpit_chaos):
    mailpit_chaos.reject_recipients(450)
    mailpit_inbox.wait_for_message(timeout=0.2)
