// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_STREAM of AF_LAYA, from both sides: run by kselftest/stream.sh.
 *
 * laya-stream-test [WORD]   only the tests whose name has the word
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <linux/errqueue.h>
#include <linux/sockios.h>

#include "socket-test.h"

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif
#ifndef SO_EE_ORIGIN_ZEROCOPY
#define SO_EE_ORIGIN_ZEROCOPY	5
#endif
#define TCP_ULP_		31
#define IPV6_ADDRFORM_		1
#define SOL_TLS_		282
#define SOL_MPTCP_		284

/* A listener on node @node; its port goes to @port. */
static int listen_on(char node, uint16_t *port)
{
	int fd = open_on(node, SOCK_STREAM);

	if (bind_to(fd, 0, 0) || listen(fd, 16))
		FAIL("listen: %s", strerror(errno));
	*port = port_of(fd);
	patient(fd);
	return fd;
}

/* A connection from @from to @to: [0] is at @from. */
static void connect_pair(int fd[2], char from, char to)
{
	uint16_t port;
	int listener = listen_on(to, &port);

	fd[0] = open_on(from, SOCK_STREAM);
	patient(fd[0]);
	if (connect_to(fd[0], to, port))
		FAIL("connect: %s", strerror(errno));
	fd[1] = accept(listener, NULL, NULL);
	if (fd[1] < 0)
		FAIL("accept: %s", strerror(errno));
	patient(fd[1]);
	close(listener);
}

