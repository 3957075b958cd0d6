/* SPDX-License-Identifier: MIT */
/*
 * Keys that begin with the prefix of --prefix.  The kernel cannot search for
 * them, so a walk looks at every key of the map.
 */
#ifndef KMAP_CLI_PREFIX_H
#define KMAP_CLI_PREFIX_H

#include "bytes.h"
#include "cli.h"

/* Does the key of this pair begin with the prefix? */
bool prefix_matches(const struct bytes *prefix, const struct kmap_pair *pair);

/*
 * Remove all such keys.  A key that is there the whole time is removed; one that
 * is set meanwhile may be.  Sets *removed to how many were removed.
 */
enum cli_status prefix_delete(const struct cli *cli, const struct bytes *prefix,
			      uint64_t *removed);

/* Print how many keys were removed, in the form that the options ask for. */
void prefix_print_removed(const struct cli *cli, uint64_t removed);

/* Print that no key begins with the prefix, unless --quiet. */
void prefix_print_none(const struct cli *cli, const struct bytes *prefix);

#endif /* KMAP_CLI_PREFIX_H */
