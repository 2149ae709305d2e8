// SPDX-License-Identifier: GPL-2.0
/* Echo requests to the peer's ORCHID, and the path that they take. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "layactl.h"
#include "orchid.h"

#define MAX_SIZE	65000

/**
 * struct ping - one run
 * @ctl: options
 * @count: -c, 0 for no end
 * @interval: -i, seconds
 * @wait: -W, seconds
 * @size: -s, bytes of data, at least a time stamp
 * @quiet: -q
 * @peer: who
 * @text: what it was called
 * @addr: its address
 * @fd: socket
 * @raw: it is a raw one
 * @id: identifier of our requests; the kernel's for a socket that is not raw
 * @nl: to ask for the path
 * @ifindex: device
 * @device: its name
 * @sent: requests
 * @received: replies
 * @min: shortest round trip, in microseconds
 * @max: longest
 * @sum: of all
 * @sum2: of their squares
 * @seen: sequence numbers answered, modulo 65536
 * @replies: for -j
 * @buf: room for a packet
 */
struct ping {
	struct ctl ctl;
	uint64_t count;
	double interval;
	double wait;
	size_t size;
	bool quiet;
	struct name peer;
	const char *text;
	struct sockaddr_in6 addr;
	int fd;
	bool raw;
	uint16_t id;
	struct laya_nl *nl;
	uint32_t ifindex;
	char device[IFNAMSIZ];
	uint64_t sent;
	uint64_t received;
	double min;
	double max;
	double sum;
	double sum2;
	uint8_t seen[65536 / 8];
	json_t *replies;
	uint8_t buf[MAX_SIZE + 64];
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static int open_socket(struct ping *p)
{
	struct icmp6_filter filter;

	p->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (p->fd < 0 && errno == EAFNOSUPPORT)
		return ctl_fail("IPv6 is disabled here, and the peers' addresses are IPv6");
	if (p->fd < 0) {
		/* net.ipv4.ping_group_range leaves us out. */
		p->fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
			       IPPROTO_ICMPV6);
		if (p->fd < 0)
			return ctl_fail("socket for ICMPv6: %m");
		p->raw = true;
		ICMP6_FILTER_SETBLOCKALL(&filter);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
		setsockopt(p->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
			   sizeof(filter));
	}
	if (setsockopt(p->fd, SOL_SOCKET, SO_BINDTODEVICE, p->device,
		       strlen(p->device) + 1))
		return ctl_fail("%s: %m", p->device);
	/* Connected, so that the peer's or the path's errors come to us. */
	if (connect(p->fd, (struct sockaddr *)&p->addr, sizeof(p->addr)))
		return ctl_fail("%s: %s", p->text,
				errno == EACCES || errno == ENETUNREACH ?
				"no route: is the Laya device there and up?" :
				strerror(errno));
	p->id = getpid();
	return CTL_OK;
}

/* The path in use, of which the peer may have none */
static bool path_in_use(struct ping *p, struct laya_nl_path *path)
{
	struct laya_nl_peer peer;

	/* Without the rights to ask there is no path to tell. */
	return !laya_nl_peer_get(p->nl, p->ifindex, p->peer.key, &peer) &&
	       laya_nl_has(&peer, LAYA_A_PEER_PATH_ID) && peer.path_id &&
	       !laya_nl_path_get(p->nl, p->ifindex, p->peer.key, peer.path_id,
				 path);
}

static void print_reply(struct ping *p, uint64_t seq, size_t len, double us)
{
	char remote[LAYA_ADDRESS_TEXT_SIZE];
	struct laya_nl_path path;
	bool have_path = path_in_use(p, &path);
	char addr[FORMAT_SIZE];
	json_t *reply;

	if (p->ctl.json) {
		reply = json_pack("{s:I, s:f}", "seq", (json_int_t)seq,
				  "time-ms", us / 1000);
		if (have_path)
			json_object_set_new(reply, "path", json_path(&path));
		json_array_append_new(p->replies, reply);
		return;
	}
	if (p->quiet)
		return;
	printf("%zu bytes from %s (%s): seq=%" PRIu64 " time=%.3g ms", len,
	       p->text, format_orchid(addr, &p->addr.sin6_addr), seq,
	       us / 1000);
	if (have_path) {
		laya_address_format(remote, &path.remote);
		printf(" path=%s%s/%s%s %s", colour(CYAN),
		       laya_nl_kind_name(path.kind),
		       laya_nl_carrier_name(path.carrier_type), colour(PLAIN),
		       remote);
	}
	putchar('\n');
	fflush(stdout);
}

static void print_error(struct ping *p, uint64_t seq, int error)
{
	if (!p->quiet && !p->ctl.json)
		printf("%s: seq=%" PRIu64 " %s%s%s\n", p->text, seq,
		       colour(RED),
		       error == EHOSTUNREACH ?
		       "no way to the peer was found" : strerror(error),
		       colour(PLAIN));
	fflush(stdout);
}

