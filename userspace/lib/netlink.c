// SPDX-License-Identifier: GPL-2.0
/* The operations of the family "laya". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <linux/laya.h>

#include "netlink_socket.h"

typedef int (*each_fn)(void *ctx, const void *object);

/* Large enough for the struct of any set */
union object {
	struct laya_nl_device device;
	struct laya_nl_peer peer;
	struct laya_nl_session session;
	struct laya_nl_path path;
	struct laya_nl_carrier carrier;
	struct laya_nl_label label;
};

/**
 * struct op - an operation of the specification
 * @cmd: LAYA_CMD_*
 * @set: its attribute set
 * @name: its name
 */
struct op {
	uint8_t cmd;
	enum laya_nl_set_id set;
	const char *name;
};

#define OP(SET, VERB, set, verb)					\
	(&(const struct op){ LAYA_CMD_##SET##_##VERB, LAYA_NL_SET_##SET,	\
			     set "-" verb })

static int resolve(struct laya_nl *nl)
{
	struct nl_sock *sock = nl_socket_alloc();
	int family = -NLE_NOMEM;

	if (!sock)
		return -NLE_NOMEM;
	family = genl_connect(sock);
	if (!family)
		family = genl_ctrl_resolve(sock, LAYA_FAMILY_NAME);
	if (family >= 0) {
		nl->family = family;
		nl->monitor = genl_ctrl_resolve_grp(sock, LAYA_FAMILY_NAME,
						    LAYA_MCGRP_MONITOR);
	}
	nl_socket_free(sock);
	return family < 0 ? family : 0;
}

/* The module has an alias for its sockets, by which the kernel loads it. */
static void autoload(void)
{
	int fd = socket(AF_LAYA, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
}

/**
 * laya_nl_open() - connect to the module
 * @out: where to put the connection
 * @msg: where to say what failed, for a person
 * @msg_size: its size
 *
 * The module is loaded if it is not, and if it may be.
 *
 * Return: 0; -ENOENT if the module is not loaded; or another negative errno.
 */
int laya_nl_open(struct laya_nl **out, char *msg, size_t msg_size)
{
	struct laya_nl *nl = calloc(1, sizeof(*nl));
	int err = -ENOMEM;

	*out = NULL;
	if (!nl)
		goto fail;
	nl->event_fd = -1;
	nl->epoll_fd = -1;

	err = resolve(nl);
	if (err == -NLE_OBJ_NOTFOUND) {
		autoload();
		err = resolve(nl);
	}
	if (err == -NLE_OBJ_NOTFOUND) {
		snprintf(msg, msg_size, LAYA_NL_NOT_LOADED);
		err = -ENOENT;
		goto err_free;
	}
	if (err) {
		snprintf(msg, msg_size, "generic netlink: %s",
			 nl_geterror(err));
		err = -EIO;
		goto err_free;
	}

	nl->requests = laya_nl_socket(NETLINK_GENERIC, &err);
	if (!nl->requests)
		goto fail;
	*out = nl;
	return 0;

fail:
	snprintf(msg, msg_size, "generic netlink: %s", strerror(-err));
err_free:
	free(nl);
	return err;
}

/**
 * laya_nl_close() - disconnect; gives a claimed device up
 * @nl: the connection, or NULL
 */
void laya_nl_close(struct laya_nl *nl)
{
	if (!nl)
		return;
	if (nl->epoll_fd >= 0)
		close(nl->epoll_fd);
	if (nl->event_fd >= 0)
		close(nl->event_fd);
	nl_socket_free(nl->events);
	nl_socket_free(nl->route);
	nl_socket_free(nl->requests);
	laya_nl_messages_free(&nl->queue);
	free(nl);
}

/**
 * laya_nl_strerror() - say what failed last
 * @nl: the connection
 *
 * Return: a text, good until the next call that fails.
 */
const char *laya_nl_strerror(const struct laya_nl *nl)
{
	return nl->error;
}

static const void *attrs_of(const struct nlmsghdr *message, size_t *len)
{
	int n = nlmsg_datalen(message) - GENL_HDRLEN;

	*len = n < 0 ? 0 : n;
	return (const uint8_t *)nlmsg_data(message) + GENL_HDRLEN;
}

static int exchange(struct laya_nl *nl, struct nl_sock *sock,
		    const struct op *op, int flags, const void *request,
		    struct laya_nl_messages *replies)
{
	struct nl_msg *msg = nlmsg_alloc();
	int err = -ENOMEM;

	if (!msg)
		return laya_nl_fail(nl, err, "%s: out of memory", op->name);
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
			NLM_F_REQUEST | flags, op->cmd, LAYA_FAMILY_VERSION))
		err = laya_nl_encode(msg, op->set, request);
	if (err) {
		struct nlmsghdr *header = nlmsg_hdr(msg);

		explicit_bzero(nlmsg_data(header), nlmsg_datalen(header));
		nlmsg_free(msg);
		return laya_nl_fail(nl, err, "%s: %s", op->name,
				    err == -EINVAL ?
				    "a value that cannot be sent" :
				    strerror(-err));
	}
	return laya_nl_transact(nl, sock, msg, op->name, op->set, replies);
}

