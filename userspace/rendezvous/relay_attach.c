// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "log.h"
#include "relay.h"
#include "relay_attach.h"
#include "relay_carry.h"
#include "relay_trunk.h"
#include "udp_stream.h"

/**
 * struct relay_connection - a channel of somebody who attaches
 * @entry: relay->connections
 * @relay: ours
 * @channel: the channel
 * @source: from where
 * @caller: what was asked for on it
 */
struct relay_connection {
	TAILQ_ENTRY(relay_connection) entry;
	struct relay *relay;
	struct laya_channel *channel;
	struct source *source;
	struct relay_caller caller;
};

static struct laya_handshake_peer *lookup(void *data, const uint8_t *key)
{
	struct relay_host *host = data;

	(void)key;
	return &host->handshake;
}

static int make_answer(struct relay_host *host, struct laya_request *request,
		       uint64_t id)
{
	/* A relay is dialled, and dials nobody. */
	static const struct laya_candidates none;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;
	int ret;

	laya_session_keys_wipe(&host->answer_keys);
	free(host->answer);
	host->answer = NULL;
	ret = laya_answer_make(&host->answer_keys, request, host->self,
			       relay_host_index(host->relay), &none, body,
			       sizeof(body), &len);
	if (ret)
		return ret;
	ret = relay_host_session(host, &host->answer_keys);
	if (ret)
		return ret;
	host->answer = malloc(len);
	if (!host->answer)
		return -ENOMEM;
	memcpy(host->answer, body, len);
	host->answer_len = len;
	host->answer_id = id;
	return 0;
}

/**
 * relay_attach_offer() - a host offers a session
 * @host: who, which its channel or session has proven
 * @offer: OFFER
 * @reply: where to put the answer; its body is gone with the host
 *
 * Return: 0, or a negative errno: no answer.
 */
int relay_attach_offer(struct relay_host *host,
		       const struct laya_message *offer,
		       struct laya_message *reply)
{
	const struct laya_handshake_table table = {
		.lookup = lookup,
		.data = host,
	};
	struct relay *relay = host->relay;
	struct laya_request request;
	int ret;

	if (!bucket_take(&host->offers, &relay->limits.offers, relay->now, 1))
		return -EDQUOT;
	ret = laya_offer_read(&request, host->self, &table,
			      host->handshake.key, offer->sealed.body,
			      offer->sealed.body_len);
	if (!ret)
		ret = make_answer(host, &request, offer->id);
	else if (ret == -EALREADY && host->answer)
		ret = 0;
	laya_request_wipe(&request);
	if (ret) {
		laya_debug("%s: its offer is not answered: %s",
			   relay_host_text(host), strerror(-ret));
		return ret;
	}
	host->heard = relay->now;
	memset(reply, 0, sizeof(*reply));
	reply->type = LAYA_MESSAGE_ANSWER;
	reply->id = offer->id;
	memcpy(reply->sealed.key, host->handshake.key, LAYA_KEY_SIZE);
	reply->sealed.body = host->answer;
	reply->sealed.body_len = host->answer_len;
	return 0;
}

/**
 * relay_attach_followup() - a host's last message of a handshake
 * @host: who
 * @message: FOLLOWUP
 *
 * Return: whether it is one that was expected, now or before.
 */
bool relay_attach_followup(struct relay_host *host,
			   const struct laya_message *message)
{
	struct laya_candidates candidates;
	int ret;

	if (!host->answer || host->answer_id != message->id)
		return false;
	ret = laya_followup_read(&host->answer_keys, &candidates,
				 message->sealed.body,
				 message->sealed.body_len);
	if (ret == 0)
		relay_host_confirm(host, host->answer_keys.rx_index);
	return ret == 0 || ret == -EALREADY;
}

/* Percent: how near the end is */
static uint32_t load(const struct relay *relay)
{
	const struct relay_limits *limits = &relay->limits;
	uint32_t hosts = relay->n_hosts * 100ull / limits->hosts;
	uint32_t labels = relay->table.n_labels * 100ull / limits->table.labels;

	return hosts > labels ? hosts : labels;
}

/**
 * relay_attach_label_request() - a host wants labels
 * @host: who
 * @request: LABEL_REQUEST
 * @reply: where to put the answer
 *
 * Return: 0; -EBUSY if there is none for it.
 */