static void send_request(struct ping *p)
{
	struct icmp6_hdr *header = (struct icmp6_hdr *)p->buf;
	uint64_t now;
	size_t i;

	p->sent++;
	memset(header, 0, sizeof(*header));
	header->icmp6_type = ICMP6_ECHO_REQUEST;
	header->icmp6_id = htons(p->id);
	header->icmp6_seq = htons(p->sent);
	for (i = 0; i < p->size; i++)
		p->buf[sizeof(*header) + i] = i;
	now = now_us();
	memcpy(p->buf + sizeof(*header), &now, sizeof(now));
	p->seen[(p->sent & 0xffff) / 8] &= ~(1 << (p->sent & 7));
	if (send(p->fd, p->buf, sizeof(*header) + p->size, 0) < 0)
		print_error(p, p->sent, errno);
}

static void take_reply(struct ping *p)
{
	const struct icmp6_hdr *header = (struct icmp6_hdr *)p->buf;
	ssize_t n = recv(p->fd, p->buf, sizeof(p->buf), MSG_DONTWAIT);
	uint64_t then, seq;
	double us;

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			print_error(p, p->sent, errno);
		return;
	}
	if ((size_t)n < sizeof(*header) + sizeof(then) ||
	    header->icmp6_type != ICMP6_ECHO_REPLY ||
	    (p->raw && header->icmp6_id != htons(p->id)))
		return;
	seq = ntohs(header->icmp6_seq);
	if (p->seen[seq / 8] & 1 << (seq & 7))
		return;
	p->seen[seq / 8] |= 1 << (seq & 7);
	/* Of 16 bits; the rest follows from what was sent. */
	seq = p->sent - ((p->sent - seq) & 0xffff);

	memcpy(&then, p->buf + sizeof(*header), sizeof(then));
	us = now_us() - then;
	p->received++;
	p->sum += us;
	p->sum2 += us * us;
	p->max = us > p->max ? us : p->max;
	p->min = p->received == 1 || us < p->min ? us : p->min;
	print_reply(p, seq, n, us);
}

static void loop(struct ping *p)
{
	uint64_t interval = p->interval * 1e6;
	uint64_t wait = p->wait * 1e6;
	uint64_t next = now_us();
	uint64_t end = 0;

	while (!stopped) {
		struct pollfd pfd = { p->fd, POLLIN, 0 };
		bool done = p->count && p->sent >= p->count;
		uint64_t now = now_us();
		uint64_t until;

		if (done && p->received >= p->count)
			break;
		if (!done && now >= next) {
			send_request(p);
			next = now + interval;
			end = now + wait;
			continue;
		}
		until = done ? end : next;
		if (done && now >= until)
			break;
		if (poll(&pfd, 1, (until - now) / 1000 + 1) > 0)
			take_reply(p);
	}
}

/* Heron's, as ping(8) has it: libm for one line would be too much. */
static double square_root(double value)
{
	double root = value > 1 ? value : 1;
	int i;

	if (value <= 0)
		return 0;
	for (i = 0; i < 64; i++)
		root = (root + value / root) / 2;
	return root;
}

static int summary(struct ping *p)
{
	double mean = p->received ? p->sum / p->received : 0;
	double mdev = p->received ? p->sum2 / p->received - mean * mean : 0;
	double loss = p->sent ? 100.0 * (p->sent - p->received) / p->sent : 0;
	int status = p->received ? CTL_OK : CTL_FAILURE;
	json_t *object;
	int err;

	mdev = square_root(mdev);
	if (p->ctl.json) {
		object = json_pack("{s:s*, s:o, s:o, s:I, s:I, s:f, s:O}",
				   "name",
				   *p->peer.name ? p->peer.name : NULL,
				   "public-key", json_key(p->peer.key),
				   "orchid", json_orchid(&p->addr.sin6_addr),
				   "transmitted", (json_int_t)p->sent,
				   "received", (json_int_t)p->received,
				   "loss-percent", loss, "replies",
				   p->replies);
		if (object && p->received)
			json_object_set_new(object, "rtt-ms",
					    json_pack("{s:f, s:f, s:f, s:f}",
						      "min", p->min / 1000,
						      "avg", mean / 1000,
						      "max", p->max / 1000,
						      "mdev", mdev / 1000));
		err = ctl_print_json(object, JSON_INDENT(2));
		return err ? err : status;
	}
	printf("\n--- %s ping statistics ---\n", p->text);
	printf("%" PRIu64 " packets transmitted, %" PRIu64 " received, %.3g%% packet loss\n",
	       p->sent, p->received, loss);
	if (p->received)
		printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
		       p->min / 1000, mean / 1000, p->max / 1000, mdev / 1000);
	return status;
}

