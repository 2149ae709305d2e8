// SPDX-License-Identifier: GPL-2.0
/*
 * Laya fragments.
 *
 * What the path in use does not carry whole is cut here, below sockets and
 * device, so that neither ever hears that a path got smaller. As in RFC 5722,
 * pieces that overlap condemn the whole packet; an exact duplicate does no harm.
 */

#include <linux/skbuff.h>
#include <linux/slab.h>

#include "fragment.h"
#include "send.h"
#include "wire.h"

#define FRAGMENT_UNIT	8

/**
 * struct laya_partial - an inner packet of which not all pieces are there
 * @list: In struct laya_reassembly.
 * @pieces: skbs behind their fragment header, in order; struct laya_piece.
 * @id: Of the packet.
 * @since: jiffies of the first piece.
 * @have: Bytes of all pieces.
 * @total: Bytes of the packet; 0 until the last piece tells.
 * @truesize: Memory of the pieces.
 */
struct laya_partial {
	struct list_head	list;
	struct sk_buff_head	pieces;
	u32			id;
	unsigned long		since;
	unsigned int		have;
	unsigned int		total;
	unsigned int		truesize;
};

/* In the control block of a piece that waits. */
struct laya_piece {
	unsigned int	offset;
};

#define LAYA_PIECE(skb)	((struct laya_piece *)(skb)->cb)

/**
 * laya_reassembly_init - nothing has arrived
 * @r: Of a new peer.
 */
void laya_reassembly_init(struct laya_reassembly *r)
{
	INIT_LIST_HEAD(&r->packets);
	r->n_packets = 0;
	r->bytes = 0;
}

static void partial_free(struct laya_reassembly *r, struct laya_partial *partial)
{
	list_del(&partial->list);
	r->n_packets--;
	r->bytes -= partial->truesize;
	__skb_queue_purge(&partial->pieces);
	kfree(partial);
}

/**
 * laya_reassembly_purge - drop everything
 * @r: Of a peer whose lock is held, or that nobody else has.
 */
void laya_reassembly_purge(struct laya_reassembly *r)
{
	struct laya_partial *partial, *tmp;

	list_for_each_entry_safe(partial, tmp, &r->packets, list)
		partial_free(r, partial);
}

/**
 * laya_reassembly_expire - drop what has waited for too long
 * @r: Under its peer's lock.
 * @now: jiffies.
 */
void laya_reassembly_expire(struct laya_reassembly *r, unsigned long now)
{
	struct laya_partial *partial, *tmp;

	list_for_each_entry_safe(partial, tmp, &r->packets, list) {
		if (time_before(now, partial->since + LAYA_REASSEMBLY_TIMEOUT))
			break;
		partial_free(r, partial);
	}
}

static struct laya_partial *partial_find(struct laya_reassembly *r, u32 id)
{
	struct laya_partial *partial;

	list_for_each_entry(partial, &r->packets, list)
		if (partial->id == id)
			return partial;
	return NULL;
}

static struct laya_partial *partial_new(struct laya_reassembly *r, u32 id,
					unsigned long now)
{
	struct laya_partial *partial;

	if (r->n_packets >= LAYA_REASSEMBLY_MAX_PACKETS)
		partial_free(r, list_first_entry(&r->packets,
						 struct laya_partial, list));
	partial = kzalloc(sizeof(*partial), GFP_ATOMIC);
	if (!partial)
		return NULL;
	__skb_queue_head_init(&partial->pieces);
	partial->id = id;
	partial->since = now;
	list_add_tail(&partial->list, &r->packets);
	r->n_packets++;
	return partial;
}

/* Put @skb in its place. 0, -EALREADY for a duplicate, -EINVAL for an overlap. */
static int partial_insert(struct laya_partial *partial, struct sk_buff *skb,
			  unsigned int offset)
{
	struct sk_buff *before;
	unsigned int end;

	/* Pieces mostly come in order: look from the end. */
	skb_queue_reverse_walk(&partial->pieces, before) {
		if (LAYA_PIECE(before)->offset > offset)
			continue;
		if (LAYA_PIECE(before)->offset == offset &&
		    before->len == skb->len)
			return -EALREADY;
		end = LAYA_PIECE(before)->offset + before->len;
		if (end > offset)
			return -EINVAL;
		break;
	}
	/* At the head of the list here means: in front of all. */
	if (before->next != (struct sk_buff *)&partial->pieces &&
	    LAYA_PIECE(before->next)->offset < offset + skb->len)
		return -EINVAL;
	LAYA_PIECE(skb)->offset = offset;
	__skb_queue_after(&partial->pieces, before, skb);
	return 0;
}

