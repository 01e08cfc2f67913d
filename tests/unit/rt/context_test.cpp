#include "fixture.h"

#include "rt/platform.h"

#include <ctime>
#include <thread>

using namespace rt;

namespace {
double cpu_nanoseconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}
} // namespace

class ContextTest : public RuntimeTest {
  protected:
    void SetUp() override {
        while (Context::current_or_null()) Context::pop();
    }
    void TearDown() override { SetUp(); }
};

TEST_F(ContextTest, StackOfTheThread) {
    EXPECT_EQ(status_of([] { Context::current(); }), Status::invalid_context);
    EXPECT_EQ(status_of([] { Context::pop(); }), Status::invalid_context);
    Context other(device, 0, false);
    Context::push(*context);
    Context::push(other);
    EXPECT_EQ(&Context::current(), &other);
    std::thread([] { EXPECT_EQ(Context::current_or_null(), nullptr); }).join();
    Context::set_current(context.get());
    EXPECT_EQ(&Context::current(), context.get());
    EXPECT_EQ(Context::pop(), context.get());
    EXPECT_EQ(Context::pop(), context.get());
    EXPECT_EQ(Context::current_or_null(), nullptr);
    Context::set_current(&other);
    Context::set_current(nullptr);
    EXPECT_EQ(Context::current_or_null(), nullptr);
}

TEST_F(ContextTest, DestroyedElsewhere) {
    auto doomed = std::make_unique<Context>(device, 0, false);
    void* handle = doomed.get();
    Context::push(*context);
    Context::push(*doomed);
    std::thread([&] { doomed.reset(); }).join();
    EXPECT_EQ(handle_cast<Context>(handle), nullptr);
    EXPECT_EQ(Context::current_or_null(), nullptr);
    EXPECT_EQ(status_of([] { Context::current(); }), Status::context_is_destroyed);
    EXPECT_EQ(status_of([] { Context::pop(); }), Status::context_is_destroyed);
    EXPECT_EQ(&Context::current(), context.get());
}

TEST_F(ContextTest, DestroyingTheCurrentOnePopsIt) {
    Context::push(*context);
    auto* doomed = new Context(device, 0, false);
    Context::push(*doomed);
    delete doomed;
    EXPECT_EQ(&Context::current(), context.get());
}

TEST_F(ContextTest, DestructionTakesWhatIsInside) {
    auto* doomed = new Context(device, 0, false);
    Stream* stream = new Stream(*doomed, 0, 0, Stream::Role::created);
    Event* event = new Event(*doomed, 0);
    auto* inner = new Module(*doomed, load_program("letters"));
    Function* function = inner->function("a");
    const uint64_t memory = memory::allocate(*doomed, 100, fake::MemoryKind::device);
    const uint64_t pooled = memory::allocate_async(*doomed, 100, *stream);
    memory::release_async(*doomed, pooled, *stream);
    function->launch(*stream, {}, {}, 0, {});
    delete doomed;
    EXPECT_EQ(fake.done, "a") << "work is finished first";
    EXPECT_EQ(handle_cast<Stream>(stream), nullptr);
    EXPECT_EQ(handle_cast<Event>(event), nullptr);
    EXPECT_EQ(handle_cast<Module>(inner), nullptr);
    EXPECT_EQ(handle_cast<Function>(function), nullptr);
    EXPECT_FALSE(memory::find(memory));
    EXPECT_TRUE(fake.allocations.empty());
}

TEST_F(ContextTest, HandlesAreTold) {
    Stream& stream = create_stream();
    EXPECT_EQ(handle_cast<Stream>(&stream), &stream);
    EXPECT_EQ(handle_cast<Event>(&stream), nullptr);
    EXPECT_EQ(handle_cast<Stream>((void*)nullptr), nullptr);
    EXPECT_EQ(handle_cast<Stream>((void*)0x1234), nullptr);
}

TEST_F(ContextTest, PrimaryLives) {
    Context& primary = device.primary();
    EXPECT_FALSE(device.primary_active());
    Context::set_current(&primary); // as static cudart does, before it retains
    EXPECT_EQ(Context::current_or_null(), &primary);
    EXPECT_EQ(status_of([] { Context::current(); }), Status::context_is_destroyed);
    EXPECT_EQ(status_of([&] { device.release_primary(); }), Status::invalid_context);
    device.set_primary_flags(4);
    device.retain_primary();
    device.retain_primary();
    EXPECT_EQ(&Context::current(), &primary);
    EXPECT_EQ(primary.flags(), 4u);
    const uint64_t address = memory::allocate(primary, 64, fake::MemoryKind::device);
    device.release_primary();
    EXPECT_TRUE(device.primary_active());
    EXPECT_TRUE(memory::find(address));
    device.release_primary();
    EXPECT_FALSE(device.primary_active());
    EXPECT_FALSE(memory::find(address));
    EXPECT_EQ(&device.primary(), &primary) << "the handle stays";
    device.retain_primary();
    memory::allocate(primary, 64, fake::MemoryKind::device);
    device.reset_primary();
    EXPECT_FALSE(device.primary_active());
    EXPECT_TRUE(fake.allocations.empty());
}

