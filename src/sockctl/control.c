#include "sockctl/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "sockctl/control-errors.h"
#include "sockctl/control-internal.h"
#include "sockctl/exits.h"

int control_connect(struct control *control)
{
	const struct control_target *target = &control->target;

	if (target->host)
		return sd_bus_open_system_remote(&control->bus, target->host);
	if (target->machine)
		return target->user ? sd_bus_open_user_machine(&control->bus, target->machine)
				    : sd_bus_open_system_machine(&control->bus, target->machine);
	return target->user ? sd_bus_open_user(&control->bus) : sd_bus_open_system(&control->bus);
}

static const char *bus_name(const struct control_target *target, char *text, size_t size)
{
	if (target->host || target->machine)
		snprintf(text, size, "the bus of %s", target->host ? target->host : target->machine);
	else
		snprintf(text, size, "the %s bus", target->user ? "user" : "system");
	return text;
}

int control_open(const struct control_target *target, struct control **ret)
{
	_cleanup_(control_freep) struct control *control = calloc(1, sizeof(*control));
	char name[300];
	int r = -ENOMEM;

	if (control) {
		control->target = *target;
		r = control_connect(control);
	}
	if (r < 0) {
		fprintf(stderr, "sockctl: cannot reach %s: %s\n", bus_name(target, name, sizeof(name)),
			strerror(-r));
		return EXIT_UNREACHABLE;
	}
	*ret = TAKE_PTR(control);
	return EXIT_DONE;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	sd_bus_slot_unref(control->asked_clients);
	client_list_deinit(&control->asked);
	sd_bus_slot_unref(control->asked_watch);
	sd_bus_flush_close_unref(control->bus);
	free(control->owner);
	free(control);
}

/* Of a connection that never came to be, or ended: there is no error of the bus then, only one of sd-bus. */
static int cut_off(const struct control *control, int r)
{
	const char *host = control->target.host;
	char name[300];

	bus_name(&control->target, name, sizeof(name));
	if (host && (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE))
		fprintf(stderr,
			"sockctl: cannot reach %s: ssh has ended, or systemd-stdio-bridge over there\n",
			name);
	else
		fprintf(stderr, "sockctl: cannot talk to greeterd on %s: %s\n", name, strerror(-r));
	return EXIT_UNREACHABLE;
}

/* Says what a call came to, and where, unless it is here; returns its exit status. */
static int failed(const struct control *control, int r, const sd_bus_error *error)
{
	const struct control_target *target = &control->target;
	const char *where = target->host ? target->host : target->machine;
	const char *hint;

	if (!sd_bus_error_is_set(error) || sd_bus_is_open(control->bus) <= 0)
		return cut_off(control, r);
	if (sd_bus_error_has_name(error, "org.greeterd1.Error.InvalidSettings")) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_REFUSED;
	}
	hint = control_error_hint(error->name);
	fprintf(stderr, "sockctl: %s%s%s\n", where ? where : "", where ? ": " : "",
		hint             ? hint
		: error->message ? error->message
				 : error->name);
	return control_error_status(error->name);
}

int control_strange(int r)
{
	fprintf(stderr, "sockctl: cannot read greeterd's answer: %s\n", strerror(-r));
	return EXIT_FOREIGN;
}

/* Sends a call that was made (r: how that went), and waits for the reply. */
static int send_call(struct control *control, int r, sd_bus_message *call, sd_bus_message **ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

	if (r >= 0)
		r = sd_bus_call(control->bus, call, 0, &error, ret);
	return r < 0 ? failed(control, r, &error) : EXIT_DONE;
}

int control_call(struct control *control, const char *interface, const char *method, sd_bus_message **ret,
	const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(
		control->bus, &call, CONTROL_SERVICE, CONTROL_PATH, interface, method);
	va_list arguments;

	va_start(arguments, types);
	if (r >= 0)
		r = sd_bus_message_appendv(call, types, arguments);
	va_end(arguments);
	return send_call(control, r, call, ret);
}

static size_t count_guess(size_t n)
{
	return n ? n * 2 : 64;
}

static int read_client(sd_bus_message *m, struct client *c)
{
	return sd_bus_message_read(m, "(usstttts)", &c->id, &c->name, &c->state, &c->count, &c->refusals,
		&c->first_seen, &c->last_seen, &c->peer);
}

/* Takes the list over; returns -ENOMEM when it cannot. */
static int own(struct client_list *list, sd_bus_message *reply, struct client_list *ret)
{
	list->owners = calloc(1, sizeof(struct sd_bus_message *));
	if (!list->owners)
		return -ENOMEM;
	list->owners[0] = sd_bus_message_ref(reply);
	list->n_owners = 1;
	*ret = *list;
	*list = (struct client_list){ 0 };
	return 0;
}

