// SPDX-License-Identifier: GPL-2.0
/*
 * Drawing calls: mostly ordinary ones with a few odd choices, or one that was kept
 * because it reached something new, changed a little.
 */
#include <stdio.h>

#include "fuzz.h"

/* Is this a gene that differs between ordinary calls, too? */
static bool always_random(unsigned int gene)
{
	switch (gene) {
	case GENE_NR:
	case GENE_FLAGS:
	case GENE_KEY:
	case GENE_VALUE_LEN:
	case GENE_VERSION:
	case GENE_COUNT:
	case GENE_BUF_SIZE:
	case GENE_CURSOR:
		return true;
	default:
		return false;
	}
}

static void draw_fresh(struct hammer_worker *w, struct fuzz_call *call)
{
	/* How odd the call is: from hardly to every second choice. */
	unsigned int odds = 2 + hammer_below(w, 62);
	unsigned int i;

	for (i = 0; i < FUZZ_GENES; i++) {
		__u64 random = kt_random(&w->random);

		call->gene[i] = 0;
		if (always_random(i) || random % odds == 0)
			call->gene[i] = random >> 32;
	}
	call->seed = kt_random(&w->random);
}

static void mutate(struct hammer_worker *w, struct fuzz_call *call)
{
	unsigned int changes = 1 + hammer_below(w, 4);

	while (changes--) {
		unsigned int gene = hammer_below(w, FUZZ_GENES + 2);

		if (gene < FUZZ_GENES)
			call->gene[gene] = hammer_below(w, 3) ?
					   kt_random(&w->random) : 0;
		else
			call->seed = kt_random(&w->random);
	}
	/* Draw among the same keys as all other calls. */
	call->gene[GENE_KEY] = kt_random(&w->random);
}

void fuzz_draw(struct fuzz_client *c, struct fuzz_call *call)
{
	unsigned int kept = atomic_load(&c->fuzz->kept);

	if (kept > FUZZ_CORPUS)
		kept = FUZZ_CORPUS;
	if (kept && hammer_below(c->w, 2)) {
		*call = c->fuzz->corpus[hammer_below(c->w, kept)];
		mutate(c->w, call);
		/* Long calls reach most, so they would take most of the time. */
		if (call->gene[GENE_NR] < FUZZ_SINGLES ||
		    !hammer_below(c->w, 8))
			return;
	}
	draw_fresh(c->w, call);
}

/* A call as text: its genes in hexadecimal digits, and its seed. */
static const char *call_text(const struct fuzz_call *call)
{
	static char text[FUZZ_GENES * 3 + 32];
	unsigned int i;

	for (i = 0; i < FUZZ_GENES; i++)
		sprintf(text + i * 3, "%02x ", call->gene[i]);
	sprintf(text + i * 3, "seed %#llx", call->seed);
	return text;
}

/* Fails the run, with the call in the message. */
bool fuzz_fail(struct fuzz_client *c, const struct fuzz_shot *shot, int ret,
	       const char *why)
{
	return hammer_fail(c->w,
			   "%s: command %#x, file %d, record %#llx: %d; genes %s, call %lu",
			   why, shot->cmd, shot->fd, kt_ptr(shot->record), ret,
			   call_text(shot->call), atomic_load(&c->w->steps));
}

/* Prints calls with their results, one of which has caused a failure. */
void fuzz_tell(const struct fuzz_call *calls, const int *results,
	       unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		ksft_print_msg("genes %s: %d\n", call_text(&calls[i]),
			       results[i]);
}
