#!/bin/bash
# From make install to the first greeting, as README tells it, and back.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# --- the first greeting starts it

ok 'the socket starts' systemctl start greeterd.socket
is 'nothing runs yet' "$(property greeterd.service ActiveState)" inactive
run sockctl hello --id 2
is 'sockctl hello --id 2' "$out" 'I am SERVER'
is 'nothing on standard error' "$err" ''
is 'exit status' "$status" 0
is 'now it runs' "$(property greeterd.service ActiveState)" active
is 'as its own user' "$(stat -c %U "/proc/$(property greeterd.service MainPID)")" greeterd
ok 'its status names the port' matches "$(property greeterd.service StatusText)" ':8080$'

# --- the manual

for page in greeterd sockctl greeterd.conf greeterd-protocol; do
	run man "$page"
	ok "man $page" matches "$out" 'NAME.*SYNOPSIS|NAME.*DESCRIPTION'
done

done_testing
