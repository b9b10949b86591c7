// The story with nodemailer (Debian: node-nodemailer), for the API fetch.

const assert = require("node:assert");
const nodemailer = require("nodemailer");

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

async function main() {
    const to = `ann@${space}.test`;
    const since = (await ask("cursor")).cursor;
    await ask("rules", { space }, "end-of-data header.subject=*invoice*: 554 5.7.1 No invoices here");

    // The certificate of the sink is its own; STARTTLS is on offer, and nodemailer takes it.
    const transport = nodemailer.createTransport({ host, port: Number(port), tls: { rejectUnauthorized: false } });
    const invoice = { from: "shop@shop.example", to, subject: "Your invoice", text: "Please pay." };
    await assert.rejects(transport.sendMail(invoice), (error) => error.responseCode === 554);
    await transport.sendMail({ from: "shop@shop.example", to, subject: "Hello", text: "How are you?" });

    const { sessions } = await ask("wait", { for: "session", verdict: "rejected", space, since, timeout: 5 });
    assert.equal(sessions[0].rejected_at, "end-of-data");
    assert.match(sessions[0].tls.version, /^TLSv1/);
    const { messages } = await ask("wait", { for: "message", space, since, timeout: 5 });
    assert.deepEqual([messages[0].to, messages[0].subject], [[to], "Hello"]);
    console.log(`story ok: ${sessions[0].rejected_at}, ${messages[0].id}`);
}

main().catch((error) => {
    console.error(error.stack);
    process.exit(1);
});
