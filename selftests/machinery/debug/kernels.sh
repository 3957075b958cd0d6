#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the debug kernels that are not in the cache, one after the other.

cd "$(dirname "$0")" || exit
for name in kasan kcsan; do
	./kernel.sh "$name" || exit
done
