// SPDX-License-Identifier: GPL-2.0
/*
 *   owner[0] --.                  .-- raw sockets that lie
 *   owner[1] ---+-- rendezvous --+
 *   owner[2] --'   127.0.0.1:*    `-- ...
 *
 * All on one loop.
 */
#include "../../lib/tests/loop_wait.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../lib/tests/certificate.h"
#include "../../lib/dial.h"
#include "../server.h"

#define N_OWNERS	4

struct fixture {
	uv_loop_t loop;
	struct limits limits;
	const char *certificate;
	struct server server;
	bool running;
	struct node self;
	uint16_t port;
	struct node nodes[N_OWNERS];
	struct owner owners[N_OWNERS];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int i;

	assert_non_null(f);
	*state = f;
	assert_int_equal(uv_loop_init(&f->loop), 0);
	make_node(&f->self);
	for (i = 0; i < N_OWNERS; i++)
		make_node(&f->nodes[i]);
	limits_default(&f->limits);
	f->limits.relays_delay = 0;
	f->limits.relays_interval = 0;
	return 0;
}

static void start(struct fixture *f)
{
	struct laya_address address;
	char msg[256];

	assert_int_equal(server_init(&f->server, &f->loop, f->self.private_key,
				     &f->limits), 0);
	if (server_open(&f->server, f->certificate, NULL, NULL, msg,
			sizeof(msg)))
		fail_msg("%s", msg);
	assert_int_equal(laya_address_parse(&address, "127.0.0.1:0"), 0);
	assert_int_equal(server_listen(&f->server, &address, msg, sizeof(msg)),
			 0);
	f->port = laya_door_address(f->server.doors[0])->port;
	f->running = true;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < N_OWNERS; i++) {
		if (f->owners[i].channel)
			laya_channel_close(f->owners[i].channel);
	}
	if (f->running)
		server_close(&f->server);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	if (f->running) {
		assert_int_equal(f->server.n_clients, 0);
		assert_int_equal(f->server.n_half_open, 0);
		assert_int_equal(f->server.registry.n, 0);
		server_free(&f->server);
	}
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static void dial_as(struct fixture *f, int i, int node)
{
	struct laya_channel_config config;
	char port[6];

	laya_channel_config_client(&config, LAYA_PROLOGUE_RENDEZVOUS,
				   f->nodes[node].private_key);
	snprintf(port, sizeof(port), "%u", f->port);
	memset(&f->owners[i], 0, sizeof(f->owners[i]));
	assert_int_equal(laya_channel_connect(&f->owners[i].channel, &f->loop,
					      &config, "127.0.0.1", port,
					      f->self.public_key, &owner_ops,
					      &f->owners[i]), 0);
}

static void open_owner(struct fixture *f, int i)
{
	dial_as(f, i, i);
	wait_for(&f->loop, f->owners[i].ready);
}

/* Send, and wait for so many messages more. */
static void ask(struct fixture *f, int i, const struct laya_message *message)
{
	unsigned int before = f->owners[i].n;

	assert_int_equal(laya_channel_send(f->owners[i].channel, message), 0);
	wait_for(&f->loop, f->owners[i].n > before);
}

static void register_as(struct fixture *f, int i,
			const struct laya_message *message)
{
	unsigned int before = f->owners[i].n;

	/* a list of relays may come right after */
	ask(f, i, message);
	assert_int_equal(f->owners[i].received[before % MAX_RECEIVED]
				 .message.type, LAYA_MESSAGE_REGISTERED);
}

static void join(struct fixture *f, int i)
{
	struct laya_message message = { .type = LAYA_MESSAGE_REGISTER };

	open_owner(f, i);
	register_as(f, i, &message);
}

static struct laya_message sealed(enum laya_message_type type, uint64_t id,
				  const struct node *to, const void *body,
				  size_t len)
{
	struct laya_message message = {
		.type = type,
		.id = id,
		.sealed = { .body = body, .body_len = len },
	};

	memcpy(message.sealed.key, to->public_key, LAYA_KEY_SIZE);
	return message;
}

static struct laya_message relay(const char *text)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_REGISTER,
		.reg = { .role = LAYA_ROLE_RELAY },
	};

	if (text) {
		message.reg.addresses.n = 1;
		assert_int_equal(laya_address_parse(
			&message.reg.addresses.list[0], text), 0);
	}
	return message;
}

static void register__tells_the_observed_address(void **state)
{
	struct fixture *f = *state;
	const struct laya_message *reply;

	start(f);
	join(f, 0);
	reply = last_message(&f->owners[0]);
	assert_true(laya_address_equal(
		&reply->registered.observed,
		laya_channel_local_address(f->owners[0].channel)));
	assert_int_equal(reply->registered.relays.n, 0);
	assert_int_equal(f->server.registry.n, 1);
}

static struct laya_handshake_peer *only_peer(void *data, const uint8_t *key)
{
	(void)key;
	return data;
}

