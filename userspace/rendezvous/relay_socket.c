// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "relay.h"
#include "relay_forward.h"
#include "relay_socket.h"
#include "relay_stream.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef UDP_GRO
#define UDP_GRO		104
#endif

/* Received with one call, each a packet or a run of up to 64 KiB */
#define RECEIVE		64
#define RUN_SIZE	65536
/* Of these a turn: then it is the rendezvous' */
#define TURN		256
/* Sent with one call, and the pieces of memory that these lie in */
#define SEND		64
#define SEND_PIECES	256
#define SOCKET_BUFFER	(4 << 20)
/* Of one run; what the kernel takes */
#define MAX_SEGMENTS	64
#define MAX_RUN		65000

/* Room for the control messages of a packet: TTL, TOS, address, segment */
#define CONTROL_SIZE	(3 * CMSG_SPACE(sizeof(int)) + \
			 CMSG_SPACE(sizeof(struct in6_pktinfo)))

union control {
	struct cmsghdr align;
	uint8_t bytes[CONTROL_SIZE];
};

/**
 * struct relay_buffers - memory for packets; one for all sockets
 * @messages: for recvmmsg()
 * @iovs: of @messages
 * @names: of @messages
 * @controls: of @messages
 * @data: RECEIVE times RUN_SIZE; what no packet reaches stays untouched
 */
struct relay_buffers {
	struct mmsghdr messages[RECEIVE];
	struct iovec iovs[RECEIVE];
	struct sockaddr_storage names[RECEIVE];
	union control controls[RECEIVE];
	uint8_t data[];
};

/**
 * struct out - a packet or a run that waits to be sent
 * @to: where to
 * @segment: length of each packet
 * @len: of all; only the last packet may be shorter
 * @ttl: of all
 * @tos: of all
 */
struct out {
	struct relay_endpoint to;
	size_t segment;
	size_t len;
	uint8_t ttl;
	uint8_t tos;
};

/**
 * struct relay_socket - one of our UDP sockets
 * @relay: ours
 * @fd: the socket
 * @poll: on the loop
 * @family: AF_INET or AF_INET6
 * @address: at which it is bound
 * @n: packets or runs that wait to be sent
 * @n_pieces: of memory, of all of them
 * @messages: these, for sendmmsg()
 * @outs: what they are, likewise
 * @pieces: of @messages, one behind the other
 * @names: of @messages
 * @controls: of @messages
 */
struct relay_socket {
	struct relay *relay;
	int fd;
	uv_poll_t poll;
	sa_family_t family;
	struct laya_address address;
	unsigned int n;
	unsigned int n_pieces;
	struct mmsghdr messages[SEND];
	struct out outs[SEND];
	struct iovec pieces[SEND_PIECES];
	struct sockaddr_in6 names[SEND];
	union control controls[SEND];
};

/**
 * relay_buffers_new() - memory to receive into
 *
 * Return: it, or NULL.
 */
struct relay_buffers *relay_buffers_new(void)
{
	struct relay_buffers *buffers;
	struct msghdr *msg;
	unsigned int i;

	buffers = calloc(1, sizeof(*buffers) + RECEIVE * (size_t)RUN_SIZE);
	if (!buffers)
		return NULL;
	for (i = 0; i < RECEIVE; i++) {
		buffers->iovs[i].iov_base = buffers->data +
					    i * (size_t)RUN_SIZE;
		buffers->iovs[i].iov_len = RUN_SIZE;
		msg = &buffers->messages[i].msg_hdr;
		msg->msg_name = &buffers->names[i];
		msg->msg_namelen = sizeof(buffers->names[i]);
		msg->msg_iov = &buffers->iovs[i];
		msg->msg_iovlen = 1;
		msg->msg_control = &buffers->controls[i];
		msg->msg_controllen = sizeof(buffers->controls[i]);
	}
	return buffers;
}

/**
 * relay_buffers_free() - give it back
 * @buffers: it, or NULL
 */
void relay_buffers_free(struct relay_buffers *buffers)
{
	free(buffers);
}

/**
 * relay_endpoint_address() - the far end of an endpoint, for messages
 * @endpoint: the endpoint
 * @address: where to put it
 */
