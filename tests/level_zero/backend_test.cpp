// The Level Zero back end through the seam, on the test driver, which runs commands as late and in as wrong an order as
// it may.
#include "backend/level_zero/level_zero.h"
#include "backend_seam_tests.h"
#include "rt/error.h"

#include <cstdlib>
#include <string>

using namespace rt;
using namespace rt::backend;

std::unique_ptr<Backend> seam::create_tested_backend() { return create_level_zero_backend(); }

namespace {

using seam::Buffer;

class LevelZero : public seam::Seam {};

} // namespace

TEST(NoDriver, IsAnError) {
    try {
        create_level_zero_backend();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::no_device);
        EXPECT_NE(std::string(error.what()).find("Level Zero"), std::string::npos) << error.what();
    }
}

TEST_F(LevelZero, DescribesTheDevice) {
    const DeviceFacts& facts = device().facts();
    EXPECT_EQ(vendor().name(), "level_zero");
    EXPECT_EQ(facts.name, "Cuttle's Level Zero test device");
    EXPECT_EQ(facts.uuid[0], 0x17);
    EXPECT_EQ(facts.pci_bus, 0x42);
    EXPECT_EQ(facts.memory_bytes, uint64_t{1} << 30);
    EXPECT_EQ(facts.max_threads_per_block, 1024u);
    EXPECT_EQ(facts.shared_bytes_per_block, 48u << 10);
    EXPECT_EQ(facts.shared_bytes_per_block_optin, 128u << 10);
    EXPECT_EQ(facts.target.name(), "spirv");
    EXPECT_TRUE(facts.integrated);
    EXPECT_TRUE(facts.managed_memory);
    EXPECT_FALSE(facts.pageable_memory_access);
    const char* engine = std::getenv("CUTTLE_ZE_TEST_ENGINE");
    EXPECT_EQ(facts.cooperative_launch, !engine || std::string(engine) != "pocl");
}

TEST_F(LevelZero, CountsItsMemory) {
    const MemoryInfo before = device().memory();
    {
        Buffer buffer(device(), 1 << 20), pinned(device(), 1 << 20, MemoryKind::pinned);
        EXPECT_EQ(buffer.address % 512, 0u);
        EXPECT_EQ(device().memory().free_bytes, before.free_bytes - (1 << 20));
    }
    EXPECT_EQ(device().memory().free_bytes, before.free_bytes);
    EXPECT_EQ(device().allocate(size_t{1} << 29, MemoryKind::device), 0u) << "more than in one piece";
    std::vector<std::unique_ptr<Buffer>> all;
    for (int i = 0; i < 4; i++) all.push_back(std::make_unique<Buffer>(device(), size_t{256} << 20));
    EXPECT_EQ(device().allocate(1, MemoryKind::device), 0u) << "nothing is left";
}

TEST_F(LevelZero, RefusesOtherCode) {
    auto image = std::make_shared<ptx::Image>();
    EXPECT_THROW(device().load(image), Error) << "host code";
    image->target.arch = ptx::Arch::spirv;
    EXPECT_EQ(device().load(image)->kernel("none"), nullptr);
    image->code = {1, 2, 3, 4};
    image->kernels.push_back({});
    image->kernels.back().name = image->kernels.back().symbol = "broken";
    try {
        device().load(image);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::invalid_image);
        EXPECT_NE(std::string(error.what()).find("broken: not a SPIR-V module"), std::string::npos) << error.what();
    }
}
