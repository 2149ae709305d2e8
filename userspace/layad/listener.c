// SPDX-License-Identifier: GPL-2.0
#include "listener.h"
#include "log.h"

/**
 * listener_open() - take connections as the configuration says
 * @node: ours
 * @listener: where to put it
 * @ops: who is told
 * @data: last argument of each call
 *
 * Our own certificate need not last; one that was configured has to be there.
 *
 * Return: 0, or a negative errno, which was logged.
 */
int listener_open(struct node *node, struct laya_listener **listener,
		  const struct laya_listener_ops *ops, void *data)
{
	struct laya_listener_config config;
	char msg[512];
	int ret;

	laya_listener_config_default(&config);
	config.certificate = node->config.tls_certificate;
	config.key = node->config.tls_key;
	if (node->state_dir[0] != '\0')
		config.state_dir = node->state_dir;
	ret = laya_listener_open(listener, node->loop, &config, ops, data, msg,
				 sizeof(msg));
	if (ret && !config.certificate && config.state_dir) {
		laya_warning("%s; using one that ends with this program", msg);
		config.state_dir = NULL;
		ret = laya_listener_open(listener, node->loop, &config, ops,
					 data, msg, sizeof(msg));
	}
	if (ret)
		laya_error("%s; see TlsCertificate and TlsKey", msg);
	return ret;
}
