/*
 * A disk that fails on command, loaded into a real fkj (LD_PRELOAD): SQLite's writes to *.db and
 * *.db-wal pass through here. Tests only.
 *
 * FAULTY_FOLDER: a folder that the test owns. In it:
 * - `order`, at most one line: ACTION OPERATION FILE AFTER, such as `kill synced 9901/ledger.db-wal 7`.
 *   FILE is the end of a path, or `*`. It is carried out when the operation has been passed AFTER
 *   times. Operations: write, sync, shorten, each before it is done; written, synced,
 *   shortened, each after. Actions: kill (SIGKILL); tear (writes half, then SIGKILL); eio (this one call
 *   fails, later ones do not: what Linux does of a failed fsync); nospace and readonly (this call and
 *   all later ones fail, until the order is another).
 * - `unsynced/`, if it is there: for each file, what was done since its last sync, each record with the
 *   bytes before and after. What a power cut may take back.
 * - `reached`: the order, once it was carried out.
 *
 * The order is read from a shared mapping, so that a test gives another while the process runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 64
#define DESCRIPTORS 65536
#define ORDER 256

struct file {
    char path[512];
    int journal; /* -1 where nothing is kept */
    pthread_mutex_t lock;
};

static struct file files[FILES];
static int known;
static unsigned char of_descriptor[DESCRIPTORS]; /* index in files + 1 */
static pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;
static char folder[512];
static volatile char *order;
static char current[ORDER];
static unsigned long passed;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_open = dlsym(RTLD_NEXT, "open64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    const char *named = getenv("FAULTY_FOLDER");
    if (!named) return;
    snprintf(folder, sizeof folder, "%s", named);
    char path[600];
    snprintf(path, sizeof path, "%s/order", folder);
    int fd = real_open(path, O_RDONLY);
    if (fd < 0) return;
    void *mapped = mmap(NULL, ORDER, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) order = mapped;
    real_close(fd);
}

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static void opened(int fd, const char *path) {
    if (!order || fd < 0 || fd >= DESCRIPTORS) return;
    of_descriptor[fd] = 0;
    if (!ends_with(path, ".db") && !ends_with(path, ".db-wal")) return;
    pthread_mutex_lock(&all);
    int at = 0;
    while (at < known && strcmp(files[at].path, path) != 0) at++;
    if (at == known && known < FILES) {
        struct file *file = &files[known++];
        snprintf(file->path, sizeof file->path, "%s", path);
        pthread_mutex_init(&file->lock, NULL);
        /* The journal's name is the file's, with `+` for `/`. */
        char name[512], journal[1200];
        snprintf(name, sizeof name, "%s", path);
        for (char *it = name; *it; it++)
            if (*it == '/') *it = '+';
        snprintf(journal, sizeof journal, "%s/unsynced/%s", folder, name);
        file->journal = real_open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    if (at < known) of_descriptor[fd] = (unsigned char)(at + 1);
    pthread_mutex_unlock(&all);
}

static struct file *file_of(int fd) {
    if (fd < 0 || fd >= DESCRIPTORS || !of_descriptor[fd]) return NULL;
    return &files[of_descriptor[fd] - 1];
}

static void reached(void) {
    char path[600];
    snprintf(path, sizeof path, "%s/reached", folder);
    int fd = real_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0) {
        real_write(fd, current, strlen(current));
        real_close(fd);
    }
}

/* Carries the order out, if it is time. 0, or the number of the error to fail with; -1: tear. */
static int ask(const char *operation, const struct file *file) {
    if (!order || !order[0]) return 0;
    char action[16], wanted[16], end[200];
    unsigned long after;
    int error = 0;
    pthread_mutex_lock(&all);
    if (strncmp(current, (const char *)order, ORDER - 1) != 0) {
        snprintf(current, sizeof current, "%s", (const char *)order);
        passed = 0;
    }
    if (sscanf(current, "%15s %15s %199s %lu", action, wanted, end, &after) == 4 &&
        strcmp(wanted, operation) == 0 && (strcmp(end, "*") == 0 || ends_with(file->path, end))) {
        unsigned long nth = passed++;
        if (nth == after) reached();
        if (nth == after && strcmp(action, "kill") == 0) kill(getpid(), SIGKILL);
        if (nth == after && strcmp(action, "tear") == 0) error = -1;
        if (nth == after && strcmp(action, "eio") == 0) error = EIO;
        if (nth >= after && strcmp(action, "nospace") == 0) error = ENOSPC;
        if (nth >= after && strcmp(action, "readonly") == 0) error = EROFS;
    }
    pthread_mutex_unlock(&all);
    return error;
}

