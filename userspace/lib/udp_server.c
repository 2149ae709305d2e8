// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <sodium.h>

#include "udp_stream.h"

#define BUCKETS		1024
/* A cookie counts for so long at least, and for twice that at most. */
#define EPOCH_MS	60000

/**
 * struct session - one client's stream
 * @stream: the stream
 * @entry: of a bucket
 * @server: the server
 * @end: where the client is; it has shown a cookie from there
 */
struct session {
	struct laya_udp_stream stream;
	LIST_ENTRY(session) entry;
	struct laya_udp_server *server;
	struct laya_udp_end end;
};

LIST_HEAD(bucket, session);

/**
 * struct laya_udp_server - all streams
 * @loop: the loop
 * @ops: who is told
 * @data: for @ops
 * @max_streams: how many there may be
 * @max_source: and from one IPv4 address or IPv6 /64
 * @n: how many there are
 * @secrets: what cookies are made of: now, and in the epoch before
 * @epoch: which one it is
 * @buckets: streams by their numbers
 */
struct laya_udp_server {
	uv_loop_t *loop;
	struct laya_udp_server_ops ops;
	void *data;
	unsigned int max_streams;
	unsigned int max_source;
	unsigned int n;
	uint8_t secrets[2][crypto_shorthash_siphashx24_KEYBYTES];
	uint64_t epoch;
	struct bucket buckets[BUCKETS];
};

_Static_assert(LAYA_UDP_COOKIE_SIZE == crypto_shorthash_siphashx24_BYTES,
	       "a cookie is a hash");

static void new_epoch(struct laya_udp_server *server)
{
	uint64_t epoch = uv_now(server->loop) / EPOCH_MS;
	unsigned int i;

	if (epoch == server->epoch)
		return;
	for (i = 0; i < 2 && i < epoch - server->epoch; i++) {
		memcpy(server->secrets[1], server->secrets[0],
		       sizeof(server->secrets[0]));
		randombytes_buf(server->secrets[0], sizeof(server->secrets[0]));
	}
	server->epoch = epoch;
}

/* It tells that who shows it receives what is sent to this address. */
static void make_cookie(const struct laya_udp_server *server, unsigned int age,
			const struct laya_address *address, uint64_t id,
			uint8_t cookie[LAYA_UDP_COOKIE_SIZE])
{
	struct {
		struct laya_address address;
		uint64_t id;
	} what;

	memset(&what, 0, sizeof(what));
	what.address = *address;
	what.id = id;
	crypto_shorthash_siphashx24(cookie, (const uint8_t *)&what,
				    sizeof(what), server->secrets[age]);
}

static bool check_cookie(const struct laya_udp_server *server,
			 const struct laya_udp_end *from,
			 const struct laya_udp_packet *packet)
{
	uint8_t cookie[LAYA_UDP_COOKIE_SIZE];
	unsigned int age;

	for (age = 0; age < 2; age++) {
		make_cookie(server, age, &from->remote, packet->id, cookie);
		if (!sodium_memcmp(cookie, packet->cookie, sizeof(cookie)))
			return true;
	}
	return false;
}

static void reply(const struct laya_udp_end *to,
		  const struct laya_udp_packet *packet)
{
	uint8_t bytes[LAYA_UDP_PACKET_MAX];

	to->send(to, bytes, laya_udp_packet_write(bytes, packet));
}

static void ask(const struct laya_udp_server *server,
		const struct laya_udp_end *from, uint64_t id)
{
	struct laya_udp_packet packet = {
		.kind = LAYA_UDP_COOKIE,
		.id = id,
	};

	make_cookie(server, 0, &from->remote, id, packet.cookie);
	reply(from, &packet);
}

static void refuse(const struct laya_udp_end *from, uint64_t id)
{
	const struct laya_udp_packet packet = {
		.kind = LAYA_UDP_CLOSE,
		.id = id,
	};

	reply(from, &packet);
}

static struct bucket *bucket_of(struct laya_udp_server *server, uint64_t id)
{
	/* Numbers are random; who makes them collide slows a list of his own. */
	return &server->buckets[id % BUCKETS];
}

static struct session *find(struct laya_udp_server *server, uint64_t id)
{
	struct session *session;

	LIST_FOREACH(session, bucket_of(server, id), entry) {
		if (session->stream.id == id)
			return session;
	}
	return NULL;
}

static struct session *session_of(struct laya_udp_stream *stream)
{
	return (struct session *)stream;
}

static void stream_send(struct laya_udp_stream *stream, const uint8_t *bytes,
			size_t len)
{
	const struct laya_udp_end *end = &session_of(stream)->end;

	end->send(end, bytes, len);
}

