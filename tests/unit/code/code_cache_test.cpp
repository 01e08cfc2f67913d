#include "code/code_cache.h"
#include "temporary_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <random>

namespace {

using namespace rt::code;
namespace fs = std::filesystem;

Digest key_of(uint64_t number) { return Sha256().add(number).finish(); }

std::vector<uint8_t> payload_of(uint64_t number, size_t size = 1000) {
    return std::vector<uint8_t>(size + number % 7, uint8_t(number * 37));
}

fs::path entry_path(const CodeCache& cache, uint64_t number) {
    const std::string name = hex(key_of(number));
    return cache.directory() / name.substr(0, 2) / name.substr(2);
}

void set_age(const fs::path& path, long seconds) {
    const timespec time{::time(nullptr) - seconds, 0}, both[2] = {time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), both, 0), 0);
}

TEST(CodeCache, FindsWhatWasStored) {
    TemporaryDirectory directory;
    CodeCache cache(directory.path() / "deep/er", 1 << 20);
    EXPECT_EQ(cache.find(key_of(1)), std::nullopt);
    cache.store(key_of(1), payload_of(1));
    cache.store(key_of(2), {});
    EXPECT_EQ(cache.find(key_of(1)), payload_of(1));
    EXPECT_EQ(cache.find(key_of(2)), std::vector<uint8_t>());
    EXPECT_EQ(cache.find(key_of(3)), std::nullopt);
    CodeCache other(directory.path() / "deep/er", 1 << 20);
    EXPECT_EQ(other.find(key_of(1)), payload_of(1));
    EXPECT_EQ(other.usage().entries, 2u);
    struct stat facts;
    ASSERT_EQ(stat(cache.directory().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0700u);
    ASSERT_EQ(stat(entry_path(cache, 1).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600u);
    other.discard(key_of(1));
    EXPECT_EQ(cache.find(key_of(1)), std::nullopt);
    cache.clear();
    EXPECT_EQ(cache.usage().entries, 0u);
    EXPECT_EQ(cache.usage().bytes, 0u);
}

TEST(CodeCache, DamagedEntriesGo) {
    TemporaryDirectory directory;
    CodeCache cache(directory.path(), 1 << 20);
    cache.store(key_of(1), payload_of(1, 40));
    const fs::path path = entry_path(cache, 1);
    std::ifstream file(path, std::ios::binary);
    const std::string good{std::istreambuf_iterator<char>(file), {}};
    const auto put = [&](const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; };
    for (size_t at = 0; at < good.size(); ++at) {
        std::string bytes = good;
        bytes[at] = char(bytes[at] ^ 4);
        put(bytes);
        ASSERT_EQ(cache.find(key_of(1)), std::nullopt) << at;
        ASSERT_FALSE(fs::exists(path));
    }
    for (size_t size = 0; size < good.size(); ++size) {
        put(good.substr(0, size));
        ASSERT_EQ(cache.find(key_of(1)), std::nullopt) << size;
    }
    put(good + "x");
    EXPECT_EQ(cache.find(key_of(1)), std::nullopt);
    put(good);
    EXPECT_EQ(cache.find(key_of(1)), payload_of(1, 40));
    // A whole entry under another's name.
    cache.store(key_of(2), payload_of(2));
    fs::rename(entry_path(cache, 2), path);
    EXPECT_EQ(cache.find(key_of(1)), std::nullopt);
}

TEST(CodeCache, LeastRecentlyUsedGoFirst) {
    TemporaryDirectory directory;
    CodeCache cache(directory.path(), 10 * 1200);
    for (uint64_t i = 0; i < 8; ++i) {
        cache.store(key_of(i), payload_of(i));
        set_age(entry_path(cache, i), long(100 - i));
    }
    EXPECT_EQ(cache.usage().entries, 8u);
    EXPECT_TRUE(cache.find(key_of(0)).has_value()); // now the most recently used
    for (uint64_t i = 8; i < 14; ++i) cache.store(key_of(i), payload_of(i));
    EXPECT_LE(cache.usage().bytes, 10u * 1200);
    EXPECT_GE(cache.usage().entries, 6u);
    EXPECT_TRUE(cache.find(key_of(0)).has_value());
    EXPECT_FALSE(cache.find(key_of(1)).has_value());
    EXPECT_FALSE(cache.find(key_of(2)).has_value());
    EXPECT_TRUE(cache.find(key_of(13)).has_value());
    cache.store(key_of(99), payload_of(99, 20000)); // larger than all of the cache
    EXPECT_FALSE(cache.find(key_of(99)).has_value());
    EXPECT_TRUE(cache.find(key_of(13)).has_value());
}

TEST(CodeCache, BoundHoldsOverManyStores) {
    TemporaryDirectory directory;
    for (int run = 0; run < 3; ++run) { // the sum on disk is taken over by the next process
        CodeCache cache(directory.path(), 20000);
        for (uint64_t i = 0; i < 100; ++i) {
            cache.store(key_of(1000 * uint64_t(run) + i), payload_of(i));
            ASSERT_LE(cache.usage().bytes, 20000u);
        }
        EXPECT_GE(cache.usage().bytes, 15000u);
    }
}

TEST(CodeCache, LeftOversOfDeadWritersGo) {
    TemporaryDirectory directory;
    CodeCache cache(directory.path(), 5000);
    cache.store(key_of(1), payload_of(1));
    const fs::path old = cache.directory() / "new-dead", fresh = cache.directory() / "new-alive";
    for (const fs::path& path : {old, fresh}) std::ofstream(path) << "part";
    set_age(old, 7200);
    for (uint64_t i = 2; i < 10; ++i) cache.store(key_of(i), payload_of(i));
    EXPECT_FALSE(fs::exists(old));
    EXPECT_TRUE(fs::exists(fresh));
}

TEST(CodeCache, DoesWithoutADirectory) {
    TemporaryDirectory directory;
    std::ofstream(directory.path() / "file") << "x";
    CodeCache blocked(directory.path() / "file/cache", 1 << 20);
    blocked.store(key_of(1), payload_of(1));
    EXPECT_EQ(blocked.find(key_of(1)), std::nullopt);
    EXPECT_EQ(blocked.usage().entries, 0u);
}

TEST(CodeCache, RefusesDirectoriesThatOthersMayWrite) {
    TemporaryDirectory directory;
    {
        CodeCache cache(directory.path(), 1 << 20);
        cache.store(key_of(1), payload_of(1));
        ASSERT_EQ(chmod(cache.directory().c_str(), 0777), 0);
    }
    CodeCache cache(directory.path(), 1 << 20);
    EXPECT_EQ(cache.find(key_of(1)), std::nullopt);
    ASSERT_EQ(chmod(cache.directory().c_str(), 0700), 0);
    CodeCache again(directory.path(), 1 << 20);
    EXPECT_TRUE(again.find(key_of(1)).has_value());
    // A symbolic link could lead anywhere.
    fs::rename(again.directory(), directory.path() / "elsewhere");
    fs::create_symlink(directory.path() / "elsewhere", again.directory());
    CodeCache linked(directory.path(), 1 << 20);
    EXPECT_EQ(linked.find(key_of(1)), std::nullopt);
}

/// One of several processes at work on the same few keys; 0 = never saw anything wrong.
int hammer(const fs::path& directory, unsigned seed, uint64_t limit) {
    CodeCache cache(directory, limit);
    std::mt19937 random(seed);
    int hits = 0;
    for (int i = 0; i < 1500; ++i) {
        const uint64_t number = random() % 24;
        if (const auto found = cache.find(key_of(number))) {
            if (*found != payload_of(number)) return 1;
            ++hits;
        } else {
            cache.store(key_of(number), payload_of(number));
        }
        if (random() % 50 == 0) cache.discard(key_of(number));
        if (random() % 400 == 0) cache.clear();
    }
    return hits > 100 ? 0 : 2;
}

TEST(CodeCache, ManyProcesses) {
    for (const uint64_t limit : {uint64_t{1} << 20, uint64_t{15000}}) {
        TemporaryDirectory directory;
        std::vector<pid_t> children;
        for (unsigned i = 0; i < 4; ++i) {
            const pid_t child = fork();
            if (child == 0) _exit(hammer(directory.path(), i, limit));
            children.push_back(child);
        }
        for (const pid_t child : children) {
            int status = -1;
            ASSERT_EQ(waitpid(child, &status, 0), child);
            EXPECT_EQ(status, 0);
        }
        const CodeCache cache(directory.path(), limit);
        EXPECT_LE(cache.usage().bytes, limit);
        for (const auto& entry : fs::directory_iterator(cache.directory()))
            EXPECT_FALSE(entry.path().filename().string().starts_with("new-"));
    }
}

} // namespace
