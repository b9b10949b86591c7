#!/bin/bash
# The story with swaks and curl; jq reads the answers.
set -euo pipefail

space=$1
api=$FAKEMX_URL/api/fakemx
fail() { echo "$1" >&2; exit 1; }
wait_for() { curl --fail-with-body --silent --get "$api/wait" -d "for=$1" -d "space=$space" -d "since=$since" -d timeout=5; }
send() {
    swaks --silent 3 --server "$FAKEMX_SMTP" --helo client.example --from shop@shop.example --to "ann@$space.test" \
        --header "Subject: $1" --body "$2"
}

since=$(curl --fail --silent "$api/cursor" | jq -r .cursor)
curl --fail-with-body --silent --output /dev/null "$api/rules?space=$space" \
    --data 'end-of-data header.subject=*invoice*: 554 5.7.1 No invoices here'

send "Your invoice" "Please pay." >/dev/null 2>&1 && fail "the invoice was taken"
send "Hello" "How are you?" || fail "the greeting was refused"

refused=$(wait_for reject | jq -r '.rejects[0] | "\(.phase) \(.reply)"')
[ "$refused" = "end-of-data 554 5.7.1 No invoices here" ] || fail "refused: $refused"
message=$(wait_for message | jq -r '.messages[0] | "\(.to[0]) \(.subject) \(.id)"')
[[ "$message" = "ann@$space.test Hello "* ]] || fail "another message: $message"
echo "story ok: end-of-data, ${message##* }"
