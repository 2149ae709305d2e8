// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "attach.h"
#include "forwarder.h"
#include "kernel.h"
#include "log.h"
#include "orchid.h"

/* After a restart: what the kernel said meanwhile, nobody has heard */
#define ADOPTED_REKEY_MS	3000

struct kernel {
	struct node *node;
	uv_poll_t poll;
};

/* Peers that a dump found, to be handled when it is over */
struct found {
	struct laya_nl_peer *list;
	size_t n;
	int error;
};

static int complain(struct node *node, int err, const char *what)
{
	laya_error("%s: %s: %s", node->config.device, what,
		   laya_nl_strerror(node->nl));
	return err;
}

static void on_wanted(void *ctx, const struct laya_nl_peer *event)
{
	struct node *node = ctx;
	struct peer *peer;

	if (event->ifindex != node->ifindex)
		return;
	peer = peer_find(node, event->public_key);
	if (peer)
		peer_wanted(peer);
}

static void on_session_aging(void *ctx, const struct laya_nl_session *event)
{
	struct node *node = ctx;
	struct peer *peer;

	if (event->ifindex != node->ifindex)
		return;
	peer = peer_find(node, event->public_key);
	if (peer)
		peer_aging(peer, event->rx_index,
			   laya_nl_has(event, LAYA_A_SESSION_INITIATOR),
			   event->reason);
}

static void on_path_changed(void *ctx, const struct laya_nl_path *event)
{
	struct node *node = ctx;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct peer *peer;

	if (event->ifindex != node->ifindex)
		return;
	peer = peer_find(node, event->public_key);
	if (!peer)
		return;
	if (laya_log_enabled(LAYA_LOG_DEBUG)) {
		laya_address_format(text, &event->remote);
		laya_debug("%s: path %u by %s (%s%s) is %s%s", peer_text(peer),
			   event->path_id, text,
			   laya_nl_kind_name(event->kind),
			   laya_nl_has(event, LAYA_A_PATH_ANSWERED) ?
			   ", answered" : "", laya_nl_state_name(event->state),
			   laya_nl_has(event, LAYA_A_PATH_IN_USE) ?
			   ", in use" : "");
	}
	peer_path_changed(peer, event);
	/* Last, since it may be the peer's end. */
	if (peer->forwarder)
		forwarder_path_changed(peer->forwarder, event);
}

static int open_carrier(struct node *node);

static void on_carrier_lost(void *ctx, const struct laya_nl_carrier *event)
{
	struct node *node = ctx;

	if (event->ifindex != node->ifindex)
		return;
	laya_warning("%s: the UDP sockets on port %u are lost; opening new ones",
		     node->config.device, event->port);
	if (!open_carrier(node))
		node_candidates_changed(node);
}

static void on_overrun(void *ctx)
{
	struct node *node = ctx;
	struct laya_nl_path none = { .state = LAYA_PATH_STATE_SUSPECT };
	struct peer *peer;
	struct peer *next;

	laya_warning("%s: events of the kernel were lost; looking at all peers",
		     node->config.device);
	laya_nl_set(&none, LAYA_A_PATH_STATE);
	for (peer = TAILQ_FIRST(&node->peers); peer; peer = next) {
		next = TAILQ_NEXT(peer, entry);
		if (peer->session)
			peer_path_changed(peer, &none);
		if (peer->forwarder)
			forwarder_path_changed(peer->forwarder, &none);
	}
}

static const struct laya_nl_event_ops event_ops = {
	.peer_wanted = on_wanted,
	.session_aging = on_session_aging,
	.path_changed = on_path_changed,
	.carrier_lost = on_carrier_lost,
	.overrun = on_overrun,
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct kernel *kernel = poll->data;
	int ret;

	(void)events;
	if (status < 0) {
		laya_error("waiting for the kernel's events: %s",
			   uv_strerror(status));
		return;
	}
	ret = laya_nl_events_dispatch(kernel->node->nl);
	if (ret)
		laya_warning("the kernel's events: %s",
			     laya_nl_strerror(kernel->node->nl));
}

static int read_disabled(const char *which)
{
	char path[64 + IFNAMSIZ];
	char value = '0';
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
		 which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, &value, 1) != 1)
		value = '0';
	close(fd);
	return value == '1';
}

