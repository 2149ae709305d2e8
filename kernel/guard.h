/* SPDX-License-Identifier: GPL-2.0 */
/* Identity is route: ORCHIDs come and go through Laya devices only. */
#ifndef _LAYA_GUARD_H
#define _LAYA_GUARD_H

int laya_guard_init(void);	/* netfilter hooks in every network namespace */
void laya_guard_exit(void);

#endif /* _LAYA_GUARD_H */
