#!/bin/bash
# sockctl bench against greeterd, servers of the original exercise and their unruly relatives, and against none.

# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# serve_greeterd [SETTING...]
serve_greeterd()
{
	SOCKCTL_PORT=$(free_port)
	export SOCKCTL_PORT
	printf '%s\n' "port = $SOCKCTL_PORT;" 'listen = [ "127.0.0.1", "'"$tmp/sock"'" ];' "$@" >"$tmp/greeterd.conf"
	start greeterd "$greeterd" --config "$tmp/greeterd.conf"
	until_true "$sockctl" hello --quiet 2>/dev/null || bail_out 'greeterd does not start'
}

bench()
{
	run "$sockctl" bench --config /nonexistent "$@"
}

# ends DESCRIPTION STATUS ARGUMENT...: bench with these ends so.
ends()
{
	local description=$1 expected=$2
	shift 2
	bench "$@"
	is "$description: exit status" "$status" "$expected"
}

# shellcheck disable=SC2317 # ok runs it
filter()
{
	jq -e "$1" "$tmp/run.out" >/dev/null
}

# greeted ID: whether it has greeted greeterd under load, not once alone.
# shellcheck disable=SC2317 # until_true runs it
greeted()
{
	[ "$(cat "$tmp"/greeterd.{out,err} | grep -c "client $1 at .*: I am client $1")" -gt 9 ]
}

# json DESCRIPTION FILTER: what bench --json printed passes jq.
json()
{
	if command -v jq >/dev/null; then
		ok "$1" filter "$2"
	else
		skip "$1" 'no jq'
	fi
}

serve_greeterd 'max_id = 100;'
ends 'a count' 0 -n 2000 -c 7
ok 'a count: all are answered' matches "$out" $'\n[0-9,]+ greetings/s, 2,000 answered, none lost\n'
ok 'a count: percentiles' matches "$out" 'latency +min +p50 +p90 +p99 +p99.9 +max +mean'
ok 'a count: a histogram' matches "$out" $'(us|ms) #+ +[0-9.<]+ % p50'
is 'a count: nothing on standard error' "$err" ''
is 'a count: no line is too long' "$(awk 'length > 80' <<<"$out")" ''
LC_ALL=C.UTF-8 bench -n 100 --color=always
ok 'bars of block elements, in colour' matches "$out" $'\033\\[36m█+'
ends 'pipelined' 0 -n 5000 -P 16
ends 'a new connection each time' 0 -n 500 --connect-each
ok 'a new connection each time: how long that takes' matches "$out" 'connecting: p50 '
ends 'a Unix socket' 0 -n 500 --unix "$tmp/sock"
ends 'a duration' 0 -d 100ms --warm-up 20ms
ends 'a rate' 0 --rate 1000 -n 100 --json
json 'a rate is kept' '.rate == 1000 and .elapsed_usec >= 99000 and .unsent == 0'

bench -n 3000 -c 10 -P 4 --id 1-3 --json
is 'JSON: exit status' "$status" 0
is 'JSON: one line' "$(wc -l <<<"$out")" 1
json 'JSON: what was asked' '.schema_version == 1 and .event == "bench" and .connections == 10 and .pipeline == 4
	and .count == 3000 and .duration_usec == null and .rate == null and .connect_each == false'
json 'JSON: what came of it' '.sent == 3000 and .answered == 3000 and .errors == { connect: 0, closed: 0, timeout: 0,
	refused: 0, wrong: 0 } and .connections_made == 10 and .greetings_per_second > 0 and .wrong_answer == null'
json 'JSON: latencies' '.latency_nsec | .min <= .p50 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .p99_9 and .p99_9 <= .max
	and .min <= .mean and .mean <= .max'
json 'JSON: the histogram holds all' '([.histogram[].count] | add) == 3000'
json 'JSON: every key is explained' '(keys - ["schema_version", "event", "time", "address", "connections", "pipeline",
	"connect_each", "rate", "duration_usec", "count", "warm_up_usec", "interrupted", "elapsed_usec",
	"greetings_per_second", "sent", "answered", "errors", "wrong_answer", "under_way", "unsent", "connections_made",
	"connections_most", "short_of_connections_usec", "cpu_usec", "latency_nsec", "connecting_nsec", "histogram"]) == []'

