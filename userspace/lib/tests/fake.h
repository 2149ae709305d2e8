/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server or proxy on loopback, with a thread for each connection, that does
 * what a test wants.
 */
#ifndef LAYA_FAKE_H
#define LAYA_FAKE_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <uv.h>

#define FAKE_MAX	64

struct fake;

struct fake_connection {
	struct fake *fake;
	int fd;
	uv_thread_t thread;
};

struct fake {
	void (*serve)(struct fake *fake, int fd);
	const char *says;	/* text that it answers with */
	const char *wants;	/* text that a request must have in it, or 407 */
	size_t drip;		/* bytes that are passed at a time; 0 is all */
	size_t breaks;		/* cut after so many bytes; 0 is never */
	void *ssl;		/* SSL_CTX of one that is spoken to by TLS */
	char seen[8192];	/* what the last one asked */
	int fd;
	uint16_t port;
	uv_thread_t thread;
	struct fake_connection connections[FAKE_MAX];
	unsigned int n;
};

static inline void fake_run_one(void *data)
{
	struct fake_connection *connection = data;

	connection->fake->serve(connection->fake, connection->fd);
	shutdown(connection->fd, SHUT_RDWR);
}

static inline void fake_run(void *data)
{
	struct fake *fake = data;
	struct fake_connection *connection;
	int fd;

	while (fake->n < FAKE_MAX && (fd = accept(fake->fd, NULL, NULL)) >= 0) {
		connection = &fake->connections[fake->n++];
		connection->fake = fake;
		connection->fd = fd;
		uv_thread_create(&connection->thread, fake_run_one, connection);
	}
}

static inline void fake_start(struct fake *fake,
			      void (*serve)(struct fake *fake, int fd))
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(sin);

	fake->serve = serve;
	fake->n = 0;
	fake->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fake->fd, (struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(fake->fd, 64) ||
	    getsockname(fake->fd, (struct sockaddr *)&sin, &size))
		abort();
	fake->port = ntohs(sin.sin_port);
	uv_thread_create(&fake->thread, fake_run, fake);
}

static inline void fake_stop(struct fake *fake)
{
	unsigned int i;

	if (!fake->port)
		return;
	shutdown(fake->fd, SHUT_RDWR);
	uv_thread_join(&fake->thread);
	close(fake->fd);
	for (i = 0; i < fake->n; i++)
		shutdown(fake->connections[i].fd, SHUT_RDWR);
	for (i = 0; i < fake->n; i++) {
		uv_thread_join(&fake->connections[i].thread);
		close(fake->connections[i].fd);
	}
	fake->port = 0;
}

static inline void fake_say(int fd, const char *text)
{
	send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* A head as a line-wise reader has it; empty if it did not come */
static inline void fake_read_head(struct fake *fake, int fd)
{
	size_t n = 0;

	memset(fake->seen, 0, sizeof(fake->seen));
	while (n < sizeof(fake->seen) - 1 && !strstr(fake->seen, "\r\n\r\n")) {
		if (recv(fd, fake->seen + n, 1, 0) != 1)
			return;
		n++;
	}
}

static inline int fake_connect(uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin))) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline bool fake_pass(int from, int to, size_t drip, size_t *left)
{
	static __thread char bytes[65536];
	ssize_t n = recv(from, bytes, sizeof(bytes), 0);
	ssize_t at;
	size_t len;

	if (n <= 0) {
		shutdown(to, SHUT_WR);
		return false;
	}
	if (*left && *left <= (size_t)n) {
		shutdown(from, SHUT_RDWR);
		shutdown(to, SHUT_RDWR);
		return false;
	}
	if (*left)
		*left -= n;
	for (at = 0; at < n; at += len) {
		len = drip && drip < (size_t)(n - at) ? drip : (size_t)(n - at);
		if (send(to, bytes + at, len, MSG_NOSIGNAL) != (ssize_t)len)
			return false;
	}
	return true;
}

