// SPDX-License-Identifier: GPL-2.0
#include "loop_wait.h"

#define PROLOGUE	LAYA_PROLOGUE_ATTACH

/* A server that takes one channel after the other, all with one owner each */
struct fixture {
	bool is_asked;		/* the server has an answer to who asks for its key */
	uv_loop_t loop;
	uv_tcp_t listener;
	bool listening;
	uint16_t port;
	char port_text[6];
	struct node server;
	struct node client;
	struct laya_channel_config server_config;
	struct laya_channel_config client_config;
	unsigned int n_accepted;
	struct owner accepted[8];
	struct owner owner;
};

static bool tells_key;

static bool on_asked(struct laya_channel *channel, void *data)
{
	(void)channel;
	(void)data;
	return tells_key;
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct fixture *f = stream->data;
	struct owner *owner = &f->accepted[f->n_accepted++ % 8];
	struct laya_channel_ops ops = owner_ops;

	assert_int_equal(status, 0);
	if (f->is_asked)
		ops.asked = on_asked;
	assert_int_equal(laya_channel_accept(&owner->channel, stream,
					     &f->server_config, &ops, owner),
			 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int size = sizeof(sin);

	assert_non_null(f);
	*state = f;
	assert_int_equal(uv_loop_init(&f->loop), 0);
	make_node(&f->server);
	make_node(&f->client);
	laya_channel_config_server(&f->server_config, PROLOGUE,
				   f->server.private_key);
	laya_channel_config_client(&f->client_config, PROLOGUE,
				   f->client.private_key);
	f->client_config.ping_interval = 0;
	uv_tcp_init(&f->loop, &f->listener);
	f->listener.data = f;
	uv_tcp_bind(&f->listener, (struct sockaddr *)&sin, 0);
	assert_int_equal(uv_listen((uv_stream_t *)&f->listener, 8,
				   on_connection), 0);
	uv_tcp_getsockname(&f->listener, (struct sockaddr *)&sin, &size);
	f->port = ntohs(sin.sin_port);
	snprintf(f->port_text, sizeof(f->port_text), "%u", f->port);
	f->listening = true;
	return 0;
}

/* Whatever a test left, the loop runs out of work, and nothing leaks. */
static int teardown(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		if (f->accepted[i].channel)
			laya_channel_close(f->accepted[i].channel);
	}
	if (f->owner.channel)
		laya_channel_close(f->owner.channel);
	if (f->listening)
		uv_close((uv_handle_t *)&f->listener, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static void dial(struct fixture *f, const char *host)
{
	assert_int_equal(laya_channel_connect(&f->owner.channel, &f->loop,
					      &f->client_config, host,
					      f->port_text,
					      f->server.public_key, &owner_ops,
					      &f->owner), 0);
}

static void dial_and_open(struct fixture *f)
{
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->owner.ready && f->accepted[0].ready);
}

static void connect__both_learn_the_key(void **state)
{
	struct fixture *f = *state;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct laya_message ack = { .type = LAYA_MESSAGE_ACK, .id = 5 };

	dial(f, "127.0.0.1");
	assert_null(laya_channel_remote_key(f->owner.channel));
	assert_int_equal(laya_channel_send(f->owner.channel, &ack), -ENOTCONN);
	wait_for(&f->loop, f->owner.ready && f->accepted[0].ready);
	assert_memory_equal(laya_channel_remote_key(f->owner.channel),
			    f->server.public_key, 32);
	assert_memory_equal(laya_channel_remote_key(f->accepted[0].channel),
			    f->client.public_key, 32);
	assert_true(laya_address_equal(
		laya_channel_local_address(f->owner.channel),
		laya_channel_remote_address(f->accepted[0].channel)));
	laya_address_format(text, laya_channel_remote_address(f->owner.channel));
	assert_memory_equal(text, "127.0.0.1:", 10);

	assert_int_equal(laya_channel_send(f->owner.channel, &ack), 0);
	wait_for(&f->loop, f->accepted[0].n == 1);
	assert_int_equal(last_message(&f->accepted[0])->id, 5);
	ack.id = 6;
	assert_int_equal(laya_channel_send(f->accepted[0].channel, &ack), 0);
	wait_for(&f->loop, f->owner.n == 1);
	assert_int_equal(last_message(&f->owner)->id, 6);
	wait_for(&f->loop, laya_channel_queued(f->owner.channel) == 0);

	/* a message that cannot be said does no harm */
	ack.type = 99;
	assert_int_equal(laya_channel_send(f->owner.channel, &ack), -EINVAL);
	assert_int_equal(f->owner.closed, 0);
}

static void connect__by_name(void **state)
{
	struct fixture *f = *state;

	/* ::1 comes first, and refuses */
	dial(f, "localhost");
	wait_for(&f->loop, f->owner.ready);
}

static void connect__refused(void **state)
{
	struct fixture *f = *state;

	uv_close((uv_handle_t *)&f->listener, NULL);
	f->listening = false;
	uv_run(&f->loop, UV_RUN_DEFAULT);
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->owner.closed);
	assert_int_equal(f->owner.error, -ECONNREFUSED);
	assert_non_null(strstr(f->owner.reason, f->port_text));
	assert_non_null(strstr(f->owner.reason, "refused"));
	assert_int_equal(f->owner.ready, 0);
}