static void stream_gone(struct laya_udp_stream *stream)
{
	struct session *session = session_of(stream);

	LIST_REMOVE(session, entry);
	session->server->n--;
}

static void stream_freed(struct laya_udp_stream *stream)
{
	free(stream);
}

static const struct laya_udp_stream_ops stream_ops = {
	.send = stream_send,
	.gone = stream_gone,
	.freed = stream_freed,
};

static bool too_many_from(const struct laya_udp_server *server,
			  const struct laya_address *remote)
{
	const struct session *session;
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		LIST_FOREACH(session, &server->buckets[i], entry)
			count += laya_address_same_source(&session->end.remote,
							  remote);
	}
	return count >= server->max_source;
}

static int open_session(struct laya_udp_server *server,
			const struct laya_udp_end *from,
			const struct laya_udp_packet *packet)
{
	struct session *session;
	int ret;
	int fd;

	if (server->n >= server->max_streams ||
	    too_many_from(server, &from->remote))
		return -EBUSY;
	session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	session->server = server;
	session->end = *from;
	session->stream.id = packet->id;
	ret = laya_udp_stream_start(&session->stream, server->loop,
				    &stream_ops, &fd);
	if (ret) {
		free(session);
		return ret;
	}
	LIST_INSERT_HEAD(bucket_of(server, packet->id), session, entry);
	server->n++;
	laya_udp_stream_receive(&session->stream, packet);
	server->ops.opened(server, fd, &session->stream.base, from,
			   server->data);
	return 0;
}

static void take_hello(struct laya_udp_server *server,
		       const struct laya_udp_end *from,
		       const struct laya_udp_packet *packet)
{
	struct session *session = find(server, packet->id);

	if (!check_cookie(server, from, packet)) {
		ask(server, from, packet->id);
		return;
	}
	if (session) {
		/* Perhaps from another address than before */
		session->end = *from;
		laya_udp_stream_receive(&session->stream, packet);
		return;
	}
	/* One that begins has something to say, and has heard nothing yet. */
	if (packet->len == 0 || packet->offset != 0 || packet->ack != 0 ||
	    open_session(server, from, packet))
		refuse(from, packet->id);
}

/**
 * laya_udp_server_receive() - a packet came in
 * @server: the server
 * @from: whence
 * @bytes: the packet
 * @len: its length
 *
 * What is malformed is not answered.
 */
void laya_udp_server_receive(struct laya_udp_server *server,
			     const struct laya_udp_end *from,
			     const uint8_t *bytes, size_t len)
{
	struct laya_udp_packet packet;
	struct session *session;

	if (laya_udp_packet_read(&packet, bytes, len) ||
	    packet.kind == LAYA_UDP_COOKIE)
		return;
	new_epoch(server);
	if (packet.kind == LAYA_UDP_HELLO) {
		take_hello(server, from, &packet);
		return;
	}
	session = find(server, packet.id);
	if (session && laya_address_equal(&session->end.remote, &from->remote))
		laya_udp_stream_receive(&session->stream, &packet);
	else if (packet.kind == LAYA_UDP_CLOSE)
		return;
	else if (session)
		ask(server, from, packet.id);
	else
		refuse(from, packet.id);
}

/**
 * laya_udp_server_new() - know no stream yet
 * @server: where to put it
 * @loop: the loop
 * @max_streams: how many at most
 * @max_source: and from one IPv4 address or IPv6 /64
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0 or -ENOMEM.
 */
int laya_udp_server_new(struct laya_udp_server **server, uv_loop_t *loop,
			unsigned int max_streams, unsigned int max_source,
			const struct laya_udp_server_ops *ops, void *data)
{
	struct laya_udp_server *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->loop = loop;
	new->max_streams = max_streams;
	new->max_source = max_source;
	new->ops = *ops;
	new->data = data;
	new->epoch = uv_now(loop) / EPOCH_MS;
	randombytes_buf(new->secrets, sizeof(new->secrets));
	*server = new;
	return 0;
}

/**
 * laya_udp_server_free() - end all streams
 * @server: the server; the pointer is dead after this
 */
void laya_udp_server_free(struct laya_udp_server *server)
{
	struct session *session;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		while ((session = LIST_FIRST(&server->buckets[i])))
			laya_udp_stream_fail(&session->stream, -ECANCELED);
	sodium_memzero(server, sizeof(*server));
	free(server);
}

/**
 * laya_udp_server_streams() - how many there are
 * @server: the server
 *
 * Return: their number.
 */
unsigned int laya_udp_server_streams(const struct laya_udp_server *server)
{
	return server->n;
}
