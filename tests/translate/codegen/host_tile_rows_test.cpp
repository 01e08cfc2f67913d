// Tiles of more rows than a warp has, against threads one after another.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

/// Of a matrix product's kind: in shared memory each row has eight factors of its own, each column has others, in all
/// of `sums` sums.
std::string product(unsigned sums, const std::string& end_of_round = "") {
    const auto each = [&](auto&& text) {
        std::string all;
        for (unsigned i = 0; i < sums; i++) all += text(std::to_string(i));
        return all;
    };
    return kernel(R"(
  %y32 = shl i32 %y, 5
  %row = and i32 %y32, 480
  %x4 = shl i32 %x, 2
  %own.0 = shl i32 %i, 2
  %own = and i32 %own.0, 1020
  %own.at = inttoptr i32 %own to ptr addrspace(3)
  %f = uitofp i32 %v to float
  store float %f, ptr addrspace(3) %own.at
  call void @cuttle.barrier.sync(i32 0, i32 0)
  br label %loop
loop:
  %k = phi i32 [ 0, %body ], [ %k.next, %loop ]
)" + each([](const std::string& i) {
                      return "  %sum" + i + " = phi float [ " + i + ".0, %body ], [ %next" + i + ", %loop ]\n";
                  }) +
                  R"(
  %k4 = shl i32 %k, 2
  %a.n = add i32 %row, %k4
  %a.p = inttoptr i32 %a.n to ptr addrspace(3)
  %k32 = shl i32 %k, 5
  %b.n.0 = add i32 %x4, %k32
  %b.n = add i32 %b.n.0, 512
  %b.p = inttoptr i32 %b.n to ptr addrspace(3)
  %a = load float, ptr addrspace(3) %a.p
  %b = load float, ptr addrspace(3) %b.p
)" + each([](const std::string& i) {
                      return "  %next" + i + " = call float @llvm.fma.f32(float %a, float %b, float %sum" + i + ")\n";
                  }) +
                  R"(
  %k.next = add i32 %k, 1
)" + (end_of_round.empty() ? "  %more = icmp ult i32 %k.next, 8\n" : end_of_round) +
                  R"(
  br i1 %more, label %loop, label %end
end:
)" + each([](const std::string& i) {
                      return "  %e" + i + " = bitcast float %next" + i + " to i32\n  %o" + i +
                             " = getelementptr i8, ptr addrspace(1) %o, i64 " + std::to_string(std::stoi(i) % 4 * 4) +
                             "\n  store i32 %e" + i + ", ptr addrspace(1) %o" + i + "\n";
                  }) +
                  R"(
  ret void
)") + "declare float @llvm.fma.f32(float, float, float)\n";
}

std::pair<unsigned, unsigned> tile_of(const std::string& text, unsigned x, unsigned y, const char* cpu) {
    ptx::Target target = ptx::Target::parse(cpu);
    target.divide(x, y);
    const Code code(text, target, {.phases = true, .warp = 1});
    return {code.kernel("k").tile_columns, code.kernel("k").tile_rows};
}

using Size = std::pair<unsigned, unsigned>;

TEST(HostTileRows, LoadsThatRowsShare) {
    const std::string text = product(1);
    EXPECT_EQ(tile_of(text, 16, 16, "host:haswell"), Size(16, 4));
    EXPECT_EQ(tile_of(text, 32, 32, "host:haswell"), Size(32, 2));
    EXPECT_EQ(tile_of(text, 16, 6, "host:haswell"), Size(16, 2));
    expect_same_memory(text, {{16, 16}, {8, 8}, {32, 2}});
}

TEST(HostTileRows, SumsThatRegistersCannotHold) {
    EXPECT_EQ(tile_of(product(2), 16, 16, "host:haswell"), Size(16, 2));
    expect_same_memory(product(2), {{16, 16}});
}

TEST(HostTileRows, LoopsThatLanesLeave) {
    const std::string until_v = R"(
  %until = and i32 %v, 7
  %more = icmp ult i32 %k.next, %until
)";
    EXPECT_EQ(tile_of(product(1, until_v), 16, 16, "host:haswell"), Size(16, 2));
    expect_same_memory(product(1, until_v), {{16, 16}});
}

