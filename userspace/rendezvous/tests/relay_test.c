// SPDX-License-Identifier: GPL-2.0
/*
 * The relay, packet by packet, as selftests/network/forward.py does it with the
 * kernel's.
 *
 *	dialler[0] --.                      .-- host (attached)
 *	dialler[1] ---+--- relay ----------+
 *	liar       --'    127.0.0.1, ::1    `-- other host
 *
 * All on one loop.
 */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "../../lib/dial.h"
#include "relay_peer.h"

#include "../server.h"

struct fixture {
	uv_loop_t loop;
	struct node node;
	struct relay_limits limits;
	struct laya_addresses told;
	struct relay *relay;
	struct peer host;
	struct peer other;
	struct peer_socket *dialler[2];
	struct laya_address to;
	uint64_t label;
	uint8_t packet[65536];
};

static void start(struct fixture *f)
{
	struct laya_address address;
	char msg[256];

	assert_int_equal(relay_new(&f->relay, &f->loop, f->node.private_key,
				   &f->limits, &f->told), 0);
	assert_int_equal(relay_open(f->relay, NULL, NULL, NULL, msg,
				    sizeof(msg)), 0);
	assert_int_equal(laya_address_parse(&address, "127.0.0.1:0"), 0);
	assert_int_equal(relay_listen(f->relay, &address, msg, sizeof(msg)),
			 0);
	f->to = address;
	f->to.port = f->relay->port;
	f->dialler[0] = peer_socket_open("127.0.0.1:0");
	f->dialler[1] = peer_socket_open("127.0.0.1:0");
	peer_init(&f->host, f->relay, "127.0.0.1:0");
	peer_init(&f->other, f->relay, "127.0.0.1:0");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_true(sodium_init() >= 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	make_node(&f->node);
	relay_limits_default(&f->limits);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	peer_free(&f->host);
	peer_free(&f->other);
	peer_socket_close(f->dialler[0]);
	peer_socket_close(f->dialler[1]);
	if (f->relay)
		relay_stop(f->relay);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	if (f->relay) {
		assert_int_equal(f->relay->n_connections, 0);
		relay_free(f->relay);
	}
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

/* Ask over the channel for a label for each of @n peers. */
static const struct laya_message *ask_labels(struct fixture *f,
					     struct peer *peer, unsigned int n)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_LABEL_REQUEST,
		.id = 7,
		.label_request.n = n,
	};
	unsigned int before = peer->owner.n;
	unsigned int i;

	for (i = 0; i < n; i++)
		memset(message.label_request.keys[i], i + 1, LAYA_KEY_SIZE);
	assert_int_equal(laya_channel_send(peer->owner.channel, &message), 0);
	wait_for(&f->loop, peer->owner.n > before);
	return &peer->owner.received[before % MAX_RECEIVED].message;
}

/* A relay, and a host that is attached to it and has a label */
static void begin(struct fixture *f)
{
	start(f);
	peer_attach(&f->host, &f->loop);
	f->label = laya_get48(ask_labels(f, &f->host, 1)->labels.list[0].label);
}

static void dial(struct fixture *f, unsigned int n, size_t len)
{
	peer_socket_send(f->dialler[n], &f->to, f->packet, len, 0);
}

/* Wait until the host has @n packets more than @before. */
static void wait_host(struct fixture *f, unsigned int before, unsigned int n)
{
	wait_for(&f->loop, peer_poll(&f->host) &&
		 f->host.sock->n >= before + n);
	assert_int_equal(f->host.sock->n, before + n);
}

