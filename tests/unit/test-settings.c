#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/duration.h"
#include "common/settings.h"

#define NOBODY 65534

/* A private folder, the settings file in it, and what the last load said. */
struct fixture {
	char folder[64];
	char file[128];
	struct settings *settings;
	struct settings_report report;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->folder, "/tmp/test-settings-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/greeterd.conf", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	settings_free(f->settings);
	settings_report_free(&f->report);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
	if (system(command) != 0)
		return -1;
	free(f);
	return 0;
}

static void write_bytes(struct fixture *f, const char *name, const char *bytes, size_t len)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/conf.d", f->folder);
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/%s", f->folder, name);

	FILE *out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
	write_bytes(f, name, text, strlen(text));
}

static int load(struct fixture *f)
{
	settings_free(f->settings);
	settings_report_free(&f->report);
	f->settings = NULL;
	return settings_load(f->file, &f->settings, &f->report);
}

/* The only line of the report, or one of them, says this. */
static void assert_line(struct fixture *f, size_t i, const char *name, const char *expected)
{
	char line[1024];

	assert_true(i < f->report.n_lines);
	snprintf(line, sizeof(line), "%s/%s%s", f->folder, name, expected);
	assert_string_equal(f->report.lines[i], line);
}

static void assert_refused(struct fixture *f, int error, const char *expected)
{
	assert_int_equal(load(f), error);
	assert_null(f->settings);
	assert_int_equal(f->report.n_lines, 1);
	assert_line(f, 0, "greeterd.conf", expected);
}

static void assert_text_refused(struct fixture *f, const char *text, const char *expected)
{
	write_file(f, "greeterd.conf", text);
	assert_refused(f, -EINVAL, expected);
}

static void assert_taken(struct fixture *f, const char *text)
{
	write_file(f, "greeterd.conf", text);
	if (load(f) != 0)
		fail_msg("refused: %s", f->report.n_lines > 0 ? f->report.lines[0] : "without a word");
	assert_int_equal(f->report.n_lines, 0);
}

