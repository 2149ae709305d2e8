// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "dial.h"
#include "http.h"
#include "transfer.h"
#include "tunnel.h"
#include "udp_stream.h"

#define DEFAULT_ALPN	"http/1.1"

enum state {
	STATE_TRANSFER,		/* libcurl: name, connection, proxy */
	STATE_TLS,
	STATE_REQUEST,		/* the upgrade's request is being sent */
	STATE_RESPONSE,
	STATE_TUNNEL,
	STATE_UDP,
	STATE_DEAD,
};

/*
 * Lifetime: one reference for each handle of libuv's.  die() closes them; the
 * last one closed frees it.
 */
struct laya_dial {
	struct laya_dial_ops ops;
	void *data;
	uv_loop_t *loop;
	unsigned int refs;
	enum state state;
	uv_timer_t deadline;
	uv_poll_t poll;
	bool polling;

	struct laya_transfer *transfer;
	CURL *easy;
	struct laya_stream stream;
	struct laya_tunnel *tunnel;
	struct laya_udp_client *udp;

	char accept[LAYA_WEBSOCKET_ACCEPT_SIZE];
	char buffer[LAYA_HTTP_HEAD_MAX];
	size_t start;
	size_t end;
};

static void run(struct laya_dial *dial);

static void on_closed(uv_handle_t *handle)
{
	struct laya_dial *dial = handle->data;

	if (--dial->refs == 0)
		free(dial);
}

static void stop_polling(struct laya_dial *dial)
{
	if (dial->polling)
		uv_close((uv_handle_t *)&dial->poll, on_closed);
	dial->polling = false;
}

static void die(struct laya_dial *dial)
{
	if (dial->state == STATE_DEAD)
		return;
	dial->state = STATE_DEAD;
	stop_polling(dial);
	uv_close((uv_handle_t *)&dial->deadline, on_closed);
	laya_stream_close(&dial->stream);
	if (dial->tunnel)
		laya_tunnel_close(dial->tunnel);
	if (dial->udp)
		laya_udp_client_close(dial->udp);
	if (dial->easy)
		laya_transfer_stop(dial->transfer, dial->easy);
	if (dial->transfer)
		laya_transfer_free(dial->transfer);
	dial->easy = NULL;
	dial->transfer = NULL;
	dial->tunnel = NULL;
	dial->udp = NULL;
}

static struct laya_dial_evidence *evidence_of(struct laya_dial *dial)
{
	return laya_transfer_evidence(dial->transfer);
}

static void finish(struct laya_dial *dial, int fd, struct laya_pump *pump)
{
	struct laya_dial_evidence evidence = *evidence_of(dial);

	die(dial);
	dial->ops.done(dial, fd, pump, &evidence, dial->data);
}

static void succeed(struct laya_dial *dial, int fd, struct laya_pump *pump)
{
	evidence_of(dial)->step = LAYA_DIAL_DONE;
	finish(dial, fd, pump);
}

static void __attribute__((format(printf, 3, 4)))
fail(struct laya_dial *dial, int error, const char *format, ...)
{
	struct laya_dial_evidence *evidence = evidence_of(dial);
	va_list args;

	va_start(args, format);
	vsnprintf(evidence->text, sizeof(evidence->text), format, args);
	va_end(args);
	finish(dial, error, NULL);
}

static const char *server_name(const struct laya_dial *dial)
{
	return laya_transfer_server_name(dial->transfer);
}

static void fail_tls(struct laya_dial *dial, int error)
{
	struct laya_dial_evidence *evidence = evidence_of(dial);

	if (!*evidence->tls.error)
		laya_tls_error(evidence->tls.error);
	laya_tls_explain(&evidence->tls, server_name(dial), evidence->text,
			 sizeof(evidence->text));
	finish(dial, error, NULL);
}

