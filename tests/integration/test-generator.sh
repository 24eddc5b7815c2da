#!/bin/bash
# greeterd-generator as systemd runs it and as a person does: which drop-in comes of which settings, and that it always ends.

# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
unset SYSTEMD_SCOPE

generator=$top_builddir/src/generator/greeterd-generator
etc=$tmp/etc config=$tmp/etc/greeterd.conf
stays='greeterd-generator: greeterd.socket listens where its unit file says, not where the settings do'

# anew: neither settings nor what was made of them.
anew()
{
	rm -rf "$etc" "$tmp/normal" "$tmp/early" "$tmp/late"
	mkdir -p "$etc/conf.d" "$tmp/normal" "$tmp/early" "$tmp/late"
}

# generate: as systemd does.
generate()
{
	run timeout 30 "$generator" --config "$config" "$tmp/normal" "$tmp/early" "$tmp/late"
}

# dropin ONLY LINE...: the drop-in of these settings, which come from $config.
dropin()
{
	local only=$1
	shift
	printf '%s\n' '# Written by greeterd-generator(8) at boot and at each daemon-reload. See greeterd.conf(5).' \
		'[Unit]' "SourcePath=$config" '' '[Socket]' 'ListenStream=' "BindIPv6Only=$only" "${@/#/ListenStream=}"
}

written()
{
	(cd "$tmp" && find normal early late -type f)
}

# writes DESCRIPTION ONLY ADDRESS...
writes()
{
	local description=$1
	shift
	generate
	is "$description: exit status" "$status" 0
	is "$description: one file" "$(written)" normal/greeterd.socket.d/10-greeterd-conf.conf
	is "$description: the drop-in" "$(cat "$tmp"/normal/*/*.conf)" "$(dropin "$@")"
	is "$description: nothing is said" "$out$err" ''
}

# writes_nothing DESCRIPTION REGEX: the regex for what is said of the settings.
writes_nothing()
{
	generate
	is "$1: exit status" "$status" 0
	is "$1: no file" "$(written)" ''
	ok "$1: says why" matches "${err%"$stays"}" "^greeterd-generator: $2"$'\n''$'
	is "$1: says what follows" "${err##*$'\n'}" "$stays"
}

# --- files that are good

anew
: >"$config"
writes 'an empty file' both 8080

anew
cp "$top_srcdir/etc/greeterd.conf" "$config"
writes 'the file as installed' both 8080

anew
echo 'port = 9000;' >"$config"
writes 'a port' both 9000

anew
echo 'listen = [ "192.0.2.7", "[2001:db8::1]:9000", "[::1]" ];' >"$config"
writes 'addresses of both families' both 192.0.2.7:8080 '[2001:db8::1]:9000' '[::1]:8080'

anew
echo 'listen = [ "[::]", "127.0.0.1" ];' >"$config"
writes 'all of IPv6 alone, beside IPv4' ipv6-only '[::]:8080' 127.0.0.1:8080

anew
# shellcheck disable=SC2028 # libconfig reads the backslashes
echo 'listen = [ "/run/greet.sock", "/run/100% of \"it\" ", "/run/back\\" ];' >"$config"
writes 'AF_UNIX' both /run/greet.sock '/run/100%% of "it" %i' '/run/back\%i'

anew
echo "listen = [ $(printf '"127.0.0.1:%s", ' {7001..7031}) \"*\" ];" >"$config"
writes 'as many addresses as there may be' both 127.0.0.1:{7001..7031} 8080

anew
echo 'port = 9000;' >"$config"
echo 'port = 9001; listen = [ "127.0.0.1" ];' >"$etc/conf.d/10-first.conf"
echo 'port = 9002;' >"$etc/conf.d/20-second.conf"
echo 'port = 9003;' >"$etc/conf.d/30-no-settings.txt"
writes 'drop-ins of the settings' both 127.0.0.1:9002

anew
echo 'port = 9000;' >"$tmp/elsewhere.conf"
ln -s ../elsewhere.conf "$config"
writes 'a link to a file' both 9000

export SYSTEMD_SCOPE=system
writes 'as systemd runs it' both 9000
unset SYSTEMD_SCOPE

echo 'port = 9001;' >"$config"
writes 'again, over what is there' both 9001

