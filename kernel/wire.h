/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Laya's bytes on the wire. Documentation/protocol.rst draws the same.
 *
 * One UDP datagram, or one frame of a stream carrier, is
 *
 *   [ label ] [ label ] [ return ] [ return ] data
 *
 * with at most two labels and at most two return slots, each 8 bytes:
 *
 *    0               1               2                               7
 *   +---------------+---------------+-------------------------------+
 *   | type          | flags = 0     | 48-bit label, unguessable     |
 *   +---------------+---------------+-------------------------------+
 *
 * and data is a sealed packet:
 *
 *    0               1               2               3
 *   +---------------+---------------+-------------------------------+
 *   | type = DATA   | flags = 0     | path id                       |
 *   +---------------+---------------+-------------------------------+
 *   | receiver index                                                |
 *   +---------------------------------------------------------------+
 *   | counter (64 bits)                                             |
 *   |                                                               |
 *   +---------------------------------------------------------------+
 *   | ciphertext: inner header (8 bytes), body                      |
 *   +---------------------------------------------------------------+
 *   | tag (16 bytes)                                                |
 *   +---------------------------------------------------------------+
 *
 * AEAD nonce (12 bytes) = 16 zero bits, path id, counter, as they stand on the
 * wire. There is no associated data: type and flags have one valid value each,
 * the receiver index chooses the key, and the rest is the nonce.
 *
 * The counter is one sequence per session and direction, whatever the path:
 * so no reuse of a path id could ever repeat a nonce. Replay windows are per
 * path, so packets that overtake each other on two paths are no replay.
 */
#ifndef _LAYA_WIRE_H
#define _LAYA_WIRE_H

#include <linux/build_bug.h>
#include <linux/types.h>

/* First bytes that neither TLS (0x16) nor HTTP nor a 16-bit length begins with. */
enum laya_packet_type {
	LAYA_PACKET_DATA	= 0x81,
	LAYA_PACKET_LABEL	= 0x82,
	LAYA_PACKET_RETURN	= 0x83,
};

#define LAYA_LABEL_SIZE		6
#define LAYA_MAX_LABELS		2
#define LAYA_TAG_SIZE		16
#define LAYA_NONCE_SIZE		12

/**
 * struct laya_shim - a label, or a slot for a return label
 * @type: LAYA_PACKET_LABEL or LAYA_PACKET_RETURN.
 * @flags: Zero.
 * @label: A label that a forwarder issued. In a return slot that no forwarder
 *	has filled yet, all zero.
 *
 * A forwarder acts on the first label that it issued and passes the packet on
 * as it came, save that it writes a return label into the first empty slot.
 */
struct laya_shim {
	u8	type;
	u8	flags;
	u8	label[LAYA_LABEL_SIZE];
};

/**
 * struct laya_data_header - in front of every sealed packet
 * @type: LAYA_PACKET_DATA.
 * @flags: Zero.
 * @path_id: Number of the path, chosen by its dialler; the top bit is set when
 *	the dialler's public key is the greater of the two (memcmp order). 0 is
 *	never used.
 * @receiver: Index by which the receiver finds session and key.
 * @counter: Never repeats within a session and direction; starts at 1.
 */
struct laya_data_header {
	u8	type;
	u8	flags;
	__be16	path_id;
	__be32	receiver;
	__be64	counter;
};

#define LAYA_PATH_ID_GREATER	0x8000

enum laya_inner_kind {
	LAYA_INNER_IPV6		= 1,
	LAYA_INNER_DGRAM	= 2,
	LAYA_INNER_PROBE	= 3,
	LAYA_INNER_FRAGMENT	= 4,
	LAYA_INNER_ERROR	= 5,
};

/**
 * struct laya_inner_ipv6 - an IPv6 packet between the two ORCHIDs
 * @kind: LAYA_INNER_IPV6.
 * @nexthdr: Next header of the IPv6 header.
 * @hop_limit: Hop limit of the IPv6 header.
 * @flags: LAYA_IPV6_CSUM_PARTIAL: the transport checksum of the TCP or UDP
 *	header that follows was never computed; the receiver completes it.
 * @flow: Traffic class (8 bits, ECN included) and flow label (20 bits), the low
 *	28 bits as in the first word of the IPv6 header.
 *
 * The payload length is what remains of the plaintext; the addresses are the
 * ORCHIDs of the two keys of the session.
 */
struct laya_inner_ipv6 {
	u8	kind;
	u8	nexthdr;
	u8	hop_limit;
	u8	flags;
	__be32	flow;
};

#define LAYA_IPV6_CSUM_PARTIAL	0x01