/* All pieces are there: put them behind one another in one skb. */
static struct sk_buff *partial_whole(const struct laya_partial *partial)
{
	unsigned int head = partial->total, offset = 0;
	struct sk_buff *whole, *piece;
	int err;

	/*
	 * Atomic allocations of many contiguous pages fail too easily: what is
	 * large has only its head in one piece.
	 */
	if (head > LAYA_REASSEMBLY_LINEAR)
		head = LAYA_REASSEMBLY_HEAD;
	whole = alloc_skb_with_frags(head, partial->total - head,
				     PAGE_ALLOC_COSTLY_ORDER, &err,
				     GFP_ATOMIC | __GFP_NOWARN);
	if (!whole)
		return ERR_PTR(-ENOMEM);
	skb_put(whole, head);
	whole->data_len = partial->total - head;
	whole->len += whole->data_len;

	skb_queue_walk(&partial->pieces, piece) {
		void *to = NULL;

		/* In the head it is one copy, into pages it is page by page. */
		if (offset + piece->len <= head)
			to = whole->data + offset;
		if (to)
			err = skb_copy_bits(piece, 0, to, piece->len);
		else if (!skb_linearize(piece))
			err = skb_store_bits(whole, offset, piece->data,
					     piece->len);
		else
			err = -ENOMEM;
		if (err)
			goto err_free;
		offset += piece->len;
	}
	piece = skb_peek(&partial->pieces);
	whole->dev = piece->dev;
	whole->mark = piece->mark;
	return whole;

err_free:
	kfree_skb(whole);
	return ERR_PTR(err);
}

static bool kind_may_be_cut(u8 kind)
{
	return kind == LAYA_INNER_IPV6 || kind == LAYA_INNER_DGRAM;
}

/**
 * laya_reassembly_add - a fragment came in
 * @r: Of the peer that it is from, whose lock is held.
 * @skb: At its inner header; consumed.
 * @now: jiffies.
 *
 * Return: NULL when pieces are still missing or this one was there already; the
 * whole inner packet, linear up to LAYA_REASSEMBLY_LINEAR bytes and at least
 * LAYA_REASSEMBLY_HEAD of it; or ERR_PTR: -EINVAL for malformed or overlapping
 * ones, -ENOBUFS beyond the limits, -ENOMEM.
 */
struct sk_buff *laya_reassembly_add(struct laya_reassembly *r,
				    struct sk_buff *skb, unsigned long now)
{
	const struct laya_inner_fragment *header;
	struct laya_partial *partial, *oldest;
	struct sk_buff *whole;
	unsigned int offset;
	bool more;
	int err;
	u32 id;

	laya_reassembly_expire(r, now);
	partial = NULL;
	err = -EINVAL;
	if (skb->len <= sizeof(*header) || !pskb_may_pull(skb, sizeof(*header)))
		goto err_drop;
	header = (const struct laya_inner_fragment *)skb->data;
	if (header->flags & ~LAYA_FRAGMENT_MORE)
		goto err_drop;
	more = header->flags & LAYA_FRAGMENT_MORE;
	offset = ntohs(header->offset) * FRAGMENT_UNIT;
	id = ntohl(header->id);
	__skb_pull(skb, sizeof(*header));

