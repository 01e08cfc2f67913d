#include "driver_fixture.h"

#include <string>
#include <vector>

using namespace shim;

// Kernels whose threads meet, cut into phases and with a fiber for each thread, as code with debug information is: the
// same memory, whatever way threads take to where they meet.
namespace {

struct Shape {
    unsigned x, y, z;
};

class Phases : public Driver {
  protected:
    /// Every kernel is k(.u64 out, .u32 n), with %t the thread's number in the block, %out its word of the output.
    static std::string text(const std::string& body) {
        return ".version 8.0\n.target sm_80\n.address_size 64\n"
               ".visible .entry k(.param .u64 pout, .param .u32 pn)\n{\n"
               ".reg .b64 %out, %o; .reg .b32 %t, %n, %a, %b, %c, %d, %e, %x, %y, %z, %dx, %dy, %lane; .reg .pred %p, "
               "%q;\n"
               ".reg .b32 %s<8>;\n.shared .align 4 .b32 sh[1024];\n.local .align 4 .b8 loc[32];\n"
               "ld.param.u64 %out, [pout]; ld.param.u32 %n, [pn];\n"
               "mov.u32 %x, %tid.x; mov.u32 %y, %tid.y; mov.u32 %z, %tid.z; mov.u32 %dx, %ntid.x; mov.u32 %dy, "
               "%ntid.y;\n"
               "mad.lo.u32 %t, %z, %dy, %y; mad.lo.u32 %t, %t, %dx, %x; mov.u32 %lane, %laneid;\n"
               "mov.u32 %a, %ctaid.x; mov.u32 %b, %ntid.z; mul.lo.u32 %b, %b, %dx; mul.lo.u32 %b, %b, %dy;\n"
               "mad.lo.u32 %a, %a, %b, %t; mul.wide.u32 %o, %a, 4; add.u64 %out, %out, %o;\n" +
               body + "\nret;\n}\n";
    }

