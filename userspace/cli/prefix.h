/* SPDX-License-Identifier: MIT */
/*
 * Keys that begin with what --prefix says.  The kernel knows nothing of them: a
 * walk looks at every key of the map.
 */
#ifndef KMAP_CLI_PREFIX_H
#define KMAP_CLI_PREFIX_H

#include "bytes.h"
#include "cli.h"

/* Does this key? */
bool prefix_matches(const struct bytes *prefix, const struct kmap_pair *pair);

/*
 * Remove all of them.  Each that is there the whole time is removed; one that is
 * set meanwhile may be.  Sets removed to how many there were.
 */
enum cli_status prefix_delete(const struct cli *cli, const struct bytes *prefix,
			      uint64_t *removed);

/* Print how many keys were removed, as the options want it. */
void prefix_print_removed(const struct cli *cli, uint64_t removed);

/* The message when there was none, unless --quiet. */
void prefix_print_none(const struct cli *cli, const struct bytes *prefix);

#endif /* KMAP_CLI_PREFIX_H */