static void on_deadline(uv_timer_t *timer)
{
	struct laya_dial *dial = timer->data;
	int error = -ETIMEDOUT;

	switch (dial->state) {
	case STATE_TRANSFER:
		laya_transfer_explain(dial->transfer, dial->easy,
				      CURLE_OPERATION_TIMEDOUT);
		finish(dial, error, NULL);
		break;
	case STATE_TLS:
		strcpy(evidence_of(dial)->tls.error, "no answer");
		fail_tls(dial, error);
		break;
	case STATE_TUNNEL:
		laya_tunnel_give_up(dial->tunnel);
		finish(dial, error, NULL);
		break;
	case STATE_UDP:
		laya_udp_give_up(dial->udp);
		dial->udp = NULL;
		finish(dial, error, NULL);
		break;
	default:
		fail(dial, error, "%s: no answer to the upgrade",
		     server_name(dial));
		break;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	/* An error is told better by the call that runs into it. */
	run(poll->data);
}

static int wait_for(struct laya_dial *dial, int events)
{
	int ret;

	if (!dial->polling) {
		ret = uv_poll_init(dial->loop, &dial->poll, dial->stream.fd);
		if (ret)
			return ret;
		dial->poll.data = dial;
		dial->polling = true;
		dial->refs++;
	}
	return uv_poll_start(&dial->poll, events, on_poll);
}

static void start_pump(struct laya_dial *dial, enum laya_framing framing)
{
	struct laya_pump *pump;
	int fd;
	int ret;

	/* One poll of a descriptor at a time */
	stop_polling(dial);
	ret = laya_pump_start(&pump, &fd, dial->loop, &dial->stream, framing,
			      (uint8_t *)dial->buffer + dial->start,
			      dial->end - dial->start);
	laya_stream_init(&dial->stream, -1);
	if (ret)
		fail(dial, ret, "cannot pump: %s", strerror(-ret));
	else
		succeed(dial, fd, pump);
}

static void write_upgrade(struct laya_dial *dial)
{
	const struct laya_dial_target *target =
		laya_transfer_target(dial->transfer);
	const char *name = server_name(dial);
	char key[LAYA_WEBSOCKET_KEY_SIZE];
	bool in6 = strchr(name, ':');
	char port[8] = "";

	laya_websocket_key(key);
	laya_websocket_accept(dial->accept, key);
	if (target->port != 443)
		snprintf(port, sizeof(port), ":%u", target->port);
	dial->start = 0;
	dial->end = snprintf(dial->buffer, sizeof(dial->buffer),
			     "GET %s HTTP/1.1\r\n"
			     "Host: %s%s%s%s\r\n"
			     "Upgrade: websocket\r\n"
			     "Connection: Upgrade\r\n"
			     "Sec-WebSocket-Key: %s\r\n"
			     "Sec-WebSocket-Version: 13\r\n"
			     "\r\n",
			     target->path ? target->path : LAYA_TRANSPORT_PATH,
			     in6 ? "[" : "", name, in6 ? "]" : "", port, key);
}

/* TLS is there: what is to be said inside? */
static int on_tls(struct laya_dial *dial)
{
	if (laya_transfer_target(dial->transfer)->transport ==
	    LAYA_TRANSPORT_TLS) {
		start_pump(dial, LAYA_FRAMING_NONE);
		return -EINPROGRESS;
	}
	evidence_of(dial)->step = LAYA_DIAL_HTTP;
	write_upgrade(dial);
	dial->state = STATE_REQUEST;
	return 0;
}

static int run_tls(struct laya_dial *dial)
{
	int ret = laya_stream_handshake(&dial->stream);

	if (ret == -EAGAIN)
		return wait_for(dial, dial->stream.read_wait) ?: -EINPROGRESS;
	if (ret) {
		fail_tls(dial, ret);
		return -EINPROGRESS;
	}
	return on_tls(dial);
}

static int run_request(struct laya_dial *dial)
{
	ssize_t n = laya_stream_write(&dial->stream,
				      dial->buffer + dial->start,
				      dial->end - dial->start);

	if (n == -EAGAIN)
		return wait_for(dial, dial->stream.write_wait) ?: -EINPROGRESS;
	if (n < 0)
		return n;
	dial->start += n;
	if (dial->start == dial->end) {
		dial->start = 0;
		dial->end = 0;
		dial->state = STATE_RESPONSE;
	}
	return 0;
}

static void take_response(struct laya_dial *dial,
			  const struct laya_http_head *head)
{
	evidence_of(dial)->http_code = head->code;
	if (head->code != 101)
		fail(dial, -EACCES, "%s answered %d to the upgrade",
		     server_name(dial), head->code);
	else if (!head->upgrade ||
		 strcmp(head->accept, dial->accept))
		fail(dial, -EBADMSG, "%s does not speak WebSocket",
		     server_name(dial));
	else
		start_pump(dial, LAYA_FRAMING_WEBSOCKET_CLIENT);
}

static int run_response(struct laya_dial *dial)
{
	struct laya_http_head head;
	ssize_t used;
	ssize_t n;

	n = laya_stream_read(&dial->stream, dial->buffer + dial->end,
			     sizeof(dial->buffer) - dial->end);
	if (n == -EAGAIN)
		return wait_for(dial, dial->stream.read_wait) ?: -EINPROGRESS;
	if (n <= 0)
		return n ? n : -ECONNRESET;
	dial->end += n;
	used = laya_http_read_response(&head, dial->buffer, dial->end);
	if (used == -EAGAIN)
		return 0;
	if (used < 0) {
		fail(dial, used, "%s answered what is not HTTP",
		     server_name(dial));
		return -EINPROGRESS;
	}
	dial->start = used;
	take_response(dial, &head);
	return -EINPROGRESS;
}

/* Steps return 0 to go on, -EINPROGRESS to wait or when all is over. */
static void run(struct laya_dial *dial)
{
	int ret = 0;

	while (ret == 0) {
		switch (dial->state) {
		case STATE_TLS:
			ret = run_tls(dial);
			break;
		case STATE_REQUEST:
			ret = run_request(dial);
			break;
		case STATE_RESPONSE:
			ret = run_response(dial);
			break;
		default:
			return;
		}
	}
	if (ret != -EINPROGRESS)
		fail(dial, ret, "%s, at the upgrade: %s", server_name(dial),
		     strerror(-ret));
}

static void start_tls(struct laya_dial *dial)
{
	const struct laya_dial_options *options =
		laya_transfer_options(dial->transfer);
	const char *alpn = laya_transfer_target(dial->transfer)->alpn;
	struct laya_dial_evidence *evidence = evidence_of(dial);
	int ret;

	evidence->step = LAYA_DIAL_TLS;
	ret = laya_tls_client(&dial->stream.ssl, dial->stream.fd,
			      server_name(dial), alpn ? alpn : DEFAULT_ALPN,
			      options->ca_file, options->verify,
			      &evidence->tls);
	if (ret) {
		fail(dial, ret, "cannot start TLS%s%.200s: %s",
		     options->ca_file ? " with " : "",
		     options->ca_file ? options->ca_file : "", strerror(-ret));
		return;
	}
	dial->state = STATE_TLS;
	run(dial);
}

/* A connection whose bytes are not its socket's: behind a socket pair then */
static int pump_transfer(struct laya_dial *dial, int fd,
			 struct laya_pump **pump)
{
	struct laya_stream stream;
	int ret;

	laya_stream_init(&stream, fd);
	stream.transfer = dial->transfer;
	laya_transfer_set_stream(dial->transfer, dial->easy);
	dial->transfer = NULL;
	dial->easy = NULL;
	ret = laya_pump_start(pump, &fd, dial->loop, &stream,
			      LAYA_FRAMING_NONE, NULL, 0);
	return ret ? ret : fd;
}

/*
 * The transfer goes with the pump, so what it knows is kept in a new one, of
 * which only that is used.
 */
static int split_transfer(struct laya_dial *dial, int fd,
			  struct laya_pump **pump)
{
	const struct laya_transfer_ops none = { 0 };
	struct laya_transfer *old = dial->transfer;
	struct laya_transfer *new;
	int ret;

	ret = laya_transfer_new(&new, dial->loop, laya_transfer_target(old),
				laya_transfer_options(old), &none, NULL);
	if (ret)
		return ret;
	*laya_transfer_evidence(new) = *laya_transfer_evidence(old);
	ret = pump_transfer(dial, fd, pump);
	dial->transfer = new;
	return ret;
}

static int take_socket(struct laya_dial *dial, struct laya_pump **pump)
{
	curl_socket_t socket = CURL_SOCKET_BAD;
	int fd;

	*pump = NULL;
	curl_easy_getinfo(dial->easy, CURLINFO_ACTIVESOCKET, &socket);
	if (socket == CURL_SOCKET_BAD)
		return -ENOTCONN;
	if (laya_transfer_tls_to_proxy(dial->transfer) &&
	    *evidence_of(dial)->proxy)
		return split_transfer(dial, socket, pump);
	/* libcurl closes its own. */
	fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	laya_transfer_stop(dial->transfer, dial->easy);
	dial->easy = NULL;
	return fd;
}

static void on_connected(struct laya_transfer *transfer, CURL *easy,
			 CURLcode result, void *data)
{
	struct laya_dial *dial = data;
	struct laya_pump *pump;
	int ret;

	ret = laya_transfer_explain(transfer, easy, result);
	if (ret) {
		finish(dial, ret, NULL);
		return;
	}
	ret = take_socket(dial, &pump);
	if (ret < 0) {
		fail(dial, ret, "cannot take the connection: %s",
		     strerror(-ret));
	} else if (laya_transfer_target(dial->transfer)->transport ==
		   LAYA_TRANSPORT_TCP) {
		succeed(dial, ret, pump);
	} else {
		laya_stream_init(&dial->stream, ret);
		start_tls(dial);
	}
}

static void on_tunnel(struct laya_tunnel *tunnel, int error, int fd,
		      struct laya_pump *pump, void *data)
{
	struct laya_dial *dial = data;
	struct laya_dial_evidence evidence = *evidence_of(dial);

	(void)tunnel;
	if (error) {
		finish(dial, error, NULL);
		return;
	}
	/* Both belong to the pump now. */
	dial->tunnel = NULL;
	dial->transfer = NULL;
	evidence.step = LAYA_DIAL_DONE;
	die(dial);
	dial->ops.done(dial, fd, pump, &evidence, dial->data);
}

static const struct laya_tunnel_ops tunnel_ops = { .opened = on_tunnel };

static void on_udp(struct laya_udp_client *client, int error, int fd,
		   struct laya_pump *pump, void *data)
{
	struct laya_dial *dial = data;

	(void)client;
	dial->udp = NULL;
	if (error)
		finish(dial, error, NULL);
	else
		succeed(dial, fd, pump);
}

static const struct laya_udp_client_ops udp_ops = { .opened = on_udp };

static const struct laya_transfer_ops connect_ops = {
	.done = on_connected,
};

/**
 * laya_dial_options_default() - how to dial unless there is a reason
 * @options: where to put it
 */
void laya_dial_options_default(struct laya_dial_options *options)
{
	memset(options, 0, sizeof(*options));
	options->timeout = 15000;
	options->stagger = 250;
}

/**
 * laya_dial() - dial
 * @dial: where to put the dial
 * @loop: the loop
 * @target: where to; copied
 * @options: in what way; copied
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0; -EINVAL for a target that is none; -ENOMEM; all else is told by
 * ops->done().
 */
int laya_dial(struct laya_dial **dial, uv_loop_t *loop,
	      const struct laya_dial_target *target,
	      const struct laya_dial_options *options,
	      const struct laya_dial_ops *ops, void *data)
{
	struct laya_dial *new;
	int ret;

	if (!*target->host || strlen(target->host) > 255 || !target->port ||
	    (target->server_name && strlen(target->server_name) > 255) ||
	    (target->path && (target->path[0] != '/' ||
			      strlen(target->path) >= LAYA_HTTP_PATH_SIZE)) ||
	    target->transport < LAYA_TRANSPORT_UDP ||
	    target->transport >= LAYA_TRANSPORT_END)
		return -EINVAL;
	if (sodium_init() < 0)
		return -ENOMEM;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->ops = *ops;
	new->data = data;
	new->loop = loop;
	laya_stream_init(&new->stream, -1);
	uv_timer_init(loop, &new->deadline);
	new->deadline.data = new;
	new->refs = 1;
	ret = laya_transfer_new(&new->transfer, loop, target, options,
				&connect_ops, new);
	if (ret)
		goto err;
	if (target->transport == LAYA_TRANSPORT_HTTPS) {
		new->state = STATE_TUNNEL;
		ret = laya_tunnel_open(&new->tunnel, loop, new->transfer,
				       &tunnel_ops, new);
	} else if (target->transport == LAYA_TRANSPORT_UDP) {
		new->state = STATE_UDP;
		ret = laya_udp_connect(&new->udp, loop, target, options,
				       evidence_of(new), &udp_ops, new);
	} else {
		new->easy = laya_transfer_easy(new->transfer, false);
		ret = new->easy ? laya_transfer_start(new->transfer, new->easy) :
		      -ENOMEM;
	}
	if (ret)
		goto err;
	uv_timer_start(&new->deadline, on_deadline, options->timeout, 0);
	*dial = new;
	return 0;

err:
	die(new);
	return ret;
}

/**
 * laya_dial_close() - do not dial any longer
 * @dial: the dial; the pointer is dead after this
 */
void laya_dial_close(struct laya_dial *dial)
{
	die(dial);
}
