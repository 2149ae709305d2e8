#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# detect.sh KERNEL_TREE - print a -DLAYA_HAVE_X for each thing in the table that
# the kernel's headers have.  Kbuild adds them to every compilation; the shims in
# this folder use them.
#
# A row is: X, header below include/, extended regular expression.  The header is
# read as one line, so that an expression may span a declaration; write a space
# where any white space may stand.
tree=$1

have() {
	[ -f "$tree/include/$2" ] || return 0
	if tr -s '\t\n' '  ' < "$tree/include/$2" | grep -qE -e "$3"; then
		printf '%s ' "-DLAYA_HAVE_$1"
	fi
}

# 6.2
have GENL_SPLIT_OPS	net/genetlink.h		'struct genl_split_ops \{'
have NL_SET_ERR_MSG_FMT	linux/netlink.h		'define NL_SET_ERR_MSG_FMT\('
# 6.3
have CRYPTO_COMPLETION_DATA linux/crypto.h	'\(\*crypto_completion_t\)\(void \*req'
# 6.5
have PROTO_IOCTL_INT_PTR net/sock.h		'\(\*ioctl\)\(struct sock \*sk, int cmd, int \*karg\)'
have MSG_SPLICE_PAGES	linux/socket.h		'define MSG_SPLICE_PAGES'
# 6.6
have GENL_INFO_DUMP	net/genetlink.h		'genl_info_dump\('
# 6.9
have PCPU_STAT_TYPE	linux/netdevice.h	'enum netdev_stat_type'
# 6.10
have PROTO_ACCEPT_ARG	net/sock.h		'struct proto_accept_arg'
# 6.12
have DEV_LLTX		linux/netdevice.h	'unsigned long lltx:1|lltx:1'
# 6.14
have DEV_DSTATS		linux/netdevice.h	'dev_dstats_rx_add\('
# 6.15
have RTNL_NEWLINK_PARAMS net/rtnetlink.h	'struct rtnl_newlink_params'
# 6.16
have TIMER_CONTAINER_OF	linux/timer.h		'define timer_container_of\('
have TIMER_DELETE	linux/timer.h		'int timer_delete\('
have CHACHA_STATE	crypto/chacha.h		'struct chacha_state \{'
# 6.17
have UDP_TUNNEL_XMIT_IPCB net/udp_tunnel.h	'udp_tunnel_xmit_skb\([^)]*u16 ipcb_flags\)'
have UDP_TUNNEL6_XMIT_IP6CB net/udp_tunnel.h	'udp_tunnel6_xmit_skb\([^)]*u16 ip6cb_flags\)'
# 6.19
have SOCKADDR_UNSIZED	linux/socket.h		'struct sockaddr_unsized'
# 7.x
have UDP_TUNNEL_SOCK_SK	net/udp_tunnel.h	'setup_udp_tunnel_sock\(struct net \*net, struct sock \*'
have RECVMSG_NO_ADDR_LEN net/sock.h		'\(\*recvmsg\)\(struct sock \*sk, struct msghdr \*msg, size_t len, int flags\)'
