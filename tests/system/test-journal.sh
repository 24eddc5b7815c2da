#!/bin/bash
# Greetings in the journal: found by their fields, explained by the catalog, counted when they are many, and never waited for.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

systemctl start greeterd.socket
run sockctl hello --id 1-3

# --- fields

is 'journalctl -t greeterd GREETERD_CLIENT_ID=2 finds client 2' \
	"$(values MESSAGE GREETERD_CLIENT_ID=2 | sed -E 's/:[0-9]+/:PORT/')" \
	$'client 2 at 127.0.0.1:PORT: I am client 2\nclient 2 at 127.0.0.1:PORT disconnected'
greeting=$(message_id GREETING)
is 'MESSAGE_ID of a greeting' "$(values MESSAGE_ID GREETERD_CLIENT_ID=2 GREETERD_COUNT=1)" "$greeting"
ok 'GREETERD_PEER' matches "$(values GREETERD_PEER GREETERD_CLIENT_ID=2 MESSAGE_ID="$greeting")" '^127\.0\.0\.1:[0-9]+$'
is 'PRIORITY' "$(values PRIORITY GREETERD_CLIENT_ID=2 MESSAGE_ID="$greeting")" 6
is 'the unit' "$(values _SYSTEMD_UNIT GREETERD_CLIENT_ID=2 MESSAGE_ID="$greeting")" greeterd.service
is 'a greeting that a person finds by the unit' \
	"$(journalctl -q -o cat -u greeterd.service GREETERD_CLIENT_ID=2 MESSAGE_ID="$greeting" --output-fields=GREETERD_COUNT)" 1

# --- catalog

explained=$(journalctl -q -x -t greeterd GREETERD_CLIENT_ID=2 MESSAGE_ID="$greeting")
ok 'journalctl -x explains a greeting' matches "$explained" 'Subject: Client 2 greeted'
ok 'and says where there is more' matches "$explained" 'Documentation: man:greeterd\(8\)'
is 'the catalog has all the messages' "$(journalctl --list-catalog | grep -c 'greeterd: ')" \
	"$(grep -cE '^\s*\[MESSAGE_' "$top_srcdir/src/greeterd/messages.c")"

# --- many

# counts ID EXPECTED: greetings of a client, those with an entry and those counted.
# shellcheck disable=SC2317 # until_true runs it
counts()
{
	values GREETERD_SURPLUS GREETERD_CLIENT_ID="$1" MESSAGE_ID="$(message_id SUMMARY)" >"$tmp/surplus"
	values GREETERD_COUNT GREETERD_CLIENT_ID="$1" MESSAGE_ID="$greeting" >"$tmp/entries"
	awk -v entries="$(wc -l <"$tmp/entries")" -v expected="$2" '{ n += $1 } END { exit entries + n != expected }' "$tmp/surplus"
}

run sockctl hello --id 100 --count 3000 --interval 0 -q
is 'three thousand are answered' "$status" 0
ok 'entries and counts make three thousand' until_true counts 100 3000
ok 'far fewer have an entry' test "$(wc -l <"$tmp/entries")" -lt 2000
echo "# $(wc -l <"$tmp/entries") entries, $(wc -l <"$tmp/surplus") summaries"

mkdir -p /etc/systemd/journald.conf.d
printf '%s\n' '[Journal]' 'RateLimitIntervalSec=1h' 'RateLimitBurst=10' >/etc/systemd/journald.conf.d/strict.conf
systemctl restart systemd-journald.service
settings 'journal_burst = 0;'
run sockctl hello --id 101 --count 3000 --interval 0 -q
is 'journal_burst = 0: three thousand are answered' "$status" 0
ok "none is lost to journald's own limit" until_true counts 101 3000
ok 'which is one for others' test "$(wc -l <"$tmp/entries")" -gt 500
echo "# $(wc -l <"$tmp/entries") entries, $(wc -l <"$tmp/surplus") summaries"

for _ in 1 2 3 4 5 6; do
	sleep 0.2
	systemctl restart greeterd.service
done &
pids[restarts]=$!
run sockctl bench --id 102 --connections 20 --duration 2s --json
join restarts
is 'six restarts lose no greeting' "$status" 0
ok 'and what a process could not say is said at its end' until_true counts 102 $(($(jq .answered <<<"$out") + 1))
echo "# $(wc -l <"$tmp/entries") entries, $(wc -l <"$tmp/surplus") summaries"
settings ''

# --- a journal that has stopped

journald=$(property systemd-journald.service MainPID)
kill -STOP "$journald"
run timeout 60 sockctl hello --id 200 --count 20000 --interval 0 -q
answered=$status
run timeout 60 sockctl hello --id 201-300 --count 10 --interval 10ms -q
kill -CONT "$journald"
is 'with journald stopped, twenty thousand are answered' "$answered" 0
is 'and a hundred clients' "$status" 0
ok 'when it goes on, entries and counts make twenty thousand' until_true counts 200 20000
for id in 201 250 300; do
	ok "of client $id: 10" until_true counts "$id" 10
done

done_testing
