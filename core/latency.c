/* latency.c - how long questions wait for their answers, place by place.
 *
 * A call says at its start what is to be run when its answer is there. So one that is
 * measured is told apart by that alone, and all others cost not an instruction more:
 * answers, timeouts and ends do not ask. What is counted lies with the loop that asks,
 * for its thread alone writes there; the loops' counts are put together for who wants to
 * see them.
 *
 * SPDX-License-Identifier: MIT */
#include <bough/core/latency_internal.h>

#include <stdlib.h>

#include <bough/core/assert.h>
#include <bough/core/letter_internal.h>
#include <bough/core/quarantine_internal.h>
#include <bough/core/runtime_internal.h>

enum { SWEEP_LEAST = 64, NS_PER_US = 1000 };

struct key {
    const struct bough_actor *slot;
    uint64_t place;
};

struct bough_measured {
    struct key key;
    struct bough_latency latency;
    UT_hash_handle hh;
};

struct bough_latencies {
    struct bough_measured *places;
};

static struct key key_of(struct bough_address address)
{
    return (struct key){ .slot = address.slot, .place = address.place };
}

static struct bough_measured *find(struct bough_measured *places, struct key key)
{
    struct bough_measured *found;

    HASH_FIND(hh, places, &key, sizeof(key), found);
    return found;
}

/* NULL when memory is out. */
static struct bough_measured *enter(struct bough_measured **places, struct key key)
{
    struct bough_measured *entry = find(*places, key);

    if (entry != NULL) return entry;
    entry = calloc(1, sizeof(*entry));
    if (entry == NULL) return NULL;
    entry->key = key;
    HASH_ADD(hh, *places, key, sizeof(key), entry);
    if (entry->hh.tbl != NULL) return entry;
    free(entry);
    return NULL;
}

static void clear(struct bough_measured **places)
{
    struct bough_measured *entry, *next;

    HASH_ITER (hh, *places, entry, next) {
        HASH_DEL(*places, entry);
        free(entry);
    }
}

/* Measuring */

void bough_meter_init(struct bough_meter *meter)
{
    *meter = (struct bough_meter){ .places = NULL };
    pthread_mutex_init(&meter->lock, NULL);
}

void bough_meter_finish(struct bough_meter *meter)
{
    clear(&meter->places);
    pthread_mutex_destroy(&meter->lock);
}

size_t bough_meter_count(const struct bough_meter *meter)
{
    return HASH_COUNT(meter->places);
}

static bool is_there(const struct bough_measured *entry)
{
    const struct bough_address place = {
        .slot = (struct bough_actor *)(uintptr_t)entry->key.slot,
        .place = (uint32_t)entry->key.place,
    };

    return bough_slot(place) != NULL;
}

/* Places come and go, and nobody may ever look: once there are twice as many as were left
 * the last time, those that are gone are left out. */
static void sweep(struct bough_meter *meter)
{
    struct bough_measured *entry, *next;

    if (HASH_COUNT(meter->places) < 2 * meter->swept + SWEEP_LEAST) return;
    HASH_ITER (hh, meter->places, entry, next) {
        if (is_there(entry)) continue;
        HASH_DEL(meter->places, entry);
        free(entry);
    }
    meter->swept = HASH_COUNT(meter->places);
}

uint64_t bough_latency_limit_ns(unsigned bucket)
{
    bough_assert(bucket < BOUGH_LATENCY_BUCKETS - 1);
    return (uint64_t)NS_PER_US << 2 * bucket;
}

static unsigned bucket_of(uint64_t ns)
{
    unsigned bucket = 0;

    while (bucket < BOUGH_LATENCY_BUCKETS - 1 && ns > bough_latency_limit_ns(bucket))
        bucket++;
    return bucket;
}

static void count(struct bough_meter *meter, struct bough_address asked, uint64_t ns)
{
    pthread_mutex_lock(&meter->lock);
    sweep(meter);
    struct bough_measured *entry = enter(&meter->places, key_of(asked));
    if (entry != NULL) {
        entry->latency.counts[bucket_of(ns)]++;
        entry->latency.sum_ns += ns;
    }
    pthread_mutex_unlock(&meter->lock);
}

/* As bough_call_tell(), after which the call may be no more. */
static void tell(struct bough_loop *loop, struct bough_task *task)
{
    const struct bough_call *call = bough_container(task, struct bough_call, task);
    const int64_t ns = bough_loop_clock_ns(loop) - call->asked_ns;

    count(&loop->meter, call->asked, ns > 0 ? (uint64_t)ns : 0);
    bough_call_tell(loop, task);
}

bool bough_latency_wanted(const struct bough_loop *loop)
{
    return atomic_load_explicit(&loop->runtime->measures, memory_order_relaxed);
}

void bough_latency_begin(struct bough_call *call, struct bough_address address)
{
    if (address.slot == NULL) return;
    call->asked = address;
    call->asked_ns = bough_loop_clock_ns(call->loop);
    call->task.run = tell;
}

void bough_runtime_measure(struct bough_runtime *runtime)
{
    atomic_store_explicit(&runtime->measures, true, memory_order_relaxed);
}

/* Showing */

static void add(struct bough_latency *sum, const struct bough_latency *latency)
{
    for (unsigned i = 0; i < BOUGH_LATENCY_BUCKETS; i++)
        sum->counts[i] += latency->counts[i];
    sum->sum_ns += latency->sum_ns;
}

/* A place that has moved to a loop of its own counts as the one that it is now. */
static bool merge(struct bough_latencies *latencies, const struct bough_measured *entry)
{
    const struct bough_address asked = {
        .slot = (struct bough_actor *)(uintptr_t)entry->key.slot,
        .place = (uint32_t)entry->key.place,
    };
    const struct bough_actor *slot = bough_slot_follow(asked);
    struct bough_measured *sum;

    if (slot == NULL) return true;
    sum = enter(&latencies->places, key_of(bough_slot_place(slot)));
    if (sum == NULL) return false;
    add(&sum->latency, &entry->latency);
    return true;
}

static bool merge_all(struct bough_latencies *latencies, struct bough_meter *meter)
{
    const struct bough_measured *entry;
    bool done = true;

    pthread_mutex_lock(&meter->lock);
    for (entry = meter->places; entry != NULL && done; entry = entry->hh.next)
        done = merge(latencies, entry);
    pthread_mutex_unlock(&meter->lock);
    return done;
}

struct bough_latencies *bough_latencies_new(struct bough_runtime *runtime)
{
    struct bough_latencies *latencies = calloc(1, sizeof(*latencies));
    bool done = latencies != NULL;

    bough_runtime_lock(runtime);
    for (struct bough_loop *loop = runtime->loops; loop != NULL && done;
         loop = loop->next)
        done = merge_all(latencies, &loop->meter);
    bough_runtime_unlock(runtime);
    if (done) return latencies;
    bough_latencies_free(latencies);
    return NULL;
}

const struct bough_latency *bough_latencies_find(const struct bough_latencies *latencies,
                                                 struct bough_address place)
{
    const struct bough_measured *found = find(latencies->places, key_of(place));

    return found != NULL ? &found->latency : NULL;
}

void bough_latencies_free(struct bough_latencies *latencies)
{
    if (latencies == NULL) return;
    clear(&latencies->places);
    free(latencies);
}
