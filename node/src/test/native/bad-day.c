/* Preloaded into a server under test (LD_PRELOAD): its disk is full or its clock is wrong while files in the folder
 * $TINTYPE_BAD_DAY say so. Needs no root, no mount and no second machine. Linux with glibc.
 *
 *   full.grow       a path: no regular file below it grows (ENOSPC), as on ext4 and xfs; what has room is written
 *   full.all        a path: nothing is written to regular files below it (ENOSPC), as on btrfs, zfs or with a quota
 *   clock           int64, little-endian: seconds by which the wall clock of all processes but postgres is ahead
 *   clock.postgres  the same for postgres. Monotonic clocks stay true.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char grow_file[4096];
static char all_file[4096];
static volatile int64_t *ahead_s;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("TINTYPE_BAD_DAY");
  if (folder == NULL) return;
  char comm[32] = "";
  int fd = open("/proc/self/comm", O_RDONLY);
  if (fd >= 0) {
    if (read(fd, comm, sizeof comm - 1) < 0) comm[0] = 0;
    close(fd);
  }
  char clock_file[4096];
  snprintf(grow_file, sizeof grow_file, "%s/full.grow", folder);
  snprintf(all_file, sizeof all_file, "%s/full.all", folder);
  snprintf(clock_file, sizeof clock_file, "%s/clock%s", folder, strncmp(comm, "postgres", 8) == 0 ? ".postgres" : "");
  fd = open(clock_file, O_RDONLY);
  if (fd < 0) return;
  void *page = mmap(NULL, sizeof *ahead_s, PROT_READ, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) ahead_s = page;
  close(fd);
}

/* Whether the file of fd lies below the path that is written in the flag file. */
static int below(const char *flag, int fd) {
  int in = open(flag, O_RDONLY);
  if (in < 0) return 0;
  char root[4096], link[64], path[4096];
  ssize_t size = read(in, root, sizeof root - 1);
  close(in);
  if (size <= 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  return length >= size && memcmp(path, root, size) == 0;
}

/* Whether no room is left for bytes up to end; end < 0: from where the file stands. */
static int full(int fd, off_t end, size_t bytes) {
  if (grow_file[0] == 0) return 0;
  int saved = errno, answer = 0;
  struct stat file;
  if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) {
    if (end < 0) end = (fcntl(fd, F_GETFL) & O_APPEND ? file.st_size : lseek(fd, 0, SEEK_CUR)) + (off_t)bytes;
    answer = below(all_file, fd) || (end > file.st_size && below(grow_file, fd));
  }
  errno = answer ? ENOSPC : saved;
  return answer;
}

static size_t sum(const struct iovec *parts, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += parts[i].iov_len;
  return bytes;
}

ssize_t write(int fd, const void *data, size_t bytes) { return full(fd, -1, bytes) ? -1 : REAL(write)(fd, data, bytes); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
  return full(fd, -1, sum(parts, count)) ? -1 : REAL(writev)(fd, parts, count);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
  return full(fd, at + (off_t)bytes, 0) ? -1 : REAL(pwrite)(fd, data, bytes, at);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) {
  return full(fd, at + (off_t)bytes, 0) ? -1 : REAL(pwrite64)(fd, data, bytes, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  return full(fd, at + (off_t)sum(parts, count), 0) ? -1 : REAL(pwritev)(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  return full(fd, at + (off_t)sum(parts, count), 0) ? -1 : REAL(pwritev64)(fd, parts, count, at);
}

int posix_fallocate(int fd, off_t at, off_t bytes) { return full(fd, at + bytes, 0) ? ENOSPC : REAL(posix_fallocate)(fd, at, bytes); }

int posix_fallocate64(int fd, off64_t at, off64_t bytes) {
  return full(fd, at + bytes, 0) ? ENOSPC : REAL(posix_fallocate64)(fd, at, bytes);
}

int fallocate(int fd, int mode, off_t at, off_t bytes) { return full(fd, at + bytes, 0) ? -1 : REAL(fallocate)(fd, mode, at, bytes); }

int fallocate64(int fd, int mode, off64_t at, off64_t bytes) {
  return full(fd, at + bytes, 0) ? -1 : REAL(fallocate64)(fd, mode, at, bytes);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*next)(clockid_t, struct timespec *);
  if (next == NULL) next = REAL(clock_gettime);
  int answer = next(clock, now);
  if (answer == 0 && ahead_s != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead_s;
  return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  static int (*next)(struct timeval *, void *);
  if (next == NULL) next = (int (*)(struct timeval *, void *))real("gettimeofday");
  int answer = next(now, zone);
  if (answer == 0 && ahead_s != NULL) now->tv_sec += *ahead_s;
  return answer;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
