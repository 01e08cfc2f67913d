// Indices that loops count, against threads one after another.
#include "llvm_to_code/host.h"
#include "tiles_and_threads.h"

#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& text) { expect_same_memory(text, {{64, 1}, {16, 16}, {8, 8}}); }

/// Of its tiles of 32 threads, as LLVM leaves it.
std::string optimized(const std::string& text) {
    ptx::Target target = ptx::Target::parse("host:haswell");
    target.divide(64, 1);
    llvm::LLVMContext context;
    llvm::SMDiagnostic problem;
    std::string result;
    const auto keep = [&](std::string_view stage, const std::string& dump) {
        if (stage == "optimized") result = dump;
        return stage != "optimized";
    };
    ptx::compile_host(llvm::parseAssemblyString(std::string(declarations()) + text, problem, context), named({"k"}),
                      target, {.phases = true, .warp = true}, keep);
    return result;
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
        const std::string code = optimized(text);
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

} // namespace