/**
 * struct laya_inner_dgram - a datagram between two AF_LAYA sockets
 * @kind: LAYA_INNER_DGRAM.
 * @flags: Zero.
 * @reserved: Zero.
 * @source: Port of the sender.
 * @dest: Port of the receiver.
 */
struct laya_inner_dgram {
	u8	kind;
	u8	flags;
	__be16	reserved;
	__be16	source;
	__be16	dest;
};

/**
 * struct laya_inner_fragment - a piece of an inner packet that did not fit
 * @kind: LAYA_INNER_FRAGMENT.
 * @flags: LAYA_FRAGMENT_MORE: not the last piece.
 * @offset: Of this piece in the inner packet, in units of 8 bytes.
 * @id: The same for all pieces of one packet; per session and direction.
 *
 * What is cut is the whole plaintext with its own 8-byte inner header, of kind
 * IPV6 or DGRAM.
 */
struct laya_inner_fragment {
	u8	kind;
	u8	flags;
	__be16	offset;
	__be32	id;
};

#define LAYA_FRAGMENT_MORE	0x01

enum laya_probe_type {
	LAYA_PROBE_REQUEST	= 1,	/* wants an answer on the same path */
	LAYA_PROBE_REPLY	= 2,	/* echoes the token */
	LAYA_PROBE_KEEPALIVE	= 3,	/* wants none */
};

/**
 * struct laya_inner_probe - asks whether a path is alive, and how it does
 * @kind: LAYA_INNER_PROBE.
 * @type: enum laya_probe_type.
 * @path_kind: enum laya_path_kind as the dialler sees it.
 * @flags: Zero.
 * @seq: Request number on this path; a reply repeats it.
 * @token: Random, unguessable; a reply repeats it.
 * @rx_packets: Packets that the sender of this probe has authenticated on this
 *	path under this session.
 * @rx_bytes: Their bytes, header and tag included.
 *
 * A reply is followed by struct laya_probe_observed. Anything after that is
 * padding (path MTU discovery), zero.
 */
struct laya_inner_probe {
	u8	kind;
	u8	type;
	u8	path_kind;
	u8	flags;
	__be32	seq;
	__be64	token;
	__be64	rx_packets;
	__be64	rx_bytes;
};

/**
 * struct laya_probe_observed - where a probe request seemed to come from
 * @family: 4 or 6.
 * @reserved: Zero.
 * @port: UDP port.
 * @addr: Address; an IPv4 address stands in the first four bytes.
 */
struct laya_probe_observed {
	u8	family;
	u8	reserved;
	__be16	port;
	u8	addr[16];
};

enum laya_inner_error {
	LAYA_ERROR_PORT_UNREACHABLE	= 1,	/* no datagram socket there */
	LAYA_ERROR_PROHIBITED		= 2,	/* the peer may not */
};

/**
 * struct laya_inner_error_header - why a datagram was not delivered
 * @kind: LAYA_INNER_ERROR.
 * @code: enum laya_inner_error.
 * @reserved: Zero.
 * @source: Source port of the datagram at fault, as it was sent.
 * @dest: Its destination port.
 *
 * Sent at most 100 times a second to a peer; never about an error.
 */
struct laya_inner_error_header {
	u8	kind;
	u8	code;
	__be16	reserved;
	__be16	source;
	__be16	dest;
};

#define LAYA_INNER_SIZE		8
#define LAYA_OVERHEAD		(sizeof(struct laya_data_header) + LAYA_TAG_SIZE)
/* Largest inner packet (inner header included) that fragments may carry. */
#define LAYA_MAX_INNER		(65535 + LAYA_INNER_SIZE)
#define LAYA_MAX_DGRAM		65535

static inline void laya_wire_build_bugs(void)
{
	BUILD_BUG_ON(sizeof(struct laya_shim) != 8);
	BUILD_BUG_ON(sizeof(struct laya_data_header) != 16);
	BUILD_BUG_ON(sizeof(struct laya_inner_ipv6) != LAYA_INNER_SIZE);
	BUILD_BUG_ON(sizeof(struct laya_inner_dgram) != LAYA_INNER_SIZE);
	BUILD_BUG_ON(sizeof(struct laya_inner_fragment) != LAYA_INNER_SIZE);
	BUILD_BUG_ON(sizeof(struct laya_inner_error_header) != LAYA_INNER_SIZE);
	BUILD_BUG_ON(sizeof(struct laya_inner_probe) != 32);
	BUILD_BUG_ON(sizeof(struct laya_probe_observed) != 20);
}

#endif /* _LAYA_WIRE_H */
