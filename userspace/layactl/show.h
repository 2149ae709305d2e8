/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAYACTL_SHOW_H
#define LAYACTL_SHOW_H

#include "layactl.h"

/**
 * struct show - all that is known of one device
 * @device: the device
 * @names: of its peers
 * @port: UDP port, or 0
 * @peers: its peers
 * @n_peers: how many
 * @paths: of all peers
 * @n_paths: how many
 * @sessions: of all peers
 * @n_sessions: how many
 * @labels: labels that it acts on
 * @n_labels: how many
 * @restricted: peers and what belongs to them may be read by root only
 * @config: configuration with the keys, or NULL
 */
struct show {
	struct laya_nl_device device;
	struct names names;
	uint16_t port;
	struct laya_nl_peer *peers;
	size_t n_peers;
	struct laya_nl_path *paths;
	size_t n_paths;
	struct laya_nl_session *sessions;
	size_t n_sessions;
	struct laya_nl_label *labels;
	size_t n_labels;
	bool restricted;
	const struct laya_config *config;
};

int show_read(struct show *show, struct laya_nl *nl);
void show_free(struct show *show);
bool show_peer_hidden(const struct laya_nl_peer *peer);
void show_text(const struct show *show);
json_t *show_json(const struct show *show);

#endif /* LAYACTL_SHOW_H */
