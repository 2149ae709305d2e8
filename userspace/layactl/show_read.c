// SPDX-License-Identifier: GPL-2.0
/* Read a device with all that belongs to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

/* A copy of @old with @item behind it */
static void *append(void *old, size_t *n, const void *item, size_t size)
{
	char *new = realloc(old, (*n + 1) * size);

	if (new)
		memcpy(new + (*n)++ * size, item, size);
	return new;
}

#define APPEND(set, sets)						\
static int each_##set(void *ctx, const struct laya_nl_##set *set)	\
{									\
	struct show *show = ctx;					\
	void *new = append(show->sets, &show->n_##sets, set,		\
			   sizeof(*set));				\
									\
	if (!new)							\
		return -ENOMEM;						\
	show->sets = new;						\
	return 0;							\
}

APPEND(peer, peers)
APPEND(path, paths)
APPEND(session, sessions)
APPEND(label, labels)

static int each_carrier(void *ctx, const struct laya_nl_carrier *carrier)
{
	struct show *show = ctx;

	if (carrier->type == LAYA_CARRIER_TYPE_UDP)
		show->port = carrier->port;
	return 0;
}

/**
 * show_read() - read what belongs to a device
 * @show: with its device
 * @nl: the connection
 *
 * Return: 0 or a negative errno.
 */
int show_read(struct show *show, struct laya_nl *nl)
{
	uint32_t ifindex = show->device.ifindex;
	int err;

	err = laya_nl_peer_dump(nl, ifindex, each_peer, show);
	if (err == -EPERM) {
		show->restricted = true;
		return 0;
	}
	if (!err)
		err = laya_nl_carrier_dump(nl, ifindex, each_carrier, show);
	if (!err)
		err = laya_nl_path_dump(nl, ifindex, NULL, each_path, show);
	if (!err)
		err = laya_nl_session_dump(nl, ifindex, NULL, each_session,
					   show);
	if (!err)
		err = laya_nl_label_dump(nl, ifindex, NULL, each_label, show);
	return err;
}

/**
 * show_free() - free what show_read() has read
 * @show: it
 */
void show_free(struct show *show)
{
	ctl_names_free(&show->names);
	free(show->peers);
	free(show->paths);
	free(show->sessions);
	free(show->labels);
}

/**
 * show_peer_hidden() - tell whether a peer is no peer for people
 * @peer: the peer
 *
 * Forwarders and attachments are in the kernel's table of peers, but nobody
 * configured them as such.
 *
 * Return: true if it belongs under a heading of its own.
 */
bool show_peer_hidden(const struct laya_nl_peer *peer)
{
	return !(peer->flags & LAYA_PEER_FLAGS_ALLOW) &&
	       peer->flags & (LAYA_PEER_FLAGS_FORWARDER |
			      LAYA_PEER_FLAGS_ATTACHMENT);
}
