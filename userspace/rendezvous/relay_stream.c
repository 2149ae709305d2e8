// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "relay.h"
#include "relay_forward.h"
#include "relay_stream.h"

#define HEADER_SIZE	2
#define FRAME_MAX	(HEADER_SIZE + UINT16_MAX)
/* That waits to be written; what comes when it is full is dropped, as by a router */
#define QUEUE_MAX	(128 * 1024)
/* What may lie in the socket beyond what is under way, where it only waits */
#define LOWAT		32768
/* Reads of a turn: then it is others' */
#define TURN		4
/* What no router was on the way of has come from near. */
#define TTL		64

/**
 * struct relay_stream - a carrier
 * @relay: ours
 * @id: its number
 * @fd: the stream
 * @poll: on the loop; it is closed last
 * @waits: @poll was started
 * @writing: and tells when more can be written
 * @remote: from where
 * @source: likewise, counted
 * @unsent: in relay->unsent, if @waiting
 * @waiting: something came into @out in this turn
 * @heard: milliseconds, when something that is ours to know last came
 * @fill: bytes in @in
 * @in: up to a whole frame
 * @queued: bytes in @out
 * @out: what waits to be written
 */
struct relay_stream {
	struct relay *relay;
	uint64_t id;
	int fd;
	uv_poll_t poll;
	bool waits;
	bool writing;
	struct laya_address remote;
	struct source *source;
	TAILQ_ENTRY(relay_stream) unsent;
	bool waiting;
	uint64_t heard;
	size_t fill;
	uint8_t in[FRAME_MAX];
	size_t queued;
	uint8_t out[QUEUE_MAX];
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static struct relay_endpoint endpoint_of(const struct relay_stream *stream)
{
	struct relay_endpoint end;

	memset(&end, 0, sizeof(end));
	end.relay = stream->relay;
	end.remote.stream.id = stream->id;
	return end;
}

/* Of all numbers with the same place, one is in use at a time. */
static struct relay_stream **place_of(const struct relay *relay, uint64_t id)
{
	return &relay->streams[id % relay->limits.streams];
}

static struct relay_stream *find(const struct relay_endpoint *end)
{
	uint64_t id = end->remote.stream.id;
	struct relay_stream *stream = *place_of(end->relay, id);