/* Packets are dealt with in order: when this has come, all before it was. */
static void settle(struct fixture *f)
{
	unsigned int before = f->host.sock->n;
	uint8_t packet[100];
	int ttl = 33;

	/* Another TTL: it goes in a run with no others. */
	setsockopt(f->dialler[0]->fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	make_packet(packet, sizeof(packet), f->label, 0, 0, 0xee);
	peer_socket_send(f->dialler[0], &f->to, packet, sizeof(packet), 0);
	ttl = 64;
	setsockopt(f->dialler[0]->fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	wait_for(&f->loop, peer_poll(&f->host) &&
		 f->host.sock->n > before &&
		 peer_socket_last(f->host.sock)->ttl == 32);
	f->host.sock->n--;
}

/* As the host's kernel would answer on a path that was dialled */
static void answer(struct fixture *f, struct peer_socket *sock, uint64_t label,
		   size_t len, uint8_t fill)
{
	make_packet(f->packet, len, label, 0, 0, fill);
	peer_socket_send(sock, &f->to, f->packet, len, 0);
}

static uint64_t bind_flow(struct fixture *f, unsigned int n, size_t len)
{
	unsigned int before = f->host.sock->n;

	make_packet(f->packet, len, f->label, 1, 0, 1);
	dial(f, n, len);
	wait_host(f, before, 1);
	return slot_of(peer_socket_last(f->host.sock));
}

/* What a dialler sees before an answer */
static uint64_t label_of(const struct arrived *got)
{
	return laya_get48(got->data + 2);
}

static struct relay_host *found(struct fixture *f, const struct peer *peer)
{
	return relay_host_find(f->relay, peer->node.public_key);
}

static void attach__handshake_and_path(void **state)
{
	struct fixture *f = *state;

	start(f);
	peer_attach(&f->host, &f->loop);
	assert_int_equal(f->relay->n_hosts, 1);
	assert_true(laya_address_equal(&f->host.observed,
				       &f->host.sock->address));
	wait_for(&f->loop, peer_poll(&f->host) && found(f, &f->host)->best);
	/* The channel is not needed any more. */
	laya_channel_close(f->host.owner.channel);
	f->host.owner.channel = NULL;
	wait_for(&f->loop, f->relay->n_connections == 0);
	peer_probe(&f->host);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.replies == 2);
}

static void attach__same_offer_same_answer(void **state)
{
	struct fixture *f = *state;
	struct laya_message offer;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;

	start(f);
	peer_attach(&f->host, &f->loop);
	peer_offer(&f->host, &offer);
	assert_int_equal(laya_channel_send(f->host.owner.channel, &offer), 0);
	assert_int_equal(laya_channel_send(f->host.owner.channel, &offer), 0);
	wait_for(&f->loop, f->host.owner.n == 3);
	len = f->host.owner.received[1].message.sealed.body_len;
	memcpy(body, f->host.owner.received[1].body, len);
	assert_int_equal(f->host.owner.received[2].message.sealed.body_len,
			 len);
	assert_memory_equal(f->host.owner.received[2].body, body, len);
}

static void attach__of_another_is_not_answered(void **state)
{
	struct fixture *f = *state;
	struct laya_message offer;
	const struct laya_message *labels;

	start(f);
	peer_attach(&f->host, &f->loop);
	/* The other host's offer over the first one's channel */
	peer_offer(&f->other, &offer);
	assert_int_equal(laya_channel_send(f->host.owner.channel, &offer), 0);
	labels = ask_labels(f, &f->host, 1);
	assert_int_equal(labels->type, LAYA_MESSAGE_LABELS);
	assert_null(found(f, &f->other));
}

static void attach__limits(void **state)
{
	struct fixture *f = *state;
	struct laya_message offer;
	const struct laya_message *reply;
	unsigned int i;

	f->limits.hosts = 1;
	f->limits.table.holder_labels = 2;
	start(f);
	peer_attach(&f->host, &f->loop);
	/* One more host is not taken, and who is not attached has no labels. */
	peer_offer(&f->other, &offer);
	peer_connect(&f->other, &f->loop, LAYA_PROLOGUE_ATTACH);
	assert_int_equal(laya_channel_send(f->other.owner.channel, &offer), 0);
	wait_for(&f->loop, f->other.owner.n == 1);
	reply = &f->other.owner.received[0].message;
	assert_int_equal(reply->type, LAYA_MESSAGE_ERROR);
	assert_int_equal(reply->code, LAYA_MESSAGE_ERROR_RATE_LIMITED);
	reply = ask_labels(f, &f->other, 1);
	assert_int_equal(reply->type, LAYA_MESSAGE_ERROR);

	/* As many labels as there may be, and then an error */
	reply = ask_labels(f, &f->host, 3);
	assert_int_equal(reply->type, LAYA_MESSAGE_LABELS);
	assert_int_equal(reply->labels.n, 2);

	/* Handshakes are dear: the 17th on a connection is refused. */
	f->host.owner.n = 0;
	for (i = 0; i < 16; i++) {
		peer_offer(&f->host, &offer);
		assert_int_equal(laya_channel_send(f->host.owner.channel,
						   &offer), 0);
	}
	wait_for(&f->loop, f->host.owner.n >= 16);
	reply = &f->host.owner.received[15].message;
	assert_int_equal(reply->type, LAYA_MESSAGE_ERROR);
}

static void on_dialled(struct laya_dial *dial, int fd, struct laya_pump *pump,
		       const struct laya_dial_evidence *evidence, void *data)
{
	(void)dial;
	(void)pump;
	if (fd < 0)
		fail_msg("%s", evidence->text);
	*(int *)data = fd;
}

static const struct laya_dial_ops dial_ops = { .done = on_dialled };

/* Where no TCP passes: the channel comes by UDP, to the port of the packets. */
static void attach__by_udp(void **state)
{
	struct fixture *f = *state;
	struct laya_channel_config config;
	struct laya_dial_target target = {
		.host = "127.0.0.1",
		.transport = LAYA_TRANSPORT_UDP,
	};
	struct laya_dial_options options;
	struct laya_message offer;
	struct laya_dial *dial;
	int fd = -1;

	start(f);
	target.port = f->relay->port;
	laya_dial_options_default(&options);
	assert_int_equal(laya_dial(&dial, &f->loop, &target, &options,
				   &dial_ops, &fd), 0);
	wait_for(&f->loop, fd >= 0);
	laya_channel_config_client(&config, LAYA_PROLOGUE_ATTACH,
				   f->host.node.private_key);
	assert_int_equal(laya_channel_open(&f->host.owner.channel, &f->loop,
					   &config, fd, NULL, NULL,
					   f->node.public_key, &owner_ops,
					   &f->host.owner), 0);
	wait_for(&f->loop, f->host.owner.ready);
	peer_offer(&f->host, &offer);
	assert_int_equal(laya_channel_send(f->host.owner.channel, &offer), 0);
	wait_for(&f->loop, f->host.owner.n == 1);
	assert_int_equal(f->host.owner.received[0].message.type,
			 LAYA_MESSAGE_ANSWER);
	assert_int_equal(f->relay->n_hosts, 1);
	/* Nothing of that is what packets are. */
	assert_int_equal(f->relay->stats.malformed, 0);
	peer_socket_send(f->dialler[0], &f->to, (const uint8_t *)"\x85", 1, 0);
	wait_for(&f->loop, f->relay->stats.malformed == 1);
}

static void attach__ends_in_silence(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_int_equal(f->relay->table.n_labels, 1);
	found(f, &f->host)->heard -= RELAY_LABEL_LIFE_MS;
	wait_for(&f->loop, f->relay->n_hosts == 0);
	assert_int_equal(f->relay->table.n_labels, 0);
}

static void labels__in_the_session(void **state)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_LABEL_REQUEST,
		.id = 9,
		.label_request.n = LAYA_MAX_LABELS,
	};
	struct fixture *f = *state;
	const struct laya_message *labels = &f->host.message;
	unsigned int i;

	begin(f);
	for (i = 0; i < LAYA_MAX_LABELS; i++)
		memset(message.label_request.keys[i], i + 1, LAYA_KEY_SIZE);
	/* The request comes in pieces, and so goes the answer. */
	peer_send_message(&f->host, &message);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages == 1);
	assert_true(f->host.n_pieces > 1);
	assert_int_equal(labels->type, LAYA_MESSAGE_LABELS);
	assert_int_equal(labels->id, 9);
	assert_int_equal(labels->labels.n, LAYA_MAX_LABELS);
	assert_int_equal(labels->labels.lifetime, 180);
	assert_true(laya_address_is_any(&labels->labels.addresses.list[0]));
	assert_int_equal(labels->labels.addresses.list[0].port,
			 f->relay->port);
	/* That of the first peer is the one that it had. */
	assert_true(laya_get48(labels->labels.list[0].label) == f->label);

	message.type = LAYA_MESSAGE_LABEL_RELEASE;
	message.label_release.n = 1;
	laya_put48(message.label_release.labels[0], f->label);
	peer_send_message(&f->host, &message);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages == 2);
	assert_int_equal(labels->type, LAYA_MESSAGE_ACK);
	assert_int_equal(f->relay->table.n_labels, LAYA_MAX_LABELS - 1);
	assert_null(relay_table_find(&f->relay->table, f->label,
				     f->relay->now));

	message.type = LAYA_MESSAGE_PING;
	message.id = 11;
	peer_send_message(&f->host, &message);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages == 3);
	assert_int_equal(labels->type, LAYA_MESSAGE_PONG);
	assert_int_equal(labels->id, 11);
}

