// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet.h"
#include "udp_stream.h"

/* RFC 6298, with shorter times: what is under way is never much */
#define RTO_FIRST_MS	500
#define RTO_MIN_MS	200
#define RTO_MAX_MS	3000
#define WINDOW_FIRST	4
#define WINDOW_MIN	2
#define WINDOW_MAX	16
/* Acknowledgements that say nothing new tell of a gap (RFC 5681). */
#define REPEATS		3
/*
 * Without anything new acknowledged: the way may be another; it is over, for a
 * client, which can begin another.  A server may only not know where it is now.
 */
#define LOST_MS		1000
#define STALLED_MS	15000
/* Half of NATs forget a flow after 15 s, or 30. */
#define PING_MS		13000
#define PING_AGAIN_MS	2000
#define CLIENT_IDLE_MS	40000
#define SERVER_IDLE_MS	60000

/**
 * laya_udp_packet_write() - make a packet
 * @bytes: where to put it
 * @packet: what it says
 *
 * Return: its length.
 */
size_t laya_udp_packet_write(uint8_t bytes[LAYA_UDP_PACKET_MAX],
			     const struct laya_udp_packet *packet)
{
	uint8_t *at = bytes + LAYA_UDP_HEAD_SIZE;

	bytes[0] = LAYA_UDP_TYPE;
	bytes[1] = packet->kind;
	laya_put16(bytes + 2, 0);
	laya_put32(bytes + 4, packet->offset);
	laya_put32(bytes + 8, packet->id >> 32);
	laya_put32(bytes + 12, packet->id);
	laya_put32(bytes + 16, packet->ack);
	if (packet->kind == LAYA_UDP_HELLO || packet->kind == LAYA_UDP_COOKIE) {
		memcpy(at, packet->cookie, LAYA_UDP_COOKIE_SIZE);
		at += LAYA_UDP_COOKIE_SIZE;
	}
	if (packet->len)
		memcpy(at, packet->data, packet->len);
	return at + packet->len - bytes;
}

/**
 * laya_udp_packet_read() - read a packet
 * @packet: where to put what it says
 * @bytes: the packet
 * @len: its length
 *
 * Return: 0, or -EBADMSG.
 */
int laya_udp_packet_read(struct laya_udp_packet *packet, const uint8_t *bytes,
			 size_t len)
{
	bool carries;

	if (len < LAYA_UDP_HEAD_SIZE || bytes[0] != LAYA_UDP_TYPE ||
	    bytes[1] < LAYA_UDP_HELLO || bytes[1] > LAYA_UDP_CLOSE ||
	    laya_get16(bytes + 2) != 0)
		return -EBADMSG;
	memset(packet, 0, sizeof(*packet));
	packet->kind = bytes[1];
	packet->offset = laya_get32(bytes + 4);
	packet->id = (uint64_t)laya_get32(bytes + 8) << 32 |
		     laya_get32(bytes + 12);
	packet->ack = laya_get32(bytes + 16);
	bytes += LAYA_UDP_HEAD_SIZE;
	len -= LAYA_UDP_HEAD_SIZE;
	if (packet->kind == LAYA_UDP_HELLO || packet->kind == LAYA_UDP_COOKIE) {
		if (len < LAYA_UDP_COOKIE_SIZE)
			return -EBADMSG;
		memcpy(packet->cookie, bytes, LAYA_UDP_COOKIE_SIZE);
		bytes += LAYA_UDP_COOKIE_SIZE;
		len -= LAYA_UDP_COOKIE_SIZE;
	}
	carries = packet->kind == LAYA_UDP_HELLO ||
		  packet->kind == LAYA_UDP_DATA;
	if (len > (carries ? LAYA_UDP_DATA_MAX : 0))
		return -EBADMSG;
	packet->data = bytes;
	packet->len = len;
	return 0;
}

static uint64_t now(const struct laya_udp_stream *stream)
{
	return uv_now(stream->loop);
}

