// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "transport.h"

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
