# shellcheck shell=bash disable=SC2034 # what it sets is for its users
# lib.sh: the programs of this build, for the integration tests. To be sourced by bash; brings tests/tap.sh.

# shellcheck source=tests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$PWD}
sockctl=$top_builddir/src/sockctl/sockctl
greeterd=$top_builddir/src/greeterd/greeterd
