// SPDX-License-Identifier: GPL-2.0
/*
 * Laya: connect two programs by who the other side is.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "af_laya.h"
#include "device.h"
#include "dgram.h"
#include "guard.h"
#include "laya.h"
#include "netlink.h"
#include "path.h"
#include "run.h"
#include "session.h"
#include "stream.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init laya_init(void)
{
	int err;

	laya_wire_build_bugs();

	err = laya_session_init();
	if (err)
		return err;
	err = laya_path_init();
	if (err)
		goto err_session;
	err = laya_guard_init();
	if (err)
		goto err_path;
	err = laya_dgram_init();
	if (err)
		goto err_guard;
	err = laya_stream_init();
	if (err)
		goto err_dgram;
	err = laya_device_init();
	if (err)
		goto err_stream;
	err = laya_netlink_init();
	if (err)
		goto err_device;
	/* The last: from here on there are sockets */
	err = laya_af_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	laya_netlink_exit();
err_device:
	laya_device_exit();
err_stream:
	laya_stream_exit();
err_dgram:
	laya_dgram_exit();
err_guard:
	laya_guard_exit();
err_path:
	rcu_barrier();
	laya_path_exit();
err_session:
	laya_session_exit();
	laya_run_exit();
	return err;
}

static void __exit laya_exit(void)
{
	laya_af_exit();
	laya_netlink_exit();
	laya_device_exit();
	laya_stream_exit();
	laya_dgram_exit();
	laya_guard_exit();
	/* Peers, paths and sessions that wait for their grace period */
	rcu_barrier();
	laya_session_exit();
	rcu_barrier();
	laya_path_exit();
	laya_run_exit();
}

module_init(laya_init);
module_exit(laya_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Laya: sockets addressed by identity, over whatever path there is");
MODULE_ALIAS_NETPROTO(AF_LAYA);
MODULE_ALIAS_RTNL_LINK("laya");
MODULE_ALIAS_GENL_FAMILY("laya");
