// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "dial.h"
#include "log.h"
#include "relay.h"
#include "relay_control.h"
#include "relay_stream.h"
#include "relay_trunk.h"

/* How long UDP has before a stream is dialled as well */
#define FALLBACK_MS		1000
/* Between probes of a path that answers, and how long it may be silent */
#define PROBE_MS		5000
#define SILENT_MS		15000
/* The same once a host has said that nothing comes through */
#define DOUBT_MS		3000
/* A new session is made in time; the next try if nothing comes of it */
#define REKEY_MS		1800000
#define REKEY_RETRY_MS		20000

/**
 * struct relay_trunk_use - a host that has named a forwarder
 * @entry: in the uses of @trunk
 * @trunk: which leads there
 * @host: the host
 * @waiting: its request @id is not answered yet
 * @id: of its last request
 * @asked: milliseconds, when that was
 */
struct relay_trunk_use {
	TAILQ_ENTRY(relay_trunk_use) entry;
	struct relay_trunk *trunk;
	struct relay_host *host;
	bool waiting;
	uint64_t id;
	uint64_t asked;
};

/**
 * struct relay_trunk - a forwarder that hosts have named
 * @entry: relay->trunks
 * @relay: ours
 * @self: who we are to it
 * @far: it
 * @address: at which it is dialled
 * @towards: while it is being dialled
 * @began: milliseconds, when that began
 * @channel: while there is one
 * @offering: @offer, in messages with @offer_id, was made and not answered
 * @offer: the newest
 * @offer_id: likewise
 * @offered: milliseconds, when it was made
 * @stamp: of that
 * @session: there is a session
 * @dialled: milliseconds, when the first path was dialled
 * @stream: a stream was dialled as well
 * @dial: until that is connected
 * @probed: milliseconds, when it was probed last
 * @doubted: milliseconds, when a host asked though it leads there; or 0
 * @uses: by whom
 */
struct relay_trunk {
	TAILQ_ENTRY(relay_trunk) entry;
	struct relay *relay;
	struct laya_identity self;
	struct relay_host *far;
	struct laya_address address;
	struct source *towards;
	uint64_t began;
	struct laya_channel *channel;
	bool offering;
	struct laya_offer offer;
	uint64_t offer_id;
	uint64_t offered;
	uint64_t stamp;
	bool session;
	uint64_t dialled;
	bool stream;
	struct laya_dial *dial;
	uint64_t probed;
	uint64_t doubted;
	TAILQ_HEAD(, relay_trunk_use) uses;
};

static void refuse(struct relay_host *host, uint64_t id,
		   enum laya_message_error code)
{
	const struct laya_message error = {
		.type = LAYA_MESSAGE_ERROR,
		.id = id,
		.code = code,
	};

	relay_control_send(host, &error);
}

static void tell(struct relay_trunk_use *use)
{
	struct relay_trunk *trunk = use->trunk;
	struct relay *relay = trunk->relay;
	struct laya_message reply = {
		.type = LAYA_MESSAGE_TRUNK,
		.id = use->id,
		.trunk.lifetime = RELAY_LABEL_LIFE_MS / 1000,
	};
	struct relay_label *label;

	use->waiting = false;
	label = relay_label_set(&relay->table, &trunk->far->labels,
				use->host->handshake.key, relay->now);
	if (!label) {
		refuse(use->host, use->id, LAYA_MESSAGE_ERROR_RATE_LIMITED);
		return;
	}
	label->user = &use->host->labels;
	memcpy(reply.trunk.label.key, trunk->far->handshake.key,
	       LAYA_KEY_SIZE);
	laya_put48(reply.trunk.label.label, label->issued.value);
	relay_control_send(use->host, &reply);
}

/* The label goes with it: it is bound to the host. */
static void end_use(struct relay_trunk_use *use)
{
	struct relay_trunk *trunk = use->trunk;
	struct relay_label *label;

	label = relay_label_for(&trunk->far->labels, use->host->handshake.key);
	if (label)
		relay_label_release(&trunk->relay->table, &trunk->far->labels,
				    label->issued.value);
	laya_trunk_unuse(&use->host->trunks);
	TAILQ_REMOVE(&trunk->uses, use, entry);
	free(use);
}

static void dialled(struct relay_trunk *trunk)
{
	if (trunk->towards)
		laya_trunk_dialled(&trunk->relay->trunking, trunk->towards);
	trunk->towards = NULL;
}

static void close_channel(struct relay_trunk *trunk)
{
	if (trunk->channel)
		laya_channel_close(trunk->channel);
	trunk->channel = NULL;
	if (trunk->dial)
		laya_dial_close(trunk->dial);
	trunk->dial = NULL;
}

