/*
 * Every hash function that Kubo lists, over "hello\n": what `ipfs add --hash` made of it, and for
 * the lengths of BLAKE2s that Kubo lists but cannot compute, what Python's hashlib made.
 */
#include "base/mem.h"
#include "lib/test.h"
#include "multiformats/multicodec.h"
#include "multiformats/multihash.h"

static const struct {
    const char *name;
    const char *multihash;
} made[] = {
    {"identity", "000668656c6c6f0a"},
    {"sha1", "1114f572d396fae9206628714fb2ce00f72e94f2258f"},
    {"sha2-256", "12205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"},
    {"sha2-512",
     "1340e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931f94aae41edda2c2b207a"
     "36e10f8bcb8d45223e54878f5b316e7ce3b6bc019629"},
    {"sha3-512",
     "1440ac766ba623301e0ad63c48cb2fc469d10145f65c9f1f28fe761c78c386ed295a1fda1b05e280354e6207"
     "57d8a83e05a45f66438dd734278668c1c27ac6f27150"},
    {"sha3-384",
     "1530459b2844fea6e3a937a8397c0d69c06d9c6c943e155da454c638f5424296e994fd0339ea234367ff0144"
     "93b51adb9d2e"},
    {"sha3-256", "1620b314e28493eae9dab57ac4f0c6d887bddbbeb810e900d818395ace558e96516d"},
    {"sha3-224", "171c5093b1ea1fed43f347b4bf8f8e61334e751516506e390b0fa67758d3"},
    {"shake-256",
     "1940c14c452e7339f46db763353b4a85b4c688fb2096ffabdc2a757e9001b171b7e791beb75d346c19c9e529"
     "95e33b3f7166a238ab9057dbc814a0fe4262e7cda426"},
    {"keccak-256", "1b201d63660020a5b5062fb35d9f82afa81581442281c43343763ab1d340e9861bae"},
    {"keccak-512",
     "1d4076be58714e3592f06373317a39ff2b50b6cff7f8cbb3e5ce34039fc8acf0d374f35d91ce86164e71b298"
     "e284e8c8972937ef522c6f4695610368de7ccfa4f94f"},
    {"blake3", "1e208e4c7c1b99dbfd50e7a95185fead5ee1448fa904a2fdd778eaf5f2dbfd629a99"},
    {"dbl-sha2-256", "5620ecb65bb98f9d905b70458986c39fcbad7715e5f2fcc3b1f07767d7c83e2438cc"},
    {"blake2b-160", "94e40214d2f799bb9610968a2efa8f7682d5f2f1d45163d7"},
    {"blake2b-168", "95e4021511b419ebd70ea14eb359e8bcdd6f8ff101225f868f"},
    {"blake2b-176", "96e40216f4687eb750076052a60fa6112857f081c6626477b5ee"},
    {"blake2b-184", "97e402173e58a97e27fb102479fb914ae6aaa46f7905472827d2ef"},
    {"blake2b-192", "98e4021840e51ac774feb0e1d0496b414c7b3ddc992ef5a6036a0655"},
    {"blake2b-200", "99e40219981de3dcc97872397760cec6febc95f423610defd279590ff8"},
    {"blake2b-208", "9ae4021a19c59985d1dce70851c5c6ebe123510ae97a019ee0aefbae401f"},
    {"blake2b-216", "9be4021b9cc8663944dc773a591417dfde0baf32f4b57a54e7f84c72f3f57d"},
    {"blake2b-224", "9ce4021ceb59a9e4016b10f439ce44f50564c2d230056bcf01d538b1d2bf6a67"},
    {"blake2b-232", "9de4021d445e91079c97ac7ea5b085bf1935c73d0de37a4f100644c5df3d69f541"},
    {"blake2b-240", "9ee4021e63769caa974b3d8513836d677b110c8e37f92a2bb569dd8a5316c674b8cb"},
    {"blake2b-248", "9fe4021f31124890d99cb623a360ac950481dc454b6cb938b0d3f51ef37e19bd37a184"},
    {"blake2b-256", "a0e4022093becc6e9882211c3ec3708c95bcd69baab7bb59c7f4bc84ce637b88a534b783"},
    {"blake2b-264", "a1e40221da8c2bcc75e75b20eaa3b79f734f568c8ac2f557f51d21925d4ce139120acf86b0"},
    {"blake2b-272", "a2e402226678f637f0d4617d021f0b537372f0a903ccebeba7cf4f307d5cec385b50844aed17"},
    {"blake2b-280",
     "a3e4022323effb25a05b401c12c9bfbf40c9765e9c54ede1a797b3d765ba904138cd4f97f9cd3c"},
    {"blake2b-288",
     "a4e40224d50bff734f6efcf25f736b79170a2aae44b66e65ca177de53560d7301f7951297575d17f"},
    {"blake2b-296",
     "a5e402251a0b70f1ba0a189be4231a25f7957b5b4ec2265520102c2edc112e1dc779e445e1e7f459d0"},
    {"blake2b-304",
     "a6e40226c5a1254ebd25e4bdb1a0a2c16109e95774ac61ce85e269dd708e622a617b9e7b8842eebd5f70"},
    {"blake2b-312",
     "a7e4022754d261b4fdc2358954f26c14d696c79d884014a7e9efced2d8710c20602a6294a3e0a2b3f1c74d"},
    {"blake2b-320",
     "a8e402283231bee0a641c73d8b7304e229a7492b3d65cf22368a13c3cd345d2efacab7f6095a5bb51093e319"},
    {"blake2b-328",
     "a9e402293ed0e176e78c4cad87ff2f556081c73944c38158575edc4b96ee9ec2f5dd75b2da9eaf4c43c9abec"
     "20"},
    {"blake2b-336",
     "aae4022a81879ceb0d90f9b84910bbfc44075514b64a2f341c15e3728654ce66736c07eb1e6afa2e244f4ebd"
     "d551"},
    {"blake2b-344",
     "abe4022ba2ee38b0e17dd24c52a2dbd9e8f8d4068df6c3a4f45ddf7d1537a9cc3190349d43287efc6a554f46"
     "9c90a9"},
    {"blake2b-352",
     "ace4022c69694c09acb179ecded2775f50e95a2aea52a5086054b8a9d61508fd11c437bb6860a0b761f62c22"
     "a48df0e9"},
    {"blake2b-360",
     "ade4022d1c99d6cf3b4099365ce2cabdd382d1b28750037383fec2dfb36471ae22c3e39ba62c8e4c97de23c6"
     "33cb4a35ea"},
    {"blake2b-368",
     "aee4022e263b1ebe5c0422245a352bef13cbc5864f0f286477828efc40091a5313cb16c4e5566f01b98564ec"
     "03778124e808"},
    {"blake2b-376",
     "afe4022f65cd32c7ce33e7c68820ded7ebc4e28aeb76ef1b4cbd0ed6b2f747014868c356ac41fa3a3bf7e5e8"
     "af425dc7125246"},
    {"blake2b-384",
     "b0e402300c216920d0d97a09fd90d6640d7de13a950bb6bf7655ab49a58ce2db58aa53f50a7a9810f7c7b7a9"
     "68a70e1ec2f9e64d"},
    {"blake2b-392",
     "b1e402310b6f5076e6032fc13a7d2b5f6691660ba8f506bf894ebe3999b82ab1337e0a71e9b70000850a2302"
     "eeb95054d4441076a6"},
    {"blake2b-400",
     "b2e402328b2541bbda80c47040b57937fc9b6d4e180ff42bcb1e67c523bbfa179868b24773ca697bc8407104"
     "866ac334451d33f2baca"},
    {"blake2b-408",
     "b3e402330b85583501c7e31db6d5c904c79150fc230e9f9dc4bbdd87190472fa106e86441cb6e1b634907bbd"
     "c7850f1547e30ccdd84c92"},
    {"blake2b-416",
     "b4e40234177369cda9c46fdbcb2a7c683895d5d9cc496d0125ef4324aaeb3c685b3081334d2338d6b3cb16f5"
     "4f8dfc6f966fde9ea2c3dea2"},
    {"blake2b-424",
     "b5e4023581f8db4c56de6b29ea62581918898da7d8a1326d77ac461915c3fab42353b7573c43173dc0542be8"
     "a8d8480bd916878ed8503bbbc7"},
    {"blake2b-432",
     "b6e40236c9531c59bd0c9d3ee58ad80c6a9e8c3948705340aa449ac551e94ba5f3504879e248674b6d7f4406"
     "cb926329ffb7453f568a10962ce4"},
    {"blake2b-440",
     "b7e40237aa8d6154f2a19451793b3cc1b7c67576cc2ed1c99c471c5dfab4da3da95b42fcc74ed1a14e822e76"
     "5a67f6c01254128e176fa8a5cdbf61"},
    {"blake2b-448",
     "b8e402382bc75187f8fbfa79cdd450a1fe4fb5efc2a8b69a5dbd6a6782f0690c85c2ad649b1e3609222fbf32"
     "0735ffa61a2e66f6f40da8afc80d279d"},
    {"blake2b-456",
     "b9e4023963e469330223bd2776af74db14b4409d96c4f32344cf1a6d64adb2c91e4e426a9695daa94a2cd024"
     "087a57c962e6009637019de8ad4f85e6a9"},
    {"blake2b-464",
     "bae4023a4b6957ece248e1abcab0a6fbb0b68782acfa743d89fed75a4edfa19ea54fe2ea46b41ab4688a9f83"
     "1c6a175f11c7b682a2b907f4c27c614b161c"},
    {"blake2b-472",
     "bbe4023be573f348a23dc7ea954a4c6adb1ba05a1f1df455c1265e8b6e4f375adce9816100e55e1a62cd11ed"
     "92d7d931952ef2ba1d411cf17fb30c05011f79"},
    {"blake2b-480",
     "bce4023cda142d38310f9aa0c0c05c4ccd298e4c6a3058f56b9f75e402b42b4fdc7c727e5b0da81b042a536b"
     "d3abc30622b0f8a31ae0b1b86412a8952ad5a124"},
    {"blake2b-488",
     "bde4023da573a3a6ec12b2b36581a7965ba0934c4f7d8908c91b6476def5dbeac4461beebcef10f3cc46ed10"
     "6e9f0ee9504fdb01c69a5a0ed7f45e4b644e27633d"},
    {"blake2b-496",
     "bee4023e9312f6bb84917225107de00b686d52a620a97339df93cb05e315806d6d868b862e41de8ff77c29d3"
     "5c672e81a267bfeef1ec8a549126a17a2c1154d7df2a"},
    {"blake2b-504",
     "bfe4023f7c344bec625582f1ae3f2743900c21f3b3ffcdc42561953aba92fada3ef1b23eb4d05894c02949ff"
     "75af6e7a81e3aa4be4ef50909e89011ce94970a39cbafe"},
    {"blake2b-512",
     "c0e40240f60ce482e5cc1229f39d71313171a8d9f4ca3a87d066bf4b205effb528192a75f14f3271e2c1a90e"
     "1de53f275b4d4793eef2f5e31ea90d2ce29d2e481c36435f"},
    {"blake2s-160", "d4e4021489d3241bbf3550d9c7d948399d88c392077330c8"},
    {"blake2s-168", "d5e40215f2bdd69e395d8b80f89d546e48f23d8da17e1970c6"},
    {"blake2s-176", "d6e4021631e3dac32d0ed893f4f321c3ceed65225fdb2d058bb9"},
    {"blake2s-184", "d7e402173a11ab05bc3d6d83308b8e9c230e876993da2d3ba15d37"},
    {"blake2s-192", "d8e40218ae11b63934ae1aa3c7f16e464640efc2c92ac27c775bc1b3"},
    {"blake2s-200", "d9e402192229ffcee0ab8875be63a528b07d39f4e64011bc91930d48f0"},
    {"blake2s-208", "dae4021a87d95289c608ec551e324a0b9b4adcd3e0187c1dc35283473e82"},
    {"blake2s-216", "dbe4021bb6b4bee130a136cec2670cac644eca2ae82bca4c44d013286d87ca"},
    {"blake2s-224", "dce4021c3fa4204d2660a68ee9d5e82e47084bae4f7b23f0513a32ce71d45912"},
    {"blake2s-232", "dde4021dc23c40f46e78796efcdf45e6bd89ad30b4e78de0118e74c3b0bc897fe4"},
    {"blake2s-240", "dee4021e6ce291a468a9047ebbb537726b61a9bb0fd7edca5b8e69274d050ee77c49"},
    {"blake2s-248", "dfe4021fa6351a0941754e3a52d1eb82985aed819e93f30c2f1fca7a8be57bcda75d21"},
    {"blake2s-256", "e0e402203969b3926654065966b6f8d9a65789b0f76d56e1e2ab67dd94faa770959187ca"},
};

