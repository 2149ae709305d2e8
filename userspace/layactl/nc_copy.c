// SPDX-License-Identifier: GPL-2.0
/* Both directions of a stream, until both have closed. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nc.h"

#define BUFFER_SIZE	(256 * 1024)

/**
 * nc_write_all() - write all of it
 * @fd: where to
 * @data: what
 * @len: how much
 *
 * Return: 0 or a negative errno.
 */
int nc_write_all(int fd, const void *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { fd, POLLOUT, 0 };

			poll(&pfd, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data = (const char *)data + n;
		len -= n;
	}
	return 0;
}

/**
 * struct outgoing - from standard input to the socket
 * @buf: what was read and not yet sent
 * @start: where that begins
 * @end: where it ends
 * @ended: input has ended
 * @closed: and the far side was told
 */
struct outgoing {
	char *buf;
	size_t start;
	size_t end;
	bool ended;
	bool closed;
};

static int fill(struct outgoing *o, int in)
{
	ssize_t n = read(in, o->buf, BUFFER_SIZE);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	o->start = 0;
	o->end = n;
	o->ended = n == 0;
	return 0;
}

static int flush(struct outgoing *o, int sock)
{
	ssize_t n = send(sock, o->buf + o->start, o->end - o->start,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	o->start += n;
	return 0;
}

/* Return: 1 when the far side has closed, 0, or a negative errno */
static int take(int sock, int out, char *buf)
{
	ssize_t n = recv(sock, buf, BUFFER_SIZE, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return n ? nc_write_all(out, buf, n) : 1;
}

/**
 * nc_copy() - copy both ways between a stream and two files
 * @sock: the stream
 * @in: what is read here is sent; its end half-closes the stream
 * @out: what is received goes here
 *
 * Return: 0 when both directions have closed, or a negative errno.
 */
int nc_copy(int sock, int in, int out)
{
	struct outgoing o = { .buf = malloc(BUFFER_SIZE) };
	char *buf = malloc(BUFFER_SIZE);
	bool far_closed = false;
	int err = 0;

	if (!o.buf || !buf)
		err = -ENOMEM;
	while (!err && !(far_closed && o.closed)) {
		bool pending = o.start < o.end;
		short events = (far_closed ? 0 : POLLIN) |
			       (pending ? POLLOUT : 0);
		struct pollfd pfd[] = {
			{ events ? sock : -1, events, 0 },
			{ pending || o.ended ? -1 : in, POLLIN, 0 },
		};

		if (poll(pfd, 2, -1) < 0) {
			err = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (!far_closed && pfd[0].revents & ~POLLOUT) {
			err = take(sock, out, buf);
			far_closed = err > 0;
			err = err > 0 ? 0 : err;
		}
		if (!err && pfd[1].revents)
			err = fill(&o, in);
		if (!err && o.start < o.end)
			err = flush(&o, sock);
		if (!err && o.ended && !o.closed) {
			/* Its own error comes out of recv(2). */
			err = shutdown(sock, SHUT_WR) ? -errno : 0;
			o.closed = true;
		}
	}
	free(o.buf);
	free(buf);
	return err;
}