static void connect__no_such_name(void **state)
{
	struct fixture *f = *state;

	dial(f, "no..name");
	wait_for(&f->loop, f->owner.closed);
	assert_int_equal(f->owner.closed, 1);
	assert_non_null(strstr(f->owner.reason, "cannot resolve no..name"));
}

static void connect__bad_arguments(void **state)
{
	static const char * const ports[] = { "", "http", "-1", "123456" };
	static const uint8_t zero[LAYA_KEY_SIZE];
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < 4; i++)
		assert_int_equal(laya_channel_connect(&f->owner.channel,
						      &f->loop,
						      &f->client_config, "::1",
						      ports[i],
						      f->server.public_key,
						      &owner_ops, &f->owner),
				 -EINVAL);
	assert_int_equal(laya_channel_connect(&f->owner.channel, &f->loop,
					      &f->client_config, "::1", "1",
					      zero, &owner_ops, &f->owner),
			 -EINVAL);
}

/* A listener whose backlog is full answers no SYN. */
static void connect__timeout(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(sin);
	int fill[4];
	int fd;
	int i;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&sin, &size);
	for (i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	snprintf(f->port_text, sizeof(f->port_text), "%u",
		 ntohs(sin.sin_port));
	f->client_config.connect_timeout = 50;
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->owner.closed);
	assert_int_equal(f->owner.error, -ETIMEDOUT);
	for (i = 0; i < 4; i++)
		close(fill[i]);
	close(fd);
}

static void connect__wrong_server_key(void **state)
{
	struct fixture *f = *state;

	make_node(&f->server);
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->owner.closed && f->accepted[0].closed);
	assert_int_equal(f->owner.ready, 0);
	assert_int_equal(f->accepted[0].ready, 0);
	assert_int_equal(f->accepted[0].error, -EBADMSG);
	assert_non_null(strstr(f->owner.reason, "public key"));
}

static void connect__wrong_prologue(void **state)
{
	struct fixture *f = *state;

	f->client_config.prologue = LAYA_PROLOGUE_RENDEZVOUS;
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->owner.closed && f->accepted[0].closed);
	assert_int_equal(f->accepted[0].error, -EBADMSG);
}

/* Whoever is there: the keys that the client was told, and the one it then uses */
static uint8_t told_key[LAYA_KEY_SIZE];
static const uint8_t *key_to_use;

static const uint8_t *on_key(struct laya_channel *channel,
			     const uint8_t key[LAYA_KEY_SIZE], void *data)
{
	(void)channel;
	(void)data;
	memcpy(told_key, key, LAYA_KEY_SIZE);
	return key_to_use;
}

static void dial_unknown(struct fixture *f)
{
	struct laya_channel_ops asking = owner_ops;

	memset(told_key, 0, sizeof(told_key));
	key_to_use = f->client.private_key;
	asking.key = on_key;
	assert_int_equal(laya_channel_connect(&f->owner.channel, &f->loop,
					      &f->client_config, "127.0.0.1",
					      f->port_text, NULL, &asking,
					      &f->owner), 0);
}

