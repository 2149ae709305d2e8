/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family "laya", as Documentation/netlink/specs/laya.yaml
 * describes it, and the few things of rtnetlink that a daemon needs.
 *
 * The structs below mirror the attribute sets of the specification.  Each has
 * a mask of the attributes that are there: bit LAYA_A_X_Y of @present, set
 * and read with laya_nl_has() and laya_nl_set().  A request is sent with
 * exactly the attributes that are present.
 *
 * Two sockets stand behind struct laya_nl.  One is for requests, and blocks
 * (the kernel answers at once).  The other is for events: it belongs to an
 * event loop, and exists after laya_nl_events_open().  laya_nl_device_claim()
 * claims the device for the event socket, since the kernel sends events to
 * the socket that claimed, and from then on requests go over that socket too,
 * since it alone may change the device.  What arrives on it while a request
 * waits for its answer is kept for laya_nl_events_dispatch(), so that a
 * callback is never called from within a request.
 *
 * Functions return 0 or a negative errno; laya_nl_strerror() then says in
 * words what the last failure was, in the kernel's own where it gave some.
 * Not for use by two threads at once.
 */
#ifndef LAYA_NETLINK_H
#define LAYA_NETLINK_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/laya_netlink.h>

#include "address.h"
#include "key.h"

#define LAYA_NL_LABEL_SIZE	6
#define LAYA_NL_MAX_LABELS	2
#define LAYA_NL_MAX_DROPS	64
#define LAYA_NL_REASON_SIZE	64

#define laya_nl_has(object, attr)	(((object)->present >> (attr)) & 1u)
#define laya_nl_set(object, attr)	((object)->present |= 1u << (attr))

/**
 * struct laya_nl_drop - one drop counter
 * @reason: why, in words
 * @packets: how many
 */
struct laya_nl_drop {
	char reason[LAYA_NL_REASON_SIZE];
	uint64_t packets;
};

/**
 * struct laya_nl_device - attribute set "device"
 * @present: bits LAYA_A_DEVICE_*
 * @n_drops: counters in @drops
 */
struct laya_nl_device {
	uint32_t present;
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	uint8_t public_key[LAYA_KEY_SIZE];
	struct in6_addr orchid;
	uint32_t flags;
	uint32_t fwmark;
	uint32_t owner;
	uint32_t peers;
	uint32_t labels;
	uint32_t user_timeout;
	unsigned int n_drops;
	struct laya_nl_drop drops[LAYA_NL_MAX_DROPS];
};

/**
 * struct laya_nl_peer - attribute set "peer"
 * @present: bits LAYA_A_PEER_*
 */
struct laya_nl_peer {
	uint32_t present;
	uint32_t ifindex;
	uint8_t public_key[LAYA_KEY_SIZE];
	struct in6_addr orchid;
	uint32_t flags;
	uint32_t error;
	uint32_t queued;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t last_rx_ms;
	uint32_t path_id;
	uint8_t local_key[LAYA_KEY_SIZE];
};

/**
 * struct laya_nl_session - attribute set "session"
 * @present: bits LAYA_A_SESSION_*; for the two flags the bit is the value
 * @rx_key: only in a request; the caller wipes it
 * @tx_key: likewise
 */
struct laya_nl_session {
	uint32_t present;
	uint32_t ifindex;
	uint8_t public_key[LAYA_KEY_SIZE];
	uint32_t slot;
	uint32_t cipher;
	uint32_t rx_index;
	uint32_t tx_index;
	uint8_t rx_key[LAYA_KEY_SIZE];
	uint8_t tx_key[LAYA_KEY_SIZE];
	uint64_t age_ms;
	uint64_t tx_packets;
	uint64_t rx_packets;
	uint64_t failures;
	uint32_t reason;
};

/**
 * struct laya_nl_path - attribute set "path"
 * @present: bits LAYA_A_PATH_*; for the two flags the bit is the value
 * @n_labels: labels in @labels, the outer one first
 */
struct laya_nl_path {
	uint32_t present;
	uint32_t ifindex;
	uint8_t public_key[LAYA_KEY_SIZE];
	uint32_t path_id;
	uint32_t kind;
	uint32_t carrier_id;
	uint32_t carrier_type;
	uint32_t state;
	struct laya_address remote;
	struct laya_address local;
	uint32_t oif;
	unsigned int n_labels;
	uint8_t labels[LAYA_NL_MAX_LABELS][LAYA_NL_LABEL_SIZE];
	uint8_t forwarder[LAYA_KEY_SIZE];
	struct laya_address observed;
	uint32_t mtu;
	uint32_t rtt_us;
	uint32_t rttvar_us;
	uint32_t loss_permille;
	uint64_t goodput;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t last_rx_ms;
	uint32_t unanswered;
	uint64_t unanswered_ms;
};

