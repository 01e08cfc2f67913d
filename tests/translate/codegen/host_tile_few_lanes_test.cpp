// What only some lanes of one tile do, known by their number, against threads one after another.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& body) { expect_same_memory(kernel(body), {{64, 1}, {16, 16}, {8, 8}}); }

/// The barrier makes the kernel one of phases.
const std::string rest = R"(
rest:
  %kept = phi i32 [ %v, %body ], [ %own, %some ]
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %kept, ptr addrspace(1) %o
  ret void
)";

TEST(HostTileFewLanes, OneLaneByItsPlace) {
    for (const char* place : {"%x, 0", "%x, 17", "%x, 99", "%lane, 31", "%i, 40"})
        expect_same("  %one = icmp eq i32 " + std::string(place) + R"(
  br i1 %one, label %some, label %rest
some:
  %twice = shl i32 %v, 1
  %own = add i32 %twice, %i
  store i32 %own, ptr addrspace(1) %o4
  %s4 = shl i32 %i, 2
  %s = inttoptr i32 %s4 to ptr addrspace(3)
  %old = atomicrmw add ptr addrspace(3) %s, i32 3 syncscope("block") monotonic
  br label %rest
)" + rest);
}

TEST(HostTileFewLanes, AllButOne) {
    expect_same(R"(
  %others = icmp ne i32 %x, 3
  br i1 %others, label %some, label %rest
some:
  %own = add i32 %v, %i
  store i32 %own, ptr addrspace(1) %o4
  br label %rest
)" + rest);
    expect_same(R"(
  %others = icmp ne i32 %x, 3
  br i1 %others, label %rest, label %some
some:
  %own = add i32 %v, %i
  store i32 %own, ptr addrspace(1) %o4
  br label %rest
)" + rest);
}

TEST(HostTileFewLanes, TheFirstLanes) {
    for (const char* count : {"ult i32 %x, 7", "ult i32 %x, 16", "slt i32 %x, 9", "ult i32 %lane, 4"})
        expect_same("  %few = icmp " + std::string(count) + R"(
  br i1 %few, label %some, label %rest
some:
  %own = add i32 %v, %i
  store i32 %own, ptr addrspace(1) %o4
  br label %rest
)" + rest);
}

/// Loops, ways that part and values from outside in what one lane does.
TEST(HostTileFewLanes, OneLaneForAllOthers) {
    expect_same(R"(
  %s0 = shl i32 %i, 2
  %s = inttoptr i32 %s0 to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %one = icmp eq i32 %i, 38
  br i1 %one, label %loop, label %end
loop:
  %j = phi i32 [ 0, %body ], [ %j.next, %next ]
  %sum = phi i32 [ %i, %body ], [ %sum.next, %next ]
  %at.j = shl i32 %j, 2
  %p.j = inttoptr i32 %at.j to ptr addrspace(3)
  %v.j = load volatile i32, ptr addrspace(3) %p.j
  %odd = trunc i32 %v.j to i1
  br i1 %odd, label %add, label %next
add:
  %more = add i32 %sum, %v.j
  store i32 %more, ptr addrspace(3) %p.j
  br label %next
next:
  %sum.next = phi i32 [ %sum, %loop ], [ %more, %add ]
  %j.next = add i32 %j, 1
  %again = icmp ult i32 %j.next, %i
  br i1 %again, label %loop, label %left
left:
  store i32 %sum.next, ptr addrspace(1) %o4
  br label %end
end:
  %total = phi i32 [ 17, %body ], [ %sum.next, %left ]
  store i32 %total, ptr addrspace(1) %o
  ret void
)");
}

TEST(HostTileFewLanes, OneLaneAndTheOthers) {
    expect_same(R"(
  %one = icmp eq i32 %x, 2
  br i1 %one, label %some, label %others
some:
  %own = mul i32 %v, 5
  store i32 %own, ptr addrspace(1) %o4
  br label %rest
others:
  %theirs = mul i32 %v, 7
  store i32 %theirs, ptr addrspace(1) %o8
  br label %rest
rest:
  %kept = phi i32 [ %own, %some ], [ %theirs, %others ]
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %kept, ptr addrspace(1) %o
  ret void
)");
}

