/*
 * One command line from its words to its exit status, in the order Kubo checks things: words,
 * timeout, help, arguments, files, then who runs it.
 */
#include "cli/cli.h"

#include "cli/client.h"
#include "cmd/help.h"
#include "cmd/table.h"
#include "node/config.h"
#include "node/repo.h"
#include "rt_os/rt_os.h"

#include <stdlib.h>

enum { HELP_MAX = 1 << 20 };

typedef struct cli {
    cn_rt *rt;
    cn_mem *mem;
    cn_stdout out;
    cn_stdin in;
    cn_local local;
    cn_request request;
    cn_cli_files *files;
    cn_buf repo_path;
    cn_why why;
    const char *program;
} cli;

static int complain(cli *c, cn_err err)
{
    cn_stderr_printf(&c->out, "Error: %s\n", cn_why_text(&c->why, err));
    return 1;
}

/* Show a help page on standard output, or on standard error behind a complaint. */
static int show_help(cli *c, bool full, bool as_error)
{
    cn_buf page;
    cn_buf_init(&page, c->mem, HELP_MAX);
    cn_err err = cn_help(c->request.command, c->program, full, &page);
    if (err == CN_OK && as_error) {
        cn_stderr_printf(&c->out, "\n");
        cn_stderr_write(&c->out, cn_buf_slice(&page));
    } else if (err == CN_OK) {
        err = cn_stdout_write(&c->out, cn_buf_slice(&page));
        err = err == CN_OK ? cn_stdout_flush(&c->out) : err;
        cn_stdout_complain(&c->out);
    }
    cn_buf_release(&page);
    return err == CN_OK && !as_error ? 0 : 1;
}

static bool asks_for(const cli *c, const char *name)
{
    const cn_given *g = cn_request_option(&c->request, name);
    return g != NULL && g->value.flag;
}

static const char *text_of(const cli *c, const char *name)
{
    const cn_given *g = cn_request_option(&c->request, name);
    return g == NULL ? NULL : g->text;
}

static cn_err find_repo(cli *c)
{
    cn_repo_env env = {
        .option = text_of(c, "repo-dir"),
        .cairn_path = getenv("CAIRN_PATH"),
        .ipfs_path = getenv("IPFS_PATH"),
        .home = getenv("HOME"),
    };
    if (env.option == NULL || env.option[0] == '\0') {
        env.option = NULL;
    }
    cn_err err = cn_repo_path(&env, &c->repo_path, &c->why);
    if (err == CN_OK) {
        err = cn_buf_cstr(&c->repo_path, &c->local.host.repo_path);
    }
    c->local.config_path = text_of(c, "config-file");
    c->local.offline = asks_for(c, "offline") || asks_for(c, "local");
    c->local.host.program = c->program;
    return err;
}

static int run_here(cli *c, cn_call *call)
{
    cn_err err = cn_call_run(call);
    cn_err closed = cn_local_close(&c->local, &c->why);
    if (closed != CN_OK && err == CN_OK) {
        return complain(c, closed);
    }
    return c->out.status;
}

/* Prepare the call, then let a daemon or this process do it. */
static int execute(cli *c, cn_call *call, const cn_client_target *daemon)
{
    const cn_command *command = c->request.command;
    cn_err err = cn_call_prepare(call);
    if (err != CN_OK) {
        (void)cn_call_end(call, err);
        return c->out.status;
    }
    if (daemon->kind == CN_CLIENT_NONE) {
        if ((command->flags & CN_CMD_NO_LOCAL) != 0) {
            err = cn_call_fail(
                call, CN_ERR_USAGE, "command must be run on the daemon: [%s]", command->path);
            (void)cn_call_end(call, err);
            return c->out.status;
        }
        return run_here(c, call);
    }
    cn_client_parts parts = {
        .rt = c->rt,
        .mem = c->mem,
        .target = daemon,
        .call = call,
        .request = &c->request,
        .command = command,
        .out = &c->out,
        .source = c->files == NULL ? NULL : cn_cli_files_source(c->files),
        .input = &c->in.input,
    };
    bool reached = false;
    err = cn_client_run(&parts, &reached, &c->why);
    if (!reached && err == CN_ERR_CLOSED && !daemon->required) {
        return run_here(c, call); /* the api file was left behind */
    }
    if (!reached) {
        err = cn_call_fail(
            call, err,
            "cannot connect to the api. Is the daemon running? To run as a standalone "
            "CLI command remove the api file in `$IPFS_PATH/api`");
    } else if (err != CN_OK) {
        err = cn_call_fail(call, err, "%s", cn_why_text(&c->why, err));
    }
    (void)cn_call_end(call, err);
    return c->out.status;
}

