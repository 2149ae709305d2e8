/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that is attached: its sessions with us and the paths that it dialled.
 *
 * A packet of its own names the path.  What was under a path's id is used from
 * an address only when a probe of ours was answered from there (RFC 9000, 8.1
 * and 9.3): until then at most three times what came from it goes to it, and
 * nothing is forwarded there.
 *
 * Lifetime: made by its first offer, gone when nothing authentic was heard for as
 * long as labels live, when its first offer fails, or with the relay.
 *
 * Memory, at most: this (about 1 KiB), three sessions (600 bytes each), the last
 * answer (2 KiB), a message in pieces (5 KiB), 256 labels (200 bytes each) with
 * 256 flows each, which the table bounds for all.
 */
#ifndef RENDEZVOUS_RELAY_HOST_H
#define RENDEZVOUS_RELAY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "handshake.h"
#include "limit.h"
#include "relay_endpoint.h"
#include "relay_label.h"
#include "relay_outside.h"
#include "relay_session.h"
#include "trunk.h"

struct relay;
struct relay_pieces;
struct relay_trunk;

/**
 * struct relay_challenge - an address from which an answer is wanted
 * @pending: it is
 * @end: the address
 * @tries: requests that were sent
 * @sent: milliseconds, the last of them
 * @token: of them
 * @allowance: bytes that may still go there
 */
struct relay_challenge {
	bool pending;
	struct relay_endpoint end;
	unsigned int tries;
	uint64_t sent;
	uint64_t token;
	uint64_t allowance;
};

/**
 * struct relay_path - a path that the host dialled
 * @id: its id; 0 is none
 * @kind: as the host sees it
 * @validated: @end is set, and answered
 * @end: where the host is
 * @challenge: where it seems to be
 * @heard: milliseconds, when something authentic last came
 * @serial: of the session of the newest packet
 * @highest: counter of that
 */
struct relay_path {
	uint16_t id;
	uint8_t kind;
	bool validated;
	struct relay_endpoint end;
	struct relay_challenge challenge;
	uint64_t heard;
	uint32_t serial;
	uint64_t highest;
};

enum relay_slot {
	RELAY_PREVIOUS,
	RELAY_CURRENT,
	RELAY_NEXT,
	RELAY_SLOTS,
};

/**
 * struct relay_host - a host that is attached
 * @chain: others whose key has the same hash
 * @tending: relay->tending, while @is_tended
 * @is_tended: it is there
 * @relay: ours
 * @self: who we are to it
 * @trunk: it is the far end of this one: see relay_trunk.h; or NULL
 * @handshake: who it is, and its newest stamp
 * @source: from where it attached
 * @labels: its labels
 * @sessions: by enum relay_slot; sealed is with the current one
 * @serial: sessions that there were
 * @paths: those with an id
 * @best: the one that is forwarded to, or NULL
 * @trunks: to other forwarders that it uses, and has had dialled
 * @outside: a gateway of its, which it wants tried
 * @heard: milliseconds, when it last showed that it wants to be attached
 * @answer: the last answer, for an offer that comes again; or NULL
 * @answer_len: its length
 * @answer_id: id of its message
 * @answer_keys: for the follow-up
 * @offers: what is left of what it may offer
 * @messages: what is left of what it may ask
 * @errors: what is left of what we refuse in words
 * @pieces: of a message of the host's, or NULL
 * @next_piece: id of the next message of ours that is sent in pieces
 * @seq: number of our last probe
 */
struct relay_host {
	LIST_ENTRY(relay_host) chain;
	TAILQ_ENTRY(relay_host) tending;
	bool is_tended;
	struct relay *relay;
	const struct laya_identity *self;
	struct relay_trunk *trunk;
	struct laya_handshake_peer handshake;
	struct source *source;
	struct relay_holder labels;
	struct relay_session *sessions[RELAY_SLOTS];
	uint32_t serial;
	struct relay_path paths[RELAY_MAX_PATHS];
	struct relay_path *best;
	struct laya_trunk_host trunks;
	struct relay_outside outside;
	uint64_t heard;
	uint8_t *answer;
	size_t answer_len;
	uint64_t answer_id;
	struct laya_session_keys answer_keys;
	struct bucket offers;
	struct bucket messages;
	struct bucket errors;
	struct relay_pieces *pieces;
	uint32_t next_piece;
	uint32_t seq;
};

LIST_HEAD(relay_host_chain, relay_host);
TAILQ_HEAD(relay_host_list, relay_host);

struct relay_host *relay_host_find(struct relay *relay,
				   const uint8_t key[LAYA_KEY_SIZE]);
struct relay_host *relay_host_new(struct relay *relay,
				  const uint8_t key[LAYA_KEY_SIZE],
				  const struct laya_address *from);
struct relay_host *relay_host_far(struct relay *relay,
				  struct relay_trunk *trunk,
				  const struct laya_identity *self,
				  const uint8_t key[LAYA_KEY_SIZE]);
void relay_host_free(struct relay_host *host);
const char *relay_host_text(const struct relay_host *host);

int relay_host_session(struct relay_host *host,
		       const struct laya_session_keys *keys);
void relay_host_confirm(struct relay_host *host, uint32_t rx_index);
void relay_host_receive(struct relay *relay, const struct relay_endpoint *from,
			const struct laya_shims *shims, const uint8_t *packet,
			size_t len);
uint32_t relay_host_index(const struct relay *relay);
void relay_host_dial(struct relay_host *host, unsigned int nth,
		     const struct relay_endpoint *end);
void relay_host_probe(struct relay_host *host);
void relay_host_keep_tending(struct relay_host *host);
void relay_host_send(struct relay_host *host, const uint8_t *plain,
		     size_t len);
void relay_host_lost_at(struct relay_host *host,
			const struct relay_endpoint *end);
void relay_host_lost(struct relay *relay, const struct relay_endpoint *end);
void relay_host_care_for(struct relay_host *host);
void relay_host_care(struct relay *relay);
void relay_host_tend(struct relay *relay);

bool relay_host_is_at(const struct relay_host *host,
		      const struct relay_endpoint *from);

static inline struct relay_host *relay_host_of(struct relay_holder *labels)
{
	return (struct relay_host *)((char *)labels -
				     offsetof(struct relay_host, labels));
}

/* Where it is, or NULL */
static inline const struct relay_endpoint *
relay_host_endpoint(const struct relay_host *host)
{
	return host->best ? &host->best->end : NULL;
}

#endif /* RENDEZVOUS_RELAY_HOST_H */