static void each_as_kubo_made_it(void)
{
    for (size_t i = 0; i < CN_LEN(made); i++) {
        uint64_t code = 0;
        uint8_t digest[CN_DIGEST_MAX_BYTES];
        size_t len = 0;
        cn_multihash expected = {0};
        CHECK_OK(cn_multihash_code(cn_str(made[i].name), &code, NULL));
        CHECK_OK(cn_multihash_decode(test_hex(made[i].multihash), &expected));
        CHECK_EQ(code, expected.code);
        CHECK_OK(cn_multihash_sum(code, 0, cn_str("hello\n"), digest, &len));
        CHECK_BYTES(((cn_slice){digest, len}), expected.digest);
        CHECK_OK(cn_multihash_verify(&expected, cn_str("hello\n")));
        CHECK_ERR(cn_multihash_verify(&expected, cn_str("hello")), CN_ERR_HASH_MISMATCH);
    }
}

/* The allow-list has 73 functions; each can be summed, cut to 20 bytes, and verified. */
static void each_allowed_one_works(void)
{
    size_t codes = 0;
    size_t allowed = 0;
    const cn_multicodec *list = cn_multicodec_list(&codes);
    for (size_t i = 0; i < codes; i++) {
        uint8_t digest[CN_DIGEST_MAX_BYTES] = {0};
        size_t len = 0;
        cn_multihash mh = {list[i].code, {digest, 32}};
        if (cn_multihash_allowed(&mh, NULL) != CN_OK) {
            continue;
        }
        allowed++;
        if (list[i].code == CN_MH_IDENTITY) {
            continue;
        }
        CHECK_STR(cn_multihash_name(list[i].code), list[i].name);
        for (size_t wanted = 0; wanted <= 20; wanted += 20) {
            CHECK_OK(cn_multihash_sum(list[i].code, wanted, cn_str("x"), digest, &len));
            CHECK_EQ(len, wanted == 0 ? cn_multihash_default_bytes(list[i].code) : wanted);
            mh.digest.len = len;
            CHECK_OK(cn_multihash_allowed(&mh, NULL));
            CHECK_OK(cn_multihash_verify(&mh, cn_str("x")));
            CHECK_ERR(cn_multihash_verify(&mh, cn_str("y")), CN_ERR_HASH_MISMATCH);
        }
    }
    CHECK_EQ(allowed, 73);
}

