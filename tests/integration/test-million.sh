#!/bin/bash
# A roll of a million clients, of a real greeterd on a bus of its own, listed and forgotten while others greet.

# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

for program in dbus-daemon busctl nc; do
	command -v "$program" >/dev/null || skip_all "no $program"
done

if [[ -n $wrap ]]; then
	clients=10000
elif [[ -n ${INSTRUMENTED-} ]]; then
	clients=100000
else
	clients=1000000
fi

export DBUS_SESSION_BUS_ADDRESS=unix:path=$tmp/bus
WRAP='' wrap='' start bus dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS"
until_true test -S "$tmp/bus" || bail_out 'dbus-daemon does not start'

# get PROPERTY
get()
{
	busctl --user get-property org.greeterd1 /org/greeterd1 org.greeterd1.Manager "$1" 2>&1
}

# shellcheck disable=SC2317 # until_true runs it
answers()
{
	[[ $(get Missing) == 'u 0' ]]
}

port=$(free_port)
mkdir "$tmp/state"
printf '%s\n' "port = $port; listen = [ \"127.0.0.1\" ]; max_id = $clients; journal_burst = 1;" >"$tmp/greeterd.conf"
start server "$greeterd" --user --config "$tmp/greeterd.conf" --state-dir "$tmp/state"
until_true answers || bail_out "greeterd does not start: $(cat "$tmp/server.err")"

is 'all greet' "$(seq -f 'I am client %.0f' 1 $clients | timeout 300 nc -N 127.0.0.1 "$port" | grep -cx 'I am SERVER')" $clients
is 'all are counted' "$(get Clients)" "u $clients"
"$top_builddir/tests/system/steady" "$port" 20 3 >"$tmp/steady" &
load=$!
timeout 300 "$sockctl" roll --user --json >"$tmp/roll"
is 'sockctl roll --json: exit status' "$?" 0
is 'all are listed' "$(grep -o '"id":' "$tmp/roll" | wc -l)" $clients
wait $load
is "meanwhile every greeting is answered: $(<"$tmp/steady")" "$?" 0
"$top_builddir/tests/system/steady" "$port" 20 2 >"$tmp/steady" &
load=$!
run "$sockctl" forget --user "21-$clients"
is 'all but those who greet are forgotten' "$out" "$((clients - 20)) forgotten"
wait $load
is "meanwhile every greeting is answered: $(<"$tmp/steady")" "$?" 0
is 'the others are still counted' "$(get Clients)" 'u 20'
run "$sockctl" roll --user --json --missing
is 'and none of them is missing' "$status $out" '0 {"schema_version":1,"clients":[]}'
stop server
is 'greeterd ends well' "$status" 0

done_testing
