// SPDX-License-Identifier: GPL-2.0
/*
 * From the description of a call to the call: lays the record out, with its
 * keys, values, buffers and arrays, in the arena or in worse places, and notes
 * which parts of the arena may change.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define PAGE	4096u
#define SIZE_MOST	((1u << _IOC_SIZEBITS) - 1)

#define OP(_cmd, _changes) {						\
	.cmd		= _cmd,						\
	.whole		= sizeof(struct kmap_op_ext),			\
	.outputs	= offsetof(struct kmap_op, version),		\
	.end		= sizeof(struct kmap_op),			\
	.changes	= _changes,					\
}

#define OTHER(_cmd, type, output, _changes) {				\
	.cmd		= _cmd,						\
	.whole		= sizeof(struct type),				\
	.outputs	= offsetof(struct type, output),		\
	.end		= sizeof(struct type),				\
	.changes	= _changes,					\
}

/*
 * The properties of an ioctl: its command, the size of the longest record that is
 * known, where the outputs are, and whether it changes the map.
 */
static const struct form {
	unsigned int cmd;
	unsigned int whole;
	unsigned int outputs;
	unsigned int end;
	bool changes;
} forms[] = {
	[1] = OP(KMAP_IOC_GET, false),
	[2] = OP(KMAP_IOC_SET, true),
	[3] = OP(KMAP_IOC_DELETE, true),
	[4] = OP(KMAP_IOC_ADD, true),
	[5] = OTHER(KMAP_IOC_BATCH, kmap_batch, done, true),
	[6] = OTHER(KMAP_IOC_KEYS, kmap_keys, cursor, false),
	[7] = OTHER(KMAP_IOC_CLEAR, kmap_clear, removed, true),
	[8] = OTHER(KMAP_IOC_INFO, kmap_info, flags, false),
};

union record {
	struct kmap_op op;
	struct kmap_op_ext ext;
	struct kmap_batch batch;
	struct kmap_keys keys;
	struct kmap_clear clear;
	struct kmap_info info;
	__u8 bytes[256];
};

static const __u8 zeros[SIZE_MOST];

void *fuzz_region(size_t size, int prot)
{
	__u8 *all = mmap(NULL, size + 2 * PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED || mprotect(all + PAGE, size, prot))
		return NULL;
	return all + PAGE;
}

bool fuzz_arena_new(struct fuzz_client *c)
{
	const int both = PROT_READ | PROT_WRITE;
	void *window;

	c->arena = fuzz_region(FUZZ_ARENA, both);
	c->copy = fuzz_region(FUZZ_ARENA, both);
	c->readonly = fuzz_region(PAGE, both);
	c->locked = fuzz_region(PAGE, PROT_NONE);
	if (!c->arena || !c->copy || !c->readonly || !c->locked)
		return false;
	c->hole = c->arena + FUZZ_ARENA;
	kt_op_get((struct kmap_op *)c->readonly, c->arena + FUZZ_KEYS, 8,
		  c->arena + FUZZ_OUT, 64);
	memset(c->readonly + sizeof(struct kmap_op), 0x5a,
	       PAGE - sizeof(struct kmap_op));
	if (mprotect(c->readonly, PAGE, PROT_READ))
		return false;
	window = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, c->rd, 0);
	c->window = window == MAP_FAILED ? NULL : window;
	fuzz_arena_fill(c);
	return true;
}

/* Fills the arena with its initial content, the same for all. */
void fuzz_arena_fill(struct fuzz_client *c)
{
	__u64 random = 1;
	unsigned int at;

	memset(c->arena, 0, FUZZ_KEYS);
	for (at = FUZZ_KEYS; at < FUZZ_ARENA; at += 8) {
		__u64 word = kt_random(&random) | 1ull << 63;

		memcpy(c->arena + at, &word, 8);
	}
	memcpy(c->copy, c->arena, FUZZ_ARENA);
}

/* Writes to the arena what the kernel is to read. */
static void put(struct fuzz_client *c, unsigned int at, const void *data,
		size_t len)
{
	if (at >= FUZZ_ARENA)
		return;
	if (len > FUZZ_ARENA - at)
		len = FUZZ_ARENA - at;
	memcpy(c->arena + at, data, len);
	memcpy(c->copy + at, data, len);
}

