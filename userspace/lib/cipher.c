// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cipher.h"

/**
 * laya_cipher_order() - the ciphers to offer, preferred first
 * @ciphers: where to put them
 * @accelerated: this CPU accelerates AES-256-GCM
 *
 * Return: how many.
 */
unsigned int laya_cipher_order(uint32_t ciphers[2], bool accelerated)
{
	ciphers[0] = accelerated ? LAYA_CIPHER_AES_256_GCM :
				   LAYA_CIPHER_CHACHA20_POLY1305;
	ciphers[1] = accelerated ? LAYA_CIPHER_CHACHA20_POLY1305 :
				   LAYA_CIPHER_AES_256_GCM;
	return 2;
}

/**
 * laya_cipher_choose() - choose among the ciphers of an offer
 * @offered: ciphers, preferred first; those that we do not know are passed over
 * @n: how many
 * @accelerated: this CPU accelerates AES-256-GCM; otherwise that comes last
 *
 * Return: enum laya_cipher; 0 if there is none in common.
 */
uint32_t laya_cipher_choose(const uint32_t *offered, size_t n,
			    bool accelerated)
{
	bool aes = false;
	size_t i;

	for (i = 0; i < n; i++) {
		switch (offered[i]) {
		case LAYA_CIPHER_CHACHA20_POLY1305:
			return offered[i];
		case LAYA_CIPHER_AES_256_GCM:
			if (accelerated)
				return offered[i];
			aes = true;
			break;
		}
	}
	return aes ? LAYA_CIPHER_AES_256_GCM : 0;
}

/**
 * laya_cipher_accelerated() - does this CPU accelerate AES-256-GCM
 * @cpuinfo: file to read; NULL for /proc/cpuinfo
 *
 * Return: whether its flags name AES.
 */
bool laya_cipher_accelerated(const char *cpuinfo)
{
	bool found = false;
	char *line = NULL;
	size_t size = 0;
	char *word;
	char *rest;
	FILE *file;

	file = fopen(cpuinfo ? cpuinfo : "/proc/cpuinfo", "re");
	if (!file)
		return false;
	while (!found && getline(&line, &size, file) >= 0) {
		/* x86 says "flags", arm64 says "Features" */
		if (strncmp(line, "flags", 5) != 0 &&
		    strncmp(line, "Features", 8) != 0)
			continue;
		rest = strchr(line, ':');
		if (!rest)
			continue;
		for (word = strtok_r(rest + 1, " \t\n", &rest); word && !found;
		     word = strtok_r(NULL, " \t\n", &rest))
			found = strcmp(word, "aes") == 0;
	}
	free(line);
	fclose(file);
	return found;
}