static char *dump(const struct settings *settings)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	settings_dump(settings, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_has_the_defaults_of_the_design(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(settings_load(NULL, &f->settings, &f->report), 0);
	assert_int_equal(f->settings->port, 8080);
	assert_int_equal(f->settings->n_listen, 1);
	assert_string_equal(f->settings->listen[0], "*");
	assert_string_equal(f->settings->reply, "I am SERVER");
	assert_int_equal(f->settings->max_id, 65535);
	assert_int_equal(f->settings->max_connections, 16384);
	assert_int_equal(f->settings->max_connections_per_source, 0);
	assert_int_equal(f->settings->settle_usec, 250 * USEC_PER_MSEC);
	assert_int_equal(f->settings->greeting_timeout_usec, 10 * USEC_PER_SEC);
	assert_int_equal(f->settings->idle_timeout_usec, 300 * USEC_PER_SEC);
	assert_int_equal(f->settings->idle_exit_usec, 0);
	assert_int_equal(f->settings->journal_burst, 200);
	assert_int_equal(f->settings->workers, 1);
	assert_int_equal(f->settings->n_expect, 0);
}

static void test_takes_an_empty_file_as_the_defaults(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *defaults = NULL, *empty = NULL;

	assert_int_equal(settings_load(NULL, &f->settings, &f->report), 0);
	defaults = dump(f->settings);
	assert_taken(f, "");
	empty = dump(f->settings);
	assert_string_equal(empty, defaults);
	assert_taken(f, "# only a comment");
}

static void test_reads_every_key(void **state)
{
	struct fixture *f = *state;

	assert_taken(f,
		"port = 9000;\n"
		"listen = [ \"*\", \"[2001:db8::1]:9001\", \"/run/greeterd/greet.sock\" ];\n"
		"reply = \"Good \\\"day\\\" \\\\o/\";\n"
		"max_id = 0x10; max_connections = 5L, max_connections_per_source: 6\n"
		"settle = \"0\"; greeting_timeout = 7; idle_timeout = \"1h 30min\"; idle_exit = \"1d\";\n"
		"journal_burst = 0; workers = 0;\n"
		"expect = ( { id = \"1-3,7\"; every = \"60s\"; grace = 5; name = \"r\xc3\xa4"
		"ck A\"; },\n"
		"	{ id = \"9\"; every = 1 } );");
	assert_int_equal(f->settings->port, 9000);
	assert_int_equal(f->settings->n_listen, 3);
	assert_string_equal(f->settings->listen[2], "/run/greeterd/greet.sock");
	assert_string_equal(f->settings->reply, "Good \"day\" \\o/");
	assert_int_equal(f->settings->max_id, 16);
	assert_int_equal(f->settings->max_connections, 5);
	assert_int_equal(f->settings->max_connections_per_source, 6);
	assert_int_equal(f->settings->settle_usec, 0);
	assert_int_equal(f->settings->greeting_timeout_usec, 7 * USEC_PER_SEC);
	assert_int_equal(f->settings->idle_timeout_usec, 5400 * USEC_PER_SEC);
	assert_int_equal(f->settings->idle_exit_usec, 86400 * USEC_PER_SEC);
	assert_int_equal(f->settings->journal_burst, 0);
	assert_int_equal(f->settings->workers, 0);
	assert_int_equal(f->settings->n_expect, 2);
	assert_int_equal(idset_count(f->settings->expect[0].ids), 4);
	assert_int_equal(f->settings->expect[0].grace_usec, 5 * USEC_PER_SEC);
	assert_string_equal(f->settings->expect[0].name, "r\xc3\xa4"
							 "ck A");
	assert_int_equal(f->settings->expect[1].every_usec, USEC_PER_SEC);
	assert_int_equal(f->settings->expect[1].grace_usec, 30 * USEC_PER_SEC);
	assert_string_equal(f->settings->expect[1].name, "");
}

static void test_reads_back_what_it_dumps(void **state)
{
	static const char *const texts[] = {
		"",
		"reply = \"a \\\"b\\\" \\\\x41 \\\\\";",
		"listen = [ \"*:1\", \"/run/\\\"x\\\\y\" ]; settle = \"1ms\"; idle_timeout = \"1s 1us\";",
		"expect = ( { id = \"9,1-3\"; every = 90; name = \"\\\"\\\\\"; } );",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		_cleanup_(freep) char *first = NULL, *second = NULL;

		assert_taken(f, texts[i]);
		first = dump(f->settings);
		assert_taken(f, first);
		second = dump(f->settings);
		assert_string_equal(first, second);
	}
}

static void test_keeps_the_whole_table_in_range(void **state)
{
	struct fixture *f = *state;
	size_t n;
	const struct settings_key *keys = settings_keys(&n);

	assert_int_equal(n, 13);
	for (size_t i = 0; i < n; i++) {
		char text[64];

		if (keys[i].kind == SETTINGS_INTEGER) {
			snprintf(text, sizeof(text), "%s = %lu;", keys[i].name, (unsigned long)keys[i].min);
			assert_taken(f, text);
			snprintf(text, sizeof(text), "%s = %lu;", keys[i].name, (unsigned long)keys[i].max);
			assert_taken(f, text);
			snprintf(text, sizeof(text), "%s = %ld;", keys[i].name, (long)keys[i].min - 1);
			write_file(f, "greeterd.conf", text);
			assert_int_equal(load(f), -EINVAL);
			snprintf(text, sizeof(text), "%s = %lu;", keys[i].name,
				(unsigned long)keys[i].max + 1);
			write_file(f, "greeterd.conf", text);
			assert_int_equal(load(f), -EINVAL);
		} else if (keys[i].kind == SETTINGS_DURATION) {
			snprintf(text, sizeof(text), "%s = \"%luus\";", keys[i].name,
				(unsigned long)keys[i].max);
			assert_taken(f, text);
			snprintf(text, sizeof(text), "%s = \"%luus\";", keys[i].name,
				(unsigned long)keys[i].max + 1);
			write_file(f, "greeterd.conf", text);
			assert_int_equal(load(f), -EINVAL);
		}
	}
}

static void test_refuses_integers_that_do_not_fit(void **state)
{
	struct fixture *f = *state;

	assert_text_refused(
		f, "port = 4294976296;", ":1: port: 4294976296 does not fit; expected 1 to 65535");
	assert_text_refused(
		f, "\nport = 0x100002328;", ":2: port: 0x100002328 does not fit; expected 1 to 65535");
	assert_text_refused(f, "port = 18446744073709560616L;",
		":1: port: 18446744073709560616L does not fit; expected 1 to 65535");
	assert_text_refused(
		f, "port = -4294958296;", ":1: port: -4294958296 does not fit; expected 1 to 65535");
	assert_text_refused(f, "expect = ( { id = \"1\"; every = 4294967297; } );",
		":1: expect.every: 4294967297 does not fit; expected 1s to 1w");
	assert_text_refused(f, "port = 010;", ":1: port: 010 has a leading zero; expected 1 to 65535");
	assert_text_refused(
		f, "port = 70000;", ":1: port: 70000 is out of range; expected an integer, 1 to 65535");
	assert_text_refused(f, "port = -1;", ":1: port: -1 is out of range; expected an integer, 1 to 65535");
}

static void test_refuses_includes_but_reads_on(void **state)
{
	struct fixture *f = *state;
	char text[256];

	snprintf(text, sizeof(text), "@include \"%s\"\n", f->folder); /* a directory: libconfig 1.5 exits */
	assert_text_refused(f, text, ":1: @include is not taken; expected settings, or a drop-in in conf.d");
	assert_text_refused(f, "port = 1;\n\t@include \"/nonexistent\"\n",
		":2: @include is not taken; expected settings, or a drop-in in conf.d");
	assert_text_refused(f, "port = 1; @include \"x\n",
		":1: @include is not taken; expected settings, or a drop-in in conf.d");
	write_file(f, "greeterd.conf", "@include \"/etc\"\nport = 0;\n");
	assert_int_equal(load(f), -EINVAL);
	assert_int_equal(f->report.n_lines, 2);
	assert_taken(f, "/*\n@include \"/etc\"\n*/ // @include \"/etc\"\nreply = \"@include \\\"/etc\\\"\";");
	assert_string_equal(f->settings->reply, "@include \"/etc\"");
}

static void test_refuses_a_nul(void **state)
{
	static const char text[] = "port = 1;\nport\0= 2;\n";
	struct fixture *f = *state;

	write_bytes(f, "greeterd.conf", text, sizeof(text) - 1);
	assert_refused(f, -EINVAL, ":2: a NUL byte; expected plain text");
	assert_text_refused(f, "reply = \"a\\x00b\";", ":1: reply: a NUL in a string; expected other bytes");
	assert_taken(f, "reply = \"a\\\\x00b\";");
}

static void test_refuses_a_byte_order_mark(void **state)
{
	assert_text_refused(*state, "\xef\xbb\xbfport = 9000;\n",
		":1: a byte-order mark; expected plain text without one");
}

static void test_refuses_sixty_thousand_keys_at_once(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *text = malloc(60000 * 10);
	size_t len = 0;

	assert_non_null(text);
	for (unsigned i = 0; i < 60000; i++)
		len += (size_t)sprintf(text + len, "k%u=1;\n", i);
	write_bytes(f, "greeterd.conf", text, len);
	assert_refused(f, -EFBIG, ": too large; expected at most 65536 bytes");
	write_bytes(f, "greeterd.conf", text, 60000);
	assert_refused(f, -EINVAL, ":1001: too many settings; expected at most 1000");
}

static void test_refuses_five_megabytes(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *text = malloc(5 << 20);

	assert_non_null(text);
	memset(text, '\n', 5 << 20);
	write_bytes(f, "greeterd.conf", text, 5 << 20);
	assert_refused(f, -EFBIG, ": too large; expected at most 65536 bytes");
	write_bytes(f, "greeterd.conf", text, SETTINGS_FILE_MAX);
	assert_int_equal(load(f), 0);
}

static void test_refuses_deep_nesting(void **state)
{
	struct fixture *f = *state;
	char text[40000] = "a = ";

	memset(text + 4, '(', 20000);
	assert_text_refused(f, text, ":1: brackets too deep; expected at most 16 inside one another");
	assert_text_refused(f, "a=((((((((((((((((1))))))))))))))));",
		":1: a: unknown key; expected one of greeterd.conf(5)");
}

static void test_does_not_wait_for_a_fifo(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	assert_refused(f, -EINVAL, ": not a regular file; expected one");
}

static void test_refuses_what_is_not_a_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->file, 0755), 0);
	assert_refused(f, -EISDIR, ": cannot be read: Is a directory");
	assert_int_equal(rmdir(f->file), 0);
	assert_int_equal(symlink("/dev/zero", f->file), 0);
	assert_refused(f, -EINVAL, ": not a regular file; expected one");
}

