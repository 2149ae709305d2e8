// SPDX-License-Identifier: GPL-2.0
/* Options, errors, colours: what each verb begins with. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layactl.h"

/**
 * ctl_fail() - say what failed
 * @format: in words
 *
 * Return: CTL_FAILURE.
 */
int ctl_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("layactl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CTL_FAILURE;
}

/**
 * ctl_help() - print how a verb is used
 * @verb: which
 * @stream: where to
 */
void ctl_help(const struct verb *verb, FILE *stream)
{
	fprintf(stream, "Usage: layactl %s %s\n\n%s.\n\n%s", verb->name,
		verb->synopsis, verb->summary, verb->help);
}

/**
 * ctl_usage() - say what is wrong with the arguments
 * @verb: of this verb
 * @format: in words, or NULL if getopt has said it
 *
 * Return: CTL_USAGE.
 */
int ctl_usage(const struct verb *verb, const char *format, ...)
{
	va_list args;

	if (format) {
		fprintf(stderr, "layactl %s: ", verb->name);
		va_start(args, format);
		vfprintf(stderr, format, args);
		va_end(args);
		fputc('\n', stderr);
	}
	fprintf(stderr,
		"Usage: layactl %s %s\nTry: layactl %s --help\n",
		verb->name, verb->synopsis, verb->name);
	return CTL_USAGE;
}

/**
 * ctl_option() - take one of the options that many verbs have
 * @ctl: where to
 * @verb: for its help
 * @option: what getopt_long() returned
 *
 * Return: CTL_GO_ON, or an exit status.
 */
int ctl_option(struct ctl *ctl, const struct verb *verb, int option)
{
	switch (option) {
	case 'c':
		ctl->config = optarg;
		return CTL_GO_ON;
	case 'd':
		if (!*optarg || strlen(optarg) >= IFNAMSIZ)
			return ctl_usage(verb, "\"%s\" is no device", optarg);
		ctl->device = optarg;
		return CTL_GO_ON;
	case 'j':
		ctl->json = true;
		return CTL_GO_ON;
	case 'h':
		ctl_help(verb, stdout);
		return CTL_OK;
	}
	return ctl_usage(verb, NULL);
}

/**
 * ctl_number() - read a number
 * @text: the text
 * @min: smallest that it may be
 * @max: largest
 * @value: where to put it
 *
 * Return: true if it is one.
 */
bool ctl_number(const char *text, double min, double max, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return end != text && !*end && !errno && *value >= min &&
	       *value <= max;
}

/**
 * colour() - begin a colour
 * @which: of these
 *
 * Return: what to print for it; nothing when standard output is no terminal
 * or NO_COLOR is set (no-color.org).
 */
const char *colour(enum colour which)
{
	static const char *const codes[] = {
		[BOLD] = "\033[1m", [GREEN] = "\033[32m",
		[YELLOW] = "\033[33m", [RED] = "\033[31m",
		[CYAN] = "\033[36m", [PLAIN] = "\033[0m",
	};
	const char *no_color = getenv("NO_COLOR");
	static int on = -1;

	if (on < 0)
		on = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	return on ? codes[which] : "";
}

/**
 * ctl_print_json() - print JSON and a line's end
 * @json: what; the reference is taken
 * @flags: of jansson, as JSON_INDENT(2)
 *
 * Return: an exit status.
 */
int ctl_print_json(json_t *json, size_t flags)
{
	int err;

	if (!json)
		return ctl_fail("out of memory");
	err = json_dumpf(json, stdout, flags | JSON_REAL_PRECISION(6));
	json_decref(json);
	if (err || putchar('\n') == EOF || fflush(stdout))
		return ctl_fail("standard output: %s", strerror(errno));
	return CTL_OK;
}

/**
 * ctl_netlink() - connect to the module, or say why not
 *
 * Return: the connection, or NULL.
 */
struct laya_nl *ctl_netlink(void)
{
	struct laya_nl *nl;
	char msg[256];

	if (laya_nl_open(&nl, msg, sizeof(msg)))
		ctl_fail("%s", msg);
	return nl;
}

/**
 * struct only - the only device
 * @device: the last one seen
 * @n: how many there were
 */
struct only {
	struct laya_nl_device *device;
	unsigned int n;
};

static int only_each(void *ctx, const struct laya_nl_device *device)
{
	struct only *only = ctx;

	*only->device = *device;
	only->n++;
	return 0;
}

/**
 * ctl_device() - find the device, or say why not
 * @ctl: names it, or the only one is meant
 * @nl: the connection
 * @device: filled in
 *
 * Return: CTL_OK or CTL_FAILURE.
 */
int ctl_device(const struct ctl *ctl, struct laya_nl *nl,
	       struct laya_nl_device *device)
{
	struct only only = { .device = device };
	int err;

	memset(device, 0, sizeof(*device));
	if (ctl->device) {
		snprintf(device->ifname, sizeof(device->ifname), "%s",
			 ctl->device);
		laya_nl_set(device, LAYA_A_DEVICE_IFNAME);
		err = laya_nl_device_get(nl, device);
		if (err == -ENODEV)
			return ctl_fail("%s: no such Laya device here",
					ctl->device);
		return err ? ctl_fail("%s", laya_nl_strerror(nl)) : CTL_OK;
	}
	err = laya_nl_device_dump(nl, only_each, &only);
	if (err)
		return ctl_fail("%s", laya_nl_strerror(nl));
	if (only.n == 0)
		return ctl_fail("no Laya device in this network namespace; is layad running?");
	if (only.n > 1)
		return ctl_fail("several Laya devices: choose one with -d");
	return CTL_OK;
}
