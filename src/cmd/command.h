/*
 * Commands: what a command is (a row of the one table), and what its `run` is given (a cn_call).
 *
 * The same row drives the command line, `--help`, shell completion and POST /api/v0/<path>. A
 * command emits typed values or writes raw bytes; it never sees a terminal or an HTTP response.
 * One file per command, `src/cmd/cmd_<name>.c`, exports one or several `const cn_command`; each is
 * named once in cmd/table.c.
 */
#pragma once

#include "base/buf.h"
#include "base/why.h"
#include "cmd/output.h"
#include "ipld/blocks.h"
#include "rt/rt.h"

struct cn_node;
struct cn_source;
typedef struct cn_call cn_call;

/* --- the table --- */

typedef enum cn_opt_kind {
    CN_OPT_BOOL,
    CN_OPT_INT, /* 32 bits, as Kubo takes them; the others 64 */
    CN_OPT_UINT,
    CN_OPT_INT64,
    CN_OPT_UINT64,
    CN_OPT_FLOAT,
    CN_OPT_STRING,
    CN_OPT_STRINGS, /* may be given several times */
} cn_opt_kind;

typedef struct cn_opt {
    cn_opt_kind kind;
    const char *name;   /* "recursive"; NULL ends the array */
    const char *alias;  /* "r", or NULL */
    const char *preset; /* the value when not given, as text; NULL: none */
    const char *help;   /* NULL: known for Kubo's sake, not shown */
} cn_opt;

enum {
    CN_ARG_OPTIONAL = 1,
    CN_ARG_VARIADIC = 2,  /* the last one only */
    CN_ARG_STDIN = 4,     /* the last one only: read from standard input if not given */
    CN_ARG_FILE = 8,      /* a local path on the command line, an uploaded part over RPC */
    CN_ARG_RECURSIVE = 16 /* FILE: folders are taken, if option "recursive" is given */
};

typedef struct cn_arg {
    const char *name; /* "ipfs-path"; NULL ends the array */
    unsigned flags;   /* CN_ARG_*; 0: required text */
    const char *help;
} cn_arg;

enum {
    CN_CMD_NO_REPO = 1,       /* runs without a repo, always in this process */
    CN_CMD_NO_REMOTE = 2,     /* not offered over RPC (404) */
    CN_CMD_NO_LOCAL = 4,      /* needs a daemon */
    CN_CMD_NO_API = 8,        /* does not talk to a daemon even if one runs (init, daemon) */
    CN_CMD_TAKES_UNINIT = 16, /* needs the repo's place, not a repo in it (init) */
    CN_CMD_UNBUILT = 32,      /* known by name, says so and fails */
    CN_CMD_TEXT = 64,         /* text on the command line even with --enc=json, as Kubo */
    CN_CMD_OWN_BLOCKS = 128,  /* works on what is here: nothing is fetched from peers */
};

/*
 * What the command line does with a daemon's answer where copying it is not enough (files to write,
 * a progress bar, lines for standard error). Any member may be NULL.
 */
typedef struct cn_client_side {
    bool as_json; /* ask for JSON whatever --enc says, and give each line to `line` */
    cn_err (*line)(cn_call *call, cn_slice json); /* one value, without its newline */
    /* Size of the whole if the daemon said it, else UINT64_MAX; before the first `bytes`. */
    cn_err (*begin)(cn_call *call, uint64_t size_bytes);
    cn_err (*bytes)(cn_call *call, cn_slice raw);
    /* The answer has ended, with CN_OK or with what it failed with; release what was taken. */
    cn_err (*end)(cn_call *call, cn_err result);
} cn_client_side;

typedef struct cn_command {
    const char *path;             /* "pin/ls"; "" is the root */
    const char *summary;          /* one line, no full stop needed by the reader of a list */
    const char *about;            /* more, for --help; NULL: nothing */
    const cn_arg *args;           /* NULL: none */
    const cn_opt *opts;           /* NULL: none besides the global ones */
    unsigned flags;               /* CN_CMD_* */
    const cn_output_type *output; /* what it emits; NULL: raw bytes or nothing */
    /*
     * On the command line only, before anything is opened or sent: checks, and changes of options
     * (cn_call_set_*). NULL: nothing.
     */
    cn_err (*prepare)(cn_call *call);
    /*
     * Do it. Returns CN_OK, or an error after cn_call_fail (else the error's own sentence is
     * shown). NULL: a group of commands ("pin"), which shows its help.
     */
    cn_err (*run)(cn_call *call);
    const cn_client_side *client; /* NULL: the daemon's bytes are copied */
    const char *known;            /* UNBUILT: its options for `commands -f`, "verbose,v human" */
} cn_command;

