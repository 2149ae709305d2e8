/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that attaches to a relay, and diallers, made by hand: what a kernel and
 * layad would do, one packet at a time.
 */
#ifndef RELAY_PEER_H
#define RELAY_PEER_H

#include "../../lib/tests/loop_wait.h"

#include "../relay.h"

#define PEER_PACKETS	64

struct arrived {
	uint8_t data[65536];
	size_t len;
	int ttl;
	int tos;
	struct laya_address from;
};

struct peer_socket {
	int fd;
	struct laya_address address;
	unsigned int n;			/* packets that came, ever */
	struct arrived got[PEER_PACKETS];
};

struct peer {
	struct node node;
	struct laya_identity self;
	struct laya_handshake_peer relay;
	struct laya_offer offer;
	struct laya_session_keys keys;
	uint8_t body[LAYA_MAX_BODY];
	size_t body_len;
	uint64_t stamp;
	struct owner owner;
	struct relay_session *session;
	struct relay_session *before;
	struct peer_socket *sock;
	struct laya_address to;		/* the relay */
	uint16_t path;
	bool deaf;			/* answers no probes */
	unsigned int replies;
	unsigned int requests;
	struct laya_address observed;
	unsigned int errors;
	uint8_t error[LAYA_INNER_SIZE];
	unsigned int messages;
	struct laya_message message;
	uint8_t message_body[LAYA_MESSAGE_MAX];
	uint8_t pieces[2 * LAYA_MESSAGE_MAX];
	unsigned int n_pieces;
};

struct peer_socket *peer_socket_open(const char *address);
void peer_socket_close(struct peer_socket *sock);
void peer_socket_send(struct peer_socket *sock, const struct laya_address *to,
		      const uint8_t *data, size_t len, size_t segment);
unsigned int peer_socket_poll(struct peer_socket *sock);
struct arrived *peer_socket_last(struct peer_socket *sock);
size_t peer_socket_bytes(struct peer_socket *sock, unsigned int from);

void peer_init(struct peer *peer, struct relay *relay, const char *address);
void peer_free(struct peer *peer);
void peer_connect(struct peer *peer, uv_loop_t *loop, const char *prologue);
void peer_offer(struct peer *peer, struct laya_message *message);
void peer_answered(struct peer *peer, const struct laya_message *answer,
		   struct laya_message *followup);
void peer_attach(struct peer *peer, uv_loop_t *loop);
void peer_probe(struct peer *peer);
void peer_send(struct peer *peer, const uint8_t *plain, size_t len);
void peer_send_message(struct peer *peer, const struct laya_message *message);
bool peer_poll(struct peer *peer);

size_t make_packet(uint8_t *to, size_t size, uint64_t label, int slot,
		   uint64_t returned, uint8_t fill);
uint64_t slot_of(const struct arrived *arrived);

#endif /* RELAY_PEER_H */
