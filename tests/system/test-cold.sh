#!/bin/bash
# What systemd costs the first client: greeterd executed as it is, and started in its sandbox, by a connection, in turns.
# The figures are for the reader; what is asserted holds on any machine.

# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

runs=25
last_good=/var/lib/greeterd/last-good.conf

systemctl start greeterd.socket
run sockctl hello --id 2
is 'it greets' "$out" 'I am SERVER'
kept=$(stat -c '%i %Z' "$last_good")

run "$top_builddir/tests/system/cold" /usr/sbin/greeterd /usr/bin/sockctl 8080 "$runs"
is "the first client is answered, $runs times, and sockctl hello as often" "$status" 0
mapfile -t figures <<<"$out"
printf '# %s\n' "${figures[@]}"
echo "# $(systemd-analyze security --threshold=5 greeterd.service | tail -n 1)"

starts=$(property greeterd.service InvocationID)
systemctl stop greeterd.service
run sockctl hello --id 2
ok 'each time by another process' test "$(property greeterd.service InvocationID)" != "$starts"
is 'settings that stay the same are not written again' "$(stat -c '%i %Z' "$last_good")" "$kept"

done_testing
