// SPDX-License-Identifier: GPL-2.0
/*
 * Streams over UDP: as pure packets, and whole, over a network that loses.
 *
 *	dial --- box --- listener
 *
 * The box is a NAT on loopback: it has a socket towards the client, and one
 * towards the server, which it may exchange for another.
 */
#include <arpa/inet.h>

#include "loop_wait.h"

#include "../dial.h"
#include "../listen.h"
#include "../udp_stream.h"

#define MAX_ACCEPTED	4
#define LEN		20000

struct box {
	int client;		/* where the client sends to */
	int server;		/* from where it goes to the server */
	uv_poll_t client_poll;
	uv_poll_t server_poll;
	struct sockaddr_in client_at;
	struct sockaddr_in server_at;
	uint16_t port;
	unsigned int lose;	/* one of so many; 0 none */
	unsigned int twice;
	unsigned int late;	/* behind the next one */
	uint32_t random;
	bool dead;
	uint8_t held[2048];
	ssize_t held_len;
	unsigned int packets;
};

struct fixture {
	uv_loop_t loop;
	struct laya_listener *listener;
	struct laya_listener_config config;
	uint16_t port;
	struct laya_accepted accepted[MAX_ACCEPTED];
	unsigned int n_accepted;
	struct laya_dial *dial;
	bool done;
	int fd;
	struct laya_pump *pump;
	struct laya_dial_evidence evidence;
	struct box box;
};

static const uint8_t channel_first[] = { 0, 0x30, 1, 2, 3, 4, 5, 6 };
static const uint8_t carrier_first[] = { 0, 64, 0x81, 0, 7, 7, 7, 7 };

static void on_accepted(struct laya_listener *listener,
			const struct laya_accepted *accepted, void *data)
{
	struct fixture *f = data;

	assert_ptr_equal(listener, f->listener);
	assert_true(f->n_accepted < MAX_ACCEPTED);
	f->accepted[f->n_accepted++] = *accepted;
}

static const struct laya_listener_ops listener_ops = {
	.accepted = on_accepted,
};

static int bound_socket(struct sockaddr_in *sin)
{
	socklen_t size = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)sin, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sin, &size), 0);
	return fd;
}

static uint16_t free_port(void)
{
	struct sockaddr_in sin;

	close(bound_socket(&sin));
	return ntohs(sin.sin_port);
}

static void open_listener(struct fixture *f)
{
	struct laya_address address = {
		.family = AF_INET,
		.port = f->port,
		.addr = { 127, 0, 0, 1 },
	};
	char msg[256];
	int ret;

	ret = laya_listener_open(&f->listener, &f->loop, &f->config,
				 &listener_ops, f, msg, sizeof(msg));
	if (ret)
		fail_msg("%s", msg);
	assert_int_equal(laya_listener_udp(f->listener, &address), 0);
}

static bool chance(struct box *box, unsigned int of)
{
	box->random = box->random * 1664525 + 1013904223;
	return of && (box->random >> 8) % of == 0;
}

static void pass(struct box *box, bool up, const uint8_t *bytes, size_t len)
{
	const struct sockaddr_in *to = up ? &box->server_at : &box->client_at;

	sendto(up ? box->server : box->client, bytes, len, 0,
	       (const struct sockaddr *)to, sizeof(*to));
}

/* Only packets upwards are held back; that is enough to mix them. */
static void box_take(struct box *box, bool up, const uint8_t *bytes, size_t len)
{
	box->packets++;
	if (box->dead || chance(box, box->lose))
		return;
	if (up && box->held_len == 0 && chance(box, box->late)) {
		memcpy(box->held, bytes, len);
		box->held_len = len;
		return;
	}
	pass(box, up, bytes, len);
	if (chance(box, box->twice))
		pass(box, up, bytes, len);
	if (up && box->held_len > 0) {
		pass(box, true, box->held, box->held_len);
		box->held_len = 0;
	}
}

