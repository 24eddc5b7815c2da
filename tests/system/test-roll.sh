#!/bin/bash
# Who is there, and who is not: the roll over kill -9 and restart, expected clients, and what sockctl shows of it.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

config=/etc/greeterd/greeterd.conf

# count_of ID: how often it has greeted.
count_of()
{
	sockctl roll --json "$1" | jq '.clients[0].count'
}

# state_of_client ID STATE: whether it has that state.
# shellcheck disable=SC2317 # until_true runs it
state_of_client()
{
	[[ $(sockctl roll --json "$1" | jq -r '.clients[0].state') == "$2" ]]
}

# is_watched: whether sockctl watch is there.
# shellcheck disable=SC2317
is_watched()
{
	[[ $(sockctl status --json | jq .watchers) == 1 ]]
}

# status_says REGEX: whether systemctl status does.
# shellcheck disable=SC2317 # until_true runs it
status_says()
{
	matches "$(property greeterd.service StatusText)" "$1"
}

# went_to_disk: whether the roll has, since the daemon started: a thread waits for the disk from then on.
# shellcheck disable=SC2317
went_to_disk()
{
	grep -qs roll-flusher "/proc/$(property greeterd.service MainPID)"/task/*/comm
}

# --- the roll

anew
sockctl hello --id 1-3 >"$tmp/hello"
run sockctl roll --no-legend --color=never
is 'sockctl roll: exit status' "$status" 0
is 'it lists exactly three clients' "$(awk '{ print $1 }' <<<"$out" | xargs)" '1 2 3'
sockctl hello --id 2 >"$tmp/hello"
is 'the second greeting of client 2 is counted' "$(count_of 2)" 2
systemctl kill --signal=KILL greeterd.service
sockctl hello --id 2 --timeout 10s >"$tmp/hello"
is 'after kill -9 the count goes on' "$(count_of 2)" 3
systemctl restart greeterd.service
is 'after a restart all are there' "$(sockctl roll --json | jq -c '[.clients[].count]')" '[1,3,1]'
systemctl stop greeterd.service greeterd.socket 2>/dev/null
is 'the file lies in the state folder' "$(stat -c %U /var/lib/greeterd/roll)" greeterd
systemctl start greeterd.socket
sockctl hello --id 3 >"$tmp/hello"
is 'and from there it goes on' "$(sockctl roll --json | jq -c '[.clients[].count]')" '[1,3,2]'
run sockctl forget 3
is 'root forgets a client' "$status" 0
is 'it is forgotten' "$(sockctl roll --json | jq -c '[.clients[].id]')" '[1,2]'
run setpriv --reuid=nobody --regid=nogroup --clear-groups sockctl forget 2
is 'nobody else does' "$status" 5
run setpriv --reuid=nobody --regid=nogroup --clear-groups sockctl roll --no-legend
is 'but anyone may read' "$status" 0

# --- reload, with its verdict

echo 'max_connections = 100;' >"$config"
ok 'systemctl reload' systemctl reload greeterd.service
is 'is in force when it returns' "$(sockctl status --json | jq .max_connections)" 100
echo 'max_connections = 0;' >"$config"
run sockctl reload
is 'sockctl reload: refused' "$status" 5
ok 'with file, line and key' matches "$err" "$config:1: max_connections: "

# --- who is missing

echo 'expect = ( { id = "1-3"; every = "2s"; grace = "1s"; name = "rack A"; } );' >"$config"
systemctl reload greeterd.service
start watch sockctl watch --json
ok 'somebody watches' until_true is_watched
for _ in {1..8}; do
	sockctl hello --id 1,3 >"$tmp/hello"
	sleep 0.5
done
run sockctl roll --missing --no-legend --color=never
is 'sockctl roll: someone is missing' "$status" 1
ok 'it names client 2' matches "$out" '^ *2 +rack A +missing'
is 'and nobody else' "$(wc -l <<<"$out")" 1
ok 'the watcher was told' test "$(jq -r 'select(.event == "missing") | .id' "$tmp/watch.out")" = 2
is 'the journal has it' "$(values GREETERD_CLIENT_ID "MESSAGE_ID=$(message_id MISSING)")" 2
ok 'the status counts it' until_true status_says '1 missing'
systemctl restart greeterd.service
ok 'a restart forgets no one' state_of_client 2 missing
ok 'and makes no one missing' state_of_client 1 present
sockctl hello --id 2 >"$tmp/hello"
ok 'it greets again: returned' state_of_client 2 returned
is 'the journal has that' "$(values GREETERD_CLIENT_ID "MESSAGE_ID=$(message_id RETURNED)")" 2
run sockctl pause 2
is 'a client can be paused' "$status" 0
ok 'and is' state_of_client 2 paused
stop watch INT
is 'sockctl watch ends on Ctrl-C' "$status" 130

# --- nobody greets

settings 'expect = ( { id = "7"; every = "1s"; grace = "0"; } );'
systemctl start greeterd.service
ok 'nothing is heard: the status tells who is missing' until_true status_says ' 1 missing'
ok 'and the disk has it' until_true went_to_disk
sockctl pause 7 >"$tmp/changed"
ok 'who is paused is missed no longer' until_true status_says 'greetings$'
systemctl restart greeterd.service
ok 'where nothing has changed, the disk is left alone' test "$(went_to_disk; echo $?)" = 1
sockctl forget 1 >"$tmp/changed"
ok 'what was changed by hand, the disk has' until_true went_to_disk

# --- nobody is expected any more

echo >/etc/greeterd/greeterd.conf
systemctl reload greeterd.service
is 'the journal has it' "$(values GREETERD_STATE "MESSAGE_ID=$(message_id STATE)" GREETERD_CLIENT_ID=7 | tail -n 1)" unexpected

done_testing
