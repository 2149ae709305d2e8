/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stream of bytes over UDP, for signalling in networks where no TCP passes.
 *
 *	client					server
 *	hello, no cookie	----->
 *				<-----		cookie (nothing is kept)
 *	hello, cookie, bytes	----->		a stream
 *				<-----		data: bytes, and up to where it has all
 *	data			----->
 *	ping			----->		when nothing else is said
 *	hello, cookie		----->		from another address, if it is asked to
 *
 * Offsets count the bytes of each direction, so that what is lost is sent again
 * and what comes twice counts once.  A server answers with no more than twice
 * what came until an address has shown a cookie.  What is inside is Noise, so
 * nothing here is sealed.
 *
 * It is for messages, not for speed: small packets, few of them under way.
 */
#ifndef LAYA_UDP_STREAM_H
#define LAYA_UDP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "dial.h"
#include "pump.h"

/* Beside the types of Laya's packets, which have the same ports */
#define LAYA_UDP_TYPE		0x84
#define LAYA_UDP_HEAD_SIZE	20
#define LAYA_UDP_COOKIE_SIZE	16
/* With a cookie and IPv4, less than the 576 bytes that go everywhere */
#define LAYA_UDP_DATA_MAX	500
#define LAYA_UDP_PACKET_MAX	(LAYA_UDP_HEAD_SIZE + LAYA_UDP_COOKIE_SIZE + \
				 LAYA_UDP_DATA_MAX)
#define LAYA_UDP_BUFFER		8192

enum laya_udp_kind {
	LAYA_UDP_HELLO = 1,	/* client: has a cookie, or asks for one; data */
	LAYA_UDP_COOKIE,	/* server: show this */
	LAYA_UDP_DATA,		/* data, or only how far it has come */
	LAYA_UDP_PING,		/* client: is answered by data without any */
	LAYA_UDP_CLOSE,		/* it is over, or not known here */
};

/**
 * struct laya_udp_packet - what a packet says
 * @kind: enum laya_udp_kind
 * @id: of the stream; the client's choice
 * @offset: of the data in the stream
 * @ack: up to where the other direction has come
 * @cookie: of LAYA_UDP_HELLO and _COOKIE
 * @data: of LAYA_UDP_HELLO and _DATA; points into the packet
 * @len: of @data
 */
struct laya_udp_packet {
	uint8_t kind;
	uint64_t id;
	uint32_t offset;
	uint32_t ack;
	uint8_t cookie[LAYA_UDP_COOKIE_SIZE];
	const uint8_t *data;
	size_t len;
};

size_t laya_udp_packet_write(uint8_t bytes[LAYA_UDP_PACKET_MAX],
			     const struct laya_udp_packet *packet);
int laya_udp_packet_read(struct laya_udp_packet *packet, const uint8_t *bytes,
			 size_t len);

/* What both sides have */

struct laya_udp_stream;

/**
 * struct laya_udp_stream_ops - of the side that has one
 * @send: to the far side; what is lost is sent again
 * @stalled: nothing was answered for a while; optional
 * @gone: it is over: no call comes after this, but @freed
 * @freed: and no handle of libuv's is left: give the memory back
 */
struct laya_udp_stream_ops {
	void (*send)(struct laya_udp_stream *stream, const uint8_t *bytes,
		     size_t len);
	void (*stalled)(struct laya_udp_stream *stream);
	void (*gone)(struct laya_udp_stream *stream);
	void (*freed)(struct laya_udp_stream *stream);
};

/**
 * struct laya_udp_stream - one side of a stream
 * @base: for the owner of the other end of @fd
 * @ops: of the side
 * @loop: the loop
 * @id: which stream
 * @client: this is the side that pings
 * @show: @cookie is shown in each packet, until the server has answered one
 * @cookie: of the client
 * @fd: our end of the socket pair
 * @poll: of @fd
 * @timer: when something is due
 * @refs: one for each handle of libuv's, and those of the side's
 * @over: ops->gone() was called
 * @pinged: nothing has come since a ping
 * @ended: the owner says no more
 * @heard: when the last packet came
 * @said: when the last one was sent
 * @since: since when nothing new was acknowledged
 * @flight: since when what is under way is that
 * @rto: after which all that is under way is sent again
 * @srtt: smoothed round trip; 0 is not known
 * @rttvar: its variation
 * @timed: a packet is under way by which the round trip is measured
 * @timed_end: the acknowledgement that ends that
 * @timed_at: when it was sent
 * @window: packets that may be under way
 * @repeats: acknowledgements that said nothing new
 * @received: up to where the far side's bytes were given to the owner
 * @acked: offset of the first byte of @out
 * @next: offset of the next byte to be sent
 * @highest: up to where bytes were ever sent
 * @out_len: bytes in @out
 * @out: what the far side does not have, or has not said that it has
 */