/* Return: 0, or a negative errno after saying what to do. */
static int check_ipv6(const char *device)
{
	int ret = read_disabled("all");

	if (ret == -ENOENT) {
		laya_error("this kernel runs without IPv6 (ipv6.disable=1?), which Laya's addresses need; boot it with IPv6");
		return -EAFNOSUPPORT;
	}
	if (ret > 0) {
		laya_error("IPv6 is disabled, which Laya's addresses need: run 'sysctl -w net.ipv6.conf.all.disable_ipv6=0'; IPv6 connectivity is not needed");
		return -EAFNOSUPPORT;
	}
	if (device && read_disabled(device) > 0) {
		laya_error("IPv6 is disabled on %s, which Laya's addresses need: run 'sysctl -w net.ipv6.conf.%s.disable_ipv6=0' (and look at net.ipv6.conf.default.disable_ipv6)",
			   device, device);
		return -EAFNOSUPPORT;
	}
	return 0;
}

static int get_device(struct node *node, struct laya_nl_device *device)
{
	memset(device, 0, sizeof(*device));
	snprintf(device->ifname, sizeof(device->ifname), "%s",
		 node->config.device);
	laya_nl_set(device, LAYA_A_DEVICE_IFNAME);
	return laya_nl_device_get(node->nl, device);
}

static int find_device(struct node *node, struct laya_nl_device *device)
{
	int ret;

	ret = get_device(node, device);
	if (ret == -ENODEV) {
		ret = laya_nl_link_add(node->nl, node->config.device);
		if (ret && ret != -EEXIST)
			return complain(node, ret, "cannot add the device");
		ret = get_device(node, device);
		if (ret == -ENODEV) {
			laya_error("%s is an interface of another kind; choose another name (Device =) or delete it",
				   node->config.device);
			return ret;
		}
		if (!ret)
			laya_info("added %s", node->config.device);
	}
	return ret ? complain(node, ret, "cannot look at the device") : 0;
}

