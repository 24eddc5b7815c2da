#!/bin/bash
# greeterd.service holds less than it could: what is closed is closed, and everything works in what is left.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# inside COMMAND...: in the sandbox of greeterd.service, as its user, with its filters.
inside()
{
	local sandbox
	mapfile -t sandbox < <(sed -n '/^User=/,/^\[Install\]/{/^[A-Z][A-Za-z]*=/p}' "$(property greeterd.service FragmentPath)")
	run systemd-run --quiet --wait --pipe --service-type=exec "${sandbox[@]/#/--property=}" "$@"
}

# probe PYTHON: a line of Python in there; what it raises is in $err.
probe()
{
	inside --property='SystemCallFilter=@system-service' /usr/bin/python3 -c "$1"
}

systemctl start greeterd.socket
run sockctl hello --id 2
is 'it greets' "$out" 'I am SERVER'
pid=$(property greeterd.service MainPID)

# --- of the running process

is 'no capability' "$(grep -E '^Cap(Prm|Eff|Bnd|Amb)' "/proc/$pid/status" | awk '{ print $2 }' | sort -u)" 0000000000000000
is 'no new privileges' "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$pid/status")" 1
is 'system calls are filtered' "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")" 2
is 'no network but its own loopback' "$(nsenter --target "$pid" --net ls /sys/class/net)" lo
for namespace in net user mnt; do
	ok "a namespace of its own: $namespace" test "$(readlink "/proc/$pid/ns/$namespace")" != "$(readlink "/proc/1/ns/$namespace")"
done
most=$(awk '/^Max open files/ { print $5 < 524288 ? $5 : 524288 }' /proc/1/limits)
is 'open files' "$(awk '/^Max open files/ { print $4, $5 }' "/proc/$pid/limits")" "$most $most"
is 'its state folder' "$(stat -c '%U:%G %a' /var/lib/greeterd)" 'greeterd:greeterd 750'
is 'all that is in its root' "$(cd "/proc/$pid/root" && echo *)" 'bin dev etc lib lib64 proc root run sbin sys tmp usr var'
is 'its devices' "$(ls "/proc/$pid/root/dev")" null
is 'all that runs beside it' "$(cd "/proc/$pid/root/run" && find . -maxdepth 2 -mindepth 1 ! -path './dbus/*' | sort | xargs)" \
	'./dbus ./systemd ./systemd/incoming ./systemd/journal ./systemd/notify'
is 'nobody is at home' "$(find "/proc/$pid/root/root" "/proc/$pid/root/tmp" "/proc/$pid/root/var/tmp" -mindepth 1)" ''
is 'all that it may write, but for what the kernel keeps in /proc and /dev' \
	"$(awk '$6 ~ /^rw/ && $5 !~ "^/(proc|dev/pts|dev/hugepages)$" { print $5 }' "/proc/$pid/mountinfo" | sort | xargs)" \
	'/dev/null /tmp /var/lib/greeterd /var/tmp'

# --- what it cannot do

for family in AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_VSOCK; do
	probe "import socket; socket.socket(socket.$family, socket.SOCK_STREAM)"
	ok "no socket of $family" matches "$err" 'Address family not supported'
done
probe 'import socket; socket.socket(socket.AF_UNIX)'
is 'but of AF_UNIX' "$status" 0
probe 'open("/etc/greeterd/new", "w")'
ok 'no file in /etc' matches "$err" 'Read-only file system'
probe 'open("/var/lib/greeterd/new", "w")'
is 'but in its state folder' "$status" 0
probe 'import os; print(*[p for p in os.listdir("/proc") if p == "1"])'
is 'no process of others to be seen' "$out" ''
probe 'import os; print(*map(os.path.exists, ["/proc/self", "/proc/sys", "/proc/sysrq-trigger", "/proc/irq"]))'
is 'no tunable of the kernel either' "$out" 'True False False False'
probe 'import os; os.listdir("/sys")'
ok 'nor what is in /sys' matches "$err" 'Permission denied'
probe 'import socket; socket.sethostname("other")'
ok 'no other name for the machine' matches "$err" 'Operation not permitted'
probe 'import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)'
ok 'no memory that is written and run' matches "$err" 'Operation not permitted|Permission denied'
inside /bin/sh -c '/bin/ls /; echo'
is 'no process can be started' "$out" ''

# --- what it does is what it may do

mkdir -p /etc/systemd/system/greeterd.service.d
printf '%s\n' '[Service]' 'SystemCallErrorNumber=kill' >/etc/systemd/system/greeterd.service.d/kill.conf
systemctl stop greeterd.socket greeterd.service
rm -f /var/lib/greeterd/roll # for a new one, more is done
socket_drop_in 'ListenStream=[::1]:9000' 'ListenStream=127.0.0.1:9001' 'ListenStream=/run/greeterd/greet.sock'
for where in '--port 8080' '--host ::1 --port 9000' '--host 127.0.0.1 --port 9001' '--unix /run/greeterd/greet.sock'; do
	# shellcheck disable=SC2086 # options
	run sockctl hello --id 1-20 --count 3 --interval 10ms $where
	is "greets at $where, killed for any other system call" "$status" 0
done
printf 'nonsense\nI am client 70000\n' >/dev/tcp/127.0.0.1/8080
ok 'refuses' until_true test -n "$(values MESSAGE MESSAGE_ID="$(message_id REFUSAL)")"
systemctl stop greeterd.socket greeterd.service
is 'and ends well' "$(property greeterd.service Result)" success
ok 'the peer at an AF_UNIX socket is root' matches "$(values GREETERD_PEER MESSAGE_ID="$(message_id GREETING)")" 'unix:pid=[0-9]+,uid=0'

done_testing
