// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static const char *log_program = "laya";
static enum laya_log_level log_level = LAYA_LOG_INFO;
static bool log_journal;

/**
 * laya_log_open() - say who logs, and how much
 * @program: name before each line; a string that lives on
 * @level: the least important level that is shown
 */
void laya_log_open(const char *program, enum laya_log_level level)
{
	log_program = program;
	log_level = level;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

/**
 * laya_log_enabled() - is a level shown
 * @level: the level
 *
 * Return: whether it is.
 */
bool laya_log_enabled(enum laya_log_level level)
{
	return level <= log_level;
}

static const char *level_word(enum laya_log_level level)
{
	switch (level) {
	case LAYA_LOG_ERROR:
		return "error: ";
	case LAYA_LOG_WARNING:
		return "warning: ";
	case LAYA_LOG_INFO:
	case LAYA_LOG_DEBUG:
		break;
	}
	return "";
}

/**
 * laya_log() - write one line to standard error
 * @level: how important it is
 * @format: as for printf(3), without a newline
 */
void laya_log(enum laya_log_level level, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (!laya_log_enabled(level))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (log_journal)
		fprintf(stderr, "<%d>%s\n", level, line);
	else
		fprintf(stderr, "%s: %s%s\n", log_program, level_word(level),
			line);
}
