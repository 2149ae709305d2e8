// SPDX-License-Identifier: GPL-2.0
/*
 * Gathering: the packets of a received run that go to one socket go up as one skb.
 * Datagrams of a run are cut apart when they are read; segments of a TCP stream
 * become the super-packet that they were.
 */
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "gather.h"
#include "run.h"

/* TCP flags of segments that are gathered; the last may have more. */
#define GATHER_TCP_LAST		(TCP_FLAG_PSH | TCP_FLAG_FIN)
#define GATHER_TCP_FLAGS	(TCP_FLAG_ACK | TCP_FLAG_ECE | GATHER_TCP_LAST)
#define GATHER_TCP_ANY		(TCP_FLAG_CWR | TCP_FLAG_ECE | TCP_FLAG_URG | \
				 TCP_FLAG_ACK | TCP_FLAG_PSH | TCP_FLAG_RST | \
				 TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_RESERVED_BITS)

static struct tcphdr *gather_tcp(const u8 *packet)
{
	return (struct tcphdr *)(packet + LAYA_INNER_SIZE);
}

static bool gather_is_tcp(const u8 *packet)
{
	return packet[0] == LAYA_INNER_IPV6;
}

/* Bytes of the header of a packet that can be gathered; 0: it cannot. */
static unsigned int gather_header(const u8 *packet, unsigned int len)
{
	const struct laya_inner_ipv6 *inner =
		(const struct laya_inner_ipv6 *)packet;
	struct tcphdr tcp;

	if (packet[0] == LAYA_INNER_DGRAM)
		return LAYA_INNER_SIZE;
	if (packet[0] != LAYA_INNER_IPV6 || inner->nexthdr != IPPROTO_TCP ||
	    inner->flags != LAYA_IPV6_CSUM_PARTIAL ||
	    len <= LAYA_INNER_SIZE + sizeof(tcp))
		return 0;
	/* The packet stands wherever it was opened */
	memcpy(&tcp, packet + LAYA_INNER_SIZE, sizeof(tcp));
	if (tcp.doff * 4 < sizeof(tcp) ||
	    LAYA_INNER_SIZE + tcp.doff * 4 >= len ||
	    (tcp_flag_word(&tcp) & (GATHER_TCP_ANY & ~GATHER_TCP_FLAGS)))
		return 0;
	return LAYA_INNER_SIZE + tcp.doff * 4;
}

/**
 * laya_gather_room - where to open the next packet
 * @gather: What was gathered.
 * @len: Bytes of the packet when it is open.
 * @more: Bytes of those that will come after it.
 *
 * Return: Room for @len bytes; NULL: no memory.
 */
u8 *laya_gather_room(struct laya_gather *gather, unsigned int len,
		     unsigned int more)
{
	unsigned int overlap = gather->header;
	unsigned int bytes = len + more;

	gather->n_saved = 0;
	if (gather->skb && gather->laid && !gather->closed &&
	    gather->size >= overlap && len > overlap &&
	    len - overlap <= gather->room) {
		gather->n_saved = overlap;
		memcpy(gather->saved, gather->at - overlap, overlap);
		return gather->at - overlap;
	}
	if (gather->page && len <= gather->room)
		return gather->at;
	laya_gather_free(gather);
	gather->at = laya_run_memory(len, &bytes, &gather->page);
	gather->room = gather->at ? bytes : 0;
	gather->laid = false;
	return gather->at;
}

/**
 * laya_gather_undo - what was opened is not taken
 * @gather: What was gathered.
 * @at: From laya_gather_room().
 */
void laya_gather_undo(struct laya_gather *gather, u8 *at)
{
	memcpy(at, gather->saved, gather->n_saved);
}

/**
 * laya_gather_opened - look at the packet that was opened
 * @gather: What was gathered.
 * @at: From laya_gather_room().
 * @len: Bytes of the packet.
 *
 * Return: True when it can be gathered; its header was put aside then. False: it is
 * still there, and laya_gather_undo() must follow.
 */
bool laya_gather_opened(struct laya_gather *gather, u8 *at, unsigned int len)
{
	unsigned int header = gather_header(at, len);

	/* A shorter header than was thought: its body is over the body before */
	if (!header || header < gather->n_saved)
		return false;
	memcpy(gather->packet, at, header);
	memcpy(at, gather->saved, gather->n_saved);
	gather->packet_header = header;
	gather->packet_size = len - header;
	gather->body = at + header;
	return true;
}

