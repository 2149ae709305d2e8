// SPDX-License-Identifier: GPL-2.0
/* A device for people, in the habits of wg(8). */
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "show.h"

static void line(const char *name, const char *value)
{
	printf("  %s%s%s: %s\n", colour(BOLD), name, colour(PLAIN), value);
}

static enum colour state_colour(uint32_t state)
{
	switch (state) {
	case LAYA_PATH_STATE_USABLE:
		return GREEN;
	case LAYA_PATH_STATE_DEAD:
		return RED;
	}
	return YELLOW;
}

static const char *who(const struct show *show, const uint8_t *key,
		       char text[LAYA_KEY_TEXT_SIZE])
{
	const char *name = names_find(&show->names, key);

	if (name)
		return name;
	laya_key_encode(text, key);
	return text;
}

/* "relay/udp 192.0.2.1:5292, rtt 12.3 ms, mtu 1420" */
static void path_line(const struct show *show, const struct laya_nl_path *path,
		      const char *title)
{
	char remote[LAYA_ADDRESS_TEXT_SIZE] = "-";
	char key[LAYA_KEY_TEXT_SIZE];
	char rtt[FORMAT_SIZE];

	if (laya_nl_has(path, LAYA_A_PATH_REMOTE))
		laya_address_format(remote, &path->remote);
	printf("  %s%s%s: %s%s/%s%s %s", colour(BOLD), title, colour(PLAIN),
	       colour(CYAN), laya_nl_kind_name(path->kind),
	       laya_nl_carrier_name(path->carrier_type), colour(PLAIN),
	       remote);
	if (laya_nl_has(path, LAYA_A_PATH_STATE) &&
	    !(laya_nl_has(path, LAYA_A_PATH_IN_USE) &&
	      path->state == LAYA_PATH_STATE_USABLE))
		printf(", %s%s%s", colour(state_colour(path->state)),
		       laya_nl_state_name(path->state), colour(PLAIN));
	if (path->rtt_us)
		printf(", rtt %s", format_rtt(rtt, path->rtt_us));
	if (path->mtu)
		printf(", mtu %u", path->mtu);
	if (path->loss_permille)
		printf(", loss %u.%u%%", path->loss_permille / 10,
		       path->loss_permille % 10);
	if (laya_nl_has(path, LAYA_A_PATH_ANSWERED))
		printf(", dialled by the peer");
	if (laya_nl_has(path, LAYA_A_PATH_FORWARDER))
		printf(", forwarder %s", who(show, path->forwarder, key));
	if (path->n_labels > 1)
		printf(", by two forwarders");
	putchar('\n');
}

/* The path in use first, then the others */
static void paths(const struct show *show, const uint8_t *key)
{
	bool in_use = false;
	size_t i;

	for (i = 0; i < show->n_paths; i++) {
		const struct laya_nl_path *path = &show->paths[i];

		if (laya_nl_has(path, LAYA_A_PATH_IN_USE) &&
		    laya_key_equal(path->public_key, key)) {
			path_line(show, path, "path");
			in_use = true;
		}
	}
	if (!in_use)
		line("path", "(none)");
	for (i = 0; i < show->n_paths; i++) {
		const struct laya_nl_path *path = &show->paths[i];

		if (!laya_nl_has(path, LAYA_A_PATH_IN_USE) &&
		    laya_key_equal(path->public_key, key))
			path_line(show, path, "other path");
	}
}

static void session(const struct show *show, const uint8_t *key)
{
	char text[2 * FORMAT_SIZE];
	char ago[FORMAT_SIZE];
	size_t i;

	for (i = 0; i < show->n_sessions; i++) {
		const struct laya_nl_session *s = &show->sessions[i];

		if (s->slot != LAYA_SESSION_SLOT_CURRENT ||
		    !laya_key_equal(s->public_key, key))
			continue;
		snprintf(text, sizeof(text), "%s old, %s, %s",
			 format_ago(ago, s->age_ms),
			 laya_nl_cipher_name(s->cipher),
			 laya_nl_has(s, LAYA_A_SESSION_INITIATOR) ?
			 "begun here" : "begun by the peer");
		line("session", text);
		return;
	}
	line("session", "(none)");
}

static void traffic(const struct laya_nl_peer *peer)
{
	char received[FORMAT_SIZE];
	char text[3 * FORMAT_SIZE];
	char sent[FORMAT_SIZE];

	if (laya_nl_has(peer, LAYA_A_PEER_LAST_RX_MS)) {
		format_ago(received, peer->last_rx_ms);
		snprintf(text, sizeof(text), "%s ago", received);
		line("latest packet", text);
	}
	if (peer->rx_bytes || peer->tx_bytes) {
		snprintf(text, sizeof(text), "%s received, %s sent",
			 format_bytes(received, peer->rx_bytes),
			 format_bytes(sent, peer->tx_bytes));
		line("transfer", text);
	}
	if (peer->queued) {
		snprintf(text, sizeof(text), "%u packets", peer->queued);
		line("waiting for a session", text);
	}
	if (peer->error)
		line("error", strerror(peer->error));
}

