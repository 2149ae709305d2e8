// SPDX-License-Identifier: GPL-2.0
/*
 * laya-pair DEVICE ME OTHER [REMOTE PORT] - set up one end of a pair by hand
 *
 * For tests of the kernel without layad. Nodes are letters, a to z: the public key
 * of node a is 32 bytes of 0x41, and so on. Gives DEVICE the key of ME; adds OTHER
 * as a peer with a session whose keys both ends derive from the letters; opens a
 * carrier on UDP port PORT, unless there is one, and dials OTHER at REMOTE, port
 * PORT.
 *
 * Without REMOTE and PORT there is only the peer, that may do all (OTHER in
 * lower case) or nothing (in upper case).
 *
 * Prints the ORCHID of ME.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "orchid.h"

static struct laya_nl *nl;

static void fail(const char *what)
{
	fprintf(stderr, "laya-pair: %s: %s\n", what, laya_nl_strerror(nl));
	exit(1);
}

static void node_key(uint8_t key[LAYA_KEY_SIZE], char node)
{
	memset(key, toupper((unsigned char)node), LAYA_KEY_SIZE);
}

static void add_session(uint32_t ifindex, char me, char other)
{
	struct laya_nl_session session = {
		.ifindex	= ifindex,
		.cipher		= LAYA_CIPHER_CHACHA20_POLY1305,
		.rx_index	= 0x10000u * (unsigned char)me +
				  (unsigned char)other,
		.tx_index	= 0x10000u * (unsigned char)other +
				  (unsigned char)me,
	};

	node_key(session.public_key, other);
	memset(session.rx_key, 0x80 | me, sizeof(session.rx_key));
	session.rx_key[0] = other;
	memset(session.tx_key, 0x80 | other, sizeof(session.tx_key));
	session.tx_key[0] = me;
	laya_nl_set(&session, LAYA_A_SESSION_IFINDEX);
	laya_nl_set(&session, LAYA_A_SESSION_PUBLIC_KEY);
	laya_nl_set(&session, LAYA_A_SESSION_CIPHER);
	laya_nl_set(&session, LAYA_A_SESSION_RX_INDEX);
	laya_nl_set(&session, LAYA_A_SESSION_TX_INDEX);
	laya_nl_set(&session, LAYA_A_SESSION_RX_KEY);
	laya_nl_set(&session, LAYA_A_SESSION_TX_KEY);
	laya_nl_set(&session, LAYA_A_SESSION_CONFIRMED);
	if (me < other)
		laya_nl_set(&session, LAYA_A_SESSION_INITIATOR);
	if (laya_nl_session_new(nl, &session))
		fail("session");
}

static void add_path(uint32_t ifindex, char other, const char *remote,
		     uint16_t port)
{
	struct laya_nl_path path = {
		.ifindex	= ifindex,
		.kind		= LAYA_PATH_KIND_DIRECT,
		.carrier_id	= 1,
		.remote		= { .port = port },
	};

	path.remote.family = strchr(remote, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(path.remote.family, remote, path.remote.addr) != 1) {
		fprintf(stderr, "laya-pair: '%s' is no address\n", remote);
		exit(2);
	}
	node_key(path.public_key, other);
	laya_nl_set(&path, LAYA_A_PATH_IFINDEX);
	laya_nl_set(&path, LAYA_A_PATH_PUBLIC_KEY);
	laya_nl_set(&path, LAYA_A_PATH_KIND);
	laya_nl_set(&path, LAYA_A_PATH_CARRIER_ID);
	laya_nl_set(&path, LAYA_A_PATH_REMOTE);
	if (laya_nl_path_new(nl, &path))
		fail("path");
}

int main(int argc, char **argv)
{
	struct laya_nl_device device = { 0 };
	struct laya_nl_carrier carrier;
	char msg[128], text[INET6_ADDRSTRLEN];
	uint8_t key[LAYA_KEY_SIZE];
	struct in6_addr orchid;
	uint32_t flags;
	int err;

	if (argc != 4 && argc != 6) {
		fprintf(stderr,
			"usage: laya-pair DEVICE ME OTHER [REMOTE PORT]\n");
		return 2;
	}
	if (laya_nl_open(&nl, msg, sizeof(msg))) {
		fprintf(stderr, "laya-pair: %s\n", msg);
		return 1;
	}

	snprintf(device.ifname, sizeof(device.ifname), "%s", argv[1]);
	laya_nl_set(&device, LAYA_A_DEVICE_IFNAME);
	if (laya_nl_device_get(nl, &device))
		fail(argv[1]);
	node_key(key, argv[2][0]);
	if (memcmp(device.public_key, key, sizeof(key))) {
		uint32_t ifindex = device.ifindex;

		memset(&device, 0, sizeof(device));
		device.ifindex = ifindex;
		memcpy(device.public_key, key, sizeof(key));
		laya_nl_set(&device, LAYA_A_DEVICE_IFINDEX);
		laya_nl_set(&device, LAYA_A_DEVICE_PUBLIC_KEY);
		if (laya_nl_device_set(nl, &device))
			fail("device");
	}

	flags = isupper((unsigned char)argv[3][0]) ? 0 : LAYA_PEER_FLAGS_ALLOW;
	node_key(key, argv[3][0]);
	err = laya_nl_peer_new(nl, device.ifindex, key, NULL, flags);
	if (err && err != -EEXIST)
		fail("peer");
	if (argc == 6) {
		err = laya_nl_carrier_new(nl, device.ifindex,
					  LAYA_CARRIER_TYPE_UDP, atoi(argv[5]),
					  &carrier);
		if (err && err != -EEXIST)
			fail("carrier");
		add_session(device.ifindex, argv[2][0], argv[3][0]);
		add_path(device.ifindex, argv[3][0], argv[4], atoi(argv[5]));
	}

	node_key(key, argv[2][0]);
	laya_orchid_from_key(&orchid, key);
	puts(inet_ntop(AF_INET6, &orchid, text, sizeof(text)));
	laya_nl_close(nl);
	return 0;
}