/* A request; the answer, if one is wanted, into @reply. */
static int request_reply(struct laya_nl *nl, const struct op *op,
			 const void *request, void *reply)
{
	struct nl_sock *sock = nl->claimed ? nl->events : nl->requests;
	struct laya_nl_messages replies = {};
	const void *attrs;
	size_t len;
	int err;

	err = exchange(nl, sock, op, NLM_F_ACK, request, &replies);
	if (!err && reply) {
		err = -EBADMSG;
		if (replies.len) {
			attrs = attrs_of((struct nlmsghdr *)replies.data,
					 &len);
			err = laya_nl_decode(op->set, reply, attrs, len);
		}
		if (err)
			laya_nl_fail(nl, err, "%s: malformed answer",
				     op->name);
	}
	laya_nl_messages_free(&replies);
	return err;
}

static int request_only(struct laya_nl *nl, const struct op *op,
			const void *request)
{
	return request_reply(nl, op, request, NULL);
}

static int dump(struct laya_nl *nl, const struct op *op, const void *request,
		each_fn fn, void *ctx)
{
	struct laya_nl_messages replies = {};
	struct nlmsghdr *message;
	union object object;
	int err;
	int len;

	err = exchange(nl, nl->requests, op, NLM_F_DUMP, request, &replies);
	message = (struct nlmsghdr *)replies.data;
	len = replies.len;
	for (; !err && nlmsg_ok(message, len);
	     message = nlmsg_next(message, &len)) {
		const void *attrs;
		size_t n;

		attrs = attrs_of(message, &n);
		err = laya_nl_decode(op->set, &object, attrs, n);
		if (err)
			laya_nl_fail(nl, err, "%s: malformed answer",
				     op->name);
		else
			err = fn(ctx, &object);
	}
	laya_nl_messages_free(&replies);
	return err;
}

/**
 * laya_nl_device_get() - read a device
 * @nl: the connection
 * @device: with ifindex or ifname present; filled in
 *
 * Return: 0, -ENODEV, or another negative errno.
 */
int laya_nl_device_get(struct laya_nl *nl, struct laya_nl_device *device)
{
	struct laya_nl_device request = *device;

	/* What an earlier answer has filled in is no part of the question. */
	request.present &= 1u << LAYA_A_DEVICE_IFINDEX |
			   1u << LAYA_A_DEVICE_IFNAME;
	if (laya_nl_has(&request, LAYA_A_DEVICE_IFINDEX))
		request.present = 1u << LAYA_A_DEVICE_IFINDEX;
	return request_reply(nl, OP(DEVICE, GET, "device", "get"), &request,
			     device);
}