TEST_F(ContextTest, Storage) {
    static std::vector<std::pair<void*, void*>> destroyed;
    destroyed.clear();
    auto remember = [](void*, void* key, void* value) { destroyed.push_back({key, value}); };
    int keys[20];
    auto* owner = new Context(device, 0, false);
    EXPECT_EQ(owner->find_storage(&keys[0]), nullptr);
    for (int& key : keys) owner->put_storage(&key, &key + 100, remember);
    for (int& key : keys) {
        ASSERT_NE(owner->find_storage(&key), nullptr);
        EXPECT_EQ(*owner->find_storage(&key), &key + 100);
    }
    owner->put_storage(&keys[3], nullptr, remember);
    EXPECT_EQ(*owner->find_storage(&keys[3]), nullptr);
    EXPECT_TRUE(owner->remove_storage(&keys[3]));
    EXPECT_FALSE(owner->remove_storage(&keys[3]));
    EXPECT_EQ(owner->find_storage(&keys[3]), nullptr);
    EXPECT_TRUE(destroyed.empty());
    delete owner;
    EXPECT_EQ(destroyed.size(), 19u);
    EXPECT_EQ(status_of([&] { context->put_storage(nullptr, keys, remember); }), Status::invalid_value);
}

TEST_F(ContextTest, StorageIsFastToFind) {
    int keys[3];
    for (int& key : keys) context->put_storage(&key, &key, nullptr);
    constexpr int rounds = 2'000'000;
    uintptr_t sum = 0;
    Context::push(*context);
    const double begin = cpu_nanoseconds();
    for (int i = 0; i < rounds; i++) sum += uintptr_t(*Context::current().find_storage(&keys[i % 3]));
    const double ns = (cpu_nanoseconds() - begin) / rounds;
    RecordProperty("nanoseconds", std::to_string(ns));
    EXPECT_NE(sum, 0u);
#ifndef __SANITIZE_THREAD__ // which looks at every access, and takes 300 ns
    EXPECT_LT(ns, 200) << "far from 20 ns: somebody put a lock or an allocation on the way";
#endif
}

TEST_F(ContextTest, Limits) {
    EXPECT_EQ(context->limit(Limit::stack_size), 1024u);
    EXPECT_EQ(context->limit(Limit::printf_fifo_size), 1u << 20);
    EXPECT_EQ(context->limit(Limit::malloc_heap_size), 8u << 20);
    EXPECT_EQ(fake.limits, (std::array<uint64_t, 3>{8 << 20, 1 << 20, 1024}));
    context->set_limit(Limit::stack_size, 4001);
    context->set_limit(Limit::malloc_heap_size, 64 << 20);
    EXPECT_EQ(context->limit(Limit::stack_size), 4016u);
    EXPECT_EQ(fake.limits, (std::array<uint64_t, 3>{64 << 20, 1 << 20, 4016}));
    EXPECT_EQ(status_of([&] { context->set_limit(Limit::stack_size, 1 << 30); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { context->limit(Limit::dev_runtime_sync_depth); }), Status::unsupported_limit);
    EXPECT_EQ(status_of([&] { context->limit(Limit(77)); }), Status::invalid_value);
    EXPECT_EQ(status_of([&] { context->set_limit(Limit::persisting_l2_cache_size, 1); }), Status::unsupported_limit);
}

// CUDA_VISIBLE_DEVICES is "2,0" here, of three.
TEST(Platform, StartsOnceWithTheVisibleDevices) {
    EXPECT_EQ(status_of([] { Platform::get(); }), Status::not_initialized);
    EXPECT_FALSE(Platform::initialized());
    Platform::initialize();
    Platform::initialize();
    auto& platform = Platform::get();
    ASSERT_EQ(platform.device_count(), 2);
    EXPECT_EQ(platform.device(0).facts().name, "fake 2");
    EXPECT_EQ(platform.device(1).facts().name, "fake 0");
    EXPECT_EQ(platform.device(1).ordinal(), 1);
    EXPECT_EQ(status_of([&] { platform.device(2); }), Status::invalid_device);
    EXPECT_EQ(status_of([&] { platform.device(-1); }), Status::invalid_device);
    EXPECT_GE(Platform::driver_version(), 13000);
}

TEST(Errors, NamesAndTexts) {
    EXPECT_STREQ(name_of(Status::success), "CUDA_SUCCESS");
    EXPECT_STREQ(name_of(Status(710)), "CUDA_ERROR_ASSERT");
    EXPECT_STREQ(text_of(Status::invalid_value), "invalid argument");
    EXPECT_EQ(name_of(Status(12345)), nullptr);
    EXPECT_EQ(text_of(Status(12345)), nullptr);
    int known = 0;
    for (int i = 0; i < 1000; i++) {
        known += name_of(Status(i)) != nullptr;
        EXPECT_EQ(name_of(Status(i)) == nullptr, text_of(Status(i)) == nullptr);
    }
    EXPECT_EQ(known, 101);
}
