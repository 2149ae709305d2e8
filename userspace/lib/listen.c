// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sodium.h>

#include "http.h"
#include "listen.h"
#include "tls.h"
#include "tunnel.h"
#include "udp_stream.h"

/* A length, and a type that tells carriers */
#define FIRST_SIZE	3
#define CHANNEL_FIRST	0x0030
/* "laya key?", of channel.c */
#define QUESTION_LEN	9
#define CARRIER_LEAST	64
#define PACKET_SEALED	0x81
#define PACKET_LABELLED	0x82
/* A few bytes that have come would wake us for ever: look again after this. */
#define LOOK_AGAIN	20
#define MAX_UDP_SOCKETS	16

enum state {
	STATE_FIRST,		/* the first bytes tell */
	STATE_TLS,
	STATE_HEAD,		/* HTTP, or, in TLS, perhaps not */
	STATE_BODY,
	STATE_HELD,		/* the answer to a request is not there yet */
	STATE_ANSWER,
	STATE_KIND,		/* all around it is gone: channel or carrier? */
	STATE_DEAD,
};

enum after {
	AFTER_CLOSE,
	AFTER_NEXT,		/* another request may come */
	AFTER_UPGRADE,
};

/*
 * Lifetime: one reference for each handle of libuv's; the last one closed
 * frees it, and puts the listener, on which each connection has a reference.
 */
struct connection {
	TAILQ_ENTRY(connection) entry;
	struct laya_listener *listener;
	unsigned int refs;
	enum state state;
	bool serving;			/* it is in listener->serving */
	uv_timer_t deadline;
	uv_timer_t again;
	uv_poll_t *poll;

	struct laya_stream stream;
	enum laya_transport transport;
	struct laya_address remote;
	struct laya_address local;

	uint8_t *buffer;		/* LAYA_HTTP_HEAD_MAX */
	size_t start;
	size_t end;

	struct laya_tunnel_request request;
	uint8_t *body;
	size_t body_len;
	size_t body_fill;
	bool close;			/* after this request */

	uint8_t *answer;
	size_t answer_at;
	size_t answer_len;
	enum after after;

	int fd;				/* of what is handed over */
	struct laya_pump *pump;
};

TAILQ_HEAD(connections, connection);

/* Lifetime: one reference is the owner's, one each connection's. */
struct laya_listener {
	struct laya_listener_config config;
	struct laya_listener_ops ops;
	void *data;
	uv_loop_t *loop;
	unsigned int refs;
	bool closed;
	SSL_CTX *tls;
	struct laya_tunnels *tunnels;
	struct laya_udp_server *udp;
	struct laya_udp_socket *udp_sockets[MAX_UDP_SOCKETS];
	unsigned int n_udp_sockets;
	struct laya_listener_stats stats;
	struct connections pending;
	unsigned int n_pending;
	struct connections serving;	/* requests, one after the other */
	unsigned int n_serving;
};

static void run(struct connection *connection);

static void put_listener(struct laya_listener *listener)
{
	if (--listener->refs > 0)
		return;
	SSL_CTX_free(listener->tls);
	free((char *)listener->config.path);
	free(listener);
}

static void put(struct connection *connection)
{
	if (--connection->refs > 0)
		return;
	put_listener(connection->listener);
	free(connection->buffer);
	free(connection->body);
	free(connection->answer);
	free(connection);
}

