/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages for a person, on standard error; with the level that journald reads
 * (sd-daemon(3)) when that is where standard error goes.
 */
#ifndef LAYA_LOG_H
#define LAYA_LOG_H

#include <stdbool.h>

/* The values of syslog(3) */
enum laya_log_level {
	LAYA_LOG_ERROR = 3,
	LAYA_LOG_WARNING = 4,
	LAYA_LOG_INFO = 6,
	LAYA_LOG_DEBUG = 7,
};

void laya_log_open(const char *program, enum laya_log_level level);
bool laya_log_enabled(enum laya_log_level level);
void laya_log(enum laya_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define laya_error(...)		laya_log(LAYA_LOG_ERROR, __VA_ARGS__)
#define laya_warning(...)	laya_log(LAYA_LOG_WARNING, __VA_ARGS__)
#define laya_info(...)		laya_log(LAYA_LOG_INFO, __VA_ARGS__)
#define laya_debug(...)		laya_log(LAYA_LOG_DEBUG, __VA_ARGS__)

#endif /* LAYA_LOG_H */
