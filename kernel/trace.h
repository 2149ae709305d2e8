/* SPDX-License-Identifier: GPL-2.0 */
/* Where a person would want to look: a packet out, a packet in, a packet lost. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM laya

#if !defined(_LAYA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _LAYA_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>

#include "drop.h"

#define LAYA_DROP_SYMBOL(name, words)	{ LAYA_DROP_##name, words },

DECLARE_EVENT_CLASS(laya_packets,
		    TP_PROTO(const struct net_device *dev, u16 path,
			     unsigned int packets, unsigned int bytes),
		    TP_ARGS(dev, path, packets, bytes),
		    TP_STRUCT__entry(__field(int, ifindex)
				     __field(u16, path)
				     __field(unsigned int, packets)
				     __field(unsigned int, bytes)),
		    TP_fast_assign(__entry->ifindex = dev->ifindex;
				   __entry->path = path;
				   __entry->packets = packets;
				   __entry->bytes = bytes;),
		    TP_printk("ifindex=%d path=%u packets=%u bytes=%u",
			      __entry->ifindex, __entry->path, __entry->packets,
			      __entry->bytes)
);

/* Sealed packets of one size went to a path as one skb. */
DEFINE_EVENT(laya_packets, laya_send,
	     TP_PROTO(const struct net_device *dev, u16 path,
		      unsigned int packets, unsigned int bytes),
	     TP_ARGS(dev, path, packets, bytes)
);

/* A sealed packet was opened, and is no replay. */
DEFINE_EVENT(laya_packets, laya_receive,
	     TP_PROTO(const struct net_device *dev, u16 path,
		      unsigned int packets, unsigned int bytes),
	     TP_ARGS(dev, path, packets, bytes)
);

TRACE_EVENT(laya_drop,
	    TP_PROTO(const struct net_device *dev, unsigned int reason),
	    TP_ARGS(dev, reason),
	    TP_STRUCT__entry(__field(int, ifindex)
			     __field(unsigned int, reason)),
	    TP_fast_assign(__entry->ifindex = dev->ifindex;
			   __entry->reason = reason;),
	    TP_printk("ifindex=%d reason=%s", __entry->ifindex,
		      __print_symbolic(__entry->reason,
				       LAYA_DROP_REASONS(LAYA_DROP_SYMBOL)
				       { -1, NULL }))
);

#endif /* _LAYA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
