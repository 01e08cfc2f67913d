// Accesses that together take what lies side by side, against threads one after another.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& text) { expect_same_memory(text, {{64, 1}}); }

/// The first row's threads add and subtract pairs of words `half` behind each other, by pairs of a table, as a Fourier
/// transform does.
std::string butterflies(unsigned half) {
    const std::string low = std::to_string(half - 1), far = std::to_string(8 * half),
                      way = std::to_string(128 / half * 8);
    return kernel(R"(
  %own = shl i32 %i, 4
  %sp = inttoptr i32 %own to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %sp
  %sp4 = getelementptr i8, ptr addrspace(3) %sp, i32 4
  store i32 %i, ptr addrspace(3) %sp4
  %sp8 = getelementptr i8, ptr addrspace(3) %sp, i32 8
  %pair = insertelement <2 x i32> poison, i32 %n, i64 0
  %both = insertelement <2 x i32> %pair, i32 %v, i64 1
  store <2 x i32> %both, ptr addrspace(3) %sp8
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %top = icmp eq i32 %y, 0
  br i1 %top, label %work, label %end
work:
  %twice = shl i32 %x, 1
  %k = and i32 %x, )" +
                  low + R"(
  %pos = sub i32 %twice, %k
  %pos.b = shl i32 %pos, 3
  %a.p = inttoptr i32 %pos.b to ptr addrspace(3)
  %pos.c = add i32 %pos.b, )" +
                  far + R"(
  %b.p = inttoptr i32 %pos.c to ptr addrspace(3)
  %k.b = mul i32 %k, )" +
                  way + R"(
  %k.c = and i32 %k.b, 255
  %k.w = zext i32 %k.c to i64
  %w.n = add i64 %in, %k.w
  %w.p = inttoptr i64 %w.n to ptr addrspace(1)
  %w2 = load <2 x i32>, ptr addrspace(1) %w.p
  %a = load <2 x i32>, ptr addrspace(3) %a.p
  %b = load <2 x i32>, ptr addrspace(3) %b.p
  %product = mul <2 x i32> %b, %w2
  %sum = add <2 x i32> %a, %product
  %rest = sub <2 x i32> %a, %product
  store <2 x i32> %sum, ptr addrspace(3) %a.p
  store <2 x i32> %rest, ptr addrspace(3) %b.p
  br label %end
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %mine = load <2 x i32>, ptr addrspace(3) %sp8
  %first = load i32, ptr addrspace(3) %sp
  %all = insertelement <2 x i32> %mine, i32 %first, i64 0
  store <2 x i32> %all, ptr addrspace(1) %o
  ret void
)");
}

TEST(HostTileBundles, Butterflies) {
    for (const unsigned half : {1u, 2u, 4u, 8u, 16u, 32u}) {
        SCOPED_TRACE(half);
        expect_same(butterflies(half));
    }
}

/// No element goes alone where registers can be shuffled.
TEST(HostTileBundles, NothingGoesLaneByLane) {
    for (const char* cpu : {"host:haswell", "host:sapphirerapids"})
        for (const unsigned half : {1u, 4u, 32u}) {
            SCOPED_TRACE(std::string(cpu) + " " + std::to_string(half));
            ptx::Target target = ptx::Target::parse(cpu);
            target.divide(64, 1);
            std::string assembly;
            compile(butterflies(half), target, {.phases = true, .warp = 1},
                    [&](std::string_view stage, const std::string& text) {
                        if (stage == "assembly") assembly = text;
                        return true;
                    });
            EXPECT_TRUE(assembly.find("%ymm") != assembly.npos || assembly.find("%zmm") != assembly.npos);
            for (const char* one : {"vextractps", "vpextrd", "scatter", "gather"})
                EXPECT_EQ(assembly.find(one), std::string::npos) << one;
        }
}