/**
 * laya_nl_device_set() - change a device
 * @nl: the connection
 * @device: which, and what to change, present
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_device_set(struct laya_nl *nl, const struct laya_nl_device *device)
{
	return request_only(nl, OP(DEVICE, SET, "device", "set"), device);
}

/**
 * laya_nl_device_claim() - own a device: be sent its events
 * @nl: the connection, with laya_nl_events_open()
 * @ifindex: the device
 *
 * Return: 0, -EBUSY while another owner lives, or another negative errno.
 */
int laya_nl_device_claim(struct laya_nl *nl, uint32_t ifindex)
{
	struct laya_nl_device device = { .ifindex = ifindex };
	int err;

	if (!nl->events)
		return laya_nl_fail(nl, -EINVAL,
				    "device-claim: no socket for events");
	laya_nl_set(&device, LAYA_A_DEVICE_IFINDEX);
	err = exchange(nl, nl->events, OP(DEVICE, CLAIM, "device", "claim"),
		       NLM_F_ACK, &device, NULL);
	if (!err)
		nl->claimed = true;
	return err;
}

/* So that a callback of the right type is called through its own type */
#define DUMP_THUNK(set)							\
struct set##_thunk {							\
	laya_nl_##set##_fn fn;						\
	void *ctx;							\
};									\
static int set##_each(void *ctx, const void *object)			\
{									\
	const struct set##_thunk *thunk = ctx;				\
									\
	return thunk->fn(thunk->ctx, object);				\
}

DUMP_THUNK(device)
DUMP_THUNK(peer)
DUMP_THUNK(session)
DUMP_THUNK(path)
DUMP_THUNK(carrier)
DUMP_THUNK(label)

/**
 * laya_nl_device_dump() - read all devices of this network namespace
 * @nl: the connection
 * @fn: called for each
 * @ctx: for @fn
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_device_dump(struct laya_nl *nl, laya_nl_device_fn fn, void *ctx)
{
	struct laya_nl_device all = {};

	return dump(nl, OP(DEVICE, GET, "device", "get"), &all, device_each,
		    &(struct device_thunk){ fn, ctx });
}

static struct laya_nl_peer peer_key(uint32_t ifindex, const uint8_t *key)
{
	struct laya_nl_peer peer = { .ifindex = ifindex };

	laya_nl_set(&peer, LAYA_A_PEER_IFINDEX);
	if (key) {
		memcpy(peer.public_key, key, LAYA_KEY_SIZE);
		laya_nl_set(&peer, LAYA_A_PEER_PUBLIC_KEY);
	}
	return peer;
}

/**
 * laya_nl_peer_new() - add a peer
 * @nl: the connection
 * @ifindex: to this device
 * @key: public key
 * @local_key: the key under which it knows us; NULL for the device's
 * @flags: enum laya_peer_flags
 *
 * Return: 0, -EEXIST for a known key or ORCHID, or another negative errno.
 */
int laya_nl_peer_new(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE],
		     const uint8_t *local_key, uint32_t flags)
{
	struct laya_nl_peer peer = peer_key(ifindex, key);

	peer.flags = flags;
	laya_nl_set(&peer, LAYA_A_PEER_FLAGS);
	if (local_key) {
		memcpy(peer.local_key, local_key, LAYA_KEY_SIZE);
		laya_nl_set(&peer, LAYA_A_PEER_LOCAL_KEY);
	}
	return request_only(nl, OP(PEER, NEW, "peer", "new"), &peer);
}

