// What kernels ask of the host while they run: ptx/gpu_services.h.
#include "seam_kernels.h"

#include <algorithm>
#include <set>
#include <sstream>

using namespace rt::backend;

namespace {

using seam::Buffer;
using seam::host;

constexpr std::string_view kernels = R"(
.version 8.0
.target sm_80
.address_size 64
.extern .func (.param .b32 used) vprintf(.param .b64 format, .param .b64 arguments);
.extern .func (.param .b64 place) malloc(.param .b64 bytes);
.extern .func free(.param .b64 place);

// printf(format, text, thread, 2.5), whose results are summed.
.visible .entry prints(.param .u64 format, .param .u64 text, .param .u64 sum)
{
    .local .align 8 .b8 packed[24];
    .reg .b32 %t, %r;
    .reg .b64 %format, %text, %sum, %packed;
    .reg .f64 %x;
    ld.param.u64 %format, [format];
    ld.param.u64 %text, [text];
    ld.param.u64 %sum, [sum];
    mov.u32 %t, %tid.x;
    mov.f64 %x, 0d4004000000000000;
    st.local.u64 [packed], %text;
    st.local.u32 [packed+8], %t;
    st.local.f64 [packed+16], %x;
    mov.u64 %packed, packed;
    cvta.local.u64 %packed, %packed;
    {
        .param .b64 a;
        .param .b64 b;
        .param .b32 c;
        st.param.b64 [a], %format;
        st.param.b64 [b], %packed;
        call (c), vprintf, (a, b);
        ld.param.b32 %r, [c];
    }
    red.global.add.u32 [%sum], %r;
    ret;
}

// Too deep to be inlined. Traps at 100.
.func (.param .b32 result) down(.param .b32 n)
{
    .reg .pred %p;
    .reg .b32 %n, %m, %v;
    ld.param.u32 %n, [n];
    mov.u32 %v, 7;
    setp.eq.u32 %p, %n, 0;
    @%p bra done;
    setp.ne.u32 %p, %n, 100;
    @%p bra more;
    trap;
more:
    sub.u32 %m, %n, 1;
    {
        .param .b32 a;
        .param .b32 b;
        st.param.b32 [a], %m;
        call (b), down, (a);
        ld.param.b32 %v, [b];
    }
    shr.u32 %v, %v, 1;
    mad.lo.u32 %v, %n, 12345, %v;
done:
    st.param.b32 [result], %v;
    ret;
}

.visible .entry deep(.param .u64 out, .param .u32 start)
{
    .reg .b32 %t, %n, %v;
    .reg .b64 %out, %offset;
    ld.param.u64 %out, [out];
    ld.param.u32 %n, [start];
    mov.u32 %t, %tid.x;
    add.u32 %n, %n, %t;
    {
        .param .b32 a;
        .param .b32 b;
        st.param.b32 [a], %n;
        call (b), down, (a);
        ld.param.b32 %v, [b];
    }
    mul.wide.u32 %offset, %t, 4;
    add.s64 %out, %out, %offset;
    st.global.u32 [%out], %v;
    ret;
}

.visible .entry allocates(.param .u64 out, .param .u64 bytes)
{
    .reg .pred %p;
    .reg .b32 %t, %block, %size;
    .reg .b64 %out, %bytes, %offset, %place;
    ld.param.u64 %out, [out];
    ld.param.u64 %bytes, [bytes];
    mov.u32 %t, %tid.x;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mad.lo.u32 %t, %block, %size, %t;
    mul.wide.u32 %offset, %t, 8;
    add.s64 %out, %out, %offset;
    {
        .param .b64 a;
        .param .b64 b;
        st.param.b64 [a], %bytes;
        call (b), malloc, (a);
        ld.param.b64 %place, [b];
    }
    st.global.u64 [%out], %place;
    setp.eq.u64 %p, %place, 0;
    @%p bra done;
    st.u32 [%place], %t;
done:
    ret;
}

// Each thread frees what another one has allocated.
.visible .entry frees(.param .u64 places, .param .u64 values)
{
    .reg .pred %p;
    .reg .b32 %t, %block, %size, %value;
    .reg .b64 %places, %values, %offset, %place;
    ld.param.u64 %places, [places];
    ld.param.u64 %values, [values];
    mov.u32 %t, %tid.x;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mad.lo.u32 %t, %block, %size, %t;
    xor.b32 %t, %t, 37;
    mul.wide.u32 %offset, %t, 8;
    add.s64 %places, %places, %offset;
    ld.global.u64 %place, [%places];
    setp.eq.u64 %p, %place, 0;
    @%p bra nothing;
    ld.u32 %value, [%place];
    mul.wide.u32 %offset, %t, 4;
    add.s64 %values, %values, %offset;
    st.global.u32 [%values], %value;
nothing:
    {
        .param .b64 a;
        st.param.b64 [a], %place;
        call free, (a);
    }
    ret;
}
)";