static void close_pair(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

static void exchange(int from, int to, const char *text)
{
	size_t len = strlen(text);
	char room[64] = "";

	EQUAL(len, send(from, text, len, 0));
	EQUAL(len, recv(to, room, len, MSG_WAITALL));
	CHECK(!strcmp(room, text));
}

/* --- the family --- */

static void test_socket(void)
{
	int fd;

	enter('a');
	REFUSED(ESOCKTNOSUPPORT, socket(AF_LAYA, SOCK_SEQPACKET, 0));
	REFUSED(ESOCKTNOSUPPORT, socket(AF_LAYA, SOCK_RAW, 0));
	REFUSED(ESOCKTNOSUPPORT, socket(AF_LAYA, SOCK_RDM, 0));
	REFUSED(EPROTONOSUPPORT, socket(AF_LAYA, SOCK_STREAM, IPPROTO_TCP));
	REFUSED(EPROTONOSUPPORT, socket(AF_LAYA, SOCK_STREAM, 262));
	REFUSED(EPROTONOSUPPORT, socket(AF_LAYA, SOCK_DGRAM, IPPROTO_UDP));

	fd = open_on('a', SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
	EQUAL(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EQUAL(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EQUAL(SOCK_STREAM, get_int(fd, SOL_SOCKET, SO_TYPE));
	/* The sock is TCP's: documented */
	EQUAL(AF_INET6, get_int(fd, SOL_SOCKET, SO_DOMAIN));
	EQUAL(0, get_int(fd, SOL_SOCKET, SO_ACCEPTCONN));
	close(fd);

	REFUSED(EOPNOTSUPP, socketpair(AF_LAYA, SOCK_STREAM, 0, (int[2]){}));
}

static void test_many_sockets(void)
{
	int i, fd;

	for (i = 0; i < 200; i++) {
		fd = open_on('a', SOCK_STREAM);
		if (fd < 0)
			return;
		close(fd);
	}
}

/* --- names --- */

static void test_bind(void)
{
	struct sockaddr_laya name = name_of('a', 0);
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	uint32_t scope = device_of('a');
	socklen_t len = sizeof(name);
	int fd = open_on('a', SOCK_STREAM), other;
	uint16_t port;

	CHECK(!getsockname(fd, SA(&name), &len));
	CHECK(is_name(&name, len, 0, 0, 0));
	EQUAL(0, name.slaya_port);
	EQUAL(0, name.slaya_scope_id);

	name = name_of('a', 0);
	REFUSED(EINVAL, bind(fd, SA(&name), sizeof(name) - 1));
	REFUSED(EINVAL, bind(fd, SA(&name), 1));
	REFUSED(EAFNOSUPPORT, bind(fd, SA(&in6), sizeof(in6)));
	REFUSED(EADDRNOTAVAIL, bind_to(fd, 'b', 0));
	name.slaya_scope_id = 9999;
	REFUSED(ENODEV, bind(fd, SA(&name), sizeof(name)));
	name.slaya_scope_id = if_nametoindex("eth0");
	REFUSED(ENODEV, bind(fd, SA(&name), sizeof(name)));
	name.slaya_scope_id = scope;
	CHECK(!bind(fd, SA(&name), sizeof(name)));
	REFUSED(EINVAL, bind(fd, SA(&name), sizeof(name)));

	memset(&name, 0, sizeof(name));
	len = sizeof(name);
	CHECK(!getsockname(fd, SA(&name), &len));
	CHECK(is_name(&name, len, 'a', 0, scope));
	port = ntohs(name.slaya_port);
	CHECK(port != 0);

	CHECK(!listen(fd, 1));
	other = open_on('a', SOCK_STREAM);
	REFUSED(EADDRINUSE, bind_to(other, 'a', port));
	/* A cut name is cut, and its length is told */
	len = 4;
	CHECK(!getsockname(fd, SA(&name), &len));
	EQUAL(sizeof(name), len);
	close(other);
	close(fd);
}

static void *bind_low(void *arg)
{
	int *fd = arg;

	/* This thread alone */
	if (syscall(SYS_setresuid, 65534, 65534, 65534)) {
		FAIL("setresuid: %s", strerror(errno));
		return NULL;
	}
	REFUSED(EACCES, bind_to(fd[0], 0, 80));
	CHECK(!bind_to(fd[0], 0, 0));
	return NULL;
}

static void test_bind_privileged(void)
{
	int fd = open_on('a', SOCK_STREAM);
	pthread_t thread;

	pthread_create(&thread, NULL, bind_low, &fd);
	pthread_join(thread, NULL);
	close(fd);
	fd = open_on('a', SOCK_STREAM);
	CHECK(!bind_to(fd, 0, 80));
	close(fd);
}

static void test_names(void)
{
	uint32_t at_a = device_of('a'), at_b = device_of('b');
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	uint16_t port, from;
	int listener, fd, child;

	listener = listen_on('b', &port);
	fd = open_on('a', SOCK_STREAM);
	REFUSED(ENOTCONN, getpeername(fd, SA(&name), &len));
	CHECK(!connect_to(fd, 'b', port));
	len = sizeof(name);
	CHECK(!getpeername(fd, SA(&name), &len));
	CHECK(is_name(&name, len, 'b', port, at_a));
	len = sizeof(name);
	CHECK(!getsockname(fd, SA(&name), &len));
	CHECK(is_name(&name, len, 'a', 0, at_a));
	from = ntohs(name.slaya_port);
	EQUAL(at_a, get_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX));

	len = sizeof(name);
	memset(&name, 0, sizeof(name));
	child = accept4(listener, SA(&name), &len, SOCK_CLOEXEC);
	CHECK(child >= 0);
	CHECK(is_name(&name, len, 'a', from, at_b));
	len = sizeof(name);
	CHECK(!getpeername(child, SA(&name), &len));
	CHECK(is_name(&name, len, 'a', from, at_b));
	len = sizeof(name);
	CHECK(!getsockname(child, SA(&name), &len));
	CHECK(is_name(&name, len, 'b', port, at_b));
	EQUAL(at_b, get_int(child, SOL_SOCKET, SO_BINDTOIFINDEX));
	exchange(fd, child, "hello");
	exchange(child, fd, "and back");
	close(fd);
	close(child);
	close(listener);
}

static void test_listen_unbound(void)
{
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	int fd = open_on('b', SOCK_STREAM), other, child;

	REFUSED(EINVAL, accept(fd, NULL, NULL));
	CHECK(!listen(fd, 1));
	patient(fd);
	EQUAL(1, get_int(fd, SOL_SOCKET, SO_ACCEPTCONN));
	CHECK(!getsockname(fd, SA(&name), &len));
	CHECK(is_name(&name, len, 'b', 0, device_of('b')));
	REFUSED(EISCONN, connect_to(fd, 'a', 1000));

	other = open_on('a', SOCK_STREAM);
	patient(other);
	CHECK(!connect_to(other, 'b', ntohs(name.slaya_port)));
	child = accept(fd, NULL, NULL);
	CHECK(child >= 0);
	close(other);
	close(child);
	close(fd);
}

/* --- connecting --- */

static void test_connect_errors(void)
{
	struct sockaddr_laya name = name_of('b', 4000);
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	long long began = now_ms();
	int fd = open_on('a', SOCK_STREAM);

	patient(fd);
	REFUSED(EINVAL, connect(fd, SA(&name), sizeof(name) - 1));
	REFUSED(EINVAL, connect(fd, SA(&name), 1));
	REFUSED(EAFNOSUPPORT, connect(fd, SA(&in6), sizeof(in6)));
	REFUSED(EINVAL, connect_to(fd, 'b', 0));
	REFUSED(EINVAL, connect_to(fd, 0, 4000));	/* of low order */
	memset(name.slaya_key, 0xff, LAYA_KEY_SIZE);	/* not canonical */
	REFUSED(EINVAL, connect(fd, SA(&name), sizeof(name)));
	REFUSED(ENETUNREACH, connect_to(fd, 'x', 4000));
	REFUSED(EHOSTUNREACH, connect_to(fd, 'c', 4000));
	REFUSED(EACCES, connect_to(fd, 'd', 4000));
	name = name_of('b', 4000);
	name.slaya_scope_id = 9999;
	REFUSED(ENODEV, connect(fd, SA(&name), sizeof(name)));
	/* At once, all of them */
	CHECK(now_ms() - began < PATIENCE / 4);

	REFUSED(ECONNREFUSED, connect_to(fd, 'b', 4000));
	REFUSED(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);

	fd = open_on('a', SOCK_STREAM);
	CHECK(!bind_to(fd, 'a', 0));
	name.slaya_scope_id = if_nametoindex("eth0");
	REFUSED(EINVAL, connect(fd, SA(&name), sizeof(name)));
	close(fd);
}

static void test_connect_nonblocking(void)
{
	uint16_t port;
	int listener = listen_on('b', &port);
	int fd = open_on('a', SOCK_STREAM | SOCK_NONBLOCK);

	REFUSED(EINPROGRESS, connect_to(fd, 'b', port));
	EQUAL(POLLOUT, wait_events(fd, POLLOUT));
	EQUAL(0, get_int(fd, SOL_SOCKET, SO_ERROR));
	/* The first call after it is done says so, as TCP's */
	CHECK(!connect_to(fd, 'b', port));
	REFUSED(EISCONN, connect_to(fd, 'b', port));
	close(fd);

	fd = open_on('a', SOCK_STREAM | SOCK_NONBLOCK);
	REFUSED(EINPROGRESS, connect_to(fd, 'b', 4000));
	CHECK(wait_events(fd, POLLOUT) & POLLERR);
	EQUAL(ECONNREFUSED, get_int(fd, SOL_SOCKET, SO_ERROR));
	close(fd);
	close(listener);
}

static void test_connect_self(void)
{
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	int fd[2];

	connect_pair(fd, 'a', 'a');
	CHECK(!getpeername(fd[0], SA(&name), &len));
	CHECK(is_name(&name, len, 'a', 0, device_of('a')));
	exchange(fd[0], fd[1], "to myself");
	exchange(fd[1], fd[0], "from myself");
	close_pair(fd);

	fd[0] = open_on('a', SOCK_STREAM);
	patient(fd[0]);
	REFUSED(ECONNREFUSED, connect_to(fd[0], 'a', 4000));
	close(fd[0]);
}

static void test_disconnect(void)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	int fd[2], again;
	uint16_t port;

	connect_pair(fd, 'a', 'b');
	REFUSED(EISCONN, connect_to(fd[0], 'b', 4000));
	CHECK(!connect(fd[0], &unspec, sizeof(unspec)));
	REFUSED(ENOTCONN, getpeername(fd[0], SA(&name), &len));
	again = listen_on('b', &port);
	enter('a');
	CHECK(!connect_to(fd[0], 'b', port));
	close(again);
	close_pair(fd);
}

static void test_epoll_accept(void)
{
	struct epoll_event event = { .events = EPOLLIN }, got;
	int epoll = epoll_create1(0), listener, fd[8], child, i;
	struct sockaddr_laya name;
	socklen_t len;
	uint16_t port;

	listener = listen_on('b', &port);
	CHECK(!fcntl(listener, F_SETFL, O_NONBLOCK));
	REFUSED(EAGAIN, accept(listener, NULL, NULL));
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event));
	for (i = 0; i < 8; i++) {
		fd[i] = open_on('a', SOCK_STREAM);
		CHECK(!connect_to(fd[i], 'b', port));
	}
	for (i = 0; i < 8; i++) {
		EQUAL(1, epoll_wait(epoll, &got, 1, PATIENCE));
		len = sizeof(name);
		child = accept(listener, SA(&name), &len);
		CHECK(child >= 0);
		CHECK(is_name(&name, len, 'a', port_of(fd[i]), device_of('b')));
		close(child);
		close(fd[i]);
	}
	EQUAL(0, epoll_wait(epoll, &got, 1, 0));
	close(listener);
	close(epoll);
}

