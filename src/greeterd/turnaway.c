#include "greeterd/turnaway.h"

#include <sys/socket.h>
#include <unistd.h>

#define WAITING_MAX 65536

void turn_away(int fd, enum protocol_refusal refusal, uint32_t max_id)
{
	char bytes[PROTOCOL_REPLY_MAX], unread[PROTOCOL_LINE_MAX];
	size_t len = protocol_write_refusal(refusal, max_id, PROTOCOL_END_LF, bytes);

	(void)send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
	(void)recv(fd, unread, sizeof(unread),
		MSG_DONTWAIT); /* unread bytes would make close() reset the connection */
	close(fd);
}

size_t turn_away_waiting(int listener, enum protocol_refusal refusal, uint32_t max_id)
{
	size_t n = 0;

	while (n < WAITING_MAX) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			break;
		turn_away(fd, refusal, max_id);
		n++;
	}
	return n;
}
