// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp_stream.h"

#define PACKETS_AT_ONCE	64

/**
 * struct laya_udp_socket - a socket that is a server's
 * @fd: the socket
 * @poll: of @fd
 * @port: at which it is bound
 * @server: the server
 */
struct laya_udp_socket {
	int fd;
	uv_poll_t poll;
	uint16_t port;
	struct laya_udp_server *server;
};

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* From the address that the client knows. */
static void send_from(const struct laya_udp_end *to, const uint8_t *bytes,
		      size_t len)
{
	const struct laya_udp_socket *sock = to->socket;
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };
	union control control = { .bytes = { 0 } };
	struct sockaddr_storage ss;
	struct msghdr msg = {
		.msg_name = &ss,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	struct cmsghdr *cmsg = &control.align;
	struct in6_pktinfo info6 = { 0 };
	struct in_pktinfo info = { 0 };

	msg.msg_namelen = laya_address_to_sockaddr(&to->remote, &ss);
	if (to->local.family == AF_INET) {
		memcpy(&info.ipi_spec_dst, to->local.addr, 4);
		cmsg->cmsg_level = IPPROTO_IP;
		cmsg->cmsg_type = IP_PKTINFO;
		cmsg->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
		msg.msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		memcpy(&info6.ipi6_addr, to->local.addr, 16);
		cmsg->cmsg_level = IPPROTO_IPV6;
		cmsg->cmsg_type = IPV6_PKTINFO;
		cmsg->cmsg_len = CMSG_LEN(sizeof(info6));
		memcpy(CMSG_DATA(cmsg), &info6, sizeof(info6));
		msg.msg_controllen = CMSG_SPACE(sizeof(info6));
	}
	if (sendmsg(sock->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;		/* as if it had been lost on the way */
}

static void read_local(struct laya_address *local, struct msghdr *msg)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info;
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_IP &&
		    cmsg->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			memcpy(local->addr, &info.ipi_addr, 4);
		} else if (cmsg->cmsg_level == IPPROTO_IPV6 &&
			   cmsg->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(cmsg), sizeof(info6));
			memcpy(local->addr, &info6.ipi6_addr, 16);
		}
	}
}

/* Return: whether there was one. */
static bool receive(struct laya_udp_socket *sock)
{
	uint8_t bytes[LAYA_UDP_PACKET_MAX + 1];
	struct laya_udp_end from = { .send = send_from, .socket = sock };
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct sockaddr_storage ss;
	union control control;
	struct msghdr msg = {
		.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	n = recvmsg(sock->fd, &msg, MSG_DONTWAIT);
	if (n < 0)
		return errno != EAGAIN;
	if (laya_address_from_sockaddr(&from.remote, (struct sockaddr *)&ss))
		return true;
	from.local.family = from.remote.family;
	from.local.port = sock->port;
	read_local(&from.local, &msg);
	laya_udp_server_receive(sock->server, &from, bytes, n);
	return true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct laya_udp_socket *sock = poll->data;
	unsigned int i;

	(void)events;
	if (status < 0)
		return;
	for (i = 0; i < PACKETS_AT_ONCE && receive(sock); i++)
		;
}

static int set_options(int fd, sa_family_t family)
{
	int one = 1;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one,
				  sizeof(one));
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one,
			  sizeof(one));
}

/**
 * laya_udp_socket_open() - receive a server's packets
 * @sock: where to put the socket
 * @loop: the loop
 * @address: where; "::" is IPv6 alone
 * @server: the server, which has to be freed first
 *
 * Return: 0 or a negative errno.
 */
int laya_udp_socket_open(struct laya_udp_socket **sock, uv_loop_t *loop,
			 const struct laya_address *address,
			 struct laya_udp_server *server)
{
	struct laya_udp_socket *new = calloc(1, sizeof(*new));
	struct sockaddr_storage ss;
	socklen_t size;
	int ret;

	if (!new)
		return -ENOMEM;
	new->server = server;
	new->port = address->port;
	size = laya_address_to_sockaddr(address, &ss);
	new->fd = socket(ss.ss_family,
			 SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (new->fd < 0) {
		ret = -errno;
		goto err_free;
	}
	if (set_options(new->fd, ss.ss_family) ||
	    bind(new->fd, (struct sockaddr *)&ss, size)) {
		ret = -errno;
		goto err_close;
	}
	ret = uv_poll_init(loop, &new->poll, new->fd);
	if (ret)
		goto err_close;
	new->poll.data = new;
	uv_poll_start(&new->poll, UV_READABLE, on_poll);
	*sock = new;
	return 0;

err_close:
	close(new->fd);
err_free:
	free(new);
	return ret;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/**
 * laya_udp_socket_close() - receive no more
 * @sock: the socket; the pointer is dead after this
 */
void laya_udp_socket_close(struct laya_udp_socket *sock)
{
	uv_poll_stop(&sock->poll);
	close(sock->fd);
	uv_close((uv_handle_t *)&sock->poll, on_closed);
}
