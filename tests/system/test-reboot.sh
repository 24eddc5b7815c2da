#!/bin/bash
# A reboot: the socket comes up with the machine, on the port of the file, and the roll goes on. Run by each of three boots.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

config=/etc/greeterd/greeterd.conf
answered=/var/lib/greeterd-test.answered

# configure PORT: takes effect at the next boot, or daemon-reload.
configure()
{
	printf '%s\n' "port = $1;" 'expect = ( { id = "1-3"; every = "2s"; grace = "1s"; } );' >"$config"
}

# counts: how often each client has greeted.
counts()
{
	sockctl roll --json 1-4 | jq -c '[.clients[] | [.id, .count]]'
}

# many_replies: whether the load is well under way.
# shellcheck disable=SC2317 # until_true runs it
many_replies()
{
	[[ $(wc -l <"$tmp/load.out") -ge 100 ]]
}

# begins: the machine is up, and nobody has greeted yet.
begins()
{
	ok 'the socket is there from the start' state_is greeterd.socket active
	ok 'the service is not' state_is greeterd.service inactive
}

case ${BOX_BOOT:?} in
1)
	configure 9000
	anew
	ok 'the preset enables the socket' systemctl preset greeterd.socket
	is 'it says so' "$(systemctl is-enabled greeterd.socket)" enabled
	sockctl hello --id 1-3 >"$tmp/hello"
	sockctl hello --id 2,4 >"$tmp/hello"
	is 'before the first reboot' "$(counts)" '[[1,1],[2,2],[3,1],[4,1]]'
	sleep 4
	is 'all are missing, that are expected' "$(sockctl roll --missing --json | jq -c '[.clients[].id]')" '[1,2,3]'
	sockctl hello --id 1,3 >"$tmp/hello"
	reboot_machine
	;;
2)
	begins
	ok 'the port is that of the file' matches "$(property greeterd.socket Listen)" ':9000 \(Stream\)'
	sockctl hello --id 2 >"$tmp/hello"
	is 'the counts go on' "$(counts)" '[[1,2],[2,3],[3,2],[4,1]]'
	is 'who was missing has returned' "$(sockctl roll --json 2 | jq -r '.clients[0].state')" returned
	is 'the time in between makes nobody missing' "$(sockctl roll --missing --json | jq -c '.clients')" '[]'
	start load sockctl hello --id 5 --count 100000 --interval 1ms
	ok 'greetings without pause' until_true many_replies
	ln -f "$tmp/load.out" "$answered" # the test's own folder goes with it
	configure 9001
	reboot_machine
	;;
3)
	begins
	ok 'the port that was changed meanwhile is the new one' matches "$(property greeterd.socket Listen)" ':9001 \(Stream\)'
	run sockctl hello --port 9000
	is 'the old one refuses' "$status" 3
	sockctl hello --id 1 >"$tmp/hello"
	is 'the counts go on' "$(counts)" '[[1,3],[2,3],[3,2],[4,1]]'
	replies=$(grep -c 'I am SERVER' "$answered")
	count=$(sockctl roll --json 5 | jq '.clients[0].count')
	echo "# $replies replies were printed until the reboot, $count greetings are on the roll"
	ok 'no greeting that was answered until the reboot is missing' test "$count" -ge "$replies"
	is 'and at most one is there whose reply was not seen' "$((count - replies > 1))" 0
	;;
esac

done_testing
