/* SPDX-License-Identifier: GPL-2.0 */
/* What one operation may do to a key, and its answer; see history_model.c. */
#ifndef KMAP_HISTORY_MODEL_H
#define KMAP_HISTORY_MODEL_H

#include "history.h"

/**
 * enum history_step - the effect of an operation at some moment
 * @HISTORY_NEVER: its answer is not what the map would answer
 * @HISTORY_SAME: nothing changes, in the key or in what is known of it
 * @HISTORY_CHANGE: the key changes, or its version becomes known
 */
enum history_step {
	HISTORY_NEVER,
	HISTORY_SAME,
	HISTORY_CHANGE,
};

/* Carries @op out in state @s; @next is set in any case. */
enum history_step history_step(const struct history_op *op,
			       const struct history_state *s,
			       struct history_state *next);

/* Does the operation change the key, or may it, because it has no answer? */
bool history_changes(const struct history_op *op);

/* Did the map refuse for reasons of its own: no memory, no room, a signal? */
bool history_refused(const struct history_op *op);

#endif /* KMAP_HISTORY_MODEL_H */
