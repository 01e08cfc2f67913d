// The HIP back end through the seam, on the emulated device.
#include "backend/hip/hip.h"
#include "seam_kernels.h"
#include "rt/error.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <dlfcn.h>
#include <thread>

using namespace rt;
using namespace rt::backend;

std::unique_ptr<Backend> seam::create_tested_backend() { return create_hip_backend(); }

namespace {

using seam::Buffer;
using seam::host;

constexpr std::string_view kernels = R"(
.version 8.0
.target sm_80
.address_size 64
.visible .global .align 4 .u32 added = 1000;

.visible .entry saxpy(.param .u64 x, .param .u64 y, .param .f32 a, .param .u32 n)
{
    .reg .pred %p;
    .reg .f32 %a, %x, %y;
    .reg .b32 %n, %i, %block, %size;
    .reg .b64 %xp, %yp, %offset;
    ld.param.u64 %xp, [x];
    ld.param.u64 %yp, [y];
    ld.param.f32 %a, [a];
    ld.param.u32 %n, [n];
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mov.u32 %i, %tid.x;
    mad.lo.s32 %i, %block, %size, %i;
    setp.ge.u32 %p, %i, %n;
    @%p bra done;
    mul.wide.u32 %offset, %i, 4;
    add.s64 %xp, %xp, %offset;
    add.s64 %yp, %yp, %offset;
    ld.global.f32 %x, [%xp];
    ld.global.f32 %y, [%yp];
    fma.rn.f32 %y, %a, %x, %y;
    st.global.f32 [%yp], %y;
done:
    ret;
}

// out[ctaid] = added + the sum of in[ctaid * ntid ...], by halves in dynamic shared memory.
.extern .shared .align 4 .b8 partial[];
.visible .entry sum(.param .u64 in, .param .u64 out)
{
    .reg .pred %p, %q;
    .reg .b32 %i, %block, %size, %mine, %at, %other, %a, %b;
    .reg .b64 %from, %to, %offset;
    ld.param.u64 %from, [in];
    ld.param.u64 %to, [out];
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mov.u32 %mine, %tid.x;
    mad.lo.s32 %i, %block, %size, %mine;
    mul.wide.u32 %offset, %i, 4;
    add.s64 %from, %from, %offset;
    ld.global.u32 %a, [%from];
    mov.u32 %at, partial;
    mad.lo.s32 %at, %mine, 4, %at;
    st.shared.u32 [%at], %a;
again:
    bar.sync 0;
    shr.u32 %size, %size, 1;
    setp.eq.u32 %p, %size, 0;
    @%p bra end;
    setp.ge.u32 %q, %mine, %size;
    @%q bra again;
    mad.lo.s32 %other, %size, 4, %at;
    ld.shared.u32 %b, [%other];
    ld.shared.u32 %a, [%at];
    add.s32 %a, %a, %b;
    st.shared.u32 [%at], %a;
    bra again;
end:
    setp.ne.u32 %p, %mine, 0;
    @%p bra done;
    ld.shared.u32 %a, [%at];
    ld.global.u32 %b, [added];
    add.s32 %a, %a, %b;
    mul.wide.u32 %offset, %block, 4;
    add.s64 %to, %to, %offset;
    st.global.u32 [%to], %a;
done:
    ret;
}

// Three words on the stack, one of which is changed in its upper half: which one is a matter of branches and selections.
.visible .entry parts(.param .u64 out)
{
    .local .align 4 .b8 words[12];
    .reg .pred %p;
    .reg .b16 %half;
    .reg .b32 %i, %bit, %a, %b, %c, %changed;
    .reg .b64 %out, %to, %start, %at;
    ld.param.u64 %out, [out];
    mov.u32 %i, %tid.x;
    mov.u64 %start, words;
    st.local.u32 [%start], 0x11111111;
    st.local.u32 [%start+4], 0x22222222;
    st.local.u32 [%start+8], 0x33333333;
    add.s64 %at, %start, 4;
    and.b32 %bit, %i, 1;
    setp.eq.u32 %p, %bit, 0;
    @%p bra chosen;
    add.s64 %at, %start, 8;
    st.local.u32 [%at], 0x44444444;
chosen:
    and.b32 %bit, %i, 2;
    setp.eq.u32 %p, %bit, 0;
    selp.b64 %at, %at, %start, %p;
    cvt.u16.u32 %half, %i;
    add.s64 %to, %at, 2;
    st.local.u16 [%to], %half;
    ld.local.u32 %changed, [%at];
    ld.local.u32 %a, [%start];
    ld.local.u32 %b, [%start+4];
    ld.local.u32 %c, [%start+8];
    mad.wide.u32 %out, %i, 16, %out;
    st.global.u32 [%out], %a;
    st.global.u32 [%out+4], %b;
    st.global.u32 [%out+8], %c;
    st.global.u32 [%out+12], %changed;
    ret;
}

.visible .entry wild(.param .u64 at)
{
    .reg .b64 %p;
    ld.param.u64 %p, [at];
    st.global.u32 [%p], 1;
    ret;
}
.visible .entry stop()
{
    trap;
}
)";

