// The story with Node's own modules: net for SMTP, fetch for the API. nodemailer.js is the same with nodemailer.

const assert = require("node:assert");
const net = require("node:net");

const space = process.argv[2];
const [host, port] = process.env.FAKEMX_SMTP.split(":");

async function ask(path, query = {}, body) {
    const url = new URL(`${process.env.FAKEMX_URL}/api/fakemx/${path}`);
    url.search = new URLSearchParams(query);
    const options = body ? { method: "POST", body, headers: { "Content-Type": "text/plain" } } : {};
    const answer = await fetch(url, options);
    const json = await answer.json();
    assert(answer.ok, `${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
}

// Says commands one after the other; gives the replies.
function converse(commands) {
    return new Promise((resolve, reject) => {
        const socket = net.connect(Number(port), host);
        const replies = [];
        let text = "";
        socket.on("error", reject);
        socket.on("end", () => resolve(replies));
        socket.on("data", (octets) => {
            text += octets;
            for (let found; (found = text.match(/^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/)); ) {
                text = text.slice(found[0].length);
                replies.push(found[0].trimEnd());
                if (commands.length) socket.write(commands.shift() + "\r\n");
            }
        });
    });
}

async function main() {
    const to = `ann@${space}.test`;
    const since = (await ask("cursor")).cursor;
    await ask("rules", { space }, "end-of-data header.subject=*invoice*: 554 5.7.1 No invoices here");

    const envelope = ["MAIL FROM:<shop@shop.example>", `RCPT TO:<${to}>`, "DATA"];
    const replies = await converse([
        "EHLO client.example",
        ...envelope, "Subject: Your invoice\r\n\r\nPlease pay.\r\n.",
        ...envelope, "Subject: Hello\r\n\r\nHow are you?\r\n.",
        "QUIT",
    ]);
    assert.equal(replies[5], "554 5.7.1 No invoices here");
    assert.match(replies[9], /^250 /);

    const { rejects } = await ask("wait", { for: "reject", space, since, timeout: 5 });
    assert.deepEqual([rejects[0].phase, rejects[0].reply], ["end-of-data", "554 5.7.1 No invoices here"]);
    const { messages } = await ask("wait", { for: "message", space, since, timeout: 5 });
    assert.deepEqual([messages[0].to, messages[0].subject], [[to], "Hello"]);
    console.log(`story ok: ${rejects[0].phase}, ${messages[0].id}`);
}

main().catch((error) => {
    console.error(error.stack);
    process.exit(1);
});