int control_read_page(sd_bus_message *reply, struct client_list *ret, uint32_t *ret_next)
{
	_cleanup_(client_list_deinit) struct client_list list = { 0 };
	size_t room = 0;
	int r = sd_bus_message_enter_container(reply, 'a', "(usstttts)");

	while (r >= 0) {
		if (list.n == room) {
			struct client *more =
				reallocarray(list.clients, count_guess(room), sizeof(*list.clients));

			if (!more)
				return -ENOMEM;
			list.clients = more;
			room = count_guess(room);
		}
		r = read_client(reply, &list.clients[list.n]);
		if (r == 0)
			break;
		list.n++;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "u", ret_next);
	return r < 0 ? r : own(&list, reply, ret);
}

int control_page(struct control *control, const char *ids, bool missing_only, uint32_t limit, uint32_t *first,
	struct client_list *ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r = control_call(control, CONTROL_INTERFACE, "ListClientsFrom", &reply, CONTROL_PAGE_TYPES,
		*first, ids, (int)missing_only, limit);

	if (r != EXIT_DONE)
		return r;
	r = control_read_page(reply, ret, first);
	return r < 0 ? control_strange(r) : EXIT_DONE;
}

int control_clients(struct control *control, const char *ids, bool missing_only, struct client_list *ret)
{
	_cleanup_(client_list_deinit) struct client_list all = { 0 };
	uint32_t first = 0;

	do {
		_cleanup_(client_list_deinit) struct client_list page = { 0 };
		int r = control_page(control, ids, missing_only, UINT32_MAX, &first, &page);

		if (r != EXIT_DONE)
			return r;
		r = client_list_append(&all, &page);
		if (r < 0)
			return control_strange(r);
	} while (first != 0);
	*ret = all;
	all = (struct client_list){ 0 };
	return EXIT_DONE;
}

int client_list_append(struct client_list *list, struct client_list *from)
{
	struct client *clients;
	struct sd_bus_message **owners;

	if (list->n == 0 && list->n_owners == 0) {
		*list = *from;
		*from = (struct client_list){ 0 };
		return 0;
	}
	clients = reallocarray(list->clients, list->n + from->n + 1, sizeof(*clients));
	if (!clients)
		return -ENOMEM;
	list->clients = clients;
	owners = reallocarray(list->owners, list->n_owners + from->n_owners + 1, sizeof(*owners));
	if (!owners)
		return -ENOMEM;
	list->owners = owners;
	if (from->n > 0)
		memcpy(clients + list->n, from->clients, from->n * sizeof(*clients));
	if (from->n_owners > 0)
		memcpy(owners + list->n_owners, from->owners, from->n_owners * sizeof(*owners));
	list->n += from->n;
	list->n_owners += from->n_owners;
	free(from->clients);
	free(from->owners);
	*from = (struct client_list){ 0 };
	return 0;
}

void client_list_deinit(struct client_list *list)
{
	free(list->clients);
	for (size_t i = 0; i < list->n_owners; i++)
		sd_bus_message_unref(list->owners[i]);
	free(list->owners);
	*list = (struct client_list){ 0 };
}

int control_reload(struct control *control, char ***ret_pending)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
	int r = sd_bus_message_new_method_call(
		control->bus, &call, CONTROL_SERVICE, CONTROL_PATH, CONTROL_INTERFACE, "Reload");

	if (r >= 0)
		r = sd_bus_message_set_auto_start(call, false);
	r = send_call(control, r, call, &reply);
	if (r != EXIT_DONE)
		return r;
	r = sd_bus_message_read_strv(reply, ret_pending);
	return r < 0 ? control_strange(r) : EXIT_DONE;
}

int control_change(struct control *control, const char *method, const char *ids, uint32_t *ret_changed)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r = control_call(control, CONTROL_INTERFACE, method, &reply, "s", ids);

	if (r != EXIT_DONE)
		return r;
	r = sd_bus_message_read(reply, "u", ret_changed);
	return r < 0 ? control_strange(r) : EXIT_DONE;
}

int control_watch(struct control *control, const char *ids, const struct control_listener *listener)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	control->ids = ids;
	control->listener = listener;
	r = control_match(control);
	if (r < 0)
		return failed(control, r, NULL);
	r = control_call(control, CONTROL_INTERFACE, "Watch", &reply, "s", ids);
	if (r != EXIT_DONE)
		return r;
	control->owner = strdup(sd_bus_message_get_sender(reply));
	return control->owner ? EXIT_DONE : failed(control, -ENOMEM, NULL);
}

void control_free_texts(char ***texts)
{
	for (size_t i = 0; *texts && (*texts)[i]; i++)
		free((*texts)[i]);
	free(*texts);
	*texts = NULL;
}