static void ask__whoever_is_there(void **state)
{
	struct fixture *f = *state;
	struct node other;

	f->is_asked = true;
	tells_key = true;
	make_node(&other);
	dial_unknown(f);
	key_to_use = other.private_key;
	wait_for(&f->loop, f->owner.ready && f->accepted[0].ready);
	assert_memory_equal(told_key, f->server.public_key, 32);
	assert_memory_equal(laya_channel_remote_key(f->owner.channel),
			    f->server.public_key, 32);
	/* The key that was chosen then, not that of the configuration */
	assert_memory_equal(laya_channel_remote_key(f->accepted[0].channel),
			    other.public_key, 32);
}

static void ask__who_knows_need_not(void **state)
{
	struct fixture *f = *state;

	f->is_asked = true;
	tells_key = true;
	dial_and_open(f);
}

static void ask__is_not_told(void **state)
{
	struct fixture *f = *state;

	dial_unknown(f);
	wait_for(&f->loop, f->owner.closed && f->accepted[0].closed);
	assert_non_null(strstr(f->owner.reason, "does not tell its key"));
	assert_int_equal(f->accepted[0].error, -EBADMSG);

	f->is_asked = true;
	tells_key = false;
	dial_unknown(f);
	wait_for(&f->loop, f->owner.closed == 2 && f->accepted[1].closed);
	assert_int_equal(f->accepted[1].error, -EACCES);
	assert_true(laya_key_is_zero(told_key));
}

static void ask__and_refuse(void **state)
{
	struct fixture *f = *state;

	f->is_asked = true;
	tells_key = true;
	dial_unknown(f);
	key_to_use = NULL;
	wait_for(&f->loop, f->owner.closed && f->accepted[0].closed);
	assert_int_equal(f->owner.error, -EACCES);
	assert_int_equal(f->owner.ready, 0);
}

static void ask__only_once(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[64];
	int fd;

	f->is_asked = true;
	tells_key = true;
	fd = raw_connect(f->port, 0);
	raw_frame(fd, (const uint8_t *)"laya key?", 9);
	assert_int_equal(raw_receive(&f->loop, fd, bytes, sizeof(bytes)), 32);
	assert_memory_equal(bytes, f->server.public_key, 32);
	raw_frame(fd, (const uint8_t *)"laya key?", 9);
	wait_for(&f->loop, f->accepted[0].closed);
	assert_int_equal(f->accepted[0].error, -EBADMSG);
	assert_true(raw_ended(fd));
	close(fd);
}

static void close__at_any_moment(void **state)
{
	struct fixture *f = *state;
	struct laya_message ack = { .type = LAYA_MESSAGE_ACK };
	unsigned int turns;

	/* while looking up, connecting, shaking hands, open */
	for (turns = 0; turns < 8; turns++) {
		unsigned int i;

		dial(f, turns % 2 ? "localhost" : "127.0.0.1");
		for (i = 0; i < turns; i++) {
			uv_run(&f->loop, UV_RUN_NOWAIT);
			usleep(1000);
		}
		if (f->owner.channel)
			laya_channel_close(f->owner.channel);
		f->owner.channel = NULL;
	}
	for (turns = 0; turns < 50; turns++) {
		uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(100);
	}
	assert_int_equal(f->owner.closed, 0);
	memset(&f->owner, 0, sizeof(f->owner));

	f->owner.close_when_ready = true;
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->owner.ready);
	f->owner.close_when_ready = false;
	f->owner.close_at_message = true;
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->owner.ready == 2);
	wait_for(&f->loop,
		 f->accepted[(f->n_accepted - 1) % 8].ready &&
		 f->accepted[(f->n_accepted - 1) % 8].channel);
	laya_channel_send(f->accepted[(f->n_accepted - 1) % 8].channel, &ack);
	wait_for(&f->loop, f->owner.n == 1);
	assert_null(f->owner.channel);
	assert_int_equal(f->owner.closed, 0);
}