/* Who shall run it: filled in as far as options, table and the api file say. */
static cn_err find_daemon(cli *c, cn_client_target *ret)
{
    const cn_command *command = c->request.command;
    const char *api = text_of(c, "api");
    *ret = (cn_client_target){.kind = CN_CLIENT_NONE};
    bool own = (command->flags & (CN_CMD_NO_REPO | CN_CMD_NO_API)) != 0;
    if (own && (command->flags & CN_CMD_NO_LOCAL) == 0) {
        return CN_OK;
    }
    if (cn_command_is_unbuilt(command)) {
        return CN_OK;
    }
    if (api != NULL) {
        cn_err err = cn_client_target_parse(api, ret, &c->why);
        ret->required = true;
        if (err == CN_OK && (command->flags & CN_CMD_NO_REMOTE) != 0) {
            return cn_why_set(
                &c->why, CN_ERR_USAGE,
                "api flag specified but command cannot be run on the daemon");
        }
        return err;
    }
    if ((command->flags & CN_CMD_NO_REMOTE) != 0) {
        return CN_OK;
    }
    return cn_client_target_read(c->rt, c->mem, c->local.host.repo_path, ret, &c->why);
}

static int run_command(cli *c)
{
    cn_call *call = NULL;
    cn_client_target daemon;
    cn_err err = find_repo(c);
    if (err == CN_OK) {
        err = find_daemon(c, &daemon);
    }
    if (err == CN_OK) {
        daemon.auth = text_of(c, "api-auth");
        cn_call_parts parts = {
            .request = &c->request,
            .sink = &c->out.sink,
            .input = &c->in.input,
            .files = c->files == NULL ? NULL : cn_cli_files_source(c->files),
            .cancel = &cn_cli_cancelled,
        };
        err = cn_call_new(&c->local.host, &parts, &call, &c->why);
    }
    if (err != CN_OK) {
        return complain(c, err);
    }
    int status = execute(c, call, &daemon);
    cn_call_free(call);
    return status;
}

/* Everything between the words being read and the command being run. */
static int run_words(cli *c, const char *const *words, size_t len)
{
    int64_t timeout_ns = 0;
    cn_err err = cn_request_from_words(&c->request, words, len, &c->why);
    if (err != CN_OK) {
        return complain(c, err);
    }
    cn_err bound = cn_request_bind(&c->request, &c->why);
    if (bound == CN_OK && (c->request.files.len > 0 || c->request.stdin_file)) {
        bound = cn_cli_files_new(c->mem, c->rt, &c->request, &c->files, &c->why);
    }
    const char *timeout = text_of(c, "timeout");
    if (timeout != NULL) {
        cn_why why = {{0}};
        err = cn_duration_parse(cn_str(timeout), &timeout_ns, &why);
        if (err != CN_OK) {
            c->why = why;
            return complain(c, err);
        }
    }
    if (asks_for(c, "help") || asks_for(c, "h")) {
        return show_help(c, asks_for(c, "help"), false);
    }
    if (bound == CN_ERR_NO_MEMORY) {
        return complain(c, bound);
    }
    if (bound != CN_OK) {
        (void)complain(c, bound);
        return show_help(c, false, true);
    }
    if (c->request.command->run == NULL && !cn_command_is_unbuilt(c->request.command)) {
        return show_help(c, false, false);
    }
    if (c->files != NULL && cn_cli_files_reads_stdin(c->files)) {
        cn_stdin_tell(&c->in);
    }
    return run_command(c);
}

/*
 * The words as they are meant: `--version` first is the command, `help x` is `x --help`. *ret has
 * room for one more word than was given.
 */
static size_t settle_words(size_t len, char *const *words, const char **ret)
{
    size_t out = 0;
    bool help = len > 0 && strcmp(words[0], "help") == 0;
    for (size_t i = help ? 1 : 0; i < len; i++) {
        ret[out++] = i == 0 && strcmp(words[0], "--version") == 0 ? "version" : words[i];
    }
    if (help && !(len > 1 && strcmp(words[1], "--help") == 0)) {
        ret[out++] = "--help";
    }
    return out;
}

static const char *program_name(const char *word)
{
    const char *slash = strrchr(word, '/');
    return strcmp(slash == NULL ? word : slash + 1, "ipfs") == 0 ? "ipfs" : "cairn";
}

int cn_cli_main(int words_len, char *const *words)
{
    cli c = {.mem = cn_mem_default(), .out = {.mem = cn_mem_default()}};
    int status = 1;
    size_t len = words_len < 1 ? 0 : (size_t)words_len - 1;
    const char **settled = cn_alloc_array(c.mem, len + 1, sizeof *settled);
    cn_err err = settled == NULL ? CN_ERR_NO_MEMORY : CN_OK;
    cn_cli_signals();
    cn_stdin_init(&c.in);
    c.program = program_name(words_len < 1 ? "cairn" : words[0]);
    cn_buf_init(&c.repo_path, c.mem, 1 << 16);
    cn_request_init(&c.request, c.mem);
    CN_TRY(err);
    CN_TRY(cn_rt_os_new(0, &c.rt));
    CN_TRY(cn_stdout_init(&c.out, c.rt, c.mem));
    cn_local_init(&c.local, c.rt, c.mem);
    status = run_words(&c, settled, settle_words(len, words + 1, settled));
out:
    if (err != CN_OK) {
        (void)complain(&c, err);
    }
    cn_cli_files_free(c.files);
    cn_request_release(&c.request);
    cn_buf_release(&c.repo_path);
    cn_stdout_release(&c.out);
    cn_rt_os_free(c.rt);
    cn_free(c.mem, (void *)settled);
    return status;
}