static void test_wrong_state(void)
{
	char room[4];
	int fd = open_on('a', SOCK_STREAM);

	REFUSED(ENOTCONN, recv(fd, room, sizeof(room), 0));
	REFUSED(EPIPE, send(fd, "x", 1, MSG_NOSIGNAL));
	REFUSED(ENOTCONN, shutdown(fd, SHUT_RDWR));
	REFUSED(EINVAL, accept(fd, NULL, NULL));
	close(fd);
}

/* --- data --- */

static void test_recv_flags(void)
{
	struct timeval tv = { .tv_usec = 100000 };
	char room[16] = "";
	int fd[2], n;

	connect_pair(fd, 'a', 'b');
	REFUSED(EAGAIN, recv(fd[1], room, sizeof(room), MSG_DONTWAIT));
	EQUAL(6, send(fd[0], "abcdef", 6, 0));
	EQUAL(POLLIN, wait_events(fd[1], POLLIN));
	EQUAL(3, recv(fd[1], room, 3, MSG_PEEK));
	CHECK(!memcmp(room, "abc", 3));
	CHECK(!ioctl(fd[1], SIOCINQ, &n));
	EQUAL(6, n);
	EQUAL(6, recv(fd[1], room, sizeof(room), 0));
	EQUAL(6, send(fd[0], "ghijkl", 6, 0));
	EQUAL(6, recv(fd[1], NULL, 6, MSG_TRUNC | MSG_WAITALL));
	CHECK(!ioctl(fd[0], SIOCOUTQ, &n));
	EQUAL(1, send(fd[0], "!", 1, MSG_OOB));
	CHECK(wait_events(fd[1], POLLPRI) & POLLPRI);
	EQUAL(1, recv(fd[1], room, 1, MSG_OOB));
	EQUAL('!', room[0]);

	setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	REFUSED(EAGAIN, recv(fd[1], room, sizeof(room), 0));
	close_pair(fd);
}