class Hip : public seam::Kernels {
  protected:
    Hip() : Kernels(kernels) {}
};

/// CUTTLE_EMULATED_GPUS is 2 here.
class Peers : public Hip {
    void SetUp() override { queue = device().create_queue(0); }
};

} // namespace

TEST(NoRuntime, IsAnError) {
    try {
        create_hip_backend();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::no_device);
        // There may be one without a GPU.
        const std::string why = error.what();
        EXPECT_TRUE(why.find("no HIP runtime") != why.npos || why.find("does not start") != why.npos) << why;
    }
}

TEST_F(Hip, DescribesTheDevice) {
    const DeviceFacts& facts = device().facts();
    EXPECT_EQ(vendor().name(), "hip");
    EXPECT_EQ(facts.name.rfind("Cuttle's emulated gfx", 0), 0u) << facts.name;
    EXPECT_EQ(facts.target.name().rfind("amdgcn:gfx", 0), 0u) << "without features: " << facts.target.name();
    EXPECT_EQ(facts.target.name().find(':', 7), std::string::npos) << facts.target.name();
    EXPECT_EQ(facts.memory_bytes, uint64_t{1} << 30);
    EXPECT_EQ(facts.shared_bytes_per_block, 48u << 10);
    EXPECT_EQ(facts.shared_bytes_per_block_optin, 64u << 10);
    EXPECT_EQ(facts.pci_bus, 0x31);
    EXPECT_EQ(std::memcmp(facts.uuid.data(), "GPU-cuttle-emul", 16), 0);
    EXPECT_TRUE(facts.cooperative_launch);
    EXPECT_FALSE(facts.pageable_memory_access);
}

TEST_F(Hip, CountsItsMemory) {
    const MemoryInfo before = device().memory();
    {
        Buffer buffer(device(), 1 << 20), pinned(device(), 1 << 20, MemoryKind::pinned),
            managed(device(), 1 << 20, MemoryKind::managed);
        EXPECT_EQ(buffer.address % 512, 0u);
        EXPECT_EQ(device().memory().free_bytes, before.free_bytes - (1 << 20));
    }
    EXPECT_EQ(device().memory().free_bytes, before.free_bytes);
    EXPECT_EQ(device().allocate(size_t{1} << 31, MemoryKind::device), 0u);
}

TEST_F(Hip, RefusesOtherCode) {
    auto image = std::make_shared<ptx::Image>();
    EXPECT_THROW(device().load(image), Error) << "host code";
    image->target.arch = ptx::Arch::amdgcn;
    EXPECT_EQ(device().load(image)->kernel("none"), nullptr);
    image->code.assign(64, 1);
    image->kernels.push_back({});
    image->kernels.back().name = image->kernels.back().symbol = "broken";
    try {
        device().load(image);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::invalid_image);
        EXPECT_NE(std::string(error.what()).find("loading kernel broken: hipErrorInvalidImage"), std::string::npos)
            << error.what();
    }
}

TEST_F(Hip, RunsSaxpy) {
    constexpr uint32_t count = 10000;
    std::vector<float> x(count), y(count), expected(count);
    for (uint32_t i = 0; i < count; i++) {
        x[i] = float(i) * 0.37f;
        y[i] = 1.0f / float(i + 1);
        expected[i] = std::fma(2.5f, x[i], y[i]);
    }
    Buffer xs(device(), count * 4), ys(device(), count * 4);
    queue->copy({.destination = xs.address, .source = host(x.data()), .width = count * 4});
    queue->copy({.destination = ys.address, .source = host(y.data()), .width = count * 4});
    launch("saxpy", (count + 127) / 128, 128, pack(xs.address, ys.address, 2.5f, count));
    queue->copy({.destination = host(y.data()), .source = ys.address, .width = count * 4});
    queue->synchronize();
    EXPECT_EQ(y, expected);
}

