/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel module, as layad sees it. */
#ifndef LAYAD_KERNEL_H
#define LAYAD_KERNEL_H

#include "node.h"
#include "peer.h"

/* The device's own sockets */
#define KERNEL_CARRIER_UDP	1

int kernel_open(struct node *node);
int kernel_start(struct node *node);
int kernel_ensure_address(struct node *node);
void kernel_stop(struct node *node);
int kernel_down(const char *device);

int kernel_peer_update(struct peer *peer, uint32_t flags);
void kernel_peer_del(struct peer *peer);
void kernel_peer_fail(struct peer *peer, uint32_t error);
int kernel_session_new(struct peer *peer, const struct laya_session_keys *keys,
		       bool confirmed);
void kernel_session_confirm(struct peer *peer, uint32_t rx_index);
int kernel_path_new(struct peer *peer, uint32_t kind, uint32_t carrier_id,
		    const struct laya_address *remote,
		    const struct laya_candidate *candidate);
bool kernel_has_usable_path(struct peer *peer);
int64_t kernel_last_rx_ms(struct peer *peer);
int kernel_label_new(struct peer *peer, const uint8_t *label,
		     const uint8_t *for_key, uint64_t rate, uint32_t burst,
		     uint32_t expires_ms, bool bound);
int kernel_carrier_new(struct node *node, uint32_t type, int fd,
		       const struct laya_address *remote, uint32_t *id);
void kernel_carrier_del(struct node *node, uint32_t id);
void kernel_label_del(struct node *node, const uint8_t *label);

#endif /* LAYAD_KERNEL_H */
