// SPDX-License-Identifier: GPL-2.0
/*
 * Batches whose bytes are looked at: from a to b, see kselftest/pair.sh. Sizes are
 * odd ones, and the last of a batch is shorter.
 *
 *	laya-batch-test [dgrams | udp | stream]
 *	laya-batch-test paths	a has a path of kind LAN too: it is changed between
 *				messages that leave together, and below a stream
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>

#include "socket-test.h"

#define MANY		64
#define LARGEST		4000
#define STREAM_BYTES	400000

struct batch {
	struct mmsghdr	msgs[MANY];
	struct iovec	iov[MANY];
	char		bytes[MANY][LARGEST];
	bool		came[MANY];
};

/* Message @i of @len bytes: no other has its first two. */
static void batch_set(struct batch *batch, int i, size_t len, int salt)
{
	size_t j;

	for (j = 0; j < len; j++)
		batch->bytes[i][j] = i * 7 + j;
	batch->bytes[i][0] = i;
	batch->bytes[i][1] = salt;
	batch->came[i] = false;
	batch->iov[i].iov_base = batch->bytes[i];
	batch->iov[i].iov_len = len;
	memset(&batch->msgs[i], 0, sizeof(batch->msgs[i]));
	batch->msgs[i].msg_hdr.msg_iov = &batch->iov[i];
	batch->msgs[i].msg_hdr.msg_iovlen = 1;
}

/* What comes next on @fd is message @i. */
static void batch_expect(int fd, const struct batch *batch, int i)
{
	static char room[LARGEST + 1];
	ssize_t n = recv(fd, room, sizeof(room), 0);

	if (n != (ssize_t)batch->iov[i].iov_len)
		FAIL("message %d: expected %zu bytes, found %zd (%s)", i,
		     batch->iov[i].iov_len, n, strerror(errno));
	else if (memcmp(room, batch->bytes[i], n))
		FAIL("message %d: other bytes", i);
}

/* All @n come, once and as they were, in whatever order. */
static void batch_expect_all(int fd, struct batch *batch, int n)
{
	static char room[LARGEST + 1];
	ssize_t len;
	int i, left;

	for (left = n; left && !failed; left--) {
		len = recv(fd, room, sizeof(room), 0);
		i = len > 0 ? room[0] : -1;
		if (i < 0 || i >= n || batch->came[i] ||
		    len != (ssize_t)batch->iov[i].iov_len ||
		    memcmp(room, batch->bytes[i], len))
			FAIL("%zd bytes that were not expected, of %d (%s)", len,
			     i, strerror(errno));
		else
			batch->came[i] = true;
	}
	REFUSED(EAGAIN, recv(fd, room, sizeof(room), MSG_DONTWAIT));
}

static int dgram_on(char node)
{
	int fd = open_on(node, SOCK_DGRAM);

	patient(fd);
	CHECK(!set_int(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20));
	CHECK(!bind_to(fd, 0, 0));
	return fd;
}

static void test_dgrams(void)
{
	static const size_t sizes[] = {
		1, 65, 1023, 1396, 1397, 3999,
	};
	int a = dgram_on('a'), b = dgram_on('b'), i, j, n = 24;
	static struct batch batch;
	unsigned int k;

	CHECK(!connect_to(a, 'b', port_of(b)));
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]) && !failed; k++) {
		/* The last is one byte shorter, then has one byte, then none */
		const size_t last[] = { sizes[k] - 1, 1, 0 };

		for (j = 0; j < 3; j++) {
			for (i = 0; i < n; i++)
				batch_set(&batch, i,
					  i == n - 1 ? last[j] : sizes[k], k);
			EQUAL(n, sendmmsg(a, batch.msgs, n, 0));
			for (i = 0; i < n; i++)
				batch_expect(b, &batch, i);
		}
	}
	close(a);
	close(b);
}

/* --- what the network stack has put together before it comes to laya0 --- */

static void test_udp(void)
{
	static const int sizes[] = { 1, 9, 333, 1000, 1337, 1372 };
	int a = ip_on('a', SOCK_DGRAM, 7001), b = ip_on('b', SOCK_DGRAM, 7001);
	int size, len, at, i;
	struct sockaddr_in6 name = ip_of('b', 7001);
	static char sent[32 * 1372], room[65536];
	unsigned int k;
	ssize_t n;

	CHECK(!connect(a, SA(&name), sizeof(name)));
	CHECK(!set_int(b, SOL_SOCKET, SO_RCVBUF, 1 << 20));
	for (i = 0; i < (int)sizeof(sent); i++)
		sent[i] = i % 251;
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]) && !failed; k++) {
		size = sizes[k];
		len = 31 * size + (size + 1) / 2;
		CHECK(!set_int(a, SOL_UDP, UDP_SEGMENT, size));
		EQUAL(len, send(a, sent, len, 0));
		for (at = 0; at < len && !failed; at += n) {
			n = recv(b, room, sizeof(room), 0);
			EQUAL(len - at < size ? len - at : size, n);
			CHECK(n > 0 && !memcmp(room, sent + at, n));
		}
	}
	close(a);
	close(b);
}