static void say_sealed(struct peer *peer, enum laya_message_type type,
		       uint64_t id, const uint8_t *key)
{
	static const uint8_t body[] = "between the two";
	struct laya_message message = { .type = type, .id = id };

	memcpy(message.sealed.key, key, LAYA_KEY_SIZE);
	message.sealed.body = body;
	message.sealed.body_len = sizeof(body);
	assert_int_equal(laya_channel_send(peer->owner.channel, &message), 0);
}

static void wait_for_error(struct fixture *f, struct peer *peer,
			   enum laya_message_error code)
{
	unsigned int before = peer->owner.n;

	wait_for(&f->loop, peer->owner.n > before);
	assert_int_equal(last_message(&peer->owner)->type, LAYA_MESSAGE_ERROR);
	assert_int_equal(last_message(&peer->owner)->code, code);
}

static void want_label(struct fixture *f, struct peer *holder,
		       const struct peer *for_whom)
{
	struct laya_message request = { .type = LAYA_MESSAGE_LABEL_REQUEST };
	unsigned int before = holder->owner.n;

	request.label_request.n = 1;
	memcpy(request.label_request.keys[0], for_whom->node.public_key,
	       LAYA_KEY_SIZE);
	assert_int_equal(laya_channel_send(holder->owner.channel, &request), 0);
	wait_for(&f->loop, holder->owner.n > before);
}

/* Who wants to be reached by somebody has his offers carried to it. */
static void carry__there_and_back(void **state)
{
	struct fixture *f = *state;
	const struct laya_message *reply;
	struct laya_message answer;
	unsigned int before;

	start(f);
	peer_attach(&f->host, &f->loop);
	want_label(f, &f->host, &f->other);
	peer_connect(&f->other, &f->loop, LAYA_PROLOGUE_ATTACH);
	before = f->host.messages;
	say_sealed(&f->other, LAYA_MESSAGE_OFFER, 7, f->host.node.public_key);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages > before);
	answer = f->host.message;
	assert_int_equal(answer.type, LAYA_MESSAGE_OFFER);
	assert_int_equal(answer.id, 7);
	assert_memory_equal(answer.sealed.key, f->other.node.public_key,
			    LAYA_KEY_SIZE);
	/* Nobody became a host by that. */
	assert_int_equal(f->relay->n_hosts, 1);

	before = f->other.owner.n;
	answer.type = LAYA_MESSAGE_ANSWER;
	answer.id = 8;
	peer_send_message(&f->host, &answer);	/* of no offer */
	answer.id = 7;
	peer_send_message(&f->host, &answer);
	wait_for(&f->loop, f->other.owner.n > before);
	reply = last_message(&f->other.owner);
	assert_int_equal(reply->type, LAYA_MESSAGE_ANSWER);
	assert_int_equal(reply->id, 7);
	assert_memory_equal(reply->sealed.key, f->host.node.public_key,
			    LAYA_KEY_SIZE);

	before = f->host.messages;
	say_sealed(&f->other, LAYA_MESSAGE_FOLLOWUP, 8,
		   f->host.node.public_key);	/* of no offer */
	say_sealed(&f->other, LAYA_MESSAGE_FOLLOWUP, 7,
		   f->host.node.public_key);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages > before);
	assert_int_equal(f->host.messages, before + 1);
	assert_int_equal(f->host.message.type, LAYA_MESSAGE_FOLLOWUP);
	assert_int_equal(f->host.message.id, 7);
	/* What it answers now goes nowhere, and who asked may be gone. */
	laya_channel_close(f->other.owner.channel);
	f->other.owner.channel = NULL;
	wait_for(&f->loop, f->relay->n_connections == 1);
	peer_send_message(&f->host, &answer);
	assert_true(LIST_EMPTY(&f->relay->carrying));
}

