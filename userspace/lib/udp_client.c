// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "udp_stream.h"

/* After a hello that nobody answered; then twice that, and so on (RFC 8085) */
#define REPEAT_MS	500
#define PACKETS_AT_ONCE	64

/**
 * struct attempt - at one address of the server
 * @client: whose
 * @fd: connected socket; -1 when it has failed
 * @poll: of @fd
 * @address: this one
 * @error: why it failed
 */
struct attempt {
	struct laya_udp_client *client;
	int fd;
	uv_poll_t poll;
	struct laya_address address;
	int error;
};

/**
 * struct laya_udp_client - a stream, or one in the making
 * @stream: the stream; its poll and timer are there when it was opened
 * @ops: who is told
 * @data: for @ops
 * @evidence: the dial's, until @ops was called
 * @lookup: of the name
 * @looking_up: it runs
 * @timer: the next address, or the next hello to those that there are
 * @options: how; @nat64 is copied
 * @nat64: of @options
 * @list: addresses of the name
 * @n_list: how many
 * @attempts: those that were begun
 * @n: how many
 * @wait: until the next hello
 * @used: the one that was answered
 * @name: for people
 *
 * Lifetime: stream.refs counts all handles, and a running look-up; the last one
 * frees it.
 */
struct laya_udp_client {
	struct laya_udp_stream stream;
	struct laya_udp_client_ops ops;
	void *data;
	struct laya_dial_evidence *evidence;
	uv_getaddrinfo_t lookup;
	bool looking_up;
	uv_timer_t timer;
	struct laya_dial_options options;
	struct laya_nat64_prefix nat64;
	struct laya_address list[LAYA_DIAL_MAX_TRIED];
	unsigned int n_list;
	struct attempt attempts[LAYA_DIAL_MAX_TRIED];
	unsigned int n;
	unsigned int wait;
	struct attempt *used;
	char name[300];
};

static struct laya_udp_client *client_of(struct laya_udp_stream *stream)
{
	return (struct laya_udp_client *)stream;
}

static void on_closed(uv_handle_t *handle)
{
	laya_udp_stream_put(handle->data);
}

static void on_attempt_closed(uv_handle_t *handle)
{
	struct attempt *attempt = handle->data;

	laya_udp_stream_put(&attempt->client->stream);
}

static void end_attempt(struct attempt *attempt)
{
	if (attempt->fd < 0)
		return;
	uv_close((uv_handle_t *)&attempt->poll, on_attempt_closed);
	close(attempt->fd);
	attempt->fd = -1;
}

/* All but the one in use */
static void end_attempts(struct laya_udp_client *client)
{
	unsigned int i;

	for (i = 0; i < client->n; i++) {
		if (&client->attempts[i] != client->used)
			end_attempt(&client->attempts[i]);
	}
}

/* Of a stream that is not open yet */
static void die(struct laya_udp_client *client)
{
	if (client->stream.over)
		return;
	client->stream.over = true;
	if (client->looking_up)
		uv_cancel((uv_req_t *)&client->lookup);
	end_attempts(client);
	uv_close((uv_handle_t *)&client->timer, on_closed);
}