static void peer_text(const struct show *show, const struct laya_nl_peer *peer,
		      const char *title)
{
	const struct laya_config_peer *configured = NULL;
	const char *name = names_find(&show->names, peer->public_key);
	char key[LAYA_KEY_TEXT_SIZE];
	char text[FORMAT_SIZE];
	size_t i;

	laya_key_encode(key, peer->public_key);
	printf("\n%s%s: %s%s\n", colour(YELLOW), title, name ? name : key,
	       colour(PLAIN));
	if (name)
		line("public key", key);
	for (i = 0; show->config && i < show->config->n_peers; i++)
		if (laya_key_equal(show->config->peers[i].public_key,
				   peer->public_key))
			configured = &show->config->peers[i];
	if (configured && configured->have_psk) {
		laya_key_encode(key, configured->psk);
		line("preshared key", key);
		sodium_memzero(key, sizeof(key));
	}
	if (laya_nl_has(peer, LAYA_A_PEER_ORCHID))
		line("address", format_orchid(text, &peer->orchid));
	if (names_signalling(&show->names, peer->public_key))
		line("direct signalling",
		     names_signalling(&show->names, peer->public_key));
	paths(show, peer->public_key);
	session(show, peer->public_key);
	traffic(peer);
}

static void labels(const struct show *show)
{
	char attachment[LAYA_KEY_TEXT_SIZE];
	char peer[LAYA_KEY_TEXT_SIZE];
	char bytes[FORMAT_SIZE];
	size_t i;

	if (show->n_labels)
		printf("\n%slabels%s\n", colour(YELLOW), colour(PLAIN));
	for (i = 0; i < show->n_labels; i++) {
		const struct laya_nl_label *label = &show->labels[i];

		/* Whoever has a label may use it, so it is not shown. */
		printf("  %s%s to %s: %s forwarded, %" PRIu64 " dropped, %u flows, expires in %u s\n",
		       laya_nl_has(label, LAYA_A_LABEL_BOUND) ? "only " : "",
		       who(show, label->for_key, peer),
		       who(show, label->public_key, attachment),
		       format_bytes(bytes, label->bytes), label->dropped,
		       label->flows, label->expires_ms / 1000);
	}
}

static void drops(const struct laya_nl_device *device)
{
	unsigned int i;
	bool any = false;

	for (i = 0; i < device->n_drops; i++) {
		if (!device->drops[i].packets)
			continue;
		if (!any)
			printf("\n%sdropped packets%s\n", colour(YELLOW),
			       colour(PLAIN));
		any = true;
		printf("  %s: %" PRIu64 "\n", device->drops[i].reason,
		       device->drops[i].packets);
	}
}

/**
 * show_text() - print a device for people
 * @show: the device
 */
void show_text(const struct show *show)
{
	static const struct {
		uint32_t flag;
		const char *title;
	} others[] = {
		{ LAYA_PEER_FLAGS_FORWARDER, "forwarder" },
		{ LAYA_PEER_FLAGS_ATTACHMENT, "attachment" },
	};
	const struct laya_nl_device *device = &show->device;
	char key[LAYA_KEY_TEXT_SIZE];
	char text[FORMAT_SIZE];
	size_t i, j;

	printf("%sdevice: %s%s\n", colour(GREEN), device->ifname,
	       colour(PLAIN));
	if (laya_nl_has(device, LAYA_A_DEVICE_PUBLIC_KEY) &&
	    !laya_key_is_zero(device->public_key)) {
		laya_key_encode(key, device->public_key);
		line("public key", key);
		line("address", format_orchid(text, &device->orchid));
	} else {
		line("public key", "(none)");
	}
	if (show->config) {
		laya_key_encode(key, show->config->private_key);
		line("private key", key);
		sodium_memzero(key, sizeof(key));
	} else {
		line("private key", "(hidden)");
	}
	if (show->port) {
		snprintf(text, sizeof(text), "%u", show->port);
		line("listening port", text);
	}
	if (device->flags & LAYA_DEVICE_FLAGS_FORWARD)
		line("forwarding", "yes");
	line("layad", device->owner ? "running" : "not running");
	if (show->restricted)
		line("peers", "(to be seen by root)");

	for (i = 0; i < 2; i++)
		for (j = 0; j < show->n_peers; j++)
			if (show_peer_hidden(&show->peers[j]) &&
			    show->peers[j].flags & others[i].flag)
				peer_text(show, &show->peers[j],
					  others[i].title);
	for (j = 0; j < show->n_peers; j++)
		if (!show_peer_hidden(&show->peers[j]))
			peer_text(show, &show->peers[j], "peer");
	labels(show);
	drops(device);
}
