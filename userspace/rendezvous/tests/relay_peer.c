// SPDX-License-Identifier: GPL-2.0
#include <netinet/udp.h>

#include "relay_peer.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef UDP_GRO
#define UDP_GRO		104
#endif

/* A socket that tells with what packets came */
struct peer_socket *peer_socket_open(const char *text)
{
	struct peer_socket *sock = calloc(1, sizeof(*sock));
	struct laya_address address;
	struct sockaddr_storage ss;
	socklen_t size;
	int one = 1;
	bool v4;

	assert_non_null(sock);
	assert_int_equal(laya_address_parse(&address, text), 0);
	size = laya_address_to_sockaddr(&address, &ss);
	v4 = address.family == AF_INET;
	sock->fd = socket(address.family,
			  SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(sock->fd >= 0);
	assert_int_equal(bind(sock->fd, (struct sockaddr *)&ss, size), 0);
	assert_int_equal(getsockname(sock->fd, (struct sockaddr *)&ss, &size),
			 0);
	laya_address_from_sockaddr(&sock->address, (struct sockaddr *)&ss);
	setsockopt(sock->fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &one, sizeof(one));
	setsockopt(sock->fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   v4 ? IP_RECVTOS : IPV6_RECVTCLASS, &one, sizeof(one));
	setsockopt(sock->fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	return sock;
}

void peer_socket_close(struct peer_socket *sock)
{
	if (!sock)
		return;
	close(sock->fd);
	free(sock);
}

void peer_socket_send(struct peer_socket *sock, const struct laya_address *to,
		      const uint8_t *data, size_t len, size_t segment)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
	} control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(uint16_t)),
			.cmsg_level = IPPROTO_UDP,
			.cmsg_type = UDP_SEGMENT,
		},
	};
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct sockaddr_storage ss;
	struct msghdr msg = {
		.msg_name = &ss,
		.msg_namelen = laya_address_to_sockaddr(to, &ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	uint16_t size = segment;

	if (segment) {
		memcpy(CMSG_DATA(&control.header), &size, sizeof(size));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	assert_int_equal(sendmsg(sock->fd, &msg, 0), len);
}

/* Return: how many came, ever. */
unsigned int peer_socket_poll(struct peer_socket *sock)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[256];
	} control;
	struct sockaddr_storage ss;
	struct arrived *arrived;
	struct cmsghdr *cmsg;
	struct iovec iov;
	ssize_t len;

	for (;;) {
		struct msghdr msg = {
			.msg_name = &ss,
			.msg_namelen = sizeof(ss),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};

		arrived = &sock->got[sock->n % PEER_PACKETS];
		iov.iov_base = arrived->data;
		iov.iov_len = sizeof(arrived->data);
		len = recvmsg(sock->fd, &msg, MSG_DONTWAIT);
		if (len < 0)
			return sock->n;
		arrived->len = len;
		laya_address_from_sockaddr(&arrived->from,
					   (struct sockaddr *)&ss);
		for (cmsg = CMSG_FIRSTHDR(&msg); cmsg;
		     cmsg = CMSG_NXTHDR(&msg, cmsg)) {
			if ((cmsg->cmsg_level == IPPROTO_IP &&
			     cmsg->cmsg_type == IP_TTL) ||
			    (cmsg->cmsg_level == IPPROTO_IPV6 &&
			     cmsg->cmsg_type == IPV6_HOPLIMIT))
				arrived->ttl = *(int *)CMSG_DATA(cmsg);
			if ((cmsg->cmsg_level == IPPROTO_IP &&
			     cmsg->cmsg_type == IP_TOS) ||
			    (cmsg->cmsg_level == IPPROTO_IPV6 &&
			     cmsg->cmsg_type == IPV6_TCLASS))
				arrived->tos = *CMSG_DATA(cmsg);
		}
		sock->n++;
	}
}

