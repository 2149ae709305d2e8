/* SPDX-License-Identifier: GPL-2.0 */
/* Before 6.12; newer kernels have a header of this name, which is found first. */
#include <asm/unaligned.h>