TEST_F(Hip, RunsAReduction) {
    constexpr uint32_t blocks = 37, threads = 256;
    std::vector<uint32_t> in(blocks * threads), out(blocks), expected(blocks, 1000);
    for (uint32_t i = 0; i < in.size(); i++) {
        in[i] = i * 2654435761u;
        expected[i / threads] += in[i];
    }
    Buffer from(device(), in.size() * 4), to(device(), out.size() * 4), globals(device(), 4);
    queue->copy({.destination = from.address, .source = host(in.data()), .width = in.size() * 4});
    queue->fill({.destination = globals.address, .value = 1000, .element_bytes = 4, .width = 1});
    launch("sum", blocks, threads, pack(from.address, to.address), threads * 4, globals.address);
    queue->copy({.destination = host(out.data()), .source = to.address, .width = out.size() * 4});
    queue->synchronize();
    EXPECT_EQ(out, expected);
}

TEST_F(Hip, FindsTheWordsOnTheStack) {
    constexpr uint32_t threads = 64;
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < threads; i++) {
        std::array<uint32_t, 3> words{0x11111111, 0x22222222, i & 1 ? 0x44444444 : 0x33333333u};
        uint32_t& changed = words[i & 2 ? 0 : 1 + (i & 1)];
        changed = (changed & 0xffff) | i << 16;
        expected.insert(expected.end(), {words[0], words[1], words[2], changed});
    }
    Buffer out(device(), expected.size() * 4);
    launch("parts", 1, threads, pack(out.address));
    queue->synchronize();
    EXPECT_EQ(words_at(out.address, expected.size()), expected);
}

TEST_F(Hip, SaysHowManyBlocksAreResident) {
    Kernel& sum = kernel("sum");
    EXPECT_EQ(device().resident_blocks_per_multiprocessor(sum, 1024, 0), 2u);
    EXPECT_EQ(device().resident_blocks_per_multiprocessor(sum, 64, 32 << 10), 2u);
}

TEST_F(Hip, AWildAccessIsAFault) {
    std::string message;
    EXPECT_EQ(fault_after("wild", 32, pack(uint64_t{0x1234567}), message), Fault::illegal_address);
    EXPECT_NE(message.find("no access to 4 bytes at 0x1234567"), std::string::npos) << message;
}

TEST_F(Hip, ATrapIsAFault) {
    std::string message;
    EXPECT_EQ(fault_after("stop", 32, {}, message), Fault::trap);
    EXPECT_EQ(message, "block [0,0,0], thread [0,0,0]: trap");
}

TEST_F(Hip, AClockKeepsFewEvents) {
    void* runtime = dlopen("libamdhip64.so.6", RTLD_LAZY | RTLD_NOLOAD);
    ASSERT_NE(runtime, nullptr);
    const auto events = reinterpret_cast<int (*)()>(dlsym(runtime, "emulatorEvents"));
    ASSERT_NE(events, nullptr);
    const auto first = queue->mark(true);
    queue->synchronize();
    const int before = events();
    std::chrono::nanoseconds last = first->time();
    for (int i = 0; i < 4; i++) { // each takes a new reference
        std::this_thread::sleep_for(std::chrono::milliseconds(1050));
        const auto marker = queue->mark(true);
        queue->synchronize();
        const std::chrono::nanoseconds time = marker->time();
        EXPECT_GE(time - last, std::chrono::milliseconds(1040));
        EXPECT_LE(time - last, std::chrono::milliseconds(3000));
        last = time;
    }
    EXPECT_LE(events(), before + 2);
    dlclose(runtime);
}

TEST_F(Peers, KernelsReachWhatTheyMay) {
    ASSERT_EQ(vendor().devices().size(), 2u);
    Device& other = *vendor().devices()[1];
    EXPECT_NE(device().facts().uuid, other.facts().uuid);
    EXPECT_TRUE(device().can_reach(other));
    EXPECT_FALSE(device().can_reach(device()));
    Buffer far(other, 4);
    const auto fault = [&] {
        std::string message;
        return fault_after("wild", 1, pack(far.address), message);
    };
    EXPECT_EQ(fault(), Fault::illegal_address);
    device().let_reach(other, true);
    device().let_reach(other, true);
    device().let_reach(other, false);
    EXPECT_EQ(fault(), Fault::none) << "given twice, taken once";
    EXPECT_EQ(words_at(far.address, 1)[0], 1u);
    device().let_reach(other, false);
    EXPECT_EQ(fault(), Fault::illegal_address);
}
