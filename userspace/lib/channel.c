// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "channel.h"
#include "noise.h"

#define HEADER_SIZE	2
#define FRAME_MAX	(LAYA_MESSAGE_MAX + LAYA_NOISE_TAG_SIZE)
/* A name with more addresses than this is tried at the first ones */
#define ATTEMPTS_MAX	8

/* What a client asks that does not know the key; no message of Noise's is so long */
static const char question[] = "laya key?";

enum state {
	STATE_CONNECTING,	/* client: name, addresses, TCP */
	STATE_ASKING,		/* for the far side's key, or being asked */
	STATE_HANDSHAKE,
	STATE_OPEN,
	STATE_DEAD,		/* its owner knows; waits for libuv */
};

/*
 * A connection, or one in the making.  It is apart from the channel since a
 * client has several of them until the first one answers.
 */
struct link {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;		/* one end of a pump's socket pair */
	};
	uv_connect_t connect;
	struct laya_channel *channel;
};

struct output {
	uv_write_t write;
	struct laya_channel *channel;
	size_t cost;
	uint8_t frame[];
};

/*
 * Lifetime: one reference for each thing of libuv's that has a pointer here:
 * the two timers, each link, a running name look-up.  die() asks for all of
 * them back; the last one that is given back frees the channel.  Everything
 * happens on the loop's thread.
 */
struct laya_channel {
	struct laya_channel_config config;
	struct laya_channel_ops ops;
	void *data;
	uv_loop_t *loop;
	unsigned int refs;
	enum state state;

	uv_timer_t deadline;	/* connect, then handshake, then idle */
	uv_timer_t beat;	/* next address, then next ping */
	uv_getaddrinfo_t lookup;
	bool looking_up;
	int later;		/* error to die of from the loop */

	char *name;		/* client: "host:port" */
	struct sockaddr_storage addresses[ATTEMPTS_MAX];
	struct link *links[ATTEMPTS_MAX];
	unsigned int n_addresses;
	unsigned int next_address;
	int connect_error;	/* of the last address that failed */

	struct link *link;	/* the one in use */
	struct laya_address remote;
	struct laya_address local;

	bool client;
	bool ask;		/* client: @remote_key is not known */
	uint8_t own_key[LAYA_KEY_SIZE];	/* server: what it tells who asks */
	const char *prologue;	/* of the one or two, the one in use */
	bool answered;
	bool have_remote_key;
	uint8_t remote_key[LAYA_KEY_SIZE];
	struct laya_noise noise;
	struct laya_noise_cipher send;
	struct laya_noise_cipher receive;

	uint64_t last_frame;
	size_t queued;
	bool refused;		/* @drained is owed */

	size_t fill;
	uint8_t buffer[HEADER_SIZE + FRAME_MAX];
};

static void try_next_address(struct laya_channel *channel);
static int init_noise(struct laya_channel *channel);

static void put(struct laya_channel *channel)
{
	if (--channel->refs > 0)
		return;
	free(channel->name);
	sodium_memzero(channel, sizeof(*channel));
	free(channel);
}

static void on_timer_closed(uv_handle_t *handle)
{
	put(handle->data);
}

static void on_link_closed(uv_handle_t *handle)
{
	struct link *link = handle->data;

	put(link->channel);
	free(link);
}

static void close_link(struct link *link)
{
	if (!uv_is_closing(&link->handle))
		uv_close(&link->handle, on_link_closed);
}

/* Give everything back.  The owner is told by others, or knows. */
static void die(struct laya_channel *channel)
{
	unsigned int i;

	if (channel->state == STATE_DEAD)
		return;
	channel->state = STATE_DEAD;
	laya_noise_wipe(&channel->noise);
	laya_noise_cipher_wipe(&channel->send);
	laya_noise_cipher_wipe(&channel->receive);
	sodium_memzero(channel->config.private_key, LAYA_KEY_SIZE);

	if (channel->looking_up)
		uv_cancel((uv_req_t *)&channel->lookup);
	for (i = 0; i < ATTEMPTS_MAX; i++) {
		if (channel->links[i] && channel->links[i] != channel->link)
			close_link(channel->links[i]);
		channel->links[i] = NULL;
	}
	if (channel->link)
		close_link(channel->link);
	channel->link = NULL;
	uv_close((uv_handle_t *)&channel->deadline, on_timer_closed);
	uv_close((uv_handle_t *)&channel->beat, on_timer_closed);
}

