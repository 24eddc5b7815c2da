#!/bin/bash
# From make install to the first greeting, as README tells it, and back.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

unit_folder=$(dirname "$(property greeterd.socket FragmentPath)")
units=("$unit_folder"/greeterd.{socket,service})

# --- what systemd is told

is 'the units: systemd-analyze verify says nothing' "$(systemd-analyze verify "${units[@]}" 2>&1)" ''
run getent passwd greeterd
ok 'the user is there' matches "$out" '^greeterd:.*:/usr/sbin/nologin$'
systemctl --quiet preset greeterd.socket greeterd.service
is 'a preset enables the socket' "$(systemctl is-enabled greeterd.socket)" enabled
is 'the service is not enabled by itself' "$(systemctl is-enabled greeterd.service)" indirect

# --- the first greeting starts it

ok 'the socket starts' systemctl start greeterd.socket
is 'nothing runs yet' "$(property greeterd.service ActiveState)" inactive
run sockctl hello --id 2
is 'sockctl hello --id 2' "$out" 'I am SERVER'
is 'nothing on standard error' "$err" ''
is 'exit status' "$status" 0
is 'now it runs' "$(property greeterd.service ActiveState)" active
is 'as its own user' "$(stat -c %U:%G "/proc/$(property greeterd.service MainPID)")" greeterd:greeterd
ok 'its status says how it stands' matches "$(property greeterd.service StatusText)" '^[01] connected, [01] greetings$'

# --- the manual

for page in greeterd sockctl greeterd.conf greeterd-protocol; do
	run man "$page"
	ok "man $page" matches "$out" 'NAME.*DESCRIPTION'
done

# --- the end

run systemctl disable --now greeterd.socket greeterd.service
is 'stops' "$status" 0
is 'well' "$(property greeterd.service Result)" success
run sockctl hello --id 2
is 'the port is closed' "$status" 3
run make -C "$top_builddir" uninstall
is 'make uninstall' "$status" 0
is 'nothing is left but what it wrote itself' "$(find /etc /usr /var /run \( -path "$top_srcdir" -o -path "$top_builddir" \
	-o -path '/var/*tmp' -o -path /var/cache/man \) -prune -o \( -name '*greeterd*' -o -name '*sockctl*' \) -print)" /var/lib/greeterd

done_testing
