#!/bin/bash
# The greeterd of another host, through a real sshd, and that of a container, which systemd-nspawn boots.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

config=/etc/greeterd/greeterd.conf
far=far@127.0.0.1 # a user who may do nothing in particular

# run_sshd: OpenSSH's server, or Dropbear's, where only that is installed.
run_sshd()
{
	if [[ -x /usr/sbin/sshd ]]; then
		mkdir -p /run/sshd
		[[ -e $tmp/host_key ]] || ssh-keygen -q -t ed25519 -N '' -f "$tmp/host_key"
		start sshd /usr/sbin/sshd -D -e -f /dev/null -h "$tmp/host_key" -o ListenAddress=127.0.0.1 \
			-o PasswordAuthentication=no -o KbdInteractiveAuthentication=no
	else
		[[ -e $tmp/host_key ]] || dropbearkey -t ed25519 -f "$tmp/host_key" >/dev/null 2>&1
		start sshd dropbear -F -E -s -r "$tmp/host_key" -p 127.0.0.1:22
	fi
}

# known: whether the host's key could be fetched, which ssh asks no question about then.
# shellcheck disable=SC2317 # until_true runs it, as those below
known()
{
	ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null >/root/.ssh/known_hosts && [[ -s /root/.ssh/known_hosts ]]
}

# watchers N OPTION...: whether so many watch the daemon that the options name.
# shellcheck disable=SC2317
watchers()
{
	[[ $(sockctl status --json "${@:2}" | jq .watchers) == "$1" ]]
}

# said NAME TEXT: whether what was started under that name has printed it.
# shellcheck disable=SC2317
said()
{
	grep -qF "$2" "$tmp/$1.out"
}

# no_ssh: whether no connection of sockctl's is left.
# shellcheck disable=SC2317
no_ssh()
{
	! pidof -q ssh
}

# ids_of OPTION...: the ids that the roll of the daemon has that the options name.
ids_of()
{
	sockctl roll --json "$@" | jq -c '[.clients[].id]'
}

# --- another host

test_host()
{
	useradd --create-home --shell /bin/bash --password '*' far # '!', the default, is a locked one
	mkdir -p /root/.ssh /home/far/.ssh
	chmod 700 /root/.ssh /home/far/.ssh
	ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
	cat /root/.ssh/id_ed25519.pub >>/root/.ssh/authorized_keys
	cp /root/.ssh/id_ed25519.pub /home/far/.ssh/authorized_keys
	chown -R far: /home/far
	run_sshd
	until_true known || bail_out "no sshd: $(cat "$tmp/sshd.err")"
	echo "# ssh to $(ssh-keyscan -t ed25519 127.0.0.1 2>&1 | sed -n 's/^# .* //p' | head -n 1)"

	settings ''
	sockctl hello --id 1-3 >"$tmp/hello"
	run sockctl roll -H $far --json
	is 'sockctl -H roll: exit status' "$status" 0
	is 'it is the same roll' "$out" "$(sockctl roll --json)"
	run sockctl status -H $far --json
	is 'sockctl -H status' "$(jq -c '[.clients, .watchers]' <<<"$out")" '[3,0]'

	start wait sockctl wait -H $far --id 2 --timeout 30s
	ok 'sockctl -H wait' until_true watchers 1
	sockctl hello --id 2 >"$tmp/hello"
	join wait
	is 'ends when the client greets' "$status" 0
	ok 'and says from where' matches "$(cat "$tmp/wait.out")" '^client 2 greeted from 127.0.0.1:'

	start watch sockctl watch -H $far --json
	ok 'sockctl -H watch' until_true watchers 1
	sockctl hello --id 3 >"$tmp/hello"
	ok 'hears a greeting' until_true said watch '"event":"greeting"'
	stop sshd
	kill "$(pidof ssh)"
	ok 'knows when the connection has gone' until_true said watch '"event":"gap"'
	sleep 6 # it has tried in vain
	run_sshd
	ok 'and makes another one' until_true said watch '"event":"back"'
	sockctl hello --id 1 >"$tmp/hello"
	ok 'on which it hears' until_true said watch '"id":1,'
	stop watch INT
	is 'ends on Ctrl-C' "$status" 130
	ok 'has kept to itself what ssh said meanwhile' test ! -s "$tmp/watch.err"
	ok 'and leaves no ssh' until_true no_ssh

	run sockctl reload -H $far
	is 'not anyone may reload' "$status" 5
	is 'and is told where not' "$err" \
		"sockctl: $far: permission denied: only root and members of the group greeterd may do that"
	usermod --append --groups greeterd far
	run sockctl reload -H $far
	is 'sockctl -H reload' "$status" 0
	echo 'max_id = 0;' >"$config"
	run sockctl reload -H $far
	is 'a bad file' "$status" 5
	ok 'with file, line and key' matches "$err" "^$config:1: max_id: "
	echo >"$config"
	run sockctl reload -H $far:22
	is 'with a port' "$status" 0
}

