// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "pump.h"
#include "websocket.h"

#define BUFFER_SIZE	(128 * 1024)
/* One direction moves so many buffers at most before the loop goes round. */
#define ROUNDS		8
/* In the network's socket beyond what is under way: the rest is the owner's to order */
#define LOWAT		32768
#define PAIR_BUFFER	(512 * 1024)
/* How long the last words to the network may take, in milliseconds */
#define LINGER		10000

/*
 * One direction.  bytes[start .. end) wait to be written, or, from the network
 * with a framing, to be read as frames.
 */
struct way {
	uint8_t *bytes;
	size_t start;
	size_t end;
	bool no_more;		/* the source has ended */
	bool ended;		/* and its reader knows */
};

/*
 * Lifetime: one reference for each handle of libuv's.  finish() closes them;
 * the last one closed frees it.
 */
struct pump {
	struct laya_pump base;
	uv_loop_t *loop;
	unsigned int refs;
	uv_poll_t net_poll;
	uv_poll_t local_poll;
	uv_timer_t again;	/* one turn was not enough */
	uv_timer_t linger;

	struct laya_stream net;
	int local;
	bool net_failed;	/* poll says so; what came before is still read */
	bool local_gone;	/* nobody is there any more */
	bool finished;
	struct way up;		/* to the network */
	struct way down;

	enum laya_framing framing;
	struct laya_websocket_reader reader;
	struct laya_websocket_piece piece;	/* waits for the local side */
	uint8_t control[LAYA_WEBSOCKET_HEAD_SIZE + LAYA_WEBSOCKET_CONTROL_MAX];
	size_t control_len;
	bool close_sent;
};

static void run(struct pump *pump);

/**
 * laya_pump_pair() - make the socket pair that a pump stands at
 * @fds: where to put the two ends; they do not block
 *
 * Return: 0 or a negative errno.
 */