/* It leads nowhere (any more): hosts ask again, if they still want it. */
static void lost(struct relay_trunk *trunk, const char *reason)
{
	struct relay *relay = trunk->relay;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct relay_trunk_use *use;

	laya_address_format(text, &trunk->address);
	laya_debug("no trunk to the forwarder %s: %s", text, reason);
	dialled(trunk);
	close_channel(trunk);
	while ((use = TAILQ_FIRST(&trunk->uses))) {
		if (use->waiting)
			refuse(use->host, use->id,
			       LAYA_MESSAGE_ERROR_UNREACHABLE);
		end_use(use);
	}
	TAILQ_REMOVE(&relay->trunks, trunk, entry);
	laya_trunk_end(&relay->trunking);
	relay_host_free(trunk->far);
	sodium_memzero(trunk, sizeof(*trunk));
	free(trunk);
}

/**
 * relay_trunk_reached() - the far forwarder has answered a probe
 * @trunk: the trunk that leads there
 */
void relay_trunk_reached(struct relay_trunk *trunk)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct relay_trunk_use *use;

	if (!trunk->towards)
		return;
	laya_address_format(text, &trunk->address);
	laya_info("a trunk to the forwarder %s, which hosts have named", text);
	dialled(trunk);
	close_channel(trunk);
	TAILQ_FOREACH(use, &trunk->uses, entry) {
		if (use->waiting)
			tell(use);
	}
}

/* Once there is a session, within that */
static void send_sealed(struct relay_trunk *trunk,
			enum laya_message_type type, const uint8_t *body,
			size_t len)
{
	struct laya_message message = {
		.type = type,
		.id = trunk->offer_id,
		.sealed.body = body,
		.sealed.body_len = len,
	};

	memcpy(message.sealed.key, trunk->far->handshake.key, LAYA_KEY_SIZE);
	if (trunk->channel)
		laya_channel_send(trunk->channel, &message);
	else
		relay_control_send(trunk->far, &message);
}

/* Stamps of a key that nobody has seen before need not outlive it. */
static uint64_t next_stamp(struct relay_trunk *trunk)
{
	struct timespec now;
	uint64_t stamp;

	clock_gettime(CLOCK_REALTIME, &now);
	stamp = now.tv_sec * 1000000ull + now.tv_nsec / 1000;
	trunk->stamp = stamp > trunk->stamp ? stamp : trunk->stamp + 1;
	return trunk->stamp;
}

/* Return: 0, or a negative errno. */
static int make_offer(struct relay_trunk *trunk)
{
	/* It is not to dial us. */
	static const struct laya_candidates none;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;
	int ret;

	laya_offer_wipe(&trunk->offer);
	ret = laya_offer_make(&trunk->offer, &trunk->self,
			      &trunk->far->handshake, next_stamp(trunk),
			      relay_host_index(trunk->relay), &none, body,
			      sizeof(body), &len);
	trunk->offering = !ret;
	if (ret)
		return ret;
	randombytes_buf(&trunk->offer_id, sizeof(trunk->offer_id));
	trunk->offered = trunk->relay->now;
	send_sealed(trunk, LAYA_MESSAGE_OFFER, body, len);
	return 0;
}

/**
 * relay_trunk_answered() - the far forwarder has answered an offer
 * @trunk: the trunk that leads there
 * @answer: ANSWER
 *
 * Return: whether it is an answer to ours, and there is a new session.
 */
bool relay_trunk_answered(struct relay_trunk *trunk,
			  const struct laya_message *answer)
{
	static const struct laya_candidates none;
	struct laya_candidates candidates;
	struct laya_session_keys keys;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;
	int ret;

	if (!trunk->offering || answer->id != trunk->offer_id ||
	    laya_answer_read(&keys, &candidates, &trunk->offer,
			     answer->sealed.body, answer->sealed.body_len))
		return false;
	ret = laya_followup_make(&keys, &none, body, sizeof(body), &len);
	if (!ret)
		ret = relay_host_session(trunk->far, &keys);
	if (!ret) {
		send_sealed(trunk, LAYA_MESSAGE_FOLLOWUP, body, len);
		relay_host_confirm(trunk->far, keys.rx_index);
		trunk->session = true;
		trunk->offering = false;
		laya_offer_wipe(&trunk->offer);
	}
	laya_session_keys_wipe(&keys);
	return !ret;
}

