#!/bin/bash
# The same life, with two workers, for half as long.

WORKERS=2 LIFE_SECONDS=${LIFE_SECONDS:-4}
# shellcheck source=tests/system/test-life.sh
. "$(dirname "$0")/test-life.sh"