static uint32_t under_way(const struct laya_udp_stream *stream)
{
	return stream->next - stream->acked;
}

static void send_packet(struct laya_udp_stream *stream, uint8_t kind,
			uint32_t offset, size_t len)
{
	struct laya_udp_packet packet = {
		.kind = kind,
		.id = stream->id,
		.offset = offset,
		.ack = stream->received,
		.data = stream->out + (offset - stream->acked),
		.len = len,
	};
	uint8_t bytes[LAYA_UDP_PACKET_MAX];

	if (stream->show && kind != LAYA_UDP_CLOSE) {
		packet.kind = LAYA_UDP_HELLO;
		memcpy(packet.cookie, stream->cookie, LAYA_UDP_COOKIE_SIZE);
	}
	stream->said = now(stream);
	stream->ops->send(stream, bytes, laya_udp_packet_write(bytes, &packet));
}

/**
 * laya_udp_stream_put() - one handle less
 * @stream: the stream; perhaps gone after this
 */
void laya_udp_stream_put(struct laya_udp_stream *stream)
{
	if (--stream->refs == 0)
		stream->ops->freed(stream);
}

static void on_closed(uv_handle_t *handle)
{
	laya_udp_stream_put(handle->data);
}

static void finish(struct laya_udp_stream *stream)
{
	if (stream->over)
		return;
	stream->over = true;
	uv_close((uv_handle_t *)&stream->poll, on_closed);
	uv_close((uv_handle_t *)&stream->timer, on_closed);
	close(stream->fd);
	stream->ops->gone(stream);
}

static void end(struct laya_pump *base)
{
	struct laya_udp_stream *stream = (struct laya_udp_stream *)base;

	if (!stream->over)
		send_packet(stream, LAYA_UDP_CLOSE, stream->next, 0);
	finish(stream);
}

/**
 * laya_udp_stream_fail() - it is over
 * @stream: the stream
 * @error: why, a negative errno; 0 if the far side has closed it
 */
void laya_udp_stream_fail(struct laya_udp_stream *stream, int error)
{
	if (stream->over)
		return;
	finish(stream);
	if (stream->base.closed)
		stream->base.closed(&stream->base, error, stream->base.data);
}

/* Return: whether anything was sent. */
static bool send_more(struct laya_udp_stream *stream)
{
	uint32_t end_of_out = stream->acked + stream->out_len;
	bool sent = false;
	size_t len;

	while (stream->next != end_of_out &&
	       under_way(stream) < stream->window * LAYA_UDP_DATA_MAX) {
		len = end_of_out - stream->next;
		if (len > LAYA_UDP_DATA_MAX)
			len = LAYA_UDP_DATA_MAX;
		if (under_way(stream) == 0) {
			stream->since = now(stream);
			stream->flight = stream->since;
		}
		/* What is sent again measures nothing (Karn). */
		if (!stream->timed && stream->next == stream->highest) {
			stream->timed = true;
			stream->timed_end = stream->next + len;
			stream->timed_at = now(stream);
		}
		send_packet(stream, LAYA_UDP_DATA, stream->next, len);
		stream->next += len;
		if ((int32_t)(stream->next - stream->highest) > 0)
			stream->highest = stream->next;
		sent = true;
	}
	return sent;
}

static void again_from_start(struct laya_udp_stream *stream)
{
	stream->next = stream->acked;
	stream->timed = false;
	stream->repeats = 0;
}

static uint64_t ping_due(const struct laya_udp_stream *stream)
{
	return stream->said + (stream->pinged ? PING_AGAIN_MS : PING_MS);
}

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

