// SPDX-License-Identifier: GPL-2.0
/* Numbers as people read them, and attributes as programs do. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "layactl.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * format_bytes() - write a number of bytes
 * @text: where to
 * @bytes: the number
 *
 * Return: @text.
 */
const char *format_bytes(char text[FORMAT_SIZE], uint64_t bytes)
{
	static const char *const units[] = {
		"KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	double value = bytes;
	size_t i;

	if (bytes < 1024) {
		snprintf(text, FORMAT_SIZE, "%" PRIu64 " B", bytes);
		return text;
	}
	value /= 1024;
	for (i = 0; value >= 1024 && i < ARRAY_SIZE(units) - 1; i++)
		value /= 1024;
	snprintf(text, FORMAT_SIZE, "%.2f %s", value, units[i]);
	return text;
}

/**
 * format_ago() - write a time as wg(8) does: the two largest units
 * @text: where to
 * @ms: milliseconds
 *
 * Return: @text.
 */
const char *format_ago(char text[FORMAT_SIZE], uint64_t ms)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {
		{ "day", 86400 }, { "hour", 3600 }, { "minute", 60 },
		{ "second", 1 },
	};
	uint64_t rest = ms / 1000;
	unsigned int shown = 0;
	size_t len = 0;
	size_t i;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(units) && shown < 2; i++) {
		uint64_t n = rest / units[i].seconds;

		rest %= units[i].seconds;
		if (!n) {
			/* "1 day, 3 seconds" would be too exact. */
			shown += shown ? 1 : 0;
			continue;
		}
		len += snprintf(text + len, FORMAT_SIZE - len,
				"%s%" PRIu64 " %s%s", shown ? ", " : "", n,
				units[i].name, n == 1 ? "" : "s");
		shown++;
	}
	if (!text[0])
		snprintf(text, FORMAT_SIZE, "less than a second");
	return text;
}

/**
 * format_rtt() - write a round-trip time
 * @text: where to
 * @us: microseconds
 *
 * Return: @text.
 */
const char *format_rtt(char text[FORMAT_SIZE], uint64_t us)
{
	double ms = us / 1000.0;
	int digits = ms < 10 ? 2 : ms < 100 ? 1 : 0;

	snprintf(text, FORMAT_SIZE, "%.*f ms", digits, ms);
	return text;
}

/**
 * format_label() - write a label
 * @text: where to
 * @label: the label
 *
 * Return: @text.
 */
const char *format_label(char text[FORMAT_SIZE],
			 const uint8_t label[LAYA_NL_LABEL_SIZE])
{
	snprintf(text, FORMAT_SIZE, "%02x%02x%02x%02x%02x%02x", label[0],
		 label[1], label[2], label[3], label[4], label[5]);
	return text;
}

/**
 * format_orchid() - write an IPv6 address
 * @text: where to
 * @addr: the address
 *
 * Return: @text.
 */
const char *format_orchid(char text[FORMAT_SIZE], const struct in6_addr *addr)
{
	return inet_ntop(AF_INET6, addr, text, FORMAT_SIZE);
}

/**
 * json_key() - a key as JSON
 * @key: the key
 *
 * Return: a string, or NULL.
 */
json_t *json_key(const uint8_t key[LAYA_KEY_SIZE])
{
	char text[LAYA_KEY_TEXT_SIZE];

	laya_key_encode(text, key);
	return json_string(text);
}

/**
 * json_orchid() - an IPv6 address as JSON
 * @addr: the address
 *
 * Return: a string, or NULL.
 */
json_t *json_orchid(const struct in6_addr *addr)
{
	char text[FORMAT_SIZE];

	return json_string(format_orchid(text, addr));
}

/**
 * json_address() - address and port as JSON
 * @address: the address
 *
 * Return: a string, or NULL.
 */
json_t *json_address(const struct laya_address *address)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];

	laya_address_format(text, address);
	return json_string(text);
}

static void set_number(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer(value));
}

/**
 * json_path() - a path as JSON, with the names of the specification
 * @path: the path
 *
 * Return: an object, or NULL.
 */
json_t *json_path(const struct laya_nl_path *path)
{
	static const struct {
		unsigned int attr;
		const char *name;
		size_t offset;
		size_t size;
	} numbers[] = {
#define NUMBER(field, FIELD, text)					\
		{ LAYA_A_PATH_##FIELD, text,				\
		  offsetof(struct laya_nl_path, field),			\
		  sizeof(((struct laya_nl_path *)NULL)->field) }
		NUMBER(path_id, PATH_ID, "path-id"),
		NUMBER(carrier_id, CARRIER_ID, "carrier-id"),
		NUMBER(oif, OIF, "oif"),
		NUMBER(mtu, MTU, "mtu"),
		NUMBER(rtt_us, RTT_US, "rtt-us"),
		NUMBER(rttvar_us, RTTVAR_US, "rttvar-us"),
		NUMBER(loss_permille, LOSS_PERMILLE, "loss-permille"),
		NUMBER(goodput, GOODPUT, "goodput"),
		NUMBER(tx_packets, TX_PACKETS, "tx-packets"),
		NUMBER(tx_bytes, TX_BYTES, "tx-bytes"),
		NUMBER(rx_packets, RX_PACKETS, "rx-packets"),
		NUMBER(rx_bytes, RX_BYTES, "rx-bytes"),
		NUMBER(last_rx_ms, LAST_RX_MS, "last-rx-ms"),
		NUMBER(unanswered, UNANSWERED, "unanswered"),
		NUMBER(unanswered_ms, UNANSWERED_MS, "unanswered-ms"),
#undef NUMBER
	};
	json_t *object = json_object();
	size_t i;

	if (!object)
		return NULL;
	json_object_set_new(object, "kind",
			    json_string(laya_nl_kind_name(path->kind)));
	json_object_set_new(object, "carrier",
			    json_string(laya_nl_carrier_name(path->carrier_type)));
	if (laya_nl_has(path, LAYA_A_PATH_STATE))
		json_object_set_new(object, "state",
				    json_string(laya_nl_state_name(path->state)));
	json_object_set_new(object, "in-use",
			    json_boolean(laya_nl_has(path,
						     LAYA_A_PATH_IN_USE)));
	json_object_set_new(object, "answered",
			    json_boolean(laya_nl_has(path,
						     LAYA_A_PATH_ANSWERED)));
	if (laya_nl_has(path, LAYA_A_PATH_REMOTE))
		json_object_set_new(object, "remote",
				    json_address(&path->remote));
	if (laya_nl_has(path, LAYA_A_PATH_LOCAL))
		json_object_set_new(object, "local",
				    json_address(&path->local));
	if (laya_nl_has(path, LAYA_A_PATH_OBSERVED))
		json_object_set_new(object, "observed",
				    json_address(&path->observed));
	if (laya_nl_has(path, LAYA_A_PATH_FORWARDER))
		json_object_set_new(object, "forwarder",
				    json_key(path->forwarder));
	/* Whoever has a label may use it, so only their number is told. */
	set_number(object, "labels", path->n_labels);

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		const uint8_t *at = (const uint8_t *)path + numbers[i].offset;
		uint32_t small;
		uint64_t large;

		if (!laya_nl_has(path, numbers[i].attr))
			continue;
		if (numbers[i].size == sizeof(small)) {
			memcpy(&small, at, sizeof(small));
			large = small;
		} else {
			memcpy(&large, at, sizeof(large));
		}
		set_number(object, numbers[i].name, large);
	}
	return object;
}
