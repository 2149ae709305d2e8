/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A door: a TCP socket that listens, and connections as they come in.
 *
 * When no descriptors are left it rests a while.  The socket stays open: who
 * connects meanwhile waits in its backlog.
 *
 * Lifetime: a door lives until laya_door_close(), which may be called from
 * every callback; nothing is called after it.
 */
#ifndef LAYA_DOOR_H
#define LAYA_DOOR_H

#include <stdbool.h>
#include <uv.h>

#include "address.h"

struct laya_door;

/**
 * struct laya_door_ops - what an owner is told
 * @came: a connection, the owner's from now on, and from where
 * @resting: no descriptors or no memory: accepting pauses; optional
 */
struct laya_door_ops {
	void (*came)(int fd, const struct laya_address *remote, void *data);
	void (*resting)(void *data);
};

int laya_door_open(struct laya_door **door, uv_loop_t *loop,
		   const struct laya_address *address, bool both,
		   const struct laya_door_ops *ops, void *data);
void laya_door_close(struct laya_door *door);
const struct laya_address *laya_door_address(const struct laya_door *door);

#endif /* LAYA_DOOR_H */
