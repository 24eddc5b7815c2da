#!/bin/bash
# The same life, with eight workers.

WORKERS=8
# shellcheck source=tests/system/test-life.sh
. "$(dirname "$0")/test-life.sh"
