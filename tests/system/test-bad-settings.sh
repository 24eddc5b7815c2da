#!/bin/bash
# Settings that greeterd cannot start with cost no port: it refuses them each time, and greets once they are mended.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# connects: whether the port takes a connection, which greets and does not wait for the answer.
connects()
{
	(exec 3<>/dev/tcp/127.0.0.1/8080 && echo 'I am client 2' >&3) 2>/dev/null
}

anew
settings 'port = "eighty";'
is 'the socket listens' "$(property greeterd.socket ActiveState)" active
connected=0
for _ in {1..100}; do
	! connects || connected=$((connected + 1))
	sleep 0.01
done
is 'a hundred connections are taken' "$connected" 100
is 'the socket still listens' "$(property greeterd.socket ActiveState)" active
log=$(journalctl -q -o cat -u greeterd.service)
ok 'greeterd will not start with them: 78' matches "$log" 'code=exited, status=78/CONFIG'
ok 'and is not started again for its own sake' test "${log/Scheduled restart job/}" = "$log"
ok 'it says which line is wrong' matches "$log" '/etc/greeterd/greeterd.conf:1: port: '
echo '' >/etc/greeterd/greeterd.conf
run sockctl hello --id 3 --timeout 20s
is 'mended, it greets, and nothing had to be started' "$out" 'I am SERVER'
is 'the service runs' "$(property greeterd.service ActiveState)" active
echo "# started $(journalctl -q -o cat -u greeterd.service | grep -c '^Starting') times"

done_testing
