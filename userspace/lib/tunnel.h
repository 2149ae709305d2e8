/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tunnel: a stream of bytes over HTTP requests and responses, for networks
 * where no upgrade passes and boxes on the way keep whole messages back.
 *
 *	client					server
 *	open			----->
 *				<-----		offset 0
 *	up, offset, bytes	----->
 *				<-----		offset up to which they were taken
 *	down, offset		----->		(held until there is something)
 *				<-----		offset, bytes
 *
 * Offsets count the bytes of each direction, so whatever is asked again after
 * a failure is neither lost nor doubled.  At most one up and one down are
 * asked at a time.
 */
#ifndef LAYA_TUNNEL_H
#define LAYA_TUNNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "address.h"
#include "pump.h"

#define LAYA_TUNNEL_NAME_SIZE	16
#define LAYA_TUNNEL_HEAD_SIZE	16
#define LAYA_TUNNEL_DATA_MAX	(256 * 1024)
#define LAYA_TUNNEL_REQUEST_MAX	(LAYA_TUNNEL_NAME_SIZE + \
				 LAYA_TUNNEL_HEAD_SIZE + LAYA_TUNNEL_DATA_MAX)
#define LAYA_TUNNEL_RESPONSE_MAX (LAYA_TUNNEL_HEAD_SIZE + LAYA_TUNNEL_DATA_MAX)
#define LAYA_TUNNEL_HOLD	20000	/* milliseconds a server keeps one */

enum laya_tunnel_type {
	LAYA_TUNNEL_OPEN = 1,
	LAYA_TUNNEL_UP,
	LAYA_TUNNEL_DOWN,
	LAYA_TUNNEL_CLOSE,
};

#define LAYA_TUNNEL_END		1	/* flag: no more after these bytes */

/**
 * struct laya_tunnel_head - what a body begins with, after a request's name
 * @type: which request this is, or is the response of
 * @flags: LAYA_TUNNEL_END
 * @len: bytes that follow
 * @offset: where in the stream they stand, or up to where they came
 */
struct laya_tunnel_head {
	uint8_t type;
	uint8_t flags;
	uint32_t len;
	uint64_t offset;
};

void laya_tunnel_head_write(uint8_t bytes[LAYA_TUNNEL_HEAD_SIZE],
			    const struct laya_tunnel_head *head);
int laya_tunnel_head_read(struct laya_tunnel_head *head, const uint8_t *bytes,
			  size_t len);

/* The client */

struct laya_tunnel;
struct laya_transfer;

/**
 * struct laya_tunnel_ops - what a client's owner is told, once
 * @opened: 0, a descriptor and its pump, and the tunnel is the pump's from now
 *	on; or a negative errno, of which the transfer's evidence knows more,
 *	and the owner closes it
 */
struct laya_tunnel_ops {
	void (*opened)(struct laya_tunnel *tunnel, int error, int fd,
		       struct laya_pump *pump, void *data);
};

int laya_tunnel_open(struct laya_tunnel **tunnel, uv_loop_t *loop,
		     struct laya_transfer *transfer,
		     const struct laya_tunnel_ops *ops, void *data);
void laya_tunnel_give_up(struct laya_tunnel *tunnel);
void laya_tunnel_close(struct laya_tunnel *tunnel);

/* The server */

struct laya_tunnels;

/**
 * struct laya_tunnel_request - a request that is being answered; the caller's
 *	memory, with its body, until @respond was called or it was cancelled
 * @respond: the answer: an HTTP code, and a body with 200; may be called from
 *	within laya_tunnels_take()
 * @name: of the session
 * @head: what is asked
 * @body: what came with it
 * @session: of the server
 */
struct laya_tunnel_request {
	void (*respond)(struct laya_tunnel_request *request, int code,
			const uint8_t *head, const uint8_t *body, size_t len);
	uint8_t name[LAYA_TUNNEL_NAME_SIZE];
	struct laya_tunnel_head head;
	const uint8_t *body;
	struct laya_tunnel_session *session;
};

/**
 * struct laya_tunnels_ops - what a server's owner is told
 * @opened: a new session, that @request asked for: its descriptor and its pump
 */
struct laya_tunnels_ops {
	void (*opened)(struct laya_tunnels *tunnels, int fd,
		       struct laya_pump *pump,
		       const struct laya_tunnel_request *request, void *data);
};

int laya_tunnels_new(struct laya_tunnels **tunnels, uv_loop_t *loop,
		     unsigned int max_sessions, unsigned int timeout,
		     const struct laya_tunnels_ops *ops, void *data);
void laya_tunnels_free(struct laya_tunnels *tunnels);
void laya_tunnels_take(struct laya_tunnels *tunnels,
		       struct laya_tunnel_request *request);
void laya_tunnels_cancel(struct laya_tunnel_request *request);

#endif /* LAYA_TUNNEL_H */
