/* memory.h: for tests of what happens when memory is short. */
#pragma once

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* AddressSanitizer's own memory does not come out of a limit alive. */
static inline void skip_under_address_sanitizer(void)
{
#ifdef __SANITIZE_ADDRESS__
	print_message("# the want of memory is not tested: AddressSanitizer has its own\n");
	skip();
#endif
}