static void test_shutdown(void)
{
	char room[4];
	int fd[2];

	connect_pair(fd, 'a', 'b');
	CHECK(!shutdown(fd[0], SHUT_WR));
	EQUAL(0, recv(fd[1], room, sizeof(room), 0));
	exchange(fd[1], fd[0], "half closed");
	REFUSED(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	CHECK(!shutdown(fd[1], SHUT_WR));
	EQUAL(0, recv(fd[0], room, sizeof(room), 0));
	close_pair(fd);

	/* Closed with data unread: a reset */
	connect_pair(fd, 'a', 'b');
	EQUAL(1, send(fd[0], "x", 1, 0));
	CHECK(wait_events(fd[1], POLLIN) & POLLIN);
	close(fd[1]);
	REFUSED(ECONNRESET, recv(fd[0], room, sizeof(room), 0));
	close(fd[0]);
}

static void test_sendmsg_name(void)
{
	struct sockaddr_laya name = name_of('b', 4000);
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char room[4];
	int fd[2];

	/* TCP takes no notice of a name on what is connected; nor does this */
	connect_pair(fd, 'a', 'b');
	EQUAL(1, sendto(fd[0], "x", 1, 0, SA(&name), sizeof(name)));
	EQUAL(1, sendto(fd[0], "y", 1, 0, SA(&in6), sizeof(in6)));
	EQUAL(2, recv(fd[1], room, 2, MSG_WAITALL));
	close_pair(fd);
}

/* --- bulk --- */

struct bulk {
	int fd;
	size_t size;
	uint8_t digest[crypto_hash_sha256_BYTES];
};

static void *bulk_receive(void *arg)
{
	static __thread char room[128 * 1024];
	crypto_hash_sha256_state hash;
	struct bulk *bulk = arg;
	ssize_t n;

	crypto_hash_sha256_init(&hash);
	while ((n = recv(bulk->fd, room, sizeof(room), 0)) > 0) {
		crypto_hash_sha256_update(&hash, (unsigned char *)room, n);
		bulk->size += n;
	}
	if (n < 0)
		FAIL("recv: %s", strerror(errno));
	crypto_hash_sha256_final(&hash, bulk->digest);
	return NULL;
}

static size_t bulk_size(void)
{
	const char *size = getenv("LAYA_BULK_MIB");

	return (size ? atoi(size) : 16) * 1024UL * 1024;
}

static void send_plain(int fd, int file, const char *data, size_t size)
{
	size_t at = 0;
	ssize_t n;

	(void)file;
	while (at < size) {
		n = send(fd, data + at, size - at > 100000 ? 100000 : size - at,
			 0);
		if (n <= 0) {
			FAIL("send: %s", strerror(errno));
			return;
		}
		at += n;
	}
}

static void send_file(int fd, int file, const char *data, size_t size)
{
	off_t at = 0;

	(void)data;
	while ((size_t)at < size)
		if (sendfile(fd, file, &at, size - at) <= 0) {
			FAIL("sendfile: %s", strerror(errno));
			return;
		}
}

static void send_spliced(int fd, int file, const char *data, size_t size)
{
	loff_t at = 0;
	int pipes[2];
	ssize_t n, m;

	(void)data;
	CHECK(!pipe(pipes));
	while ((size_t)at < size) {
		n = splice(file, &at, pipes[1], NULL, 65536, 0);
		while (n > 0) {
			m = splice(pipes[0], NULL, fd, NULL, n, SPLICE_F_MORE);
			if (m <= 0) {
				FAIL("splice: %s", strerror(errno));
				goto out;
			}
			n -= m;
		}
		if (n < 0) {
			FAIL("splice: %s", strerror(errno));
			break;
		}
	}
out:
	close(pipes[0]);
	close(pipes[1]);
}

/* How many sends the kernel says it is done with. */
static unsigned int zerocopy_done(int fd)
{
	char control[256];
	struct msghdr msg = {
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	const struct sock_extended_err *ee;
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return 0;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg) {
		FAIL("no control message");
		return 0;
	}
	ee = (const struct sock_extended_err *)CMSG_DATA(cmsg);
	EQUAL(SO_EE_ORIGIN_ZEROCOPY, ee->ee_origin);
	return ee->ee_data - ee->ee_info + 1;
}

static void send_zerocopy(int fd, int file, const char *data, size_t size)
{
	unsigned int sent = 0, done = 0;
	size_t at = 0;
	ssize_t n;

	(void)file;
	CHECK(!set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	while (at < size && !failed) {
		n = send(fd, data + at, size - at > 65536 ? 65536 : size - at,
			 MSG_ZEROCOPY);
		if (n < 0 && errno == ENOBUFS) {
			wait_events(fd, 0);
			done += zerocopy_done(fd);
			continue;
		}
		if (n <= 0) {
			FAIL("send: %s", strerror(errno));
			return;
		}
		at += n;
		sent++;
	}
	/* Not before the far side has acknowledged */
	while (done < sent && wait_events(fd, 0))
		done += zerocopy_done(fd);
	EQUAL(sent, done);
}

static void bulk(void (*fn)(int fd, int file, const char *data, size_t size))
{
	size_t size = bulk_size(), i;
	uint8_t digest[crypto_hash_sha256_BYTES];
	struct bulk bulk = { 0 };
	uint64_t x = 88172645463325252ULL;
	pthread_t thread;
	int file, fd[2];
	char *data;

	file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	CHECK(file >= 0 && !ftruncate(file, size));
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (data == MAP_FAILED) {
		FAIL("mmap: %s", strerror(errno));
		return;
	}
	for (i = 0; i < size; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(data + i, &x, 8);
	}
	crypto_hash_sha256(digest, (unsigned char *)data, size);

	connect_pair(fd, 'a', 'b');
	bulk.fd = fd[1];
	pthread_create(&thread, NULL, bulk_receive, &bulk);
	fn(fd[0], file, data, size);
	shutdown(fd[0], SHUT_WR);
	pthread_join(thread, NULL);
	EQUAL(size, bulk.size);
	CHECK(!memcmp(digest, bulk.digest, sizeof(digest)));
	/* What was sent is as it was */
	crypto_hash_sha256(bulk.digest, (unsigned char *)data, size);
	CHECK(!memcmp(digest, bulk.digest, sizeof(digest)));
	close_pair(fd);
	munmap(data, size);
	close(file);
}

static void test_bulk_send(void)
{
	bulk(send_plain);
}

static void test_bulk_sendfile(void)
{
	bulk(send_file);
}

static void test_bulk_splice(void)
{
	bulk(send_spliced);
}

static void test_bulk_zerocopy(void)
{
	bulk(send_zerocopy);
}

static void test_splice_read(void)
{
	char room[16] = "";
	int fd[2], pipes[2];

	CHECK(!pipe(pipes));
	connect_pair(fd, 'a', 'b');
	EQUAL(6, send(fd[0], "splice", 6, 0));
	EQUAL(6, splice(fd[1], NULL, pipes[1], NULL, 6, 0));
	EQUAL(6, read(pipes[0], room, sizeof(room)));
	CHECK(!strcmp(room, "splice"));
	close_pair(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- options --- */

static bool tcp_option_allowed(int optname)
{
	switch (optname) {
	case TCP_NODELAY: case TCP_MAXSEG: case TCP_CORK: case TCP_KEEPIDLE:
	case TCP_KEEPINTVL: case TCP_KEEPCNT: case TCP_SYNCNT:
	case TCP_LINGER2: case TCP_DEFER_ACCEPT: case TCP_WINDOW_CLAMP:
	case TCP_QUICKACK: case TCP_CONGESTION: case 16: case TCP_USER_TIMEOUT:
	case TCP_NOTSENT_LOWAT: case TCP_INQ:
		return true;
	}
	return false;
}

static void test_options_allowed(void)
{
	static const struct {
		int optname, value;
	} rows[] = {
		{ TCP_NODELAY, 1 }, { TCP_CORK, 1 }, { TCP_CORK, 0 },
		{ TCP_MAXSEG, 1000 }, { TCP_KEEPIDLE, 10 },
		{ TCP_KEEPINTVL, 10 }, { TCP_KEEPCNT, 3 }, { TCP_SYNCNT, 3 },
		{ TCP_DEFER_ACCEPT, 1 }, { TCP_USER_TIMEOUT, 30000 },
		{ TCP_QUICKACK, 1 }, { TCP_NOTSENT_LOWAT, 16384 },
		{ TCP_LINGER2, 10 }, { TCP_INQ, 1 },
	};
	struct linger linger = { .l_onoff = 1, .l_linger = 1 };
	struct tcp_info info;
	char algorithm[16] = "";
	socklen_t len;
	unsigned int i;
	int fd[2];

	connect_pair(fd, 'a', 'b');
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (set_int(fd[0], SOL_TCP, rows[i].optname, rows[i].value))
			FAIL("TCP option %d: %s", rows[i].optname,
			     strerror(errno));
	EQUAL(1, get_int(fd[0], SOL_TCP, TCP_NODELAY));
	EQUAL(30000, get_int(fd[0], SOL_TCP, TCP_USER_TIMEOUT));
	len = sizeof(info);
	CHECK(!getsockopt(fd[0], SOL_TCP, TCP_INFO, &info, &len));
	EQUAL(TCP_ESTABLISHED, info.tcpi_state);
	len = sizeof(algorithm);
	CHECK(!getsockopt(fd[0], SOL_TCP, TCP_CONGESTION, algorithm, &len));
	CHECK(!setsockopt(fd[0], SOL_TCP, TCP_CONGESTION, algorithm,
			  strlen(algorithm)));

	CHECK(!set_int(fd[0], SOL_IPV6, IPV6_TCLASS, 0x10));
	EQUAL(0x10, get_int(fd[0], SOL_IPV6, IPV6_TCLASS));
	CHECK(!set_int(fd[0], SOL_SOCKET, SO_RCVBUF, 65536));
	CHECK(!set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 65536));
	CHECK(!set_int(fd[0], SOL_SOCKET, SO_KEEPALIVE, 1));
	CHECK(!set_int(fd[0], SOL_SOCKET, SO_REUSEADDR, 1));
	CHECK(!set_int(fd[0], SOL_SOCKET, SO_PRIORITY, 3));
	CHECK(!setsockopt(fd[0], SOL_SOCKET, SO_LINGER, &linger,
			  sizeof(linger)));
	exchange(fd[0], fd[1], "still alive");
	close_pair(fd);
}

/* Every number at every level that there may be. */
static void sweep_options(int fd)
{
	static const int levels[] = {
		SOL_IP, IPPROTO_UDP, SOL_TLS_, SOL_MPTCP_, SOL_RAW, IPPROTO_SCTP,
		263, 0x4c42,
	};
	char room[256] = { 1 };
	socklen_t len;
	unsigned int i;
	int optname;

	for (optname = 0; optname < 256; optname++) {
		if (!tcp_option_allowed(optname))
			REFUSED(ENOPROTOOPT, setsockopt(fd, SOL_TCP, optname,
							room, 16));
		if (optname != IPV6_TCLASS && optname != IPV6_RECVTCLASS &&
		    optname != 70 /* IPV6_AUTOFLOWLABEL */)
			REFUSED(ENOPROTOOPT, setsockopt(fd, SOL_IPV6, optname,
							room, 16));
		for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
			REFUSED(ENOPROTOOPT, setsockopt(fd, levels[i], optname,
							room, 16));
			len = sizeof(room);
			REFUSED(ENOPROTOOPT, getsockopt(fd, levels[i], optname,
							room, &len));
		}
		if (failed)
			return;
	}
}

static void test_options_refused(void)
{
	uint32_t scope = device_of('a');
	int fd[2], fresh, plain, listener;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_laya name = name_of('b', 4000);
	socklen_t len = sizeof(name);
	uint16_t port;

	fresh = open_on('a', SOCK_STREAM);
	sweep_options(fresh);
	listener = listen_on('a', &port);
	sweep_options(listener);
	connect_pair(fd, 'a', 'b');
	sweep_options(fd[0]);
	sweep_options(fd[1]);

	/* By their names, those that are known to do harm */
	REFUSED(ENOPROTOOPT, setsockopt(fd[0], SOL_TCP, TCP_ULP_, "tls", 4));
	REFUSED(ENOPROTOOPT, setsockopt(fd[0], SOL_TCP, TCP_ULP_, "smc", 4));
	REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_IPV6, IPV6_ADDRFORM_, AF_INET));
	REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_TCP, TCP_REPAIR, 1));
	REFUSED(ENOPROTOOPT, set_int(fresh, SOL_TCP, TCP_FASTOPEN_CONNECT, 1));
	REFUSED(ENOPROTOOPT, set_int(listener, SOL_TCP, TCP_FASTOPEN, 5));

	/* A name in the same call: connects behind our back */
	REFUSED(EOPNOTSUPP, sendto(fresh, "x", 1, MSG_FASTOPEN, SA(&name),
				   sizeof(name)));
	REFUSED(EOPNOTSUPP, sendto(fresh, "x", 1, MSG_FASTOPEN, SA(&in6),
				   sizeof(in6)));

	EQUAL(scope, get_int(fd[0], SOL_SOCKET, SO_BINDTOIFINDEX));
	/* 6.1 does not ask the family about SOL_SOCKET */
	if (!on_6_1()) {
		REFUSED(ENOPROTOOPT, setsockopt(fd[0], SOL_SOCKET,
						SO_BINDTODEVICE, "eth0", 5));
		REFUSED(ENOPROTOOPT, setsockopt(fd[1], SOL_SOCKET,
						SO_BINDTODEVICE, "", 0));
		REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_SOCKET,
					     SO_BINDTOIFINDEX, 1));
		EQUAL(scope, get_int(fd[0], SOL_SOCKET, SO_BINDTOIFINDEX));
	}
	exchange(fd[0], fd[1], "still alive");

	/* TCP itself is as it was: kTLS's table of operations, above all */
	enter('a');
	plain = socket(AF_INET6, SOCK_STREAM, 0);
	len = sizeof(in6);
	CHECK(!getsockname(plain, SA(&in6), &len));
	EQUAL(AF_INET6, in6.sin6_family);
	EQUAL(sizeof(in6), len);
	close(plain);
	close(fresh);
	close(listener);
	close_pair(fd);
}