/**
 * struct laya_nl_carrier - attribute set "carrier"
 * @present: bits LAYA_A_CARRIER_*
 * @port: of the UDP sockets
 * @fd: only in a request
 * @remote: of a stream, if it is known
 * @error: positive errno in an event
 */
struct laya_nl_carrier {
	uint32_t present;
	uint32_t ifindex;
	uint32_t carrier_id;
	uint32_t type;
	uint16_t port;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint32_t fd;
	struct laya_address remote;
	uint32_t error;
};

/**
 * struct laya_nl_label - attribute set "label"
 * @present: bits LAYA_A_LABEL_*
 */
struct laya_nl_label {
	uint32_t present;
	uint32_t ifindex;
	uint8_t label[LAYA_NL_LABEL_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	uint8_t for_key[LAYA_KEY_SIZE];
	uint64_t rate;
	uint32_t burst;
	uint32_t expires_ms;
	uint64_t packets;
	uint64_t bytes;
	uint64_t dropped;
	uint32_t flows;
};

struct laya_nl;

int laya_nl_open(struct laya_nl **nl, char *msg, size_t msg_size);
void laya_nl_close(struct laya_nl *nl);
const char *laya_nl_strerror(const struct laya_nl *nl);

/*
 * Devices.  device_get wants ifindex or ifname present in @device, and fills
 * the rest in.
 */
int laya_nl_device_get(struct laya_nl *nl, struct laya_nl_device *device);
int laya_nl_device_set(struct laya_nl *nl,
		       const struct laya_nl_device *device);
int laya_nl_device_claim(struct laya_nl *nl, uint32_t ifindex);

/*
 * Of a dump, each callback returns 0, or a negative errno that ends it and is
 * returned.  Requests may be made from a callback: what the kernel sent is
 * read first.
 */
typedef int (*laya_nl_device_fn)(void *ctx,
				 const struct laya_nl_device *device);
typedef int (*laya_nl_peer_fn)(void *ctx, const struct laya_nl_peer *peer);
typedef int (*laya_nl_session_fn)(void *ctx,
				  const struct laya_nl_session *session);
typedef int (*laya_nl_path_fn)(void *ctx, const struct laya_nl_path *path);
typedef int (*laya_nl_carrier_fn)(void *ctx,
				  const struct laya_nl_carrier *carrier);
typedef int (*laya_nl_label_fn)(void *ctx, const struct laya_nl_label *label);

int laya_nl_device_dump(struct laya_nl *nl, laya_nl_device_fn fn, void *ctx);

/* Peers; of peer_get, @peer is filled in. */
int laya_nl_peer_new(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE],
		     const uint8_t *local_key, uint32_t flags);
int laya_nl_peer_set(struct laya_nl *nl, const struct laya_nl_peer *peer);
int laya_nl_peer_set_flags(struct laya_nl *nl, uint32_t ifindex,
			   const uint8_t key[LAYA_KEY_SIZE], uint32_t flags);
int laya_nl_peer_set_error(struct laya_nl *nl, uint32_t ifindex,
			   const uint8_t key[LAYA_KEY_SIZE], uint32_t error);
int laya_nl_peer_del(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE]);
int laya_nl_peer_get(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE],
		     struct laya_nl_peer *peer);
int laya_nl_peer_dump(struct laya_nl *nl, uint32_t ifindex,
		      laya_nl_peer_fn fn, void *ctx);

/*
 * Sessions.  @session of session_new has ifindex, public-key, cipher,
 * rx-index, tx-index, rx-key, tx-key, and initiator and confirmed or not.  In
 * session_del, rx_index 0 is all of the peer.  In dumps, @key NULL is all of
 * the device.
 */
int laya_nl_session_new(struct laya_nl *nl,
			const struct laya_nl_session *session);
int laya_nl_session_confirm(struct laya_nl *nl, uint32_t ifindex,
			    const uint8_t key[LAYA_KEY_SIZE],
			    uint32_t rx_index);
int laya_nl_session_del(struct laya_nl *nl, uint32_t ifindex,
			const uint8_t key[LAYA_KEY_SIZE], uint32_t rx_index);
int laya_nl_session_get(struct laya_nl *nl, uint32_t ifindex,
			const uint8_t key[LAYA_KEY_SIZE], uint32_t rx_index,
			struct laya_nl_session *session);
int laya_nl_session_dump(struct laya_nl *nl, uint32_t ifindex,
			 const uint8_t *key, laya_nl_session_fn fn, void *ctx);

/*
 * Paths.  @path of path_new has ifindex, public-key, kind, carrier-id, remote
 * (over a stream carrier or not), and local, oif, labels, forwarder or not; its
 * path_id is filled in from the reply.
 */
int laya_nl_path_new(struct laya_nl *nl, struct laya_nl_path *path);
int laya_nl_path_del(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE], uint32_t path_id);
int laya_nl_path_get(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE], uint32_t path_id,
		     struct laya_nl_path *path);
