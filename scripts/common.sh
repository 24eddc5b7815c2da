# shellcheck shell=bash
# common.sh: what run-demo and run-tests share. Sourced; works in $work, a private folder that is gone afterwards.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/greeterd.XXXXXX")

finish() {
	for pid in $(jobs -p); do
		kill -TERM "$pid" 2>/dev/null || true
	done
	wait
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run SECONDS COMMAND...: for that long at most, and so that a signal to the script ends the command as well.
run() {
	local status=0
	timeout --kill-after=10 "$@" </dev/null &
	wait $! || status=$?
	return "$status"
}

# copy_tree FOLDER: the sources without anything that was built among them, so that building leaves the tree as it was.
copy_tree() {
	mkdir "$1"
	if git -c safe.directory='*' -C "$top" ls-files --cached --others --exclude-standard -z \
		>"$work/files" 2>"$work/git.log"; then
		tar -C "$top" --null --ignore-failed-read -T "$work/files" -cf - 2>"$work/tar.log" | tar -C "$1" -xf -
	else # not a clone but a release
		cp -a "$top/." "$1"
		if [[ -f $1/Makefile ]]; then
			make -C "$1" distclean >"$work/distclean.log" 2>&1
		fi
	fi
}
