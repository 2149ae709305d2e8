// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "transport.h"

/* What fits in 1280 bytes, which all of IPv6 carries and nearly all of IPv4 */
#define SEGMENT_SIZE	1220

static const char *const names[LAYA_TRANSPORT_END] = {
	[LAYA_TRANSPORT_UDP] = "udp",
	[LAYA_TRANSPORT_TCP] = "tcp",
	[LAYA_TRANSPORT_TLS] = "tls",
	[LAYA_TRANSPORT_WSS] = "wss",
	[LAYA_TRANSPORT_HTTPS] = "https",
};

/**
 * laya_transport_name() - what people call a transport
 * @transport: the transport
 *
 * Return: its name.
 */
const char *laya_transport_name(enum laya_transport transport)
{
	return names[transport];
}

/**
 * laya_transport_parse() - read the name of a transport
 * @transport: where to put it
 * @name: the name, in any case
 *
 * Return: 0, or -EINVAL.
 */
int laya_transport_parse(enum laya_transport *transport, const char *name)
{
	unsigned int i;

	for (i = LAYA_TRANSPORT_UDP; i < LAYA_TRANSPORT_END; i++) {
		if (!strcasecmp(name, names[i])) {
			*transport = i;
			return 0;
		}
	}
	return -EINVAL;
}

/**
 * laya_transport_limit_segments() - have TCP do without path MTU discovery
 * @fd: TCP socket that is not connected, or listens
 *
 * Where ICMP is dropped, what is too large for the path vanishes, and TCP sends it
 * again and again.  The limit is told in the handshake, so it holds for both
 * directions whoever is at the other end, and costs one percent of bytes
 * in headers; net.ipv4.tcp_mtu_probing would first wait for some time-outs,
 * is one side's only, and is for the whole machine.
 */
void laya_transport_limit_segments(int fd)
{
	int size = SEGMENT_SIZE;

	/* Without it most networks do. */
	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &size, sizeof(size));
}
