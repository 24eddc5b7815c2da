# shellcheck shell=bash disable=SC2034 # what it sets is for its users
# lib.sh: the programs of this build, for the integration tests. To be sourced by bash; brings tests/tap.sh.

# shellcheck source=tests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
sockctl=$top_builddir/src/sockctl/sockctl
greeterd=$top_builddir/src/greeterd/greeterd
exercise=$top_builddir/tests/integration/exercise-server

# serve_exercise MODE: starts the server of the original exercise; its port in $SOCKCTL_PORT.
serve_exercise()
{
	WRAP='' start "$1" "$exercise" "$1"
	until_true test -s "$tmp/$1.out" || bail_out 'exercise-server does not start'
	SOCKCTL_PORT=$(head -n 1 "$tmp/$1.out")
	export SOCKCTL_PORT
}
