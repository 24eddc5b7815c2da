#!/bin/bash
# test-include-direction: who may include whom. Dependencies point down only, and each library has one user.
set -euo pipefail

# The rooms of src/greeterd, from the ground up: a file includes only what stands on a lower floor than itself.
declare -A floor=(
	[cmdline]=0 [deadlines]=0 [exits]=0 [flusher]=0 [heard]=0 [journal-sink]=0 [lastgood]=0 [messages]=0 [notify]=0
	[roll-format]=0 [turnaway]=0 [bus-unit]=0 [watchers]=0
	[activation]=1 [admission]=1 [attendance]=1 [bus-ops]=1 [conf]=1 [journal]=1 [roll-file]=1
	[bus-state]=2 [roll-map]=2 [session]=2 [startup]=2
	[bus-watch]=3 [bus-work]=3 [handover]=3 [roll]=3
	[bus-list]=4 [rollcall]=4 [worker]=4
	[bus-manager]=5 [pool]=5
	[bus]=6 [server]=6
	[inforce]=7 [restart]=7
	[control]=8
	[daemon]=9
	[main]=10
)

# Each of these prints what breaks its rule in the src/ of the current folder.

# includes PATTERN FOLDER: "FILE INCLUDED" for each #include of the quoted form.
includes() {
	grep -rHoE '^#include "[^"]*"' --include='*.[ch]' "$@" | sed -E 's/^([^:]*):#include "(.*)"$/\1 \2/'
}

folders_look_down() {
	includes src/common | grep -vE ' (common/|config\.h$)' || true
	includes src/sockctl | grep -vE ' (common/|sockctl/|config\.h$)' || true
	includes src/greeterd | grep -vE ' (common/|greeterd/|config\.h$)' || true
	includes src/generator | grep -vE ' (common/|generator/|config\.h$)' || true
}

# room FILE: the room it belongs to. attendance-*.[ch] are one with attendance.[ch], and so are daemon, server, session,
# worker; of journal and roll, only some are.
room() {
	basename "${1%.[ch]}" |
		sed -E 's/^(attendance|daemon|server|session|worker)-.*/\1/; s/^(journal|roll)-(events|internal|record)$/\1/'
}

rooms_of_the_daemon_look_down() {
	local file included from to

	while read -r file included; do
		from=$(room "$file") to=$(room "$included")
		if [[ -z ${floor[$from]-} ]]; then
			echo "$file: on which floor is it? (the table of ${BASH_SOURCE[0]##*/})"
		elif [[ $from != "$to" && ${floor[$to]-9} -ge ${floor[$from]} ]]; then
			echo "$file $included"
		fi
	done < <(includes src/greeterd | grep ' greeterd/')
}

