#!/bin/bash
# The daemon's life under the real systemd: reload, restart under load, watchdog, idle exit, bad settings.
#
# $LIFE_SECONDS (8) is how long each load lasts.
# shellcheck disable=SC2317 # functions that until_true and under_load run

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

steady=$top_builddir/tests/system/steady
seconds=${LIFE_SECONDS:-8}
config=/etc/greeterd/greeterd.conf

status_text()
{
	property greeterd.service StatusText
}

# status_has TEXT
status_has()
{
	[[ $(status_text) == *"$1"* ]]
}

# under_load COMMAND...: runs it again and again while fifty clients greet without pause, each on one connection that it
# never opens again; what they counted in $out, how often it ran in $times.
under_load()
{
	local end

	start load "$steady" 8080 50 "$seconds"
	times=0 end=$((SECONDS + seconds - 1))
	while ((SECONDS < end)); do
		"$@"
		times=$((times + 1))
	done
	join load
	out=$(cat "$tmp/load.out") err=$(cat "$tmp/load.err")
}

# --- status and watchdog

anew
sockctl hello --id 2 >"$tmp/first"
is 'it has the workers that it was given' "$(cat /proc/"$(property greeterd.service MainPID)"/task/*/comm | grep -c '^worker ')" \
	"${WORKERS:-0}"
ok 'the status tells how it stands' until_true status_has '0 connected, 1 greetings'
exec 4<>/dev/tcp/127.0.0.1/8080
ok 'and is kept current' until_true status_has '1 connected'
exec 4>&-
mkdir -p /run/systemd/system/greeterd.service.d
printf '[Service]\nWatchdogSec=1s\n' >/run/systemd/system/greeterd.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart greeterd.service
pid=$(property greeterd.service MainPID)
kill -STOP "$pid"
another_process()
{
	local now
	now=$(property greeterd.service MainPID)
	[[ $now != 0 && $now != "$pid" ]]
}
ok 'a loop that is stuck is started again' until_true another_process
is 'and answers' "$(sockctl hello --id 2)" 'I am SERVER'
rm -r /run/systemd/system/greeterd.service.d
systemctl daemon-reload

# --- reload

echo 'reply = "first";' >"$config"
ok 'a good file is reloaded' systemctl reload greeterd.service
is 'and in force' "$(sockctl hello --config /dev/null --reply first)" first
printf '%s\n' 'reply = "second";' 'settle = "soon";' 'prot = 1;' >"$config"
run systemctl reload greeterd.service
ok 'a bad file makes systemctl reload fail' test "$status" -ne 0
is 'and nothing of it is in force' "$(sockctl hello --config /dev/null --reply first)" first
ok 'the status says why, with file and line' until_true status_has "not reloaded: $config:2: settle: "
ok 'the journal has every line' test "$(values MESSAGE "MESSAGE_ID=$(message_id SETTINGS)" | grep -cE "^$config:[23]: (settle|prot): ")" -ge 2
printf '%s\n' 'port = 9000;' 'max_id = 7;' >"$config"
systemctl reload greeterd.service
ok 'what needs a restart is named' until_true status_has 'waiting for a restart: port, max_id'
ok 'and how the port is changed' status_has 'systemctl daemon-reload && systemctl restart greeterd.socket'
is 'the old port goes on greeting' "$(sockctl hello --port 8080)" 'I am SERVER'

letters=({A..Z})
reload_once()
{
	local reply

	reply=$(printf "${letters[times % 26]}%.0s" {1..200})
	if ((times % 2)); then
		printf '%s\n' "reply = \"$reply\";" 'settle = "never";' >"$config"
		systemctl reload greeterd.service 2>/dev/null && echo "# a bad file was taken"
	else
		# max_id waits for a restart: who has a greater number must never be refused.
		echo "reply = \"$reply\"; max_id = 7;" >"$config"
		systemctl reload greeterd.service || echo "# a good file was refused"
	fi
}
under_load reload_once
echo "# $times reloads, half of them bad: $out"
is 'reloads lose no greeting and mix no replies' "$status" 0
echo >"$config"
systemctl reload greeterd.service

# --- restart

