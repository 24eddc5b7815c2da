#!/bin/bash
# What an administrator's drop-in makes greeterd.socket listen on is what is greeted at, from inside the sandbox.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# greets DESCRIPTION TARGET-OPTION...
greets()
{
	local description=$1
	shift
	run sockctl hello --id 7 "$@"
	is "$description" "$out" 'I am SERVER'
}

systemctl start greeterd.socket
greets 'as shipped, over IPv4' --host 127.0.0.1 --port 8080
greets 'as shipped, over IPv6' --host ::1 --port 8080

socket_drop_in 'ListenStream=' 'ListenStream=127.0.0.1:9001'
is 'a drop-in: nothing runs yet' "$(property greeterd.service ActiveState)" inactive
greets 'a drop-in: its port greets' --host 127.0.0.1 --port 9001
run sockctl hello --host 127.0.0.1 --port 8080
is 'a drop-in: the one shipped is closed' "$status" 3

socket_drop_in 'ListenStream=' 'ListenStream=[::1]:9000'
greets 'IPv6 alone' --host ::1 --port 9000

socket_drop_in 'ListenStream=' 'ListenStream=/run/greeterd/greet.sock'
is 'AF_UNIX alone: nothing runs yet' "$(property greeterd.service ActiveState)" inactive
greets 'AF_UNIX alone' --unix /run/greeterd/greet.sock
for _ in 1 2 3; do
	systemctl restart greeterd.service
	greets 'AF_UNIX: the path outlives a restart' --unix /run/greeterd/greet.sock
done
run setpriv --reuid=1 --regid=1 --clear-groups sockctl hello --id 8 --unix /run/greeterd/greet.sock
is 'AF_UNIX: anyone may greet' "$out" 'I am SERVER'
ok 'AF_UNIX: another user is nobody to the sandbox' \
	matches "$(values GREETERD_PEER GREETERD_CLIENT_ID=8 GREETERD_COUNT=1)" '^unix:pid=[0-9]+,uid=65534$'

socket_drop_in 'ListenStream=[::1]:9000' 'ListenStream=/run/greeterd/greet.sock'
greets 'three at once: the port shipped' --port 8080
greets 'three at once: another one' --host ::1 --port 9000
greets 'three at once: AF_UNIX' --unix /run/greeterd/greet.sock
ok 'its status names all three' matches "$(property greeterd.service StatusText)" ':8080.*\[::1\]:9000.*/run/greeterd/greet.sock'

# --- while it runs

printf '%s\n' '[Socket]' 'ListenStream=' 'ListenStream=8090' >/etc/systemd/system/greeterd.socket.d/test.conf
systemctl daemon-reload
run sockctl hello --unix /run/greeterd/greet.sock
is 'new addresses wait until the socket is restarted' "$out" 'I am SERVER'
run systemctl restart greeterd.socket
is 'the socket is restarted while the service runs' "$status" 0
greets 'the new address' --port 8090
run sockctl hello --port 8080
is 'the old one is closed' "$status" 3

done_testing