static void route__a_handshake(void **state)
{
	struct fixture *f = *state;
	struct laya_session_keys keys[2];
	struct laya_handshake_peer peer[2];
	struct laya_handshake_table table = {
		.lookup = only_peer,
		.data = &peer[1],
	};
	struct laya_candidates none = { 0 };
	const struct laya_message *got;
	struct laya_identity self[2];
	struct laya_candidates heard;
	struct laya_request request;
	uint8_t body[LAYA_MAX_BODY];
	struct laya_message message;
	struct laya_offer offer;
	size_t len;
	int i;

	start(f);
	join(f, 0);
	join(f, 1);
	for (i = 0; i < 2; i++)
		assert_int_equal(laya_identity_init(&self[i],
						    f->nodes[i].private_key,
						    i), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(laya_handshake_peer_init(&peer[i], &self[i],
							  self[!i].public_key,
							  NULL), 0);

	assert_int_equal(laya_offer_make(&offer, &self[0], &peer[0], 1, 11,
					 &none, body, sizeof(body), &len), 0);
	message = sealed(LAYA_MESSAGE_OFFER, 77, &f->nodes[1], body, len);
	assert_int_equal(laya_channel_send(f->owners[0].channel, &message), 0);
	wait_for(&f->loop, f->owners[1].n == 2);

	got = last_message(&f->owners[1]);
	assert_int_equal(got->type, LAYA_MESSAGE_OFFER);
	assert_int_equal(got->id, 77);
	/* on the way to, now from */
	assert_memory_equal(got->sealed.key, f->nodes[0].public_key, 32);
	assert_memory_equal(got->sealed.body, body, len);
	assert_int_equal(laya_offer_read(&request, &self[1], &table,
					 got->sealed.key, got->sealed.body,
					 got->sealed.body_len), 0);
	assert_int_equal(laya_answer_make(&keys[1], &request, &self[1], 22,
					  &none, body, sizeof(body), &len), 0);
	message = sealed(LAYA_MESSAGE_ANSWER, 77, &f->nodes[0], body, len);
	assert_int_equal(laya_channel_send(f->owners[1].channel, &message), 0);
	wait_for(&f->loop, f->owners[0].n == 2);

	got = last_message(&f->owners[0]);
	assert_int_equal(got->type, LAYA_MESSAGE_ANSWER);
	assert_memory_equal(got->sealed.key, f->nodes[1].public_key, 32);
	assert_int_equal(laya_answer_read(&keys[0], &heard, &offer,
					  got->sealed.body,
					  got->sealed.body_len), 0);
	assert_int_equal(laya_followup_make(&keys[0], &none, body,
					    sizeof(body), &len), 0);
	message = sealed(LAYA_MESSAGE_FOLLOWUP, 77, &f->nodes[1], body, len);
	assert_int_equal(laya_channel_send(f->owners[0].channel, &message), 0);
	wait_for(&f->loop, f->owners[1].n == 3);
	got = last_message(&f->owners[1]);
	assert_int_equal(got->type, LAYA_MESSAGE_FOLLOWUP);
	assert_int_equal(laya_followup_read(&keys[1], &heard, got->sealed.body,
					    got->sealed.body_len), 0);
	assert_memory_equal(keys[0].rx_key, keys[1].tx_key, 32);
	assert_memory_equal(keys[0].tx_key, keys[1].rx_key, 32);
	assert_int_equal(f->server.stats.routed, 3);
}

static void assert_error(struct owner *owner, uint64_t id, uint32_t code)
{
	const struct laya_message *message = last_message(owner);

	assert_int_equal(message->type, LAYA_MESSAGE_ERROR);
	assert_int_equal(message->id, id);
	assert_int_equal(message->code, code);
}

static void route__unreachable_is_uniform(void **state)
{
	struct fixture *f = *state;
	struct laya_message message;
	struct node nobody;

	start(f);
	join(f, 0);
	make_node(&nobody);
	message = sealed(LAYA_MESSAGE_OFFER, 1, &nobody, "x", 1);
	ask(f, 0, &message);
	assert_error(&f->owners[0], 1, LAYA_MESSAGE_ERROR_UNREACHABLE);
	/* oneself */
	message = sealed(LAYA_MESSAGE_OFFER, 2, &f->nodes[0], "x", 1);
	ask(f, 0, &message);
	assert_error(&f->owners[0], 2, LAYA_MESSAGE_ERROR_UNREACHABLE);
	/* connected, not registered */
	open_owner(f, 1);
	message = sealed(LAYA_MESSAGE_ANSWER, 3, &f->nodes[1], "x", 1);
	ask(f, 0, &message);
	assert_error(&f->owners[0], 3, LAYA_MESSAGE_ERROR_UNREACHABLE);
	/* gone */
	join(f, 2);
	laya_channel_close(f->owners[2].channel);
	f->owners[2].channel = NULL;
	wait_for(&f->loop, f->server.registry.n == 1);
	message = sealed(LAYA_MESSAGE_FOLLOWUP, 4, &f->nodes[2], "x", 1);
	ask(f, 0, &message);
	assert_error(&f->owners[0], 4, LAYA_MESSAGE_ERROR_UNREACHABLE);
}

static void route__before_register(void **state)
{
	struct fixture *f = *state;
	struct laya_message message;

	start(f);
	join(f, 1);
	open_owner(f, 0);
	message = sealed(LAYA_MESSAGE_OFFER, 1, &f->nodes[1], "x", 1);
	laya_channel_send(f->owners[0].channel, &message);
	wait_for(&f->loop, f->owners[0].closed);
	assert_int_equal(f->owners[0].n, 0);
	assert_int_equal(f->owners[1].n, 1);
	assert_int_equal(f->server.stats.violations, 1);
}

static void route__not_for_a_rendezvous(void **state)
{
	static const enum laya_message_type types[] = {
		LAYA_MESSAGE_ACK, LAYA_MESSAGE_RELAYS,
		LAYA_MESSAGE_CANDIDATES, LAYA_MESSAGE_LABEL_REQUEST,
	};
	struct fixture *f = *state;
	struct laya_message message = { 0 };
	size_t i;

	start(f);
	for (i = 0; i < 4; i++) {
		join(f, 0);
		message.type = types[i];
		laya_channel_send(f->owners[0].channel, &message);
		wait_for(&f->loop, f->owners[0].closed);
	}
	assert_int_equal(f->server.stats.violations, 4);
	/* an error is not for us, but no crime */
	join(f, 0);
	message.type = LAYA_MESSAGE_ERROR;
	laya_channel_send(f->owners[0].channel, &message);
	message = sealed(LAYA_MESSAGE_OFFER, 9, &f->nodes[3], "x", 1);
	ask(f, 0, &message);
	assert_error(&f->owners[0], 9, LAYA_MESSAGE_ERROR_UNREACHABLE);
}

static void register__newest_wins(void **state)
{
	struct fixture *f = *state;
	struct laya_message message = { .type = LAYA_MESSAGE_REGISTER };

	start(f);
	join(f, 0);
	join(f, 1);
	/* node 0 again, on another connection */
	dial_as(f, 2, 0);
	wait_for(&f->loop, f->owners[2].ready);
	assert_int_equal(f->owners[0].closed, 0);
	register_as(f, 2, &message);
	wait_for(&f->loop, f->owners[0].closed);
	assert_int_equal(f->server.stats.replaced, 1);
	assert_int_equal(f->server.registry.n, 2);
	message = sealed(LAYA_MESSAGE_OFFER, 1, &f->nodes[0], "x", 1);
	laya_channel_send(f->owners[1].channel, &message);
	wait_for(&f->loop, f->owners[2].n == 2);
	assert_int_equal(last_message(&f->owners[2])->type,
			 LAYA_MESSAGE_OFFER);
}

static void limits__messages(void **state)
{
	struct fixture *f = *state;
	struct laya_message message;
	uint64_t id;

	f->limits.messages = (struct rate){ .per_second = 0, .burst = 3 };
	start(f);
	join(f, 0);
	join(f, 1);
	for (id = 0; id < 5; id++) {
		message = sealed(LAYA_MESSAGE_OFFER, id, &f->nodes[1], "x", 1);
		laya_channel_send(f->owners[0].channel, &message);
	}
	wait_for(&f->loop, f->owners[0].n == 3);
	assert_error(&f->owners[0], 4, LAYA_MESSAGE_ERROR_RATE_LIMITED);
	wait_for(&f->loop, f->owners[1].n == 4);
	assert_int_equal(f->server.stats.rate_limited, 2);
	/* the other one's limit is its own */
	message = sealed(LAYA_MESSAGE_ANSWER, 7, &f->nodes[0], "x", 1);
	laya_channel_send(f->owners[1].channel, &message);
	wait_for(&f->loop, f->owners[0].n == 4);
}

static void limits__bytes(void **state)
{
	static const uint8_t body[LAYA_MAX_BODY];
	struct fixture *f = *state;
	struct laya_message message;

	f->limits.bytes = (struct rate){ .per_second = 0, .burst = 3000 };
	start(f);
	join(f, 0);
	join(f, 1);
	message = sealed(LAYA_MESSAGE_OFFER, 1, &f->nodes[1], body, 2048);
	laya_channel_send(f->owners[0].channel, &message);
	message.id = 2;
	ask(f, 0, &message);
	assert_error(&f->owners[0], 2, LAYA_MESSAGE_ERROR_RATE_LIMITED);
	wait_for(&f->loop, f->owners[1].n == 2);
}

static void limits__frames(void **state)
{
	struct fixture *f = *state;
	struct laya_message ping = { .type = LAYA_MESSAGE_PING };
	int i;

	f->limits.frames = (struct rate){ .per_second = 0, .burst = 5 };
	start(f);
	join(f, 0);
	for (i = 0; i < 4; i++)
		laya_channel_send(f->owners[0].channel, &ping);
	for (i = 0; i < 50; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->owners[0].closed, 0);
	laya_channel_send(f->owners[0].channel, &ping);
	wait_for(&f->loop, f->owners[0].closed);
	assert_int_equal(f->server.stats.violations, 1);
}

/* One that begins as a channel does, and says no more */
static int raw_begin(struct fixture *f)
{
	int fd = raw_connect(f->port, 0);

	raw_send(fd, "\0\x30", 3);
	return fd;
}

static void limits__connections_of_a_source(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->limits.source_clients = 2;
	start(f);
	join(f, 0);
	join(f, 1);
	fd = raw_begin(f);
	wait_for(&f->loop, raw_ended(fd));
	close(fd);
	assert_int_equal(f->server.stats.refused_source, 1);
	laya_channel_close(f->owners[1].channel);
	f->owners[1].channel = NULL;
	wait_for(&f->loop, f->server.n_clients == 1);
	join(f, 2);
}

static void limits__arrivals_of_a_source(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->limits.arrivals = (struct rate){ .per_second = 0, .burst = 2 };
	start(f);
	join(f, 0);
	join(f, 1);
	laya_channel_close(f->owners[1].channel);
	f->owners[1].channel = NULL;
	fd = raw_begin(f);
	wait_for(&f->loop, raw_ended(fd));
	close(fd);
	assert_int_equal(f->server.stats.refused_source, 1);
}

static void limits__full(void **state)
{
	struct fixture *f = *state;
	int half_open;
	int fd;

	f->limits.clients = 2;
	start(f);
	join(f, 0);
	/* who shows no key makes room */
	half_open = raw_begin(f);
	wait_for(&f->loop, f->server.n_half_open == 1);
	join(f, 1);
	wait_for(&f->loop, raw_ended(half_open));
	close(half_open);
	assert_int_equal(f->server.stats.evicted, 1);
	/* who has shown one does not */
	fd = raw_begin(f);
	wait_for(&f->loop, raw_ended(fd));
	close(fd);
	assert_int_equal(f->server.stats.refused_full, 1);
	assert_int_equal(f->owners[0].closed, 0);
	assert_int_equal(f->owners[1].closed, 0);
}

static void limits__half_open(void **state)
{
	struct fixture *f = *state;
	int fds[4];
	int i;

	f->limits.half_open = 2;
	start(f);
	for (i = 0; i < 4; i++) {
		fds[i] = raw_begin(f);
		wait_for(&f->loop, f->server.stats.accepted == i + 1u);
		assert_true(f->server.n_half_open <= 2);
	}
	/* the oldest went */
	wait_for(&f->loop, raw_ended(fds[0]));
	wait_for(&f->loop, raw_ended(fds[1]));
	assert_false(raw_ended(fds[2]));
	assert_false(raw_ended(fds[3]));
	for (i = 0; i < 4; i++)
		close(fds[i]);
}

static void timeouts__half_open_and_idle(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->limits.handshake_timeout = 50;
	f->limits.idle_timeout = 200;
	start(f);
	fd = raw_begin(f);
	wait_for(&f->loop, raw_ended(fd));
	close(fd);
	assert_int_equal(f->server.stats.no_handshake, 1);
	join(f, 0);
	wait_for(&f->loop, f->owners[0].closed);
	assert_int_equal(f->server.n_clients, 0);
	assert_int_equal(f->server.registry.n, 0);
}

static void timeouts__nothing_said(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->limits.handshake_timeout = 50;
	start(f);
	fd = raw_connect(f->port, 0);
	wait_for(&f->loop, raw_ended(fd));
	close(fd);
	assert_int_equal(laya_listener_stats(f->server.listener)->timed_out, 1);
	assert_int_equal(f->server.stats.accepted, 0);
}

static void limits__nothing_said(void **state)
{
	const struct laya_listener_stats *stats;
	struct fixture *f = *state;
	int fds[4];
	int i;

	f->limits.half_open = 2;
	f->limits.source_unknown = 3;
	start(f);
	stats = laya_listener_stats(f->server.listener);
	for (i = 0; i < 4; i++)
		fds[i] = raw_connect(f->port, 0);
	/* the oldest made room */
	wait_for(&f->loop, stats->evicted == 2);
	wait_for(&f->loop, raw_ended(fds[0]));
	wait_for(&f->loop, raw_ended(fds[1]));
	for (i = 0; i < 4; i++)
		close(fds[i]);
	wait_for(&f->loop, stats->failed == 2);
	/* who says what he wants is served meanwhile */
	join(f, 0);
}

static void limits__nothing_said_by_a_source(void **state)
{
	const struct laya_listener_stats *stats;
	struct fixture *f = *state;
	int fds[3];
	int i;

	f->limits.source_unknown = 2;
	start(f);
	stats = laya_listener_stats(f->server.listener);
	for (i = 0; i < 3; i++)
		fds[i] = raw_connect(f->port, 0);
	wait_for(&f->loop, raw_ended(fds[2]));
	assert_int_equal(stats->refused, 1);
	assert_false(raw_ended(fds[0]));
	assert_false(raw_ended(fds[1]));
	for (i = 0; i < 3; i++)
		close(fds[i]);
	wait_for(&f->loop, stats->failed == 2);
	join(f, 0);
}

/* What came of a dial */
struct dialled {
	bool done;
	int fd;
	struct laya_pump *pump;
	struct laya_dial_evidence evidence;
};

static void on_dialled(struct laya_dial *dial, int fd, struct laya_pump *pump,
		       const struct laya_dial_evidence *evidence, void *data)
{
	struct dialled *dialled = data;

	(void)dial;
	dialled->done = true;
	dialled->fd = fd;
	dialled->pump = pump;
	dialled->evidence = *evidence;
}

static void dial_by(struct fixture *f, enum laya_transport transport,
		    struct dialled *dialled)
{
	const struct laya_dial_ops ops = { .done = on_dialled };
	const struct laya_dial_target target = {
		.host = "127.0.0.1",
		.port = f->port,
		.transport = transport,
		.server_name = "rendezvous.test",
	};
	struct laya_dial_options options;
	struct laya_dial *dial;

	laya_dial_options_default(&options);
	options.proxy = "none";
	dialled->done = false;
	assert_int_equal(laya_dial(&dial, &f->loop, &target, &options, &ops,
				   dialled), 0);
	wait_for(&f->loop, dialled->done);
	if (dialled->fd < 0)
		fail_msg("%s", dialled->evidence.text);
}

static void join_by(struct fixture *f, int i, enum laya_transport transport)
{
	struct laya_message message = { .type = LAYA_MESSAGE_REGISTER };
	struct laya_channel_config config;
	struct dialled dialled;

	dial_by(f, transport, &dialled);
	laya_channel_config_client(&config, LAYA_PROLOGUE_RENDEZVOUS,
				   f->nodes[i].private_key);
	memset(&f->owners[i], 0, sizeof(f->owners[i]));
	assert_int_equal(laya_channel_open(&f->owners[i].channel, &f->loop,
					   &config, dialled.fd, NULL, NULL,
					   f->self.public_key, &owner_ops,
					   &f->owners[i]), 0);
	wait_for(&f->loop, f->owners[i].ready);
	register_as(f, i, &message);
}

static void transports__one_port_takes_all(void **state)
{
	static const enum laya_transport transports[N_OWNERS] = {
		LAYA_TRANSPORT_TCP, LAYA_TRANSPORT_TLS, LAYA_TRANSPORT_WSS,
		LAYA_TRANSPORT_HTTPS,
	};
	struct fixture *f = *state;
	struct laya_address *seen;
	struct laya_message message;
	int i;

	start(f);
	for (i = 0; i < N_OWNERS; i++) {
		join_by(f, i, transports[i]);
		/* where the client is, not the pump's end */
		seen = &f->owners[i].received[0].message.registered.observed;
		assert_int_equal(seen->family, AF_INET);
		assert_int_equal(seen->addr[0], 127);
		assert_int_not_equal(seen->port, 0);
	}
	assert_int_equal(f->server.registry.n, N_OWNERS);
	/* each to the next */
	for (i = 0; i < N_OWNERS; i++) {
		message = sealed(LAYA_MESSAGE_OFFER, i,
				 &f->nodes[(i + 1) % N_OWNERS], "hello", 5);
		assert_int_equal(laya_channel_send(f->owners[i].channel,
						   &message), 0);
	}
	for (i = 0; i < N_OWNERS; i++)
		wait_for(&f->loop, last_message(&f->owners[i])->type ==
				   LAYA_MESSAGE_OFFER);
	/* an end is seen through each of them */
	for (i = 0; i < N_OWNERS; i++) {
		laya_channel_close(f->owners[i].channel);
		f->owners[i].channel = NULL;
		wait_for(&f->loop, f->server.registry.n == N_OWNERS - 1u - i);
	}
}

static void transports__certificate(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/laya-rendezvous-XXXXXX";
	struct dialled dialled;
	char file[64];
	char ca[64];

	assert_non_null(mkdtemp(dir));
	snprintf(ca, sizeof(ca), "%s/ca", dir);
	snprintf(file, sizeof(file), "%s/file", dir);
	make_certificates(ca, "the authority", file, "rendezvous.test");
	f->certificate = file;
	start(f);
	dial_by(f, LAYA_TRANSPORT_TLS, &dialled);
	assert_non_null(strstr(dialled.evidence.tls.issuer, "the authority"));
	close(dialled.fd);
	unlink(ca);
	unlink(file);
	rmdir(dir);
}

static void transports__bad_certificate(void **state)
{
	struct fixture *f = *state;
	struct server server;
	char msg[512];

	assert_int_equal(server_init(&server, &f->loop, f->self.private_key,
				     &f->limits), 0);
	assert_int_equal(server_open(&server, "/dev/null", NULL, NULL, msg,
				     sizeof(msg)), -EINVAL);
	assert_non_null(strstr(msg, "cannot use the certificate in /dev/null"));
	server_close(&server);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	server_free(&server);
}

static void transports__a_web_server_to_others(void **state)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: rendezvous.test\r\n\r\n";
	struct fixture *f = *state;
	char answer[64];
	int fd;

	start(f);
	fd = raw_connect(f->port, 0);
	raw_send(fd, request, strlen(request));
	wait_for(&f->loop, recv(fd, answer, 22, MSG_PEEK) == 22);
	assert_int_equal(recv(fd, answer, sizeof(answer), 0) >= 22, 1);
	assert_memory_equal(answer, "HTTP/1.1 404 Not Found", 22);
	close(fd);
	assert_int_equal(laya_listener_stats(f->server.listener)->not_found, 1);
}