static void carry__to_nobody_else(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	start(f);
	peer_attach(&f->host, &f->loop);
	peer_connect(&f->other, &f->loop, LAYA_PROLOGUE_ATTACH);
	/* One that is not here, one that has no label for him: the same */
	say_sealed(&f->other, LAYA_MESSAGE_OFFER, 1, f->other.node.public_key);
	wait_for_error(f, &f->other, LAYA_MESSAGE_ERROR_UNREACHABLE);
	say_sealed(&f->other, LAYA_MESSAGE_OFFER, 2, f->host.node.public_key);
	wait_for_error(f, &f->other, LAYA_MESSAGE_ERROR_UNREACHABLE);
	/* One at a time */
	want_label(f, &f->host, &f->other);
	say_sealed(&f->other, LAYA_MESSAGE_OFFER, 3, f->host.node.public_key);
	say_sealed(&f->other, LAYA_MESSAGE_OFFER, 4, f->host.node.public_key);
	wait_for_error(f, &f->other, LAYA_MESSAGE_ERROR_RATE_LIMITED);
	/* And not many on one channel, however slowly they come */
	for (i = 0; i < 16; i++)
		say_sealed(&f->other, LAYA_MESSAGE_OFFER, 5 + i,
			   f->host.node.public_key);
	i = f->other.owner.n;
	wait_for(&f->loop, f->other.owner.n >= i + 16);
	assert_int_equal(f->relay->n_hosts, 1);
}

static void session__rekey(void **state)
{
	struct fixture *f = *state;
	struct laya_message message;
	struct laya_message reply;
	struct relay_session *old;

	begin(f);
	peer_offer(&f->host, &message);
	peer_send_message(&f->host, &message);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages == 1);
	reply = f->host.message;
	/* Not confirmed yet: it is the old one that seals. */
	peer_probe(&f->host);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.replies == 2);
	old = f->host.session;
	f->host.session = NULL;
	relay_session_free(f->host.before);
	peer_answered(&f->host, &reply, &message);
	f->host.before = old;
	peer_send_message(&f->host, &message);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.messages == 2);
	assert_int_equal(f->host.message.type, LAYA_MESSAGE_ACK);
	assert_non_null(found(f, &f->host)->sessions[RELAY_PREVIOUS]);
	assert_int_equal(found(f, &f->host)->sessions[RELAY_CURRENT]->rx_index,
			 f->host.session->tx_index);
	/* The label is as good as before. */
	settle(f);
	assert_true(found(f, &f->host)->best->validated);
}

static void session__replay(void **state)
{
	struct fixture *f = *state;
	const struct laya_probe probe = {
		.type = LAYA_PROBE_REQUEST,
		.token = 77,
	};
	uint8_t plain[LAYA_PROBE_SIZE];
	uint8_t packet[256];
	size_t len;

	begin(f);
	laya_probe_write(plain, &probe, NULL);
	assert_int_equal(relay_session_seal(f->host.session, f->host.path,
					    plain, sizeof(plain), packet,
					    &len), 0);
	peer_socket_send(f->host.sock, &f->to, packet, len, 0);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.replies == 2);
	peer_socket_send(f->host.sock, &f->to, packet, len, 0);
	/* Under another path id it does not open. */
	packet[3] ^= 2;
	peer_socket_send(f->host.sock, &f->to, packet, len, 0);
	packet[3] ^= 2;
	packet[20] ^= 1;
	peer_socket_send(f->host.sock, &f->to, packet, len, 0);
	wait_for(&f->loop, f->relay->stats.not_opened == 3);
	settle(f);
	assert_int_equal(f->host.replies, 2);
}

static void session__only_control(void **state)
{
	static const uint8_t datagram[] = {
		LAYA_INNER_DGRAM, 0, 0, 0, 0x12, 0x34, 0, 7, 'x'
	};
	static const uint8_t malformed[] = {
		LAYA_INNER_DGRAM, 0, 0, 0, 0, 1, 0, 1, 0xff
	};
	static const uint8_t ipv6[48] = { LAYA_INNER_IPV6 };
	struct fixture *f = *state;

	begin(f);
	peer_send(&f->host, ipv6, sizeof(ipv6));
	peer_send(&f->host, malformed, sizeof(malformed));
	peer_send(&f->host, datagram, sizeof(datagram));
	wait_for(&f->loop, peer_poll(&f->host) && f->host.errors == 1);
	assert_memory_equal(f->host.error, "\5\2\0\0\x12\x34\0\7", 8);
	assert_int_equal(f->host.messages, 0);
}

static void path__wrong_id(void **state)
{
	struct fixture *f = *state;

	begin(f);
	f->host.path ^= LAYA_PATH_ID_GREATER;
	peer_probe(&f->host);
	f->host.path ^= LAYA_PATH_ID_GREATER;
	settle(f);
	assert_int_equal(f->host.replies, 1);
}