static void test_ioctl(void)
{
	struct ifreq ifr = { .ifr_name = "laya0" };
	char room[256] = "";
	int fd[2];

	connect_pair(fd, 'a', 'b');
	enter('a');
	CHECK(!ioctl(fd[0], SIOCGIFINDEX, &ifr));
	EQUAL(device_of('a'), ifr.ifr_ifindex);
	CHECK(ioctl(fd[0], SIOCADDRT, room) < 0);
	CHECK(ioctl(fd[0], SIOCDELRT, room) < 0);
	CHECK(ioctl(fd[0], SIOCSIFDSTADDR, room) < 0);
	close_pair(fd);
}

static void test_laya_options(void)
{
	struct laya_path_info info;
	uint8_t key[LAYA_KEY_SIZE + 4];
	uint32_t kinds = 0;
	socklen_t len = sizeof(info);
	int fd[2];

	fd[0] = open_on('a', SOCK_STREAM);
	REFUSED(ENOTCONN, getsockopt(fd[0], SOL_LAYA, LAYA_PATH_INFO, &info,
				     &len));
	REFUSED(ENOTCONN, getsockopt(fd[0], SOL_LAYA, LAYA_PEER_KEY, key, &len));
	close(fd[0]);

	connect_pair(fd, 'a', 'b');
	exchange(fd[0], fd[1], "path");
	len = sizeof(info);
	CHECK(!getsockopt(fd[0], SOL_LAYA, LAYA_PATH_INFO, &info, &len));
	EQUAL(sizeof(info), len);
	EQUAL(LAYA_PATH_KIND_DIRECT, info.kind);
	EQUAL(LAYA_CARRIER_TYPE_UDP, info.carrier);
	EQUAL(AF_INET, info.remote_family);
	EQUAL(5291, ntohs(info.remote_port));
	EQUAL(0, info.labels);
	CHECK(info.mtu >= 1200);
	len = 1;
	CHECK(!getsockopt(fd[0], SOL_LAYA, LAYA_PATH_INFO, &info, &len));
	EQUAL(1, len);
	len = sizeof(key);
	CHECK(!getsockopt(fd[1], SOL_LAYA, LAYA_PEER_KEY, key, &len));
	EQUAL(LAYA_KEY_SIZE, len);
	EQUAL('A', key[31]);
	REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_LAYA, LAYA_PATH_INFO, 1));
	REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_LAYA, LAYA_PEER_KEY, 1));
	REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_LAYA, 99, 1));
	REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_LAYA, LAYA_SEGMENT, 1000));
	REFUSED(ENOPROTOOPT, set_int(fd[0], SOL_LAYA, LAYA_GRO, 1));

	len = sizeof(kinds);
	CHECK(!getsockopt(fd[0], SOL_LAYA, LAYA_PATH_KINDS, &kinds, &len));
	EQUAL(0x7e, kinds);
	REFUSED(EINVAL, set_int(fd[0], SOL_LAYA, LAYA_PATH_KINDS, 0));
	REFUSED(EINVAL, setsockopt(fd[0], SOL_LAYA, LAYA_PATH_KINDS, &kinds, 2));
	CHECK(!set_int(fd[0], SOL_LAYA, LAYA_PATH_KINDS, -1));
	EQUAL(0x7e, get_int(fd[0], SOL_LAYA, LAYA_PATH_KINDS));
	CHECK(!set_int(fd[0], SOL_LAYA, LAYA_PATH_KINDS,
		       1 << LAYA_PATH_KIND_DIRECT));
	exchange(fd[0], fd[1], "direct is good");
	CHECK(!set_int(fd[0], SOL_LAYA, LAYA_PATH_KINDS,
		       1 << LAYA_PATH_KIND_RELAY));
	EQUAL(1 << LAYA_PATH_KIND_RELAY,
	      get_int(fd[0], SOL_LAYA, LAYA_PATH_KINDS));
	REFUSED(EACCES, send(fd[0], "x", 1, 0));
	len = sizeof(info);
	REFUSED(ENETUNREACH, getsockopt(fd[0], SOL_LAYA, LAYA_PATH_INFO, &info,
					&len));
	CHECK(!set_int(fd[0], SOL_LAYA, LAYA_PATH_KINDS, -1));
	exchange(fd[0], fd[1], "all are good");
	close_pair(fd);
}