struct laya_udp_stream {
	struct laya_pump base;
	const struct laya_udp_stream_ops *ops;
	uv_loop_t *loop;
	uint64_t id;
	bool client;
	bool show;
	uint8_t cookie[LAYA_UDP_COOKIE_SIZE];
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned int refs;
	bool over;
	bool pinged;
	bool ended;
	uint64_t heard;
	uint64_t said;
	uint64_t since;
	uint64_t flight;
	uint64_t rto;
	uint64_t srtt;
	uint64_t rttvar;
	bool timed;
	uint32_t timed_end;
	uint64_t timed_at;
	unsigned int window;
	unsigned int repeats;
	uint32_t received;
	uint32_t acked;
	uint32_t next;
	uint32_t highest;
	size_t out_len;
	uint8_t out[LAYA_UDP_BUFFER];
};

int laya_udp_stream_start(struct laya_udp_stream *stream, uv_loop_t *loop,
			  const struct laya_udp_stream_ops *ops, int *fd);
void laya_udp_stream_receive(struct laya_udp_stream *stream,
			     const struct laya_udp_packet *packet);
void laya_udp_stream_show(struct laya_udp_stream *stream,
			  const uint8_t cookie[LAYA_UDP_COOKIE_SIZE]);
void laya_udp_stream_fail(struct laya_udp_stream *stream, int error);
void laya_udp_stream_put(struct laya_udp_stream *stream);

/* The client */

struct laya_udp_client;

/**
 * struct laya_udp_client_ops - what a client's owner is told, once
 * @opened: 0, a descriptor, and the pump, which is the client and on its own
 *	from now on; or a negative errno, and the client is gone
 */
struct laya_udp_client_ops {
	void (*opened)(struct laya_udp_client *client, int error, int fd,
		       struct laya_pump *pump, void *data);
};

int laya_udp_connect(struct laya_udp_client **client, uv_loop_t *loop,
		     const struct laya_dial_target *target,
		     const struct laya_dial_options *options,
		     struct laya_dial_evidence *evidence,
		     const struct laya_udp_client_ops *ops, void *data);
void laya_udp_give_up(struct laya_udp_client *client);
void laya_udp_client_close(struct laya_udp_client *client);

/* The server */

struct laya_udp_server;

/**
 * struct laya_udp_end - whence a packet came, and how an answer goes there
 * @remote: the far side
 * @local: the address of ours that it sent to
 * @send: sends there
 * @socket: of @send
 */
struct laya_udp_end {
	struct laya_address remote;
	struct laya_address local;
	void (*send)(const struct laya_udp_end *to, const uint8_t *bytes,
		     size_t len);
	void *socket;
};

/**
 * struct laya_udp_server_ops - what a server's owner is told
 * @opened: a new stream: its descriptor and its pump, and where it leads
 */
struct laya_udp_server_ops {
	void (*opened)(struct laya_udp_server *server, int fd,
		       struct laya_pump *pump, const struct laya_udp_end *end,
		       void *data);
};

int laya_udp_server_new(struct laya_udp_server **server, uv_loop_t *loop,
			unsigned int max_streams, unsigned int max_source,
			const struct laya_udp_server_ops *ops, void *data);
void laya_udp_server_free(struct laya_udp_server *server);
void laya_udp_server_receive(struct laya_udp_server *server,
			     const struct laya_udp_end *from,
			     const uint8_t *bytes, size_t len);
unsigned int laya_udp_server_streams(const struct laya_udp_server *server);

/* A socket for one */

struct laya_udp_socket;

int laya_udp_socket_open(struct laya_udp_socket **sock, uv_loop_t *loop,
			 const struct laya_address *address,
			 struct laya_udp_server *server);
void laya_udp_socket_close(struct laya_udp_socket *sock);

#endif /* LAYA_UDP_STREAM_H */
