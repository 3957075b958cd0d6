#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the debug kernels that the cache has none of, one after the other.

cd "$(dirname "$0")" || exit
for name in kasan kcsan; do
	./kernel.sh "$name" || exit
done