static void fail(struct laya_channel *channel, int error)
{
	const char *what = strerror(-error);
	enum state state = channel->state;
	char reason[256];
	char remote[LAYA_ADDRESS_TEXT_SIZE];
	const char *name = channel->name;

	if (state == STATE_DEAD)
		return;
	if (!name) {
		laya_address_format(remote, &channel->remote);
		name = remote;
	}
	switch (state) {
	case STATE_CONNECTING:
		snprintf(reason, sizeof(reason), "cannot connect to %s: %s",
			 name, what);
		break;
	case STATE_ASKING:
		snprintf(reason, sizeof(reason), "%s does not tell its key: %s",
			 name, what);
		break;
	case STATE_HANDSHAKE:
		if (channel->client && (error == -EPIPE || error == -EBADMSG ||
					error == -ECONNRESET))
			snprintf(reason, sizeof(reason),
				 "%s refused the handshake: is its public key the right one?",
				 name);
		else
			snprintf(reason, sizeof(reason),
				 "no handshake with %s: %s", name, what);
		break;
	default:
		if (error == -EPIPE)
			what = "closed by the far side";
		else if (error == -ETIMEDOUT)
			what = "nothing was heard for too long";
		else if (error == -EBADMSG)
			what = "a message could not be read";
		snprintf(reason, sizeof(reason), "connection to %s: %s", name,
			 what);
		break;
	}
	die(channel);
	channel->ops.closed(channel, error, reason, channel->data);
}

/* From within a call of the owner's, who must not be called back then */
static void fail_later(struct laya_channel *channel, int error)
{
	if (channel->later != 0)
		return;
	channel->later = error;
	uv_timer_start(&channel->deadline, channel->deadline.timer_cb, 0, 0);
}

static int transport_error(int error)
{
	return error == UV_EOF ? -EPIPE : error;
}

static void on_deadline(uv_timer_t *timer)
{
	struct laya_channel *channel = timer->data;
	uint64_t idle;

	if (channel->later != 0) {
		fail(channel, channel->later);
		return;
	}
	if (channel->state == STATE_OPEN) {
		idle = uv_now(channel->loop) - channel->last_frame;
		if (idle < channel->config.idle_timeout) {
			uv_timer_start(timer, on_deadline,
				       channel->config.idle_timeout - idle, 0);
			return;
		}
	}
	fail(channel, -ETIMEDOUT);
}

static void on_written(uv_write_t *write, int status)
{
	struct output *output = (struct output *)write;
	struct laya_channel *channel = output->channel;

	channel->queued -= output->cost;
	free(output);
	if (channel->state == STATE_DEAD)
		return;
	if (status < 0) {
		fail(channel, transport_error(status));
		return;
	}
	if (channel->queued == 0 && channel->refused) {
		channel->refused = false;
		if (channel->ops.drained)
			channel->ops.drained(channel, channel->data);
	}
}

static struct output *new_output(struct laya_channel *channel, size_t len)
{
	struct output *output;

	output = malloc(sizeof(*output) + HEADER_SIZE + len);
	if (!output)
		return NULL;
	output->channel = channel;
	return output;
}

/* Send a frame of @len bytes that is in its place already. */
static int send_output(struct laya_channel *channel, struct output *output,
		       size_t len)
{
	uv_buf_t buf;
	int ret;

	output->frame[0] = len >> 8;
	output->frame[1] = len;
	output->cost = sizeof(*output) + HEADER_SIZE + len;
	buf = uv_buf_init((char *)output->frame, HEADER_SIZE + len);
	ret = uv_write(&output->write, &channel->link->stream, &buf, 1,
		       on_written);
	if (ret) {
		free(output);
		return ret;
	}
	channel->queued += output->cost;
	return 0;
}

static int send_plain(struct laya_channel *channel, const void *bytes,
		      size_t len)
{
	struct output *output = new_output(channel, len);

	if (!output)
		return -ENOMEM;
	memcpy(output->frame + HEADER_SIZE, bytes, len);
	return send_output(channel, output, len);
}

