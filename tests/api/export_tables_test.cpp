#include "driver/md2.h"
#include "driver_fixture.h"

#include <cstring>
#include <pthread.h>
#include <unistd.h>
#include <vector>

using namespace shim;

namespace {

// clang-format off
constexpr CUuuid cudart_interface{{0x6b, char(0xd5), char(0xfb), 0x6c, 0x5b, char(0xf4), char(0xe7), 0x4a, char(0x89), char(0x87), char(0xd9), 0x39, 0x12, char(0xfd), char(0x9d), char(0xf9)}};
constexpr CUuuid callback_hooks{{char(0xa0), char(0x94), 0x79, char(0x8c), 0x2e, 0x74, 0x2e, 0x74, char(0x93), char(0xf2), 0x08, 0x00, 0x20, 0x0c, 0x0a, 0x66}};
constexpr CUuuid context_storage{{char(0xc6), char(0x93), 0x33, 0x6e, 0x11, 0x21, char(0xdf), 0x11, char(0xa8), char(0xc3), 0x68, char(0xf3), 0x55, char(0xd8), char(0x95), char(0x93)}};
constexpr CUuuid integrity{{char(0xd4), 0x08, 0x20, 0x55, char(0xbd), char(0xe6), 0x70, 0x4b, char(0x8d), 0x34, char(0xba), 0x12, 0x3c, 0x66, char(0xe1), char(0xf2)}};
constexpr CUuuid context_checks{{0x26, 0x3e, char(0x88), 0x60, 0x7c, char(0xd2), 0x61, 0x43, char(0x92), char(0xf6), char(0xbb), char(0xd5), 0x00, 0x6d, char(0xfa), 0x7e}};
constexpr CUuuid thread_storage{{0x42, char(0xd8), 0x5a, char(0x81), 0x23, char(0xf6), char(0xcb), 0x47, char(0x82), char(0x98), char(0xf6), char(0xe7), char(0x8a), 0x3a, char(0xec), char(0xdc)}};
constexpr CUuuid context_interface{{0x21, 0x31, char(0x8c), 0x60, char(0x97), 0x14, 0x32, 0x48, char(0x8c), char(0xa6), 0x41, char(0xff), 0x73, 0x24, char(0xc8), char(0xf2)}};
constexpr Digest key{0x14, 0x6a, 0xdd, 0xae, 0x53, 0xa9, 0xa7, 0x52, 0xaa, 0x08, 0x41, 0x36, 0x0b, 0xf5, 0x5a, 0x9f};
// clang-format on

void* const* table(const CUuuid& id) {
    const void* found = nullptr;
    EXPECT_OK(cuGetExportTable(&found, &id));
    return static_cast<void* const*>(found);
}

size_t size_word(void* const* entries) { return reinterpret_cast<size_t>(entries[0]); }

template <class F> F entry(const CUuuid& id, int index) { return reinterpret_cast<F>(table(id)[index]); }

using Put = CUresult (*)(CUcontext, void*, void*, void (*)(void*, void*, void*));
using Remove = CUresult (*)(CUcontext, void*);
using Get = CUresult (*)(void**, CUcontext, void*);

template <class T> void append(std::vector<uint8_t>& out, const T& value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    out.insert(out.end(), bytes, bytes + sizeof value);
}

class ExportTables : public Driver {};

} // namespace

TEST_F(ExportTables, Sizes) {
    EXPECT_EQ(size_word(table(cudart_interface)), 13 * sizeof(void*));
    EXPECT_GE(size_word(table(callback_hooks)), 56u);
    EXPECT_EQ(size_word(table(integrity)), 3 * sizeof(void*));
    EXPECT_EQ(size_word(table(context_checks)), 4 * sizeof(void*));
    EXPECT_EQ(size_word(table(thread_storage)), 4 * sizeof(void*));
}

TEST_F(ExportTables, WhatLibrariesAskOfContexts) {
    EXPECT_GE(size_word(table(context_interface)), 52 * sizeof(void*));
    CUcontext found = nullptr;
    EXPECT_OK(entry<CUresult (*)(CUcontext*)>(thread_storage, 2)(&found));
    EXPECT_EQ(found, context);
    unsigned long long number = 0, id = 0;
    EXPECT_OK(entry<CUresult (*)(CUcontext, unsigned long long*)>(context_interface, 4)(context, &number));
    ASSERT_OK(cuCtxGetId(context, &id));
    EXPECT_EQ(number, id);
    EXPECT_STATUS(not_supported, entry<CUresult (*)()>(context_interface, 51)()) << "not known";
    ASSERT_OK(cuCtxSetCurrent(nullptr));
    EXPECT_OK(entry<CUresult (*)(CUcontext*)>(thread_storage, 2)(&found));
    EXPECT_EQ(found, nullptr);
    ASSERT_OK(cuCtxSetCurrent(context));
}

