/* SPDX-License-Identifier: GPL-2.0 */
/* Packets of a received run that go up together. */
#ifndef _LAYA_GATHER_H
#define _LAYA_GATHER_H

#include <linux/tcp.h>

#include "laya.h"

/* Longest header of a packet that is gathered: inner header and TCP's. */
#define LAYA_GATHER_HEADER	(LAYA_INNER_SIZE + 60)

/**
 * struct laya_gather - packets opened so far that go up as one skb
 * @session: They were sealed under it.
 * @path: They came on it.
 * @skb: Header of the first in its linear part, bodies in its frags; or NULL.
 * @header: Bytes of each one's header.
 * @size: Bytes of each one's body; the last may be shorter, and then closes it.
 * @count: How many.
 * @seq: TCP sequence number of the next.
 * @closed: No more are taken.
 * @packet: Header of the packet that was opened last.
 * @packet_header: Its bytes.
 * @packet_size: Bytes of its body, which is at @body.
 * @body: Its body.
 * @page: Memory that packets are opened in; a reference is held.
 * @at: Where the next body goes.
 * @room: Bytes there.
 * @laid: The last body gathered ends at @at.
 * @saved: What stood where the header of the packet being opened came to lie.
 * @n_saved: Its bytes.
 *
 * Bodies lie one behind the other, so that many of them are one frag. For that a
 * packet is opened with its header over the end of the body before, which is put
 * back when the header has been looked at.
 */
struct laya_gather {
	struct laya_session	*session;
	struct laya_path	*path;
	struct sk_buff		*skb;
	unsigned int		header;
	unsigned int		size;
	unsigned int		count;
	u32			seq;
	bool			closed;

	u8			packet[LAYA_GATHER_HEADER] __aligned(4);
	unsigned int		packet_header;
	unsigned int		packet_size;
	u8			*body;

	struct page		*page;
	u8			*at;
	unsigned int		room;
	bool			laid;
	u8			saved[LAYA_GATHER_HEADER];
	unsigned int		n_saved;
};

/* Where to open the next packet, @len bytes when opened; @more are likely to come. */
u8 *laya_gather_room(struct laya_gather *gather, unsigned int len,
		     unsigned int more);
/* What was opened there is not taken. */
void laya_gather_undo(struct laya_gather *gather, u8 *at);
/* It is authentic. False: it is of no kind that is gathered, and still there. */
bool laya_gather_opened(struct laya_gather *gather, u8 *at, unsigned int len);
/* May it go with those before it, or are there none? Else laya_gather_end() first. */
bool laya_gather_fits(const struct laya_gather *gather,
		      const struct laya_session *session,
		      const struct laya_path *path);
int laya_gather_add(struct laya_gather *gather, struct laya_session *session,
		    struct laya_path *path, struct napi_struct *napi,
		    unsigned int headroom);
/* The skb, at the inner header of the first; with gso_size when there are more. */
struct sk_buff *laya_gather_end(struct laya_gather *gather);
/* Give back the memory. */
void laya_gather_free(struct laya_gather *gather);

#endif /* _LAYA_GATHER_H */
