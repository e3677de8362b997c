/*
 * Where the repo is, what lies there, and who holds it. The lock is an open-file-description lock
 * on repo.lock: it dies with its holder, so the file itself says nothing but whose it was last.
 */
#include "node/repo.h"

#include "base/num.h"
#include "node/config.h"
#include "rt/lock.h"

enum { PATH_MAX_BYTES = 64 * 1024, SMALL_FILE_BYTES = 4096, POLL_NS = 20 * 1000 * 1000 };

static const char version_text[] = "cairn 1\n";

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

cn_err cn_repo_path(const cn_repo_env *env, cn_buf *ret, cn_why *why)
{
    const char *path = given(env->option)       ? env->option
                       : given(env->cairn_path) ? env->cairn_path
                       : given(env->ipfs_path)  ? env->ipfs_path
                                                : "~/.cairn";
    bool from_home = path[0] == '~' && (path[1] == '/' || path[1] == '\0');
    cn_err err = CN_OK;
    if (from_home && !given(env->home)) {
        return cn_why_set(
            why, CN_ERR_USAGE, "no repo given and no home folder: set CAIRN_PATH or HOME");
    }
    if (from_home) {
        CN_TRY(cn_buf_text(ret, env->home));
        path++;
    }
    CN_TRY(cn_buf_text(ret, path));
out:
    return err;
}

cn_err cn_repo_file(const char *repo, const char *name, cn_buf *ret)
{
    return cn_buf_printf(ret, "%s/%s", repo, name);
}