static void on_timer_closed(uv_handle_t *handle)
{
	put(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	put(handle->data);
	free(handle);
}

/* A descriptor has one poll at a time, and none when it is handed over. */
static void stop_polling(struct connection *connection)
{
	if (connection->poll)
		uv_close((uv_handle_t *)connection->poll, on_poll_closed);
	connection->poll = NULL;
}

static void unlist(struct connection *connection)
{
	struct laya_listener *listener = connection->listener;

	if (connection->serving) {
		TAILQ_REMOVE(&listener->serving, connection, entry);
		listener->n_serving--;
	} else {
		TAILQ_REMOVE(&listener->pending, connection, entry);
		listener->n_pending--;
	}
}

static void die(struct connection *connection)
{
	if (connection->state == STATE_DEAD)
		return;
	if (connection->state == STATE_HELD)
		laya_tunnels_cancel(&connection->request);
	connection->state = STATE_DEAD;
	unlist(connection);
	stop_polling(connection);
	uv_close((uv_handle_t *)&connection->deadline, on_timer_closed);
	uv_close((uv_handle_t *)&connection->again, on_timer_closed);
	laya_stream_close(&connection->stream);
	if (connection->fd >= 0)
		close(connection->fd);
	if (connection->pump)
		laya_pump_close(connection->pump);
	connection->fd = -1;
	connection->pump = NULL;
}

static void count(uint64_t *counter, struct connection *connection)
{
	(*counter)++;
	die(connection);
}

static void on_deadline(uv_timer_t *timer)
{
	struct connection *connection = timer->data;

	if (connection->serving)
		die(connection);	/* idle: nothing is wrong */
	else
		count(&connection->listener->stats.timed_out, connection);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct connection *connection = poll->data;

	(void)events;
	(void)status;
	/* Nothing is read while an answer is awaited, so this tells of an end. */
	if (connection->state == STATE_HELD) {
		die(connection);
		return;
	}
	run(connection);
}

static void on_again(uv_timer_t *timer)
{
	run(timer->data);
}

static int wait_for(struct connection *connection, int fd, int events)
{
	uv_poll_t *poll = connection->poll;
	int ret;

	if (!poll) {
		poll = malloc(sizeof(*poll));
		if (!poll)
			return -ENOMEM;
		ret = uv_poll_init(connection->listener->loop, poll, fd);
		if (ret) {
			free(poll);
			return ret;
		}
		poll->data = connection;
		connection->poll = poll;
		connection->refs++;
	}
	return uv_poll_start(connection->poll, events, on_poll);
}

static int wait_to_read(struct connection *connection)
{
	return wait_for(connection, connection->stream.fd,
			connection->stream.read_wait) ?: -EINPROGRESS;
}

/* Too little is there.  It wakes a poll all the time, so time does it. */
static int look_again(struct connection *connection, int fd, ssize_t n)
{
	if (n <= 0)
		return wait_for(connection, fd, UV_READABLE) ?: -EINPROGRESS;
	if (connection->poll)
		uv_poll_stop(connection->poll);
	uv_timer_start(&connection->again, on_again, LOOK_AGAIN, 0);
	return -EINPROGRESS;
}

static ssize_t peek(int fd, uint8_t first[FIRST_SIZE])
{
	ssize_t n = recv(fd, first, FIRST_SIZE, MSG_PEEK);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return n ? n : -ECONNRESET;
}

/* The first frame of one of ours, if it is one */
static int kind_of(const uint8_t first[FIRST_SIZE],
		   enum laya_accepted_kind *kind)
{
	unsigned int len = first[0] << 8 | first[1];

	if (len == CHANNEL_FIRST || (len == QUESTION_LEN && first[2] == 'l')) {
		*kind = LAYA_ACCEPTED_CHANNEL;
		return 0;
	}
	if (len >= CARRIER_LEAST &&
	    (first[2] == PACKET_SEALED || first[2] == PACKET_LABELLED)) {
		*kind = LAYA_ACCEPTED_CARRIER;
		return 0;
	}
	return -EPROTO;
}

static int run_kind(struct connection *connection)
{
	struct laya_listener *listener = connection->listener;
	struct laya_accepted accepted = {
		.fd = connection->fd,
		.pump = connection->pump,
		.transport = connection->transport,
		.remote = connection->remote,
		.local = connection->local,
	};
	uint8_t first[FIRST_SIZE];
	ssize_t n = peek(connection->fd, first);

	if (n == -EAGAIN || (n > 0 && n < FIRST_SIZE))
		return look_again(connection, connection->fd, n);
	if (n < 0)
		return n;
	/* Whose packets pass by UDP needs no stream for them. */
	if (kind_of(first, &accepted.kind) ||
	    (accepted.transport == LAYA_TRANSPORT_UDP &&
	     accepted.kind == LAYA_ACCEPTED_CARRIER))
		return -EPROTO;
	if (connection->pump)
		laya_pump_watch(connection->pump, NULL, NULL);
	connection->fd = -1;
	connection->pump = NULL;
	count(&listener->stats.accepted, connection);
	listener->ops.accepted(listener, &accepted, listener->data);
	return -EINPROGRESS;
}

static int need_buffer(struct connection *connection)
{
	if (!connection->buffer)
		connection->buffer = malloc(LAYA_HTTP_HEAD_MAX);
	return connection->buffer ? 0 : -ENOMEM;
}

static int run_first(struct connection *connection)
{
	uint8_t first[FIRST_SIZE] = { 0 };
	int fd = connection->stream.fd;
	enum laya_accepted_kind kind;
	ssize_t n = peek(fd, first);

	if (n == -EAGAIN || (n > 0 && n < FIRST_SIZE))
		return look_again(connection, fd, n);
	if (n < 0)
		return n;
	if (first[0] == SSL3_RT_HANDSHAKE && first[1] == SSL3_VERSION_MAJOR) {
		connection->stream.ssl = SSL_new(connection->listener->tls);
		if (!connection->stream.ssl ||
		    !SSL_set_fd(connection->stream.ssl, fd))
			return -ENOMEM;
		SSL_set_accept_state(connection->stream.ssl);
		connection->transport = LAYA_TRANSPORT_TLS;
		connection->state = STATE_TLS;
		return 0;
	}
	if (first[0] >= 'A' && first[0] <= 'Z') {
		connection->state = STATE_HEAD;
		return need_buffer(connection);
	}
	if (kind_of(first, &kind))
		return -EPROTO;
	stop_polling(connection);
	connection->fd = fd;
	laya_stream_init(&connection->stream, -1);
	connection->state = STATE_KIND;
	return 0;
}

static int run_tls(struct connection *connection)
{
	int ret = laya_stream_handshake(&connection->stream);

	if (ret == -EAGAIN)
		return wait_to_read(connection);
	ERR_clear_error();
	if (ret)
		return ret;
	connection->state = STATE_HEAD;
	return need_buffer(connection);
}

/* What it brought is still to be read, up to the end. */
static void on_pump_closed(struct laya_pump *pump, int error, void *data)
{
	struct connection *connection = data;

	(void)pump;
	(void)error;
	connection->pump = NULL;
}

static int start_pump(struct connection *connection, enum laya_framing framing)
{
	int ret;

	stop_polling(connection);
	ret = laya_pump_start(&connection->pump, &connection->fd,
			      connection->listener->loop, &connection->stream,
			      framing, connection->buffer + connection->start,
			      connection->end - connection->start);
	laya_stream_init(&connection->stream, -1);
	if (ret) {
		connection->pump = NULL;
		connection->fd = -1;
		return ret;
	}
	laya_pump_watch(connection->pump, on_pump_closed, connection);
	connection->state = STATE_KIND;
	return 0;
}

/* Nothing but what any web server would say */
static int answer(struct connection *connection, const char *text,
		  const uint8_t *head, const uint8_t *body, size_t len,
		  enum after after)
{
	size_t head_len = head ? LAYA_TUNNEL_HEAD_SIZE : 0;
	size_t text_len = strlen(text);

	connection->answer = malloc(text_len + head_len + len);
	if (!connection->answer)
		return -ENOMEM;
	memcpy(connection->answer, text, text_len);
	if (head)
		memcpy(connection->answer + text_len, head, head_len);
	if (len)
		memcpy(connection->answer + text_len + head_len, body, len);
	connection->answer_at = 0;
	connection->answer_len = text_len + head_len + len;
	connection->after = after;
	connection->state = STATE_ANSWER;
	return 0;
}

static int refuse(struct connection *connection, const char *status)
{
	char text[256];

	connection->listener->stats.not_found++;
	snprintf(text, sizeof(text),
		 "HTTP/1.1 %s\r\n"
		 "Content-Type: text/html\r\n"
		 "Content-Length: %zu\r\n"
		 "Connection: close\r\n"
		 "\r\n%s\n", status, strlen(status) + 1, status);
	return answer(connection, text, NULL, NULL, 0, AFTER_CLOSE);
}

static int upgrade(struct connection *connection,
		   const struct laya_http_head *head)
{
	char accept[LAYA_WEBSOCKET_ACCEPT_SIZE];
	char text[256];

	if (laya_websocket_accept(accept, head->key))
		return refuse(connection, "400 Bad Request");
	snprintf(text, sizeof(text),
		 "HTTP/1.1 101 Switching Protocols\r\n"
		 "Upgrade: websocket\r\n"
		 "Connection: Upgrade\r\n"
		 "Sec-WebSocket-Accept: %s\r\n"
		 "\r\n", accept);
	connection->transport = LAYA_TRANSPORT_WSS;
	return answer(connection, text, NULL, NULL, 0, AFTER_UPGRADE);
}

/* From now on it is one that asks, and is not on its way to become known. */
static int serve(struct connection *connection)
{
	struct laya_listener *listener = connection->listener;

	if (connection->serving)
		return 0;
	if (listener->n_serving >= listener->config.max_requests)
		return -EBUSY;
	unlist(connection);
	connection->serving = true;
	TAILQ_INSERT_TAIL(&listener->serving, connection, entry);
	listener->n_serving++;
	return 0;
}

static int begin_body(struct connection *connection,
		      const struct laya_http_head *head)
{
	size_t have = connection->end - connection->start;

	if (head->chunked || !head->have_length)
		return refuse(connection, "411 Length Required");
	if (head->length > LAYA_TUNNEL_REQUEST_MAX)
		return refuse(connection, "413 Content Too Large");
	/* What cannot be one of ours gets what all others get. */
	if (head->length < LAYA_TUNNEL_NAME_SIZE + LAYA_TUNNEL_HEAD_SIZE)
		return refuse(connection, "404 Not Found");
	if (serve(connection))
		return refuse(connection, "503 Service Unavailable");
	connection->body_len = head->length;
	connection->body = malloc(connection->body_len);
	if (!connection->body)
		return -ENOMEM;
	if (have > connection->body_len)
		have = connection->body_len;
	memcpy(connection->body, connection->buffer + connection->start, have);
	connection->body_fill = have;
	connection->start += have;
	connection->close = head->close;
	connection->state = STATE_BODY;
	uv_timer_start(&connection->deadline, on_deadline,
		       connection->listener->config.timeout, 0);
	return 0;
}

static bool is_ours(const struct connection *connection,
		    const struct laya_http_head *head)
{
	const char *path = connection->listener->config.path;
	size_t len = strlen(path);

	return !strncmp(head->path, path, len) &&
	       (head->path[len] == '\0' || head->path[len] == '?');
}

static int take_head(struct connection *connection,
		     const struct laya_http_head *head)
{
	if (!is_ours(connection, head))
		return refuse(connection, "404 Not Found");
	if (head->post)
		return begin_body(connection, head);
	if (head->upgrade && head->version_13 && !connection->serving)
		return upgrade(connection, head);
	return refuse(connection, "404 Not Found");
}

static bool begins_http(const struct connection *connection)
{
	uint8_t first = connection->buffer[connection->start];

	return first >= 'A' && first <= 'Z';
}

static int run_head(struct connection *connection)
{
	struct laya_http_head head;
	size_t len;
	ssize_t n;

	len = connection->end - connection->start;
	n = -EAGAIN;
	if (len && !connection->serving && !begins_http(connection))
		return connection->stream.ssl ?
		       start_pump(connection, LAYA_FRAMING_NONE) : -EPROTO;
	if (len)
		n = laya_http_read_request(&head,
					   (char *)connection->buffer +
					   connection->start, len);
	if (n > 0) {
		connection->start += n;
		return take_head(connection, &head);
	}
	if (n == -EMSGSIZE)
		return refuse(connection, "431 Request Header Fields Too Large");
	if (n != -EAGAIN)
		return refuse(connection, "400 Bad Request");

	memmove(connection->buffer, connection->buffer + connection->start,
		len);
	connection->start = 0;
	connection->end = len;
	n = laya_stream_read(&connection->stream, connection->buffer + len,
			     LAYA_HTTP_HEAD_MAX - len);
	if (n == -EAGAIN)
		return wait_to_read(connection);
	if (n <= 0)
		return n ? n : -ECONNRESET;
	connection->end += n;
	return 0;
}

static struct connection *asker(const struct laya_tunnel_request *request)
{
	return (struct connection *)((char *)request -
				     offsetof(struct connection, request));
}

static void on_respond(struct laya_tunnel_request *request, int code,
		       const uint8_t *head, const uint8_t *body, size_t len)
{
	struct connection *connection = asker(request);
	bool held = connection->poll && connection->state == STATE_HELD;
	char text[256];
	int ret;

	free(connection->body);
	connection->body = NULL;
	if (code == 200) {
		snprintf(text, sizeof(text),
			 "HTTP/1.1 200 OK\r\n"
			 "Content-Type: application/octet-stream\r\n"
			 "Cache-Control: no-store\r\n"
			 "Content-Length: %zu\r\n"
			 "%s\r\n", LAYA_TUNNEL_HEAD_SIZE + len,
			 connection->close ? "Connection: close\r\n" : "");
		ret = answer(connection, text, head, body, len,
			     connection->close ? AFTER_CLOSE : AFTER_NEXT);
	} else {
		ret = refuse(connection, code == 503 ? "503 Service Unavailable" :
			     code == 400 ? "400 Bad Request" : "404 Not Found");
	}
	if (ret)
		connection->after = AFTER_CLOSE;
	/* Sent from the loop: the caller is in the middle of something. */
	if (held)
		uv_poll_stop(connection->poll);
	uv_timer_start(&connection->again, on_again, 0, 0);
	uv_timer_start(&connection->deadline, on_deadline,
		       connection->listener->config.idle_timeout, 0);
}

static int run_body(struct connection *connection)
{
	struct laya_listener *listener = connection->listener;
	struct laya_tunnel_request *request = &connection->request;
	size_t fixed = LAYA_TUNNEL_NAME_SIZE + LAYA_TUNNEL_HEAD_SIZE;
	ssize_t n;

	if (connection->body_fill < connection->body_len) {
		n = laya_stream_read(&connection->stream,
				     connection->body + connection->body_fill,
				     connection->body_len -
				     connection->body_fill);
		if (n == -EAGAIN)
			return wait_to_read(connection);
		if (n <= 0)
			return n ? n : -ECONNRESET;
		connection->body_fill += n;
		return 0;
	}
	uv_timer_stop(&connection->deadline);
	memcpy(request->name, connection->body, LAYA_TUNNEL_NAME_SIZE);
	if (laya_tunnel_head_read(&request->head,
				  connection->body + LAYA_TUNNEL_NAME_SIZE,
				  connection->body_len -
				  LAYA_TUNNEL_NAME_SIZE)) {
		free(connection->body);
		connection->body = NULL;
		return refuse(connection, "404 Not Found");
	}
	request->body = connection->body + fixed;
	request->respond = on_respond;
	connection->state = STATE_HELD;
	/* So that its end is noticed; more is not read meanwhile. */
	if (wait_for(connection, connection->stream.fd, UV_DISCONNECT))
		return -ENOMEM;
	laya_tunnels_take(listener->tunnels, request);
	return -EINPROGRESS;
}

static int run_answer(struct connection *connection)
{
	ssize_t n;

	if (connection->answer_at < connection->answer_len) {
		n = laya_stream_write(&connection->stream,
				      connection->answer + connection->answer_at,
				      connection->answer_len -
				      connection->answer_at);
		if (n == -EAGAIN)
			return wait_for(connection, connection->stream.fd,
					connection->stream.write_wait) ?:
			       -EINPROGRESS;
		if (n < 0)
			return n;
		connection->answer_at += n;
		return 0;
	}
	free(connection->answer);
	connection->answer = NULL;
	switch (connection->after) {
	case AFTER_UPGRADE:
		return start_pump(connection, LAYA_FRAMING_WEBSOCKET_SERVER);
	case AFTER_NEXT:
		uv_timer_start(&connection->deadline, on_deadline,
			       connection->listener->config.idle_timeout, 0);
		connection->state = STATE_HEAD;
		return 0;
	default:
		laya_stream_shutdown(&connection->stream);
		/* What is unread would make a reset that overtakes the answer. */
		while (laya_stream_read(&connection->stream,
					connection->buffer,
					LAYA_HTTP_HEAD_MAX) > 0)
			;
		die(connection);
		return -EINPROGRESS;
	}
}

/* Steps return 0 to go on, -EINPROGRESS to wait or when it is gone. */
static void run(struct connection *connection)
{
	struct laya_listener *listener = connection->listener;
	int ret = 0;

	while (ret == 0) {
		switch (connection->state) {
		case STATE_FIRST:
			ret = run_first(connection);
			break;
		case STATE_TLS:
			ret = run_tls(connection);
			break;
		case STATE_HEAD:
			ret = run_head(connection);
			break;
		case STATE_BODY:
			ret = run_body(connection);
			break;
		case STATE_ANSWER:
			ret = run_answer(connection);
			break;
		case STATE_KIND:
			ret = run_kind(connection);
			break;
		default:
			return;
		}
	}
	if (ret == -EINPROGRESS)
		return;
	if (connection->serving)
		die(connection);
	else
		count(ret == -EPROTO && connection->state != STATE_TLS ?
		      &listener->stats.unknown : &listener->stats.failed,
		      connection);
}

static void on_tunnel(struct laya_tunnels *tunnels, int fd,
		      struct laya_pump *pump,
		      const struct laya_tunnel_request *request, void *data);

static const struct laya_tunnels_ops tunnel_ops = { .opened = on_tunnel };

static struct connection *new_connection(struct laya_listener *listener)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	if (listener->n_pending >= listener->config.max_pending)
		count(&listener->stats.evicted,
		      TAILQ_FIRST(&listener->pending));
	connection->listener = listener;
	listener->refs++;
	laya_stream_init(&connection->stream, -1);
	connection->fd = -1;
	connection->transport = LAYA_TRANSPORT_TCP;
	uv_timer_init(listener->loop, &connection->deadline);
	uv_timer_init(listener->loop, &connection->again);
	connection->deadline.data = connection;
	connection->again.data = connection;
	connection->refs = 2;
	TAILQ_INSERT_TAIL(&listener->pending, connection, entry);
	listener->n_pending++;
	uv_timer_start(&connection->deadline, on_deadline,
		       listener->config.timeout, 0);
	/* Nobody is called from within what brought it here. */
	uv_timer_start(&connection->again, on_again, 0, 0);
	return connection;
}