/* --- what a command is given --- */

/* --- arguments: bytes, with a NUL behind them; borrowed as long as the call lasts --- */

size_t cn_call_args_len(const cn_call *call);
/* Argument `i`; empty if there is none. */
cn_slice cn_call_arg(const cn_call *call, size_t i);
const char *cn_call_arg_text(const cn_call *call, size_t i);

/*
 * The next argument: those given, then, if none was given and the last one may come from standard
 * input (or the RPC body), its lines as they arrive. *ret_have is false at the end. Lent until the
 * next call. Errors: IO, TOO_LARGE (a line over 1 MiB), USAGE (none at all though one is required:
 * `argument "x" is required` is said).
 */
CN_MUST_USE cn_err cn_call_next_arg(cn_call *call, cn_slice *ret, bool *ret_have);
/*
 * Read all lines now, so that cn_call_args_len and cn_call_arg see them (for commands that need
 * all, and for single arguments). Same errors.
 */
CN_MUST_USE cn_err cn_call_read_args(cn_call *call);

/* Files given (CN_ARG_FILE), or NULL if none: see unixfs/source.h. Owned by the call. */
struct cn_source *cn_call_files(cn_call *call);
/*
 * The bytes of the next file argument, for commands that take one (or a few small ones), appended
 * to `ret`, an initialised buffer (its bound is the limit: TOO_LARGE, for which nothing is said).
 * Errors: USAGE (no file), the source's.
 */
CN_MUST_USE cn_err cn_call_read_file(cn_call *call, cn_buf *ret);

/* --- options: `name` is the first name; asking for one the row does not have is a bug --- */

bool cn_call_given(const cn_call *call, const char *name);
/* The value given, else the preset, else false, 0 or NULL. `ret_given` is nullable. */
bool cn_call_flag(const cn_call *call, const char *name, bool *ret_given);
int64_t cn_call_int(const cn_call *call, const char *name, bool *ret_given);
uint64_t cn_call_uint(const cn_call *call, const char *name, bool *ret_given);
double cn_call_float(const cn_call *call, const char *name, bool *ret_given);
const char *cn_call_string(const cn_call *call, const char *name, bool *ret_given);
/* Value `i` of an option that may be repeated, or NULL behind the last. */
const char *cn_call_strings(const cn_call *call, const char *name, size_t i);
/* For `prepare`: as if it had been given. Errors: NO_MEMORY. */
CN_MUST_USE cn_err cn_call_set_flag(cn_call *call, const char *name, bool value);

/* --- the world --- */

/*
 * The node, opened at the first call (the RPC server has it open). Never for NO_REPO commands.
 * Errors: as opening it; the sentence is said.
 */
CN_MUST_USE cn_err cn_call_node(cn_call *call, struct cn_node **ret);
/*
 * Blocks: of the repo, and for a daemon with a network also those of its peers, waited for within
 * the call's time unless --offline is given or the command is one of CN_CMD_OWN_BLOCKS. One source
 * for the whole call, used on its thread. Errors: as cn_call_node; CLOSED, TOO_LARGE; said.
 */
CN_MUST_USE cn_err cn_call_blocks(cn_call *call, cn_blocks **ret);
/* What Kubo says, and clients look for, when time runs out while peers are waited for. */
#define CN_CALL_DEADLINE "context deadline exceeded"
/* Before the first cn_call_blocks: all below what is asked for will be wanted too. */
void cn_call_follow(cn_call *call);
/*
 * Have `fn` called about once a second, on the call's thread, while the call waits for a block of
 * peers and nothing has come for a second already. NULL: no more.
 */
void cn_call_while_waiting(cn_call *call, void (*fn)(void *ctx), void *ctx);
/* These blocks were put into the store: peers who wait for them are told. Copies; does not wait. */
void cn_call_have(cn_call *call, const cn_cid *cids, size_t len);
/* The repo's folder, as given by options and environment; "" over RPC for NO_REPO commands. */
const char *cn_call_repo_path(const cn_call *call);
cn_rt *cn_call_rt(const cn_call *call);
cn_mem *cn_call_mem(const cn_call *call);
cn_why *cn_call_why(cn_call *call); /* give it to what fails; cn_call_fail may wrap it */
/* In the process of the command line (then also: is standard error a terminal)? Else over RPC. */
bool cn_call_is_cli(const cn_call *call);
bool cn_call_has_terminal(const cn_call *call);
/* Does a daemon run this call, or is there none? */
bool cn_call_in_daemon(const cn_call *call);
/* The program's name as the user typed it, "cairn" or "ipfs". */
const char *cn_call_program(const cn_call *call);
/* Ask the daemon that runs this call to stop. Errors: USAGE ("daemon not running"). */
CN_MUST_USE cn_err cn_call_shutdown(cn_call *call);
/* Be a daemon until told to stop. Errors: UNSUPPORTED (not from here), those of starting. */
CN_MUST_USE cn_err cn_call_serve(cn_call *call);
/*
 * Let the person change a file in their editor. Errors: UNSUPPORTED (not from here), those of
 * starting it, IO (it ended badly); said.
 */