	return stream && stream->id == id ? stream : NULL;
}

/* A pump ends by itself when the other end of what it pumps is closed. */
static void end_stream(struct relay_stream *stream)
{
	struct relay *relay = stream->relay;
	struct relay_endpoint end = endpoint_of(stream);

	*place_of(relay, stream->id) = NULL;
	relay->n_streams--;
	if (stream->waiting)
		TAILQ_REMOVE(&relay->unsent, stream, unsent);
	sources_disconnect(&relay->callers, stream->source);
	relay_host_lost(relay, &end);
	uv_close((uv_handle_t *)&stream->poll, on_closed);
	close(stream->fd);
}

static void wait_for(struct relay_stream *stream)
{
	bool writing = stream->queued > 0;

	if (stream->waits && stream->writing == writing)
		return;
	stream->waits = true;
	stream->writing = writing;
	uv_poll_start(&stream->poll,
		      UV_READABLE | (writing ? UV_WRITABLE : 0), on_poll);
}

/* Return: 0, or a negative errno: it is broken. */
static int write_out(struct relay_stream *stream)
{
	ssize_t n;

	if (stream->queued == 0)
		return 0;
	n = send(stream->fd, stream->out, stream->queued,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	stream->queued -= n;
	memmove(stream->out, stream->out + n, stream->queued);
	return 0;
}

static bool has_room(const struct relay_stream *stream, size_t len)
{
	return stream->queued + HEADER_SIZE + len <= QUEUE_MAX;
}

/* Whole frames only: the rest of one would be read as others. */
static void queue(struct relay_stream *stream, const uint8_t *packet,
		  size_t len)
{
	if (!has_room(stream, len))
		write_out(stream);
	if (len > UINT16_MAX || !has_room(stream, len)) {
		stream->relay->stats.not_sent++;
		return;
	}
	laya_put16(stream->out + stream->queued, len);
	memcpy(stream->out + stream->queued + HEADER_SIZE, packet, len);
	stream->queued += HEADER_SIZE + len;
}

/**
 * relay_stream_flush() - write what came in this turn, as much at a time as there is
 * @relay: ours
 */
void relay_stream_flush(struct relay *relay)
{
	struct relay_stream *stream;

	while ((stream = TAILQ_FIRST(&relay->unsent))) {
		TAILQ_REMOVE(&relay->unsent, stream, unsent);
		stream->waiting = false;
		/* What breaks here is told to on_poll() too. */
		write_out(stream);
		wait_for(stream);
	}
}

/**
 * relay_stream_forward() - send packets on, with the next relay_stream_flush()
 * @to: where to: a stream, or one that is gone
 * @arrival: with what they came
 * @at: where in it they begin
 * @len: their length; they have the arrival's segment
 */
void relay_stream_forward(const struct relay_endpoint *to,
			  const struct relay_arrival *arrival, size_t at,
			  size_t len)
{
	struct relay_stream *stream = find(to);
	size_t size;

	for (; len > 0; len -= size, at += size) {
		size = len < arrival->segment ? len : arrival->segment;
		if (stream)
			queue(stream, arrival->data + at, size);
		else
			to->relay->stats.not_sent++;
	}
	if (stream && !stream->waiting) {
		TAILQ_INSERT_TAIL(&stream->relay->unsent, stream, unsent);
		stream->waiting = true;
	}
}

/**
 * relay_stream_send() - send a packet of our own, at once
 * @to: where to: a stream, or one that is gone
 * @packet: the packet
 * @len: its length
 */
void relay_stream_send(const struct relay_endpoint *to, const uint8_t *packet,
		       size_t len)
{
	const struct relay_arrival arrival = {
		.data = (uint8_t *)packet,
		.len = len,
		.segment = len,
	};

	relay_stream_forward(to, &arrival, 0, len);
	relay_stream_flush(to->relay);
}

/**
 * relay_stream_address() - the far end, for messages
 * @endpoint: the stream
 * @address: where to put it
 */
void relay_stream_address(const struct relay_endpoint *endpoint,
			  struct laya_address *address)
{
	const struct relay_stream *stream = find(endpoint);

	if (stream)
		*address = stream->remote;
	else
		memset(address, 0, sizeof(*address));
}

static void take_packet(struct relay_stream *stream, uint8_t *packet,
			size_t len)
{
	struct relay_stats *stats = &stream->relay->stats;
	uint64_t before = stats->opened + stats->forwarded;
	const struct relay_arrival arrival = {
		.from = endpoint_of(stream),
		.data = packet,
		.len = len,
		.segment = len,
		.ttl = TTL,
	};

	relay_forward(stream->relay, &arrival);
	if (stats->opened + stats->forwarded != before)
		stream->heard = stream->relay->now;
}

/* Return: 0, or a negative errno: it is broken, or no carrier. */
static int read_in(struct relay_stream *stream)
{
	size_t done = 0;
	size_t len;
	ssize_t n;

	n = recv(stream->fd, stream->in + stream->fill,
		 sizeof(stream->in) - stream->fill, MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return -EPIPE;
	stream->fill += n;
	while (stream->fill - done >= HEADER_SIZE) {
		len = laya_get16(stream->in + done);
		if (len == 0)
			return -EBADMSG;
		if (stream->fill - done - HEADER_SIZE < len)
			break;
		take_packet(stream, stream->in + done + HEADER_SIZE, len);
		done += HEADER_SIZE + len;
	}
	/* They are sent from this memory. */
	relay_socket_flush(stream->relay);
	stream->fill -= done;
	memmove(stream->in, stream->in + done, stream->fill);
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct relay_stream *stream = poll->data;
	int budget = TURN;
	int ret = status;

	relay_turn(stream->relay);
	if (!ret && (events & UV_WRITABLE))
		ret = write_out(stream);
	if (!ret && (events & UV_READABLE)) {
		while (!ret && budget-- > 0)
			ret = read_in(stream);
		if (ret == -EAGAIN)
			ret = 0;
	}
	if (ret)
		end_stream(stream);
	else
		wait_for(stream);
}

/* A queue in the socket would only be one more: ours drops what is too much. */
static void tune(int fd)
{
	int size = LOWAT;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &size, sizeof(size)))
		/* A pump's */
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static struct relay_stream *new_stream(struct relay *relay,
				       const struct laya_accepted *accepted)
{
	struct relay_stream *stream = malloc(sizeof(*stream));

	/* Its buffers stay untouched until they are used. */
	if (!stream)
		return NULL;
	stream->source = sources_connect(&relay->callers, &accepted->remote,
					 &relay->limits.arrivals,
					 relay->limits.source_connections,
					 relay->now);
	if (!stream->source)
		goto err_free;
	if (uv_poll_init(relay->loop, &stream->poll, accepted->fd))
		goto err_source;
	stream->poll.data = stream;
	stream->relay = relay;
	do {
		stream->id = ++relay->last_stream;
	} while (*place_of(relay, stream->id));
	stream->fd = accepted->fd;
	tune(stream->fd);
	stream->remote = accepted->remote;
	stream->heard = relay->now;
	stream->waits = false;
	stream->waiting = false;
	stream->fill = 0;
	stream->queued = 0;
	return stream;

err_source:
	sources_disconnect(&relay->callers, stream->source);
err_free:
	free(stream);
	return NULL;
}

/**
 * relay_stream_take() - take a carrier, or refuse it
 * @relay: ours
 * @accepted: the connection; it is ours, or closed, after this
 * @end: where to put the far end; or NULL
 *
 * Return: whether it was taken.
 */
bool relay_stream_take(struct relay *relay,
		       const struct laya_accepted *accepted,
		       struct relay_endpoint *end)
{
	struct relay_stream *stream = NULL;

	relay_turn(relay);
	if (relay->n_streams < relay->limits.streams)
		stream = new_stream(relay, accepted);
	if (!stream) {
		laya_debug("a carrier is not taken: there are %u",
			   relay->n_streams);
		close(accepted->fd);
		return false;
	}
	*place_of(relay, stream->id) = stream;
	relay->n_streams++;
	wait_for(stream);
	if (end)
		*end = endpoint_of(stream);
	return true;
}

/**
 * relay_stream_care() - end those by which nothing of use came for long
 * @relay: ours
 */
void relay_stream_care(struct relay *relay)
{
	struct relay_stream *stream;
	unsigned int i;

	for (i = 0; i < relay->limits.streams; i++) {
		stream = relay->streams[i];
		if (stream &&
		    relay->now - stream->heard >= RELAY_LABEL_LIFE_MS)
			end_stream(stream);
	}
}

/**
 * relay_stream_close_all() - end all
 * @relay: ours
 */
void relay_stream_close_all(struct relay *relay)
{
	unsigned int i;

	for (i = 0; i < relay->limits.streams; i++) {
		if (relay->streams[i])
			end_stream(relay->streams[i]);
	}
}
