#include "fixture.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace codegen_test;
using ptx::host::phase_exit;
using ptx::host::phase_mixed;
using ptx::host::PhaseBox;
using ptx::host::PhaseCut;
using ptx::host::Wait;

namespace {

constexpr ptx::Options in_phases{.phases = true};

/// Takes a CTA through a kernel as a back end does; gives what each phase said.
class Cta {
  public:
    Cta(const Code& code, Surroundings& around, uint32_t x, uint32_t y = 1, uint32_t z = 1)
        : around_(around), next_(x * y * z), slots_((x * y * z + 31) / 32 * 32 * code.kernel("k").phase_bytes + 64) {
        const uint32_t size[] = {x, y, z};
        std::copy(size, size + 3, around.grid.block_dim);
        bytes_ = code.kernel("k").phase_bytes;
        phase_ = reinterpret_cast<Phase>(code.symbol("k.kernel.phase"));
        cuts_ = static_cast<const PhaseCut*>(code.symbol("k.kernel.cuts"));
        state_.next = next_.data();
        state_.slots = slots_.data() + (64 - reinterpret_cast<uintptr_t>(slots_.data()) % 64);
        around.lane.phases = &state_;
    }

    uint32_t run(uint32_t phase) {
        const uint32_t* size = around_.grid.block_dim;
        return run(phase, {{0, 0, 0}, {size[0], size[1], size[2]}});
    }
    uint32_t run(uint32_t phase, const PhaseBox& box) { return phase_(&around_.lane, phase, &box); }
    uint32_t run_one(uint32_t thread) { return run(next_[thread], {{thread, 0, 0}, {thread + 1, 1, 1}}); }
    const PhaseCut& cut(uint32_t phase) const { return cuts_[phase]; }
    template <class T> T& slot(uint32_t byte, uint32_t thread) {
        const uint32_t all = (uint32_t(next_.size()) + 31) / 32 * 32, together = cuts_->bytes ? cuts_->bytes : all;
        const uint32_t begin = thread / together * together;
        return reinterpret_cast<T*>(state_.slots + size_t{begin} * bytes_ + size_t{byte} * together)[thread - begin];
    }
    const std::vector<uint32_t>& next() const { return next_; }

  private:
    using Phase = uint32_t (*)(ptx::host::Lane*, uint32_t, const PhaseBox*);
    Surroundings& around_;
    ptx::host::PhaseState state_{};
    std::vector<uint32_t> next_;
    std::vector<uint8_t> slots_;
    uint32_t bytes_;
    Phase phase_;
    const PhaseCut* cuts_;
};

/// Threads give their number, doubled, to the next one, as often as the parameter says.
const char* const ring = R"(
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %q = getelementptr i8, ptr addrspace(4) %p, i64 8
  %rounds = load i32, ptr addrspace(4) %q
  %x = call i32 @cuttle.sreg.tid.x()
  %n = call i32 @cuttle.sreg.ntid.x()
  %own = shl i32 %x, 2
  br label %loop
loop:
  %i = phi i32 [ 0, %0 ], [ %j, %loop ]
  %v = phi i32 [ %x, %0 ], [ %got, %loop ]
  %odd = phi i1 [ false, %0 ], [ %flipped, %loop ]
  %s = inttoptr i32 %own to ptr addrspace(3)
  %twice = shl i32 %v, 1
  store i32 %twice, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %y = add i32 %x, 1
  %last = icmp eq i32 %y, %n
  %z = select i1 %last, i32 0, i32 %y
  %other = shl i32 %z, 2
  %t = inttoptr i32 %other to ptr addrspace(3)
  %got = load i32, ptr addrspace(3) %t
  %flipped = xor i1 %odd, true
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %j = add i32 %i, 1
  %more = icmp ult i32 %j, %rounds
  br i1 %more, label %loop, label %end
end:
  %bit = zext i1 %flipped to i32
  %result = add i32 %got, %bit
  %wide = zext i32 %own to i64
  %place = add i64 %out, %wide
  %o = inttoptr i64 %place to ptr addrspace(1)
  store i32 %result, ptr addrspace(1) %o
  ret void
})";

