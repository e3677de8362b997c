/*
 * Bytes and their rate, with a clock of the test's own.
 */
#include "lib/test.h"
#include "p2p/host/meter.h"

static cn_time at_ms(int64_t ms)
{
    return (cn_time){ms * CN_NS_PER_MS};
}

static void a_steady_flow_is_its_rate(void)
{
    cn_meter m = {0};
    for (int64_t i = 1; i <= 20; i++) {
        cn_meter_in(&m, 1000);
        cn_meter_out(&m, 50);
        cn_meter_step(&m, at_ms(i * 1000));
    }
    CHECK_EQ(m.in_bytes, 20000);
    CHECK_EQ(m.out_bytes, 1000);
    CHECK(m.in_rate > 999 && m.in_rate < 1001);
    CHECK(m.out_rate > 49 && m.out_rate < 51);
}

static void a_flow_that_ends_fades(void)
{
    cn_meter m = {0};
    cn_meter_in(&m, 10000);
    cn_meter_step(&m, at_ms(1000));
    CHECK(m.in_rate > 6000 && m.in_rate < 6600); /* 1 - 1/e of it */
    cn_meter_step(&m, at_ms(1999));
    CHECK(m.in_rate > 6000); /* no step within a second */
    cn_meter_step(&m, at_ms(2000));
    CHECK(m.in_rate > 2200 && m.in_rate < 2500);
    cn_meter_step(&m, at_ms(3600 * 1000));
    CHECK(m.in_rate < 1);
    CHECK_EQ(m.in_bytes, 10000);
}

int main(void)
{
    TEST(a_steady_flow_is_its_rate);
    TEST(a_flow_that_ends_fades);
    return test_end();
}