static int send_handshake(struct laya_channel *channel)
{
	struct output *output = new_output(channel, LAYA_NOISE_MAX_OVERHEAD);
	size_t len;
	int ret;

	if (!output)
		return -ENOMEM;
	ret = laya_noise_write_message(&channel->noise, NULL, 0,
				       output->frame + HEADER_SIZE,
				       LAYA_NOISE_MAX_OVERHEAD, &len);
	if (ret) {
		free(output);
		return ret;
	}
	return send_output(channel, output, len);
}

/* Pings come at three quarters to five quarters of the interval. */
static uint64_t next_ping(const struct laya_channel *channel)
{
	unsigned int interval = channel->config.ping_interval;

	return interval - interval / 4 +
	       randombytes_uniform(interval / 2 + 1);
}

static void on_ping_time(uv_timer_t *timer)
{
	struct laya_channel *channel = timer->data;
	struct laya_message ping = { .type = LAYA_MESSAGE_PING };

	randombytes_buf(&ping.id, sizeof(ping.id));
	/* A full queue needs no ping to find out whether it moves. */
	laya_channel_send(channel, &ping);
	uv_timer_start(timer, on_ping_time, next_ping(channel), 0);
}

static void open_channel(struct laya_channel *channel)
{
	uint8_t receive[LAYA_KEY_SIZE];
	uint8_t send[LAYA_KEY_SIZE];
	int ret;

	ret = laya_noise_remote_static(&channel->noise, channel->remote_key);
	if (!ret)
		ret = laya_noise_split(&channel->noise, send, receive);
	if (ret) {
		fail(channel, ret);
		return;
	}
	laya_noise_cipher_init(&channel->send, send);
	laya_noise_cipher_init(&channel->receive, receive);
	sodium_memzero(send, sizeof(send));
	sodium_memzero(receive, sizeof(receive));
	laya_noise_wipe(&channel->noise);
	channel->have_remote_key = true;
	channel->state = STATE_OPEN;

	uv_timer_stop(&channel->deadline);
	if (channel->config.idle_timeout != 0)
		uv_timer_start(&channel->deadline, on_deadline,
			       channel->config.idle_timeout, 0);
	if (channel->config.ping_interval != 0)
		uv_timer_start(&channel->beat, on_ping_time,
			       next_ping(channel), 0);
	channel->ops.ready(channel, channel->data);
}

/* Only the first message tells which one the client means. */
static bool try_other_prologue(struct laya_channel *channel)
{
	const char *other = channel->config.other_prologue;

	if (channel->client || !other || channel->prologue == other ||
	    channel->answered)
		return false;
	laya_noise_wipe(&channel->noise);
	channel->prologue = other;
	return init_noise(channel) == 0;
}

static void read_handshake(struct laya_channel *channel, const uint8_t *frame,
			   size_t len)
{
	uint8_t payload[1];
	size_t payload_len;
	int ret;

	/* Each message has one length, since payloads are empty. */
	if (len != laya_noise_overhead(&channel->noise)) {
		fail(channel, -EBADMSG);
		return;
	}
	ret = laya_noise_read_message(&channel->noise, frame, len, payload,
				      sizeof(payload), &payload_len);
	if (ret && try_other_prologue(channel))
		ret = laya_noise_read_message(&channel->noise, frame, len,
					      payload, sizeof(payload),
					      &payload_len);
	if (!ret && laya_noise_my_turn(&channel->noise)) {
		channel->answered = true;
		sodium_memzero(channel->config.private_key, LAYA_KEY_SIZE);
		ret = send_handshake(channel);
	}
	if (ret)
		fail(channel, ret == -EINVAL ? -EBADMSG : ret);
	else if (laya_noise_complete(&channel->noise))
		open_channel(channel);
}

static int begin_handshake(struct laya_channel *channel)
{
	int ret;

	channel->state = STATE_HANDSHAKE;
	channel->prologue = channel->config.prologue;
	ret = init_noise(channel);
	/* A second prologue may still need it. */
	if (channel->client || !channel->config.other_prologue)
		sodium_memzero(channel->config.private_key, LAYA_KEY_SIZE);
	if (!ret && channel->client)
		ret = send_handshake(channel);
	return ret;
}