static void test_reports_a_missing_file(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, -ENOENT, ": cannot be read: No such file or directory");
	assert_int_equal(symlink("nowhere", f->file), 0);
	assert_refused(f, -ENOENT, ": cannot be read: No such file or directory");
}

static void test_lets_the_default_file_be_missing_but_not_its_drop_ins(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(settings_load_default(f->file, &f->settings, &f->report), 0);
	assert_int_equal(f->settings->port, 8080);
	settings_free(f->settings);
	f->settings = NULL;
	write_file(f, "conf.d/10.conf", "port = 77;");
	assert_int_equal(settings_load_default(f->file, &f->settings, &f->report), 0);
	assert_int_equal(f->settings->port, 77);
	assert_int_equal(f->report.n_lines, 0);
}

static void test_finds_errors_in_the_default_file_and_its_drop_ins(void **state)
{
	struct fixture *f = *state;

	write_file(f, "conf.d/10.conf", "port = 0;");
	assert_int_equal(settings_load_default(f->file, &f->settings, &f->report), -EINVAL);
	assert_int_equal(f->report.n_lines, 1);
	settings_report_free(&f->report);
	write_file(f, "greeterd.conf", "max_id = 0;");
	assert_int_equal(settings_load_default(f->file, &f->settings, &f->report), -EINVAL);
	assert_int_equal(f->report.n_lines, 2);
	assert_null(f->settings);
}

