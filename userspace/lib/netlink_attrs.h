/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of the attribute sets, between netlink.c and netlink_attrs.c only.
 */
#ifndef LAYA_NETLINK_ATTRS_H
#define LAYA_NETLINK_ATTRS_H

#include <stddef.h>
#include <stdint.h>

#include <netlink/msg.h>

enum laya_nl_set_id {
	LAYA_NL_SET_DEVICE,
	LAYA_NL_SET_PEER,
	LAYA_NL_SET_SESSION,
	LAYA_NL_SET_PATH,
	LAYA_NL_SET_CARRIER,
	LAYA_NL_SET_LABEL,
};

int laya_nl_decode(enum laya_nl_set_id id, void *object, const void *attrs,
		   size_t len);
int laya_nl_encode(struct nl_msg *msg, enum laya_nl_set_id id,
		   const void *object);
const char *laya_nl_attr_name(enum laya_nl_set_id id, unsigned int attr);

#endif /* LAYA_NETLINK_ATTRS_H */