static void on_ready(struct laya_channel *channel, void *data)
{
	struct relay_trunk *trunk = data;

	(void)channel;
	relay_turn(trunk->relay);
	if (make_offer(trunk))
		lost(trunk, "no offer could be made");
}

static void dial_udp(struct relay_trunk *trunk,
		     const struct laya_address *address)
{
	struct relay_endpoint end;

	trunk->dialled = trunk->relay->now;
	if (relay_socket_towards(trunk->relay, address, &end))
		relay_host_dial(trunk->far, 0, &end);
}

static void on_dialled(struct laya_dial *dial, int fd, struct laya_pump *pump,
		       const struct laya_dial_evidence *evidence, void *data)
{
	struct relay_trunk *trunk = data;
	struct laya_accepted accepted = {
		.kind = LAYA_ACCEPTED_CARRIER,
		.fd = fd,
		.remote = trunk->address,
	};
	struct relay_endpoint end;

	(void)dial;
	(void)pump;
	(void)evidence;
	trunk->dial = NULL;
	/* Else there is UDP alone, until the time is over. */
	if (fd >= 0 && relay_stream_take(trunk->relay, &accepted, &end))
		relay_host_dial(trunk->far, 1, &end);
}

static const struct laya_dial_ops dial_ops = {
	.done = on_dialled,
};

/* Once: a trunk that is lost is dialled anew when a host asks for it. */
static void dial_stream(struct relay_trunk *trunk)
{
	struct laya_dial_options options;
	char host[INET6_ADDRSTRLEN];
	const struct laya_dial_target target = {
		.host = host,
		.port = trunk->address.port,
		.transport = LAYA_TRANSPORT_TCP,
	};

	trunk->stream = true;
	uv_inet_ntop(trunk->address.family, trunk->address.addr, host,
		     sizeof(host));
	laya_dial_options_default(&options);
	options.proxy = "none";
	options.timeout = LAYA_TRUNK_DIAL_MS;
	if (laya_dial(&trunk->dial, trunk->relay->loop, &target, &options,
		      &dial_ops, trunk))
		trunk->dial = NULL;
}

static void on_message(struct laya_channel *channel,
		       const struct laya_message *message, void *data)
{
	struct relay_trunk *trunk = data;

	relay_turn(trunk->relay);
	if (message->type == LAYA_MESSAGE_ANSWER) {
		if (relay_trunk_answered(trunk, message))
			dial_udp(trunk, laya_channel_remote_address(channel));
	} else if (message->type == LAYA_MESSAGE_ERROR) {
		lost(trunk, laya_message_error_text(message->code));
	}
}

static void on_closed(struct laya_channel *channel, int error,
		      const char *reason, void *data)
{
	struct relay_trunk *trunk = data;

	(void)channel;
	(void)error;
	relay_turn(trunk->relay);
	trunk->channel = NULL;
	/* With a session its path decides. */
	if (!trunk->session)
		lost(trunk, reason);
}

static const struct laya_channel_ops ops = {
	.ready = on_ready,
	.message = on_message,
	.closed = on_closed,
};

static int connect_to(struct relay_trunk *trunk)
{
	struct laya_channel_config config;
	char host[INET6_ADDRSTRLEN];
	char port[6];
	int ret;

	uv_inet_ntop(trunk->address.family, trunk->address.addr, host,
		     sizeof(host));
	snprintf(port, sizeof(port), "%u", trunk->address.port);
	laya_channel_config_client(&config, LAYA_PROLOGUE_ATTACH,
				   trunk->self.private_key);
	config.connect_timeout = LAYA_TRUNK_DIAL_MS;
	ret = laya_channel_connect(&trunk->channel, trunk->relay->loop, &config,
				   host, port, trunk->far->handshake.key, &ops,
				   trunk);
	sodium_memzero(&config, sizeof(config));
	if (ret)
		trunk->channel = NULL;
	return ret;
}

static int become_somebody(struct relay_trunk *trunk)
{
	uint8_t private_key[LAYA_KEY_SIZE];
	int ret;

	ret = laya_key_generate(private_key);
	if (!ret)
		ret = laya_identity_init(&trunk->self, private_key,
					 trunk->relay->self.accelerated);
	sodium_memzero(private_key, sizeof(private_key));
	return ret;
}

static struct relay_trunk *make(struct relay *relay, const uint8_t *key,
				const struct laya_address *address)
{
	struct relay_trunk *trunk = calloc(1, sizeof(*trunk));

	if (!trunk)
		return NULL;
	trunk->relay = relay;
	trunk->address = *address;
	trunk->began = relay->now;
	TAILQ_INIT(&trunk->uses);
	if (!become_somebody(trunk))
		trunk->far = relay_host_far(relay, trunk, &trunk->self, key);
	if (trunk->far)
		return trunk;
	sodium_memzero(trunk, sizeof(*trunk));
	free(trunk);
	return NULL;
}

