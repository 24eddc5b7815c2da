/* cleanup.h: release on leaving scope, so that no error path is written twice. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* _cleanup_(f): f(&variable) runs when the variable leaves scope. */
#define _cleanup_(f) __attribute__((cleanup(f)))

/* Declares NAMEp(), the cleanup function of a type whose free function is NAME(type *). */
#define DEFINE_CLEANUP(type, name) \
	static inline void name##p(type *p) \
	{ \
		if (*p) \
			name(*p); \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose)

/* Hands a resource on to another owner: its value, leaving nothing here to clean up. */
#define TAKE_FD(fd) \
	({ \
		int taken_ = (fd); \
		(fd) = -1; \
		taken_; \
	})
#define TAKE_PTR(p) \
	({ \
		__typeof__(p) taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
