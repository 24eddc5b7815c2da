#!/bin/bash
# The port follows the file: what greeterd-generator has systemd listen on, for good settings and bad ones.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

config=/etc/greeterd/greeterd.conf
reset=/etc/systemd/system/greeterd.socket.d

# A stand-in for the kernel's log, which a machine of its own does not have: a FIFO that never blocks its writer.
rm -f /dev/kmsg
mkfifo /dev/kmsg
exec 5<>/dev/kmsg

# The two commands that the manual names.
take_up()
{
	systemctl daemon-reload && systemctl restart greeterd.socket
}

# change LINE...: other settings, taken up as the manual says.
change()
{
	printf '%s\n' "$@" >"$config"
	take_up
}

# What systemd listens on, one address after another.
listens()
{
	property greeterd.socket Listen | sed 's/ (Stream)$//' | paste -sd ' '
}

# What was written to the kernel's log since this was asked last.
kernel_log()
{
	local line

	while IFS= read -r -t 0.2 -u 5 line; do
		echo "$line"
	done
}

# shellcheck disable=SC2317 # ok and until_true run these
greets()
{
	run sockctl hello --id 2 --timeout 10s "$@"
	[[ $status -eq 0 && $out == 'I am SERVER' ]]
}

# shellcheck disable=SC2317
refuses()
{
	run sockctl hello --id 2 --timeout 10s "$@"
	[[ $status -eq 3 ]]
}

# --- as shipped, then another port

take_up
is 'as installed' "$(listens)" '[::]:8080'
ok 'port 8080 greets' greets --port 8080
is 'the service runs' "$(property greeterd.service ActiveState)" active
touch --date='+1 minute' "$config"
is 'a change asks for a daemon-reload' "$(property greeterd.socket NeedDaemonReload)" yes

ok 'a changed port, with the service running' change 'port = 9001;'
ok 'the new port greets over IPv4' greets --host 127.0.0.1 --port 9001
ok 'the new port greets over IPv6' greets --host ::1 --port 9001
ok 'the old port refuses' refuses --port 8080
is 'nothing more to reload' "$(property greeterd.socket NeedDaemonReload)" no

systemctl stop greeterd.service greeterd.socket
systemctl start greeterd.socket
ok 'a changed port, with the service not running' change 'port = 9002;'
is 'the service is not started by that' "$(property greeterd.service ActiveState)" inactive
ok 'the new port greets' greets --port 9002
ok 'the old port refuses' refuses --port 9001
ok 'sockctl finds the port in the file' greets

systemctl daemon-reload
ok 'a daemon-reload alone closes nothing' greets --port 9002

# --- several addresses

change 'listen = [ "127.0.0.1:9003", "[::1]:9004", "/run/greeterd-test/100% \"hi\".sock" ];'
is 'several addresses' "$(listens)" '127.0.0.1:9003 [::1]:9004 /run/greeterd-test/100% \"hi\".sock'
ok 'IPv4' greets --host 127.0.0.1 --port 9003
ok 'IPv6' greets --host ::1 --port 9004
ok 'AF_UNIX' greets --unix '/run/greeterd-test/100% "hi".sock'
ok 'not IPv6 where it is IPv4' refuses --host ::1 --port 9003
ok 'not IPv4 where it is IPv6' refuses --host 127.0.0.1 --port 9004

ok 'all of IPv6 beside IPv4 at one port' change 'listen = [ "[::]:9005", "127.0.0.1:9005" ];'
is 'two sockets' "$(listens)" '[::]:9005 127.0.0.1:9005'
ok 'IPv6' greets --host ::1 --port 9005
ok 'IPv4' greets --host 127.0.0.1 --port 9005

printf -v many '"127.0.0.1:%s", ' {9100..9130}
ok 'as many as there may be' change "listen = [ $many \"*\" ];"
ok 'the first' greets --host 127.0.0.1 --port 9100
ok 'the last' greets --host ::1 --port 8080

# --- settings that are no good: the port of the unit file

kernel_log >/dev/null
change 'port = 9006;' 'prot = 9007;'
is 'a broken file: exit status of the generator' "$(journalctl --quiet --grep='greeterd-generator.*fail')" ''
is 'a broken file: the shipped port' "$(listens)" '[::]:8080'
ok 'a broken file: the kernel log says why' matches "$(kernel_log)" \
	"^<3>greeterd-generator: $config:2: prot: .*"$'\n''<3>greeterd-generator: greeterd.socket listens where its unit'
rm "$config"
take_up
is 'a missing file: the shipped port' "$(listens)" '[::]:8080'
ok 'a missing file: the kernel log says so' matches "$(kernel_log)" "^<3>greeterd-generator: $config: "
ok 'a missing file: it greets' greets --host 127.0.0.1 --port 8080
mkdir "$config"
take_up
is 'a folder: the shipped port' "$(listens)" '[::]:8080'
rmdir "$config"
mkfifo "$config"
ok 'a FIFO: systemd goes on' timeout 60 systemctl daemon-reload
is 'a FIFO: the shipped port' "$(listens)" '[::]:8080'
rm "$config" /dev/kmsg
echo 'nonsense' >"$config"
ok 'no kernel log: systemd goes on' timeout 60 systemctl daemon-reload
is 'no kernel log: the shipped port' "$(listens)" '[::]:8080'

# --- a boot, as far as it reads units

ok 'a broken file: systemd starts anew' timeout 60 systemctl daemon-reexec
ok 'a broken file: and opens the shipped port' systemctl restart greeterd.socket
is 'a broken file: there' "$(listens)" '[::]:8080'

# --- the administrator's word

printf '%s\n' 'port = 9008;' >"$config"
socket_drop_in 'ListenStream=' 'ListenStream=9009'
is 'a later drop-in wins' "$(listens)" '[::]:9009'
ok 'it greets over IPv4' greets --host 127.0.0.1 --port 9009
ok 'the port of the file refuses' refuses --port 9008
socket_drop_in 'ListenStream=9009'
is 'without a reset it adds' "$(listens)" '[::]:9008 [::]:9009'
ok 'the one' greets --port 9008
ok 'the other' greets --port 9009
rm -r "$reset"
mkdir -p /etc/systemd/system-generators
ln -s /dev/null /etc/systemd/system-generators/greeterd-generator
take_up
is 'without the generator, the unit file decides' "$(listens)" '[::]:8080'

done_testing
