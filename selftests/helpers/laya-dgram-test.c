// SPDX-License-Identifier: GPL-2.0
/*
 * SOCK_DGRAM of AF_LAYA, from both sides: run by kselftest/dgram.sh.
 *
 * laya-dgram-test [WORD]   only the tests whose name has the word
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <linux/filter.h>
#include <linux/sockios.h>

#include "socket-test.h"

static int dgram_on(char node, uint16_t port)
{
	int fd = open_on(node, SOCK_DGRAM);

	patient(fd);
	if (bind_to(fd, 0, port))
		FAIL("bind to %d: %s", port, strerror(errno));
	return fd;
}

static ssize_t send_to(int fd, char node, uint16_t port, const void *data,
		       size_t len)
{
	struct sockaddr_laya name = name_of(node, port);

	return sendto(fd, data, len, 0, SA(&name), sizeof(name));
}

/* What comes next on @fd is @text, from @port of @node. */
static void expect(int fd, char node, uint16_t port, const char *text)
{
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	char room[256] = "";
	ssize_t n;

	n = recvfrom(fd, room, sizeof(room) - 1, 0, SA(&name), &len);
	if (n != (ssize_t)strlen(text) || strcmp(room, text))
		FAIL("expected '%s', found %zd '%s' (%s)", text, n, room,
		     strerror(errno));
	else if (!is_name(&name, len, node, port, 0))
		FAIL("'%s' comes from another", text);
}

static void expect_nothing(int fd)
{
	char room[64];

	REFUSED(EAGAIN, recv(fd, room, sizeof(room), MSG_DONTWAIT));
}

/* Until all that @from has sent to @to has come: datagrams stay in order. */
static void settle(int from, int to, char to_node)
{
	char room[64];

	EQUAL(4, send_to(from, to_node, port_of(to), "mark", 4));
	EQUAL(4, recv(to, room, sizeof(room), 0));
}

/* --- names and ports --- */

