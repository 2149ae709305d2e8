// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "log.h"
#include "relay.h"
#include "relay_control.h"
#include "relay_host.h"
#include "relay_trunk.h"

/* A path that was silent so long is gone: its NAT may have let go of it */
#define PATH_SILENT_MS		45000
#define CHALLENGE_MS		300
#define CHALLENGE_TRIES		3
/* What comes in is at most that, with shims; and so is what we send */
#define MAX_PACKET		2048
#define ALLOWANCE_MAX		65536

static struct relay_host_chain *chain_of(struct relay *relay,
					 const uint8_t key[LAYA_KEY_SIZE])
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t index;

	crypto_shorthash(hash, key, LAYA_KEY_SIZE, relay->hash_key);
	memcpy(&index, hash, sizeof(index));
	return &relay->hosts[index & relay->mask];
}

static struct relay_session *find_session(struct relay *relay, uint32_t index)
{
	struct relay_session *session;

	LIST_FOREACH(session, &relay->sessions[index & relay->mask], chain) {
		if (session->rx_index == index)
			return session;
	}
	return NULL;
}

/**
 * relay_host_find() - find an attached host
 * @relay: ours
 * @key: its key
 *
 * Return: the host or NULL.
 */
struct relay_host *relay_host_find(struct relay *relay,
				   const uint8_t key[LAYA_KEY_SIZE])
{
	struct relay_host *host;

	LIST_FOREACH(host, chain_of(relay, key), chain) {
		if (laya_key_equal(host->handshake.key, key))
			return host;
	}
	return NULL;
}

/**
 * relay_host_new() - a host begins to attach
 * @relay: ours
 * @key: its key, which is not there yet
 * @from: where it seems to be
 *
 * Return: the host; NULL if there are too many, here or from there, for a key
 * that is not valid, and without memory.
 */
struct relay_host *relay_host_new(struct relay *relay,
				  const uint8_t key[LAYA_KEY_SIZE],
				  const struct laya_address *from)
{
	struct relay_host *host;

	if (relay->n_hosts >= relay->limits.hosts)
		return NULL;
	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	host->self = &relay->self;
	if (laya_handshake_peer_init(&host->handshake, host->self, key, NULL))
		goto err_free;
	host->source = sources_connect(&relay->attached, from,
				       &relay->limits.arrivals,
				       relay->limits.source_hosts, relay->now);
	if (!host->source)
		goto err_free;
	host->relay = relay;
	host->heard = relay->now;
	relay_holder_init(&host->labels);
	LIST_INSERT_HEAD(chain_of(relay, key), host, chain);
	relay->n_hosts++;
	return host;

err_free:
	sodium_memzero(host, sizeof(*host));
	free(host);
	return NULL;
}

/**
 * relay_host_far() - another forwarder, to which a trunk is to lead
 * @relay: ours
 * @trunk: the trunk
 * @self: who we are to it, as long as it is there
 * @key: its key
 *
 * Return: it, in no table of hosts; NULL for a key that is not valid, and without
 * memory.
 */
struct relay_host *relay_host_far(struct relay *relay,
				  struct relay_trunk *trunk,
				  const struct laya_identity *self,
				  const uint8_t key[LAYA_KEY_SIZE])
{
	struct relay_host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->relay = relay;
	host->trunk = trunk;
	host->self = self;
	if (laya_handshake_peer_init(&host->handshake, self, key, NULL)) {
		free(host);
		return NULL;
	}
	relay_holder_init(&host->labels);
	return host;
}

static void drop_session(struct relay_host *host, enum relay_slot slot)
{
	if (host->sessions[slot])
		LIST_REMOVE(host->sessions[slot], chain);
	relay_session_free(host->sessions[slot]);
	host->sessions[slot] = NULL;
}

/**
 * relay_host_free() - a host is not attached any more
 * @host: the host
 */