/* Server: the first frame may be the question for our key. */
static void read_question(struct laya_channel *channel, const uint8_t *frame,
			  size_t len)
{
	bool asked = len == strlen(question) &&
		     memcmp(frame, question, len) == 0;
	int ret = 0;

	if (asked && channel->ops.asked(channel, channel->data))
		ret = send_plain(channel, channel->own_key, LAYA_KEY_SIZE);
	else if (asked)
		ret = -EACCES;
	if (!ret)
		ret = begin_handshake(channel);
	if (ret)
		fail(channel, ret);
	else if (!asked)
		read_handshake(channel, frame, len);
}

/* Client: the server's key, which it has yet to prove */
static void read_key(struct laya_channel *channel, const uint8_t *frame,
		     size_t len)
{
	const uint8_t *private_key;
	int ret = -EACCES;

	if (len != LAYA_KEY_SIZE || !laya_key_valid(frame)) {
		fail(channel, -EBADMSG);
		return;
	}
	memcpy(channel->remote_key, frame, LAYA_KEY_SIZE);
	private_key = channel->ops.key(channel, frame, channel->data);
	if (channel->state == STATE_DEAD)
		return;
	if (private_key) {
		memcpy(channel->config.private_key, private_key, LAYA_KEY_SIZE);
		ret = begin_handshake(channel);
	}
	if (ret)
		fail(channel, ret);
}

static void read_sealed(struct laya_channel *channel, const uint8_t *frame,
			size_t len)
{
	uint8_t plain[LAYA_MESSAGE_MAX];
	struct laya_message message;
	size_t plain_len;
	int ret = 0;

	channel->last_frame = uv_now(channel->loop);
	if (channel->ops.frame)
		ret = channel->ops.frame(channel, len, channel->data);
	if (channel->state == STATE_DEAD)
		return;
	if (!ret)
		ret = laya_noise_cipher_decrypt(&channel->receive, NULL, 0,
						frame, len, plain,
						sizeof(plain), &plain_len);
	if (!ret)
		ret = laya_message_decode(&message, plain, plain_len);
	if (ret) {
		fail(channel, ret);
		return;
	}

	switch (message.type) {
	case LAYA_MESSAGE_PING:
		message.type = LAYA_MESSAGE_PONG;
		/* Without room for it they will notice: they do not read. */
		laya_channel_send(channel, &message);
		break;
	case LAYA_MESSAGE_PONG:
		break;
	default:
		channel->ops.message(channel, &message, channel->data);
		break;
	}
	sodium_memzero(plain, sizeof(plain));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct laya_channel *channel = ((struct link *)handle->data)->channel;

	(void)suggested;
	*buf = uv_buf_init((char *)channel->buffer + channel->fill,
			   sizeof(channel->buffer) - channel->fill);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct laya_channel *channel = ((struct link *)stream->data)->channel;
	size_t done = 0;
	size_t len;

	(void)buf;
	if (channel->state == STATE_DEAD)
		return;
	if (n < 0) {
		fail(channel, transport_error(n));
		return;
	}
	channel->fill += n;
	while (channel->fill - done >= HEADER_SIZE) {
		len = channel->buffer[done] << 8 | channel->buffer[done + 1];
		if (len == 0 || len > FRAME_MAX) {
			fail(channel, -EBADMSG);
			return;
		}
		if (channel->fill - done - HEADER_SIZE < len)
			break;
		done += HEADER_SIZE;
		if (channel->state == STATE_ASKING && channel->client)
			read_key(channel, channel->buffer + done, len);
		else if (channel->state == STATE_ASKING)
			read_question(channel, channel->buffer + done, len);
		else if (channel->state == STATE_HANDSHAKE)
			read_handshake(channel, channel->buffer + done, len);
		else
			read_sealed(channel, channel->buffer + done, len);
		if (channel->state == STATE_DEAD)
			return;
		done += len;
	}
	channel->fill -= done;
	memmove(channel->buffer, channel->buffer + done, channel->fill);
}

static int init_noise(struct laya_channel *channel)
{
	return laya_noise_init(&channel->noise, LAYA_NOISE_XK, channel->client,
			       channel->prologue, strlen(channel->prologue),
			       channel->config.private_key,
			       channel->client ? channel->remote_key : NULL,
			       NULL);
}

