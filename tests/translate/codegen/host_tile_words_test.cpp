// Words of several elements, in vectors of lanes, against threads one after another.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& text) { expect_same_memory(text, {{64, 1}, {16, 2}}); }

TEST(HostTileWords, PairsOfHalves) {
    expect_same(kernel(R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %pair = bitcast i32 %v to <2 x i16>
  %halves = uitofp <2 x i16> %pair to <2 x half>
  %other = insertelement <2 x half> <half 1.5, half 0.5>, half 2.25, i32 0
  %product = fmul <2 x half> %halves, %other
  %word = bitcast <2 x half> %product to i32
  store i32 %word, ptr addrspace(1) %o
  %less = fcmp olt <2 x half> %product, %halves
  %both = sext <2 x i1> %less to <2 x i16>
  %mask = bitcast <2 x i16> %both to i32
  store i32 %mask, ptr addrspace(1) %o4
  ret void
)"));
}

TEST(HostTileWords, SumsOfProductsOfBytes) {
    expect_same(kernel(R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %a = bitcast i32 %v to <4 x i8>
  %n.i = mul i32 %i, 2654435761
  %b = bitcast i32 %n.i to <4 x i8>
  %a.wide = sext <4 x i8> %a to <4 x i32>
  %b.wide = zext <4 x i8> %b to <4 x i32>
  %products = mul <4 x i32> %a.wide, %b.wide
  %sum = call i32 @llvm.vector.reduce.add.v4i32(<4 x i32> %products)
  %all = add i32 %sum, %n
  store i32 %all, ptr addrspace(1) %o
  ret void
)"));
}

/// From one kind of vector to another, and to numbers of the same size.
TEST(HostTileWords, OtherElements) {
    expect_same(kernel(R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %high = zext i32 %v to i64
  %up = shl i64 %high, 32
  %wide = or i64 %up, %iw
  %four = bitcast i64 %wide to <4 x i16>
  %turned = shufflevector <4 x i16> %four, <4 x i16> poison, <4 x i32> <i32 3, i32 0, i32 2, i32 1>
  %two = bitcast <4 x i16> %turned to <2 x i32>
  %more = add <2 x i32> %two, <i32 5, i32 -1>
  %number = bitcast <2 x i32> %more to double
  %bits = bitcast double %number to i64
  %low = trunc i64 %bits to i32
  store i32 %low, ptr addrspace(1) %o
  %rest = lshr i64 %bits, 32
  %other = trunc i64 %rest to i32
  store i32 %other, ptr addrspace(1) %o8
  ret void
)"));
}

} // namespace
