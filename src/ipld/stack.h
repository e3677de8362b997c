/*
 * cn_stack: the blocks a pull machine has open above each other, each with the machine's own frame.
 * It stands in for recursion: on the heap, bounded in depth and in the bytes of blocks it holds.
 */
#pragma once

#include "base/mem.h"
#include "base/slice.h"
#include "base/why.h"

enum {
    CN_STACK_HELD_MAX_BYTES = 256 << 20, /* blocks held at once; normal DAGs need a few */
};

/* First member of every frame: a copy of the block. */
typedef struct cn_held {
    uint8_t *bytes;
    size_t len;
} cn_held;

typedef struct cn_stack {
    cn_mem *mem;
    void *frames;
    size_t frame_bytes;
    size_t len;
    size_t cap;
    size_t depth_max;
    size_t held_bytes;
} cn_stack;

/* Frames are structs of `frame_bytes` bytes that begin with a cn_held. Takes no memory yet. */
void cn_stack_init(cn_stack *s, cn_mem *mem, size_t frame_bytes, size_t depth_max);
/* Accepts a zeroed stack. */
void cn_stack_release(cn_stack *s);

/*
 * Open a zeroed frame with a copy of `block`. *ret stays until the next push. Errors: TOO_DEEP
 * (depth or bytes), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_stack_push(cn_stack *s, cn_slice block, void **ret, cn_why *why);

/* The innermost frame, or NULL. */
void *cn_stack_top(const cn_stack *s);
/* Frame number `at` from the outermost, 0. */
void *cn_stack_at(const cn_stack *s, size_t at);

/* Close the innermost frame and free its block. */
void cn_stack_pop(cn_stack *s);

/*
 * Close the innermost frame but keep its block: *ret_held is the caller's, to be given to
 * cn_held_release. The frame's views of the block stay good in a copy of the frame.
 */
void cn_stack_take(cn_stack *s, cn_held *ret_held);
void cn_held_release(cn_mem *mem, cn_held *held); /* accepts a zeroed one */
