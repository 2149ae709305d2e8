/* SPDX-License-Identifier: GPL-2.0 */
/* Other nodes: what we have with them, and what we want. */
#ifndef LAYAD_PEER_H
#define LAYAD_PEER_H

#include "backoff.h"
#include "channel.h"
#include "choice.h"
#include "courier.h"
#include "known.h"
#include "node.h"

/**
 * struct origin - the way that a message came, and its answer goes
 * @via: what carries it
 * @courier: VIA_COURIER: which one
 * @channel: VIA_CHANNEL: which one
 */
struct origin {
	enum via via;
	struct courier *courier;
	struct laya_channel *channel;
};

enum offer_phase {
	OFFER_NONE,
	OFFER_WAITING,		/* for a courier, or labels */
	OFFER_SENT,
};

/**
 * struct offer - a handshake of ours
 * @phase: how far it is
 * @via: what carries it
 * @channel: VIA_CHANNEL: which one
 * @state: what the answer needs
 * @id: of the messages
 * @body: the offer, to send it again
 * @len: length of @body
 * @sent: couriers that have it (bits of courier->bit)
 * @refused: those that do not know the peer
 * @tries: times that it was sent
 * @began: when it was first wanted
 * @sent_at: when it was first sent
 * @timer: waits, resends, gives up
 */
struct offer {
	enum offer_phase phase;
	enum via via;
	struct laya_channel *channel;
	struct laya_offer state;
	uint64_t id;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;
	uint32_t sent;
	uint32_t refused;
	unsigned int tries;
	uint64_t began;
	uint64_t sent_at;
	struct timer *timer;
};

/**
 * struct answer - a handshake of theirs
 * @id: of the messages
 * @body: our answer, for copies of the offer; @len is 0 when there is none
 * @len: its length
 * @keys: what the follow-up needs
 * @waiting: an offer that waits until we have labels to tell
 * @waiting_len: its length; 0 when there is none
 * @waiting_id: of its messages
 * @waiting_from: how it came
 * @waiting_since: since when
 * @timer: looks at @waiting again
 */
struct answer {
	uint64_t id;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;
	struct laya_session_keys keys;
	uint8_t waiting[LAYA_MAX_BODY];
	size_t waiting_len;
	uint64_t waiting_id;
	struct origin waiting_from;
	uint64_t waiting_since;
	struct timer *timer;
};

/**
 * struct peer - another node
 * @entry: in node->peers
 * @chain: in node->by_key
 * @node: ours
 * @self: who we are to it: our identity, or an ephemeral one of a forwarder's
 * @handshake: keys and stamps
 * @name: for people; empty if it has none
 * @configured: a [Peer]: may exchange data, is reached by couriers
 * @in_kernel: the kernel knows it
 * @flags: enum laya_peer_flags that it has there
 * @forwarder: we are attached to it, or about to; NULL
 * @attachment: it is attached to us; NULL
 * @signalling: directly with it; NULL
 * @local_secret: of local.c; zero until it is needed
 * @offer: our handshake
 * @answer: theirs
 * @wanted: packets wait for it
 * @session: there is one
 * @initiator: we began that
 * @rx_index: its receiver index
 * @session_at: when it was made
 * @lost: it had a path, and has none
 * @attempts: handshakes after which no path came up
 * @retry: when to look for @lost again
 * @aging: rekeys when it expires
 * @watch: looks whether paths have come up
 * @fallback: UDP has had its time: dial streams; and then detours
 * @streams: those are dialled
 * @remote: its candidates
 * @known: where it was reached, before a restart too
 * @told: our candidates, as it knows them
 * @told_valid: @told is set
 * @last_failure: what went wrong last, for people
 * @unreadable: its last answer to an offer of ours did not open
 * @complained: that was logged
 */
struct peer {
	TAILQ_ENTRY(peer) entry;
	LIST_ENTRY(peer) chain;
	struct node *node;
	const struct laya_identity *self;
	struct laya_handshake_peer handshake;
	char name[LAYA_CONFIG_NAME_SIZE];
	bool configured;
	bool in_kernel;
	uint32_t flags;
	struct forwarder *forwarder;
	struct attachment *attachment;
	struct signalling *signalling;
	uint8_t local_secret[LAYA_KEY_SIZE];
	struct offer offer;
	struct answer answer;
	bool wanted;
	bool session;
	bool initiator;
	uint32_t rx_index;
	uint64_t session_at;
	bool lost;
	unsigned int attempts;
	struct backoff retry;
	struct timer *aging;
	struct timer *watch;
	struct timer *fallback;
	bool streams;
	struct laya_candidates remote;
	struct known known;
	struct laya_candidates told;
	bool told_valid;
	char last_failure[128];
	bool unreadable;
	bool complained;
};

/**
 * origin_is_certain() - is a message of whom it says that it is
 * @origin: how it came
 *
 * Return: whether; else only a handshake shows it.
 */
static inline bool origin_is_certain(const struct origin *origin)
{
	return origin->via != VIA_COURIER || origin->courier->ops->certain;
}

struct peer *peer_new(struct node *node, const struct laya_identity *self,
		      const uint8_t key[LAYA_KEY_SIZE], const uint8_t *psk);
void peer_del(struct peer *peer);
struct peer *peer_find(const struct node *node,
		       const uint8_t key[LAYA_KEY_SIZE]);
struct peer *peer_find_name(const struct node *node, const char *name);
struct peer *peer_configure(struct node *node, const char *name,
			    const uint8_t key[LAYA_KEY_SIZE],
			    const uint8_t *psk, char *msg, size_t msg_size);
void peer_unconfigure(struct peer *peer);
bool peer_release(struct peer *peer);
int peer_update_kernel(struct peer *peer);
const char *peer_text(const struct peer *peer);

void peer_wanted(struct peer *peer);
void peer_aging(struct peer *peer, uint32_t rx_index, bool initiator,
		uint32_t reason);
void peer_rekey_soon(struct peer *peer, unsigned int ms);
void peer_resumed(struct peer *peer, uint64_t slept_ms);
void peer_path_changed(struct peer *peer, const struct laya_nl_path *path);
void peer_dial(struct peer *peer);
int peer_established(struct peer *peer, const struct laya_session_keys *keys,
		     const struct laya_candidates *candidates, bool initiator,
		     enum via via);
void peer_offer_failed(struct peer *peer, enum via via, const char *reason);
void peer_remote_candidates(struct peer *peer,
			    const struct laya_candidates *candidates);
void peer_tell_candidates(struct peer *peer);
bool peer_live(struct peer *peer);

#endif /* LAYAD_PEER_H */
