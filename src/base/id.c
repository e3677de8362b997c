/*
 * Slots that are free form a list through next_free, the last given back first: memory stays warm
 * and small. A generation counts up each time a slot is given back and never is 0.
 */
#include "base/id.h"

void cn_slots_init(cn_slots *s, cn_mem *mem, size_t slots_max)
{
    CN_ASSERT(slots_max < UINT32_MAX);
    *s = (cn_slots){.mem = mem, .slots_max = slots_max};
}

void cn_slots_release(cn_slots *s)
{
    if (s->slots != NULL) {
        cn_free(s->mem, s->slots);
    }
    *s = (cn_slots){.mem = s->mem, .slots_max = s->slots_max};
}

cn_err cn_slots_add(cn_slots *s, void *object, cn_id *ret)
{
    cn_err err = CN_OK;
    uint32_t index = 0;
    cn_slot *slot = NULL;
    CN_ASSERT(object != NULL);
    if (s->first_free != 0) {
        index = s->first_free - 1;
        slot = &s->slots[index];
        s->first_free = slot->next_free;
    } else {
        CN_TRY(cn_array_grow(
            s->mem, (void **)&s->slots, &s->slots_cap, s->slots_len, s->slots_max,
            sizeof(cn_slot)));
        index = (uint32_t)s->slots_len++;
        slot = &s->slots[index];
        slot->generation = 1;
    }
    slot->object = object;
    slot->next_free = 0;
    s->len++;
    *ret = (cn_id){index, slot->generation};
out:
    return err;
}

static cn_slot *find(const cn_slots *s, cn_id id)
{
    cn_slot *slot = id.index < s->slots_len ? &s->slots[id.index] : NULL;
    bool same = slot != NULL && slot->generation == id.generation && slot->object != NULL;
    return same ? slot : NULL;
}

void *cn_slots_get(const cn_slots *s, cn_id id)
{
    const cn_slot *slot = find(s, id);
    return slot == NULL ? NULL : slot->object;
}

void *cn_slots_remove(cn_slots *s, cn_id id)
{
    cn_slot *slot = find(s, id);
    if (slot == NULL) {
        return NULL;
    }
    void *object = slot->object;
    slot->object = NULL;
    slot->generation = slot->generation == UINT32_MAX ? 1 : slot->generation + 1;
    slot->next_free = s->first_free;
    s->first_free = id.index + 1;
    s->len--;
    return object;
}

void *cn_slots_next(const cn_slots *s, size_t *position, cn_id *ret_id)
{
    while (*position < s->slots_len) {
        size_t index = (*position)++;
        const cn_slot *slot = &s->slots[index];
        if (slot->object != NULL) {
            *ret_id = (cn_id){(uint32_t)index, slot->generation};
            return slot->object;
        }
    }
    return NULL;
}
