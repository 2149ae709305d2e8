// SPDX-License-Identifier: GPL-2.0
/*
 * The relay's carriers over streams, packet by packet.
 *
 *	dialler --.                .-- host: by UDP, by a stream
 *	stream  ---+--- relay ----+
 *	liar    --'   127.0.0.1
 *
 * All on one loop.
 */
#include "relay_peer.h"

#include <signal.h>

#include "../relay_stream.h"
#include "../server.h"

struct fixture {
	uv_loop_t loop;
	struct node node;
	struct relay_limits limits;
	struct relay *relay;
	struct peer host;
	struct peer_socket *dialler;
	struct laya_address to;
	uint64_t label;
	uint8_t packet[2048];
	int fds[4];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int i;

	assert_non_null(f);
	assert_true(sodium_init() >= 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	make_node(&f->node);
	relay_limits_default(&f->limits);
	for (i = 0; i < 4; i++)
		f->fds[i] = -1;
	*state = f;
	return 0;
}

/* A relay, and a host that is attached to it by UDP and has a label */
static void begin(struct fixture *f)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_LABEL_REQUEST,
		.id = 7,
		.label_request.n = 1,
	};
	static const struct laya_addresses none;
	struct laya_address address;
	unsigned int before;
	char msg[256];

	assert_int_equal(relay_new(&f->relay, &f->loop, f->node.private_key,
				   &f->limits, &none), 0);
	assert_int_equal(relay_open(f->relay, NULL, NULL, NULL, msg,
				    sizeof(msg)), 0);
	assert_int_equal(laya_address_parse(&address, "127.0.0.1:0"), 0);
	assert_int_equal(relay_listen(f->relay, &address, msg, sizeof(msg)),
			 0);
	f->to = address;
	f->to.port = f->relay->port;
	f->dialler = peer_socket_open("127.0.0.1:0");
	peer_init(&f->host, f->relay, "127.0.0.1:0");
	peer_attach(&f->host, &f->loop);
	before = f->host.owner.n;
	memset(message.label_request.keys[0], 1, LAYA_KEY_SIZE);
	assert_int_equal(laya_channel_send(f->host.owner.channel, &message),
			 0);
	wait_for(&f->loop, f->host.owner.n > before);
	f->label = laya_get48(f->host.owner.received[before % MAX_RECEIVED]
				      .message.labels.list[0].label);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 4; i++) {
		if (f->fds[i] >= 0)
			close(f->fds[i]);
	}
	peer_free(&f->host);
	peer_socket_close(f->dialler);
	relay_stop(f->relay);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->relay->n_connections, 0);
	assert_int_equal(f->relay->n_streams, 0);
	relay_free(f->relay);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static void hang_up(struct fixture *f, int i)
{
	unsigned int before = f->relay->n_streams;

	close(f->fds[i]);
	f->fds[i] = -1;
	wait_for(&f->loop, f->relay->n_streams < before);
}

/* What came for the host by UDP, from @before on */
static struct arrived *host_got(struct fixture *f, unsigned int before)
{
	wait_for(&f->loop, peer_poll(&f->host) && f->host.sock->n > before);
	return peer_socket_last(f->host.sock);
}

/* A dialler's first packet, by stream @i */
static void dial_by(struct fixture *f, int i)
{
	unsigned int before = f->host.sock->n;

	f->fds[i] = raw_connect(f->to.port, 0);
	make_packet(f->packet, 100, f->label, 1, 0, i);
	raw_frame(f->fds[i], f->packet, 100);
	host_got(f, before);
}

static void answer(struct fixture *f, uint64_t label, size_t size)
{
	make_packet(f->packet, size, label, 0, 0, 9);
	peer_socket_send(f->host.sock, &f->to, f->packet, size, 0);
}

