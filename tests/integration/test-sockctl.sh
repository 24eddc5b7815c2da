#!/bin/bash
# sockctl against servers of the original exercise, and against none.

# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

hello()
{
	run "$sockctl" hello --config /nonexistent "$@"
}

# says DESCRIPTION STATUS OUT ERR ARGUMENT...: what hello prints and how it exits.
says()
{
	local description=$1 expected_status=$2 expected_out=$3 expected_err=$4
	shift 4
	hello "$@"
	is "$description: standard output" "$out" "$expected_out"
	is "$description: standard error" "$err" "$expected_err"
	is "$description: exit status" "$status" "$expected_status"
}

count_lines()
{
	grep -c -- "$1" "$2"
}

three_answers=$'client 1: I am SERVER\nclient 2: I am SERVER\nclient 3: I am SERVER'

serve_exercise br
says 'one client' 0 'I am SERVER' '' --id 2
is 'the greeting on the wire' "$(grep got "$tmp/br.out")" 'got I am client 2\n'
says 'three clients' 0 "$three_answers" '' --id 1-3
says 'a list' 0 $'client 1: I am SERVER\nclient 4: I am SERVER\nclient 9: I am SERVER' '' --id 4,9,1
says 'unnumbered' 0 'I am SERVER' ''
is 'the unnumbered greeting on the wire' "$(tail -n 2 "$tmp/br.out" | head -n 1)" 'got I am client\n'
says 'quiet' 0 '' '' --id 2 --quiet
hello --id 2 --verbose
is 'verbose leaves standard output alone' "$out" 'I am SERVER'
ok 'verbose tells greeting, address and time' matches "$err" \
	"sent \"I am client 2\" to 127.0.0.1:$SOCKCTL_PORT \(connected in [0-9.]+ ms\), answered in [0-9.]+ ms"
says 'another reply is right' 4 '' \
	"sockctl: 127.0.0.1:$SOCKCTL_PORT answered \"I am SERVER\", which is not \"Hello\"" --reply Hello
port=$SOCKCTL_PORT
SOCKCTL_HOST=127.0.0.2 SOCKCTL_PORT=9 says 'flags beat the environment' 0 'I am SERVER' '' \
	--host 127.0.0.1 --port "$port"
SOCKCTL_HOST=127.0.0.1 says 'the environment' 0 'I am SERVER' ''

hello --id 1-2 --count 3 --interval 10ms
is 'counting: a line for each' "$(grep -c '^I am SERVER: client [12], seq [123], 127.0.0.1:' <<<"$out")" 6
ok 'counting: the sum' matches "$out" $'\nsent 6, answered 6, lost 0, refused 0\n'
ok 'counting: percentiles' matches "$out" 'round trip: min .*, avg .*, p50 .*, p99 .*, max .* ms'
is 'counting: nothing on standard error' "$err" ''
accepted=$(count_lines accept "$tmp/br.out")
hello --count 5 --interval 0
is 'one connection for all greetings of a client' "$(count_lines accept "$tmp/br.out")" $((accepted + 1))

hello --id 1-1000
is 'a thousand clients: exit status' "$status" 0
is 'a thousand clients in order' "$out" "$(seq -f 'client %.0f: I am SERVER' 1000)"
(
	ulimit -n 64
	hello --id 1-300
	[ "$status" -eq 0 ] && [ "$(wc -l <<<"$out")" -eq 300 ]
)
is 'more clients than descriptors take turns' $? 0
(
	ulimit -n 64
	hello --id 1-100 --count 2 --interval 0
	[ "$status" -eq 0 ] && matches "$out" 'sent 200, answered 200, lost 0'
)
is 'more clients than descriptors take turns, counting' $? 0

hello --id 2 --json
ok 'JSON' matches "$out" '^\{"schema_version":1,"event":"greeting","time":"2[-0-9]+T[0-9:]+\.[0-9]{6}Z","id":2,"seq":1,'\
'"result":"answered","address":"127\.0\.0\.1:[0-9]+","connect_usec":[0-9]+,"reply":"I am SERVER","rtt_usec":[0-9]+\}$'
hello --count 2 --interval 0 --json
is 'JSON: an object for each and one for the sum' "$(wc -l <<<"$out")" 3
ok 'JSON: the sum' matches "$out" $'\n''\{"schema_version":1,"event":"summary",.*"sent":2,"answered":2,.*"longest_outage_usec":0\}$'

start interrupted "$sockctl" hello --count 0 --interval 10ms
until_true grep -qs 'seq 3' "$tmp/interrupted.out" || true
stop interrupted TERM
is 'a signal ends with its status' "$status" 143
ok 'a signal is followed by the sum' grep -q '^sent [1-9]' "$tmp/interrupted.out"

run bash -c '"$@" | head -n 1; echo "${PIPESTATUS[0]}"' - "$sockctl" hello --count 0 --interval 0
ok 'a reader that goes away ends it' matches "$out" $'seq 1, .*\n141$'
is 'a reader that goes away: quietly' "$err" ''
run bash -c '"$@" >/dev/full' - "$sockctl" hello
is 'a full disk: exit status' "$status" 1
is 'a full disk: said' "$err" 'sockctl: cannot write to standard output: No space left on device'
run bash -c '"$@" >&-' - "$sockctl" hello
is 'no standard output: exit status' "$status" 1
stop br

for mode in lf bare bare-close close slow twice; do
	serve_exercise $mode
	says "$mode" 0 "$three_answers" '' --id 1-3
	hello --count 3 --interval 100ms # time for the server to close, where it does
	ok "$mode: counted right" matches "$out" 'sent 3, answered 3, lost 0, refused 0'
	stop $mode
