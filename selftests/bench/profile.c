// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's TCG that counts the guest's instructions by where they are:
 * what `perf` would only estimate, and without running anything in the guest.
 *
 *   -plugin profile.so,dir=DIR
 *
 * Counting begins anew when a folder DIR/begin appears; when DIR/end does, what was
 * counted goes to DIR/counts, a line "ADDRESS INSTRUCTIONS" for each translated
 * block. Both are removed when that is done. Reading the addresses is left to profile.py.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of qemu-plugin.h, which no package of Debian 12 has. */
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id,
						      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
					      enum qemu_plugin_op op, void *to,
					      uint64_t value);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

#define BUCKETS		(1 << 18)

struct block {
	struct block	*next;
	uint64_t	address;
	uint64_t	count;
};

static struct block *blocks[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char begin_file[4096], end_file[4096], counts_file[4096];

/* The same code is translated time and again: its count goes on. */
static struct block *block_find(uint64_t address)
{
	struct block **bucket = &blocks[(address * 0x9e3779b97f4a7c15) >> 46];
	struct block *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->next = *bucket;
	*bucket = block;
	return block;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	struct block *block;

	(void)id;
	pthread_mutex_lock(&lock);
	block = block_find(qemu_plugin_tb_vaddr(tb));
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &block->count,
						 qemu_plugin_tb_n_insns(tb));
}

static void each_block(void (*visit)(struct block *block, FILE *file), FILE *file)
{
	struct block *block;
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			visit(block, file);
	pthread_mutex_unlock(&lock);
}

static void clear(struct block *block, FILE *file)
{
	(void)file;
	block->count = 0;
}

static void print(struct block *block, FILE *file)
{
	if (block->count)
		fprintf(file, "%" PRIx64 " %" PRIu64 "\n", block->address,
			block->count);
}

static void *watch(void *unused)
{
	FILE *file;

	(void)unused;
	for (;;) {
		usleep(5000);
		if (!access(begin_file, F_OK)) {
			each_block(clear, NULL);
			rmdir(begin_file);
		}
		if (!access(end_file, F_OK)) {
			file = fopen(counts_file, "w");
			if (!file)
				abort();
			each_block(print, file);
			fclose(file);
			rmdir(end_file);
		}
	}
	return NULL;
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv)
{
	pthread_t thread;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "dir=", 4))
		return -1;
	snprintf(begin_file, sizeof(begin_file), "%s/begin", argv[0] + 4);
	snprintf(end_file, sizeof(end_file), "%s/end", argv[0] + 4);
	snprintf(counts_file, sizeof(counts_file), "%s/counts", argv[0] + 4);
	if (pthread_create(&thread, NULL, watch, NULL))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