static void schedule(struct laya_udp_stream *stream)
{
	uint64_t idle = stream->client ? CLIENT_IDLE_MS : SERVER_IDLE_MS;
	uint64_t due = stream->heard + idle;

	if (under_way(stream) > 0 && stream->flight + stream->rto < due)
		due = stream->flight + stream->rto;
	if (stream->client && ping_due(stream) < due)
		due = ping_due(stream);
	uv_timer_start(&stream->timer, on_timer,
		       due > now(stream) ? due - now(stream) : 0, 0);
	if (stream->ended || stream->out_len == sizeof(stream->out))
		uv_poll_stop(&stream->poll);
	else
		uv_poll_start(&stream->poll, UV_READABLE, on_poll);
}

/* All was said, and has come: then it is over here too. */
static void go_on(struct laya_udp_stream *stream)
{
	if (stream->ended && stream->out_len == 0) {
		send_packet(stream, LAYA_UDP_CLOSE, stream->next, 0);
		laya_udp_stream_fail(stream, 0);
		return;
	}
	schedule(stream);
}

static void on_timer(uv_timer_t *timer)
{
	struct laya_udp_stream *stream = timer->data;
	uint64_t idle = stream->client ? CLIENT_IDLE_MS : SERVER_IDLE_MS;
	uint64_t time = now(stream);

	if (time >= stream->heard + idle ||
	    (stream->client && under_way(stream) > 0 &&
	     time >= stream->since + STALLED_MS)) {
		laya_udp_stream_fail(stream, -ETIMEDOUT);
		return;
	}
	if (under_way(stream) > 0 && time >= stream->flight + stream->rto) {
		stream->rto *= 2;
		if (stream->rto > RTO_MAX_MS)
			stream->rto = RTO_MAX_MS;
		stream->window = WINDOW_MIN;
		if (stream->ops->stalled && time >= stream->since + LOST_MS)
			stream->ops->stalled(stream);
		time = stream->since;
		again_from_start(stream);
		send_more(stream);
		stream->since = time;
	} else if (stream->client && time >= ping_due(stream)) {
		stream->pinged = true;
		send_packet(stream, LAYA_UDP_PING, stream->next, 0);
	}
	schedule(stream);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct laya_udp_stream *stream = poll->data;
	ssize_t n;

	(void)status;
	(void)events;
	while (stream->out_len < sizeof(stream->out)) {
		n = recv(stream->fd, stream->out + stream->out_len,
			 sizeof(stream->out) - stream->out_len, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			stream->ended = true;
			break;
		}
		stream->out_len += n;
	}
	send_more(stream);
	go_on(stream);
}

/* RFC 6298, section 2 */
static void measure(struct laya_udp_stream *stream)
{
	uint64_t rtt = now(stream) - stream->timed_at;
	uint64_t off;

	stream->timed = false;
	if (stream->srtt == 0) {
		stream->srtt = rtt + 1;
		stream->rttvar = rtt / 2;
	} else {
		off = rtt > stream->srtt ? rtt - stream->srtt :
					   stream->srtt - rtt;
		stream->rttvar = (3 * stream->rttvar + off) / 4;
		stream->srtt = (7 * stream->srtt + rtt) / 8;
	}
}

static uint64_t first_rto(const struct laya_udp_stream *stream)
{
	uint64_t rto = stream->srtt + 4 * stream->rttvar;

	if (stream->srtt == 0)
		return RTO_FIRST_MS;
	if (rto < RTO_MIN_MS)
		return RTO_MIN_MS;
	return rto < RTO_MAX_MS ? rto : RTO_MAX_MS;
}

static void take_ack(struct laya_udp_stream *stream,
		     const struct laya_udp_packet *packet)
{
	uint32_t fresh = packet->ack - stream->acked;

	/* Of what was never sent, or is long past */
	if (fresh > stream->highest - stream->acked)
		return;
	if (fresh == 0) {
		if (packet->len > 0 || under_way(stream) == 0 ||
		    ++stream->repeats != REPEATS)
			return;
		again_from_start(stream);
		/* And no more of these until something new is there */
		stream->repeats = REPEATS + 1;
		stream->window /= 2;
		if (stream->window < WINDOW_MIN)
			stream->window = WINDOW_MIN;
		return;
	}
	if (stream->timed &&
	    (int32_t)(packet->ack - stream->timed_end) >= 0)
		measure(stream);
	stream->rto = first_rto(stream);
	memmove(stream->out, stream->out + fresh, stream->out_len - fresh);
	stream->out_len -= fresh;
	stream->acked = packet->ack;
	if ((int32_t)(stream->next - stream->acked) < 0)
		stream->next = stream->acked;
	stream->repeats = 0;
	stream->since = now(stream);
	stream->flight = stream->since;
	if (stream->window < WINDOW_MAX)
		stream->window++;
}