static void test_path_kinds_handshake(void)
{
	int listener, child, fd, kinds = 1 << LAYA_PATH_KIND_RELAY;
	uint16_t port;

	/* A listener's children have its restriction from birth */
	listener = listen_on('b', &port);
	CHECK(!set_int(listener, SOL_LAYA, LAYA_PATH_KINDS,
		       1 << LAYA_PATH_KIND_DIRECT));
	fd = open_on('a', SOCK_STREAM);
	patient(fd);
	CHECK(!connect_to(fd, 'b', port));
	child = accept(listener, NULL, NULL);
	EQUAL(1 << LAYA_PATH_KIND_DIRECT,
	      get_int(child, SOL_LAYA, LAYA_PATH_KINDS));
	exchange(child, fd, "born so");
	close(child);
	close(fd);
	close(listener);

	/* And it is in force for the very first packet */
	fd = open_on('a', SOCK_STREAM);
	patient(fd);
	CHECK(!set_int(fd, SOL_LAYA, LAYA_PATH_KINDS, kinds));
	REFUSED(EACCES, connect_to(fd, 'b', port));
	close(fd);
}

static void test_path_events(void)
{
	struct laya_path_info info;
	int fd[2];

	connect_pair(fd, 'a', 'b');
	exchange(fd[0], fd[1], "events");
	EQUAL(0, get_int(fd[0], SOL_LAYA, LAYA_PATH_EVENTS));
	CHECK(!set_int(fd[0], SOL_LAYA, LAYA_PATH_EVENTS, 1));
	EQUAL(1, get_int(fd[0], SOL_LAYA, LAYA_PATH_EVENTS));
	REFUSED(EAGAIN, read_event(fd[0], &info));

	change_path(fd[0]);
	exchange(fd[0], fd[1], "on the other");
	close_pair(fd);
}