static void path__more_than_there_is_room_for(void **state)
{
	struct fixture *f = *state;
	unsigned int replies;
	unsigned int i;

	begin(f);
	for (i = 0; i < 3 * RELAY_MAX_PATHS; i++) {
		f->host.path++;
		replies = f->host.replies;
		peer_probe(&f->host);
		wait_for(&f->loop, peer_poll(&f->host) &&
			 f->host.replies > replies &&
			 found(f, &f->host)->best->id == f->host.path);
	}
	settle(f);
}

static void path__moves_when_answered(void **state)
{
	struct fixture *f = *state;
	struct peer_socket *old;
	unsigned int before;

	begin(f);
	old = f->host.sock;
	f->host.sock = peer_socket_open("127.0.0.1:0");
	before = f->host.replies;
	peer_probe(&f->host);
	wait_for(&f->loop, peer_poll(&f->host) && f->host.replies > before &&
		 relay_host_endpoint(found(f, &f->host))->remote.in.sin_port ==
		 htons(f->host.sock->address.port));
	peer_socket_close(old);
	settle(f);
}

static void path__does_not_follow_a_liar(void **state)
{
	struct fixture *f = *state;
	struct peer_socket *own;
	unsigned int sent = LAYA_DATA_OVERHEAD + LAYA_PROBE_SIZE;
	unsigned int got = 0;
	unsigned int n;
	unsigned int i;

	begin(f);
	/* Somebody held a packet of the host's back, and sends it from elsewhere */
	own = f->host.sock;
	f->host.sock = f->dialler[1];
	peer_probe(&f->host);
	f->host.sock = own;
	wait_for(&f->loop, !found(f, &f->host)->best->challenge.pending &&
		 found(f, &f->host)->best->challenge.tries > 0);
	n = peer_socket_poll(f->dialler[1]);
	for (i = 0; i < n; i++)
		got += f->dialler[1]->got[i].len;
	assert_true(n > 0);
	assert_true(got <= 3 * sent);
	settle(f);
	assert_int_equal(relay_host_endpoint(found(f,
						   &f->host))->remote.in.sin_port,
			 htons(own->address.port));
}