ends 'refused at once' 5 -n 100 --id 101
is 'refused at once: why' "$err" \
	"sockctl: 127.0.0.1:$SOCKCTL_PORT refused: ERR id client numbers have no sign or leading zero and run from 1 to 100"
ends 'some are refused' 5 -n 20 -c 2 --id 100,101 --json
json 'some are refused: the others are answered' '.errors.refused > 0 and .answered > 0
	and .sent == .answered + .errors.refused + .errors.closed and (.wrong_answer | startswith("ERR id"))'
(
	ulimit -n 64
	bench -c 100
	[ "$status" -eq 2 ] && matches "$err" '--connections 100: this process may have [0-9]+ open'
)
ok 'more connections than descriptors are refused' test $? -eq 0

start bench "$sockctl" bench --config /nonexistent -d 1min --id 42
until_true greeted 42 || bail_out 'bench does not start'
stop bench INT
is 'an interrupt: exit status' "$status" 130
ok 'an interrupt: the summary' grep -q ' greetings/s, ' "$tmp/bench.out"

start bench "$sockctl" bench --config /nonexistent -n 100000000 --timeout 300ms --id 43
until_true greeted 43 || bail_out 'bench does not start'
stop greeterd KILL
join bench
ok 'a server that is killed: losses' test "$status" -eq 1
ok 'a server that is killed: what was lost' grep -q ' lost: the connection was closed$' "$tmp/bench.out"
ok 'a server that is killed: given up' grep -q '^Given up: no connection for 300ms, ' "$tmp/bench.out"
ends 'nobody there' 3 -n 10
is 'nobody there: what is said' "$err" "sockctl: cannot reach 127.0.0.1:$SOCKCTL_PORT: Connection refused"
ends 'a command line without sense' 2 --connect-each -P 2

for mode in br lf bare; do
	serve_exercise $mode
	ends "replies of the kind $mode" 0 -n 200 -c 5
	ok "replies of the kind $mode: all are answered" matches "$out" '200 answered, none lost'
	stop $mode
done
for mode in close bare-close; do
	serve_exercise $mode
	ends "replies of the kind $mode, each on its own connection" 0 -n 200 -c 5 --connect-each
	ends "replies of the kind $mode, on one connection" 1 -n 20 -c 5
	ok "replies of the kind $mode, on one connection: what helps" matches "$out" 'see --connect-each'
	stop $mode
done
serve_exercise silent
ends 'a silent server' 3 -n 10 --timeout 200ms
stop silent
serve_exercise http
ends 'not the protocol' 4 -n 10
stop http
serve_exercise busy
ends 'a full server' 5 -n 10
stop busy
serve_exercise odd
ends 'one that answers odd numbers' 1 -n 4 -c 2 --id 1,2 --timeout 200ms --json
json 'one that answers odd numbers: the others are lost' '.answered + .errors.timeout == 4 and .errors.timeout > 0'
stop odd
serve_exercise slow
ends 'a rate that is too high' 1 --rate 1000 -c 2 -d 300ms --timeout 500ms
ok 'a rate that is too high: what was not sent' matches "$out" '[0-9]+ due and never sent: the server did not keep up'
stop slow

# in_few_ports ARGUMENT...: bench in a network of its own, with twenty local ports.
in_few_ports()
{
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --map-root-user --net bash -euc '
		ip link set lo up
		echo 40000 40019 >/proc/sys/net/ipv4/ip_local_port_range
		exercise=$1 sockctl=$2 out=$3
		shift 3
		"$exercise" lf >"$out" &
		while [[ ! -s $out ]]; do sleep 0.02; done
		status=0
		"$sockctl" bench --config /nonexistent --port "$(head -n 1 "$out")" "$@" || status=$?
		kill $!
		exit $status' _ "$exercise" "$sockctl" "$tmp/few.out" "$@"
}

unset SOCKCTL_PORT
if unshare --map-root-user --net ip link set lo up 2>/dev/null; then
	in_few_ports -c 30 -n 500
	is 'more connections than ports: exit status' "$status" 0
	ok 'more connections than ports: all are answered' matches "$out" '500 answered, none lost'
	ok 'more connections than ports: what is said' matches "$out" 'this end could open no more connections: Cannot assign'
	ok 'more connections than ports: how many there were' matches "$out" 'No more than 1[0-9] connections were open'
else
	skip 'more connections than ports' 'no network namespace can be made'
fi

done_testing
