/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Peers on the same link, found without internet and rendezvous: by multicast DNS
 * (lib/mdns.h), on each interface.
 *
 *	a				b
 *	  who is TOKEN of b?  ->	knows what a calls it, this hour
 *	  <-  SRV, A, AAAA, TXT		where it listens, and proof that b says so
 *	  dials that (signalling.c), and b proves its key
 *
 * Both ask when they come, so neither announces anything.
 */
#ifndef LAYAD_LOCAL_H
#define LAYAD_LOCAL_H

#include "node.h"

int local_start(struct node *node);
void local_stop(struct node *node);
void local_links_changed(struct node *node);
void local_look(struct node *node);

#endif /* LAYAD_LOCAL_H */