static void test_socket(void)
{
	int fd = open_on('a', SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);

	EQUAL(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EQUAL(SOCK_DGRAM, get_int(fd, SOL_SOCKET, SO_TYPE));
	EQUAL(AF_LAYA, get_int(fd, SOL_SOCKET, SO_DOMAIN));
	EQUAL(0, get_int(fd, SOL_SOCKET, SO_PROTOCOL));
	REFUSED(EOPNOTSUPP, listen(fd, 1));
	REFUSED(EOPNOTSUPP, accept(fd, NULL, NULL));
	close(fd);
	REFUSED(EOPNOTSUPP, socketpair(AF_LAYA, SOCK_DGRAM, 0, (int[2]){}));
}

static void test_bind(void)
{
	struct sockaddr_laya name = name_of('a', 0);
	uint32_t scope = device_of('a');
	socklen_t len = sizeof(name);
	int fd = open_on('a', SOCK_DGRAM), other;
	uint16_t port;

	CHECK(!getsockname(fd, SA(&name), &len));
	CHECK(is_name(&name, len, 0, 0, 0));
	EQUAL(0, name.slaya_port);

	name = name_of('a', 0);
	REFUSED(EINVAL, bind(fd, SA(&name), sizeof(name) - 1));
	name.slaya_family = AF_INET6;
	REFUSED(EAFNOSUPPORT, bind(fd, SA(&name), sizeof(name)));
	REFUSED(EADDRNOTAVAIL, bind_to(fd, 'b', 0));
	name = name_of('a', 0);
	name.slaya_scope_id = 9999;
	REFUSED(ENODEV, bind(fd, SA(&name), sizeof(name)));
	name.slaya_scope_id = scope;
	CHECK(!bind(fd, SA(&name), sizeof(name)));
	REFUSED(EINVAL, bind(fd, SA(&name), sizeof(name)));
	len = sizeof(name);
	CHECK(!getsockname(fd, SA(&name), &len));
	CHECK(is_name(&name, len, 'a', 0, scope));
	port = ntohs(name.slaya_port);
	CHECK(port >= 32768 && port <= 60999);

	other = open_on('a', SOCK_DGRAM);
	REFUSED(EADDRINUSE, bind_to(other, 'a', port));
	close(fd);
	CHECK(!bind_to(other, 'a', port));
	close(other);

	/* Ports of streams are others, and so are UDP's */
	fd = dgram_on('a', 7000);
	other = open_on('a', SOCK_STREAM);
	CHECK(!bind_to(other, 0, 7000));
	close(other);
	close(fd);
	fd = dgram_on('a', 5291);
	close(fd);
}

static void test_bind_many(void)
{
	static bool seen[65536];
	int fd[300], i;
	uint16_t port;

	for (i = 0; i < 300; i++) {
		fd[i] = dgram_on('a', 0);
		port = port_of(fd[i]);
		CHECK(!seen[port]);
		seen[port] = true;
	}
	for (i = 0; i < 300; i++)
		close(fd[i]);
}

static void *bind_low(void *arg)
{
	int *fd = arg;

	if (syscall(SYS_setresuid, 65534, 65534, 65534)) {
		FAIL("setresuid: %s", strerror(errno));
		return NULL;
	}
	REFUSED(EACCES, bind_to(fd[0], 0, 1));
	REFUSED(EACCES, bind_to(fd[0], 0, 1023));
	CHECK(!bind_to(fd[0], 0, 1024));
	return NULL;
}

static void test_bind_privileged(void)
{
	int fd = open_on('a', SOCK_DGRAM);
	pthread_t thread;

	pthread_create(&thread, NULL, bind_low, &fd);
	pthread_join(thread, NULL);
	/* To layads go only datagrams of layads */
	REFUSED(EACCES, send_to(fd, 'b', 1, "x", 1));
	close(fd);
	fd = dgram_on('a', 1023);
	close(fd);
}

static void test_control_port(void)
{
	int a = dgram_on('a', 1), b = dgram_on('b', 1);

	EQUAL(5, send_to(a, 'b', 1, "hello", 5));
	expect(b, 'a', 1, "hello");
	/* Even to who may nothing else; there is just no way */
	REFUSED(EHOSTUNREACH, send_to(a, 'd', 1, "x", 1));
	close(a);
	close(b);
}

static void *bind_shared(void *arg)
{
	int fd;

	(void)arg;
	if (syscall(SYS_setresuid, 65534, 65534, 65534)) {
		FAIL("setresuid: %s", strerror(errno));
		return NULL;
	}
	fd = socket(AF_LAYA, SOCK_DGRAM, 0);
	set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	CHECK(!set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	REFUSED(EADDRINUSE, bind_to(fd, 0, 7100));
	close(fd);
	return NULL;
}

static void test_share_port(void)
{
	/* 6.1 does not ask the family about SOL_SOCKET, and says no */
	int option = on_6_1() ? SO_REUSEADDR : SO_REUSEPORT;
	int fd[4], from[32], i, j, got[4] = { 0 }, n = 0, used = 0;
	struct pollfd p[4];
	pthread_t thread;
	char room[4];

	for (i = 0; i < 4; i++) {
		fd[i] = open_on('b', SOCK_DGRAM);
		if (i == 2)
			REFUSED(EADDRINUSE, bind_to(fd[i], 0, 7100));
		CHECK(!set_int(fd[i], SOL_SOCKET, option, 1));
		CHECK(!bind_to(fd[i], 0, 7100));
	}
	/* Another user's socket stays out, whatever it asks for */
	enter('b');
	pthread_create(&thread, NULL, bind_shared, NULL);
	pthread_join(thread, NULL);

	/* Spread by the sender, and always the same for one */
	for (i = 0; i < 32; i++) {
		from[i] = dgram_on('a', 0);
		for (j = 0; j < 2; j++)
			EQUAL(1, send_to(from[i], 'b', 7100, "x", 1));
	}
	while (n < 64) {
		for (i = 0; i < 4; i++)
			p[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
		if (poll(p, 4, PATIENCE / 4) <= 0)
			break;
		for (i = 0; i < 4; i++)
			if (p[i].revents & POLLIN) {
				recv(fd[i], room, sizeof(room), 0);
				got[i]++;
				n++;
			}
	}
	for (i = 0; i < 4; i++) {
		used += got[i] != 0;
		EQUAL(0, got[i] % 2);
	}
	EQUAL(64, n);
	CHECK(used >= (on_6_1() ? 1 : 2));
	for (i = 0; i < 32; i++)
		close(from[i]);
	for (i = 0; i < 4; i++)
		close(fd[i]);

	/* SO_REUSEADDR: the last one hears */
	for (i = 0; i < 2; i++) {
		fd[i] = open_on('b', SOCK_DGRAM);
		patient(fd[i]);
		CHECK(!set_int(fd[i], SOL_SOCKET, SO_REUSEADDR, 1));
		CHECK(!bind_to(fd[i], 0, 7100));
	}
	from[0] = dgram_on('a', 0);
	EQUAL(4, send_to(from[0], 'b', 7100, "last", 4));
	expect(fd[1], 'a', port_of(from[0]), "last");
	/* But one that is connected to the sender before all */
	CHECK(!connect_to(fd[0], 'a', port_of(from[0])));
	EQUAL(4, send_to(from[0], 'b', 7100, "mine", 4));
	expect(fd[0], 'a', port_of(from[0]), "mine");
	for (i = 0; i < 2; i++)
		close(fd[i]);
	close(from[0]);
}

/* --- sending --- */

static void test_sendto(void)
{
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	int a = open_on('a', SOCK_DGRAM), b = dgram_on('b', 7000);

	patient(a);
	EQUAL(5, send_to(a, 'b', 7000, "hello", 5));
	/* The first destination gave it a device and a port */
	CHECK(!getsockname(a, SA(&name), &len));
	CHECK(is_name(&name, len, 'a', 0, device_of('a')));
	CHECK(ntohs(name.slaya_port) >= 32768);
	expect(b, 'a', port_of(a), "hello");
	EQUAL(4, send_to(b, 'a', port_of(a), "back", 4));
	expect(a, 'b', 7000, "back");
	EQUAL(0, send_to(a, 'b', 7000, "", 0));
	expect(b, 'a', port_of(a), "");
	close(a);
	close(b);
}

static void test_sendto_errors(void)
{
	struct sockaddr_laya name = name_of('b', 7000);
	static char big[65536];
	long long began = now_ms();
	int a = open_on('a', SOCK_DGRAM);

	REFUSED(EDESTADDRREQ, send(a, "x", 1, 0));
	REFUSED(EINVAL, sendto(a, "x", 1, 0, SA(&name), sizeof(name) - 1));
	REFUSED(EINVAL, send_to(a, 'b', 0, "x", 1));
	REFUSED(EINVAL, send_to(a, 0, 7000, "x", 1));
	REFUSED(EOPNOTSUPP, sendto(a, "x", 1, MSG_OOB, SA(&name), sizeof(name)));
	name.slaya_family = AF_INET6;
	REFUSED(EAFNOSUPPORT, sendto(a, "x", 1, 0, SA(&name), sizeof(name)));
	name = name_of('b', 7000);
	name.slaya_scope_id = 9999;
	REFUSED(ENODEV, sendto(a, "x", 1, 0, SA(&name), sizeof(name)));
	REFUSED(ENETUNREACH, send_to(a, 'x', 7000, "x", 1));
	/* That did not give it a port */
	EQUAL(0, port_of(a));
	REFUSED(EACCES, send_to(a, 'd', 7000, "x", 1));
	REFUSED(EHOSTUNREACH, send_to(a, 'c', 7000, "x", 1));
	REFUSED(EMSGSIZE, send_to(a, 'b', 7000, big, sizeof(big)));
	CHECK(port_of(a) != 0);
	name.slaya_scope_id = 9999;
	REFUSED(EINVAL, sendto(a, "x", 1, 0, SA(&name), sizeof(name)));
	REFUSED(EFAULT, send_to(a, 'b', 7000, (void *)8, 100));
	CHECK(now_ms() - began < PATIENCE / 4);
	close(a);
}

static void test_sizes(void)
{
	static const int sizes[] = {
		1, 1000, 1300, 1350, 1392, 1400, 1452, 1500, 3000, 9000, 32768,
		65000, 65534, 65535,
	};
	static char sent[65536], got[65536];
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	unsigned int i, j;

	CHECK(!set_int(b, SOL_SOCKET, SO_RCVBUF, 400000));
	CHECK(!set_int(a, SOL_SOCKET, SO_RCVBUF, 400000));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (j = 0; j < (unsigned int)sizes[i]; j++)
			sent[j] = j * 31 + i;
		EQUAL(sizes[i], send_to(a, 'b', port_of(b), sent, sizes[i]));
		EQUAL(sizes[i], recv(b, got, sizeof(got), 0));
		CHECK(!memcmp(sent, got, sizes[i]));
		/* To itself it goes another way */
		EQUAL(sizes[i], send_to(a, 'a', port_of(a), sent, sizes[i]));
		EQUAL(sizes[i], recv(a, got, sizeof(got), 0));
		CHECK(!memcmp(sent, got, sizes[i]));
		if (failed)
			FAIL("at %d bytes", sizes[i]);
	}
	close(a);
	close(b);
}

static void test_self(void)
{
	int a = dgram_on('a', 7000), other = dgram_on('a', 0);

	EQUAL(2, send_to(other, 'a', 7000, "me", 2));
	expect(a, 'a', port_of(other), "me");
	EQUAL(2, send_to(a, 'a', 7000, "ow", 2));
	expect(a, 'a', 7000, "ow");
	CHECK(!connect_to(a, 'a', 7000));
	EQUAL(5, send(a, "again", 5, 0));
	expect(a, 'a', 7000, "again");
	CHECK(!connect_to(other, 'a', 7001));
	EQUAL(1, send(other, "x", 1, 0));
	REFUSED(ECONNREFUSED, send(other, "x", 1, 0));
	close(a);
	close(other);
}

static void test_mmsg(void)
{
	struct mmsghdr out[20], in[20];
	struct iovec iov[20], iov2[20];
	char text[20][8], room[20][8];
	struct timespec ts = { .tv_sec = PATIENCE / 1000 };
	int a = dgram_on('a', 0), b = dgram_on('b', 0), i, n = 0;

	memset(out, 0, sizeof(out));
	memset(in, 0, sizeof(in));
	CHECK(!connect_to(a, 'b', port_of(b)));
	for (i = 0; i < 20; i++) {
		snprintf(text[i], sizeof(text[i]), "no %d", i);
		iov[i].iov_base = text[i];
		iov[i].iov_len = strlen(text[i]);
		out[i].msg_hdr.msg_iov = &iov[i];
		out[i].msg_hdr.msg_iovlen = 1;
		iov2[i].iov_base = room[i];
		iov2[i].iov_len = sizeof(room[i]);
		in[i].msg_hdr.msg_iov = &iov2[i];
		in[i].msg_hdr.msg_iovlen = 1;
	}
	EQUAL(20, sendmmsg(a, out, 20, 0));
	for (i = 0; i < 20; i++)
		EQUAL(strlen(text[i]), out[i].msg_len);
	while (n < 20) {
		i = recvmmsg(b, in + n, 20 - n, MSG_WAITFORONE, &ts);
		if (i <= 0) {
			FAIL("recvmmsg: %s", strerror(errno));
			break;
		}
		n += i;
	}
	for (i = 0; i < n; i++)
		CHECK(in[i].msg_len == strlen(text[i]) &&
		      !memcmp(room[i], text[i], in[i].msg_len));

	/* One that cannot be sent ends it; those before it are sent */
	out[3].msg_hdr.msg_name = &(struct sockaddr_laya){ .slaya_family = 99 };
	out[3].msg_hdr.msg_namelen = sizeof(struct sockaddr_laya);
	EQUAL(3, sendmmsg(a, out, 20, 0));
	for (i = 0; i < 3; i++)
		expect(b, 'a', port_of(a), text[i]);
	expect_nothing(b);
	close(a);
	close(b);
}

/* --- messages of one sendmmsg(): they leave together when they can --- */

#define MANY	200

struct batch {
	struct mmsghdr	msgs[MANY];
	struct iovec	iov[MANY];
	char		bytes[MANY][2100];
};

/* Message @i of @len bytes: its number, and bytes that follow from it. */
static void batch_set(struct batch *batch, int i, size_t len)
{
	size_t j;

	for (j = 0; j < len; j++)
		batch->bytes[i][j] = i * 7 + j;
	batch->iov[i].iov_base = batch->bytes[i];
	batch->iov[i].iov_len = len;
	memset(&batch->msgs[i], 0, sizeof(batch->msgs[i]));
	batch->msgs[i].msg_hdr.msg_iov = &batch->iov[i];
	batch->msgs[i].msg_hdr.msg_iovlen = 1;
}

/* What comes next on @fd is message @i. */
static void batch_expect(int fd, const struct batch *batch, int i)
{
	static char room[2200];
	ssize_t n = recv(fd, room, sizeof(room), 0);

	if (n != (ssize_t)batch->iov[i].iov_len)
		FAIL("message %d: expected %zu bytes, found %zd (%s)", i,
		     batch->iov[i].iov_len, n, strerror(errno));
	else if (memcmp(room, batch->bytes[i], n))
		FAIL("message %d: other bytes", i);
}

/* The number that a command in @node's namespace says. */
static long long number_on(char node, const char *words)
{
	char command[200];
	long long n = -1;
	FILE *file;

	snprintf(command, sizeof(command), "ip netns exec %c %s", node, words);
	file = popen(command, "r");
	if (!file || fscanf(file, "%lld", &n) != 1)
		FAIL("%s", command);
	if (file)
		pclose(file);
	return n;
}

/* Packets that @node has put on its wire; a run counts as one. */
static long long sent_packets(char node)
{
	return number_on(node, "cat /sys/class/net/eth0/statistics/tx_packets");
}

/* Packets that @node has dropped because they were none of Laya's. */
static long long malformed(char node)
{
	return number_on(node, "laya-nl device-get dev=laya0 | grep -c "
			 "'drop:malformed packet='");
}

static void test_batch(void)
{
	static const size_t odd[] = {
		100, 100, 100, 99, 100, 0, 0, 1, 1, 1, 200, 2000, 1300, 1300,
		1300, 1300, 7, 1300, 1301, 1302, 1303, 64, 64, 64,
	};
	int a = dgram_on('a', 0), b = dgram_on('b', 0), n, i;
	static struct batch batch;
	long long before, after;

	CHECK(!connect_to(a, 'b', port_of(b)));
	n = sizeof(odd) / sizeof(odd[0]);
	for (i = 0; i < n; i++)
		batch_set(&batch, i, odd[i]);
	EQUAL(n, sendmmsg(a, batch.msgs, n, 0));
	for (i = 0; i < n; i++) {
		EQUAL(odd[i], batch.msgs[i].msg_len);
		batch_expect(b, &batch, i);
	}

	/* More than one run takes, in number and in bytes */
	settle(a, b, 'b');
	for (i = 0; i < MANY; i++)
		batch_set(&batch, i, i < 100 ? 20 : 1200);
	before = sent_packets('a');
	EQUAL(MANY, sendmmsg(a, batch.msgs, MANY, 0));
	after = sent_packets('a');
	if (before < 0 || after - before > MANY / 4)
		FAIL("%d messages left as %lld packets", MANY, after - before);
	for (i = 0; i < MANY; i++)
		batch_expect(b, &batch, i);
	expect_nothing(b);
	close(a);
	close(b);
}

/* Those to different sockets in one call, one of which is not there. */
static void test_batch_several(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), c = dgram_on('b', 0);
	struct sockaddr_laya names[3];
	static struct batch batch;
	int i;

	names[0] = name_of('b', port_of(b));
	names[1] = name_of('b', port_of(c));
	names[2] = name_of('a', port_of(a));
	for (i = 0; i < 60; i++) {
		batch_set(&batch, i, 50);
		/* Now in turn, now several in a row */
		batch.msgs[i].msg_hdr.msg_name = &names[i < 30 ? i % 3 :
							i / 10 % 3];
		batch.msgs[i].msg_hdr.msg_namelen = sizeof(names[0]);
	}
	EQUAL(60, sendmmsg(a, batch.msgs, 60, 0));
	for (i = 0; i < 60; i++) {
		const struct sockaddr_laya *name;

		name = batch.msgs[i].msg_hdr.msg_name;
		batch_expect(name == &names[0] ? b : name == &names[1] ? c : a,
			     &batch, i);
	}
	/* Refused by b, which is told to the next call */
	CHECK(!connect_to(a, 'b', 7998));
	for (i = 0; i < 20; i++)
		batch_set(&batch, i, 50);
	EQUAL(20, sendmmsg(a, batch.msgs, 20, 0));
	CHECK(wait_events(a, POLLERR) & POLLERR);
	REFUSED(ECONNREFUSED, send(a, "x", 1, 0));
	close(a);
	close(b);
	close(c);
}

/* A call that ends in the middle, and messages that nothing follows. */
static void test_batch_cut_short(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), i;
	static struct batch batch;

	CHECK(!connect_to(a, 'b', port_of(b)));
	for (i = 0; i < 20; i++)
		batch_set(&batch, i, 300);
	/* Here the kernel does not get as far as to ask the socket */
	batch.msgs[10].msg_hdr.msg_iov = (void *)1;
	EQUAL(10, sendmmsg(a, batch.msgs, 20, 0));
	for (i = 0; i < 10; i++)
		batch_expect(b, &batch, i);
	/* Here it is a message's bytes that cannot be read */
	batch_set(&batch, 10, 300);
	batch.iov[10].iov_base = (void *)1;
	EQUAL(10, sendmmsg(a, batch.msgs, 20, 0));
	for (i = 0; i < 10; i++)
		batch_expect(b, &batch, i);
	/* The first of a run */
	batch.iov[0].iov_base = (void *)1;
	REFUSED(EFAULT, sendmmsg(a, batch.msgs, 20, 0));
	batch_set(&batch, 0, 300);
	settle(a, b, 'b');
	EQUAL(0, malformed('b'));

	EQUAL(300, send(a, batch.bytes[0], 300, MSG_BATCH));
	batch_expect(b, &batch, 0);
	/* What follows does not overtake it */
	EQUAL(300, send(a, batch.bytes[1], 300, MSG_BATCH));
	EQUAL(300, send(a, batch.bytes[2], 300, 0));
	EQUAL(300, send(a, batch.bytes[3], 300, MSG_BATCH));
	EQUAL(1, send_to(a, 'b', port_of(b), "x", 1));
	for (i = 1; i < 4; i++)
		batch_expect(b, &batch, i);
	expect(b, 'a', port_of(a), "x");
	/* Nor is it lost when the socket closes */
	EQUAL(300, send(a, batch.bytes[4], 300, MSG_BATCH));
	close(a);
	batch_expect(b, &batch, 4);
	expect_nothing(b);
	close(b);
}