/* Both ends of a connection, but for one that is known from elsewhere */
static int get_addresses(struct laya_channel *channel, struct link *link)
{
	struct sockaddr_storage ss;
	int size = sizeof(ss);
	int ret;

	if (link->handle.type != UV_TCP)
		return 0;
	ret = uv_tcp_getpeername(&link->tcp, (struct sockaddr *)&ss, &size);
	if (!ret)
		ret = laya_address_from_sockaddr(&channel->remote,
						 (struct sockaddr *)&ss);
	size = sizeof(ss);
	if (!ret)
		ret = uv_tcp_getsockname(&link->tcp, (struct sockaddr *)&ss,
					 &size);
	if (!ret)
		ret = laya_address_from_sockaddr(&channel->local,
						 (struct sockaddr *)&ss);
	if (!ret)
		uv_tcp_nodelay(&link->tcp, 1);
	return ret;
}

/* The connection is there: begin the handshake. */
static int start(struct laya_channel *channel, struct link *link)
{
	int ret;

	channel->link = link;
	channel->state = STATE_ASKING;
	ret = get_addresses(channel, link);
	if (ret)
		return ret;

	channel->last_frame = uv_now(channel->loop);
	uv_timer_start(&channel->deadline, on_deadline,
		       channel->config.handshake_timeout, 0);
	if (channel->ask)
		ret = send_plain(channel, question, strlen(question));
	else if (!channel->client && channel->ops.asked)
		ret = laya_key_public(channel->own_key,
				      channel->config.private_key);
	else
		ret = begin_handshake(channel);
	if (!ret)
		ret = uv_read_start(&link->stream, on_alloc, on_read);
	return ret;
}

/* Around a handle that libuv has initialised, or failed to: @ret */
static struct link *own_link(struct laya_channel *channel, struct link *link,
			     int ret)
{
	if (ret) {
		free(link);
		return NULL;
	}
	link->handle.data = link;
	link->channel = channel;
	channel->refs++;
	return link;
}

static struct link *new_link(struct laya_channel *channel)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	return own_link(channel, link, uv_tcp_init(channel->loop, &link->tcp));
}

static struct link *new_pipe(struct laya_channel *channel)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	return own_link(channel, link,
			uv_pipe_init(channel->loop, &link->pipe, 0));
}

static bool still_trying(const struct laya_channel *channel)
{
	unsigned int i;

	for (i = 0; i < ATTEMPTS_MAX; i++) {
		if (channel->links[i])
			return true;
	}
	return channel->next_address < channel->n_addresses;
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct link *link = connect->data;
	struct laya_channel *channel = link->channel;
	unsigned int i;
	int ret;

	if (channel->state != STATE_CONNECTING)
		return;
	for (i = 0; i < ATTEMPTS_MAX; i++) {
		if (channel->links[i] == link)
			channel->links[i] = NULL;
	}
	if (status < 0) {
		close_link(link);
		channel->connect_error = status;
		if (!still_trying(channel))
			fail(channel, status);
		else
			try_next_address(channel);
		return;
	}
	for (i = 0; i < ATTEMPTS_MAX; i++) {
		if (channel->links[i])
			close_link(channel->links[i]);
		channel->links[i] = NULL;
	}
	uv_timer_stop(&channel->beat);
	ret = start(channel, link);
	if (ret)
		fail(channel, ret);
}

static void on_stagger(uv_timer_t *timer)
{
	try_next_address(timer->data);
}

/* RFC 8305, 5: one after the other, the next one early if one fails. */
static void try_next_address(struct laya_channel *channel)
{
	struct sockaddr *sa;
	struct link *link;
	unsigned int i;
	int ret;

	while (channel->next_address < channel->n_addresses) {
		i = channel->next_address++;
		sa = (struct sockaddr *)&channel->addresses[i];
		link = new_link(channel);
		if (!link) {
			channel->connect_error = -ENOMEM;
			continue;
		}
		link->connect.data = link;
		ret = uv_tcp_connect(&link->connect, &link->tcp, sa,
				     on_connected);
		if (ret) {
			/* an address family that this machine lacks */
			close_link(link);
			channel->connect_error = ret;
			continue;
		}
		channel->links[i] = link;
		if (channel->next_address < channel->n_addresses)
			uv_timer_start(&channel->beat, on_stagger,
				       channel->config.stagger, 0);
		return;
	}
	if (!still_trying(channel))
		fail(channel, channel->connect_error);
}

