#!/bin/bash
# The same life, with eight workers, for half as long.

WORKERS=8 LIFE_SECONDS=${LIFE_SECONDS:-4}
# shellcheck source=tests/system/test-life.sh
. "$(dirname "$0")/test-life.sh"
