/* memory.h: for tests of what happens when memory is short. */
#pragma once

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER_HAS_MEMORY_OF_ITS_OWN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER_HAS_MEMORY_OF_ITS_OWN
#endif

/* A sanitizer's own memory does not come out of a limit alive. */
static inline void skip_under_sanitizer(void)
{
#ifdef SANITIZER_HAS_MEMORY_OF_ITS_OWN
	print_message("# the want of memory is not tested: the sanitizer has its own\n");
	skip();
#endif
}
