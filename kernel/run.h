/* SPDX-License-Identifier: GPL-2.0 */
/* Runs: equal packets in one skb, which leaves as one UDP super-packet. */
#ifndef _LAYA_RUN_H
#define _LAYA_RUN_H

#include "laya.h"

/* A UDP super-packet: below 64 KiB with its headers, and 64 datagrams at most. */
#define LAYA_RUN_BYTES		65000
#define LAYA_RUN_PACKETS	64

/**
 * struct laya_run - packets that are being put together
 * @skb: Has them in its frags; NULL when there is no run.
 * @size: Room for each; all but the last fill it.
 * @paged: None lies on two pages: a cipher is slow where one ends, since it is
 *	seldom at the end of a block. Only when all would find room so.
 * @count: How many there are.
 * @at: Where the next one is written.
 * @room: How many fit there; then more memory is taken.
 */
struct laya_run {
	struct sk_buff	*skb;
	unsigned int	size;
	bool		paged;
	unsigned int	count;
	u8		*at;
	unsigned int	room;
};

/*
 * At least @min, at most *@bytes bytes of memory for packets, that is the CPU's own;
 * *@bytes is how many there are.
 */
u8 *laya_run_memory(unsigned int min, unsigned int *bytes, struct page **page);
/* Begin a run of packets of @size bytes in @skb, which is empty and ours alone. */
void laya_run_begin(struct laya_run *run, struct sk_buff *skb,
		    unsigned int size);
/*
 * Where the next packet is written, with memory for up to @n; NULL when the run is
 * full, or there is no memory. The memory is not cleared.
 */
u8 *laya_run_room(struct laya_run *run, unsigned int n);
/* A packet of @len bytes is there; when that is less than its room, it is the last. */
void laya_run_add(struct laya_run *run, unsigned int len);
/* No more are added: the skb, ready for laya_carrier_send(). */
struct sk_buff *laya_run_end(struct laya_run *run);
bool laya_run_full(const struct laya_run *run);
void laya_run_exit(void);

#endif /* _LAYA_RUN_H */