static void forward__from_a_stream_and_back(void **state)
{
	struct fixture *f = *state;
	uint8_t got[2048];
	uint64_t label;

	begin(f);
	dial_by(f, 0);
	label = slot_of(peer_socket_last(f->host.sock));
	assert_true(label != 0);
	make_packet(f->packet, 100, f->label, 1, label, 0);
	assert_memory_equal(peer_socket_last(f->host.sock)->data, f->packet,
			    100);
	answer(f, label, 120);
	assert_int_equal(raw_receive(&f->loop, f->fds[0], got, sizeof(got)),
			 120);
	assert_memory_equal(got, f->packet, 120);
	/* Another stream is another flow. */
	dial_by(f, 1);
	assert_true(slot_of(peer_socket_last(f->host.sock)) != label);
	/* A stream that is gone is nobody's. */
	hang_up(f, 0);
	assert_int_equal(f->relay->stats.not_sent, 0);
	answer(f, label, 120);
	wait_for(&f->loop, f->relay->stats.not_sent == 1);
}

/* Let the host dial the relay by a stream, too. */
static void attach_by(struct fixture *f, int i)
{
	const struct laya_probe probe = {
		.type = LAYA_PROBE_REQUEST,
		.path_kind = LAYA_PATH_KIND_DIRECT,
		.seq = 1,
		.token = 77,
	};
	uint16_t path = f->host.path + 1;
	uint8_t plain[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];
	struct relay_host *host;
	struct laya_probe got;
	bool replied = false;
	uint8_t bytes[2048];
	size_t len;

	host = relay_host_find(f->relay, f->host.node.public_key);
	f->fds[i] = raw_connect(f->to.port, 32768);
	len = laya_probe_write(plain, &probe, NULL);
	assert_int_equal(relay_session_seal(f->host.session, path, plain, len,
					    bytes, &len), 0);
	raw_frame(f->fds[i], bytes, len);
	while (!relay_endpoint_is_stream(relay_host_endpoint(host))) {
		struct laya_data_header header;

		len = raw_receive(&f->loop, f->fds[i], bytes, sizeof(bytes));
		laya_data_header_read(&header, bytes);
		assert_int_equal(header.path_id, path);
		assert_int_equal(relay_session_open(f->host.session, &header,
						    bytes + LAYA_DATA_HEADER,
						    len - LAYA_DATA_HEADER,
						    plain, &len), 0);
		assert_int_equal(laya_probe_read(&got, plain, len), 0);
		if (got.type == LAYA_PROBE_REPLY) {
			/* The stream's far end: IPv4, and its port */
			assert_int_equal(plain[32], 4);
			assert_int_equal(plain[36], 127);
			replied = true;
			continue;
		}
		got.type = LAYA_PROBE_REPLY;
		len = laya_probe_write(plain, &got, &f->to);
		assert_int_equal(relay_session_seal(f->host.session, path,
						    plain, len, bytes, &len),
				 0);
		raw_frame(f->fds[i], bytes, len);
		wait_for(&f->loop, relay_endpoint_is_stream(
				relay_host_endpoint(host)));
	}
	assert_true(replied);
}

static void attach__by_a_stream(void **state)
{
	struct fixture *f = *state;
	uint8_t got[2048];
	unsigned int before;

	begin(f);
	attach_by(f, 0);
	make_packet(f->packet, 1000, f->label, 0, 0, 77);
	peer_socket_send(f->dialler, &f->to, f->packet, 1000, 0);
	assert_int_equal(raw_receive(&f->loop, f->fds[0], got, sizeof(got)),
			 1000);
	assert_memory_equal(got, f->packet, 1000);
	/* When it ends, what is left of the host's paths is used. */
	hang_up(f, 0);
	before = f->host.sock->n;
	peer_socket_send(f->dialler, &f->to, f->packet, 1000, 0);
	assert_memory_equal(host_got(f, before)->data, f->packet, 1000);
}

/* Without a look ahead, for which a full buffer has no room */
static void receive_all(struct fixture *f, int fd, uint8_t *bytes, size_t len)
{
	size_t fill = 0;

	while (fill < len) {
		wait_for(&f->loop, recv(fd, bytes + fill, 1,
					MSG_PEEK | MSG_DONTWAIT) == 1);
		fill += recv(fd, bytes + fill, len - fill, MSG_DONTWAIT);
	}
}