void relay_host_free(struct relay_host *host)
{
	struct relay *relay = host->relay;
	unsigned int slot;

	if (!host->trunk)
		relay_trunk_host_gone(host);
	relay_holder_clear(&relay->table, &host->labels);
	for (slot = 0; slot < RELAY_SLOTS; slot++)
		drop_session(host, slot);
	if (host->is_tended)
		TAILQ_REMOVE(&relay->tending, host, tending);
	if (!host->trunk) {
		sources_disconnect(&relay->attached, host->source);
		LIST_REMOVE(host, chain);
		relay->n_hosts--;
	}
	free(host->answer);
	free(host->pieces);
	sodium_memzero(host, sizeof(*host));
	free(host);
}

/**
 * relay_host_text() - who a host is, for the log
 * @host: the host
 *
 * Return: a string that is overwritten by the next call.
 */
const char *relay_host_text(const struct relay_host *host)
{
	static char text[LAYA_KEY_TEXT_SIZE];

	laya_key_encode(text, host->handshake.key);
	return text;
}

/**
 * relay_host_session() - there is a new session with a host
 * @host: the host
 * @keys: what came out of its handshake
 *
 * It opens at once, and seals when the host has shown that it has the keys.
 *
 * Return: 0, or -ENOMEM.
 */
int relay_host_session(struct relay_host *host,
		       const struct laya_session_keys *keys)
{
	struct relay *relay = host->relay;
	struct relay_session *session;

	session = relay_session_new(keys, relay->now);
	if (!session)
		return -ENOMEM;
	session->host = host;
	session->serial = ++host->serial;
	drop_session(host, RELAY_NEXT);
	host->sessions[RELAY_NEXT] = session;
	LIST_INSERT_HEAD(&relay->sessions[session->rx_index & relay->mask],
			 session, chain);
	return 0;
}

static void confirm(struct relay_host *host)
{
	drop_session(host, RELAY_PREVIOUS);
	host->sessions[RELAY_PREVIOUS] = host->sessions[RELAY_CURRENT];
	host->sessions[RELAY_CURRENT] = host->sessions[RELAY_NEXT];
	host->sessions[RELAY_NEXT] = NULL;
	host->sessions[RELAY_CURRENT]->confirmed = true;
}

/**
 * relay_host_confirm() - a host has shown that it has the keys
 * @host: the host
 * @rx_index: of which session
 */
void relay_host_confirm(struct relay_host *host, uint32_t rx_index)
{
	if (host->sessions[RELAY_NEXT] &&
	    host->sessions[RELAY_NEXT]->rx_index == rx_index)
		confirm(host);
}

static void seal(struct relay_host *host, const struct relay_path *path,
		 const struct relay_endpoint *to, const uint8_t *plain,
		 size_t len)
{
	struct relay_session *session = host->sessions[RELAY_CURRENT];
	uint8_t packet[MAX_PACKET];
	size_t packet_len;

	if (!relay_session_alive(session, host->relay->now) ||
	    relay_session_seal(session, path->id, plain, len, packet,
			       &packet_len))
		return;
	relay_socket_send(to, packet, packet_len);
}

/**
 * relay_host_send() - send something that is not a probe
 * @host: to whom; nothing is sent if it is not known where it is
 * @plain: a plaintext
 * @len: its length, so that the packet is no longer than every path carries
 */
void relay_host_send(struct relay_host *host, const uint8_t *plain, size_t len)
{
	if (host->best)
		seal(host, host->best, &host->best->end, plain, len);
}

/**
 * relay_host_index() - of a session
 * @relay: ours
 *
 * Return: a receiver index that no session has.
 */
uint32_t relay_host_index(const struct relay *relay)
{
	struct relay_session *session;
	uint32_t index;

	do {
		index = randombytes_random();
		LIST_FOREACH(session, &relay->sessions[index & relay->mask],
			     chain) {
			if (session->rx_index == index)
				break;
		}
	} while (index == 0 || session);
	return index;
}