/* Allows the kernel to write @len bytes from @address on, as far as they are arena. */
static void allow(struct fuzz_client *c, struct fuzz_shot *shot,
		  __u64 address, __u64 len)
{
	__u64 at = address - kt_ptr(c->arena);

	if (at >= FUZZ_ARENA || !len)
		return;
	if (shot->ranges == ARRAY_SIZE(shot->range)) {
		shot->wild = true;
		return;
	}
	if (len > FUZZ_ARENA - at)
		len = FUZZ_ARENA - at;
	shot->range[shot->ranges].at = at;
	shot->range[shot->ranges++].len = len;
}

/* Makes a record for one operation. */
static void make_op(struct fuzz_client *c, const __u8 *gene, __u64 random,
		    unsigned int nr, struct fuzz_shot *shot, struct kmap_op *op)
{
	const unsigned int key = gene[GENE_KEY] % FUZZ_KEY_COUNT;
	unsigned int opcode = nr;

	memset(op, 0, sizeof(*op));
	if (gene[GENE_OPCODE] && nr != 5)
		opcode = gene[GENE_OPCODE] < 64 ? 0 : gene[GENE_OPCODE] % 8;
	op->opcode = opcode;
	op->flags = fuzz_op_flags(gene[GENE_FLAGS]);
	if (opcode == KMAP_OP_GET && gene[GENE_FLAGS] < 200)
		op->flags = 0;
	if (opcode == KMAP_OP_ADD && gene[GENE_FLAGS] < 200)
		op->flags &= KMAP_CREATE | KMAP_REPLACE;
	if (opcode == KMAP_OP_DELETE && gene[GENE_FLAGS] < 200)
		op->flags &= KMAP_MATCH | KMAP_EQUAL | KMAP_RETURN;
	op->key_len = fuzz_key_len(gene[GENE_KEY_LEN], key);
	op->key = fuzz_place(c, gene[GENE_KEY_AT], random,
			     FUZZ_KEYS + key * 13 % 2048, op->key_len);
	if (opcode == KMAP_OP_SET || gene[GENE_VALUE_AT]) {
		op->value_len = fuzz_value_len(gene[GENE_VALUE_LEN],
					       random >> 8);
		op->value = fuzz_place(c, gene[GENE_VALUE_AT], random >> 4,
				       FUZZ_VALUE + random % 64, op->value_len);
	}
	if (opcode == KMAP_OP_GET || op->flags & KMAP_RETURN ||
	    gene[GENE_OUT_AT]) {
		op->out_size = fuzz_out_size(gene[GENE_OUT_SIZE], random >> 12);
		op->out = fuzz_place(c, gene[GENE_OUT_AT], random >> 7,
				     FUZZ_OUT, op->out_size);
		allow(c, shot, op->out, op->out_size < FUZZ_MAX_VALUE ?
					op->out_size : FUZZ_MAX_VALUE);
	}
	op->ttl = gene[GENE_TTL];
	op->version = gene[GENE_VERSION] < 192 ? c->version[key] :
		      gene[GENE_VERSION] < 224 ? random : ~0ull;
	op->number = gene[GENE_NUMBER] < 64 ? (__s64)gene[GENE_NUMBER] :
		     gene[GENE_NUMBER] < 128 ? INT64_MAX :
		     gene[GENE_NUMBER] < 160 ? INT64_MIN : (__s64)random;
	op->out_len = gene[GENE_JUNK];
	op->error = gene[GENE_JUNK] ? -(int)gene[GENE_JUNK] : 0;
	shot->key = key;
}

/* Makes the fields that only the longer record has: mostly valid ones. */
static void make_ext(struct fuzz_client *c, const __u8 *gene, __u64 random,
		     struct kmap_op_ext *ext)
{
	if (ext->op.flags & KMAP_EQUAL || gene[GENE_OP_SIZE] >= 240) {
		ext->expected_len = fuzz_value_len(gene[GENE_VALUE_LEN],
						   random >> 8);
		ext->expected = fuzz_place(c, gene[GENE_BUF_AT], random >> 4,
					   FUZZ_VALUE + random % 64,
					   ext->expected_len);
	}
	ext->reserved = gene[GENE_RESERVED];
	ext->lease = gene[GENE_COUNT] >= 240;
}

