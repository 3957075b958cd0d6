// SPDX-License-Identifier: MIT
/*
 * wordcount: many processes with many threads count the words of files.
 *
 * Every word of every file is one ADD to a number in the shared map.  The text
 * is cut into pieces, and a thread takes the next piece by adding 1 to another
 * number in the map.  When all threads are done, a walk over the map collects
 * the result.
 *
 * A word is the longest possible run of the letters A to Z and a to z, written
 * in small letters; every other byte is between words.  This is what
 *
 *	LC_ALL=C tr A-Z a-z | LC_ALL=C tr -cs a-z '\n'
 *
 * makes of each file.  A word belongs to the piece in which it begins.  A word
 * that does not even fit into a value is an error.
 *
 * The keys, all with one prefix, so that no other keys are touched:
 *
 *	PREFIX word		how often the word is there
 *	PREFIX # digest		for a word that is too long for a key: that
 *				number, then the letters of the word
 *	PREFIX ! pid next	the next piece to take
 *	PREFIX ! pid words	words counted in this run
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kmap.h>

#define PIECE	65536u		/* bytes of text that are taken at once */
#define BATCH	256u		/* additions that are sent at once */
#define DIGEST	17u		/* length of # and 16 hex digits */

struct piece {
	const unsigned char *text, *begin, *end, *text_end;
};

/* The state of one thread. */
struct counter {
	struct kmap *map;
	uint64_t words;
	unsigned int used;
	struct kmap_op ops[BATCH];
	char keys[BATCH][KMAP_KEY_MAX];
};

struct result {
	char *word;
	int64_t count;
};

/* Set before the first fork(), then only read. */
static struct piece *pieces;
static size_t piece_count;
static unsigned int processes = 4, threads = 2;
static bool one_by_one, keep;
static char prefix[128];
static size_t prefix_len, max_key;
static char next_key[192], words_key[192];

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "wordcount: %s: %s\n", what, why);
	_exit(2);
}

static void *allocate(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p)
		fail("memory", strerror(ENOMEM));
	return p;
}