static void lies__cost_only_the_liar(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} lies[] = {
		{ "\0\0", 3 },
		{ "\xff\xff", 3 },
		/* a carrier, which is not for a rendezvous */
		{ "\0\x40\x81", 3 },
		{ "\0\x30" "012345678901234567890123456789012345678901234567",
		  50 },
	};
	struct fixture *f = *state;
	struct laya_message message;
	struct raw raw;
	size_t i;
	int fd;

	start(f);
	join(f, 0);
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fd = raw_connect(f->port, 0);
		raw_send(fd, lies[i].bytes, lies[i].len);
		/* the same for all: closed, without a byte */
		wait_for(&f->loop, raw_ended(fd));
		close(fd);
	}
	/* one that proves a key first */
	raw_open(&f->loop, &raw, f->port, LAYA_PROLOGUE_RENDEZVOUS,
		 &f->nodes[3], f->self.public_key, 0);
	raw_seal(&raw, "\xbf\0\7\2\0\xff", 6);
	wait_for(&f->loop, raw_ended(raw.fd));
	close(raw.fd);
	/* one whose offer is too long */
	raw_open(&f->loop, &raw, f->port, LAYA_PROLOGUE_RENDEZVOUS,
		 &f->nodes[3], f->self.public_key, 0);
	{
		uint8_t *big = calloc(1, LAYA_MESSAGE_MAX + 1);

		assert_non_null(big);
		raw_seal(&raw, big, LAYA_MESSAGE_MAX + 1);
		free(big);
	}
	wait_for(&f->loop, raw_ended(raw.fd));
	close(raw.fd);

	join(f, 1);
	message = sealed(LAYA_MESSAGE_OFFER, 1, &f->nodes[0], "x", 1);
	laya_channel_send(f->owners[1].channel, &message);
	wait_for(&f->loop, f->owners[0].n == 2);
	assert_int_equal(f->server.n_clients, 2);
}

