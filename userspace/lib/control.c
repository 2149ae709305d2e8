// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

#define BACKLOG		16

/**
 * laya_control_path() - name the control socket of a device
 * @path: where to put it
 * @size: size of @path
 * @device: name of the device, in this network namespace
 *
 * Return: 0, -ENAMETOOLONG, or what kept the namespace from being read.
 */
int laya_control_path(char *path, size_t size, const char *device)
{
	struct stat st;
	int n;

	if (stat("/proc/thread-self/ns/net", &st))
		return -errno;
	n = snprintf(path, size, "%s/%ju/%s.sock", LAYA_CONTROL_ROOT,
		     (uintmax_t)st.st_ino, device);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int control_address(struct sockaddr_un *sun, const char *device,
			   char *msg, size_t msg_size)
{
	int err;

	sun->sun_family = AF_UNIX;
	err = laya_control_path(sun->sun_path, sizeof(sun->sun_path), device);
	if (err)
		snprintf(msg, msg_size, "control socket of %s: %s", device,
			 strerror(-err));
	return err;
}

/**
 * laya_control_check_peer() - look who is at the other end
 * @fd: a connected socket
 *
 * Return: 0 for root and for our own user, -EPERM for others.
 */
int laya_control_check_peer(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	return cred.uid == 0 || cred.uid == geteuid() ? 0 : -EPERM;
}

/* A directory that nobody else can put something into */
static int make_directory(const char *path, char *msg, size_t msg_size)
{
	struct stat st;
	int err;

	if ((mkdir(path, 0755) && errno != EEXIST) || lstat(path, &st)) {
		err = -errno;
		snprintf(msg, msg_size, "%s: %s", path, strerror(-err));
		return err;
	}
	if (!S_ISDIR(st.st_mode) ||
	    (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(msg, msg_size,
			 "%s: should be a directory that only root may write to",
			 path);
		return -EPERM;
	}
	return 0;
}

static int make_directories(const char *socket_path, char *msg,
			    size_t msg_size)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int err;

	snprintf(path, sizeof(path), "%s", socket_path);
	*strrchr(path, '/') = '\0';
	err = make_directory(LAYA_CONTROL_ROOT, msg, msg_size);
	if (!err)
		err = make_directory(path, msg, msg_size);
	return err;
}

/* Return: 1 when somebody listens, 0 when nobody does */
static int somebody_listens(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result;

	if (fd < 0)
		return 0;
	result = !connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) ||
		 errno == EAGAIN;
	close(fd);
	return result;
}

/**
 * laya_control_listen() - make the control socket of a device
 * @device: name of the device, in this network namespace
 * @msg: where to say what failed, for a person
 * @msg_size: its size
 *
 * What a layad that was killed left behind is removed.
 *
 * Return: a listening socket; -EADDRINUSE when another layad has it; or
 * another negative errno.
 */
int laya_control_listen(const char *device, char *msg, size_t msg_size)
{
	struct sockaddr_un sun = {};
	mode_t mask;
	int err;
	int fd;

	err = control_address(&sun, device, msg, msg_size);
	if (!err)
		err = make_directories(sun.sun_path, msg, msg_size);
	if (err)
		return err;

	if (somebody_listens(&sun)) {
		snprintf(msg, msg_size,
			 "another layad runs for %s: it listens on %s", device,
			 sun.sun_path);
		return -EADDRINUSE;
	}
	unlink(sun.sun_path);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		err = -errno;
		goto err_say;
	}
	mask = umask(0177);
	err = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) ? -errno : 0;
	umask(mask);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
err_say:
	snprintf(msg, msg_size, "%s: %s", sun.sun_path, strerror(-err));
	return err;
}

/**
 * laya_control_connect() - connect to the layad of a device
 * @device: name of the device, in this network namespace
 * @msg: where to say what failed, for a person
 * @msg_size: its size
 *
 * Return: a connected socket; -ENOENT when no layad runs; or another negative
 * errno.
 */
int laya_control_connect(const char *device, char *msg, size_t msg_size)
{
	struct timeval timeout = { .tv_sec = LAYA_CONTROL_TIMEOUT };
	struct sockaddr_un sun = {};
	int err;
	int fd;

	err = control_address(&sun, device, msg, msg_size);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		err = -errno;
		snprintf(msg, msg_size, "control socket: %s", strerror(-err));
		return err;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		err = -errno;
		if (err == -ECONNREFUSED)
			err = -ENOENT;
		if (err == -ENOENT)
			snprintf(msg, msg_size,
				 "no layad runs for %s in this network namespace",
				 device);
		else
			snprintf(msg, msg_size, "%s: %s", sun.sun_path,
				 strerror(-err));
		goto err_close;
	}
	err = laya_control_check_peer(fd);
	if (err) {
		snprintf(msg, msg_size,
			 "%s: another user than root or you listens there",
			 sun.sun_path);
		goto err_close;
	}
	return fd;

err_close:
	close(fd);
	return err;
}

static int send_line(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t done = 0;
	size_t len;
	int err = 0;

	if (!text)
		return -EINVAL;
	/* The NUL is where the end of the line goes. */
	len = strlen(text);
	text[len++] = '\n';
	while (!err && done < len) {
		ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);

		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			err = -errno;
	}
	free(text);
	return err;
}

/* Return: length of a line with its end, or a negative errno */
static ssize_t read_line(int fd, char **out)
{
	size_t size = 0;
	size_t len = 0;
	char *buf = NULL;
	ssize_t n;

	while (!len || buf[len - 1] != '\n') {
		if (len == size) {
			char *larger;

			size = size ? size * 2 : 4096;
			larger = size > LAYA_CONTROL_MAX_LINE ? NULL :
				 realloc(buf, size);
			if (!larger) {
				free(buf);
				return -EMSGSIZE;
			}
			buf = larger;
		}
		n = recv(fd, buf + len, size - len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			n = n ? -errno : -ECONNRESET;
			free(buf);
			return n;
		}
		len += n;
	}
	*out = buf;
	return len;
}

/**
 * laya_control_request() - ask layad something
 * @fd: from laya_control_connect()
 * @request: what; the reference stays the caller's
 * @reply: where to put its answer, which has "ok": true; or NULL
 * @msg: where to say what failed, for a person
 * @msg_size: its size
 *
 * Return: 0; -EREMOTEIO when layad says that it failed, with its words in
 * @msg; or another negative errno.
 */
int laya_control_request(int fd, json_t *request, json_t **reply, char *msg,
			 size_t msg_size)
{
	const char *text;
	json_error_t error;
	json_t *answer;
	ssize_t n;
	char *line = NULL;

	n = send_line(fd, request);
	if (!n)
		n = read_line(fd, &line);
	if (n < 0) {
		snprintf(msg, msg_size, "layad: %s",
			 n == -EAGAIN ? "no answer" : strerror(-n));
		return n;
	}
	answer = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
	free(line);
	if (!json_is_object(answer)) {
		json_decref(answer);
		snprintf(msg, msg_size, "layad: its answer is not understood");
		return -EBADMSG;
	}
	if (!json_is_true(json_object_get(answer, "ok"))) {
		text = json_string_value(json_object_get(answer, "error"));
		snprintf(msg, msg_size, "layad: %s", text ? text : "failed");
		json_decref(answer);
		return -EREMOTEIO;
	}
	if (reply)
		*reply = answer;
	else
		json_decref(answer);
	return 0;
}
