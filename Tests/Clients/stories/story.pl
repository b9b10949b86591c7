# The story with Perl's own modules: Net::SMTP, HTTP::Tiny, JSON::PP.

use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use Net::SMTP;

my $space = shift;
my ($host, $port) = split /:/, $ENV{FAKEMX_SMTP};
my $http = HTTP::Tiny->new;

sub ask {
    my ($path, $query, $body) = @_;
    my $url = "$ENV{FAKEMX_URL}/api/fakemx/$path?" . $http->www_form_urlencode($query // {});
    my $answer = $http->request($body ? 'POST' : 'GET', $url, $body ? {content => $body, headers => {'Content-Type' => 'text/plain'}} : {});
    die "$path: $answer->{status} $answer->{content}\n" unless $answer->{success};
    return decode_json($answer->{content});
}

my $to = "ann\@$space.test";
my $since = ask('cursor')->{cursor};
ask('rules', {space => $space}, 'end-of-data header.subject=*invoice*: 554 5.7.1 No invoices here');

my $smtp = Net::SMTP->new(Host => $host, Port => $port, Hello => 'client.example', Timeout => 10) or die "no greeting: $@\n";
sub send_mail {
    my ($subject, $text) = @_;
    $smtp->mail('shop@shop.example') and $smtp->to($to) and $smtp->data("Subject: $subject\n\n$text\n");
    return $smtp->code;
}
my $code = send_mail('Your invoice', 'Please pay.');
die "the invoice was answered $code\n" unless $code == 554;
$code = send_mail('Hello', 'How are you?');
die "the greeting was answered $code\n" unless $code == 250;
$smtp->quit;

my $reject = ask('wait', {for => 'reject', space => $space, since => $since, timeout => 5})->{rejects}[0];
die "refused at $reject->{phase}: $reject->{reply}\n"
    unless $reject->{phase} eq 'end-of-data' and $reject->{reply} eq '554 5.7.1 No invoices here';
my $message = ask('wait', {for => 'message', space => $space, since => $since, timeout => 5})->{messages}[0];
die "another message: $message->{subject}\n" unless $message->{to}[0] eq $to and $message->{subject} eq 'Hello';
print "story ok: $reject->{phase}, $message->{id}\n";
