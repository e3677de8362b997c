/*
 * The stack of open blocks: one growing array of frames; each owns its block's copy. Invariant:
 * held_bytes is the sum of the lengths of all held blocks.
 */
#include "ipld/stack.h"

void cn_stack_init(cn_stack *s, cn_mem *mem, size_t frame_bytes, size_t depth_max)
{
    CN_ASSERT(frame_bytes >= sizeof(cn_held));
    *s = (cn_stack){.mem = mem, .frame_bytes = frame_bytes, .depth_max = depth_max};
}

void cn_stack_release(cn_stack *s)
{
    while (s->len > 0) {
        cn_stack_pop(s);
    }
    if (s->mem != NULL) {
        cn_free(s->mem, s->frames);
    }
    *s = (cn_stack){0};
}

void *cn_stack_at(const cn_stack *s, size_t at)
{
    return (uint8_t *)s->frames + at * s->frame_bytes;
}

void *cn_stack_top(const cn_stack *s)
{
    return s->len == 0 ? NULL : cn_stack_at(s, s->len - 1);
}

cn_err cn_stack_push(cn_stack *s, cn_slice block, void **ret, cn_why *why)
{
    if (s->len >= s->depth_max || block.len > CN_STACK_HELD_MAX_BYTES - s->held_bytes) {
        return cn_why_set(why, CN_ERR_TOO_DEEP, "the DAG is nested too deep (%zu blocks)", s->len);
    }
    cn_err err = cn_array_grow(s->mem, &s->frames, &s->cap, s->len, s->depth_max, s->frame_bytes);
    if (err != CN_OK) {
        return err;
    }
    uint8_t *bytes = cn_alloc_dirty(s->mem, block.len);
    if (bytes == NULL) {
        return CN_ERR_NO_MEMORY;
    }
    cn_copy(bytes, block.data, block.len);
    uint8_t *frame = cn_stack_at(s, s->len);
    for (size_t i = 0; i < s->frame_bytes; i++) {
        frame[i] = 0;
    }
    ((cn_held *)(void *)frame)->bytes = bytes;
    ((cn_held *)(void *)frame)->len = block.len;
    s->held_bytes += block.len;
    s->len++;
    *ret = frame;
    return CN_OK;
}

void cn_stack_take(cn_stack *s, cn_held *ret_held)
{
    cn_held *held = cn_stack_top(s);
    CN_ASSERT(held != NULL);
    s->held_bytes -= held->len;
    s->len--;
    *ret_held = *held;
}

void cn_held_release(cn_mem *mem, cn_held *held)
{
    if (held->bytes != NULL) {
        cn_free(mem, held->bytes);
    }
    *held = (cn_held){0};
}

void cn_stack_pop(cn_stack *s)
{
    cn_held held = {0};
    cn_stack_take(s, &held);
    cn_held_release(s->mem, &held);
}