/**
 * laya_nl_peer_set() - change a peer
 * @nl: the connection
 * @peer: ifindex and public-key, with flags or error or both
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_peer_set(struct laya_nl *nl, const struct laya_nl_peer *peer)
{
	return request_only(nl, OP(PEER, SET, "peer", "set"), peer);
}

/**
 * laya_nl_peer_set_flags() - change the flags of a peer
 * @nl: the connection
 * @ifindex: device
 * @key: public key
 * @flags: enum laya_peer_flags
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_peer_set_flags(struct laya_nl *nl, uint32_t ifindex,
			   const uint8_t key[LAYA_KEY_SIZE], uint32_t flags)
{
	struct laya_nl_peer peer = peer_key(ifindex, key);

	peer.flags = flags;
	laya_nl_set(&peer, LAYA_A_PEER_FLAGS);
	return laya_nl_peer_set(nl, &peer);
}

/**
 * laya_nl_peer_set_error() - fail what waits for a session
 * @nl: the connection
 * @ifindex: device
 * @key: public key
 * @error: positive errno, EHOSTUNREACH or ECONNREFUSED; 0 ends that
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_peer_set_error(struct laya_nl *nl, uint32_t ifindex,
			   const uint8_t key[LAYA_KEY_SIZE], uint32_t error)
{
	struct laya_nl_peer peer = peer_key(ifindex, key);

	peer.error = error;
	laya_nl_set(&peer, LAYA_A_PEER_ERROR);
	return laya_nl_peer_set(nl, &peer);
}

/**
 * laya_nl_peer_del() - forget a peer
 * @nl: the connection
 * @ifindex: device
 * @key: public key
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_peer_del(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE])
{
	struct laya_nl_peer peer = peer_key(ifindex, key);

	return request_only(nl, OP(PEER, DEL, "peer", "del"), &peer);
}

/**
 * laya_nl_peer_get() - read a peer
 * @nl: the connection
 * @ifindex: device
 * @key: public key
 * @peer: where to put it
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_peer_get(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE],
		     struct laya_nl_peer *peer)
{
	struct laya_nl_peer request = peer_key(ifindex, key);

	return request_reply(nl, OP(PEER, GET, "peer", "get"), &request, peer);
}

/**
 * laya_nl_peer_dump() - read all peers of a device
 * @nl: the connection
 * @ifindex: device
 * @fn: called for each
 * @ctx: for @fn
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_peer_dump(struct laya_nl *nl, uint32_t ifindex,
		      laya_nl_peer_fn fn, void *ctx)
{
	struct laya_nl_peer request = peer_key(ifindex, NULL);

	return dump(nl, OP(PEER, GET, "peer", "get"), &request, peer_each,
		    &(struct peer_thunk){ fn, ctx });
}

static struct laya_nl_session session_key(uint32_t ifindex, const uint8_t *key,
					  uint32_t rx_index)
{
	struct laya_nl_session session = { .ifindex = ifindex };

	laya_nl_set(&session, LAYA_A_SESSION_IFINDEX);
	if (key) {
		memcpy(session.public_key, key, LAYA_KEY_SIZE);
		laya_nl_set(&session, LAYA_A_SESSION_PUBLIC_KEY);
	}
	if (rx_index) {
		session.rx_index = rx_index;
		laya_nl_set(&session, LAYA_A_SESSION_RX_INDEX);
	}
	return session;
}

/**
 * laya_nl_session_new() - install the keys of a session
 * @nl: the connection
 * @session: ifindex, public-key, cipher, rx-index, tx-index, rx-key, tx-key,
 *	and the two flags
 *
 * Never sent twice by this function: a key that goes in twice would be a
 * nonce used twice, and the kernel refuses it.
 *
 * Return: 0, -EEXIST for an index or key that was used, or another negative
 * errno.
 */
int laya_nl_session_new(struct laya_nl *nl,
			const struct laya_nl_session *session)
{
	return request_only(nl, OP(SESSION, NEW, "session", "new"), session);
}

