/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Public test vectors: vectors/cacophony.txt of the Cacophony library (public
 * domain), https://github.com/haskell-cryptography/cacophony at commit
 * 8ee9d41e34a1, those of our two patterns.  Prologue and keys are the same in
 * both.
 */
#ifndef LAYA_NOISE_VECTORS_H
#define LAYA_NOISE_VECTORS_H

#include "../noise.h"

#define VECTOR_PROLOGUE	"4a6f686e2047616c74"
#define VECTOR_PSK \
	"54686973206973206d7920417573747269616e20706572737065637469766521"
#define VECTOR_INIT_STATIC \
	"e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"
#define VECTOR_INIT_EPHEMERAL \
	"893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"
#define VECTOR_RESP_STATIC \
	"4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"
#define VECTOR_RESP_PUBLIC \
	"31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62"
#define VECTOR_RESP_EPHEMERAL \
	"bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"

static const char * const vector_payloads[] = {
	"4c756477696720766f6e204d69736573",
	"4d757272617920526f746862617264",
	"462e20412e20486179656b",
	"4361726c204d656e676572",
	"4a65616e2d426170746973746520536179",
	"457567656e2042f6686d20766f6e2042617765726b",
};

struct vector {
	enum laya_noise_pattern pattern;
	const char *psk;
	const char *hash;
	/* first those of the handshake, then of the transport */
	const char *messages[ARRAY_SIZE(vector_payloads)];
};

static const struct vector vectors[] = {
	{
		.pattern = LAYA_NOISE_XK,
		.hash = "cefffc5d1074126cc980ebfe902587ff36ba61dc77d4447ebe0f96dc22ae59d7",
		.messages = {
			"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944a3785af283c991bab613473804356ef6931f83acf64f99c274b93570857cfc5e",
			"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088433a4534805fa9fe4eb8343ace6609160c767ad9b832e8eea1d9b7a2111818dd",
			"5d8e67b9c1b8e36f5dc674bc5cd2ce243fb5d1710fa57de0370da7cc979015398eaad94603b05498ba9a613d2fd923dcaa6fd4288dfd8d70f419bf737efb4cd37f5da37ebb728849318c82",
			"3205e1265f809505e6edc092839d3156745d2abafbfd946b261e41",
			"470bcb1ae099555ff0d729500df550418d6ee5149d9e40bd2f4c6b3d263cc818d5",
			"d7187ed9d217ba6e91cf596e4871012ccedf7b5bed0d4cb8f7affb020fa17a95a23371e0f6",
		},
	},
	{
		.pattern = LAYA_NOISE_IK_PSK2,
		.psk = VECTOR_PSK,
		.hash = "8310f86394dc0dabb40beb8210031556db4403ab1202db7034c526232147a700",
		.messages = {
			"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79442ec9b09893d0f510791784c10cbc959f25b1766e0def6e301d14fbca1c7790ac829b8b3674f5f649a5f0e98479662cbfbf2b2c47cd4b09fcd266cd29d7cb675f1808849707847840f6d178ec4d3733aa",
			"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088439a1b3cebf680b2c74217fcb5eba4ff58a9468cd90c4aca6194f57479b379a7",
			"a8fde7a0accec190cd306c5950d4fd8e04a205ec288aa747d8b347",
			"59caddd9984a3bbe24c4fb31a2bd455b7eba3fa0980674b1a3a5f9",
			"3b9bfebd210c22ba0cff9de79b4007d7a552fffbf92616881faa8a883e25b80258",
			"f37512df1043d564d7c46ac85c53d3b6a9a05724bc297e7142808f217561651217fe85b782",
		},
	},
};

#endif /* LAYA_NOISE_VECTORS_H */