static bool gather_tcp_follows(const struct laya_gather *gather)
{
	const u8 *first = gather->skb->data;
	struct tcphdr *a = gather_tcp(first), *b = gather_tcp(gather->packet);

	return ntohl(b->seq) == gather->seq && a->ack_seq == b->ack_seq &&
	       a->source == b->source && a->dest == b->dest &&
	       !((tcp_flag_word(a) ^ tcp_flag_word(b)) & ~GATHER_TCP_LAST) &&
	       !memcmp(first, gather->packet, LAYA_INNER_SIZE) &&
	       !memcmp(a + 1, b + 1, gather->header - LAYA_INNER_SIZE - sizeof(*a));
}

/**
 * laya_gather_fits - may the packet that was opened go with those before?
 * @gather: What was gathered.
 * @session: It was sealed under this one.
 * @path: It came on this one.
 *
 * Return: True when it may, or when there are none.
 */
bool laya_gather_fits(const struct laya_gather *gather,
		      const struct laya_session *session,
		      const struct laya_path *path)
{
	if (!gather->skb)
		return true;
	if (gather->closed || session != gather->session ||
	    path != gather->path ||
	    gather->packet_header != gather->header ||
	    gather->packet_size > gather->size || !gather->packet_size ||
	    gather->skb->len + gather->packet_size > LAYA_RUN_BYTES ||
	    gather->packet[0] != gather->skb->data[0])
		return false;
	if (skb_shinfo(gather->skb)->nr_frags == MAX_SKB_FRAGS)
		return false;
	if (gather_is_tcp(gather->packet))
		return gather_tcp_follows(gather);
	return !memcmp(gather->skb->data, gather->packet, LAYA_INNER_SIZE);
}

static void gather_body(struct laya_gather *gather)
{
	unsigned int off = gather->body - (u8 *)page_address(gather->page);
	unsigned int i = skb_shinfo(gather->skb)->nr_frags;
	struct sk_buff *skb = gather->skb;

	if (gather->packet_size && skb_can_coalesce(skb, i, gather->page, off)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1],
				  gather->packet_size);
		skb->len += gather->packet_size;
		skb->data_len += gather->packet_size;
		skb->truesize += gather->packet_size;
	} else if (gather->packet_size) {
		get_page(gather->page);
		skb_add_rx_frag(skb, i, gather->page, off, gather->packet_size,
				gather->packet_size);
	}
	gather->room -= gather->body + gather->packet_size - gather->at;
	gather->at = gather->body + gather->packet_size;
	gather->laid = true;
}

/**
 * laya_gather_add - take the packet that was opened
 * @gather: What was gathered; the packet fits.
 * @session: It was sealed under this one.
 * @path: It came on this one.
 * @napi: NAPI context.
 * @headroom: Room to leave in front of a new skb's inner header.
 *
 * Return: 0 or -ENOMEM.
 */
int laya_gather_add(struct laya_gather *gather, struct laya_session *session,
		    struct laya_path *path, struct napi_struct *napi,
		    unsigned int headroom)
{
	bool tcp = gather_is_tcp(gather->packet);
	struct sk_buff *skb = gather->skb;

	if (!skb) {
		skb = napi_alloc_skb(napi, headroom + LAYA_GATHER_HEADER);
		if (!skb)
			return -ENOMEM;
		skb_reserve(skb, headroom);
		skb_put_data(skb, gather->packet, gather->packet_header);
		gather->skb = skb;
		gather->session = session;
		gather->path = path;
		gather->header = gather->packet_header;
		gather->size = gather->packet_size;
		gather->count = 0;
		/* Messages without content cannot be told apart in a run */
		gather->closed = !gather->size;
		gather->seq = tcp ? ntohl(gather_tcp(gather->packet)->seq) : 0;
	}
	gather_body(gather);
	gather->count++;
	gather->seq += gather->packet_size;
	if (gather->packet_size < gather->size)
		gather->closed = true;
	if (tcp) {
		__be32 last = tcp_flag_word(gather_tcp(gather->packet)) &
			      GATHER_TCP_LAST;

		tcp_flag_word(gather_tcp(skb->data)) |= last;
		if (last)
			gather->closed = true;
	}
	return 0;
}

/**
 * laya_gather_end - the packets gathered, as one
 * @gather: What was gathered; nothing is then.
 *
 * Return: The skb, or NULL.
 */
struct sk_buff *laya_gather_end(struct laya_gather *gather)
{
	struct sk_buff *skb = gather->skb;

	if (skb && gather->count > 1) {
		skb_shinfo(skb)->gso_size = gather->size;
		skb_shinfo(skb)->gso_segs = gather->count;
	}
	gather->skb = NULL;
	return skb;
}

/**
 * laya_gather_free - give the memory back
 * @gather: What was gathered.
 */
void laya_gather_free(struct laya_gather *gather)
{
	if (gather->page)
		put_page(gather->page);
	gather->page = NULL;
}
