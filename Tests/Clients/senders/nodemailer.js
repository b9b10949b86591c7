// Sends the mail that stands on standard input as JSON with nodemailer: it composes and encodes.

const nodemailer = require("nodemailer");
const mail = JSON.parse(require("fs").readFileSync(0, "utf8"));

const transport = nodemailer.createTransport({
    host: "127.0.0.1", port: mail.port, name: mail.helo, tls: { rejectUnauthorized: false },
});
transport.sendMail({
    from: mail.from, to: mail.to, subject: mail.subject, text: mail.text, html: mail.html ?? undefined,
    attachments: mail.attachment ? [{ filename: mail.filename, content: Buffer.from(mail.attachment, "base64") }] : [],
}).catch((error) => { console.error(error); process.exitCode = 1; });