void relay_endpoint_address(const struct relay_endpoint *endpoint,
			    struct laya_address *address)
{
	if (relay_endpoint_is_stream(endpoint))
		relay_stream_address(endpoint, address);
	else
		laya_address_from_sockaddr(address, &endpoint->remote.sa);
}

static void read_name(struct relay_endpoint *from, const void *name)
{
	const struct sockaddr_in6 *in6 = name;
	const struct sockaddr_in *in = name;

	if (in->sin_family == AF_INET) {
		from->remote.in.sin_family = AF_INET;
		from->remote.in.sin_port = in->sin_port;
		from->remote.in.sin_addr = in->sin_addr;
		return;
	}
	from->remote.in6.sin6_family = AF_INET6;
	from->remote.in6.sin6_port = in6->sin6_port;
	from->remote.in6.sin6_addr = in6->sin6_addr;
	from->remote.in6.sin6_scope_id = in6->sin6_scope_id;
}

static void read_ip(struct relay_arrival *arrival, const struct cmsghdr *cmsg)
{
	const void *data = CMSG_DATA(cmsg);
	struct in_pktinfo info;

	switch (cmsg->cmsg_type) {
	case IP_PKTINFO:
		memcpy(&info, data, sizeof(info));
		memcpy(arrival->from.local, &info.ipi_addr, 4);
		break;
	case IP_TTL:
		arrival->ttl = *(const int *)data;
		break;
	case IP_TOS:
		arrival->tos = *(const uint8_t *)data;
		break;
	}
}

static void read_ipv6(struct relay_arrival *arrival,
		      const struct cmsghdr *cmsg)
{
	const void *data = CMSG_DATA(cmsg);
	struct in6_pktinfo info;

	switch (cmsg->cmsg_type) {
	case IPV6_PKTINFO:
		memcpy(&info, data, sizeof(info));
		memcpy(arrival->from.local, &info.ipi6_addr, 16);
		break;
	case IPV6_HOPLIMIT:
		arrival->ttl = *(const int *)data;
		break;
	case IPV6_TCLASS:
		arrival->tos = *(const int *)data;
		break;
	}
}

static void read_message(struct relay_socket *sock, struct relay_buffers *in,
			 unsigned int i, struct relay_arrival *arrival)
{
	struct msghdr *msg = &in->messages[i].msg_hdr;
	struct cmsghdr *cmsg;

	memset(arrival, 0, sizeof(*arrival));
	arrival->from.socket = sock;
	arrival->data = in->iovs[i].iov_base;
	arrival->len = in->messages[i].msg_len;
	arrival->segment = arrival->len;
	read_name(&arrival->from, msg->msg_name);
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_IP)
			read_ip(arrival, cmsg);
		else if (cmsg->cmsg_level == IPPROTO_IPV6)
			read_ipv6(arrival, cmsg);
		else if (cmsg->cmsg_level == IPPROTO_UDP &&
			 cmsg->cmsg_type == UDP_GRO)
			arrival->segment = *(int *)CMSG_DATA(cmsg);
	}
	msg->msg_namelen = sizeof(in->names[i]);
	msg->msg_controllen = sizeof(in->controls[i]);
}

static socklen_t name_size(const struct relay_endpoint *to)
{
	return to->remote.sa.sa_family == AF_INET ?
	       sizeof(to->remote.in) : sizeof(to->remote.in6);
}

static void *add_control(struct msghdr *msg, int level, int type, size_t size)
{
	struct cmsghdr *cmsg;

	cmsg = (struct cmsghdr *)((uint8_t *)msg->msg_control +
				  msg->msg_controllen);
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(size);
	msg->msg_controllen += CMSG_SPACE(size);
	return CMSG_DATA(cmsg);
}

/* From the address that the far end knows. */
static void add_source(struct msghdr *msg, const struct relay_endpoint *to)
{
	struct in6_pktinfo *info6;
	struct in_pktinfo *info;

	if (to->remote.sa.sa_family == AF_INET) {
		info = add_control(msg, IPPROTO_IP, IP_PKTINFO, sizeof(*info));
		memset(info, 0, sizeof(*info));
		memcpy(&info->ipi_spec_dst, to->local, 4);
		return;
	}
	info6 = add_control(msg, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(*info6));
	memset(info6, 0, sizeof(*info6));
	memcpy(&info6->ipi6_addr, to->local, 16);
}

