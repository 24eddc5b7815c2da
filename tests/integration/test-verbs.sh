#!/bin/bash
# sockctl's verbs that go over D-Bus, against a greeterd that is not one, on a bus of its own.

# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

[[ -z $wrap ]] || skip_all 'a hundred starts of sockctl take minutes under another program; the sanitizers see them'


for program in dbus-daemon busctl jq script; do
	command -v "$program" >/dev/null || skip_all "no $program"
done

fake=$top_builddir/tests/integration/fake-manager
export DBUS_SESSION_BUS_ADDRESS=unix:path=$tmp/bus TERM=xterm TZ=UTC
unset NO_COLOR PAGER LESS

start_bus()
{
	rm -f "$tmp/bus"
	XDG_DATA_HOME=$tmp/data WRAP='' wrap='' start bus dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS"
	until_true test -S "$tmp/bus" || bail_out 'dbus-daemon does not start'
}

start_fake()
{
	wrap='' start fake "$fake"
	until_true test -s "$tmp/fake.out" || bail_out 'fake-manager does not start'
}

# say TEXT: what the fake is to do.
say()
{
	busctl --user call org.greeterd1 /org/greeterd1 org.greeterd1.Fake Say s "$1"
}

# verb ARGUMENT...: runs one.
verb()
{
	run "$sockctl" "$@" --user
}

# json DESCRIPTION FILTER: what the last verb printed is one object of which the filter is true.
json()
{
	ok "$1" holds "$2" "$tmp/run.out"
}

# holds FILTER FILE: it is true of what is in the file.
# shellcheck disable=SC2317 # ok runs it
holds()
{
	jq -e "$1" "$2" >"$tmp/jq.out" 2>&1
}

# watched [N]: the fake has so many watchers, 1 or 0.
# shellcheck disable=SC2317,SC2120 # until_true runs it
watched()
{
	[ "$(busctl --user get-property org.greeterd1 /org/greeterd1 org.greeterd1.Manager Watchers)" = "u ${1:-1}" ]
}

# listed N: the fake was asked for the roll so many times.
# shellcheck disable=SC2317 # until_true runs it
listed()
{
	[ "$(busctl --user get-property org.greeterd1 /org/greeterd1 org.greeterd1.Fake Listed)" = "u $1" ]
}

# ends_with_a_greeting FILE
# shellcheck disable=SC2317 # until_true runs it
ends_with_a_greeting()
{
	tail -n 1 "$1" | grep -q '"event":"greeting"'
}

# has_line FILE REGEX
# shellcheck disable=SC2317 # ok and until_true run it
has_line()
{
	grep -qE -- "$2" "$1"
}

# Nobody there.

DBUS_SESSION_BUS_ADDRESS=unix:path=$tmp/none verb roll
is 'no bus: exit status' "$status" 3
is 'no bus: what is said' "$err" 'sockctl: cannot reach the user bus: No such file or directory'
start_bus
verb reload
is 'reload: no daemon' "$status $err" "3 sockctl: greeterd is not on the bus; 'systemctl status greeterd' says why"
verb status
is 'no daemon: exit status' "$status" 3
is 'no daemon: what is said' "$err" "sockctl: greeterd is not on the bus; 'systemctl status greeterd' says why"
is 'no daemon: nothing on standard output' "$out" ''

# A daemon that the bus could start.

mkdir -p "$tmp/data/dbus-1/services"
printf '%s\n' '[D-BUS Service]' 'Name=org.greeterd1' "Exec=/bin/sh -c 'touch $tmp/started; exit 1'" \
	>"$tmp/data/dbus-1/services/org.greeterd1.service"
stop bus
start_bus
verb reload
is 'reload: starts none' "$status $(ls "$tmp/started" 2>&1)" "3 ls: cannot access '$tmp/started': No such file or directory"
verb status
is 'status: starts it' "$(ls "$tmp/started")" "$tmp/started"
rm -r "$tmp/data"
stop bus
start_bus

# Command lines that make no sense.

