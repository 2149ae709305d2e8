/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pump: bytes between one end of a socket pair and the network.
 *
 *	owner --- fd == socket pair == pump --- TLS, WebSocket --- network
 *
 * The owner of the other end sees a connected stream socket on which plain
 * bytes flow, and may hand it to whom it likes, the kernel too.  It shuts its
 * sending side down, and the far side reads an end; it closes it, and what it
 * wrote is still sent.
 *
 * Lifetime: a pump ends by itself when both directions have ended, when the
 * owner's end is closed, or when the network fails; then pump->closed() is
 * called if laya_pump_watch() has set it, and the pointer is dead.
 * laya_pump_close() ends it at once, and without that call.  So who keeps the
 * pointer watches it.
 */
#ifndef LAYA_PUMP_H
#define LAYA_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "stream.h"

/**
 * struct laya_pump - what owners see of a pump
 * @end: give it back; of those who make pumps
 * @closed: it is over: 0 after an end on both sides, or a negative errno
 * @data: last argument of @closed
 */
struct laya_pump {
	void (*end)(struct laya_pump *pump);
	void (*closed)(struct laya_pump *pump, int error, void *data);
	void *data;
};

enum laya_framing {
	LAYA_FRAMING_NONE,
	LAYA_FRAMING_WEBSOCKET_CLIENT,
	LAYA_FRAMING_WEBSOCKET_SERVER,
};

int laya_pump_start(struct laya_pump **pump, int *fd, uv_loop_t *loop,
		    struct laya_stream *stream, enum laya_framing framing,
		    const uint8_t *early, size_t early_len);
void laya_pump_watch(struct laya_pump *pump,
		     void (*closed)(struct laya_pump *pump, int error,
				    void *data),
		     void *data);
void laya_pump_close(struct laya_pump *pump);

int laya_pump_pair(int fds[2]);
bool laya_pump_hung_up(int fd);

#endif /* LAYA_PUMP_H */