TEST(HostTileRows, RowsThatShareNothing) {
    EXPECT_EQ(tile_of(kernel(R"(
  br label %loop
loop:
  %k = phi i32 [ %v, %body ], [ %k.next, %loop ]
  %round = phi i32 [ 0, %body ], [ %round.next, %loop ]
  %k.next = mul i32 %k, 5
  %round.next = add i32 %round, 1
  %more = icmp ult i32 %round.next, 1000
  br i1 %more, label %loop, label %end
end:
  store i32 %k.next, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  ret void
)"),
                      16, 16, "host:haswell"),
              Size(16, 2));
}

TEST(HostTileRows, ShortKernels) {
    const auto text = [](const char* place) {
        return kernel(R"(
  %y512 = mul i32 %y, 512
  %x4 = shl i32 %x, )" +
                      std::string(place) + R"(
  %own.n = add i32 %y512, %x4
  %own = inttoptr i32 %own.n to ptr addrspace(3)
  %row = mul i32 %y, 100
  %sum = add i32 %row, %v
  store i32 %sum, ptr addrspace(3) %own
  call void @cuttle.barrier.sync(i32 0, i32 0)
  ret void
)");
    };
    EXPECT_EQ(tile_of(text("2"), 16, 16, "host:haswell"), Size(16, 4));
    EXPECT_EQ(tile_of(text("3"), 16, 16, "host:haswell"), Size(16, 2)) << "stores one by one";
    expect_same_memory(text("2"), {{16, 16}, {8, 8}});
}

/// A stencil's halo: the first and the sixth row load one more, and the first and the fourth column do.
TEST(HostTileRows, RowsAndColumnsAlone) {
    const std::string text = kernel(R"(
  %y512 = mul i32 %y, 512
  %x4 = shl i32 %x, 2
  %own.n = add i32 %y512, %x4
  %own = inttoptr i32 %own.n to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %own
  %i64 = sext i32 %i to i64
  %i4 = shl i64 %i64, 2
  %here = add i64 %in, %i4
  %beside.n = add i64 %here, 4
  %beside = inttoptr i64 %beside.n to ptr addrspace(1)
  %left = icmp eq i32 %x, 0
  br i1 %left, label %first.column, label %column
first.column:
  %l = load i32, ptr addrspace(1) %beside
  %l.more = add i32 %l, %y
  %l.n = add i32 %y512, 400
  %l.p = inttoptr i32 %l.n to ptr addrspace(3)
  store i32 %l.more, ptr addrspace(3) %l.p
  br label %column
column:
  %fourth = icmp ne i32 %x, 3
  br i1 %fourth, label %row, label %fourth.column
fourth.column:
  %r.n = add i32 %y512, 404
  %r.p = inttoptr i32 %r.n to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %r.p
  br label %row
row:
  %top = icmp eq i32 %y, 0
  %top.n = add i32 %x4, 3112
  br i1 %top, label %first.row, label %below
first.row:
  %y.n = add i32 %y, %n
  %inner = icmp ult i32 %y.n, 90
  br i1 %inner, label %edge, label %load
load:
  %j = add i32 %i, 2
  %j64 = sext i32 %j to i64
  %j4 = shl i64 %j64, 2
  %j.n = add i64 %in, %j4
  %j.p = inttoptr i64 %j.n to ptr addrspace(1)
  %t = load i32, ptr addrspace(1) %j.p
  %t.more = mul i32 %t, %v
  br label %edge
edge:
  %t.kept = phi i32 [ 0, %first.row ], [ %t.more, %load ]
  %top.p = inttoptr i32 %top.n to ptr addrspace(3)
  store i32 %t.kept, ptr addrspace(3) %top.p
  br label %below
below:
  %sixth = icmp ne i32 %y, 5
  br i1 %sixth, label %end, label %sixth.row
sixth.row:
  %b = load i32, ptr addrspace(1) %beside
  %b.more = add i32 %b, %v
  %b.n = add i32 %top.n, 512
  %b.p = inttoptr i32 %b.n to ptr addrspace(3)
  store i32 %b.more, ptr addrspace(3) %b.p
  br label %end
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %again = load i32, ptr addrspace(3) %own
  store i32 %again, ptr addrspace(1) %o
  ret void
)");
    EXPECT_EQ(tile_of(text, 16, 16, "host:haswell"), Size(16, 2));
    expect_same_memory(text, {{16, 16}, {8, 8}, {16, 6}, {32, 1}});
}

} // namespace