under_load systemctl restart greeterd.service
echo "# $times restarts: $out"
is 'restarts lose no greeting and no connection' "$status" 0
ok 'there were restarts' test "$times" -gt 10
exec 4<>/dev/tcp/127.0.0.1/8080
printf 'I am cli' >&4
sleep 0.2
systemctl restart greeterd.service
printf 'ent 77\n' >&4
IFS= read -r -t 10 -u 4 answer
is 'half a greeting goes on in the next process' "$answer" 'I am SERVER'
exec 4>&-
ok 'a close is seen after a restart' until_true status_has '0 connected'
is 'nothing stays in the store' "$(property greeterd.service NFileDescriptorStore)" 0

is 'the socket starts it again' "$(sockctl hello --id 3)" 'I am SERVER'
exec 4<>/dev/tcp/127.0.0.1/8080
printf 'I am client 5\nI am client 6\n' >&4
systemctl stop greeterd.service 2>/dev/null
is 'a stop answers what was received, and says why it ends' "$(timeout 10 cat <&4)" \
	$'I am SERVER\nI am SERVER\nERR shutdown the server is stopping'
exec 4>&-

# --- kill -9

is 'the socket starts it again' "$(sockctl hello --id 3)" 'I am SERVER'
refused=0 unanswered=0 answered=0 end=$((SECONDS + seconds))
(
	while ((SECONDS < end)); do
		sleep 0.2
		systemctl kill --signal=KILL greeterd.service 2>/dev/null
	done
) &
pids[killer]=$!
while ((SECONDS < end)); do
	run sockctl hello --timeout 10s
	if [[ $status -eq 0 ]]; then
		answered=$((answered + 1))
	elif [[ $err == *refused* ]]; then
		refused=$((refused + 1))
	else # the process that had accepted it was killed: connections are lost then, and the next one is answered
		unanswered=$((unanswered + 1))
		run sockctl hello --timeout 10s
		[[ $status -eq 0 ]] || unanswered=$((unanswered + 1000))
	fi
done
join killer
echo "# killed every 200 ms: $answered answered, $unanswered cut off in the middle, $refused refused"
is 'the port never refuses' "$refused" 0
ok 'who was cut off is answered by the next' test "$unanswered" -lt 1000
ok 'no limit has closed the socket' state_is greeterd.socket active

# --- bad settings at start

echo 'reply = "good";' >"$config"
systemctl restart greeterd.service
echo 'reply = 3;' >"$config"
systemctl restart greeterd.service
is 'bad settings at start: the last good ones serve' "$(sockctl hello --config /dev/null --reply good)" good
ok 'the status says so' until_true status_has "serving on the last good settings: $config:1: reply: "
systemctl stop greeterd.service 2>/dev/null
rm /var/lib/greeterd/last-good.conf
for _ in {1..100}; do
	sockctl hello --config /dev/null --timeout 10s 2>&1
done | sort | uniq -c >"$tmp/refusals"
is 'without any, a hundred attempts are told so' "$(sed 's/^ *//' "$tmp/refusals")" \
	'100 sockctl: 127.0.0.1:8080 refused: ERR shutdown the server is stopping'
is 'with exit status 78' "$(property greeterd.service ExecMainStatus)" 78
ok 'and the socket still listens' state_is greeterd.socket active
echo >"$config"
is 'until the settings are mended' "$(sockctl hello --timeout 10s)" 'I am SERVER'

# --- idle exit

settings 'idle_exit = "1s";'
pauses=(1.0 1.02 1.04 1.1 1.5) # on either side of the exit, which timers may put off, and one beyond
lost=0 bursts=0 end=$((SECONDS + seconds))
while ((SECONDS < end)); do
	sockctl hello --id 1-20 --timeout 10s >"$tmp/burst" 2>&1 || lost=$((lost + 1))
	bursts=$((bursts + 1))
	sleep "${pauses[bursts % ${#pauses[@]}]}"
done
exits=$(values MESSAGE "MESSAGE_ID=$(message_id IDLE)" | wc -l)
echo "# $bursts bursts of 20, $exits idle exits"
is 'bursts at the pace of idle exit are all answered' "$lost" 0
ok 'it did exit' test "$exits" -gt 0
ok 'and rests until somebody connects' until_true state_is greeterd.service inactive
ok 'with the port open' state_is greeterd.socket active

done_testing
