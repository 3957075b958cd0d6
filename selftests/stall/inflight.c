// SPDX-License-Identifier: GPL-2.0
/*
 * Many SETs that stall in the copy of their value: together these values are
 * longer than the entry area of the map, but they take nothing of it.  Others fill
 * the map to its limit meanwhile, and when the stalled SETs continue, as many of
 * them succeed as the limit allows.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "kmap_fixture.h"

#define MAX_BYTES	(1u << 20)
#define VALUE_LEN	65000u
#define VALUE_ROOM	65536u
#define CLIENTS		((unsigned int)kt_less(120, 80))
#define CLIENTS_MAX	120
#define OTHER_LEN	1000
#define TICK_US		500

/**
 * struct client - a client that stalls
 * @fd: the device
 * @call: makes the call
 * @key: its key
 * @value: memory that is not present
 * @over: the call has returned
 * @ret: what it returned
 */
struct client {
	int fd;
	int (*call)(struct client *client);
	__u64 key;
	__u8 *value;
	atomic_bool over;
	int ret;
};

static int call_set(struct client *client)
{
	return kt_set(client->fd, &client->key, 8, client->value, VALUE_LEN, 0,
		      NULL);
}

static int call_swap(struct client *client)
{
	__u8 out[100];

	return kt_swap(client->fd, &client->key, 8, client->value, VALUE_LEN, 0,
		       NULL, out, sizeof(out), NULL);
}

static int call_batch(struct client *client)
{
	struct kmap_op op;
	int ret;

	kt_op_set(&op, &client->key, 8, client->value, VALUE_LEN, 0);
	ret = kt_batch(client->fd, &op, 1, NULL);
	return ret ? ret : op.error;
}

static void *stall(void *arg)
{
	struct client *client = arg;

	client->ret = client->call(client);
	atomic_store(&client->over, true);
	return NULL;
}

FIXTURE(inflight) {
	int fd;
	struct kmap_info info;
	int uffd;
	__u8 *memory;
	struct client clients[CLIENTS_MAX];
	pthread_t threads[CLIENTS_MAX];
};

FIXTURE_VARIANT(inflight) {
	int (*call)(struct client *client);
};

FIXTURE_VARIANT_ADD(inflight, set) {
	.call = call_set,
};

FIXTURE_VARIANT_ADD(inflight, swap) {
	.call = call_swap,
};

FIXTURE_VARIANT_ADD(inflight, batch) {
	.call = call_batch,
};

FIXTURE_SETUP(inflight)
{
	self->fd = open_empty(_metadata);
	if (self->fd < 0)
		return;
	self->memory = mmap(NULL, CLIENTS * VALUE_ROOM, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
}

FIXTURE_TEARDOWN(inflight)
{
	if (self->fd >= 0)
		close(self->fd);
}

static struct uffdio_range range(__u8 *memory)
{
	return (struct uffdio_range){
		.start = kt_ptr(memory), .len = CLIENTS * VALUE_ROOM,
	};
}

/* Makes all accesses to @memory wait; a descriptor or a negative errno value. */
static int make_stall(__u8 *memory)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = range(memory),
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg)) {
		close(fd);
		return -EOPNOTSUPP;
	}
	return fd;
}

/* Waits until each client stalls or has returned; returns how many stall. */
static unsigned int held(int uffd, struct client *clients, __u8 *memory)
{
	bool seen[CLIENTS_MAX] = { false };
	unsigned int i, n, over;
	struct uffd_msg msg;

	do {
		while (read(uffd, &msg, sizeof(msg)) == sizeof(msg))
			seen[(msg.arg.pagefault.address - kt_ptr(memory)) /
			     VALUE_ROOM] = true;
		usleep(TICK_US);
		for (i = 0, n = 0, over = 0; i < CLIENTS; i++) {
			n += seen[i];
			over += !seen[i] && atomic_load(&clients[i].over);
		}
	} while (n + over < CLIENTS);
	return n;
}

/* Fills the map to the last byte, which the stalled clients must not hinder. */
static void fill_and_clear(struct __test_metadata *_metadata, int fd)
{
	__u8 value[VALUE_ROOM] = { 0 };
	struct kmap_info info;
	__u64 id, size;
	int ret;

	ASSERT_EQ(0, kt_info(fd, &info));
	EXPECT_EQ(0, info.entries);
	EXPECT_EQ(0, info.bytes);
	id = 1000;
	ASSERT_EQ(0, kt_set(fd, &id, 8, value, OTHER_LEN, 0, NULL));
	ASSERT_EQ(0, kt_info(fd, &info));
	size = info.bytes;
	while (!(ret = kt_set(fd, &id, 8, value, OTHER_LEN, 0, NULL)))
		id++;
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(MAX_BYTES / size, id - 1000);
	ASSERT_EQ(0, kt_clear(fd, NULL));
	/* Then fills it with long values, as many as possible. */
	for (id = 1000; id < 1000 + MAX_BYTES / VALUE_ROOM - 1; id++)
		EXPECT_EQ(0, kt_set(fd, &id, 8, value, VALUE_LEN, 0, NULL));
	ASSERT_EQ(0, kt_clear(fd, NULL));
}

TEST_F_TIMEOUT(inflight, hold_nothing, KT_LONG)
{
	unsigned int i, good = 0;
	struct kmap_info info;

	self->uffd = make_stall(self->memory);
	if (self->uffd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-self->uffd));
	RELOAD("shards=1 max_bytes=%u max_value=%u", MAX_BYTES, VALUE_ROOM);
	for (i = 0; i < CLIENTS; i++) {
		self->clients[i] = (struct client){
			.fd = self->fd, .call = variant->call, .key = i,
			.value = self->memory + i * VALUE_ROOM,
		};
		ASSERT_EQ(0, pthread_create(&self->threads[i], NULL, stall,
					    &self->clients[i]));
	}
	EXPECT_EQ(CLIENTS, held(self->uffd, self->clients, self->memory)) {
		TH_LOG("some were refused before their value was there");
	}
	fill_and_clear(_metadata, self->fd);

	ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_UNREGISTER,
			   &(struct uffdio_range[]){ range(self->memory) }));
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_EQ(0, pthread_join(self->threads[i], NULL));
		good += !self->clients[i].ret;
		EXPECT_TRUE(!self->clients[i].ret ||
			    self->clients[i].ret == -ENOSPC) {
			TH_LOG("%s", strerror(-self->clients[i].ret));
		}
	}
	ASSERT_EQ(0, kt_info(self->fd, &info));
	EXPECT_EQ(good, info.entries);
	EXPECT_EQ(MAX_BYTES / (info.bytes / good), good);
	close(self->uffd);
}

TEST_HARNESS_MAIN