/* A send buffer that one run fills. */
static void test_batch_sndbuf(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), i, n, sent = 0;
	static struct batch batch;

	CHECK(!set_int(a, SOL_SOCKET, SO_SNDBUF, 4608));
	CHECK(!set_int(b, SOL_SOCKET, SO_RCVBUF, 1 << 20));
	CHECK(!connect_to(a, 'b', port_of(b)));
	for (i = 0; i < 100; i++)
		batch_set(&batch, i, 1000);
	while (sent < 100) {
		n = sendmmsg(a, batch.msgs + sent, 100 - sent, 0);
		if (n <= 0) {
			FAIL("sendmmsg: %s", strerror(errno));
			break;
		}
		sent += n;
	}
	for (i = 0; i < 100; i++)
		batch_expect(b, &batch, i);
	CHECK(!ioctl(a, SIOCOUTQ, &n));
	EQUAL(0, n);
	close(a);
	close(b);
}

/* How a run is read: message by message, whatever the flags. */
static void test_batch_read(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), i, n;
	static struct batch batch;
	char room[400];

	CHECK(!connect_to(a, 'b', port_of(b)));
	for (i = 0; i < 10; i++)
		batch_set(&batch, i, i < 9 ? 300 : 100);
	EQUAL(10, sendmmsg(a, batch.msgs, 10, 0));
	for (i = 0; i < 9; i++) {
		EQUAL(300, recv(b, room, sizeof(room), MSG_PEEK));
		CHECK(!memcmp(room, batch.bytes[i], 300));
		CHECK(!ioctl(b, SIOCINQ, &n));
		EQUAL(300, n);
		/* The rest of a message that is too long is lost, as ever */
		EQUAL(300, recv(b, room, 10, MSG_TRUNC));
		CHECK(!memcmp(room, batch.bytes[i], 10));
	}
	CHECK(!ioctl(b, SIOCINQ, &n));
	EQUAL(100, n);
	batch_expect(b, &batch, 9);
	expect_nothing(b);

	/* A reader that goes before it has read all of it */
	EQUAL(10, sendmmsg(a, batch.msgs, 10, 0));
	batch_expect(b, &batch, 0);
	close(b);
	close(a);
}