static void test_reports_an_unreadable_file(void **state)
{
	struct fixture *f = *state;

	write_file(f, "greeterd.conf", "port = 1;");
	assert_int_equal(chmod(f->folder, 0755), 0);
	assert_int_equal(chmod(f->file, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	int r = load(f);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EACCES);
	assert_int_equal(f->report.n_lines, 1);
	assert_line(f, 0, "greeterd.conf", ": cannot be read: Permission denied");
}

static void test_reports_all_errors_at_once_by_line(void **state)
{
	static const char *const expected[] = {
		":1: prot: unknown key; did you mean port?",
		":2: port: 4294976296 does not fit; expected 1 to 65535",
		":3: port: set twice; expected once, and line 2 has it already",
		":4: listen: \"localhost\" is not an address; expected a list of strings, "
		"1 to 32 numeric addresses or paths",
		":5: @include is not taken; expected settings, or a drop-in in conf.d",
		":6: reply: a string that does not end on its line; expected \"",
		":7: max_id: a string; expected an integer, 1 to 10000000",
		":8: settle: syntax error; expected =",
		":9: idle_exit: \"5 parsecs\" is not a time span; expected a time span such as \"10s\" or "
		"10, "
		"0s to 24h",
		":10: expect.nam: unknown key; did you mean name?",
		":11: workers: a fraction; expected an integer, 0 to 64",
		":12: a comment that never ends; expected */",
	};
	struct fixture *f = *state;

	write_file(f, "greeterd.conf",
		"prot = 5;\n"
		"port = 4294976296;\n"
		"port = 81;\n"
		"listen = [ \"*\", \"localhost\" ];\n"
		"@include \"/etc\"\n"
		"reply = \"forgotten;\n"
		"max_id = \"5\"\n"
		"settle 5;\n"
		"idle_exit = \"5 parsecs\";\n"
		"expect = ( { id = \"1\"; every = 5; nam = \"x\"; } );\n"
		"workers = 1.5;\n"
		"/* and so on\n");
	assert_int_equal(load(f), -EINVAL);
	assert_int_equal(f->report.n_lines, ELEMENTS(expected));
	for (size_t i = 0; i < ELEMENTS(expected); i++)
		assert_line(f, i, "greeterd.conf", expected[i]);
}

static void test_names_the_line_of_each_syntax_error(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "port\nmax_id = 3;", ":1: port: syntax error; expected =" },
		{ "\nport = ", ":2: port: syntax error; expected a value" },
		{ "port = 5 5;", ":1: port: syntax error; expected ;" },
		{ "port = 5x;", ":1: port: syntax error; expected a value" },
		{ "port = 1.2.3;", ":1: port: syntax error; expected a value" },
		{ "port = 1e;", ":1: port: syntax error; expected a value" },
		{ "port = 0x;", ":1: port: syntax error; expected a value" },
		{ "port = nonsense;", ":1: port: syntax error; expected a value" },
		{ "port = 1;\n;", ":2: syntax error; expected a key" },
		{ "port = 1;\n\"x\"", ":2: syntax error; expected a key" },
		{ "port = @;", ":1: port: syntax error; expected a value" },
		{ "port = /;", ":1: port: syntax error; expected a value" },
		{ "port = \x01;", ":1: port: syntax error; expected a value" },
		{ "listen = [ \"*\", 1 ];",
			":1: listen: syntax error; expected a value of the same type as the others" },
		{ "listen = [ \"*\" );", ":1: listen: syntax error; expected , or ]" },
		{ "listen = ( \"*\"\n1 );", ":1: listen: syntax error; expected , or )" },
		{ "expect = ( { id = \"1\"; every = 1; }\n{ id = \"2\"; } );",
			":1: expect: syntax error; expected , or )" },
		{ "expect = ( { id = \"1\" 5 } );", ":1: expect: syntax error; expected ; or }" },
		{ "expect = ( { 5 } );", ":1: expect: syntax error; expected a key or }" },
		{ "expect = ( ;", ":1: expect: syntax error; expected a value" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_text_refused(*state, cases[i].text, cases[i].expected);
}

static void test_refuses_wrong_types_and_values(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "port = \"80\";", ":1: port: a string; expected an integer, 1 to 65535" },
		{ "port = true;", ":1: port: a boolean; expected an integer, 1 to 65535" },
		{ "port = { a = 1; };", ":1: port: a group; expected an integer, 1 to 65535" },
		{ "port = 8.5e1;", ":1: port: a fraction; expected an integer, 1 to 65535" },
		{ "settle = [ ];",
			":1: settle: a list; expected a time span such as \"10s\" or 10, 0s to 10s" },
		{ "settle = 11;", ":1: settle: 11 is out of range; expected a time span such as \"10s\" or "
				  "10, 0s to 10s" },
		{ "settle = -1;", ":1: settle: -1 is out of range; expected a time span such as \"10s\" or "
				  "10, 0s to 10s" },
		{ "settle = \"99999999999999w\";", ":1: settle: 99999999999999w is out of range; "
						   "expected a time span such as \"10s\" or 10, 0s to 10s" },
		{ "reply = 5;",
			":1: reply: an integer; expected a string, 1 to 200 printable ASCII characters" },
		{ "reply = \"\";", ":1: reply: \"\" is blank, which clients pass over; "
				   "expected a string, 1 to 200 printable ASCII characters" },
		{ "reply = \"a<BR>b\";", ":1: reply: \"a<BR>b\" holds <br>, which ends a reply; "
					 "expected a string, 1 to 200 printable ASCII characters" },
		{ "reply = \"a\\nb\";", ":1: reply: \"a\\nb\" is not printable ASCII; "
					"expected a string, 1 to 200 printable ASCII characters" },
		{ "reply = \"ERR busy\";", ":1: reply: \"ERR busy\" begins like a refusal; "
					   "expected a string, 1 to 200 printable ASCII characters" },
		{ "listen = \"*\";", ":1: listen: a string; expected a list of strings, 1 to 32 numeric "
				     "addresses or paths" },
		{ "listen = [ ];", ":1: listen: 0 addresses; expected a list of strings, 1 to 32 numeric "
				   "addresses or paths" },
		{ "listen = ( 5 );", ":1: listen: an integer; expected a list of strings, 1 to 32 numeric "
				     "addresses or paths" },
		{ "listen = [ \"/run/\\x07\" ];",
			":1: listen: \"/run/\\x07\" is not printable UTF-8; "
			"expected a list of strings, 1 to 32 numeric addresses or paths" },
		{ "expect = 5;", ":1: expect: an integer; expected a list of groups, 0 to 200 groups" },
		{ "expect = ( 5 );", ":1: expect: an integer; expected a list of groups, 0 to 200 groups" },
		{ "expect = ( { every = 1; } );", ":1: expect: a group without id; expected client numbers "
						  "such as \"1-3,7\", 1 to max_id" },
		{ "expect = ( { id = 5; every = 1; } );",
			":1: expect.id: an integer; expected client numbers such as \"1-3,7\", 1 to max_id" },
		{ "expect = ( { id = \"0\"; every = 1; } );",
			":1: expect.id: \"0\" is not a list of client numbers; "
			"expected client numbers such as \"1-3,7\", 1 to max_id" },
		{ "expect = ( { id = \"9999999999\"; every = 1; } );",
			":1: expect.id: \"9999999999\" is out of range; "
			"expected client numbers such as \"1-3,7\", 1 to max_id" },
		{ "expect = ( { id = \"1\"; every = 1; name = \"\\xff\"; } );",
			":1: expect.name: \"\\xff\" is not printable UTF-8; "
			"expected a string, 0 to 64 bytes of printable UTF-8" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_text_refused(*state, cases[i].text, cases[i].expected);
}

static void test_refuses_texts_that_are_too_long(void **state)
{
	struct fixture *f = *state;
	char text[512];

	snprintf(text, sizeof(text), "reply = \"%0200d\";", 0);
	assert_taken(f, text);
	snprintf(text, sizeof(text), "reply = \"%0201d\";", 0);
	write_file(f, "greeterd.conf", text);
	assert_int_equal(load(f), -EINVAL);
	snprintf(text, sizeof(text), "expect = ( { id = \"1\"; every = 1; name = \"%065d\"; } );", 0);
	write_file(f, "greeterd.conf", text);
	assert_int_equal(load(f), -EINVAL);
}

static void test_bounds_the_lists(void **state)
{
	struct fixture *f = *state;
	char text[16384];
	size_t len = (size_t)sprintf(text, "listen = ( \"*:1\"");

	for (unsigned i = 2; i <= 32; i++)
		len += (size_t)sprintf(text + len, ", \"*:%u\"", i);
	sprintf(text + len, " );");
	assert_taken(f, text);
	assert_int_equal(f->settings->n_listen, 32);
	sprintf(text + len, ", \"*:33\" );");
	assert_text_refused(f, text,
		":1: listen: 33 addresses; expected a list of strings, 1 to 32 numeric addresses or paths");

	len = (size_t)sprintf(text, "expect = ( { id = \"1\"; every = 1; }");
	for (unsigned i = 2; i <= 200; i++)
		len += (size_t)sprintf(text + len, ", { id = \"%u\"; every = 1; }", i);
	sprintf(text + len, " );");
	assert_taken(f, text);
	assert_int_equal(f->settings->n_expect, 200);
	sprintf(text + len, ", { id = \"201\"; every = 1; } );");
	assert_text_refused(f, text, ":1: expect: 201 groups; expected a list of groups, 0 to 200 groups");
}

static void test_refuses_addresses_in_each_others_way(void **state)
{
	struct fixture *f = *state;

	assert_text_refused(f, "port = 9000;\nlisten = [ \"127.0.0.1\",\n\"127.0.0.1:9000\" ];",
		":3: listen: \"127.0.0.1:9000\" is in the way of \"127.0.0.1\"; expected each address once");
	assert_text_refused(f, "listen = [ \"*\", \"[::1]\" ];",
		":1: listen: \"[::1]\" is in the way of \"*\"; expected each address once");
	assert_text_refused(f, "listen = [ \"/a\", \"/a\" ];",
		":1: listen: \"/a\" is in the way of \"/a\"; expected each address once");
	assert_taken(f, "listen = [ \"*\", \"*:81\", \"[::1]:82\", \"127.0.0.1:82\", \"/a\", \"/b\" ];");
}

static void test_refuses_ids_over_max_id_and_in_two_groups(void **state)
{
	struct fixture *f = *state;

	assert_text_refused(f, "expect = ( { id = \"1-11\"; every = 1; } );\nmax_id = 10;",
		":1: expect.id: 11 is over max_id; expected 1 to 10");
	assert_text_refused(f,
		"expect = (\n{ id = \"1,5-7\"; every = 1; },\n{ id = \"2-3,6\"; every = 1; } );",
		":3: expect.id: client 6 is in the group of line 2 too; expected it in one");
}

static void test_suggests_the_nearest_key(void **state)
{
	struct fixture *f = *state;

	assert_text_refused(f, "Port = 1;", ":1: Port: unknown key; did you mean port?");
	assert_text_refused(
		f, "max-connections = 1;", ":1: max-connections: unknown key; did you mean max_connections?");
	assert_text_refused(
		f, "idel_timeout = 1;", ":1: idel_timeout: unknown key; did you mean idle_timeout?");
	assert_text_refused(f, "colour = 1;", ":1: colour: unknown key; expected one of greeterd.conf(5)");
	assert_text_refused(f, "*=1;", ":1: *: unknown key; expected one of greeterd.conf(5)");
}

static void test_reports_duplicates_in_groups(void **state)
{
	struct fixture *f = *state;

	assert_text_refused(f, "expect = ( { id = \"1\"; every = 1;\nid = \"2\"; } );",
		":2: expect.id: set twice; expected once, and line 1 has it already");
	assert_taken(f, "expect = ( { id = \"1\"; every = 1; }, { id = \"2\"; every = 1; } );");
}

static void test_lets_drop_ins_override_key_by_key_in_name_order(void **state)
{
	struct fixture *f = *state;

	write_file(f, "greeterd.conf",
		"port = 1000; reply = \"main\"; expect = ( { id = \"1\"; every = 1; }, { id = \"2\"; every = "
		"1; } );");
	write_file(f, "conf.d/10-a.conf", "port = 1010; max_id = 10;");
	write_file(f, "conf.d/9-b.conf", "port = 1009; max_id = 9; expect = ( { id = \"3\"; every = 1; } );");
	write_file(f, "conf.d/.hidden.conf", "port = 1;");
	write_file(f, "conf.d/99-c.conf~", "port = 2;");
	write_file(f, "conf.d/README", "nonsense");
	assert_int_equal(load(f), 0);
	assert_int_equal(f->settings->port, 1009);
	assert_int_equal(f->settings->max_id, 9);
	assert_string_equal(f->settings->reply, "main");
	assert_int_equal(f->settings->n_expect, 1);
	assert_true(idset_contains(f->settings->expect[0].ids, 3));
}

static void test_names_the_drop_in_of_an_error(void **state)
{
	struct fixture *f = *state;

	write_file(f, "greeterd.conf", "port = 0;\nexpect = ( { id = \"5\"; every = 1; } );");
	write_file(f, "conf.d/10.conf", "\nmax_id = 4;");
	write_file(f, "conf.d/20.conf", "\n\nreply = 5;");
	assert_int_equal(load(f), -EINVAL);
	assert_int_equal(f->report.n_lines, 3);
	assert_line(f, 0, "greeterd.conf", ":1: port: 0 is out of range; expected an integer, 1 to 65535");
	assert_line(f, 1, "greeterd.conf", ":2: expect.id: 5 is over max_id; expected 1 to 4");
	assert_line(f, 2, "conf.d/20.conf",
		":3: reply: an integer; expected a string, 1 to 200 printable ASCII characters");
}

static void test_refuses_a_drop_in_that_leads_nowhere(void **state)
{
	struct fixture *f = *state;
	char path[256];

	write_file(f, "greeterd.conf", "");
	snprintf(path, sizeof(path), "%s/conf.d/10.conf", f->folder);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(load(f), -EINVAL);
	assert_int_equal(f->report.n_lines, 1);
	assert_line(f, 0, "conf.d/10.conf", ": cannot be read: No such file or directory");
}

static void test_refuses_a_conf_d_that_is_no_folder(void **state)
{
	struct fixture *f = *state;
	char path[256];

	write_file(f, "greeterd.conf", "");
	snprintf(path, sizeof(path), "%s/conf.d", f->folder);
	assert_int_equal(rmdir(path), 0);
	write_file(f, "x", "");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("x", path), 0);
	assert_int_equal(load(f), -ENOTDIR);
	assert_int_equal(f->report.n_lines, 1);
	assert_line(f, 0, "conf.d/", ": cannot be read: Not a directory");
}

