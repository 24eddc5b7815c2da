#!/bin/bash
# kill -9 under load: connections are lost, the port never is.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${CRASH_SECONDS:-20}

# killer: kills the main process every 200 ms.
killer()
{
	local pid kills=0 until=$((SECONDS + seconds))

	while [[ $SECONDS -lt $until ]]; do
		pid=$(property greeterd.service MainPID)
		[[ $pid == 0 ]] || { kill -KILL "$pid" && kills=$((kills + 1)); }
		sleep 0.2
	done
	echo "$kills"
}

systemctl start greeterd.socket
killer >"$tmp/kills" &
pids[killer]=$!
refused=0 answered=0 lost=0
while kill -0 "${pids[killer]}" 2>/dev/null; do
	run sockctl hello --id 1-20 --timeout 20s
	case $status:$err in
	0:*) answered=$((answered + 1)) ;;
	*refused* | *'timed out'* | *'no reply'*) refused=$((refused + 1)) ;;
	*) lost=$((lost + 1)) ;; # of all twenty too, when none was answered yet
	esac
done
join killer
echo "# $(cat "$tmp/kills") kills in $seconds s; of rounds of 20 clients, $answered were answered, $lost lost a connection"
ok 'it was killed again and again' test "$(cat "$tmp/kills")" -ge "$seconds"
is 'the port never refuses, nobody waits in vain' "$refused" 0
ok 'clients are answered in between' test "$answered" -ge "$seconds"
is 'the socket is still there' "$(property greeterd.socket ActiveState)" active
run sockctl hello --id 2
is 'and greets' "$out" 'I am SERVER'

done_testing
