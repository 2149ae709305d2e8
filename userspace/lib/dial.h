/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dialling out: whatever the transport, what comes of it is the descriptor of
 * a connected stream socket on which plain bytes flow.
 *
 *	tcp	the TCP connection itself, through a proxy if there is one
 *	tls	TLS in it
 *	wss	a WebSocket in that
 *	https	requests and responses, for where no upgrade passes
 *	udp	a stream over UDP, through no proxy, for where no TCP passes
 *
 * All but tcp are pumped (pump.h) between the network and a socket pair.  TLS
 * is for the boxes on the way; what protects is the Noise inside.  So a
 * certificate that does not verify is evidence, and stops nothing unless asked
 * to.
 *
 * SIGPIPE has to be ignored by the program, for OpenSSL writes to sockets.
 *
 * Lifetime: a dial lives until ops->done() was called or laya_dial_close() was,
 * whichever is first.  Nothing is called from within laya_dial() or _close().
 */
#ifndef LAYA_DIAL_H
#define LAYA_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "nat64.h"
#include "pump.h"
#include "tls.h"
#include "transport.h"

#define LAYA_DIAL_TEXT_SIZE	768
#define LAYA_DIAL_PROXY_SIZE	256
#define LAYA_DIAL_MAX_TRIED	8

struct laya_dial;

enum laya_dial_step {
	LAYA_DIAL_NAME,		/* of the server, or of its proxy */
	LAYA_DIAL_CONNECT,
	LAYA_DIAL_PROXY,
	LAYA_DIAL_TLS,
	LAYA_DIAL_HTTP,		/* an upgrade, or a request */
	LAYA_DIAL_DONE,
};

/**
 * struct laya_dial_evidence - what was seen on the way, for people
 * @step: how far it came
 * @proxy: proxy that was used, without its credentials; empty if none
 * @proxy_code: what it answered, 407 for instance; 0 if nothing
 * @http_code: what the server answered to the upgrade or request; 0 likewise
 * @tls: alert or error, and the certificate
 * @tried: addresses that were connected to, in order
 * @n_tried: how many of them
 * @text: the failure in one line
 */
struct laya_dial_evidence {
	enum laya_dial_step step;
	char proxy[LAYA_DIAL_PROXY_SIZE];
	int proxy_code;
	int http_code;
	struct laya_tls_evidence tls;
	struct laya_address tried[LAYA_DIAL_MAX_TRIED];
	unsigned int n_tried;
	char text[LAYA_DIAL_TEXT_SIZE];
};

/**
 * struct laya_dial_target - where to; copied
 * @host: name or address to connect to
 * @port: port
 * @transport: how
 * @server_name: name for TLS, HTTP and proxies; NULL is @host
 * @alpn: protocol to offer with tls; NULL is "http/1.1"
 * @path: of the WebSocket or the requests; NULL is LAYA_TRANSPORT_PATH
 */
struct laya_dial_target {
	const char *host;
	uint16_t port;
	enum laya_transport transport;
	const char *server_name;
	const char *alpn;
	const char *path;
};

/**
 * struct laya_dial_options - in what way; copied
 * @proxy: URL with http, https or socks5h, NULL or "environment", or "none"
 * @ca_file: certificates to trust; NULL for those of the system
 * @verify: stop if the certificate does not verify
 * @mark: firewall mark of the sockets; 0 for none
 * @timeout: milliseconds for everything
 * @stagger: milliseconds from one address to the next (RFC 8305)
 * @nat64: where an IPv4 address is behind a NAT64, or NULL
 */
struct laya_dial_options {
	const char *proxy;
	const char *ca_file;
	bool verify;
	uint32_t mark;
	unsigned int timeout;
	unsigned int stagger;
	const struct laya_nat64_prefix *nat64;
};

/**
 * struct laya_dial_ops - what the owner is told
 * @done: @fd is the connection, non-blocking, now the owner's, and @pump what
 *	pumps it or NULL; or @fd is a negative errno
 */
struct laya_dial_ops {
	void (*done)(struct laya_dial *dial, int fd, struct laya_pump *pump,
		     const struct laya_dial_evidence *evidence, void *data);
};

void laya_dial_options_default(struct laya_dial_options *options);
int laya_dial(struct laya_dial **dial, uv_loop_t *loop,
	      const struct laya_dial_target *target,
	      const struct laya_dial_options *options,
	      const struct laya_dial_ops *ops, void *data);
void laya_dial_close(struct laya_dial *dial);

#endif /* LAYA_DIAL_H */