static void stream_send(struct laya_udp_stream *stream, const uint8_t *bytes,
			size_t len)
{
	/* An error passes, or the stream stalls. */
	if (send(client_of(stream)->used->fd, bytes, len,
		 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

/*
 * This machine may be in another network.  Connected anew, the socket has an
 * address of that, at which the server asks for a cookie.
 */
static void stream_stalled(struct laya_udp_stream *stream)
{
	const struct attempt *used = client_of(stream)->used;
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage ss;
	socklen_t size;

	size = laya_address_to_sockaddr(&used->address, &ss);
	if (connect(used->fd, &none, sizeof(none)) == 0 &&
	    connect(used->fd, (struct sockaddr *)&ss, size) == 0)
		return;
	/* No way there: none was lost, and it is looked for again. */
}

static void stream_gone(struct laya_udp_stream *stream)
{
	struct laya_udp_client *client = client_of(stream);

	end_attempt(client->used);
	uv_close((uv_handle_t *)&client->timer, on_closed);
}

static void stream_freed(struct laya_udp_stream *stream)
{
	free(stream);
}

static const struct laya_udp_stream_ops stream_ops = {
	.send = stream_send,
	.stalled = stream_stalled,
	.gone = stream_gone,
	.freed = stream_freed,
};

static void fail(struct laya_udp_client *client, int error)
{
	die(client);
	client->ops.opened(client, error, -1, NULL, client->data);
}

static void explain(struct laya_udp_client *client, const char *what)
{
	struct laya_dial_evidence *evidence = client->evidence;

	snprintf(evidence->text, sizeof(evidence->text), "%s, by UDP: %s",
		 client->name, what);
}

static void send_hello(const struct attempt *attempt)
{
	const struct laya_udp_packet hello = {
		.kind = LAYA_UDP_HELLO,
		.id = attempt->client->stream.id,
	};
	uint8_t bytes[LAYA_UDP_PACKET_MAX];

	if (send(attempt->fd, bytes, laya_udp_packet_write(bytes, &hello),
		 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;		/* the next receive tells, or nothing does */
}

static void on_timer(uv_timer_t *timer);

static void open_stream(struct laya_udp_client *client,
			struct attempt *attempt,
			const struct laya_udp_packet *packet)
{
	struct laya_dial_evidence *evidence = client->evidence;
	int ret;
	int fd;

	client->used = attempt;
	end_attempts(client);
	uv_timer_stop(&client->timer);
	memcpy(client->stream.cookie, packet->cookie, LAYA_UDP_COOKIE_SIZE);
	client->stream.client = true;
	client->stream.show = true;
	ret = laya_udp_stream_start(&client->stream, client->timer.loop,
				    &stream_ops, &fd);
	if (ret) {
		client->used = NULL;
		explain(client, strerror(-ret));
		fail(client, ret);
		return;
	}
	/* The last is the one that it is. */
	if (evidence->n_tried == LAYA_DIAL_MAX_TRIED)
		evidence->n_tried--;
	evidence->tried[evidence->n_tried++] = attempt->address;
	client->evidence = NULL;
	client->ops.opened(client, 0, fd, &client->stream.base, client->data);
}

static void attempt_failed(struct attempt *attempt, int error)
{
	struct laya_udp_client *client = attempt->client;
	unsigned int i;

	attempt->error = error;
	end_attempt(attempt);
	for (i = 0; i < client->n; i++) {
		if (client->attempts[i].fd >= 0)
			return;
	}
	if (client->n < client->n_list) {
		uv_timer_start(&client->timer, on_timer, 0, 0);
		return;
	}
	explain(client, strerror(-error));
	fail(client, error);
}

static void take(struct attempt *attempt, const struct laya_udp_packet *packet)
{
	struct laya_udp_client *client = attempt->client;

	if (packet->id != client->stream.id)
		return;
	if (packet->kind == LAYA_UDP_COOKIE) {
		if (client->used)
			laya_udp_stream_show(&client->stream, packet->cookie);
		else
			open_stream(client, attempt, packet);
	} else if (packet->kind == LAYA_UDP_CLOSE && !client->used) {
		attempt_failed(attempt, -ECONNREFUSED);
	} else if (client->used && packet->kind != LAYA_UDP_HELLO) {
		laya_udp_stream_receive(&client->stream, packet);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct attempt *attempt = poll->data;
	uint8_t bytes[LAYA_UDP_PACKET_MAX + 1];
	struct laya_udp_packet packet;
	unsigned int i;
	ssize_t n;

	(void)status;
	(void)events;
	for (i = 0; i < PACKETS_AT_ONCE && attempt->fd >= 0; i++) {
		n = recv(attempt->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n >= 0) {
			if (!laya_udp_packet_read(&packet, bytes, n))
				take(attempt, &packet);
			continue;
		}
		if (errno == EAGAIN)
			return;
		/* An ICMP error, which on an open stream may be anybody's */
		if (errno != EINTR && !attempt->client->used) {
			attempt_failed(attempt, -errno);
			return;
		}
	}
}

static int connect_to(const struct laya_udp_client *client,
		      const struct laya_address *address)
{
	uint32_t mark = client->options.mark;
	struct sockaddr_storage ss;
	socklen_t size;
	int ret;
	int fd;

	size = laya_address_to_sockaddr(address, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if ((mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark,
				sizeof(mark))) ||
	    connect(fd, (struct sockaddr *)&ss, size)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static void begin(struct laya_udp_client *client)
{
	struct attempt *attempt = &client->attempts[client->n];
	struct laya_dial_evidence *evidence = client->evidence;
	int ret;

	attempt->client = client;
	attempt->address = client->list[client->n++];
	attempt->fd = -1;
	evidence->tried[evidence->n_tried++] = attempt->address;
	ret = connect_to(client, &attempt->address);
	if (ret >= 0) {
		attempt->fd = ret;
		ret = uv_poll_init(client->timer.loop, &attempt->poll,
				   attempt->fd);
		if (ret)
			close(attempt->fd);
	}
	if (ret < 0) {
		attempt->fd = -1;
		attempt_failed(attempt, ret);
		return;
	}
	attempt->poll.data = attempt;
	client->stream.refs++;
	uv_poll_start(&attempt->poll, UV_READABLE, on_poll);
	send_hello(attempt);
}

static void on_timer(uv_timer_t *timer)
{
	struct laya_udp_client *client = timer->data;
	unsigned int i;

	if (client->n < client->n_list) {
		uv_timer_start(timer, on_timer, client->n + 1 < client->n_list ?
			       client->options.stagger : client->wait, 0);
		begin(client);
		return;
	}
	for (i = 0; i < client->n; i++) {
		if (client->attempts[i].fd >= 0)
			send_hello(&client->attempts[i]);
	}
	client->wait *= 2;
	uv_timer_start(timer, on_timer, client->wait, 0);
}

/* RFC 6052, where IPv4 is behind a NAT64 */
static void add(struct laya_udp_client *client, const struct sockaddr *sa)
{
	struct laya_address address;
	struct in6_addr in6;
	struct in_addr in4;

	if (client->n_list == LAYA_DIAL_MAX_TRIED ||
	    laya_address_from_sockaddr(&address, sa))
		return;
	memcpy(&in4, address.addr, sizeof(in4));
	if (address.family == AF_INET && client->options.nat64 &&
	    !laya_nat64_synthesise(&client->nat64, &in4, &in6)) {
		address.family = AF_INET6;
		memcpy(address.addr, &in6, sizeof(in6));
	}
	client->list[client->n_list++] = address;
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status,
			 struct addrinfo *result)
{
	struct laya_udp_client *client = lookup->data;
	struct addrinfo *info;

	client->looking_up = false;
	for (info = status ? NULL : result; info; info = info->ai_next)
		add(client, info->ai_addr);
	uv_freeaddrinfo(result);
	if (client->stream.over) {
		laya_udp_stream_put(&client->stream);
		return;
	}
	laya_udp_stream_put(&client->stream);
	if (client->n_list == 0) {
		explain(client, status ? uv_strerror(status) : "no address");
		fail(client, -EHOSTUNREACH);
		return;
	}
	client->evidence->step = LAYA_DIAL_CONNECT;
	on_timer(&client->timer);
}

/**
 * laya_udp_connect() - open a stream
 * @client: where to put the client
 * @loop: the loop
 * @target: where to; @host and @port count
 * @options: @mark, @stagger and @nat64 count; how long, the owner decides
 * @evidence: what is seen; it must be there until @ops was called
 * @ops: who is told, when a server has answered; copied
 * @data: last argument of the call
 *
 * Return: 0, or a negative errno; nothing is called from within.
 */
int laya_udp_connect(struct laya_udp_client **client, uv_loop_t *loop,
		     const struct laya_dial_target *target,
		     const struct laya_dial_options *options,
		     struct laya_dial_evidence *evidence,
		     const struct laya_udp_client_ops *ops, void *data)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct laya_udp_client *new = calloc(1, sizeof(*new));
	char port[6];
	int ret;

	if (!new)
		return -ENOMEM;
	new->ops = *ops;
	new->data = data;
	new->evidence = evidence;
	new->options = *options;
	if (options->nat64)
		new->nat64 = *options->nat64;
	new->wait = REPEAT_MS;
	randombytes_buf(&new->stream.id, sizeof(new->stream.id));
	snprintf(new->name, sizeof(new->name), strchr(target->host, ':') ?
		 "[%s]:%u" : "%s:%u", target->host, target->port);
	snprintf(port, sizeof(port), "%u", target->port);
	new->stream.ops = &stream_ops;
	new->lookup.data = new;
	ret = uv_getaddrinfo(loop, &new->lookup, on_looked_up, target->host,
			     port, &hints);
	if (ret) {
		free(new);
		return ret;
	}
	new->looking_up = true;
	uv_timer_init(loop, &new->timer);
	new->timer.data = new;
	new->stream.refs = 2;
	*client = new;
	return 0;
}

/**
 * laya_udp_give_up() - it took too long: say why, and end it
 * @client: the client, which has not told anything yet; gone after this
 */
void laya_udp_give_up(struct laya_udp_client *client)
{
	explain(client, client->looking_up ? "its name is not found" :
		"no answer; is UDP blocked, or the port another?");
	die(client);
}

/**
 * laya_udp_client_close() - never mind
 * @client: the client, which has not told anything yet; gone after this
 */
void laya_udp_client_close(struct laya_udp_client *client)
{
	die(client);
}
