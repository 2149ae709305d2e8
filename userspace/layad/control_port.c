// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include <linux/laya.h>

#include "answer.h"
#include "attach.h"
#include "control_port.h"
#include "detour.h"
#include "forwarder.h"
#include "known.h"
#include "log.h"
#include "offer.h"
#include "outside.h"
#include "trunking.h"

#define CONTROL_PORT	1
/* Waits for an answer: 1 s, 2 s, 4 s */
#define TRIES		3
#define FIRST_MS	1000

/* What waits for an answer */
struct request {
	TAILQ_ENTRY(request) entry;
	struct control_port *port;
	struct peer *peer;
	uint64_t id;
	enum laya_message_type type;
	control_port_done done;
	unsigned int tries;
	struct timer *timer;
	size_t len;
	uint8_t bytes[];
};

struct control_port {
	struct node *node;
	int fd;
	uv_poll_t poll;
	TAILQ_HEAD(, request) requests;
};

static void free_request(struct request *request)
{
	TAILQ_REMOVE(&request->port->requests, request, entry);
	timer_free(request->timer);
	free(request);
}

static int send_bytes(struct peer *peer, const uint8_t *bytes, size_t len)
{
	struct node *node = peer->node;
	struct sockaddr_laya to = {
		.slaya_family = AF_LAYA,
		.slaya_port = htons(CONTROL_PORT),
		.slaya_scope_id = node->ifindex,
	};

	if (!node->control_port || !peer->session)
		return -ENOTCONN;
	memcpy(to.slaya_key, peer->handshake.key, LAYA_KEY_SIZE);
	if (sendto(node->control_port->fd, bytes, len,
		   MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		return -errno;
	return 0;
}

static void on_request_timer(void *data)
{
	struct request *request = data;
	control_port_done done = request->done;
	struct peer *peer = request->peer;
	int ret;

	if (request->tries >= TRIES) {
		laya_debug("%s: no answer to %s in the session",
			   peer_text(peer),
			   laya_message_type_name(request->type));
		free_request(request);
		if (done)
			done(peer, -ETIMEDOUT);
		return;
	}
	ret = send_bytes(peer, request->bytes, request->len);
	if (ret)
		laya_debug("%s: cannot send %s in the session: %s",
			   peer_text(peer),
			   laya_message_type_name(request->type),
			   strerror(-ret));
	timer_start(request->timer, FIRST_MS << request->tries++);
}

static void answered(struct control_port *port, struct peer *peer, uint64_t id)
{
	struct request *request;
	control_port_done done;

	TAILQ_FOREACH(request, &port->requests, entry) {
		if (request->peer != peer || request->id != id)
			continue;
		done = request->done;
		free_request(request);
		if (done)
			done(peer, 0);
		return;
	}
}

/**
 * control_port_send() - send once
 * @peer: to whom
 * @message: what
 *
 * Return: 0, or a negative errno.
 */
int control_port_send(struct peer *peer, const struct laya_message *message)
{
	uint8_t bytes[LAYA_MESSAGE_MAX];
	size_t len;
	int ret;

	ret = laya_message_encode(message, bytes, sizeof(bytes), &len);
	return ret ? ret : send_bytes(peer, bytes, len);
}

/**
 * control_port_request() - send until there is an answer
 * @peer: to whom
 * @message: what
 * @done: what to call then, or after the last try; NULL for nothing.  Not from
 *	within this
 *
 * Return: 0, or a negative errno.
 */
int control_port_request(struct peer *peer, const struct laya_message *message,
			 control_port_done done)
{
	struct control_port *port = peer->node->control_port;
	struct request *request;
	int ret;

	if (!port || !peer->session)
		return -ENOTCONN;
	request = calloc(1, sizeof(*request) + LAYA_MESSAGE_MAX);
	if (!request)
		return -ENOMEM;
	ret = laya_message_encode(message, request->bytes, LAYA_MESSAGE_MAX,
				  &request->len);
	if (ret)
		goto err_free;
	ret = -ENOMEM;
	request->timer = timer_new(port->node->loop, on_request_timer, request);
	if (!request->timer)
		goto err_free;
	request->port = port;
	request->peer = peer;
	request->id = message->id;
	request->type = message->type;
	request->done = done;
	TAILQ_INSERT_TAIL(&port->requests, request, entry);
	on_request_timer(request);
	return 0;

err_free:
	free(request);
	return ret;
}

/**
 * control_port_forget() - a peer goes; nothing is called any more
 * @peer: the peer
 */
void control_port_forget(struct peer *peer)
{
	struct control_port *port = peer->node->control_port;
	struct request *request;
	struct request *next;

	if (!port)
		return;
	for (request = TAILQ_FIRST(&port->requests); request; request = next) {
		next = TAILQ_NEXT(request, entry);
		if (request->peer == peer)
			free_request(request);
	}
}

static void acknowledge(struct peer *peer, uint64_t id)
{
	struct laya_message message = { .type = LAYA_MESSAGE_ACK, .id = id };

	control_port_send(peer, &message);
}

static void handle(struct node *node, struct peer *peer,
		   const struct laya_message *message)
{
	const struct origin origin = { .via = VIA_SESSION };
	const uint8_t *key = peer->handshake.key;
	struct laya_message reply;

	switch (message->type) {
	case LAYA_MESSAGE_OFFER:
		if (!known_carried(peer, message))
			answer_offer(node, message, &origin, key);
		break;
	case LAYA_MESSAGE_ANSWER:
		if (attach_carry_back(peer, message))
			break;
		answered(node->control_port, peer, message->id);
		offer_answered(node, message, &origin, key);
		break;
	case LAYA_MESSAGE_FOLLOWUP:
		if (known_carried(peer, message))
			break;
		if (answer_followup(node, message, &origin, key))
			acknowledge(peer, message->id);
		break;
	case LAYA_MESSAGE_ACK:
		answered(node->control_port, peer, message->id);
		break;
	case LAYA_MESSAGE_CANDIDATES:
		acknowledge(peer, message->id);
		if (peer->forwarder)
			forwarder_above(peer->forwarder, &message->candidates);
		if (peer->attachment && !peer->configured)
			outside_asked(peer, &message->candidates);
		peer_remote_candidates(peer, &message->candidates);
		break;
	case LAYA_MESSAGE_LABEL_REQUEST:
		if (!attach_label_request(peer, message, &reply))
			control_port_send(peer, &reply);
		break;
	case LAYA_MESSAGE_LABELS:
		answered(node->control_port, peer, message->id);
		if (peer->forwarder)
			forwarder_labels(peer->forwarder, message);
		break;
	case LAYA_MESSAGE_LABEL_RELEASE:
		attach_label_release(peer, message);
		acknowledge(peer, message->id);
		break;
	case LAYA_MESSAGE_TRUNK_REQUEST:
		trunking_asked(peer, message);
		break;
	case LAYA_MESSAGE_TRUNK:
		answered(node->control_port, peer, message->id);
		detour_told(peer, message);
		break;
	case LAYA_MESSAGE_ERROR:
		answered(node->control_port, peer, message->id);
		detour_refused(peer, message);
		break;
	case LAYA_MESSAGE_PING:
		reply = *message;
		reply.type = LAYA_MESSAGE_PONG;
		control_port_send(peer, &reply);
		break;
	default:
		laya_debug("%s: %s does not belong into a session; ignored",
			   peer_text(peer),
			   laya_message_type_name(message->type));
		break;
	}
}

/* Return: whether there was one. */
static bool receive(struct control_port *port)
{
	uint8_t bytes[LAYA_MESSAGE_MAX];
	struct laya_message message;
	struct sockaddr_laya from;
	socklen_t size = sizeof(from);
	struct peer *peer;
	ssize_t len;

	len = recvfrom(port->fd, bytes, sizeof(bytes),
		       MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from,
		       &size);
	if (len < 0) {
		/* An error of a datagram that was sent: it will be repeated. */
		return errno != EAGAIN && errno != EWOULDBLOCK &&
		       errno != EBADF && errno != ENODEV;
	}
	if ((size_t)len > sizeof(bytes) || size < sizeof(from) ||
	    ntohs(from.slaya_port) != CONTROL_PORT)
		return true;
	peer = peer_find(port->node, from.slaya_key);
	if (!peer)
		return true;
	if (laya_message_decode(&message, bytes, len)) {
		laya_debug("%s: a malformed message in the session; ignored",
			   peer_text(peer));
		return true;
	}
	handle(port->node, peer, &message);
	return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct control_port *port = poll->data;
	unsigned int budget = 64;

	(void)events;
	if (status < 0)
		return;
	while (budget-- > 0 && receive(port))
		;
}

/**
 * control_port_start() - open port 1
 * @node: ours
 *
 * Return: 0, or a negative errno, which was logged.
 */
int control_port_start(struct node *node)
{
	struct sockaddr_laya own = {
		.slaya_family = AF_LAYA,
		.slaya_port = htons(CONTROL_PORT),
		.slaya_scope_id = node->ifindex,
	};
	struct control_port *port;
	int ret;

	port = calloc(1, sizeof(*port));
	if (!port)
		return -ENOMEM;
	port->node = node;
	TAILQ_INIT(&port->requests);
	port->fd = socket(AF_LAYA, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  0);
	if (port->fd < 0) {
		ret = -errno;
		laya_error("cannot open an AF_LAYA socket: %s", strerror(-ret));
		goto err_free;
	}
	if (bind(port->fd, (struct sockaddr *)&own, sizeof(own))) {
		ret = -errno;
		laya_error("cannot bind to Laya port %u of %s: %s",
			   CONTROL_PORT, node->config.device, strerror(-ret));
		goto err_close;
	}
	ret = uv_poll_init(node->loop, &port->poll, port->fd);
	if (ret) {
		laya_error("cannot wait for Laya port %u: %s", CONTROL_PORT,
			   uv_strerror(ret));
		goto err_close;
	}
	port->poll.data = port;
	uv_poll_start(&port->poll, UV_READABLE, on_poll);
	node->control_port = port;
	return 0;

err_close:
	close(port->fd);
err_free:
	free(port);
	return ret;
}

static void on_closed(uv_handle_t *handle)
{
	struct control_port *port = handle->data;

	close(port->fd);
	free(port);
}

/**
 * control_port_stop() - close it
 * @node: ours
 */
void control_port_stop(struct node *node)
{
	struct control_port *port = node->control_port;
	struct request *request;

	if (!port)
		return;
	while ((request = TAILQ_FIRST(&port->requests)))
		free_request(request);
	node->control_port = NULL;
	uv_close((uv_handle_t *)&port->poll, on_closed);
}