int laya_pump_pair(int fds[2])
{
	int size = PAIR_BUFFER;
	unsigned int i;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       fds))
		return -errno;
	/* The system's limit may be lower, which is slower and no harm. */
	for (i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

/**
 * laya_pump_hung_up() - tell an end that was closed from one that was shut down
 * @fd: our end of a socket pair
 *
 * Return: true if the other end is closed.
 */
bool laya_pump_hung_up(int fd)
{
	struct pollfd pollfd = { .fd = fd };

	return poll(&pollfd, 1, 0) == 1 &&
	       pollfd.revents & (POLLHUP | POLLERR);
}

static void on_closed(uv_handle_t *handle)
{
	struct pump *pump = handle->data;

	if (--pump->refs > 0)
		return;
	free(pump->up.bytes);
	free(pump->down.bytes);
	free(pump);
}

static void finish(struct pump *pump)
{
	if (pump->finished)
		return;
	pump->finished = true;
	uv_close((uv_handle_t *)&pump->net_poll, on_closed);
	uv_close((uv_handle_t *)&pump->local_poll, on_closed);
	uv_close((uv_handle_t *)&pump->again, on_closed);
	uv_close((uv_handle_t *)&pump->linger, on_closed);
	laya_stream_close(&pump->net);
	close(pump->local);
}

static void end(struct laya_pump *base)
{
	finish((struct pump *)base);
}

static void fail(struct pump *pump, int error)
{
	if (pump->finished)
		return;
	finish(pump);
	if (pump->base.closed)
		pump->base.closed(&pump->base, error, pump->base.data);
}

static bool is_websocket(const struct pump *pump)
{
	return pump->framing != LAYA_FRAMING_NONE;
}

static void on_linger(uv_timer_t *timer)
{
	fail(timer->data, -EPIPE);
}

/* The owner is gone: what it wrote is sent, what comes in is thrown away. */
static void lose_local(struct pump *pump)
{
	if (pump->local_gone)
		return;
	pump->local_gone = true;
	pump->piece.len = 0;
	uv_timer_start(&pump->linger, on_linger, LINGER, 0);
}

static size_t frame_head(struct pump *pump, uint8_t *head, uint8_t mask[4],
			 enum laya_websocket_opcode opcode, size_t len)
{
	bool client = pump->framing == LAYA_FRAMING_WEBSOCKET_CLIENT;

	if (client)
		randombytes_buf(mask, 4);
	else
		memset(mask, 0, 4);
	return laya_websocket_head(head, opcode, len, client ? mask : NULL);
}

/* A newer one takes the place of one that waits (RFC 6455, 5.5.3). */
static void set_control(struct pump *pump, enum laya_websocket_opcode opcode,
			const uint8_t *payload, size_t len)
{
	uint8_t mask[4];
	size_t head;

	head = frame_head(pump, pump->control, mask, opcode, len);
	if (len)
		memcpy(pump->control + head, payload, len);
	laya_websocket_mask(pump->control + head, len, mask, 0);
	pump->control_len = head + len;
}

static ssize_t read_local(struct pump *pump, uint8_t *bytes, size_t len)
{
	ssize_t n;

	do {
		n = recv(pump->local, bytes, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n > 0)
		return n;
	/* closed with our bytes unread is an error; it is an end to us */
	if (n < 0 || laya_pump_hung_up(pump->local))
		lose_local(pump);
	return 0;
}

/* Take from the owner; the frame's head goes before what is read. */
static int fill_up(struct pump *pump)
{
	size_t room = is_websocket(pump) ? LAYA_WEBSOCKET_HEAD_SIZE : 0;
	uint8_t head[LAYA_WEBSOCKET_HEAD_SIZE];
	struct way *up = &pump->up;
	uint8_t mask[4];
	size_t size;
	ssize_t n;

	n = read_local(pump, up->bytes + room, BUFFER_SIZE - room);
	if (n < 0)
		return n;
	if (n == 0) {
		up->no_more = true;
		return 0;
	}
	up->start = room;
	up->end = room + n;
	if (is_websocket(pump)) {
		size = frame_head(pump, head, mask, LAYA_WEBSOCKET_BINARY, n);
		if (pump->framing == LAYA_FRAMING_WEBSOCKET_CLIENT)
			laya_websocket_mask(up->bytes + room, n, mask, 0);
		up->start -= size;
		memcpy(up->bytes + up->start, head, size);
	}
	return 0;
}

/* The network's side of an end; 0 when it has been told */
static int end_up(struct pump *pump)
{
	int ret;

	if (!is_websocket(pump)) {
		ret = laya_stream_shutdown(&pump->net);
		if (ret)
			return ret;
	} else if (!pump->close_sent) {
		/* 1000: normal closure */
		set_control(pump, LAYA_WEBSOCKET_CLOSE,
			    (const uint8_t *)"\x03\xe8", 2);
		pump->close_sent = true;
		return 0;
	}
	pump->up.ended = true;
	return 0;
}

/* Return: -EAGAIN when it waits, 0 when there is more to do, or an error. */
static int run_up(struct pump *pump)
{
	struct way *up = &pump->up;
	unsigned int i;
	ssize_t n;
	int ret;

	for (i = 0; i < ROUNDS && !up->ended; i++) {
		if (up->start == up->end && pump->control_len) {
			memcpy(up->bytes, pump->control, pump->control_len);
			up->start = 0;
			up->end = pump->control_len;
			pump->control_len = 0;
		}
		if (up->start == up->end) {
			ret = up->no_more ? end_up(pump) : fill_up(pump);
			if (ret)
				return ret;
			continue;
		}
		n = laya_stream_write(&pump->net, up->bytes + up->start,
				      up->end - up->start);
		if (n < 0)
			return n;
		up->start += n;
	}
	return up->ended ? -EAGAIN : 0;
}

static int write_local(struct pump *pump)
{
	ssize_t n;

	if (pump->local_gone) {
		pump->piece.len = 0;
		return 0;
	}
	do {
		n = send(pump->local, pump->piece.data, pump->piece.len,
			 MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n < 0) {
		lose_local(pump);
		return 0;
	}
	pump->piece.data += n;
	pump->piece.len -= n;
	return 0;
}

static int fill_down(struct pump *pump)
{
	struct way *down = &pump->down;
	ssize_t n = 0;

	/* A buffer full for each write: TLS gives one record at a time. */
	down->start = 0;
	down->end = 0;
	while (BUFFER_SIZE - down->end >= SSL3_RT_MAX_PLAIN_LENGTH) {
		n = laya_stream_read(&pump->net, down->bytes + down->end,
				     BUFFER_SIZE - down->end);
		if (n <= 0)
			break;
		down->end += n;
	}
	/* An end or an error is said again by the next read. */
	if (down->end)
		return 0;
	if (n == -EAGAIN && pump->net_failed)
		return -ECONNRESET;
	if (n < 0)
		return n;
	/* Who speaks WebSocket says so before it ends. */
	if (is_websocket(pump))
		return -ECONNRESET;
	down->no_more = true;
	return 0;
}

static int read_frames(struct pump *pump)
{
	struct laya_websocket_piece *piece = &pump->piece;
	struct way *down = &pump->down;
	ssize_t n;

	n = laya_websocket_read(&pump->reader, down->bytes + down->start,
				down->end - down->start, piece);
	if (n < 0)
		return n;
	down->start += n;
	if (piece->opcode == LAYA_WEBSOCKET_BINARY)
		return 0;
	if (piece->opcode == LAYA_WEBSOCKET_PING && !pump->close_sent)
		set_control(pump, LAYA_WEBSOCKET_PONG, piece->data, piece->len);
	if (piece->opcode == LAYA_WEBSOCKET_CLOSE)
		down->no_more = true;
	piece->len = 0;
	return 0;
}

static int run_down(struct pump *pump)
{
	struct way *down = &pump->down;
	unsigned int i;
	int ret;

	for (i = 0; i < ROUNDS * 16 && !down->ended; i++) {
		if (pump->piece.len) {
			ret = write_local(pump);
		} else if (down->no_more) {
			shutdown(pump->local, SHUT_WR);
			down->ended = true;
			ret = 0;
		} else if (down->start == down->end) {
			ret = fill_down(pump);
		} else if (is_websocket(pump)) {
			ret = read_frames(pump);
		} else {
			pump->piece.data = down->bytes + down->start;
			pump->piece.len = down->end - down->start;
			down->start = down->end;
			ret = 0;
		}
		if (ret)
			return ret;
	}
	return down->ended ? -EAGAIN : 0;
}

static void on_net(uv_poll_t *poll, int status, int events)
{
	struct pump *pump = poll->data;

	(void)events;
	if (status < 0)
		pump->net_failed = true;
	run(pump);
}

static void on_local(uv_poll_t *poll, int status, int events)
{
	struct pump *pump = poll->data;

	(void)events;
	if (status < 0 || laya_pump_hung_up(pump->local))
		lose_local(pump);
	run(pump);
}

static void on_again(uv_timer_t *timer)
{
	run(timer->data);
}

static int local_events(const struct pump *pump)
{
	int events = 0;

	if (!pump->up.no_more && pump->up.start == pump->up.end)
		events |= UV_READABLE;
	if (pump->local_gone)
		return events;
	if (pump->piece.len)
		events |= UV_WRITABLE;
	/* of which poll() tells even when it was not asked */
	return events ? events : UV_PRIORITIZED;
}

static int net_events(const struct pump *pump)
{
	bool writes = pump->up.start != pump->up.end || pump->control_len ||
		      (pump->up.no_more && !pump->up.ended);
	int events = 0;

	if (writes)
		events |= pump->net.write_wait;
	if (!pump->down.no_more && !pump->piece.len)
		events |= pump->net.read_wait;
	return events ? events : UV_PRIORITIZED;
}

static void watch(uv_poll_t *poll, int events, uv_poll_cb cb)
{
	if (events)
		uv_poll_start(poll, events, cb);
	else
		uv_poll_stop(poll);
}

static void run(struct pump *pump)
{
	int down = run_down(pump);
	int up = run_up(pump);
	int error;

	if (down < 0 && down != -EAGAIN) {
		fail(pump, down);
		return;
	}
	if (up < 0 && up != -EAGAIN) {
		fail(pump, up);
		return;
	}
	if (pump->up.ended && pump->down.ended) {
		fail(pump, 0);
		return;
	}
	/* It cannot be polled any more; no end comes but this one. */
	if (pump->net_failed && down == -EAGAIN && !pump->piece.len) {
		error = pump->down.ended ? -EPIPE : -ECONNRESET;
		fail(pump, error);
		return;
	}
	if (down == 0 || up == 0)
		uv_timer_start(&pump->again, on_again, 0, 0);
	watch(&pump->local_poll, local_events(pump), on_local);
	watch(&pump->net_poll, pump->net_failed ? 0 : net_events(pump), on_net);
}

/**
 * laya_pump_start() - pump between a stream and a new socket pair
 * @pump: where to put the pump
 * @fd: where to put the owner's end
 * @loop: the loop
 * @stream: the stream; the pump's from now on, whatever is returned
 * @framing: what is in the stream
 * @early: what was read from the stream already
 * @early_len: how much, no more than 64 KiB
 *
 * Return: 0 or a negative errno.
 */
int laya_pump_start(struct laya_pump **pump, int *fd, uv_loop_t *loop,
		    struct laya_stream *stream, enum laya_framing framing,
		    const uint8_t *early, size_t early_len)
{
	struct pump *new = calloc(1, sizeof(*new));
	int lowat = LOWAT;
	int fds[2];
	int ret = -ENOMEM;

	if (!new)
		goto err_stream;
	new->up.bytes = malloc(BUFFER_SIZE);
	new->down.bytes = malloc(BUFFER_SIZE);
	if (!new->up.bytes || !new->down.bytes || early_len > BUFFER_SIZE)
		goto err_free;
	ret = laya_pump_pair(fds);
	if (ret)
		goto err_free;
	new->base.end = end;
	new->loop = loop;
	new->net = *stream;
	/* Where it is no TCP there is less in between. */
	setsockopt(new->net.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat,
		   sizeof(lowat));
	new->local = fds[1];
	new->framing = framing;
	new->reader.masked = framing == LAYA_FRAMING_WEBSOCKET_SERVER;
	if (early_len)
		memcpy(new->down.bytes, early, early_len);
	new->down.end = early_len;

	ret = uv_poll_init(loop, &new->net_poll, new->net.fd);
	if (ret)
		goto err_pair;
	new->refs++;
	ret = uv_poll_init(loop, &new->local_poll, new->local);
	if (ret) {
		/* the memory goes with the handle */
		new->net_poll.data = new;
		uv_close((uv_handle_t *)&new->net_poll, on_closed);
		close(fds[0]);
		close(fds[1]);
		laya_stream_close(stream);
		return ret;
	}
	uv_timer_init(loop, &new->again);
	uv_timer_init(loop, &new->linger);
	new->refs = 4;
	new->net_poll.data = new;
	new->local_poll.data = new;
	new->again.data = new;
	new->linger.data = new;
	/* The first turn is the loop's, so that nobody is called from here. */
	uv_timer_start(&new->again, on_again, 0, 0);
	*pump = &new->base;
	*fd = fds[0];
	return 0;

err_pair:
	close(fds[0]);
	close(fds[1]);
err_free:
	free(new->up.bytes);
	free(new->down.bytes);
	free(new);
err_stream:
	laya_stream_close(stream);
	return ret;
}

/**
 * laya_pump_watch() - have the end of a pump told
 * @pump: the pump
 * @closed: who is told; NULL for nobody
 * @data: last argument
 */
void laya_pump_watch(struct laya_pump *pump,
		     void (*closed)(struct laya_pump *pump, int error,
				    void *data),
		     void *data)
{
	pump->closed = closed;
	pump->data = data;
}

/**
 * laya_pump_close() - end a pump at once
 * @pump: the pump; the pointer is dead after this
 */
void laya_pump_close(struct laya_pump *pump)
{
	pump->end(pump);
}
