#include "sockctl/interrupt.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/cleanup.h"

static int add(const struct interrupts *interrupts, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(interrupts->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int interrupts_init(struct interrupts *ret, bool keys)
{
	_cleanup_(closep) int fd = epoll_create1(EPOLL_CLOEXEC);
	_cleanup_(closep) int signals = -1;
	struct interrupts interrupts = { .fd = fd, .keys = keys };
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (keys) {
		sigaddset(&set, SIGQUIT);
		sigaddset(&set, SIGWINCH);
		sigaddset(&set, SIGTSTP);
	}
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || signals < 0)
		return -errno;
	interrupts.signals = signals;
	r = add(&interrupts, signals, EPOLLIN);
	if (r == 0 && keys)
		r = add(&interrupts, STDIN_FILENO, EPOLLIN);
	if (r < 0)
		return r;
	(void)add(&interrupts, STDOUT_FILENO, 0); /* a file is always read: EPERM */
	sigprocmask(SIG_BLOCK, &set, &interrupts.before);
	*ret = interrupts;
	fd = signals = -1;
	return 0;
}

void interrupts_deinit(struct interrupts *interrupts)
{
	close(interrupts->fd);
	close(interrupts->signals);
	sigprocmask(SIG_SETMASK, &interrupts->before, NULL);
}

static enum interrupt next_signal(const struct interrupts *interrupts, int *ret_signal)
{
	struct signalfd_siginfo info;

	if (read(interrupts->signals, &info, sizeof(info)) != sizeof(info))
		return INTERRUPT_NONE;
	if (info.ssi_signo == SIGWINCH)
		return INTERRUPT_RESIZE;
	if (info.ssi_signo == SIGTSTP)
		return INTERRUPT_SUSPEND;
	*ret_signal = (int)info.ssi_signo;
	return INTERRUPT_END;
}

/* A terminal that has gone reads as an end: SIGHUP tells of it. */
static enum interrupt next_key(const struct interrupts *interrupts)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n == 1 && (key == 'q' || key == 'Q'))
		return INTERRUPT_QUIT;
	if (n <= 0)
		epoll_ctl(interrupts->fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	return INTERRUPT_NONE;
}

enum interrupt interrupts_next(struct interrupts *interrupts, int *ret_signal)
{
	struct epoll_event event;

	if (epoll_wait(interrupts->fd, &event, 1, 0) != 1)
		return INTERRUPT_NONE;
	if (event.data.fd == interrupts->signals)
		return next_signal(interrupts, ret_signal);
	if (event.data.fd == STDIN_FILENO)
		return next_key(interrupts);
	return INTERRUPT_DEAF;
}