static void make_batch(struct fuzz_client *c, const struct fuzz_call *call,
		       struct fuzz_shot *shot, struct kmap_batch *batch)
{
	const __u8 *gene = call->gene;
	unsigned int most = gene[GENE_COUNT] < 64 ? FUZZ_BATCH : 3;
	unsigned int count = gene[GENE_COUNT] % (most + 1), i, at;
	__u64 random = call->seed;
	struct fuzz_call part;
	struct kmap_op op;

	memset(batch, 0, sizeof(*batch));
	batch->op_size = sizeof(op);
	if (gene[GENE_OP_SIZE] >= 64) {
		static const __u32 sizes[] = {
			112, 72, 128, 0, 64, 71, 73, PAGE, PAGE + 8, 0xfffffff8u,
		};

		batch->op_size = sizes[gene[GENE_OP_SIZE] % 10];
	}
	batch->ops = fuzz_place(c, gene[GENE_BUF_AT], random, FUZZ_ARRAY,
				(__u64)count * batch->op_size);
	at = batch->ops - kt_ptr(c->arena);
	if (batch->ops - kt_ptr(c->arena) >= FUZZ_ARENA)
		at = FUZZ_ARRAY;
	for (i = 0; i < count; i++) {
		unsigned int j, step = batch->op_size;

		/* Each record has its own genes; some also have odd ones of the batch. */
		memcpy(part.gene, gene, FUZZ_GENES);
		part.seed = kt_hash(&call->seed, 8, i);
		for (j = 0; j < FUZZ_GENES; j++) {
			random = kt_random(&part.seed);
			if (j == GENE_FLAGS || j == GENE_KEY ||
			    j == GENE_VALUE_LEN || j == GENE_VERSION)
				part.gene[j] = random;
			else if (random % 4)
				part.gene[j] = 0;
		}
		make_op(c, part.gene, random, 1 + random % 4, shot, &op);
		if (fuzz_overlaps(part.gene[GENE_OUT_AT], ~0ull))
			shot->wild = true;
		if (step < sizeof(op) || step > PAGE)
			step = sizeof(op);
		put(c, at + i * step, &op, sizeof(op));
		if (step > sizeof(op) && !gene[GENE_RESERVED])
			put(c, at + i * step + sizeof(op), zeros,
			    step - sizeof(op));
	}
	/* Some counts are larger than the arena. */
	if (gene[GENE_COUNT] >= 250)
		count = gene[GENE_COUNT] == 250 ? KMAP_BATCH_MAX :
			gene[GENE_COUNT] == 251 ? KMAP_BATCH_MAX + 1 :
			gene[GENE_COUNT] == 252 ? 0xffffffffu : count;
	batch->count = count;
	batch->flags = gene[GENE_TTL];
	batch->done = gene[GENE_JUNK];
	if (count > FUZZ_BATCH || gene[GENE_BUF_AT] % 32)
		shot->wild = true;
	for (i = 0; i < count && !shot->wild; i++)
		allow(c, shot, batch->ops + (__u64)i * batch->op_size +
		      offsetof(struct kmap_op, version),
		      sizeof(op) - offsetof(struct kmap_op, version));
}

static void make_keys(struct fuzz_client *c, const struct fuzz_call *call,
		      struct fuzz_shot *shot, struct kmap_keys *keys)
{
	static const __u64 sizes[] = {
		0, 1, 15, 16, 24, 32768, 40960, 0x7fffffffu, 0x80000000u,
		0xffffffffu, 1ull << 32, 1ull << 63, ~0ull - 7, ~0ull,
	};
	const __u8 *gene = call->gene;