/* Alternate between the families, the first one's first (RFC 8305, 4). */
static void order_addresses(struct laya_channel *channel,
			    const struct addrinfo *list)
{
	const struct addrinfo *next[2] = { list, list };
	unsigned int turn = 0;
	unsigned int idle = 0;
	int family;

	if (!list)
		return;
	family = list->ai_family;
	while (channel->n_addresses < ATTEMPTS_MAX && idle < 2) {
		while (next[turn] &&
		       (next[turn]->ai_family == family) != (turn == 0))
			next[turn] = next[turn]->ai_next;
		if (next[turn]) {
			memcpy(&channel->addresses[channel->n_addresses++],
			       next[turn]->ai_addr, next[turn]->ai_addrlen);
			next[turn] = next[turn]->ai_next;
			idle = 0;
		} else {
			idle++;
		}
		turn ^= 1;
	}
}

static int lookup_error(int status)
{
	switch (status) {
	case UV_EAI_AGAIN:
		return -EAGAIN;
	case UV_EAI_MEMORY:
		return -ENOMEM;
	default:
		return -ENXIO;
	}
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status,
			 struct addrinfo *list)
{
	struct laya_channel *channel = lookup->data;
	char reason[256];
	int error;

	channel->looking_up = false;
	if (channel->state == STATE_DEAD) {
		uv_freeaddrinfo(list);
		put(channel);
		return;
	}
	/* die() and what comes after need the channel: put it last. */
	if (status < 0) {
		error = lookup_error(status);
		snprintf(reason, sizeof(reason), "cannot resolve %s: %s",
			 channel->name, uv_strerror(status));
		die(channel);
		channel->ops.closed(channel, error, reason, channel->data);
	} else {
		order_addresses(channel, list);
		uv_freeaddrinfo(list);
		channel->connect_error = -EADDRNOTAVAIL;
		try_next_address(channel);
	}
	put(channel);
}

static struct laya_channel *
new_channel(uv_loop_t *loop, const struct laya_channel_config *config,
	    const struct laya_channel_ops *ops, void *data)
{
	struct laya_channel *channel;

	if (sodium_init() < 0)
		return NULL;
	channel = calloc(1, sizeof(*channel));
	if (!channel)
		return NULL;
	channel->config = *config;
	channel->ops = *ops;
	channel->data = data;
	channel->loop = loop;
	uv_timer_init(loop, &channel->deadline);
	uv_timer_init(loop, &channel->beat);
	channel->deadline.data = channel;
	channel->beat.data = channel;
	channel->refs = 2;
	return channel;
}

/**
 * laya_channel_config_client() - how a client behaves
 * @config: where to put it
 * @prologue: a string that lives on
 * @private_key: our static key
 */
void laya_channel_config_client(struct laya_channel_config *config,
				const char *prologue,
				const uint8_t private_key[LAYA_KEY_SIZE])
{
	memset(config, 0, sizeof(*config));
	config->prologue = prologue;
	memcpy(config->private_key, private_key, LAYA_KEY_SIZE);
	config->connect_timeout = 10000;
	config->handshake_timeout = 10000;
	/* The answer to a ping is overdue, and then some */
	config->idle_timeout = 40000;
	config->ping_interval = 25000;
	config->stagger = 250;
	config->max_queue = 65536;
}

/**
 * laya_channel_config_server() - how a server behaves
 * @config: where to put it
 * @prologue: a string that lives on
 * @private_key: our static key
 */
void laya_channel_config_server(struct laya_channel_config *config,
				const char *prologue,
				const uint8_t private_key[LAYA_KEY_SIZE])
{
	memset(config, 0, sizeof(*config));
	config->prologue = prologue;
	memcpy(config->private_key, private_key, LAYA_KEY_SIZE);
	config->handshake_timeout = 10000;
	config->idle_timeout = 90000;
	config->max_queue = 32768;
}

/**
 * laya_channel_connect() - dial
 * @channel: where to put the channel
 * @loop: the loop
 * @config: how it behaves; it is copied, wipe yours
 * @host: name or address
 * @port: number
 * @remote_key: key that the far side has to prove; NULL to ask it which it has
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0; -EINVAL for a bad key or port; -ENOMEM; all else is told by
 * ops->closed().
 */
