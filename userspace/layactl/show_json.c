// SPDX-License-Identifier: GPL-2.0
/* A device for programs; layactl(8) describes the members. */
#include "show.h"

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
}

static json_t *paths(const struct show *show, const uint8_t *key)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < show->n_paths; i++)
		if (laya_key_equal(show->paths[i].public_key, key))
			json_array_append_new(array,
					      json_path(&show->paths[i]));
	return array;
}

static json_t *sessions(const struct show *show, const uint8_t *key)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < show->n_sessions; i++) {
		const struct laya_nl_session *s = &show->sessions[i];
		json_t *object;

		if (!laya_key_equal(s->public_key, key))
			continue;
		object = json_pack("{s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I}",
				   "slot", laya_nl_slot_name(s->slot),
				   "cipher", laya_nl_cipher_name(s->cipher),
				   "initiator",
				   laya_nl_has(s, LAYA_A_SESSION_INITIATOR),
				   "confirmed",
				   laya_nl_has(s, LAYA_A_SESSION_CONFIRMED),
				   "age-ms", (json_int_t)s->age_ms,
				   "tx-packets", (json_int_t)s->tx_packets,
				   "rx-packets", (json_int_t)s->rx_packets,
				   "failures", (json_int_t)s->failures);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *flags(uint32_t value)
{
	json_t *array = json_array();

	if (value & LAYA_PEER_FLAGS_ALLOW)
		json_array_append_new(array, json_string("allow"));
	if (value & LAYA_PEER_FLAGS_FORWARDER)
		json_array_append_new(array, json_string("forwarder"));
	if (value & LAYA_PEER_FLAGS_ATTACHMENT)
		json_array_append_new(array, json_string("attachment"));
	return array;
}

static json_t *peer_json(const struct show *show,
			 const struct laya_nl_peer *peer)
{
	const char *name = names_find(&show->names, peer->public_key);
	json_t *object = json_object();
	size_t i;

	if (name)
		set(object, "name", json_string(name));
	set(object, "public-key", json_key(peer->public_key));
	if (names_signalling(&show->names, peer->public_key))
		set(object, "direct-signalling",
		    json_string(names_signalling(&show->names,
						 peer->public_key)));
	for (i = 0; show->config && i < show->config->n_peers; i++)
		if (show->config->peers[i].have_psk &&
		    laya_key_equal(show->config->peers[i].public_key,
				   peer->public_key))
			set(object, "preshared-key",
			    json_key(show->config->peers[i].psk));
	if (laya_nl_has(peer, LAYA_A_PEER_ORCHID))
		set(object, "orchid", json_orchid(&peer->orchid));
	set(object, "flags", flags(peer->flags));
	if (peer->error)
		set(object, "error", json_integer(peer->error));
	set(object, "queued", json_integer(peer->queued));
	set(object, "tx-packets", json_integer(peer->tx_packets));
	set(object, "tx-bytes", json_integer(peer->tx_bytes));
	set(object, "rx-packets", json_integer(peer->rx_packets));
	set(object, "rx-bytes", json_integer(peer->rx_bytes));
	if (laya_nl_has(peer, LAYA_A_PEER_LAST_RX_MS))
		set(object, "last-rx-ms", json_integer(peer->last_rx_ms));
	for (i = 0; i < show->n_paths; i++)
		if (laya_nl_has(&show->paths[i], LAYA_A_PATH_IN_USE) &&
		    laya_key_equal(show->paths[i].public_key,
				   peer->public_key))
			set(object, "path", json_path(&show->paths[i]));
	set(object, "paths", paths(show, peer->public_key));
	set(object, "sessions", sessions(show, peer->public_key));
	return object;
}

static json_t *labels(const struct show *show)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < show->n_labels; i++) {
		const struct laya_nl_label *label = &show->labels[i];
		json_t *object = json_object();

		/* Whoever has a label may use it, so it is not shown. */
		set(object, "public-key", json_key(label->public_key));
		set(object, "for-key", json_key(label->for_key));
		set(object, "rate", json_integer(label->rate));
		set(object, "expires-ms", json_integer(label->expires_ms));
		set(object, "packets", json_integer(label->packets));
		set(object, "bytes", json_integer(label->bytes));
		set(object, "dropped", json_integer(label->dropped));
		set(object, "flows", json_integer(label->flows));
		set(object, "bound",
		    json_boolean(laya_nl_has(label, LAYA_A_LABEL_BOUND)));
		json_array_append_new(array, object);
	}
	return array;
}

/**
 * show_json() - a device as JSON
 * @show: the device
 *
 * Return: an object, or NULL.
 */
json_t *show_json(const struct show *show)
{
	const struct laya_nl_device *device = &show->device;
	json_t *object = json_object();
	json_t *drops = json_object();
	json_t *peers = json_array();
	size_t i;

	set(object, "device", json_string(device->ifname));
	set(object, "ifindex", json_integer(device->ifindex));
	if (laya_nl_has(device, LAYA_A_DEVICE_PUBLIC_KEY) &&
	    !laya_key_is_zero(device->public_key)) {
		set(object, "public-key", json_key(device->public_key));
		set(object, "orchid", json_orchid(&device->orchid));
	}
	if (show->config)
		set(object, "private-key",
		    json_key(show->config->private_key));
	if (show->port)
		set(object, "listen-port", json_integer(show->port));
	set(object, "forward",
	    json_boolean(device->flags & LAYA_DEVICE_FLAGS_FORWARD));
	set(object, "layad", json_boolean(device->owner));
	if (!show->restricted) {
		for (i = 0; i < show->n_peers; i++)
			json_array_append_new(peers,
					      peer_json(show,
							&show->peers[i]));
		set(object, "peers", peers);
		set(object, "labels", labels(show));
	} else {
		json_decref(peers);
	}
	for (i = 0; i < device->n_drops; i++)
		set(drops, device->drops[i].reason,
		    json_integer(device->drops[i].packets));
	set(object, "drops", drops);
	return object;
}
