#!/bin/bash
# test-completions: what shells complete sockctl's command lines with is sound, and knows all commands, options and ids.
set -euo pipefail

folder=${top_builddir:-.}/src/sockctl/completions.d
cases=0 failures=0

# same DESCRIPTION ONE OTHER
same()
{
	cases=$((cases + 1))
	if [[ $2 == "$3" ]]; then
		echo "ok $cases - $1"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $cases - $1"
	diff <(echo "$2") <(echo "$3") | sed 's/^/# /' || true
}

# complete_words WORD...: what bash would complete the last of them with.
complete_words()
{
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_sockctl
	echo "${COMPREPLY[*]}"
}

# shellcheck disable=SC2317 # the completion asks it for the ids of the roll
sockctl()
{
	printf ' %s\n' '- - present 1' '2 rack A present' '14 - new'
}

for shell in 'bash sockctl' 'zsh _sockctl' 'fish sockctl.fish'; do
	read -r shell file <<<"$shell"
	if command -v "$shell" >/dev/null; then
		same "$shell reads its file" "$("$shell" -n "$folder/$file" 2>&1)" ''
	else
		cases=$((cases + 1))
		echo "ok $cases - $shell reads its file # SKIP no $shell"
	fi
done

# shellcheck disable=SC1091 # made by make
. "$folder/sockctl"
same 'commands' "$(complete_words sockctl re)" 'reload resume'
same 'commands to be explained' "$(complete_words sockctl help wa)" 'watch wait'
same 'options' "$(complete_words sockctl roll --no)" '--no-legend --no-pager'
same 'options of one command alone' "$(complete_words sockctl status --no)" ''
same 'the words of an option' "$(complete_words sockctl roll --color = a)" 'auto always'
same 'ids as operands' "$(complete_words sockctl pause 1)" '14'
same 'ids of an option' "$(complete_words sockctl watch --id '')" '2 14'
same 'no ids where none are taken' "$(complete_words sockctl status 1)" ''

programs=$("${top_builddir:-.}/src/sockctl/sockctl" --help | sed -nE 's/^  ([a-z]+)  .*/\1/p' | sort)
same 'bash knows all commands' "$(grep -oE '^	[a-z]+\)$' "$folder/sockctl" | tr -d '\t)' | sort)" "$programs"
same 'zsh knows all commands' "$(grep -oE '^	[a-z]+\)$' "$folder/_sockctl" | tr -d '\t)' | sort)" "$programs"
same 'fish knows all commands' "$(sed -nE 's/.*__fish_use_subcommand -a ([a-z]+) .*/\1/p' "$folder/sockctl.fish" | sort)" \
	"$programs"
echo "1..$cases"
[[ $failures -eq 0 ]]
