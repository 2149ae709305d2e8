/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the verbs of layactl share.
 */
#ifndef LAYACTL_H
#define LAYACTL_H

#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "config.h"
#include "key.h"
#include "netlink.h"

/* Exit status, as wg(8) and ip(8) have them */
#define CTL_OK		0
#define CTL_FAILURE	1
#define CTL_USAGE	2

/**
 * struct verb - one thing that layactl does
 * @name: how it is called
 * @run: does it, with @name in argv[0]
 * @synopsis: its arguments
 * @summary: what it does, in a line
 * @help: its options, one a line, and what else there is to say
 */
struct verb {
	const char *name;
	int (*run)(const struct verb *verb, int argc, char **argv);
	const char *synopsis;
	const char *summary;
	const char *help;
};

extern const struct verb verb_genkey;
extern const struct verb verb_pubkey;
extern const struct verb verb_genpsk;
extern const struct verb verb_show;
extern const struct verb verb_peer;
extern const struct verb verb_explain;
extern const struct verb verb_check;
extern const struct verb verb_ping;
extern const struct verb verb_monitor;
extern const struct verb verb_addr;
extern const struct verb verb_nc;

/**
 * struct ctl - the options that many verbs have
 * @device: -d: name of the device, or NULL
 * @config: -c: configuration that names are looked up in, or NULL
 * @json: -j
 */
struct ctl {
	const char *device;
	const char *config;
	bool json;
};

#define CTL_SHORT	"c:d:hj"
#define CTL_LONG						\
	{ "config", required_argument, NULL, 'c' },		\
	{ "device", required_argument, NULL, 'd' },		\
	{ "help", no_argument, NULL, 'h' },			\
	{ "json", no_argument, NULL, 'j' }
#define CTL_HELP						\
	"  -c, --config FILE   look names up in this configuration\n"	\
	"  -d, --device NAME   device, if there are several\n"
#define CTL_HELP_JSON						\
	"  -j, --json          print JSON\n"
#define CTL_HELP_HELP						\
	"  -h, --help          print this\n"

/* ctl_option() and ctl_usage() return an exit status, or CTL_GO_ON. */
#define CTL_GO_ON	(-1)

int ctl_option(struct ctl *ctl, const struct verb *verb, int option);
int ctl_usage(const struct verb *verb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void ctl_help(const struct verb *verb, FILE *stream);
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool ctl_number(const char *text, double min, double max, double *value);

/* A short text */
#define FORMAT_SIZE	128

/* Colours: an escape sequence, or "" when standard output is no terminal */
enum colour { BOLD, GREEN, YELLOW, RED, CYAN, PLAIN };
const char *colour(enum colour colour);
int ctl_print_json(json_t *json, size_t flags);

/* Netlink */
struct laya_nl *ctl_netlink(void);
int ctl_device(const struct ctl *ctl, struct laya_nl *nl,
	       struct laya_nl_device *device);

/**
 * struct name - a key and what it is called
 * @name: empty when it has none
 * @key: public key
 * @signalling: how layad signals with it directly; empty if it does not
 */
struct name {
	char name[LAYA_CONFIG_NAME_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	char signalling[FORMAT_SIZE];
};

/**
 * struct names - all peers that layad or a configuration knows
 * @list: the names
 * @n: how many
 */
struct names {
	struct name *list;
	size_t n;
};

int ctl_names(const struct ctl *ctl, const char *device, struct names *names,
	      char *msg, size_t msg_size);
void ctl_names_free(struct names *names);
int names_add(struct names *names, const char *name,
	      const uint8_t key[LAYA_KEY_SIZE]);
int names_from_json(struct names *names, const json_t *status);
const char *names_find(const struct names *names,
		       const uint8_t key[LAYA_KEY_SIZE]);
const char *names_signalling(const struct names *names,
			     const uint8_t key[LAYA_KEY_SIZE]);
int ctl_peer(const struct ctl *ctl, const char *text, struct name *peer);
int ctl_control(const struct ctl *ctl, json_t *request, json_t **reply);

/* Texts; pure functions */
const char *format_bytes(char text[FORMAT_SIZE], uint64_t bytes);
const char *format_ago(char text[FORMAT_SIZE], uint64_t ms);
const char *format_rtt(char text[FORMAT_SIZE], uint64_t us);
const char *format_label(char text[FORMAT_SIZE],
			 const uint8_t label[LAYA_NL_LABEL_SIZE]);
const char *format_orchid(char text[FORMAT_SIZE], const struct in6_addr *addr);
json_t *json_key(const uint8_t key[LAYA_KEY_SIZE]);
json_t *json_orchid(const struct in6_addr *addr);
json_t *json_address(const struct laya_address *address);
json_t *json_path(const struct laya_nl_path *path);

#endif /* LAYACTL_H */