static int collect(void *ctx, const struct laya_nl_peer *peer)
{
	struct found *found = ctx;
	struct laya_nl_peer *list;

	list = reallocarray(found->list, found->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	found->list = list;
	found->list[found->n++] = *peer;
	return 0;
}

/* Another key than before: what was agreed under that is worth nothing. */
static int forget_all(struct node *node)
{
	struct found found = {};
	size_t i;
	int ret;

	ret = laya_nl_peer_dump(node->nl, node->ifindex, collect, &found);
	for (i = 0; i < found.n && !ret; i++)
		ret = laya_nl_peer_del(node->nl, node->ifindex,
				       found.list[i].public_key);
	free(found.list);
	return ret;
}

static int set_device(struct node *node, const struct laya_nl_device *old)
{
	struct laya_nl_device device = { .ifindex = node->ifindex };
	bool ours;
	int ret;

	ours = laya_nl_has(old, LAYA_A_DEVICE_PUBLIC_KEY) &&
	       laya_key_equal(old->public_key, node->self.public_key);
	laya_nl_set(&device, LAYA_A_DEVICE_IFINDEX);
	laya_nl_set(&device, LAYA_A_DEVICE_FLAGS);
	device.flags = node->config.forward == LAYA_FORWARD_NO ? 0 :
		       LAYA_DEVICE_FLAGS_FORWARD;
	if (!ours) {
		if (old->peers > 0) {
			laya_warning("%s has another key; its %u peers are forgotten",
				     node->config.device, old->peers);
			ret = forget_all(node);
			if (ret)
				return complain(node, ret,
						"cannot delete its peers");
		}
		memcpy(device.public_key, node->self.public_key,
		       LAYA_KEY_SIZE);
		laya_nl_set(&device, LAYA_A_DEVICE_PUBLIC_KEY);
	}
	ret = laya_nl_device_set(node->nl, &device);
	return ret ? complain(node, ret, "cannot set its key and flags") : 0;
}

static int take_carrier(void *ctx, const struct laya_nl_carrier *carrier)
{
	if (carrier->type == LAYA_CARRIER_TYPE_UDP)
		*(struct laya_nl_carrier *)ctx = *carrier;
	return 0;
}

static int open_carrier(struct node *node)
{
	struct laya_nl_carrier carrier = {};
	uint16_t port = node->config.listen_port;
	int ret;

	if (port == 0 && node->config.forward != LAYA_FORWARD_NO)
		port = LAYA_DEFAULT_PORT;
	ret = laya_nl_carrier_dump(node->nl, node->ifindex, take_carrier,
				   &carrier);
	if (ret)
		return complain(node, ret, "cannot look at its carriers");
	if (carrier.carrier_id != 0 && (port == 0 || port == carrier.port)) {
		node->port = carrier.port;
		return 0;
	}
	if (carrier.carrier_id != 0) {
		ret = laya_nl_carrier_del(node->nl, node->ifindex,
					  carrier.carrier_id);
		if (ret)
			return complain(node, ret,
					"cannot close its UDP sockets");
	}
	ret = laya_nl_carrier_new(node->nl, node->ifindex,
				  LAYA_CARRIER_TYPE_UDP, port, &carrier);
	if (ret == -EADDRINUSE) {
		laya_error("UDP port %u is in use by another program ('ss -ulnp' shows which); set ListenPort to one that is free, or to 0",
			   port);
		return ret;
	}
	if (ret)
		return complain(node, ret, "cannot open its UDP sockets");
	node->port = carrier.port;
	return 0;
}

/**
 * kernel_ensure_address() - see that the device has its address
 * @node: ours, with a device that is up
 *
 * And that no ORCHID follows the default route in clear, without it.
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_ensure_address(struct node *node)
{
	struct in6_addr orchid;
	int ret;

	ret = laya_orchid_from_key(&orchid, node->self.public_key);
	if (ret)
		return ret;
	ret = laya_nl_link_unreachable(node->nl);
	if (ret)
		return complain(node, ret, "cannot keep ORCHIDs off the default route");
	ret = laya_nl_link_address(node->nl, node->ifindex, &orchid);
	return ret ? complain(node, ret, "cannot set its address") : 0;
}

/**
 * kernel_open() - get hold of the device, and make it what it should be
 * @node: ours
 *
 * Return: 0, or a negative errno, which was logged; -EBUSY if another layad
 * has the device.
 */
int kernel_open(struct node *node)
{
	struct laya_nl_device device;
	char msg[512];
	int ret;

	ret = check_ipv6(NULL);
	if (ret)
		return ret;
	ret = laya_nl_open(&node->nl, msg, sizeof(msg));
	if (ret) {
		laya_error("%s", msg);
		return ret;
	}
	ret = find_device(node, &device);
	if (ret)
		return ret;
	node->ifindex = device.ifindex;

	ret = laya_nl_events_open(node->nl, &event_ops, node);
	if (ret)
		return complain(node, ret, "cannot hear its events");
	ret = laya_nl_device_claim(node->nl, node->ifindex);
	if (ret == -EBUSY) {
		laya_error("another layad owns %s (in this network namespace); stop that one, or choose another Device",
			   node->config.device);
		return ret;
	}
	if (ret)
		return complain(node, ret, "cannot claim the device");

	ret = check_ipv6(node->config.device);
	if (!ret)
		ret = set_device(node, &device);
	if (!ret)
		ret = open_carrier(node);
	if (ret)
		return ret;
	ret = laya_nl_link_up(node->nl, node->config.device);
	if (ret)
		return complain(node, ret, "cannot set it up");
	ret = kernel_ensure_address(node);
	if (ret)
		return ret;
	laya_info("%s is up, UDP port %u", node->config.device, node->port);
	return 0;
}

static int adopt_session(void *ctx, const struct laya_nl_session *session)
{
	struct peer *peer = ctx;

	if (session->slot != LAYA_SESSION_SLOT_CURRENT)
		return 0;
	peer->session = true;
	peer->rx_index = session->rx_index;
	peer->initiator = laya_nl_has(session, LAYA_A_SESSION_INITIATOR);
	return 0;
}

static int take_remote(void *ctx, const struct laya_nl_path *path)
{
	if (path->kind == LAYA_PATH_KIND_DIRECT &&
	    !laya_nl_has(path, LAYA_A_PATH_ANSWERED) &&
	    path->state != LAYA_PATH_STATE_DEAD)
		*(struct laya_address *)ctx = path->remote;
	return 0;
}

static void adopt(struct node *node, const struct laya_nl_peer *old)
{
	struct peer *peer = peer_find(node, old->public_key);
	struct laya_address remote = {};
	bool forwarder = old->flags & LAYA_PEER_FLAGS_FORWARDER &&
			 !node_is_relay(node);
	bool attachment = old->flags & LAYA_PEER_FLAGS_ATTACHMENT &&
			  node->attach;

	if (!peer && (forwarder || attachment))
		peer = peer_new(node, old->public_key, NULL);
	if (!peer) {
		laya_nl_peer_del(node->nl, node->ifindex, old->public_key);
		return;
	}
	peer->in_kernel = true;
	peer->flags = old->flags;
	if (attachment)
		attach_adopt(node, peer);
	laya_nl_session_dump(node->nl, node->ifindex, old->public_key,
			     adopt_session, peer);
	if (forwarder) {
		laya_nl_path_dump(node->nl, node->ifindex, old->public_key,
				  take_remote, &remote);
		if (remote.port != 0)
			forwarder_adopt(node, old->public_key, &remote);
		else if (!peer->configured && !peer->attachment)
			peer_del(peer);
		return;
	}
	/* Candidates of both sides may have changed, too. */
	if (peer->session && peer->configured)
		peer_rekey_soon(peer, ADOPTED_REKEY_MS +
				(peer->initiator ? 0 : 12000) +
				randombytes_uniform(2000));
}

static int adopt_label(void *ctx, const struct laya_nl_label *label)
{
	attach_adopt_label(ctx, label);
	return 0;
}

/**
 * kernel_start() - adopt what is there, add what is not, and listen
 * @node: ours, with its peers and attach_start() done
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_start(struct node *node)
{
	struct found found = {};
	struct peer *peer;
	size_t i;
	int ret;

	ret = laya_nl_peer_dump(node->nl, node->ifindex, collect, &found);
	if (ret) {
		free(found.list);
		return complain(node, ret, "cannot look at its peers");
	}
	for (i = 0; i < found.n; i++)
		adopt(node, &found.list[i]);
	if (found.n > 0)
		laya_info("adopted %s with %zu peers", node->config.device,
			  found.n);
	free(found.list);
	if (node->attach)
		laya_nl_label_dump(node->nl, node->ifindex, NULL, adopt_label,
				   node);
	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (!peer->configured && !peer->attachment)
			continue;
		ret = peer_update_kernel(peer);
		if (ret)
			return ret;
	}

	node->kernel = calloc(1, sizeof(*node->kernel));
	if (!node->kernel)
		return -ENOMEM;
	node->kernel->node = node;
	ret = uv_poll_init(node->loop, &node->kernel->poll,
			   laya_nl_events_fd(node->nl));
	if (ret) {
		free(node->kernel);
		node->kernel = NULL;
		return ret;
	}
	node->kernel->poll.data = node->kernel;
	uv_poll_start(&node->kernel->poll, UV_READABLE, on_poll);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct kernel *kernel = handle->data;

	laya_nl_close(kernel->node->nl);
	kernel->node->nl = NULL;
	free(kernel);
}

/**
 * kernel_stop() - let go of the device; it stays as it is
 * @node: ours
 */
void kernel_stop(struct node *node)
{
	if (node->kernel) {
		uv_close((uv_handle_t *)&node->kernel->poll, on_closed);
		node->kernel = NULL;
	} else if (node->nl) {
		laya_nl_close(node->nl);
		node->nl = NULL;
	}
}

/**
 * kernel_down() - delete the device
 * @device: its name
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_down(const char *device)
{
	struct laya_nl_device found = {};
	struct laya_nl *nl;
	char msg[512];
	int ret;

	ret = laya_nl_open(&nl, msg, sizeof(msg));
	if (ret) {
		laya_error("%s", msg);
		return ret;
	}
	/* Only a device of ours, whatever else has that name */
	snprintf(found.ifname, sizeof(found.ifname), "%s", device);
	laya_nl_set(&found, LAYA_A_DEVICE_IFNAME);
	ret = laya_nl_device_get(nl, &found);
	if (!ret)
		ret = laya_nl_link_del(nl, device);
	if (ret == -ENODEV)
		laya_error("there is no Laya device %s", device);
	else if (ret)
		laya_error("cannot delete %s: %s", device,
			   laya_nl_strerror(nl));
	laya_nl_close(nl);
	return ret;
}

