// SPDX-License-Identifier: GPL-2.0
/* Options of SOCK_DGRAM sockets. */

#include <linux/net.h>
#include <net/sock.h>

#include "af_laya.h"
#include "dgram_port.h"

/* The core grants it only to sockets of IP. */
static int laya_dgram_set_reuseport(struct sock *sk, sockptr_t optval,
				    unsigned int optlen)
{
	int value;

	if (optlen < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	lock_sock(sk);
	sk->sk_reuseport = !!value;
	release_sock(sk);
	return 0;
}

static int laya_dgram_set_segment(struct laya_dgram_sock *ls, int optname,
				  sockptr_t optval, unsigned int optlen)
{
	int value;

	if (optlen < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (optname == LAYA_GRO) {
		WRITE_ONCE(ls->gro, !!value);
		return 0;
	}
	if (value < 0 || value > U16_MAX)
		return -EINVAL;
	WRITE_ONCE(ls->segment, value);
	return 0;
}

/**
 * laya_dgram_setsockopt() - setsockopt(2)
 * @sock: The socket.
 * @level: SOL_SOCKET or SOL_LAYA.
 * @optname: Which option.
 * @optval: Its value.
 * @optlen: Length of that.
 *
 * Return: 0, -ENOPROTOOPT, -EINVAL, -EFAULT, or what the core says.
 */
int laya_dgram_setsockopt(struct socket *sock, int level, int optname,
			  sockptr_t optval, unsigned int optlen)
{
	struct laya_dgram_sock *ls = laya_dgram_sk(sock->sk);
	u32 value;
	int err;

	if (level == SOL_SOCKET) {
		if (laya_af_option_refused(optname))
			return -ENOPROTOOPT;
		if (optname == SO_REUSEPORT)
			return laya_dgram_set_reuseport(sock->sk, optval,
							optlen);
		return sock_setsockopt(sock, level, optname, optval, optlen);
	}
	if (level != SOL_LAYA)
		return -ENOPROTOOPT;
	if (optname == LAYA_SEGMENT || optname == LAYA_GRO)
		return laya_dgram_set_segment(ls, optname, optval, optlen);
	err = laya_af_get_option(optname, optval, optlen, &value);
	if (err)
		return err;
	if (optname == LAYA_PATH_KINDS)
		WRITE_ONCE(ls->kinds, value);
	else
		WRITE_ONCE(ls->events, value);
	return 0;
}

/**
 * laya_dgram_getsockopt() - getsockopt(2) above SOL_SOCKET
 * @sock: The socket.
 * @level: SOL_LAYA.
 * @optname: Which option.
 * @optval: Where its value goes; cut to the room that there is.
 * @optlen: Room there, then length of the value.
 *
 * Return: 0, -ENOPROTOOPT, -ENOTCONN, -ENETUNREACH when there is no path.
 */
int laya_dgram_getsockopt(struct socket *sock, int level, int optname,
			  char __user *optval, int __user *optlen)
{
	struct laya_dgram_sock *ls = laya_dgram_sk(sock->sk);
	struct laya_af_state state = {
		.net		= sock_net(sock->sk),
		.ifindex	= READ_ONCE(ls->ifindex),
		.kinds		= READ_ONCE(ls->kinds),
		.events		= READ_ONCE(ls->events),
	};
	const struct laya_dgram_dest *to;

	if (level != SOL_LAYA)
		return -ENOPROTOOPT;
	if (optname == LAYA_SEGMENT)
		return laya_af_put_int(READ_ONCE(ls->segment), optval, optlen);
	if (optname == LAYA_GRO)
		return laya_af_put_int(READ_ONCE(ls->gro), optval, optlen);
	rcu_read_lock();
	to = rcu_dereference(ls->dest);
	if (to) {
		memcpy(state.key, to->key, LAYA_KEY_SIZE);
		state.connected = true;
	}
	rcu_read_unlock();
	return laya_af_getsockopt(&state, optname, optval, optlen);
}

/**
 * laya_dgram_segment() - how a message is cut into datagrams
 * @ls: The socket.
 * @msg: The message; a control message LAYA_SEGMENT is for it alone.
 *
 * Return: bytes of each datagram, 0 when it is one; -EINVAL.
 */
int laya_dgram_segment(const struct laya_dgram_sock *ls, struct msghdr *msg)
{
	int segment = READ_ONCE(ls->segment);
	struct cmsghdr *cmsg;
	u16 value;

	if (likely(!msg->msg_controllen))
		return segment;
	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_LAYA)
			continue;
		if (cmsg->cmsg_type != LAYA_SEGMENT ||
		    cmsg->cmsg_len != CMSG_LEN(sizeof(value)))
			return -EINVAL;
		memcpy(&value, CMSG_DATA(cmsg), sizeof(value));
		segment = value;
	}
	return segment;
}
