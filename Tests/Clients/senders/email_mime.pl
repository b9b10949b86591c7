# Sends the mail that stands on standard input as JSON with Email::MIME, which composes and encodes, and Email::Sender.

use strict;
use warnings;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use Email::MIME;
use Email::MessageID;
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::SMTP;
use IO::Socket::SSL ();

my $mail = decode_json(do { local $/; <STDIN> });

sub part {
    my ($type, $text) = @_;
    return Email::MIME->create(
        attributes => { content_type => $type, charset => "UTF-8", encoding => "quoted-printable" }, body_str => $text);
}

my @header = (From => $mail->{from}, To => join(", ", @{ $mail->{to} }), Subject => $mail->{subject},
    "Message-ID" => Email::MessageID->new(host => "sender.test")->in_brackets);
my $message;
if ($mail->{html}) {
    my $both = Email::MIME->create(attributes => { content_type => "multipart/alternative" },
        parts => [part("text/plain", $mail->{text}), part("text/html", $mail->{html})]);
    my $file = Email::MIME->create(
        attributes => {
            content_type => "application/octet-stream", encoding => "base64", disposition => "attachment",
            filename => $mail->{filename}, name => $mail->{filename},
        },
        body => decode_base64($mail->{attachment}));
    $message = Email::MIME->create(
        header_str => \@header, attributes => { content_type => "multipart/mixed" }, parts => [$both, $file]);
} else {
    $message = Email::MIME->create(
        header_str => \@header, body_str => $mail->{text},
        attributes => { content_type => "text/plain", charset => "UTF-8", encoding => "quoted-printable" });
}
my $transport = Email::Sender::Transport::SMTP->new(
    host => "127.0.0.1", port => $mail->{port}, helo => $mail->{helo}, ssl => "starttls",
    ssl_options => { SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE() });
sendmail($message, { transport => $transport, from => $mail->{from}, to => $mail->{to} });