/* A receive buffer takes a whole run or none of it; each message counts. */
static void test_batch_rcvbuf(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), one = 1, i, n = 0;
	char data[1000], control[64];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	static struct batch batch;
	struct cmsghdr *cmsg;
	uint32_t dropped = 0;

	CHECK(!set_int(b, SOL_SOCKET, SO_RCVBUF, 4096));
	CHECK(!setsockopt(b, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one)));
	CHECK(!connect_to(a, 'b', port_of(b)));
	for (i = 0; i < 20; i++)
		batch_set(&batch, i, 1000);
	for (i = 0; i < 5; i++)
		EQUAL(20, sendmmsg(a, batch.msgs, 20, 0));
	usleep(200000);
	while (recv(b, data, sizeof(data), MSG_DONTWAIT) == 1000)
		n++;
	CHECK(n > 0 && n < 100);
	EQUAL(1, send(a, "x", 1, 0));
	EQUAL(1, recvmsg(b, &msg, 0));
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_type == SO_RXQ_OVFL)
			memcpy(&dropped, CMSG_DATA(cmsg), sizeof(dropped));
	EQUAL(100 - n, dropped);
	close(a);
	close(b);
}

static void test_batch_filter(void)
{
	/* Only those of which the first byte is 21, that is number 3 */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 21, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0x40000),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = 4, .filter = code };
	int a = dgram_on('a', 0), b = dgram_on('b', 0), i;
	static struct batch batch;

	CHECK(!setsockopt(b, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program)));
	CHECK(!connect_to(a, 'b', port_of(b)));
	for (i = 0; i < 10; i++)
		batch_set(&batch, i, 40);
	EQUAL(10, sendmmsg(a, batch.msgs, 10, 0));
	batch_expect(b, &batch, 3);
	expect_nothing(b);
	close(a);
	close(b);
}

/* --- one message that is many datagrams, and the other way round --- */

static char long_message[160000];

static void long_message_fill(void)
{
	size_t i;

	for (i = 0; i < sizeof(long_message); i++)
		long_message[i] = i * 31 + i / 1200;
}

/* What comes next on @fd are the @len bytes at @at of the message. */
static void segment_expect(int fd, size_t at, size_t len)
{
	static char room[2200];
	ssize_t n = recv(fd, room, sizeof(room), 0);

	if (n != (ssize_t)len)
		FAIL("at %zu: expected %zu bytes, found %zd (%s)", at, len, n,
		     strerror(errno));
	else if (memcmp(room, long_message + at, n))
		FAIL("at %zu: other bytes", at);
}

/* All @len bytes of the message, @segment in each datagram. */
static void segments_expect(int fd, size_t len, size_t segment)
{
	size_t at;

	for (at = 0; at < len; at += segment)
		segment_expect(fd, at, at + segment > len ? len - at : segment);
}

