# shellcheck shell=bash disable=SC2034 # some of what it sets is for its users
# tap.sh: a small TAP library for tests of whole programs. To be sourced by bash.
#
# Programs run as `run PROGRAM ARGUMENT...` (in front, with its output in $out and $err, its exit status in $status)
# or `start NAME PROGRAM ARGUMENT...` (behind, its output in $tmp/NAME.out and .err, its pid in ${pids[NAME]}).
# What WRAP names, say "valgrind -q --error-exitcode=99", is put in front of both. Nothing is waited for without
# end: what runs longer than $patience seconds is killed. Whatever still runs at the end is ended by pid, and $tmp
# removed.

set -u
wrap=${WRAP:-}
patience=$((${#wrap} > 0 ? 240 : 60))
export LC_ALL=C
unset SOCKCTL_HOST SOCKCTL_PORT

tmp=$(mktemp -d "${TMPDIR:-/tmp}/greeterd-test.XXXXXX")
declare -A pids=()
cases=0 failures=0 out='' err='' status=0

cleanup()
{
	local name

	for name in "${!pids[@]}"; do
		stop "$name" KILL
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# ok DESCRIPTION COMMAND...: a case that passes when the command does.
ok()
{
	local description=$1
	shift
	cases=$((cases + 1))
	if "$@"; then
		echo "ok $cases - $description"
		return 0
	fi
	failures=$((failures + 1))
	echo "not ok $cases - $description"
	printf '# failed: %s\n' "$*"
	printf 'status %s\nout: %s\nerr: %s\n' "$status" "$out" "$err" | head -n 40 | sed 's/^/# /'
	return 1
}

# is DESCRIPTION ACTUAL EXPECTED: a case that passes when both are the same text.
is()
{
	ok "$1" test "$2" = "$3" || printf 'got:      %q\nexpected: %q\n' "$2" "$3" | sed 's/^/# /'
}

# matches TEXT REGEX
matches()
{
	[[ $1 =~ $2 ]]
}

skip()
{
	cases=$((cases + 1))
	echo "ok $cases - $1 # SKIP $2"
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# bail_out WHY: what the test stands on is missing.
bail_out()
{
	echo "Bail out! $1"
	exit 1
}

# The last line of every test.
done_testing()
{
	echo "1..$cases"
	[ "$failures" -eq 0 ]
	exit
}

run()
{
	# shellcheck disable=SC2086 # a command with its arguments
	timeout --foreground --signal=KILL "$patience" $wrap "$@" >"$tmp/run.out" 2>"$tmp/run.err" </dev/null
	status=$?
	out=$(cat "$tmp/run.out")
	err=$(cat "$tmp/run.err")
}

start()
{
	local name=$1
	shift
	: >"$tmp/$name.out" 2>"$tmp/$name.err" # here, for what one of this name said before must not be waited for
	# shellcheck disable=SC2086
	$wrap "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
	pids[$name]=$!
}

# stop NAME [SIGNAL]: ends what start began (TERM); its exit status in $status.
stop()
{
	kill -s "${2:-TERM}" "${pids[$1]}" 2>/dev/null
	join "$1"
}

# join NAME: waits for its own end; its exit status in $status.
join()
{
	until_true ended "${pids[$1]}" || kill -s KILL "${pids[$1]}"
	wait "${pids[$1]}" 2>/dev/null
	status=$?
	unset "pids[$1]"
}

# shellcheck disable=SC2317 # until_true runs it
ended()
{
	! kill -0 "$1" 2>/dev/null
}

# until_true COMMAND...: tries again every 20 ms, for 10 s at most (more under WRAP).
until_true()
{
	local tries=$((${#wrap} > 0 ? 3000 : 500))

	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.02
	done
}

# A TCP port of 127.0.0.1 that nothing listens on; another one each time.
free_port()
{
	local port

	while :; do
		port=$((20000 + RANDOM % 12000))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "$port"
			return
		fi
	done
}