static bool is_letter(unsigned char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static void flush(struct counter *c)
{
	unsigned int i;
	int ret;

	ret = kmap_batch(c->map, c->ops, c->used, NULL);
	for (i = 0; !ret && i < c->used; i++)
		ret = c->ops[i].error;
	if (ret)
		fail("add", kmap_strerror(ret));
	c->used = 0;
}

/*
 * Count a word that is too long for a key: under its digest, in a value that has
 * the number and the letters, to notice equal digests.  ADD cannot change such a
 * value, so it is read, changed, and stored if it still has the same version.
 */
static void long_word(struct counter *c, char *key, const unsigned char *word,
		      size_t len)
{
	size_t key_len = prefix_len + DIGEST, size = sizeof(int64_t) + len;
	char *value = allocate(NULL, size), *letters = value + sizeof(int64_t);
	uint64_t hash = 0xcbf29ce484222325, version = 0;
	size_t i, found_len;
	int64_t count;
	void *found;
	int ret;

	for (i = 0; i < len; i++) {
		letters[i] = (char)(word[i] | 0x20);
		hash = (hash ^ (unsigned char)letters[i]) * 0x100000001b3;
	}
	snprintf(key + prefix_len, DIGEST + 1, "#%016" PRIx64, hash);
	do {
		count = 0;
		ret = kmap_get_alloc(c->map, key, key_len, &found, &found_len,
				     &version);
		if (!ret) {
			if (found_len != size ||
			    memcmp((char *)found + sizeof(count), letters, len))
				fail("long word", "another one has its digest");
			memcpy(&count, found, sizeof(count));
			free(found);
		} else if (ret != -ENOENT) {
			fail("get", kmap_strerror(ret));
		}
		count++;
		memcpy(value, &count, sizeof(count));
		ret = kmap_set(c->map, key, key_len, value, size,
			       ret ? KMAP_CREATE : KMAP_MATCH, &version);
	} while (ret == -EEXIST || ret == -ENOENT || ret == -ESTALE);
	if (ret)
		fail("word that is longer than a key", kmap_strerror(ret));
	free(value);
}

static void count_word(struct counter *c, const unsigned char *word, size_t len)
{
	char *key = c->keys[c->used];
	size_t key_len = prefix_len + len;
	size_t i;

	memcpy(key, prefix, prefix_len);
	c->words++;
	if (key_len > max_key) {
		long_word(c, key, word, len);
		return;
	}
	for (i = 0; i < len; i++)
		key[prefix_len + i] = (char)(word[i] | 0x20);

	if (one_by_one) {
		int ret = kmap_add(c->map, key, key_len, 1, 0, NULL, NULL);

		if (ret)
			fail("add", kmap_strerror(ret));
		return;
	}
	c->ops[c->used++] = (struct kmap_op) {
		.opcode = KMAP_OP_ADD,
		.key = KMAP_PTR(key),
		.key_len = (uint32_t)key_len,
		.number = 1,
	};
	if (c->used == BATCH)
		flush(c);
}

static void count_piece(struct counter *c, const struct piece *piece)
{
	const unsigned char *p = piece->begin, *word;

	/* The rest of a word belongs to the piece before. */
	if (p > piece->text && is_letter(p[-1]))
		while (p < piece->end && is_letter(*p))
			p++;
	while (p < piece->end) {
		if (!is_letter(*p)) {
			p++;
			continue;
		}
		for (word = p; p < piece->text_end && is_letter(*p); p++)
			;
		count_word(c, word, (size_t)(p - word));
	}
}

static void *thread_main(void *map)
{
	struct counter *c = allocate(NULL, sizeof(*c));
	int64_t next;
	int ret;

	c->map = map;
	c->words = 0;
	c->used = 0;
	for (;;) {
		ret = kmap_add(map, next_key, strlen(next_key), 1, 0, &next,
			       NULL);
		if (ret)
			fail("next piece", kmap_strerror(ret));
		if ((uint64_t)next > piece_count)
			break;
		count_piece(c, &pieces[next - 1]);
	}
	flush(c);
	ret = kmap_add(map, words_key, strlen(words_key), (int64_t)c->words, 0,
		       NULL, NULL);
	if (ret)
		fail("number of words", kmap_strerror(ret));
	free(c);
	return NULL;
}

static _Noreturn void process_main(void)
{
	pthread_t *ids = allocate(NULL, threads * sizeof(*ids));
	struct kmap *map;
	unsigned int i;
	int ret;

	ret = kmap_open(&map, NULL, KMAP_RDWR);
	if (ret)
		fail("open", kmap_strerror(ret));
	for (i = 0; i < threads; i++) {
		ret = pthread_create(&ids[i], NULL, thread_main, map);
		if (ret)
			fail("thread", strerror(ret));
	}
	for (i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	_exit(0);
}

/* Map a file into memory and cut it into pieces. */
static size_t add_file(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	unsigned char *text;
	struct stat st;
	size_t pos, size;

	if (fd < 0 || fstat(fd, &st))
		fail(name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		fail(name, "not a regular file");
	size = (size_t)st.st_size;
	if (!size) {
		close(fd);
		return 0;
	}
	text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		fail(name, strerror(errno));
	close(fd);
	pieces = allocate(pieces, (piece_count + size / PIECE + 1) *
				  sizeof(*pieces));
	for (pos = 0; pos < size; pos += PIECE)
		pieces[piece_count++] = (struct piece) {
			.text = text,
			.begin = text + pos,
			.end = text + (size - pos > PIECE ? pos + PIECE : size),
			.text_end = text + size,
		};
	return size;
}

/* Copy a pair to the result; returns false if it does not belong there. */
static bool read_pair(const struct kmap_pair *pair, struct result *result)
{
	const char *key = pair->key, *word = key + prefix_len;
	size_t len = pair->key_len - prefix_len;

	if (pair->key_len <= prefix_len || memcmp(key, prefix, prefix_len) ||
	    pair->value_len < sizeof(result->count))
		return false;
	if (*word == '#') {
		word = (const char *)pair->value + sizeof(result->count);
		len = pair->value_len - sizeof(result->count);
	} else if (!is_letter((unsigned char)*word)) {
		return false;
	}
	memcpy(&result->count, pair->value, sizeof(result->count));
	result->word = strndup(word, len);
	if (!result->word)
		fail("memory", strerror(ENOMEM));
	return true;
}

/* Read the result, and remove its keys: that does not disturb the walk. */
static struct result *collect(struct kmap *map, size_t *found)
{
	size_t count = 0, room = 0;
	struct result *results = NULL;
	struct kmap_iter *it;
	struct kmap_pair pair;
	int ret;

	ret = kmap_iter_open(map, KMAP_KEYS_VALUES, &it);
	if (ret)
		fail("walk", kmap_strerror(ret));
	while ((ret = kmap_iter_next(it, &pair)) > 0) {
		if (count == room) {
			room = room ? 2 * room : 4096;
			results = allocate(results, room * sizeof(*results));
		}
		if (!read_pair(&pair, &results[count]))
			continue;
		count++;
		if (!keep)
			kmap_delete(map, pair.key, pair.key_len, 0, NULL);
	}
	if (ret)
		fail("walk", kmap_strerror(ret));
	kmap_iter_close(it);
	*found = count;
	return results;
}

static int by_word(const void *a, const void *b)
{
	return strcmp(((const struct result *)a)->word,
		      ((const struct result *)b)->word);
}

static unsigned int number_option(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || n < 1 || n > 1000)
		fail(text, "not a number from 1 to 1000");
	return (unsigned int)n;
}

static void read_options(int argc, char **argv)
{
	int opt;

	snprintf(prefix, sizeof(prefix), "wordcount.%d:", (int)getpid());
	while ((opt = getopt(argc, argv, "p:t:x:1k")) != -1) {
		if (opt == 'p')
			processes = number_option(optarg);
		else if (opt == 't')
			threads = number_option(optarg);
		else if (opt == 'x' && strlen(optarg) < sizeof(prefix))
			snprintf(prefix, sizeof(prefix), "%s", optarg);
		else if (opt == '1')
			one_by_one = true;
		else if (opt == 'k')
			keep = true;
		else
			optind = argc;
	}
	if (optind >= argc) {
		fputs("usage: wordcount [-p processes] [-t threads] [-x prefix] [-1k] file ...\n"
		      "  -p  processes (4)\n"
		      "  -t  threads in each process (2)\n"
		      "  -x  what the keys begin with (\"wordcount.PID:\"); numbers that are\n"
		      "      there already are added to\n"
		      "  -1  one system call for each word, not one for many\n"
		      "  -k  keep the numbers in the map\n", stderr);
		exit(2);
	}
	prefix_len = strlen(prefix);
	snprintf(next_key, sizeof(next_key), "%s!%d next", prefix,
		 (int)getpid());
	snprintf(words_key, sizeof(words_key), "%s!%d words", prefix,
		 (int)getpid());
}

/* Let all processes count. */
static bool count_all(double *seconds)
{
	struct timespec begin, end;
	bool good = true;
	unsigned int i;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork", strerror(errno));
		if (!pid)
			process_main();
	}
	while (wait(&status) > 0)
		good &= !status;
	clock_gettime(CLOCK_MONOTONIC, &end);
	*seconds = (double)(end.tv_sec - begin.tv_sec) +
		   (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	return good;
}

int main(int argc, char **argv)
{
	struct kmap_info info = { 0 };
	struct result *results;
	struct kmap *map;
	size_t size = 0, distinct, i;
	int64_t words = 0;
	double seconds;
	bool good;
	int ret;

	read_options(argc, argv);
	while (optind < argc)
		size += add_file(argv[optind++]);
	ret = kmap_open(&map, NULL, KMAP_RDWR);
	if (!ret)
		ret = kmap_info(map, &info);
	if (ret)
		fail("open", kmap_strerror(ret));
	max_key = info.max_key;
	if (prefix_len + DIGEST > max_key || strlen(words_key) > max_key)
		fail(prefix, "too long a prefix for this map");

	good = count_all(&seconds);

	kmap_take(map, words_key, strlen(words_key), 0, NULL, &words,
		  sizeof(words), NULL);
	kmap_delete(map, next_key, strlen(next_key), 0, NULL);
	results = collect(map, &distinct);
	kmap_close(map);
	if (!good)
		fail("no result", "a process failed");

	qsort(results, distinct, sizeof(*results), by_word);
	for (i = 0; i < distinct; i++)
		printf("%" PRId64 " %s\n", results[i].count, results[i].word);
	if (fflush(stdout) || ferror(stdout))
		fail("output", strerror(errno));
	fprintf(stderr,
		"wordcount: %" PRId64 " words, %zu distinct, in %zu bytes; ",
		words, distinct, size);
	fprintf(stderr, "%u processes x %u threads; %.2f s, %.0f words/s\n",
		processes, threads, seconds, (double)words / seconds);
	return 0;
}