/* The control message is as UDP_SEGMENT's. */
static ssize_t send_segments(int fd, size_t len, int type, const void *value,
			     size_t size)
{
	struct iovec iov = { .iov_base = long_message, .iov_len = len };
	char control[CMSG_SPACE(8)] = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(size),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_LAYA;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), value, size);
	return sendmsg(fd, &msg, 0);
}

static void test_segment(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	uint16_t segment = 700, none = 0;
	long long before, after;

	long_message_fill();
	CHECK(!connect_to(a, 'b', port_of(b)));
	EQUAL(0, get_int(a, SOL_LAYA, LAYA_SEGMENT));
	REFUSED(EINVAL, set_int(a, SOL_LAYA, LAYA_SEGMENT, -1));
	REFUSED(EINVAL, set_int(a, SOL_LAYA, LAYA_SEGMENT, 65536));
	REFUSED(EINVAL, setsockopt(a, SOL_LAYA, LAYA_SEGMENT, &segment, 2));
	CHECK(!set_int(a, SOL_LAYA, LAYA_SEGMENT, 1200));
	EQUAL(1200, get_int(a, SOL_LAYA, LAYA_SEGMENT));

	/* Long ones leave together; short ones are as before */
	EQUAL(4, send(a, long_message, 4, 0));
	segments_expect(b, 4, 1200);
	EQUAL(0, send(a, long_message, 0, 0));
	segment_expect(b, 0, 0);
	EQUAL(1200, send(a, long_message, 1200, 0));
	segments_expect(b, 1200, 1200);
	EQUAL(1201, send(a, long_message, 1201, 0));
	segments_expect(b, 1201, 1200);
	settle(a, b, 'b');
	before = sent_packets('a');
	EQUAL(60000, send(a, long_message, 60000, 0));
	EQUAL(60001, send(a, long_message, 60001, 0));
	after = sent_packets('a');
	if (before < 0 || after - before > 20)
		FAIL("101 segments left as %lld packets", after - before);
	segments_expect(b, 60000, 1200);
	segments_expect(b, 60001, 1200);

	/* As many as one call takes, and more than one run does */
	EQUAL(128 * 1200, send(a, long_message, 128 * 1200, 0));
	segments_expect(b, 128 * 1200, 1200);
	REFUSED(EINVAL, send(a, long_message, 128 * 1200 + 1, 0));

	/* For one call alone */
	EQUAL(2000, send_segments(a, 2000, LAYA_SEGMENT, &segment, 2));
	segments_expect(b, 2000, 700);
	EQUAL(2000, send_segments(a, 2000, LAYA_SEGMENT, &none, 2));
	segment_expect(b, 0, 2000);
	EQUAL(2000, send(a, long_message, 2000, 0));
	segments_expect(b, 2000, 1200);
	REFUSED(EINVAL, send_segments(a, 2000, LAYA_SEGMENT, "abcd", 4));
	REFUSED(EINVAL, send_segments(a, 2000, LAYA_GRO, &segment, 2));

	/* Larger than a path's packets: each goes in fragments, alone */
	CHECK(!set_int(a, SOL_LAYA, LAYA_SEGMENT, 2000));
	EQUAL(5000, send(a, long_message, 5000, 0));
	segments_expect(b, 5000, 2000);

	/* Back to one datagram; and to oneself */
	CHECK(!set_int(a, SOL_LAYA, LAYA_SEGMENT, 0));
	REFUSED(EMSGSIZE, send(a, long_message, 70000, 0));
	EQUAL(2000, send(a, long_message, 2000, 0));
	segment_expect(b, 0, 2000);
	CHECK(!set_int(a, SOL_LAYA, LAYA_SEGMENT, 100));
	CHECK(!connect_to(a, 'a', port_of(a)));
	EQUAL(250, send(a, long_message, 250, 0));
	segments_expect(a, 250, 100);
	expect_nothing(b);
	close(a);
	close(b);
}

