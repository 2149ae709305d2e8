/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which cipher a session uses: AES-256-GCM where both CPUs accelerate it, else
 * ChaCha20-Poly1305.  Every node can do both.
 */
#ifndef LAYA_CIPHER_H
#define LAYA_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/laya_netlink.h>

unsigned int laya_cipher_order(uint32_t ciphers[2], bool accelerated);
uint32_t laya_cipher_choose(const uint32_t *offered, size_t n,
			    bool accelerated);
bool laya_cipher_accelerated(const char *cpuinfo);

#endif /* LAYA_CIPHER_H */
