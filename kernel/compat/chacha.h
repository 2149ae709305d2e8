/* SPDX-License-Identifier: GPL-2.0 */
/* Before 6.16 the state of ChaCha was a bare array. */
#ifndef _LAYA_COMPAT_CHACHA_H
#define _LAYA_COMPAT_CHACHA_H

#include <crypto/chacha.h>

#ifndef LAYA_HAVE_CHACHA_STATE
struct chacha_state {
	u32 x[CHACHA_STATE_WORDS];
};

/* The preprocessor does not expand a macro within itself. */
#define chacha_init(state, key, iv)	chacha_init((state)->x, key, iv)
#define chacha20_crypt(state, to, from, len) \
	chacha20_crypt((state)->x, to, from, len)
#endif

#endif /* _LAYA_COMPAT_CHACHA_H */