own_header_comes_first() {
	local file own

	while read -r file; do
		own=${file#src/}
		own=${own%.c}.h
		if [[ -f src/$own ]] && [[ $(grep -m 1 '^#include' "$file") != "#include \"$own\"" ]]; then
			echo "$file: $own is not its first include"
		fi
	done < <(find src -name '*.c')
}

# found PATTERN ALLOWED: the files with the pattern, but for those allowed.
found() {
	grep -rlE "$1" --include='*.[ch]' src | grep -vE "$2" || true
}

libconfig_has_one_user() {
	found '<libconfig\.h>' '^src/common/settings[a-z-]*\.[ch]$'
}

journal_has_one_writer() {
	found 'sd_journal_|<systemd/sd-journal\.h>|"/run/systemd/journal' '^src/greeterd/journal(-sink)?\.[ch]$'
}

sd_daemon_has_two_users() {
	found '<systemd/sd-daemon\.h>' '^src/greeterd/(activation|notify)\.c$'
}

sd_event_has_few_users() {
	found '<systemd/sd-event\.h>' '^src/greeterd/((notify|rollcall)\.[ch]|(daemon|bus)(-[a-z]+)?\.[ch])$'
}

systemd_is_known_to_the_daemon_and_control() {
	found '<systemd/' '^src/(greeterd/|sockctl/control[a-z-]*\.[ch]$)'
}

control_is_the_user_of_the_bus() {
	found '<systemd/sd-bus\.h>|"sockctl/control-internal\.h"' '^src/(greeterd/bus[a-z-]*|sockctl/control[a-z-]*)\.[ch]$'
}

libsmartcols_has_one_user() {
	found '<libsmartcols' '^src/sockctl/table\.c$'
}

# Each rule with a breach of it: the file and what stands in it.
rules=(
	'folders_look_down src/common/escape.c #include "greeterd/session.h"'
	'folders_look_down src/sockctl/main.c #include "greeterd/session.h"'
	'folders_look_down src/greeterd/session.c #include "sockctl/commands.h"'
	'folders_look_down src/greeterd/session.c #include "session.h"'
	'folders_look_down src/generator/main.c #include "greeterd/activation.h"'
	'rooms_of_the_daemon_look_down src/greeterd/deadlines.c #include "greeterd/session.h"'
	'rooms_of_the_daemon_look_down src/greeterd/roll-file.h #include "greeterd/journal.h"'
	'rooms_of_the_daemon_look_down src/greeterd/session.c #include "greeterd/server.h"'
	'rooms_of_the_daemon_look_down src/greeterd/unheard-of.c #include "greeterd/roll.h"'
	'own_header_comes_first src/greeterd/roll.c #include <errno.h>'
	'libconfig_has_one_user src/greeterd/main.c #include <libconfig.h>'
	'journal_has_one_writer src/greeterd/session.c #include <systemd/sd-journal.h>'
	'journal_has_one_writer src/sockctl/main.c sd_journal_print();'
	'sd_daemon_has_two_users src/greeterd/session.c #include <systemd/sd-daemon.h>'
	'sd_event_has_few_users src/greeterd/server.c #include <systemd/sd-event.h>'
	'systemd_is_known_to_the_daemon_and_control src/common/netio.c #include <systemd/sd-daemon.h>'
	'systemd_is_known_to_the_daemon_and_control src/generator/main.c #include <systemd/sd-daemon.h>'
	'systemd_is_known_to_the_daemon_and_control src/sockctl/roll.c #include <systemd/sd-bus.h>'
	'control_is_the_user_of_the_bus src/greeterd/server.c #include <systemd/sd-bus.h>'
	'control_is_the_user_of_the_bus src/sockctl/watch.c #include "sockctl/control-internal.h"'
	'libsmartcols_has_one_user src/sockctl/roll.c #include <libsmartcols.h>'
)

case_number=0

# report NAME STATUS: one line of TAP.
report() {
	case_number=$((case_number + 1))
	if [[ $2 -eq 0 ]]; then
		echo "ok $case_number - $1"
	else
		echo "not ok $case_number - $1"
	fi
}

planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT

mapfile -t names < <(printf '%s\n' "${rules[@]%% *}" | sort -u)
echo "1..$((${#names[@]} + ${#rules[@]}))"

cd "${top_srcdir:-.}"
for rule in "${names[@]}"; do
	breaches=$("$rule")
	[[ -z $breaches ]] || echo "# ${breaches//$'\n'/$'\n'# }"
	report "$rule" "$([[ -z $breaches ]] && echo 0 || echo 1)"
done

for planting in "${rules[@]}"; do
	read -r rule file text <<<"$planting"
	rm -rf "$planted/src"
	mkdir -p "$planted"/src/{common,generator,greeterd,sockctl}
	touch "$planted/src/greeterd/roll.h"
	echo "$text" >"$planted/$file"
	breaches=$(cd "$planted" && "$rule")
	report "$rule would find $text in ${file##*/}" "$([[ $breaches == *"$file"* ]] && echo 0 || echo 1)"
done