static void send_request(struct relay_host *host,
			 const struct relay_path *path,
			 const struct relay_endpoint *to, uint64_t token)
{
	const struct laya_probe probe = {
		.type = LAYA_PROBE_REQUEST,
		.path_kind = path->kind,
		.seq = ++host->seq,
		.token = token,
	};
	uint8_t plain[LAYA_PROBE_SIZE];

	seal(host, path, to, plain, laya_probe_write(plain, &probe, NULL));
}

/**
 * relay_host_keep_tending() - a host is being probed
 * @host: the host
 */
void relay_host_keep_tending(struct relay_host *host)
{
	if (host->is_tended)
		return;
	host->is_tended = true;
	TAILQ_INSERT_TAIL(&host->relay->tending, host, tending);
}

/* Bytes that a probe of ours takes */
#define REQUEST_SIZE	(LAYA_DATA_OVERHEAD + LAYA_PROBE_SIZE)
#define REPLY_SIZE	(REQUEST_SIZE + LAYA_PROBE_OBSERVED)

/* Return: whether there is more to come. */
static bool tend_challenge(struct relay_host *host, struct relay_path *path)
{
	struct relay_challenge *challenge = &path->challenge;
	uint64_t now = host->relay->now;
	uint64_t other;

	if (!challenge->pending)
		return false;
	if (challenge->tries > 0 && now - challenge->sent < CHALLENGE_MS)
		return true;
	if (challenge->tries == CHALLENGE_TRIES) {
		challenge->pending = false;
		return false;
	}
	challenge->tries++;
	challenge->sent = now;
	if (challenge->allowance < REQUEST_SIZE)
		return true;
	challenge->allowance -= REQUEST_SIZE;
	send_request(host, path, &challenge->end, challenge->token);
	if (path->validated) {
		/* Whoever is at the old address says that it is there still. */
		randombytes_buf(&other, sizeof(other));
		send_request(host, path, &path->end, other);
	}
	return true;
}

static void begin_challenge(struct relay_host *host, struct relay_path *path,
			    const struct relay_endpoint *from, size_t bytes)
{
	struct relay_challenge *challenge = &path->challenge;

	/* A host that hops back and forth is not followed at each hop. */
	if (challenge->tries > 0 &&
	    host->relay->now - challenge->sent < CHALLENGE_MS)
		return;
	memset(challenge, 0, sizeof(*challenge));
	challenge->pending = true;
	challenge->end = *from;
	challenge->allowance = RELAY_AMPLIFICATION * bytes;
	randombytes_buf(&challenge->token, sizeof(challenge->token));
	relay_host_keep_tending(host);
}

/* A packet that is newer than all before it on its path says where the host is. */
static void note_source(struct relay_host *host, struct relay_path *path,
			const struct relay_endpoint *from, size_t bytes)
{
	struct relay_challenge *challenge = &path->challenge;

	if (path->validated && relay_endpoint_equal(&path->end, from)) {
		/* Back from where it was challenged, or never away */
		challenge->pending = false;
		return;
	}
	if (challenge->pending && relay_endpoint_equal(&challenge->end, from)) {
		challenge->allowance += RELAY_AMPLIFICATION * bytes;
		if (challenge->allowance > ALLOWANCE_MAX)
			challenge->allowance = ALLOWANCE_MAX;
		return;
	}
	begin_challenge(host, path, from, bytes);
}

/**
 * relay_host_dial() - dial the far end of a trunk, which is to answer
 * @host: it, with a session
 * @nth: each path once: less than RELAY_MAX_PATHS
 * @end: where it is
 */
void relay_host_dial(struct relay_host *host, unsigned int nth,
		     const struct relay_endpoint *end)
{
	struct relay_path *path = &host->paths[nth];

	memset(path, 0, sizeof(*path));
	path->id = 1 + nth;
	if (memcmp(host->self->public_key, host->handshake.key,
		   LAYA_KEY_SIZE) > 0)
		path->id |= LAYA_PATH_ID_GREATER;
	path->kind = LAYA_PATH_KIND_DIRECT;
	/* It has shown its key, and only probes go there until it answers. */
	begin_challenge(host, path, end, CHALLENGE_TRIES * REQUEST_SIZE);
	tend_challenge(host, path);
	if (!uv_is_active((uv_handle_t *)&host->relay->tend))
		uv_timer_start(&host->relay->tend, relay_tend_due,
			       CHALLENGE_MS, 0);
}