/* Part of the message cannot be read: what was before it has left. */
static void test_segment_cut_short(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	struct iovec iov[] = {
		{ .iov_base = long_message, .iov_len = 3000 },
		{ .iov_base = (void *)1, .iov_len = 3000 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	long_message_fill();
	CHECK(!connect_to(a, 'b', port_of(b)));
	CHECK(!set_int(a, SOL_LAYA, LAYA_SEGMENT, 1000));
	EQUAL(3000, sendmsg(a, &msg, 0));
	segments_expect(b, 3000, 1000);
	iov[0].iov_len = 0;
	REFUSED(EFAULT, sendmsg(a, &msg, 0));
	EQUAL(4, send(a, long_message, 4, 0));
	segments_expect(b, 4, 1000);
	expect_nothing(b);
	EQUAL(0, malformed('b'));
	close(a);
	close(b);
}

/* Bytes that come at once, at @at of the message; the size of each, 0 for one. */
static size_t gro_expect(int fd, size_t at, size_t room, int flags, int *size)
{
	static char bytes[65536];
	struct iovec iov = { .iov_base = bytes, .iov_len = room };
	struct sockaddr_laya name;
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr msg = {
		.msg_name = &name,
		.msg_namelen = sizeof(name),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, flags);
	struct cmsghdr *cmsg;

	*size = 0;
	if (n < 0) {
		FAIL("at %zu: %s", at, strerror(errno));
		return 0;
	}
	if (memcmp(bytes, long_message + at, n))
		FAIL("at %zu: other bytes", at);
	CHECK(is_name(&name, msg.msg_namelen, 'a', 0, 0));
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_LAYA && cmsg->cmsg_type == LAYA_GRO &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(size, CMSG_DATA(cmsg), sizeof(int));
	return n;
}

static void test_gro(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), size, calls = 0;
	size_t at, n;

	long_message_fill();
	CHECK(!connect_to(a, 'b', port_of(b)));
	CHECK(!set_int(a, SOL_LAYA, LAYA_SEGMENT, 1000));
	EQUAL(0, get_int(b, SOL_LAYA, LAYA_GRO));
	CHECK(!set_int(b, SOL_LAYA, LAYA_GRO, 7));
	EQUAL(1, get_int(b, SOL_LAYA, LAYA_GRO));

	/* Runs come in as they left, or in parts; each says its size */
	EQUAL(50500, send(a, long_message, 50500, 0));
	for (at = 0; at < 50500; at += n) {
		n = gro_expect(b, at, 65536, 0, &size);
		if (!n)
			break;
		calls++;
		EQUAL(n > 1000 ? 1000 : 0, size);
		CHECK(n % 1000 == 0 || at + n == 50500);
	}
	if (calls > 10)
		FAIL("51 datagrams took %d calls", calls);

	/* Whole ones that have room, then the rest */
	EQUAL(5500, send(a, long_message, 5500, 0));
	EQUAL(3000, gro_expect(b, 0, 3999, MSG_PEEK, &size));
	EQUAL(1000, size);
	EQUAL(3000, gro_expect(b, 0, 3999, 0, &size));
	EQUAL(1000, size);
	EQUAL(1000, gro_expect(b, 3000, 1000, 0, &size));
	EQUAL(0, size);
	EQUAL(1500, gro_expect(b, 4000, 1500, 0, &size));
	EQUAL(1000, size);
	/* One that is too long is cut, and the next one comes whole */
	EQUAL(2000, send(a, long_message, 2000, 0));
	EQUAL(500, gro_expect(b, 0, 500, 0, &size));
	EQUAL(0, size);
	EQUAL(1000, gro_expect(b, 1000, 4000, 0, &size));
	EQUAL(0, size);
	/* Not beyond a run: the next one is another call's */
	EQUAL(2000, send(a, long_message, 2000, 0));
	EQUAL(4, send(a, long_message, 4, 0));
	EQUAL(2000, gro_expect(b, 0, 4000, 0, &size));
	EQUAL(1000, size);
	EQUAL(4, gro_expect(b, 0, 4000, 0, &size));
	EQUAL(0, size);

	/* Without it each is one */
	CHECK(!set_int(b, SOL_LAYA, LAYA_GRO, 0));
	EQUAL(2500, send(a, long_message, 2500, 0));
	segments_expect(b, 2500, 1000);
	expect_nothing(b);
	close(a);
	close(b);
}

static void test_sndbuf(void)
{
	static char big[60000];
	int a = dgram_on('a', 0), n, i;

	CHECK(!set_int(a, SOL_SOCKET, SO_SNDBUF, 4608));
	CHECK(!connect_to(a, 'b', 7999));
	for (i = 0; i < 50; i++)
		if (send(a, big, sizeof(big), MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN && errno != ECONNREFUSED)
			FAIL("send: %s", strerror(errno));
	CHECK(!ioctl(a, SIOCOUTQ, &n));
	CHECK(n >= 0);
	CHECK(wait_events(a, POLLOUT) & POLLOUT);
	close(a);
}

static void test_splice(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), pipes[2];

	CHECK(!pipe(pipes));
	CHECK(!connect_to(a, 'b', port_of(b)));
	EQUAL(7, write(pipes[1], "spliced", 7));
	EQUAL(7, splice(pipes[0], NULL, a, NULL, 7, 0));
	expect(b, 'a', port_of(a), "spliced");
	close(pipes[0]);
	close(pipes[1]);
	close(a);
	close(b);
}

/* --- connected --- */

static void test_connect(void)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	int a = open_on('a', SOCK_DGRAM), b = dgram_on('b', 0);
	int other = dgram_on('b', 0);
	uint16_t port;

	patient(a);
	REFUSED(ENOTCONN, getpeername(a, SA(&name), &len));
	CHECK(!connect_to(a, 'b', port_of(b)));
	CHECK(!getpeername(a, SA(&name), &len));
	CHECK(is_name(&name, len, 'b', port_of(b), device_of('a')));
	port = port_of(a);
	CHECK(port != 0);
	EQUAL(2, send(a, "hi", 2, 0));
	expect(b, 'a', port, "hi");

	/* From its peer alone: node and port */
	EQUAL(5, send_to(b, 'a', port, "mine!", 5));
	expect(a, 'b', port_of(b), "mine!");
	EQUAL(5, send_to(other, 'a', port, "else!", 5));
	EQUAL(5, send_to(a, 'a', port, "self!", 5));
	settle(b, a, 'a');
	expect_nothing(a);
	/* It may still speak to others */
	EQUAL(4, send_to(a, 'b', port_of(other), "also", 4));
	expect(other, 'a', port, "also");

	/* To another, and to nobody; the port stays */
	CHECK(!connect_to(a, 'b', port_of(other)));
	EQUAL(3, send(a, "new", 3, 0));
	expect(other, 'a', port, "new");
	CHECK(!connect(a, &unspec, sizeof(unspec)));
	REFUSED(ENOTCONN, getpeername(a, SA(&name), &len));
	REFUSED(EDESTADDRREQ, send(a, "x", 1, 0));
	EQUAL(port, port_of(a));
	EQUAL(3, send_to(b, 'a', port, "any", 3));
	expect(a, 'b', port_of(b), "any");
	close(a);
	close(b);
	close(other);
}

static void test_connect_errors(void)
{
	struct sockaddr_laya name = name_of('b', 7000);
	int a = open_on('a', SOCK_DGRAM);

	REFUSED(EINVAL, connect(a, SA(&name), 1));
	REFUSED(EINVAL, connect(a, SA(&name), sizeof(name) - 1));
	REFUSED(EINVAL, connect_to(a, 'b', 0));
	REFUSED(EINVAL, connect_to(a, 0, 7000));
	REFUSED(ENETUNREACH, connect_to(a, 'x', 7000));
	REFUSED(EACCES, connect_to(a, 'd', 7000));
	REFUSED(EACCES, connect_to(a, 'b', 1));
	name.slaya_scope_id = 9999;
	REFUSED(EINVAL, connect(a, SA(&name), sizeof(name)));
	/* Whether there is a way is seen when something is sent */
	CHECK(!connect_to(a, 'c', 7000));
	REFUSED(EHOSTUNREACH, send(a, "x", 1, 0));
	close(a);
}

static void test_refused(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 7000);
	char room[4];

	close(b);
	CHECK(!connect_to(a, 'b', 7000));
	EQUAL(1, send(a, "x", 1, 0));
	CHECK(wait_events(a, 0) & POLLERR);
	EQUAL(ECONNREFUSED, get_int(a, SOL_SOCKET, SO_ERROR));
	/* It is told once */
	EQUAL(0, get_int(a, SOL_SOCKET, SO_ERROR));
	EQUAL(1, send(a, "x", 1, 0));
	REFUSED(ECONNREFUSED, recv(a, room, sizeof(room), 0));
	EQUAL(1, send(a, "x", 1, 0));
	CHECK(wait_events(a, 0) & POLLERR);
	REFUSED(ECONNREFUSED, send(a, "x", 1, 0));
	close(a);

	/* Who is not connected does not hear */
	a = dgram_on('a', 0);
	b = dgram_on('b', 7001);
	EQUAL(1, send_to(a, 'b', 7000, "x", 1));
	EQUAL(1, send_to(a, 'b', 7001, "x", 1));
	EQUAL(1, recv(b, room, sizeof(room), 0));
	EQUAL(1, send_to(b, 'a', port_of(a), "y", 1));
	EQUAL(1, recv(a, room, sizeof(room), 0));
	EQUAL(0, get_int(a, SOL_SOCKET, SO_ERROR));
	close(a);
	close(b);
}

/* --- receiving --- */

