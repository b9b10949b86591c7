# The address grammars of other tools, switched on with --magic: real swaks, and a wire for what swaks cannot do, get the
# code at the phase that the other tool documents.

import tempfile
import unittest

import clients
import wire
from sink import NotReady, Sink, run, verdicts
from wire import Wire

# What swaks says of itself when a phase was refused.
PHASES = {22: "ehlo", 23: "mail", 24: "rcpt", 25: "data", 26: "end-of-data", 28: "auth"}
# (what swaks is told, the phase and the code that the tool documents; None: taken)
PACKS = {
    "badsmtp": [
        ({"from": "mail452@example.net"}, "mail", 452), ({"from": "mail550_5.1.1@example.com"}, "mail", 550),
        ({"to": "rcpt550_5.1.1@example.net"}, "rcpt", 550), ({"from": "data552@example.net"}, "data", 552),
        ({"auth-user": "badauth@example.com"}, "auth", 535), ({"auth-user": "goodauth@example.com"}, None, None),
        ({"to": "nobody@example.net"}, None, None),
    ],
    "mox": [
        ({"to": "temperror@localhost"}, "end-of-data", 451), ({"to": "permerror@localhost"}, "end-of-data", 550),
        ({"to": "any452@localhost"}, "end-of-data", 452), ({"to": "rcptto550@localhost"}, "rcpt", 550),
        ({"from": "mailfromtemperror@localhost"}, "mail", 451), ({"to": "timeout@localhost"}, "end-of-data", 451),
        ({"to": "mox@localhost"}, None, None),
    ],
    "ses": [
        ({"to": "bounce@simulator.amazonses.com"}, "rcpt", 550),
        ({"to": "bounce+label1@simulator.amazonses.com"}, "rcpt", 550),
        ({"to": "suppressionlist@simulator.amazonses.com"}, "rcpt", 550),
        ({"to": "success@simulator.amazonses.com"}, None, None),
        ({"to": "complaint@simulator.amazonses.com"}, None, None), ({"to": "ooto@simulator.amazonses.com"}, None, None),
    ],
    "mailtrap": [
        ({"to": "bounce+550+no+such+user+here@inbox.mailtrap.io"}, "rcpt", 550),
        ({"to": "bounce+451+server+unavailable@inbox.mailtrap.io"}, "rcpt", 451),
        ({"to": "bounce+454+authentication+required@anydomain.com"}, "rcpt", 454),
        ({"to": "bounce@inbox.mailtrap.io"}, None, None),
    ],
    "kumo": [
        ({"to": "tempfail@example.com"}, "end-of-data", 400), ({"to": "permfail@example.com"}, "end-of-data", 500),
        ({"to": "450-user@example.com"}, "end-of-data", 450), ({"to": "250-user@example.com"}, None, None),
    ],
}


def swaks(port, told):
    flags = {"from": clients.SENDER, "to": "b@any.test", "ehlo": "client.test", **told}
    # AUTH is offered inside TLS alone.
    more = ["-tls", "--auth", "PLAIN", "--auth-password", "x"] if "auth-user" in told else []
    status, output = clients.call(
        ["swaks", "--server", f"127.0.0.1:{port}", "--body", "hello", "--timeout", "10", *more]
        + [part for flag, value in flags.items() for part in (f"--{flag}", value)])
    return clients.Said(status == 0, output, PHASES.get(status), clients.code_in(output, r"^<(?:\*\*|~\*) +([45]\d\d)"))


