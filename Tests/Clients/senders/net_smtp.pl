# Sends the mail that stands on standard input as JSON with Net::SMTP, which composes nothing: the whole message is given.

use strict;
use warnings;
use JSON::PP;
use Net::SMTP;
use IO::Socket::SSL ();

my $mail = decode_json(do { local $/; <STDIN> });
my $smtp = Net::SMTP->new("127.0.0.1", Port => $mail->{port}, Hello => $mail->{helo}, Timeout => 10)
    or die "no connection: $@\n";
$smtp->starttls(SSL_verify_mode => IO::Socket::SSL::SSL_VERIFY_NONE()) or die "STARTTLS: " . $smtp->message;
$smtp->mail($mail->{from}) or die "MAIL: " . $smtp->message;
$smtp->to(@{ $mail->{to} }) or die "RCPT: " . $smtp->message;
$smtp->data($mail->{message}) or die "DATA: " . $smtp->message;
$smtp->quit;
