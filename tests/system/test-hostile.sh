#!/bin/bash
# Clients of the system bus that mean harm, as a user with no rights: greeting goes on, and memory stays bounded.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=4
memory_max=32768 # KiB more than at first, at any moment

# status_of FIELD: of the daemon, from /proc, in KiB.
status_of()
{
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/$pid/status"
}

# watchers_are N
# shellcheck disable=SC2317 # until_true runs it
watchers_are()
{
	[[ $(busctl get-property org.greeterd1 /org/greeterd1 org.greeterd1.Manager Watchers 2>/dev/null) == "u $1" ]]
}

useradd --no-create-home plain
settings 'expect = ( { id = "1-1000"; every = "1h"; } );'
systemctl start greeterd.service
sockctl hello --id 1-60000 >"$tmp/hello" # there is something to be listed
pid=$(property greeterd.service MainPID)
before=$(status_of VmRSS)
start feed sockctl watch --json # one that reads
until_true watchers_are 1 || bail_out 'nobody watches'

for mode in calls lists types ids watch crowd vanish; do
	echo 5 >"/proc/$pid/clear_refs" # the peak from here on
	"$top_builddir/tests/system/steady" 8080 50 $seconds >"$tmp/steady" 2>&1 &
	load=$!
	run setpriv --reuid plain --regid plain --init-groups "$top_builddir/tests/system/hostile" $mode $((seconds - 1))
	echo "# $out$err"
	[[ $mode != calls ]] || systemctl reload greeterd.service
	wait $load
	is "$mode: every greeting is answered: $(<"$tmp/steady")" "$?" 0
	peak=$(status_of VmHWM)
	echo "# memory: $before KiB, $peak KiB at most"
	ok "$mode: memory is bounded" test $((peak - before)) -le $memory_max
	run sockctl status --json
	is "$mode: root is answered" "$status" 0
done
is 'it is the same process' "$(property greeterd.service MainPID)" "$pid"
greeted=$(jq .greetings <<<"$out")
sleep 1
stop feed INT
is 'who reads was told of every greeting, or counted what it missed' "$(jq -rn 'reduce inputs as $e (0;
	. + if $e.event == "missed" then $e.count elif $e.event == "greeting" then 1 else 0 end)' "$tmp/feed.out")" "$((greeted - 60000))"
ok 'who has gone is no watcher' until_true watchers_are 0
is 'nobody was forgotten' "$(sockctl roll --json | jq '.clients | length')" 60000

done_testing