static void close__tells_the_far_side(void **state)
{
	struct fixture *f = *state;

	dial_and_open(f);
	laya_channel_close(f->owner.channel);
	f->owner.channel = NULL;
	wait_for(&f->loop, f->accepted[0].closed);
	assert_int_equal(f->accepted[0].error, -EPIPE);
}

static void handshake__timeouts(void **state)
{
	struct fixture *f = *state;
	struct raw raw = { .fd = -1 };
	int silent;

	f->server_config.handshake_timeout = 50;
	silent = raw_connect(f->port, 0);
	wait_for(&f->loop, raw_ended(silent));
	close(silent);
	assert_int_equal(f->accepted[0].error, -ETIMEDOUT);

	/* half a frame is no progress */
	silent = raw_connect(f->port, 0);
	raw_send(silent, "\0\x30half", 6);
	wait_for(&f->loop, raw_ended(silent));
	close(silent);
	assert_int_equal(f->accepted[1].error, -ETIMEDOUT);
	assert_int_equal(raw.fd, -1);
}

static void idle__closes_and_pings_prevent_it(void **state)
{
	struct fixture *f = *state;
	uint64_t end;

	f->server_config.idle_timeout = 300;
	f->client_config.ping_interval = 40;
	dial_and_open(f);
	end = uv_hrtime() + 900 * 1000000ull;
	wait_for(&f->loop, uv_hrtime() > end);
	assert_int_equal(f->accepted[0].closed, 0);
	assert_int_equal(f->owner.closed, 0);
	/* pings and pongs are nobody else's */
	assert_int_equal(f->accepted[0].n, 0);
	assert_int_equal(f->owner.n, 0);
	laya_channel_close(f->owner.channel);

	f->client_config.ping_interval = 0;
	memset(&f->owner, 0, sizeof(f->owner));
	dial(f, "127.0.0.1");
	wait_for(&f->loop, f->accepted[1].closed);
	assert_int_equal(f->accepted[1].error, -ETIMEDOUT);
}

static void frames__lies(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} lies[] = {
		{ "\0\0", 2 },
		{ "\xff\xff", 2 },
		{ "\x10\x11", 2 },		/* one more than a message */
		{ "\0\1x", 3 },
		{ "GET / HTTP/1.1\r\n\r\n", 18 },
		{ "\0\x31" "0123456789012345678901234567890123456789012345678",
		  51 },
		{ "\0\x30" "012345678901234567890123456789012345678901234567",
		  50 },
	};
	struct fixture *f = *state;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fd = raw_connect(f->port, 0);
		raw_send(fd, lies[i].bytes, lies[i].len);
		wait_for(&f->loop, raw_ended(fd));
		close(fd);
		assert_int_equal(f->accepted[i].error, -EBADMSG);
		assert_int_equal(f->accepted[i].ready, 0);
	}
}

static void frames__lies_after_the_handshake(void **state)
{
	static const uint8_t not_a_message[] = { 0xa1, 0, 7 };
	struct fixture *f = *state;
	struct raw raw;

	/* what does not open */
	raw_open(&f->loop, &raw, f->port, PROLOGUE, &f->client,
		 f->server.public_key, 0);
	raw_frame(raw.fd, (const uint8_t *)"0123456789abcdef0123", 20);
	wait_for(&f->loop, f->accepted[0].closed);
	assert_int_equal(f->accepted[0].error, -EBADMSG);
	close(raw.fd);
	/* what is too short to open */
	raw_open(&f->loop, &raw, f->port, PROLOGUE, &f->client,
		 f->server.public_key, 0);
	raw_frame(raw.fd, (const uint8_t *)"0", 1);
	wait_for(&f->loop, f->accepted[1].closed);
	assert_int_equal(f->accepted[1].error, -EBADMSG);
	close(raw.fd);
	/* what opens, and is no message */
	raw_open(&f->loop, &raw, f->port, PROLOGUE, &f->client,
		 f->server.public_key, 0);
	raw_seal(&raw, not_a_message, sizeof(not_a_message));
	wait_for(&f->loop, f->accepted[2].closed);
	assert_int_equal(f->accepted[2].error, -EBADMSG);
	close(raw.fd);
}