/* It is a connection whose kind is not known yet, like others. */
static void take_pumped(struct laya_listener *listener, int fd,
			struct laya_pump *pump, enum laya_transport transport,
			const struct laya_address *remote,
			const struct laya_address *local)
{
	struct connection *connection = new_connection(listener);

	if (!connection) {
		close(fd);
		laya_pump_close(pump);
		return;
	}
	connection->fd = fd;
	connection->pump = pump;
	laya_pump_watch(pump, on_pump_closed, connection);
	connection->remote = *remote;
	connection->local = *local;
	connection->transport = transport;
	connection->state = STATE_KIND;
}

static void on_tunnel(struct laya_tunnels *tunnels, int fd,
		      struct laya_pump *pump,
		      const struct laya_tunnel_request *request, void *data)
{
	(void)tunnels;
	take_pumped(data, fd, pump, LAYA_TRANSPORT_HTTPS,
		    &asker(request)->remote, &asker(request)->local);
}

static void on_udp(struct laya_udp_server *server, int fd,
		   struct laya_pump *pump, const struct laya_udp_end *end,
		   void *data)
{
	(void)server;
	take_pumped(data, fd, pump, LAYA_TRANSPORT_UDP, &end->remote,
		    &end->local);
}

static const struct laya_udp_server_ops udp_ops = { .opened = on_udp };

