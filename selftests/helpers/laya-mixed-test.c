// SPDX-License-Identifier: GPL-2.0
/*
 * All kinds of packets from two nodes to one, and on two paths from one of them, of
 * the same size when sealed: run by kselftest/mixed.sh, which has them arrive in one
 * run.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "socket-test.h"

/* Bytes behind the inner header, of each packet. */
#define BODY		100
/* What stands in front of the message there: UDP's header, TCP's with timestamps. */
#define UDP_HEADER	8
#define TCP_HEADER	32

/* Messages of each kind from each node. */
#define COUNT		6

/* The two nodes that send, and the one that they send to. */
static const char from[] = "ae";
#define TO		'b'

/* Message @i of a kind from @node: it says what it is, again and again. */
static void message(char *room, size_t len, char node, const char *kind, int i)
{
	char text[32];
	size_t j, n;

	n = snprintf(text, sizeof(text), "%c %s %d. ", node, kind, i);
	for (j = 0; j < len; j++)
		room[j] = text[j % n];
}

/* As @size bytes of a kind came from @node, they must be message @i. */
static void same(const char *room, ssize_t size, size_t len, char node,
		 const char *kind, int i)
{
	char want[BODY];

	message(want, len, node, kind, i);
	if (size != (ssize_t)len)
		FAIL("%s %d of %c: %zd bytes (%s)", kind, i, node, size,
		     strerror(errno));
	else if (memcmp(room, want, len))
		FAIL("%s %d of %c: found '%.*s'", kind, i, node, 20, room);
}

static void send_some(int fd, size_t len, char node, const char *kind, int i,
		      int end)
{
	char room[BODY];

	for (; i < end; i++) {
		message(room, len, node, kind, i);
		EQUAL(len, send(fd, room, len, 0));
	}
}

/* Datagrams on a path of their own came, in order. */
static void expect_other(int fd)
{
	char room[2 * BODY];
	int i;

	for (i = 0; i < COUNT && !failed; i++)
		same(room, recv(fd, room, sizeof(room), 0), BODY, from[0],
		     "other", i);
	REFUSED(EAGAIN, recv(fd, room, sizeof(room), MSG_DONTWAIT));
}

/* Datagrams of both nodes came to one socket, those of each in order. */
static void expect_dgram(int fd)
{
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);
	int i, n, seen[2] = { 0 };
	char room[2 * BODY];
	ssize_t size;

	for (i = 0; i < 2 * COUNT && !failed; i++) {
		size = recvfrom(fd, room, sizeof(room), 0, SA(&name), &len);
		n = size > 0 && name.slaya_key[0] == from[1] - 'a' + 'A';
		same(room, size, BODY, from[n], "dgram", seen[n]++);
	}
	REFUSED(EAGAIN, recv(fd, room, sizeof(room), MSG_DONTWAIT));
}

static void expect_udp(int fd)
{
	struct sockaddr_in6 name, second = ip_of(from[1], 0);
	socklen_t len = sizeof(name);
	int i, n, seen[2] = { 0 };
	char room[2 * BODY];
	ssize_t size;

	for (i = 0; i < 2 * COUNT && !failed; i++) {
		size = recvfrom(fd, room, sizeof(room), 0, SA(&name), &len);
		n = size > 0 && !memcmp(&name.sin6_addr, &second.sin6_addr,
					sizeof(name.sin6_addr));
		same(room, size, BODY - UDP_HEADER, from[n], "udp", seen[n]++);
	}
	REFUSED(EAGAIN, recv(fd, room, sizeof(room), MSG_DONTWAIT));
}

static void expect_tcp(int fd, char node)
{
	char room[BODY - TCP_HEADER];
	int i;

	for (i = 0; i < COUNT && !failed; i++)
		same(room, recv(fd, room, sizeof(room), MSG_WAITALL),
		     sizeof(room), node, "tcp", i);
}

static void test_mixed(void)
{
	int dgram, udp, other, listener, others, i;
	int dgrams[2], udps[2], tcps[2], streams[2];
	struct sockaddr_in6 name;

	dgram = open_on(TO, SOCK_DGRAM);
	patient(dgram);
	CHECK(!bind_to(dgram, 0, 7000));
	other = open_on(TO, SOCK_DGRAM);
	patient(other);
	CHECK(!bind_to(other, 0, 7003));
	udp = ip_on(TO, SOCK_DGRAM, 7001);
	listener = ip_on(TO, SOCK_STREAM, 7002);
	CHECK(!listen(listener, 2));
	/* From the same ports: nothing but the session tells one node from the other */
	for (i = 0; i < 2; i++) {
		dgrams[i] = open_on(from[i], SOCK_DGRAM);
		CHECK(!bind_to(dgrams[i], 0, 7000));
		CHECK(!connect_to(dgrams[i], TO, 7000));
		udps[i] = ip_on(from[i], SOCK_DGRAM, 7001);
		name = ip_of(TO, 7001);
		CHECK(!connect(udps[i], SA(&name), sizeof(name)));
		tcps[i] = ip_on(from[i], SOCK_STREAM, 7002);
		name = ip_of(TO, 7002);
		CHECK(!connect(tcps[i], SA(&name), sizeof(name)));
		CHECK(!set_int(tcps[i], SOL_TCP, TCP_NODELAY, 1));
		streams[i] = accept(listener, NULL, NULL);
		patient(streams[i]);
	}

	others = open_on(from[0], SOCK_DGRAM);
	CHECK(!connect_to(others, TO, 7003));
	CHECK(!set_int(others, SOL_LAYA, LAYA_PATH_KINDS, 1 << LAYA_PATH_KIND_LAN));
	CHECK(!set_int(dgrams[0], SOL_LAYA, LAYA_PATH_KINDS,
		       1 << LAYA_PATH_KIND_DIRECT));

	/* So that now the same kind, now different ones come to stand side by side */
	send_some(dgrams[0], BODY, from[0], "dgram", 0, COUNT);
	send_some(udps[0], BODY - UDP_HEADER, from[0], "udp", 0, COUNT);
	send_some(dgrams[1], BODY, from[1], "dgram", 0, COUNT / 2);
	send_some(udps[1], BODY - UDP_HEADER, from[1], "udp", 0, COUNT);
	send_some(dgrams[1], BODY, from[1], "dgram", COUNT / 2, COUNT);
	for (i = 0; i < 2; i++)
		send_some(tcps[i], BODY - TCP_HEADER, from[i], "tcp", 0, COUNT);
	send_some(others, BODY, from[0], "other", 0, COUNT);

	expect_dgram(dgram);
	expect_other(other);
	expect_udp(udp);
	for (i = 0; i < 2; i++)
		expect_tcp(streams[i], from[i]);
}

int main(void)
{
	static const struct test tests[] = { { "mixed", test_mixed } };

	return run_tests(tests, 1, (char *[]){ NULL });
}
