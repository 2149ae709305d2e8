/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The relay's UDP sockets.  Packets come in runs where the kernel has gathered
 * them (UDP_GRO) and leave in runs (UDP_SEGMENT), many with one system call: they
 * are sent from the memory that they were received into.
 */
#ifndef RENDEZVOUS_RELAY_SOCKET_H
#define RENDEZVOUS_RELAY_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "relay_endpoint.h"

struct relay;
struct relay_buffers;

/**
 * struct relay_arrival - packets that came in together
 * @from: whence
 * @data: the packets, one behind the other; may be written to
 * @len: their length
 * @segment: length of each, of which the last may be shorter
 * @ttl: with which they arrived
 * @tos: with which they arrived
 */
struct relay_arrival {
	struct relay_endpoint from;
	uint8_t *data;
	size_t len;
	size_t segment;
	uint8_t ttl;
	uint8_t tos;
};

struct relay_buffers *relay_buffers_new(void);
void relay_buffers_free(struct relay_buffers *buffers);

int relay_socket_open(struct relay_socket **socket_out, struct relay *relay,
		      const struct laya_address *address, uint16_t *port);
void relay_socket_close(struct relay_socket *socket);
bool relay_socket_towards(const struct relay *relay,
			  const struct laya_address *address,
			  struct relay_endpoint *end);
bool relay_socket_at(const struct relay *relay,
		     const struct laya_address *address);
void relay_socket_forward(const struct relay_endpoint *to,
			  const struct relay_arrival *arrival, size_t at,
			  size_t len);
void relay_socket_send(const struct relay_endpoint *to, const uint8_t *packet,
		       size_t len);
void relay_socket_flush(struct relay *relay);
void relay_endpoint_address(const struct relay_endpoint *endpoint,
			    struct laya_address *address);

#endif /* RENDEZVOUS_RELAY_SOCKET_H */
