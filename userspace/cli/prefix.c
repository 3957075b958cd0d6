// SPDX-License-Identifier: MIT
/*
 * Keys that begin with the prefix of --prefix, see prefix.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prefix.h"

/* Most keys that one call removes. */
#define BATCH_KEYS	4096

/* Keys that a walk has found and that are to be removed. */
struct found {
	struct kmap_op	ops[BATCH_KEYS];
	size_t		count;
	struct bytes	keys;
	uint64_t	removed;
};

bool prefix_matches(const struct bytes *prefix, const struct kmap_pair *pair)
{
	return pair->key_len >= prefix->len &&
	       !memcmp(pair->key, prefix->data, prefix->len);
}

static void add_found(struct found *found, const struct kmap_pair *pair)
{
	/* The address of the key is set later: until then the buffer may move. */
	found->ops[found->count++] = (struct kmap_op){
		.opcode = KMAP_OP_DELETE,
		.key_len = (uint32_t)pair->key_len,
	};
	bytes_add(&found->keys, pair->key, pair->key_len);
}

/* Remove the keys found; it is no failure if somebody else has removed one. */
static int delete_found(struct kmap *map, struct found *found)
{
	const unsigned char *key = found->keys.data;
	size_t done = 0;
	int ret;

	for (size_t i = 0; i < found->count; i++) {
		found->ops[i].key = KMAP_PTR(key);
		key += found->ops[i].key_len;
	}
	ret = kmap_batch(map, found->ops, found->count, &done);
	for (size_t i = 0; i < done; i++) {
		if (!found->ops[i].error)
			found->removed++;
		else if (found->ops[i].error != -ENOENT && !ret)
			ret = found->ops[i].error;
	}
	found->count = 0;
	found->keys.len = 0;
	return ret;
}

enum cli_status prefix_delete(const struct cli *cli, const struct bytes *prefix,
			      uint64_t *removed)
{
	struct found *found = calloc(1, sizeof(*found));
	struct kmap_iter *iter = NULL;
	struct kmap_pair pair;
	int more;

	if (!found)
		return cli_fail(cli, -ENOMEM);
	more = kmap_iter_open(cli->map, 0, &iter);
	if (!more)
		more = 1;
	while (more > 0) {
		more = kmap_iter_next(iter, &pair);
		if (more > 0 && prefix_matches(prefix, &pair))
			add_found(found, &pair);
		if (found->count == BATCH_KEYS || (!more && found->count)) {
			int ret = delete_found(cli->map, found);

			if (ret)
				more = ret;
		}
	}
	kmap_iter_close(iter);
	*removed = found->removed;
	bytes_free(&found->keys);
	free(found);
	if (more < 0)
		return cli_error(cli, "%s: %s; %" PRIu64 " key%s removed",
				 cli->device, kmap_strerror(more), *removed,
				 *removed == 1 ? " was" : "s were");
	return CLI_DONE;
}

void prefix_print_removed(const struct cli *cli, uint64_t removed)
{
	if (cli->args.json)
		printf("{\"removed\":%" PRIu64 "}\n", removed);
	else if (!cli->args.quiet)
		printf("%" PRIu64 " key%s removed\n", removed,
		       removed == 1 ? "" : "s");
}

void prefix_print_none(const struct cli *cli, const struct bytes *prefix)
{
	if (cli->args.quiet)
		return;
	fprintf(stderr, "kmap: %s: no key begins with \"", cli->command->name);
	bytes_print_escaped(stderr, prefix->data, prefix->len);
	fputs("\"\n", stderr);
}
