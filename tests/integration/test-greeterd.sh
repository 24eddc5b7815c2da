#!/bin/bash
# greeterd as systemd starts it and as a person does, against nc and sockctl.

# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

crowd=$top_builddir/tests/integration/crowd
config=$tmp/greeterd.conf
nc=$(command -v nc) || skip_all 'no nc'

# A second address of this machine: of IPv6, where there is that.
if grep -qs '^0\{31\}1 ' /proc/net/if_inet6; then
	second=::1 in_settings='[::1]' in_log='\[::1\]'
else
	second=127.0.0.2 in_settings=127.0.0.2 in_log=127.0.0.2
fi

# settings LINE...: the settings file of the next greeterd, which has $WORKERS workers, if that is set.
settings()
{
	printf '%s\n' "$@" ${WORKERS:+"workers = $WORKERS;"} >"$config"
}

# logged REGEX: whether a line of the server's log is that.
# shellcheck disable=SC2317 # ok and until_true run it
logged()
{
	grep -qE "^($1)\$" "$tmp/server.err"
}

# connected COUNT: whether the server has taken at least so many connections.
# shellcheck disable=SC2317 # until_true runs it
connected()
{
	[ "$(grep -c '^client at .* connected$' "$tmp/server.err")" -ge "$1" ]
}

# by_hand LINE...: a greeterd with these settings besides its port, which is in $port.
by_hand()
{
	port=$(free_port)
	settings "port = $port;" "$@"
	start server "$greeterd" --config "$config" -v
	until_true logged 'listening on .*' || bail_out "greeterd does not start: $(cat "$tmp/server.err")"
}

# activated [OPTION...]: a systemd-socket-activate that starts greeterd at the first connection to $port. --state-dir
# is greeterd's.
activated()
{
	local option ours=()

	for option; do
		shift
		case $option in
		--state-dir=*) ours+=("$option") ;;
		*) set -- "$@" "$option" ;;
		esac
	done
	port=$(free_port)
	local inner=$wrap wrap='' # what wraps greeterd must not wrap systemd-socket-activate

	# shellcheck disable=SC2086 # a command with its arguments
	start server "$SOCKET_ACTIVATE" --listen="127.0.0.1:$port" --listen="$in_settings:$port" "$@" \
		$inner "$greeterd" --config "$config" "${ours[@]}"
	until_true grep -q "Listening on $in_log" "$tmp/server.err" || bail_out 'systemd-socket-activate does not start'
}

# ended_by_a_datagram: sends one to $port; whether the server is gone.
# shellcheck disable=SC2317 # until_true runs it
ended_by_a_datagram()
{
	echo | timeout 5 "$nc" -u -w 1 127.0.0.1 "$port"
	! readlink -e "/proc/${pids[server]}/exe" >/dev/null
}

# says DESCRIPTION INPUT EXPECTED NC-ARGUMENT...: the bytes that come back, one character of $'…' for each.
says()
{
	local description=$1 input=$2 expected=$3
	shift 3
	out=$(printf '%b' "$input" | timeout 20 "$nc" "$@" && echo .)
	is "$description" "$out" "$expected."
}

# keeps_open DESCRIPTION INPUT EXPECTED: the same from a client that never ends its side.
keeps_open()
{
	local description=$1 input=$2 expected=$3
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf '%b' "$input" >&3
	IFS= read -r -t 20 -u 3 out
	exec 3>&-
	is "$description" "$out" "$expected"
}

# --- as systemd starts it