/// Structures of three words, all of which or some are stored; of doubles; and of two and one.
TEST(HostTileBundles, Structures) {
    const auto one = [](const char* load, const char* type, unsigned size, const char* stores) {
        const std::string t = type, s = std::to_string(size);
        return kernel(
            "  call void @cuttle.barrier.sync(i32 0, i32 0)\n  %low = and i32 %x, 7\n  %from = mul i32 %low, " +
            std::to_string(3 * size) +
            "\n  %from.w = zext i32 %from to i64\n  %from.n = add i64 %in, %from.w\n"
            "  %f = inttoptr i64 %from.n to ptr addrspace(1)\n"
            "  %f1 = getelementptr i8, ptr addrspace(1) %f, i64 " +
            s +
            "\n"
            "  %f2 = getelementptr i8, ptr addrspace(1) %f, i64 " +
            std::to_string(2 * size) +
            "\n"
            "  %to = mul i32 %x, " +
            std::to_string(3 * size) +
            "\n  %to.c = and i32 %to, 4095\n"
            "  %t = inttoptr i32 %to.c to ptr addrspace(3)\n"
            "  %t1 = getelementptr i8, ptr addrspace(3) %t, i32 " +
            s +
            "\n"
            "  %t2 = getelementptr i8, ptr addrspace(3) %t, i32 " +
            std::to_string(2 * size) +
            "\n"
            "  %a = " +
            load + " " + t + ", ptr addrspace(1) %f\n  %b = load " + t + ", ptr addrspace(1) %f1\n  %c = load " + t +
            ", ptr addrspace(1) %f2\n" + stores +
            "  call void @cuttle.barrier.sync(i32 0, i32 0)\n  %again = load i32, ptr addrspace(3) %t1\n"
            "  store i32 %again, ptr addrspace(1) %o8\n  ret void\n");
    };
    const auto stores = [](const char* type, bool all) {
        const std::string t = type;
        return "  store " + t + " %a, ptr addrspace(3) %t\n" +
               (all ? "  store " + t + " %c, ptr addrspace(3) %t1\n" : "") + "  store " + t +
               " %b, ptr addrspace(3) %t2\n";
    };
    expect_same(one("load", "i32", 4, stores("i32", true).c_str()));
    expect_same(one("load", "i32", 4, stores("i32", false).c_str()));
    expect_same(one("load volatile", "float", 4, stores("float", true).c_str()));
    expect_same(one("load", "double", 8, stores("double", true).c_str()));
    expect_same(one("load", "i64", 8, stores("i64", false).c_str()));
}

/// Which NaN it is that is stored next to other words.
TEST(HostTileBundles, NansStayWhatTheyAre) {
    expect_same(kernel(R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %f = sitofp i32 %v to float
  %negative = fneg float %f
  %root = call float @llvm.sqrt.f32(float %negative)
  %nan = fcmp uno float %root, %root
  %bits = bitcast float %root to i32
  %right = select i1 %nan, i32 2143289344, i32 %bits
  %value = bitcast i32 %right to float
  store float %value, ptr addrspace(1) %o
  store i32 %v, ptr addrspace(1) %o4
  store float %f, ptr addrspace(1) %o8
  %o12 = getelementptr i8, ptr addrspace(1) %o, i64 12
  store float %value, ptr addrspace(1) %o12
  ret void
)") + "declare float @llvm.sqrt.f32(float)\n");
}

/// What is stored in between, and where lanes or stores meet.
TEST(HostTileBundles, OrderIsKept) {
    const auto one = [](const char* scale, const std::string& accesses) {
        return kernel(R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %part = lshr i32 %x, )" +
                      std::string(scale) + R"(
  %twice = shl i32 %part, 3
  %pair = inttoptr i32 %twice to ptr addrspace(3)
  %p4 = getelementptr i8, ptr addrspace(3) %pair, i32 4
  %near = shl i32 %x, 2
  %back = inttoptr i32 %near to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %pair
  store i32 %x, ptr addrspace(3) %p4
)" + accesses + R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %last = load i32, ptr addrspace(3) %back
  store i32 %last, ptr addrspace(1) %o
  ret void
)");
    };
    // The same word twice; and lanes that share a pair, of which the last one's is left.
    expect_same(one("0", "  store i32 7, ptr addrspace(3) %pair\n"));
    expect_same(one("1", ""));
    // Loads between stores, and stores between loads.
    expect_same(one("0", R"(
  %a = load i32, ptr addrspace(3) %p4
  %b = load i32, ptr addrspace(3) %pair
  %ab = add i32 %a, %b
  store i32 %ab, ptr addrspace(3) %p4
  %c = load i32, ptr addrspace(3) %p4
  store i32 %c, ptr addrspace(3) %pair
  store i32 %b, ptr addrspace(1) %o8
  store i32 %c, ptr addrspace(1) %o4
)"));
}

} // namespace
