#include "fixture.h"

#include "core/occupancy.h"

#include <set>
#include <thread>

using namespace rt;
using fake::Dim3;

class LaunchTest : public RuntimeTest {
  protected:
    LaunchTest() {
        auto& fake = fake::program("kernels");
        if (fake.info.kernels.empty()) {
            fake.info.target = "sm_75a";
            fake.info.globals.push_back({.name = "table", .offset = 0, .size = 96, .constant = true});
            fake.info.block_size = 96;
            add("plain");
            add("bounded").max_threads = {16, 8, 1};
            add("exact").required_threads = {32, 2, 1};
            add("clustered").cluster = {2, 1, 1};
            add("broken").error = "line 3, column 7: no such instruction";
            auto& two = add("two");
            two.parameters = {{0, 4, 4}, {8, 8, 8}};
            two.parameter_bytes = 16;
            add("shared");
            fake.static_shared_bytes["shared"] = 40 << 10;
        }
        kernels = new Module(*context, load_program("kernels"));
    }
    static ptx::KernelInfo& add(const char* name) {
        auto& kernels = fake::program("kernels").info.kernels;
        kernels.emplace_back().name = name;
        return kernels.back();
    }
    Status launched(const char* name, Dim3 grid, Dim3 block, uint32_t shared = 0, bool cooperative = false,
                    size_t bytes = 0) {
        std::vector<uint8_t> parameters(bytes);
        return status_of([&] {
            kernels->function(name)->launch(context->legacy_stream(), grid, block, shared, parameters, cooperative);
        });
    }
    Module* kernels;
};

TEST_F(LaunchTest, Validation) {
    struct Row {
        const char* kernel;
        Dim3 grid, block;
        uint32_t shared;
        Status status;
    };
    const Row rows[] = {
        {"plain", {1, 1, 1}, {1024, 1, 1}, 0, Status::success},
        {"plain", {2147483647, 65535, 65535}, {1, 1, 1}, 0, Status::success},
        {"plain", {1, 1, 1}, {1025, 1, 1}, 0, Status::invalid_value},
        {"plain", {1, 1, 1}, {512, 4, 1}, 0, Status::invalid_value},
        {"plain", {1, 1, 1}, {1, 1, 65}, 0, Status::invalid_value},
        {"plain", {0, 1, 1}, {32, 1, 1}, 0, Status::invalid_value},
        {"plain", {1, 1, 1}, {32, 0, 1}, 0, Status::invalid_value},
        {"plain", {1, 65536, 1}, {32, 1, 1}, 0, Status::invalid_value},
        {"plain", {1, 1, 65536}, {32, 1, 1}, 0, Status::invalid_value},
        {"plain", {2147483648u, 1, 1}, {32, 1, 1}, 0, Status::invalid_value},
        {"plain", {1, 1, 1}, {65536, 65536, 1}, 0, Status::invalid_value},
        {"plain", {1, 1, 1}, {32, 1, 1}, 48 << 10, Status::success},
        {"plain", {1, 1, 1}, {32, 1, 1}, (48 << 10) + 1, Status::invalid_value},
        {"shared", {1, 1, 1}, {32, 1, 1}, 8 << 10, Status::success},
        {"shared", {1, 1, 1}, {32, 1, 1}, (8 << 10) + 1, Status::invalid_value},
        {"bounded", {1, 1, 1}, {128, 1, 1}, 0, Status::success},
        {"bounded", {1, 1, 1}, {129, 1, 1}, 0, Status::invalid_value},
        {"exact", {1, 1, 1}, {32, 2, 1}, 0, Status::success},
        {"exact", {1, 1, 1}, {64, 1, 1}, 0, Status::invalid_value},
        {"clustered", {2, 1, 1}, {32, 1, 1}, 0, Status::not_supported},
        {"broken", {1, 1, 1}, {32, 1, 1}, 0, Status::invalid_ptx},
        {"two", {1, 1, 1}, {32, 1, 1}, 0, Status::invalid_value},
    };
    for (auto& row : rows)
        EXPECT_EQ(launched(row.kernel, row.grid, row.block, row.shared), row.status)
            << row.kernel << " grid " << row.grid.x << " block " << row.block.x << " shared " << row.shared;
    EXPECT_EQ(launched("two", {}, {}, 0, false, 16), Status::success);
    Context other(device, 0, false);
    EXPECT_EQ(status_of([&] { kernels->function("plain")->launch(other.legacy_stream(), {}, {}, 0, {}); }),
              Status::invalid_handle);
}

