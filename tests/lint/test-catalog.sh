#!/bin/bash
# test-catalog: the message catalog explains every MESSAGE_ID of the table, once and in full, and no other; the manual
# lists them with their priorities; both name every state of a client.

# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

top_srcdir=${top_srcdir:-.}
table=$top_srcdir/src/greeterd/messages.c
catalog=$top_srcdir/systemd/greeterd.catalog

# breaches: entries without what each must have: Subject, Defined-By, a page of ours, a text of lines up to 80 columns.
breaches()
{
	awk '
		function judge() {
			if (id && !(subject && defined && page && lines))
				print id " lacks its " (!subject ? "Subject" : !defined ? "Defined-By" : !page ? "Documentation" : "text")
		}
		/^-- / { judge(); id = $2; subject = defined = page = lines = body = 0; next }
		!id || /^#/ { next }
		length > 80 { print id ": " $0 }
		/^$/ { body = 1; next }
		body { lines++; next }
		/^Subject: ./ { subject = 1 }
		/^Defined-By: greeterd$/ { defined = 1 }
		/^Documentation: man:(org\.)?greeterd/ { page = 1 }
		END { judge() }' "$catalog"
}

ids=$(sed -nE 's/^\t\[MESSAGE_[A-Z]+\] = \{ "([0-9a-f]{32})", .*/\1/p' "$table" | sort)
fields=$(grep -ohE 'GREETERD_[A-Z_]+=' "$top_srcdir"/src/greeterd/journal*.c | tr -d = | sort -u)

is 'the table has a MESSAGE_ID for each message' "$(wc -l <<<"$ids")" "$(grep -c '^	\[MESSAGE_' "$table")"
is 'the catalog has the MESSAGE_IDs of the table' "$(sed -nE 's/^-- ([0-9a-f]{32})$/\1/p' "$catalog" | sort)" "$ids"
is 'greeterd.8 lists them in the order of the table, each with its priority' \
	"$(sed -nE 's/^\.It .* Ta ([0-9a-f]{32}) Ta ([a-z]+)$/\1 \2/p' "$top_srcdir/man/greeterd.8.in")" \
	"$(sed -nE 's/^\t\[MESSAGE_[A-Z]+\] = \{ "([0-9a-f]{32})", LOG_([A-Z]+) .*/\1 \L\2/p' "$table")"
is 'every entry is complete' "$(breaches)" ''
is 'the fields that it names are written' \
	"$(grep -oE '@[A-Z_]+@' "$catalog" | tr -d @ | sort -u | comm -23 - <(echo "$fields"))" ''

# states: of a client, as the journal and the bus name them.
states()
{
	sed -nE 's/^\t\t\[ATTENDANCE_[A-Z]+\] = "([a-z]+)",$/\1/p' "$top_srcdir/src/greeterd/attendance.c"
}

# states_that_lack FILE: those that it says nothing of.
states_that_lack()
{
	states | while read -r state; do
		grep -qw "$state" "$top_srcdir/$1" || echo "$state"
	done
}

is 'each state has a name' "$(states | wc -l)" "$(grep -cE '^	ATTENDANCE_[A-Z]+,' "$top_srcdir/src/greeterd/attendance.h")"
for file in systemd/greeterd.catalog man/greeterd.8.in man/org.greeterd1.5; do
	is "$file names each state of a client" "$(states_that_lack "$file")" ''
done
done_testing
