#!/bin/bash
# The same life, with two workers.

WORKERS=2
# shellcheck source=tests/system/test-life.sh
. "$(dirname "$0")/test-life.sh"