TEST(HostPhases, AKernelIsCutAtItsBarriers) {
    const Code code(ring, {}, in_phases);
    EXPECT_EQ(code.kernel("k").phases, 3u);
    EXPECT_TRUE(code.kernel("k").uses_barrier);
    EXPECT_EQ(code.symbol("k.kernel"), nullptr);
    for (const uint32_t threads : {1u, 5u, 32u, 100u}) {
        Surroundings around;
        Cta cta(code, around, threads);
        std::vector<int32_t> out(threads, -1), expected(threads);
        around.set_parameters(out.data(), 3u);
        uint32_t at = 0;
        std::vector<uint32_t> way;
        while (at != phase_exit) way.push_back(at = cta.run(at));
        EXPECT_EQ(way, (std::vector<uint32_t>{1, 2, 1, 2, 1, 2, phase_exit}));
        for (uint32_t i = 0; i < threads; ++i) expected[i] = int32_t((i + 3) % threads * 8 + 1);
        EXPECT_EQ(out, expected);
        EXPECT_EQ(service_log().size(), 0u);
    }
}

TEST(HostPhases, ThreadsMayGoOnOneByOne) {
    const Code code(R"(
define void @k() #1 {
  %x = call i32 @cuttle.sreg.tid.x()
  %early = icmp ult i32 %x, 2
  br i1 %early, label %gone, label %stays
gone:
  call void @cuttle.exit()
  unreachable
stays:
  %low = icmp ult i32 %x, 4
  br i1 %low, label %a, label %b
a:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  br label %end
b:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  br label %end
end:
  ret void
})",
                    {}, in_phases);
    Surroundings around;
    Cta cta(code, around, 6);
    EXPECT_EQ(cta.run(0), phase_mixed);
    EXPECT_EQ(cta.next()[0], phase_exit);
    EXPECT_EQ(cta.next()[1], phase_exit);
    EXPECT_EQ(cta.next()[2], cta.next()[3]);
    EXPECT_NE(cta.next()[3], cta.next()[4]);
    for (uint32_t thread = 2; thread < 6; ++thread) EXPECT_EQ(cta.run_one(thread), phase_exit);
}

TEST(HostPhases, VotesLieInSlots) {
    const Code code(R"(
declare i32 @cuttle.barrier.reduce(i32, i32, i32, i1) convergent
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %x = call i32 @cuttle.sreg.tid.x()
  %y = call i32 @cuttle.sreg.tid.y()
  %some = icmp ult i32 %x, 3
  %count = call i32 @cuttle.barrier.reduce(i32 0, i32 0, i32 0, i1 %some)
  %all = call i32 @cuttle.barrier.reduce(i32 1, i32 0, i32 0, i1 %some)
  %any = call i32 @cuttle.barrier.reduce(i32 2, i32 0, i32 0, i1 %some)
  %t = shl i32 %all, 8
  %a = shl i32 %any, 16
  %u = or i32 %t, %a
  %v = or i32 %u, %count
  %row = mul i32 %y, 5
  %i = add i32 %row, %x
  %b = shl i32 %i, 2
  %w = zext i32 %b to i64
  %place = add i64 %out, %w
  %o = inttoptr i64 %place to ptr addrspace(1)
  store i32 %v, ptr addrspace(1) %o
  ret void
})",
                    {}, in_phases);
    ASSERT_EQ(code.kernel("k").phases, 4u);
    Surroundings around;
    Cta cta(code, around, 5, 2);
    std::vector<uint32_t> out(10);
    around.set_parameters(out.data());
    const uint32_t results[] = {6, 0, 1};
    uint32_t at = 0;
    for (uint32_t result : results) {
        at = cta.run(at);
        ASSERT_NE(at, phase_exit);
        const PhaseCut& cut = cta.cut(at);
        EXPECT_EQ(cut.wait, Wait::barrier_reduce);
        EXPECT_EQ(cut.operation, at - 1);
        ASSERT_EQ(cut.bytes, 1u);
        for (uint32_t i = 0; i < 10; ++i) {
            EXPECT_EQ(cta.slot<uint8_t>(cut.value, i), i % 5 < 3);
            cta.slot<uint32_t>(cut.result, i) = result;
        }
    }
    EXPECT_EQ(cta.run(at), phase_exit);
    EXPECT_EQ(out, std::vector<uint32_t>(10, 6 | 0 << 8 | 1 << 16));
}

