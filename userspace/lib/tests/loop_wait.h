/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests on a libuv loop: wait for conditions, and see what a channel's owner
 * sees.
 */
#ifndef LAYA_LOOP_WAIT_H
#define LAYA_LOOP_WAIT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>
#include <uv.h>

#include "../channel.h"
#include "../handshake.h"
#include "../noise.h"

#define WAIT_MS		20000
#define MAX_RECEIVED	16

/* Turn the loop until @condition; fail after WAIT_MS. */
#define wait_for(loop, condition) do {					\
	uint64_t end_ = uv_hrtime() + WAIT_MS * 1000000ull;		\
									\
	while (!(condition)) {						\
		if (uv_hrtime() > end_)					\
			fail_msg("waited in vain for %s", #condition);	\
		if (!uv_run(loop, UV_RUN_NOWAIT) || !(condition))	\
			usleep(200);					\
	}								\
} while (0)

struct node {
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
};

struct received {
	struct laya_message message;
	uint8_t body[LAYA_MAX_BODY];
};

/* The owner of a channel */
struct owner {
	struct laya_channel *channel;
	unsigned int ready;
	unsigned int closed;
	int error;
	char reason[256];
	unsigned int drained;
	unsigned int n;			/* messages, ever */
	struct received received[MAX_RECEIVED];
	bool close_when_ready;
	bool close_at_message;
};

static inline void make_node(struct node *node)
{
	assert_int_equal(laya_key_generate(node->private_key), 0);
	assert_int_equal(laya_key_public(node->public_key, node->private_key),
			 0);
}

static inline void owner_ready(struct laya_channel *channel, void *data)
{
	struct owner *owner = data;

	owner->ready++;
	if (owner->close_when_ready) {
		owner->channel = NULL;
		laya_channel_close(channel);
	}
}

static inline void owner_message(struct laya_channel *channel,
				 const struct laya_message *message, void *data)
{
	struct owner *owner = data;
	struct received *received;

	received = &owner->received[owner->n++ % MAX_RECEIVED];
	received->message = *message;
	if (message->type == LAYA_MESSAGE_OFFER ||
	    message->type == LAYA_MESSAGE_ANSWER ||
	    message->type == LAYA_MESSAGE_FOLLOWUP) {
		memcpy(received->body, message->sealed.body,
		       message->sealed.body_len);
		received->message.sealed.body = received->body;
	}
	if (owner->close_at_message) {
		owner->channel = NULL;
		laya_channel_close(channel);
	}
}

static inline void owner_closed(struct laya_channel *channel, int error,
				const char *reason, void *data)
{
	struct owner *owner = data;

	(void)channel;
	owner->closed++;
	owner->error = error;
	owner->channel = NULL;
	snprintf(owner->reason, sizeof(owner->reason), "%s", reason);
}

static inline void owner_drained(struct laya_channel *channel, void *data)
{
	(void)channel;
	((struct owner *)data)->drained++;
}

static const struct laya_channel_ops owner_ops = {
	.ready = owner_ready,
	.message = owner_message,
	.closed = owner_closed,
	.drained = owner_drained,
};

static inline const struct laya_message *last_message(struct owner *owner)
{
	assert_true(owner->n > 0);
	return &owner->received[(owner->n - 1) % MAX_RECEIVED].message;
}

static inline int raw_connect(uint16_t port, int rcvbuf)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (rcvbuf)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static inline void raw_send(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static inline void raw_frame(int fd, const uint8_t *bytes, size_t len)
{
	uint8_t head[2] = { len >> 8, len };

	raw_send(fd, head, 2);
	raw_send(fd, bytes, len);
}

/* Is the far side gone, without a byte? */
static inline bool raw_ended(int fd)
{
	uint8_t byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	if (n > 0)
		fail_msg("the far side said something");
	return n == 0 || errno == ECONNRESET;
}

static inline size_t raw_receive(uv_loop_t *loop, int fd, uint8_t *bytes,
				 size_t cap)
{
	uint8_t head[2];
	size_t len;

	wait_for(loop, recv(fd, head, 2, MSG_PEEK | MSG_DONTWAIT) == 2);
	assert_int_equal(recv(fd, head, 2, 0), 2);
	len = head[0] << 8 | head[1];
	assert_true(len <= cap);
	wait_for(loop, recv(fd, bytes, len, MSG_PEEK | MSG_DONTWAIT) ==
		       (ssize_t)len);
	assert_int_equal(recv(fd, bytes, len, 0), len);
	return len;
}

/* Noise by hand, for what a channel would not do */
struct raw {
	int fd;
	struct laya_noise_cipher send;
	struct laya_noise_cipher receive;
};

static inline void raw_open(uv_loop_t *loop, struct raw *raw, uint16_t port,
			    const char *prologue, const struct node *self,
			    const uint8_t *remote_key, int rcvbuf)
{
	uint8_t receive[32];
	uint8_t bytes[256];
	struct laya_noise noise;
	uint8_t send[32];
	size_t len;

	raw->fd = raw_connect(port, rcvbuf);
	assert_int_equal(laya_noise_init(&noise, LAYA_NOISE_XK, true, prologue,
					 strlen(prologue), self->private_key,
					 remote_key, NULL), 0);
	assert_int_equal(laya_noise_write_message(&noise, NULL, 0, bytes,
						  sizeof(bytes), &len), 0);
	raw_frame(raw->fd, bytes, len);
	len = raw_receive(loop, raw->fd, bytes, sizeof(bytes));
	assert_int_equal(laya_noise_read_message(&noise, bytes, len, NULL, 0,
						 &len), 0);
	assert_int_equal(laya_noise_write_message(&noise, NULL, 0, bytes,
						  sizeof(bytes), &len), 0);
	raw_frame(raw->fd, bytes, len);
	assert_int_equal(laya_noise_split(&noise, send, receive), 0);
	laya_noise_cipher_init(&raw->send, send);
	laya_noise_cipher_init(&raw->receive, receive);
}

static inline void raw_seal(struct raw *raw, const void *plain, size_t len)
{
	uint8_t *frame = malloc(len + 16);

	assert_non_null(frame);
	assert_int_equal(laya_noise_cipher_encrypt(&raw->send, NULL, 0, plain,
						   len, frame, len + 16, &len),
			 0);
	raw_frame(raw->fd, frame, len);
	free(frame);
}

static inline void raw_message(struct raw *raw,
			       const struct laya_message *message)
{
	uint8_t plain[LAYA_MESSAGE_MAX];
	size_t len;

	assert_int_equal(laya_message_encode(message, plain, sizeof(plain),
					     &len), 0);
	raw_seal(raw, plain, len);
}

#endif /* LAYA_LOOP_WAIT_H */
