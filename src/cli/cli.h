/*
 * The command line: reads words, finds who runs the command (this process or a daemon), shows what
 * comes out.
 */
#pragma once

#include "cli/progress.h"
#include "cmd/call.h"

/* Run a command line; returns the exit status. `words` are argv. */
int cn_cli_main(int words_len, char *const *words);

/* --- standard output and standard error as a sink --- */

enum { CN_STDOUT_BYTES = 1 << 16 };

typedef struct cn_stdout {
    cn_sink sink;
    int fd;
    bool is_terminal;
    bool failed;
    cn_err error;
    cn_rt *rt;
    cn_time flushed;
    size_t len;
    uint8_t *held; /* CN_STDOUT_BYTES */
    cn_mem *mem;
    cn_progress progress;
    int status; /* exit status once ended */
} cn_stdout;

CN_MUST_USE cn_err cn_stdout_init(cn_stdout *o, cn_rt *rt, cn_mem *mem);
void cn_stdout_release(cn_stdout *o);
CN_MUST_USE cn_err cn_stdout_write(cn_stdout *o, cn_slice bytes);
CN_MUST_USE cn_err cn_stdout_flush(cn_stdout *o);
/* Say on standard error why writing failed, unless the reader only went away. */
void cn_stdout_complain(cn_stdout *o);
/* To standard error, as it is; what stands in standard output goes out before. */
void cn_stderr_write(cn_stdout *o, cn_slice text);
void cn_stderr_printf(cn_stdout *o, const char *format, ...) CN_PRINTF(2, 3);

/* --- standard input --- */

typedef struct cn_stdin {
    cn_input input;
    bool told; /* that it is being read */
} cn_stdin;

void cn_stdin_init(cn_stdin *in);
/* If it is a terminal (or any character device): say that it is read, once. */
void cn_stdin_tell(cn_stdin *in);

/* --- the local executor --- */

typedef struct cn_local {
    cn_call_host host;
    struct cn_node *node;
    const char *config_path; /* NULL: the repo's */
    bool offline;
} cn_local;

void cn_local_init(cn_local *l, cn_rt *rt, cn_mem *mem);
/* Close the node, if it was opened. */
CN_MUST_USE cn_err cn_local_close(cn_local *l, cn_why *why);

/* --- files on the command line --- */

typedef struct cn_cli_files cn_cli_files;
/*
 * Make the source of the request's files. Errors: USAGE, NOT_FOUND ("lstat x: no such file or
 * directory"); they count as wrong use of the command.
 */
CN_MUST_USE cn_err
cn_cli_files_new(cn_mem *mem, cn_rt *rt, const cn_request *r, cn_cli_files **ret, cn_why *why);
void cn_cli_files_free(cn_cli_files *f);
struct cn_source *cn_cli_files_source(cn_cli_files *f);
/* Is standard input one of them? */
bool cn_cli_files_reads_stdin(const cn_cli_files *f);

/* Set by SIGINT and SIGTERM. */
extern atomic_bool cn_cli_cancelled;
void cn_cli_signals(void);