static void forward__unchanged(void **state)
{
	struct fixture *f = *state;
	unsigned int before;
	struct arrived *got;
	int ttl = 50;
	int tos = 0xb8;

	begin(f);
	before = f->host.sock->n;
	setsockopt(f->dialler[0]->fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	setsockopt(f->dialler[0]->fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	make_packet(f->packet, 1000, f->label, 0, 0, 77);
	dial(f, 0, 1000);
	wait_host(f, before, 1);
	got = peer_socket_last(f->host.sock);
	assert_int_equal(got->len, 1000);
	assert_memory_equal(got->data, f->packet, 1000);
	assert_int_equal(got->ttl, 49);
	assert_int_equal(got->tos, 0xb8);
	assert_true(laya_address_equal(&got->from, &f->to));
	assert_int_equal(f->relay->stats.forwarded, 1);
	assert_int_equal(f->relay->stats.forwarded_bytes, 1000);
}

static void forward__ttl_ends(void **state)
{
	struct fixture *f = *state;
	unsigned int before;
	int ttl;

	begin(f);
	before = f->host.sock->n;
	make_packet(f->packet, 100, f->label, 0, 0, 1);
	for (ttl = 1; ttl <= 2; ttl++) {
		setsockopt(f->dialler[0]->fd, IPPROTO_IP, IP_TTL, &ttl,
			   sizeof(ttl));
		dial(f, 0, 100);
	}
	wait_host(f, before, 1);
	assert_int_equal(peer_socket_last(f->host.sock)->ttl, 1);
	assert_int_equal(f->relay->stats.looped, 1);
}

static void forward__unknown_is_silent(void **state)
{
	struct fixture *f = *state;
	unsigned int before;

	begin(f);
	before = f->host.sock->n;
	make_packet(f->packet, 100, f->label ^ 1, 1, 0, 1);
	dial(f, 0, 100);
	make_packet(f->packet, 100, f->label, 1, 0, 1);
	f->packet[1] = 1;
	dial(f, 0, 100);
	f->packet[1] = 0;
	dial(f, 0, 50);
	dial(f, 0, 0);
	memset(f->packet, 0, 100);
	dial(f, 0, 100);
	/* Sealed, for nobody */
	make_packet(f->packet, 100, 0, 0, 0, 1);
	peer_socket_send(f->dialler[0], &f->to, f->packet + LAYA_SHIM_SIZE, 92,
			 0);
	settle(f);
	assert_int_equal(f->host.sock->n, before);
	assert_int_equal(peer_socket_poll(f->dialler[0]), 0);
	assert_int_equal(f->relay->stats.unknown, 2);
	assert_int_equal(f->relay->stats.malformed, 3);
}

static void return__to_its_flow(void **state)
{
	struct fixture *f = *state;
	uint64_t second;
	uint64_t first;
	uint64_t proof;

	begin(f);
	first = bind_flow(f, 0, 100);
	assert_true(first != 0);
	/* Nothing but the slot is written. */
	make_packet(f->packet, 100, f->label, 1, first, 1);
	assert_memory_equal(peer_socket_last(f->host.sock)->data, f->packet,
			    100);
	assert_true(bind_flow(f, 0, 100) == first);
	second = bind_flow(f, 1, 100);
	assert_true(second != 0 && second != first);

	answer(f, f->host.sock, first, 120, 9);
	wait_for(&f->loop, peer_socket_poll(f->dialler[0]) == 1);
	assert_int_equal(peer_socket_last(f->dialler[0])->len, 120);
	/* The host does not know what stands in place of the return label. */
	proof = label_of(peer_socket_last(f->dialler[0]));
	assert_true(proof != first);
	laya_shims_fill(f->packet, 0, proof);
	assert_memory_equal(peer_socket_last(f->dialler[0])->data, f->packet,
			    120);
	assert_int_equal(peer_socket_poll(f->dialler[1]), 0);

	/* Forged: of a dialler, and of nobody */
	answer(f, f->dialler[1], first, 120, 9);
	answer(f, f->other.sock, first, 120, 9);
	answer(f, f->host.sock, first ^ 1, 120, 9);
	settle(f);
	assert_int_equal(f->relay->stats.wrong_sender, 2);
	assert_int_equal(f->relay->stats.unknown, 1);
	assert_int_equal(peer_socket_poll(f->dialler[0]), 1);
}

static void return__three_times_until_confirmed(void **state)
{
	struct fixture *f = *state;
	unsigned int before;
	uint64_t label;
	uint64_t proof;
	unsigned int i;

	begin(f);
	label = bind_flow(f, 1, 100);
	for (i = 0; i < 10; i++)
		answer(f, f->host.sock, label, 100, i);
	settle(f);
	wait_for(&f->loop, f->relay->stats.amplified == 7);
	assert_int_equal(peer_socket_bytes(f->dialler[1], 0), 300);

	/* The host has seen the return label, and may have told it. */
	proof = label_of(peer_socket_last(f->dialler[1]));
	before = f->host.sock->n;
	make_packet(f->packet, 100, f->label, 1, label, 3);
	dial(f, 1, 100);
	wait_host(f, before, 1);
	answer(f, f->host.sock, label, 1000, 0);
	wait_for(&f->loop, f->relay->stats.amplified == 8);

	/* The dialler has seen what nobody else has: so it is there. */
	before = f->host.sock->n;
	make_packet(f->packet, 100, f->label, 1, proof, 3);
	dial(f, 1, 100);
	wait_host(f, before, 1);
	laya_shims_fill(f->packet, 1, label);
	assert_memory_equal(peer_socket_last(f->host.sock)->data, f->packet,
			    100);
	for (i = 0; i < 20; i++)
		answer(f, f->host.sock, label, 1000, i);
	wait_for(&f->loop, peer_socket_bytes(f->dialler[1], 0) == 20300);
	assert_true(label_of(peer_socket_last(f->dialler[1])) == label);

	/* From elsewhere it is another flow, which has confirmed nothing. */
	before = f->host.sock->n;
	make_packet(f->packet, 100, f->label, 1, label, 3);
	dial(f, 0, 100);
	wait_host(f, before, 1);
	assert_true(slot_of(peer_socket_last(f->host.sock)) != label);
}

static void run__in_one_piece(void **state)
{
	struct fixture *f = *state;
	unsigned int before;
	unsigned int i;

	begin(f);
	before = f->host.sock->n;
	for (i = 0; i < 20; i++)
		make_packet(f->packet + 500 * i, 500, f->label, 0, 0, i);
	make_packet(f->packet + 500 * 20, 300, f->label, 0, 0, 99);
	peer_socket_send(f->dialler[0], &f->to, f->packet, 10300, 500);
	wait_host(f, before, 1);
	assert_int_equal(peer_socket_last(f->host.sock)->len, 10300);
	assert_memory_equal(peer_socket_last(f->host.sock)->data, f->packet,
			    10300);
	assert_int_equal(f->relay->stats.forwarded, 21);
}

static void run__of_packets_that_came_singly(void **state)
{
	static const size_t sizes[] = { 300, 300, 300, 200, 300, 400, 400 };
	static const size_t want[] = { 1100, 300, 800 };
	struct fixture *f = *state;
	unsigned int before;
	uint8_t *at = f->packet;
	unsigned int i;

	begin(f);
	before = f->host.sock->n;
	/* All are there when the relay looks. */
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_packet(at, sizes[i], f->label, 0, 0, i);
		peer_socket_send(f->dialler[0], &f->to, at, sizes[i], 0);
		at += sizes[i];
	}
	wait_host(f, before, 3);
	at = f->packet;
	for (i = 0; i < 3; i++) {
		struct arrived *got = &f->host.sock->got[(before + i) %
							 PEER_PACKETS];

		assert_int_equal(got->len, want[i]);
		assert_memory_equal(got->data, at, want[i]);
		assert_int_equal(got->ttl, 63);
		at += want[i];
	}
}

static void run__of_several_labels(void **state)
{
	struct fixture *f = *state;
	struct arrived *got;
	unsigned int before;
	uint64_t returned;
	uint64_t second;

	begin(f);
	second = laya_get48(ask_labels(f, &f->host, 2)->labels.list[1].label);
	returned = bind_flow(f, 0, 200);
	make_packet(f->packet, 200, f->label, 0, 0, 1);
	make_packet(f->packet + 200, 200, f->label, 0, 0, 2);
	make_packet(f->packet + 400, 200, second, 0, 0, 3);
	make_packet(f->packet + 600, 200, second ^ 1, 0, 0, 4);
	make_packet(f->packet + 800, 200, f->label, 1, 0, 5);
	make_packet(f->packet + 1000, 200, f->label, 1, 0, 6);
	memset(f->packet + 1200, 0, 200);
	make_packet(f->packet + 1400, 100, second, 0, 0, 7);
	before = f->host.sock->n;
	peer_socket_send(f->dialler[0], &f->to, f->packet, 1500, 200);
	/* All the same way: those that go, in one piece again */
	wait_host(f, before, 1);
	got = peer_socket_last(f->host.sock);
	assert_int_equal(got->len, 1100);
	make_packet(f->packet + 800, 200, f->label, 1, returned, 5);
	make_packet(f->packet + 1000, 200, f->label, 1, returned, 6);
	assert_memory_equal(got->data, f->packet, 600);
	assert_memory_equal(got->data + 600, f->packet + 800, 400);
	assert_memory_equal(got->data + 1000, f->packet + 1400, 100);
	assert_int_equal(f->relay->stats.unknown, 1);
	assert_int_equal(f->relay->stats.malformed, 1);
}

/* The relay's UDP socket: who else has its port here? */
static int relay_fd(struct fixture *f)
{
	struct laya_address address;
	struct sockaddr_storage ss;
	socklen_t size;
	int type = 0;
	int fd;

	for (fd = 0; fd < 256; fd++) {
		size = sizeof(type);
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) ||
		    type != SOCK_DGRAM)
			continue;
		size = sizeof(ss);
		if (!getsockname(fd, (struct sockaddr *)&ss, &size) &&
		    !laya_address_from_sockaddr(&address,
						(struct sockaddr *)&ss) &&
		    laya_address_equal(&address, &f->to))
			return fd;
	}
	return -1;
}

