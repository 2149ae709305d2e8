// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../layactl.h"

#define KEY	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void format_bytes__units(void **state)
{
	char text[FORMAT_SIZE];

	(void)state;
	assert_string_equal(format_bytes(text, 0), "0 B");
	assert_string_equal(format_bytes(text, 1023), "1023 B");
	assert_string_equal(format_bytes(text, 1024), "1.00 KiB");
	assert_string_equal(format_bytes(text, 1536 * 1024), "1.50 MiB");
	assert_string_equal(format_bytes(text, UINT64_MAX), "16.00 EiB");
}

static void format_ago__two_units(void **state)
{
	char text[FORMAT_SIZE];

	(void)state;
	assert_string_equal(format_ago(text, 0), "less than a second");
	assert_string_equal(format_ago(text, 1999), "1 second");
	assert_string_equal(format_ago(text, 61000), "1 minute, 1 second");
	assert_string_equal(format_ago(text, 3600000), "1 hour");
	assert_string_equal(format_ago(text, 86403000), "1 day");
	assert_string_equal(format_ago(text, 2 * 86400000ull + 3600000),
			    "2 days, 1 hour");
	assert_non_null(format_ago(text, UINT64_MAX));
}

static void format_rtt__digits(void **state)
{
	char text[FORMAT_SIZE];

	(void)state;
	assert_string_equal(format_rtt(text, 120), "0.12 ms");
	assert_string_equal(format_rtt(text, 12340), "12.3 ms");
	assert_string_equal(format_rtt(text, 1234000), "1234 ms");
}

static void ctl_number__cases(void **state)
{
	double value;

	(void)state;
	assert_true(ctl_number("0.5", 0, 1, &value));
	assert_false(ctl_number("", 0, 1, &value));
	assert_false(ctl_number("1x", 0, 1, &value));
	assert_false(ctl_number("2", 0, 1, &value));
	assert_false(ctl_number("nan", 0, 1, &value));
}

static void json_path__tells_no_label(void **state)
{
	struct laya_nl_path path = {
		.kind = LAYA_PATH_KIND_RELAY,
		.carrier_type = LAYA_CARRIER_TYPE_UDP,
		.n_labels = 1, .labels = { { 0xde, 0xad, 0xbe, 0xef } },
		.remote = { AF_INET, 5292, { 192, 0, 2, 1 } }, .mtu = 1420,
	};
	json_t *json;
	char *text;

	(void)state;
	laya_nl_set(&path, LAYA_A_PATH_LABELS);
	laya_nl_set(&path, LAYA_A_PATH_REMOTE);
	laya_nl_set(&path, LAYA_A_PATH_MTU);
	json = json_path(&path);
	text = json_dumps(json, 0);
	assert_non_null(strstr(text, "\"relay\""));
	assert_non_null(strstr(text, "192.0.2.1:5292"));
	assert_non_null(strstr(text, "\"mtu\": 1420"));
	assert_null(strstr(text, "dead"));
	assert_null(strstr(text, "rtt-us"));
	free(text);
	json_decref(json);
}

static int from(const char *text, struct names *names)
{
	json_t *json = json_loads(text, 0, NULL);
	int err;

	assert_non_null(json);
	*names = (struct names){};
	err = names_from_json(names, json);
	json_decref(json);
	return err;
}

static void names_from_json__good(void **state)
{
	uint8_t key[LAYA_KEY_SIZE];
	struct names names;

	(void)state;
	assert_int_equal(laya_key_decode(key, KEY), 0);
	assert_int_equal(from("{\"peers\": [{\"name\": \"bob\", \"public-key\": \""
			      KEY "\"}]}", &names), 0);
	assert_string_equal(names_find(&names, key), "bob");
	key[0]++;
	assert_null(names_find(&names, key));
	ctl_names_free(&names);
	assert_int_equal(from("{\"peers\": [{\"public-key\": \"" KEY "\"}]}",
			      &names), 0);
	key[0]--;
	assert_null(names_find(&names, key));
	ctl_names_free(&names);
}

static void names_from_json__bad(void **state)
{
	static const char *const texts[] = {
		"{}", "{\"peers\": 3}", "{\"peers\": [3]}",
		"{\"peers\": [{\"name\": \"bob\"}]}",
		"{\"peers\": [{\"public-key\": \"x\"}]}",
		/* what a terminal would obey */
		"{\"peers\": [{\"name\": \"\\u001b[2J\", \"public-key\": \""
		KEY "\"}]}",
	};
	struct names names;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(from(texts[i], &names), -EBADMSG);
		ctl_names_free(&names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_bytes__units),
		cmocka_unit_test(format_ago__two_units),
		cmocka_unit_test(format_rtt__digits),
		cmocka_unit_test(ctl_number__cases),
		cmocka_unit_test(json_path__tells_no_label),
		cmocka_unit_test(names_from_json__good),
		cmocka_unit_test(names_from_json__bad),
	};

	return sodium_init() < 0 ? 1 :
	       cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
