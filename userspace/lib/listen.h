/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The server side of all transports, on one port: who connects is told apart
 * by the first bytes.
 *
 *	16 03			TLS; then once more what is inside
 *	"GET ", "POST "		HTTP: a WebSocket or a request, else a plain 404
 *	00 30			the first Noise message: a channel
 *	00 09 'l'		the question for our key: a channel too
 *	length, 81 or 82	the first frame of a carrier
 *
 * By UDP come streams of udp_stream.h, with channels alone in them.
 *
 * What comes of it is a connected stream socket, non-blocking, with these
 * bytes unread in it.  Whatever else comes in is closed; nothing of ours is
 * said to who did not begin rightly.
 *
 * Lifetime: a listener lives until laya_listener_close(), which may be called
 * from ops->accepted().  Pumps that it has started live on.
 */
#ifndef LAYA_LISTEN_H
#define LAYA_LISTEN_H

#include <stddef.h>
#include <uv.h>

#include "address.h"
#include "pump.h"
#include "transport.h"

struct laya_listener;
struct laya_udp_end;

enum laya_accepted_kind {
	LAYA_ACCEPTED_CHANNEL,
	LAYA_ACCEPTED_CARRIER,
};

/**
 * struct laya_accepted - a connection that is known for what it is
 * @fd: it; the owner's from now on
 * @pump: what pumps it, or NULL; who keeps the pointer watches it
 * @kind: what is to be done with it
 * @transport: how it came
 * @remote: from where, as the kernel says; a proxy's claims are not believed
 * @local: where it came in
 */
struct laya_accepted {
	int fd;
	struct laya_pump *pump;
	enum laya_accepted_kind kind;
	enum laya_transport transport;
	struct laya_address remote;
	struct laya_address local;
};

/**
 * struct laya_listener_config - how a listener behaves; copied
 * @certificate: PEM file with the certificate and those above it, or NULL
 * @key: PEM file with its key, or NULL
 * @state_dir: where a certificate of our own is kept if none is given; NULL to
 *	make one that lasts as long as the listener
 * @path: of WebSockets and requests; NULL is LAYA_TRANSPORT_PATH
 * @timeout: milliseconds until a connection must be known for what it is
 * @idle_timeout: milliseconds between two requests on a connection
 * @max_pending: connections that are not yet known at most; the oldest goes
 *	when one more comes
 * @max_requests: connections with requests at most
 * @max_source: both, of one IPv4 address or IPv6 /64; more are closed
 * @max_sessions: sessions over requests at most, and as many streams over UDP
 * @session_timeout: milliseconds without a request after which one is over
 */
struct laya_listener_config {
	const char *certificate;
	const char *key;
	const char *state_dir;
	const char *path;
	unsigned int timeout;
	unsigned int idle_timeout;
	unsigned int max_pending;
	unsigned int max_requests;
	unsigned int max_source;
	unsigned int max_sessions;
	unsigned int session_timeout;
};

/**
 * struct laya_listener_ops - what the owner is told
 * @accepted: a connection came in
 */
struct laya_listener_ops {
	void (*accepted)(struct laya_listener *listener,
			 const struct laya_accepted *accepted, void *data);
};

/**
 * struct laya_listener_stats - what happened
 * @accepted: connections that became known
 * @unknown: those whose first bytes were nothing of ours
 * @not_found: requests answered 404
 * @timed_out: those that took too long
 * @evicted: those that had to make place
 * @refused: those of a source that has too many
 * @failed: those that ended or broke before
 */
struct laya_listener_stats {
	uint64_t accepted;
	uint64_t unknown;
	uint64_t not_found;
	uint64_t timed_out;
	uint64_t evicted;
	uint64_t refused;
	uint64_t failed;
};

void laya_listener_config_default(struct laya_listener_config *config);
int laya_listener_open(struct laya_listener **listener, uv_loop_t *loop,
		       const struct laya_listener_config *config,
		       const struct laya_listener_ops *ops, void *data,
		       char *msg, size_t msg_size);
void laya_listener_take(struct laya_listener *listener, int fd);
int laya_listener_udp(struct laya_listener *listener,
		      const struct laya_address *address);
void laya_listener_packet(struct laya_listener *listener,
			  const struct laya_udp_end *from,
			  const uint8_t *bytes, size_t len);
void laya_listener_close(struct laya_listener *listener);
const struct laya_listener_stats *
laya_listener_stats(const struct laya_listener *listener);

#endif /* LAYA_LISTEN_H */