struct arrived *peer_socket_last(struct peer_socket *sock)
{
	assert_true(sock->n > 0);
	return &sock->got[(sock->n - 1) % PEER_PACKETS];
}

/* What came, since there were @from: in how many runs is the relay's business. */
size_t peer_socket_bytes(struct peer_socket *sock, unsigned int from)
{
	size_t bytes = 0;

	peer_socket_poll(sock);
	for (; from < sock->n; from++)
		bytes += sock->got[from % PEER_PACKETS].len;
	return bytes;
}

void peer_init(struct peer *peer, struct relay *relay, const char *address)
{
	memset(peer, 0, sizeof(*peer));
	make_node(&peer->node);
	assert_int_equal(laya_identity_init(&peer->self,
					    peer->node.private_key,
					    relay->self.accelerated), 0);
	assert_int_equal(laya_handshake_peer_init(&peer->relay, &peer->self,
						  relay->self.public_key,
						  NULL), 0);
	peer->sock = peer_socket_open(address);
	peer->to = peer->sock->address;
	peer->to.port = relay->port;
	peer->path = 1;
	if (memcmp(peer->node.public_key, relay->self.public_key,
		   LAYA_KEY_SIZE) > 0)
		peer->path |= LAYA_PATH_ID_GREATER;
}

void peer_free(struct peer *peer)
{
	if (peer->owner.channel)
		laya_channel_close(peer->owner.channel);
	peer->owner.channel = NULL;
	relay_session_free(peer->session);
	relay_session_free(peer->before);
	peer->session = NULL;
	peer->before = NULL;
	peer_socket_close(peer->sock);
	peer->sock = NULL;
}

void peer_offer(struct peer *peer, struct laya_message *message)
{
	static const struct laya_candidates none;
	static uint32_t index = 1000;

	laya_offer_wipe(&peer->offer);
	assert_int_equal(laya_offer_make(&peer->offer, &peer->self,
					 &peer->relay, ++peer->stamp, ++index,
					 &none, peer->body,
					 sizeof(peer->body), &peer->body_len),
			 0);
	memset(message, 0, sizeof(*message));
	message->type = LAYA_MESSAGE_OFFER;
	message->id = 100 + peer->stamp;
	memcpy(message->sealed.key, peer->relay.key, LAYA_KEY_SIZE);
	message->sealed.body = peer->body;
	message->sealed.body_len = peer->body_len;
}

void peer_answered(struct peer *peer, const struct laya_message *answer,
		   struct laya_message *followup)
{
	static const struct laya_candidates none;
	struct laya_candidates theirs;

	assert_int_equal(answer->type, LAYA_MESSAGE_ANSWER);
	assert_int_equal(laya_answer_read(&peer->keys, &theirs, &peer->offer,
					  answer->sealed.body,
					  answer->sealed.body_len), 0);
	assert_int_equal(laya_followup_make(&peer->keys, &none, peer->body,
					    sizeof(peer->body),
					    &peer->body_len), 0);
	relay_session_free(peer->before);
	peer->before = peer->session;
	peer->session = relay_session_new(&peer->keys, 0);
	assert_non_null(peer->session);
	memset(followup, 0, sizeof(*followup));
	followup->type = LAYA_MESSAGE_FOLLOWUP;
	followup->id = answer->id;
	memcpy(followup->sealed.key, peer->relay.key, LAYA_KEY_SIZE);
	followup->sealed.body = peer->body;
	followup->sealed.body_len = peer->body_len;
}

void peer_connect(struct peer *peer, uv_loop_t *loop, const char *prologue)
{
	static const struct laya_channel_ops ops = {
		.ready = owner_ready,
		.message = owner_message,
		.closed = owner_closed,
	};
	struct laya_channel_config config;
	char host[INET6_ADDRSTRLEN];
	char port[6];

	uv_inet_ntop(peer->to.family, peer->to.addr, host, sizeof(host));
	snprintf(port, sizeof(port), "%u", peer->to.port);
	laya_channel_config_client(&config, prologue,
				   peer->node.private_key);
	assert_int_equal(laya_channel_connect(&peer->owner.channel, loop,
					      &config, host, port,
					      peer->relay.key, &ops,
					      &peer->owner), 0);
	wait_for(loop, peer->owner.ready || peer->owner.closed);
	assert_int_equal(peer->owner.closed, 0);
}