	memset(keys, 0, sizeof(*keys));
	keys->flags = gene[GENE_FLAGS] < 224 ? gene[GENE_FLAGS] % 4 :
		      1u << gene[GENE_FLAGS] % 32;
	keys->size = gene[GENE_BUF_SIZE] < 14 ? sizes[gene[GENE_BUF_SIZE]] :
		     call->seed % 8192;
	keys->buf = fuzz_place(c, gene[GENE_BUF_AT], call->seed, FUZZ_WALK,
			       keys->size);
	if (gene[GENE_CURSOR] >= 128 && !(keys->flags & KMAP_KEYS_ATOMIC))
		keys->cursor = gene[GENE_CURSOR] < 224 ?
			       call->seed & 0xffffffffu :
			       gene[GENE_CURSOR] < 240 ? KMAP_KEYS_END :
			       call->seed;
	keys->reserved = gene[GENE_TTL];
	keys->reserved2 = gene[GENE_RESERVED];
	keys->used = gene[GENE_JUNK];
	keys->count = gene[GENE_JUNK];
	allow(c, shot, keys->buf, keys->size);
}

/* Makes the command, with a size of the record. */
static unsigned int make_command(const __u8 *gene, __u64 random,
				 unsigned int nr, unsigned int *size)
{
	const unsigned int least = _IOC_SIZE(forms[nr].cmd);
	const unsigned int known = forms[nr].whole;
	unsigned int dir = _IOC_DIR(forms[nr].cmd);
	unsigned int magic = KMAP_IOC_MAGIC;
	unsigned int number = nr;
	const unsigned int sizes[] = {
		known, 0, 1, known - 1, known - 8, known + 1, known + 8,
		known + 64, PAGE, SIZE_MOST, known / 2, random % SIZE_MOST,
		least - 1, least - 8, least + 1, least + 8,
	};

	*size = gene[GENE_SIZE] < 48 ? least : gene[GENE_SIZE] < 96 ? known :
		sizes[gene[GENE_SIZE] % ARRAY_SIZE(sizes)];
	if (gene[GENE_COMMAND] >= 192)
		dir = gene[GENE_COMMAND] % 4;
	else if (gene[GENE_COMMAND] >= 160)
		number = random % 256;
	else if (gene[GENE_COMMAND] >= 128)
		magic = random % 256;
	return _IOC(dir, magic, number, *size);
}

static int choose_file(struct fuzz_client *c, __u8 gene)
{
	switch (gene % 16) {
	case 1:
	case 2:
		return c->rd;
	case 3:
	case 4:
		return c->wr;
	case 5:
		return c->path;
	case 6:
		return c->other;
	case 7:
		return -1;
	case 8:
	case 9:
		return c->changing;
	case 10:
		return 1000;
	default:
		return c->rw;
	}
}

/* Is @address one where nothing is ever mapped? */
static bool nowhere(const struct fuzz_client *c, __u64 address)
{
	return address < PAGE || address >> 47 ||
	       address - kt_ptr(c->hole) < PAGE ||
	       address - kt_ptr(c->locked) < PAGE;
}

/* The result, as far as it follows from file, command, size and address. */
static int foresee(struct fuzz_client *c, const struct fuzz_shot *shot,
		   unsigned int size, const void *bytes)
{
	const unsigned int least = _IOC_SIZE(forms[shot->nr].cmd);
	__u64 at = kt_ptr(shot->record);
	unsigned int i;

	if (shot->fd == c->changing)
		return 1;
	if (shot->fd == c->other)
		return -ENOTTY;
	if (shot->fd != c->rw && shot->fd != c->rd && shot->fd != c->wr)
		return -EBADF;
	i = _IOC_NR(shot->cmd);
	if (!i || i > 8 || (shot->cmd ^ forms[i].cmd) &
			   ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))
		return -ENOTTY;
	/* With another ioctl's record, the result is not known. */
	if (i != shot->nr)
		return 1;
	if (size < least || size % 8)
		return -EINVAL;
	if (nowhere(c, at))
		return -EFAULT;
	at -= kt_ptr(c->arena);
	if (at >= FUZZ_ARENA)
		return 1;
	if (at + size > FUZZ_ARENA)
		return at + least > FUZZ_ARENA ? -EFAULT : 1;
	for (i = forms[shot->nr].whole; i < size; i++)
		if (((const __u8 *)bytes)[i])
			return -E2BIG;
	return 1;
}