/* --- peers and paths that are lost --- */

/* The way back, as layad would find it. */
static void dial_again(void)
{
	enter('a');
	CHECK(!system("laya-nl path-new dev=laya0 public-key=B kind=2 "
		      "carrier-id=1 remote=192.0.2.2:5291 > /dev/null"));
}

/* Bytes over laya0 between two programs that know nothing of Laya. */
static void connect_plain(int fd[2])
{
	struct sockaddr_in6 name = ip_of('b', 0);
	socklen_t len = sizeof(name);
	int listener;

	enter('b');
	listener = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(!bind(listener, SA(&name), len) && !listen(listener, 1));
	CHECK(!getsockname(listener, SA(&name), &len));
	patient(listener);
	enter('a');
	fd[0] = socket(AF_INET6, SOCK_STREAM, 0);
	patient(fd[0]);
	CHECK(!connect(fd[0], SA(&name), sizeof(name)));
	fd[1] = accept(listener, NULL, NULL);
	CHECK(fd[1] >= 0);
	close(listener);
}

static void test_peer_lost(void)
{
	int laya[2], plain[2];
	long long began;

	connect_pair(laya, 'a', 'b');
	connect_plain(plain);
	exchange(laya[0], laya[1], "before");
	exchange(plain[0], plain[1], "before");
	enter('a');
	CHECK(!system("laya-nl device-set dev=laya0 user-timeout=2000; "
		      "ip link set eth0 down"));
	began = now_ms();
	EQUAL(1, send(laya[0], "x", 1, 0));
	EQUAL(1, send(plain[0], "x", 1, 0));
	CHECK(wait_events(laya[0], 0) & POLLERR);
	EQUAL(ETIMEDOUT, get_int(laya[0], SOL_SOCKET, SO_ERROR));
	CHECK(wait_events(plain[0], 0) & POLLERR);
	EQUAL(ETIMEDOUT, get_int(plain[0], SOL_SOCKET, SO_ERROR));
	CHECK(now_ms() - began >= 1500);
	REFUSED(EPIPE, send(laya[0], "x", 1, MSG_NOSIGNAL));
	close_pair(laya);
	close_pair(plain);

	enter('a');
	CHECK(!system("laya-nl device-set dev=laya0 user-timeout=60000; "
		      "ip link set eth0 up"));
	dial_again();
	connect_pair(laya, 'a', 'b');
	exchange(laya[0], laya[1], "after");
	close_pair(laya);
}

static void test_path_back(void)
{
	long long began;
	char room[4];
	int fd[2];

	connect_pair(fd, 'a', 'b');
	exchange(fd[0], fd[1], "before");
	enter('a');
	CHECK(!system("ip link set eth0 down"));
	EQUAL(1, send(fd[0], "x", 1, 0));
	/*
	 * TCP retransmits after 0.2, 0.6, 1.4, 3, 6.3 and 13 seconds, or some more,
	 * and then not before 26.
	 */
	sleep(16);
	/* What the peer has kept of that is thrown away, as it is after a while */
	CHECK(!system("laya-nl peer-set dev=laya0 public-key=B error=113; "
		      "laya-nl peer-set dev=laya0 public-key=B error=0; "
		      "ip link set eth0 up"));
	dial_again();
	began = now_ms();
	EQUAL(1, recv(fd[1], room, 1, 0));
	CHECK(now_ms() - began < 7000);
	close_pair(fd);
}

