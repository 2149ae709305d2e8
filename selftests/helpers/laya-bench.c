// SPDX-License-Identifier: GPL-2.0
/*
 * laya-bench: the same streams, datagrams and ping-pongs over AF_LAYA and over
 * IP, for selftests/bench/. One line of JSON per run on standard output; before
 * that, servers of datagrams say when they are ready.
 *
 * Every run is bounded by the time or count that the client is given; a server
 * serves one client and ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/laya.h>

#include "../../userspace/lib/key.h"

#define BLOCK		(128 * 1024)
#define BATCH		32
#define IDLE_MS		2000	/* a datagram server ends after that long */

union address {
	struct sockaddr		sa;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
	struct sockaddr_laya	laya;
	struct sockaddr_storage	storage;
};

static void die(const char *what)
{
	fprintf(stderr, "laya-bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* An IPv4 or IPv6 literal, a public key, or "laya" for any. */
static socklen_t parse(const char *text, const char *port, union address *addr)
{
	struct sockaddr_laya laya = { 0 };
	__be16 number = htons(atoi(port));

	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, &addr->in.sin_addr) == 1) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = number;
		return sizeof(addr->in);
	}
	if (inet_pton(AF_INET6, text, &addr->in6.sin6_addr) == 1) {
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = number;
		return sizeof(addr->in6);
	}
	laya.slaya_family = AF_LAYA;
	laya.slaya_port = number;
	if (strcmp(text, "laya") &&
	    laya_key_decode_public(laya.slaya_key, text)) {
		fprintf(stderr, "laya-bench: '%s' is no address and no key\n",
			text);
		exit(2);
	}
	memcpy(addr, &laya, sizeof(laya));
	return sizeof(laya);
}

static int open_socket(int type, const char *text, const char *port,
		       bool server, union address *addr, socklen_t *len)
{
	int one = 1, buffer = 4 << 20, fd;

	*len = parse(text, port, addr);
	fd = socket(addr->sa.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (type == SOCK_DGRAM) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
			   sizeof(buffer));
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer,
			   sizeof(buffer));
	}
	if (server) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, &addr->sa, *len))
			die("bind");
	} else if (connect(fd, &addr->sa, *len)) {
		die("connect");
	}
	return fd;
}

/* Datagram sockets of AF_LAYA are in no table that could be waited on. */
static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

static int stream_server(char **arg)
{
	static char block[BLOCK];
	uint64_t bytes = 0;
	union address addr;
	double start = 0;
	socklen_t len;
	int fd, peer;
	ssize_t n;

	fd = open_socket(SOCK_STREAM, arg[0], arg[1], true, &addr, &len);
	if (listen(fd, 1))
		die("listen");
	peer = accept(fd, NULL, NULL);
	if (peer < 0)
		die("accept");
	while ((n = recv(peer, block, sizeof(block), 0)) > 0) {
		if (!bytes)
			start = now();
		bytes += n;
	}
	if (n < 0)
		die("recv");
	printf("{\"bytes\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)bytes, now() - start);
	return 0;
}

static int stream_client(char **arg)
{
	static char block[BLOCK];
	union address addr;
	socklen_t len;
	double end;
	int fd;

	fd = open_socket(SOCK_STREAM, arg[0], arg[1], false, &addr, &len);
	end = now() + atof(arg[2]);
	while (now() < end)
		if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0)
			die("send");
	shutdown(fd, SHUT_WR);
	/* Closing a stream whose far side still reads must not reset it. */
	while (recv(fd, block, sizeof(block), 0) > 0)
		;
	return 0;
}

static void batch_setup(struct mmsghdr *msgs, struct iovec *iov, char *bytes,
			size_t each, size_t stride)
{
	int i;

	memset(msgs, 0, BATCH * sizeof(*msgs));
	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = bytes + i * stride;
		iov[i].iov_len = each;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static void set_option(int fd, int family, int of_laya, int of_udp, int value)
{
	bool laya = family == AF_LAYA;

	if (setsockopt(fd, laya ? SOL_LAYA : SOL_UDP, laya ? of_laya : of_udp,
		       &value, sizeof(value)))
		die("setsockopt");
}

/* What has come by recvmmsg(): how many datagrams, -1 for none. */
static int take_batch(int fd, char *bytes, uint64_t *received)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	int i, n;

	batch_setup(msgs, iov, bytes, 2048, 2048);
	n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		*received += msgs[i].msg_len;
	return n;
}

/* The same by recvmsg() with UDP_GRO or LAYA_GRO. */
static int take_whole(int fd, char *bytes, uint64_t *received)
{
	struct iovec iov = { .iov_base = bytes, .iov_len = BATCH * 2048 };
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t n;
	int size;

	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	if (n < 0)
		return -1;
	*received += n;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg)
		return 1;
	memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	return (n + size - 1) / size;
}

static int receive(char **arg, bool whole)
{
	static char bytes[BATCH * 2048];
	uint64_t packets = 0, received = 0;
	double start = 0, last = 0;
	struct pollfd pfd;
	union address addr;
	socklen_t len;
	int n;

	pfd.fd = open_socket(SOCK_DGRAM, arg[0], arg[1], true, &addr, &len);
	pfd.events = POLLIN;
	if (whole)
		set_option(pfd.fd, addr.sa.sa_family, LAYA_GRO, UDP_GRO, 1);
	say_ready();
	/* Waits for the first as long as it takes. */
	while (poll(&pfd, 1, packets ? IDLE_MS : -1) > 0) {
		n = whole ? take_whole(pfd.fd, bytes, &received) :
			    take_batch(pfd.fd, bytes, &received);
		if (n < 0) {
			if (errno == EAGAIN)
				continue;
			die("receive");
		}
		last = now();
		if (!packets)
			start = last;
		packets += n;
	}
	printf("{\"packets\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)packets, (unsigned long long)received,
	       last - start);
	return 0;
}

