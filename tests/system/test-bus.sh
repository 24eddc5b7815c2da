#!/bin/bash
# org.greeterd1 on the system bus: the documented interface, who may do what, and a bus that comes and goes.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=6
interface=org.greeterd1.Manager

# call METHOD [SIGNATURE ARGUMENT...]
call()
{
	run busctl call org.greeterd1 /org/greeterd1 $interface "$@"
}

# call_as USER METHOD [SIGNATURE ARGUMENT...]
call_as()
{
	local user=$1

	shift
	run setpriv --reuid "$user" --regid "$user" --init-groups busctl call org.greeterd1 /org/greeterd1 $interface "$@"
}

# get PROPERTY
get()
{
	busctl get-property org.greeterd1 /org/greeterd1 $interface "$1"
}

# shellcheck disable=SC2317 # until_true calls it
has_name()
{
	busctl status org.greeterd1 >/dev/null 2>&1
}

useradd --no-create-home plain
useradd --no-create-home --groups greeterd trusted

# --- bus activation

settings ''
ok 'it does not run' state_is greeterd.service inactive
call GetClient u 2
ok 'a call starts it' state_is greeterd.service active
ok 'and is answered' matches "$err" 'client 2 has never greeted and is not expected'
is 'on the socket of systemd' "$(sockctl hello --id 1-3)" $'client 1: I am SERVER\nclient 2: I am SERVER\nclient 3: I am SERVER'

# --- the interface

members=$(busctl introspect org.greeterd1 /org/greeterd1 $interface | awk 'NR > 1 { print $1, $2 }')
while read -r member; do
	ok "the manual has $member" grep -qE "${member#.}( |$)" "$top_srcdir/man/org.greeterd1.5"
done < <(awk '{ print $1 }' <<<"$members")
is 'methods' "$(awk '$2 == "method" { print substr($1, 2) }' <<<"$members" | xargs)" \
	'Forget GetClient ListClients ListClientsFrom Pause Reload Resume Unwatch Watch'
is 'signals' "$(awk '$2 == "signal" { print substr($1, 2) }' <<<"$members" | xargs)" 'ClientStateChanged Events'
is 'properties' "$(awk '$2 == "property" { print substr($1, 2) }' <<<"$members" | xargs)" \
	'Clients ConfiguredListen Connections Greetings Listen MaxConnections Missing PortTrouble Refusals ReloadedAt SettingsTrouble StartedAt Version Watchers'
is 'three have greeted' "$(get Clients)" 'u 3'
call ListClients sb '' false
ok 'they are listed' matches "$out" '^a\(usstttts\) 3 1 "" "present" 1 0 .* 2 "" "present" 1 0 .* 3 "" "present" 1 0 '

# --- who may do what

call_as plain ListClients sb '' false
is 'anyone may list' "$status" 0
call_as plain ListClientsFrom usbu 2 '' false 1
ok 'page by page, too' matches "$out" '^a\(usstttts\)u 1 2 "" "present" .* 3$'
call_as plain GetClient u 2
is 'anyone may ask' "$status" 0
call_as plain Watch s ''
is 'anyone may watch' "$status" 0
run setpriv --reuid plain --regid plain --init-groups busctl get-property org.greeterd1 /org/greeterd1 $interface Greetings
is 'anyone may read the properties' "$out" 't 3'
for change in Reload 'Pause s 2' 'Resume s 2' 'Forget s 2'; do
	# shellcheck disable=SC2086 # words
	call_as plain $change
	ok "not anyone may ${change%% *}" matches "$err" 'Access denied|AccessDenied|rejected'
done
is 'nobody was forgotten' "$(get Clients)" 'u 3'
call_as trusted Reload
is 'the group greeterd may reload' "$status" 0
call_as trusted Forget s 2
is 'and forget' "$out" 'u 1'
is 'who was forgotten is' "$(get Clients)" 'u 2'
call Forget s 3
is 'and so may root' "$out" 'u 1'
run setpriv --reuid plain --regid plain --init-groups busctl call org.freedesktop.DBus /org/freedesktop/DBus \
	org.freedesktop.DBus RequestName su org.greeterd1 0
ok 'the name is not for anyone' matches "$err" 'Access denied|not allowed to own'

# --- reload

echo 'max_idd = 3;' >/etc/greeterd/greeterd.conf
call Reload
ok 'bad settings: file, line and reason' matches "$err" '/etc/greeterd/greeterd.conf:1: max_idd: unknown key; did you mean max_id'
ok 'they are a trouble' matches "$(get SettingsTrouble)" 'not reloaded: '
echo 'max_id = 70;' >/etc/greeterd/greeterd.conf
call Reload
ok 'what waits for a restart' matches "$out" 'as 1 "max_id"'
echo >/etc/greeterd/greeterd.conf
call Reload
is 'good ones' "$out" 'as 0'
ok 'reloaded' test "$(get ReloadedAt)" != 't 0'

# --- the bus dies under load

said=$(values MESSAGE "MESSAGE_ID=$(message_id CONTROL)" | wc -l)
"$top_builddir/tests/system/steady" 8080 50 "$seconds" >"$tmp/steady" 2>&1 &
load=$!
sleep 1
systemctl kill --signal=KILL dbus.service
sleep 1
systemctl start dbus.socket dbus.service
ok 'control comes back' until_true has_name
systemctl kill --signal=STOP dbus.service
sleep 1
systemctl kill --signal=CONT dbus.service
wait $load
status=$?
echo "# $(cat "$tmp/steady")"
is 'no greeting is lost when the bus is killed, or stands still' "$status" 0
ok 'greetings are counted on' matches "$(get Greetings)" 't [1-9][0-9]{3}'
is 'gone, and back, is said once each' "$(($(values MESSAGE "MESSAGE_ID=$(message_id CONTROL)" | wc -l) - said))" 2

# --- without a bus

systemctl stop dbus.socket dbus.service 2>/dev/null
systemctl restart greeterd.service 2>/dev/null || systemctl kill greeterd.service
is 'without a bus it greets' "$(sockctl hello --id 3 --timeout 20s)" 'I am SERVER'
systemctl start dbus.socket dbus.service
ok 'and comes to the bus when there is one' until_true has_name

# --- a bus on which it has no name

mv /usr/share/dbus-1/system.d/org.greeterd1.conf "$tmp/policy"
systemctl reload dbus.service
systemctl restart greeterd.service
reloaded=$(values MESSAGE "MESSAGE_ID=$(message_id RELOAD)" | wc -l)
ok 'systemctl reload does not wait for the name' timeout 10 systemctl reload greeterd.service
is 'and reloads' "$(($(values MESSAGE "MESSAGE_ID=$(message_id RELOAD)" | wc -l) - reloaded))" 1
mv "$tmp/policy" /usr/share/dbus-1/system.d/org.greeterd1.conf

done_testing