static const struct laya_address *choose(const struct relay *relay,
					 const struct laya_addresses *addresses)
{
	struct relay_endpoint end;
	unsigned int i;

	for (i = 0; i < addresses->n; i++) {
		if (laya_trunk_leads(relay->trunk_to, &addresses->list[i]) &&
		    relay_socket_towards(relay, &addresses->list[i], &end))
			return &addresses->list[i];
	}
	return NULL;
}

/* Return: 0, or the code of an error to answer with. */
static int dial(struct relay_host *host, const struct laya_message *request,
		struct relay_trunk **out)
{
	const uint8_t *key = request->trunk_request.key;
	const struct laya_address *address;
	struct relay *relay = host->relay;
	struct relay_trunk *trunk;
	struct source *towards;

	address = choose(relay, &request->trunk_request.addresses);
	if (!address || laya_key_equal(key, relay->self.public_key))
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	towards = laya_trunk_dial(&relay->trunking, &host->trunks, address,
				  relay->now);
	if (!towards)
		return LAYA_MESSAGE_ERROR_RATE_LIMITED;
	trunk = make(relay, key, address);
	if (!trunk) {
		laya_trunk_dialled(&relay->trunking, towards);
		laya_trunk_end(&relay->trunking);
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	}
	trunk->towards = towards;
	TAILQ_INSERT_TAIL(&relay->trunks, trunk, entry);
	if (connect_to(trunk)) {
		lost(trunk, "it cannot be dialled");
		return LAYA_MESSAGE_ERROR_UNREACHABLE;
	}
	*out = trunk;
	return 0;
}

/*
 * One whose key is proven is the same for all, wherever they say that it is; what is
 * still being dialled, for those alone who say the same.
 */
static struct relay_trunk *find(const struct relay *relay,
				const struct laya_message *request)
{
	struct relay_trunk *trunk;

	TAILQ_FOREACH(trunk, &relay->trunks, entry) {
		if (!laya_key_equal(trunk->far->handshake.key,
				    request->trunk_request.key))
			continue;
		if (!trunk->towards ||
		    laya_addresses_have(&request->trunk_request.addresses,
					&trunk->address))
			return trunk;
	}
	return NULL;
}

static struct relay_trunk_use *find_use(const struct relay_host *host,
					const uint8_t *key)
{
	struct relay_trunk_use *use;
	struct relay_trunk *trunk;

	TAILQ_FOREACH(trunk, &host->relay->trunks, entry) {
		if (!laya_key_equal(trunk->far->handshake.key, key))
			continue;
		TAILQ_FOREACH(use, &trunk->uses, entry) {
			if (use->host == host)
				return use;
		}
	}
	return NULL;
}

/* Return: 0, or the code of an error to answer with. */
static int begin_use(struct relay_host *host,
		     const struct laya_message *request,
		     struct relay_trunk_use **out)
{
	struct relay_trunk *trunk = find(host->relay, request);
	struct relay_trunk_use *use;
	int error = 0;

	if (!laya_trunk_use(&host->trunks))
		return LAYA_MESSAGE_ERROR_RATE_LIMITED;
	use = calloc(1, sizeof(*use));
	if (!use)
		error = LAYA_MESSAGE_ERROR_RATE_LIMITED;
	else if (!trunk)
		error = dial(host, request, &trunk);
	if (error) {
		laya_trunk_unuse(&host->trunks);
		free(use);
		return error;
	}
	use->trunk = trunk;
	use->host = host;
	TAILQ_INSERT_TAIL(&trunk->uses, use, entry);
	*out = use;
	return 0;
}

static void probe(struct relay_trunk *trunk)
{
	trunk->probed = trunk->relay->now;
	relay_host_probe(trunk->far);
}

/**
 * relay_trunk_asked() - a host names a forwarder to which it wants to be forwarded
 * @host: the host
 * @request: TRUNK_REQUEST, the first, again, or to keep what there is
 */
void relay_trunk_asked(struct relay_host *host,
		       const struct laya_message *request)
{
	struct relay_trunk_use *use;
	struct relay_trunk *trunk;
	int error;

	host->heard = host->relay->now;
	use = find_use(host, request->trunk_request.key);
	if (!use) {
		error = begin_use(host, request, &use);
		if (error) {
			laya_debug("%s: names a forwarder to which there is no trunk: %s",
				   relay_host_text(host),
				   laya_message_error_text(error));
			refuse(host, request->id, error);
			return;
		}
	}
	trunk = use->trunk;
	use->id = request->id;
	use->waiting = true;
	use->asked = host->relay->now;
	if (trunk->towards)
		return;
	/* Does it still lead there? */
	if (!trunk->doubted)
		trunk->doubted = host->relay->now;
	probe(trunk);
	tell(use);
}