static void test_finds_drop_ins_of_a_file_without_a_folder(void **state)
{
	struct fixture *f = *state;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	write_file(f, "greeterd.conf", "");
	write_file(f, "conf.d/10.conf", "port = 77;");
	assert_int_equal(chdir(f->folder), 0);
	int r = settings_load("greeterd.conf", &f->settings, &f->report);
	assert_int_equal(fchdir(here), 0);
	close(here);
	assert_int_equal(r, 0);
	assert_int_equal(f->settings->port, 77);
}

static void test_parses_text_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(settings_parse("port = 80", strlen("port = 8"), "x", &f->settings, &f->report), 0);
	assert_int_equal(f->settings->port, 8);
	settings_free(f->settings);
	f->settings = NULL;
	assert_int_equal(settings_parse(NULL, 0, "x", &f->settings, &f->report), 0);
	settings_free(f->settings);
	f->settings = NULL;
	assert_int_equal(settings_parse("\nport", 5, "x", &f->settings, &f->report), -EINVAL);
	assert_null(f->settings);
	assert_int_equal(f->report.n_lines, 1);
	assert_string_equal(f->report.lines[0], "x:2: port: syntax error; expected =");
}

static void test_takes_a_comment_on_an_unfinished_last_line(void **state)
{
	assert_taken(*state, "port = 5 // no newline follows");
	assert_taken(*state, "port = /* five */ 5 # five");
}

