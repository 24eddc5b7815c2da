#!/bin/bash
# The same, with four workers.

if [[ -n ${WRAP-} ]]; then
	echo '1..0 # SKIP threads take turns under another program; ThreadSanitizer sees them run'
	exit
fi
WORKERS=4
# shellcheck source=tests/integration/test-greeterd.sh
. "$(dirname "$0")/test-greeterd.sh"
