// SPDX-License-Identifier: GPL-2.0
/*
 * From carrier to socket or device, top to bottom:
 *
 *   laya_receive		a UDP payload, or a run of equal ones
 *	laya_forward_packet	    those that are for another node
 *	laya_receive_sealed	    find the session, open out of place
 *	laya_receive_authentic	    find the path, is it a replay
 *	laya_receive_gather	    those of a run that go up together
 *	laya_receive_inner	    by kind
 *	laya_receive_ipv6		to the device
 *	laya_receive_dgram		to a socket
 *
 * What came in is read, never written: it may be shared with a packet socket, or
 * be pages of a file that a local user spliced into a pipe. Each packet is opened
 * into memory of our own: a single one into an skb of its own, those of a run one
 * behind the other (gather.c).
 */
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "carrier.h"
#include "crypto.h"
#include "device.h"
#include "dgram.h"
#include "elide.h"
#include "forward.h"
#include "fragment.h"
#include "gather.h"
#include "path.h"
#include "peer.h"
#include "receive.h"
#include "send.h"
#include "session.h"

/* Shims, and what laya_shims_parse() wants to see behind them. */
#define LAYA_RECEIVE_HEAD	(2 * LAYA_MAX_LABELS * sizeof(struct laya_shim) + \
				 LAYA_OVERHEAD + LAYA_INNER_SIZE)

/* In front of the inner header: what an IPv6 header takes beyond it. */
#define LAYA_RECEIVE_HEADROOM	(sizeof(struct ipv6hdr) - LAYA_INNER_SIZE)

/* The port of layad: what a peer without `allow` may send to. */
#define LAYA_RECEIVE_CONTROL	cpu_to_be16(1)

/**
 * struct laya_arrival - a packet on its way up
 * @carrier: It came in there.
 * @from: From whom.
 * @tos: Outer traffic class.
 * @session: It was sealed under this one.
 * @path: It came on this one.
 * @gather: Packets of its run that go up with it, or NULL when it is alone.
 * @packets: Authenticated packets of @session that are not counted yet.
 * @bytes: Theirs.
 */
struct laya_arrival {
	struct laya_carrier		*carrier;
	const struct laya_endpoint	*from;
	u8				tos;
	struct laya_session		*session;
	struct laya_path		*path;
	struct laya_gather		*gather;
	unsigned int			packets;
	unsigned int			bytes;
};

/**
 * struct laya_segment - one packet of what a carrier received
 * @skb: It is in there.
 * @at: Where it begins.
 * @len: Its bytes.
 * @bytes: The packet, when it lies in one piece that needs no mapping; else NULL.
 * @frag: No frag before this one has anything of it.
 * @frag_at: Where that frag begins in @skb.
 */
struct laya_segment {
	const struct sk_buff	*skb;
	unsigned int		at;
	unsigned int		len;
	const u8		*bytes;
	unsigned int		frag;
	unsigned int		frag_at;
};

static void laya_receive_drop(const struct laya_arrival *arrival,
			      struct sk_buff *skb, enum laya_drop reason)
{
	laya_device_drop_skb(arrival->carrier->device, skb, reason);
	kfree_skb(skb);
}

static bool laya_receive_allowed(const struct laya_peer *peer)
{
	return READ_ONCE(peer->flags) & LAYA_PEER_FLAGS_ALLOW;
}

/*
 * @skb at its inner header, as are those of the functions below; consumed. With
 * gso_size, several packets with the header of the first.
 */
static void laya_receive_ipv6(const struct laya_arrival *arrival,
			      struct sk_buff *skb)
{
	struct laya_peer *peer = arrival->session->peer;
	struct laya_device *laya = peer->device;
	struct net_device *dev = laya->dev;
	struct laya_inner_ipv6 inner;

