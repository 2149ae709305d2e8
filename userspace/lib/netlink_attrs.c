// SPDX-License-Identifier: GPL-2.0
/* Attributes to structs and back, by one table for each attribute set. */
#include <errno.h>
#include <string.h>

#include <netlink/attr.h>

#include "netlink.h"
#include "netlink_attrs.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

enum attr_type {
	ATTR_FLAG,
	ATTR_U16,
	ATTR_U32,
	ATTR_U64,
	ATTR_BINARY,		/* of exactly @size bytes */
	ATTR_STRING,		/* of at most @size bytes with its NUL */
	ATTR_ADDRESS,		/* sockaddr_in or sockaddr_in6 */
	ATTR_LABELS,
	ATTR_DROPS,
};

/**
 * struct attr - one attribute
 * @id: its number; the bit in the present mask
 * @type: how it is encoded
 * @offset: where its value is in the struct
 * @size: how large that is
 * @name: as in the specification
 */
struct attr {
	unsigned int id;
	enum attr_type type;
	size_t offset;
	size_t size;
	const char *name;
};

#define ATTR(set, SET, field, FIELD, kind, text)			\
	{ LAYA_A_##SET##_##FIELD, kind,					\
	  offsetof(struct laya_nl_##set, field),			\
	  sizeof(((struct laya_nl_##set *)NULL)->field), text }
#define FLAG(SET, FIELD, text)						\
	{ LAYA_A_##SET##_##FIELD, ATTR_FLAG, 0, 0, text }

#define DEVICE(field, FIELD, kind, text) \
	ATTR(device, DEVICE, field, FIELD, kind, text)
static const struct attr device_attrs[] = {
	DEVICE(ifindex, IFINDEX, ATTR_U32, "ifindex"),
	DEVICE(ifname, IFNAME, ATTR_STRING, "ifname"),
	DEVICE(public_key, PUBLIC_KEY, ATTR_BINARY, "public-key"),
	DEVICE(orchid, ORCHID, ATTR_BINARY, "orchid"),
	DEVICE(flags, FLAGS, ATTR_U32, "flags"),
	DEVICE(fwmark, FWMARK, ATTR_U32, "fwmark"),
	DEVICE(owner, OWNER, ATTR_U32, "owner"),
	DEVICE(peers, PEERS, ATTR_U32, "peers"),
	DEVICE(labels, LABELS, ATTR_U32, "labels"),
	DEVICE(user_timeout, USER_TIMEOUT, ATTR_U32, "user-timeout"),
	DEVICE(drops, DROPS, ATTR_DROPS, "drops"),
};

#define PEER(field, FIELD, kind, text) \
	ATTR(peer, PEER, field, FIELD, kind, text)
static const struct attr peer_attrs[] = {
	PEER(ifindex, IFINDEX, ATTR_U32, "ifindex"),
	PEER(public_key, PUBLIC_KEY, ATTR_BINARY, "public-key"),
	PEER(orchid, ORCHID, ATTR_BINARY, "orchid"),
	PEER(flags, FLAGS, ATTR_U32, "flags"),
	PEER(error, ERROR, ATTR_U32, "error"),
	PEER(queued, QUEUED, ATTR_U32, "queued"),
	PEER(tx_packets, TX_PACKETS, ATTR_U64, "tx-packets"),
	PEER(tx_bytes, TX_BYTES, ATTR_U64, "tx-bytes"),
	PEER(rx_packets, RX_PACKETS, ATTR_U64, "rx-packets"),
	PEER(rx_bytes, RX_BYTES, ATTR_U64, "rx-bytes"),
	PEER(last_rx_ms, LAST_RX_MS, ATTR_U64, "last-rx-ms"),
	PEER(path_id, PATH_ID, ATTR_U32, "path-id"),
	PEER(local_key, LOCAL_KEY, ATTR_BINARY, "local-key"),
};

#define SESSION(field, FIELD, kind, text) \
	ATTR(session, SESSION, field, FIELD, kind, text)
static const struct attr session_attrs[] = {
	SESSION(ifindex, IFINDEX, ATTR_U32, "ifindex"),
	SESSION(public_key, PUBLIC_KEY, ATTR_BINARY, "public-key"),
	SESSION(slot, SLOT, ATTR_U32, "slot"),
	SESSION(cipher, CIPHER, ATTR_U32, "cipher"),
	SESSION(rx_index, RX_INDEX, ATTR_U32, "rx-index"),
	SESSION(tx_index, TX_INDEX, ATTR_U32, "tx-index"),
	SESSION(rx_key, RX_KEY, ATTR_BINARY, "rx-key"),
	SESSION(tx_key, TX_KEY, ATTR_BINARY, "tx-key"),
	FLAG(SESSION, INITIATOR, "initiator"),
	FLAG(SESSION, CONFIRMED, "confirmed"),
	SESSION(age_ms, AGE_MS, ATTR_U64, "age-ms"),
	SESSION(tx_packets, TX_PACKETS, ATTR_U64, "tx-packets"),
	SESSION(rx_packets, RX_PACKETS, ATTR_U64, "rx-packets"),
	SESSION(failures, FAILURES, ATTR_U64, "failures"),
	SESSION(reason, REASON, ATTR_U32, "reason"),
};

#define PATH(field, FIELD, kind, text) \
	ATTR(path, PATH, field, FIELD, kind, text)
static const struct attr path_attrs[] = {
	PATH(ifindex, IFINDEX, ATTR_U32, "ifindex"),
	PATH(public_key, PUBLIC_KEY, ATTR_BINARY, "public-key"),
	PATH(path_id, PATH_ID, ATTR_U32, "path-id"),
	PATH(kind, KIND, ATTR_U32, "kind"),
	PATH(carrier_id, CARRIER_ID, ATTR_U32, "carrier-id"),
	PATH(carrier_type, CARRIER_TYPE, ATTR_U32, "carrier-type"),
	PATH(state, STATE, ATTR_U32, "state"),
	FLAG(PATH, ANSWERED, "answered"),
	FLAG(PATH, IN_USE, "in-use"),
	PATH(remote, REMOTE, ATTR_ADDRESS, "remote"),
	PATH(local, LOCAL, ATTR_ADDRESS, "local"),
	PATH(oif, OIF, ATTR_U32, "oif"),
	PATH(labels, LABELS, ATTR_LABELS, "labels"),
	PATH(forwarder, FORWARDER, ATTR_BINARY, "forwarder"),
	PATH(observed, OBSERVED, ATTR_ADDRESS, "observed"),
	PATH(mtu, MTU, ATTR_U32, "mtu"),
	PATH(rtt_us, RTT_US, ATTR_U32, "rtt-us"),
	PATH(rttvar_us, RTTVAR_US, ATTR_U32, "rttvar-us"),
	PATH(loss_permille, LOSS_PERMILLE, ATTR_U32, "loss-permille"),
	PATH(goodput, GOODPUT, ATTR_U64, "goodput"),
	PATH(tx_packets, TX_PACKETS, ATTR_U64, "tx-packets"),
	PATH(tx_bytes, TX_BYTES, ATTR_U64, "tx-bytes"),
	PATH(rx_packets, RX_PACKETS, ATTR_U64, "rx-packets"),
	PATH(rx_bytes, RX_BYTES, ATTR_U64, "rx-bytes"),
	PATH(last_rx_ms, LAST_RX_MS, ATTR_U64, "last-rx-ms"),
	PATH(unanswered, UNANSWERED, ATTR_U32, "unanswered"),
	PATH(unanswered_ms, UNANSWERED_MS, ATTR_U64, "unanswered-ms"),
};

#define CARRIER(field, FIELD, kind, text) \
	ATTR(carrier, CARRIER, field, FIELD, kind, text)
static const struct attr carrier_attrs[] = {
	CARRIER(ifindex, IFINDEX, ATTR_U32, "ifindex"),
	CARRIER(carrier_id, CARRIER_ID, ATTR_U32, "carrier-id"),
	CARRIER(type, TYPE, ATTR_U32, "type"),
	CARRIER(port, PORT, ATTR_U16, "port"),
	CARRIER(rx_packets, RX_PACKETS, ATTR_U64, "rx-packets"),
	CARRIER(rx_bytes, RX_BYTES, ATTR_U64, "rx-bytes"),
	CARRIER(tx_packets, TX_PACKETS, ATTR_U64, "tx-packets"),
	CARRIER(tx_bytes, TX_BYTES, ATTR_U64, "tx-bytes"),
	CARRIER(fd, FD, ATTR_U32, "fd"),
	CARRIER(remote, REMOTE, ATTR_ADDRESS, "remote"),
	CARRIER(error, ERROR, ATTR_U32, "error"),
};

#define LABEL(field, FIELD, kind, text) \
	ATTR(label, LABEL, field, FIELD, kind, text)
static const struct attr label_attrs[] = {
	LABEL(ifindex, IFINDEX, ATTR_U32, "ifindex"),
	LABEL(label, LABEL, ATTR_BINARY, "label"),
	LABEL(public_key, PUBLIC_KEY, ATTR_BINARY, "public-key"),
	LABEL(for_key, FOR_KEY, ATTR_BINARY, "for-key"),
	LABEL(rate, RATE, ATTR_U64, "rate"),
	LABEL(burst, BURST, ATTR_U32, "burst"),
	LABEL(expires_ms, EXPIRES_MS, ATTR_U32, "expires-ms"),
	LABEL(packets, PACKETS, ATTR_U64, "packets"),
	LABEL(bytes, BYTES, ATTR_U64, "bytes"),
	LABEL(dropped, DROPPED, ATTR_U64, "dropped"),
	LABEL(flows, FLOWS, ATTR_U32, "flows"),
	FLAG(LABEL, BOUND, "bound"),
};

#define SET(ID, set)							\
	[LAYA_NL_SET_##ID] = { set##_attrs, ARRAY_SIZE(set##_attrs),	\
			       sizeof(struct laya_nl_##set) }
static const struct {
	const struct attr *attrs;
	size_t n;
	size_t size;
} sets[] = {
	SET(DEVICE, device),
	SET(PEER, peer),
	SET(SESSION, session),
	SET(PATH, path),
	SET(CARRIER, carrier),
	SET(LABEL, label),
};

/* The mask is where every struct begins. */
_Static_assert(offsetof(struct laya_nl_device, present) == 0 &&
	       offsetof(struct laya_nl_peer, present) == 0 &&
	       offsetof(struct laya_nl_session, present) == 0 &&
	       offsetof(struct laya_nl_path, present) == 0 &&
	       offsetof(struct laya_nl_carrier, present) == 0 &&
	       offsetof(struct laya_nl_label, present) == 0, "present");

static const struct attr *attr_find(enum laya_nl_set_id id, unsigned int attr)
{
	size_t i;

	for (i = 0; i < sets[id].n; i++)
		if (sets[id].attrs[i].id == attr)
			return &sets[id].attrs[i];
	return NULL;
}

static int decode_address(struct laya_address *address, const struct nlattr *a)
{
	struct sockaddr_storage ss = {};

	if (nla_len(a) != sizeof(struct sockaddr_in) &&
	    nla_len(a) != sizeof(struct sockaddr_in6))
		return -EBADMSG;
	memcpy(&ss, nla_data(a), nla_len(a));
	if (ss.ss_family != (nla_len(a) == sizeof(struct sockaddr_in) ?
			     AF_INET : AF_INET6))
		return -EBADMSG;
	return laya_address_from_sockaddr(address, (struct sockaddr *)&ss) ?
	       -EBADMSG : 0;
}

static int decode_labels(struct laya_nl_path *path, const struct nlattr *a)
{
	if (nla_len(a) % LAYA_NL_LABEL_SIZE ||
	    (size_t)nla_len(a) > sizeof(path->labels))
		return -EBADMSG;
	path->n_labels = nla_len(a) / LAYA_NL_LABEL_SIZE;
	memcpy(path->labels, nla_data(a), nla_len(a));
	return 0;
}

/* At most @size - 1 characters; @cut: a longer text is cut, not an error */
static int decode_string(char *text, size_t size, const struct nlattr *a,
			 bool cut)
{
	size_t len = strnlen(nla_data(a), nla_len(a));

	if (len >= size) {
		if (!cut)
			return -EBADMSG;
		len = size - 1;
	}
	memcpy(text, nla_data(a), len);
	text[len] = '\0';
	return 0;
}

static int decode_drop(struct laya_nl_device *device, const struct nlattr *nest)
{
	struct laya_nl_drop drop = {};
	const struct nlattr *a;
	int rest;

	nla_for_each_attr(a, nla_data(nest), nla_len(nest), rest) {
		switch (nla_type(a)) {
		case LAYA_A_DROP_REASON:
			decode_string(drop.reason, sizeof(drop.reason), a,
				      true);
			break;
		case LAYA_A_DROP_PACKETS:
			if (nla_len(a) != sizeof(drop.packets))
				return -EBADMSG;
			memcpy(&drop.packets, nla_data(a),
			       sizeof(drop.packets));
			break;
		}
	}
	if (rest > 0 || !drop.reason[0])
		return -EBADMSG;
	if (device->n_drops < LAYA_NL_MAX_DROPS)
		device->drops[device->n_drops++] = drop;
	return 0;
}

static int decode_one(void *object, const struct attr *attr,
		      const struct nlattr *a)
{
	uint8_t *value = (uint8_t *)object + attr->offset;

	switch (attr->type) {
	case ATTR_FLAG:
		return nla_len(a) ? -EBADMSG : 0;
	case ATTR_U16:
	case ATTR_U32:
	case ATTR_U64:
	case ATTR_BINARY:
		if ((size_t)nla_len(a) != attr->size)
			return -EBADMSG;
		memcpy(value, nla_data(a), attr->size);
		return 0;
	case ATTR_STRING:
		return decode_string((char *)value, attr->size, a, false);
	case ATTR_ADDRESS:
		return decode_address((struct laya_address *)value, a);
	case ATTR_LABELS:
		return decode_labels(object, a);
	case ATTR_DROPS:
		return decode_drop(object, a);
	}
	return -EBADMSG;
}

/**
 * laya_nl_decode() - read attributes into the struct of their set
 * @id: which set
 * @object: the struct; what is not present is zero
 * @attrs: the attributes, aligned as in a netlink message
 * @len: how many bytes
 *
 * Return: 0, or -EBADMSG; @object is then not to be used.
 */
int laya_nl_decode(enum laya_nl_set_id id, void *object, const void *attrs,
		   size_t len)
{
	uint32_t *present = object;
	const struct nlattr *a;
	int rest;

	memset(object, 0, sets[id].size);
	if (len > INT32_MAX)
		return -EBADMSG;

	nla_for_each_attr(a, (struct nlattr *)attrs, (int)len, rest) {
		const struct attr *attr = attr_find(id, nla_type(a));
		int err;

		if (!attr)
			continue;
		err = decode_one(object, attr, a);
		if (err)
			return err;
		*present |= 1u << attr->id;
	}
	return rest > 0 ? -EBADMSG : 0;
}

static int encode_one(struct nl_msg *msg, const struct attr *attr,
		      const void *object)
{
	const uint8_t *value = (const uint8_t *)object + attr->offset;
	const struct laya_nl_path *path;
	struct sockaddr_storage ss;
	socklen_t len;

	switch (attr->type) {
	case ATTR_FLAG:
		return nla_put_flag(msg, attr->id);
	case ATTR_U16:
	case ATTR_U32:
	case ATTR_U64:
	case ATTR_BINARY:
		return nla_put(msg, attr->id, attr->size, value);
	case ATTR_STRING:
		return nla_put_string(msg, attr->id, (const char *)value);
	case ATTR_ADDRESS:
		len = laya_address_to_sockaddr((const void *)value, &ss);
		return len ? nla_put(msg, attr->id, len, &ss) : -NLE_INVAL;
	case ATTR_LABELS:
		path = object;
		if (path->n_labels > LAYA_NL_MAX_LABELS)
			return -NLE_INVAL;
		return nla_put(msg, attr->id,
			       path->n_labels * LAYA_NL_LABEL_SIZE,
			       path->labels);
	case ATTR_DROPS:
		break;
	}
	return -NLE_INVAL;
}

/**
 * laya_nl_encode() - add what is present in a struct to a message
 * @msg: the message
 * @id: the set of which @object is
 * @object: the struct
 *
 * Return: 0, -EINVAL for a value that cannot be sent, or -ENOMEM.
 */
int laya_nl_encode(struct nl_msg *msg, enum laya_nl_set_id id,
		   const void *object)
{
	const uint32_t *present = object;
	size_t i;
	int err;

	for (i = 0; i < sets[id].n; i++) {
		const struct attr *attr = &sets[id].attrs[i];

		if (!(*present >> attr->id & 1))
			continue;
		err = encode_one(msg, attr, object);
		if (err)
			return err == -NLE_INVAL ? -EINVAL : -ENOMEM;
	}
	return 0;
}

/**
 * laya_nl_attr_name() - tell what the specification calls an attribute
 * @id: its set
 * @attr: its number
 *
 * Return: the name, or NULL.
 */
const char *laya_nl_attr_name(enum laya_nl_set_id id, unsigned int attr)
{
	const struct attr *found = attr_find(id, attr);

	return found ? found->name : NULL;
}

/**
 * laya_nl_decode_device() - read the attributes of a device
 * @device: where to put them
 * @attrs: the attributes
 * @len: how many bytes
 *
 * Return: 0 or -EBADMSG.
 */
int laya_nl_decode_device(struct laya_nl_device *device, const void *attrs,
			  size_t len)
{
	return laya_nl_decode(LAYA_NL_SET_DEVICE, device, attrs, len);
}

/**
 * laya_nl_decode_peer() - read the attributes of a peer
 * @peer: where to put them
 * @attrs: the attributes
 * @len: how many bytes
 *
 * Return: 0 or -EBADMSG.
 */
int laya_nl_decode_peer(struct laya_nl_peer *peer, const void *attrs,
			size_t len)
{
	return laya_nl_decode(LAYA_NL_SET_PEER, peer, attrs, len);
}

/**
 * laya_nl_decode_session() - read the attributes of a session
 * @session: where to put them
 * @attrs: the attributes
 * @len: how many bytes
 *
 * Return: 0 or -EBADMSG.
 */
int laya_nl_decode_session(struct laya_nl_session *session, const void *attrs,
			   size_t len)
{
	return laya_nl_decode(LAYA_NL_SET_SESSION, session, attrs, len);
}

/**
 * laya_nl_decode_path() - read the attributes of a path
 * @path: where to put them
 * @attrs: the attributes
 * @len: how many bytes
 *
 * Return: 0 or -EBADMSG.
 */
int laya_nl_decode_path(struct laya_nl_path *path, const void *attrs,
			size_t len)
{
	return laya_nl_decode(LAYA_NL_SET_PATH, path, attrs, len);
}

/**
 * laya_nl_decode_carrier() - read the attributes of a carrier
 * @carrier: where to put them
 * @attrs: the attributes
 * @len: how many bytes
 *
 * Return: 0 or -EBADMSG.
 */
int laya_nl_decode_carrier(struct laya_nl_carrier *carrier, const void *attrs,
			   size_t len)
{
	return laya_nl_decode(LAYA_NL_SET_CARRIER, carrier, attrs, len);
}

/**
 * laya_nl_decode_label() - read the attributes of a label
 * @label: where to put them
 * @attrs: the attributes
 * @len: how many bytes
 *
 * Return: 0 or -EBADMSG.
 */
int laya_nl_decode_label(struct laya_nl_label *label, const void *attrs,
			 size_t len)
{
	return laya_nl_decode(LAYA_NL_SET_LABEL, label, attrs, len);
}

static const char *name_of(const char *const *names, size_t n, uint32_t value)
{
	return value < n && names[value] ? names[value] : "unknown";
}

#define NAME_OF(names, value)	name_of(names, ARRAY_SIZE(names), value)

/**
 * laya_nl_kind_name() - name a path's kind
 * @kind: enum laya_path_kind
 *
 * Return: the name in the specification, or "unknown".
 */
const char *laya_nl_kind_name(uint32_t kind)
{
	static const char *const names[] = {
		[LAYA_PATH_KIND_LAN] = "lan",
		[LAYA_PATH_KIND_DIRECT] = "direct",
		[LAYA_PATH_KIND_MAPPED] = "mapped",
		[LAYA_PATH_KIND_GATEWAY] = "gateway",
		[LAYA_PATH_KIND_PEER_RELAY] = "peer-relay",
		[LAYA_PATH_KIND_RELAY] = "relay",
	};

	return NAME_OF(names, kind);
}

/**
 * laya_nl_carrier_name() - name a carrier's type
 * @type: enum laya_carrier_type
 *
 * Return: the name in the specification, or "unknown".
 */
const char *laya_nl_carrier_name(uint32_t type)
{
	static const char *const names[] = {
		[LAYA_CARRIER_TYPE_UDP] = "udp",
		[LAYA_CARRIER_TYPE_TCP] = "tcp",
		[LAYA_CARRIER_TYPE_TLS] = "tls",
		[LAYA_CARRIER_TYPE_WSS] = "wss",
		[LAYA_CARRIER_TYPE_HTTPS] = "https",
	};

	return NAME_OF(names, type);
}

/**
 * laya_nl_cipher_name() - name a cipher
 * @cipher: enum laya_cipher
 *
 * Return: the name in the specification, or "unknown".
 */
const char *laya_nl_cipher_name(uint32_t cipher)
{
	static const char *const names[] = {
		[LAYA_CIPHER_AES_256_GCM] = "aes-256-gcm",
		[LAYA_CIPHER_CHACHA20_POLY1305] = "chacha20-poly1305",
	};

	return NAME_OF(names, cipher);
}

/**
 * laya_nl_state_name() - name a path's state
 * @state: enum laya_path_state
 *
 * Return: the name in the specification, or "unknown".
 */
const char *laya_nl_state_name(uint32_t state)
{
	static const char *const names[] = {
		[LAYA_PATH_STATE_PROBING] = "probing",
		[LAYA_PATH_STATE_USABLE] = "usable",
		[LAYA_PATH_STATE_SUSPECT] = "suspect",
		[LAYA_PATH_STATE_DEAD] = "dead",
	};

	return NAME_OF(names, state);
}

/**
 * laya_nl_slot_name() - name a session's slot
 * @slot: enum laya_session_slot
 *
 * Return: the name in the specification, or "unknown".
 */
const char *laya_nl_slot_name(uint32_t slot)
{
	static const char *const names[] = {
		[LAYA_SESSION_SLOT_CURRENT] = "current",
		[LAYA_SESSION_SLOT_PREVIOUS] = "previous",
		[LAYA_SESSION_SLOT_NEXT] = "next",
	};

	return NAME_OF(names, slot);
}

/**
 * laya_nl_aging_name() - name the reason of a session-aging event
 * @reason: enum laya_session_aging_reason
 *
 * Return: the name in the specification, or "unknown".
 */
const char *laya_nl_aging_name(uint32_t reason)
{
	static const char *const names[] = {
		[LAYA_SESSION_AGING_REASON_REKEY] = "rekey",
		[LAYA_SESSION_AGING_REASON_EXPIRED] = "expired",
		[LAYA_SESSION_AGING_REASON_FAILURES] = "failures",
	};

	return NAME_OF(names, reason);
}