/* The handshake over a new channel, and a first probe that is answered */
void peer_attach(struct peer *peer, uv_loop_t *loop)
{
	unsigned int before = peer->owner.n;
	unsigned int replies = peer->replies;
	struct laya_message message;

	if (!peer->owner.channel)
		peer_connect(peer, loop, LAYA_PROLOGUE_ATTACH);
	peer_offer(peer, &message);
	assert_int_equal(laya_channel_send(peer->owner.channel, &message), 0);
	wait_for(loop, peer->owner.n > before);
	peer_answered(peer, &peer->owner.received[before % MAX_RECEIVED].message,
		      &message);
	assert_int_equal(laya_channel_send(peer->owner.channel, &message), 0);
	peer_probe(peer);
	wait_for(loop, peer_poll(peer) && peer->replies > replies &&
		 peer->requests > 0);
	/* Our answer to its probe arrives as well. */
	wait_for(loop, peer_poll(peer) && (uv_run(loop, UV_RUN_NOWAIT), true));
}

void peer_send(struct peer *peer, const uint8_t *plain, size_t len)
{
	uint8_t packet[2048];
	size_t packet_len;

	assert_int_equal(relay_session_seal(peer->session, peer->path, plain,
					    len, packet, &packet_len), 0);
	peer_socket_send(peer->sock, &peer->to, packet, packet_len, 0);
}

void peer_probe(struct peer *peer)
{
	const struct laya_probe probe = {
		.type = LAYA_PROBE_REQUEST,
		.path_kind = LAYA_PATH_KIND_DIRECT,
		.seq = 1,
		.token = 77,
	};
	uint8_t plain[LAYA_PROBE_SIZE];

	peer_send(peer, plain, laya_probe_write(plain, &probe, NULL));
}

void peer_send_message(struct peer *peer, const struct laya_message *message)
{
	uint8_t plain[LAYA_INNER_SIZE + LAYA_MESSAGE_MAX] = {
		LAYA_INNER_DGRAM, 0, 0, 0, 0, 1, 0, 1
	};
	uint8_t piece[LAYA_INNER_SIZE + 800];
	size_t part;
	size_t len;
	size_t at;

	assert_int_equal(laya_message_encode(message, plain + LAYA_INNER_SIZE,
					     LAYA_MESSAGE_MAX, &len), 0);
	len += LAYA_INNER_SIZE;
	if (len <= 1000) {
		peer_send(peer, plain, len);
		return;
	}
	/* The last piece first: order does not matter. */
	for (at = len / 800 * 800;; at -= 800) {
		part = len - at < 800 ? len - at : 800;
		memset(piece, 0, LAYA_INNER_SIZE);
		piece[0] = LAYA_INNER_FRAGMENT;
		piece[1] = at + part < len;
		laya_put16(piece + 2, at / 8);
		laya_put32(piece + 4, message->id);
		memcpy(piece + LAYA_INNER_SIZE, plain + at, part);
		peer_send(peer, piece, LAYA_INNER_SIZE + part);
		if (at == 0)
			break;
	}
}

static void take_message(struct peer *peer, const uint8_t *plain, size_t len)
{
	memcpy(peer->message_body, plain + LAYA_INNER_SIZE,
	       len - LAYA_INNER_SIZE);
	assert_int_equal(laya_message_decode(&peer->message,
					     peer->message_body,
					     len - LAYA_INNER_SIZE), 0);
	peer->messages++;
}

