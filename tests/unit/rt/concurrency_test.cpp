#include "fixture.h"

#include <thread>

using namespace rt;

// Meant for the thread sanitizer; without it, a check that nothing is lost or waits for ever.
class ConcurrencyTest : public RuntimeTest {
  protected:
    static constexpr int threads = 4, rounds = 50;
    template <class F> void together(F&& work) {
        std::vector<std::thread> all;
        for (int i = 0; i < threads; i++) all.emplace_back([&, i] { work(i); });
        for (auto& thread : all) thread.join();
    }
};

TEST_F(ConcurrencyTest, LegacyAndPerThreadStreams) {
    together([&](int i) {
        Context::push(*context);
        for (int round = 0; round < rounds; round++) {
            Context& current = Context::current();
            launch("a", current.stream(i % 2 ? (void*)2 : nullptr));
            if (round % 10 == 0) current.stream((void*)2).synchronize();
            if (round % 20 == 0) current.legacy_stream().synchronize();
        }
        Context::pop();
    });
    context->synchronize();
    EXPECT_EQ(fake.done.size(), size_t(threads * rounds));
}

TEST_F(ConcurrencyTest, StreamsComeAndGo) {
    together([&](int) {
        for (int round = 0; round < rounds; round++) {
            auto* stream = new Stream(*context, round % 2, 0, Stream::Role::created);
            Event event(*context, 0);
            launch("b", *stream);
            stream->record(event);
            launch("c", context->legacy_stream());
            context->legacy_stream().wait_for(event);
            delete stream;
            if (round % 5 == 0) event.synchronize();
        }
    });
    context->synchronize();
    EXPECT_EQ(fake.done.size(), size_t(2 * threads * rounds));
}

TEST_F(ConcurrencyTest, MemoryAndHandles) {
    together([&](int i) {
        Stream& stream = create_stream(non_blocking);
        for (int round = 0; round < rounds; round++) {
            const uint64_t plain = memory::allocate(*context, 512, fake::MemoryKind::device);
            const uint64_t pooled = memory::allocate_async(*context, size_t(1000 + i), stream);
            memory::check_range(plain, 512);
            EXPECT_EQ(memory::find(pooled + 5)->address, pooled);
            memory::release_async(*context, pooled, stream);
            memory::release(*context, plain, fake::MemoryKind::device);
            EXPECT_TRUE(handle_cast<Stream>(&stream));
        }
    });
    context->synchronize();
    EXPECT_EQ(memory::info(*context).free_bytes, fake.facts().memory_bytes);
}

TEST_F(ConcurrencyTest, PrimaryContextAndLibrary) {
    Library library(load_program("letters"));
    int key;
    together([&](int) {
        for (int round = 0; round < rounds; round++) {
            device.retain_primary();
            Context& primary = device.primary();
            Context::set_current(&primary);
            primary.put_storage(&key, &key, nullptr);
            EXPECT_TRUE(primary.find_storage(&key));
            library.kernel("d")->function(primary).resolve();
            device.release_primary();
        }
        Context::set_current(nullptr);
    });
    EXPECT_FALSE(device.primary_active());
    EXPECT_TRUE(fake.allocations.empty());
}
