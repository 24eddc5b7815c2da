#!/bin/bash
# test-completions: what shells complete sockctl's command lines with is sound, and knows all commands, options and ids.

# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

folder=${top_builddir:-.}/src/sockctl/completions.d

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
		is "$shell reads its file" "$("$shell" -n "$folder/$file" 2>&1)" ''
	else
		skip "$shell reads its file" "no $shell"
	fi
done

# shellcheck disable=SC1091 # made by make
. "$folder/sockctl"
is 'commands' "$(complete_words sockctl re)" 'reload resume'
is 'commands to be explained' "$(complete_words sockctl help wa)" 'watch wait'
is 'options' "$(complete_words sockctl roll --no)" '--no-legend --no-pager'
is 'options of one command alone' "$(complete_words sockctl status --no)" ''
is 'the words of an option' "$(complete_words sockctl roll --color = a)" 'auto always'
is 'ids as operands' "$(complete_words sockctl pause 1)" '14'
is 'ids of an option' "$(complete_words sockctl watch --id '')" '2 14'
is 'no ids where none are taken' "$(complete_words sockctl status 1)" ''

programs=$("${top_builddir:-.}/src/sockctl/sockctl" --help | sed -nE 's/^  ([a-z]+)  .*/\1/p' | sort)
is 'bash knows all commands' "$(grep -oE '^	[a-z]+\)$' "$folder/sockctl" | tr -d '\t)' | sort)" "$programs"
is 'zsh knows all commands' "$(grep -oE '^	[a-z]+\)$' "$folder/_sockctl" | tr -d '\t)' | sort)" "$programs"
is 'fish knows all commands' "$(sed -nE 's/.*__fish_use_subcommand -a ([a-z]+) .*/\1/p' "$folder/sockctl.fish" | sort)" \
	"$programs"
done_testing
