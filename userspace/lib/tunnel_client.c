// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "transfer.h"
#include "tunnel.h"

#define TRIES_MAX	8
#define RETRY_FIRST	100	/* milliseconds, doubled each time */
#define RETRY_MOST	5000
/* Beyond what the server may hold it: then it is lost */
#define REQUEST_TIMEOUT	(LAYA_TUNNEL_HOLD + 10000)
#define NO_ANSWER	0

/* One of the two requests that are asked at a time, again and again */
struct lane {
	struct laya_tunnel *tunnel;
	CURL *easy;
	uv_timer_t retry;
	bool busy;
	unsigned int tries;
	struct laya_tunnel_head head;
	uint8_t *request;
	uint8_t *response;
	size_t response_len;
};

/*
 * Lifetime: the dial's until it is open, then a pump's.  One reference for
 * each handle of libuv's; the last one closed frees it.
 */
struct laya_tunnel {
	struct laya_pump base;
	uv_loop_t *loop;
	unsigned int refs;
	struct laya_transfer *transfer;
	struct laya_tunnel_ops ops;
	void *data;
	struct curl_slist *fields;
	uint8_t name[LAYA_TUNNEL_NAME_SIZE];
	uv_poll_t poll;
	int fd;
	int owner_fd;
	bool opened;
	bool local_gone;
	bool closing;		/* the last request is on its way */
	bool finished;

	struct lane up;
	uint64_t up_offset;	/* the server has taken all before */
	size_t up_len;		/* and these bytes of up.request are to come */
	bool up_no_more;
	bool up_ended;

	struct lane down;
	uint64_t down_offset;
	size_t down_at;		/* what of the response is not written yet */
	size_t down_len;
	bool down_no_more;
	bool down_ended;
};

static void run(struct laya_tunnel *tunnel);

static uint8_t *up_bytes(struct laya_tunnel *tunnel)
{
	return tunnel->up.request + LAYA_TUNNEL_NAME_SIZE +
	       LAYA_TUNNEL_HEAD_SIZE;
}

static void free_lane(struct lane *lane)
{
	free(lane->request);
	free(lane->response);
}

static void on_closed(uv_handle_t *handle)
{
	struct laya_tunnel *tunnel = handle->data;

	if (--tunnel->refs > 0)
		return;
	curl_slist_free_all(tunnel->fields);
	free_lane(&tunnel->up);
	free_lane(&tunnel->down);
	free(tunnel);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct lane *lane = handle->data;

	handle->data = lane->tunnel;
	on_closed(handle);
}

static void stop_lane(struct lane *lane)
{
	uv_close((uv_handle_t *)&lane->retry, on_timer_closed);
	if (lane->easy)
		laya_transfer_stop(lane->tunnel->transfer, lane->easy);
	lane->easy = NULL;
}

static void finish(struct laya_tunnel *tunnel)
{
	if (tunnel->finished)
		return;
	tunnel->finished = true;
	stop_lane(&tunnel->up);
	stop_lane(&tunnel->down);
	uv_close((uv_handle_t *)&tunnel->poll, on_closed);
	/* Before it is open, the transfer is the dial's, for its evidence. */
	if (tunnel->opened)
		laya_transfer_free(tunnel->transfer);
	else
		close(tunnel->owner_fd);
	close(tunnel->fd);
}

static void end(struct laya_pump *base)
{
	finish((struct laya_tunnel *)base);
}

static void fail(struct laya_tunnel *tunnel, int error)
{
	if (tunnel->finished)
		return;
	/* The dial closes it, when it has read the evidence. */
	if (!tunnel->opened) {
		tunnel->ops.opened(tunnel, error, -1, NULL, tunnel->data);
		return;
	}
	finish(tunnel);
	if (tunnel->base.closed)
		tunnel->base.closed(&tunnel->base, error, tunnel->base.data);
}

static size_t on_response(char *bytes, size_t size, size_t n, void *data)
{
	struct lane *lane = data;

	n *= size;
	if (n > LAYA_TUNNEL_RESPONSE_MAX - lane->response_len)
		return 0;
	memcpy(lane->response + lane->response_len, bytes, n);
	lane->response_len += n;
	return n;
}