/**
 * relay_host_probe() - see whether a host is still there
 * @host: the host; what it answers is heard on its path
 */
void relay_host_probe(struct relay_host *host)
{
	uint64_t token;

	randombytes_buf(&token, sizeof(token));
	if (host->best)
		send_request(host, host->best, &host->best->end, token);
}

static bool newest(const struct relay_session *session,
		   const struct relay_path *path, uint64_t counter)
{
	int32_t ahead = session->serial - path->serial;

	return ahead > 0 || (ahead == 0 && counter > path->highest);
}

static struct relay_path *find_path(struct relay_host *host, uint16_t id)
{
	unsigned int i;

	for (i = 0; i < RELAY_MAX_PATHS; i++) {
		if (host->paths[i].id == id)
			return &host->paths[i];
	}
	return NULL;
}

static void forget_path(struct relay_host *host, struct relay_path *path)
{
	size_t index = path - host->paths;
	unsigned int i;

	for (i = 0; i < RELAY_SLOTS; i++) {
		if (!host->sessions[i])
			continue;
		host->sessions[i]->rx_packets[index] = 0;
		host->sessions[i]->rx_bytes[index] = 0;
	}
	memset(path, 0, sizeof(*path));
	if (host->best != path)
		return;
	host->best = NULL;
	for (i = 0; i < RELAY_MAX_PATHS; i++) {
		path = &host->paths[i];
		if (path->validated &&
		    (!host->best || path->heard > host->best->heard))
			host->best = path;
	}
}

/* The path of an authentic packet; NULL for an id that the host may not use. */
static struct relay_path *take_path(struct relay_host *host, uint16_t id)
{
	struct relay_path *oldest = NULL;
	struct relay_path *path;
	bool greater;
	unsigned int i;

	if (!(id & ~LAYA_PATH_ID_GREATER))
		return NULL;
	path = find_path(host, id);
	if (path)
		return path;
	/* Who is at the far end of a trunk has nothing to dial. */
	greater = memcmp(host->handshake.key, host->self->public_key,
			 LAYA_KEY_SIZE) > 0;
	if (host->trunk || !!(id & LAYA_PATH_ID_GREATER) != greater)
		return NULL;
	path = find_path(host, 0);
	if (!path) {
		for (i = 0; i < RELAY_MAX_PATHS; i++) {
			path = &host->paths[i];
			if (path != host->best &&
			    (!oldest || path->heard < oldest->heard))
				oldest = path;
		}
		path = oldest;
		forget_path(host, path);
	}
	path->id = id;
	path->kind = LAYA_PATH_KIND_DIRECT;
	return path;
}

static void handle_request(struct relay_host *host, struct relay_path *path,
			   const struct relay_session *session,
			   const struct laya_probe *request,
			   const struct relay_endpoint *from)
{
	struct relay_challenge *challenge = &path->challenge;
	size_t index = path - host->paths;
	const struct laya_probe reply = {
		.type = LAYA_PROBE_REPLY,
		.path_kind = request->path_kind,
		.seq = request->seq,
		.token = request->token,
		.rx_packets = session->rx_packets[index],
		.rx_bytes = session->rx_bytes[index],
	};
	uint8_t plain[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];
	struct laya_address observed;

	if (request->path_kind >= LAYA_PATH_KIND_LAN &&
	    request->path_kind <= LAYA_PATH_KIND_RELAY)
		path->kind = request->path_kind;
	if (!path->validated || !relay_endpoint_equal(&path->end, from)) {
		if (!challenge->pending ||
		    !relay_endpoint_equal(&challenge->end, from) ||
		    challenge->allowance < REPLY_SIZE)
			return;
		challenge->allowance -= REPLY_SIZE;
	}
	relay_endpoint_address(from, &observed);
	seal(host, path, from, plain,
	     laya_probe_write(plain, &reply, &observed));
}