	if (!laya_receive_allowed(peer)) {
		laya_receive_drop(arrival, skb, LAYA_DROP_NOT_ALLOWED);
		return;
	}
	/* Down, the device has no address, and may be on its way elsewhere */
	if (!netif_running(dev)) {
		laya_receive_drop(arrival, skb, LAYA_DROP_NO_SOCKET);
		return;
	}
	memcpy(&inner, skb->data, sizeof(inner));
	__skb_pull(skb, sizeof(inner));
	if (skb_cow_head(skb, sizeof(struct ipv6hdr))) {
		laya_receive_drop(arrival, skb, LAYA_DROP_NO_MEMORY);
		return;
	}
	if (laya_elide_rebuild(skb, &inner, &peer->orchid, &laya->orchid,
			       arrival->tos)) {
		laya_receive_drop(arrival, skb, LAYA_DROP_INNER);
		return;
	}
	if (skb_shinfo(skb)->gso_size)
		skb_shinfo(skb)->gso_type = SKB_GSO_TCPV6;
	skb->dev = dev;
	laya_counts_rx(dev->tstats, skb_shinfo(skb)->gso_segs ?: 1, skb->len);
	napi_gro_receive(&arrival->carrier->napi, skb);
}

static void laya_receive_dgram(const struct laya_arrival *arrival,
			       struct sk_buff *skb)
{
	struct laya_peer *peer = arrival->session->peer;
	const struct laya_inner_dgram *dgram;
	__be16 source, dest;

	dgram = (const struct laya_inner_dgram *)skb->data;
	source = dgram->source;
	dest = dgram->dest;
	if (dgram->flags || dgram->reserved || !dest) {
		laya_receive_drop(arrival, skb, LAYA_DROP_INNER);
		return;
	}
	if (dest != LAYA_RECEIVE_CONTROL && !laya_receive_allowed(peer)) {
		laya_receive_drop(arrival, skb, LAYA_DROP_NOT_ALLOWED);
		laya_send_error(peer, LAYA_ERROR_PROHIBITED, source, dest);
		return;
	}
	__skb_pull(skb, sizeof(*dgram));
	laya_dgram_receive(peer, skb, source, dest);
}

static void laya_receive_probe(const struct laya_arrival *arrival,
			       struct sk_buff *skb)
{
	if (skb->len < sizeof(struct laya_inner_probe)) {
		laya_receive_drop(arrival, skb, LAYA_DROP_INNER);
		return;
	}
	laya_path_probe(arrival->path, arrival->session,
			(const struct laya_inner_probe *)skb->data, skb->len,
			arrival->from);
	consume_skb(skb);
}

static void laya_receive_error(const struct laya_arrival *arrival,
			       struct sk_buff *skb)
{
	const struct laya_inner_error_header *header;
	int error;

	header = (const struct laya_inner_error_header *)skb->data;
	switch (header->code) {
	case LAYA_ERROR_PORT_UNREACHABLE:
		error = ECONNREFUSED;
		break;
	case LAYA_ERROR_PROHIBITED:
		error = EACCES;
		break;
	default:
		laya_receive_drop(arrival, skb, LAYA_DROP_INNER);
		return;
	}
	laya_dgram_error(arrival->session->peer, header->source, header->dest,
			 error);
	consume_skb(skb);
}

static void laya_receive_inner(const struct laya_arrival *arrival,
			       struct sk_buff *skb);

static void laya_receive_fragment(const struct laya_arrival *arrival,
				  struct sk_buff *skb)
{
	struct laya_peer *peer = arrival->session->peer;
	struct sk_buff *whole;

	spin_lock(&peer->lock);
	if (peer->dead) {
		kfree_skb(skb);
		whole = NULL;
	} else {
		whole = laya_reassembly_add(&peer->reassembly, skb, jiffies);
	}
	spin_unlock(&peer->lock);
	if (IS_ERR(whole))
		laya_device_drop(peer->device, LAYA_DROP_REASSEMBLY);
	/* Its first piece was an IPv6 packet or datagram: no recursion */
	else if (whole)
		laya_receive_inner(arrival, whole);
}