/* Both ways, until both have ended */
static inline void fake_relay(struct fake *fake, int a, int b)
{
	struct pollfd fds[2] = {
		{ .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN },
	};
	size_t left = fake->breaks;
	int one = 1;

	setsockopt(a, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	setsockopt(b, IPPROTO_TCP, 1, &one, sizeof(one));
	while ((fds[0].fd >= 0 || fds[1].fd >= 0) && poll(fds, 2, -1) > 0) {
		if (fds[0].fd >= 0 && fds[0].revents &&
		    !fake_pass(a, b, fake->drip, &left))
			fds[0].fd = -1;
		if (fds[1].fd >= 0 && fds[1].revents &&
		    !fake_pass(b, a, fake->drip, &left))
			fds[1].fd = -1;
	}
}

/* An HTTP proxy; names are all at loopback */
static inline void fake_http_proxy(struct fake *fake, int fd)
{
	const char *colon;
	int to;

	fake_read_head(fake, fd);
	while (fake->wants && !strstr(fake->seen, fake->wants)) {
		if (!*fake->seen)
			return;
		fake_say(fd, "HTTP/1.1 407 Proxy Authentication Required\r\n"
			     "Proxy-Authenticate: Basic realm=\"x\"\r\n"
			     "Content-Length: 0\r\n\r\n");
		fake_read_head(fake, fd);
	}
	colon = strchr(fake->seen, ':');
	to = colon ? fake_connect(atoi(colon + 1)) : -1;
	if (strncmp(fake->seen, "CONNECT ", 8) || to < 0) {
		fake_say(fd, "HTTP/1.1 502 Bad Gateway\r\n"
			     "Content-Length: 0\r\n\r\n");
		return;
	}
	fake_say(fd, "HTTP/1.1 200 Connection established\r\n\r\n");
	fake_relay(fake, fd, to);
	close(to);
}

/* The same, spoken to by TLS */
static inline void fake_https_proxy(struct fake *fake, int fd)
{
	static const char granted[] = "HTTP/1.1 200 OK\r\n\r\n";
	static __thread char bytes[16384];
	SSL *ssl = SSL_new(fake->ssl);
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN }, { .events = POLLIN },
	};
	size_t n = 0;
	int got;

	SSL_set_fd(ssl, fd);
	memset(fake->seen, 0, sizeof(fake->seen));
	if (SSL_accept(ssl) == 1)
		while (!strstr(fake->seen, "\r\n\r\n") &&
		       SSL_read(ssl, fake->seen + n, 1) == 1)
			n++;
	fds[1].fd = strchr(fake->seen, ':') ?
		    fake_connect(atoi(strchr(fake->seen, ':') + 1)) : -1;
	if (fds[1].fd >= 0)
		SSL_write(ssl, granted, sizeof(granted) - 1);
	while (fds[1].fd >= 0 &&
	       poll(fds, 2, SSL_has_pending(ssl) ? 0 : -1) >= 0) {
		if (SSL_has_pending(ssl) || fds[0].revents) {
			got = SSL_read(ssl, bytes, sizeof(bytes));
			if (got <= 0 || send(fds[1].fd, bytes, got,
					     MSG_NOSIGNAL) != got)
				break;
		}
		if (fds[1].revents) {
			got = recv(fds[1].fd, bytes, sizeof(bytes), 0);
			if (got <= 0 || SSL_write(ssl, bytes, got) != got)
				break;
		}
	}
	SSL_free(ssl);
	if (fds[1].fd >= 0)
		close(fds[1].fd);
}

/* An HTTP server by TLS that says its text whatever it is asked */
static inline void fake_https_server(struct fake *fake, int fd)
{
	SSL *ssl = SSL_new(fake->ssl);
	char bytes[4096];
	size_t n = 0;

	SSL_set_fd(ssl, fd);
	memset(fake->seen, 0, sizeof(fake->seen));
	if (SSL_accept(ssl) == 1) {
		while (!strstr(fake->seen, "\r\n\r\n") &&
		       SSL_read(ssl, fake->seen + n, 1) == 1)
			n++;
		SSL_write(ssl, fake->says, strlen(fake->says));
		SSL_shutdown(ssl);
		shutdown(fd, SHUT_WR);
		/* until the other side has read it */
		while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
			;
	}
	SSL_free(ssl);
}

static inline bool fake_read(int fd, void *bytes, size_t len)
{
	return recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

/* SOCKS5 without authentication (RFC 1928), by name only: socks5h */
static inline void fake_socks(struct fake *fake, int fd)
{
	static const uint8_t granted[] = { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	uint8_t bytes[300] = { 0 };
	int to;

	if (!fake_read(fd, bytes, 2) || bytes[0] != 5 ||
	    !fake_read(fd, bytes + 2, bytes[1]))
		return;
	send(fd, "\5\0", 2, MSG_NOSIGNAL);
	if (!fake_read(fd, bytes, 5) || bytes[3] != 3 ||
	    !fake_read(fd, bytes + 5, bytes[4] + 2))
		return;
	snprintf(fake->seen, sizeof(fake->seen), "%.*s", bytes[4], bytes + 5);
	to = fake_connect(bytes[5 + bytes[4]] << 8 | bytes[6 + bytes[4]]);
	if (to < 0)
		return;
	send(fd, granted, sizeof(granted), MSG_NOSIGNAL);
	fake_relay(fake, fd, to);
	close(to);
}

/* Says its text after whatever came, and ends */
static inline void fake_answer(struct fake *fake, int fd)
{
	fake_read_head(fake, fd);
	fake_say(fd, fake->says);
}

/* Says it at once, and waits for the other side's end */
static inline void fake_blurt(struct fake *fake, int fd)
{
	char bytes[4096];

	fake_say(fd, fake->says);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static inline void fake_silent(struct fake *fake, int fd)
{
	char bytes[4096];

	(void)fake;
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static inline void fake_close(struct fake *fake, int fd)
{
	(void)fake;
	(void)fd;
}

#endif /* LAYA_FAKE_H */