static void on_box(uv_poll_t *poll, int status, int events)
{
	struct box *box = poll->data;
	bool up = poll == &box->client_poll;
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint8_t bytes[2048];
	ssize_t n;

	(void)events;
	assert_int_equal(status, 0);
	n = recvfrom(up ? box->client : box->server, bytes, sizeof(bytes), 0,
		     (struct sockaddr *)&from, &size);
	if (n < 0)
		return;
	if (up)
		box->client_at = from;
	box_take(box, up, bytes, n);
}

static void box_poll(struct fixture *f, uv_poll_t *poll, int fd)
{
	uv_poll_init(&f->loop, poll, fd);
	poll->data = &f->box;
	uv_poll_start(poll, UV_READABLE, on_box);
}

static void open_box(struct fixture *f)
{
	struct sockaddr_in sin;

	f->box.random = 1;
	f->box.client = bound_socket(&sin);
	f->box.port = ntohs(sin.sin_port);
	f->box.server = bound_socket(&sin);
	f->box.server_at = sin;
	f->box.server_at.sin_port = htons(f->port);
	box_poll(f, &f->box.client_poll, f->box.client);
	box_poll(f, &f->box.server_poll, f->box.server);
}

/* The NAT has forgotten the flow: another port from now on */
static void box_move(struct fixture *f)
{
	struct sockaddr_in sin;
	int other = bound_socket(&sin);

	uv_poll_stop(&f->box.server_poll);
	assert_int_equal(dup2(other, f->box.server), f->box.server);
	close(other);
	uv_close((uv_handle_t *)&f->box.server_poll, NULL);
	while (uv_is_active((uv_handle_t *)&f->box.server_poll))
		uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	box_poll(f, &f->box.server_poll, f->box.server);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	assert_true(sodium_init() >= 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	f->port = free_port();
	laya_listener_config_default(&f->config);
	open_listener(f);
	open_box(f);
	f->fd = -1;
	return 0;
}

static void close_accepted(struct fixture *f)
{
	unsigned int i;

	for (i = 0; i < f->n_accepted; i++) {
		if (f->accepted[i].fd >= 0)
			close(f->accepted[i].fd);
	}
	f->n_accepted = 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close_accepted(f);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dial)
		laya_dial_close(f->dial);
	/* It would try for a while to say its last words. */
	if (f->pump)
		laya_pump_close(f->pump);
	if (f->listener)
		laya_listener_close(f->listener);
	uv_poll_stop(&f->box.client_poll);
	uv_poll_stop(&f->box.server_poll);
	uv_close((uv_handle_t *)&f->box.client_poll, NULL);
	uv_close((uv_handle_t *)&f->box.server_poll, NULL);
	close(f->box.client);
	close(f->box.server);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static void on_pump_closed(struct laya_pump *pump, int error, void *data)
{
	struct fixture *f = data;

	assert_ptr_equal(pump, f->pump);
	(void)error;
	f->pump = NULL;
}

static void on_done(struct laya_dial *dial, int fd, struct laya_pump *pump,
		    const struct laya_dial_evidence *evidence, void *data)
{
	struct fixture *f = data;

	assert_ptr_equal(dial, f->dial);
	assert_int_equal(!pump, fd < 0);
	f->dial = NULL;
	f->done = true;
	f->fd = fd;
	f->pump = pump;
	f->evidence = *evidence;
	if (pump)
		laya_pump_watch(pump, on_pump_closed, f);
}

static const struct laya_dial_ops dial_ops = { .done = on_done };

static void dial(struct fixture *f, uint16_t port)
{
	const struct laya_dial_target target = {
		.host = "127.0.0.1",
		.port = port,
		.transport = LAYA_TRANSPORT_UDP,
	};
	struct laya_dial_options options;

	laya_dial_options_default(&options);
	options.proxy = "none";
	f->done = false;
	assert_int_equal(laya_dial(&f->dial, &f->loop, &target, &options,
				   &dial_ops, f), 0);
	wait_for(&f->loop, f->done);
}

static void say(int fd, const uint8_t *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void connect_both(struct fixture *f)
{
	unsigned int before = f->n_accepted;

	dial(f, f->box.port);
	if (f->fd < 0)
		fail_msg("%s", f->evidence.text);
	assert_int_equal(f->evidence.step, LAYA_DIAL_DONE);
	say(f->fd, channel_first, sizeof(channel_first));
	wait_for(&f->loop, f->n_accepted > before);
	assert_int_equal(f->accepted[before].transport, LAYA_TRANSPORT_UDP);
	assert_int_equal(f->accepted[before].kind, LAYA_ACCEPTED_CHANNEL);
	assert_int_equal(f->accepted[before].local.port, f->port);
}

/* @len bytes come as they were sent, after @before others */
struct flow {
	int from;
	int to;
	size_t sent;
	size_t received;
	uint8_t seed;
};

static uint8_t byte_at(const struct flow *flow, size_t at)
{
	return (at * 2654435761u >> 13) ^ flow->seed;
}

static bool flow_has_come(struct flow *flow, size_t len)
{
	uint8_t bytes[1000];
	ssize_t n;
	ssize_t i;

	for (i = 0; i < (ssize_t)sizeof(bytes); i++)
		bytes[i] = byte_at(flow, flow->sent + i);
	n = len - flow->sent < sizeof(bytes) ? len - flow->sent : sizeof(bytes);
	if (n > 0)
		n = send(flow->from, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		flow->sent += n;
	while ((n = recv(flow->to, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		for (i = 0; i < n; i++)
			assert_int_equal(bytes[i],
					 byte_at(flow, flow->received + i));
		flow->received += n;
	}
	return flow->received == len;
}

static void skip_first(struct fixture *f)
{
	uint8_t bytes[sizeof(channel_first)];

	assert_int_equal(recv(f->accepted[0].fd, bytes, sizeof(bytes), 0),
			 sizeof(bytes));
	assert_memory_equal(bytes, channel_first, sizeof(bytes));
}

static void both_ways(struct fixture *f, struct flow *up, struct flow *down,
		      size_t len)
{
	up->from = f->fd;
	up->to = f->accepted[0].fd;
	up->seed = 1;
	down->from = f->accepted[0].fd;
	down->to = f->fd;
	down->seed = 2;
	wait_for(&f->loop, flow_has_come(up, len) + flow_has_come(down, len) ==
		 2);
}

/* --- packets --- */

static void packet__round_trip(void **state)
{
	struct laya_udp_packet packet = {
		.id = 0x0123456789abcdefull,
		.offset = 0xfffffff0,
		.ack = 77,
	};
	uint8_t data[LAYA_UDP_DATA_MAX + 1];
	uint8_t bytes[LAYA_UDP_PACKET_MAX];
	struct laya_udp_packet read;
	size_t len;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	memset(packet.cookie, 0xc0, sizeof(packet.cookie));
	for (packet.kind = LAYA_UDP_HELLO; packet.kind <= LAYA_UDP_CLOSE;
	     packet.kind++) {
		packet.data = data;
		packet.len = packet.kind == LAYA_UDP_HELLO ||
			     packet.kind == LAYA_UDP_DATA ?
			     LAYA_UDP_DATA_MAX : 0;
		len = laya_udp_packet_write(bytes, &packet);
		assert_true(len <= LAYA_UDP_PACKET_MAX);
		assert_int_equal(laya_udp_packet_read(&read, bytes, len), 0);
		assert_int_equal(read.kind, packet.kind);
		assert_true(read.id == packet.id);
		assert_int_equal(read.offset, packet.offset);
		assert_int_equal(read.ack, packet.ack);
		assert_int_equal(read.len, packet.len);
		assert_memory_equal(read.data, data, read.len);
	}
}

static void packet__malformed(void **state)
{
	const struct laya_udp_packet hello = { .kind = LAYA_UDP_HELLO };
	const struct laya_udp_packet ping = { .kind = LAYA_UDP_PING };
	uint8_t bytes[LAYA_UDP_PACKET_MAX + 2] = { 0 };
	struct laya_udp_packet read;
	size_t len;

	(void)state;
	len = laya_udp_packet_write(bytes, &hello);
	while (len-- > 0)
		assert_int_equal(laya_udp_packet_read(&read, bytes, len),
				 -EBADMSG);
	assert_int_equal(laya_udp_packet_read(&read, bytes,
					      LAYA_UDP_PACKET_MAX), 0);
	assert_int_equal(laya_udp_packet_read(&read, bytes,
					      LAYA_UDP_PACKET_MAX + 1),
			 -EBADMSG);
	len = laya_udp_packet_write(bytes, &ping);
	assert_int_equal(laya_udp_packet_read(&read, bytes, len + 1), -EBADMSG);
	bytes[1] = 0;
	assert_int_equal(laya_udp_packet_read(&read, bytes, len), -EBADMSG);
	bytes[1] = LAYA_UDP_CLOSE + 1;
	assert_int_equal(laya_udp_packet_read(&read, bytes, len), -EBADMSG);
	bytes[1] = LAYA_UDP_PING;
	bytes[3] = 1;
	assert_int_equal(laya_udp_packet_read(&read, bytes, len), -EBADMSG);
	bytes[3] = 0;
	bytes[0] = 0x81;
	assert_int_equal(laya_udp_packet_read(&read, bytes, len), -EBADMSG);
}

/* --- the server, packet by packet --- */

struct served {
	uv_loop_t loop;
	struct laya_udp_server *server;
	struct laya_udp_end end;
	unsigned int answers;
	size_t answer_len;
	struct laya_udp_packet answer;
	uint8_t bytes[LAYA_UDP_PACKET_MAX];
	unsigned int opened;
	int fd;
};

static void served_send(const struct laya_udp_end *to, const uint8_t *bytes,
			size_t len)
{
	struct served *s = to->socket;

	s->answers++;
	s->answer_len = len;
	memcpy(s->bytes, bytes, len);
	assert_int_equal(laya_udp_packet_read(&s->answer, s->bytes, len), 0);
}

static void served_opened(struct laya_udp_server *server, int fd,
			  struct laya_pump *pump,
			  const struct laya_udp_end *end, void *data)
{
	struct served *s = data;

	(void)server;
	(void)pump;
	(void)end;
	s->opened++;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
}

static const struct laya_udp_server_ops served_ops = {
	.opened = served_opened,
};

static int serve(void **state)
{
	struct served *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_true(sodium_init() >= 0);
	*state = s;
	uv_loop_init(&s->loop);
	assert_int_equal(laya_udp_server_new(&s->server, &s->loop, 8, 4,
					     &served_ops, s), 0);
	s->end.send = served_send;
	s->end.socket = s;
	s->end.remote.family = AF_INET;
	s->end.remote.port = 1234;
	s->end.remote.addr[0] = 192;
	s->end.local = s->end.remote;
	s->fd = -1;
	return 0;
}

static int serve_no_more(void **state)
{
	struct served *s = *state;

	laya_udp_server_free(s->server);
	if (s->fd >= 0)
		close(s->fd);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	free(s);
	return 0;
}

/* Return: how many answers it got, none of which was longer than twice that. */
static unsigned int give(struct served *s, const uint8_t *bytes, size_t len)
{
	unsigned int before = s->answers;

	laya_udp_server_receive(s->server, &s->end, bytes, len);
	if (s->answers > before)
		assert_true(s->answer_len <= 2 * len);
	return s->answers - before;
}

static unsigned int give_packet(struct served *s,
				const struct laya_udp_packet *packet)
{
	uint8_t bytes[LAYA_UDP_PACKET_MAX];

	return give(s, bytes, laya_udp_packet_write(bytes, packet));
}

static void ask_cookie(struct served *s, struct laya_udp_packet *hello)
{
	memset(hello, 0, sizeof(*hello));
	hello->kind = LAYA_UDP_HELLO;
	hello->id = 42;
	assert_int_equal(give_packet(s, hello), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_COOKIE);
	assert_true(s->answer.id == hello->id);
	memcpy(hello->cookie, s->answer.cookie, LAYA_UDP_COOKIE_SIZE);
	hello->data = channel_first;
	hello->len = sizeof(channel_first);
}

/* From any address, whatever it says: nothing is kept. */
static void server__no_state_before_a_cookie(void **state)
{
	struct served *s = *state;
	struct laya_udp_packet packet = { .data = channel_first };
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		memcpy(s->end.remote.addr, &i, sizeof(i));
		randombytes_buf(&packet.id, sizeof(packet.id));
		randombytes_buf(packet.cookie, sizeof(packet.cookie));
		packet.kind = i % (LAYA_UDP_CLOSE + 1);
		packet.len = packet.kind == LAYA_UDP_HELLO ||
			     packet.kind == LAYA_UDP_DATA ? i % 8 : 0;
		assert_true(give_packet(s, &packet) <= 1);
	}
	assert_int_equal(laya_udp_server_streams(s->server), 0);
	assert_int_equal(s->opened, 0);
}

static void server__random_bytes(void **state)
{
	struct served *s = *state;
	uint8_t bytes[700];
	unsigned int i;
	size_t len;

	for (i = 0; i < 20000; i++) {
		len = randombytes_uniform(sizeof(bytes));
		randombytes_buf(bytes, sizeof(bytes));
		if (i % 2 == 0) {
			bytes[0] = LAYA_UDP_TYPE;
			bytes[1] %= LAYA_UDP_CLOSE + 2;
			bytes[2] = 0;
			bytes[3] = 0;
			assert_true(give(s, bytes, len) <= 1);
		} else if (bytes[0] != LAYA_UDP_TYPE) {
			assert_int_equal(give(s, bytes, len), 0);
		}
	}
	assert_int_equal(laya_udp_server_streams(s->server), 0);
}

/* One address' cookie is none at another, nor for another stream. */
static void server__cookie_is_of_its_address(void **state)
{
	struct served *s = *state;
	struct laya_udp_packet hello;

	ask_cookie(s, &hello);
	s->end.remote.port++;
	assert_int_equal(give_packet(s, &hello), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_COOKIE);
	s->end.remote.port--;
	hello.id++;
	assert_int_equal(give_packet(s, &hello), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_COOKIE);
	assert_int_equal(s->opened, 0);
	hello.id--;
	assert_int_equal(give_packet(s, &hello), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_DATA);
	assert_int_equal(s->answer.ack, sizeof(channel_first));
	assert_int_equal(s->opened, 1);
	/* It comes twice: there is one all the same. */
	assert_int_equal(give_packet(s, &hello), 1);
	assert_int_equal(s->answer.ack, sizeof(channel_first));
	assert_int_equal(laya_udp_server_streams(s->server), 1);
}

/* Who knows a stream's number has it sent nowhere else. */
static void server__moves_only_with_a_cookie(void **state)
{
	struct served *s = *state;
	struct laya_udp_packet hello;
	struct laya_udp_packet data = { .kind = LAYA_UDP_DATA, .id = 42 };

	ask_cookie(s, &hello);
	give_packet(s, &hello);
	data.offset = sizeof(channel_first);
	data.data = channel_first;
	data.len = 4;
	s->end.remote.port++;
	assert_int_equal(give_packet(s, &data), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_COOKIE);
	/* A close from there is nobody's. */
	data.kind = LAYA_UDP_CLOSE;
	data.len = 0;
	assert_int_equal(give_packet(s, &data), 0);
	assert_int_equal(laya_udp_server_streams(s->server), 1);
	memcpy(hello.cookie, s->answer.cookie, LAYA_UDP_COOKIE_SIZE);
	hello.offset = sizeof(channel_first);
	hello.len = 4;
	assert_int_equal(give_packet(s, &hello), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_DATA);
	assert_int_equal(s->answer.ack, sizeof(channel_first) + 4);
	assert_int_equal(s->opened, 1);
	data.kind = LAYA_UDP_CLOSE;
	assert_int_equal(give_packet(s, &data), 0);
	assert_int_equal(laya_udp_server_streams(s->server), 0);
}

static void server__refuses_what_it_does_not_know(void **state)
{
	struct served *s = *state;
	struct laya_udp_packet ping = { .kind = LAYA_UDP_PING, .id = 7 };
	struct laya_udp_packet hello;

	assert_int_equal(give_packet(s, &ping), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_CLOSE);
	/* A stream that was another server's does not begin in its middle. */
	ask_cookie(s, &hello);
	hello.offset = 100;
	assert_int_equal(give_packet(s, &hello), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_CLOSE);
	hello.offset = 0;
	hello.len = 0;
	assert_int_equal(give_packet(s, &hello), 1);
	assert_int_equal(s->answer.kind, LAYA_UDP_CLOSE);
	assert_int_equal(s->opened, 0);
}

static void server__limits(void **state)
{
	struct served *s = *state;
	struct laya_udp_packet hello;
	unsigned int i;

	/* Of one source; then of all */
	for (i = 0; i < 12; i++) {
		s->end.remote.addr[3] = i / 6;
		ask_cookie(s, &hello);
		hello.id = 1000 + i;
		hello.len = 0;
		give_packet(s, &hello);
		memcpy(hello.cookie, s->answer.cookie, LAYA_UDP_COOKIE_SIZE);
		hello.len = sizeof(channel_first);
		give_packet(s, &hello);
		assert_int_equal(s->answer.kind, i % 6 < 4 ? LAYA_UDP_DATA :
				 LAYA_UDP_CLOSE);
	}
	assert_int_equal(laya_udp_server_streams(s->server), 8);
	s->end.remote.addr[3] = 9;
	ask_cookie(s, &hello);
	give_packet(s, &hello);
	assert_int_equal(s->answer.kind, LAYA_UDP_CLOSE);
}

/* What is beyond a gap, or was never sent, changes nothing. */
static void server__order(void **state)
{
	struct served *s = *state;
	struct laya_udp_packet data = {
		.kind = LAYA_UDP_DATA,
		.id = 42,
		.data = channel_first,
		.len = 4,
	};
	struct laya_udp_packet hello;
	uint8_t bytes[32];

	ask_cookie(s, &hello);
	give_packet(s, &hello);
	data.offset = sizeof(channel_first) + 4;
	give_packet(s, &data);
	assert_int_equal(s->answer.ack, sizeof(channel_first));
	data.ack = 5000;
	data.offset = sizeof(channel_first) - 2;
	give_packet(s, &data);
	assert_int_equal(s->answer.ack, sizeof(channel_first) + 2);
	assert_int_equal(s->answer.offset, 0);
	assert_int_equal(recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT),
			 sizeof(channel_first) + 2);
	assert_memory_equal(bytes + sizeof(channel_first), channel_first + 2,
			    2);
}

/* --- whole --- */

static void stream__whole(void **state)
{
	struct fixture *f = *state;
	struct flow down = { 0 };
	struct flow up = { 0 };

	connect_both(f);
	skip_first(f);
	both_ways(f, &up, &down, 10 * LEN);
	/* Last words come, and then the end. */
	say(f->fd, channel_first, sizeof(channel_first));
	close(f->fd);
	f->fd = -1;
	wait_for(&f->loop, recv(f->accepted[0].fd, &up, 1, MSG_PEEK) == 1);
	skip_first(f);
	wait_for(&f->loop, raw_ended(f->accepted[0].fd));
}

static void stream__server_closes(void **state)
{
	struct fixture *f = *state;

	connect_both(f);
	close(f->accepted[0].fd);
	f->accepted[0].fd = -1;
	wait_for(&f->loop, raw_ended(f->fd));
}

static void stream__lost_doubled_and_mixed(void **state)
{
	struct fixture *f = *state;
	struct flow down = { 0 };
	struct flow up = { 0 };

	f->box.lose = 8;
	f->box.twice = 7;
	f->box.late = 5;
	connect_both(f);
	skip_first(f);
	both_ways(f, &up, &down, LEN / 4);
}

/* The NAT before the client forgets it, or it is in another network. */
static void stream__address_changes(void **state)
{
	struct fixture *f = *state;
	struct flow down = { 0 };
	struct flow up = { 0 };

	connect_both(f);
	skip_first(f);
	both_ways(f, &up, &down, LEN);
	box_move(f);
	both_ways(f, &up, &down, 2 * LEN);
	assert_int_equal(f->n_accepted, 1);
}

/* A server that knows nothing of it says so, and nobody waits. */
static void stream__server_restarts(void **state)
{
	struct fixture *f = *state;

	connect_both(f);
	f->box.dead = true;
	close_accepted(f);
	laya_listener_close(f->listener);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	open_listener(f);
	f->box.dead = false;
	say(f->fd, channel_first, sizeof(channel_first));
	wait_for(&f->loop, raw_ended(f->fd));
}

static void stream__for_channels_alone(void **state)
{
	struct fixture *f = *state;

	dial(f, f->box.port);
	say(f->fd, carrier_first, sizeof(carrier_first));
	wait_for(&f->loop, raw_ended(f->fd));
	assert_int_equal(f->n_accepted, 0);
	assert_int_equal(laya_listener_stats(f->listener)->unknown, 1);
}

static void dial__nobody_there(void **state)
{
	struct fixture *f = *state;

	dial(f, free_port());
	assert_int_equal(f->fd, -ECONNREFUSED);
	assert_non_null(strstr(f->evidence.text, "by UDP: Connection refused"));
	assert_int_equal(f->evidence.n_tried, 1);
}

static void dial__given_up(void **state)
{
	struct fixture *f = *state;
	const struct laya_dial_target target = {
		.host = "127.0.0.1",
		.port = f->box.port,
		.transport = LAYA_TRANSPORT_UDP,
	};
	struct laya_dial_options options;

	f->box.dead = true;
	laya_dial_options_default(&options);
	options.timeout = 700;
	assert_int_equal(laya_dial(&f->dial, &f->loop, &target, &options,
				   &dial_ops, f), 0);
	wait_for(&f->loop, f->done);
	assert_int_equal(f->fd, -ETIMEDOUT);
	assert_non_null(strstr(f->evidence.text, "no answer"));
	assert_true(f->box.packets >= 1);
}

#define SERVED(name) \
	cmocka_unit_test_setup_teardown(name, serve, serve_no_more)
#define WHOLE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet__round_trip),
		cmocka_unit_test(packet__malformed),
		SERVED(server__no_state_before_a_cookie),
		SERVED(server__random_bytes),
		SERVED(server__cookie_is_of_its_address),
		SERVED(server__moves_only_with_a_cookie),
		SERVED(server__refuses_what_it_does_not_know),
		SERVED(server__limits),
		SERVED(server__order),
		WHOLE(stream__whole),
		WHOLE(stream__server_closes),
		WHOLE(stream__lost_doubled_and_mixed),
		WHOLE(stream__address_changes),
		WHOLE(stream__server_restarts),
		WHOLE(stream__for_channels_alone),
		WHOLE(dial__nobody_there),
		WHOLE(dial__given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