settings ''
if [ -n "$SOCKET_ACTIVATE" ]; then
	activated
	is 'nothing runs before the first greeting' "$(basename "$(readlink "/proc/${pids[server]}/exe")")" \
		systemd-socket-activate
	run "$sockctl" hello --port "$port" --host 127.0.0.1 --id 2
	is 'sockctl hello --id 2: standard output' "$out" 'I am SERVER'
	is 'sockctl hello --id 2: standard error' "$err" ''
	is 'sockctl hello --id 2: exit status' "$status" 0
	run "$sockctl" hello --port "$port" --host 127.0.0.1 --id 1-3
	is 'three clients in order' "$out" $'client 1: I am SERVER\nclient 2: I am SERVER\nclient 3: I am SERVER'
	run "$sockctl" hello --port "$port" --host "$second" --id 4
	is 'over the second socket' "$out" 'I am SERVER'
	ok 'says what it was handed' logged "listening on 127.0.0.1:$port, $in_log:$port, handed over by systemd"
	ok 'logs the greeting' until_true logged 'client 2 at 127.0.0.1:[0-9]+: I am client 2'
	ok 'logs the disconnect' until_true logged 'client 2 at 127.0.0.1:[0-9]+ disconnected'
	stop server
	is 'ends well on SIGTERM' "$status" 0

	start notified "$nc" -l -k -u -U "$tmp/notify"
	until_true test -S "$tmp/notify"
	activated -E NOTIFY_SOCKET="$tmp/notify"
	run "$sockctl" hello --port "$port" --host 127.0.0.1
	ok 'tells systemd that it is ready' until_true grep -q '^READY=1$' "$tmp/notified.out"
	ok 'tells systemd how it stands' grep -q '^STATUS=0 connected, 0 greetings' "$tmp/notified.out"
	stop server
	ok 'tells systemd that it is stopping' until_true grep -q 'STOPPING=1$' "$tmp/notified.out"
	stop notified

	activated --datagram
	ok 'no stream socket among those handed over: ends' until_true ended_by_a_datagram
	stop server
	is 'no stream socket among those handed over: exit status' "$status" 78
	ok 'no stream socket among those handed over: says so' logged 'descriptor 3 \(.*\) is no listening stream socket.*'
else
	skip 'socket activation' 'no systemd-socket-activate'
fi

# shellcheck disable=SC2016 # the inner shell's own pid
run bash -c 'SYSTEMD_EXEC_PID=$$ exec "$@"' sh "$greeterd" --config "$config"
is 'started by systemd without a socket: exit status' "$status" 78
ok 'started by systemd without a socket: says what to run' matches "$err" 'systemctl start greeterd\.socket'

# --- settings: kept, broken, reloaded

# reloaded REGEX: tells the server to reload and waits for that line.
# shellcheck disable=SC2317 # ok runs it
reloaded()
{
	kill -s HUP "${pids[server]}"
	until_true logged "$1"
}

if [ -n "$SOCKET_ACTIVATE" ]; then
	mkdir "$tmp/state"
	start notified "$nc" -l -k -u -U "$tmp/notify2"
	until_true test -S "$tmp/notify2"
	settings 'reply = "kept";'
	activated -E NOTIFY_SOCKET="$tmp/notify2" --state-dir="$tmp/state"
	run "$sockctl" hello --port "$port" --host 127.0.0.1
	is 'keeps the settings it runs with' "$(grep -c 'reply = "kept"' "$tmp/state/last-good.conf")" 1
	ok 'other sockets than the settings name: says how to mend it' until_true logged \
		"listening on 127.0.0.1:$port, $in_log:$port, which is not what the settings name; to mend it: systemctl daemon-reload && systemctl restart greeterd.socket"
	exec 4<>"/dev/tcp/127.0.0.1/$port"
	until_true grep -q '^STATUS=1 connected' "$tmp/notified.out"
	settings 'reply = "half' 'nonsense = 1;'
	ok 'a bad file: says that the settings before stay' reloaded 'the settings before stay in force'
	ok 'a bad file: says the line' logged "$config:1: .*"
	ok 'a bad file: the status says so' until_true grep -q "not reloaded: $config:1" "$tmp/notified.out"
	echo 'I am client 2' >&4
	IFS= read -r -t 20 -u 4 out
	is 'a bad file: nothing changes' "$out" 'kept'
	exec 4>&-
	stop server
	ok 'a reload is told with its time' grep -q '^MONOTONIC_USEC=[0-9]' "$tmp/notified.out"
	stop notified

	activated --state-dir="$tmp/state"
	run "$sockctl" hello --port "$port" --host 127.0.0.1
	says 'a bad file at the start: the last good settings serve' 'I am client 2\n' $'kept\n' -N 127.0.0.1 "$port"
	ok 'a bad file at the start: says whose settings these are' logged \
		"serving on the last good settings: $tmp/state/last-good.conf"
	ok 'a bad file at the start: says the line' logged "$config:1: .*"
	settings 'reply = "mended";'
	ok 'a mended file is taken' reloaded 'settings reloaded'
	says 'a mended file is in force' 'I am client 2\n' $'mended\n' -N 127.0.0.1 "$port"
	stop server

	settings 'prot = 1;'
	activated --state-dir="$tmp/nowhere"
	says 'no settings at all: who waits is told so' 'I am client 2\n' $'ERR shutdown the server is stopping\n' \
		-N 127.0.0.1 "$port"
	join server
	is 'no settings at all: exit status' "$status" 78
	ok 'no settings at all: says the line' logged "$config:1: prot: .*"

	settings 'idle_exit = "1h";'
	activated
	run "$sockctl" hello --port "$port" --host 127.0.0.1
	until_true logged 'client at .* disconnected'
	settings 'idle_exit = "100ms";'
	ok 'a reload changes when the idle exit' reloaded 'settings reloaded'
	join server
	is 'idle: exits well' "$status" 0
	ok 'idle: says so' logged 'nobody is connected: exiting until somebody is'
