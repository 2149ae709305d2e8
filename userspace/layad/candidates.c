// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include <linux/laya_netlink.h>

#include "candidates.h"

static bool same_host(const struct laya_address *a,
		      const struct laya_address *b)
{
	return a->family == b->family &&
	       memcmp(a->addr, b->addr, laya_address_size(a)) == 0;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8;
	uint8_t mask = 0xff00 >> (bits % 8);

	if (memcmp(a, b, bytes) != 0)
		return false;
	return bits % 8 == 0 || ((a[bytes] ^ b[bytes]) & mask) == 0;
}

/**
 * locals_add() - remember an address of ours
 * @locals: the addresses
 * @local: one that may be told to others; what may not is not added
 *
 * Return: whether it was added.
 */
bool locals_add(struct locals *locals, const struct local *local)
{
	struct laya_address address = local->address;

	/* As a candidate it would have a port. */
	address.port = 1;
	if (locals->n == LOCALS_MAX || !laya_address_is_dialable(&address) ||
	    locals_have(locals, &local->address))
		return false;
	locals->list[locals->n++] = *local;
	return true;
}

/**
 * locals_equal() - has nothing changed
 * @a: the addresses then
 * @b: the addresses now
 *
 * Return: whether they are the same, in the same order.
 */
bool locals_equal(const struct locals *a, const struct locals *b)
{
	unsigned int i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (!same_host(&a->list[i].address, &b->list[i].address) ||
		    a->list[i].prefix != b->list[i].prefix ||
		    a->list[i].ifindex != b->list[i].ifindex)
			return false;
	}
	return true;
}

/**
 * locals_on_link() - is an address in a network of ours
 * @locals: our addresses
 * @address: the address
 *
 * It may still be in another network with the same numbers: a probe finds
 * that out.
 *
 * Return: whether it is.
 */
bool locals_on_link(const struct locals *locals,
		    const struct laya_address *address)
{
	const struct local *local;
	unsigned int i;

	for (i = 0; i < locals->n; i++) {
		local = &locals->list[i];
		if (local->address.family == address->family &&
		    same_prefix(local->address.addr, address->addr,
				local->prefix))
			return true;
	}
	return false;
}

/**
 * locals_have() - is an address ours, whatever the port
 * @locals: our addresses
 * @address: the address
 *
 * Return: whether it is.
 */
bool locals_have(const struct locals *locals,
		 const struct laya_address *address)
{
	unsigned int i;

	for (i = 0; i < locals->n; i++) {
		if (same_host(&locals->list[i].address, address))
			return true;
	}
	return false;
}

static void add_hosts(struct laya_candidates *candidates,
		      const struct locals *locals, uint16_t port,
		      bool link_local, unsigned int *left)
{
	struct laya_candidate candidate;
	unsigned int i;

	for (i = 0; i < locals->n && *left > 0; i++) {
		if (locals->list[i].link_local != link_local)
			continue;
		memset(&candidate, 0, sizeof(candidate));
		candidate.type = LAYA_CANDIDATE_HOST;
		candidate.address = locals->list[i].address;
		candidate.address.port = port;
		if (!laya_candidates_add(candidates, &candidate))
			(*left)--;
	}
}

/**
 * candidates_add_hosts() - add our own addresses
 * @candidates: to these
 * @locals: our addresses
 * @port: port of our UDP carrier
 *
 * Link-local addresses only if there is nothing else: who is told one does
 * not know on which of its links it is.
 */
void candidates_add_hosts(struct laya_candidates *candidates,
			  const struct locals *locals, uint16_t port)
{
	unsigned int left = CANDIDATES_MAX_HOST;

	add_hosts(candidates, locals, port, false, &left);
	if (left == CANDIDATES_MAX_HOST)
		add_hosts(candidates, locals, port, true, &left);
}

/**
 * candidates_equal() - do two lists say the same
 * @a: one
 * @b: the other
 *
 * Return: whether they do, in the same order.
 */
bool candidates_equal(const struct laya_candidates *a,
		      const struct laya_candidates *b)
{
	unsigned int i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (a->list[i].type != b->list[i].type ||
		    !laya_candidate_equal(&a->list[i], &b->list[i]))
			return false;
	}
	return true;
}

/**
 * candidate_kind() - what a path to a candidate is
 * @candidate: a peer's candidate
 * @locals: our addresses
 *
 * Return: enum laya_path_kind.
 */
uint32_t candidate_kind(const struct laya_candidate *candidate,
			const struct locals *locals)
{
	switch (candidate->type) {
	case LAYA_CANDIDATE_HOST:
		return locals_on_link(locals, &candidate->address) ?
			LAYA_PATH_KIND_LAN : LAYA_PATH_KIND_DIRECT;
	case LAYA_CANDIDATE_MAPPED:
		return LAYA_PATH_KIND_MAPPED;
	case LAYA_CANDIDATE_GATEWAY:
		return LAYA_PATH_KIND_GATEWAY;
	case LAYA_CANDIDATE_PEER_RELAY:
		return LAYA_PATH_KIND_PEER_RELAY;
	case LAYA_CANDIDATE_RELAY:
		break;
	}
	return LAYA_PATH_KIND_RELAY;
}

/**
 * locals_have_family() - can addresses of a family be dialled
 * @locals: our addresses
 * @family: AF_INET or AF_INET6
 *
 * Return: whether we have one that is not link-local.
 */
bool locals_have_family(const struct locals *locals, uint16_t family)
{
	unsigned int i;

	for (i = 0; i < locals->n; i++) {
		if (locals->list[i].address.family == family &&
		    !locals->list[i].link_local)
			return true;
	}
	return false;
}

/**
 * candidate_refused() - why a candidate is not dialled
 * @candidate: a peer's candidate
 * @locals: our addresses
 * @port: port of our UDP carrier
 * @probe_mapped: ProbeMapped
 *
 * Return: why not, for people; NULL if it is.
 */
const char *candidate_refused(const struct laya_candidate *candidate,
			      const struct locals *locals, uint16_t port,
			      bool probe_mapped)
{
	const struct laya_address *address = &candidate->address;

	if (!laya_candidate_is_dialable(candidate))
		return "not an address that packets may be sent to";
	if (candidate->type == LAYA_CANDIDATE_MAPPED && !probe_mapped)
		return "ProbeMapped = no";
	if (address->port == port && locals_have(locals, address))
		return "our own address";
	/* Of its links we do not know which it means. */
	if (laya_address_is_link_local(address))
		return "link-local";
	if (!locals_have_family(locals, address->family))
		return "we have no address of that family";
	return NULL;
}
