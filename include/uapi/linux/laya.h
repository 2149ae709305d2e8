/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Laya: sockets that are addressed by who the other side is.
 *
 * A Laya address is a Curve25519 public key and a port. See laya(7).
 */
#ifndef _UAPI_LINUX_LAYA_H
#define _UAPI_LINUX_LAYA_H

#include <linux/types.h>
#include <linux/socket.h>

/* The slot of AF_ASH, which was never implemented; a module cannot add one. */
#define AF_LAYA		18
#define PF_LAYA		AF_LAYA

/* Level of the options below, for getsockopt(2) and setsockopt(2). */
#define SOL_LAYA	0x4c41

#define LAYA_KEY_SIZE	32

/**
 * struct sockaddr_laya - the name of a Laya socket
 * @slaya_family: AF_LAYA, in host byte order.
 * @slaya_port: Port, in network byte order. Ports below 1024 are privileged;
 *	port 1 belongs to layad. Streams and datagrams have separate ports.
 * @slaya_scope_id: Index of the Laya device, in host byte order; 0 lets the
 *	kernel take the only one, or the one that knows @slaya_key.
 * @slaya_key: X25519 public key of the node. All zero in bind(2) means
 *	"this node".
 *
 * 40 bytes, no padding.
 */
struct sockaddr_laya {
	__kernel_sa_family_t	slaya_family;
	__be16			slaya_port;
	__u32			slaya_scope_id;
	__u8			slaya_key[LAYA_KEY_SIZE];
};

/*
 * Options at level SOL_LAYA.
 *
 * LAYA_PATH_INFO	get: struct laya_path_info of the path in use to the
 *			connected peer; ENOTCONN when the socket has no peer,
 *			ENETUNREACH when there is no path now.
 * LAYA_PEER_KEY	get: __u8[32], key of the connected peer; ENOTCONN.
 * LAYA_PATH_KINDS	get, set: __u32 mask of (1 << enum laya_path_kind);
 *			packets of the socket use no other kind of path. 0 is
 *			EINVAL; sending with no such path is EACCES.
 * LAYA_PATH_EVENTS	get, set: int, non-zero: a change of the path in use
 *			is queued on the error queue (MSG_ERRQUEUE) as a
 *			control message SOL_LAYA, LAYA_PATH_INFO.
 *
 * For SOCK_DGRAM alone, as UDP_SEGMENT and UDP_GRO are for UDP (see udp(7)):
 *
 * LAYA_SEGMENT		get, set: int, 0 to 65535: a message of more bytes is sent
 *			as datagrams of so many, the last may have fewer. EINVAL
 *			when they would be more than LAYA_MAX_SEGMENTS. 0: off. A
 *			control message of sendmsg(2), __u16, is for that call.
 * LAYA_GRO		get, set: int, non-zero: recvmsg(2) takes several datagrams
 *			at once where they came as one run, as many as have room;
 *			the control message LAYA_GRO, int, is the size of each,
 *			the last may be shorter. Without one it is one datagram.
 */
#define LAYA_PATH_INFO		1
#define LAYA_PEER_KEY		2
#define LAYA_PATH_KINDS		3
#define LAYA_PATH_EVENTS	4
#define LAYA_SEGMENT		5
#define LAYA_GRO		6

#define LAYA_MAX_SEGMENTS	128

/**
 * struct laya_path_info - the path that a socket's packets take now
 * @kind: enum laya_path_kind, see <linux/laya_netlink.h>.
 * @carrier: enum laya_carrier_type.
 * @path_id: Number of the path within the peer.
 * @answered: 1 when the peer dialled the path, 0 when this node did.
 * @labels: Number of labels on the packets that this node sends.
 * @mtu: Largest sealed inner packet in bytes.
 * @rtt_us: Smoothed round-trip time in microseconds.
 * @rttvar_us: Its mean deviation in microseconds.
 * @remote_port: UDP port of the far end or forwarder, network byte order.
 * @remote_family: AF_INET or AF_INET6.
 * @remote_addr: Address of the far end or forwarder, network byte order; an
 *	IPv4 address stands in the first four bytes.
 */
struct laya_path_info {
	__u8	kind;
	__u8	carrier;
	__u16	path_id;
	__u8	answered;
	__u8	labels;
	__u16	mtu;
	__u32	rtt_us;
	__u32	rttvar_us;
	__be16	remote_port;
	__u16	remote_family;
	__u8	remote_addr[16];
};

#endif /* _UAPI_LINUX_LAYA_H */