/* b has a session, and no way to it is found: layad says so. */
static void test_connect_given_up(void)
{
	int fd = open_on('a', SOCK_STREAM | SOCK_NONBLOCK), plain;
	struct sockaddr_in6 name = ip_of('b', 4000);
	FILE *layad;

	enter('a');
	layad = popen("laya-nl - > /dev/null", "w");
	if (!layad) {
		FAIL("popen: %s", strerror(errno));
		return;
	}
	setvbuf(layad, NULL, _IOLBF, 0);
	fprintf(layad, "device-claim dev=laya0\n");
	fprintf(layad, "session-del dev=laya0 public-key=B\n");
	usleep(500000);
	REFUSED(EINPROGRESS, connect_to(fd, 'b', 4000));
	plain = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	REFUSED(EINPROGRESS, connect(plain, SA(&name), sizeof(name)));
	usleep(500000);
	fprintf(layad, "peer-set dev=laya0 public-key=B error=%d\n",
		EHOSTUNREACH);
	CHECK(wait_events(fd, POLLOUT) & POLLERR);
	EQUAL(EHOSTUNREACH, get_int(fd, SOL_SOCKET, SO_ERROR));
	CHECK(wait_events(plain, POLLOUT) & POLLERR);
	EQUAL(EHOSTUNREACH, get_int(plain, SOL_SOCKET, SO_ERROR));
	close(plain);
	close(fd);

	/* Later ones need not wait, nor those after layad is gone */
	fd = open_on('a', SOCK_STREAM);
	patient(fd);
	REFUSED(EHOSTUNREACH, connect_to(fd, 'b', 4000));
	pclose(layad);
	REFUSED(EHOSTUNREACH, connect_to(fd, 'b', 4000));
	close(fd);
}

/* --- teardown --- */

static int delete_module(void)
{
	return syscall(SYS_delete_module, "laya", O_NONBLOCK);
}

static void test_module_in_use(void)
{
	int fd[2];

	connect_pair(fd, 'a', 'b');
	REFUSED(EAGAIN, delete_module());
	close(fd[0]);
	/* A child holds it too */
	REFUSED(EAGAIN, delete_module());
	close(fd[1]);
}

static void test_device_down(void)
{
	int fd = open_on('a', SOCK_STREAM);

	enter('a');
	CHECK(!system("ip -6 -o address show dev laya0 | awk '{print $4}' "
		      "> /tmp/orchid"));
	CHECK(!system("ip link set laya0 down"));
	REFUSED(ENETDOWN, connect_to(fd, 'b', 4000));
	CHECK(!system("ip link set laya0 up"));
	/* No address: nobody set it after that, or disable_ipv6 */
	REFUSED(EADDRNOTAVAIL, connect_to(fd, 'b', 4000));
	REFUSED(EADDRNOTAVAIL, bind_to(fd, 0, 0));
	CHECK(!system("echo 1 > /proc/sys/net/ipv6/conf/laya0/disable_ipv6"));
	REFUSED(EADDRNOTAVAIL, connect_to(fd, 'b', 4000));
	CHECK(!system("echo 0 > /proc/sys/net/ipv6/conf/laya0/disable_ipv6"));
	CHECK(!system("ip address add $(cat /tmp/orchid) dev laya0 nodad; "
		      "ip route add 2001:20::/28 dev laya0"));
	CHECK(!bind_to(fd, 0, 0));
	close(fd);
}

static void *blocked_recv(void *arg)
{
	char room[4];

	REFUSED(ENODEV, recv(*(int *)arg, room, sizeof(room), 0));
	return NULL;
}

static void test_device_gone(void)
{
	int fd[2], self[2], listener;
	pthread_t thread;
	uint16_t port;

	listener = listen_on('b', &port);
	connect_pair(fd, 'a', 'b');
	connect_pair(self, 'b', 'b');
	pthread_create(&thread, NULL, blocked_recv, &fd[1]);
	usleep(200000);
	enter('b');
	CHECK(!system("ip link delete laya0"));
	pthread_join(thread, NULL);
	CHECK(wait_events(fd[1], POLLIN) & POLLHUP);
	REFUSED(EPIPE, send(fd[1], "x", 1, MSG_NOSIGNAL));
	CHECK(wait_events(self[0], POLLIN) & (POLLERR | POLLHUP));
	CHECK(wait_events(listener, POLLIN) & (POLLERR | POLLHUP));
	REFUSED(EINVAL, accept(listener, NULL, NULL));
	close_pair(fd);
	close_pair(self);
	close(listener);

	fd[0] = open_on('b', SOCK_STREAM);
	REFUSED(ENODEV, connect_to(fd[0], 'a', 4000));
	REFUSED(ENODEV, bind_to(fd[0], 0, 0));
	REFUSED(ENODEV, listen(fd[0], 1));
	close(fd[0]);
}

#define TEST(name)	{ #name, test_##name }

static const struct test tests[] = {
	TEST(socket),
	TEST(many_sockets),
	TEST(bind),
	TEST(bind_privileged),
	TEST(names),
	TEST(listen_unbound),
	TEST(connect_errors),
	TEST(connect_nonblocking),
	TEST(connect_self),
	TEST(disconnect),
	TEST(epoll_accept),
	TEST(wrong_state),
	TEST(recv_flags),
	TEST(shutdown),
	TEST(sendmsg_name),
	TEST(bulk_send),
	TEST(bulk_sendfile),
	TEST(bulk_splice),
	TEST(bulk_zerocopy),
	TEST(splice_read),
	TEST(options_allowed),
	TEST(options_refused),
	TEST(ioctl),
	TEST(laya_options),
	TEST(path_kinds_handshake),
	TEST(path_events),
	TEST(module_in_use),
	TEST(device_down),
	TEST(peer_lost),
	TEST(path_back),
	/* No others can run after these */
	TEST(device_gone),
	TEST(connect_given_up),
};

int main(int argc, char **argv)
{
	(void)argc;
	if (sodium_init() < 0)
		return 1;
	return run_tests(tests, sizeof(tests) / sizeof(tests[0]), argv + 1);
}
