# shellcheck shell=bash disable=SC2034 # what it sets is for its users
# lib.sh: an installed greeterd on a machine of its own, for the system tests. To be sourced by bash; brings tests/tap.sh.

# shellcheck source=tests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

[[ $(systemd-detect-virt --container) == container-other ]] ||
	bail_out 'not on a machine of its own: run make check-system'

top_srcdir=${top_srcdir:?} top_builddir=${top_builddir:?}

# With $WORKERS set, the daemon has so many, whatever greeterd.conf says.
if [[ -n ${WORKERS-} ]]; then
	mkdir -p /etc/greeterd/conf.d
	echo "workers = $WORKERS;" >/etc/greeterd/conf.d/workers.conf
fi

test_state=/var/lib/greeterd-test
[[ ! -e $test_state ]] || . "$test_state"

# reboot_machine: the test is run again by the next boot, as $BOX_BOOT tells, and goes on counting its cases.
reboot_machine()
{
	echo "cases=$cases failures=$failures" >"$test_state"
	systemctl reboot
	{ sleep "$patience"; } 2>/dev/null # until it is told to end
	bail_out 'it does not reboot'
}

# property UNIT NAME
property()
{
	systemctl show --property="$2" --value "$1"
}

# state_is UNIT STATE
state_is()
{
	[[ $(property "$1" ActiveState) == "$2" ]]
}

# values FIELD MATCH...: what stands in the field of each of greeterd's entries that match.
values()
{
	local field=$1
	shift
	journalctl --sync
	journalctl --quiet --output=cat --output-fields="$field" SYSLOG_IDENTIFIER=greeterd "$@"
}

# message_id NAME: the MESSAGE_ID of MESSAGE_NAME in the table of src/greeterd/messages.c.
message_id()
{
	sed -nE "s/.*\[MESSAGE_$1\] = \{ \"([0-9a-f]{32})\".*/\1/p" "$top_srcdir/src/greeterd/messages.c"
}

# socket_drop_in LINE...: [Socket] lines of an administrator, in force from now on.
socket_drop_in()
{
	mkdir -p /etc/systemd/system/greeterd.socket.d
	printf '%s\n' '[Socket]' "$@" >/etc/systemd/system/greeterd.socket.d/test.conf
	anew
}

# settings LINE...: the settings of an administrator, in force from now on.
settings()
{
	printf '%s\n' "$@" >/etc/greeterd/greeterd.conf
	anew
}

# anew: the units read again, the socket open, the service not running.
anew()
{
	systemctl stop greeterd.socket greeterd.service
	systemctl daemon-reload
	systemctl start greeterd.socket
}