CN_MUST_USE cn_err cn_call_edit(cn_call *call, const char *path);
/* This process, as others know it; 0 if that is not known. */
int64_t cn_call_pid(const cn_call *call);

/*
 * CN_OK while the call should go on; CANCELLED (interrupted, or the client went away) or TIMEOUT
 * (--timeout). Cheap: ask at each step of a long loop. From any thread.
 */
CN_MUST_USE cn_err cn_call_check(const cn_call *call);
/* When --timeout runs out; CN_TIME_NEVER if not given. */
cn_time cn_call_deadline(const cn_call *call);
/* The flag behind it, for code that takes one: true once cancelled. */
const atomic_bool *cn_call_cancel_flag(const cn_call *call);

/* --- CIDs as text --- */

/*
 * Check --cid-base: call it first in commands that print CIDs, so that a bad one fails before
 * anything is done. Errors: USAGE (`unsupported multibase encoding: x` is said).
 */
CN_MUST_USE cn_err cn_call_check_base(cn_call *call);
/*
 * Append the CID in the base of --cid-base (version 0 becomes 1 in any other than base58btc, and
 * with --upgrade-cidv0-in-output). Errors: USAGE (as above), those of the buffer.
 */
CN_MUST_USE cn_err cn_call_cid_text(cn_call *call, const cn_cid *cid, cn_buf *out);

/* --- output --- */

/*
 * Emit one value of a stream, in the encoding that was asked for (--enc). `value` is what `type`
 * encodes; it is used up when this returns. Errors: CLOSED (the reader went away: stop quietly),
 * IO (said), NO_MEMORY.
 */
CN_MUST_USE cn_err cn_call_emit(cn_call *call, const cn_output_type *type, const void *value);
/* The same for a command whose whole answer is this one value. */
CN_MUST_USE cn_err cn_call_emit_once(cn_call *call, const cn_output_type *type, const void *value);
/* Raw bytes; the encoding does not matter. */
CN_MUST_USE cn_err cn_call_write(cn_call *call, cn_slice bytes);
/* Before the first write: the media type of raw bytes (static text), and their number if known. */
void cn_call_set_type(cn_call *call, const char *content_type);
void cn_call_set_size(cn_call *call, uint64_t size_bytes);
/* What was asked for: text (the command line's usual), json, ... */
cn_encoding cn_call_encoding(const cn_call *call);

/* What was written so far shall be seen soon: behind text written in pieces. */
CN_MUST_USE cn_err cn_call_flush(cn_call *call);
/*
 * How far the work is, for the line on the terminal of those who wait: unless --progress=false.
 * Cheap enough for each block. `total_bytes` is UINT64_MAX if not known. Nothing over RPC.
 */
void cn_call_progress(
    cn_call *call, cn_progress_kind kind, uint64_t done_bytes, uint64_t total_bytes);
/* Text for standard error, as it is. Nothing over RPC. */
void cn_call_note(cn_call *call, const char *format, ...) CN_PRINTF(2, 3);
/* Exit status of the command line although nothing failed with a sentence. */
void cn_call_set_status(cn_call *call, int status);

/*
 * Say why the command fails (printf form, no "Error: " before it, no newline behind); returns
 * `err`. The first sentence wins. Over RPC, CLASS_USAGE gives code 1 only if cn_call_fail_client
 * is used, as Kubo does it rarely.
 */
cn_err cn_call_fail(cn_call *call, cn_err err, const char *format, ...) CN_PRINTF(3, 4);
cn_err cn_call_fail_client(cn_call *call, cn_err err, const char *format, ...) CN_PRINTF(3, 4);
/* The same with the sentence that is in cn_call_why (or the error's own). */
cn_err cn_call_fail_why(cn_call *call, cn_err err);

/* What a command keeps between prepare, client hooks and run; cn_free'd with the call's memory. */
void *cn_call_state(const cn_call *call);
void cn_call_set_state(cn_call *call, void *state);
