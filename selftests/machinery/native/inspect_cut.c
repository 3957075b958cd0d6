// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's cut.c, and a way to stop in the middle of it.  Whatever is tested is
 * in the file included first.
 */
#include "../../../module/cut.c"

#include "inspect.h"
#include "test.h"

/* How many steps a writer makes. */
const unsigned int inspect_cut_help = HELP;

/**
 * inspect_cut_partly - begin a cut, and do not complete it
 * @map: the map
 * @steps: make so many of its steps
 *
 * Return: the cut.
 */
struct shmap_cut *inspect_cut_partly(struct shmap_map *map, unsigned int steps)
{
	struct shmap_cut *cut = announce(map);

	check(!IS_ERR(cut));
	while (steps--)
		check(step(map, cut));
	return cut;
}

/**
 * inspect_cut_go_on - go on with a cut that was begun
 * @map: the map
 * @cut: the cut
 * @whole: to its end, else until its moment has come
 */
void inspect_cut_go_on(struct shmap_map *map, struct shmap_cut *cut, bool whole)
{
	while ((whole || !cut->chosen) && step(map, cut))
		;
}