while IFS='|' read -r arguments expected; do
	# shellcheck disable=SC2086 # words
	run "$sockctl" $arguments
	is "usage: $arguments" "$status $err" "2 sockctl ${arguments%% *}: $expected"
done <<'END'
roll 0|'0': client numbers run from 1 up, as in 2, 1-3 or 1,4,9
roll --color=maybe|--color 'maybe': it is auto, always or never
roll --host=a --machine=b|--host contradicts --machine and --user
watch 3|what is '3'? There are no operands
watch --plain --json|--json contradicts --plain
wait|which clients? --id names them, 1048576 at most
wait --id 2 --timeout soon|--timeout 'soon': a time span was expected, as in 250ms or 5s
pause|which clients? Their numbers are missing, as in 2, 1-3 or 1,4,9
END

# The roll.

start_fake
verb roll
is 'roll: exit status' "$status" 0
ok 'roll: the table' matches "$out" \
	'^ID +NAME +STATE +LAST SEEN +COUNT +FROM
 1 +rack A +present +[0-9]+ s ago +7 +127\.0\.0\.1:40312
 2 +rack A +present +[0-9]+ d ago +5 +127\.0\.0\.1:40314
 3 +- +new +never +0 +-$'
verb roll --no-legend 2
ok 'roll: of some, without its head' matches "$out" '^ 2 +rack A +present [^
]+$'
verb roll --json
json 'roll --json: the schema' '.schema_version == 1 and (.clients | length) == 3 and .clients[1] == {id: 2,
	name: "rack A", state: "present", count: 5, refusals: 1, first_seen: "2024-05-01T12:00:00.000000Z",
	last_seen: "2024-05-01T12:00:01.500000Z", peer: "127.0.0.1:40314"}'
json 'roll --json: what is not there is null' '.clients[2] | .name == null and .last_seen == null and .peer == null'
verb roll --color=always
ok 'roll: coloured when told to' matches "$out" $'\033''\[32mpresent'
verb roll --missing
is 'roll --missing: nobody' "$status $out $err" '0  sockctl: nobody is missing'
verb roll 77-80
is 'roll: none of these' "$status $out $err" '0  sockctl: none of these clients has greeted yet'
verb roll 77-80 --json
is 'roll --json: none of these' "$out" '{"schema_version":1,"clients":[]}'
say 'lose 2'
verb roll
is 'roll: someone is missing' "$status" 1
verb roll --missing --json
is 'roll --missing --json: exit status' "$status" 1
json 'roll --missing --json: names who' '[.clients[].id] == [2]'
verb roll 1
is 'roll: nobody of these is missing' "$status" 0

# A roll of more clients than one message holds; under a wrapper, of more than a page.

