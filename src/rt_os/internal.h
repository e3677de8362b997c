/*
 * What the files of rt_os share.
 */
#pragma once

#include "rt_os/rt_os.h"

#include <pthread.h>

enum { CN_POOL_THREADS_MAX = 64 };

typedef struct cn_pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_cond_t done;
    cn_work *first;
    cn_work *last;
    pthread_t threads[CN_POOL_THREADS_MAX];
    unsigned threads_len; /* started */
    unsigned threads_max;
    bool stopping;
} cn_pool;

typedef struct cn_rt_os {
    cn_rt rt;
    cn_pool pool;
} cn_rt_os;

CN_MUST_USE cn_err cn_pool_init(cn_pool *p, unsigned threads);
void cn_pool_release(cn_pool *p);
unsigned cn_pool_work_threads(cn_rt *rt);
void cn_pool_work_submit(cn_rt *rt, cn_work *w);
void cn_pool_work_wait(cn_rt *rt, cn_work *w);

cn_err cn_os_file_open(cn_rt *rt, const char *path, unsigned flags, cn_file **ret, cn_why *why);
void cn_os_file_close(cn_rt *rt, cn_file *f);
cn_err cn_os_file_read_at(
    cn_rt *rt, cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len);
cn_err cn_os_file_write_at(
    cn_rt *rt, cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len);
cn_err cn_os_file_sync(cn_rt *rt, cn_file *f);
void cn_os_file_writeback(cn_rt *rt, cn_file *f, uint64_t offset, uint64_t len);
cn_err cn_os_file_truncate(cn_rt *rt, cn_file *f, uint64_t size_bytes);
cn_err cn_os_file_size(cn_rt *rt, cn_file *f, uint64_t *ret_bytes);
cn_err cn_os_file_allocate(cn_rt *rt, cn_file *f, uint64_t size_bytes);
cn_err cn_os_file_lock(cn_rt *rt, cn_file *f);
int cn_os_file_fd(cn_rt *rt, cn_file *f);
void cn_os_map_forget(cn_rt *rt, const void *map, size_t len);

cn_err cn_os_path_stat(cn_rt *rt, const char *path, cn_path_stat *ret);
cn_err cn_os_path_rename(cn_rt *rt, const char *from, const char *to);
cn_err cn_os_path_unlink(cn_rt *rt, const char *path);
cn_err cn_os_path_mkdir(cn_rt *rt, const char *path, unsigned mode);
cn_err cn_os_path_symlink(cn_rt *rt, const char *path, const char *target);
cn_err cn_os_path_touch(cn_rt *rt, const char *path, const cn_path_stat *as);
cn_err cn_os_path_free_bytes(cn_rt *rt, const char *path, uint64_t *ret_bytes);
cn_err cn_os_dir_sync(cn_rt *rt, const char *path);
cn_err cn_os_dir_list(cn_rt *rt, const char *path, cn_dir_visit visit, void *ctx);