static void send_request(struct lane *lane)
{
	struct laya_tunnel *tunnel = lane->tunnel;

	memcpy(lane->request, tunnel->name, LAYA_TUNNEL_NAME_SIZE);
	laya_tunnel_head_write(lane->request + LAYA_TUNNEL_NAME_SIZE,
			       &lane->head);
	lane->response_len = 0;
	lane->busy = true;
	curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDSIZE,
			 (long)(LAYA_TUNNEL_NAME_SIZE + LAYA_TUNNEL_HEAD_SIZE +
				lane->head.len));
	if (laya_transfer_start(tunnel->transfer, lane->easy))
		fail(tunnel, -ENOMEM);
}

static void ask(struct lane *lane, enum laya_tunnel_type type, uint8_t flags,
		uint64_t offset, size_t len)
{
	lane->head = (struct laya_tunnel_head){
		.type = type,
		.flags = flags,
		.len = len,
		.offset = offset,
	};
	lane->tries = 0;
	send_request(lane);
}

static void on_retry(uv_timer_t *timer)
{
	send_request(timer->data);
}

static void ask_again(struct lane *lane)
{
	unsigned int wait = RETRY_FIRST << lane->tries;

	if (wait > RETRY_MOST)
		wait = RETRY_MOST;
	lane->tries++;
	/* It is not to be started at the same moment as all others. */
	uv_timer_start(&lane->retry, on_retry,
		       wait / 2 + randombytes_uniform(wait / 2 + 1), 0);
}

static void open_tunnel(struct laya_tunnel *tunnel)
{
	tunnel->opened = true;
	tunnel->ops.opened(tunnel, 0, tunnel->owner_fd, &tunnel->base,
			   tunnel->data);
}

static int take_up(struct laya_tunnel *tunnel,
		   const struct laya_tunnel_head *head)
{
	uint64_t taken = head->offset - tunnel->up_offset;

	if (taken > tunnel->up_len || head->len)
		return -EBADMSG;
	tunnel->up_len -= taken;
	tunnel->up_offset += taken;
	memmove(up_bytes(tunnel), up_bytes(tunnel) + taken, tunnel->up_len);
	if (head->flags & LAYA_TUNNEL_END) {
		if (!tunnel->up_no_more || tunnel->up_len)
			return -EBADMSG;
		tunnel->up_ended = true;
	}
	return 0;
}

static int take_down(struct laya_tunnel *tunnel,
		     const struct laya_tunnel_head *head)
{
	if (head->offset != tunnel->down_offset)
		return -EBADMSG;
	tunnel->down_at = LAYA_TUNNEL_HEAD_SIZE;
	tunnel->down_len = head->len;
	tunnel->down_offset += head->len;
	tunnel->down_no_more = head->flags & LAYA_TUNNEL_END;
	return 0;
}

static int take_response(struct lane *lane)
{
	struct laya_tunnel *tunnel = lane->tunnel;
	struct laya_tunnel_head head;

	if (laya_tunnel_head_read(&head, lane->response, lane->response_len) ||
	    head.type != lane->head.type)
		return -EBADMSG;
	switch (head.type) {
	case LAYA_TUNNEL_OPEN:
		open_tunnel(tunnel);
		return 0;
	case LAYA_TUNNEL_UP:
		return take_up(tunnel, &head);
	case LAYA_TUNNEL_DOWN:
		return take_down(tunnel, &head);
	default:
		fail(tunnel, 0);
		return 0;
	}
}

/* What a box on the way may say, and later not any more */
static bool is_passing(CURLcode result, long code)
{
	return (result != CURLE_OK && result != CURLE_WRITE_ERROR) ||
	       code == 408 || code == 429 || code / 100 == 5;
}

static int explain(struct laya_transfer *transfer, CURL *easy,
		   CURLcode result, long code)
{
	struct laya_dial_evidence *evidence = laya_transfer_evidence(transfer);
	int ret = laya_transfer_explain(transfer, easy, result);

	evidence->http_code = code;
	if (ret)
		return ret;
	evidence->step = LAYA_DIAL_HTTP;
	if (code == 200)
		return 0;
	snprintf(evidence->text, sizeof(evidence->text),
		 "%s answered %ld to the request",
		 laya_transfer_server_name(transfer), code);
	return -EACCES;
}