# --- files that are not

anew
writes_nothing 'a missing file' '[^ ]*/greeterd.conf: .*No such file or directory'

anew
printf '%s\n' 'prot = 9000;' 'max_id = 0;' >"$config"
writes_nothing 'a broken file' '[^ ]*:1: prot: [^'$'\n'']*'$'\n''greeterd-generator: [^ ]*:2: max_id: .*'

anew
printf 'x%s = 1;\n' {1..500} >"$config"
writes_nothing 'a file with nothing right in it' '.*:8: x8: .*'$'\n''greeterd-generator: 492 more; see greeterd --check'

anew
echo 'port = 70000;' >"$config"
writes_nothing 'a port that is none' '[^ ]*:1: port: .*'

anew
{ echo 'port = 9000;' && head -c 5000000 /dev/zero | tr '\0' '#'; } >"$config"
writes_nothing 'a huge file' '.*'

anew
head -c 4096 /dev/urandom >"$config"
printf '\0' >>"$config"
writes_nothing 'a file of garbage' '.*'

anew
mkdir "$config"
writes_nothing 'a folder' '.*'

anew
mkfifo "$config"
writes_nothing 'a FIFO' '.*'

anew
ln -s greeterd.conf "$config"
writes_nothing 'a link to itself' '.*Too many levels of symbolic links'

anew
ln -s /dev/zero "$config"
writes_nothing 'a device' '.*'

anew
echo 'port = 9000;' >"$config"
chmod 000 "$config"
if [[ -r $config ]]; then
	skip 'an unreadable file' 'root can read every file'
else
	writes_nothing 'an unreadable file' '.*Permission denied'
fi

anew
echo 'port = 9000;' >"$config"
mkfifo "$etc/conf.d/10-fifo.conf"
ln -s nowhere "$etc/conf.d/20-link.conf"
writes_nothing 'drop-ins that are none' '.*10-fifo.conf: .*20-link.conf: .*'

anew
echo 'port = 9000;' >"$config"
rmdir "$tmp/normal"
generate
is 'a folder that is not there: exit status' "$status" 0
is 'a folder that is not there: says why' "$err" "greeterd-generator: No such file or directory"$'\n'"$stays"

# --- by hand

anew
echo 'port = 9000;' >"$config"
run "$generator" --config "$config"
is 'no folder: printed' "$out" "$(dropin both 9000)"
is 'no folder: exit status' "$status" 0
is 'no folder: no file' "$(written)" ''
run "$generator" --config "$config" "$tmp/normal"
is 'one folder: written' "$(cat "$tmp"/normal/*/*.conf)" "$(dropin both 9000)"
run env -C "$etc" "$(realpath "$generator")" --config greeterd.conf
is 'no source that systemd cannot find' "$(grep -c SourcePath <<<"$out")" 0
echo 'port = 0;' >"$config"
run "$generator" --config "$config"
is 'no folder, a broken file: exit status' "$status" 78
is 'no folder, a broken file: nothing is printed' "$out" ''
run "$generator" a b
is 'two folders' "$status" 2
run "$generator" --nonsense
is 'an unknown option' "$status" 2
run "$generator" --help
ok '--help' matches "$out" '^greeterd-generator \[--config FILE\]'
run "$generator" --version
ok '--version' matches "$out" '^greeterd [0-9.]+$'

if ! command -v systemd-analyze >/dev/null; then
	skip 'systemd-analyze verify' 'no systemd-analyze'
	done_testing
fi
anew
# shellcheck disable=SC2028
echo 'listen = [ "*", "[::1]:9000", "/run/100% \\" ];' >"$config"
cp "$top_builddir/systemd/greeterd.socket" "$tmp/normal"
printf '[Service]\nExecStart=/bin/true\n' >"$tmp/normal/greeterd.service"
generate
verified()
{
	systemd-analyze verify --man=no "$tmp/normal/greeterd.socket" 2>&1 | grep -F "$tmp"
}
is 'systemd-analyze verify has nothing to say' "$(verified)" ''
echo 'Nonsense=' >>"$tmp/normal/greeterd.socket.d/10-greeterd-conf.conf"
ok 'and it does read the drop-in' matches "$(verified)" 'Nonsense'

done_testing
