// Lanes, warps and the host that wait for each other: what an AMD GPU would not do by itself.
#include "seam_kernels.h"
#include "rt/error.h"

#include <chrono>

using namespace rt::backend;

namespace {

using seam::Buffer;
using seam::host;

constexpr std::string_view kernels = R"(
.version 8.0
.target sm_80
.address_size 64

// Odd lanes wait for what even ones write, or even ones for odd ones, by `turn`: one of both is run first.
.visible .entry sides(.param .u64 flags, .param .u32 turn)
{
    .reg .pred %p, %q;
    .reg .b32 %lane, %turn, %bit, %value, %offset;
    .reg .b64 %at, %wide, %other;
    ld.param.u64 %at, [flags];
    ld.param.u32 %turn, [turn];
    mov.u32 %lane, %tid.x;
    mul.wide.u32 %wide, %lane, 4;
    add.s64 %wide, %at, %wide;
    xor.b32 %offset, %lane, 1;
    mul.wide.u32 %other, %offset, 4;
    add.s64 %other, %at, %other;
    xor.b32 %bit, %lane, %turn;
    and.b32 %bit, %bit, 1;
    setp.eq.u32 %p, %bit, 0;
    @%p bra waits;
    add.u32 %value, %lane, 100;
    st.volatile.global.u32 [%wide], %value;
    bra done;
waits:
    ld.volatile.global.u32 %value, [%other];
    setp.eq.u32 %q, %value, 0;
    @%q bra waits;
    add.u32 %value, %value, 1000;
    st.volatile.global.u32 [%wide], %value;
done:
    ret;
}

// Each lane adds to a sum under a lock, `rounds` times, with a loop and a condition inside.
.visible .entry locks(.param .u64 at, .param .u32 rounds)
{
    .reg .pred %p, %q;
    .reg .b32 %lane, %rounds, %old, %sum, %i;
    .reg .b64 %at;
    ld.param.u64 %at, [at];
    ld.param.u32 %rounds, [rounds];
    mov.u32 %lane, %tid.x;
again:
    setp.eq.u32 %p, %rounds, 0;
    @%p bra done;
take:
    atom.global.cas.b32 %old, [%at], 0, 1;
    setp.ne.u32 %p, %old, 0;
    @%p bra take;
    membar.gl;
    ld.volatile.global.u32 %sum, [%at+4];
    and.b32 %i, %lane, 3;
count:
    add.u32 %sum, %sum, 1;
    sub.u32 %i, %i, 1;
    setp.ge.s32 %q, %i, 0;
    @%q bra count;
    st.volatile.global.u32 [%at+4], %sum;
    membar.gl;
    atom.global.exch.b32 %old, [%at], 0;
    sub.u32 %rounds, %rounds, 1;
    bra again;
done:
    bar.sync 0;
    ld.volatile.global.u32 %sum, [%at+4];
    setp.ne.u32 %p, %lane, 0;
    @%p bra end;
    st.global.u32 [%at+8], %sum;
end:
    ret;
}

// Warp 0 hands numbers to warp 1 through one word of shared memory: two barriers, each arrived at and waited for.
.visible .entry hands_over(.param .u64 out, .param .u32 rounds)
{
    .reg .pred %p, %q;
    .reg .b32 %t, %lane, %i, %rounds, %value, %sum;
    .reg .b64 %out, %offset;
    .shared .align 4 .b8 word[128];
    ld.param.u64 %out, [out];
    ld.param.u32 %rounds, [rounds];
    mov.u32 %t, %tid.x;
    and.b32 %lane, %t, 31;
    mul.lo.u32 %lane, %lane, 4;
    mov.u32 %value, word;
    add.u32 %lane, %lane, %value;
    mov.u32 %i, 0;
    mov.u32 %sum, 0;
    setp.ge.u32 %p, %t, 32;
    @%p bra takes;
gives:
    mad.lo.u32 %value, %i, 7, %t;
    st.shared.u32 [%lane], %value;
    bar.arrive 1, 64;
    bar.sync 2, 64;
    add.u32 %i, %i, 1;
    setp.lt.u32 %q, %i, %rounds;
    @%q bra gives;
    bra done;
takes:
    bar.sync 1, 64;
    ld.shared.u32 %value, [%lane];
    add.u32 %sum, %sum, %value;
    bar.arrive 2, 64;
    add.u32 %i, %i, 1;
    setp.lt.u32 %q, %i, %rounds;
    @%q bra takes;
done:
    mul.wide.u32 %offset, %t, 4;
    add.s64 %out, %out, %offset;
    st.global.u32 [%out], %sum;
    ret;
}

// Votes of all threads at barrier 0, of pairs of warps at barriers by number, and of all at barrier 5.
.visible .entry votes(.param .u64 out)
{
    .reg .pred %p, %all, %any, %none;
    .reg .b32 %t, %pair, %n, %count, %word;
    .reg .b64 %out, %offset;
    ld.param.u64 %out, [out];
    mov.u32 %t, %tid.x;
    and.b32 %n, %t, 3;
    setp.eq.u32 %p, %n, 0;
    bar.red.popc.u32 %count, 0, %p;
    bar.red.or.pred %any, 0, %p;
    bar.red.and.pred %all, 0, %p;
    shr.u32 %pair, %t, 6;
    add.u32 %pair, %pair, 1;
    setp.lt.u32 %none, %t, 40;
    bar.red.popc.u32 %n, %pair, 64, %none;
    selp.u32 %word, 65536, 0, %any;
    add.u32 %count, %count, %word;
    selp.u32 %word, 131072, 0, %all;
    add.u32 %count, %count, %word;
    mad.lo.u32 %count, %n, 262144, %count;
    barrier.red.or.pred %any, 5, %none;
    selp.u32 %word, 0x80000000, 0, %any;
    or.b32 %count, %count, %word;
    mul.wide.u32 %offset, %t, 4;
    add.s64 %out, %out, %offset;
    st.global.u32 [%out], %count;
    ret;
}

.visible .entry waits_for_ever(.param .u64 at)
{
    .reg .pred %p;
    .reg .b32 %v;
    .reg .b64 %at;
    ld.param.u64 %at, [at];
wait:
    ld.volatile.global.u32 %v, [%at];
    setp.eq.u32 %p, %v, 0;
    @%p bra wait;
    ret;
}

.visible .entry runs_for_ever(.param .u64 at)
{
    .reg .b32 %v;
    .reg .b64 %at;
    ld.param.u64 %at, [at];
    mov.u32 %v, 0;
again:
    add.u32 %v, %v, 1;
    st.global.u32 [%at], %v;
    bra again;
}
)";