static void on_done(struct laya_transfer *transfer, CURL *easy,
		    CURLcode result, void *data)
{
	struct laya_tunnel *tunnel = data;
	struct lane *lane = easy == tunnel->up.easy ? &tunnel->up :
			    &tunnel->down;
	long code = NO_ANSWER;
	int ret;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	laya_transfer_pause(transfer, easy);
	if (!tunnel->opened) {
		ret = explain(transfer, easy, result, code);
		if (ret) {
			fail(tunnel, ret);
			return;
		}
	}
	if (lane->head.type == LAYA_TUNNEL_CLOSE) {
		fail(tunnel, 0);
		return;
	}
	if (is_passing(result, code) && lane->tries < TRIES_MAX) {
		ask_again(lane);
		return;
	}
	lane->busy = false;
	ret = result == CURLE_OK && code == 200 ? take_response(lane) :
	      -ECONNRESET;
	if (ret && !tunnel->opened)
		snprintf(laya_transfer_evidence(transfer)->text,
			 LAYA_DIAL_TEXT_SIZE, "%s answered what is no tunnel",
			 laya_transfer_server_name(transfer));
	if (ret)
		fail(tunnel, ret);
	else if (!tunnel->finished)
		run(tunnel);
}

static const struct laya_transfer_ops transfer_ops = { .done = on_done };

static void lose_local(struct laya_tunnel *tunnel)
{
	tunnel->local_gone = true;
	tunnel->down_len = 0;
}

/* Read what the owner wrote, and have it sent. */
static void run_up(struct laya_tunnel *tunnel)
{
	ssize_t n = 1;

	if (tunnel->up.busy || tunnel->up_ended)
		return;
	while (!tunnel->up_no_more && tunnel->up_len < LAYA_TUNNEL_DATA_MAX) {
		n = recv(tunnel->fd, up_bytes(tunnel) + tunnel->up_len,
			 LAYA_TUNNEL_DATA_MAX - tunnel->up_len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			tunnel->up_no_more = true;
			if (n < 0 || laya_pump_hung_up(tunnel->fd))
				lose_local(tunnel);
		} else {
			tunnel->up_len += n;
		}
	}
	if (tunnel->up_len || tunnel->up_no_more)
		ask(&tunnel->up, LAYA_TUNNEL_UP,
		    tunnel->up_no_more ? LAYA_TUNNEL_END : 0,
		    tunnel->up_offset, tunnel->up_len);
}

