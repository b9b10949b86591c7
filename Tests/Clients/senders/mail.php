<?php
// Sends the mail that stands on standard input as JSON with PHP's mail(), which hands it to the sendmail of its
// configuration. It encodes nothing; what PHP has for that is used as its manual shows it.

// A multipart of these parts: its Content-Type, and its body.
function joined(string $kind, array $parts): array {
    $boundary = bin2hex(random_bytes(12));
    $body = "";
    foreach ($parts as $part) $body .= "--$boundary\r\n$part\r\n";
    return ["Content-Type: multipart/$kind; boundary=\"$boundary\"", $body . "--$boundary--\r\n"];
}

$mail = json_decode(stream_get_contents(STDIN), true);
$encoded = ["Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: quoted-printable"];
$header = ["From: {$mail['from']}", "MIME-Version: 1.0"];
$body = quoted_printable_encode(str_replace("\n", "\r\n", $mail["text"]));
if ($mail["html"]) {
    $page = quoted_printable_encode(str_replace("\n", "\r\n", $mail["html"]));
    [$kind, $both] = joined("alternative", [
        implode("\r\n", $encoded) . "\r\n\r\n" . $body,
        "Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" . $page,
    ]);
    [$kind, $body] = joined("mixed", [
        "$kind\r\n\r\n$both",
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            . "Content-Disposition: attachment; filename=\"{$mail['filename']}\"\r\n\r\n"
            . rtrim(chunk_split($mail["attachment"])),
    ]);
    $header[] = $kind;
} else {
    $header = array_merge($header, $encoded);
}
$subject = $mail["subject"];
if (preg_match('/[^\x20-\x7e]/', $subject)) $subject = iconv_mime_encode("Subject", $subject, [
    "scheme" => "B", "input-charset" => "UTF-8", "output-charset" => "UTF-8", "line-length" => 76]);
$subject = preg_replace('/^Subject: /', "", $subject);
exit(mail(implode(", ", $mail["to"]), $subject, $body, implode("\r\n", $header)) ? 0 : 1);
