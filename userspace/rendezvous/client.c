// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "handshake.h"
#include "log.h"
#include "relay_attach.h"
#include "server.h"

/* Where a relay takes attachments unless it says so */
#define RELAY_PORT	5292

static void unregister(struct client *client)
{
	struct server *server = client->server;

	if (client->is_relay) {
		TAILQ_REMOVE(&server->relays, client, relay_entry);
		client->source->relays--;
		client->is_relay = false;
		server_relays_changed(server);
	}
	if (client->registered) {
		registry_remove(&server->registry, client);
		client->registered = false;
	}
}

/* The channel is gone or going. */
static void forget(struct client *client)
{
	struct server *server = client->server;

	unregister(client);
	relay_caller_end(&client->caller);
	if (client->open) {
		TAILQ_REMOVE(&server->open, client, all);
	} else {
		TAILQ_REMOVE(&server->half_open, client, all);
		server->n_half_open--;
	}
	server->n_clients--;
	sources_disconnect(&server->sources, client->source);
	free(client);
}

/**
 * client_close() - end a connection
 * @client: the client; gone after this
 */
void client_close(struct client *client)
{
	laya_channel_close(client->channel);
	forget(client);
}

static void violate(struct client *client, const char *what)
{
	char key[LAYA_KEY_TEXT_SIZE];

	laya_key_encode(key, client->key);
	laya_debug("%s: closed: %s", key, what);
	client->server->stats.violations++;
	client_close(client);
}

static void send_error(struct client *client, uint64_t id,
		       enum laya_message_error code)
{
	struct laya_message error = {
		.type = LAYA_MESSAGE_ERROR,
		.id = id,
		.code = code,
	};

	/* Who does not read gets no errors either. */
	laya_channel_send(client->channel, &error);
}

/**
 * client_send_relays() - tell a client where it can attach
 * @client: the client; if it does not read now it gets the list when it does
 */
void client_send_relays(struct client *client)
{
	struct laya_message message = { .type = LAYA_MESSAGE_RELAYS };

	server_get_relays(client->server, client, &message.relays);
	client->relays_owed =
		laya_channel_send(client->channel, &message) == -ENOBUFS;
}

/*
 * Addresses that a relay says, made fit to be told: 0.0.0.0 and :: become the
 * address that we see, and what nobody may dial goes.
 */
static void take_addresses(struct client *client,
			   const struct laya_addresses *said)
{
	const struct laya_address *seen;
	struct laya_address address;
	unsigned int i;

	seen = laya_channel_remote_address(client->channel);
	memset(&client->addresses, 0, sizeof(client->addresses));
	if (said->n == 0) {
		address = *seen;
		address.port = RELAY_PORT;
		if (laya_address_is_dialable(&address))
			client->addresses.list[client->addresses.n++] = address;
		return;
	}
	for (i = 0; i < said->n; i++) {
		address = said->list[i];
		if (laya_address_is_any(&address)) {
			address = *seen;
			address.port = said->list[i].port;
		}
		if (laya_address_is_dialable(&address))
			client->addresses.list[client->addresses.n++] = address;
	}
}

static void become_relay(struct client *client,
			 const struct laya_message *message)
{
	struct server *server = client->server;
	struct laya_addresses before = client->addresses;
	bool relay = message->reg.role == LAYA_ROLE_RELAY;
	bool renamed = strcmp(client->host_name, message->reg.host_name) != 0;

	if (relay)
		take_addresses(client, &message->reg.addresses);
	strcpy(client->host_name, message->reg.host_name);
	if (relay && client->addresses.n == 0) {
		laya_debug("a relay without an address that can be dialled");
		relay = false;
	}
	if (relay && !client->is_relay &&
	    client->source->relays >= server->limits.source_relays) {
		laya_debug("too many relays at one address");
		relay = false;
	}

	if (relay && !client->is_relay) {
		client->is_relay = true;
		client->source->relays++;
		TAILQ_INSERT_TAIL(&server->relays, client, relay_entry);
		server_relays_changed(server);
	} else if (!relay && client->is_relay) {
		client->is_relay = false;
		client->source->relays--;
		TAILQ_REMOVE(&server->relays, client, relay_entry);
		server_relays_changed(server);
	} else if (relay && (renamed || memcmp(&before, &client->addresses,
					       sizeof(before)) != 0)) {
		server_relays_changed(server);
	}
}

static void handle_register(struct client *client,
			    const struct laya_message *message)
{
	struct laya_message reply = { .type = LAYA_MESSAGE_REGISTERED };
	struct server *server = client->server;
	char key[LAYA_KEY_TEXT_SIZE];
	struct client *older;

	if (!client->registered) {
		older = registry_find(&server->registry, client->key);
		if (older) {
			/* It came back before we noticed that it was gone. */
			server->stats.replaced++;
			client_close(older);
		}
		registry_add(&server->registry, client);
		client->registered = true;
	}
	server->stats.registrations++;
	become_relay(client, message);
	if (laya_log_enabled(LAYA_LOG_DEBUG)) {
		laya_key_encode(key, client->key);
		laya_debug("%s: registered%s", key,
			   client->is_relay ? " as a relay" : "");
	}

	reply.registered.observed =
		*laya_channel_remote_address(client->channel);
	server_get_relays(server, client, &reply.registered.relays);
	laya_channel_send(client->channel, &reply);
}

/* To us: of a host that attaches to our relay, by the connection that it has */
static void handle_own(struct client *client,
		       const struct laya_message *message)
{
	struct server *server = client->server;
	/* The limits of the connection and of the host are enough. */
	struct relay_caller caller = { .offers = 0 };

	if (server->relay && message->type != LAYA_MESSAGE_ANSWER)
		relay_attach_message(server->relay, client->channel, message,
				     &caller);
	else
		send_error(client, message->id,
			   LAYA_MESSAGE_ERROR_UNREACHABLE);
}