static void run_down(struct laya_tunnel *tunnel)
{
	ssize_t n;

	while (tunnel->down_len) {
		n = send(tunnel->fd, tunnel->down.response + tunnel->down_at,
			 tunnel->down_len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			lose_local(tunnel);
			return;
		}
		tunnel->down_at += n;
		tunnel->down_len -= n;
	}
	if (tunnel->down_no_more) {
		if (!tunnel->down_ended)
			shutdown(tunnel->fd, SHUT_WR);
		tunnel->down_ended = true;
	} else if (!tunnel->down.busy && !tunnel->local_gone) {
		ask(&tunnel->down, LAYA_TUNNEL_DOWN, 0, tunnel->down_offset, 0);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct laya_tunnel *tunnel = poll->data;

	(void)events;
	if (status < 0 || laya_pump_hung_up(tunnel->fd))
		lose_local(tunnel);
	run(tunnel);
}

static int local_events(const struct laya_tunnel *tunnel)
{
	int events = 0;

	if (!tunnel->up.busy && !tunnel->up_no_more)
		events |= UV_READABLE;
	if (tunnel->local_gone)
		return events;
	if (tunnel->down_len)
		events |= UV_WRITABLE;
	return events ? events : UV_PRIORITIZED;
}

static void run(struct laya_tunnel *tunnel)
{
	int events;

	run_down(tunnel);
	if (!tunnel->finished)
		run_up(tunnel);
	if (tunnel->finished)
		return;
	if (tunnel->up_ended && !tunnel->closing &&
	    (tunnel->down_ended || tunnel->local_gone)) {
		tunnel->closing = true;
		ask(&tunnel->up, LAYA_TUNNEL_CLOSE, 0, 0, 0);
	}
	events = local_events(tunnel);
	if (events)
		uv_poll_start(&tunnel->poll, events, on_poll);
	else
		uv_poll_stop(&tunnel->poll);
}

static int init_lane(struct lane *lane, struct laya_tunnel *tunnel,
		     size_t data_max)
{
	size_t fixed = LAYA_TUNNEL_NAME_SIZE + LAYA_TUNNEL_HEAD_SIZE;

	lane->tunnel = tunnel;
	uv_timer_init(tunnel->loop, &lane->retry);
	lane->retry.data = lane;
	tunnel->refs++;
	lane->request = malloc(fixed + data_max);
	lane->response = malloc(LAYA_TUNNEL_RESPONSE_MAX);
	lane->easy = laya_transfer_easy(tunnel->transfer, true);
	if (!lane->request || !lane->response || !lane->easy)
		return -ENOMEM;
	curl_easy_setopt(lane->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDS, lane->request);
	curl_easy_setopt(lane->easy, CURLOPT_HTTPHEADER, tunnel->fields);
	curl_easy_setopt(lane->easy, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(lane->easy, CURLOPT_WRITEFUNCTION, on_response);
	curl_easy_setopt(lane->easy, CURLOPT_WRITEDATA, lane);
	curl_easy_setopt(lane->easy, CURLOPT_TIMEOUT_MS, (long)REQUEST_TIMEOUT);
	curl_easy_setopt(lane->easy, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
	curl_easy_setopt(lane->easy, CURLOPT_BUFFERSIZE, 262144L);
	return 0;
}

/**
 * laya_tunnel_open() - open a tunnel
 * @tunnel: where to put it
 * @loop: the loop
 * @transfer: how to reach the server; the tunnel's when it is open
 * @ops: who is told; copied
 * @data: last argument
 *
 * Return: 0 or a negative errno.
 */
int laya_tunnel_open(struct laya_tunnel **tunnel, uv_loop_t *loop,
		     struct laya_transfer *transfer,
		     const struct laya_tunnel_ops *ops, void *data)
{
	struct laya_tunnel *new = calloc(1, sizeof(*new));
	int fds[2];
	int ret;

	if (!new)
		return -ENOMEM;
	ret = laya_pump_pair(fds);
	if (ret) {
		free(new);
		return ret;
	}
	ret = uv_poll_init(loop, &new->poll, fds[1]);
	if (ret) {
		close(fds[0]);
		close(fds[1]);
		free(new);
		return ret;
	}
	new->poll.data = new;
	new->refs = 1;
	new->base.end = end;
	new->loop = loop;
	new->transfer = transfer;
	new->ops = *ops;
	new->data = data;
	new->owner_fd = fds[0];
	new->fd = fds[1];
	randombytes_buf(new->name, sizeof(new->name));
	new->fields = curl_slist_append(NULL,
					"Content-Type: application/octet-stream");
	curl_slist_append(new->fields, "Cache-Control: no-store");
	curl_slist_append(new->fields, "Accept:");
	curl_slist_append(new->fields, "Expect:");
	laya_transfer_own(transfer, &transfer_ops, new);
	ret = init_lane(&new->up, new, LAYA_TUNNEL_DATA_MAX);
	if (init_lane(&new->down, new, 0) || ret) {
		finish(new);
		return -ENOMEM;
	}
	ask(&new->up, LAYA_TUNNEL_OPEN, 0, 0, 0);
	*tunnel = new;
	return 0;
}

/**
 * laya_tunnel_give_up() - put into the evidence how far it came
 * @tunnel: a tunnel that is not open
 */
void laya_tunnel_give_up(struct laya_tunnel *tunnel)
{
	laya_transfer_explain(tunnel->transfer, tunnel->up.easy,
			      CURLE_OPERATION_TIMEDOUT);
}

/**
 * laya_tunnel_close() - end a tunnel that is not open
 * @tunnel: the tunnel; the pointer is dead after this
 */
void laya_tunnel_close(struct laya_tunnel *tunnel)
{
	finish(tunnel);
}
