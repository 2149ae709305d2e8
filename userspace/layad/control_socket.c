// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "addresses.h"
#include "attach.h"
#include "control.h"
#include "control_socket.h"
#include "explain.h"
#include "forwarder.h"
#include "kernel.h"
#include "log.h"
#include "peer.h"
#include "rendezvous.h"
#include "signalling.h"

#define MAX_CLIENTS	32
#define MAX_REQUEST	65536

struct client {
	TAILQ_ENTRY(client) entry;
	struct control_socket *control;
	uv_pipe_t pipe;
	bool closing;
	size_t fill;
	char buffer[MAX_REQUEST];
};

struct control_socket {
	struct node *node;
	uv_pipe_t listener;
	TAILQ_HEAD(, client) clients;
	unsigned int n_clients;
	char path[PATH_MAX];
};

struct output {
	uv_write_t write;
	char *text;
};

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	TAILQ_REMOVE(&client->control->clients, client, entry);
	client->control->n_clients--;
	free(client);
}

static void close_client(struct client *client)
{
	if (client->closing)
		return;
	client->closing = true;
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static json_t *key_text(const uint8_t *key)
{
	char text[LAYA_KEY_TEXT_SIZE];

	laya_key_encode(text, key);
	return json_string(text);
}

static json_t *address_text(const struct laya_address *address)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];

	laya_address_format(text, address);
	return json_string(text);
}

static json_t *server_text(const struct laya_config_server *server)
{
	return json_sprintf(strchr(server->host, ':') ? "[%s]:%u" : "%s:%u",
			    server->host, server->port);
}

