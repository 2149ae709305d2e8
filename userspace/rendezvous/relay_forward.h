/* SPDX-License-Identifier: GPL-2.0 */
/* What to do with packets that came in. */
#ifndef RENDEZVOUS_RELAY_FORWARD_H
#define RENDEZVOUS_RELAY_FORWARD_H

#include "relay_socket.h"

struct relay;

void relay_forward(struct relay *relay, const struct relay_arrival *arrival);

#endif /* RENDEZVOUS_RELAY_FORWARD_H */