static void slow_reader__loses_messages_not_our_memory(void **state)
{
	static const uint8_t body[LAYA_MAX_BODY];
	struct fixture *f = *state;
	struct laya_message message = { .type = LAYA_MESSAGE_REGISTER };
	unsigned int i;
	struct raw raw;

	f->limits.messages = (struct rate){ 1000000, 1000000 };
	f->limits.frames = f->limits.messages;
	f->limits.bytes = (struct rate){ 4000000000u, 4000000000u };
	start(f);
	join(f, 0);
	raw_open(&f->loop, &raw, f->port, LAYA_PROLOGUE_RENDEZVOUS,
		 &f->nodes[3], f->self.public_key, 4096);
	raw_message(&raw, &message);
	wait_for(&f->loop, f->server.registry.n == 2);

	message = sealed(LAYA_MESSAGE_OFFER, 0, &f->nodes[3], body,
			 sizeof(body));
	for (i = 0; i < 200000 && f->server.stats.queue_full < 10; i++) {
		message.id = i;
		laya_channel_send(f->owners[0].channel, &message);
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	assert_true(f->server.stats.queue_full >= 10);
	wait_for(&f->loop, f->owners[0].n > 1);
	assert_int_equal(last_message(&f->owners[0])->type,
			 LAYA_MESSAGE_ERROR);
	assert_int_equal(last_message(&f->owners[0])->code,
			 LAYA_MESSAGE_ERROR_RATE_LIMITED);
	/* others are served as ever */
	join(f, 1);
	message = sealed(LAYA_MESSAGE_OFFER, 1, &f->nodes[1], "x", 1);
	laya_channel_send(f->owners[0].channel, &message);
	wait_for(&f->loop, f->owners[1].n == 2);
	close(raw.fd);
}

static const struct laya_relays *relays_of(struct owner *owner)
{
	const struct laya_message *message = last_message(owner);

	if (message->type == LAYA_MESSAGE_REGISTERED)
		return &message->registered.relays;
	assert_int_equal(message->type, LAYA_MESSAGE_RELAYS);
	return &message->relays;
}

static void relays__are_told(void **state)
{
	struct fixture *f = *state;
	const struct laya_relays *relays;
	struct laya_message message;
	struct laya_address address;

	start(f);
	join(f, 0);
	open_owner(f, 1);
	message = relay("192.0.2.1:5292");
	register_as(f, 1, &message);
	/* not told of itself */
	assert_int_equal(relays_of(&f->owners[1])->n, 0);
	wait_for(&f->loop, f->owners[0].n == 2);
	relays = relays_of(&f->owners[0]);
	assert_int_equal(relays->n, 1);
	assert_memory_equal(relays->list[0].key, f->nodes[1].public_key, 32);
	laya_address_parse(&address, "192.0.2.1:5292");
	assert_int_equal(relays->list[0].addresses.n, 1);
	assert_true(laya_address_equal(&relays->list[0].addresses.list[0],
				       &address));
	/* who comes later is told at once */
	join(f, 2);
	assert_int_equal(relays_of(&f->owners[2])->n, 1);
	/* it moves */
	message = relay("192.0.2.2:5292");
	assert_int_equal(laya_channel_send(f->owners[1].channel, &message), 0);
	wait_for(&f->loop, f->owners[0].n == 3);
	assert_int_equal(relays_of(&f->owners[0])->list[0]
				 .addresses.list[0].addr[3], 2);
	assert_string_equal(relays_of(&f->owners[0])->list[0].host_name, "");
	/* it gets a name */
	strcpy(message.reg.host_name, "relay.example.org");
	assert_int_equal(laya_channel_send(f->owners[1].channel, &message), 0);
	wait_for(&f->loop, f->owners[0].n == 4);
	assert_string_equal(relays_of(&f->owners[0])->list[0].host_name,
			    "relay.example.org");
	/* it is gone */
	laya_channel_close(f->owners[1].channel);
	f->owners[1].channel = NULL;
	wait_for(&f->loop, f->owners[0].n == 5);
	assert_int_equal(relays_of(&f->owners[0])->n, 0);
}

static void relays__addresses(void **state)
{
	struct fixture *f = *state;
	struct laya_message message;

	start(f);
	open_owner(f, 1);
	/* the observed address is loopback here: nobody could dial it */
	message = relay("0.0.0.0:5292");
	register_as(f, 1, &message);
	message = relay(NULL);
	register_as(f, 1, &message);
	message = relay("127.0.0.1:5292");
	register_as(f, 1, &message);
	assert_true(TAILQ_EMPTY(&f->server.relays));
	message = relay("[2001:db8::1]:5292");
	register_as(f, 1, &message);
	assert_false(TAILQ_EMPTY(&f->server.relays));
	/* and back to being a host */
	message.reg.role = LAYA_ROLE_HOST;
	register_as(f, 1, &message);
	assert_true(TAILQ_EMPTY(&f->server.relays));
}

static void relays__limited_by_source(void **state)
{
	struct fixture *f = *state;
	struct laya_message message = relay("192.0.2.1:5292");
	int i;

	f->limits.source_relays = 2;
	start(f);
	for (i = 0; i < 3; i++) {
		open_owner(f, i);
		register_as(f, i, &message);
	}
	join(f, 3);
	assert_int_equal(relays_of(&f->owners[3])->n, 2);
}

static void relays__changes_are_collected(void **state)
{
	struct fixture *f = *state;
	struct laya_message message;
	unsigned int n;
	int i;

	f->limits.relays_delay = 100;
	start(f);
	join(f, 0);
	open_owner(f, 1);
	n = f->owners[0].n;
	for (i = 0; i < 10; i++) {
		message = relay("192.0.2.1:5292");
		message.reg.addresses.list[0].port += i;
		laya_channel_send(f->owners[1].channel, &message);
	}
	wait_for(&f->loop, f->owners[0].n > n);
	assert_int_equal(f->owners[0].n, n + 1);
	assert_int_equal(relays_of(&f->owners[0])->list[0]
				 .addresses.list[0].port, 5301);
}

static void descriptors__used_up(void **state)
{
	struct fixture *f = *state;
	struct rlimit before;
	struct rlimit few;
	int dups[256];
	int n = 0;
	int fd;

	start(f);
	join(f, 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = 200;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (n < 256 && (dups[n] = dup(0)) >= 0)
		n++;
	assert_true(n > 0 && n < 256);
	{
		struct sockaddr_in sin = {
			.sin_family = AF_INET,
			.sin_port = htons(f->port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};

		assert_int_equal(connect(fd, (struct sockaddr *)&sin,
					 sizeof(sin)), 0);
	}
	/* shed or kept waiting, but the loop does not spin or die */
	wait_for(&f->loop, raw_ended(fd) || f->server.stats.paused > 0);
	assert_int_equal(f->owners[0].closed, 0);
	while (n > 0)
		close(dups[--n]);
	close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	join(f, 1);
}

static void listen__in_use(void **state)
{
	struct fixture *f = *state;
	char msg[256];

	start(f);
	assert_int_equal(server_listen(&f->server,
				       laya_door_address(f->server.doors[0]),
				       msg, sizeof(msg)), -EADDRINUSE);
	assert_non_null(strstr(msg, "127.0.0.1"));
	assert_int_equal(f->server.n_doors, 1);
}

/* The program itself */
static pid_t spawn(char *const argv[], int *err)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	*err = fds[0];
	return pid;
}

static void read_until(int fd, const char *what, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < size) {
		n = read(fd, text + len, size - 1 - len);
		if (n <= 0)
			fail_msg("the program ended without \"%s\"", what);
		len += n;
		text[len] = '\0';
		if (strstr(text, what))
			return;
	}
	fail_msg("no \"%s\" in: %s", what, text);
}

static void program__signals(void **state)
{
	const char *bin = getenv("LAYA_BIN");
	char key_file[] = "/tmp/laya-key-XXXXXX";
	char key[LAYA_KEY_TEXT_SIZE + 1];
	struct fixture *f = *state;
	char path[4096];
	char text[8192];
	char *argv[] = { path, "--listen", "127.0.0.1:0", "--private-key",
			 key_file, "--max-clients", "10", NULL };
	int status;
	pid_t pid;
	int err;
	int fd;

	if (!bin)
		skip();
	snprintf(path, sizeof(path), "%s/laya-rendezvous", bin);
	fd = mkstemp(key_file);
	assert_true(fd >= 0);
	laya_key_encode(key, f->self.private_key);
	strcat(key, "\n");
	assert_int_equal(write(fd, key, strlen(key)), strlen(key));
	close(fd);

	pid = spawn(argv, &err);
	read_until(err, "listening at 127.0.0.1:", text, sizeof(text));
	laya_key_encode(key, f->self.public_key);
	assert_non_null(strstr(text, key));
	f->port = atoi(strstr(text, "127.0.0.1:") + 10);
	join(f, 0);
	kill(pid, SIGUSR1);
	read_until(err, "clients 1 (0 half-open), registered 1", text,
		   sizeof(text));
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	wait_for(&f->loop, f->owners[0].closed);
	close(err);
	unlink(key_file);
}

static void program__bad_options(void **state)
{
	static const struct {
		const char *options;
		const char *says;
	} bad[] = {
		{ "", "--listen ADDR:PORT is missing" },
		{ "-l 127.0.0.1", "want ADDRESS:PORT" },
		{ "-l 127.0.0.1:0", "--private-key FILE is missing" },
		{ "-m 0", "--max-clients 0: want a number" },
		{ "--relay-port 0", "--relay-port 0: want a number from 1" },
		{ "--relay-port 65536", "--relay-port 65536: want a number" },
		{ "--relay-rate 0", "--relay-rate 0: want bytes a second" },
		{ "--relay-rate 1e6", "--relay-rate 1e6: want bytes a second" },
		{ "--relay-name localhost", "want the name of a host" },
		{ "--relay-address 192.0.2.1", "want the ADDRESS:PORT" },
		{ "--relay-address 0.0.0.0:1", "want the ADDRESS:PORT" },
		{ "--relay-address 127.0.0.1:1", "want the ADDRESS:PORT" },
		{ "-l 127.0.0.1:0 -k x --relay-port 1", "want --relay" },
		{ "-l 127.0.0.1:0 -k x --key y", "--key wants --certificate" },
	};
	const char *bin = getenv("LAYA_BIN");
	char command[4096];
	char text[1024];
	FILE *output;
	size_t len;
	size_t i;
	int status;

	(void)state;
	if (!bin)
		skip();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(command, sizeof(command),
			 "%s/laya-rendezvous %s 2>&1", bin, bad[i].options);
		output = popen(command, "r");
		assert_non_null(output);
		len = fread(text, 1, sizeof(text) - 1, output);
		text[len] = '\0';
		status = pclose(output);
		if (!strstr(text, bad[i].says))
			fail_msg("'%s' says: %s", bad[i].options, text);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 2);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(register__tells_the_observed_address),
		TEST(register__newest_wins),
		TEST(route__a_handshake),
		TEST(route__unreachable_is_uniform),
		TEST(route__before_register),
		TEST(route__not_for_a_rendezvous),
		TEST(limits__messages),
		TEST(limits__bytes),
		TEST(limits__frames),
		TEST(limits__connections_of_a_source),
		TEST(limits__arrivals_of_a_source),
		TEST(limits__full),
		TEST(limits__half_open),
		TEST(limits__nothing_said),
		TEST(limits__nothing_said_by_a_source),
		TEST(timeouts__half_open_and_idle),
		TEST(timeouts__nothing_said),
		TEST(transports__one_port_takes_all),
		TEST(transports__certificate),
		TEST(transports__bad_certificate),
		TEST(transports__a_web_server_to_others),
		TEST(lies__cost_only_the_liar),
		TEST(slow_reader__loses_messages_not_our_memory),
		TEST(relays__are_told),
		TEST(relays__addresses),
		TEST(relays__limited_by_source),
		TEST(relays__changes_are_collected),
		TEST(descriptors__used_up),
		TEST(listen__in_use),
		TEST(program__signals),
		cmocka_unit_test(program__bad_options),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("rendezvous", tests, NULL, NULL);
}
