/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LAYACTL_EXPLAIN_H
#define LAYACTL_EXPLAIN_H

#include "layactl.h"

#define EXPLAIN_SIZE	512

/* Pure functions: explain_judge.c, explain_text.c */
void explain_judge(json_t *facts);
bool explain_settled(const json_t *facts);
bool servers_settled(const json_t *facts);
int explain_udp(const json_t *paths, const json_t *server,
		char text[EXPLAIN_SIZE]);
void explain_text(const json_t *facts, FILE *stream);
const char *json_text(const json_t *object, const char *name);

#endif /* LAYACTL_EXPLAIN_H */
