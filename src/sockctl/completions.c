/*
 * completions.c: prints the completion of sockctl's command lines for one shell, out of the tables of
 * commands and options. Run at build time; never installed.
 */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/options.h"
#include "sockctl/commands.h"

/* Prints the numbers on the roll. */
#define IDS "sockctl roll --no-legend --no-pager --color=never 2>/dev/null | awk '$1 > 0 { print $1 }'"

#define IS_LETTER(key) ((key) > 0 && (key) < 256)

/* What an option's argument is completed with, by what --help calls it. */
static const struct {
	const char *arg, *bash, *zsh, *fish;
} arguments[] = {
	{ "LIST", "$(compgen -W \"$(" IDS ")\" -- \"$cur\")", "_sockctl_ids", "(" IDS ")" },
	{ "WHEN", "$(compgen -W 'auto always never' -- \"$cur\")", "(auto always never)",
		"auto always never" },
	{ "HOST", "$(compgen -A hostname -- \"$cur\")", "_hosts", "(__fish_print_hostnames)" },
	{ "NAME",
		"$(compgen -W \"$(machinectl list --no-legend 2>/dev/null | awk '{ print $1 }')\" -- "
		"\"$cur\")",
		"(${(f)\"$(machinectl list --no-legend 2>/dev/null | awk '{ print $1 }')\"})",
		"(machinectl list --no-legend 2>/dev/null | string split -f 1 ' ')" },
	{ "PATH", "$(compgen -f -- \"$cur\")", "_files", NULL },
	{ "FILE", "$(compgen -f -- \"$cur\")", "_files", NULL },
};

/* The row of arguments, or the number of rows. */
static size_t find_argument(const char *arg)
{
	size_t i = 0;

	while (i < ELEMENTS(arguments) && strcmp(arguments[i].arg, arg) != 0)
		i++;
	return i;
}

static bool takes_ids(const struct command *command)
{
	return command->operands == OPERANDS_IDS || command->operands == OPERANDS_IDS_NEEDED;
}

static void print_command_names(void)
{
	for (const struct command *command = commands; command->name; command++)
		printf("%s%s", command == commands ? "" : " ", command->name);
}

/* Each command once whose option of such an argument differs in nothing that matters here. */
static void print_bash_arguments(void)
{
	for (size_t i = 0; i < ELEMENTS(arguments); i++) {
		const char *bar = "";

		printf("\t");
		for (const struct command *command = commands; command->name; command++)
			for (const struct option_spec *o = command->options; o->name; o++)
				if (o->arg && strcmp(o->arg, arguments[i].arg) == 0) {
					printf("%s%s:--%s", bar, command->name, o->name);
					bar = " | ";
					if (IS_LETTER(o->key))
						printf(" | %s:-%c", command->name, o->key);
				}
		printf(")\n\t\tCOMPREPLY=(%s)\n\t\treturn\n\t\t;;\n", arguments[i].bash);
	}
}

static void print_bash_words(const struct option_spec *options)
{
	for (const struct option_spec *o = options; o->name; o++) {
		if (IS_LETTER(o->key))
			printf(" -%c", o->key);
		printf(" --%s", o->name);
	}
}