int relay_attach_label_request(struct relay_host *host,
			       const struct laya_message *request,
			       struct laya_message *reply)
{
	struct relay *relay = host->relay;
	struct relay_label *label;
	struct laya_label *out;
	unsigned int i;

	host->heard = relay->now;
	memset(reply, 0, sizeof(*reply));
	reply->type = LAYA_MESSAGE_LABELS;
	reply->id = request->id;
	for (i = 0; i < request->label_request.n; i++) {
		label = relay_label_set(&relay->table, &host->labels,
					request->label_request.keys[i],
					relay->now);
		if (!label) {
			laya_debug("%s: has all the labels that it may have",
				   relay_host_text(host));
			break;
		}
		out = &reply->labels.list[reply->labels.n++];
		memcpy(out->key, label->for_key, LAYA_KEY_SIZE);
		laya_put48(out->label, label->issued.value);
	}
	reply->labels.lifetime = RELAY_LABEL_LIFE_MS / 1000;
	reply->labels.load = load(relay);
	relay_addresses(relay, NULL, &reply->labels.addresses);
	return i > 0 && reply->labels.n == 0 ? -EBUSY : 0;
}

/**
 * relay_attach_label_release() - a host wants labels no more
 * @host: who
 * @message: LABEL_RELEASE
 */
void relay_attach_label_release(struct relay_host *host,
				const struct laya_message *message)
{
	unsigned int i;
	uint64_t value;

	for (i = 0; i < message->label_release.n; i++) {
		value = laya_get48(message->label_release.labels[i]);
		if (!relay_trunk_release(host, value))
			relay_label_release(&host->relay->table, &host->labels,
					    value);
	}
}

static void end_connection(struct relay_connection *connection)
{
	struct relay *relay = connection->relay;

	relay_caller_end(&connection->caller);
	TAILQ_REMOVE(&relay->connections, connection, entry);
	relay->n_connections--;
	sources_disconnect(&relay->callers, connection->source);
	free(connection);
}

static void close_connection(struct relay_connection *connection)
{
	laya_channel_close(connection->channel);
	end_connection(connection);
}

static void send_error(struct laya_channel *channel, uint64_t id,
		       enum laya_message_error code)
{
	const struct laya_message error = {
		.type = LAYA_MESSAGE_ERROR,
		.id = id,
		.code = code,
	};

	laya_channel_send(channel, &error);
}

static void handle_offer(struct relay *relay, struct laya_channel *channel,
			 const struct laya_message *message,
			 struct relay_caller *caller)
{
	struct laya_message reply;
	struct relay_host *host;
	bool fresh = false;

	if (++caller->offers > RELAY_CALLER_OFFERS) {
		send_error(channel, message->id,
			   LAYA_MESSAGE_ERROR_RATE_LIMITED);
		return;
	}
	host = relay_host_find(relay, laya_channel_remote_key(channel));
	if (!host) {
		host = relay_host_new(relay, laya_channel_remote_key(channel),
				      laya_channel_remote_address(channel));
		fresh = true;
	}
	if (!host) {
		laya_debug("no room for one more host: there are %u",
			   relay->n_hosts);
		send_error(channel, message->id,
			   LAYA_MESSAGE_ERROR_RATE_LIMITED);
		return;
	}
	if (relay_attach_offer(host, message, &reply)) {
		if (fresh)
			relay_host_free(host);
		return;
	}
	if (fresh)
		laya_debug("%s: attached", relay_host_text(host));
	laya_channel_send(channel, &reply);
}

static void handle_label_request(struct laya_channel *channel,
				 struct relay_host *host,
				 const struct laya_message *message)
{
	struct laya_message reply;

	if (host && !relay_attach_label_request(host, message, &reply))
		laya_channel_send(channel, &reply);
	else
		send_error(channel, message->id,
			   LAYA_MESSAGE_ERROR_RATE_LIMITED);
}

/**
 * relay_attach_message() - a message of a host, over a channel
 * @relay: ours
 * @channel: the channel
 * @message: the message
 * @caller: what the channel has asked for before
 *
 * Return: 0, or -EPROTO: the channel is to be closed.
 */
int relay_attach_message(struct relay *relay, struct laya_channel *channel,
			 const struct laya_message *message,
			 struct relay_caller *caller)
{
	struct relay_host *host;
	int error;