/**
 * laya_nl_session_confirm() - tell that the far side holds the keys
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the peer
 * @rx_index: which session
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_session_confirm(struct laya_nl *nl, uint32_t ifindex,
			    const uint8_t key[LAYA_KEY_SIZE],
			    uint32_t rx_index)
{
	struct laya_nl_session session = session_key(ifindex, key, rx_index);

	laya_nl_set(&session, LAYA_A_SESSION_CONFIRMED);
	return request_only(nl, OP(SESSION, SET, "session", "set"), &session);
}

/**
 * laya_nl_session_del() - wipe a session
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the peer
 * @rx_index: which; 0 is all of the peer
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_session_del(struct laya_nl *nl, uint32_t ifindex,
			const uint8_t key[LAYA_KEY_SIZE], uint32_t rx_index)
{
	struct laya_nl_session session = session_key(ifindex, key, rx_index);

	return request_only(nl, OP(SESSION, DEL, "session", "del"), &session);
}

/**
 * laya_nl_session_get() - read a session
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the peer
 * @rx_index: which
 * @session: where to put it
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_session_get(struct laya_nl *nl, uint32_t ifindex,
			const uint8_t key[LAYA_KEY_SIZE], uint32_t rx_index,
			struct laya_nl_session *session)
{
	struct laya_nl_session request = session_key(ifindex, key, rx_index);

	return request_reply(nl, OP(SESSION, GET, "session", "get"), &request,
			     session);
}

/**
 * laya_nl_session_dump() - read the sessions of a peer or of a device
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the peer, or NULL
 * @fn: called for each
 * @ctx: for @fn
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_session_dump(struct laya_nl *nl, uint32_t ifindex,
			 const uint8_t *key, laya_nl_session_fn fn, void *ctx)
{
	struct laya_nl_session request = session_key(ifindex, key, 0);

	return dump(nl, OP(SESSION, GET, "session", "get"), &request,
		    session_each, &(struct session_thunk){ fn, ctx });
}

static struct laya_nl_path path_key(uint32_t ifindex, const uint8_t *key,
				    uint32_t path_id)
{
	struct laya_nl_path path = { .ifindex = ifindex };

	laya_nl_set(&path, LAYA_A_PATH_IFINDEX);
	if (key) {
		memcpy(path.public_key, key, LAYA_KEY_SIZE);
		laya_nl_set(&path, LAYA_A_PATH_PUBLIC_KEY);
	}
	if (path_id) {
		path.path_id = path_id;
		laya_nl_set(&path, LAYA_A_PATH_PATH_ID);
	}
	return path;
}

/**
 * laya_nl_path_new() - dial a candidate
 * @nl: the connection
 * @path: ifindex, public-key, kind, carrier-id, remote, and local, oif,
 *	labels, forwarder where they are present; path-id is filled in
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_path_new(struct laya_nl *nl, struct laya_nl_path *path)
{
	struct laya_nl_path request = *path;
	struct laya_nl_path reply;
	int err;

	/* As it comes from an earlier call, or from a dump */
	request.present &= 1u << LAYA_A_PATH_IFINDEX |
			   1u << LAYA_A_PATH_PUBLIC_KEY |
			   1u << LAYA_A_PATH_KIND |
			   1u << LAYA_A_PATH_CARRIER_ID |
			   1u << LAYA_A_PATH_REMOTE |
			   1u << LAYA_A_PATH_LOCAL |
			   1u << LAYA_A_PATH_OIF |
			   1u << LAYA_A_PATH_LABELS |
			   1u << LAYA_A_PATH_FORWARDER;
	err = request_reply(nl, OP(PATH, NEW, "path", "new"), &request,
			    &reply);
	if (err)
		return err;
	if (!laya_nl_has(&reply, LAYA_A_PATH_PATH_ID))
		return laya_nl_fail(nl, -EBADMSG,
				    "path-new: malformed answer");
	path->path_id = reply.path_id;
	laya_nl_set(path, LAYA_A_PATH_PATH_ID);
	return 0;
}

