/*
 * Faults that are drawn one by one (a read cut short, a packet lost) have a chance; those that
 * happen to the world (a crash, a partition) have a mean time from one to the next.
 */
#include "sim/plan.h"

static const char *const names[SIM_FAULTS] = {
    "split", "loss", "refuse", "reset", "clog", "partition", "crash", "slow", "narrow", "whim",
};

static bool has(const sim_plan *plan, sim_fault fault)
{
    return (plan->mix >> fault & 1) != 0;
}

cn_err sim_plan_parse_mix(const char *text, unsigned *ret, cn_why *why)
{
    cn_slice rest = cn_str(text);
    unsigned mix = 0;
    if (cn_slice_is(rest, "all") || cn_slice_is(rest, "none")) {
        *ret = cn_slice_is(rest, "all") ? SIM_MIX_ALL : 0;
        return CN_OK;
    }
    while (rest.len > 0) {
        cn_slice name = cn_slice_head(rest, cn_slice_find(rest, ','));
        unsigned fault = 0;
        while (fault < SIM_FAULTS && !cn_slice_is(name, names[fault])) {
            fault++;
        }
        if (fault == SIM_FAULTS) {
            return cn_why_set(
                why, CN_ERR_USAGE,
                "no fault \"%.*s\": give all, none, or some of split, loss, "
                "refuse, reset, clog, partition, crash, slow, narrow, whim",
                (int)name.len, (const char *)name.data);
        }
        mix |= 1u << fault;
        rest = cn_slice_skip(rest, name.len + 1);
    }
    *ret = mix;
    return CN_OK;
}

void sim_plan_calm(sim_plan *ret)
{
    *ret = (sim_plan){
        .near_ns = 10 * CN_NS_PER_MS,
        .window_bytes = 1 << 20,
        .byte_ns = 8,
    };
}

/* A number from `low` to `high`, small ones as likely as large ones by order of magnitude. */
static int64_t draw(cn_prng *p, int64_t low, int64_t high)
{
    int64_t doublings = 0;
    while (low << doublings < high) {
        doublings++;
    }
    int64_t top = low << 1 << cn_prng_below(p, (uint64_t)doublings + 1);
    return low + (int64_t)cn_prng_below(p, (uint64_t)(CN_MIN(top, high) - low + 1));
}

void sim_plan_draw(cn_prng *p, unsigned mix, sim_plan *ret)
{
    static const int64_t S = CN_NS_PER_S;
    sim_plan plan = {0};
    sim_plan_calm(&plan);
    for (unsigned i = 0; i < SIM_FAULTS; i++) {
        plan.mix |= cn_prng_below(p, 3) != 0 ? mix & 1u << i : 0;
    }
    plan.near_ns = draw(p, CN_NS_PER_MS / 10, 20 * CN_NS_PER_MS);
    plan.far_ns = draw(p, CN_NS_PER_MS, 200 * CN_NS_PER_MS);
    plan.jitter_ns = draw(p, CN_NS_PER_MS / 10, 20 * CN_NS_PER_MS);
    if (has(&plan, SIM_FAULT_NARROW)) {
        plan.window_bytes = (uint32_t)draw(p, 4 << 10, 256 << 10);
        plan.byte_ns = draw(p, 8, 1000);
    }
    plan.split_ppm = has(&plan, SIM_FAULT_SPLIT) ? (uint32_t)draw(p, 10000, 500000) : 0;
    plan.loss_ppm = has(&plan, SIM_FAULT_LOSS) ? (uint32_t)draw(p, 1000, 50000) : 0;
    plan.refuse_ppm = has(&plan, SIM_FAULT_REFUSE) ? (uint32_t)draw(p, 10000, 300000) : 0;
    plan.whim_ppm = has(&plan, SIM_FAULT_WHIM) ? (uint32_t)draw(p, 200, 20000) : 0;
    for (sim_fault i = SIM_FAULT_RESET; i <= SIM_FAULT_SLOW; i++) {
        plan.every_ns[i] = has(&plan, i) ? draw(p, S / 2, 20 * S) : 0;
        plan.lasts_ns[i] = draw(p, S, 60 * S);
    }
    *ret = plan;
}

cn_err sim_plan_print(const sim_plan *plan, cn_buf *out)
{
    cn_err err = CN_OK;
    CN_TRY(cn_buf_printf(
        out, "latency %lld to %lld us, jitter %lld us, window %u bytes, %lld ns a byte",
        (long long)(plan->near_ns / 1000), (long long)((plan->near_ns + plan->far_ns) / 1000),
        (long long)(plan->jitter_ns / 1000), plan->window_bytes, (long long)plan->byte_ns));
    CN_TRY(cn_buf_printf(
        out, "; split %u, loss %u, refuse %u, whim %u ppm", plan->split_ppm, plan->loss_ppm,
        plan->refuse_ppm, plan->whim_ppm));
    for (sim_fault i = SIM_FAULT_RESET; i <= SIM_FAULT_SLOW; i++) {
        if (plan->every_ns[i] > 0) {
            CN_TRY(cn_buf_printf(
                out, "; %s every %lld ms for up to %lld ms", names[i],
                (long long)(plan->every_ns[i] / CN_NS_PER_MS),
                (long long)(plan->lasts_ns[i] / CN_NS_PER_MS)));
        }
    }
out:
    return err;
}
