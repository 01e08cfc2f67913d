// Indices that loops count, and blocks one after another, against threads one after another.
#include "tiles_and_threads.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& text) { expect_same_memory(text, {{64, 1}, {16, 16}, {8, 8}}); }

/// Of its tiles of 32 threads, as LLVM leaves it.
std::string in_tiles(const std::string& text) {
    ptx::Target target = ptx::Target::parse("host:haswell");
    target.divide(64, 1);
    return optimized(text, target, {.phases = true, .warp = 1});
}

/// A loop of n / 32 rounds, three, in which thread i's index goes from `start` on by n + 92, 192. `body` has its sum
/// with 64 bits %wide, the address of the output's word of that number %a, and the round %k.
std::string counting(const std::string& start, const std::string& extend, const std::string& body) {
    return kernel(R"(
  %rounds = lshr i32 %n, 5
  %step = add i32 %n, 92
  %some = icmp sgt i32 %n, 31
  br i1 %some, label %before, label %end
before:
)" + start + R"(
  br label %loop
loop:
  %k = phi i32 [ 0, %before ], [ %k.next, %next ]
  %index = phi i32 [ %start.index, %before ], [ %index.next, %next ]
)" + extend + R"(
  %b = shl i64 %wide, 2
  %a.w = add i64 %out, %b
  %a = inttoptr i64 %a.w to ptr addrspace(1)
)" + body + R"(
  br label %next
next:
  %index.next = add i32 %index, %step
  %k.next = add i32 %k, 1
  %last = icmp eq i32 %k.next, %rounds
  br i1 %last, label %end, label %loop
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  ret void
)");
}

const std::string from_i = "  %start.index = add i32 %i, 0\n";

TEST(HostTileLoops, CountedIndices) {
    const std::string store = "  %sum = add i32 %v, %k\n  store i32 %sum, ptr addrspace(1) %a\n";
    for (const char* extend : {"sext", "zext"}) {
        const std::string text = counting(from_i, "  %wide = " + std::string(extend) + " i32 %index to i64\n", store);
        expect_same(text);
        // What wraps around is asked at the beginning, so no lane is stored alone but in the code of threads alone.
        const std::string code = in_tiles(text);
        EXPECT_NE(code.find("store <32 x i32>"), std::string::npos);
        EXPECT_EQ(code.find("extractelement"), std::string::npos);
        EXPECT_EQ(code.find("llvm.cttz"), std::string::npos);
    }
    expect_same(counting(from_i, R"(
  %index.3 = sub i32 %index, 3
  %near = sext i32 %index.3 to i64
  %wide = add i64 %near, 3
)",
                         store));
}

/// Some lanes come to where 32 bits end, in some round, and those that do store nothing.
TEST(HostTileLoops, IndicesThatWrapAround) {
    for (const char* first : {"2147483508", "2147483128", "2147483647"})
        expect_same(counting("  %start.index = add i32 %i, " + std::string(first) + "\n", R"(
  %whole = sext i32 %index to i64
  %wide = sub i64 %whole, )" + std::string(first) + "\n",
                             R"(
  %positive = icmp sgt i32 %index, 0
  br i1 %positive, label %store, label %next
store:
  %sum = add i32 %v, %k
  store i32 %sum, ptr addrspace(1) %a
)"));
}

/// From the block that the Lane names on.
TEST(HostTileLoops, BlocksThatFollow) {
    const std::string text = kernel(R"(
  %bx = call i32 @cuttle.sreg.ctaid.x()
  %by = call i32 @cuttle.sreg.ctaid.y()
  %bz = call i32 @cuttle.sreg.ctaid.z()
  %y3 = mul i32 %by, 3
  %z6 = mul i32 %bz, 6
  %xy = add i32 %bx, %y3
  %b = add i32 %xy, %z6
  %b64 = mul i32 %b, 64
  %number = add i32 %b64, %i
  %w.n = sext i32 %number to i64
  %w.b = shl i64 %w.n, 2
  %w.a = add i64 %out, %w.b
  %w.p = inttoptr i64 %w.a to ptr addrspace(1)
  %sum = add i32 %v, %b
  store i32 %sum, ptr addrspace(1) %w.p
  ret void
)") + "declare i32 @cuttle.sreg.ctaid.y() #0\ndeclare i32 @cuttle.sreg.ctaid.z() #0\n";
    for (bool warp : {false, true}) {
        ptx::Target target = ptx::Target::parse("host");
        target.divide(64, 1);
        const Code code(text, target, {.phases = true, .warp = warp});
        Surroundings around;
        std::vector<uint32_t> in(64, 1000), out(64 * 12, 7);
        around.set_parameters(in.data(), out.data(), 100u);
        const uint32_t grid[3] = {3, 2, 2}, block[3] = {64, 1, 1};
        std::copy_n(grid, 3, around.grid.grid_dim);
        std::copy_n(block, 3, around.grid.block_dim);
        around.lane.block[0] = 2;
        around.lane.more = 8;
        code.run_block("k", around.lane);
        for (uint32_t i = 0; i < out.size(); i++) EXPECT_EQ(out[i], i / 64 < 2 || i / 64 > 10 ? 7 : 1000 + i / 64) << i;
        EXPECT_EQ(around.lane.more, 0u);
        EXPECT_EQ(std::vector<uint32_t>(around.lane.block, around.lane.block + 3), (std::vector<uint32_t>{1, 1, 1}));
    }
}

/// What is the same in a row need not be kept for the next of its tiles, as in many blocks there is none.
TEST(HostTileLoops, OneLoopOverAllRows) {
    const std::string text = kernel(R"(
  store i32 %v, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %o2 = getelementptr i8, ptr addrspace(1) %o, i64 4
  store i32 %y, ptr addrspace(1) %o2
  ret void
)");
    for (const auto& [x, y] : {std::pair{16u, 3u}, {16u, 16u}, {32u, 4u}}) {
        ptx::Target target = ptx::Target::parse("host:haswell");
        target.divide(x, y);
        const std::string code = optimized(text, target, {.phases = true, .warp = 1});
        llvm::LLVMContext context;
        llvm::SMDiagnostic error;
        const auto module = llvm::parseAssemblyString(code, error, context);
        ASSERT_TRUE(module) << error.getMessage().str();
        llvm::Function* phases = module->getFunction("k.kernel.phases");
        ASSERT_NE(phases, nullptr);
        llvm::DominatorTree dominators(*phases);
        const llvm::LoopInfo loops(dominators);
        EXPECT_EQ(loops.getTopLevelLoops().size(), 2u) << target.name();
        for (const llvm::Loop* loop : loops) EXPECT_TRUE(loop->isInnermost()) << target.name();
    }
}

} // namespace
