/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a packet came from, which is where its answer goes: a socket of ours, the
 * address of ours that it came to, and the far end; or a stream.
 */
#ifndef RENDEZVOUS_RELAY_ENDPOINT_H
#define RENDEZVOUS_RELAY_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"

struct relay;
struct relay_socket;

/**
 * struct relay_endpoint - a far end, as seen by one of our sockets
 * @socket: the socket
 * @relay: of a stream
 * @remote: the far end; a stream's number, with AF_UNSPEC in front
 * @local: our address; an IPv4 address stands in the first four bytes
 *
 * All bytes are set, so that two are compared and hashed as bytes.
 */
struct relay_endpoint {
	union {
		struct relay_socket *socket;
		struct relay *relay;
	};
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct {
			sa_family_t family;
			uint64_t id;
		} stream;
		uint8_t bytes[32];
	} remote;
	uint8_t local[16];
};

static inline bool relay_endpoint_is_stream(const struct relay_endpoint *end)
{
	return end->remote.sa.sa_family == AF_UNSPEC;
}

static inline bool relay_endpoint_equal(const struct relay_endpoint *a,
					const struct relay_endpoint *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool relay_endpoint_same_remote(const struct relay_endpoint *a,
					      const struct relay_endpoint *b)
{
	return memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0;
}

#endif /* RENDEZVOUS_RELAY_ENDPOINT_H */
