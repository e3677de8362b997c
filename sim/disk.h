/*
 * A node's disk: files and folders in memory, with what of them would be there after a crash.
 *
 * A process that ends leaves all that it wrote. When a machine goes dark, each 4 KiB piece that was
 * written since its file's last sync is kept or lost, and so is each name that was made, renamed or
 * removed since the last sync of its folder. File functions have the meaning of rt/rt.h.
 */
#pragma once

#include "base/prng.h"
#include "rt/rt.h"

typedef struct sim_disk sim_disk;

sim_disk *sim_disk_new(cn_mem *mem);
/* Accepts NULL. All files must have been closed. */
void sim_disk_free(sim_disk *d);
void sim_disk_crash(sim_disk *d, cn_prng *chance, bool is_dark);

cn_err sim_disk_open(sim_disk *d, const char *path, unsigned flags, cn_file **ret, cn_why *why);
void sim_disk_close(sim_disk *d, cn_file *f);
cn_err sim_disk_read(cn_file *f, uint64_t offset, uint8_t *data, size_t len, size_t *ret_len);
cn_err sim_disk_write(cn_file *f, uint64_t offset, const cn_slice *parts, size_t parts_len);
cn_err sim_disk_sync(cn_file *f);
cn_err sim_disk_truncate(cn_file *f, uint64_t size_bytes);
uint64_t sim_disk_size(const cn_file *f);
cn_err sim_disk_lock(cn_file *f);

cn_err sim_disk_stat(sim_disk *d, const char *path, cn_path_stat *ret);
cn_err sim_disk_rename(sim_disk *d, const char *from, const char *to);
cn_err sim_disk_unlink(sim_disk *d, const char *path);
cn_err sim_disk_mkdir(sim_disk *d, const char *path);
cn_err sim_disk_sync_dir(sim_disk *d, const char *path);
cn_err sim_disk_list(sim_disk *d, const char *path, cn_dir_visit visit, void *ctx);