TEST_F(LaunchTest, Cooperative) {
    fake.resident = 3; // on each of four multiprocessors
    EXPECT_EQ(launched("plain", {12, 1, 1}, {32, 1, 1}, 0, true), Status::success);
    EXPECT_EQ(launched("plain", {13, 1, 1}, {32, 1, 1}, 0, true), Status::cooperative_launch_too_large);
    EXPECT_EQ(launched("plain", {13, 1, 1}, {32, 1, 1}, 0, false), Status::success);
    fake.change_facts().cooperative_launch = false;
    EXPECT_EQ(launched("plain", {1, 1, 1}, {32, 1, 1}, 0, true), Status::not_supported);
}

TEST_F(LaunchTest, Attributes) {
    Function& plain = *kernels->function("plain");
    EXPECT_EQ(plain.attribute(0), 1024);
    EXPECT_EQ(kernels->function("bounded")->attribute(0), 128);
    EXPECT_EQ(kernels->function("exact")->attribute(0), 64);
    EXPECT_EQ(kernels->function("shared")->attribute(1), 40 << 10);
    EXPECT_EQ(plain.attribute(2), 96);
    EXPECT_EQ(plain.attribute(3), 16);
    EXPECT_EQ(plain.attribute(4), 40);
    EXPECT_EQ(plain.attribute(5), 75);
    EXPECT_EQ(plain.attribute(6), device.compute_capability());
    EXPECT_EQ(plain.attribute(8), 48 << 10);
    EXPECT_EQ(kernels->function("shared")->attribute(8), 8 << 10);
    EXPECT_EQ(plain.attribute(9), -1);
    for (int i = 0; i <= 15; i++) plain.attribute(i);
    EXPECT_EQ(status_of([&] { plain.attribute(16); }), Status::invalid_value);

    plain.set_attribute(8, 99 << 10);
    EXPECT_EQ(plain.attribute(8), 99 << 10);
    EXPECT_EQ(launched("plain", {}, {}, 99 << 10), Status::success);
    EXPECT_EQ(status_of([&] { plain.set_attribute(8, (99 << 10) + 1); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { kernels->function("shared")->set_attribute(8, 60 << 10); }), Status::invalid_value);
    plain.set_attribute(9, 50);
    EXPECT_EQ(plain.attribute(9), 50);
    EXPECT_EQ(status_of([&] { plain.set_attribute(9, 101); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { plain.set_attribute(4, 10); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { plain.set_attribute(11, 2); }), Status::success);
}

TEST_F(LaunchTest, PacksByTheLayout) {
    Function& two = *kernels->function("two");
    uint32_t small = 0x11223344;
    uint64_t large = 0x5566778899aabbcc;
    void* arguments[] = {&small, &large};
    auto packed = two.pack(arguments);
    ASSERT_EQ(packed.size(), 16u);
    EXPECT_EQ(*(uint32_t*)packed.data(), small);
    EXPECT_EQ(*(uint64_t*)(packed.data() + 8), large);
    EXPECT_EQ(status_of([&] { two.pack(nullptr); }), Status::invalid_value);
    arguments[1] = nullptr;
    EXPECT_EQ(status_of([&] { two.pack(arguments); }), Status::invalid_value);
    EXPECT_TRUE(kernels->function("plain")->pack(nullptr).empty());
}

TEST_F(LaunchTest, TranslatesOnceAndSideBySide) {
    auto& fake = fake::program("slow");
    fake.info.target = "sm_80";
    fake.info.kernels.clear();
    for (const char* name : {"x", "y"}) fake.info.kernels.emplace_back().name = name;
    fake.translation_time = std::chrono::milliseconds(100);
    Module slow(*context, load_program("slow"));
    std::vector<std::thread> threads;
    std::set<fake::Kernel*> seen[2];
    std::mutex mutex;
    for (int i = 0; i < 6; i++)
        threads.emplace_back([&, i] {
            auto& kernel = slow.function(i % 2 ? "x" : "y")->resolve();
            std::lock_guard lock(mutex);
            seen[i % 2].insert(&kernel);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(fake.translations, 2);
    EXPECT_EQ(fake.most_at_once, 2);
    EXPECT_EQ(seen[0].size(), 1u);
    EXPECT_EQ(seen[1].size(), 1u);
}

// By hand, for an Ada multiprocessor: 1536 threads, 24 blocks, 100 KiB shared of which a block loses 1 KiB, 65536
// registers.
TEST_F(LaunchTest, Occupancy) {
    fake::DeviceFacts facts;
    facts.target = ptx::Target::parse("amdgcn:gfx1100");
    ptx::KernelInfo kernel;
    auto blocks = [&](int threads, size_t dynamic) {
        return blocks_per_multiprocessor(facts, 89, kernel, threads, dynamic);
    };
    EXPECT_EQ(blocks(256, 0), 6);        // 48 warps / 8
    EXPECT_EQ(blocks(1024, 0), 1);       // 48 / 32
    EXPECT_EQ(blocks(32, 0), 24);        // block slots
    EXPECT_EQ(blocks(33, 0), 24);        // two warps each
    EXPECT_EQ(blocks(100, 0), 12);       // 48 / 4
    EXPECT_EQ(blocks(128, 16 << 10), 5); // 100 / (16 + 1)
    EXPECT_EQ(blocks(128, 48 << 10), 2); // 100 / 49
    EXPECT_EQ(blocks(128, 99 << 10), 1);
    EXPECT_EQ(blocks(128, (99 << 10) + 1), 0);
    EXPECT_EQ(blocks(1025, 0), 0);
    kernel.registers = 128; // 4096 a warp: 4 warps of each of 4 banks = 16 warps
    EXPECT_EQ(blocks(256, 0), 2);
    kernel.registers = 255; // 8160 -> 8192 a warp: 2 * 4 = 8 warps
    EXPECT_EQ(blocks(256, 0), 1);
    EXPECT_EQ(blocks(1024, 0), 0);
    kernel.static_shared_bytes = 40 << 10;
    kernel.registers = 0;
    EXPECT_EQ(blocks(64, 0), 2); // 100 / 41
    facts.target = ptx::Target::parse("host");
    kernel.registers = 255; // means nothing there
    kernel.static_shared_bytes = 0;
    EXPECT_EQ(blocks(1024, 0), 1);
    EXPECT_EQ(blocks(256, 0), 6);

    EXPECT_EQ(kernels->function("plain")->max_active_blocks(256, 0), 6); // 40 registers: 12 warps of a bank
    fake.resident = 2;
    EXPECT_EQ(kernels->function("plain")->max_active_blocks(256, 0), 2) << "the back end knows better";
    EXPECT_EQ(kernels->function("plain")->max_active_blocks(256, size_t{1} << 60), 0);
    EXPECT_EQ(status_of([&] { kernels->function("plain")->max_active_blocks(0, 0); }), Status::invalid_value);
}

TEST_F(LaunchTest, DeviceAttributes) {
    for (int i = 1; i <= 147; i++) EXPECT_TRUE(device.attribute(i)) << i;
    EXPECT_FALSE(device.attribute(0));
    EXPECT_FALSE(device.attribute(148));
    EXPECT_EQ(device.attribute(1), 1024);
    EXPECT_EQ(device.attribute(10), 32);
    EXPECT_EQ(device.attribute(16), 4);
    EXPECT_EQ(device.attribute(75), 8);
    EXPECT_EQ(device.attribute(76), 9);
    EXPECT_EQ(device.attribute(97), 99 << 10);
    EXPECT_EQ(device.attribute(111), 1024);
    EXPECT_EQ(device.attribute(120), 0);
    EXPECT_EQ(device.attribute(131), -1);
    EXPECT_EQ(device.attribute(86), 0) << "not the host's own processor";
    fake.change_facts().target = ptx::Target::parse("host");
    EXPECT_EQ(device.attribute(86), 1);
}

/// Code for one division of blocks runs all others until theirs is there; not more than some are made.
TEST_F(RuntimeTest, NoLaunchWaitsForCodeOfAnotherDivision) {
    fake.change_facts().target = ptx::Target::parse("host");
    auto& program = fake::program("divided");
    program.info.kernels.emplace_back().name = "k";
    program.divided = true;
    Module& divided = *new Module(*context, load_program("divided"));
    Function& function = *divided.function("k");
    const auto& first = function.resolve(Dim3{64, 3, 1});
    EXPECT_EQ(program.translations, 1);
    EXPECT_EQ(&function.resolve(), &first);
    EXPECT_EQ(&function.resolve(Dim3{16, 6, 1}), &first);
    EXPECT_EQ(&function.resolve(Dim3{16, 2, 1}), &first);
    EXPECT_EQ(program.later, std::set<std::string>{"host/16x2"});
    EXPECT_EQ(program.translations, 1);
    program.later_is_now = true;
    const auto& second = function.resolve(Dim3{16, 2, 1});
    EXPECT_EQ(second.info().tile_columns, 16);
    EXPECT_EQ(&function.resolve(Dim3{48, 6, 1}), &second);
    EXPECT_EQ(&function.resolve(Dim3{96, 1, 1}), &first);
    function.resolve(Dim3{8, 4, 1});
    function.resolve(Dim3{4, 1, 1});
    EXPECT_EQ(program.translations, 4);
    // Enough: what takes most of a block's threads side by side.
    EXPECT_EQ(function.resolve(Dim3{8, 1, 1}).info().tile_columns, 4);
    EXPECT_EQ(&function.resolve(Dim3{16, 1, 1}), &function.resolve(Dim3{4, 1, 1}));
    EXPECT_EQ(program.translations, 4);
    EXPECT_EQ(program.later.size(), 3u);
}

TEST_F(RuntimeTest, CodeThatCannotBeMadeForADivision) {
    fake.change_facts().target = ptx::Target::parse("host");
    auto& program = fake::program("once");
    program.info.kernels.emplace_back().name = "k";
    program.divided = true;
    program.later_fails = true;
    Function& function = *(new Module(*context, load_program("once")))->function("k");
    const auto& first = function.resolve(Dim3{64, 3, 1});
    EXPECT_EQ(&function.resolve(Dim3{16, 1, 1}), &first);
    program.later_fails = false;
    program.later_is_now = true;
    EXPECT_EQ(&function.resolve(Dim3{16, 1, 1}), &first); // not asked for again
}

TEST_F(RuntimeTest, CodeThatIsTheSameForAllBlocks) {
    fake.change_facts().target = ptx::Target::parse("host");
    auto& program = fake::program("same");
    program.info.kernels.emplace_back().name = "k";
    program.divided = true;
    Function& function = *(new Module(*context, load_program("same")))->function("k");
    program.divided = false; // says the code itself
    const auto& first = function.resolve(Dim3{64, 3, 1});
    EXPECT_EQ(&function.resolve(Dim3{16, 1, 1}), &first);
    EXPECT_TRUE(program.later.empty());
}