/**
 * laya_listener_config_default() - how a listener behaves on a public server
 * @config: where to put it
 */
void laya_listener_config_default(struct laya_listener_config *config)
{
	memset(config, 0, sizeof(*config));
	config->timeout = 10000;
	config->idle_timeout = 60000;
	config->max_pending = 1024;
	config->max_requests = 4096;
	config->max_source = 256;
	config->max_sessions = 1024;
	config->session_timeout = 60000;
}

/**
 * laya_listener_open() - make a listener
 * @listener: where to put it
 * @loop: the loop
 * @config: how it behaves; copied
 * @ops: who is told; copied
 * @data: last argument of each call
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * It has no socket of its own: whoever accepts connections gives them to
 * laya_listener_take().
 *
 * Return: 0 or a negative errno.
 */
int laya_listener_open(struct laya_listener **listener, uv_loop_t *loop,
		       const struct laya_listener_config *config,
		       const struct laya_listener_ops *ops, void *data,
		       char *msg, size_t msg_size)
{
	struct laya_listener *new = calloc(1, sizeof(*new));
	int ret = -ENOMEM;

	snprintf(msg, msg_size, "out of memory");
	if (!new || sodium_init() < 0) {
		free(new);
		return ret;
	}
	new->config = *config;
	new->config.path = strdup(config->path ? config->path :
				  LAYA_TRANSPORT_PATH);
	new->ops = *ops;
	new->data = data;
	new->loop = loop;
	new->refs = 1;
	TAILQ_INIT(&new->pending);
	TAILQ_INIT(&new->serving);
	if (!new->config.path)
		goto err;
	ret = laya_tls_server(&new->tls, config->certificate, config->key,
			      config->state_dir, msg, msg_size);
	if (ret)
		goto err;
	ret = laya_tunnels_new(&new->tunnels, loop, config->max_sessions,
			       config->session_timeout, &tunnel_ops, new);
	if (!ret)
		ret = laya_udp_server_new(&new->udp, loop,
					  config->max_sessions,
					  config->max_source, &udp_ops, new);
	if (ret) {
		snprintf(msg, msg_size, "out of memory");
		goto err;
	}
	*listener = new;
	return 0;

err:
	if (new->tunnels)
		laya_tunnels_free(new->tunnels);
	put_listener(new);
	return ret;
}