done

serve_exercise late-first
says 'in order though the first answers last' 0 "$three_answers" '' --id 1-3
stop late-first

serve_exercise odd
says 'some lost' 1 $'client 1: I am SERVER\nclient 3: I am SERVER' \
	"sockctl: client 2: 127.0.0.1:$SOCKCTL_PORT: no reply within 1s" --id 1-3 --timeout 1s
hello --id 2 --count 2 --interval 0 --timeout 50ms
ok 'lost greetings are summed' matches "$out" 'sent 2, answered 0, lost 2 \(100 %\)'
ok 'their outage too' matches "$out" 'longest outage: (0\.[1-9]|[1-9])'
is 'all lost' "$status" 3
is 'a lost greeting ends its connection' "$(grep -c 'got I am client 2' "$tmp/odd.out")" 3
hello --id 1-200 --timeout 2s
is 'of many, half lost: each client has its line' "$(wc -l <<<"$out") $(wc -l <<<"$err")" '100 100'
is 'of many, half lost: exit status' "$status" 1
is 'who was answered greets no more' "$(grep -c 'got I am client 1\\n' "$tmp/odd.out")" 2
stop odd

serve_exercise silent
says 'silence' 3 '' "sockctl: 127.0.0.1:$SOCKCTL_PORT: no reply within 50ms" --timeout 50ms
stop silent
serve_exercise hangup
says 'closed without a reply' 3 '' "sockctl: 127.0.0.1:$SOCKCTL_PORT closed the connection without a reply"
stop hangup
serve_exercise half
says 'half a reply' 4 '' "sockctl: 127.0.0.1:$SOCKCTL_PORT answered \"I am SER\", which is not \"I am SERVER\""
stop half
serve_exercise http
says 'HTTP' 4 '' \
	"sockctl: 127.0.0.1:$SOCKCTL_PORT answered \"HTTP/1.1 400 Bad Request\", which is not \"I am SERVER\""
stop http
serve_exercise binary
says 'bytes are escaped' 4 '' \
	"sockctl: 127.0.0.1:$SOCKCTL_PORT answered \"\\xff\\xfe\\x1b[31m\\x80\", which is not \"I am SERVER\""
hello --json
ok 'bytes are escaped in JSON' matches "$out" '"result":"foreign",.*"reply":"\\\\xff\\\\xfe'
stop binary
serve_exercise id
says 'refused' 5 '' \
	"sockctl: 127.0.0.1:$SOCKCTL_PORT refused: ERR id client numbers run from 1 to 65535" --id 70000
says 'refused, quietly' 5 '' \
	"sockctl: 127.0.0.1:$SOCKCTL_PORT refused: ERR id client numbers run from 1 to 65535" --id 70000 -q
stop id
serve_exercise busy
says 'refused unasked' 5 '' "sockctl: 127.0.0.1:$SOCKCTL_PORT refused: ERR busy too many connections"
stop busy

WRAP='' start unix "$exercise" lf "$tmp/socket"
until_true test -s "$tmp/unix.out"
says 'a Unix socket' 0 "$three_answers" '' --id 1-3 --unix "$tmp/socket"
stop unix
says 'a Unix socket that nobody listens on' 3 '' "sockctl: cannot reach $tmp/socket: Connection refused" --unix "$tmp/socket"
says 'a Unix socket that is missing' 3 '' "sockctl: cannot reach $tmp/none: No such file or directory" --unix "$tmp/none"

port=$(free_port)
unset SOCKCTL_PORT
says 'nobody listens' 3 '' "sockctl: cannot reach 127.0.0.1:$port: Connection refused" --port "$port"
if getent ahosts localhost >/dev/null; then
	hello --host localhost --port "$port"
	ok 'a name is told with its addresses' matches "$err" \
		"^sockctl: cannot reach localhost port $port: .*127\.0\.0\.1:$port: Connection refused"
	is 'a name that nobody answers for: exit status' "$status" 3
else
	skip 'a name is told with its addresses' 'no address for localhost'
fi
hello --host no-such-host.invalid
ok 'a name that does not resolve' matches "$err" "^sockctl: cannot resolve 'no-such-host.invalid': "
is 'a name that does not resolve: exit status' "$status" 3

for usage in '--id 0' '--id 3-1' '--id x' '--port 0' '--port 65536' '--port http' '--count -1' '--count 1x' \
	'--interval soon --count 1' '--interval 1s' '--timeout 0' '--timeout -1s' '-4 -6' '--unix x --port 8080' \
	'-q -v' '-q --json' '--nonsense' '2' '--reply=' '--unix=' '--host='; do
	# shellcheck disable=SC2086
	hello $usage
	is "usage: $usage: exit status" "$status" 2
	ok "usage: $usage: said in one line" matches "$err" $'^sockctl[^\n]+$'
done
SOCKCTL_PORT=x hello
is 'a bad port in the environment' "$status:$err" "2:sockctl: SOCKCTL_PORT 'x': ports run from 1 to 65535"

run "$sockctl"
is 'no command' "$status" 2
run "$sockctl" helo
is 'an unknown command' "$status:$err" "2:sockctl: there is no command 'helo'; did you mean 'hello'?"
run "$sockctl" --version
ok 'the version' matches "$out" '^sockctl [0-9.]+$'
run "$sockctl" --help
ok 'the help' matches "$out" '^Usage: sockctl .*hello'
run "$sockctl" help hello
ok 'the help of a command' matches "$out" '^Usage: sockctl hello .*--id=LIST'

done_testing