/// Tiles of several rows would part at each comparison of these.
TEST(HostTileFewLanes, Rows) {
    expect_same(R"(
  %top = icmp eq i32 %y, 0
  br i1 %top, label %some, label %rest
some:
  %own = add i32 %v, %i
  store i32 %own, ptr addrspace(1) %o4
  br label %rest
)" + rest);
}

/// Most rounds are of all lanes; then some stop.
TEST(HostTileFewLanes, RoundsOfAllLanes) {
    for (const char* more : {"slt i32 %j.next, %limit", "ult i32 %j.next, %limit", "sgt i32 %limit, %j.next"})
        expect_same(R"(
  %limit = mul i32 %n, 7
  br label %loop
loop:
  %j = phi i32 [ %i, %body ], [ %j.next, %loop ]
  %sum = phi i32 [ %v, %body ], [ %sum.next, %loop ]
  %turned = mul i32 %sum, 5
  %sum.next = add i32 %turned, %j
  %place = and i32 %j, 252
  %s = inttoptr i32 %place to ptr addrspace(3)
  %old = atomicrmw add ptr addrspace(3) %s, i32 %j syncscope("block") monotonic
  %j.next = add i32 %j, 40
  %again = icmp )" + std::string(more) +
                    R"(
  br i1 %again, label %loop, label %end
end:
  %total = phi i32 [ %sum.next, %loop ]
  %last = phi i32 [ %j, %loop ]
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %total, ptr addrspace(1) %o
  store i32 %last, ptr addrspace(1) %o4
  ret void
)");
}

/// A shuffle, and what the first lane of the warp does with its `part`.
std::string one_of_a_shuffle(const std::string& some) {
    return kernel(R"(
  %got = call { i32, i1 } @cuttle.shuffle(i32 1, i32 %v, i32 3, i32 31, i32 -1)
  %place = and i32 %x, 31
  %one = icmp eq i32 %place, 0
  br i1 %one, label %some, label %rest
some:
  %part = extractvalue { i32, i1 } %got, 0
)" + some + R"(
  br label %rest
rest:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %v, ptr addrspace(1) %o
  ret void
)");
}

std::string in_tiles(const std::string& text) {
    ptx::Target target = ptx::Target::parse("host:haswell");
    target.divide(32, 1);
    return optimized(text, target, {.phases = true, .warp = 1});
}

TEST(HostTileFewLanes, OneLaneTakesItsPartOfAStructure) {
    const std::string text = one_of_a_shuffle("  store i32 %part, ptr addrspace(1) %o4\n");
    expect_same_memory(text, {{32, 1}});
    EXPECT_EQ(in_tiles(text).find("call i32 @llvm.cttz"), std::string::npos) << "no loop over lanes";
}

TEST(HostTileFewLanes, TheFirstLanesAreAShortVector) {
    const auto text = [](unsigned count) {
        return kernel(R"(
  %s4 = shl i32 %i, 2
  %s = inttoptr i32 %s4 to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %few = icmp ult i32 %x, )" + std::to_string(count) + R"(
  br i1 %few, label %some, label %rest
some:
  %t = getelementptr i8, ptr addrspace(3) %s, i32 16
  %word = load i32, ptr addrspace(3) %t
  %sum = add i32 %word, %v
  %u = getelementptr i8, ptr addrspace(3) %s, i32 2048
  store i32 %sum, ptr addrspace(3) %u
  br label %rest
rest:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %v, ptr addrspace(1) %o
  ret void
)");
    };
    for (const unsigned count : {1u, 2u, 3u, 4u, 8u, 31u}) expect_same_memory(text(count), {{32, 1}, {16, 2}});
    const std::string four = in_tiles(text(4));
    EXPECT_EQ(four.find("llvm.masked.store"), std::string::npos);
    EXPECT_NE(four.find("store <4 x i32>"), std::string::npos);
}

} // namespace
