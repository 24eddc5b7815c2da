#!/bin/bash
# test-help-documented: every option that a --help names stands in the program's manual page, and the other way round.
set -euo pipefail

verbs=(hello bench roll watch wait status reload pause resume forget metrics)

# What is checked: a manual page of the source tree, and the commands whose --help it explains, ";" between them.
pages=(
	"man/sockctl.1.in|src/sockctl/sockctl --help$(printf ';src/sockctl/sockctl %s --help' "${verbs[@]}")"
	"man/greeterd.8|src/greeterd/greeterd --help"
	"man/greeterd-generator.8|src/generator/greeterd-generator --help"
)

# The long options that a --help text on standard input lists, and the letters of those that have one.
options_of_help() {
	sed -nE 's/^ +(-([[:alnum:]]), )?--([[:alnum:]-]+).*/--\3\n-\2/p' | grep -E '^--?[[:alnum:]]' | sort -u
}

# The same of the tags of a manual page: lines ".It Fl h , -help Ns = Ns Ar x".
options_of_page() {
	sed -nE 's/^\.It (Fl .*)$/\1/p' "$1" | grep -oE '(^Fl|Fl|,) -?[[:alnum:]-]+' | sed -E 's/^(Fl|,) /-/' | sort -u
}

options_of_commands() {
	local command

	while IFS= read -r -d ';' command; do
		# shellcheck disable=SC2086 # a command with its arguments
		"$top_builddir"/$command | options_of_help
	done <<<"$1;" | sort -u
}

top_srcdir=${top_srcdir:-.} top_builddir=${top_builddir:-.}
cases=0 failures=0
for entry in "${pages[@]}"; do
	page=${entry%%|*} commands=${entry#*|} source=
	for candidate in "$top_srcdir/$page" "$top_srcdir/$page.in" "$top_srcdir/${page%.in}"; do
		[ ! -f "$candidate" ] || source=$candidate
	done
	cases=$((cases + 1))
	if [ -z "$source" ]; then
		echo "ok $cases - $page # SKIP no such page"
		continue
	fi
	help=$(options_of_commands "$commands") manual=$(options_of_page "$source")
	if [ -n "$help" ] && [ "$help" = "$manual" ]; then
		echo "ok $cases - ${page##*/} and --help name the same options"
		continue
	fi
	failures=$((failures + 1))
	echo "not ok $cases - ${page##*/} and --help name the same options"
	diff <(echo "$help") <(echo "$manual") | sed -n 's/^</# only in --help: /p; s/^>/# only in the manual: /p' || true
done
echo "1..$cases"
[ "$failures" -eq 0 ]
