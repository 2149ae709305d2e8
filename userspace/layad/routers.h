/* SPDX-License-Identifier: GPL-2.0 */
/* The default routers of this machine, and what is behind which interface. */
#ifndef LAYAD_ROUTERS_H
#define LAYAD_ROUTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct nlmsghdr;

#define ROUTERS_MAX	8

/**
 * struct router - a default route
 * @address: the router's; the family is 0 when there is none, since the far end
 *	of the link is meant, and the port is 0
 * @ifindex: the way to it
 */
struct router {
	struct laya_address address;
	uint32_t ifindex;
};

struct routers {
	unsigned int n;
	struct router list[ROUTERS_MAX];
};

bool routers_concern(const struct nlmsghdr *header);
void routers_add(struct routers *routers, const struct nlmsghdr *header);
bool routers_equal(const struct routers *a, const struct routers *b);
bool routers_uplink(const struct routers *routers, uint32_t ifindex);
int routers_interface(const struct laya_address *to, uint32_t *ifindex);

#endif /* LAYAD_ROUTERS_H */