int laya_channel_connect(struct laya_channel **channel, uv_loop_t *loop,
			 const struct laya_channel_config *config,
			 const char *host, const char *port,
			 const uint8_t *remote_key,
			 const struct laya_channel_ops *ops, void *data)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
		.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG,
	};
	/* AI_ADDRCONFIG would hide loopback addresses without a network. */
	struct addrinfo numeric = hints;
	struct laya_channel *new;
	struct in6_addr any;
	int ret;

	if ((remote_key ? !laya_key_valid(remote_key) : !ops->key) ||
	    !*port || strlen(port) > 5 ||
	    strspn(port, "0123456789") != strlen(port))
		return -EINVAL;
	new = new_channel(loop, config, ops, data);
	if (!new)
		return -ENOMEM;
	new->client = true;
	if (remote_key)
		memcpy(new->remote_key, remote_key, LAYA_KEY_SIZE);
	else
		new->ask = true;
	if (asprintf(&new->name, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
		     port) < 0) {
		new->name = NULL;
		ret = -ENOMEM;
		goto err_die;
	}

	if (uv_inet_pton(AF_INET, host, &any) == 0 ||
	    uv_inet_pton(AF_INET6, host, &any) == 0)
		numeric.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
	new->lookup.data = new;
	ret = uv_getaddrinfo(loop, &new->lookup, on_looked_up, host, port,
			     &numeric);
	if (ret)
		goto err_die;
	new->looking_up = true;
	new->refs++;
	uv_timer_start(&new->deadline, on_deadline, config->connect_timeout, 0);
	*channel = new;
	return 0;

err_die:
	die(new);
	return ret;
}

/**
 * laya_channel_accept() - take a connection that came in
 * @channel: where to put the channel
 * @server: uv_tcp_t that listens, in its connection callback
 * @config: how it behaves; it is copied
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0, -ENOMEM, or the error of uv_accept(); a connection that could not
 * be taken is closed, unless -ENOMEM says that there was no memory for that
 * either.
 */
int laya_channel_accept(struct laya_channel **channel, uv_stream_t *server,
			const struct laya_channel_config *config,
			const struct laya_channel_ops *ops, void *data)
{
	struct laya_channel *new;
	struct link *link;
	int ret;

	new = new_channel(server->loop, config, ops, data);
	if (!new)
		return -ENOMEM;
	link = new_link(new);
	if (!link) {
		ret = -ENOMEM;
		goto err_die;
	}
	new->link = link;
	ret = uv_accept(server, &link->stream);
	if (!ret)
		ret = start(new, link);
	if (ret)
		goto err_die;
	*channel = new;
	return 0;

err_die:
	die(new);
	return ret;
}

/* A socket's family tells the handle that it needs. */
static struct link *open_link(struct laya_channel *channel, int fd, int *error)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(ss);
	struct link *link;

	*error = -ENOMEM;
	if (getsockname(fd, (struct sockaddr *)&ss, &size)) {
		*error = -errno;
		return NULL;
	}
	link = ss.ss_family == AF_UNIX ? new_pipe(channel) : new_link(channel);
	if (!link)
		return NULL;
	*error = ss.ss_family == AF_UNIX ? uv_pipe_open(&link->pipe, fd) :
		 uv_tcp_open(&link->tcp, fd);
	if (*error) {
		close_link(link);
		return NULL;
	}
	return link;
}

/**
 * laya_channel_open() - make a channel of a connection that is there
 * @channel: where to put the channel
 * @loop: the loop
 * @config: how it behaves; it is copied, wipe yours
 * @fd: a connected stream socket, of laya_dial() or a listener; the channel's
 *	from now on, whatever is returned
 * @name: what to call the far side in messages; NULL is its address
 * @remote: its address, for a socket that does not know it; may be NULL
 * @remote_key: key that the server has to prove; NULL if this is the server
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0; -EINVAL for a bad key; -ENOMEM; or the error of a socket that is
 * not connected.
 */
