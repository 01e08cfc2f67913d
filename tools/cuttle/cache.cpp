#include "commands.h"

#include "code/code_cache.h"
#include "support/options.h"

#include <fmt/format.h>

#include <cstdio>

namespace {

using rt::code::CodeCache;

/// Also when the option says not to use it.
CodeCache open_cache() {
    const auto directory = CodeCache::directory_of_options();
    if (directory.empty()) throw std::runtime_error("no directory for the cache: set CUTTLE_CACHE_DIR");
    return CodeCache(directory, rt::options().cache_size);
}

} // namespace

int show_cache() {
    const CodeCache cache = open_cache();
    const CodeCache::Usage usage = cache.usage();
    fmt::print("{}: {} entries, {:.1f} of {:.1f} MiB{}\n", cache.directory().string(), usage.entries,
               double(usage.bytes) / (1 << 20), double(rt::options().cache_size) / (1 << 20),
               rt::options().cache ? "" : "; turned off");
    return 0;
}

int clear_cache() {
    CodeCache cache = open_cache();
    const CodeCache::Usage before = cache.usage();
    cache.clear();
    const CodeCache::Usage after = cache.usage();
    fmt::print("{}: {} entries deleted, {} left\n", cache.directory().string(), before.entries - after.entries,
               after.entries);
    return after.entries == 0 ? 0 : 1;
}
