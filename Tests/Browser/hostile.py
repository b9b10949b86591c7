# What a peer may send to get at those who look: markup, scripts, links that run, marks that turn or hide text, octets that
# are no text, lines without end, HTML mail that wants to call home. And a listener that notices when it does.

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import wire

# Each would run, load or lead somewhere if it ever became markup. ALARM is a dialog.
ALARM = "alert(document.domain)"
MARKUP = (
    f"<script>{ALARM}</script>",
    f"<img src=x onerror={ALARM}>",
    f"\"><svg/onload={ALARM}>",
    f"'-{ALARM}-'",
    f"</textarea></title></style></script><script>{ALARM}</script>",
    f"<iframe srcdoc=\"<script>parent.{ALARM}</script>\">",
    f"<a href=javascript:{ALARM}>x</a>",
    "<meta http-equiv=refresh content=0;url=http://CANARY/refresh>",
    "<img src=http://CANARY/pixel>",
    "<style>@import 'http://CANARY/style'</style>",
    f"{{{{constructor.constructor('{ALARM}')()}}}}${{{ALARM}}}",
)
# Marks of direction and invisible characters, a terminal's escape, NUL, and octets that are no UTF-8.
TRICKS = (
    "txt.\u202egpj.exe\u2066\u200b\ufeff".encode(),
    b"\x1b]0;owned\x07\x1b[31mred\x1b[2J",
    b"nul\x00nul",
    b"\xff\xfe\xc3\x28\xed\xa0\x80\xf4\x90\x80\x80",
    "\u2028\u2029\u0085".encode(),
    b"__proto__", b"constructor", b"toString",
)
RULE = f"rcpt to=rule@any.test: \"550 5.7.1 <script>{ALARM}</script><img src=x onerror={ALARM}>\""
LONG = 10_000_000
# Fields in which a reader of addresses looks for an end that never comes.
ENDLESS = (b"a" * 65536,) * 16 + (b"\"\\\"\\\"\\\"", b"\"" + b"\\\"" * 32768, b"(" * 65536, b"<" * 65536, b"a@" * 32768)


class Canary:
    """Counts who calls home."""

    def __init__(self, pages=None):
        hits, pages = [], pages or {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = pages.get(self.path)
                hits.append(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write((body or "").encode())

            def log_message(self, *_):
                pass

        self.hits = hits
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.name}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def html(canary):
    """Mail that tries every way out of its frame."""
    url = f"http://{canary.name}"
    return f"""<!doctype html><html><head><base href="{url}/base/"><meta http-equiv="refresh" content="0;url={url}/refresh">
<link rel="stylesheet" href="{url}/style.css"><link rel="prefetch" href="{url}/prefetch"><link rel="preconnect" href="{url}">
<link rel="dns-prefetch" href="//{canary.name}"><link rel="icon" href="{url}/icon"><link rel="modulepreload" href="{url}/m.js">
<style>@import "{url}/import.css"; @font-face {{ font-family: f; src: url({url}/font) }} body {{ background: url({url}/back);
font-family: f }}</style><script src="{url}/script.js"></script><script>{ALARM}; top.location = "{url}/top"</script></head>
<body onload="{ALARM}"><p id="shown">The mail itself is shown.</p>
<img src="{url}/pixel.gif" onerror="{ALARM}"><img srcset="{url}/set 1x"><picture><source srcset="{url}/source"><img></picture>
<svg onload="{ALARM}"><script>{ALARM}</script><image href="{url}/svg"/><use href="{url}/use#x"/></svg>
<iframe src="{url}/frame"></iframe><iframe srcdoc="<script>{ALARM}</script>"></iframe><object data="{url}/object"></object>
<embed src="{url}/embed"><video src="{url}/video" poster="{url}/poster" autoplay></video><audio src="{url}/audio" autoplay></audio>
<form action="{url}/form" id="f"><input name="password" autofocus onfocus="{ALARM}"><button>Log in</button></form>
<a id="script-link" href="javascript:{ALARM}">click</a><a id="top-link" target="_top" href="{url}/top">top</a>
<a id="blank-link" target="_blank" href="{url}/blank">blank</a><a ping="{url}/ping" href="#x">ping</a>
<table background="{url}/table"><tr><td style="background-image:url({url}/cell)">x</td></tr></table>
<details open ontoggle="{ALARM}"><summary>s</summary></details><marquee onstart="{ALARM}">m</marquee></body></html>"""


def armed(text, canary):
    return text.replace("CANARY", canary.name)


def attack(sink, canary):
    """All of it, in every place that takes octets: names, addresses, commands, headers, bodies. Returns how many sessions."""
    count = 0
    for octets in [armed(text, canary).encode() for text in MARKUP] + list(TRICKS):
        quoted = octets.replace(b"\\", b"\\\\").replace(b"\"", b"\\\"")
        with wire.Wire(sink.port) as client:
            client.reply()
            client.ask(b"EHLO mail.hostile.example")
            client.ask(b"EHLO " + octets)
            client.ask(b"NOOP " + octets)
            client.ask(octets)
            client.ask(b"MAIL FROM:<\"" + quoted + b"\"@hostile.example> SMTPUTF8")
            client.ask(b"MAIL FROM:<a@hostile.example>")
            client.ask(b"RCPT TO:<\"" + quoted + b"\"@any.test>")
            client.ask(b"RCPT TO:<b@any.test>")
            client.ask(b"RCPT TO:<rule@any.test>")
            client.ask(b"DATA")
            client.send(b"From: " + octets + b" <a@hostile.example>\r\nTo: b@any.test\r\nSubject: " + octets + b"\r\nMessage-ID: <"
                        + octets + b"@x>\r\nX-Any: " + octets + b"\r\n" + octets.replace(b":", b"") + b": name\r\n"
                        + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; "
                        + b"charset=utf-8\r\n\r\n" + octets + b"\r\nhttp://" + canary.name.encode() + b"/link\r\n--b\r\n"
                        + b"Content-Type: application/octet-stream; name=\"" + quoted + b"\"\r\nContent-Disposition: attachment; "
                        + b"filename=\"" + quoted + b"\"\r\n\r\nx\r\n--b--\r\n.\r\n").reply()
            client.ask(b"QUIT")
            count += 1
    mail(sink, "html", "html", b"Subject: html\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
         + html(canary).replace("\n", "\r\n").encode())
    mail(sink, "endless", "endless", b"".join(b"To: " + octets + b"\r\n" for octets in ENDLESS)
         + b"Subject: endless\r\n\r\nshort")
    long = b"<b>" * (LONG // 3)
    mail(sink, "long", "long-command", b"Subject: long\r\n\r\nshort", b"NOOP " + b"x" * LONG)
    mail(sink, "long", "long-header", b"Subject: " + long + b"\r\n\r\nshort")
    mail(sink, "long", "long-body", b"Subject: long\r\n\r\n" + long)
    return count + 5


def mail(sink, sender, recipient, rest, first=None):
    """One message in a session of its own: what stands behind From; a command of its own in front, if there is one."""
    with wire.Wire(sink.port) as client:
        wire.hello(client, f"{sender}.hostile.example")
        if first:
            client.ask(first)
        client.ask(f"MAIL FROM:<{sender}@hostile.example>")
        client.ask(f"RCPT TO:<{recipient}@any.test>")
        client.ask(b"DATA")
        client.send(f"From: {sender}@hostile.example\r\n".encode() + rest + b"\r\n.\r\n").reply()
        client.ask(b"QUIT")