    static std::vector<uint32_t> run(const std::string& body, Shape block, uint32_t n, bool fibers) {
        const std::string source = text(body);
        std::string log(4096, '\0');
        CUjit_option options[] = {CU_JIT_GENERATE_DEBUG_INFO, CU_JIT_ERROR_LOG_BUFFER,
                                  CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
        void* values[] = {reinterpret_cast<void*>(uintptr_t{fibers}), log.data(), reinterpret_cast<void*>(log.size())};
        CUmodule module = nullptr;
        CUfunction function = nullptr;
        EXPECT_EQ(cuModuleLoadDataEx(&module, source.c_str(), 3, options, values), 0) << log.c_str();
        EXPECT_EQ(cuModuleGetFunction(&function, module, "k"), 0) << log.c_str();
        constexpr unsigned blocks = 5;
        std::vector<uint32_t> out(size_t{blocks} * block.x * block.y * block.z);
        CUdeviceptr memory = 0;
        EXPECT_EQ(cuMemAlloc_v2(&memory, 4 * out.size()), 0);
        EXPECT_EQ(cuMemsetD8_v2(memory, 0xcd, 4 * out.size()), 0);
        void* parameters[] = {&memory, &n};
        EXPECT_EQ(cuLaunchKernel(function, blocks, 1, 1, block.x, block.y, block.z, 0, nullptr, parameters, nullptr),
                  0);
        EXPECT_EQ(cuCtxSynchronize(), 0);
        EXPECT_EQ(cuMemcpyDtoH_v2(out.data(), memory, 4 * out.size()), 0);
        EXPECT_EQ(cuMemFree_v2(memory), 0);
        EXPECT_EQ(cuModuleUnload(module), 0);
        return out;
    }

    static void same_for_all_shapes(const std::string& body) {
        for (const Shape shape : {Shape{32, 1, 1},
                                  {64, 1, 1},
                                  {256, 1, 1},
                                  {33, 1, 1},
                                  {16, 16, 1},
                                  {5, 7, 3},
                                  {8, 4, 2},
                                  {1, 1, 40},
                                  {1, 1, 1},
                                  {1024, 1, 1},
                                  {31, 2, 2}})
            for (const uint32_t n : {3u, 20u})
                EXPECT_EQ(run(body, shape, n, false), run(body, shape, n, true))
                    << shape.x << " " << shape.y << " " << shape.z << ", n " << n << "\n"
                    << body;
    }

    /// What the context says after a launch of blocks of 64 threads, with an output for each.
    static CUresult ends_with(const std::string& body, unsigned blocks) {
        const std::string source = text(body);
        CUmodule module = nullptr;
        CUfunction function = nullptr;
        EXPECT_OK(cuModuleLoadData(&module, source.c_str()));
        EXPECT_OK(cuModuleGetFunction(&function, module, "k"));
        CUdeviceptr memory = 0;
        uint32_t n = 1;
        EXPECT_OK(cuMemAlloc_v2(&memory, size_t{4} * 64 * blocks));
        void* parameters[] = {&memory, &n};
        EXPECT_OK(cuLaunchKernel(function, blocks, 1, 1, 64, 1, 1, 0, nullptr, parameters, nullptr));
        return cuCtxSynchronize();
    }

    /// %p: the thread is one of block 3001 of 5000.
    static void fails_in_block_3001(const std::string& body, rt::Status status) {
        CUlogIterator log_start = 0;
        EXPECT_OK(cuLogsCurrent(&log_start, 0));
        EXPECT_EQ(ends_with("mov.u32 %s0, %ctaid.x; setp.eq.u32 %p, %s0, 3001;\n" + body, 5000), int(status));
        std::string log(25600, '\0');
        size_t size = log.size();
        EXPECT_OK(cuLogsDumpToMemory(&log_start, log.data(), &size, 0));
        EXPECT_NE(log.find("kernel k, block [3001,0,0]"), std::string::npos) << log.c_str();
    }
};

const std::string hash = "mad.lo.u32 %c, %t, 2654435761, 12345; xor.b32 %c, %c, %a;\n";
/// sh[%t] = %c; barrier; %d = sh[(%t + 1) mod size]
const std::string pass_on =
    "shl.b32 %d, %t, 2; mov.u32 %e, sh; add.u32 %d, %d, %e; st.shared.u32 [%d], %c; bar.sync 0;\n"
    "add.u32 %d, %t, 1; rem.u32 %d, %d, %b; shl.b32 %d, %d, 2; add.u32 %d, %d, %e;\n"
    "ld.shared.u32 %d, [%d];\n";

TEST_F(Phases, AThreadsAccessesKeepTheirOrder) {
    // The two addresses are the same, which is not known before the kernel runs. Between loads of neighbours a store
    // goes to the second, and between stores to neighbours a load comes from the first.
    const std::string words =
        "setp.ge.u32 %p, %t, 512; @%p ret; shl.b32 %d, %t, 3; mov.u32 %e, sh; add.u32 %d, %d, %e;\n"
        "shr.u32 %s0, %n, 31; shl.b32 %s0, %s0, 2; add.u32 %e, %d, %s0;\n";
    same_for_all_shapes(hash + words +
                        "st.shared.u32 [%d], %c; st.shared.u32 [%d+4], %t; bar.sync 0;\n"
                        "ld.shared.u32 %s1, [%e]; add.u32 %s2, %s1, 77; st.shared.u32 [%d+4], %s2;\n"
                        "ld.shared.u32 %s3, [%e+4]; mad.lo.u32 %c, %s3, 5, %s1; st.global.u32 [%out], %c;");
    same_for_all_shapes(hash + words +
                        "st.shared.u32 [%d], %t; st.shared.u32 [%d+4], %t; bar.sync 0;\n"
                        "st.shared.u32 [%d], %c; ld.shared.u32 %s1, [%e]; st.shared.u32 [%d+4], %s1;\n"
                        "ld.shared.u32 %s2, [%e+4]; mad.lo.u32 %c, %s2, 5, %s1; st.global.u32 [%out], %c;");
}

TEST_F(Phases, ValuesLiveAcrossBarriers) {
    same_for_all_shapes(hash + pass_on + "add.u32 %c, %c, %d; st.global.u32 [%out], %c;");
}

TEST_F(Phases, BarriersInLoops) {
    same_for_all_shapes(
        hash + "mov.u32 %s0, 0;\nL:\n" + pass_on +
        "bar.sync 0; mad.lo.u32 %c, %d, 33, %c; add.u32 %s0, %s0, 1; setp.lt.u32 %p, %s0, %n; @%p bra L;\n"
        "st.global.u32 [%out], %c;");
}

TEST_F(Phases, ThreadsThatLeaveEarly) {
    same_for_all_shapes(hash + "setp.ge.u32 %p, %t, %n; @%p ret;\n"
                               "bar.sync 0; add.u32 %c, %c, 7; bar.sync 0; st.global.u32 [%out], %c;");
}

TEST_F(Phases, DifferentBarriersOfOneName) {
    same_for_all_shapes(hash + "and.b32 %s0, %t, 64; setp.ne.u32 %p, %s0, 0; @%p bra M;\n"
                               "add.u32 %c, %c, 1; bar.sync 0; shl.b32 %c, %c, 1; bra E;\n"
                               "M: add.u32 %c, %c, 2; bar.sync 0; mul.lo.u32 %c, %c, 3;\nE: bar.sync 0;\n"
                               "st.global.u32 [%out], %c;");
}

TEST_F(Phases, Reductions) {
    same_for_all_shapes(hash +
                        "and.b32 %d, %c, 4; setp.ne.u32 %p, %d, 0;\nbar.red.popc.u32 %s0, 0, %p;\n"
                        "bar.red.and.pred %q, 0, %p; selp.u32 %s1, 1, 0, %q;\n"
                        "bar.red.or.pred %q, 1, %p; selp.u32 %s2, 2, 0, %q;\n"
                        "add.u32 %s0, %s0, %s1; add.u32 %s0, %s0, %s2; add.u32 %c, %c, %s0; st.global.u32 [%out], %c;");
}

TEST_F(Phases, ShufflesOfAllModes) {
    same_for_all_shapes(hash + "shfl.sync.down.b32 %s0|%p, %c, 5, 31, -1; shfl.sync.up.b32 %s1|%q, %c, %n, 0, -1;\n"
                               "selp.u32 %s2, %s0, 9, %p; selp.u32 %s3, %s1, 8, %q;\n"
                               "shfl.sync.bfly.b32 %s4, %s2, 3, 0x1807, -1; shfl.sync.idx.b32 %s5, %s3, %s4, 31, -1;\n"
                               "xor.b32 %c, %s4, %s5; st.global.u32 [%out], %c;");
}

TEST_F(Phases, WarpsOfTheirOwnWay) {
    // The first warp alone shuffles, in a loop whose length its lanes do not know of each other.
    same_for_all_shapes(hash + "setp.ge.u32 %p, %t, 32; @%p bra E; mov.u32 %s0, 0;\n"
                               "L: shfl.sync.idx.b32 %d, %c, %s0, 31, -1; add.u32 %c, %c, %d; add.u32 %s0, %s0, 1;\n"
                               "setp.lt.u32 %p, %s0, %n; @%p bra L;\nE: bar.sync 0; st.global.u32 [%out], %c;");
}

TEST_F(Phases, HalvesOfWarps) {
    same_for_all_shapes(hash + "setp.ge.u32 %p, %lane, 16; @%p bra M;\n"
                               "vote.sync.ballot.b32 %d, %p, 0xffff; redux.sync.add.u32 %s0, %c, 0xffff; bra E;\n"
                               "M: and.b32 %d, %c, 7; match.any.sync.b32 %s0, %d, 0xffff0000;\n"
                               "E: bar.warp.sync -1; add.u32 %c, %c, %s0; st.global.u32 [%out], %c;");
}

TEST_F(Phases, MasksInRegisters) {
    same_for_all_shapes(hash + "and.b32 %d, %lane, 24; mov.u32 %e, 255; shl.b32 %e, %e, %d;\n"
                               "shfl.sync.bfly.b32 %s0, %c, 1, 0x1f, %e; vote.sync.any.pred %q, %p, %e;\n"
                               "and.b32 %s2, %c, 1; setp.eq.u32 %p, %s2, 0; vote.sync.ballot.b32 %s1, %p, %e;\n"
                               "match.all.sync.b32 %s3|%q, %s2, %e; selp.u32 %s3, %s3, 5, %q;\n"
                               "add.u32 %c, %s0, %s1; add.u32 %c, %c, %s3; st.global.u32 [%out], %c;");
}

TEST_F(Phases, LanesThatHaveLeft) {
    // Whoever is over, or was never there, gives 0 to shuffles and counts in no vote.
    same_for_all_shapes(hash +
                        "add.u32 %s0, %n, 20; setp.ge.u32 %p, %lane, %s0; @%p ret; or.b32 %c, %c, 1;\n"
                        "shfl.sync.down.b32 %s1, %c, 4, 31, -1; shfl.sync.bfly.b32 %s2, %c, 16, 31, -1;\n"
                        "setp.ne.u32 %q, %s1, 0; vote.sync.ballot.b32 %s3, %q, -1; vote.sync.all.pred %q, %q, -1;\n"
                        "selp.u32 %s4, 3, 4, %q; redux.sync.or.b32 %s5, %c, -1; match.any.sync.b32 %s6, %s4, -1;\n"
                        "add.u32 %c, %s1, %s2; add.u32 %c, %c, %s3; mad.lo.u32 %c, %s4, %s5, %c;\n"
                        "xor.b32 %c, %c, %s6; st.global.u32 [%out], %c;");
}

TEST_F(Phases, LanesThatLeaveInALoop) {
    same_for_all_shapes(hash + "and.b32 %s1, %c, 15; mov.u32 %s0, 0;\n"
                               "L: activemask.b32 %d; xor.b32 %c, %c, %d; shfl.sync.up.b32 %e, %c, 1, 0, %d;\n"
                               "add.u32 %c, %c, %e; add.u32 %s0, %s0, 1; setp.gt.u32 %p, %s0, %s1; @%p bra E;\n"
                               "setp.lt.u32 %p, %s0, %n; @%p bra L;\nE: st.global.u32 [%out], %c;");
}

TEST_F(Phases, OneLaneForItsGroup) {
    // As compilers gather the atomics of a warp.
    same_for_all_shapes(hash +
                        "mov.u32 %e, sh; mov.u32 %s0, 0; st.shared.u32 [%e], %s0; bar.sync 0; and.b32 %s1, %c, 64;\n"
                        "setp.eq.u32 %p, %s1, 0; mov.u32 %s7, 99; @%p bra E;\n"
                        "activemask.b32 %d; brev.b32 %s2, %d; bfind.shiftamt.u32 %s2, %s2; popc.b32 %s3, %d;\n"
                        "setp.ne.u32 %p, %lane, %s2; @%p bra M; atom.shared.add.u32 %s4, [%e], %s3;\n"
                        "M: mov.u32 %s5, %lanemask_lt; and.b32 %s5, %s5, %d; popc.b32 %s5, %s5; brev.b32 %s6, %d;\n"
                        "clz.b32 %s6, %s6; shfl.sync.idx.b32 %s7, %s5, %s6, 31, %d; add.u32 %s7, %s7, %s5;\n"
                        "E: bar.sync 0; ld.shared.u32 %s0, [%e]; add.u32 %s7, %s7, %s0; st.global.u32 [%out], %s7;");
}

TEST_F(Phases, OneMeetingByTwoWays) {
    // Lanes meet in an operation, not in a line of code.
    same_for_all_shapes(hash + "and.b32 %d, %lane, 1; setp.eq.u32 %p, %d, 0; @%p bra M;\n"
                               "shfl.sync.bfly.b32 %s0, %c, 1, 31, -1; add.u32 %s0, %s0, 5; bra E;\n"
                               "M: shfl.sync.down.b32 %s0, %c, 3, 31, -1; mul.lo.u32 %s0, %s0, 3;\n"
                               "E: bar.sync 0; vote.sync.uni.pred %q, %p, -1; selp.u32 %s1, 7, 11, %q;\n"
                               "mad.lo.u32 %c, %s0, %s1, %c; st.global.u32 [%out], %c;");
}

TEST_F(Phases, WideValues) {
    same_for_all_shapes(hash +
                        ".reg .b64 %w, %v; mul.wide.u32 %w, %c, %c; .reg .b32 %lo, %hi;\n"
                        "mov.b64 {%lo, %hi}, %w; shfl.sync.down.b32 %lo, %lo, 8, 31, -1;\n"
                        "shfl.sync.down.b32 %hi, %hi, 8, 31, -1; mov.b64 %v, {%lo, %hi}; add.u64 %w, %w, %v;\n"
                        "and.b64 %v, %w, 3; match.any.sync.b64 %s0, %v, -1; match.all.sync.b64 %s1|%q, %v, -1;\n"
                        "selp.u32 %s2, 17, 0, %q; mov.b64 {%lo, %hi}, %w; add.u32 %c, %lo, %hi;\n"
                        "add.u32 %c, %c, %s0; add.u32 %c, %c, %s1; add.u32 %c, %c, %s2; st.global.u32 [%out], %c;");
}

TEST_F(Phases, GroupsThatMeetOneByOne) {
    // Half of the warp does three operations at once, the other half one after another, with other lanes each time.
    same_for_all_shapes(hash + "setp.ge.u32 %p, %lane, 16; @%p bra M;\n"
                               "vote.sync.ballot.b32 %s0, %p, 0xffff; shfl.sync.bfly.b32 %s1, %c, 1, 31, -1;\n"
                               "redux.sync.add.u32 %s2, %c, -1; shfl.sync.idx.b32 %s3, %a, 7, 31, -1; bra E;\n"
                               "M: shfl.sync.down.b32 %s1, %c, 2, 31, -1; add.u32 %c, %c, %s1; mov.u32 %s0, 0;\n"
                               "redux.sync.add.u32 %s2, %c, -1; add.u32 %a, %a, %s2;\n"
                               "shfl.sync.up.b32 %s3, %a, 5, 0, -1;\n"
                               "E: bar.sync 0; mad.lo.u32 %c, %s1, 3, %c; mad.lo.u32 %c, %s2, 5, %c;\n"
                               "mad.lo.u32 %c, %s3, 7, %c; add.u32 %c, %c, %s0; st.global.u32 [%out], %c;");
}

TEST_F(Phases, Reduxes) {
    std::string body = hash;
    for (const char* operation :
         {"add.s32", "min.s32", "max.s32", "min.u32", "max.u32", "and.b32", "or.b32", "xor.b32"})
        body += std::string("redux.sync.") + operation + " %d, %c, -1; mad.lo.u32 %c, %c, 31, %d;\n";
    same_for_all_shapes(body + "st.global.u32 [%out], %c;");
}

TEST_F(Phases, ManyOperations) {
    // So many that slots lie together by warps. Halves of warps go ways of their own in between.
    std::string body = hash + "st.local.u32 [loc], %t; setp.ge.u32 %p, %lane, 16; mov.u32 %s4, 0xffff;\n"
                              "selp.u32 %s4, 0xffff0000, %s4, %p;\n";
    for (int i = 1; i <= 14; ++i) {
        const std::string n = std::to_string(i);
        body += "shfl.sync.bfly.b32 %s0|%q, %c, " + n + ", 31, -1; mad.lo.u32 %c, %s0, 3, %c; @%q add.u32 %c, %c, 1;\n";
        if (i % 5 == 0)
            body += "@%p bra M" + n + "; redux.sync.add.u32 %s1, %c, %s4; add.u32 %c, %c, %s1; bra E" + n + ";\nM" + n +
                    ": redux.sync.max.u32 %s1, %c, %s4; xor.b32 %c, %c, %s1;\nE" + n + ":\n";
        if (i % 7 == 0)
            body += "bar.red.popc.u32 %s2, 0, %q; add.u32 %c, %c, %s2; ld.local.u32 %s3, [loc]; add.u32 %c, %c, %s3;\n"
                    "st.local.u32 [loc], %c;\n";
    }
    same_for_all_shapes(body + "ld.local.u32 %s3, [loc]; xor.b32 %c, %c, %s3; st.global.u32 [%out], %c;");
}

TEST_F(Phases, MatrixProducts) {
    // All lanes of all warps are there.
    const std::string body =
        hash +
        ".reg .b32 %f<4>; and.b32 %s0, %c, 0x03ff03ff; and.b32 %s1, %a, 0x03ff03ff; or.b32 %s0, %s0, 0x38003800;\n"
        "mov.b32 %f0, 0f3f800000; mov.b32 %f1, 0f40000000; mov.b32 %f2, 0f40400000; mov.b32 %f3, 0f40800000;\n"
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {%s0, %s1}, {%s0}, "
        "{%f0, %f1, %f2, %f3};\n"
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3}, {%s1, %s0}, {%s1}, "
        "{%f0, %f1, %f2, %f3};\n"
        "xor.b32 %c, %f0, %f1; mad.lo.u32 %c, %f2, 3, %c; mad.lo.u32 %c, %f3, 5, %c; st.global.u32 [%out], %c;";
    for (const Shape shape : {Shape{32, 1, 1}, {64, 2, 1}, {8, 8, 2}})
        EXPECT_EQ(run(body, shape, 3, false), run(body, shape, 3, true)) << shape.x;
}

TEST_F(Phases, VariablesOfThreads) {
    same_for_all_shapes(hash +
                        "and.b32 %d, %t, 7; shl.b32 %d, %d, 2; .reg .b64 %l, %m; mov.u64 %l, loc; cvt.u64.u32 %m, %d;\n"
                        "add.u64 %m, %m, %l; st.local.u32 [%l], %n; st.local.u32 [%m], %c; bar.sync 0;\n"
                        "ld.local.u32 %s0, [%m]; ld.local.u32 %s1, [%l]; bar.sync 0; add.u32 %s0, %s0, %s1;\n"
                        "st.local.u32 [%m], %s0; bar.sync 0; ld.local.u32 %c, [%m]; st.global.u32 [%out], %c;");
}

TEST_F(Phases, SharedAtomicsBetweenBarriers) {
    same_for_all_shapes(hash +
                        "mov.u32 %e, sh; and.b32 %d, %t, 3; shl.b32 %d, %d, 2; add.u32 %e, %e, %d; mov.u32 %s0, 0;\n"
                        "st.shared.u32 [%e], %s0; bar.sync 0; atom.shared.add.u32 %s1, [%e], %n; bar.sync 0;\n"
                        "ld.shared.u32 %s2, [%e]; st.global.u32 [%out], %s2;");
}

/// Thread %t waits for what its neighbour %s0 has put into sh[%s0], unless that is none of 0 to %s1 - 1.
const std::string wait_for_neighbour =
    "mov.u32 %e, sh; mad.lo.u32 %d, %t, 4, %e; mad.lo.u32 %s2, %s0, 4, %e; mov.u32 %s3, 0; st.shared.u32 [%d], %s3;\n"
    "bar.sync 0; mov.u32 %c, %n; setp.ge.u32 %p, %s0, %s1; @%p bra GO;\n"
    "WAIT: ld.volatile.shared.u32 %c, [%s2]; setp.eq.u32 %q, %c, 0; @%q bra WAIT;\n"
    "GO: add.u32 %c, %c, 3; st.volatile.shared.u32 [%d], %c; bar.sync 0; st.global.u32 [%out], %c;";

TEST_F(Phases, ThreadsThatWaitForThoseBefore) {
    same_for_all_shapes("sub.u32 %s0, %t, 1; mov.u32 %s1, %b;" + wait_for_neighbour);
}

TEST_F(Phases, ThreadsThatWaitForThoseBehind) {
    same_for_all_shapes("add.u32 %s0, %t, 1; mov.u32 %s1, %b;" + wait_for_neighbour);
}

// They vote whether to go on waiting, and sleep.
TEST_F(Phases, WarpsThatWaitForWarps) {
    same_for_all_shapes(
        "mov.u32 %e, sh; mad.lo.u32 %d, %t, 4, %e; mov.u32 %s3, 0; st.shared.u32 [%d], %s3; bar.sync 0;\n"
        "sub.u32 %s0, %b, 1; setp.ne.u32 %p, %t, %s0; @%p bra WAIT; st.volatile.shared.u32 [%e], %n;\n"
        "WAIT: ld.volatile.shared.u32 %c, [%e]; setp.ne.u32 %q, %c, 0; nanosleep.u32 20;\n"
        "vote.sync.any.pred %p, %q, 0xffffffff; @!%p bra WAIT;\n"
        "bar.sync 0; ld.shared.u32 %c, [%e]; st.global.u32 [%out], %c;");
}

TEST_F(Phases, LocksAndExchanges) {
    // sh[0] is the lock of sh[1]; sh[2] is a sum by compare-and-swap.
    same_for_all_shapes(
        "mov.u32 %e, sh; mov.u32 %s3, 0; setp.ne.u32 %p, %t, 0; @%p bra BEGIN; st.shared.u32 [%e], %s3;\n"
        "st.shared.u32 [%e + 4], %s3; st.shared.u32 [%e + 8], %s3; BEGIN: bar.sync 0;\n"
        "LOCK: atom.shared.cas.b32 %c, [%e], 0, 1; setp.ne.u32 %p, %c, 0; @%p bra LOCK; membar.cta;\n"
        "ld.volatile.shared.u32 %d, [%e + 4]; add.u32 %d, %d, %n; st.volatile.shared.u32 [%e + 4], %d; membar.cta;\n"
        "atom.shared.exch.b32 %c, [%e], 0; ld.shared.u32 %s0, [%e + 8];\n"
        "SWAP: mov.u32 %s1, %s0; mad.lo.u32 %s2, %t, 5, %s1; atom.shared.cas.b32 %s0, [%e + 8], %s1, %s2;\n"
        "setp.ne.u32 %p, %s0, %s1; @%p bra SWAP; bar.sync 0;\n"
        "ld.shared.u32 %d, [%e + 4]; ld.shared.u32 %s0, [%e + 8]; add.u32 %d, %d, %s0; st.global.u32 [%out], %d;");
}

TEST_F(Phases, BlocksThatWaitForBlocks) {
    // The last thread of each waits for what the last of the block before leaves in its word.
    same_for_all_shapes("sub.u32 %s0, %b, 1; setp.ne.u32 %p, %t, %s0; mov.u32 %c, %t; @%p bra GO;\n"
                        "mov.u32 %s1, %ctaid.x; setp.eq.u32 %p, %s1, 0; mov.u32 %c, %n; @%p bra GO;\n"
                        "mul.wide.u32 %o, %b, 4; sub.u64 %o, %out, %o;\n"
                        "WAIT: ld.volatile.global.u32 %c, [%o]; setp.eq.u32 %p, %c, 0xcdcdcdcd; @%p bra WAIT; "
                        "mad.lo.u32 %c, %c, 3, 1;\n"
                        "GO: st.volatile.global.u32 [%out], %c; bar.sync 0;");
}

TEST_F(Phases, ThreadsThatWaitForEverAreReported) {
    EXPECT_STATUS(launch_failed, ends_with("setp.lt.u32 %p, %t, 5; @%p bra E; bar.sync 0; bra F; E: bar.sync 1; "
                                           "F: st.global.u32 [%out], %t;",
                                           1));
}

// Where phases follow each other without the runner, they look for that themselves.
TEST_F(Phases, BlocksThatMeetForEverStopWithTheirLaunch) {
    EXPECT_STATUS(launch_failed,
                  ends_with("mov.u32 %s0, %ctaid.x; setp.eq.u32 %p, %s0, 1; @%p trap;\n"
                            "L: bar.sync 0; add.u32 %t, %t, 1; st.global.u32 [%out], %t; bar.sync 0; bra L;",
                            2));
}

// Blocks without barriers run many to a call; what fails among them is still known.
TEST_F(Phases, AFaultAmongManyBlocksNamesItsBlock) {
    fails_in_block_3001("selp.b64 %out, 64, %out, %p; st.global.u32 [%out], %t;", rt::Status::illegal_address);
}

TEST_F(Phases, ATrapAmongManyBlocksNamesItsBlock) {
    fails_in_block_3001("setp.eq.and.u32 %q, %t, 5, %p; @%q trap; st.global.u32 [%out], %t;",
                        rt::Status::launch_failed);
}

} // namespace