static void add_number(struct msghdr *msg, int level, int type, int value)
{
	memcpy(add_control(msg, level, type, sizeof(value)), &value,
	       sizeof(value));
}

static void prepare(struct relay_socket *sock, unsigned int i)
{
	struct msghdr *msg = &sock->messages[i].msg_hdr;
	const struct out *out = &sock->outs[i];
	bool v4 = sock->family == AF_INET;
	uint16_t segment;

	sock->names[i] = out->to.remote.in6;
	msg->msg_namelen = name_size(&out->to);
	msg->msg_controllen = 0;
	add_source(msg, &out->to);
	add_number(msg, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   v4 ? IP_TTL : IPV6_HOPLIMIT, out->ttl);
	if (out->tos)
		add_number(msg, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			   v4 ? IP_TOS : IPV6_TCLASS, out->tos);
	/* The last: send_singly() takes it away. */
	if (out->len > out->segment) {
		segment = out->segment;
		memcpy(add_control(msg, IPPROTO_UDP, UDP_SEGMENT,
				   sizeof(segment)), &segment,
		       sizeof(segment));
	}
}

/* Some network cards, and routes, take no runs: one by one then. */
static void send_singly(struct relay_socket *sock, unsigned int i)
{
	struct msghdr msg = sock->messages[i].msg_hdr;
	const struct iovec *piece = msg.msg_iov;
	size_t n = msg.msg_iovlen;
	struct iovec iov;
	size_t at;

	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
	for (; n > 0; n--, piece++) {
		/* A piece is of whole packets. */
		for (at = 0; at < piece->iov_len; at += iov.iov_len) {
			iov.iov_base = (uint8_t *)piece->iov_base + at;
			iov.iov_len = piece->iov_len - at;
			if (iov.iov_len > sock->outs[i].segment)
				iov.iov_len = sock->outs[i].segment;
			if (sendmsg(sock->fd, &msg,
				    MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
				sock->relay->stats.not_sent++;
		}
	}
}

static void flush(struct relay_socket *sock)
{
	unsigned int i;
	int sent;

	for (i = 0; i < sock->n; i++)
		prepare(sock, i);
	i = 0;
	while (i < sock->n) {
		sent = sendmmsg(sock->fd, sock->messages + i, sock->n - i,
				MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			i += sent;
			continue;
		}
		/* It is about the first one: as a router does, go on without. */
		if (sock->outs[i].len > sock->outs[i].segment &&
		    errno != EAGAIN && errno != EMSGSIZE)
			send_singly(sock, i);
		else
			sock->relay->stats.not_sent++;
		i++;
	}
	sock->n = 0;
	sock->n_pieces = 0;
}

/* Packets that came singly and go the same way leave as a run. */
static bool gather(struct relay_socket *sock, const struct out *next,
		   uint8_t *data)
{
	struct iovec *piece;
	struct msghdr *msg;
	struct out *last;

	if (sock->n == 0 || sock->n_pieces == SEND_PIECES)
		return false;
	last = &sock->outs[sock->n - 1];
	if (next->segment > last->segment || next->ttl != last->ttl ||
	    next->tos != last->tos || last->len % last->segment != 0 ||
	    (next->len > next->segment && next->segment != last->segment) ||
	    last->len + next->len > MAX_RUN ||
	    last->len + next->len > MAX_SEGMENTS * last->segment ||
	    !relay_endpoint_equal(&next->to, &last->to))
		return false;
	last->len += next->len;
	msg = &sock->messages[sock->n - 1].msg_hdr;
	piece = &msg->msg_iov[msg->msg_iovlen - 1];
	if ((uint8_t *)piece->iov_base + piece->iov_len == data) {
		piece->iov_len += next->len;
		return true;
	}
	msg->msg_iovlen++;
	piece[1].iov_base = data;
	piece[1].iov_len = next->len;
	sock->n_pieces++;
	return true;
}

static void queue(struct relay_socket *sock, const struct out *out,
		  uint8_t *data)
{
	struct msghdr *msg;
	struct iovec *piece;

	if (gather(sock, out, data))
		return;
	if (sock->n == SEND || sock->n_pieces == SEND_PIECES)
		flush(sock);
	msg = &sock->messages[sock->n].msg_hdr;
	piece = &sock->pieces[sock->n_pieces++];
	piece->iov_base = data;
	piece->iov_len = out->len;
	msg->msg_iov = piece;
	msg->msg_iovlen = 1;
	sock->outs[sock->n++] = *out;
}

/**
 * relay_socket_forward() - send packets on, soon
 * @to: where to
 * @arrival: with what they came; its data lives until the turn's end
 * @at: where in it they begin
 * @len: their length; they have the arrival's segment
 *
 * The TTL is one less than the arrival's, which the caller has looked at.
 */
void relay_socket_forward(const struct relay_endpoint *to,
			  const struct relay_arrival *arrival, size_t at,
			  size_t len)
{
	struct out out = {
		.to = *to,
		.segment = arrival->segment,
		.ttl = arrival->ttl - 1,
		.tos = arrival->tos,
	};

	if (relay_endpoint_is_stream(to)) {
		relay_stream_forward(to, arrival, at, len);
		return;
	}
	for (; len > 0; len -= out.len, at += out.len) {
		out.len = arrival->segment * MAX_SEGMENTS;
		if (out.len > len)
			out.len = len;
		if (out.segment > out.len)
			out.segment = out.len;
		queue(to->socket, &out, arrival->data + at);
	}
}

/**
 * relay_socket_send() - send a packet of our own, now
 * @to: where to
 * @packet: the packet
 * @len: its length
 */
void relay_socket_send(const struct relay_endpoint *to, const uint8_t *packet,
		       size_t len)
{
	struct iovec iov = { .iov_base = (void *)packet, .iov_len = len };
	struct sockaddr_in6 name = to->remote.in6;
	union control control;
	struct msghdr msg = {
		.msg_name = &name,
		.msg_namelen = name_size(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};

	if (relay_endpoint_is_stream(to)) {
		relay_stream_send(to, packet, len);
		return;
	}
	add_source(&msg, to);
	if (sendmsg(to->socket->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		to->socket->relay->stats.not_sent++;
}

/**
 * relay_socket_flush() - send what waits, before its memory is used again
 * @relay: ours
 */
void relay_socket_flush(struct relay *relay)
{
	unsigned int i;

	for (i = 0; i < relay->n_sockets; i++)
		flush(relay->sockets[i]);
	relay_stream_flush(relay);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct relay_socket *sock = poll->data;
	struct relay *relay = sock->relay;
	struct relay_buffers *in = relay->buffers;
	struct relay_arrival arrival;
	int budget = TURN;
	int n;
	int i;

	(void)events;
	if (status < 0)
		return;
	relay_turn(relay);
	do {
		n = recvmmsg(sock->fd, in->messages, RECEIVE, MSG_DONTWAIT,
			     NULL);
		for (i = 0; i < n; i++) {
			read_message(sock, in, i, &arrival);
			relay_forward(relay, &arrival);
		}
		relay_socket_flush(relay);
		budget -= n;
		/* Where there was one there are more: cheaper than to be told */
	} while (n > 0 && budget > 0);
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_options(int fd, sa_family_t family)
{
	/* As much as the system lets us have */
	set(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	/* Kernels before 5.0 gather nothing. */
	set(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
		       set(fd, IPPROTO_IP, IP_RECVTTL, 1) ||
		       set(fd, IPPROTO_IP, IP_RECVTOS, 1) ||
		       /* The hosts find out what the path carries. */
		       set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) ||
	       set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) ||
	       set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) ||
	       set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) ||
	       set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		   IPV6_PMTUDISC_PROBE);
}

/**
 * relay_socket_open() - receive packets at an address
 * @socket_out: where to put the socket
 * @relay: ours
 * @address: the address, and the port; 0 takes a free one
 * @port: where to put the port
 *
 * Return: 0 or a negative errno.
 */
int relay_socket_open(struct relay_socket **socket_out, struct relay *relay,
		      const struct laya_address *address, uint16_t *port)
{
	struct sockaddr_storage ss;
	struct relay_socket *sock;
	socklen_t size;
	unsigned int i;
	int ret;

	sock = calloc(1, sizeof(*sock));
	if (!sock)
		return -ENOMEM;
	sock->relay = relay;
	size = laya_address_to_sockaddr(address, &ss);
	sock->family = ss.ss_family;
	for (i = 0; i < SEND; i++) {
		sock->messages[i].msg_hdr.msg_name = &sock->names[i];
		sock->messages[i].msg_hdr.msg_control = &sock->controls[i];
	}
	sock->fd = socket(ss.ss_family,
			  SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock->fd < 0) {
		ret = -errno;
		goto err_free;
	}
	if (set_options(sock->fd, ss.ss_family) ||
	    bind(sock->fd, (struct sockaddr *)&ss, size) ||
	    getsockname(sock->fd, (struct sockaddr *)&ss, &size)) {
		ret = -errno;
		goto err_close;
	}
	laya_address_from_sockaddr(&sock->address, (struct sockaddr *)&ss);
	*port = sock->address.port;
	ret = uv_poll_init(relay->loop, &sock->poll, sock->fd);
	if (ret)
		goto err_close;
	sock->poll.data = sock;
	uv_poll_start(&sock->poll, UV_READABLE, on_poll);
	*socket_out = sock;
	return 0;

err_close:
	close(sock->fd);
err_free:
	free(sock);
	return ret;
}

/**
 * relay_socket_at() - do we receive packets to an address
 * @relay: ours
 * @address: the address
 *
 * Return: whether a socket of ours is bound to it.
 */
bool relay_socket_at(const struct relay *relay,
		     const struct laya_address *address)
{
	const struct laya_address *bound;
	unsigned int i;

	for (i = 0; i < relay->n_sockets; i++) {
		bound = &relay->sockets[i]->address;
		if (bound->family == address->family &&
		    (laya_address_is_any(bound) ||
		     laya_address_equal(bound, address)))
			return true;
	}
	return false;
}

/* Which address of ours packets for a far end leave from */
static bool find_local(struct relay_endpoint *end)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);
	int fd, ret;

	fd = socket(end->remote.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* This sends nothing. */
	ret = connect(fd, &end->remote.sa, name_size(end));
	if (!ret)
		ret = getsockname(fd, (struct sockaddr *)&name, &size);
	close(fd);
	if (ret)
		return false;
	if (name.ss_family == AF_INET)
		memcpy(end->local, &((struct sockaddr_in *)&name)->sin_addr, 4);
	else
		memcpy(end->local, &((struct sockaddr_in6 *)&name)->sin6_addr,
		       16);
	return true;
}

/**
 * relay_socket_towards() - the way to somebody who has sent us nothing
 * @relay: ours
 * @address: where he is
 * @end: where to put it, as it will be in his packets
 *
 * Return: whether a socket of ours goes there.
 */
bool relay_socket_towards(const struct relay *relay,
			  const struct laya_address *address,
			  struct relay_endpoint *end)
{
	const struct laya_address *bound;
	struct sockaddr_storage name;
	unsigned int i;

	laya_address_to_sockaddr(address, &name);
	for (i = 0; i < relay->n_sockets; i++) {
		bound = &relay->sockets[i]->address;
		if (bound->family != address->family)
			continue;
		memset(end, 0, sizeof(*end));
		end->socket = relay->sockets[i];
		read_name(end, &name);
		if (laya_address_is_any(bound))
			return find_local(end);
		memcpy(end->local, bound->addr, laya_address_size(bound));
		return true;
	}
	return false;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/**
 * relay_socket_close() - close it
 * @socket: the socket; gone after this
 */
void relay_socket_close(struct relay_socket *socket)
{
	uv_poll_stop(&socket->poll);
	close(socket->fd);
	uv_close((uv_handle_t *)&socket->poll, on_closed);
}
