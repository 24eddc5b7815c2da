#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "greeterd/admission.h"

#define SOURCES 5000

static struct netio_peer ip_peer(uint32_t ip, uint16_t port)
{
	return (struct netio_peer){
		.family = AF_INET,
		.port = port,
		.ip = { 10, (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip },
	};
}

static struct netio_peer unix_peer(uint32_t pid, uint32_t uid)
{
	return (struct netio_peer){ .family = AF_UNIX, .unix_peer = { .pid = pid, .uid = uid } };
}

static struct admission *new_admission(uint32_t max, uint32_t max_per_source)
{
	struct admission *admission = NULL;

	assert_int_equal(admission_new(max, max_per_source, &admission), 0);
	assert_int_equal(admission_count(admission), 0);
	return admission;
}

static int enter(struct admission *admission, struct netio_peer peer)
{
	return admission_enter(admission, &peer);
}

static void leave(struct admission *admission, struct netio_peer peer)
{
	admission_leave(admission, &peer);
}

static void test_the_limit_in_all_holds(void **state)
{
	_cleanup_(admission_freep) struct admission *admission = new_admission(3, 0);

	(void)state;
	for (uint16_t port = 1; port <= 3; port++)
		assert_int_equal(enter(admission, ip_peer(1, port)), 0);
	assert_int_equal(enter(admission, ip_peer(1, 4)), -EBUSY);
	assert_int_equal(enter(admission, ip_peer(2, 4)), -EBUSY);
	assert_int_equal(admission_count(admission), 3);
}

static void test_who_leaves_makes_room(void **state)
{
	_cleanup_(admission_freep) struct admission *admission = new_admission(1, 1);

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(enter(admission, ip_peer(i, 1)), 0);
		assert_int_equal(enter(admission, ip_peer(i + 1, 1)), -EBUSY);
		leave(admission, ip_peer(i, 1));
		assert_int_equal(admission_count(admission), 0);
	}
}

static void test_a_source_has_its_share_whatever_its_ports(void **state)
{
	_cleanup_(admission_freep) struct admission *admission = new_admission(10, 2);

	(void)state;
	assert_int_equal(enter(admission, ip_peer(1, 1)), 0);
	assert_int_equal(enter(admission, ip_peer(1, 2)), 0);
	assert_int_equal(enter(admission, ip_peer(1, 3)), -EDQUOT);
	assert_int_equal(enter(admission, ip_peer(2, 3)), 0);
	assert_int_equal(admission_count(admission), 3);
	leave(admission, ip_peer(1, 1));
	assert_int_equal(enter(admission, ip_peer(1, 3)), 0);
	assert_int_equal(enter(admission, ip_peer(1, 4)), -EDQUOT);
	assert_int_equal(admission_count(admission), 3);
}

static void test_a_full_house_comes_before_the_share(void **state)
{
	_cleanup_(admission_freep) struct admission *admission = new_admission(1, 1);

	(void)state;
	assert_int_equal(enter(admission, ip_peer(1, 1)), 0);
	assert_int_equal(enter(admission, ip_peer(1, 2)), -EBUSY);
}

static void test_the_source_of_a_unix_socket_is_its_user(void **state)
{
	_cleanup_(admission_freep) struct admission *admission = new_admission(10, 1);

	(void)state;
	assert_int_equal(enter(admission, unix_peer(100, 1000)), 0);
	assert_int_equal(enter(admission, unix_peer(101, 1000)), -EDQUOT);
	assert_int_equal(enter(admission, unix_peer(100, 1001)), 0);
	assert_int_equal(enter(admission, ip_peer(0, 0)), 0);
	leave(admission, unix_peer(101, 1000));
	assert_int_equal(enter(admission, unix_peer(102, 1000)), 0);
}

static void test_families_do_not_share_a_source(void **state)
{
	_cleanup_(admission_freep) struct admission *admission = new_admission(10, 1);
	const struct netio_peer zero_in6 = { .family = AF_INET6 }, zero_in = { .family = AF_INET };
	struct netio_peer scoped = zero_in6;

	(void)state;
	scoped.scope = 2;
	assert_int_equal(enter(admission, zero_in), 0);
	assert_int_equal(enter(admission, zero_in6), 0);
	assert_int_equal(enter(admission, scoped), 0);
	assert_int_equal(enter(admission, unix_peer(0, 0)), 0);
	assert_int_equal(enter(admission, scoped), -EDQUOT);
}

static void test_counts_many_sources_exactly(void **state)
{
	_cleanup_(admission_freep) struct admission *admission = new_admission(UINT32_MAX, 2);

	(void)state;
	for (uint16_t port = 1; port <= 2; port++)
		for (uint32_t ip = 0; ip < SOURCES; ip++)
			assert_int_equal(enter(admission, ip_peer(ip, port)), 0);
	assert_int_equal(admission_count(admission), 2 * SOURCES);
	for (uint32_t ip = 0; ip < SOURCES; ip++) /* in another order: 7 shares no factor with SOURCES */
		leave(admission, ip_peer(ip * 7 % SOURCES, 1));
	for (uint32_t ip = 0; ip < SOURCES; ip++) {
		assert_int_equal(enter(admission, ip_peer(ip, 3)), 0);
		assert_int_equal(enter(admission, ip_peer(ip, 4)), -EDQUOT);
	}
	assert_int_equal(admission_count(admission), 2 * SOURCES);
	for (uint32_t i = 0; i < 2 * SOURCES; i++)
		leave(admission, ip_peer(i % SOURCES, 2));
	assert_int_equal(admission_count(admission), 0);
}

static void test_other_limits_count_for_who_comes(void **state)
{
	struct admission *admission = new_admission(3, 0);

	(void)state;
	for (uint16_t port = 1; port <= 3; port++)
		assert_int_equal(enter(admission, ip_peer(1, port)), 0);
	admission_set(admission, 2, 0);
	assert_int_equal(admission_count(admission), 3); /* who is in stays in */
	leave(admission, ip_peer(1, 1));
	assert_int_equal(enter(admission, ip_peer(2, 1)), -EBUSY);
	admission_set(admission, 4, 2);
	assert_int_equal(enter(admission, ip_peer(1, 4)), -EDQUOT);
	assert_int_equal(enter(admission, ip_peer(2, 1)), 0);
	admission_set(admission, 4, 0);
	assert_int_equal(enter(admission, ip_peer(1, 4)), 0);
	admission_free(admission);
}

static void test_free_takes_nothing(void **state)
{
	(void)state;
	admission_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_limit_in_all_holds),
		cmocka_unit_test(test_who_leaves_makes_room),
		cmocka_unit_test(test_a_source_has_its_share_whatever_its_ports),
		cmocka_unit_test(test_a_full_house_comes_before_the_share),
		cmocka_unit_test(test_the_source_of_a_unix_socket_is_its_user),
		cmocka_unit_test(test_families_do_not_share_a_source),
		cmocka_unit_test(test_counts_many_sources_exactly),
		cmocka_unit_test(test_other_limits_count_for_who_comes),
		cmocka_unit_test(test_free_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