static void laya_receive_inner(const struct laya_arrival *arrival,
			       struct sk_buff *skb)
{
	if (skb->data[0] != LAYA_INNER_PROBE)
		laya_path_data_came(arrival->path, jiffies);
	switch (skb->data[0]) {
	case LAYA_INNER_IPV6:
		laya_receive_ipv6(arrival, skb);
		break;
	case LAYA_INNER_DGRAM:
		laya_receive_dgram(arrival, skb);
		break;
	case LAYA_INNER_PROBE:
		laya_receive_probe(arrival, skb);
		break;
	case LAYA_INNER_FRAGMENT:
		laya_receive_fragment(arrival, skb);
		break;
	case LAYA_INNER_ERROR:
		laya_receive_error(arrival, skb);
		break;
	default:
		laya_receive_drop(arrival, skb, LAYA_DROP_INNER);
	}
}

/* The packets gathered so far go up. */
static void laya_receive_gathered(const struct laya_arrival *arrival)
{
	struct sk_buff *skb = laya_gather_end(arrival->gather);
	struct laya_gather *gather = arrival->gather;
	struct laya_arrival gathered = *arrival;

	if (!skb)
		return;
	/* Not those of the packet that was opened last, if any path was found */
	gathered.session = gather->session;
	gathered.path = gather->path;
	laya_receive_inner(&gathered, skb);
}

/* A packet of a run, opened and authentic, @len bytes at @at. */
static void laya_receive_gather(const struct laya_arrival *arrival, u8 *at,
				unsigned int len)
{
	struct laya_gather *gather = arrival->gather;
	struct napi_struct *napi = &arrival->carrier->napi;
	struct sk_buff *plain;

	if (laya_gather_opened(gather, at, len)) {
		if (!laya_gather_fits(gather, arrival->session, arrival->path))
			laya_receive_gathered(arrival);
		if (laya_gather_add(gather, arrival->session, arrival->path,
				    napi, LAYA_RECEIVE_HEADROOM))
			laya_device_drop(arrival->carrier->device,
					 LAYA_DROP_NO_MEMORY);
		return;
	}
	/* By itself, and after those that came before it */
	plain = napi_alloc_skb(napi, LAYA_RECEIVE_HEADROOM + len);
	if (plain) {
		skb_reserve(plain, LAYA_RECEIVE_HEADROOM);
		skb_put_data(plain, at, len);
	}
	laya_gather_undo(gather, at);
	laya_receive_gathered(arrival);
	if (plain)
		laya_receive_inner(arrival, plain);
	else
		laya_device_drop(arrival->carrier->device, LAYA_DROP_NO_MEMORY);
}

/* Once for the packets of a run: other CPUs may have others of the session. */
static void laya_receive_count(struct laya_arrival *arrival)
{
	struct laya_session *session = arrival->session;
	const unsigned long now = jiffies ?: 1;

	if (!arrival->packets)
		return;
	atomic64_add(arrival->packets, &session->rx_packets);
	laya_counts_rx(session->peer->counts, arrival->packets, arrival->bytes);
	if (READ_ONCE(session->peer->last_rx) != now)
		WRITE_ONCE(session->peer->last_rx, now);
	arrival->packets = 0;
	arrival->bytes = 0;
}

/* It opened. @bytes as sealed, without shims. False: it is dropped. */
static bool laya_receive_authentic(struct laya_arrival *arrival,
				   const struct laya_data_header *header,
				   const struct laya_shims *shims,
				   unsigned int bytes)
{
	struct laya_session *session = arrival->session;
	struct laya_peer *peer = session->peer;
	enum laya_drop reason = LAYA_DROP_PATH_ID;

	arrival->path = laya_path_received(session, be16_to_cpu(header->path_id),
					   be64_to_cpu(header->counter), bytes,
					   shims, arrival->from, &reason);
	if (!arrival->path) {
		laya_device_drop(peer->device, reason);
		return false;
	}
	arrival->packets++;
	arrival->bytes += bytes;
	if (!READ_ONCE(session->confirmed))
		laya_session_confirm(session);
	trace_laya_receive(peer->device->dev, arrival->path->id, 1, bytes);
	return true;
}