/* --- streams --- */

/* Byte @at of every stream. */
static unsigned char stream_byte(size_t at)
{
	return (at * 2654435761u) >> 13;
}

static void *stream_receive(void *arg)
{
	static unsigned char room[100000];
	int fd = *(int *)arg;
	size_t at = 0;
	ssize_t n, i;

	while ((n = recv(fd, room, sizeof(room), 0)) > 0)
		for (i = 0; i < n; i++, at++)
			if (room[i] != stream_byte(at)) {
				FAIL("other byte at %zu", at);
				shutdown(fd, SHUT_RDWR);
				return NULL;
			}
	EQUAL(0, n);
	EQUAL(STREAM_BYTES, at);
	return NULL;
}

/* Writes of odd sizes; before each, @between is told how many there were. */
static void stream(void (*between)(int fd, int writes))
{
	static const size_t sizes[] = {
		1, 3, 1367, 1368, 1369, 60001, 2, 65535, 99999, 10, 1460, 40003,
	};
	int listener = open_on('b', SOCK_STREAM), fd, child, writes = 0;
	static unsigned char bytes[100000];
	size_t at = 0, i, len;
	pthread_t thread;
	ssize_t n;

	CHECK(!bind_to(listener, 0, 0) && !listen(listener, 1));
	fd = open_on('a', SOCK_STREAM);
	patient(fd);
	CHECK(!connect_to(fd, 'b', port_of(listener)));
	CHECK(!set_int(fd, SOL_TCP, TCP_NODELAY, 1));
	child = accept(listener, NULL, NULL);
	patient(child);
	CHECK(!pthread_create(&thread, NULL, stream_receive, &child));
	while (at < STREAM_BYTES && !failed) {
		if (between)
			between(fd, writes);
		len = sizes[writes++ % (sizeof(sizes) / sizeof(sizes[0]))];
		len = len < STREAM_BYTES - at ? len : STREAM_BYTES - at;
		for (i = 0; i < len; i++)
			bytes[i] = stream_byte(at + i);
		n = send(fd, bytes, len, 0);
		if (n <= 0)
			FAIL("send: %s", strerror(errno));
		at += n > 0 ? n : 0;
	}
	shutdown(fd, SHUT_WR);
	pthread_join(thread, NULL);
	close(fd);
	close(child);
	close(listener);
}

static void test_stream(void)
{
	stream(NULL);
}

/* --- the path changes --- */

static const int kinds[] = {
	1 << LAYA_PATH_KIND_DIRECT, 1 << LAYA_PATH_KIND_LAN,
};

/* The path that @fd uses now, after half of the messages, is not the one after. */
static void test_paths_dgrams(void)
{
	static const size_t sizes[] = { 1, 100, 1000, 1390, 3000 };
	int a = dgram_on('a'), b = dgram_on('b'), i, n = 20;
	static struct batch batch;
	unsigned int k;

	CHECK(!connect_to(a, 'b', port_of(b)));
	for (k = 0; k < 2 * sizeof(sizes) / sizeof(sizes[0]); k++) {
		CHECK(!set_int(a, SOL_LAYA, LAYA_PATH_KINDS, kinds[k % 2]));
		for (i = 0; i < n; i++)
			batch_set(&batch, i, sizes[k / 2] - (i == n - 1 && k > 1),
				  k);
		/* As those of sendmmsg(): they wait for the next */
		for (i = 0; i < n; i++) {
			if (i == n / 2)
				CHECK(!set_int(a, SOL_LAYA, LAYA_PATH_KINDS,
					       kinds[!(k % 2)]));
			EQUAL(batch.iov[i].iov_len,
			      send(a, batch.bytes[i], batch.iov[i].iov_len,
				   i < n - 1 ? MSG_BATCH : 0));
		}
		batch_expect_all(b, &batch, n);
	}
	close(a);
	close(b);
}

static void between_paths(int fd, int writes)
{
	CHECK(!set_int(fd, SOL_LAYA, LAYA_PATH_KINDS, kinds[writes % 2]));
}

static void test_paths_stream(void)
{
	stream(between_paths);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "dgrams", test_dgrams },
		{ "udp", test_udp },
		{ "stream", test_stream },
	};
	static const struct test paths[] = {
		{ "paths: dgrams", test_paths_dgrams },
		{ "paths: stream", test_paths_stream },
	};

	if (argc == 2 && !strcmp(argv[1], "paths"))
		return run_tests(paths, 2, argv + 1);
	return run_tests(tests, 3, argv + 1);
}
