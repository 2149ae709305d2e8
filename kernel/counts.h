/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets and bytes that went by, counted by each CPU for itself, as devices of the
 * network do: no two CPUs write the same cache line. Who counts has BH off.
 */
#ifndef _LAYA_COUNTS_H
#define _LAYA_COUNTS_H

#include <linux/netdevice.h>

/* NULL: no memory. Freed by free_percpu(). */
static inline struct pcpu_sw_netstats __percpu *laya_counts_alloc(gfp_t gfp)
{
	return __netdev_alloc_pcpu_stats(struct pcpu_sw_netstats, gfp);
}

static inline void laya_counts_rx(struct pcpu_sw_netstats __percpu *counts,
				  unsigned int packets, unsigned int bytes)
{
	struct pcpu_sw_netstats *own = this_cpu_ptr(counts);

	u64_stats_update_begin(&own->syncp);
	u64_stats_add(&own->rx_packets, packets);
	u64_stats_add(&own->rx_bytes, bytes);
	u64_stats_update_end(&own->syncp);
}

static inline void laya_counts_tx(struct pcpu_sw_netstats __percpu *counts,
				  unsigned int packets, unsigned int bytes)
{
	struct pcpu_sw_netstats *own = this_cpu_ptr(counts);

	u64_stats_update_begin(&own->syncp);
	u64_stats_add(&own->tx_packets, packets);
	u64_stats_add(&own->tx_bytes, bytes);
	u64_stats_update_end(&own->syncp);
}

/* What all CPUs have counted so far. */
static inline void laya_counts_sum(struct rtnl_link_stats64 *sum,
				   const struct pcpu_sw_netstats __percpu *counts)
{
	memset(sum, 0, sizeof(*sum));
	dev_fetch_sw_netstats(sum, counts);
}

#endif /* _LAYA_COUNTS_H */
