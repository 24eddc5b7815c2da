#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/cleanup.h"
#include "greeterd/heard.h"

#define THREADS 4
#define EACH 5

static void assert_takes(struct heard *heard, const char *expected)
{
	_cleanup_(freep) char *sentence = heard_take(heard);

	assert_non_null(sentence);
	assert_string_equal(sentence, expected);
}

static void test_keeps_sentences_in_their_order(void **state)
{
	_cleanup_(heard_deinit) struct heard heard;
	char sentence[] = "first";

	(void)state;
	heard_init(&heard);
	assert_null(heard_take(&heard));
	heard_put(&heard, sentence);
	sentence[0] = '?'; /* it has a copy */
	heard_put(&heard, "second");
	assert_takes(&heard, "first");
	heard_put(&heard, "third");
	assert_takes(&heard, "second");
	assert_takes(&heard, "third");
	assert_null(heard_take(&heard));
}

static void test_keeps_no_more_than_there_is_room_for(void **state)
{
	_cleanup_(heard_deinit) struct heard heard;
	char sentence[16];

	(void)state;
	heard_init(&heard);
	for (int i = 0; i < HEARD_MAX + 2; i++) {
		snprintf(sentence, sizeof(sentence), "%d", i);
		heard_put(&heard, sentence);
	}
	assert_int_equal(heard.n, HEARD_MAX);
	assert_takes(&heard, "0");
	heard_put(&heard, "again");
	assert_int_equal(heard.n, HEARD_MAX); /* what is left, heard_deinit() frees */
}

static void *say_some(void *heard)
{
	for (int i = 0; i < EACH; i++)
		heard_put(heard, "one of many");
	return NULL;
}

static void test_hears_several_threads(void **state)
{
	_cleanup_(heard_deinit) struct heard heard;
	pthread_t threads[THREADS];

	(void)state;
	heard_init(&heard);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, say_some, &heard), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < THREADS * EACH; i++)
		assert_takes(&heard, "one of many");
	assert_null(heard_take(&heard));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_sentences_in_their_order),
		cmocka_unit_test(test_keeps_no_more_than_there_is_room_for),
		cmocka_unit_test(test_hears_several_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