/* Appends a record: what was there, what will be. In native byte order, read on the same machine. */
static void note(struct file *file, int fd, uint64_t at, const void *bytes, uint64_t length, int cut) {
    if (file->journal < 0) return;
    struct stat status;
    if (fstat(fd, &status) != 0) return;
    uint64_t size = (uint64_t)status.st_size;
    uint64_t from = at, old = 0;
    if (cut) old = size > at ? size - at : 0;
    else if (size > at) old = size - at < length ? size - at : length;
    uint64_t head[5] = {cut ? 2 : 1, from, length, size, old};
    char *record = malloc(sizeof head + old + length);
    if (!record) abort();
    memcpy(record, head, sizeof head);
    if (old && pread(fd, record + sizeof head, old, (off_t)from) != (ssize_t)old) abort();
    if (length) memcpy(record + sizeof head + old, bytes, length);
    size_t total = sizeof head + old + length;
    if (real_write(file->journal, record, total) != (ssize_t)total) abort();
    free(record);
}

static ssize_t written(struct file *file, int fd, const void *bytes, size_t length, off_t at) {
    int error = ask("write", file);
    if (error > 0) {
        errno = error;
        return -1;
    }
    pthread_mutex_lock(&file->lock);
    size_t part = error < 0 ? length / 2 : length;
    note(file, fd, (uint64_t)at, bytes, part, 0);
    ssize_t done = real_pwrite(fd, bytes, part, at);
    if (error < 0) kill(getpid(), SIGKILL);
    int kept = errno;
    pthread_mutex_unlock(&file->lock);
    ask("written", file);
    errno = kept;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    struct file *file = file_of(fd);
    if (!file) return real_write(fd, bytes, length);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = written(file, fd, bytes, length, at);
    if (done > 0) lseek(fd, at + done, SEEK_SET);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    struct file *file = file_of(fd);
    return file ? written(file, fd, bytes, length, at) : real_pwrite(fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    return pwrite64(fd, bytes, length, at);
}

static int synced(int fd, int (*sync)(int)) {
    struct file *file = file_of(fd);
    if (!file) return sync(fd);
    int error = ask("sync", file);
    if (error > 0) {
        errno = error;
        return -1;
    }
    pthread_mutex_lock(&file->lock);
    int done = sync(fd);
    int kept = errno;
    if (done == 0 && file->journal >= 0 && real_ftruncate(file->journal, 0) != 0) abort();
    pthread_mutex_unlock(&file->lock);
    ask("synced", file);
    errno = kept;
    return done;
}

int fsync(int fd) { return synced(fd, real_fsync); }

int fdatasync(int fd) { return synced(fd, real_fdatasync); }

int ftruncate64(int fd, off64_t length) {
    struct file *file = file_of(fd);
    if (!file) return real_ftruncate(fd, length);
    int error = ask("shorten", file);
    if (error > 0) {
        errno = error;
        return -1;
    }
    pthread_mutex_lock(&file->lock);
    note(file, fd, (uint64_t)length, NULL, 0, 1);
    int done = real_ftruncate(fd, length);
    int kept = errno;
    pthread_mutex_unlock(&file->lock);
    ask("shortened", file);
    errno = kept;
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int fd = real_open(path, flags, mode);
    opened(fd, path);
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open64(path, flags, mode);
}

/* A file that is gone is gone: of it, a power cut takes nothing back. */
int unlink(const char *path) {
    int done = real_unlink(path);
    int kept = errno;
    pthread_mutex_lock(&all);
    for (int at = 0; at < known; at++)
        if (strcmp(files[at].path, path) == 0 && files[at].journal >= 0 &&
            real_ftruncate(files[at].journal, 0) != 0)
            abort();
    pthread_mutex_unlock(&all);
    errno = kept;
    return done;
}

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) of_descriptor[fd] = 0;
    return real_close(fd);
}