class Services : public seam::Kernels {
  protected:
    Services() : Kernels(kernels) {}

    /// What the kernel prints, by lines, and how many arguments the calls say that they have used.
    std::multiset<std::string> printed(const char* format, const char* text, uint32_t threads, uint32_t& used) {
        Buffer texts(device(), 4096), sum(device(), 4);
        const uint64_t text_at = text ? texts.address + 2048 : 0;
        queue->copy({.destination = texts.address, .source = host(format), .width = std::strlen(format) + 1});
        if (text) queue->copy({.destination = text_at, .source = host(text), .width = std::strlen(text) + 1});
        queue->fill({.destination = sum.address, .element_bytes = 4, .width = 1});
        testing::internal::CaptureStdout();
        launch("prints", 1, threads, pack(texts.address, text_at, sum.address));
        queue->synchronize();
        device().drain_printf();
        std::istringstream all(testing::internal::GetCapturedStdout());
        std::multiset<std::string> lines;
        for (std::string line; std::getline(all, line);) lines.insert(line);
        used = words_at(sum.address, 1)[0];
        return lines;
    }
};

} // namespace

TEST_F(Services, PrintMoreThanTheSlotsHold) {
    // Of three pieces each, and far more of them than there are slots.
    const std::string text(1000, 'x');
    constexpr uint32_t threads = 512;
    uint32_t used = 0;
    const auto lines = printed("%s %d %.2f|\n", text.c_str(), threads, used);
    EXPECT_EQ(used, threads * 3);
    std::multiset<std::string> expected;
    for (uint32_t i = 0; i < threads; i++) expected.insert(text + " " + std::to_string(i) + " 2.50|");
    EXPECT_EQ(lines, expected);
}

TEST_F(Services, PrintStringsThatAreNone) {
    uint32_t used = 0;
    EXPECT_EQ(printed("[%s]\n", nullptr, 1, used), std::multiset<std::string>{"[(null)]"});
    EXPECT_EQ(printed("[%s] %%\n", "", 1, used), std::multiset<std::string>{"[] %"});
    EXPECT_EQ(printed("", "", 1, used), std::multiset<std::string>{});
    EXPECT_EQ(used, 0u);
}

TEST_F(Services, TheHeapIsExhaustible) {
    constexpr uint32_t blocks = 80, threads = 128, count = blocks * threads;
    constexpr uint64_t bytes = 1000;
    Buffer places(device(), count * 8), values(device(), count * 4);
    for (int round = 0; round < 2; round++) {
        queue->fill({.destination = values.address, .value = ~0u, .element_bytes = 4, .width = count});
        launch("allocates", blocks, threads, pack(places.address, bytes));
        std::vector<uint64_t> got(count);
        const std::vector<uint8_t> raw = bytes_at(places.address, count * 8);
        std::memcpy(got.data(), raw.data(), raw.size());
        launch("frees", blocks, threads, pack(places.address, values.address));
        const std::vector<uint32_t> words = words_at(values.address, count);
        std::set<uint64_t> distinct;
        for (uint32_t i = 0; i < count; i++) {
            ASSERT_EQ(words[i], got[i] ? i : ~0u);
            ASSERT_EQ(got[i] % 16, 0u);
            if (got[i]) distinct.insert(got[i]);
        }
        EXPECT_EQ(distinct.size(), (8u << 20) / 1008) << round;
        EXPECT_EQ(size_t(std::count(got.begin(), got.end(), 0)), count - distinct.size());
    }
}

TEST_F(Services, FunctionsReachTheRuntime) {
    Buffer out(device(), 64 * 4);
    launch("deep", 1, 64, pack(out.address, uint32_t{3}));
    const std::vector<uint32_t> words = words_at(out.address, 64);
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t expected = 7;
        for (uint32_t n = 1; n <= i + 3; n++) expected = (expected >> 1) + n * 12345;
        EXPECT_EQ(words[i], expected) << i;
    }
    std::string message;
    EXPECT_EQ(fault_after("deep", 64, pack(out.address, uint32_t{45}), message), Fault::trap);
    EXPECT_EQ(message, "block [0,0,0], thread [55,0,0]: trap");
}

TEST_F(Services, WhatIsNotAllocatedIsNotFreed) {
    Buffer places(device(), 64 * 8), values(device(), 64 * 4);
    queue->fill({.destination = places.address, .element_bytes = 4, .width = 128});
    const uint64_t wrong = values.address;
    queue->copy({.destination = places.address + 8 * 36, .source = host(&wrong), .width = 8});
    std::string message;
    EXPECT_EQ(fault_after("frees", 64, pack(places.address, values.address), message), Fault::trap);
    EXPECT_NE(message.find("block [0,0,0], thread [1,0,0]: free("), std::string::npos) << message;
}
