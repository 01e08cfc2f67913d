// Loads and stores of lanes at constant distances, against threads one after another.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& text) { expect_same_memory(text, {{64, 1}}); }

/// Addresses at constant distances that are no strides: pairs to be compared in a sort, in shared and global memory.
TEST(HostTilePatterns, AddressesAtConstantDistances) {
    for (const unsigned step : {1u, 2u, 8u, 16u}) {
        const std::string low = std::to_string(step - 1), far = std::to_string(4 * step);
        expect_same(kernel(R"(
  %own = shl i32 %i, 2
  %sp = inttoptr i32 %own to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %sp
  %i2 = add i32 %i, 256
  %own2 = shl i32 %i2, 2
  %sp2 = inttoptr i32 %own2 to ptr addrspace(3)
  store i32 %i, ptr addrspace(3) %sp2
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %twice = shl i32 %i, 1
  %bits = and i32 %i, )" + low + R"(
  %pos = sub i32 %twice, %bits
  %pos.b = shl i32 %pos, 2
  %a.p = inttoptr i32 %pos.b to ptr addrspace(3)
  %pos.c = add i32 %pos.b, )" + far + R"(
  %b.p = inttoptr i32 %pos.c to ptr addrspace(3)
  %a = load i32, ptr addrspace(3) %a.p
  %b = load i32, ptr addrspace(3) %b.p
  %turn = icmp ugt i32 %a, %b
  br i1 %turn, label %swap, label %rest
swap:
  store i32 %b, ptr addrspace(3) %a.p
  store i32 %a, ptr addrspace(3) %b.p
  br label %rest
rest:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %flip = xor i32 %i, 5
  %flip.w = zext i32 %flip to i64
  %flip.b = shl i64 %flip.w, 2
  %flip.a = add i64 %in, %flip.b
  %flip.p = inttoptr i64 %flip.a to ptr addrspace(1)
  %g = load i32, ptr addrspace(1) %flip.p
  %flip.s = shl i32 %flip, 3
  %flip.t = inttoptr i32 %flip.s to ptr addrspace(3)
  %h = load i32, ptr addrspace(3) %flip.t
  %gh = add i32 %g, %h
  store i32 %gh, ptr addrspace(1) %o
  ret void
)"));
    }
}

/// What each lane's address is a multiple of, addresses between are not.
TEST(HostTilePatterns, AddressesOfManyBytes) {
    expect_same(kernel(R"(
  %near = and i32 %x, 31
  %near.w = zext i32 %near to i64
  %near.b = shl i64 %near.w, 4
  %near.a = add i64 %in, %near.b
  %a.p = inttoptr i64 %near.a to ptr addrspace(1)
  %a = load i32, ptr addrspace(1) %a.p, align 16
  %own = shl i32 %near, 4
  %sp = inttoptr i32 %own to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %sp, align 16
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %b = load i32, ptr addrspace(3) %sp, align 16
  %ab = xor i32 %a, %b
  store i32 %ab, ptr addrspace(1) %o
  ret void
)"));
}

/// Numbers that wrap around in their type, and lanes that are not there.
TEST(HostTilePatterns, NumbersThatWrapAround) {
    expect_same(kernel(R"(
  %narrow = trunc i32 %x to i8
  %n4 = shl i8 %narrow, 4
  %n4.w = zext i8 %n4 to i64
  %n4.b = lshr i64 %n4.w, 2
  %n4.a = and i64 %n4.b, 60
  %a.n = add i64 %in, %n4.a
  %a.p = inttoptr i64 %a.n to ptr addrspace(1)
  %a = load i32, ptr addrspace(1) %a.p
  store i32 %a, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %some = icmp ult i32 %a, %v
  br i1 %some, label %work, label %end
work:
  %odd = or i32 %x, 3
  %near = sub i32 %odd, 2
  %near.b = shl i32 %near, 2
  %s.p = inttoptr i32 %near.b to ptr addrspace(3)
  store i32 %near, ptr addrspace(3) %s.p
  %f = xor i32 %x, 12
  %f.m = and i32 %f, -3
  %f.b = shl i32 %f.m, 3
  %f.s = add i32 %f.b, 1024
  %f.p = inttoptr i32 %f.s to ptr addrspace(3)
  store i32 7, ptr addrspace(3) %f.p
  br label %end
end:
  ret void
)"));
}

/// Lanes' numbers turned round, as a Fourier transform begins: their bits come above those that lanes have in common.
TEST(HostTilePatterns, BitsTurnedRound) {
    for (const char* shift : {"lshr", "ashr"})
        expect_same(kernel(R"(
  %turned = call i32 @llvm.bitreverse.i32(i32 %x)
  %far = )" + std::string(shift) + R"( i32 %turned, 20
  %place = and i32 %far, 4088
  %s.p = inttoptr i32 %place to ptr addrspace(3)
  %pair = insertelement <2 x i32> poison, i32 %v, i64 0
  %both = insertelement <2 x i32> %pair, i32 %i, i64 1
  store <2 x i32> %both, ptr addrspace(3) %s.p
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %top = or i32 %turned, 7
  %all = xor i32 %top, 1073741824
  %high = lshr i32 %all, 26
  %wide = sext i32 %high to i64
  %bytes = shl i64 %wide, 2
  %a.n = add i64 %in, %bytes
  %a.p = inttoptr i64 %a.n to ptr addrspace(1)
  %a = load i32, ptr addrspace(1) %a.p
  store i32 %a, ptr addrspace(1) %o
  ret void
)") + "declare i32 @llvm.bitreverse.i32(i32)\n");
}

/// Groups of lanes whose first address is anywhere, and the others' behind it: rows of a matrix, a group in each. Also
/// under a mask, and where the lanes of a group are not in order.
TEST(HostTilePatterns, RunsOfLanes) {
    const auto one = [](unsigned group, const char* type, unsigned shift, const char* order) {
        const std::string bits = std::to_string(group - 1), size = std::to_string(shift), t = type;
        return kernel(R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %first = and i32 %x, )" + std::to_string(-int(group)) + R"(
  %own = and i32 %x, )" + bits + R"(
  %place = xor i32 %own, )" + order + R"(
  %scaled = mul i32 %first, %n
  %row = and i32 %scaled, 60
  %row.w = zext i32 %row to i64
  %place.w = zext i32 %place to i64
  %sum = add i64 %row.w, %place.w
  %bytes = shl i64 %sum, )" + size + R"(
  %a.n = add i64 %in, %bytes
  %a.p = inttoptr i64 %a.n to ptr addrspace(1)
  %a = load )" + t + R"(, ptr addrspace(1) %a.p
  store )" + t + R"( %a, ptr addrspace(1) %o
  %more = icmp ugt i32 %v, %scaled
  br i1 %more, label %some, label %end
some:
  %b.p = getelementptr )" + t + R"(, ptr addrspace(1) %a.p, i64 4
  %b = load )" + t + R"(, ptr addrspace(1) %b.p
  store )" + t + R"( %b, ptr addrspace(1) %o8
  br label %end
end:
  ret void
)");
    };
    expect_same(one(4, "i32", 2, "0"));
    expect_same(one(8, "i32", 2, "0"));
    expect_same(one(16, "i16", 1, "0"));
    expect_same(one(2, "i64", 3, "0"));
    expect_same(one(4, "i8", 0, "0"));
    expect_same(one(4, "i32", 2, "3"));
}

} // namespace
