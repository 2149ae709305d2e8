/* SPDX-License-Identifier: GPL-2.0 */
/* Identity is route: ORCHIDs come and go through Laya devices only. */
#ifndef _LAYA_GUARD_H
#define _LAYA_GUARD_H

#include <linux/types.h>

int laya_guard_init(void);	/* netfilter hooks in every network namespace */
void laya_guard_exit(void);

/* Where a packet is seen. */
enum laya_guard_where {
	LAYA_GUARD_LAYA,	/* a Laya device */
	LAYA_GUARD_LOOPBACK,	/* lo, where packets of a host to itself go */
	LAYA_GUARD_ELSEWHERE,
};

/* What an address of a packet is. */
enum laya_guard_address {
	LAYA_GUARD_ORDINARY,	/* no ORCHID */
	LAYA_GUARD_OWN,		/* of a Laya device in this namespace */
	LAYA_GUARD_FOREIGN,	/* any other ORCHID */
};

/* Pure: may a packet pass? */
bool laya_guard_passes(enum laya_guard_where where,
		       enum laya_guard_address source,
		       enum laya_guard_address dest);

#endif /* _LAYA_GUARD_H */