static void frames__in_single_bytes(void **state)
{
	struct laya_message ack = { .type = LAYA_MESSAGE_ACK, .id = 9 };
	struct fixture *f = *state;
	uint8_t plain[64];
	uint8_t frame[96];
	struct raw raw;
	size_t len;
	size_t i;

	raw_open(&f->loop, &raw, f->port, PROLOGUE, &f->client,
		 f->server.public_key, 0);
	laya_message_encode(&ack, plain, sizeof(plain), &len);
	laya_noise_cipher_encrypt(&raw.send, NULL, 0, plain, len, frame + 2,
				  sizeof(frame) - 2, &len);
	frame[0] = 0;
	frame[1] = len;
	for (i = 0; i < len + 2; i++) {
		assert_int_equal(f->accepted[0].n, 0);
		raw_send(raw.fd, frame + i, 1);
		uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(100);
	}
	wait_for(&f->loop, f->accepted[0].n == 1);
	close(raw.fd);
}

static void send__to_who_does_not_read(void **state)
{
	static const uint8_t body[LAYA_MAX_BODY];
	struct fixture *f = *state;
	struct laya_message offer = { .type = LAYA_MESSAGE_OFFER };
	struct laya_channel *channel;
	uint8_t frame[4200];
	struct raw raw;
	unsigned int i;
	int ret = 0;

	raw_open(&f->loop, &raw, f->port, PROLOGUE, &f->client,
		 f->server.public_key, 4096);
	wait_for(&f->loop, f->accepted[0].ready);
	channel = f->accepted[0].channel;
	memcpy(offer.sealed.key, f->client.public_key, 32);
	offer.sealed.body = body;
	offer.sealed.body_len = sizeof(body);
	for (i = 0; i < 100000 && ret == 0; i++) {
		ret = laya_channel_send(channel, &offer);
		if (i % 8 == 7)
			uv_run(&f->loop, UV_RUN_NOWAIT);
		assert_true(laya_channel_queued(channel) <=
			    f->server_config.max_queue);
	}
	assert_int_equal(ret, -ENOBUFS);
	/* full is not broken: the queue may have been full only for a moment */
	while (laya_channel_send(channel, &offer) == 0 ||
	       laya_channel_queued(channel) == 0)
		uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_int_equal(f->accepted[0].closed, 0);
	f->accepted[0].drained = 0;
	while (!f->accepted[0].drained) {
		while (recv(raw.fd, frame, sizeof(frame), MSG_DONTWAIT) > 0)
			;
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(laya_channel_send(channel, &offer), 0);
	close(raw.fd);
}

/* Two ends of a socket pair, as a pump gives one of them */
static void open_pair(struct fixture *f, const char *client_prologue)
{
	struct laya_address remote;
	int fds[2];

	assert_int_equal(laya_address_parse(&remote, "192.0.2.7:9"), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
				    fds), 0);
	f->client_config.prologue = client_prologue;
	assert_int_equal(laya_channel_open(&f->accepted[0].channel, &f->loop,
					   &f->server_config, fds[0], NULL,
					   &remote, NULL, &owner_ops,
					   &f->accepted[0]), 0);
	assert_int_equal(laya_channel_open(&f->owner.channel, &f->loop,
					   &f->client_config, fds[1],
					   "relay.example", NULL,
					   f->server.public_key, &owner_ops,
					   &f->owner), 0);
}

static void open__over_a_socket_pair(void **state)
{
	struct laya_message ack = { .type = LAYA_MESSAGE_ACK, .id = 5 };
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct fixture *f = *state;

	open_pair(f, PROLOGUE);
	wait_for(&f->loop, f->owner.ready && f->accepted[0].ready);
	assert_memory_equal(laya_channel_remote_key(f->accepted[0].channel),
			    f->client.public_key, 32);
	laya_address_format(text, laya_channel_remote_address(
					  f->accepted[0].channel));
	assert_string_equal(text, "192.0.2.7:9");
	assert_int_equal(laya_channel_send(f->owner.channel, &ack), 0);
	wait_for(&f->loop, f->accepted[0].n == 1);
	assert_int_equal(last_message(&f->accepted[0])->id, 5);
	laya_channel_close(f->accepted[0].channel);
	f->accepted[0].channel = NULL;
	wait_for(&f->loop, f->owner.closed);
	assert_int_equal(f->owner.error, -EPIPE);
	assert_non_null(strstr(f->owner.reason, "relay.example"));
}