/* Pieces come in order here. */
static void take_piece(struct peer *peer, const uint8_t *plain, size_t len)
{
	size_t at = laya_get16(plain + 2) * 8;

	memcpy(peer->pieces + at, plain + LAYA_INNER_SIZE,
	       len - LAYA_INNER_SIZE);
	peer->n_pieces++;
	if (!(plain[1] & 1))
		take_message(peer, peer->pieces, at + len - LAYA_INNER_SIZE);
}

static void take_probe(struct peer *peer, const uint8_t *plain, size_t len)
{
	struct laya_probe probe;
	uint8_t out[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];

	assert_int_equal(laya_probe_read(&probe, plain, len), 0);
	if (probe.type == LAYA_PROBE_REPLY) {
		assert_true(probe.token == 77);
		assert_int_equal(len, LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED);
		peer->observed.family = plain[32] == 4 ? AF_INET : AF_INET6;
		peer->observed.port = laya_get16(plain + 34);
		memcpy(peer->observed.addr, plain + 36, 16);
		peer->replies++;
		return;
	}
	peer->requests++;
	if (peer->deaf)
		return;
	probe.type = LAYA_PROBE_REPLY;
	peer_send(peer, out, laya_probe_write(out, &probe,
					      &peer->sock->address));
}

static void take_packet(struct peer *peer, const struct arrived *arrived)
{
	struct relay_session *session = peer->session;
	struct laya_data_header header;
	uint8_t plain[2048];
	size_t len;

	laya_data_header_read(&header, arrived->data);
	if (header.receiver != session->rx_index)
		session = peer->before;
	assert_non_null(session);
	assert_int_equal(header.receiver, session->rx_index);
	assert_int_equal(header.path_id, peer->path);
	assert_int_equal(relay_session_open(session, &header,
					    arrived->data + LAYA_DATA_HEADER,
					    arrived->len - LAYA_DATA_HEADER,
					    plain, &len), 0);
	switch (plain[0]) {
	case LAYA_INNER_PROBE:
		take_probe(peer, plain, len);
		break;
	case LAYA_INNER_DGRAM:
		take_message(peer, plain, len);
		break;
	case LAYA_INNER_FRAGMENT:
		take_piece(peer, plain, len);
		break;
	case LAYA_INNER_ERROR:
		memcpy(peer->error, plain, LAYA_INNER_SIZE);
		peer->errors++;
		break;
	default:
		fail();
	}
}

/* Do what packets of the relay's own want; others stay. Return: true. */
bool peer_poll(struct peer *peer)
{
	unsigned int before = peer->sock->n;
	unsigned int kept = before;
	unsigned int i;

	peer_socket_poll(peer->sock);
	for (i = before; i < peer->sock->n; i++) {
		struct arrived *arrived = &peer->sock->got[i % PEER_PACKETS];

		if (arrived->data[0] == LAYA_PACKET_DATA)
			take_packet(peer, arrived);
		else if (kept++ != i)
			peer->sock->got[(kept - 1) % PEER_PACKETS] = *arrived;
	}
	peer->sock->n = kept;
	return true;
}

/* A label, perhaps a slot, and something that looks sealed */
size_t make_packet(uint8_t *to, size_t size, uint64_t label, int slot,
		   uint64_t returned, uint8_t fill)
{
	const struct laya_data_header header = {
		.path_id = 1,
		.receiver = 0xdeadbeef,
		.counter = fill + 1,
	};
	size_t at = 0;

	memset(to, fill, size);
	to[at++] = LAYA_PACKET_LABEL;
	to[at++] = 0;
	laya_put48(to + at, label);
	at += LAYA_LABEL_SIZE;
	if (slot) {
		to[at++] = LAYA_PACKET_RETURN;
		to[at++] = 0;
		laya_put48(to + at, returned);
		at += LAYA_LABEL_SIZE;
	}
	laya_data_header_write(to + at, &header);
	return size;
}

uint64_t slot_of(const struct arrived *arrived)
{
	return laya_get48(arrived->data + LAYA_SHIM_SIZE + 2);
}