	relay_turn(relay);
	if ((message->type == LAYA_MESSAGE_OFFER ||
	     message->type == LAYA_MESSAGE_FOLLOWUP) &&
	    !laya_key_equal(message->sealed.key, relay->self.public_key)) {
		error = relay_carry(relay, channel, caller, message);
		if (error)
			send_error(channel, message->id, error);
		return 0;
	}
	host = relay_host_find(relay, laya_channel_remote_key(channel));
	switch (message->type) {
	case LAYA_MESSAGE_OFFER:
		handle_offer(relay, channel, message, caller);
		return 0;
	case LAYA_MESSAGE_FOLLOWUP:
		if (host)
			relay_attach_followup(host, message);
		return 0;
	case LAYA_MESSAGE_LABEL_REQUEST:
		handle_label_request(channel, host, message);
		return 0;
	case LAYA_MESSAGE_LABEL_RELEASE:
		if (host)
			relay_attach_label_release(host, message);
		return 0;
	default:
		laya_debug("%s is not for a relay; connection closed",
			   laya_message_type_name(message->type));
		return -EPROTO;
	}
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct relay_connection *connection = data;

	if (relay_attach_message(connection->relay, channel, message,
				 &connection->caller))
		close_connection(connection);
}

static void on_ready(struct laya_channel *channel, void *data)
{
	(void)channel;
	(void)data;
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	(void)channel;
	(void)error;
	laya_debug("attaching: %s", reason);
	end_connection(data);
}

static const struct laya_channel_ops ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
};

/**
 * relay_attach_take() - take a channel, or refuse it
 * @relay: ours
 * @accepted: the connection; it is ours, or closed, after this
 */
void relay_attach_take(struct relay *relay,
		       const struct laya_accepted *accepted)
{
	struct laya_channel_config config;
	struct relay_connection *connection;
	int ret;

	relay_turn(relay);
	/* The oldest makes room: attaching takes a few round trips. */
	if (relay->n_connections >= relay->limits.connections)
		close_connection(TAILQ_FIRST(&relay->connections));
	connection = calloc(1, sizeof(*connection));
	if (!connection) {
		close(accepted->fd);
		return;
	}
	connection->relay = relay;
	connection->source =
		sources_connect(&relay->callers, &accepted->remote,
				&relay->limits.arrivals,
				relay->limits.source_connections, relay->now);
	if (!connection->source) {
		close(accepted->fd);
		goto err_free;
	}
	laya_channel_config_server(&config, LAYA_PROLOGUE_ATTACH,
				   relay->self.private_key);
	ret = laya_channel_open(&connection->channel, relay->loop, &config,
				accepted->fd, NULL, &accepted->remote, NULL,
				&ops, connection);
	sodium_memzero(&config, sizeof(config));
	if (ret)
		goto err_source;
	TAILQ_INSERT_TAIL(&relay->connections, connection, entry);
	relay->n_connections++;
	return;

err_source:
	sources_disconnect(&relay->callers, connection->source);
err_free:
	free(connection);
}

static void send_packet(const struct laya_udp_end *to, const uint8_t *bytes,
			size_t len)
{
	struct relay_endpoint end = { .socket = to->socket };
	struct sockaddr_storage ss;
	socklen_t size;

	size = laya_address_to_sockaddr(&to->remote, &ss);
	memcpy(&end.remote, &ss, size);
	memcpy(end.local, to->local.addr, sizeof(end.local));
	relay_socket_send(&end, bytes, len);
}

/**
 * relay_attach_packet() - something came by UDP that is no packet of Laya's
 * @relay: ours
 * @from: whence
 * @packet: it
 * @len: its length
 *
 * Return: whether it is of a channel by UDP, and was dealt with.
 */
bool relay_attach_packet(struct relay *relay, const struct relay_endpoint *from,
			 const uint8_t *packet, size_t len)
{
	struct laya_udp_end end = {
		.send = send_packet,
		.socket = from->socket,
	};

	if (relay_endpoint_is_stream(from) || len == 0 ||
	    packet[0] != LAYA_UDP_TYPE)
		return false;
	relay_endpoint_address(from, &end.remote);
	end.local.family = end.remote.family;
	end.local.port = relay->port;
	memcpy(end.local.addr, from->local, sizeof(end.local.addr));
	laya_listener_packet(relay->listener, &end, packet, len);
	return true;
}

/**
 * relay_attach_close() - end the channels that there are
 * @relay: ours
 */
void relay_attach_close(struct relay *relay)
{
	while (!TAILQ_EMPTY(&relay->connections))
		close_connection(TAILQ_FIRST(&relay->connections));
}
