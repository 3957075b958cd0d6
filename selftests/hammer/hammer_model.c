// SPDX-License-Identifier: GPL-2.0
/*
 * Scripted keys, and what each worker has seen of versions and values.
 */
#include <errno.h>
#include <unistd.h>

#include "hammer_model.h"

static __u64 script(unsigned int key, __u64 number)
{
	__u64 is[2] = { key, number };

	return kt_hash(is, sizeof(is), 0);
}

bool hammer_script_removes(unsigned int key, __u64 number)
{
	return number > 1 && (script(key, number) & 7) == 0;
}

size_t hammer_script_length(unsigned int key, __u64 number, size_t max)
{
	return hammer_length(script(key, number) >> 3, max);
}

bool hammer_script_fits(unsigned int key, __u64 from, __u64 to, size_t max,
			const struct hammer_answer *a)
{
	__u64 n;

	for (n = from; n <= to; n++) {
		bool absent = n == 0 || hammer_script_removes(key, n);

		if (absent != (a->ret == -ENOENT))
			continue;
		if (absent)
			return true;
		if (hammer_script_length(key, n, max) != a->len)
			continue;
		if (!a->id || a->id == hammer_id(a->len, n))
			return true;
	}
	return false;
}

bool hammer_whole(struct hammer_worker *w, const char *name, size_t name_len,
		  struct hammer_answer *a)
{
	__u64 seed = 0;

	HAMMER_CHECK(w, kt_value_check(a->value, a->len, name, name_len, &seed),
		     "key %s: a value of %zu bytes is torn or another's", name,
		     a->len);
	a->id = hammer_id(a->len, seed);
	return true;
}

static bool sight(struct hammer_worker *w, struct hammer_sightings *sightings,
		  unsigned int key, __u64 version, __u64 id)
{
	__u64 is[2] = { key, version };
	struct hammer_sighting *s;
	__u64 other = id;

	s = &sightings->sighting[kt_hash(is, sizeof(is), 0) % HAMMER_SIGHTINGS];
	while (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire))
		usleep(1);
	if (s->version == version && s->key == key) {
		other = s->id;
	} else {
		s->key = key;
		s->version = version;
		s->id = id;
	}
	atomic_flag_clear_explicit(&s->busy, memory_order_release);

	HAMMER_CHECK(w, other == id, "key %u: version %llu has value %#llx and value %#llx",
		     key, version, other, id);
	return true;
}

bool hammer_seen(struct hammer_worker *w, struct hammer_sightings *sightings,
		 struct hammer_view *view, unsigned int key, __u64 version,
		 __u64 id)
{
	HAMMER_CHECK(w, version > view->newest ||
		     (version == view->newest && version && !view->gone),
		     "key %u: found version %llu after version %llu%s", key,
		     version, view->newest, view->gone ? " was removed" : "");
	if (version > view->newest) {
		view->newest = version;
		view->gone = false;
	}
	if (!id)
		return true;
	HAMMER_CHECK(w, version != view->version || id == view->id,
		     "key %u: version %llu changed from value %#llx to %#llx",
		     key, version, view->id, id);
	view->version = version;
	view->id = id;
	return sight(w, sightings, key, version, id);
}

bool hammer_stored(struct hammer_worker *w, struct hammer_sightings *sightings,
		   struct hammer_view *view, unsigned int key, __u64 version,
		   __u64 id)
{
	HAMMER_CHECK(w, version > view->newest,
		     "key %u: new version %llu is not after version %llu", key,
		     version, view->newest);
	return hammer_seen(w, sightings, view, key, version, id);
}

bool hammer_removed(struct hammer_worker *w, struct hammer_view *view,
		    unsigned int key, __u64 version)
{
	HAMMER_CHECK(w, version > view->newest ||
		     (version == view->newest && !view->gone),
		     "key %u: removed version %llu after version %llu%s", key,
		     version, view->newest, view->gone ? " was removed" : "");
	view->newest = version;
	view->gone = true;
	return true;
}
