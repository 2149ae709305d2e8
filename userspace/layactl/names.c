// SPDX-License-Identifier: GPL-2.0
/* Who is who: names from layad, or from a configuration. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "layactl.h"

/**
 * names_add() - add a name
 * @names: to these
 * @name: the name, or NULL
 * @key: whose
 *
 * Return: 0 or -ENOMEM.
 */
int names_add(struct names *names, const char *name,
	      const uint8_t key[LAYA_KEY_SIZE])
{
	struct name *list;

	list = realloc(names->list, (names->n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	names->list = list;
	list += names->n++;
	memset(list, 0, sizeof(*list));
	snprintf(list->name, sizeof(list->name), "%s", name ? name : "");
	memcpy(list->key, key, LAYA_KEY_SIZE);
	return 0;
}

/**
 * ctl_names_free() - free names
 * @names: the names; empty afterwards
 */
void ctl_names_free(struct names *names)
{
	free(names->list);
	*names = (struct names){};
}

/* "192.0.2.1:443 by tls; 198.51.100.7:40000, called" */
static void describe(char text[FORMAT_SIZE], const json_t *list)
{
	const char *address, *transport, *how;
	const json_t *item;
	size_t len = 0;
	size_t i;

	json_array_foreach(list, i, item) {
		address = json_string_value(json_object_get(item, "address"));
		transport = json_string_value(json_object_get(item,
							      "transport"));
		how = json_string_value(json_object_get(item, "how"));
		if (!address || !how || len >= FORMAT_SIZE)
			continue;
		len += snprintf(text + len, FORMAT_SIZE - len, "%s%s%s%s",
				len ? "; " : "", address,
				transport ? " by " : ", ",
				transport ? transport :
				json_is_true(json_object_get(item,
							     "connected")) ?
				how : "not connected");
	}
}

/**
 * names_from_json() - take the names out of a status of layad
 * @names: where to
 * @status: its reply
 *
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int names_from_json(struct names *names, const json_t *status)
{
	json_t *peers = json_object_get(status, "peers");
	uint8_t key[LAYA_KEY_SIZE];
	json_t *peer;
	size_t i;
	int err;

	if (!json_is_array(peers))
		return -EBADMSG;
	json_array_foreach(peers, i, peer) {
		const char *text, *name;

		text = json_string_value(json_object_get(peer, "public-key"));
		name = json_string_value(json_object_get(peer, "name"));
		if (!text || laya_key_decode_public(key, text))
			return -EBADMSG;
		if (name && *name && !laya_config_name_valid(name))
			return -EBADMSG;
		err = names_add(names, name, key);
		if (err)
			return err;
		describe(names->list[names->n - 1].signalling,
			 json_object_get(peer, "signalling"));
	}
	return 0;
}

static int names_from_config(struct names *names, const char *file, char *msg,
			     size_t msg_size)
{
	struct laya_config_error error;
	struct laya_config config;
	size_t i;
	int err;

	err = laya_config_load_names(file, &config, &error);
	if (err) {
		snprintf(msg, msg_size, "%s", error.text);
		return err;
	}
	for (i = 0; !err && i < config.n_peers; i++)
		err = names_add(names, config.peers[i].name,
				config.peers[i].public_key);
	if (err)
		snprintf(msg, msg_size, "out of memory");
	laya_config_free(&config);
	return err;
}

static int names_from_layad(struct names *names, const char *device, char *msg,
			    size_t msg_size)
{
	json_t *request, *reply;
	int err;
	int fd;

	fd = laya_control_connect(device, msg, msg_size);
	if (fd < 0)
		return fd;
	request = json_pack("{s:s}", "cmd", "status");
	err = laya_control_request(fd, request, &reply, msg, msg_size);
	json_decref(request);
	close(fd);
	if (err)
		return err;
	err = names_from_json(names, reply);
	if (err)
		snprintf(msg, msg_size, "layad: its answer is not understood");
	json_decref(reply);
	return err;
}

/**
 * ctl_names() - learn the names of all peers
 * @ctl: tells the configuration, if one is meant
 * @device: of this device, or NULL for the default
 * @names: where to
 * @msg: where to say what failed
 * @msg_size: its size
 *
 * From the configuration that was named; else from layad; else, when none
 * runs, from the configuration where it usually is.
 *
 * Return: 0 or a negative errno.
 */
int ctl_names(const struct ctl *ctl, const char *device, struct names *names,
	      char *msg, size_t msg_size)
{
	char other[LAYA_CONFIG_ERROR_SIZE];
	int err;

	*names = (struct names){};
	if (ctl->config) {
		err = names_from_config(names, ctl->config, msg, msg_size);
	} else {
		err = names_from_layad(names,
				       device ? device : LAYA_DEFAULT_DEVICE,
				       msg, msg_size);
		if (err == -ENOENT && !access(LAYA_DEFAULT_CONFIG, R_OK) &&
		    !names_from_config(names, LAYA_DEFAULT_CONFIG, other,
				       sizeof(other)))
			err = 0;
	}
	if (err)
		ctl_names_free(names);
	return err;
}

static const struct name *find(const struct names *names, const uint8_t *key)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (laya_key_equal(names->list[i].key, key))
			return &names->list[i];
	return NULL;
}

/**
 * names_find() - tell what a key is called
 * @names: by these
 * @key: the key
 *
 * Return: the name; NULL if it has none.
 */
const char *names_find(const struct names *names,
		       const uint8_t key[LAYA_KEY_SIZE])
{
	const struct name *name = find(names, key);

	return name && name->name[0] ? name->name : NULL;
}

/**
 * names_signalling() - tell how layad signals with a peer directly
 * @names: by these
 * @key: its key
 *
 * Return: for people; NULL if it does not, or if that is not known.
 */
const char *names_signalling(const struct names *names,
			     const uint8_t key[LAYA_KEY_SIZE])
{
	const struct name *name = find(names, key);

	return name && name->signalling[0] ? name->signalling : NULL;
}

/* The device that a control socket would be named after */
static const char *control_device(const struct ctl *ctl,
				  char name[IFNAMSIZ])
{
	struct laya_config_error error;
	struct laya_config config;

	if (ctl->device)
		return ctl->device;
	snprintf(name, IFNAMSIZ, "%s", LAYA_DEFAULT_DEVICE);
	if (ctl->config &&
	    !laya_config_load_names(ctl->config, &config, &error)) {
		memcpy(name, config.device, IFNAMSIZ);
		laya_config_free(&config);
	}
	return name;
}

/**
 * ctl_peer() - find who is meant, or say why not
 * @ctl: options
 * @text: a name or a key
 * @peer: filled in; its name is @text, or a name for the key if one is known
 *
 * Return: CTL_OK or CTL_FAILURE.
 */
int ctl_peer(const struct ctl *ctl, const char *text, struct name *peer)
{
	char msg[LAYA_CONFIG_ERROR_SIZE];
	char device[IFNAMSIZ];
	struct names names;
	size_t len = strlen(text);
	size_t i;

	memset(peer, 0, sizeof(*peer));
	if (len == LAYA_KEY_TEXT_LEN && text[len - 1] == '=') {
		if (laya_key_decode_public(peer->key, text))
			return ctl_fail("%s: not a public key", text);
		return CTL_OK;
	}
	if (len > 5 && !strcasecmp(text + len - 5, ".laya"))
		len -= 5;
	if (ctl_names(ctl, control_device(ctl, device), &names, msg,
		      sizeof(msg)))
		return ctl_fail("who is \"%s\"? %s", text, msg);
	for (i = 0; i < names.n; i++) {
		if (strlen(names.list[i].name) == len && len &&
		    !strncasecmp(names.list[i].name, text, len)) {
			*peer = names.list[i];
			ctl_names_free(&names);
			return CTL_OK;
		}
	}
	ctl_names_free(&names);
	return ctl_fail("no peer is called \"%s\"; see: layactl peer list",
			text);
}

/**
 * ctl_control() - ask layad something, or say why it failed
 * @ctl: options
 * @request: what; the reference is taken
 * @reply: where to put the answer, or NULL
 *
 * Return: CTL_OK or CTL_FAILURE.
 */
int ctl_control(const struct ctl *ctl, json_t *request, json_t **reply)
{
	char device[IFNAMSIZ];
	char msg[512];
	int err;
	int fd;

	if (!request)
		return ctl_fail("out of memory");
	fd = laya_control_connect(control_device(ctl, device), msg,
				  sizeof(msg));
	if (fd < 0) {
		json_decref(request);
		return ctl_fail("%s", msg);
	}
	err = laya_control_request(fd, request, reply, msg, sizeof(msg));
	json_decref(request);
	close(fd);
	return err ? ctl_fail("%s", msg) : CTL_OK;
}