/**
 * laya_nl_path_del() - drop a path
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the peer
 * @path_id: which
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_path_del(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE], uint32_t path_id)
{
	struct laya_nl_path path = path_key(ifindex, key, path_id);

	return request_only(nl, OP(PATH, DEL, "path", "del"), &path);
}

/**
 * laya_nl_path_get() - read a path
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the peer
 * @path_id: which
 * @path: where to put it
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_path_get(struct laya_nl *nl, uint32_t ifindex,
		     const uint8_t key[LAYA_KEY_SIZE], uint32_t path_id,
		     struct laya_nl_path *path)
{
	struct laya_nl_path request = path_key(ifindex, key, path_id);

	return request_reply(nl, OP(PATH, GET, "path", "get"), &request, path);
}

/**
 * laya_nl_path_dump() - read the paths of a peer or of a device
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the peer, or NULL
 * @fn: called for each
 * @ctx: for @fn
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_path_dump(struct laya_nl *nl, uint32_t ifindex,
		      const uint8_t *key, laya_nl_path_fn fn, void *ctx)
{
	struct laya_nl_path request = path_key(ifindex, key, 0);

	return dump(nl, OP(PATH, GET, "path", "get"), &request, path_each,
		    &(struct path_thunk){ fn, ctx });
}

static struct laya_nl_carrier carrier_key(uint32_t ifindex, uint32_t carrier_id)
{
	struct laya_nl_carrier carrier = { .ifindex = ifindex };

	laya_nl_set(&carrier, LAYA_A_CARRIER_IFINDEX);
	if (carrier_id) {
		carrier.carrier_id = carrier_id;
		laya_nl_set(&carrier, LAYA_A_CARRIER_CARRIER_ID);
	}
	return carrier;
}

/**
 * laya_nl_carrier_new() - open the UDP sockets of a device
 * @nl: the connection
 * @ifindex: device
 * @type: enum laya_carrier_type
 * @port: local port; 0 lets the kernel choose
 * @carrier: where to put its id and its port, or NULL
 *
 * Return: 0, -EEXIST, -EADDRINUSE, or another negative errno.
 */
int laya_nl_carrier_new(struct laya_nl *nl, uint32_t ifindex, uint32_t type,
			uint16_t port, struct laya_nl_carrier *carrier)
{
	struct laya_nl_carrier request = carrier_key(ifindex, 0);

	request.type = type;
	request.port = port;
	laya_nl_set(&request, LAYA_A_CARRIER_TYPE);
	laya_nl_set(&request, LAYA_A_CARRIER_PORT);
	return request_reply(nl, OP(CARRIER, NEW, "carrier", "new"), &request,
			     carrier);
}

/**
 * laya_nl_carrier_new_stream() - make a carrier of a connected stream socket
 * @nl: the connection
 * @ifindex: device
 * @type: enum laya_carrier_type, not UDP
 * @fd: the socket, of TCP or AF_UNIX; the caller may close it afterwards, and
 *	neither reads it nor writes to it
 * @remote: far end, for people; NULL is that of a TCP socket
 * @carrier_id: where to put its id
 *
 * It is closed some seconds after the device has no owner any more.
 *
 * Return: 0, -EINVAL for a socket that will not do, -EBUSY for one that is a
 * carrier already, -ENOSPC, or another negative errno.
 */
int laya_nl_carrier_new_stream(struct laya_nl *nl, uint32_t ifindex,
			       uint32_t type, int fd,
			       const struct laya_address *remote,
			       uint32_t *carrier_id)
{
	struct laya_nl_carrier request = carrier_key(ifindex, 0);
	struct laya_nl_carrier reply;
	int err;

	request.type = type;
	request.fd = fd;
	laya_nl_set(&request, LAYA_A_CARRIER_TYPE);
	laya_nl_set(&request, LAYA_A_CARRIER_FD);
	if (remote) {
		request.remote = *remote;
		laya_nl_set(&request, LAYA_A_CARRIER_REMOTE);
	}
	err = request_reply(nl, OP(CARRIER, NEW, "carrier", "new"), &request,
			    &reply);
	if (err)
		return err;
	if (!laya_nl_has(&reply, LAYA_A_CARRIER_CARRIER_ID))
		return laya_nl_fail(nl, -EBADMSG,
				    "carrier-new: malformed answer");
	*carrier_id = reply.carrier_id;
	return 0;
}

