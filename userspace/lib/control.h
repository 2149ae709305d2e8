/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket over which layactl(8) speaks with layad(8):
 *
 *	/run/laya/<inode of the network namespace>/<device>.sock
 *
 * A path in the file system, since an abstract name can be squatted; the
 * namespace in it, since network namespaces share /run.  Both ends look who
 * the other is (SO_PEERCRED).  A stream of JSON objects, one a line; each
 * request is answered by one reply:
 *
 *	{"cmd": "status"}
 *		{"ok": true, "device": NAME, "public-key": KEY,
 *		 "peers": [{"name": NAME or absent, "public-key": KEY,
 *			    "signalling": [{"address": TEXT,
 *					    "how": "Endpoint", "called" or
 *						   "LocalDiscovery",
 *					    "connected": BOOLEAN}...]}...],
 *		 "rendezvous": [{"address": TEXT, "public-key": KEY,
 *				 "connected": BOOLEAN}...],
 *		 "forwarders": [{"address": TEXT, "public-key": KEY,
 *				 "attached": BOOLEAN}...]}
 *	{"cmd": "explain", "peer": NAME or KEY, "attempt": BOOLEAN or absent}
 *		{"ok": true, "busy": BOOLEAN, "session": BOOLEAN,
 *		 "failure": TEXT or absent,
 *		 "candidates-received": [{"type": TEXT, "address": TEXT,
 *					  "path-id": NUMBER or absent,
 *					  "refused": TEXT or absent}...],
 *		 "candidates-told": likewise,
 *		 "signalling", "rendezvous" and "forwarders": as above...}
 *	{"cmd": "peer-add", "public-key": KEY, "name": NAME or absent,
 *	 "psk-file": absolute path or absent,
 *	 "endpoint": HOST:PORT or absent}
 *		{"ok": true}
 *	{"cmd": "peer-del", "peer": NAME or KEY}
 *		{"ok": true}
 *
 * or by {"ok": false, "error": TEXT}.  A member that is not known is ignored.
 */
#ifndef LAYA_CONTROL_H
#define LAYA_CONTROL_H

#include <stddef.h>

#include <jansson.h>

#define LAYA_CONTROL_ROOT	"/run/laya"
#define LAYA_CONTROL_MAX_LINE	(4 * 1024 * 1024)
#define LAYA_CONTROL_TIMEOUT	10	/* seconds that a client waits */

int laya_control_path(char *path, size_t size, const char *device);
int laya_control_check_peer(int fd);

/* For layad: a listening socket, which does not block */
int laya_control_listen(const char *device, char *msg, size_t msg_size);

/* For layactl: a connected socket, which does */
int laya_control_connect(const char *device, char *msg, size_t msg_size);
int laya_control_request(int fd, json_t *request, json_t **reply, char *msg,
			 size_t msg_size);

#endif /* LAYA_CONTROL_H */