int laya_nl_path_dump(struct laya_nl *nl, uint32_t ifindex,
		      const uint8_t *key, laya_nl_path_fn fn, void *ctx);

/*
 * Carriers; of carrier_new, carrier-id and the port come from the reply, of
 * carrier_new_stream the id.
 */
int laya_nl_carrier_new(struct laya_nl *nl, uint32_t ifindex, uint32_t type,
			uint16_t port, struct laya_nl_carrier *carrier);
int laya_nl_carrier_new_stream(struct laya_nl *nl, uint32_t ifindex,
			       uint32_t type, int fd,
			       const struct laya_address *remote,
			       uint32_t *carrier_id);
int laya_nl_carrier_del(struct laya_nl *nl, uint32_t ifindex,
			uint32_t carrier_id);
int laya_nl_carrier_get(struct laya_nl *nl, uint32_t ifindex,
			uint32_t carrier_id, struct laya_nl_carrier *carrier);
int laya_nl_carrier_dump(struct laya_nl *nl, uint32_t ifindex,
			 laya_nl_carrier_fn fn, void *ctx);

/* Labels: ifindex, label, public-key, for-key, rate, burst, expires-ms. */
int laya_nl_label_new(struct laya_nl *nl, const struct laya_nl_label *label);
int laya_nl_label_del(struct laya_nl *nl, uint32_t ifindex,
		      const uint8_t label[LAYA_NL_LABEL_SIZE]);
int laya_nl_label_get(struct laya_nl *nl, uint32_t ifindex,
		      const uint8_t text[LAYA_NL_LABEL_SIZE],
		      struct laya_nl_label *label);
int laya_nl_label_dump(struct laya_nl *nl, uint32_t ifindex,
		       const uint8_t *key, laya_nl_label_fn fn, void *ctx);

/**
 * struct laya_nl_event_ops - what to do about events; each may be NULL
 * @peer_wanted: there is traffic for a peer and no session
 * @session_aging: a session wants to be replaced, or is gone
 * @path_changed: state, use or observed address of a path
 * @carrier_lost: a stream carrier is gone, and not by request; its paths are
 *	dead
 * @overrun: events were lost, so what is known should be dumped anew
 */
struct laya_nl_event_ops {
	void (*peer_wanted)(void *ctx, const struct laya_nl_peer *peer);
	void (*session_aging)(void *ctx,
			      const struct laya_nl_session *session);
	void (*path_changed)(void *ctx, const struct laya_nl_path *path);
	void (*carrier_lost)(void *ctx, const struct laya_nl_carrier *carrier);
	void (*overrun)(void *ctx);
};

int laya_nl_events_open(struct laya_nl *nl,
			const struct laya_nl_event_ops *ops, void *ctx);
int laya_nl_events_monitor(struct laya_nl *nl);
int laya_nl_events_fd(const struct laya_nl *nl);
int laya_nl_events_dispatch(struct laya_nl *nl);

/* Network interfaces.  link_add loads the module when it may. */
int laya_nl_link_add(struct laya_nl *nl, const char *name);
int laya_nl_link_del(struct laya_nl *nl, const char *name);
int laya_nl_link_up(struct laya_nl *nl, const char *name);
int laya_nl_link_address(struct laya_nl *nl, uint32_t ifindex,
			 const struct in6_addr *orchid);
int laya_nl_link_anycast(struct laya_nl *nl, uint32_t ifindex, int family,
			 const uint8_t *address);
int laya_nl_link_unreachable(struct laya_nl *nl);

/* Names, as in the specification; "unknown" for another value. */
const char *laya_nl_kind_name(uint32_t kind);
const char *laya_nl_carrier_name(uint32_t type);
const char *laya_nl_cipher_name(uint32_t cipher);
const char *laya_nl_state_name(uint32_t state);
const char *laya_nl_slot_name(uint32_t slot);
const char *laya_nl_aging_name(uint32_t reason);

/*
 * Decoders of the attributes after a genetlink header: pure functions.
 * -EBADMSG for an attribute that is not as the specification says; an
 * attribute that it does not know is read over.
 */
int laya_nl_decode_device(struct laya_nl_device *device, const void *attrs,
			  size_t len);
int laya_nl_decode_peer(struct laya_nl_peer *peer, const void *attrs,
			size_t len);
int laya_nl_decode_session(struct laya_nl_session *session, const void *attrs,
			   size_t len);
int laya_nl_decode_path(struct laya_nl_path *path, const void *attrs,
			size_t len);
int laya_nl_decode_carrier(struct laya_nl_carrier *carrier, const void *attrs,
			   size_t len);
int laya_nl_decode_label(struct laya_nl_label *label, const void *attrs,
			 size_t len);

#endif /* LAYA_NETLINK_H */
