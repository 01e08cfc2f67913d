// The order in which the SPIR-V machine's warps run blocks: tests/support/spirv_machine/order.h.
#include "module.h"
#include "order.h"

#include <gtest/gtest.h>

using namespace spirv_machine;

namespace {

using Graph = std::vector<std::vector<uint32_t>>;

/// "0 1 3 L1 2": blocks in order, and L before the head of a loop for its latch.
std::string order_of(const Graph& graph) {
    std::string text;
    for (const Place& place : meeting_order(graph))
        text += (text.empty() ? "" : " ") + std::string(place.latch ? "L" : "") + std::to_string(place.block);
    return text;
}

} // namespace

TEST(MeetingOrder, SidesOfABranchComeBeforeWhereTheyMeet) {
    EXPECT_EQ(order_of({{3, 1}, {2}, {}, {2}}), "0 1 3 2");
    EXPECT_EQ(order_of({{1, 2}, {2}, {}}), "0 1 2") << "one side is empty";
}

TEST(MeetingOrder, AllOfALoopComesBeforeWhatFollows) {
    EXPECT_EQ(order_of({{1}, {3, 2}, {1}, {}}), "0 1 2 L1 3");
    EXPECT_EQ(order_of({{1}, {1, 2}, {}}), "0 1 L1 2") << "a loop of one block";
}

TEST(MeetingOrder, LanesThatContinueWaitForTheOthersAtTheLatch) {
    // 1: continue or go on to 2; 2: back, or out to 3.
    EXPECT_EQ(order_of({{1}, {1, 2}, {1, 3}, {}}), "0 1 2 L1 3");
}

TEST(MeetingOrder, LoopsInLoops) { EXPECT_EQ(order_of({{1}, {2}, {2, 3}, {1, 4}, {}}), "0 1 2 L2 3 L1 4"); }

TEST(MeetingOrder, LeavesOutWhatCannotBeReached) { EXPECT_EQ(order_of({{2}, {2}, {}}), "0 2"); }

TEST(Reader, RefusesWhatIsNoModule) {
    const uint8_t bytes[] = {1, 2, 3, 4};
    EXPECT_THROW(Module{bytes}, Malformed);
    const uint32_t short_instruction[] = {magic, 0x10400, 0, 8, 0, 5u << 16 | op_type_int, 1};
    EXPECT_THROW(Module({reinterpret_cast<const uint8_t*>(short_instruction), sizeof short_instruction}), Malformed);
}
