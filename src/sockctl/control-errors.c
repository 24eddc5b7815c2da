#include "sockctl/control-errors.h"

#include <stddef.h>
#include <string.h>

#include "common/cleanup.h"
#include "sockctl/exits.h"

#define NOT_THERE "greeterd is not on the bus; 'systemctl status greeterd' says why"

/* Anything else means that nobody answered. */
static const struct {
	const char *name; /* one that ends with a dot is the beginning of many */
	int status;
	const char *hint;
} errors[] = {
	{ "org.freedesktop.DBus.Error.AccessDenied", EXIT_REFUSED,
		"permission denied: only root and members of the group greeterd may do that" },
	{ "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", EXIT_REFUSED, NULL },
	{ "org.freedesktop.DBus.Error.InvalidArgs", EXIT_REFUSED, NULL },
	{ "org.freedesktop.DBus.Error.LimitsExceeded", EXIT_REFUSED, NULL },
	{ "org.greeterd1.Error.", EXIT_REFUSED, NULL },
	{ "org.freedesktop.DBus.Error.UnknownMethod", EXIT_FOREIGN, NULL },
	{ "org.freedesktop.DBus.Error.UnknownInterface", EXIT_FOREIGN, NULL },
	{ "org.freedesktop.DBus.Error.UnknownObject", EXIT_FOREIGN, NULL },
	{ "org.freedesktop.DBus.Error.UnknownProperty", EXIT_FOREIGN, NULL },
	{ "org.freedesktop.DBus.Error.ServiceUnknown", EXIT_UNREACHABLE, NOT_THERE },
	{ "org.freedesktop.DBus.Error.NameHasNoOwner", EXIT_UNREACHABLE, NOT_THERE },
	{ "org.freedesktop.DBus.Error.NoReply", EXIT_UNREACHABLE, "greeterd does not answer" },
	{ "org.freedesktop.DBus.Error.Timeout", EXIT_UNREACHABLE, "greeterd does not answer" },
};

static size_t find(const char *name)
{
	size_t i;

	for (i = 0; i < ELEMENTS(errors); i++) {
		size_t len = strlen(errors[i].name);

		if (errors[i].name[len - 1] == '.' ? strncmp(name, errors[i].name, len) == 0
						   : strcmp(name, errors[i].name) == 0)
			break;
	}
	return i;
}

int control_error_status(const char *name)
{
	size_t i = find(name);

	return i < ELEMENTS(errors) ? errors[i].status : EXIT_UNREACHABLE;
}

const char *control_error_hint(const char *name)
{
	size_t i = find(name);

	return i < ELEMENTS(errors) ? errors[i].hint : NULL;
}