	partial = partial_find(r, id);
	if (more && skb->len % FRAGMENT_UNIT)
		goto err_drop;
	if (offset + skb->len > LAYA_MAX_INNER)
		goto err_drop;
	/* The inner header is in the first piece, which tells what it is. */
	if (!offset && (!pskb_may_pull(skb, LAYA_INNER_SIZE) ||
			!kind_may_be_cut(skb->data[0])))
		goto err_drop;
	if (!partial) {
		partial = partial_new(r, id, now);
		if (!partial) {
			err = -ENOMEM;
			goto err_drop;
		}
	}
	/* Nothing behind the end, and one end only. */
	if (partial->total &&
	    (offset + skb->len > partial->total ||
	     (!more && offset + skb->len != partial->total)))
		goto err_drop;
	if (!more && !partial->total && !skb_queue_empty(&partial->pieces)) {
		struct sk_buff *last = skb_peek_tail(&partial->pieces);

		if (LAYA_PIECE(last)->offset + last->len > offset)
			goto err_drop;
	}
	err = partial_insert(partial, skb, offset);
	if (err == -EALREADY) {
		consume_skb(skb);
		return NULL;
	}
	if (err)
		goto err_drop;
	partial->have += skb->len;
	partial->truesize += skb->truesize;
	r->bytes += skb->truesize;
	if (!more)
		partial->total = offset + skb->len;

	/* Memory goes to the newest; a packet that alone is too much is none. */
	while (r->bytes > LAYA_REASSEMBLY_MAX_BYTES) {
		oldest = list_first_entry(&r->packets, struct laya_partial, list);
		if (oldest == partial && r->n_packets > 1)
			oldest = list_next_entry(oldest, list);
		if (oldest == partial) {
			partial_free(r, partial);
			return ERR_PTR(-ENOBUFS);
		}
		partial_free(r, oldest);
	}
	if (!partial->total || partial->have != partial->total)
		return NULL;
	whole = partial_whole(partial);
	partial_free(r, partial);
	return whole;

err_drop:
	kfree_skb(skb);
	if (partial)
		partial_free(r, partial);
	return ERR_PTR(err);
}

static struct sk_buff *fragment_one(const struct sk_buff *skb,
				    unsigned int offset, unsigned int len,
				    u32 id)
{
	struct laya_inner_fragment *header;
	struct sk_buff *piece;

	piece = alloc_skb(LAYA_SEND_HEADROOM + sizeof(*header) + len +
			  LAYA_TAG_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	if (!piece)
		return NULL;
	skb_reserve(piece, LAYA_SEND_HEADROOM);
	header = skb_put(piece, sizeof(*header));
	header->kind = LAYA_INNER_FRAGMENT;
	header->flags = offset + len < skb->len ? LAYA_FRAGMENT_MORE : 0;
	header->offset = htons(offset / FRAGMENT_UNIT);
	header->id = htonl(id);
	skb_put_data(piece, skb->data + offset, len);

	memcpy(piece->cb, skb->cb, sizeof(piece->cb));
	piece->dev = skb->dev;
	piece->mark = skb->mark;
	piece->priority = skb->priority;
	/* The sender's buffer stays charged until the last piece has left. */
	if (skb->sk)
		skb_set_owner_w(piece, skb->sk);
	return piece;
}

/**
 * laya_fragment_cut - cut an inner packet that the path does not carry whole
 * @skb: At its inner header, linear; consumed when it was cut.
 * @mtu: Most bytes of a piece, fragment header included.
 * @id: Of the packet, not used by this session before.
 *
 * Return: The pieces, each as @skb was (control block, device, owner), linked by
 * their next pointers; ERR_PTR: -EMSGSIZE when @mtu is too small or @skb too
 * large to be cut, -ENOMEM.
 */
struct sk_buff *laya_fragment_cut(struct sk_buff *skb, unsigned int mtu, u32 id)
{
	struct sk_buff *first = NULL, **next = &first;
	unsigned int offset, room;

	if (mtu < LAYA_INNER_SIZE + FRAGMENT_UNIT || skb->len > LAYA_MAX_INNER)
		return ERR_PTR(-EMSGSIZE);
	room = round_down(mtu - LAYA_INNER_SIZE, FRAGMENT_UNIT);
	for (offset = 0; offset < skb->len; offset += room) {
		*next = fragment_one(skb, offset,
				     min(room, skb->len - offset), id);
		if (!*next)
			goto err_free;
		next = &(*next)->next;
	}
	consume_skb(skb);
	return first;

err_free:
	kfree_skb_list(first);
	return ERR_PTR(-ENOMEM);
}
