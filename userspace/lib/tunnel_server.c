// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tunnel.h"

#define BUCKETS	1024

/*
 * One client's stream.
 *
 * Lifetime: it is in the table until finish(); one reference for each handle
 * of libuv's, the last one closed frees it.  A request that it holds points to
 * it, and is answered or cancelled first.
 */
struct laya_tunnel_session {
	struct laya_pump base;
	LIST_ENTRY(laya_tunnel_session) entry;
	struct laya_tunnels *tunnels;
	unsigned int refs;
	uint8_t name[LAYA_TUNNEL_NAME_SIZE];
	uv_timer_t idle;		/* no request for too long */
	uv_timer_t hold_up;
	uv_timer_t hold_down;
	uv_poll_t poll;
	int fd;
	bool finished;

	struct laya_tunnel_request *up;		/* those that wait */
	struct laya_tunnel_request *down;
	uint64_t up_offset;		/* taken, from here on */
	bool up_ended;

	uint64_t down_offset;		/* of the first byte of @bytes */
	size_t down_len;
	bool down_ended;		/* nothing comes after these */
	uint8_t bytes[LAYA_TUNNEL_DATA_MAX];
};

LIST_HEAD(bucket, laya_tunnel_session);

struct laya_tunnels {
	uv_loop_t *loop;
	struct laya_tunnels_ops ops;
	void *data;
	unsigned int max_sessions;
	unsigned int timeout;
	unsigned int n_sessions;
	struct bucket buckets[BUCKETS];
};

static void watch(struct laya_tunnel_session *session);

static struct bucket *bucket_of(struct laya_tunnels *tunnels,
				const uint8_t name[LAYA_TUNNEL_NAME_SIZE])
{
	/* Names are random; who makes them collide slows a list of his own. */
	return &tunnels->buckets[(name[0] << 8 | name[1]) % BUCKETS];
}

static void on_closed(uv_handle_t *handle)
{
	struct laya_tunnel_session *session = handle->data;

	if (--session->refs == 0)
		free(session);
}

static void respond(struct laya_tunnel_request **where, uint8_t flags,
		    uint64_t offset, const uint8_t *bytes, size_t len)
{
	struct laya_tunnel_request *request = *where;
	uint8_t head[LAYA_TUNNEL_HEAD_SIZE];

	laya_tunnel_head_write(head, &(struct laya_tunnel_head){
		.type = request->head.type,
		.flags = flags,
		.len = len,
		.offset = offset,
	});
	*where = NULL;
	request->session = NULL;
	request->respond(request, 200, head, bytes, len);
}

static void refuse(struct laya_tunnel_request **where, int code)
{
	struct laya_tunnel_request *request = *where;

	*where = NULL;
	request->session = NULL;
	request->respond(request, code, NULL, NULL, 0);
}

static void finish(struct laya_tunnel_session *session)
{
	if (session->finished)
		return;
	session->finished = true;
	LIST_REMOVE(session, entry);
	session->tunnels->n_sessions--;
	/* There is no such session any more. */
	if (session->up)
		refuse(&session->up, 404);
	if (session->down)
		refuse(&session->down, 404);
	uv_close((uv_handle_t *)&session->idle, on_closed);
	uv_close((uv_handle_t *)&session->hold_up, on_closed);
	uv_close((uv_handle_t *)&session->hold_down, on_closed);
	uv_close((uv_handle_t *)&session->poll, on_closed);
	close(session->fd);
}

static void end(struct laya_pump *base)
{
	finish((struct laya_tunnel_session *)base);
}

static void fail(struct laya_tunnel_session *session, int error)
{
	finish(session);
	if (session->base.closed)
		session->base.closed(&session->base, error,
				     session->base.data);
}

static void on_idle(uv_timer_t *timer)
{
	fail(timer->data, -ETIMEDOUT);
}

static void answer_up(struct laya_tunnel_session *session)
{
	respond(&session->up, session->up_ended ? LAYA_TUNNEL_END : 0,
		session->up_offset, NULL, 0);
}