/**
 * kernel_peer_update() - let the kernel know a peer, and what it may do
 * @peer: the peer
 * @flags: enum laya_peer_flags
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_peer_update(struct peer *peer, uint32_t flags)
{
	struct node *node = peer->node;
	int ret = 0;

	if (!node->nl)
		return -ENODEV;
	if (!peer->in_kernel) {
		ret = laya_nl_peer_new(node->nl, node->ifindex,
				       peer->handshake.key, flags);
		/* It may have been there all along: then only set it. */
		if (ret == -EEXIST)
			ret = laya_nl_peer_set_flags(node->nl, node->ifindex,
						     peer->handshake.key,
						     flags);
	} else if (peer->flags != flags) {
		ret = laya_nl_peer_set_flags(node->nl, node->ifindex,
					     peer->handshake.key, flags);
	}
	if (ret) {
		laya_error("%s: the kernel refuses the peer: %s",
			   peer_text(peer), laya_nl_strerror(node->nl));
		return ret;
	}
	peer->in_kernel = true;
	peer->flags = flags;
	return 0;
}

/**
 * kernel_peer_del() - let the kernel forget a peer
 * @peer: the peer
 */
void kernel_peer_del(struct peer *peer)
{
	if (!peer->in_kernel || !peer->node->nl)
		return;
	laya_nl_peer_del(peer->node->nl, peer->node->ifindex,
			 peer->handshake.key);
	peer->in_kernel = false;
	peer->session = false;
}

