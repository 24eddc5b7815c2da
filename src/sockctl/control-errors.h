/* control-errors.h: what a D-Bus error means to the caller of sockctl: an exit status and words. Pure. */
#pragma once

/* The exit status of an error's name, as sockctl(1) lists them. */
int control_error_status(const char *name);

/* What to say instead of the bus's own message, or NULL. */
const char *control_error_hint(const char *name);