TEST(HostPhases, WarpOperationsAreCuts) {
    const Code code(R"(
declare i32 @cuttle.vote(i32, i1, i32) convergent
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %x = call i32 @cuttle.sreg.tid.x()
  %by = shl i32 %x, 1
  %s = call {i32, i1} @cuttle.shuffle(i32 3, i32 %x, i32 %by, i32 31, i32 -1)
  %v = extractvalue {i32, i1} %s, 0
  %q = extractvalue {i32, i1} %s, 1
  %ballot = call i32 @cuttle.vote(i32 3, i1 %q, i32 %v)
  %sum = add i32 %ballot, %v
  %b = shl i32 %x, 2
  %w = zext i32 %b to i64
  %place = add i64 %out, %w
  %o = inttoptr i64 %place to ptr addrspace(1)
  store i32 %sum, ptr addrspace(1) %o
  ret void
})",
                    {}, in_phases);
    ASSERT_EQ(code.kernel("k").phases, 3u);
    Surroundings around;
    Cta cta(code, around, 40);
    std::vector<uint32_t> out(40);
    around.set_parameters(out.data());
    EXPECT_EQ(cta.run(0, {{8, 0, 0}, {40, 1, 1}}), 1u);
    const PhaseCut& shuffle = cta.cut(1);
    EXPECT_EQ(shuffle.wait, Wait::shuffle);
    EXPECT_EQ(shuffle.operation, uint32_t(ptx::host::Shuffle::idx));
    EXPECT_EQ(shuffle.mask.slot, ptx::host::no_slot);
    EXPECT_EQ(shuffle.mask.constant, ~0u);
    EXPECT_EQ(shuffle.clamp.slot, ptx::host::no_slot);
    EXPECT_EQ(shuffle.clamp.constant, 31u);
    ASSERT_NE(shuffle.by.slot, ptx::host::no_slot);
    ASSERT_NE(shuffle.predicate, ptx::host::no_slot);
    for (uint32_t i = 8; i < 40; ++i) {
        EXPECT_EQ(cta.slot<uint32_t>(shuffle.value, i), i);
        EXPECT_EQ(cta.slot<uint32_t>(shuffle.by.slot, i), 2 * i);
        cta.slot<uint32_t>(shuffle.result, i) = 1000 + i;
        cta.slot<uint8_t>(shuffle.predicate, i) = i % 2;
    }
    EXPECT_EQ(cta.run(1, {{8, 0, 0}, {40, 1, 1}}), 2u);
    const PhaseCut& vote = cta.cut(2);
    EXPECT_EQ(vote.wait, Wait::vote);
    ASSERT_NE(vote.mask.slot, ptx::host::no_slot);
    for (uint32_t i = 8; i < 40; ++i) {
        EXPECT_EQ(cta.slot<uint8_t>(vote.value, i), i % 2);
        EXPECT_EQ(cta.slot<uint32_t>(vote.mask.slot, i), 1000 + i);
        cta.slot<uint32_t>(vote.result, i) = 5;
    }
    EXPECT_EQ(cta.run(2, {{8, 0, 0}, {40, 1, 1}}), phase_exit);
    for (uint32_t i = 0; i < 40; ++i) EXPECT_EQ(out[i], i < 8 ? 0 : 1005 + i);
}

uint32_t phases(const char* text) { return compile(text, {}, in_phases).kernels.at(0).phases; }

TEST(HostPhases, WhereThreadsMeetInOtherWaysTheyNeedFibers) {
    EXPECT_EQ(phases("define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) ret void }"), 2u);
    EXPECT_EQ(phases("define void @k() #1 { call void @cuttle.barrier.sync(i32 3, i32 0) ret void }"), 2u);
    EXPECT_EQ(phases("define void @k() #1 { ret void }"), 0u); // needs none
    EXPECT_EQ(phases("define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 64) ret void }"), 0u);
    EXPECT_EQ(phases("define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) call void "
                     "@cuttle.barrier.sync(i32 1, i32 0) ret void }"),
              3u);
    EXPECT_EQ(phases("define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) call {i32, i1} "
                     "@cuttle.shuffle(i32 0, i32 0, i32 0, i32 0, i32 -1) ret void }"),
              3u);
    EXPECT_EQ(phases("declare void @cuttle.spin()\ndefine void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) "
                     "call void @cuttle.spin() ret void }"),
              3u);
    EXPECT_EQ(
        phases("declare void @cuttle.grid.sync()\ndefine void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) "
               "call void @cuttle.grid.sync() ret void }"),
        0u);
    // A function with a barrier becomes part of the kernel, unless it calls itself.
    EXPECT_EQ(phases("define internal void @f() noinline { call void @cuttle.barrier.sync(i32 0, i32 0) ret void }\n"
                     "define void @k() #1 { call void @f() call void @f() ret void }"),
              3u);
    // So do its arrays.
    EXPECT_EQ(phases("define internal i32 @f(i32 %i) noinline { %a = alloca [4 x i32] store [4 x "
                     "i32] [i32 5, i32 6, i32 7, i32 8], ptr %a call void @cuttle.barrier.sync(i32 0, i32 0) %p = "
                     "getelementptr i32, ptr %a, i32 %i %v = load i32, ptr %p ret i32 %v }\n"
                     "define void @k() #1 { %x = call i32 @cuttle.sreg.tid.x() %y = and i32 %x, 3 %v = call i32 @f(i32 "
                     "%y) %p = inttoptr i64 0 to ptr addrspace(3) store i32 %v, ptr addrspace(3) %p ret void }"),
              2u);
    EXPECT_EQ(phases("define internal void @f(i32 %n) { call void @cuttle.barrier.sync(i32 0, i32 0) %z = icmp eq i32 "
                     "%n, 0 br i1 %z, label %a, label %b\n a: ret void\n b: %m = sub i32 %n, 1 call void @f(i32 %m) "
                     "ret void }\n define void @k() #1 { call void @f(i32 3) ret void }"),
              0u);
    EXPECT_EQ(
        compile("define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) ret void }").kernels[0].phases, 0u);
}

