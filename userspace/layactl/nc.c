// SPDX-License-Identifier: GPL-2.0
/* Standard input and output to a socket of AF_LAYA. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/laya.h>

#include "nc.h"

/* Of a datagram that is read from standard input, unless told */
#define BLOCK_SIZE	1200
#define MAX_DATAGRAM	65535
/* Silence after which -u is over, in seconds, unless told */
#define SILENCE		1

/* How a socket's error reads with a peer at the other end */
static const char *reason(int error)
{
	switch (error) {
	case EAFNOSUPPORT:
		return "the laya module is not loaded: modprobe laya";
	case ENETUNREACH:
		return "not a peer of this node (layactl peer list)";
	case EHOSTUNREACH:
		return "no way to the peer was found";
	case ECONNREFUSED:
		return "refused: nothing listens on the port";
	case EACCES:
		return "not allowed (a port below 1024, or the peer is not for data)";
	case EINPROGRESS:
	case ETIMEDOUT:
		return "timed out";
	case ENODEV:
		return "no Laya device; is layad running?";
	}
	return strerror(error);
}

static struct sockaddr_laya address(const uint8_t *key, uint16_t port,
				    uint32_t ifindex)
{
	struct sockaddr_laya sl = {
		.slaya_family = AF_LAYA,
		.slaya_port = htons(port),
		.slaya_scope_id = ifindex,
	};

	if (key)
		memcpy(sl.slaya_key, key, LAYA_KEY_SIZE);
	return sl;
}

static int bind_port(const struct nc *nc, int fd, uint16_t port)
{
	struct sockaddr_laya sl = address(NULL, port, nc->ifindex);
	int one = 1;

	if (!nc->datagrams)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&sl, sizeof(sl));
}

static int connect_peer(const struct nc *nc, int fd, uint16_t port)
{
	struct sockaddr_laya sl = address(nc->key, port, nc->ifindex);

	return connect(fd, (struct sockaddr *)&sl, sizeof(sl));
}