/*
 * Requests go out over the Laya device or not at all: without it, an ORCHID
 * would follow the default route, in clear.
 */
static int open_device(struct ping *p)
{
	struct laya_nl_device *device;
	int status;

	p->nl = ctl_netlink();
	if (!p->nl)
		return CTL_FAILURE;
	device = calloc(1, sizeof(*device));
	if (!device)
		return ctl_fail("out of memory");
	status = ctl_device(&p->ctl, p->nl, device);
	p->ifindex = device->ifindex;
	memcpy(p->device, device->ifname, sizeof(p->device));
	free(device);
	return status;
}

static int ping(struct ping *p)
{
	struct sigaction action = { .sa_handler = stop };
	char addr[FORMAT_SIZE];
	int status;

	p->addr.sin6_family = AF_INET6;
	if (laya_orchid_from_key(&p->addr.sin6_addr, p->peer.key))
		return ctl_fail("libsodium cannot start");
	status = open_device(p);
	if (!status)
		status = open_socket(p);
	if (status)
		return status;
	p->replies = json_array();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!p->ctl.json)
		printf("PING %s (%s): %zu data bytes\n", p->text,
		       format_orchid(addr, &p->addr.sin6_addr), p->size);
	fflush(stdout);
	loop(p);
	status = summary(p);
	json_decref(p->replies);
	return status;
}

static int ping_option(struct ping *p, const struct verb *verb, int option)
{
	double value;

	switch (option) {
	case 'n':
		if (!ctl_number(optarg, 1, 1e15, &value) || value != (uint64_t)value)
			return ctl_usage(verb, "-c is a number, 1 or more");
		p->count = value;
		return CTL_GO_ON;
	case 'i':
		if (!ctl_number(optarg, 0.002, 86400, &p->interval))
			return ctl_usage(verb, "-i is a number of seconds, 0.002 or more");
		return CTL_GO_ON;
	case 'W':
		if (!ctl_number(optarg, 0.001, 86400, &p->wait))
			return ctl_usage(verb, "-W is a number of seconds");
		return CTL_GO_ON;
	case 's':
		if (!ctl_number(optarg, sizeof(uint64_t), MAX_SIZE, &value))
			return ctl_usage(verb, "-s is %zu to %d bytes",
					 sizeof(uint64_t), MAX_SIZE);
		p->size = value;
		return CTL_GO_ON;
	case 'q':
		p->quiet = true;
		return CTL_GO_ON;
	case 'C':
		option = 'c';
		break;
	}
	return ctl_option(&p->ctl, verb, option);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	/* -c is what it is to ping(8); the configuration has its long name. */
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'C' },
		{ "device", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "count", required_argument, NULL, 'n' },
		{ "interval", required_argument, NULL, 'i' },
		{ "timeout", required_argument, NULL, 'W' },
		{ "size", required_argument, NULL, 's' },
		{ "quiet", no_argument, NULL, 'q' },
		{}
	};
	struct ping *p = calloc(1, sizeof(*p));
	int option;
	int status = CTL_GO_ON;

	if (!p)
		return ctl_fail("out of memory");
	p->fd = -1;
	p->interval = 1;
	p->wait = 5;
	p->size = 56;
	while (status == CTL_GO_ON &&
	       (option = getopt_long(argc, argv, "c:d:hji:W:s:q", options,
				     NULL)) != -1)
		status = ping_option(p, verb, option == 'c' ? 'n' : option);
	if (status != CTL_GO_ON)
		goto out;
	if (argc - optind != 1) {
		status = ctl_usage(verb, "one PEER, please");
		goto out;
	}
	p->text = argv[optind];
	status = ctl_peer(&p->ctl, p->text, &p->peer);
	if (!status)
		status = ping(p);
out:
	if (p->fd >= 0)
		close(p->fd);
	laya_nl_close(p->nl);
	free(p);
	return status;
}

const struct verb verb_ping = {
	.name = "ping",
	.run = run,
	.synopsis = "[-c COUNT] [-i SECONDS] [-W SECONDS] [-s BYTES] [-q] [-j] PEER",
	.summary = "Send echo requests to a peer, and tell the path in use",
	.help = "  -c, --count N       stop after N requests\n"
		"  -i, --interval S    seconds between requests (1)\n"
		"  -W, --timeout S     seconds to wait for the last reply (5)\n"
		"  -s, --size BYTES    data in each request (56)\n"
		"  -q, --quiet         only the summary\n"
		"      --config FILE   look names up in this configuration\n"
		"  -d, --device NAME   device, if there are several\n"
		CTL_HELP_JSON CTL_HELP_HELP
		"\nExit status 1 when no reply came. The path is told to root only.\n",
};