static void test_recv_flags(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), n;
	struct timeval tv = { .tv_usec = 100000 };
	struct sockaddr_laya name;
	char room[16] = "";
	struct iovec iov = { .iov_base = room, .iov_len = 3 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	long long began;

	expect_nothing(b);
	REFUSED(EOPNOTSUPP, recv(b, room, 1, MSG_OOB));
	REFUSED(EAGAIN, recv(b, room, 1, MSG_ERRQUEUE));
	EQUAL(6, send_to(a, 'b', port_of(b), "abcdef", 6));
	EQUAL(2, send_to(a, 'b', port_of(b), "gh", 2));
	EQUAL(POLLIN, wait_events(b, POLLIN));
	EQUAL(6, recv(b, room, sizeof(room), MSG_PEEK));
	EQUAL(6, recv(b, room, 2, MSG_PEEK | MSG_TRUNC));
	CHECK(!ioctl(b, SIOCINQ, &n));
	EQUAL(6, n);
	EQUAL(3, recvmsg(b, &msg, 0));
	EQUAL(MSG_TRUNC, msg.msg_flags);
	EQUAL(0, msg.msg_namelen);
	/* The rest is gone, with the message */
	msg.msg_name = &name;
	msg.msg_namelen = sizeof(name);
	EQUAL(2, recvmsg(b, &msg, 0));
	EQUAL(0, msg.msg_flags);
	CHECK(is_name(&name, msg.msg_namelen, 'a', port_of(a), device_of('b')));
	CHECK(!ioctl(b, SIOCINQ, &n));
	EQUAL(0, n);

	setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	began = now_ms();
	REFUSED(EAGAIN, recv(b, room, sizeof(room), 0));
	CHECK(now_ms() - began >= 90);
	close(a);
	close(b);
}

static void test_rcvbuf(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), one = 1, i, n = 0;
	static char data[1000], control[64];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	uint32_t dropped = 0;

	CHECK(!set_int(b, SOL_SOCKET, SO_RCVBUF, 4096));
	CHECK(!setsockopt(b, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one)));
	for (i = 0; i < 50; i++)
		EQUAL(1000, send_to(a, 'b', port_of(b), data, 1000));
	usleep(200000);
	while (recv(b, data, sizeof(data), MSG_DONTWAIT) == 1000)
		n++;
	CHECK(n > 0 && n < 50);
	EQUAL(1, send_to(a, 'b', port_of(b), "x", 1));
	EQUAL(1, recvmsg(b, &msg, 0));
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_type == SO_RXQ_OVFL)
			memcpy(&dropped, CMSG_DATA(cmsg), sizeof(dropped));
	EQUAL(50 - n, dropped);
	close(a);
	close(b);
}

static void test_filter(void)
{
	/* The first byte is 'y', or it is not taken */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0x40000),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = 4, .filter = code };
	int a = dgram_on('a', 0), b = dgram_on('b', 0);

	CHECK(!setsockopt(b, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program)));
	EQUAL(2, send_to(a, 'b', port_of(b), "no", 2));
	EQUAL(3, send_to(a, 'b', port_of(b), "yes", 3));
	expect(b, 'a', port_of(a), "yes");
	expect_nothing(b);
	EQUAL(0, get_int(a, SOL_SOCKET, SO_ERROR));
	close(a);
	close(b);
}

static void test_timestamp(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	char data[4], control[128];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct timespec before, stamp = { 0 };
	struct cmsghdr *cmsg;

	CHECK(!set_int(b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	clock_gettime(CLOCK_REALTIME, &before);
	EQUAL(1, send_to(a, 'b', port_of(b), "x", 1));
	EQUAL(1, recvmsg(b, &msg, 0));
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_TIMESTAMPNS)
		memcpy(&stamp, CMSG_DATA(cmsg), sizeof(stamp));
	CHECK(stamp.tv_sec >= before.tv_sec - 1 &&
	      stamp.tv_sec <= before.tv_sec + PATIENCE / 1000);
	close(a);
	close(b);
}

static void *shut_later(void *arg)
{
	usleep(200000);
	CHECK(!shutdown(*(int *)arg, SHUT_RDWR));
	return NULL;
}

static void test_shutdown(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	pthread_t thread;
	char room[4];

	REFUSED(ENOTCONN, shutdown(a, SHUT_RDWR));
	CHECK(!connect_to(a, 'b', port_of(b)));
	REFUSED(EINVAL, shutdown(a, 99));
	CHECK(!shutdown(a, SHUT_WR));
	REFUSED(EPIPE, send(a, "x", 1, MSG_NOSIGNAL));
	EQUAL(1, send_to(b, 'a', port_of(a), "y", 1));
	EQUAL(1, recv(a, room, sizeof(room), 0));
	/* Wakes who waits */
	pthread_create(&thread, NULL, shut_later, &a);
	EQUAL(0, recv(a, room, sizeof(room), 0));
	pthread_join(thread, NULL);
	CHECK(wait_events(a, POLLIN) & POLLIN);
	close(a);
	close(b);
}

static void test_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	int epoll = epoll_create1(0), i;

	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, b, &event));
	for (i = 0; i < 5; i++) {
		EQUAL(0, epoll_wait(epoll, &got, 1, 0));
		EQUAL(1, send_to(a, 'b', port_of(b), "x", 1));
		EQUAL(1, epoll_wait(epoll, &got, 1, PATIENCE));
		EQUAL(EPOLLIN, got.events);
		expect(b, 'a', port_of(a), "x");
	}
	close(epoll);
	close(a);
	close(b);
}

/* --- options --- */

static void test_options(void)
{
	int a = dgram_on('a', 0), optname;
	char room[64] = { 1 };
	unsigned int i;
	static const int levels[] = { SOL_IP, SOL_IPV6, IPPROTO_TCP, 17, 263, 284 };

	for (optname = 0; optname < 100; optname++)
		for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
			REFUSED(ENOPROTOOPT, setsockopt(a, levels[i], optname,
							room, 16));
	if (!on_6_1()) {
		REFUSED(ENOPROTOOPT, setsockopt(a, SOL_SOCKET, SO_BINDTODEVICE,
						"eth0", 5));
		REFUSED(ENOPROTOOPT, set_int(a, SOL_SOCKET, SO_BINDTOIFINDEX, 1));
	}
	CHECK(set_int(a, SOL_SOCKET, 60 /* SO_ZEROCOPY */, 1) < 0);
	CHECK(!set_int(a, SOL_SOCKET, SO_PRIORITY, 3));
	CHECK(!set_int(a, SOL_SOCKET, SO_MARK, 3));
	CHECK(ioctl(a, SIOCADDRT, room) < 0);
	close(a);
}