static void print_bash(void)
{
	printf("# bash completion of sockctl(1); made from its tables of commands and options.\n"
	       "_sockctl()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} "
	       "command=${COMP_WORDS[1]} "
	       "words\n\n"
	       "\tif [[ $cur == = ]]; then\n\t\tcur=\n"
	       "\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	       "\tif [[ $COMP_CWORD -eq 1 ]]; then\n\t\tCOMPREPLY=($(compgen -W '");
	print_command_names();
	print_bash_words(commands_options);
	printf("' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $command:$prev in\n");
	print_bash_arguments();
	printf("\tesac\n\tcase $command in\n");
	for (const struct command *command = commands; command->name; command++) {
		printf("\t%s)\n\t\twords='", command->name);
		print_bash_words(command->options);
		printf("'\n");
		if (takes_ids(command))
			printf("\t\t[[ $cur == -* ]] || words+=\" $(" IDS ")\"\n");
		if (command->operands == OPERANDS_COMMAND) {
			printf("\t\twords+=' ");
			print_command_names();
			printf("'\n");
		}
		printf("\t\t;;\n");
	}
	printf("\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _sockctl "
	       "sockctl\n");
}

/* A description inside [] and '': what would end either is left out or doubled. */
static void print_zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		if (*text == '[' || *text == ']' || *text == ':')
			putchar('\\');
		putchar(*text);
	}
}

static void print_zsh_option(const struct option_spec *o)
{
	printf(" \\\n\t\t\t");
	if (IS_LETTER(o->key))
		printf("{-%c,--%s%s}", o->key, o->name, o->arg ? "=" : "");
	else
		printf("--%s%s", o->name, o->arg ? "=" : "");
	printf("'[");
	print_zsh_text(o->help);
	printf("]");
	if (o->arg) {
		size_t i = find_argument(o->arg);

		printf(":%s:", o->arg);
		if (i < ELEMENTS(arguments) && strchr(arguments[i].zsh, '\'') == NULL)
			fputs(arguments[i].zsh, stdout);
		else
			putchar(' ');
	}
	putchar('\'');
}

static void print_zsh(void)
{
	printf("#compdef sockctl\n# zsh completion of sockctl(1); made from its tables of commands and "
	       "options.\n\n"
	       "_sockctl_ids() {\n\tlocal -a ids=(${(f)\"$(" IDS ")\"})\n\tcompadd -a ids\n}\n\n"
	       "_sockctl_commands() {\n\tlocal -a commands=(");
	for (const struct command *command = commands; command->name; command++) {
		printf("\n\t\t'%s:", command->name);
		print_zsh_text(command->help);
		printf("'");
	}
	printf("\n\t)\n\t_describe command commands\n}\n\n_sockctl() {\n"
	       "\tlocal context state state_descr line\n\ttypeset -A opt_args\n\n\t_arguments -C");
	for (const struct option_spec *o = commands_options; o->name; o++)
		print_zsh_option(o);
	printf(" \\\n\t\t\t'1:command:_sockctl_commands' '*::argument:->argument'\n"
	       "\t[[ $state == argument ]] || return\n\tcase $words[1] in\n");
	for (const struct command *command = commands; command->name; command++) {
		printf("\t%s)\n\t\t_arguments", command->name);
		for (const struct option_spec *o = command->options; o->name; o++)
			print_zsh_option(o);
		if (takes_ids(command))
			printf(" \\\n\t\t\t'*:ID:_sockctl_ids'");
		if (command->operands == OPERANDS_COMMAND)
			printf(" \\\n\t\t\t'1:command:_sockctl_commands'");
		printf("\n\t\t;;\n");
	}
	printf("\tesac\n}\n\n_sockctl \"$@\"\n");
}

static void print_fish_text(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

static void print_fish_option(const char *condition, const struct option_spec *o)
{
	printf("complete -c sockctl -n '%s' -l %s", condition, o->name);
	if (IS_LETTER(o->key))
		printf(" -s %c", o->key);
	printf(" -d ");
	print_fish_text(o->help);
	if (o->arg) {
		size_t i = find_argument(o->arg);

		printf(" %s", i < ELEMENTS(arguments) && !arguments[i].fish ? "-rF" : "-x");
		if (i < ELEMENTS(arguments) && arguments[i].fish) {
			printf(" -a ");
			print_fish_text(arguments[i].fish);
		}
	}
	putchar('\n');
}

static void print_fish(void)
{
	char condition[80];

	printf("# fish completion of sockctl(1); made from its tables of commands and options.\ncomplete -c "
	       "sockctl -f\n");
	for (const struct option_spec *o = commands_options; o->name; o++)
		print_fish_option("__fish_use_subcommand", o);
	for (const struct command *command = commands; command->name; command++) {
		printf("complete -c sockctl -n __fish_use_subcommand -a %s -d ", command->name);
		print_fish_text(command->help);
		printf("\n");
		snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s", command->name);
		for (const struct option_spec *o = command->options; o->name; o++)
			print_fish_option(condition, o);
		if (takes_ids(command)) {
			printf("complete -c sockctl -n '%s' -a ", condition);
			print_fish_text("(" IDS ")");
			printf("\n");
		}
		if (command->operands == OPERANDS_COMMAND) {
			printf("complete -c sockctl -n '%s' -a '", condition);
			print_command_names();
			printf("'\n");
		}
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

	for (size_t i = 0; argc == 2 && i < ELEMENTS(shells); i++)
		if (strcmp(argv[1], shells[i].name) == 0) {
			shells[i].print();
			return fflush(stdout) == 0 ? 0 : 1;
		}
	fprintf(stderr, "usage: completions bash|zsh|fish\n");
	return 2;
}
