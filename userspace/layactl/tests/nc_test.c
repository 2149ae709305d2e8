// SPDX-License-Identifier: GPL-2.0
/* nc_copy() over a socket pair, which half-closes as a stream of Laya does */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../nc.h"

#define SIZE	(8 * 1024 * 1024)

/* A file with @len bytes of a pattern, at its beginning */
static int file_with(size_t len, unsigned int seed)
{
	char name[] = "/tmp/laya-nc-XXXXXX";
	uint8_t *data = malloc(len + 1);
	int fd = mkstemp(name);
	size_t i;

	assert_true(fd >= 0);
	unlink(name);
	for (i = 0; i < len; i++)
		data[i] = i * 31 + (i >> 8) * 7 + seed;
	assert_int_equal(nc_write_all(fd, data, len), 0);
	free(data);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void same(int a, int b)
{
	uint8_t x[4096], y[4096];
	ssize_t n;

	lseek(a, 0, SEEK_SET);
	lseek(b, 0, SEEK_SET);
	do {
		n = read(a, x, sizeof(x));
		assert_int_equal(read(b, y, sizeof(y)), n);
		assert_memory_equal(x, y, n);
	} while (n > 0);
}

static void nc_copy__both_ways(void **state)
{
	int left = file_with(SIZE, 1), right = file_with(SIZE / 3, 2);
	int to_left = file_with(0, 0), to_right = file_with(0, 0);
	int pair[2];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		_exit(nc_copy(pair[1], right, to_right) ? 1 : 0);
	}
	close(pair[1]);
	assert_int_equal(nc_copy(pair[0], left, to_left), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	same(left, to_right);
	same(right, to_left);
	close(pair[0]);
	close(left);
	close(right);
	close(to_left);
	close(to_right);
}

static void nc_copy__half_close(void **state)
{
	int in = file_with(3, 1), out = file_with(0, 0);
	int pair[2];
	char buf[8];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		_exit(nc_copy(pair[1], in, out) ? 1 : 0);
	}
	close(pair[1]);
	/* Its end of input reaches us while we can still send. */
	assert_int_equal(recv(pair[0], buf, sizeof(buf), MSG_WAITALL), 3);
	assert_int_equal(send(pair[0], "late", 4, 0), 4);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	lseek(out, 0, SEEK_SET);
	assert_int_equal(read(out, buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "late", 4);
	close(in);
	close(out);
}

static void nc_copy__far_side_is_gone(void **state)
{
	int in = file_with(SIZE, 1), out = file_with(0, 0);
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(nc_copy(pair[0], in, out), -EPIPE);
	close(pair[0]);
	close(in);
	close(out);
}

static void nc_copy__output_is_gone(void **state)
{
	int in = file_with(0, 1);
	int pair[2], out[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(pipe(out), 0);
	close(out[0]);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(nc_copy(pair[0], in, out[1]), -EPIPE);
	close(pair[0]);
	close(pair[1]);
	close(out[1]);
	close(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nc_copy__both_ways),
		cmocka_unit_test(nc_copy__half_close),
		cmocka_unit_test(nc_copy__far_side_is_gone),
		cmocka_unit_test(nc_copy__output_is_gone),
	};

	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	return cmocka_run_group_tests_name("nc", tests, NULL, NULL);
}