TEST_F(ExportTables, UnknownOrWrong) {
    const CUuuid nothing{};
    const void* found = &nothing;
    EXPECT_STATUS(invalid_value, cuGetExportTable(&found, &nothing));
    EXPECT_EQ(found, &nothing) << "untouched";
    EXPECT_STATUS(invalid_value, cuGetExportTable(nullptr, &integrity));
    EXPECT_STATUS(invalid_value, cuGetExportTable(&found, nullptr));
}

TEST_F(ExportTables, PrimaryContextBeforeRetain) {
    auto primary = entry<CUresult (*)(CUcontext*, CUdevice)>(cudart_interface, 2);
    CUcontext found = nullptr;
    ASSERT_OK(primary(&found, 0));
    EXPECT_EQ(found, context);
    EXPECT_STATUS(invalid_device, primary(&found, 1000));
}

TEST_F(ExportTables, CallbackFlagsAreZero) {
    for (int index : {2, 6}) {
        void* buffer = nullptr;
        size_t words = 0;
        entry<void (*)(void**, size_t*)>(callback_hooks, index)(&buffer, &words);
        void** flags = static_cast<void**>(buffer);
        ASSERT_EQ(words, index == 2 ? 1024u : 14u);
        for (size_t i = 0; i < words; ++i) ASSERT_EQ(flags[i], nullptr) << i;
    }
}

TEST_F(ExportTables, ContextChecks) {
    uint32_t verdict = 7;
    const void* detail = &verdict;
    EXPECT_OK(entry<CUresult (*)(CUcontext, uint32_t*, const void**)>(context_checks, 2)(context, &verdict, &detail));
    EXPECT_EQ(verdict, 0u);
    EXPECT_EQ(detail, nullptr);
    EXPECT_EQ(entry<uint32_t (*)()>(context_checks, 3)(), 0u);
}

TEST_F(ExportTables, ContextLocalStorage) {
    const auto put = entry<Put>(context_storage, 0);
    const auto remove = entry<Remove>(context_storage, 1);
    const auto get = entry<Get>(context_storage, 2);
    int key_here = 0, value_here = 0;
    void* value = nullptr;
    EXPECT_STATUS(invalid_handle, get(&value, context, &key_here));
    ASSERT_OK(put(context, &key_here, &value_here, nullptr));
    ASSERT_OK(get(&value, nullptr, &key_here)) << "null means the current context";
    EXPECT_EQ(value, &value_here);
    EXPECT_OK(remove(context, &key_here));
    EXPECT_STATUS(invalid_handle, remove(context, &key_here));
    ASSERT_OK(cuCtxSetCurrent(nullptr));
    EXPECT_STATUS(invalid_context, get(&value, nullptr, &key_here));
}

TEST_F(ExportTables, StorageIsDestroyedWithItsContext) {
    static int destroyed;
    destroyed = 0;
    CUcontext created = nullptr;
    ASSERT_OK(cuCtxCreate_v2(&created, 0, 0));
    int key_here = 0;
    ASSERT_OK(entry<Put>(context_storage, 0)(created, &key_here, nullptr, [](void*, void*, void*) { ++destroyed; }));
    ASSERT_OK(cuCtxDestroy_v2(created));
    EXPECT_EQ(destroyed, 1);
}

// The answer again, from what the public functions say: exactly what cudart does on its side.
TEST_F(ExportTables, IntegrityAnswer) {
    const auto check = entry<CUresult (*)(uint32_t, uint64_t, uint64_t*)>(integrity, 1);
    uint64_t answer[2] = {};
    ASSERT_OK(check(13000, 1, answer));
    EXPECT_EQ(answer[0], 0x3341181c03cb675cu);
    EXPECT_EQ(answer[1], 0x8ed383aa1f4cd1e8u);
    ASSERT_OK(check(13001, 1, answer));
    EXPECT_EQ(answer[0], 0x1841181c03cb675cu);
    EXPECT_EQ(answer[1], 0x8ed383aa1f4cd1e8u);

    const uint64_t seconds = 1'700'000'000;
    int driver_version = 0, devices = 0;
    ASSERT_OK(cuDriverGetVersion(&driver_version));
    ASSERT_OK(cuDeviceGetCount(&devices));
    std::vector<uint8_t> message;
    for (uint32_t word : {uint32_t(driver_version), 13002u, uint32_t(getpid()), uint32_t(uint64_t(pthread_self()))}) {
        append(message, word);
    }
    append(message, table(cudart_interface));
    append(message, table(integrity));
    append(message, table(integrity)[1]);
    append(message, seconds);
    for (int device = 0; device < devices; ++device) {
        CUuuid uuid;
        ASSERT_OK(cuDeviceGetUuid(&uuid, device));
        append(message, uuid);
        for (int attribute : {50, 33, 34}) {
            int value = 0;
            ASSERT_OK(cuDeviceGetAttribute(&value, attribute, device));
            append(message, value);
        }
    }
    const Digest expected = hmac_md2(key, message);
    ASSERT_OK(check(13002, seconds, answer));
    EXPECT_EQ(std::memcmp(expected.data(), answer, sizeof answer), 0);
}
