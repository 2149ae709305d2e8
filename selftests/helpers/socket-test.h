/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For test programs of AF_LAYA sockets: sockets in two network namespaces, results
 * as KTAP. The nodes are a and b, set up by kselftest/pair.sh.
 */
#ifndef SOCKET_TEST_H
#define SOCKET_TEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <linux/laya.h>
#include <linux/laya_netlink.h>

/* Longest wait for what must come, on any machine, in milliseconds. */
#define PATIENCE	20000

static int results, failures;
static bool failed;

static void check_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void check_failed(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	failed = true;
}

#define FAIL(...)	check_failed(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(condition)						\
	do {								\
		if (!(condition))					\
			FAIL("not so: %s (errno: %s)", #condition,	\
			     strerror(errno));				\
	} while (0)

#define EQUAL(expected, found)						\
	do {								\
		long long want_ = (expected), got_ = (found);		\
									\
		if (want_ != got_)					\
			FAIL("%s: expected %lld, found %lld (errno: %s)", \
			     #found, want_, got_, strerror(errno));	\
	} while (0)

/* A call that must fail with a certain errno. */
#define REFUSED(error, call)						\
	do {								\
		long long got_;						\
									\
		errno = 0;						\
		got_ = (call);						\
		if (got_ >= 0)						\
			FAIL("%s: expected %s, found %lld", #call,	\
			     strerrorname_np(error), got_);		\
		else if (errno != (error))				\
			FAIL("%s: expected %s, found %s", #call,	\
			     strerrorname_np(error),			\
			     strerrorname_np(errno) ?: "?");		\
	} while (0)

/* --- namespaces and names --- */

static void enter(char node)
{
	static char where;
	char path[32];
	int fd;

	if (where == node)
		return;
	snprintf(path, sizeof(path), "/run/netns/%c", node);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET)) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
	where = node;
}

static inline int open_on(char node, int type)
{
	int fd;

	enter(node);
	fd = socket(AF_LAYA, type, 0);
	if (fd < 0)
		FAIL("socket: %s", strerror(errno));
	return fd;
}

static inline uint32_t device_of(char node)
{
	enter(node);
	return if_nametoindex("laya0");
}

/* node 0 is the zero key. */
static inline struct sockaddr_laya name_of(char node, uint16_t port)
{
	struct sockaddr_laya name = {
		.slaya_family	= AF_LAYA,
		.slaya_port	= htons(port),
	};

	memset(name.slaya_key, node >= 'a' ? node - 'a' + 'A' : node,
	       LAYA_KEY_SIZE);
	return name;
}

#define SA(name)	((struct sockaddr *)(name))

static inline int bind_to(int fd, char node, uint16_t port)
{
	struct sockaddr_laya name = name_of(node, port);

	return bind(fd, SA(&name), sizeof(name));
}

static inline int connect_to(int fd, char node, uint16_t port)
{
	struct sockaddr_laya name = name_of(node, port);

	return connect(fd, SA(&name), sizeof(name));
}

static inline uint16_t port_of(int fd)
{
	struct sockaddr_laya name;
	socklen_t len = sizeof(name);

	memset(&name, 0, sizeof(name));
	if (getsockname(fd, SA(&name), &len))
		FAIL("getsockname: %s", strerror(errno));
	return ntohs(name.slaya_port);
}

/* Is @name that of @node? Port and scope 0 are not looked at. */
static inline bool is_name(const struct sockaddr_laya *name, socklen_t len,
			   char node, uint16_t port, uint32_t scope)
{
	struct sockaddr_laya want = name_of(node, port);

	return len == sizeof(*name) && name->slaya_family == AF_LAYA &&
	       (!port || name->slaya_port == want.slaya_port) &&
	       (!scope || name->slaya_scope_id == scope) &&
	       !memcmp(name->slaya_key, want.slaya_key, LAYA_KEY_SIZE);
}

/* --- options and waiting --- */