TEST(HostPhases, CodeSaysWhyAKernelIsNotCut) {
    const Code some("define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 64) ret void }", {}, in_phases);
    const auto* why = static_cast<const char*>(some.symbol("k.kernel.why_fibers"));
    ASSERT_NE(why, nullptr);
    EXPECT_STREQ(why, "a barrier of some of the threads");
    const char* const all = "define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) ret void }";
    EXPECT_EQ(Code(all, {}, in_phases).symbol("k.kernel.why_fibers"), nullptr);
    EXPECT_EQ(Code(all).symbol("k.kernel.why_fibers"), nullptr);
}

TEST(HostPhases, ManyMeetingsAreForFibers) {
    auto shuffles = [](unsigned count) {
        std::string text = "define void @k() #1 { %p = call i32 @cuttle.sreg.tid.x() ";
        std::string value = "%p";
        for (unsigned i = 0; i < count; ++i) {
            const std::string n = std::to_string(i);
            text += "%s" + n + " = call {i32, i1} @cuttle.shuffle(i32 1, i32 " + value + ", i32 1, i32 31, i32 -1) %v" +
                    n + " = extractvalue {i32, i1} %s" + n + ", 0 ";
            value = "%v" + n;
        }
        return text + "%o = inttoptr i64 0 to ptr addrspace(3) store i32 " + value + ", ptr addrspace(3) %o ret void }";
    };
    EXPECT_EQ(phases(shuffles(3).c_str()), 4u);
    EXPECT_EQ(phases(shuffles(64).c_str()), 0u);
}

TEST(HostPhases, OperationsThatNeedNothingOfEachOtherAreOneCut) {
    const Code code("define void @k() #1 { %x = call i32 @cuttle.sreg.tid.x() %y = mul i32 %x, 3 %a = call {i32, i1} "
                    "@cuttle.shuffle(i32 2, i32 %x, i32 1, i32 31, i32 -1) %z = add i32 %y, 1 %b = call {i32, i1} "
                    "@cuttle.shuffle(i32 2, i32 %z, i32 1, i32 31, i32 -1) %v = extractvalue {i32, i1} %b, 0 %c = call "
                    "{i32, i1} @cuttle.shuffle(i32 2, i32 %v, i32 1, i32 31, i32 -1) ret void }",
                    {}, in_phases);
    ASSERT_EQ(code.kernel("k").phases, 4u);
    Surroundings around;
    Cta cta(code, around, 32);
    EXPECT_EQ(cta.run(0), 1u);
    EXPECT_EQ(cta.cut(1).more, 1u);
    EXPECT_EQ(cta.cut(2).more, 0u);
    EXPECT_EQ(cta.cut(3).more, 0u);
    for (uint32_t i = 0; i < 32; ++i) {
        EXPECT_EQ(cta.slot<uint32_t>(cta.cut(1).value, i), i);
        EXPECT_EQ(cta.slot<uint32_t>(cta.cut(2).value, i), 3 * i + 1);
        cta.slot<uint32_t>(cta.cut(2).result, i) = 7 * i;
    }
    EXPECT_EQ(cta.run(2), 3u);
    for (uint32_t i = 0; i < 32; ++i) EXPECT_EQ(cta.slot<uint32_t>(cta.cut(3).value, i), 7 * i);
    EXPECT_EQ(cta.run(3), phase_exit);
}

} // namespace