class Waiting : public seam::Kernels {
  protected:
    Waiting() : Kernels(kernels) {}
};

/// CUTTLE_LAUNCH_TIMEOUT is 1 here.
class Hung : public Waiting {
  protected:
    Fault fault_in_time(const std::string& name, std::string& message) {
        Buffer zero(device(), 4);
        queue->fill({.destination = zero.address, .element_bytes = 4, .width = 1});
        const auto start = std::chrono::steady_clock::now();
        const Fault fault = fault_after(name, 32, pack(zero.address), message);
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
        return fault;
    }
};

} // namespace

TEST_F(Waiting, EitherSideOfABranchGoesOn) {
    constexpr uint32_t lanes = 64;
    for (uint32_t turn : {0, 1}) {
        Buffer flags(device(), lanes * 4);
        queue->fill({.destination = flags.address, .element_bytes = 4, .width = lanes});
        launch("sides", 1, lanes, pack(flags.address, turn));
        const std::vector<uint32_t> words = words_at(flags.address, lanes);
        for (uint32_t i = 0; i < lanes; i++)
            EXPECT_EQ(words[i], (i ^ turn) & 1 ? i + 100 : (i ^ 1) + 1100) << i << " " << turn;
    }
}

TEST_F(Waiting, LanesOfAWarpShareALock) {
    Buffer at(device(), 12);
    queue->fill({.destination = at.address, .element_bytes = 4, .width = 3});
    launch("locks", 1, 96, pack(at.address, uint32_t{5}));
    const std::vector<uint32_t> words = words_at(at.address, 3);
    EXPECT_EQ(words[0], 0u);
    EXPECT_EQ(words[1], 5u * 24 * (1 + 2 + 3 + 4));
    EXPECT_EQ(words[2], words[1]) << "behind the block's barrier";
}

TEST_F(Waiting, WarpsMeetAtNumberedBarriers) {
    constexpr uint32_t rounds = 20;
    Buffer out(device(), 64 * 4);
    launch("hands_over", 1, 64, pack(out.address, rounds));
    const std::vector<uint32_t> words = words_at(out.address, 64);
    for (uint32_t i = 0; i < 32; i++) {
        EXPECT_EQ(words[i], 0u);
        EXPECT_EQ(words[32 + i], rounds * (rounds - 1) / 2 * 7 + rounds * i) << i;
    }
}

TEST_F(Waiting, BarriersCountVotes) {
    for (uint32_t threads : {64u, 128u, 256u}) {
        Buffer out(device(), threads * 4);
        launch("votes", 1, threads, pack(out.address));
        const std::vector<uint32_t> words = words_at(out.address, threads);
        for (uint32_t i = 0; i < threads; i++)
            EXPECT_EQ(words[i], threads / 4 + 65536 + (i < 64 ? 40u : 0u) * 262144 + 0x80000000)
                << i << " of " << threads;
    }
}

TEST_F(Hung, AKernelThatWaitsIsEnded) {
    std::string message;
    EXPECT_EQ(fault_in_time("waits_for_ever", message), Fault::timeout);
    EXPECT_NE(message.find("no kernel has ended for 1 s"), std::string::npos) << message;
    // The device is there for others.
    Buffer out(device(), 64 * 4);
    launch("hands_over", 1, 64, pack(out.address, uint32_t{1}));
    EXPECT_EQ(words_at(out.address, 64)[33], 1u);
}

// The last test of its process, which must end nevertheless.
TEST_F(Hung, AKernelThatRunsForEverCostsTheDevice) {
    std::string message;
    Buffer out(device(), 64 * 4);
    kernel("runs_for_ever");
    kernel("hands_over");
    // So soon after another that it gets no event of its own at first.
    launch("hands_over", 1, 64, pack(out.address, uint32_t{1}));
    EXPECT_EQ(fault_in_time("runs_for_ever", message), Fault::timeout);
    EXPECT_TRUE(queue->idle()) << "a hung device is waited for no more";
    EXPECT_EQ(queue->fault(), Fault::timeout);
    queue.reset();
}
