#include "fixture.h"

#include "rt/platform.h"

using namespace rt;
using fake::MemoryKind;

class MemoryTest : public RuntimeTest {};

TEST_F(MemoryTest, AllocationsAreFoundByAnyAddressInside) {
    const uint64_t address = memory::allocate(*context, 1000, MemoryKind::device);
    EXPECT_EQ(address % 512, 0u);
    auto found = memory::find(address + 999);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->address, address);
    EXPECT_EQ(found->size, 1000u);
    EXPECT_EQ(found->context, context.get());
    EXPECT_FALSE(memory::find(address + 1000));
    EXPECT_FALSE(memory::find(address - 1));
    const uint64_t second = memory::allocate(*context, 8, MemoryKind::managed, 1);
    EXPECT_NE(memory::find(second)->id, found->id);
    EXPECT_EQ(memory::find(second)->kind, MemoryKind::managed);
    EXPECT_EQ(memory::find(second)->flags, 1u);
    memory::release(*context, address, MemoryKind::device);
    EXPECT_FALSE(memory::find(address));
    memory::release(*context, second, MemoryKind::device);
    EXPECT_TRUE(fake.allocations.empty());
}

TEST_F(MemoryTest, Errors) {
    EXPECT_EQ(status_of([&] { memory::allocate(*context, 0, MemoryKind::device); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { memory::allocate(*context, 1ull << 40, MemoryKind::device); }), Status::out_of_memory);
    const uint64_t address = memory::allocate(*context, 100, MemoryKind::device);
    const uint64_t pinned = memory::allocate(*context, 100, MemoryKind::pinned);
    EXPECT_EQ(status_of([&] { memory::release(*context, address + 4, MemoryKind::device); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { memory::release(*context, address, MemoryKind::pinned); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { memory::release(*context, pinned, MemoryKind::device); }), Status::invalid_value);
    memory::release(*context, 0, MemoryKind::device);
    memory::release(*context, address, MemoryKind::device);
    EXPECT_EQ(status_of([&] { memory::release(*context, address, MemoryKind::device); }), Status::invalid_value);
}

TEST_F(MemoryTest, ReleaseWaitsForTheDevice) {
    const uint64_t address = memory::allocate(*context, 100, MemoryKind::device);
    launch("a", create_stream(non_blocking));
    memory::release(*context, address, MemoryKind::device);
    EXPECT_EQ(fake.done, "a");
}

TEST_F(MemoryTest, RegisteredHostMemory) {
    std::vector<char> host(10000);
    const auto start = uint64_t(host.data());
    memory::register_host(*context, host.data(), 5000, 3);
    EXPECT_TRUE(memory::find(start + 4999)->registered);
    EXPECT_EQ(memory::find(start)->flags, 3u);
    EXPECT_EQ(status_of([&] { memory::register_host(*context, host.data() + 4000, 5000, 0); }),
              Status::host_memory_already_registered);
    EXPECT_EQ(status_of([&] { memory::unregister_host(*context, host.data() + 1); }),
              Status::host_memory_not_registered);
    EXPECT_EQ(status_of([&] { memory::release(*context, start, MemoryKind::pinned); }), Status::invalid_value);
    memory::check_range(start + 4000, 3000); // pageable memory may follow
    memory::register_host(*context, host.data() + 5000, 5000, 0);
    memory::unregister_host(*context, host.data());
    EXPECT_FALSE(memory::find(start));
    EXPECT_EQ(status_of([&] { memory::unregister_host(*context, host.data()); }), Status::host_memory_not_registered);
    EXPECT_EQ(status_of([&] { memory::register_host(*context, nullptr, 10, 0); }), Status::invalid_value);
    memory::unregister_host(*context, host.data() + 5000);
}

TEST_F(MemoryTest, Ranges) {
    const uint64_t address = memory::allocate(*context, 1000, MemoryKind::device);
    memory::check_range(address, 1000);
    memory::check_range(address + 999, 1);
    memory::check_range(0, 0);
    EXPECT_EQ(status_of([&] { memory::check_range(address, 1001); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { memory::check_range(address + 1, ~size_t{0}); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { memory::check_range(0, 1); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { memory::check_range(~uint64_t{0} - 5, 100); }), Status::invalid_value);
    char local[100];
    memory::check_range(uint64_t(local), 100); // pageable host memory
}

// The platform's devices are fakes too; they know their own addresses.
TEST_F(MemoryTest, StaleDeviceAddresses) {
    Platform::initialize();
    Device& real = Platform::get().device(0);
    Context inside(real, 0, false);
    const uint64_t address = memory::allocate(inside, 1000, MemoryKind::device);
    memory::check_range(address, 1000);
    memory::release(inside, address, MemoryKind::device);
    EXPECT_EQ(status_of([&] { memory::check_range(address, 1000); }), Status::invalid_value);
}

TEST_F(MemoryTest, PoolReusesOnTheSameStreamAtOnce) {
    Stream &x = create_stream(non_blocking), &y = create_stream(non_blocking);
    const uint64_t first = memory::allocate_async(*context, 1000, x);
    EXPECT_TRUE(memory::find(first)->from_pool);
    launch("a", x);
    memory::release_async(*context, first, x);
    EXPECT_FALSE(memory::find(first));
    EXPECT_EQ(memory::allocate_async(*context, 900, x), first);
    EXPECT_EQ(fake.done, "");
    memory::release_async(*context, first, x);
    EXPECT_EQ(memory::allocate_async(*context, 1000, y), first) << "with a wait on the device";
    launch("b", y);
    y.synchronize();
    EXPECT_EQ(fake.done, "ab");
    EXPECT_NE(memory::allocate_async(*context, 1000, y), first);
    EXPECT_EQ(status_of([&] { memory::release_async(*context, first + 8, y); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { memory::allocate_async(*context, 0, y); }), Status::invalid_value);
}

TEST_F(MemoryTest, PoolGivesWayToOthers) {
    Stream& stream = create_stream();
    const uint64_t total = fake.facts().memory_bytes;
    const uint64_t big = memory::allocate_async(*context, total / 2, stream);
    memory::release_async(*context, big, stream);
    EXPECT_EQ(memory::info(*context).free_bytes, total) << "what is cached counts as free";
    memory::allocate(*context, total * 3 / 4, MemoryKind::device);
    EXPECT_EQ(memory::info(*context).free_bytes, total / 4);
    EXPECT_EQ(status_of([&] { memory::allocate_async(*context, total / 2, stream); }), Status::out_of_memory);
}

TEST_F(MemoryTest, EitherKindOfFreeTakesEitherKindOfMemory) {
    Stream& stream = create_stream();
    const uint64_t pooled = memory::allocate_async(*context, 100, stream);
    memory::release(*context, pooled, MemoryKind::device);
    const uint64_t plain = memory::allocate(*context, 100, MemoryKind::device);
    memory::release_async(*context, plain, stream);
    EXPECT_TRUE(fake.allocations.empty());
    EXPECT_EQ(status_of([&] { memory::release_async(*context, pooled, stream); }), Status::invalid_value);
}