many=$((${#wrap} > 0 ? 10000 : 250000))
last=$((many + 99))
say "crowd $many"
verb roll --json
is 'roll --json: of many: exit status' "$status" 1
is 'roll --json: all of them' "$(grep -o '"id":' "$tmp/run.out" | wc -l)" $((many + 3))
is 'roll --json: in order' "$(grep -oE '"id":[0-9]+' "$tmp/run.out" | cut -d : -f 2 | sort -nuc 2>&1)" ''
ok 'roll --json: of many: the end' test "$(tail -c 28 "$tmp/run.out")" = '"peer":"192.0.2.9:40000"}]}'
verb roll --no-legend
is 'roll: all of many' "$(wc -l <"$tmp/run.out")" $((many + 3))
ok 'roll: the last of them' matches "$(tail -n 1 "$tmp/run.out")" "^ *$last +rack B +present "
verb roll --missing
is 'roll --missing: of many' "$status $(wc -l <"$tmp/run.out")" '1 2'
verb roll --no-legend $((last - 1))-$((last + 7))
is 'roll: two of many' "$(wc -l <"$tmp/run.out")" 2
verb metrics
ok 'metrics: of many' has_line "$tmp/run.out" "^greeterd_clients\{state=\"present\"\} $((many + 1))\$"
start wait "$sockctl" wait --user --id $((last - 1))-$last
until_true watched || bail_out 'nobody watches'
say "greet $((last - 1))"
until_true has_line "$tmp/wait.out" "client $((last - 1))" || true
say "hide $last"
say 'missed 1'
join wait
is 'wait: for two of many' "$status $(awk '{ print $2 }' "$tmp/wait.out" | xargs)" "0 $((last - 1)) $last"
say quit
join fake
start_fake
say 'lose 2'

# Status, reload, changes, metrics.

verb status
is 'status: exit status' "$status" 0
ok 'status: the missing are named' has_line "$tmp/run.out" '^ +Clients: 3 on the roll, 1 missing: 2 \(rack A\)$'
ok 'status: refusals by code' has_line "$tmp/run.out" '^ +Refusals: 3 \(syntax 2, id 1\)$'
ok 'status: silent about sockets that agree' matches "$out" '^[^*]*Listening: 0.0.0.0:8080, \[::\]:8080
 Connections'
verb status --json
json 'status --json: the schema' '.schema_version == 1 and .version == "0.1.0" and .listen == ["0.0.0.0:8080", "[::]:8080"]
	and .configured_listen == ["127.0.0.1:9000"] and .port_trouble == null and .settings_trouble == null
	and .connections == 3 and .max_connections == 16384 and .greetings == 12 and .refusals.syntax == 2
	and .clients == 3 and .missing == 1 and .watchers == 0 and .reloaded_at == null
	and .started_at == "2024-05-01T12:00:00.000000Z"'
verb reload
is 'reload: the verdict' "$status $out" $'0 reloaded\nwhat waits for a restart: workers, max_id'
verb reload --json
json 'reload --json: the schema' '. == {schema_version: 1, event: "reloaded", pending: ["workers", "max_id"]}'
say $'refuse org.greeterd1.Error.InvalidSettings a.conf:1: port: too large\na.conf:2: lisen: unknown'
verb reload
is 'reload: refused' "$status $out $err" $'5  a.conf:1: port: too large\na.conf:2: lisen: unknown'
verb pause 1,3
is 'pause' "$status $out" '0 2 paused'
verb resume 1
is 'resume' "$status $out" '0 1 resumed'
verb forget 1-9 --json
json 'forget --json: the schema' '. == {schema_version: 1, event: "forgotten", changed: 3}'
say 'refuse org.freedesktop.DBus.Error.AccessDenied no'
verb forget 1
is 'forget: not allowed' "$status $err" \
	'5 sockctl: permission denied: only root and members of the group greeterd may do that'
say 'refuse org.greeterd1.Error.NoSuchClient client 7 is not on the roll'
verb pause 7
is 'pause: not on the roll' "$status $err" '5 sockctl: client 7 is not on the roll'
verb metrics
ok 'metrics: states are counted' has_line "$tmp/run.out" '^greeterd_clients\{state="missing"\} 1$'
ok 'metrics: no samples of clients' test "$(grep -c greeterd_client_ "$tmp/run.out")" = 0
verb metrics --clients
ok 'metrics --clients: a sample for each' has_line "$tmp/run.out" '^greeterd_client_missing\{id="2",name="rack A"\} 1$'
cp "$tmp/run.out" "$tmp/metrics"
if command -v promtool >/dev/null; then
	is 'metrics: promtool finds nothing to say' "$(promtool check metrics <"$tmp/metrics" 2>&1; echo $?)" 0
else
	skip 'metrics: promtool finds nothing to say' 'no promtool (Debian: prometheus)'
fi
parser=prometheus_client.openmetrics.parser
if /usr/bin/python3 -c "import $parser" 2>/dev/null; then
	is 'metrics: they are OpenMetrics' "$(/usr/bin/python3 -c "import sys, $parser as p
print(sum(len(m.samples) for m in p.text_fd_to_metric_families(sys.stdin)))" <"$tmp/metrics" 2>&1)" \
		"$(grep -vc '^#' "$tmp/metrics")"
else
	skip 'metrics: they are OpenMetrics' 'no parser (Debian: python3-prometheus-client)'
fi
verb metrics --json
json 'metrics --json: the schema' '.schema_version == 1 and (.metrics[] | select(.labels.state == "missing")) == {
	name: "greeterd_clients", type: "gauge", help: "Clients on the roll, by state.", labels: {state: "missing"},
	value: 1}'

# The feed.

start watch "$sockctl" watch --user
until_true watched || bail_out 'nobody watches'
say 'greet 1'
say 'missed 5'
say 'lose 3'
until_true has_line "$tmp/watch.out" 'missing'
stop watch
is 'watch: exit status' "$status" 143
is 'watch: a line for each event' "$(sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}  //' "$tmp/watch.out")" \
	'greeting      client 1 (rack A)  127.0.0.1:40312  count 8
missed        5 greetings not shown: too many at once
missing       client 3'
stop fake
start_fake

start watch "$sockctl" watch --user --json --id 1-2
until_true watched || bail_out 'nobody watches'
say 'greet 2'
say 'missed 5'
say 'flood 1000'
until_true has_line "$tmp/watch.out" '"seq":1001,' || true
say quit
until_true has_line "$tmp/watch.out" '"gap"' || true
join fake
start_fake
until_true has_line "$tmp/watch.out" '"back"' || true
until_true watched
say 'greet 1'
until_true has_line "$tmp/watch.out" '"seq":1,.*"count":8' || true
stop watch INT
is 'watch --json: exit status' "$status" 130
out=$(cat "$tmp/watch.out")
ok 'watch --json: an object for each line' holds '.schema_version == 1' "$tmp/watch.out"
is 'watch --json: an event' "$(head -n 1 "$tmp/watch.out" | jq -c 'del(.time)')" \
	'{"schema_version":1,"seq":1,"event":"greeting","id":2,"name":"rack A","peer":"127.0.0.1:40314","count":6}'
is 'watch --json: what was missed' "$(sed -n 2p "$tmp/watch.out")" '{"schema_version":1,"event":"missed","count":5}'
is 'watch --json: all that was sent, in order' \
	"$(jq -r 'select(.id == 1).seq' "$tmp/watch.out" | head -n 1000)" "$(seq 2 1001)"
is 'watch --json: a daemon that restarts' "$(tail -n 3 "$tmp/watch.out" | jq -r .event | xargs)" 'gap back greeting'
is 'watch: no daemon is a gap, not an error' "$(cat "$tmp/watch.err")" ''
until_true watched 0

start watch "$sockctl" watch --user --json
until_true watched || bail_out 'nobody watches'
say 'greet 1'
until_true has_line "$tmp/watch.out" '"seq":1,' || true # it knows that it watches
kill -s KILL "${pids[bus]}"
join bus
join fake
until_true has_line "$tmp/watch.out" '"gap"' || true
start_bus
start_fake
until_true has_line "$tmp/watch.out" '"back"' || true
say 'greet 1'
until_true ends_with_a_greeting "$tmp/watch.out" || true
stop watch
is 'watch: outlives the bus' "$(jq -r .event "$tmp/watch.out" | xargs)" 'greeting gap back greeting'

stop fake
start_fake
mkfifo "$tmp/reader"
# shellcheck disable=SC2086 # a command with its arguments
(trap - TERM; $wrap "$sockctl" watch --user --json; echo $? >"$tmp/deaf") >"$tmp/reader" &
pids[deaf]=$!
exec 4<"$tmp/reader"
until_true watched
exec 4<&-
join deaf
is 'watch: ends when its reader does' "$(cat "$tmp/deaf")" 141

# Waiting.

stop fake
start_fake
start wait "$sockctl" wait --user --id 2
until_true watched || bail_out 'nobody watches'
say 'greet 1'
say 'greet 2'
join wait
is 'wait: until the client greets' "$status $(cat "$tmp/wait.out")" '0 client 2 (rack A) greeted from 127.0.0.1:40314'
verb wait --id 2 --timeout 10ms
is 'wait: the time is up' "$status $out $err" '3  sockctl: client 2 did not greet within 10ms'
verb wait --id 1-3 --timeout 0
is 'wait: the time is up for several' "$status $out $err" '3  sockctl: 3 of 3 clients did not greet within 0'
say quit
join fake
start_fake
start wait "$sockctl" wait --user --id 1-2 --json
until_true watched || bail_out 'nobody watches'
say 'greet 1'
say 'greet 1'
until_true has_line "$tmp/wait.out" '"id":1,'
say quit
join fake
until_true has_line "$tmp/wait.err" 'has gone'
start_fake
until_true watched
say 'greet 2'
join wait
is 'wait: until each has greeted, across a restart' "$status $(jq -r .id "$tmp/wait.out" | xargs)" '0 1 2'

say quit
join fake
start_fake
start wait "$sockctl" wait --user --id 1-2
until_true watched || bail_out 'nobody watches'
say 'greet 1'
until_true has_line "$tmp/wait.out" 'client 1' # it has seen the roll
say 'missed 1'
until_true listed 2
sleep 0.2
ok 'wait: asks for the roll once when it missed something' listed 2
say 'refuse org.freedesktop.DBus.Error.LimitsExceeded too many lists are being made'
say 'hide 2'
say 'missed 1'
join wait
is 'wait: asks for the roll again when it is refused' "$status $(tail -n 1 "$tmp/wait.out")" \
	'0 client 2 (rack A) greeted from 127.0.0.1:40314'

# On a terminal.

# terminal COMMAND: runs it on a terminal of 80 times 12; what it wrote in $tmp/typescript.
terminal()
{
	printf '#!/bin/sh\nstty rows 12 cols 80; echo $$ >%s/shell\n%s\necho "status $?"; stty -a\n' "$tmp" "$1" >"$tmp/script"
	wrap='' start terminal script -qefc "sh $tmp/script" "$tmp/typescript"
}

say quit
join fake
start_fake
terminal "echo \$\$; $wrap $sockctl watch --user"
until_true watched || bail_out 'nobody watches'
say 'greet 2'
until_true has_line "$tmp/typescript" 'greeting .*client 2'
say 'lose 2'
until_true has_line "$tmp/typescript" '1 missing'
watcher=$(ps -o pid= --ppid "$(cat "$tmp/shell")" | head -n 1)
kill -s HUP "$watcher"
join terminal
ok 'watch on a terminal: draws the roll' has_line "$tmp/typescript" 'LAST SEEN +COUNT +FROM'
ok 'watch on a terminal: its rates' has_line "$tmp/typescript" '[0-9]+ greetings/s'
ok 'watch on a terminal: takes the alternate screen' has_line "$tmp/typescript" $'\033''\[\?1049h'
ok 'watch on a terminal: gives it back when killed' has_line "$tmp/typescript" $'\033''\[\?25h.*\[\?1049l'
ok 'watch on a terminal: exit status' has_line "$tmp/typescript" 'status 129'
ok 'watch on a terminal: leaves it as it was' has_line "$tmp/typescript" ' icanon .* echo '

terminal "$wrap $sockctl watch --user"
until_true watched || bail_out 'nobody watches'
kill -s QUIT "$(ps -o pid= --ppid "$(cat "$tmp/shell")" | head -n 1)"
join terminal
ok 'watch on a terminal: the key that quits is no exception' \
	has_line "$tmp/typescript" $'\033''\[\?25h.*\[\?1049l'
ok 'watch on a terminal: quit: exit status' has_line "$tmp/typescript" 'status 131'

say 'crowd 30'
terminal "PAGER='cat >$tmp/paged' $sockctl roll --user; $sockctl roll --user --no-pager 1; PAGER='cat >$tmp/short' $sockctl roll --user 1"
join terminal
ok 'roll: pages what is longer than the terminal' test "$(wc -l <"$tmp/paged")" = 34
ok 'roll: pages nothing else' test ! -e "$tmp/short"

done_testing