/* Pass a sealed message on to whom it says, and say whom it is from. */
static void handle_sealed(struct client *client,
			  const struct laya_message *message)
{
	struct server *server = client->server;
	struct laya_message out = *message;
	struct client *to;
	int ret = -ENOTCONN;

	if (laya_key_equal(message->sealed.key, server->public_key)) {
		handle_own(client, message);
		return;
	}
	to = registry_find(&server->registry, message->sealed.key);
	if (to && to != client) {
		memcpy(out.sealed.key, client->key, LAYA_KEY_SIZE);
		ret = laya_channel_send(to->channel, &out);
	}
	if (!ret) {
		server->stats.routed++;
	} else if (ret == -ENOBUFS) {
		server->stats.queue_full++;
		send_error(client, message->id,
			   LAYA_MESSAGE_ERROR_RATE_LIMITED);
	} else {
		server->stats.unreachable++;
		send_error(client, message->id,
			   LAYA_MESSAGE_ERROR_UNREACHABLE);
	}
}

static bool may_send(struct client *client, const struct laya_message *message)
{
	struct limits *limits = &client->server->limits;
	uint64_t now = uv_now(client->server->loop);

	return bucket_take(&client->messages, &limits->messages, now, 1) &&
	       bucket_take(&client->bytes, &limits->bytes, now,
			   message->sealed.body_len);
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct client *client = data;

	if (client->attaches) {
		if (relay_attach_message(client->server->relay, channel,
					 message, &client->caller))
			violate(client, "message that is not for a relay");
		return;
	}
	switch (message->type) {
	case LAYA_MESSAGE_REGISTER:
		handle_register(client, message);
		break;
	case LAYA_MESSAGE_OFFER:
	case LAYA_MESSAGE_ANSWER:
	case LAYA_MESSAGE_FOLLOWUP:
		if (!client->registered) {
			violate(client, "message before register");
		} else if (!may_send(client, message)) {
			client->server->stats.rate_limited++;
			send_error(client, message->id,
				   LAYA_MESSAGE_ERROR_RATE_LIMITED);
		} else {
			handle_sealed(client, message);
		}
		break;
	case LAYA_MESSAGE_ERROR:
		/* It does not say to whom; nothing to be done. */
		break;
	default:
		violate(client, "message that is not for a rendezvous");
		break;
	}
}

static int on_frame(struct laya_channel *channel, size_t len, void *data)
{
	struct client *client = data;

	(void)channel;
	(void)len;
	if (bucket_take(&client->frames, &client->server->limits.frames,
			uv_now(client->server->loop), 1))
		return 0;
	return -EDQUOT;
}

static void on_ready(struct laya_channel *channel, void *data)
{
	struct client *client = data;
	struct server *server = client->server;

	memcpy(client->key, laya_channel_remote_key(channel), LAYA_KEY_SIZE);
	client->open = true;
	client->attaches = strcmp(laya_channel_prologue(channel),
				  LAYA_PROLOGUE_ATTACH) == 0;
	TAILQ_REMOVE(&server->half_open, client, all);
	server->n_half_open--;
	TAILQ_INSERT_TAIL(&server->open, client, all);
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	struct client *client = data;

	(void)channel;
	laya_debug("%s", reason);
	if (!client->open)
		client->server->stats.no_handshake++;
	else if (error == -EBADMSG || error == -EDQUOT)
		client->server->stats.violations++;
	forget(client);
}

static void on_drained(struct laya_channel *channel, void *data)
{
	struct client *client = data;

	(void)channel;
	if (client->relays_owed)
		client_send_relays(client);
}

static const struct laya_channel_ops ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
	.drained = on_drained,
	.frame = on_frame,
};

/* Make room for one more, at the cost of who has shown no key for longest. */
static bool make_room(struct server *server)
{
	if (server->n_clients < server->limits.clients &&
	    server->n_half_open < server->limits.half_open)
		return true;
	if (TAILQ_EMPTY(&server->half_open))
		return false;
	server->stats.evicted++;
	client_close(TAILQ_FIRST(&server->half_open));
	return true;
}

static struct client *new_client(struct server *server,
				 const struct laya_address *remote)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->server = server;
	client->source = sources_connect(&server->sources, remote,
					 &server->limits.arrivals,
					 server->limits.source_clients,
					 uv_now(server->loop));
	if (!client->source) {
		server->stats.refused_source++;
		free(client);
		return NULL;
	}
	return client;
}

/**
 * client_take() - take a connection, or refuse it
 * @server: the server
 * @accepted: the connection, a channel; it is ours, or closed, after this
 */
void client_take(struct server *server, const struct laya_accepted *accepted)
{
	struct client *client = new_client(server, &accepted->remote);
	int ret;

	if (!client) {
		close(accepted->fd);
		return;
	}
	client->local = accepted->local;
	if (!make_room(server)) {
		server->stats.refused_full++;
		close(accepted->fd);
		goto err_client;
	}
	ret = laya_channel_open(&client->channel, server->loop,
				&server->channel_config, accepted->fd, NULL,
				&accepted->remote, NULL, &ops, client);
	if (ret) {
		laya_debug("a client is not taken: %s", strerror(-ret));
		goto err_client;
	}
	server->stats.accepted++;
	TAILQ_INSERT_TAIL(&server->half_open, client, all);
	server->n_half_open++;
	server->n_clients++;
	return;

err_client:
	sources_disconnect(&server->sources, client->source);
	free(client);
}
