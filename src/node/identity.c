/*
 * The identity of a repo. The public key of ed25519 and secp256k1 ids stands in the id itself, so
 * the key file is read only where the private key is wanted, or for RSA.
 */
#include "node/identity.h"

#include "codec/base_n.h"
#include "node/repo.h"

enum { PATH_MAX_BYTES = 64 * 1024 };

static cn_slice trimmed(cn_slice s)
{
    while (s.len > 0 && (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == ' ')) {
        s.len--;
    }
    return s;
}

cn_err cn_identity_parse(cn_slice text, cn_identity *ret, cn_why *why)
{
    cn_buf raw;
    cn_multihash mh = {0};
    cn_cid cid = {0};
    cn_err err = CN_OK;
    cn_buf_init(&raw, cn_mem_default(), sizeof ret->peer_bytes);
    if (text.len == 0 || text.len >= sizeof ret->peer_id) {
        err = CN_ERR_MALFORMED;
        goto out;
    }
    if (cn_slice_starts(text, cn_str("Qm")) || text.data[0] == '1') {
        CN_TRY(cn_base_n_decode(CN_BASE58_BTC, text, &raw, NULL));
    } else {
        CN_TRY(cn_cid_parse(text, &cid, NULL));
        CN_TRY(cid.codec == CN_CODEC_LIBP2P_KEY ? CN_OK : CN_ERR_MALFORMED);
        CN_TRY(cn_buf_append(&raw, cn_cid_key(&cid)));
    }
    CN_TRY(cn_multihash_decode(cn_buf_slice(&raw), &mh));
    cn_copy(ret->peer_bytes, raw.data, raw.len);
    ret->peer_len = raw.len;
    cn_copy(ret->peer_id, text.data, text.len);
    ret->peer_id[text.len] = '\0';
    if (mh.code == CN_MH_IDENTITY && mh.digest.len <= sizeof ret->public_key) {
        cn_copy(ret->public_key, mh.digest.data, mh.digest.len);
        ret->public_len = mh.digest.len;
    }
out:
    cn_buf_release(&raw);
    return err == CN_OK ? err
                        : cn_why_set(
                              why, err, "Identity.PeerID in the config is no peer id: \"%.*s\"",
                              (int)CN_MIN(text.len, (size_t)100),
                              text.len == 0 ? "" : (const char *)text.data);
}

/* The base64 text of the private key: from the config if it carries one, else from the file. */
static cn_err
read_private_text(cn_rt *rt, const char *repo, const cn_config *config, cn_buf *ret, cn_why *why)
{
    cn_buf buf;
    const char *path = NULL;
    cn_slice carried = cn_config_string(config, "Identity.PrivKey", "");
    cn_err err = CN_OK;
    if (carried.len > 0) {
        return cn_buf_append(ret, carried);
    }
    cn_buf_init(&buf, cn_mem_default(), PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(repo, CN_REPO_KEY_FILE, &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    CN_TRY(cn_rt_read_file(rt, path, ret, why));
out:
    cn_buf_release(&buf);
    return err;
}

cn_err
cn_identity_private(cn_rt *rt, const char *repo, const cn_config *config, cn_buf *ret, cn_why *why)
{
    cn_buf text;
    cn_err err = CN_OK;
    cn_buf_init(&text, cn_mem_default(), CN_PRIVATE_KEY_MAX_BYTES * 2);
    cn_buf_reset(ret);
    CN_TRY(read_private_text(rt, repo, config, &text, why));
    err = cn_base_n_decode(CN_BASE64_PAD, trimmed(cn_buf_slice(&text)), ret, NULL);
    if (err != CN_OK) {
        (void)cn_why_set(why, err, "the private key in %s is not base64", repo);
    }
out:
    if (text.data != NULL) {
        cn_wipe(text.data, text.len);
    }
    cn_buf_release(&text);
    return err;
}

cn_err cn_identity_load(
    cn_rt *rt, const char *repo, const cn_config *config, cn_identity *ret, cn_why *why)
{
    CN_UNUSED(rt);
    CN_UNUSED(repo);
    cn_identity made = {0};
    cn_err err = cn_identity_parse(cn_config_string(config, "Identity.PeerID", ""), &made, why);
    if (err == CN_OK) {
        *ret = made;
    }
    return err;
}
