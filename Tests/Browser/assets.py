# The files of the page, found as a browser finds them: from `/` by what it names, modules by their imports.

import http.client
import re
from urllib.parse import urlsplit

# Loads a view by its name, so its routes say which there are.
ROUTER = "/page/router.js"


def ask(url, path="/", method="GET", **headers):
    """Status, headers and body; headers are said as they stand."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    try:
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def files(url):
    """(path, status, headers, body) of each."""
    names, seen = ["/"], set()
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        status, headers, body = ask(url, name)
        yield name, status, headers, body
        text = body.decode("utf-8", "replace")
        if name == "/":
            names += re.findall(r'(?:src|href)="(/page/[^"]+)"', text)
        names += ["/page/" + found for found in re.findall(r'(?:from|import|import\()\s*"\./([^"]+)"', text)]
        if name == ROUTER:
            names += [f"/page/view-{view}.js" for view in re.findall(r'\["[\w/:-]+", "([\w-]+)"\]', text)]
            names += [f"/page/{style}.css" for style in re.findall(r'"([\w-]+)"', re.search(r"STYLES = \[(.*?)\]", text, re.S)[1])]