/* Does "<repo>/<name>" exist? */
static cn_err has_file(cn_rt *rt, const char *repo, const char *name, bool *ret)
{
    cn_buf buf;
    const char *path = NULL;
    cn_path_stat st = {0};
    cn_err err = CN_OK;
    cn_buf_init(&buf, cn_mem_default(), PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(repo, name, &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    err = cn_path_stat_of(rt, path, &st);
    *ret = err == CN_OK;
    err = err == CN_ERR_NOT_FOUND ? CN_OK : err;
out:
    cn_buf_release(&buf);
    return err;
}

/* The start of a small file; empty if it is not there. */
static cn_err read_small(cn_rt *rt, const char *repo, const char *name, cn_buf *ret, cn_why *why)
{
    cn_buf buf;
    const char *path = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&buf, cn_mem_default(), PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(repo, name, &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    err = cn_rt_read_file(rt, path, ret, why);
    err = err == CN_ERR_TOO_LARGE ? CN_OK : err;
out:
    cn_buf_release(&buf);
    return err;
}

static cn_slice trimmed(cn_slice s)
{
    while (s.len > 0 &&
           (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\r')) {
        s.len--;
    }
    return s;
}

static cn_repo_kind kind_of_version(cn_slice text)
{
    uint64_t number = 0;
    text = trimmed(text);
    if (cn_num_u64(text, &number) == CN_OK) {
        return CN_REPO_KUBO;
    }
    if (!cn_slice_starts(text, cn_str("cairn ")) ||
        cn_num_u64(cn_slice_skip(text, strlen("cairn ")), &number) != CN_OK) {
        return CN_REPO_BROKEN;
    }
    return number == CN_REPO_VERSION ? CN_REPO_OURS : CN_REPO_LATER;
}

cn_err cn_repo_probe(cn_rt *rt, const char *repo, cn_repo_kind *ret, cn_why *why)
{
    static const char *const kubos[] = {"datastore_spec", "blocks", "datastore"};
    cn_buf text;
    bool there = false;
    cn_repo_kind kind = CN_REPO_NONE;
    cn_err err = CN_OK;
    cn_buf_init(&text, cn_mem_default(), SMALL_FILE_BYTES);
    err = read_small(rt, repo, "version", &text, why);
    if (err == CN_OK) {
        kind = kind_of_version(cn_buf_slice(&text));
        goto done;
    }
    if (err != CN_ERR_NOT_FOUND) {
        goto out;
    }
    if (why != NULL) {
        why->text[0] = '\0';
    }
    for (size_t i = 0; i < CN_LEN(kubos) && !there; i++) {
        CN_TRY(has_file(rt, repo, kubos[i], &there));
    }
    kind = there ? CN_REPO_KUBO : CN_REPO_NONE;
done:
    *ret = kind;
    err = CN_OK;
out:
    cn_buf_release(&text);
    return err;
}

cn_err cn_repo_check(cn_rt *rt, const char *repo, cn_why *why)
{
    cn_repo_kind kind = CN_REPO_NONE;
    bool configured = false;
    cn_err err = CN_OK;
    CN_TRY(cn_repo_probe(rt, repo, &kind, why));
    switch (kind) {
    case CN_REPO_NONE:
        return cn_why_set(
            why, CN_ERR_NOT_FOUND, "no IPFS repo found in %s.\nmake one with the command 'init'",
            repo);
    case CN_REPO_KUBO:
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED,
            "%s is a repo of Kubo; it is left as it is. Set CAIRN_PATH to another folder, or unset "
            "IPFS_PATH to use ~/.cairn",
            repo);
    case CN_REPO_LATER:
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED,
            "%s was made by a later version of cairn; this one reads repos of version %d", repo,
            CN_REPO_VERSION);
    case CN_REPO_BROKEN:
        return cn_why_set(
            why, CN_ERR_UNSUPPORTED, "%s/version says neither cairn nor a number: not a repo",
            repo);
    case CN_REPO_OURS:
        break;
    }
    CN_TRY(has_file(rt, repo, "config", &configured));
    if (!configured) {
        err = cn_why_set(
            why, CN_ERR_NOT_FOUND, "no IPFS repo found in %s.\nmake one with the command 'init'",
            repo);
    }
out:
    return err;
}

cn_err cn_repo_write_version(cn_rt *rt, const char *repo, cn_why *why)
{
    cn_buf buf;
    const char *path = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&buf, cn_mem_default(), PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(repo, "version", &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    CN_TRY(cn_rt_write_file(rt, path, cn_str(version_text), why));
out:
    cn_buf_release(&buf);
    return err;
}

cn_err cn_repo_lock_wait(const char *text, int64_t *ret_ns, cn_why *why)
{
    int64_t ns = 0;
    cn_err err = given(text) ? cn_duration_parse(cn_str(text), &ns, why) : CN_OK;
    if (err != CN_OK) {
        return cn_why_wrap(why, err, "IPFS_WAIT_REPO_LOCK: ");
    }
    *ret_ns = given(text) && ns <= 0 ? INT64_MAX : ns;
    return CN_OK;
}

/* "pid 4711 (cairn daemon)" as the holder has written it; whatever is there, made printable. */
static cn_err read_holder(cn_rt *rt, cn_file *f, char *text, size_t text_bytes, int64_t *ret_pid)
{
    uint8_t raw[256];
    size_t len = 0;
    cn_err err = cn_file_read_at(rt, f, 0, raw, CN_MIN(sizeof raw, text_bytes - 1), &len);
    if (err != CN_OK) {
        return err;
    }
    cn_slice line = trimmed(cn_slice_of(raw, len));
    line.len = cn_slice_find(line, '\n');
    cn_slice pid = cn_slice_head(line, cn_slice_find(line, ' '));
    uint64_t number = 0;
    *ret_pid = cn_num_u64(pid, &number) == CN_OK && number < INT64_MAX ? (int64_t)number : 0;
    line = cn_slice_skip(line, pid.len + 1);
    for (size_t i = 0; i < line.len; i++) {
        text[i] = (char)(line.data[i] < 0x20 || line.data[i] == 0x7f ? '?' : line.data[i]);
    }
    text[line.len] = '\0';
    return CN_OK;
}

/* Try until the lock is ours, or the time is up. */
static cn_err lock_within(cn_rt *rt, cn_file *f, int64_t wait_ns)
{
    cn_lock *lock = NULL;
    cn_cond *cond = NULL;
    cn_time end = cn_time_after(cn_rt_now(rt), CN_MAX(wait_ns, 0));
    cn_err err = cn_file_lock(rt, f);
    if (err != CN_ERR_BUSY || wait_ns <= 0) {
        return err;
    }
    CN_TRY(cn_lock_new(cn_mem_default(), &lock));
    CN_TRY(cn_cond_new(cn_mem_default(), &cond));
    cn_lock_take(lock);
    do {
        cn_cond_wait(cond, lock, POLL_NS); /* nobody wakes it: a sleep */
        err = cn_file_lock(rt, f);
    } while (err == CN_ERR_BUSY && cn_rt_now(rt).ns < end.ns);
    cn_lock_give(lock);
out:
    cn_cond_free(cond);
    cn_lock_free(lock);
    return err;
}

static cn_err say_busy(cn_rt *rt, cn_file *f, const char *repo, cn_why *why)
{
    char command[256];
    int64_t pid = 0;
    if (read_holder(rt, f, command, sizeof command, &pid) != CN_OK || pid == 0) {
        return cn_why_set(
            why, CN_ERR_BUSY, "%s is in use by another process (set IPFS_WAIT_REPO_LOCK to wait)",
            repo);
    }
    return cn_why_set(
        why, CN_ERR_BUSY,
        "%s is in use by process %lld (%s). Stop it, or set IPFS_WAIT_REPO_LOCK=10s to wait for it",
        repo, (long long)pid, command[0] == '\0' ? "unknown command" : command);
}

static cn_err open_lock(cn_rt *rt, const char *repo, unsigned flags, cn_file **ret, cn_why *why)
{
    cn_buf buf;
    const char *path = NULL;
    cn_err err = CN_OK;
    cn_buf_init(&buf, cn_mem_default(), PATH_MAX_BYTES);
    CN_TRY(cn_repo_file(repo, "repo.lock", &buf));
    CN_TRY(cn_buf_cstr(&buf, &path));
    CN_TRY(cn_file_open(rt, path, flags, ret, why));
out:
    cn_buf_release(&buf);
    return err;
}

cn_err cn_repo_lock(
    cn_rt *rt,
    const char *repo,
    int64_t pid,
    const char *command,
    int64_t wait_ns,
    cn_file **ret,
    cn_why *why)
{
    cn_file *f = NULL;
    cn_buf holder;
    cn_slice line = {0};
    cn_err err = CN_OK;
    cn_buf_init(&holder, cn_mem_default(), SMALL_FILE_BYTES);
    CN_TRY(open_lock(rt, repo, CN_FILE_READ | CN_FILE_WRITE | CN_FILE_CREATE, &f, why));
    err = lock_within(rt, f, wait_ns);
    if (err == CN_ERR_BUSY) {
        err = say_busy(rt, f, repo, why);
    }
    if (err != CN_OK) {
        goto out;
    }
    /* A full disk must not keep anybody out: what stands here is only for people to read. */
    CN_TRY(cn_buf_printf(&holder, "%lld %.200s\n", (long long)pid, command == NULL ? "" : command));
    line = cn_buf_slice(&holder);
    if (cn_file_truncate(rt, f, 0) == CN_OK) {
        (void)!cn_file_write_at(rt, f, 0, &line, 1);
    }
    *ret = f;
    f = NULL;
out:
    cn_file_close(rt, f);
    cn_buf_release(&holder);
    return err;
}

cn_err cn_repo_is_locked(cn_rt *rt, const char *repo, bool *ret_locked, int64_t *ret_pid)
{
    cn_file *f = NULL;
    char command[256];
    int64_t pid = 0;
    bool locked = false;
    cn_err err = open_lock(rt, repo, CN_FILE_READ | CN_FILE_WRITE, &f, NULL);
    if (err == CN_ERR_NOT_FOUND) {
        *ret_locked = false;
        return CN_OK;
    }
    CN_TRY(err);
    err = cn_file_lock(rt, f);
    locked = err == CN_ERR_BUSY;
    CN_TRY(locked ? CN_OK : err);
    if (locked && ret_pid != NULL) {
        CN_TRY(read_holder(rt, f, command, sizeof command, &pid));
        *ret_pid = pid;
    }
    *ret_locked = locked;
out:
    cn_file_close(rt, f);
    return err;
}
