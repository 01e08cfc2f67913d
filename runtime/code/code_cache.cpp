#include "code/code_cache.h"

#include "code/file_descriptor.h"
#include "support/log.h"
#include "support/options.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>

namespace rt::code {
namespace {

namespace fs = std::filesystem;

constexpr const char* format_directory = "v1";
constexpr std::string_view temporary_prefix = "new-";
constexpr const char* lock_name = "lock";

struct EntryHeader {
    char magic[8];
    uint64_t payload_size;
    Digest key;      ///< so that a renamed entry is not taken for another
    Digest checksum; ///< of the payload
};
constexpr char magic[9] = "Cuttle01";

std::string reason() { return std::generic_category().message(errno); }

void warn(const std::string& text) {
    if (first_time(text)) log(LogLevel::warning, LogChannel::translate, "code cache: {}", text);
}

bool read_all(int file, void* data, size_t size) {
    auto* next = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t got = read(file, next, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        next += got;
        size -= size_t(got);
    }
    return true;
}

bool write_all(int file, const void* data, size_t size) {
    const auto* next = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t put = write(file, next, size);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        next += put;
        size -= size_t(put);
    }
    return true;
}

/// nullopt: damaged.
std::optional<std::vector<uint8_t>> read_entry(int file, const Digest& key) {
    struct stat facts;
    EntryHeader header;
    if (fstat(file, &facts) != 0 || !read_all(file, &header, sizeof header)) return std::nullopt;
    if (std::memcmp(header.magic, magic, sizeof header.magic) != 0 || header.key != key) return std::nullopt;
    if (header.payload_size != uint64_t(facts.st_size) - sizeof header) return std::nullopt;
    std::vector<uint8_t> payload(header.payload_size);
    if (!read_all(file, payload.data(), payload.size())) return std::nullopt;
    if (Sha256().add(payload).finish() != header.checksum) return std::nullopt;
    return payload;
}

struct Entry {
    fs::path path;
    uint64_t bytes;
    timespec used;
};

bool is_temporary(const fs::path& path) { return path.filename().string().starts_with(temporary_prefix); }

/// Every file but the lock; files that vanish meanwhile are left out.
std::vector<Entry> list(const fs::path& directory) {
    std::vector<Entry> entries;
    std::error_code error;
    for (fs::recursive_directory_iterator next(directory, error), end; next != end && !error; next.increment(error)) {
        struct stat facts;
        if (lstat(next->path().c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
        if (next->path().filename() == lock_name) continue;
        entries.push_back({next->path(), uint64_t(facts.st_size), facts.st_mtim});
    }
    return entries;
}

/// Held until destroyed; shared with other processes.
FileDescriptor lock_directory(const fs::path& directory) {
    FileDescriptor lock(open((directory / lock_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return lock;
    while (flock(lock.get(), LOCK_EX) != 0)
        if (errno != EINTR) return {};
    return lock;
}

} // namespace

CodeCache::CodeCache(fs::path directory, uint64_t limit)
    : directory_(std::move(directory) / format_directory), limit_(limit) {}

fs::path CodeCache::directory_of_options() {
    if (!options().cache_dir.empty()) return options().cache_dir;
    // XDG Base Directory Specification: relative paths are to be ignored.
    if (const fs::path xdg = options().xdg_cache_home; xdg.is_absolute()) return xdg / "cuttle";
    if (const fs::path home = options().home; home.is_absolute()) return home / ".cache/cuttle";
    return {};
}

CodeCache* CodeCache::shared() {
    // Never destroyed: kernels may still be made when static destructors have begun.
    static CodeCache* const cache = []() -> CodeCache* {
        const fs::path directory = directory_of_options();
        if (!options().cache || directory.empty()) return nullptr;
        return new CodeCache(directory, options().cache_size);
    }();
    return cache;
}

/// Code from here is run: nobody else may have written it.
bool CodeCache::prepare() {
    const std::lock_guard lock(mutex_);
    if (usable_) return *usable_;
    usable_ = false;
    std::error_code error;
    fs::create_directories(directory_.parent_path(), error);
    if (mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
        warn(fmt::format("cannot make {}: {}; translated code is not kept", directory_.string(), reason()));
        return false;
    }
    struct stat facts;
    if (lstat(directory_.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode) || facts.st_uid != geteuid() ||
        (facts.st_mode & 022) != 0) {
        warn(fmt::format("{} is not a directory of our own that only we can write; it is not used",
                         directory_.string()));
        return false;
    }
    if (access(directory_.c_str(), R_OK | W_OK | X_OK) != 0)
        warn(fmt::format("cannot write {}: {}; translated code is not kept", directory_.string(), reason()));
    usable_ = true;
    return true;
}

fs::path CodeCache::path_of(const Digest& key) const {
    const std::string name = hex(key);
    return directory_ / name.substr(0, 2) / name.substr(2);
}

std::optional<std::vector<uint8_t>> CodeCache::find(const Digest& key) {
    if (!prepare()) return std::nullopt;
    const fs::path path = path_of(key);
    const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return std::nullopt;
    auto payload = read_entry(file.get(), key);
    if (!payload) {
        log(LogLevel::warning, LogChannel::translate, "code cache: {} is damaged; it is made again", path.string());
        unlink(path.c_str());
        return std::nullopt;
    }
    futimens(file.get(), nullptr); // the time of last use
    return payload;
}

void CodeCache::discard(const Digest& key) { unlink(path_of(key).c_str()); }

bool CodeCache::write_entry(const fs::path& path, const Digest& key, std::span<const uint8_t> payload) {
    EntryHeader header{};
    std::memcpy(header.magic, magic, sizeof header.magic);
    header.payload_size = payload.size();
    header.key = key;
    header.checksum = Sha256().add(payload).finish();
    std::string name = (directory_ / temporary_prefix).string() + "XXXXXX";
    const FileDescriptor file(mkostemp(name.data(), O_CLOEXEC));
    if (!file) return false;
    mkdir(path.parent_path().c_str(), 0700);
    const bool written = write_all(file.get(), &header, sizeof header) &&
                         write_all(file.get(), payload.data(), payload.size()) &&
                         rename(name.c_str(), path.c_str()) == 0;
    if (!written) {
        const int error = errno;
        unlink(name.c_str());
        errno = error;
    }
    return written;
}

void CodeCache::store(const Digest& key, std::span<const uint8_t> payload) {
    const uint64_t bytes = sizeof(EntryHeader) + payload.size();
    if (bytes > limit_ || !prepare()) return;
    if (!write_entry(path_of(key), key, payload)) {
        warn(fmt::format("cannot write in {}: {}; translated code is not kept", directory_.string(), reason()));
        return;
    }
    account(bytes);
}

/// The lock file holds the sum of what was stored, so that the directory is listed only when that passes the bound.
/// The sum errs upwards (entries written twice); listing corrects it.
void CodeCache::account(uint64_t bytes) {
    const FileDescriptor lock = lock_directory(directory_);
    if (!lock) return;
    uint64_t sum = 0;
    const bool known = pread(lock.get(), &sum, sizeof sum, 0) == sizeof sum;
    sum += bytes;
    if (!known)
        sum = trim(limit_);
    else if (sum > limit_)
        sum = trim(limit_ - limit_ / 8); // some room, or the next entry would list again
    if (pwrite(lock.get(), &sum, sizeof sum, 0) != sizeof sum) warn(fmt::format("cannot write its lock: {}", reason()));
}

/// Deletes the least recently used until `bound` bytes are left; returns how many are. The lock is held.
uint64_t CodeCache::trim(uint64_t bound) const {
    using namespace std::chrono;
    const int64_t now = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
    std::vector<Entry> entries = list(directory_);
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::pair(a.used.tv_sec, a.used.tv_nsec) < std::pair(b.used.tv_sec, b.used.tv_nsec);
    });
    uint64_t sum = 0;
    for (const Entry& entry : entries) sum += entry.bytes;
    for (const Entry& entry : entries) {
        // A fresh temporary file belongs to a process that is writing; an old one to a process that died.
        const bool temporary = is_temporary(entry.path);
        if (temporary ? now - entry.used.tv_sec < 3600 : sum <= bound) continue;
        if (unlink(entry.path.c_str()) == 0) sum -= entry.bytes;
    }
    return sum;
}

CodeCache::Usage CodeCache::usage() const {
    Usage usage;
    for (const Entry& entry : list(directory_)) {
        if (is_temporary(entry.path)) continue;
        ++usage.entries;
        usage.bytes += entry.bytes;
    }
    return usage;
}

void CodeCache::clear() {
    if (!prepare()) return;
    const FileDescriptor lock = lock_directory(directory_);
    if (!lock) return;
    const uint64_t sum = trim(0);
    if (pwrite(lock.get(), &sum, sizeof sum, 0) != sizeof sum) warn(fmt::format("cannot write its lock: {}", reason()));
}

} // namespace rt::code