static void keccak_lengths_kubo_cannot_compute(void)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    CHECK_OK(cn_multihash_sum(CN_MH_KECCAK_224, 0, cn_str(""), digest, &len));
    CHECK_BYTES(
        ((cn_slice){digest, len}),
        test_hex("f71837502ba8e10837bdd8d365adb85591895602fc552b48b7390abd"));
    CHECK_OK(cn_multihash_sum(CN_MH_KECCAK_384, 0, cn_str(""), digest, &len));
    CHECK_BYTES(
        ((cn_slice){digest, len}),
        test_hex("2c23146a63a29acf99e73b88f8c24eaa7dc60aa771780ccc006afbfa8fe2479b"
                 "2dd2b21362337441ac12b515911957ff"));
}

static void blake2b_of_each_length_is_its_own_hash(void)
{
    uint8_t longer[CN_DIGEST_MAX_BYTES];
    uint8_t shorter[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    for (size_t bytes = 1; bytes < 64; bytes++) {
        CHECK_OK(cn_multihash_sum(CN_MH_BLAKE2B_8 + bytes, 0, cn_str("x"), longer, &len));
        CHECK_EQ(len, bytes + 1);
        CHECK_OK(cn_multihash_sum(CN_MH_BLAKE2B_8 + bytes - 1, 0, cn_str("x"), shorter, &len));
        CHECK_EQ(len, bytes);
        CHECK(bytes < 4 || !cn_slice_eq((cn_slice){longer, len}, (cn_slice){shorter, len}));
        /* a wanted length cuts, as Go's registry does */
        CHECK_OK(cn_multihash_sum(CN_MH_BLAKE2B_8 + bytes, bytes, cn_str("x"), shorter, &len));
        CHECK_BYTES(((cn_slice){longer, bytes}), ((cn_slice){shorter, len}));
    }
    CHECK_ERR(cn_multihash_sum(CN_MH_BLAKE2B_256, 33, cn_str("x"), longer, &len), CN_ERR_TOO_LARGE);
}

static void blake3_may_be_longer_than_its_default(void)
{
    uint8_t digest[CN_DIGEST_MAX_BYTES];
    uint8_t usual[CN_DIGEST_MAX_BYTES];
    size_t len = 0;
    CHECK_OK(cn_multihash_sum(CN_MH_BLAKE3, 0, cn_str("x"), usual, &len));
    CHECK_EQ(len, 32);
    CHECK_OK(cn_multihash_sum(CN_MH_BLAKE3, 128, cn_str("x"), digest, &len));
    CHECK_EQ(len, 128);
    CHECK_BYTES(((cn_slice){digest, 32}), ((cn_slice){usual, 32}));
    CHECK_ERR(cn_multihash_sum(CN_MH_BLAKE3, 129, cn_str("x"), digest, &len), CN_ERR_TOO_LARGE);
    CHECK_ERR(cn_multihash_sum(CN_MH_SHAKE_256, 65, cn_str("x"), digest, &len), CN_ERR_TOO_LARGE);
}

/* "algorithm,bits,input,multihash" */
static bool next_row(cn_slice *rest, cn_slice cells[4])
{
    for (size_t i = 0; i < 4; i++) {
        size_t end = cn_slice_find(*rest, i < 3 ? ',' : '\n');
        cells[i] = cn_slice_head(*rest, end);
        *rest = cn_slice_skip(*rest, end + 1);
    }
    return cells[3].len > 0;
}

static void the_published_table(void)
{
    cn_buf file = {0};
    if (!test_fixture("multiformats/multihash-test_cases.csv", &file)) {
        return;
    }
    cn_slice rest = cn_buf_slice(&file);
    cn_slice cells[4];
    int rows = 0;
    CHECK(next_row(&rest, cells));
    while (next_row(&rest, cells)) {
        char input[2000] = {0};
        char expected[300] = {0};
        uint64_t code = 0;
        uint8_t digest[CN_DIGEST_MAX_BYTES];
        size_t len = 0;
        cn_multihash mh = {0};
        cn_copy(input, cells[2].data, CN_MIN(cells[2].len, sizeof input - 1));
        cn_copy(expected, cells[3].data, CN_MIN(cells[3].len, sizeof expected - 1));
        CHECK_OK(cn_multihash_code(cells[0], &code, NULL));
        CHECK_OK(cn_multihash_decode(test_hex(expected), &mh));
        CHECK_EQ(mh.code, code);
        CHECK_OK(cn_multihash_sum(code, mh.digest.len, cn_str(input), digest, &len));
        CHECK_BYTES(((cn_slice){digest, len}), mh.digest);
        rows++;
    }
    CHECK_EQ(rows, 260);
    cn_buf_release(&file);
}

int main(void)
{
    TEST(each_as_kubo_made_it);
    TEST(each_allowed_one_works);
    TEST(keccak_lengths_kubo_cannot_compute);
    TEST(blake2b_of_each_length_is_its_own_hash);
    TEST(blake3_may_be_longer_than_its_default);
    TEST(the_published_table);
    return test_end();
}
