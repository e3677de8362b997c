/*
 * Certificates: what is made is what is read, at its times only. What is wrong with others' is in
 * tests/unit/p2p/test_tls_identity.c.
 */
#include "crypto/certificate.h"
#include "lib/test.h"

static const char OID[] = "1.3.6.1.4.1.53594.1.1";
static const int64_t YEAR_S = (int64_t)365 * 24 * 3600;
static const cn_wall NOW = {(int64_t)1790000000 * CN_NS_PER_S};

typedef struct made {
    cn_certificate *certificate;
    cn_buf der;
    cn_buf public_key;
    cn_buf value;
    cn_buf read_key;
} made;

static void begin(made *m)
{
    *m = (made){0};
    cn_buf *bufs[] = {&m->der, &m->public_key, &m->value, &m->read_key};
    for (size_t i = 0; i < CN_LEN(bufs); i++) {
        cn_buf_init(bufs[i], cn_mem_default(), CN_CERTIFICATE_MAX_BYTES);
    }
    CHECK_OK(cn_certificate_new(cn_mem_default(), &m->certificate, NULL));
    CHECK_ERR(cn_certificate_encode(m->certificate, &m->der), CN_ERR_USAGE);
    CHECK_OK(cn_certificate_put_public(m->certificate, &m->public_key));
    CHECK_OK(cn_certificate_sign(m->certificate, OID, cn_str("the value"), NOW));
    CHECK_OK(cn_certificate_encode(m->certificate, &m->der));
}

static void end(made *m)
{
    cn_certificate_free(m->certificate);
    cn_buf_release(&m->der);
    cn_buf_release(&m->public_key);
    cn_buf_release(&m->value);
    cn_buf_release(&m->read_key);
}

static cn_err read_at(made *m, int64_t later_s, const char *oid)
{
    cn_wall now = {NOW.ns + later_s * CN_NS_PER_S};
    cn_buf_reset(&m->value);
    cn_buf_reset(&m->read_key);
    return cn_certificate_read(
        cn_buf_slice(&m->der), oid, now, &m->value, &m->read_key, NULL);
}

static void what_is_made_is_read(void)
{
    made m;
    begin(&m);
    CHECK_OK(read_at(&m, 0, OID));
    CHECK_BYTES(cn_buf_slice(&m.value), cn_str("the value"));
    CHECK_BYTES(cn_buf_slice(&m.read_key), cn_buf_slice(&m.public_key));
    CHECK_ERR(read_at(&m, 0, "1.2.3"), CN_ERR_MALFORMED);
    CHECK_OK(cn_buf_byte(&m.der, 0)); /* something behind */
    CHECK_ERR(read_at(&m, 0, OID), CN_ERR_MALFORMED);
    end(&m);
}

static void it_holds_from_an_hour_ago_for_a_hundred_years(void)
{
    made m;
    begin(&m);
    CHECK_OK(read_at(&m, -3600, OID));
    CHECK_ERR(read_at(&m, -3601, OID), CN_ERR_MALFORMED);
    CHECK_OK(read_at(&m, 100 * YEAR_S - 1, OID));
    CHECK_ERR(read_at(&m, 100 * YEAR_S + 1, OID), CN_ERR_MALFORMED);
    end(&m);
}

static void two_are_never_the_same(void)
{
    made a;
    made b;
    begin(&a);
    begin(&b);
    CHECK(!cn_slice_eq(cn_buf_slice(&a.public_key), cn_buf_slice(&b.public_key)));
    CHECK(!cn_slice_eq(cn_buf_slice(&a.der), cn_buf_slice(&b.der)));
    end(&a);
    end(&b);
}

int main(void)
{
    TEST(what_is_made_is_read);
    TEST(it_holds_from_an_hour_ago_for_a_hundred_years);
    TEST(two_are_never_the_same);
    return test_end();
}