/* Notes what to check in the record, which is in the arena, after the call. */
static void watch(struct fuzz_client *c, struct fuzz_shot *shot,
		  unsigned int size)
{
	const unsigned int known = _IOC_SIZE(forms[shot->nr].cmd);
	const unsigned int end = forms[shot->nr].end;
	const bool aligned = kt_ptr(shot->record) % 8 == 0;

	allow(c, shot, kt_ptr(shot->record) + forms[shot->nr].outputs,
	      (size < end ? size : end) - forms[shot->nr].outputs);
	if (_IOC_NR(shot->cmd) != shot->nr)
		shot->wild = true;
	else if (aligned && size >= known && shot->nr <= 4)
		shot->op = shot->record;
	else if (aligned && size >= known && shot->nr == 5)
		shot->batch = shot->record;
	else if (aligned && size >= known && shot->nr == 6)
		shot->keys = shot->record;
}

void fuzz_build(struct fuzz_client *c, const struct fuzz_call *call,
		struct fuzz_shot *shot)
{
	const __u8 *gene = call->gene;
	const __u8 tail = gene[GENE_JUNK] % 2 ? 0x80 : 0;
	unsigned int size, known, at;
	union record record;
	__u64 address, out_len = ~0ull;

	memset(shot, 0, sizeof(*shot));
	shot->call = call;
	/* Walks, batches and the like are rarer than single operations. */
	shot->nr = gene[GENE_NR] < FUZZ_SINGLES ? 1 + gene[GENE_NR] % 4 :
					 5 + gene[GENE_NR] % 4;
	known = forms[shot->nr].whole;
	shot->fd = choose_file(c, gene[GENE_FD]);
	shot->cmd = make_command(gene, call->seed, shot->nr, &size);

	memset(&record, 0, sizeof(record));
	if (shot->nr <= 4) {
		make_op(c, gene, call->seed, shot->nr, shot, &record.op);
		if (size > sizeof(record.op))
			make_ext(c, gene, call->seed, &record.ext);
		out_len = record.op.out_size;
	} else if (shot->nr == 5) {
		make_batch(c, call, shot, &record.batch);
	} else if (shot->nr == 6) {
		make_keys(c, call, shot, &record.keys);
		out_len = record.keys.size;
	} else {
		record.clear.flags = gene[GENE_TTL];
	}
	if (shot->nr == 7) {
		record.clear.reserved = gene[GENE_RESERVED];
		record.clear.removed = gene[GENE_JUNK];
		if (!c->fuzz->may_clear)
			record.clear.reserved |= 1;
	}

	address = fuzz_place(c, gene[GENE_PLACE], call->seed >> 9,
			     FUZZ_RECORD + 64, size);
	/* With any other record than the one above, CLEAR might succeed. */
	if (!c->fuzz->may_clear && _IOC_NR(shot->cmd) == 7 &&
	    (shot->nr != 7 ||
	     address - kt_ptr(c->arena) != FUZZ_RECORD + 64))
		address = 0;
	/* In a 32-bit program, half of an address might lead to memory of our own. */
	if (address != (uintptr_t)address)
		address = 0;
	shot->record = (void *)(uintptr_t)address;
	at = address - kt_ptr(c->arena);
	if (address - kt_ptr(c->arena) < FUZZ_ARENA) {
		put(c, at, &record, size < known ? size : known);
		if (size > known) {
			/* Zeros, but for the last byte. */
			put(c, at + known, zeros, size - known);
			put(c, at + size - 1, &tail, 1);
		}
		watch(c, shot, size);
	}
	if (fuzz_overlaps(gene[GENE_OUT_AT], out_len) ||
	    fuzz_overlaps(gene[GENE_BUF_AT], out_len) ||
	    gene[GENE_PLACE] % 32) {
		shot->op = NULL;
		shot->batch = NULL;
		shot->keys = NULL;
	}
	if (kt_ptr(shot->record) - kt_ptr(c->arena) >= FUZZ_ARENA)
		shot->wild = true;
	shot->must = foresee(c, shot, size,
			     address - kt_ptr(c->arena) < FUZZ_ARENA ?
			     shot->record : NULL);
}