int laya_channel_open(struct laya_channel **channel, uv_loop_t *loop,
		      const struct laya_channel_config *config, int fd,
		      const char *name, const struct laya_address *remote,
		      const uint8_t *remote_key,
		      const struct laya_channel_ops *ops, void *data)
{
	struct laya_channel *new;
	struct link *link;
	int ret = -EINVAL;

	if (remote_key && !laya_key_valid(remote_key))
		goto err_close;
	ret = -ENOMEM;
	new = new_channel(loop, config, ops, data);
	if (!new)
		goto err_close;
	new->client = remote_key;
	if (remote_key)
		memcpy(new->remote_key, remote_key, LAYA_KEY_SIZE);
	if (remote)
		new->remote = *remote;
	if (name) {
		new->name = strdup(name);
		if (!new->name)
			goto err_die;
	}
	link = open_link(new, fd, &ret);
	if (!link)
		goto err_die;
	new->link = link;
	ret = start(new, link);
	if (ret) {
		/* the handle has taken the socket */
		die(new);
		return ret;
	}
	*channel = new;
	return 0;

err_die:
	die(new);
err_close:
	close(fd);
	return ret;
}

/**
 * laya_channel_send() - send a message
 * @channel: the channel
 * @message: the message; copied
 *
 * Return: 0; -ENOTCONN before ops->ready(); -ENOBUFS if too much waits to be
 * sent already (ops->drained() tells when not); -EINVAL or -EMSGSIZE for a
 * message that cannot be said; or another error, after which ops->closed()
 * comes.
 */
int laya_channel_send(struct laya_channel *channel,
		      const struct laya_message *message)
{
	uint8_t plain[LAYA_MESSAGE_MAX];
	struct output *output;
	size_t len;
	int ret;

	if (channel->state != STATE_OPEN || channel->later != 0)
		return -ENOTCONN;
	ret = laya_message_encode(message, plain, sizeof(plain), &len);
	if (ret)
		return ret;
	if (channel->queued + sizeof(*output) + HEADER_SIZE + len +
	    LAYA_NOISE_TAG_SIZE > channel->config.max_queue) {
		channel->refused = true;
		return -ENOBUFS;
	}
	output = new_output(channel, len + LAYA_NOISE_TAG_SIZE);
	if (!output)
		return -ENOMEM;
	ret = laya_noise_cipher_encrypt(&channel->send, NULL, 0, plain, len,
					output->frame + HEADER_SIZE,
					len + LAYA_NOISE_TAG_SIZE, &len);
	sodium_memzero(plain, sizeof(plain));
	if (ret) {
		free(output);
		return ret;
	}
	ret = send_output(channel, output, len);
	/* The nonce is used up: the far side could not read what follows. */
	if (ret)
		fail_later(channel, ret);
	return ret;
}

/**
 * laya_channel_hand_over() - from now on it is another's
 * @channel: the channel
 * @ops: who is told; copied
 * @data: last argument of each call
 */
void laya_channel_hand_over(struct laya_channel *channel,
			    const struct laya_channel_ops *ops, void *data)
{
	channel->ops = *ops;
	channel->data = data;
}

/**
 * laya_channel_close() - end a channel, without a last word
 * @channel: the channel; the pointer is dead after this
 */
void laya_channel_close(struct laya_channel *channel)
{
	die(channel);
}

/**
 * laya_channel_queued() - bytes of memory that wait to be sent
 * @channel: the channel
 *
 * Return: their number.
 */
size_t laya_channel_queued(const struct laya_channel *channel)
{
	return channel->queued;
}

/**
 * laya_channel_prologue() - what the far side came for
 * @channel: the channel
 *
 * Return: config's prologue or other_prologue, valid from ops->ready() on.
 */
const char *laya_channel_prologue(const struct laya_channel *channel)
{
	return channel->prologue;
}

/**
 * laya_channel_remote_key() - who the far side is
 * @channel: the channel
 *
 * Return: its key; NULL before it has proven it.
 */
const uint8_t *laya_channel_remote_key(const struct laya_channel *channel)
{
	return channel->have_remote_key ? channel->remote_key : NULL;
}

/**
 * laya_channel_remote_address() - where the far side is
 * @channel: the channel
 *
 * Return: its address, valid from ops->ready() on, and of an accepted channel
 * at once.
 */
const struct laya_address *
laya_channel_remote_address(const struct laya_channel *channel)
{
	return &channel->remote;
}

/**
 * laya_channel_local_address() - where we are
 * @channel: the channel
 *
 * Return: as laya_channel_remote_address().
 */
const struct laya_address *
laya_channel_local_address(const struct laya_channel *channel)
{
	return &channel->local;
}
