/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stamps: microseconds since the epoch that never go back, even if the clock
 * does, and even over a restart.
 *
 * What is on disk is a reservation: stamps below it may have been used.  It is
 * moved a minute ahead at a time, so the file is written at most once a minute.
 */
#ifndef LAYA_STAMP_H
#define LAYA_STAMP_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "key.h"

/**
 * struct laya_stamp - a source of stamps
 * @path: where the reservation is kept; empty keeps it in memory
 * @last: the newest stamp given out
 * @reserved: stamps up to here may be given out
 */
struct laya_stamp {
	char path[PATH_MAX];
	uint64_t last;
	uint64_t reserved;
};

struct laya_stamp_seen {
	uint8_t key[LAYA_KEY_SIZE];
	uint64_t stamp;
};

int laya_stamp_open(struct laya_stamp *stamp, const char *path, char *msg,
		    size_t msg_size);
int laya_stamp_next(struct laya_stamp *stamp, uint64_t *value);
int laya_stamp_next_at(struct laya_stamp *stamp, uint64_t now,
		       uint64_t *value);

int laya_stamp_replace_file(const char *path, const char *text, size_t len);

int laya_stamp_seen_load(const char *path,
			 void (*seen)(void *data,
				      const struct laya_stamp_seen *entry),
			 void *data);
int laya_stamp_seen_save(const char *path, const struct laya_stamp_seen *list,
			 size_t n);

#endif /* LAYA_STAMP_H */