else
	skip 'settings kept and broken' 'no systemd-socket-activate'
fi

by_hand 'listen = [ "127.0.0.1" ];'
exec 4<>"/dev/tcp/127.0.0.1/$port"
settings "port = $((port + 1));" 'listen = [ "127.0.0.2" ];' 'max_id = 7;' 'reply = "Hello";'
ok 'a reload by hand: names what waits for a restart' \
	reloaded 'settings reloaded; waiting for a restart: port, listen, max_id'
printf 'I am client 8\n' >&4
IFS= read -r -t 20 -u 4 out
is 'a reload by hand: the reply is new, the highest number is not' "$out" 'Hello'
settings "port = $port;" 'listen = [ "127.0.0.1" ];'
ok 'a reload by hand: nothing waits any more' reloaded 'settings reloaded'
exec 4>&-
rm "$config"
ok 'a reload without a file: says so' reloaded "$config: .*No such file or directory.*"
settings ''
stop server
is 'ends well after reloads' "$status" 0
settings "port = $port;" 'listen = [ "127.0.0.1" ];'
start server "$greeterd" --config "$config" --state-dir "$tmp/nowhere"
ok 'a state folder that is not there: says so and serves' \
	until_true logged "cannot keep the settings in $tmp/nowhere: No such file or directory"
ok 'a state folder that is not there: listens' until_true logged 'listening on .*'
stop server

# A roll whose every record has a word that does not belong there.
settings "port = $port;" 'listen = [ "127.0.0.1" ];' 'max_id = 500;'
mkdir "$tmp/damaged"
start server "$greeterd" --config "$config" --state-dir "$tmp/damaged"
ok 'a damaged roll: it was begun' until_true logged 'listening on .*'
stop server
printf 'damaged%.0s ' {1..4000} | dd of="$tmp/damaged/roll" bs=4096 seek=1 conv=notrunc status=none
start server "$greeterd" --config "$config" --state-dir "$tmp/damaged"
until_true logged 'listening on .*'
run "$sockctl" bench --host 127.0.0.1 --port "$port" --id 1-200 --connections 200 --duration 200ms
is 'a damaged roll: all are greeted' "$status" 0
stop server
is 'a damaged roll: ends well' "$status" 0
is 'a damaged roll: says so of some clients' \
	"$(grep -cE '^the record of client [0-9]+ is damaged; its count of [0-9]+ is given up, and begins anew$' "$tmp/server.err")" 20

# --- as a person starts it: the protocol

by_hand "listen = [ \"127.0.0.1\", \"$in_settings\", \"$tmp/socket\" ];"
ok 'listens where the settings say' logged "listening on 127.0.0.1:$port, $in_log:$port, $tmp/socket"
says 'the original exercise' 'I am CLIENT<br>' 'I am SERVER<br>' -N 127.0.0.1 "$port"
says 'without an end, half-closed' 'I am CLIENT' $'I am SERVER\n' -N 127.0.0.1 "$port"
keeps_open 'without an end, kept open' 'I am client 7' 'I am SERVER'
keeps_open 'the original exercise, kept open' 'I am CLIENT' 'I am SERVER'
says 'ends mixed, an error among them' 'I am client 1\r\nI am client 2\nnonsense\nI am client 3<br>' \
	$'I am SERVER\r\nI am SERVER\nERR syntax a greeting reads: I am client 2\nI am SERVER<br>' -N 127.0.0.1 "$port"