/* Look where a segment lies; those before it were looked for before. */
static void laya_receive_locate(struct laya_segment *segment)
{
	const struct skb_shared_info *shinfo = skb_shinfo(segment->skb);
	unsigned int head = skb_headlen(segment->skb);
	unsigned int into = segment->at;

	/* Most lie in one piece: what came is linear or in large pages */
	segment->bytes = NULL;
	if (into < head) {
		if (into + segment->len <= head)
			segment->bytes = segment->skb->data + into;
		return;
	}
	for (; segment->frag < shinfo->nr_frags; segment->frag++) {
		const skb_frag_t *frag = &shinfo->frags[segment->frag];
		struct page *page = skb_frag_page(frag);

		into = segment->at - segment->frag_at;
		if (into < skb_frag_size(frag)) {
			if (into + segment->len <= skb_frag_size(frag) && page &&
			    !PageHighMem(page))
				segment->bytes = skb_frag_address(frag) + into;
			return;
		}
		segment->frag_at += skb_frag_size(frag);
	}
}

/* Open @len bytes at @at of a segment, tag included, to @to. False: it is dropped. */
static bool laya_receive_open(const struct laya_arrival *arrival,
			      const struct laya_data_header *header,
			      const struct laya_segment *segment, unsigned int at,
			      unsigned int len, u8 *to)
{
	struct laya_device *laya = arrival->carrier->device;
	struct laya_session *session = arrival->session;
	u8 nonce[LAYA_NONCE_SIZE];
	const u8 *from = to;
	int err;

	laya_crypto_nonce(nonce, header->path_id, header->counter);
	if (segment->bytes) {
		from = segment->bytes + at;
	} else if (skb_copy_bits(segment->skb, segment->at + at, to, len)) {
		/* In pieces: gathered in our own memory, and opened there */
		laya_device_drop(laya, LAYA_DROP_MALFORMED);
		return false;
	}
	err = laya_crypto_open(&session->rx_key, nonce, from, len, to);
	if (err) {
		if (err == -EBADMSG)
			laya_session_failed(session);
		laya_device_drop(laya, err == -EBADMSG ? LAYA_DROP_AUTH :
						       LAYA_DROP_NO_MEMORY);
	}
	return !err;
}

/* The session of a sealed packet; NULL: it is dropped. */
static struct laya_session *
laya_receive_session(const struct laya_arrival *arrival,
		     const struct laya_shims *shims,
		     const struct laya_data_header *header)
{
	struct laya_device *laya = arrival->carrier->device;
	u32 index = be32_to_cpu(header->receiver);
	struct laya_session *session = arrival->session;

	/* Those of a run are likely of one session, which was good a moment ago */
	if (session && session->rx_index == index)
		return session;
	session = laya_session_lookup(index);
	if (!session || session->peer->device != laya) {
		laya_device_drop(laya, shims->n_labels &&
				 READ_ONCE(laya->flags) & LAYA_DEVICE_FLAGS_FORWARD ?
				 LAYA_DROP_LABEL_UNKNOWN : LAYA_DROP_NO_SESSION);
		return NULL;
	}
	if (!laya_session_may_receive(session)) {
		laya_device_drop(laya, LAYA_DROP_SESSION_LIMIT);
		return NULL;
	}
	return session;
}

/* A sealed packet behind shims. */
static void laya_receive_sealed(struct laya_arrival *arrival,
				const struct laya_segment *segment,
				const struct laya_shims *shims,
				const struct laya_data_header *header)
{
	unsigned int more = segment->skb->len - segment->at - segment->len;
	unsigned int at = shims->len + sizeof(*header);
	unsigned int sealed = segment->len - at;
	struct sk_buff *plain = NULL;
	struct laya_session *session;
	u8 *to;

	session = laya_receive_session(arrival, shims, header);
	if (!session)
		return;
	if (session != arrival->session)
		laya_receive_count(arrival);
	arrival->session = session;

	if (arrival->gather) {
		to = laya_gather_room(arrival->gather, sealed, more);
	} else {
		plain = napi_alloc_skb(&arrival->carrier->napi,
				       LAYA_RECEIVE_HEADROOM + sealed);
		if (plain)
			skb_reserve(plain, LAYA_RECEIVE_HEADROOM);
		to = plain ? plain->data : NULL;
	}
	if (!to) {
		laya_device_drop(arrival->carrier->device, LAYA_DROP_NO_MEMORY);
		return;
	}
	if (!laya_receive_open(arrival, header, segment, at, sealed, to) ||
	    !laya_receive_authentic(arrival, header, shims,
				    segment->len - shims->len)) {
		if (plain)
			kfree_skb(plain);
		else
			laya_gather_undo(arrival->gather, to);
		return;
	}
	if (plain) {
		skb_put(plain, sealed - LAYA_TAG_SIZE);
		laya_receive_inner(arrival, plain);
	} else {
		laya_receive_gather(arrival, to, sealed - LAYA_TAG_SIZE);
	}
}