static int address_of(int fd, int (*get)(int fd, struct sockaddr *sa,
					 socklen_t *size),
		      struct laya_address *address)
{
	struct sockaddr_storage ss;
	socklen_t size = sizeof(ss);

	if (get(fd, (struct sockaddr *)&ss, &size))
		return -errno;
	return laya_address_from_sockaddr(address, (struct sockaddr *)&ss);
}

static unsigned int count_from(const struct connections *connections,
			       const struct laya_address *remote)
{
	const struct connection *connection;
	unsigned int n = 0;

	TAILQ_FOREACH(connection, connections, entry) {
		if (laya_address_same_source(&connection->remote, remote))
			n++;
	}
	return n;
}

static bool too_many_from(const struct laya_listener *listener,
			  const struct laya_address *remote)
{
	return count_from(&listener->pending, remote) +
	       count_from(&listener->serving, remote) >=
	       listener->config.max_source;
}

/**
 * laya_listener_take() - find out what a connection is
 * @listener: the listener
 * @fd: a TCP connection that was accepted; the listener's from now on
 */
void laya_listener_take(struct laya_listener *listener, int fd)
{
	struct connection *connection;
	struct laya_address remote;
	struct laya_address local;
	int one = 1;

	/* One that is gone already has no address. */
	if (address_of(fd, getpeername, &remote) ||
	    address_of(fd, getsockname, &local)) {
		listener->stats.failed++;
		close(fd);
		return;
	}
	if (too_many_from(listener, &remote)) {
		listener->stats.refused++;
		close(fd);
		return;
	}
	connection = new_connection(listener);
	if (!connection) {
		close(fd);
		return;
	}
	connection->remote = remote;
	connection->local = local;
	laya_stream_init(&connection->stream, fd);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/**
 * laya_listener_udp() - take streams over UDP as well
 * @listener: the listener
 * @address: where; "::" is IPv6 alone
 *
 * Return: 0; -ENOSPC; or the error of the socket.
 */
int laya_listener_udp(struct laya_listener *listener,
		      const struct laya_address *address)
{
	int ret;

	if (listener->n_udp_sockets == MAX_UDP_SOCKETS)
		return -ENOSPC;
	ret = laya_udp_socket_open(&listener->udp_sockets[listener->n_udp_sockets],
				   listener->loop, address, listener->udp);
	if (!ret)
		listener->n_udp_sockets++;
	return ret;
}

/**
 * laya_listener_packet() - a packet of a stream came to a socket of the owner's
 * @listener: the listener
 * @from: whence; what it needs to send must be there as long as the listener is
 * @bytes: the packet
 * @len: its length
 */
void laya_listener_packet(struct laya_listener *listener,
			  const struct laya_udp_end *from,
			  const uint8_t *bytes, size_t len)
{
	laya_udp_server_receive(listener->udp, from, bytes, len);
}

/**
 * laya_listener_close() - end a listener, and what is not accepted yet
 * @listener: the listener; the pointer is dead after this
 */
void laya_listener_close(struct laya_listener *listener)
{
	struct connection *connection;

	if (listener->closed)
		return;
	listener->closed = true;
	while ((connection = TAILQ_FIRST(&listener->pending)))
		die(connection);
	while ((connection = TAILQ_FIRST(&listener->serving)))
		die(connection);
	laya_tunnels_free(listener->tunnels);
	laya_udp_server_free(listener->udp);
	while (listener->n_udp_sockets > 0)
		laya_udp_socket_close(listener->udp_sockets[--listener->n_udp_sockets]);
	put_listener(listener);
}

/**
 * laya_listener_stats() - what happened
 * @listener: the listener
 *
 * Return: its counters.
 */
const struct laya_listener_stats *
laya_listener_stats(const struct laya_listener *listener)
{
	return &listener->stats;
}