/**
 * relay_trunk_release() - a host wants a label no more
 * @host: the host
 * @value: the label
 *
 * Return: whether it is that of a trunk.
 */
bool relay_trunk_release(struct relay_host *host, uint64_t value)
{
	const struct relay_label *label;
	struct relay_trunk_use *use;
	struct relay_trunk *trunk;

	TAILQ_FOREACH(trunk, &host->relay->trunks, entry) {
		label = relay_label_for(&trunk->far->labels,
					host->handshake.key);
		if (!label || label->issued.value != value)
			continue;
		TAILQ_FOREACH(use, &trunk->uses, entry) {
			if (use->host == host)
				break;
		}
		if (use)
			end_use(use);
		if (TAILQ_EMPTY(&trunk->uses))
			lost(trunk, "no host asks for it");
		return true;
	}
	return false;
}

/* End the uses of one host, or those that nobody has asked for in time. */
static void sweep(struct relay *relay, const struct relay_host *host)
{
	struct relay_trunk_use *use, *next_use;
	struct relay_trunk *trunk, *next;

	for (trunk = TAILQ_FIRST(&relay->trunks); trunk; trunk = next) {
		next = TAILQ_NEXT(trunk, entry);
		for (use = TAILQ_FIRST(&trunk->uses); use; use = next_use) {
			next_use = TAILQ_NEXT(use, entry);
			if (host ? use->host == host :
			    relay->now - use->asked >= LAYA_TRUNK_LIFE_MS)
				end_use(use);
		}
		if (TAILQ_EMPTY(&trunk->uses))
			lost(trunk, "no host asks for it");
	}
}

/**
 * relay_trunk_host_gone() - a host is not attached any more
 * @host: the host
 */
void relay_trunk_host_gone(struct relay_host *host)
{
	sweep(host->relay, host);
}

static void care_for(struct relay_trunk *trunk)
{
	const struct relay_session *session =
		trunk->far->sessions[RELAY_CURRENT];
	const struct relay_path *path = trunk->far->best;
	uint64_t now = trunk->relay->now;

	if (trunk->towards) {
		if (now - trunk->began >= LAYA_TRUNK_DIAL_MS)
			lost(trunk, "it does not answer");
		else if (trunk->session && !trunk->stream &&
			 now - trunk->dialled >= FALLBACK_MS)
			dial_stream(trunk);
		return;
	}
	if (path && trunk->doubted && path->heard >= trunk->doubted)
		trunk->doubted = 0;
	if (!path || now - path->heard >= SILENT_MS ||
	    (trunk->doubted && now - trunk->doubted >= DOUBT_MS)) {
		lost(trunk, "it does not answer any more");
		return;
	}
	if (trunk->doubted || now - trunk->probed >= PROBE_MS)
		probe(trunk);
	/* A node does so itself, a relay does not. */
	if (session && now - session->created >= REKEY_MS &&
	    now - trunk->offered >= REKEY_RETRY_MS && make_offer(trunk))
		laya_debug("a trunk: no offer could be made");
}

/**
 * relay_trunk_stream_lost() - a stream has ended: nothing comes by it any more
 * @relay: ours
 * @end: the stream
 */
void relay_trunk_stream_lost(struct relay *relay,
			     const struct relay_endpoint *end)
{
	struct relay_trunk *trunk;

	TAILQ_FOREACH(trunk, &relay->trunks, entry)
		relay_host_lost_at(trunk->far, end);
}

/**
 * relay_trunk_care() - see that trunks lead there, and that they are wanted
 * @relay: ours
 */
void relay_trunk_care(struct relay *relay)
{
	struct relay_trunk *trunk, *next;

	sweep(relay, NULL);
	for (trunk = TAILQ_FIRST(&relay->trunks); trunk; trunk = next) {
		next = TAILQ_NEXT(trunk, entry);
		relay_host_care_for(trunk->far);
		care_for(trunk);
	}
}

/**
 * relay_trunk_close() - end all of them
 * @relay: ours
 */
void relay_trunk_close(struct relay *relay)
{
	while (!TAILQ_EMPTY(&relay->trunks))
		lost(TAILQ_FIRST(&relay->trunks), "the relay ends");
}