static int dgram_server(char **arg)
{
	return receive(arg, false);
}

static int gro_server(char **arg)
{
	return receive(arg, true);
}

/* ADDR PORT SIZE PACKETS_PER_SECOND SECONDS */
static int offer(char **arg, bool whole)
{
	static char bytes[BATCH * 2000];
	double rate = atof(arg[3]), start, end;
	size_t size = strtoul(arg[2], NULL, 10);
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint64_t sent = 0;
	union address addr;
	socklen_t len;
	int fd, n;

	if (!size || size > 2000 || rate <= 0) {
		fprintf(stderr, "laya-bench: size 1 to 2000, rate above 0\n");
		return 2;
	}
	fd = open_socket(SOCK_DGRAM, arg[0], arg[1], false, &addr, &len);
	batch_setup(msgs, iov, bytes, size, 0);
	if (whole)
		set_option(fd, addr.sa.sa_family, LAYA_SEGMENT, UDP_SEGMENT, size);
	start = now();
	end = start + atof(arg[4]);
	for (;;) {
		double t = now();
		double due = (t - start) * rate - sent;

		if (t >= end)
			break;
		if (due < BATCH) {
			/* Leave the CPU to the receiver until a batch is due. */
			struct timespec ts = {
				.tv_nsec = (BATCH - due) / rate * 1e9,
			};

			if (ts.tv_nsec > 999999999)
				ts.tv_nsec = 999999999;
			nanosleep(&ts, NULL);
			continue;
		}
		if (whole) {
			n = send(fd, bytes, BATCH * size, 0);
			n = n < 0 ? n : n / (int)size;
		} else {
			n = sendmmsg(fd, msgs, BATCH, 0);
		}
		if (n < 0) {
			if (errno == ENOBUFS || errno == EAGAIN ||
			    errno == ECONNREFUSED)
				continue;
			die("send");
		}
		sent += n;
	}
	printf("{\"packets\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)sent, now() - start);
	return 0;
}

static int dgram_client(char **arg)
{
	return offer(arg, false);
}

static int segment_client(char **arg)
{
	return offer(arg, true);
}

static int pong_server(char **arg)
{
	char bytes[2048];
	struct pollfd pfd;
	union address addr, from;
	socklen_t len, from_len;
	bool any = false;
	ssize_t n;

	pfd.fd = open_socket(SOCK_DGRAM, arg[0], arg[1], true, &addr, &len);
	pfd.events = POLLIN;
	say_ready();
	while (poll(&pfd, 1, any ? IDLE_MS : -1) > 0) {
		from_len = sizeof(from);
		n = recvfrom(pfd.fd, bytes, sizeof(bytes), 0, &from.sa,
			     &from_len);
		if (n < 0)
			die("recvfrom");
		any = true;
		if (sendto(pfd.fd, bytes, n, 0, &from.sa, from_len) < 0)
			die("sendto");
	}
	return 0;
}

/* ADDR PORT SIZE COUNT */
static int ping_client(char **arg)
{
	size_t size = strtoul(arg[2], NULL, 10);
	int count = atoi(arg[3]), i, fd;
	char bytes[2048] = { 0 };
	union address addr;
	socklen_t len;
	double start = 0;

	if (!size || size > sizeof(bytes) || count < 1) {
		fprintf(stderr, "laya-bench: size 1 to 2048, count from 1\n");
		return 2;
	}
	fd = open_socket(SOCK_DGRAM, arg[0], arg[1], false, &addr, &len);
	/* The first makes caches and routes warm. */
	for (i = -1; i < count; i++) {
		if (!i)
			start = now();
		if (send(fd, bytes, size, 0) < 0)
			die("send");
		if (recv(fd, bytes, sizeof(bytes), 0) < 0)
			die("recv");
	}
	printf("{\"count\": %d, \"seconds\": %.9f}\n", count, now() - start);
	return 0;
}

static const struct verb {
	const char	*name;
	int		args;
	int		(*run)(char **arg);
	const char	*help;
} verbs[] = {
	{ "stream-server", 2, stream_server, "ADDR PORT" },
	{ "stream-client", 3, stream_client, "ADDR PORT SECONDS" },
	{ "dgram-server", 2, dgram_server, "ADDR PORT" },
	{ "dgram-client", 5, dgram_client, "ADDR PORT SIZE RATE SECONDS" },
	{ "gro-server", 2, gro_server, "ADDR PORT" },
	{ "segment-client", 5, segment_client, "ADDR PORT SIZE RATE SECONDS" },
	{ "pong-server", 2, pong_server, "ADDR PORT" },
	{ "ping-client", 4, ping_client, "ADDR PORT SIZE COUNT" },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name) && argc == verbs[i].args + 2)
			return verbs[i].run(argv + 2);
	fprintf(stderr, "ADDR is an IP address, a public key, or 'laya'.\n");
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(stderr, "usage: laya-bench %s %s\n", verbs[i].name,
			verbs[i].help);
	return 2;
}