static void test_never_gets_a_port_that_is_not_written(void **state)
{
	static const char *const numbers[] = { "0", "-1", "65536", "65616", "4294967376", "0x100000050",
		"18446744073709551696", "80.0", "8e1", "080", "0x", "80x", "--80", "80 80", "+-80", "\"80\"",
		"80LLL", "0b1010000", "0o120", "-0x50", "true", "[80]", "(80)", "1844674407370955169680L" };
	static const char *const eighties[] = { "80", "+80", "0x50", "0X50", "80L", "80LL" };
	struct fixture *f = *state;
	char text[64];

	for (size_t i = 0; i < ELEMENTS(numbers); i++) {
		snprintf(text, sizeof(text), "port = %s;", numbers[i]);
		write_file(f, "greeterd.conf", text);
		if (load(f) != -EINVAL || f->report.n_lines != 1)
			fail_msg("%s is not refused as it should be", text);
	}
	for (size_t i = 0; i < ELEMENTS(eighties); i++) {
		snprintf(text, sizeof(text), "port = %s;", eighties[i]);
		assert_taken(f, text);
		assert_int_equal(f->settings->port, 80);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_has_the_defaults_of_the_design),
		TEST(test_takes_an_empty_file_as_the_defaults),
		TEST(test_reads_every_key),
		TEST(test_reads_back_what_it_dumps),
		TEST(test_keeps_the_whole_table_in_range),
		TEST(test_refuses_integers_that_do_not_fit),
		TEST(test_refuses_includes_but_reads_on),
		TEST(test_refuses_a_nul),
		TEST(test_refuses_a_byte_order_mark),
		TEST(test_refuses_sixty_thousand_keys_at_once),
		TEST(test_refuses_five_megabytes),
		TEST(test_refuses_deep_nesting),
		TEST(test_does_not_wait_for_a_fifo),
		TEST(test_refuses_what_is_not_a_file),
		TEST(test_reports_a_missing_file),
		TEST(test_lets_the_default_file_be_missing_but_not_its_drop_ins),
		TEST(test_finds_errors_in_the_default_file_and_its_drop_ins),
		TEST(test_reports_an_unreadable_file),
		TEST(test_reports_all_errors_at_once_by_line),
		TEST(test_names_the_line_of_each_syntax_error),
		TEST(test_refuses_wrong_types_and_values),
		TEST(test_refuses_texts_that_are_too_long),
		TEST(test_bounds_the_lists),
		TEST(test_refuses_addresses_in_each_others_way),
		TEST(test_refuses_ids_over_max_id_and_in_two_groups),
		TEST(test_suggests_the_nearest_key),
		TEST(test_reports_duplicates_in_groups),
		TEST(test_lets_drop_ins_override_key_by_key_in_name_order),
		TEST(test_names_the_drop_in_of_an_error),
		TEST(test_refuses_a_drop_in_that_leads_nowhere),
		TEST(test_refuses_a_conf_d_that_is_no_folder),
		TEST(test_finds_drop_ins_of_a_file_without_a_folder),
		TEST(test_parses_text_alone),
		TEST(test_takes_a_comment_on_an_unfinished_last_line),
		TEST(test_never_gets_a_port_that_is_not_written),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