/**
 * kernel_peer_fail() - what waits for a session with a peer waits in vain
 * @peer: the peer
 * @error: positive errno for the sockets
 */
void kernel_peer_fail(struct peer *peer, uint32_t error)
{
	if (peer->in_kernel &&
	    laya_nl_peer_set_error(peer->node->nl, peer->node->ifindex,
				   peer->handshake.key, error))
		laya_debug("%s: cannot set an error: %s", peer_text(peer),
			   laya_nl_strerror(peer->node->nl));
}

/**
 * kernel_session_new() - install keys
 * @peer: with whom
 * @keys: the keys
 * @confirmed: the peer has shown that it has them: we began
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_session_new(struct peer *peer, const struct laya_session_keys *keys,
		       bool confirmed)
{
	struct laya_nl_session session = {
		.ifindex = peer->node->ifindex,
		.cipher = keys->cipher,
		.rx_index = keys->rx_index,
		.tx_index = keys->tx_index,
	};
	int ret;

	memcpy(session.public_key, peer->handshake.key, LAYA_KEY_SIZE);
	memcpy(session.rx_key, keys->rx_key, LAYA_KEY_SIZE);
	memcpy(session.tx_key, keys->tx_key, LAYA_KEY_SIZE);
	laya_nl_set(&session, LAYA_A_SESSION_IFINDEX);
	laya_nl_set(&session, LAYA_A_SESSION_PUBLIC_KEY);
	laya_nl_set(&session, LAYA_A_SESSION_CIPHER);
	laya_nl_set(&session, LAYA_A_SESSION_RX_INDEX);
	laya_nl_set(&session, LAYA_A_SESSION_TX_INDEX);
	laya_nl_set(&session, LAYA_A_SESSION_RX_KEY);
	laya_nl_set(&session, LAYA_A_SESSION_TX_KEY);
	if (keys->initiator)
		laya_nl_set(&session, LAYA_A_SESSION_INITIATOR);
	if (confirmed)
		laya_nl_set(&session, LAYA_A_SESSION_CONFIRMED);
	ret = laya_nl_session_new(peer->node->nl, &session);
	sodium_memzero(&session, sizeof(session));
	if (ret)
		laya_error("%s: the kernel refuses the session: %s",
			   peer_text(peer), laya_nl_strerror(peer->node->nl));
	return ret;
}

/**
 * kernel_session_confirm() - the initiator has shown that it has the keys
 * @peer: who
 * @rx_index: the session
 */
void kernel_session_confirm(struct peer *peer, uint32_t rx_index)
{
	/* A packet may have confirmed it already, or a newer have replaced. */
	if (laya_nl_session_confirm(peer->node->nl, peer->node->ifindex,
				    peer->handshake.key, rx_index))
		laya_debug("%s: cannot confirm the session: %s",
			   peer_text(peer), laya_nl_strerror(peer->node->nl));
}