# no_host WHAT HOST: it cannot be reached, and sockctl says so.
no_host()
{
	run sockctl roll -H "$2"
	is "$1" "$status" 3
	ok 'ssh says why, sockctl what it came to' matches "$err" \
		"(^|"$'\n'")sockctl: cannot reach the bus of $2: ssh has ended, or systemd-stdio-bridge over there"
	run sockctl watch -H "$2"
	is 'nor watched' "$status" 3
}

test_trouble()
{
	local service=/usr/share/dbus-1/system-services/org.greeterd1.service

	no_host 'a host that does not exist' far@nowhere.invalid
	no_host 'a port that nothing listens on' far@127.0.0.1:23
	no_host 'a user who may not' nobody@127.0.0.1

	systemctl stop greeterd.socket greeterd.service
	mv $service "$tmp/service"
	busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig
	run sockctl roll -H $far
	is 'a host without greeterd' "$status" 3
	is 'is named' "$err" "sockctl: $far: greeterd is not on the bus; 'systemctl status greeterd' says why"
	mv "$tmp/service" $service
	systemctl stop dbus.socket dbus.service
	no_host 'a host without a bus' $far
	systemctl start dbus.socket dbus.service greeterd.socket
}

# --- a container

# guest_up: whether the container has booted.
# shellcheck disable=SC2317
guest_up()
{
	systemctl -M guest is-active --quiet box.target 2>/dev/null
}

# boot_guest: the container, whose files are this machine's under an overlay.
boot_guest()
{
	mkdir /run/guest
	mount -t tmpfs guest /run/guest
	mkdir /run/guest/{upper,scratch,root}
	mount -t overlay overlay -o lowerdir=/,upperdir=/run/guest/upper,workdir=/run/guest/scratch /run/guest/root
	rm -rf /run/guest/root/var/lib/greeterd
	start guest systemd-nspawn --quiet --boot --machine=guest --directory=/run/guest/root --private-network \
		--link-journal=no --console=read-only -- systemd.unit=box.target
	until_true guest_up
}

test_container()
{
	sockctl hello --id 5 >"$tmp/hello"
	systemctl -M guest start greeterd.socket
	is 'nobody has greeted in the container' "$(ids_of -M guest)" '[]'
	is 'there is a socket' "$(sockctl status -M guest --json | jq -c .listen)" '["[::]:8080"]'
	systemd-run --quiet --machine=guest --wait --pipe sockctl hello --id 7 >"$tmp/hello"
	is 'somebody greets there' "$(cat "$tmp/hello")" 'I am SERVER'
	is 'and is on the roll' "$(ids_of -M guest)" '[7]'
	ok 'not on that of the machine' test "$(ids_of)" = '[1,2,3,5]'
	start wait sockctl wait -M guest --id 8 --timeout 30s
	ok 'somebody waits for another' until_true watchers 1 -M guest
	systemd-run --quiet --machine=guest --wait --pipe sockctl hello --id 8 >"$tmp/hello"
	join wait
	is 'sockctl -M wait' "$status" 0
	run sockctl reload -M guest
	is 'sockctl -M reload' "$status" 0
	run sockctl forget -M guest 8
	is 'sockctl -M forget' "$(ids_of -M guest)" '[7]'
	run sockctl roll -M .host --json
	is 'the container called .host is the machine' "$(jq -c '[.clients[].id]' <<<"$out")" '[1,2,3,5]'
	run setpriv --reuid=nobody --regid=nogroup --clear-groups sockctl roll -M guest
	is 'who is not root does not get in' "$status" 3
}

if ! command -v ssh >/dev/null || ! { [[ -x /usr/sbin/sshd ]] || command -v dropbear >/dev/null; }; then
	skip 'sockctl -H' 'no ssh, or no sshd or dropbear'
else
	test_host
	test_trouble
fi
run sockctl roll -M guest
is 'a container that is not there' "$status" 3
ok 'is named' matches "$err" '^sockctl: cannot reach the bus of guest: '
if ! command -v systemd-nspawn >/dev/null; then
	skip 'sockctl -M' 'no systemd-nspawn'
elif ! boot_guest; then
	skip 'sockctl -M' "systemd-nspawn boots no container here: $(tail -n 1 "$tmp/guest.err")"
else
	test_container
	[[ -z ${pids[sshd]-} ]] || is 'a container of a host' "$(ids_of -H root@127.0.0.1/guest)" '[7]'
fi

done_testing
