// Phases that differ in constants alone, as those of unrolled loops do, against threads one after another.
#include "tiles_and_threads.h"

#include <functional>

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

constexpr unsigned sorted = 128, steps = 28;

/// A number in words of 4 bytes.
std::string place(const std::string& name, const std::string& index) {
    return "  %" + name + ".b = shl i32 " + index + ", 2\n  %" + name + " = inttoptr i32 %" + name +
           ".b to ptr addrspace(3)\n";
}

/// Sorts in shared memory, unrolled, so many words for each half as many threads. `more` is what else a step does, of
/// its number.
std::string sort(const std::function<std::string(unsigned)>& more) {
    std::string text = place("own", "%i") + "  store i32 %v, ptr addrspace(3) %own\n  %far = add i32 %i, 200\n" +
                       place("other", "%far") + "  store i32 %i, ptr addrspace(3) %other\n  br label %step0\n";
    unsigned step = 0;
    for (unsigned size = 2; size <= sorted; size *= 2)
        for (unsigned way = size / 2; way > 0; way /= 2, ++step) {
            const std::string s = std::to_string(step), next = std::to_string(step + 1);
            text += "step" + s + ":\n  call void @cuttle.barrier.sync(i32 0, i32 0)\n  %twice" + s +
                    " = shl i32 %i, 1\n  %low" + s + " = and i32 %i, " + std::to_string(way - 1) + "\n  %pos" + s +
                    " = sub i32 %twice" + s + ", %low" + s + "\n" + place("a" + s, "%pos" + s) + "  %end" + s +
                    " = add i32 %pos" + s + ", " + std::to_string(way) + "\n" + place("b" + s, "%end" + s) + "  %x" +
                    s + " = load i32, ptr addrspace(3) %a" + s + "\n  %y" + s + " = load i32, ptr addrspace(3) %b" + s +
                    "\n  %bit" + s + " = and i32 %i, " + std::to_string(size / 2) + "\n  %up" + s +
                    " = icmp eq i32 %bit" + s + ", 0\n  %greater" + s + " = icmp ugt i32 %x" + s + ", %y" + s +
                    "\n  %swap" + s + " = xor i1 %up" + s + ", %greater" + s + "\n" + more(step) + "  br i1 %swap" + s +
                    ", label %step" + next + ", label %do" + s + "\ndo" + s + ":\n  store i32 %y" + s +
                    ", ptr addrspace(3) %a" + s + "\n  store i32 %x" + s + ", ptr addrspace(3) %b" + s +
                    "\n  br label %step" + next + "\n";
        }
    return kernel(text + "step" + std::to_string(steps) +
                  ":\n  call void @cuttle.barrier.sync(i32 0, i32 0)\n  %last = load i32, ptr addrspace(3) %own\n"
                  "  store i32 %last, ptr addrspace(1) %o\n  ret void\n");
}

std::string nothing(unsigned) { return {}; }

ptx::Target haswell() {
    ptx::Target target = ptx::Target::parse("host:haswell");
    target.divide(64, 1);
    return target;
}

TEST(HostTileAlike, StepsOfASort) { expect_same_memory(sort(nothing), {{64, 1}, {16, 16}}); }

/// Numbers that each thread keeps and makes another one of in each step, by constants of all kinds.
TEST(HostTileAlike, ConstantsOfAllKinds) {
    const auto more = [](unsigned step) {
        const std::string s = std::to_string(step), before = step ? "%sum" + std::to_string(step - 1) : "%v";
        const char* operations[] = {"add", "xor", "mul", "lshr", "urem"};
        return "  %part" + s + " = and i32 %i, " + std::to_string(step % 7) + "\n  %scaled" + s + " = mul i32 %part" +
               s + ", " + std::to_string(step % 5 + 1) + "\n  %sum" + s + " = " + operations[step % 11 % 5] + " i32 " +
               before + ", " + std::to_string(step % 9 + 3) + "\n  %all" + s + " = add i32 %sum" + s + ", %scaled" + s +
               "\n  %place" + s + " = getelementptr i8, ptr addrspace(3) %other, i32 " + std::to_string(1024 + step) +
               "\n  store i32 %all" + s + ", ptr addrspace(3) %place" + s + ", align 1\n";
    };
    expect_same_memory(sort(more), {{64, 1}});
}

/// They cost LLVM no more than few phases, so they may be in tiles where that must pay.
TEST(HostTileAlike, FewFunctionsForManyPhases) {
    const auto image = compile(sort(nothing), haswell(), {.phases = true, .warp = 2});
    EXPECT_GT(image.kernels.at(0).phases, steps);
    EXPECT_EQ(image.kernels.at(0).tile_columns, 32u);
    EXPECT_GT(image.kernels.at(0).local_bytes, 384u) << "with what is called";
    const std::string code = optimized(sort(nothing), haswell(), {.phases = true, .warp = 1});
    EXPECT_LT(count(code, "define internal { i32, i32 }"), steps / 2) << "threads that are left over";
    EXPECT_LT(count(code, "define internal i32"), steps) << "steps";
}

/// Masked stores are slow where masks have no registers of their own; all lanes have loaded what is there.
TEST(HostTileAlike, WhatIsStoredBackIsNotMasked) {
    std::string assembly;
    compile(sort(nothing), haswell(), {.phases = true, .warp = 1},
            [&](std::string_view stage, const std::string& text) {
                if (stage == "assembly") assembly = text;
                return true;
            });
    EXPECT_NE(assembly.find("vpcmp"), std::string::npos);
    EXPECT_EQ(assembly.find("vpmaskmov"), std::string::npos);
    EXPECT_EQ(assembly.find("vmaskmov"), std::string::npos);
    const std::string code = optimized(sort(nothing), haswell(), {.phases = true, .warp = 1});
    EXPECT_NE(code.find("xor <32 x i32>"), std::string::npos) << "LLVM makes bytes of masks of bits";
}

/// LLVM 22 makes a shift of bits k.. with zeros behind them, which brings in the bits that come next (AVX-512).
TEST(HostTileAlike, NoZerosAreShuffledIntoBitMasks) {
    ptx::Target target = ptx::Target::parse("host:sapphirerapids");
    target.divide(64, 1);
    const std::string code = optimized(sort(nothing), target, {.phases = true, .warp = 1});
    EXPECT_NE(code.find("shufflevector <32 x i1>"), std::string::npos);
    EXPECT_EQ(code.find(", <32 x i1> <i1 false"), std::string::npos);
}

} // namespace