static bool laya_receive_same_labels(const struct laya_shims *a,
				     const struct laya_shims *b)
{
	return a->n_labels == b->n_labels &&
	       !memcmp(a->labels, b->labels, a->n_labels * LAYA_LABEL_SIZE);
}

/* One of a run is for another node, though the first was not. */
static bool laya_receive_stray(const struct laya_arrival *arrival,
			       const struct sk_buff *skb, unsigned int at,
			       const struct laya_shims *shims, u8 ttl)
{
	struct laya_device *laya = arrival->carrier->device;
	struct sk_buff *copy;

	copy = laya_forward_segment(skb, at);
	if (!copy) {
		laya_device_drop(laya, LAYA_DROP_NO_MEMORY);
		return true;
	}
	if (laya_forward_packet(laya, copy, shims, arrival->from, ttl,
				arrival->tos))
		return true;
	consume_skb(copy);
	return false;
}

/**
 * laya_receive - receive from a carrier
 * @carrier: The carrier, in its NAPI poll, under RCU.
 * @skb: At a UDP payload, or at a run of equal ones (gso_size) of one flow;
 *	consumed, and not written to.
 * @from: Whence.
 * @ttl: TTL or hop limit with which it arrived.
 * @tos: Traffic class with which it arrived.
 */
void laya_receive(struct laya_carrier *carrier, struct sk_buff *skb,
		  const struct laya_endpoint *from, u8 ttl, u8 tos)
{
	struct laya_device *laya = carrier->device;
	struct laya_arrival arrival = {
		.carrier	= carrier,
		.from		= from,
		.tos		= tos,
	};
	bool forward = READ_ONCE(laya->flags) & LAYA_DEVICE_FLAGS_FORWARD;
	unsigned int size = skb_shinfo(skb)->gso_size ?: skb->len;
	struct laya_gather gather = {};
	struct laya_segment segment = {
		.skb		= skb,
		.frag_at	= skb_headlen(skb),
	};
	struct laya_data_header header;
	u8 buffer[LAYA_RECEIVE_HEAD];
	struct laya_shims shims, first = {};
	unsigned int at, n;
	const u8 *head;

	if (!skb->len) {
		laya_device_drop(laya, LAYA_DROP_MALFORMED);
		kfree_skb(skb);
		return;
	}
	if (size < skb->len)
		arrival.gather = &gather;
	for (at = 0; at < skb->len; at += size) {
		segment.at = at;
		segment.len = min(size, skb->len - at);
		laya_receive_locate(&segment);
		n = min_t(unsigned int, segment.len, sizeof(buffer));
		head = segment.bytes ?: skb_header_pointer(skb, at, n, buffer);
		if (!head || laya_shims_parse(&shims, head, n)) {
			laya_device_drop(laya, LAYA_DROP_MALFORMED);
			continue;
		}
		if (forward && shims.n_labels) {
			/* A run is forwarded whole, if its packets agree */
			if (!at && laya_forward_packet(laya, skb, &shims, from,
						       ttl, tos))
				return;
			if (at && !laya_receive_same_labels(&shims, &first) &&
			    laya_receive_stray(&arrival, skb, at, &shims, ttl))
				continue;
			if (!at)
				first = shims;
		}
		/* Segments of a run stand wherever their size puts them */
		memcpy(&header, head + shims.len, sizeof(header));
		laya_receive_sealed(&arrival, &segment, &shims, &header);
	}
	laya_receive_count(&arrival);
	if (arrival.gather)
		laya_receive_gathered(&arrival);
	laya_gather_free(&gather);
	consume_skb(skb);
}
