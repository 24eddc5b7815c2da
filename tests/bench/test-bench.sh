#!/bin/bash
# The benchmark itself: that it counts right, that it sees a wrong reply, and that a short round of it gives sane figures.
# Nothing here says how fast anything is.

# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

here=$(cd "$(dirname "$0")" && pwd)
programs=$(cd "${top_builddir:-.}/tests/bench" && pwd)
command -v python3 >/dev/null || skip_all 'no python3'
command -v jq >/dev/null || skip_all 'no jq'

# holds FILTER: whether jq finds it true of $json.
# shellcheck disable=SC2317 # ok runs it
holds()
{
	jq --exit-status "$1" <<<"$json" >/dev/null
}

# drive ARGUMENT...: fifty milliseconds of load on bare; what it prints in $json.
drive()
{
	run "$programs/drive" --port="$port" --seconds=50ms --warmup=0 --request=$'I am client #\n' "$@"
	json=$out
}

# shellcheck disable=SC2317 # until_true runs it
answers()
{
	"$programs/drive" --port="$port" --seconds=1ms --warmup=0 --request=$'\n' --answer=$'I am SERVER\n' >/dev/null 2>&1
}

out=$(python3 "$here/test-stats.py")
ok 'the statistics' test $? -eq 0

port=$((20000 + $$ % 12000))
start bare "$programs/bare" $port
until_true answers || bail_out "bare does not answer on port $port"

drive --answer=$'I am SERVER\n' --connections=20 --depth=4 --numbers=20 --pids="${pids[bare]}"
ok 'replies are counted' holds '.answered > 0 and .answered == .sent and .per_second > 0 and ([.errors[]] | add) == 0'
ok 'and how long they took' holds '.latency_ns | 0 < .p50 and .p50 <= .p99 and .p99 <= ."p99.9" and ."p99.9" <= .max'
drive --answer=$'I am SERVER\n' --connect-each --connections=4
ok 'a connection for each' holds '.answered > 0 and ([.errors[]] | add) == 0'
drive --answer=$'I am SERVES\n'
ok 'a reply that differs in one byte is wrong' holds '.errors.wrong > 0'
drive --answer=$'I am SERVES\n' --varies=10:1
ok 'unless that byte may vary' holds '.answered > 0 and .errors.wrong == 0'
drive --answer=$'I am SERVES\n' --varies=10:9
is 'what may vary lies within the answer' "$status" 2
stop bare

bench()
{
	timeout --kill-after=10 120 python3 "$here/run" --build "${top_builddir:-.}" "$@" >"$tmp/run.out" 2>"$tmp/run.err"
	status=$?
	out=$(cat "$tmp/run.out") err=$(cat "$tmp/run.err")
}

bench --scenarios c51
is 'a scenario that there is not' "$status" 2
if [[ $(id -u) -ne 0 ]] || ! unshare --net --mount --ipc --pid --fork true 2>/dev/null; then
	skip 'a short round' 'no namespaces here'
	done_testing
fi

bench --servers apache --scenarios c1
ok 'a server that there is not' matches "$status $err" '^1 .*no server is called apache'

bench --servers "bare,bare2,naive,greeterd,greeterd-b=$top_builddir/src/greeterd/greeterd+journal_burst=0" --rounds 1 \
	--seconds 0.2 --scenarios c50,connect,start --json "$tmp/a.json" --markdown "$tmp/a.md"
is 'a short round' "$status" 0
json=$(cat "$tmp/a.json")
ok 'each server in each round' holds '.scenarios.connect.rounds | length == 5 and all(.[]; length == 1)'
ok 'each replied' holds '[.scenarios[].rounds[][] | select(has("answered")) | .answered > 0 and .answered == .sent] | all'
ok 'CPU time is counted' holds '[.scenarios.c50.rounds[][] | .server_busy > 0 and .load_busy > 0] | all'
ok 'a server of one client at a time is left out' holds '.scenarios.c50 | .unsuited.naive and (.rounds.naive | not)'
ok 'starting takes time' holds '.scenarios.start.rounds | .bare[0].ns > 0 and .greeterd[0].ns > 0'
ok 'as Markdown' grep -qE '^\| greeterd-b \| [0-9,]+ \| [0-9.]+ \([0-9.]+–[0-9.]+\) \|' "$tmp/a.md"

shown=$out
bench --show "$tmp/a.json"
is 'it can be shown again' "$out" "$shown"
printf '%s\n' before '<!-- what make bench said: -->' old '<!-- until here -->' after >"$tmp/README"
bench --show "$tmp/a.json" --readme "$tmp/README"
ok 'an overview where the marks are' matches "$(cat "$tmp/README")" $'^before\n<!--[^\n]*-->\n.*greeterd-b.*-->\nafter$'
ok 'instead of the last one' matches "$status $(grep -cx old "$tmp/README")" '^0 0$'
if command -v gnuplot >/dev/null; then
	bench --show "$tmp/a.json" --plot "$tmp/a.svg"
	ok 'as a picture' grep -q '</svg>' "$tmp/a.svg"
else
	skip 'as a picture' 'no gnuplot'
fi

done_testing