class Packs(unittest.TestCase):
    def test_swaks_gets_the_documented_code_at_the_documented_phase(self):
        for pack, cases in PACKS.items():
            # The hour of silence of mox takes a second.
            with Sink("--magic", pack, "--time-scale", "3600") as sink:
                for number, (told, phase, code) in enumerate(cases):
                    with self.subTest(pack=pack, told=told):
                        said = swaks(sink.port, told)
                        self.assertEqual((said.sent, said.phase, said.code), (phase is None, phase, code), said)
                        session = sink.sessions(number + 1)[number]
                        self.assertEqual([fault["phase"] for fault in session["faults"]], [phase] if phase else [], session)
                        if phase:
                            self.assertTrue(session["faults"][0]["rule"].startswith(f"magic {pack} "), session)
                        else:
                            self.assertEqual(verdicts(session), ["accepted"], session)

    def test_badsmtp_speaks_at_the_commands_that_swaks_does_not_send(self):
        cases = (("rset421_4.5.1@example.com", "RSET", 421), ("noop451@example.net", "NOOP", 451),
                 ("quit421@example.net", "QUIT", 421), ("noop421@example.net", "NOOP", 421),
                 ("starttls454_4.7.1@example.com", "STARTTLS", 454))
        with Sink("--magic", "badsmtp") as sink:
            for address, command, code in cases:
                with self.subTest(command=command), Wire(sink.port) as client:
                    wire.hello(client)
                    self.assertEqual(client.ask(f"MAIL FROM:<{address}>").code, 250)
                    self.assertEqual(client.ask("RCPT TO:<user@example.com>").code, 250)
                    self.assertEqual(client.ask(command).code, code)

    def test_badsmtp_reads_the_host_name_of_ehlo(self):
        with Sink("--magic", "badsmtp") as sink, Wire(sink.port) as client:
            client.reply()
            self.assertEqual(client.ask("EHLO helo500.example.com").code, 500)
            self.assertEqual(client.ask("EHLO reject.example.com").code, 502)
            offered = client.ask("EHLO no8bit-nopipelining.example.com")
            self.assertEqual(offered.code, 250)
            self.assertNotIn("8BITMIME", offered.text)
            self.assertNotIn("PIPELINING", offered.text)
            self.assertIn("SIZE", offered.text)

    def test_the_reply_of_mailtrap_is_the_text_of_the_address(self):
        with Sink("--magic", "mailtrap") as sink, Wire(sink.port) as client:
            wire.hello(client)
            client.ask("MAIL FROM:<a@sender.test>")
            seen = client.ask("RCPT TO:<bounce+550+%4Eo+such+user+here@inbox.mailtrap.io>")
            self.assertIn("550 No such user here", seen.text)

    def test_packs_that_are_off_leave_their_addresses_ordinary(self):
        for arguments in ((), ("--magic", "off"), ("--magic", "fakemx,badsmtp", "--no-magic"), ("--magic", "on")):
            with self.subTest(arguments=arguments), Sink(*arguments) as sink:
                self.assertTrue(swaks(sink.port, {"from": "mail452@x.test", "to": "bounce+550+x@y.test"}).sent)
                said = swaks(sink.port, {"to": "rcpt-550@any.test"})
                self.assertEqual(said.sent, "off" in arguments or "--no-magic" in arguments, said)

    def test_flag_environment_and_file_name_packs(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("magic: [mox, kumo]\n")
            file.flush()
            cases = ((("--config", file.name), {}, "permfail@x.test"),
                     (("--config", file.name), {"FAKEMX_MAGIC": "mailtrap,ses"}, "bounce+550+x@y.test"),
                     (("--config", file.name, "--magic", "all"), {"FAKEMX_MAGIC": "mailtrap"}, "rcpt550@y.test"))
            for arguments, environment, address in cases:
                with self.subTest(address=address), Sink(*arguments, environment=environment) as sink:
                    self.assertFalse(swaks(sink.port, {"to": address}).sent)
                    self.assertEqual(swaks(sink.port, {"to": "rcpt-close@any.test"}).sent, "all" not in arguments)

    def test_a_misspelt_pack_is_told_the_right_one(self):
        with self.assertRaises(NotReady) as caught:
            Sink("--magic", "badsmpt")
        self.assertIn('did you mean "badsmtp"?', str(caught.exception))
        self.assertIn('did you mean "badsmtp"?', run("serve", "--magic", "badsmpt")[2])


if __name__ == "__main__":
    unittest.main()
