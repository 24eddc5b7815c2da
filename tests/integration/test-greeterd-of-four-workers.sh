#!/bin/bash
# The same, with four workers.

WORKERS=4
# shellcheck source=tests/integration/test-greeterd.sh
. "$(dirname "$0")/test-greeterd.sh"