/* What the owner does not take now comes again. */
static void take_data(struct laya_udp_stream *stream,
		      const struct laya_udp_packet *packet)
{
	uint32_t known = stream->received - packet->offset;
	ssize_t n;

	/* Behind a gap, this is a number beyond all. */
	if (known >= packet->len)
		return;
	n = send(stream->fd, packet->data + known, packet->len - known,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		stream->received += n;
	else if (errno != EAGAIN && errno != EINTR)
		/* The owner is gone, and with it what is sent to it. */
		stream->received += packet->len - known;
}

/**
 * laya_udp_stream_receive() - a packet of the far side came
 * @stream: the stream
 * @packet: of its id, and from where it is known to be
 */
void laya_udp_stream_receive(struct laya_udp_stream *stream,
			     const struct laya_udp_packet *packet)
{
	bool asks = packet->kind != LAYA_UDP_DATA || packet->len > 0;

	if (stream->over)
		return;
	stream->heard = now(stream);
	stream->pinged = false;
	if (packet->kind == LAYA_UDP_CLOSE) {
		laya_udp_stream_fail(stream, 0);
		return;
	}
	stream->show = false;
	take_ack(stream, packet);
	take_data(stream, packet);
	if (!send_more(stream) && asks)
		send_packet(stream, LAYA_UDP_DATA, stream->next, 0);
	go_on(stream);
}

/**
 * laya_udp_stream_show() - the server wants to see a cookie
 * @stream: of a client
 * @cookie: this
 */
void laya_udp_stream_show(struct laya_udp_stream *stream,
			  const uint8_t cookie[LAYA_UDP_COOKIE_SIZE])
{
	/* Once for each: several packets may have been answered so. */
	if (stream->over || (stream->show &&
			     !memcmp(stream->cookie, cookie,
				     LAYA_UDP_COOKIE_SIZE)))
		return;
	memcpy(stream->cookie, cookie, LAYA_UDP_COOKIE_SIZE);
	stream->show = true;
	again_from_start(stream);
	if (!send_more(stream))
		send_packet(stream, LAYA_UDP_PING, stream->next, 0);
	schedule(stream);
}

/**
 * laya_udp_stream_start() - begin, at offset 0
 * @stream: zeros, but for @id, @client, @cookie, @show and @refs
 * @loop: the loop
 * @ops: of the side
 * @fd: where to put the owner's end
 *
 * Return: 0, or a negative errno, and nothing is to be given back.
 */
int laya_udp_stream_start(struct laya_udp_stream *stream, uv_loop_t *loop,
			  const struct laya_udp_stream_ops *ops, int *fd)
{
	int fds[2];
	int ret;

	ret = laya_pump_pair(fds);
	if (ret)
		return ret;
	ret = uv_poll_init(loop, &stream->poll, fds[1]);
	if (ret) {
		close(fds[0]);
		close(fds[1]);
		return ret;
	}
	uv_timer_init(loop, &stream->timer);
	stream->poll.data = stream;
	stream->timer.data = stream;
	stream->refs += 2;
	stream->base.end = end;
	stream->ops = ops;
	stream->loop = loop;
	stream->fd = fds[1];
	stream->heard = now(stream);
	stream->said = stream->heard;
	stream->rto = RTO_FIRST_MS;
	stream->window = WINDOW_FIRST;
	schedule(stream);
	*fd = fds[0];
	return 0;
}