static void run__where_runs_are_not_taken(void **state)
{
	struct fixture *f = *state;
	unsigned int before;
	unsigned int i;
	int one = 1;

	begin(f);
	/* Without checksums the kernel refuses to send a run. */
	assert_int_equal(setsockopt(relay_fd(f), SOL_SOCKET, SO_NO_CHECK, &one,
				    sizeof(one)), 0);
	before = f->host.sock->n;
	for (i = 0; i < 5; i++)
		make_packet(f->packet + 200 * i, 200, f->label, 0, 0, i);
	make_packet(f->packet + 1000, 100, f->label, 0, 0, 5);
	peer_socket_send(f->dialler[0], &f->to, f->packet, 1100, 200);
	wait_host(f, before, 6);
	for (i = 0; i < 6; i++) {
		struct arrived *got = &f->host.sock->got[(before + i) %
							 PEER_PACKETS];

		assert_int_equal(got->len, i < 5 ? 200 : 100);
		assert_memory_equal(got->data, f->packet + 200 * i, got->len);
		assert_int_equal(got->ttl, 63);
	}
	assert_int_equal(f->relay->stats.not_sent, 0);
}

static void run__to_two_hosts(void **state)
{
	struct fixture *f = *state;
	unsigned int before;
	unsigned int others;
	uint64_t label;
	unsigned int i;

	begin(f);
	peer_attach(&f->other, &f->loop);
	label = laya_get48(ask_labels(f, &f->other, 1)->labels.list[0].label);
	for (i = 0; i < 6; i++)
		make_packet(f->packet + 200 * i, 200,
			    i % 3 ? f->label : label, 0, 0, i);
	before = f->host.sock->n;
	others = f->other.sock->n;
	peer_socket_send(f->dialler[0], &f->to, f->packet, 1200, 200);
	wait_for(&f->loop,
		 peer_socket_bytes(f->host.sock, before) == 800 &&
		 peer_socket_bytes(f->other.sock, others) == 400);
	assert_memory_equal(f->host.sock->got[before % PEER_PACKETS].data,
			    f->packet + 200, 400);
	assert_memory_equal(f->other.sock->got[others % PEER_PACKETS].data,
			    f->packet, 200);
}

static void rate__of_one_label_is_its_own(void **state)
{
	struct fixture *f = *state;
	uint8_t flood[100];
	unsigned int before;
	uint64_t second;
	unsigned int i;

	f->limits.table.rate = (struct rate){ .per_second = 1, .burst = 2000 };
	begin(f);
	second = laya_get48(ask_labels(f, &f->host, 2)->labels.list[1].label);
	before = f->host.sock->n;
	make_packet(flood, 100, second, 0, 0, 1);
	make_packet(f->packet, 100, f->label, 0, 0, 2);
	for (i = 0; i < 50; i++) {
		peer_socket_send(f->dialler[1], &f->to, flood, 100, 0);
		if (i % 5 == 0)
			dial(f, 0, 100);
	}
	settle(f);
	/* What the flooded label may, and all of the other's */
	assert_int_equal(peer_socket_bytes(f->host.sock, before), 2000 + 1000);
	assert_int_equal(f->relay->stats.over_rate, 30);
}

