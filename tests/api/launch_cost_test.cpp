// What a launch may cost: no allocation per thread. Times are the affair of tests/bench.
#include "driver_fixture.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

namespace {
std::atomic<uint64_t> allocations{0};
}

#ifdef SANITIZED
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                                         void (*)(const volatile void*));
#else
// The C library's own, under their other names: libcuda.so.1 finds these first.
#pragma GCC visibility push(default)
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* malloc(size_t bytes) { return allocations++, __libc_malloc(bytes); }
void* calloc(size_t n, size_t bytes) { return allocations++, __libc_calloc(n, bytes); }
void* realloc(void* old, size_t bytes) { return allocations++, __libc_realloc(old, bytes); }
void* memalign(size_t alignment, size_t bytes) { return allocations++, __libc_memalign(alignment, bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return allocations++, __libc_memalign(alignment, bytes); }
int posix_memalign(void** result, size_t alignment, size_t bytes) {
    *result = memalign(alignment, bytes);
    return *result == nullptr ? 12 : 0; // ENOMEM
}
void* mmap(void* address, size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
    allocations++;
    return reinterpret_cast<void*>(syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}
}
#pragma GCC visibility pop
#endif

using namespace shim;

namespace {

constexpr const char* kernels = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry count(.param .u64 out)
{
    .reg .b64 %rd1;
    ld.param.u64 %rd1, [out];
    red.global.add.u32 [%rd1], 1;
    ret;
}
// Every thread waits for its neighbours and has memory of its own.
.visible .entry meet(.param .u64 out)
{
    .local .align 8 .b8 own[64];
    .shared .align 4 .b8 seen[4096];
    .reg .b32 %r<5>;
    .reg .b64 %rd<6>;
    ld.param.u64 %rd1, [out];
    mov.u32 %r1, %tid.x;
    and.b32 %r2, %r1, 15;
    mul.wide.u32 %rd2, %r2, 4;
    mov.u64 %rd3, own;
    add.s64 %rd3, %rd3, %rd2;
    st.local.u32 [%rd3], %r1;
    mul.wide.u32 %rd4, %r1, 4;
    mov.u64 %rd5, seen;
    add.s64 %rd5, %rd5, %rd4;
    ld.local.u32 %r3, [%rd3];
    st.shared.u32 [%rd5], %r3;
    bar.sync 0;
    shfl.sync.bfly.b32 %r4, %r1, 1, 31, -1;
    st.shared.u32 [%rd5], %r4;
    red.global.add.u32 [%rd1], 1;
    ret;
}
)";

class Costs : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuModuleLoadData(&module, kernels));
        ASSERT_OK(cuMemAlloc_v2(&out, 4));
#ifdef SANITIZED
        __sanitizer_install_malloc_and_free_hooks([](const volatile void*, size_t) { allocations++; },
                                                  [](const volatile void*){});
#endif
    }
    void TearDown() override {
        EXPECT_OK(cuMemFree_v2(out));
        EXPECT_OK(cuModuleUnload(module));
        Driver::TearDown();
    }
    CUfunction function(const char* name) {
        CUfunction f = nullptr;
        EXPECT_OK(cuModuleGetFunction(&f, module, name));
        return f;
    }
    /// Allocations and mappings of the whole process while one launch runs to its end.
    uint64_t cost(CUfunction f, unsigned grid, unsigned block) {
        void* arguments[] = {&out};
        EXPECT_OK(cuMemsetD32_v2(out, 0, 1));
        EXPECT_OK(cuCtxSynchronize());
        const uint64_t before = allocations;
        EXPECT_OK(cuLaunchKernel(f, grid, 1, 1, block, 1, 1, 0, nullptr, arguments, nullptr));
        EXPECT_OK(cuCtxSynchronize());
        const uint64_t after = allocations;
        unsigned counted = 0;
        EXPECT_OK(cuMemcpyDtoH_v2(&counted, out, 4));
        EXPECT_EQ(counted, grid * block);
        return after - before;
    }

    /// The least of some launches: what is made in the background meanwhile is not theirs.
    uint64_t least_cost(CUfunction f, unsigned grid, unsigned block) {
        uint64_t least = ~uint64_t{0};
        for (int i = 0; i < 5; i++) least = std::min(least, cost(f, grid, block));
        return least;
    }

    CUmodule module = nullptr;
    CUdeviceptr out = 0;
};

TEST_F(Costs, TheCounterSeesTheLibrary) {
    const uint64_t before = allocations;
    CUstream stream = nullptr;
    EXPECT_OK(cuStreamCreate(&stream, 0));
    const uint64_t after = allocations;
    EXPECT_GT(after, before) << "this test shows nothing";
    EXPECT_OK(cuStreamDestroy_v2(stream));
}

TEST_F(Costs, NoAllocationForEachThread) {
    for (const char* name : {"count", "meet"}) {
        const CUfunction f = function(name);
        const unsigned many = std::strcmp(name, "count") == 0 ? 16384 : 512;
        cost(f, many, 1024); // translation, stacks, the pool's threads
        const uint64_t one_thread = least_cost(f, 1, 1), one_block = least_cost(f, 1, 1024),
                       grid = least_cost(f, many, 1024);
        std::printf("%s: allocations for 1 thread %lu, for 1024 %lu, for %u %lu\n", name, one_thread, one_block,
                    many * 1024, grid);
        EXPECT_LE(one_block, one_thread + 8) << name;
        // Each worker may need something of its own for its share of the grid.
        EXPECT_LE(grid, one_thread + 8 + 8 * uint64_t(sysconf(_SC_NPROCESSORS_ONLN))) << name;
    }
}

} // namespace