static void open__over_tcp(void **state)
{
	struct fixture *f = *state;
	int fd = raw_connect(f->port, 0);

	assert_int_equal(laya_channel_open(&f->owner.channel, &f->loop,
					   &f->client_config, fd, "a", NULL,
					   f->server.public_key, &owner_ops,
					   &f->owner), 0);
	wait_for(&f->loop, f->owner.ready && f->accepted[0].ready);
	assert_true(laya_address_equal(
		laya_channel_local_address(f->owner.channel),
		laya_channel_remote_address(f->accepted[0].channel)));
}

static void open__two_prologues(void **state)
{
	struct fixture *f = *state;

	f->server_config.other_prologue = LAYA_PROLOGUE_RENDEZVOUS;
	open_pair(f, LAYA_PROLOGUE_RENDEZVOUS);
	wait_for(&f->loop, f->owner.ready && f->accepted[0].ready);
	assert_string_equal(laya_channel_prologue(f->accepted[0].channel),
			    LAYA_PROLOGUE_RENDEZVOUS);
	laya_channel_close(f->owner.channel);
	wait_for(&f->loop, f->accepted[0].closed);

	memset(&f->owner, 0, sizeof(f->owner));
	memset(&f->accepted[0], 0, sizeof(f->accepted[0]));
	open_pair(f, PROLOGUE);
	wait_for(&f->loop, f->owner.ready && f->accepted[0].ready);
	assert_string_equal(laya_channel_prologue(f->accepted[0].channel),
			    PROLOGUE);
	laya_channel_close(f->owner.channel);
	wait_for(&f->loop, f->accepted[0].closed);

	memset(&f->owner, 0, sizeof(f->owner));
	memset(&f->accepted[0], 0, sizeof(f->accepted[0]));
	open_pair(f, "laya third 1");
	wait_for(&f->loop, f->owner.closed && f->accepted[0].closed);
	assert_int_equal(f->accepted[0].error, -EBADMSG);
}

static void open__bad_arguments(void **state)
{
	static const uint8_t zero[LAYA_KEY_SIZE];
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(laya_channel_open(&f->owner.channel, &f->loop,
					   &f->client_config, fds[0], NULL,
					   NULL, zero, &owner_ops, &f->owner),
			 -EINVAL);
	/* it is closed all the same */
	assert_true(raw_ended(fds[1]));
	close(fds[1]);
	/* not connected, and no socket */
	assert_int_equal(laya_channel_open(&f->owner.channel, &f->loop,
					   &f->client_config,
					   socket(AF_INET, SOCK_STREAM, 0),
					   NULL, NULL, f->server.public_key,
					   &owner_ops, &f->owner), -ENOTCONN);
	assert_int_equal(laya_channel_open(&f->owner.channel, &f->loop,
					   &f->client_config,
					   open("/dev/null", O_RDWR), NULL,
					   NULL, f->server.public_key,
					   &owner_ops, &f->owner), -ENOTSOCK);
	f->owner.channel = NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(connect__both_learn_the_key),
		TEST(connect__by_name),
		TEST(connect__refused),
		TEST(connect__no_such_name),
		TEST(connect__bad_arguments),
		TEST(connect__timeout),
		TEST(connect__wrong_server_key),
		TEST(connect__wrong_prologue),
		TEST(ask__whoever_is_there),
		TEST(ask__who_knows_need_not),
		TEST(ask__is_not_told),
		TEST(ask__and_refuse),
		TEST(ask__only_once),
		TEST(handshake__timeouts),
		TEST(idle__closes_and_pings_prevent_it),
		TEST(frames__lies),
		TEST(frames__lies_after_the_handshake),
		TEST(frames__in_single_bytes),
		TEST(send__to_who_does_not_read),
		TEST(close__at_any_moment),
		TEST(close__tells_the_far_side),
		TEST(open__over_a_socket_pair),
		TEST(open__over_tcp),
		TEST(open__two_prologues),
		TEST(open__bad_arguments),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