static void ipv6__to_an_ipv4_host_and_back(void **state)
{
	struct fixture *f = *state;
	struct peer_socket *dialler;
	struct laya_address address;
	unsigned int before;
	struct arrived *got;
	char msg[256];
	uint64_t label;
	int ttl = 40;
	int tos = 0x20;
	int fd;

	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	assert_int_equal(laya_address_parse(&address, "[::1]:0"), 0);
	begin(f);
	address.port = f->relay->port;
	if (fd < 0 || relay_listen(f->relay, &address, msg, sizeof(msg))) {
		/* No IPv6 here */
		if (fd >= 0)
			close(fd);
		skip();
	}
	close(fd);
	dialler = peer_socket_open("[::1]:0");
	setsockopt(dialler->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl,
		   sizeof(ttl));
	setsockopt(dialler->fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	before = f->host.sock->n;
	make_packet(f->packet, 100, f->label, 1, 0, 3);
	peer_socket_send(dialler, &address, f->packet, 100, 0);
	wait_host(f, before, 1);
	got = peer_socket_last(f->host.sock);
	label = slot_of(got);
	assert_int_equal(got->ttl, 39);
	assert_int_equal(got->tos, 0x20);
	answer(f, f->host.sock, label, 200, 4);
	wait_for(&f->loop, peer_socket_poll(dialler) == 1);
	laya_shims_fill(f->packet, 0, label_of(peer_socket_last(dialler)));
	assert_memory_equal(peer_socket_last(dialler)->data, f->packet, 200);
	assert_true(laya_address_equal(&peer_socket_last(dialler)->from,
				       &address));
	peer_socket_close(dialler);
}

static void listen__in_use(void **state)
{
	struct fixture *f = *state;
	char msg[256];

	start(f);
	assert_int_equal(relay_listen(f->relay, &f->to, msg, sizeof(msg)),
			 -EADDRINUSE);
	assert_non_null(strstr(msg, "127.0.0.1"));
	assert_non_null(strstr(msg, "--relay-port"));
	assert_int_equal(f->relay->n_sockets, 1);
}

/* In a network of its own with two ports, of which TCP has one taken */
static int listen_where_a_port_is_taken(struct fixture *f)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct laya_address address;
	char msg[256];
	int range;
	int fd;
	int i;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);
	if (ioctl(fd, SIOCSIFFLAGS, &lo) ||
	    write(range, "40000 40001", 11) != 11 || listen(fd, 1))
		return 1;
	laya_address_parse(&address, "127.0.0.1:0");
	for (i = 0; i < 8; i++) {
		if (relay_listen(f->relay, &address, msg, sizeof(msg)))
			return 2;
		f->relay->n_sockets--;
		laya_door_close(f->relay->doors[0]);
		relay_socket_close(f->relay->sockets[0]);
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	return 0;
}

static void listen__takes_a_port_that_is_free_in_both(void **state)
{
	struct fixture *f = *state;
	char msg[256];
	int status;
	pid_t pid;

	assert_int_equal(relay_new(&f->relay, &f->loop, f->node.private_key,
				   &f->limits, &f->told), 0);
	assert_int_equal(relay_open(f->relay, NULL, NULL, NULL, msg,
				    sizeof(msg)), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(unshare(CLONE_NEWNET) ? 77 :
		      listen_where_a_port_is_taken(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void server__tells_of_its_relay(void **state)
{
	struct fixture *f = *state;
	struct laya_message message = { .type = LAYA_MESSAGE_REGISTER };
	const struct laya_relays *relays;
	struct laya_address address;
	struct server server;
	struct limits limits;
	char msg[256];

	assert_int_equal(laya_address_parse(&f->told.list[0],
					    "192.0.2.1:5292"), 0);
	f->told.n = 1;
	start(f);
	limits_default(&limits);
	assert_int_equal(server_init(&server, &f->loop, f->node.private_key,
				     &limits), 0);
	assert_int_equal(server_open(&server, NULL, NULL, NULL, msg,
				     sizeof(msg)), 0);
	assert_int_equal(laya_address_parse(&address, "127.0.0.1:0"), 0);
	assert_int_equal(server_listen(&server, &address, msg, sizeof(msg)),
			 0);
	server_relay(&server, f->relay, "relay.example.org");
	f->other.to = *laya_door_address(server.doors[0]);
	peer_connect(&f->other, &f->loop, LAYA_PROLOGUE_RENDEZVOUS);
	assert_int_equal(laya_channel_send(f->other.owner.channel, &message),
			 0);
	wait_for(&f->loop, f->other.owner.n == 1);
	relays = &f->other.owner.received[0].message.registered.relays;
	assert_int_equal(relays->n, 1);
	assert_memory_equal(relays->list[0].key, f->node.public_key,
			    LAYA_KEY_SIZE);
	assert_string_equal(relays->list[0].host_name, "relay.example.org");
	assert_int_equal(relays->list[0].addresses.n, 1);
	assert_true(laya_address_equal(&relays->list[0].addresses.list[0],
				       &f->told.list[0]));
	laya_channel_close(f->other.owner.channel);
	f->other.owner.channel = NULL;
	server_close(&server);
	wait_for(&f->loop, server.n_clients == 0);
	relay_stop(f->relay);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	server_free(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(attach__handshake_and_path),
		TEST(attach__same_offer_same_answer),
		TEST(attach__of_another_is_not_answered),
		TEST(attach__limits),
		TEST(attach__by_udp),
		TEST(attach__ends_in_silence),
		TEST(labels__in_the_session),
		TEST(carry__there_and_back),
		TEST(carry__to_nobody_else),
		TEST(session__rekey),
		TEST(session__replay),
		TEST(session__only_control),
		TEST(path__wrong_id),
		TEST(path__more_than_there_is_room_for),
		TEST(path__moves_when_answered),
		TEST(path__does_not_follow_a_liar),
		TEST(forward__unchanged),
		TEST(forward__ttl_ends),
		TEST(forward__unknown_is_silent),
		TEST(return__to_its_flow),
		TEST(return__three_times_until_confirmed),
		TEST(run__in_one_piece),
		TEST(run__of_packets_that_came_singly),
		TEST(run__of_several_labels),
		TEST(run__where_runs_are_not_taken),
		TEST(run__to_two_hosts),
		TEST(rate__of_one_label_is_its_own),
		TEST(ipv6__to_an_ipv4_host_and_back),
		TEST(listen__in_use),
		TEST(listen__takes_a_port_that_is_free_in_both),
		TEST(server__tells_of_its_relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