static void test_laya_options(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	struct laya_path_info info;
	uint8_t key[LAYA_KEY_SIZE];
	socklen_t len = sizeof(info);

	REFUSED(ENOTCONN, getsockopt(a, SOL_LAYA, LAYA_PATH_INFO, &info, &len));
	REFUSED(ENOTCONN, getsockopt(a, SOL_LAYA, LAYA_PEER_KEY, key, &len));
	CHECK(!connect_to(a, 'b', port_of(b)));
	EQUAL(2, send(a, "go", 2, 0));
	expect(b, 'a', port_of(a), "go");
	CHECK(!getsockopt(a, SOL_LAYA, LAYA_PATH_INFO, &info, &len));
	EQUAL(sizeof(info), len);
	EQUAL(LAYA_PATH_KIND_DIRECT, info.kind);
	EQUAL(LAYA_CARRIER_TYPE_UDP, info.carrier);
	EQUAL(5291, ntohs(info.remote_port));
	len = sizeof(key);
	CHECK(!getsockopt(a, SOL_LAYA, LAYA_PEER_KEY, key, &len));
	EQUAL('B', key[0]);

	/* Per packet, and without anything being sent */
	REFUSED(EINVAL, set_int(a, SOL_LAYA, LAYA_PATH_KINDS, 1));
	CHECK(!set_int(a, SOL_LAYA, LAYA_PATH_KINDS,
		       1 << LAYA_PATH_KIND_RELAY));
	REFUSED(EACCES, send(a, "x", 1, 0));
	REFUSED(EACCES, send_to(a, 'b', port_of(b), "x", 1));
	len = sizeof(info);
	REFUSED(ENETUNREACH, getsockopt(a, SOL_LAYA, LAYA_PATH_INFO, &info,
					&len));
	CHECK(!set_int(a, SOL_LAYA, LAYA_PATH_KINDS,
		       1 << LAYA_PATH_KIND_DIRECT));
	EQUAL(2, send(a, "ok", 2, 0));
	expect(b, 'a', port_of(a), "ok");
	expect_nothing(b);
	REFUSED(ENOPROTOOPT, set_int(a, SOL_LAYA, 99, 1));
	REFUSED(ENOPROTOOPT, getsockopt(a, SOL_LAYA, 99, key, &len));
	close(a);
	close(b);
}

static void test_path_events(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0);
	struct laya_path_info info;

	CHECK(!connect_to(a, 'b', port_of(b)));
	EQUAL(2, send(a, "go", 2, 0));
	expect(b, 'a', port_of(a), "go");
	CHECK(!set_int(a, SOL_LAYA, LAYA_PATH_EVENTS, 1));
	EQUAL(1, get_int(a, SOL_LAYA, LAYA_PATH_EVENTS));
	REFUSED(EAGAIN, read_event(a, &info));
	change_path(a);
	EQUAL(2, send(a, "on", 2, 0));
	expect(b, 'a', port_of(a), "on");
	close(a);
	close(b);
}

/* --- teardown --- */

static void test_module_in_use(void)
{
	int fd = open_on('a', SOCK_DGRAM);

	REFUSED(EAGAIN, syscall(SYS_delete_module, "laya", O_NONBLOCK));
	close(fd);
}

static void test_device_down(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0);

	enter('a');
	CHECK(!system("ip -6 -o address show dev laya0 | awk '{print $4}' "
		      "> /tmp/orchid"));
	CHECK(!system("ip link set laya0 down"));
	REFUSED(ENETDOWN, send_to(a, 'b', port_of(b), "x", 1));
	CHECK(!system("ip link set laya0 up"));
	/* Datagrams need no address */
	EQUAL(2, send_to(a, 'b', port_of(b), "up", 2));
	expect(b, 'a', port_of(a), "up");
	CHECK(!system("ip address add $(cat /tmp/orchid) dev laya0 nodad"));
	close(a);
	close(b);
}

static void *blocked_recv(void *arg)
{
	char room[4];

	REFUSED(ENODEV, recv(*(int *)arg, room, sizeof(room), 0));
	return NULL;
}

static void test_device_gone(void)
{
	int b = dgram_on('b', 7000), other = dgram_on('b', 0), fresh;
	pthread_t thread;
	char room[16];

	EQUAL(4, send_to(other, 'b', port_of(other), "kept", 4));
	pthread_create(&thread, NULL, blocked_recv, &b);
	usleep(200000);
	enter('b');
	CHECK(!system("ip link delete laya0"));
	pthread_join(thread, NULL);
	CHECK(wait_events(b, POLLIN) & POLLHUP);
	REFUSED(ENODEV, send_to(b, 'a', 7000, "x", 1));
	REFUSED(ENODEV, recv(b, room, sizeof(room), 0));
	REFUSED(EINVAL, bind_to(b, 0, 7001));
	/* What had come can still be read, after the news */
	EQUAL(ENODEV, get_int(other, SOL_SOCKET, SO_ERROR));
	EQUAL(4, recv(other, room, sizeof(room), 0));
	REFUSED(ENODEV, recv(other, room, sizeof(room), 0));
	close(b);
	close(other);

	fresh = open_on('b', SOCK_DGRAM);
	REFUSED(ENODEV, bind_to(fresh, 0, 0));
	REFUSED(ENODEV, send_to(fresh, 'a', 7000, "x", 1));
	REFUSED(ENODEV, connect_to(fresh, 'a', 7000));
	close(fresh);
}

/* --- for tamper.sh: some packets of each run do not arrive --- */

static void test_tampered(void)
{
	int a = dgram_on('a', 0), b = dgram_on('b', 0), i, j, missing = 0;
	static struct batch batch;
	char room[200];
	ssize_t n;

	CHECK(!connect_to(a, 'b', port_of(b)));
	for (i = 0; i < 20; i++)
		batch_set(&batch, i, 100);
	for (j = 0; j < 3; j++) {
		EQUAL(20, sendmmsg(a, batch.msgs, 20, 0));
		EQUAL(4, send(a, "mark", 4, 0));
		i = 0;
		while ((n = recv(b, room, sizeof(room), 0)) == 100) {
			while (i < 20 && memcmp(room, batch.bytes[i], 100)) {
				missing++;
				i++;
			}
			/* One that was changed, or came again, or too late */
			if (i++ == 20)
				break;
		}
		EQUAL(4, n);
		missing += 20 - i;
	}
	printf("# missing: %d\n", missing);
	close(a);
	close(b);
}

#define TEST(name)	{ #name, test_##name }

static const struct test tests[] = {
	TEST(socket),
	TEST(bind),
	TEST(bind_many),
	TEST(bind_privileged),
	TEST(control_port),
	TEST(share_port),
	TEST(sendto),
	TEST(sendto_errors),
	TEST(sizes),
	TEST(self),
	TEST(mmsg),
	TEST(batch),
	TEST(batch_several),
	TEST(batch_cut_short),
	TEST(batch_sndbuf),
	TEST(batch_read),
	TEST(batch_rcvbuf),
	TEST(batch_filter),
	TEST(segment),
	TEST(segment_cut_short),
	TEST(gro),
	TEST(sndbuf),
	TEST(splice),
	TEST(connect),
	TEST(connect_errors),
	TEST(refused),
	TEST(recv_flags),
	TEST(rcvbuf),
	TEST(filter),
	TEST(timestamp),
	TEST(shutdown),
	TEST(epoll),
	TEST(options),
	TEST(laya_options),
	TEST(path_events),
	TEST(module_in_use),
	TEST(device_down),
	/* No others can run after this */
	TEST(device_gone),
};

static const struct test tampered[] = {
	TEST(tampered),
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "tampered"))
		return run_tests(tampered, 1, argv + 1);
	return run_tests(tests, sizeof(tests) / sizeof(tests[0]), argv + 1);
}
