/*
 * The identity of a repo. The public key of ed25519 and secp256k1 ids stands in the id itself, so
 * the key file is read only where the private key is wanted, or for RSA.
 */
#include "node/identity.h"

#include "codec/base_n.h"
#include "node/repo.h"

enum { PATH_MAX_BYTES = 64 * 1024, KEY_TEXT_MAX_BYTES = 2 * CN_KEY_PRIVATE_MAX_BYTES };

cn_err cn_identity_of(const cn_peer_id *id, cn_identity *ret)
{
    cn_identity made = {.id = *id};
    cn_buf usual;
    cn_slice public = {0};
    cn_err err = CN_OK;
    cn_buf_init(&usual, cn_mem_default(), CN_PEER_TEXT_BYTES - 1);
    CN_TRY(cn_peer_id_encode_text(id, 0, &usual));
    cn_copy(made.peer_id, usual.data, usual.len);
    if (cn_peer_id_public(id, &public) && public.len <= sizeof made.public_key) {
        cn_copy(made.public_key, public.data, public.len);
        made.public_len = public.len;
    }
    *ret = made;
out:
    cn_buf_release(&usual);
    return err;
}

cn_err cn_identity_parse(cn_slice text, cn_identity *ret, cn_why *why)
{
    cn_peer_id id = {0};
    cn_err err = cn_peer_id_parse(text, &id, why);
    return err != CN_OK ? err : cn_identity_of(&id, ret);
}

static cn_slice trimmed(cn_slice s)
{
    while (s.len > 0 && (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == ' ')) {
        s.len--;
    }
    return s;
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
cn_identity_private(cn_rt *rt, const char *repo, const cn_config *config, cn_key **ret, cn_why *why)
{
    cn_buf text;
    cn_buf message;
    cn_key *key = NULL;
    cn_peer_id named = {0};
    cn_peer_id held = {0};
    cn_err err = CN_OK;
    cn_buf_init(&text, cn_mem_default(), KEY_TEXT_MAX_BYTES);
    cn_buf_init(&message, cn_mem_default(), KEY_TEXT_MAX_BYTES);
    CN_TRY(read_private_text(rt, repo, config, &text, why));
    err = cn_base_n_decode(CN_BASE64_PAD, trimmed(cn_buf_slice(&text)), &message, NULL);
    if (err != CN_OK) {
        err = cn_why_set(why, err, "the private key of %s is not base64", repo);
        goto out;
    }
    CN_TRY(cn_key_decode_private(cn_mem_default(), cn_buf_slice(&message), &key, why));
    CN_TRY(cn_peer_id_of_key(key, &held));
    CN_TRY(cn_peer_id_parse(cn_config_string(config, "Identity.PeerID", ""), &named, why));
    if (!cn_peer_id_eq(&held, &named)) {
        err = cn_why_set(
            why, CN_ERR_MALFORMED, "the private key of %s does not belong to its Identity.PeerID",
            repo);
        goto out;
    }
    *ret = key;
    key = NULL;
out:
    cn_key_free(key);
    cn_key_wipe(&text);
    cn_key_wipe(&message);
    return err;
}

/* The public half of the private key, for ids that are only its hash. */
static cn_err public_of_private(
    cn_rt *rt, const char *repo, const cn_config *config, cn_identity *ret, cn_why *why)
{
    cn_key *key = NULL;
    cn_buf public;
    cn_err err = CN_OK;
    cn_buf_init(&public, cn_mem_default(), sizeof ret->public_key);
    CN_TRY(cn_identity_private(rt, repo, config, &key, why));
    CN_TRY(cn_key_encode_public(key, &public));
    cn_copy(ret->public_key, public.data, public.len);
    ret->public_len = public.len;
out:
    cn_buf_release(&public);
    cn_key_free(key);
    return err;
}

cn_err cn_identity_load(
    cn_rt *rt, const char *repo, const cn_config *config, cn_identity *ret, cn_why *why)
{
    cn_identity made = {0};
    cn_err err = cn_identity_parse(cn_config_string(config, "Identity.PeerID", ""), &made, why);
    if (err != CN_OK) {
        return cn_why_wrap(why, err, "Identity.PeerID in the config: ");
    }
    if (made.public_len == 0) {
        err = public_of_private(rt, repo, config, &made, why);
    }
    if (err == CN_OK) {
        *ret = made;
    }
    return err;
}

cn_err cn_identity_key_text(const cn_key *key, cn_buf *out)
{
    cn_buf message;
    cn_err err = CN_OK;
    cn_buf_init(&message, cn_mem_default(), KEY_TEXT_MAX_BYTES);
    CN_TRY(cn_key_encode_private(key, &message));
    CN_TRY(cn_buf_reserve(out, 2 * message.len)); /* so that growing leaves no copy behind */
    CN_TRY(cn_base_n_encode(CN_BASE64_PAD, cn_buf_slice(&message), out));
out:
    cn_key_wipe(&message);
    return err;
}
