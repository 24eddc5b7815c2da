#!/bin/bash
# test-exposure: systemd's own rating of the sandbox of greeterd.service is 0.5 at most, of 10.
set -euo pipefail

if [[ -z ${SYSTEMD_ANALYZE-} ]]; then
	echo '1..0 # SKIP no systemd-analyze'
	exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "${top_builddir:-.}"/systemd/greeterd.{socket,service} "$folder"

# security THRESHOLD
security()
{
	"$SYSTEMD_ANALYZE" security --no-pager --offline=true --threshold="$1" "$folder/greeterd.service" 2>&1
}

echo '1..2'
security 5 >"$folder/said" || echo -n 'not '
echo 'ok 1 - exposure of greeterd.service'
sed -n 's/^→ /# /p' "$folder/said"
grep '^✗' "$folder/said" | sed 's/^/# /' || true
sed -i '/^\(PrivateNetwork\|CapabilityBoundingSet\|SystemCallFilter\)=/d' "$folder/greeterd.service"
! security 5 >"$folder/said" || echo -n 'not '
echo 'ok 2 - with less of a sandbox, it would be too much'