says 'any letter case' 'i AM cLIENT 9\n' $'I am SERVER\n' -N 127.0.0.1 "$port"
says 'ids out of range' 'I am client 0\nI am client 65536\nI am client 65535\n' \
	$'ERR id client numbers have no sign or leading zero and run from 1 to 65535\nERR id client numbers have no sign or leading zero and run from 1 to 65535\nI am SERVER\n' \
	-N 127.0.0.1 "$port"
says 'a line too long' "$(printf 'x%.0s' {1..129})" \
	$'ERR long a greeting has at most 128 bytes and ends with a newline\n' -N 127.0.0.1 "$port"
if [ "$second" = ::1 ]; then
	says 'over IPv6' 'I am client 1\n' $'I am SERVER\n' -N ::1 "$port"
else
	skip 'over IPv6' 'no IPv6 here'
fi
says 'over AF_UNIX' 'I am client 1\n' $'I am SERVER\n' -N -U "$tmp/socket"
says 'nothing at all' '' '' -N 127.0.0.1 "$port"
says 'hostile bytes' '\x1b[2J\x00\xff\n' $'ERR syntax a greeting reads: I am client 2\n' -N 127.0.0.1 "$port"
ok 'hostile bytes are escaped in the log' logged 'client at 127.0.0.1:[0-9]+ refused \(syntax\): \\x1b\[2J\\0\\xff'
out=$(yes 'I am client 5' | head -n 50000 | timeout 60 "$nc" -N 127.0.0.1 "$port" | sort | uniq -c | sed 's/^ *//')
is 'fifty thousand pipelined, each answered' "$out" '50000 I am SERVER'

run "$sockctl" hello --port "$port" --host 127.0.0.1 --id 1-1000 --timeout 30s
is 'a thousand clients at once: exit status' "$status" 0
is 'a thousand clients at once: all answered, in order' "$out" "$(seq -f 'client %.0f: I am SERVER' 1000)"
run "$sockctl" hello --unix "$tmp/socket" --id 3
is 'sockctl over AF_UNIX' "$out" 'I am SERVER'
run "$sockctl" hello --port "$port" --host 127.0.0.1 --id 65536
is 'refused by the server: exit status' "$status" 5
is 'refused by the server: nothing on standard output' "$out" ''

# --- its end

before=$(grep -c '^client at .* connected$' "$tmp/server.err")
exec 4<>"/dev/tcp/127.0.0.1/$port"
printf 'I am client 1\nI am client 2' >&4
exec 5<>"/dev/tcp/127.0.0.1/$port"
until_true connected $((before + 2))
stop server
is 'ends well with idle clients connected' "$status" 0
is 'answers what it had received' "$(timeout 20 cat <&4)" $'I am SERVER\nI am SERVER\nERR shutdown the server is stopping'
is 'tells the idle why' "$(timeout 20 cat <&5)" 'ERR shutdown the server is stopping'
exec 4>&- 5>&-
ok 'takes its AF_UNIX path away' test ! -e "$tmp/socket"
by_hand 'listen = [ "127.0.0.1" ];'
stop server INT
is 'ends well on SIGINT' "$status" 0

# --- limits

by_hand 'listen = [ "127.0.0.1" ];' 'max_connections = 1;'
exec 4<>"/dev/tcp/127.0.0.1/$port"
until_true connected 1
says 'one too many' 'I am client 1\n' $'ERR busy too many connections, try again later\n' -N 127.0.0.1 "$port"
exec 4>&-
stop server

by_hand 'listen = [ "127.0.0.1" ];' 'idle_timeout = "500ms";' 'greeting_timeout = "300ms";'
exec 4<>"/dev/tcp/127.0.0.1/$port"
is 'silence' "$(timeout 20 cat <&4)" 'ERR timeout waited too long for a greeting'
exec 4>&-
keeps_open 'a greeting that is not finished' 'I am cl' 'ERR timeout waited too long for a greeting'
stop server

