/* SPDX-License-Identifier: GPL-2.0 */
/* Why packets are dropped: one counter a reason, per device and CPU. */
#ifndef _LAYA_DROP_H
#define _LAYA_DROP_H

#include <linux/percpu.h>
#include <linux/types.h>

/* X(name, words for people) */
#define LAYA_DROP_REASONS(X)						\
	X(MALFORMED,		"malformed packet")			\
	X(NO_SESSION,		"unknown receiver index")		\
	X(AUTH,			"failed to open")			\
	X(REPLAY,		"replayed")				\
	X(PATH_ID,		"path id not acceptable")		\
	X(SESSION_LIMIT,	"session at its limit")			\
	X(NOT_ALLOWED,		"peer may not send this")		\
	X(INNER,		"malformed inner packet")		\
	X(NO_SOCKET,		"no socket on the port")		\
	X(RCVBUF,		"receive buffer full")			\
	X(REASSEMBLY,		"fragment not reassembled")		\
	X(NO_MEMORY,		"out of memory")			\
	X(NO_PEER,		"no peer with that address")		\
	X(NO_PATH,		"no path to the peer")			\
	X(QUEUE_FULL,		"queue for a session is full")		\
	X(TOO_BIG,		"too big for the path")			\
	X(NO_ROUTE,		"no route to the far end")		\
	X(LOOP,			"outer route leads to a Laya device")	\
	X(AMPLIFICATION,	"path not validated yet")		\
	X(CARRIER_FULL,		"stream carrier is full")		\
	X(LABEL_UNKNOWN,	"unknown label")			\
	X(LABEL_SOURCE,		"label used by the wrong sender")	\
	X(LABEL_RATE,		"label over its rate")			\
	X(LABEL_TTL,		"TTL ended at the forwarder")		\
	X(LABEL_NO_FLOW,	"no room for a return label")		\
	X(LABEL_NO_PATH,	"attachment has no path")		\
	X(GUARD,		"ORCHID on another device")

enum laya_drop {
#define LAYA_DROP_ENUM(name, words)	LAYA_DROP_##name,
	LAYA_DROP_REASONS(LAYA_DROP_ENUM)
#undef LAYA_DROP_ENUM
	LAYA_DROP_COUNT
};

/**
 * struct laya_drop_stats - counters of one CPU
 * @packets: Dropped packets by enum laya_drop.
 */
struct laya_drop_stats {
	u64	packets[LAYA_DROP_COUNT];
};

#endif /* _LAYA_DROP_H */