static void handle_reply(struct relay_host *host, struct relay_path *path,
			 const struct laya_probe *reply)
{
	struct relay_challenge *challenge = &path->challenge;

	if (!challenge->pending || challenge->tries == 0 ||
	    reply->token != challenge->token)
		return;
	path->end = challenge->end;
	path->validated = true;
	memset(challenge, 0, sizeof(*challenge));
	/* What the host dialled last, it wants used */
	host->best = path;
	if (host->trunk)
		relay_trunk_reached(host->trunk);
}

static void handle_probe(struct relay_host *host, struct relay_path *path,
			 const struct relay_session *session,
			 const uint8_t *plain, size_t len,
			 const struct relay_endpoint *from)
{
	struct laya_probe probe;

	if (laya_probe_read(&probe, plain, len))
		return;
	switch (probe.type) {
	case LAYA_PROBE_REQUEST:
		handle_request(host, path, session, &probe, from);
		break;
	case LAYA_PROBE_REPLY:
		handle_reply(host, path, &probe);
		break;
	}
}

static void opened(struct relay_session *session,
		   const struct laya_data_header *header,
		   const struct relay_endpoint *from,
		   const struct laya_shims *shims, const uint8_t *plain,
		   size_t len)
{
	struct relay_host *host = session->host;
	struct relay *relay = host->relay;
	size_t bytes = len + LAYA_DATA_OVERHEAD;
	struct relay_path *path;

	if (host->outside.id && header->path_id == host->outside.id) {
		relay_outside_opened(host, shims, plain, len, from);
		return;
	}
	/* Its own paths come without a forwarder. */
	path = shims->n_labels == 0 ? take_path(host, header->path_id) : NULL;
	if (!path)
		return;
	host->heard = relay->now;
	path->heard = relay->now;
	session->rx_packets[path - host->paths]++;
	session->rx_bytes[path - host->paths] += bytes;
	if (session == host->sessions[RELAY_NEXT])
		confirm(host);
	if (newest(session, path, header->counter)) {
		path->serial = session->serial;
		path->highest = header->counter;
		note_source(host, path, from, bytes);
	}
	if (plain[0] == LAYA_INNER_PROBE)
		handle_probe(host, path, session, plain, len, from);
	else
		relay_control_receive(host, plain, len);
	/* After the reply: it is the request that is to be answered first. */
	if (path->challenge.pending && path->challenge.tries == 0)
		tend_challenge(host, path);
	if (host->is_tended && !uv_is_active((uv_handle_t *)&relay->tend))
		uv_timer_start(&relay->tend, relay_tend_due, CHALLENGE_MS, 0);
}

/**
 * relay_host_receive() - a packet without labels of ours came in
 * @relay: ours
 * @from: whence
 * @shims: what stands before it
 * @packet: the packet, of which laya_shims_parse() has approved
 * @len: its length
 */
void relay_host_receive(struct relay *relay, const struct relay_endpoint *from,
			const struct laya_shims *shims, const uint8_t *packet,
			size_t len)
{
	struct laya_data_header header;
	struct relay_session *session;
	uint8_t plain[MAX_PACKET];
	size_t plain_len;

	packet += shims->len;
	len -= shims->len;
	laya_data_header_read(&header, packet);
	session = find_session(relay, header.receiver);
	if (!session) {
		relay->stats.unknown++;
		return;
	}
	if (len > MAX_PACKET || !relay_session_alive(session, relay->now) ||
	    relay_session_open(session, &header, packet + LAYA_DATA_HEADER,
			       len - LAYA_DATA_HEADER, plain, &plain_len)) {
		relay->stats.not_opened++;
		return;
	}
	relay->stats.opened++;
	opened(session, &header, from, shims, plain, plain_len);
}