static void stream__that_does_not_read(void **state)
{
	struct fixture *f = *state;
	uint8_t got[2048];
	unsigned int i;

	f->limits.table.rate = (struct rate){ 4000000000u, 4000000000u };
	begin(f);
	attach_by(f, 0);
	make_packet(f->packet, 1000, f->label, 0, 0, 77);
	for (i = 0; i < 200000 && f->relay->stats.not_sent == 0; i++) {
		peer_socket_send(f->dialler, &f->to, f->packet, 1000, 0);
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	assert_true(f->relay->stats.not_sent > 0);
	/* What is not dropped is whole. */
	for (i -= f->relay->stats.not_sent; i > 0; i--) {
		receive_all(f, f->fds[0], got, 1002);
		assert_int_equal(laya_get16(got), 1000);
		assert_memory_equal(got + 2, f->packet, 1000);
	}
}

static void stream__lies(void **state)
{
	static const uint8_t nothing[2];
	struct fixture *f = *state;

	begin(f);
	/* no frame */
	dial_by(f, 0);
	raw_send(f->fds[0], nothing, sizeof(nothing));
	wait_for(&f->loop, raw_ended(f->fds[0]));
	/* nothing that is Laya's */
	dial_by(f, 1);
	memset(f->packet, 0, 100);
	raw_frame(f->fds[1], f->packet, 100);
	wait_for(&f->loop, f->relay->stats.malformed == 1);
	assert_false(raw_ended(f->fds[1]));
	/* a frame that ends in the middle */
	raw_send(f->fds[1], "\x10\0x", 3);
	hang_up(f, 1);
}

static void stream__too_many(void **state)
{
	struct fixture *f = *state;

	f->limits.streams = 2;
	begin(f);
	dial_by(f, 0);
	dial_by(f, 1);
	f->fds[2] = raw_connect(f->to.port, 0);
	make_packet(f->packet, 100, f->label, 1, 0, 2);
	raw_frame(f->fds[2], f->packet, 100);
	wait_for(&f->loop, raw_ended(f->fds[2]));
	hang_up(f, 0);
	dial_by(f, 3);
}

static void stream__silent(void **state)
{
	struct fixture *f = *state;

	begin(f);
	dial_by(f, 0);
	dial_by(f, 1);
	relay_stream_care(f->relay);
	assert_int_equal(f->relay->n_streams, 2);
	/* What is nobody's keeps no stream. */
	relay_turn(f->relay);
	f->relay->now += RELAY_LABEL_LIFE_MS;
	relay_stream_care(f->relay);
	assert_int_equal(f->relay->n_streams, 0);
	wait_for(&f->loop, raw_ended(f->fds[0]));
}

/* One port for everything */
static void server__takes_them_as_well(void **state)
{
	struct fixture *f = *state;
	struct server server;
	struct limits limits;
	struct laya_address address;
	struct peer other;
	char msg[256];

	begin(f);
	limits_default(&limits);
	assert_int_equal(server_init(&server, &f->loop, f->node.private_key,
				     &limits), 0);
	server_relay(&server, f->relay, NULL);
	assert_int_equal(server_open(&server, NULL, NULL, NULL, msg,
				     sizeof(msg)), 0);
	assert_int_equal(laya_address_parse(&address, "127.0.0.1:0"), 0);
	assert_int_equal(server_listen(&server, &address, msg, sizeof(msg)),
			 0);
	peer_init(&other, f->relay, "127.0.0.1:0");
	other.to = *laya_door_address(server.doors[0]);
	peer_connect(&other, &f->loop, LAYA_PROLOGUE_ATTACH);
	other.to = f->to;
	peer_attach(&other, &f->loop);
	assert_non_null(relay_host_find(f->relay, other.node.public_key));
	assert_int_equal(server.registry.n, 0);

	f->to = *laya_door_address(server.doors[0]);
	dial_by(f, 0);
	assert_int_equal(f->relay->n_streams, 1);
	peer_free(&other);
	server_close(&server);
	relay_stop(f->relay);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	server_free(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forward__from_a_stream_and_back),
		TEST(attach__by_a_stream),
		TEST(stream__that_does_not_read),
		TEST(stream__lies),
		TEST(stream__too_many),
		TEST(stream__silent),
		TEST(server__takes_them_as_well),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("relay_stream", tests, NULL, NULL);
}
