// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "config.h"
#include "relay.h"
#include "relay_host.h"
#include "relay_outside.h"

#define TRY_MS		300
#define TRIES		3
/* As long as that a host is not dialled anew */
#define ASK_MS		20000
#define MAX_PACKET	(LAYA_MAX_SHIMS + LAYA_DATA_OVERHEAD + \
			 LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED)

static uint8_t *put_shim(uint8_t *to, enum laya_packet_type type,
			 uint64_t label)
{
	to[0] = type;
	to[1] = 0;
	laya_put48(to + 2, label);
	return to + LAYA_SHIM_SIZE;
}

/* @seen: labels that came with a packet from there, or NULL: for the slots */
static void send_probe(struct relay_host *host, const struct laya_shims *seen,
		       const uint8_t *plain, size_t len)
{
	struct relay_session *session = host->sessions[RELAY_CURRENT];
	const struct relay_outside *outside = &host->outside;
	unsigned int n = outside->n_labels;
	uint8_t packet[MAX_PACKET];
	uint8_t *at = packet;
	size_t sealed;
	unsigned int i;

	for (i = 0; i < n; i++)
		at = put_shim(at, LAYA_PACKET_LABEL, outside->labels[i]);
	/* The nearest forwarder's stands first in what came. */
	for (i = 0; i < n; i++)
		at = put_shim(at, LAYA_PACKET_RETURN,
			      seen && seen->n_labels == n ?
			      seen->labels[n - 1 - i] : 0);
	if (!relay_session_alive(session, host->relay->now) ||
	    relay_session_seal(session, outside->id, plain, len, at, &sealed))
		return;
	relay_socket_send(&outside->end, packet, at - packet + sealed);
}

/* Where the host is seen is where its gateway has to be. */
static bool set_end(struct relay_host *host,
		    const struct laya_candidate *candidate)
{
	struct relay_endpoint *end = &host->outside.end;
	struct laya_address seen;

	*end = host->best->end;
	relay_endpoint_address(end, &seen);
	if (!laya_address_is_near(&candidate->address, &seen) ||
	    end->remote.sa.sa_family != candidate->address.family)
		return false;
	if (candidate->address.family == AF_INET) {
		end->remote.in.sin_port = htons(candidate->address.port);
	} else {
		end->remote.in6.sin6_port = htons(candidate->address.port);
		memcpy(&end->remote.in6.sin6_addr, candidate->address.addr, 16);
	}
	return true;
}

/**
 * relay_outside_ask() - a host tells where gateways say that it is reached
 * @host: the host
 * @candidates: there; the first that may be is dialled
 */
void relay_outside_ask(struct relay_host *host,
		       const struct laya_candidates *candidates)
{
	struct relay_outside *outside = &host->outside;
	const struct laya_candidate *candidate = candidates->list;
	bool greater;
	unsigned int i;

	/* By UDP: that is what gateways are dialled by. */
	if (!host->best || relay_endpoint_is_stream(&host->best->end) ||
	    (outside->id && host->relay->now - outside->sent < ASK_MS))
		return;
	for (i = 0; i < candidates->n; i++, candidate++) {
		if (candidate->type == LAYA_CANDIDATE_GATEWAY &&
		    candidate->address.port == LAYA_DEFAULT_PORT &&
		    laya_candidate_is_dialable(candidate) &&
		    set_end(host, candidate))
			break;
	}
	outside->id = 0;
	if (i == candidates->n)
		return;
	outside->n_labels = candidate->n_labels;
	for (i = 0; i < candidate->n_labels; i++)
		outside->labels[i] = laya_get48(candidate->labels[i]);
	greater = memcmp(host->relay->self.public_key, host->handshake.key,
			 LAYA_KEY_SIZE) > 0;
	outside->last = (outside->last + 1) & (LAYA_PATH_ID_GREATER - 1);
	outside->id = (outside->last ?: ++outside->last) |
		      (greater ? LAYA_PATH_ID_GREATER : 0);
	outside->tries = 0;
	relay_host_keep_tending(host);
	relay_outside_tend(host);
}

/**
 * relay_outside_tend() - dial, if it is time to
 * @host: the host
 *
 * Return: whether there is more to come.
 */
bool relay_outside_tend(struct relay_host *host)
{
	struct relay_outside *outside = &host->outside;
	uint64_t now = host->relay->now;
	struct laya_probe probe = {
		.type = LAYA_PROBE_REQUEST,
		.path_kind = LAYA_PATH_KIND_GATEWAY,
	};
	uint8_t plain[LAYA_PROBE_SIZE];

	if (!outside->id || outside->tries == TRIES)
		return false;
	if (outside->tries > 0 && now - outside->sent < TRY_MS)
		return true;
	outside->tries++;
	outside->sent = now;
	probe.seq = outside->tries;
	send_probe(host, NULL, plain, laya_probe_write(plain, &probe, NULL));
	return true;
}

/**
 * relay_outside_opened() - something of the host's came in on the path that we dialled
 * @host: the host
 * @shims: what stood before it
 * @plain: the plaintext
 * @len: its length
 * @from: whence
 *
 * It is answered, so that the host knows at which address it was reached.
 */
void relay_outside_opened(struct relay_host *host,
			  const struct laya_shims *shims, const uint8_t *plain,
			  size_t len, const struct relay_endpoint *from)
{
	struct relay_outside *outside = &host->outside;
	uint8_t out[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];
	struct laya_address observed;
	struct laya_probe probe;

	if (plain[0] != LAYA_INNER_PROBE || laya_probe_read(&probe, plain, len) ||
	    !relay_endpoint_same_remote(&outside->end, from))
		return;
	outside->tries = TRIES;
	if (probe.type != LAYA_PROBE_REQUEST)
		return;
	probe.type = LAYA_PROBE_REPLY;
	probe.rx_packets = 0;
	probe.rx_bytes = 0;
	relay_endpoint_address(from, &observed);
	send_probe(host, shims, out, laya_probe_write(out, &probe, &observed));
}
