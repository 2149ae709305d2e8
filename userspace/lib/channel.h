/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A channel: signalling messages over TCP, or any other stream, with Noise XK
 * inside.
 *
 *	be16 length | bytes		three frames: Noise XK messages
 *	be16 length | bytes		then: one sealed CBOR message a frame
 *
 * A client that does not know whose the server is asks it first, in a frame of
 * its own, and is told a key that the handshake then proves.
 *
 * All is asynchronous, on a libuv loop.  A channel answers pings, sends them
 * if told so, and swallows pongs; every other message is its owner's.  What
 * does not decode closes it.
 *
 * Lifetime: a channel lives until its ops->closed() was called or its owner
 * called laya_channel_close(), whichever is first; the pointer is dead from
 * then on and no further call is made.  (The memory goes when libuv has let go
 * of the handles, so a loop must be run until it is out of work.)
 * laya_channel_close() may be called from every callback.  No callback is
 * called from within laya_channel_connect(), _accept(), _open(), _send() or
 * _close().
 */
#ifndef LAYA_CHANNEL_H
#define LAYA_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "key.h"
#include "message.h"

struct laya_channel;

/**
 * struct laya_channel_ops - what an owner is told
 * @ready: the handshake is done, the far side's key is known
 * @message: a message came in; it is gone after the call
 * @closed: it is over: a negative errno (-ETIMEDOUT, -ECONNREFUSED, -EPIPE at
 *	the far side's end, -EBADMSG for what does not open or decode, ...) and
 *	what to tell a person
 * @drained: the output queue is empty after laya_channel_send() had to refuse;
 *	optional
 * @frame: a sealed frame of so many bytes came in, before anything is done
 *	with it; not 0 closes the channel with that error; optional
 * @key: the far side, whose key was not known, says that it is this one; the
 *	static key that we use with it, or NULL to close the channel with -EACCES.
 *	It must be there when laya_channel_connect() is called without a key
 * @asked: server: the far side asks for our public key; whether it is told, else
 *	the channel is closed.  Without it nobody is told
 */
struct laya_channel_ops {
	void (*ready)(struct laya_channel *channel, void *data);
	void (*message)(struct laya_channel *channel,
			const struct laya_message *message, void *data);
	void (*closed)(struct laya_channel *channel, int error,
		       const char *reason, void *data);
	void (*drained)(struct laya_channel *channel, void *data);
	int (*frame)(struct laya_channel *channel, size_t len, void *data);
	const uint8_t *(*key)(struct laya_channel *channel,
			      const uint8_t key[LAYA_KEY_SIZE], void *data);
	bool (*asked)(struct laya_channel *channel, void *data);
};

/**
 * struct laya_channel_config - how a channel behaves; copied
 * @prologue: LAYA_PROLOGUE_RENDEZVOUS, _ATTACH or _SIGNAL; a string that lives
 *	as long as the channel
 * @other_prologue: a server takes this one as well; or NULL; likewise
 * @private_key: our static key
 * @connect_timeout: milliseconds for name, addresses and TCP
 * @handshake_timeout: milliseconds for the Noise handshake
 * @idle_timeout: milliseconds without a frame after which it is closed; 0 never
 * @ping_interval: milliseconds between our pings, jittered; 0 for none
 * @stagger: milliseconds from one address to the next (RFC 8305)
 * @max_queue: bytes that wait to be sent at most
 */
struct laya_channel_config {
	const char *prologue;
	const char *other_prologue;
	uint8_t private_key[LAYA_KEY_SIZE];
	unsigned int connect_timeout;
	unsigned int handshake_timeout;
	unsigned int idle_timeout;
	unsigned int ping_interval;
	unsigned int stagger;
	size_t max_queue;
};

void laya_channel_config_client(struct laya_channel_config *config,
				const char *prologue,
				const uint8_t private_key[LAYA_KEY_SIZE]);
void laya_channel_config_server(struct laya_channel_config *config,
				const char *prologue,
				const uint8_t private_key[LAYA_KEY_SIZE]);

int laya_channel_connect(struct laya_channel **channel, uv_loop_t *loop,
			 const struct laya_channel_config *config,
			 const char *host, const char *port,
			 const uint8_t *remote_key,
			 const struct laya_channel_ops *ops, void *data);
int laya_channel_accept(struct laya_channel **channel, uv_stream_t *server,
			const struct laya_channel_config *config,
			const struct laya_channel_ops *ops, void *data);
int laya_channel_open(struct laya_channel **channel, uv_loop_t *loop,
		      const struct laya_channel_config *config, int fd,
		      const char *name, const struct laya_address *remote,
		      const uint8_t *remote_key,
		      const struct laya_channel_ops *ops, void *data);
int laya_channel_send(struct laya_channel *channel,
		      const struct laya_message *message);
void laya_channel_hand_over(struct laya_channel *channel,
			    const struct laya_channel_ops *ops, void *data);
void laya_channel_close(struct laya_channel *channel);

size_t laya_channel_queued(const struct laya_channel *channel);
const char *laya_channel_prologue(const struct laya_channel *channel);
const uint8_t *laya_channel_remote_key(const struct laya_channel *channel);
const struct laya_address *
laya_channel_remote_address(const struct laya_channel *channel);
const struct laya_address *
laya_channel_local_address(const struct laya_channel *channel);

#endif /* LAYA_CHANNEL_H */