static json_t *list_candidates(const struct laya_candidates *candidates)
{
	json_t *list = json_array();
	unsigned int i;
	json_t *item;

	for (i = 0; i < candidates->n; i++) {
		item = json_object();
		json_object_set_new(item, "type", json_string(
			laya_candidate_type_name(candidates->list[i].type)));
		json_object_set_new(item, "address", address_text(
			&candidates->list[i].address));
		if (candidates->list[i].have_forwarder)
			json_object_set_new(item, "forwarder", key_text(
				candidates->list[i].forwarder));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *list_peers(struct node *node)
{
	json_t *list = json_array();
	struct peer *peer;
	json_t *item;

	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (!peer->configured)
			continue;
		item = json_object();
		if (peer->name[0] != '\0')
			json_object_set_new(item, "name",
					    json_string(peer->name));
		json_object_set_new(item, "public-key",
				    key_text(peer->handshake.key));
		json_object_set_new(item, "handshake",
				    json_string(explain_handshake(peer)));
		if (peer->last_failure[0] != '\0')
			json_object_set_new(item, "failure",
					    json_string(peer->last_failure));
		json_object_set_new(item, "signalling",
				    signalling_describe(peer));
		if (peer->told_valid)
			json_object_set_new(item, "candidates-told",
					    list_candidates(&peer->told));
		json_object_set_new(item, "candidates-received",
				    list_candidates(&peer->remote));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *list_rendezvous(struct node *node)
{
	struct rendezvous *rendezvous;
	const struct contact *contact;
	json_t *list = json_array();
	json_t *item;

	TAILQ_FOREACH(rendezvous, &node->rendezvous, entry) {
		contact = &rendezvous->contact;
		item = json_object();
		json_object_set_new(item, "address",
				    server_text(rendezvous->server));
		json_object_set_new(item, "public-key", key_text(
			rendezvous->server->public_key));
		json_object_set_new(item, "connected",
				    json_boolean(contact->up));
		json_object_set_new(item, "relays",
				    json_integer(rendezvous->relays.n));
		if (contact->up && contact->transport)
			json_object_set_new(item, "transport", json_string(
				laya_transport_name(contact->transport)));
		if (contact->evidence[0] != '\0')
			json_object_set_new(item, "evidence", json_string(
				contact->evidence));
		if (contact->up)
			json_object_set_new(item, "observed", address_text(
				&rendezvous->observed));
		else if (contact->failure[0] != '\0')
			json_object_set_new(item, "failure", json_string(
				contact->failure));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *list_forwarders(struct node *node)
{
	struct forwarder *forwarder;
	json_t *list = json_array();
	json_t *address;
	json_t *item;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		item = json_object();
		if (forwarder->server)
			address = server_text(forwarder->server);
		else if (forwarder->state == FORWARDER_UP)
			address = address_text(&forwarder->dialled);
		else if (forwarder->addresses.n > 0)
			address = address_text(&forwarder->addresses.list[0]);
		else
			address = json_string("");
		json_object_set_new(item, "address", address);
		/* Of a gateway it is known while we are attached. */
		if (!laya_key_is_zero(forwarder->key))
			json_object_set_new(item, "public-key",
					    key_text(forwarder->key));
		json_object_set_new(item, "gateway",
				    json_boolean(forwarder->gateway));
		json_object_set_new(item, "attached", json_boolean(
			forwarder->state == FORWARDER_UP));
		json_object_set_new(item, "state", json_string(
			forwarder_state_name(forwarder->state)));
		json_object_set_new(item, "labels",
				    json_integer(forwarder->n_labels));
		if (forwarder->have_observed)
			json_object_set_new(item, "observed", address_text(
				&forwarder->observed));
		if (forwarder->evidence[0] != '\0')
			json_object_set_new(item, "evidence", json_string(
				forwarder->evidence));
		if (forwarder->failure[0] != '\0')
			json_object_set_new(item, "failure", json_string(
				forwarder->failure));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *failure(const char *text)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *do_status(struct node *node)
{
	static const char * const forward[] = { "no", "peers", "public" };
	json_t *reply = json_object();
	unsigned int attachments;
	unsigned int labels;

	attachments = attach_count(node, &labels);
	json_object_set_new(reply, "ok", json_true());
	json_object_set_new(reply, "device",
			    json_string(node->config.device));
	json_object_set_new(reply, "public-key",
			    key_text(node->self.public_key));
	json_object_set_new(reply, "port", json_integer(node->port));
	json_object_set_new(reply, "forward",
			    json_string(forward[node->config.forward]));
	json_object_set_new(reply, "probe-mapped",
			    json_boolean(node->config.probe_mapped));
	json_object_set_new(reply, "uptime-ms", json_integer(
		node_now(node) - node->began));
	json_object_set_new(reply, "attachments", json_integer(attachments));
	json_object_set_new(reply, "labels-issued", json_integer(labels));
	explain_network(node, reply);
	json_object_set_new(reply, "peers", list_peers(node));
	json_object_set_new(reply, "rendezvous", list_rendezvous(node));
	json_object_set_new(reply, "forwarders", list_forwarders(node));
	return reply;
}

static json_t *do_peer_add(struct node *node, json_t *request)
{
	const char *name = "";
	const char *endpoint = NULL;
	const char *psk_file = NULL;
	const char *text = NULL;
	char host[LAYA_CONFIG_HOST_SIZE];
	uint16_t port = 0;
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t psk[LAYA_KEY_SIZE];
	struct peer *peer;
	char msg[512];

	if (json_unpack(request, "{s:s, s?s, s?s, s?s}", "public-key", &text,
			"name", &name, "psk-file", &psk_file, "endpoint",
			&endpoint))
		return failure("peer-add needs \"public-key\", and takes \"name\", \"psk-file\" and \"endpoint\"");
	if (laya_key_decode_public(key, text)) {
		snprintf(msg, sizeof(msg), "\"%.64s\" is not a public key",
			 text);
		return failure(msg);
	}
	if (*name && !laya_config_name_valid(name)) {
		snprintf(msg, sizeof(msg),
			 "\"%.64s\" is not a name: letters, digits and hyphens",
			 name);
		return failure(msg);
	}
	if (endpoint && laya_config_parse_endpoint(endpoint, host,
						   sizeof(host), &port)) {
		snprintf(msg, sizeof(msg),
			 "\"%.64s\" is not an address: host:port, or [IPv6 address]:port",
			 endpoint);
		return failure(msg);
	}
	if (psk_file && laya_key_read_file(psk, psk_file, msg, sizeof(msg)))
		return failure(msg);
	peer = peer_configure(node, name, key, psk_file ? psk : NULL, msg,
			      sizeof(msg));
	sodium_memzero(psk, sizeof(psk));
	if (!peer)
		return failure(msg);
	if (peer_update_kernel(peer)) {
		snprintf(msg, sizeof(msg), "the kernel refuses the peer: %s",
			 laya_nl_strerror(node->nl));
		peer_unconfigure(peer);
		return failure(msg);
	}
	if (endpoint && signalling_set_endpoint(peer, host, port)) {
		peer_unconfigure(peer);
		return failure("out of memory");
	}
	laya_info("%s: added", peer_text(peer));
	forwarder_peers_changed(node);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *do_peer_del(struct node *node, json_t *request)
{
	const char *name;
	struct peer *peer;
	char msg[256];

	if (json_unpack(request, "{s:s}", "peer", &name))
		return failure("peer-del needs \"peer\", a name or a key");
	peer = peer_find_name(node, name);
	if (!peer) {
		snprintf(msg, sizeof(msg), "there is no peer \"%.64s\"", name);
		return failure(msg);
	}
	laya_info("%s: removed", peer_text(peer));
	peer_unconfigure(peer);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *do_refresh(struct node *node)
{
	struct peer *peer;

	if (addresses_refresh(node))
		return failure("cannot list the addresses of this machine");
	TAILQ_FOREACH(peer, &node->peers, entry) {
		peer->told_valid = false;
		if (peer->session)
			peer_dial(peer);
	}
	node_candidates_changed(node);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *do_explain(struct node *node, json_t *request)
{
	const char *name;
	struct peer *peer;
	int attempt = 0;
	char msg[256];
	json_t *reply;

	if (json_unpack(request, "{s:s, s?b}", "peer", &name, "attempt",
			&attempt))
		return failure("explain needs \"peer\", a name or a key, and takes \"attempt\", a boolean");
	peer = peer_find_name(node, name);
	if (!peer) {
		snprintf(msg, sizeof(msg), "there is no peer \"%.64s\"", name);
		return failure(msg);
	}
	reply = explain_peer(peer, attempt);
	json_object_set_new(reply, "rendezvous", list_rendezvous(node));
	json_object_set_new(reply, "forwarders", list_forwarders(node));
	return reply;
}

static json_t *handle(struct node *node, const char *line, size_t len)
{
	const char *command = NULL;
	json_error_t error;
	json_t *request;
	json_t *reply;

	request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!request)
		return failure("the request is not a JSON object on one line");
	if (json_unpack(request, "{s:s}", "cmd", &command))
		reply = failure("the request has no \"cmd\"");
	else if (strcmp(command, "status") == 0)
		reply = do_status(node);
	else if (strcmp(command, "peer-add") == 0)
		reply = do_peer_add(node, request);
	else if (strcmp(command, "peer-del") == 0)
		reply = do_peer_del(node, request);
	else if (strcmp(command, "explain") == 0)
		reply = do_explain(node, request);
	else if (strcmp(command, "candidates-refresh") == 0)
		reply = do_refresh(node);
	else
		reply = failure("unknown command: status, explain, peer-add, peer-del and candidates-refresh are known");
	json_decref(request);
	return reply;
}

static void on_written(uv_write_t *write, int status)
{
	struct output *output = (struct output *)write;

	(void)status;
	free(output->text);
	free(output);
}

static int answer(struct client *client, json_t *reply)
{
	struct output *output = calloc(1, sizeof(*output));
	uv_buf_t bufs[2];
	int ret = -ENOMEM;

	if (output && reply)
		output->text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	if (!output || !output->text)
		goto err_free;
	bufs[0] = uv_buf_init(output->text, strlen(output->text));
	bufs[1] = uv_buf_init("\n", 1);
	ret = uv_write(&output->write, (uv_stream_t *)&client->pipe, bufs, 2,
		       on_written);
	if (!ret)
		return 0;

err_free:
	if (output)
		free(output->text);
	free(output);
	return ret;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *client = handle->data;

	(void)suggested;
	*buf = uv_buf_init(client->buffer + client->fill,
			   sizeof(client->buffer) - client->fill);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *client = stream->data;
	char *line = client->buffer;
	char *end;
	int ret;

	(void)buf;
	if (n < 0) {
		close_client(client);
		return;
	}
	client->fill += n;
	while ((end = memchr(line, '\n',
			     client->buffer + client->fill - line))) {
		ret = answer(client, handle(client->control->node, line,
					    end - line));
		if (ret) {
			close_client(client);
			return;
		}
		line = end + 1;
	}
	client->fill -= line - client->buffer;
	memmove(client->buffer, line, client->fill);
	if (client->fill == sizeof(client->buffer)) {
		answer(client, failure("the request is too long"));
		uv_read_stop(stream);
		close_client(client);
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control_socket *control = listener->data;
	struct client *client;
	uv_os_fd_t fd;

	if (status < 0)
		return;
	client = calloc(1, sizeof(*client));
	if (!client)
		return;
	client->control = control;
	uv_pipe_init(control->node->loop, &client->pipe, 0);
	client->pipe.data = client;
	TAILQ_INSERT_TAIL(&control->clients, client, entry);
	control->n_clients++;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) ||
	    uv_fileno((uv_handle_t *)&client->pipe, &fd) ||
	    laya_control_check_peer(fd) ||
	    control->n_clients > MAX_CLIENTS ||
	    uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read))
		close_client(client);
}

/**
 * control_socket_start() - let layactl in
 * @node: ours
 *
 * Return: 0, or a negative errno, which was logged.
 */
int control_socket_start(struct node *node)
{
	struct control_socket *control;
	char msg[512];
	int ret;
	int fd;

	control = calloc(1, sizeof(*control));
	if (!control)
		return -ENOMEM;
	control->node = node;
	TAILQ_INIT(&control->clients);
	ret = laya_control_path(control->path, sizeof(control->path),
				node->config.device);
	if (ret)
		goto err_free;
	fd = laya_control_listen(node->config.device, msg, sizeof(msg));
	if (fd < 0) {
		laya_error("%s", msg);
		ret = fd;
		goto err_free;
	}
	uv_pipe_init(node->loop, &control->listener, 0);
	control->listener.data = control;
	ret = uv_pipe_open(&control->listener, fd);
	if (!ret)
		ret = uv_listen((uv_stream_t *)&control->listener, 16,
				on_connection);
	if (ret) {
		laya_error("cannot listen on %s: %s", control->path,
			   uv_strerror(ret));
		node->control_socket = control;
		return ret;
	}
	node->control_socket = control;
	return 0;

err_free:
	free(control);
	return ret;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct control_socket *control = handle->data;

	free(control);
}

/**
 * control_socket_stop() - let nobody in any more
 * @node: ours
 */
void control_socket_stop(struct node *node)
{
	struct control_socket *control = node->control_socket;
	struct client *client;

	if (!control)
		return;
	node->control_socket = NULL;
	unlink(control->path);
	TAILQ_FOREACH(client, &control->clients, entry)
		close_client(client);
	/* Handles are closed in turn, so this one's memory goes last. */
	uv_close((uv_handle_t *)&control->listener, on_listener_closed);
}
