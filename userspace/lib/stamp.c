// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stamp.h"

#define RESERVE_US	(60 * 1000000ull)

/**
 * laya_stamp_replace_file() - replace a file at once
 * @path: the file, of which nobody but its owner may read the new content
 * @text: the new content
 * @len: its length
 *
 * A reader, and a restart after a crash, find the old content or the new.
 *
 * Not synced: this runs on event loops, and a disk may take seconds.  What a
 * power failure can lose is half a minute or so, which matters only if the
 * clock is lost with it.
 *
 * Return: 0, or a negative errno; the old file is there then.
 */
int laya_stamp_replace_file(const char *path, const char *text, size_t len)
{
	char temporary[PATH_MAX];
	ssize_t written;
	int ret = 0;
	int fd;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    sizeof(temporary))
		return -ENAMETOOLONG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
		  O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	while (len > 0) {
		written = write(fd, text, len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			ret = written < 0 ? -errno : -EIO;
			break;
		}
		text += written;
		len -= written;
	}
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}

static int reserve(struct laya_stamp *stamp, uint64_t limit)
{
	char text[32];
	int len;
	int ret;

	if (stamp->path[0] != '\0') {
		len = snprintf(text, sizeof(text), "%" PRIu64 "\n", limit);
		ret = laya_stamp_replace_file(stamp->path, text, len);
		if (ret)
			return ret;
	}
	stamp->reserved = limit;
	return 0;
}

static int parse_stamp(const char *text, uint64_t *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || (*end != '\0' && *end != '\n'))
		return -EINVAL;
	return 0;
}

/**
 * laya_stamp_open() - begin after all stamps that were used before
 * @stamp: the source
 * @path: the file; it need not exist, its directory has to; NULL keeps nothing
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * Return: 0; -EINVAL for a file that is not ours; or the error of open(2).
 */
int laya_stamp_open(struct laya_stamp *stamp, const char *path, char *msg,
		    size_t msg_size)
{
	char text[32] = "";
	uint64_t value;
	FILE *file;
	int ret;

	memset(stamp, 0, sizeof(*stamp));
	if (!path)
		return 0;
	if (strlen(path) >= sizeof(stamp->path)) {
		snprintf(msg, msg_size, "%s: %s", path, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	strcpy(stamp->path, path);

	file = fopen(path, "re");
	if (!file) {
		if (errno == ENOENT)
			return 0;
		ret = -errno;
		snprintf(msg, msg_size, "cannot read %s: %s", path,
			 strerror(-ret));
		return ret;
	}
	if (!fgets(text, sizeof(text), file) || parse_stamp(text, &value) ||
	    value > UINT64_MAX / 2) {
		fclose(file);
		snprintf(msg, msg_size,
			 "%s does not hold a stamp; remove it if the clock is right",
			 path);
		return -EINVAL;
	}
	fclose(file);
	stamp->last = value;
	stamp->reserved = value;
	return 0;
}

/**
 * laya_stamp_next_at() - the next stamp, at a given time
 * @stamp: the source
 * @now: microseconds since the epoch
 * @value: where to put the stamp
 *
 * Return: 0, or the error of writing the reservation: the stamp is good, but
 * may be given out again after a restart.
 */
int laya_stamp_next_at(struct laya_stamp *stamp, uint64_t now, uint64_t *value)
{
	*value = now > stamp->last ? now : stamp->last + 1;
	stamp->last = *value;
	if (*value <= stamp->reserved)
		return 0;
	return reserve(stamp, *value + RESERVE_US);
}

/**
 * laya_stamp_next() - the next stamp
 * @stamp: the source
 * @value: where to put it
 *
 * Return: as laya_stamp_next_at().
 */
int laya_stamp_next(struct laya_stamp *stamp, uint64_t *value)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return laya_stamp_next_at(stamp,
				  now.tv_sec * 1000000ull + now.tv_nsec / 1000,
				  value);
}

/**
 * laya_stamp_seen_load() - read the highest stamps that were seen of peers
 * @path: the file; it need not exist
 * @seen: called for each
 * @data: its first argument
 *
 * Return: 0; -EINVAL if lines of the file were passed over; or the error of
 * open(2).
 */
int laya_stamp_seen_load(const char *path,
			 void (*seen)(void *data,
				      const struct laya_stamp_seen *entry),
			 void *data)
{
	struct laya_stamp_seen entry;
	char line[128];
	int ret = 0;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (fgets(line, sizeof(line), file)) {
		if (strlen(line) <= LAYA_KEY_TEXT_LEN ||
		    line[LAYA_KEY_TEXT_LEN] != ' ') {
			ret = -EINVAL;
			continue;
		}
		line[LAYA_KEY_TEXT_LEN] = '\0';
		if (laya_key_decode_public(entry.key, line) ||
		    parse_stamp(line + LAYA_KEY_TEXT_LEN + 1, &entry.stamp)) {
			ret = -EINVAL;
			continue;
		}
		seen(data, &entry);
	}
	fclose(file);
	return ret;
}

/**
 * laya_stamp_seen_save() - write them
 * @path: the file
 * @list: key and stamp of each peer
 * @n: how many
 *
 * Return: 0, -ENOMEM, or the error of writing; the old file is there then.
 */
int laya_stamp_seen_save(const char *path, const struct laya_stamp_seen *list,
			 size_t n)
{
	char key[LAYA_KEY_TEXT_SIZE];
	size_t len = 0;
	char *text;
	size_t cap;
	size_t i;
	int ret;

	cap = n * (LAYA_KEY_TEXT_LEN + 24) + 1;
	text = malloc(cap);
	if (!text)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		laya_key_encode(key, list[i].key);
		len += snprintf(text + len, cap - len, "%s %" PRIu64 "\n", key,
				list[i].stamp);
	}
	ret = laya_stamp_replace_file(path, text, len);
	free(text);
	return ret;
}