by_hand 'listen = [ "127.0.0.1" ];' 'settle = "0";' 'greeting_timeout = "300ms";'
keeps_open 'settle can be turned off' 'I am client 7' 'ERR timeout waited too long for a greeting'

# --- command line and settings

run "$greeterd" --config "$config"
is 'the port is taken: exit status' "$status" 1
is 'the port is taken: says which' "$err" "cannot listen on 127.0.0.1:$port: Address already in use"
stop server
run "$greeterd" --config "$config" --check
is 'good settings pass --check' "$status" 0
settings 'port = "http";' 'prot = 1;'
run "$greeterd" --config "$config" --check
is 'bad settings: exit status' "$status" 78
ok 'bad settings: every line named' matches "$err" "$config:1: port: .*$config:2: prot: "
run "$greeterd" --config "$config"
is 'does not start on bad settings' "$status" 78
settings 'port = 9000;'
run "$greeterd" --config "$config" --dump-config
ok '--dump-config shows what is in force' matches "$out" 'port = 9000;'
run bash -c '"$@" >/dev/full' - "$greeterd" --config "$config" --dump-config
is '--dump-config to a full disk: exit status' "$status" 1
is '--dump-config to a full disk: said' "$err" 'greeterd: cannot write to standard output: No space left on device'
run "$greeterd" --nonsense
is 'an unknown option' "$status" 2
run "$greeterd" --version
ok '--version' matches "$out" '^greeterd [0-9]'

port=$(free_port)
settings "port = $port;" 'listen = [ "127.0.0.1" ];'
"$greeterd" --config "$config" <&- >&- 2>&- & # not under WRAP: valgrind needs its standard error
pids[server]=$!
# shellcheck disable=SC2317 # until_true runs it
answers()
{
	run "$sockctl" hello --host 127.0.0.1 --port "$port"
	[ "$out" = 'I am SERVER' ]
}
ok 'with closed standard descriptors, peers hear replies and nothing else' until_true answers
stop server

# --- ten thousand at rest

if [ -n "$wrap$INSTRUMENTED" ]; then
	skip 'ten thousand at rest' 'memory is not measured in an instrumented program'
elif [ "$(ulimit -H -n)" != unlimited ] && [ "$(ulimit -H -n)" -lt 10100 ]; then
	skip 'ten thousand at rest' "only $(ulimit -H -n) descriptors are allowed"
else
	# at_rest COUNT NAME: so many more connections that have greeted once.
	at_rest()
	{
		mkfifo "$tmp/$2.in"
		"$crowd" "$port" "$1" <>"$tmp/$2.in" >"$tmp/$2.out" 2>"$tmp/$2.err" &
		pids[$2]=$!
		until_true grep -q resting "$tmp/$2.out"
	}
	pss()
	{
		awk '/^Pss:/ { print $2 * 1024 }' "/proc/${pids[server]}/smaps_rollup"
	}
	# shellcheck disable=SC2317 # sleeps runs it
	switches()
	{
		awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/${pids[server]}/status"
	}
	by_hand 'listen = [ "127.0.0.1" ];' 'journal_burst = 10;'
	at_rest 1 first
	sleep 1.2 # the journal's second is over
	before=$(pss)
	ok 'ten thousand connect and greet' at_rest 10000 crowd
	sleep 2.5 # the last change of the status is told
	bytes=$((($(pss) - before) / 10000))
	echo "# $bytes bytes for each connection at rest"
	ok 'a connection at rest takes at most 200 bytes' test "$bytes" -le 200
	# shellcheck disable=SC2317 # ok runs them
	sleeps()
	{
		before=$(switches)
		sleep 1
		[ "$(switches)" = "$before" ]
	}
	# shellcheck disable=SC2317
	sleeps_but_for_the_bus() # which it looks for in vain every few seconds
	{
		sleeps || sleeps
	}
	ok 'ten thousand at rest do not wake it once in a second' sleeps_but_for_the_bus
	run "$sockctl" hello --host 127.0.0.1 --port "$port" --id 3
	is 'and another one is greeted' "$out" 'I am SERVER'
	stop crowd
	stop first
	stop server
	is 'ends well with them' "$status" 0
fi

done_testing