/**
 * kernel_path_new() - dial
 * @peer: whom
 * @kind: enum laya_path_kind
 * @remote: where
 * @candidate: whose labels and forwarder to use, or NULL
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_path_new(struct peer *peer, uint32_t kind,
		    const struct laya_address *remote,
		    const struct laya_candidate *candidate)
{
	struct laya_nl_path path = {
		.ifindex = peer->node->ifindex,
		.kind = kind,
		.carrier_id = 1,
		.remote = *remote,
	};
	char text[LAYA_ADDRESS_TEXT_SIZE];
	int ret;

	memcpy(path.public_key, peer->handshake.key, LAYA_KEY_SIZE);
	laya_nl_set(&path, LAYA_A_PATH_IFINDEX);
	laya_nl_set(&path, LAYA_A_PATH_PUBLIC_KEY);
	laya_nl_set(&path, LAYA_A_PATH_KIND);
	laya_nl_set(&path, LAYA_A_PATH_CARRIER_ID);
	laya_nl_set(&path, LAYA_A_PATH_REMOTE);
	if (candidate && candidate->n_labels > 0) {
		path.n_labels = candidate->n_labels;
		memcpy(path.labels, candidate->labels, sizeof(path.labels));
		laya_nl_set(&path, LAYA_A_PATH_LABELS);
	}
	if (candidate && candidate->have_forwarder) {
		memcpy(path.forwarder, candidate->forwarder, LAYA_KEY_SIZE);
		laya_nl_set(&path, LAYA_A_PATH_FORWARDER);
	}
	laya_address_format(text, remote);
	ret = laya_nl_path_new(peer->node->nl, &path);
	if (ret)
		laya_warning("%s: cannot dial %s (%s): %s", peer_text(peer),
			     text, laya_nl_kind_name(kind),
			     laya_nl_strerror(peer->node->nl));
	else
		laya_debug("%s: dialling %s (%s), path %u", peer_text(peer),
			   text, laya_nl_kind_name(kind), path.path_id);
	return ret;
}

static int look_for_usable(void *ctx, const struct laya_nl_path *path)
{
	if (path->state == LAYA_PATH_STATE_USABLE)
		*(bool *)ctx = true;
	return 0;
}

/**
 * kernel_has_usable_path() - is there a way to a peer now
 * @peer: the peer
 *
 * Return: whether there is.
 */
bool kernel_has_usable_path(struct peer *peer)
{
	bool usable = false;

	if (!peer->in_kernel || !peer->node->nl)
		return false;
	if (laya_nl_path_dump(peer->node->nl, peer->node->ifindex,
			      peer->handshake.key, look_for_usable, &usable))
		laya_debug("%s: cannot look at its paths: %s", peer_text(peer),
			   laya_nl_strerror(peer->node->nl));
	return usable;
}

/**
 * kernel_last_rx_ms() - when was a peer last heard of
 * @peer: the peer
 *
 * Return: milliseconds since then; negative if never.
 */
int64_t kernel_last_rx_ms(struct peer *peer)
{
	struct laya_nl_peer found;

	if (laya_nl_peer_get(peer->node->nl, peer->node->ifindex,
			     peer->handshake.key, &found) ||
	    !laya_nl_has(&found, LAYA_A_PEER_LAST_RX_MS) ||
	    found.last_rx_ms > INT64_MAX)
		return -1;
	return found.last_rx_ms;
}

/**
 * kernel_label_new() - forward what comes with a label
 * @peer: to whom
 * @label: the label
 * @for_key: who was given it
 * @rate: bytes a second; 0 is no limit
 * @burst: bytes
 * @expires_ms: unless it is renewed
 *
 * Return: 0, -EEXIST for a label of another pair, or another negative errno,
 * which was logged.
 */
int kernel_label_new(struct peer *peer, const uint8_t *label,
		     const uint8_t *for_key, uint64_t rate, uint32_t burst,
		     uint32_t expires_ms)
{
	struct laya_nl_label new = {
		.ifindex = peer->node->ifindex,
		.rate = rate,
		.burst = burst,
		.expires_ms = expires_ms,
	};
	int ret;

	memcpy(new.label, label, sizeof(new.label));
	memcpy(new.public_key, peer->handshake.key, LAYA_KEY_SIZE);
	memcpy(new.for_key, for_key, LAYA_KEY_SIZE);
	laya_nl_set(&new, LAYA_A_LABEL_IFINDEX);
	laya_nl_set(&new, LAYA_A_LABEL_LABEL);
	laya_nl_set(&new, LAYA_A_LABEL_PUBLIC_KEY);
	laya_nl_set(&new, LAYA_A_LABEL_FOR_KEY);
	laya_nl_set(&new, LAYA_A_LABEL_RATE);
	laya_nl_set(&new, LAYA_A_LABEL_BURST);
	laya_nl_set(&new, LAYA_A_LABEL_EXPIRES_MS);
	ret = laya_nl_label_new(peer->node->nl, &new);
	if (ret && ret != -EEXIST)
		laya_warning("%s: the kernel refuses a label: %s",
			     peer_text(peer), laya_nl_strerror(peer->node->nl));
	return ret;
}

/**
 * kernel_label_del() - forward no more what comes with a label
 * @node: ours
 * @label: the label
 */
void kernel_label_del(struct node *node, const uint8_t *label)
{
	if (laya_nl_label_del(node->nl, node->ifindex, label))
		laya_debug("cannot delete a label: %s",
			   laya_nl_strerror(node->nl));
}