/* Debian's 6.1: what a family may say about SOL_SOCKET came after it. */
static inline bool on_6_1(void)
{
	const char *kernel = getenv("LAYA_KERNEL");

	return kernel && !strcmp(kernel, "6.1");
}

static inline int set_int(int fd, int level, int optname, int value)
{
	return setsockopt(fd, level, optname, &value, sizeof(value));
}

static inline int get_int(int fd, int level, int optname)
{
	socklen_t len = sizeof(int);
	int value = 0;

	if (getsockopt(fd, level, optname, &value, &len))
		return -1;
	return value;
}

static inline int wait_events(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, PATIENCE) <= 0)
		return 0;
	return p.revents;
}

static inline void patient(int fd)
{
	struct timeval tv = { .tv_sec = PATIENCE / 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* For programs that know nothing of Laya: a node's ORCHID, which its pair.sh tells. */
static inline struct sockaddr_in6 ip_of(char node, uint16_t port)
{
	struct sockaddr_in6 name = {
		.sin6_family	= AF_INET6,
		.sin6_port	= htons(port),
	};
	char variable[] = "LAYA_ORCHID_?";

	variable[sizeof(variable) - 2] = node - 'a' + 'A';
	CHECK(inet_pton(AF_INET6, getenv(variable) ?: "", &name.sin6_addr) == 1);
	return name;
}

static inline int ip_on(char node, int type, uint16_t port)
{
	struct sockaddr_in6 name = {
		.sin6_family	= AF_INET6,
		.sin6_port	= htons(port),
	};
	int fd;

	enter(node);
	fd = socket(AF_INET6, type, 0);
	CHECK(fd >= 0 && !bind(fd, SA(&name), sizeof(name)));
	patient(fd);
	return fd;
}

static inline long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Take a change of path from the error queue: 0 or -1. */
static inline int read_event(int fd, struct laya_path_info *info)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(*info))];
	} control;
	struct msghdr msg = {
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) != 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_level != SOL_LAYA ||
	    cmsg->cmsg_type != LAYA_PATH_INFO ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(*info)) ||
	    !(msg.msg_flags & MSG_ERRQUEUE)) {
		errno = EPROTO;
		return -1;
	}
	memcpy(info, CMSG_DATA(cmsg), sizeof(*info));
	return 0;
}

/*
 * Take from node a the path that its socket @fd uses, and wait for the news of the
 * one that is used then: b has dialled too.
 */
static inline void change_path(int fd)
{
	struct laya_path_info before, after;
	socklen_t len = sizeof(before);
	char command[128];

	CHECK(!getsockopt(fd, SOL_LAYA, LAYA_PATH_INFO, &before, &len));
	enter('a');
	snprintf(command, sizeof(command),
		 "laya-nl path-del ifindex=%u public-key=B path-id=%u",
		 if_nametoindex("laya0"), before.path_id);
	CHECK(!system(command));
	if (!(wait_events(fd, 0) & POLLERR)) {
		FAIL("no event came");
		return;
	}
	CHECK(!read_event(fd, &after));
	CHECK(before.path_id != after.path_id);
	EQUAL(LAYA_CARRIER_TYPE_UDP, after.carrier);
	EQUAL(0, get_int(fd, SOL_SOCKET, SO_ERROR));
}

/* --- running --- */

struct test {
	const char *name;
	void (*run)(void);
};

static int run_tests(const struct test *tests, int n, char **only)
{
	int i, run = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < n; i++)
		run += !only[0] || strstr(tests[i].name, only[0]);
	printf("KTAP version 1\n1..%d\n", run);
	for (i = 0; i < n; i++) {
		if (only[0] && !strstr(tests[i].name, only[0]))
			continue;
		failed = false;
		tests[i].run();
		results++;
		failures += failed;
		printf("%s %d %s\n", failed ? "not ok" : "ok", results,
		       tests[i].name);
	}
	printf("# Totals: pass:%d fail:%d skip:0\n", results - failures,
	       failures);
	return failures != 0;
}

#endif /* SOCKET_TEST_H */