/**
 * relay_host_is_at() - may a packet be a host's: is the host there
 * @host: the host
 * @from: where the packet came from
 *
 * Return: whether the host has answered from there.
 */
bool relay_host_is_at(const struct relay_host *host,
		      const struct relay_endpoint *from)
{
	const struct relay_path *path;
	unsigned int i;

	if (host->best && relay_endpoint_same_remote(&host->best->end, from))
		return true;
	for (i = 0; i < RELAY_MAX_PATHS; i++) {
		path = &host->paths[i];
		if (path->validated &&
		    relay_endpoint_same_remote(&path->end, from))
			return true;
	}
	return false;
}

/**
 * relay_host_tend() - probe the hosts that are to be probed
 * @relay: ours
 *
 * Starts relay->tend again while there are such.
 */
void relay_host_tend(struct relay *relay)
{
	struct relay_host *host;
	struct relay_host *next;
	unsigned int i;
	bool more;

	for (host = TAILQ_FIRST(&relay->tending); host; host = next) {
		next = TAILQ_NEXT(host, tending);
		more = false;
		for (i = 0; i < RELAY_MAX_PATHS; i++)
			more |= tend_challenge(host, &host->paths[i]);
		more |= relay_outside_tend(host);
		if (more)
			continue;
		TAILQ_REMOVE(&relay->tending, host, tending);
		host->is_tended = false;
	}
	if (!TAILQ_EMPTY(&relay->tending))
		uv_timer_start(&relay->tend, relay_tend_due, CHALLENGE_MS, 0);
}

/**
 * relay_host_care_for() - forget paths and sessions whose time is over
 * @host: whose
 */
void relay_host_care_for(struct relay_host *host)
{
	uint64_t now = host->relay->now;
	struct relay_path *path;
	unsigned int i;

	for (i = 0; i < RELAY_MAX_PATHS; i++) {
		path = &host->paths[i];
		if (path->id && now - path->heard >= PATH_SILENT_MS)
			forget_path(host, path);
	}
	for (i = 0; i < RELAY_SLOTS; i++) {
		if (host->sessions[i] &&
		    !relay_session_alive(host->sessions[i], now))
			drop_session(host, i);
	}
}

/**
 * relay_host_care() - forget hosts, paths and sessions whose time is over
 * @relay: ours
 */
void relay_host_care(struct relay *relay)
{
	struct relay_host *host;
	struct relay_host *next;
	size_t i;

	for (i = 0; i <= relay->mask; i++) {
		for (host = LIST_FIRST(&relay->hosts[i]); host; host = next) {
			next = LIST_NEXT(host, chain);
			if (relay->now - host->heard < RELAY_LABEL_LIFE_MS) {
				relay_host_care_for(host);
				continue;
			}
			laya_debug("%s: attached no more: nothing was heard of it for too long",
				   relay_host_text(host));
			relay_host_free(host);
		}
	}
}

/**
 * relay_host_lost_at() - paths are dead: a host is not there any more
 * @host: the host
 * @end: where not
 */
void relay_host_lost_at(struct relay_host *host,
			const struct relay_endpoint *end)
{
	struct relay_path *path;
	unsigned int i;

	for (i = 0; i < RELAY_MAX_PATHS; i++) {
		path = &host->paths[i];
		if (path->validated && relay_endpoint_equal(&path->end, end))
			forget_path(host, path);
	}
}

/**
 * relay_host_lost() - paths are dead: no host is there any more
 * @relay: ours
 * @end: where not
 */
void relay_host_lost(struct relay *relay, const struct relay_endpoint *end)
{
	struct relay_host *host;
	size_t i;

	for (i = 0; i <= relay->mask; i++) {
		LIST_FOREACH(host, &relay->hosts[i], chain)
			relay_host_lost_at(host, end);
	}
	relay_trunk_stream_lost(relay, end);
}