/* One connection from the peer; others are reset. */
static int accept_peer(const struct nc *nc, int listener)
{
	struct linger reset = { .l_onoff = 1 };

	for (;;) {
		char text[LAYA_KEY_TEXT_SIZE];
		struct sockaddr_laya sl = {};
		socklen_t len = sizeof(sl);
		int fd;

		fd = accept4(listener, (struct sockaddr *)&sl, &len,
			     SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return -1;
		}
		if (len == sizeof(sl) &&
		    laya_key_equal(sl.slaya_key, nc->key))
			return fd;
		laya_key_encode(text, sl.slaya_key);
		fprintf(stderr, "layactl: refused a connection from %s\n",
			text);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
}

static int nc_stream(const struct nc *nc)
{
	struct timeval timeout = {
		.tv_sec = nc->wait,
		.tv_usec = (nc->wait - (time_t)nc->wait) * 1e6,
	};
	int fd = socket(AF_LAYA, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int status;
	int child;

	if (fd < 0)
		return ctl_fail("%s", reason(errno));
	if ((nc->listen || nc->source) &&
	    bind_port(nc, fd, nc->listen ? nc->port : nc->source)) {
		status = ctl_fail("port %u: %s",
				  nc->listen ? nc->port : nc->source,
				  reason(errno));
		goto out_close;
	}

	if (nc->listen) {
		child = listen(fd, 8) ? -1 : accept_peer(nc, fd);
		if (child < 0) {
			status = ctl_fail("port %u: %s", nc->port,
					  reason(errno));
			goto out_close;
		}
		close(fd);
		fd = child;
	} else {
		if (nc->have_wait)
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
				   sizeof(timeout));
		if (connect_peer(nc, fd, nc->port)) {
			status = ctl_fail("%s port %u: %s", nc->peer, nc->port,
					  reason(errno));
			goto out_close;
		}
	}
	status = nc_copy(fd, STDIN_FILENO, STDOUT_FILENO);
	if (status)
		status = ctl_fail("%s port %u: %s", nc->peer, nc->port,
				  reason(-status));
out_close:
	close(fd);
	return status;
}

/**
 * struct datagrams - where nc -u is
 * @fd: socket
 * @to: port of the peer, once it is known; else 0
 * @input_ended: standard input has
 * @heard: something came in
 */
struct datagrams {
	int fd;
	uint16_t to;
	bool input_ended;
	bool heard;
};

static int take_datagram(const struct nc *nc, struct datagrams *d, char *buf)
{
	struct sockaddr_laya from = {};
	socklen_t len = sizeof(from);
	ssize_t n;

	n = recvfrom(d->fd, buf, MAX_DATAGRAM, MSG_DONTWAIT,
		     (struct sockaddr *)&from, &len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 :
		       ctl_fail("%s: %s", nc->peer, reason(errno));
	if (len != sizeof(from) || !laya_key_equal(from.slaya_key, nc->key))
		return CTL_OK;
	d->heard = true;
	/* The side that listens learns here where to answer. */
	if (!d->to)
		d->to = ntohs(from.slaya_port);
	if (nc_write_all(STDOUT_FILENO, buf, n))
		return ctl_fail("standard output: %s", strerror(errno));
	return CTL_OK;
}

static int give_datagram(const struct nc *nc, struct datagrams *d, char *buf)
{
	struct sockaddr_laya to = address(nc->key, d->to, nc->ifindex);
	ssize_t n;

	n = read(STDIN_FILENO, buf, nc->block);
	if (n < 0)
		return errno == EINTR ? CTL_OK :
		       ctl_fail("standard input: %s", strerror(errno));
	if (n == 0) {
		d->input_ended = true;
		return CTL_OK;
	}
	if (sendto(d->fd, buf, n, 0, (struct sockaddr *)&to, sizeof(to)) != n)
		return ctl_fail("%s port %u: %s", nc->peer, d->to,
				reason(errno));
	return CTL_OK;
}

static int nc_datagrams(const struct nc *nc)
{
	struct datagrams d = { .to = nc->listen ? 0 : nc->port };
	int silence = (nc->have_wait ? nc->wait : SILENCE) * 1000;
	char *buf = malloc(MAX_DATAGRAM);
	int status = CTL_OK;

	d.fd = socket(AF_LAYA, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (d.fd < 0 || !buf) {
		status = ctl_fail("%s", reason(d.fd < 0 ? errno : ENOMEM));
		goto out;
	}
	if ((nc->listen || nc->source) &&
	    bind_port(nc, d.fd, nc->listen ? nc->port : nc->source)) {
		status = ctl_fail("port %u: %s",
				  nc->listen ? nc->port : nc->source,
				  reason(errno));
		goto out;
	}
	/* Connected, so that what the peer refuses is told to us. */
	if (!nc->listen && connect_peer(nc, d.fd, nc->port)) {
		status = ctl_fail("%s port %u: %s", nc->peer, nc->port,
				  reason(errno));
		goto out;
	}

	while (!status) {
		bool reads = !d.input_ended && d.to;
		bool over = d.input_ended && (!nc->listen || d.heard);
		struct pollfd pfd[] = {
			{ d.fd, POLLIN, 0 },
			{ reads ? STDIN_FILENO : -1, POLLIN, 0 },
		};
		int n = poll(pfd, 2, over ? silence : -1);

		if (n < 0 && errno != EINTR)
			status = ctl_fail("poll: %m");
		if (n <= 0 && over)
			break;
		if (!status && pfd[0].revents)
			status = take_datagram(nc, &d, buf);
		if (!status && pfd[1].revents)
			status = give_datagram(nc, &d, buf);
	}
out:
	if (d.fd >= 0)
		close(d.fd);
	free(buf);
	return status;
}

static bool parse_port(const char *text, uint16_t *port)
{
	double value;

	if (strspn(text, "0123456789") != strlen(text) ||
	    !ctl_number(text, 1, UINT16_MAX, &value))
		return false;
	*port = value;
	return true;
}

/* Return: CTL_GO_ON, or an exit status */
static int nc_option(struct nc *nc, const struct verb *verb, int option)
{
	double value;

	switch (option) {
	case 'u':
		nc->datagrams = true;
		return CTL_GO_ON;
	case 'l':
		nc->listen = true;
		return CTL_GO_ON;
	case 'p':
		if (!parse_port(optarg, &nc->source))
			return ctl_usage(verb, "\"%s\" is no port, 1 to 65535",
					 optarg);
		return CTL_GO_ON;
	case 'b':
		if (!ctl_number(optarg, 1, MAX_DATAGRAM, &value))
			return ctl_usage(verb, "-b is 1 to %d bytes",
					 MAX_DATAGRAM);
		nc->block = value;
		return CTL_GO_ON;
	case 'w':
		if (!ctl_number(optarg, 0.001, 86400, &nc->wait))
			return ctl_usage(verb, "-w is a number of seconds");
		nc->have_wait = true;
		return CTL_GO_ON;
	}
	return ctl_option(&nc->ctl, verb, option);
}

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG,
		{ "datagrams", no_argument, NULL, 'u' },
		{ "udp", no_argument, NULL, 'u' },
		{ "listen", no_argument, NULL, 'l' },
		{ "source-port", required_argument, NULL, 'p' },
		{ "block", required_argument, NULL, 'b' },
		{ "wait", required_argument, NULL, 'w' },
		{}
	};
	struct nc nc = { .block = BLOCK_SIZE };
	struct name peer;
	int option;
	int err;

	while ((option = getopt_long(argc, argv, "c:d:hulp:b:w:", options,
				     NULL)) != -1) {
		err = nc_option(&nc, verb, option);
		if (err != CTL_GO_ON)
			return err;
	}
	if (argc - optind != 2)
		return ctl_usage(verb, "one PEER and one PORT, please");
	if (nc.listen && nc.source)
		return ctl_usage(verb, "with -l, PORT is the port here: no -p");
	if (!parse_port(argv[optind + 1], &nc.port))
		return ctl_usage(verb, "\"%s\" is no port, 1 to 65535",
				 argv[optind + 1]);
	err = ctl_peer(&nc.ctl, argv[optind], &peer);
	if (err)
		return err;
	nc.peer = argv[optind];
	memcpy(nc.key, peer.key, LAYA_KEY_SIZE);
	if (nc.ctl.device) {
		nc.ifindex = if_nametoindex(nc.ctl.device);
		if (!nc.ifindex)
			return ctl_fail("%s: no such device", nc.ctl.device);
	}
	return nc.datagrams ? nc_datagrams(&nc) : nc_stream(&nc);
}

const struct verb verb_nc = {
	.name = "nc",
	.run = run,
	.synopsis = "[-u] [-l] [-w SECONDS] [-p PORT] [-b BYTES] PEER PORT",
	.summary = "Connect standard input and output to a peer, over AF_LAYA",
	.help = "  -l, --listen        take one connection from PEER on PORT; refuse others\n"
		"  -u, --datagrams     datagrams: each block that is read becomes one\n"
		"  -w, --wait SECONDS  give up connecting; with -u: end when, after the end of\n"
		"                      input, nothing has come in for so long (default 1; with\n"
		"                      -l, once something has)\n"
		"  -p, --source-port PORT  port of this side\n"
		"  -b, --block BYTES   with -u: largest datagram (default 1200)\n"
		CTL_HELP CTL_HELP_HELP
		"\nThe end of input half-closes; exit status 0 when both directions have closed.\n"
		"PEER is a name or a public key.\n",
};
