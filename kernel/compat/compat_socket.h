/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between kernels for the socket files. */
#ifndef _LAYA_COMPAT_SOCKET_H
#define _LAYA_COMPAT_SOCKET_H

#include <linux/net.h>

/* 6.19: names that come from userspace have a type of their own */
#ifdef LAYA_HAVE_SOCKADDR_UNSIZED
#define laya_sockaddr	sockaddr_unsized
#else
#define laya_sockaddr	sockaddr
#endif

/* 6.10: one argument for what accept is told and what it answers */
#ifdef LAYA_HAVE_PROTO_ACCEPT_ARG
#define LAYA_COMPAT_ACCEPT(name)					\
	static int name(struct socket *sock, struct socket *newsock,	\
			struct proto_accept_arg *arg)
#define laya_compat_accept(fn)	((fn)(sock, newsock, arg))
#else
#define LAYA_COMPAT_ACCEPT(name)					\
	static int name(struct socket *sock, struct socket *newsock,	\
			int flags, bool kern)
#define laya_compat_accept(fn)	((fn)(sock, newsock, flags, kern))
#endif

/*
 * 6.5: a family can be asked about SOL_SOCKET too. Before that the core does
 * what it is told, and a process with CAP_NET_RAW can move a socket to another
 * device; there the guard drops what it sends.
 */
static inline void laya_compat_custom_sockopt(struct socket *sock)
{
#ifdef SOCK_CUSTOM_SOCKOPT
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
#endif
}

#endif /* _LAYA_COMPAT_SOCKET_H */
