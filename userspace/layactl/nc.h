/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAYACTL_NC_H
#define LAYACTL_NC_H

#include "layactl.h"

/**
 * struct nc - what nc is told
 * @ctl: options of many verbs
 * @datagrams: -u
 * @listen: -l
 * @source: -p, or 0
 * @block: -b
 * @wait: -w, seconds
 * @have_wait: -w was there
 * @peer: what the peer was called
 * @key: its key
 * @port: PORT
 * @ifindex: device, or 0
 */
struct nc {
	struct ctl ctl;
	bool datagrams;
	bool listen;
	uint16_t source;
	size_t block;
	double wait;
	bool have_wait;
	const char *peer;
	uint8_t key[LAYA_KEY_SIZE];
	uint16_t port;
	uint32_t ifindex;
};

int nc_copy(int sock, int in, int out);
int nc_write_all(int fd, const void *data, size_t len);

#endif /* LAYACTL_NC_H */