static void answer_down(struct laya_tunnel_session *session)
{
	respond(&session->down, session->down_ended ? LAYA_TUNNEL_END : 0,
		session->down_offset, session->bytes, session->down_len);
}

/* Write what the request brought, as far as the owner takes it. */
static void run_up(struct laya_tunnel_session *session)
{
	const struct laya_tunnel_head *head;
	size_t done;
	ssize_t n;

	if (!session->up)
		return;
	head = &session->up->head;
	done = session->up_offset - head->offset;
	while (done < head->len) {
		n = send(session->fd, session->up->body + done,
			 head->len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		/* The owner is gone, and with it what is sent to it. */
		if (n < 0)
			n = head->len - done;
		done += n;
		session->up_offset += n;
	}
	if (head->flags & LAYA_TUNNEL_END && !session->up_ended) {
		session->up_ended = true;
		shutdown(session->fd, SHUT_WR);
	}
	answer_up(session);
}

static void run_down(struct laya_tunnel_session *session)
{
	ssize_t n;

	if (!session->down)
		return;
	while (!session->down_ended &&
	       session->down_len < sizeof(session->bytes)) {
		n = recv(session->fd, session->bytes + session->down_len,
			 sizeof(session->bytes) - session->down_len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			session->down_ended = true;
		else
			session->down_len += n;
	}
	if (session->down_len || session->down_ended)
		answer_down(session);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct laya_tunnel_session *session = poll->data;

	(void)status;
	(void)events;
	run_up(session);
	run_down(session);
	watch(session);
}

/* The owner is listened to as far as the client can be told. */
static void watch(struct laya_tunnel_session *session)
{
	int events = 0;

	if (session->finished)
		return;
	if (session->up)
		events |= UV_WRITABLE;
	if (session->down)
		events |= UV_READABLE;
	if (events)
		uv_poll_start(&session->poll, events, on_poll);
	else
		uv_poll_stop(&session->poll);
	if (session->up || session->down)
		uv_timer_stop(&session->idle);
	else
		uv_timer_start(&session->idle, on_idle,
			       session->tunnels->timeout, 0);
}

static void on_hold_up(uv_timer_t *timer)
{
	struct laya_tunnel_session *session = timer->data;

	if (session->up)
		answer_up(session);
	watch(session);
}

static void on_hold_down(uv_timer_t *timer)
{
	struct laya_tunnel_session *session = timer->data;

	if (session->down)
		answer_down(session);
	watch(session);
}

static struct laya_tunnel_session *
find(struct laya_tunnels *tunnels, const uint8_t name[LAYA_TUNNEL_NAME_SIZE])
{
	struct laya_tunnel_session *session;

	LIST_FOREACH(session, bucket_of(tunnels, name), entry) {
		if (!memcmp(session->name, name, LAYA_TUNNEL_NAME_SIZE))
			return session;
	}
	return NULL;
}

static int new_session(struct laya_tunnels *tunnels,
		       struct laya_tunnel_request *request)
{
	struct laya_tunnel_session *session;
	int fds[2];
	int ret;

	if (tunnels->n_sessions >= tunnels->max_sessions)
		return -EBUSY;
	session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	ret = laya_pump_pair(fds);
	if (ret)
		goto err_free;
	ret = uv_poll_init(tunnels->loop, &session->poll, fds[1]);
	if (ret)
		goto err_pair;
	uv_timer_init(tunnels->loop, &session->idle);
	uv_timer_init(tunnels->loop, &session->hold_up);
	uv_timer_init(tunnels->loop, &session->hold_down);
	session->idle.data = session;
	session->hold_up.data = session;
	session->hold_down.data = session;
	session->poll.data = session;
	session->refs = 4;
	session->base.end = end;
	session->fd = fds[1];
	session->tunnels = tunnels;
	memcpy(session->name, request->name, LAYA_TUNNEL_NAME_SIZE);
	LIST_INSERT_HEAD(bucket_of(tunnels, request->name), session, entry);
	tunnels->n_sessions++;
	watch(session);
	tunnels->ops.opened(tunnels, fds[0], &session->base, request,
			    tunnels->data);
	return 0;

err_pair:
	close(fds[0]);
	close(fds[1]);
err_free:
	free(session);
	return ret;
}

static void take_up(struct laya_tunnel_session *session,
		    struct laya_tunnel_request *request)
{
	/* The client gave the one that waits up. */
	if (session->up)
		answer_up(session);
	/* The newest byte is known, or what comes is from nowhere. */
	if (request->head.offset > session->up_offset ||
	    session->up_offset - request->head.offset > request->head.len) {
		request->respond(request, 400, NULL, NULL, 0);
		return;
	}
	session->up = request;
	request->session = session;
	run_up(session);
	if (session->up)
		uv_timer_start(&session->hold_up, on_hold_up,
			       LAYA_TUNNEL_HOLD, 0);
}

static void take_down(struct laya_tunnel_session *session,
		      struct laya_tunnel_request *request)
{
	size_t seen;

	if (session->down)
		respond(&session->down, 0, session->down_offset, NULL, 0);
	if (request->head.len || request->head.offset < session->down_offset ||
	    request->head.offset - session->down_offset > session->down_len) {
		request->respond(request, 400, NULL, NULL, 0);
		return;
	}
	seen = request->head.offset - session->down_offset;
	memmove(session->bytes, session->bytes + seen,
		session->down_len - seen);
	session->down_len -= seen;
	session->down_offset += seen;
	session->down = request;
	request->session = session;
	run_down(session);
	if (session->down)
		uv_timer_start(&session->hold_down, on_hold_down,
			       LAYA_TUNNEL_HOLD, 0);
}

/**
 * laya_tunnels_take() - answer a request, now or later
 * @tunnels: the server's sessions
 * @request: the request
 */
void laya_tunnels_take(struct laya_tunnels *tunnels,
		       struct laya_tunnel_request *request)
{
	struct laya_tunnel_session *session = find(tunnels, request->name);

	request->session = NULL;
	switch (request->head.type) {
	case LAYA_TUNNEL_OPEN:
		if (request->head.len || request->head.offset) {
			request->respond(request, 400, NULL, NULL, 0);
		} else if (!session &&
			   new_session(tunnels, request)) {
			request->respond(request, 503, NULL, NULL, 0);
		} else {
			respond(&request, 0, 0, NULL, 0);
		}
		return;
	case LAYA_TUNNEL_CLOSE:
		if (session)
			fail(session, 0);
		respond(&request, 0, 0, NULL, 0);
		return;
	default:
		break;
	}
	if (!session) {
		request->respond(request, 404, NULL, NULL, 0);
		return;
	}
	if (request->head.type == LAYA_TUNNEL_UP)
		take_up(session, request);
	else
		take_down(session, request);
	watch(session);
}

/**
 * laya_tunnels_cancel() - the one who asked is gone
 * @request: the request; not answered
 */
void laya_tunnels_cancel(struct laya_tunnel_request *request)
{
	struct laya_tunnel_session *session = request->session;

	if (!session)
		return;
	if (session->up == request)
		session->up = NULL;
	if (session->down == request)
		session->down = NULL;
	request->session = NULL;
	watch(session);
}

/**
 * laya_tunnels_new() - make a server's table of sessions
 * @tunnels: where to put it
 * @loop: the loop
 * @max_sessions: how many at most
 * @timeout: milliseconds without a request after which one is over
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0 or -ENOMEM.
 */
int laya_tunnels_new(struct laya_tunnels **tunnels, uv_loop_t *loop,
		     unsigned int max_sessions, unsigned int timeout,
		     const struct laya_tunnels_ops *ops, void *data)
{
	struct laya_tunnels *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->loop = loop;
	new->max_sessions = max_sessions;
	new->timeout = timeout;
	new->ops = *ops;
	new->data = data;
	*tunnels = new;
	return 0;
}

/**
 * laya_tunnels_free() - end all sessions
 * @tunnels: the table; no request may be waiting
 */
void laya_tunnels_free(struct laya_tunnels *tunnels)
{
	struct laya_tunnel_session *session;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		while ((session = LIST_FIRST(&tunnels->buckets[i])))
			fail(session, -ECANCELED);
	free(tunnels);
}
