// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <net/sock.h>

#include "send.h"
#include "stream.h"

static void laya_stream_kinds__no_socket(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, LAYA_KINDS_ANY, laya_stream_kinds(NULL));
}

static void laya_stream_option_allowed__tcp(struct kunit *test)
{
	static const int both[] = {
		TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL,
		TCP_KEEPCNT, TCP_SYNCNT, TCP_LINGER2, TCP_DEFER_ACCEPT,
		TCP_WINDOW_CLAMP, TCP_QUICKACK, TCP_CONGESTION,
		TCP_THIN_LINEAR_TIMEOUTS, TCP_USER_TIMEOUT, TCP_NOTSENT_LOWAT,
		TCP_INQ,
	};
	static const int get[] = {
		TCP_INFO, TCP_CC_INFO, TCP_ZEROCOPY_RECEIVE,
	};
	unsigned int set = 0, got = 0, i;
	int optname;

	for (i = 0; i < ARRAY_SIZE(both); i++) {
		KUNIT_EXPECT_TRUE(test, laya_stream_option_allowed(SOL_TCP,
								   both[i], true));
		KUNIT_EXPECT_TRUE(test, laya_stream_option_allowed(SOL_TCP,
								   both[i], false));
	}
	for (i = 0; i < ARRAY_SIZE(get); i++) {
		KUNIT_EXPECT_FALSE(test, laya_stream_option_allowed(SOL_TCP,
								    get[i], true));
		KUNIT_EXPECT_TRUE(test, laya_stream_option_allowed(SOL_TCP,
								   get[i], false));
	}
	/* and nothing else, known or to come */
	for (optname = -1000; optname < 1000; optname++) {
		set += laya_stream_option_allowed(SOL_TCP, optname, true);
		got += laya_stream_option_allowed(SOL_TCP, optname, false);
	}
	KUNIT_EXPECT_EQ(test, (unsigned int)ARRAY_SIZE(both), set);
	KUNIT_EXPECT_EQ(test, (unsigned int)(ARRAY_SIZE(both) + ARRAY_SIZE(get)),
			got);
}

static void laya_stream_option_allowed__evil(struct kunit *test)
{
	static const struct {
		int level, optname;
	} evil[] = {
		{ SOL_TCP, TCP_ULP },
		{ SOL_TCP, TCP_REPAIR },
		{ SOL_TCP, TCP_REPAIR_QUEUE },
		{ SOL_TCP, TCP_REPAIR_OPTIONS },
		{ SOL_TCP, TCP_REPAIR_WINDOW },
		{ SOL_TCP, TCP_QUEUE_SEQ },
		{ SOL_TCP, TCP_MD5SIG },
		{ SOL_TCP, TCP_MD5SIG_EXT },
		{ SOL_TCP, TCP_FASTOPEN },
		{ SOL_TCP, TCP_FASTOPEN_CONNECT },
		{ SOL_TCP, TCP_FASTOPEN_KEY },
		{ SOL_TCP, TCP_TIMESTAMP },
		{ SOL_IPV6, IPV6_ADDRFORM },
		{ SOL_IPV6, IPV6_PKTINFO },
		{ SOL_IPV6, IPV6_RTHDR },
		{ SOL_IPV6, IPV6_HOPOPTS },
		{ SOL_IPV6, IPV6_DSTOPTS },
		{ SOL_IPV6, IPV6_2292PKTOPTIONS },
		{ SOL_IPV6, IPV6_FLOWLABEL_MGR },
		{ SOL_IPV6, IPV6_TRANSPARENT },
		{ SOL_IPV6, IPV6_FREEBIND },
		{ SOL_IPV6, IPV6_V6ONLY },
		{ SOL_IPV6, IPV6_RECVERR },
		{ SOL_IPV6, IPV6_UNICAST_IF },
		{ SOL_IPV6, IPV6_IPSEC_POLICY },
		{ SOL_SOCKET, SO_BINDTODEVICE },
		{ SOL_SOCKET, SO_BINDTOIFINDEX },
		{ SOL_IP, 1 },
		{ SOL_MPTCP, 1 },
		{ SOL_TLS, 1 },
		{ SOL_UDP, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(evil); i++)
		KUNIT_EXPECT_FALSE(test,
				   laya_stream_option_allowed(evil[i].level,
							      evil[i].optname,
							      true));
}

static void laya_stream_option_allowed__other_levels(struct kunit *test)
{
	static const int ipv6[] = {
		IPV6_TCLASS, IPV6_RECVTCLASS, IPV6_AUTOFLOWLABEL,
	};
	unsigned int i, n = 0;
	int number;

	for (i = 0; i < ARRAY_SIZE(ipv6); i++)
		KUNIT_EXPECT_TRUE(test, laya_stream_option_allowed(SOL_IPV6,
								   ipv6[i], true));
	for (number = -1000; number < 1000; number++)
		n += laya_stream_option_allowed(SOL_IPV6, number, true);
	KUNIT_EXPECT_EQ(test, (unsigned int)ARRAY_SIZE(ipv6), n);

	KUNIT_EXPECT_TRUE(test, laya_stream_option_allowed(SOL_SOCKET,
							   SO_RCVBUF, true));
	KUNIT_EXPECT_TRUE(test, laya_stream_option_allowed(SOL_SOCKET,
							   SO_BINDTODEVICE,
							   false));
	for (number = -1000; number < 1000; number++)
		if (number != SOL_SOCKET && number != SOL_TCP &&
		    number != SOL_IPV6)
			KUNIT_EXPECT_FALSE(test,
					   laya_stream_option_allowed(number, 1,
								      true));
}

static struct kunit_case laya_stream_cases[] = {
	KUNIT_CASE(laya_stream_kinds__no_socket),
	KUNIT_CASE(laya_stream_option_allowed__tcp),
	KUNIT_CASE(laya_stream_option_allowed__evil),
	KUNIT_CASE(laya_stream_option_allowed__other_levels),
	{}
};

static struct kunit_suite laya_stream_suite = {
	.name		= "laya_stream",
	.test_cases	= laya_stream_cases,
};

kunit_test_suite(laya_stream_suite);
