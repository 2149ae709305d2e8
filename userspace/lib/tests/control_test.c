// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../control.h"

static char device[32];
static char msg[512];

/* A layad that answers one request with @reply, byte by byte */
static pid_t serve(int listener, const char *reply)
{
	struct pollfd pfd = { listener, POLLIN, 0 };
	char buf[256];
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	poll(&pfd, 1, 5000);
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || laya_control_check_peer(fd) ||
	    recv(fd, buf, sizeof(buf), 0) <= 0)
		_exit(1);
	for (; *reply; reply++)
		if (send(fd, reply, 1, MSG_NOSIGNAL) != 1)
			_exit(2);
	_exit(0);
}

static int ask(const char *reply, json_t **answer)
{
	json_t *request = json_pack("{s:s}", "cmd", "status");
	int listener, fd, status;
	pid_t pid;
	int err;

	listener = laya_control_listen(device, msg, sizeof(msg));
	if (listener == -EACCES || listener == -EPERM)
		skip();
	assert_true(listener >= 0);
	pid = serve(listener, reply);
	fd = laya_control_connect(device, msg, sizeof(msg));
	assert_true(fd >= 0);
	err = laya_control_request(fd, request, answer, msg, sizeof(msg));
	json_decref(request);
	close(fd);
	close(listener);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return err;
}

static void listen__modes_and_owner(void **state)
{
	char path[128];
	struct stat st;
	int fd, second;

	(void)state;
	fd = laya_control_listen(device, msg, sizeof(msg));
	if (fd == -EACCES || fd == -EPERM)
		skip();
	assert_true(fd >= 0);
	assert_int_equal(laya_control_path(path, sizeof(path), device), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);

	second = laya_control_listen(device, msg, sizeof(msg));
	assert_int_equal(second, -EADDRINUSE);
	assert_non_null(strstr(msg, "another layad"));

	/* As after a kill: the file is there, nobody listens. */
	close(fd);
	assert_int_equal(laya_control_connect(device, msg, sizeof(msg)),
			 -ENOENT);
	fd = laya_control_listen(device, msg, sizeof(msg));
	assert_true(fd >= 0);
	close(fd);
}

static void connect__no_layad(void **state)
{
	(void)state;
	assert_int_equal(laya_control_connect("nosuch", msg, sizeof(msg)),
			 -ENOENT);
	assert_non_null(strstr(msg, "no layad runs for nosuch"));
}

static void path__too_long(void **state)
{
	char path[16];

	(void)state;
	assert_int_equal(laya_control_path(path, sizeof(path), device),
			 -ENAMETOOLONG);
}

static void request__ok(void **state)
{
	json_t *answer;

	(void)state;
	assert_int_equal(ask("{\"ok\": true, \"n\": 7}\n", &answer), 0);
	assert_int_equal(json_integer_value(json_object_get(answer, "n")), 7);
	json_decref(answer);
}

static void request__failure(void **state)
{
	(void)state;
	assert_int_equal(ask("{\"ok\": false, \"error\": \"no such peer\"}\n",
			     NULL), -EREMOTEIO);
	assert_string_equal(msg, "layad: no such peer");
}

static void request__malformed(void **state)
{
	(void)state;
	assert_int_equal(ask("nonsense\n", NULL), -EBADMSG);
	assert_int_equal(ask("[]\n", NULL), -EBADMSG);
	assert_int_equal(ask("{\"ok\": true, \"ok\": true}\n", NULL),
			 -EBADMSG);
	assert_int_equal(ask("{}\n", NULL), -EREMOTEIO);
	assert_int_equal(ask("{\"ok\": tr", NULL), -ECONNRESET);
}

static int setup(void **state)
{
	(void)state;
	snprintf(device, sizeof(device), "t%d", (int)getpid());
	return 0;
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	if (!laya_control_path(path, sizeof(path), device))
		unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listen__modes_and_owner),
		cmocka_unit_test(connect__no_layad),
		cmocka_unit_test(path__too_long),
		cmocka_unit_test(request__ok),
		cmocka_unit_test(request__failure),
		cmocka_unit_test(request__malformed),
	};

	return cmocka_run_group_tests_name("control", tests, setup, teardown);
}
