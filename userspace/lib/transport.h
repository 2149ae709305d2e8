/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ways in which bytes reach a server.
 */
#ifndef LAYA_TRANSPORT_H
#define LAYA_TRANSPORT_H

#include <linux/laya_netlink.h>

/* Where a server expects upgrades and requests */
#define LAYA_TRANSPORT_PATH	"/laya"

/* The kernel names its carriers by the same numbers. */
enum laya_transport {
	LAYA_TRANSPORT_UDP = LAYA_CARRIER_TYPE_UDP,	/* packets; or a stream */
	LAYA_TRANSPORT_TCP = LAYA_CARRIER_TYPE_TCP,
	LAYA_TRANSPORT_TLS = LAYA_CARRIER_TYPE_TLS,
	LAYA_TRANSPORT_WSS = LAYA_CARRIER_TYPE_WSS,
	LAYA_TRANSPORT_HTTPS = LAYA_CARRIER_TYPE_HTTPS,
	LAYA_TRANSPORT_END,
};

const char *laya_transport_name(enum laya_transport transport);
int laya_transport_parse(enum laya_transport *transport, const char *name);
void laya_transport_limit_segments(int fd);

#endif /* LAYA_TRANSPORT_H */