/**
 * laya_nl_carrier_del() - close the UDP sockets of a device, or a stream
 * @nl: the connection
 * @ifindex: device
 * @carrier_id: which carrier
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_carrier_del(struct laya_nl *nl, uint32_t ifindex,
			uint32_t carrier_id)
{
	struct laya_nl_carrier carrier = carrier_key(ifindex, carrier_id);

	return request_only(nl, OP(CARRIER, DEL, "carrier", "del"), &carrier);
}

/**
 * laya_nl_carrier_get() - read a carrier
 * @nl: the connection
 * @ifindex: device
 * @carrier_id: which
 * @carrier: where to put it
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_carrier_get(struct laya_nl *nl, uint32_t ifindex,
			uint32_t carrier_id, struct laya_nl_carrier *carrier)
{
	struct laya_nl_carrier request = carrier_key(ifindex, carrier_id);

	return request_reply(nl, OP(CARRIER, GET, "carrier", "get"), &request,
			     carrier);
}

/**
 * laya_nl_carrier_dump() - read the carriers of a device
 * @nl: the connection
 * @ifindex: device
 * @fn: called for each
 * @ctx: for @fn
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_carrier_dump(struct laya_nl *nl, uint32_t ifindex,
			 laya_nl_carrier_fn fn, void *ctx)
{
	struct laya_nl_carrier request = carrier_key(ifindex, 0);

	return dump(nl, OP(CARRIER, GET, "carrier", "get"), &request,
		    carrier_each, &(struct carrier_thunk){ fn, ctx });
}

static struct laya_nl_label label_key(uint32_t ifindex, const uint8_t *text)
{
	struct laya_nl_label label = { .ifindex = ifindex };

	laya_nl_set(&label, LAYA_A_LABEL_IFINDEX);
	if (text) {
		memcpy(label.label, text, LAYA_NL_LABEL_SIZE);
		laya_nl_set(&label, LAYA_A_LABEL_LABEL);
	}
	return label;
}

/**
 * laya_nl_label_new() - forward what has a label to an attachment, or renew it
 * @nl: the connection
 * @label: ifindex, label, public-key, for-key, rate, burst, expires-ms
 *
 * Return: 0, -EEXIST for a label of another pair, or another negative errno.
 */
int laya_nl_label_new(struct laya_nl *nl, const struct laya_nl_label *label)
{
	return request_only(nl, OP(LABEL, NEW, "label", "new"), label);
}

/**
 * laya_nl_label_del() - let a label die
 * @nl: the connection
 * @ifindex: device
 * @label: which
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_label_del(struct laya_nl *nl, uint32_t ifindex,
		      const uint8_t label[LAYA_NL_LABEL_SIZE])
{
	struct laya_nl_label request = label_key(ifindex, label);

	return request_only(nl, OP(LABEL, DEL, "label", "del"), &request);
}

/**
 * laya_nl_label_get() - read a label
 * @nl: the connection
 * @ifindex: device
 * @text: which
 * @label: where to put it
 *
 * Return: 0, -ENOENT, or another negative errno.
 */
int laya_nl_label_get(struct laya_nl *nl, uint32_t ifindex,
		      const uint8_t text[LAYA_NL_LABEL_SIZE],
		      struct laya_nl_label *label)
{
	struct laya_nl_label request = label_key(ifindex, text);

	return request_reply(nl, OP(LABEL, GET, "label", "get"), &request,
			     label);
}

/**
 * laya_nl_label_dump() - read the labels of an attachment or of a device
 * @nl: the connection
 * @ifindex: device
 * @key: public key of the attachment, or NULL
 * @fn: called for each
 * @ctx: for @fn
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_label_dump(struct laya_nl *nl, uint32_t ifindex,
		       const uint8_t *key, laya_nl_label_fn fn, void *ctx)
{
	struct laya_nl_label request = label_key(ifindex, NULL);

	if (key) {
		memcpy(request.public_key, key, LAYA_KEY_SIZE);
		laya_nl_set(&request, LAYA_A_LABEL_PUBLIC_KEY);
	}
	return dump(nl, OP(LABEL, GET, "label", "get"), &request, label_each,
		    &(struct label_thunk){ fn, ctx });
}
