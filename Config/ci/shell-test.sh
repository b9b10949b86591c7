#!/bin/bash
# Tests of a sender in shell: swaks sends, `fakemx` (or curl alone) sets rules, waits and asks. It runs under
# `fakemx serve -- Config/ci/shell-test.sh`, and by itself, too: then it starts the sink that it needs (FAKEMX_BIN, or
# `fakemx` on PATH). Exit status: 0 all passed, 1 something failed.
set -euo pipefail

fakemx=${FAKEMX_BIN:-fakemx}
if [ -z "${FAKEMX_SMTP:-}" ]; then
    exec "$fakemx" serve -- "$0" "$@"
fi
api=$FAKEMX_URL/api/fakemx
failures=0

# Each test has a space of its own, so whoever shares the sink does not disturb it.
new_space() { space=shell-$1-$$; since=$("$fakemx" cursor); }

# The sender under test; its exit status says what became of the message.
send() { swaks --silent 3 --server "$FAKEMX_SMTP" --helo client.example --from shop@shop.example --to "$1" "${@:2}"; }

check() { # check WHAT COMMAND…
    if "${@:2}"; then echo "ok    $1"; else echo "FAIL  $1" >&2; failures=$((failures + 1)); fi
}

# --- a refusal behind the dot, and nothing stored ---------------------------------------------------------------------
new_space refused
"$fakemx" rules add --space "$space" 'end-of-data: 554 5.7.1 No, for its content' >/dev/null
check "the sender sees the refusal" test "$(send "ann@$space.test" >/dev/null 2>&1; echo $?)" -eq 26 # swaks: error at the dot
check "the sink says where it was" "$fakemx" wait reject phase=end-of-data code=554 space="$space" --since "$since" --timeout 5s
check "nothing was stored" "$fakemx" wait message space="$space" --since "$since" --absent --timeout 500ms

# --- deferred twice, then taken ---------------------------------------------------------------------------------------
new_space deferred
rule=$("$fakemx" rules add --space "$space" 'rcpt first=2 per=to: 452 4.2.2 Mailbox full')
for attempt in 1 2 3; do
    if send "full@$space.test" >/dev/null 2>&1; then break; fi
done
check "it took three attempts" test "$attempt" -eq 3
check "two were deferred" "$fakemx" wait session verdict=deferred space="$space" --since "$since" --count 2 --timeout 5s
check "the third was taken" "$fakemx" wait message space="$space" --since "$since" --timeout 5s
check "the rule fired twice" "$fakemx" wait rule rule="$rule" --since "$since" --count 2 --timeout 5s

# --- the same with curl alone -------------------------------------------------------------------------------------------
# A wait is answered 200 when it holds, 408 when the time is over, 409 when something came that must not.
space=curl-$$
since=$(curl --fail --silent "$api/cursor" | sed 's/.*"cursor":"\([^"]*\)".*/\1/')
status() { curl --silent --output /dev/null --write-out '%{http_code}' "$@"; }
check "a rule is set" test "$(status --data 'rcpt to=gone@*: 550 5.1.1 No such user' "$api/rules?space=$space")" = 201
send "ann@$space.test,gone@$space.test" --header 'Subject: to two' >/dev/null 2>&1 || true
check "the message came" test "$(status "$api/wait?for=message&subject=to+two&space=$space&since=$since&timeout=5")" = 200
check "one recipient was refused" test "$(status "$api/wait?for=reject&to=gone@*&space=$space&since=$since&timeout=5")" = 200
check "nothing went to eve" test "$(status "$api/wait?for=message&to=eve@*&space=$space&since=$since&timeout=0.3&absent=true")" = 200
check "the space is cleared" test "$(status --request POST "$api/reset?space=$space")" = 200

[ $failures -eq 0 ] || { echo "$failures failed" >&2; exit 1; }
