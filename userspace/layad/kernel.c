// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "attach.h"
#include "carrier.h"
#include "forwarder.h"
#include "gateway.h"
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
	carrier_path_changed(node, event);
	peer_path_changed(peer, event);
	/* Last, since it may be the peer's end. */
	if (peer->forwarder)
		forwarder_path_changed(peer->forwarder, event);
}

static int open_carrier(struct node *node);

static void on_carrier_lost(void *ctx, const struct laya_nl_carrier *event)
{
	struct node *node = ctx;

	if (event->ifindex != node->ifindex || carrier_lost(node, event) ||
	    attach_carrier_lost(node, event->carrier_id) ||
	    event->type != LAYA_CARRIER_TYPE_UDP)
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
	if (node_forwards(node))
		device.flags |= LAYA_DEVICE_FLAGS_FORWARD;
	if (node->config.gateway)
		device.flags |= LAYA_DEVICE_FLAGS_GATEWAY;
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

/**
 * kernel_carrier_new() - hand a stream down
 * @node: ours
 * @type: enum laya_carrier_type
 * @fd: a connected stream socket; it stays the caller's
 * @remote: where it leads, if that is known
 * @id: where to put the id
 *
 * Return: 0, or a negative errno; laya_nl_strerror() says more.
 */
int kernel_carrier_new(struct node *node, uint32_t type, int fd,
		       const struct laya_address *remote, uint32_t *id)
{
	if (!node->nl)
		return -ENODEV;
	return laya_nl_carrier_new_stream(node->nl, node->ifindex, type, fd,
					  remote->family ? remote : NULL, id);
}

/**
 * kernel_carrier_del() - close a stream
 * @node: ours
 * @id: its id
 */
void kernel_carrier_del(struct node *node, uint32_t id)
{
	/* It may be gone already. */
	if (node->nl && laya_nl_carrier_del(node->nl, node->ifindex, id))
		laya_debug("cannot close carrier %u: %s", id,
			   laya_nl_strerror(node->nl));
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

	if (port == 0 && node_forwards(node))
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
			  node->attach &&
			  (peer || node_is_relay(node) ||
			   gateway_admits(node, old->public_key));

	/*
	 * The key under which a gateway knew us is gone; and gateways are looked
	 * for where we are now.
	 */
	if (laya_nl_has(old, LAYA_A_PEER_LOCAL_KEY) ||
	    (!peer && gateway_is_configured(node, old->public_key))) {
		laya_nl_peer_del(node->nl, node->ifindex, old->public_key);
		return;
	}
	if (!peer && (forwarder || attachment))
		peer = peer_new(node, &node->self, old->public_key, NULL);
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
