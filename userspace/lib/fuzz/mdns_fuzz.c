// SPDX-License-Identifier: GPL-2.0
/* Whatever is read of a message of anybody's can be written, and read again alike. */
#include <stdlib.h>
#include <string.h>

#include "mdns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct laya_mdns_message message;
	struct laya_mdns_message again;
	uint8_t bytes[16384];
	size_t len;

	if (laya_mdns_read(&message, data, size))
		return 0;
	if (laya_mdns_write(&message, bytes, sizeof(bytes), &len) ||
	    laya_mdns_read(&again, bytes, len) ||
	    memcmp(&message, &again, sizeof(message)) != 0)
		abort();
	return 0;
}
