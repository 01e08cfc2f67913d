#include "fixture.h"

#include <thread>

using namespace rt;

class StreamTest : public RuntimeTest {};

TEST_F(StreamTest, OneStreamNeedsNoMarkers) {
    Stream& legacy = context->legacy_stream();
    for (int i = 0; i < 10; i++) launch("a", legacy);
    legacy.synchronize();
    EXPECT_EQ(fake.done, "aaaaaaaaaa");
    EXPECT_EQ(markers(), 0);
    Stream& free = create_stream(non_blocking);
    launch("b", free);
    launch("c", legacy);
    EXPECT_EQ(markers(), 0) << "a non-blocking stream has nothing to do with the legacy one";
}

TEST_F(StreamTest, LegacyWaitsForBlockingStreams) {
    Stream &first = create_stream(), &second = create_stream(), &free = create_stream(non_blocking);
    launch("a", first);
    launch("b", second);
    launch("c", free);
    launch("d", context->legacy_stream());
    context->legacy_stream().synchronize();
    EXPECT_EQ(fake.done, "abd");
    context->synchronize();
    EXPECT_EQ(fake.done, "abdc");
}

TEST_F(StreamTest, BlockingStreamsWaitForLegacy) {
    Stream &blocking = create_stream(), &other = create_stream(), &free = create_stream(non_blocking);
    launch("a", context->legacy_stream());
    launch("b", free);
    launch("c", other);
    launch("d", blocking);
    blocking.synchronize();
    EXPECT_EQ(fake.done, "ad") << "but not for each other";
    free.synchronize();
    EXPECT_EQ(fake.done, "adb");
    other.synchronize();
    EXPECT_EQ(fake.done, "adbc");
}

TEST_F(StreamTest, ThereAndBackAgain) {
    Stream &x = create_stream(), &y = create_stream();
    launch("a", x);
    launch("b", context->legacy_stream());
    launch("c", y);
    y.synchronize();
    EXPECT_EQ(fake.done, "abc") << "y waits for the legacy stream, which waits for x";
    const int before = markers();
    launch("d", y);
    launch("e", y);
    EXPECT_EQ(markers(), before) << "nothing new to wait for";
}

TEST_F(StreamTest, LegacySynchronizeAndQueryIncludeBlockingStreams) {
    Stream& blocking = create_stream();
    launch("a", blocking);
    EXPECT_FALSE(context->legacy_stream().idle());
    context->legacy_stream().synchronize();
    EXPECT_EQ(fake.done, "a");
    EXPECT_TRUE(context->legacy_stream().idle());
    EXPECT_TRUE(blocking.idle());
}

TEST_F(StreamTest, DestroyedStreamsFinish) {
    auto* doomed = new Stream(*context, 0, 0, Stream::Role::created);
    launch("a", *doomed);
    delete doomed;
    EXPECT_EQ(fake.done, "") << "destruction does not wait";
    launch("b", context->legacy_stream());
    context->legacy_stream().synchronize();
    EXPECT_EQ(fake.done, "ab");
    auto* free = new Stream(*context, non_blocking, 0, Stream::Role::created);
    launch("c", *free);
    delete free;
    context->synchronize();
    EXPECT_EQ(fake.done, "abc");
}

TEST_F(StreamTest, SpecialHandles) {
    Stream& legacy = context->legacy_stream();
    EXPECT_EQ(&context->stream(nullptr), &legacy);
    EXPECT_EQ(&context->stream((void*)1), &legacy);
    EXPECT_EQ(&context->stream((void*)1, true), &legacy);
    Stream& own = context->stream((void*)2);
    EXPECT_NE(&own, &legacy);
    EXPECT_EQ(&context->stream(nullptr, true), &own);
    EXPECT_EQ(&context->stream((void*)2), &own);
    std::thread([&] { EXPECT_NE(&context->stream((void*)2), &own); }).join();
    EXPECT_EQ(status_of([&] { context->stream((void*)3); }), Status::invalid_handle);
    Stream& created = create_stream();
    EXPECT_EQ(&context->stream(&created), &created);
    Context other(device, 0, false);
    EXPECT_NE(&other.per_thread_stream(), &own);
    launch("a", own);
    launch("b", legacy);
    legacy.synchronize();
    EXPECT_EQ(fake.done, "ab") << "per-thread streams are blocking streams";
}

TEST_F(StreamTest, PerThreadStreamOfAnEndedThreadIsGone) {
    Stream* theirs = nullptr;
    std::thread([&] {
        theirs = &context->per_thread_stream();
        EXPECT_EQ(handle_cast<Stream>(theirs), theirs);
    }).join();
    EXPECT_EQ(handle_cast<Stream>(theirs), nullptr);
}

TEST_F(StreamTest, EventsOrderStreams) {
    Stream &x = create_stream(non_blocking), &y = create_stream(non_blocking);
    Event event(*context, 2);
    y.wait_for(event); // never recorded: nothing
    launch("a", x);
    x.record(event);
    launch("b", x);
    y.wait_for(event);
    launch("c", y);
    EXPECT_FALSE(event.reached());
    y.synchronize();
    EXPECT_EQ(fake.done, "ac");
    EXPECT_TRUE(event.reached());
    Context other(device, 0, false);
    Event foreign(other, 0);
    EXPECT_EQ(status_of([&] { x.record(foreign); }), Status::invalid_handle);
}

TEST_F(StreamTest, EventTimes) {
    Stream& stream = create_stream();
    Event start(*context, 0), end(*context, 0), untimed(*context, 2);
    EXPECT_TRUE(start.reached());
    EXPECT_FALSE(start.recorded());
    EXPECT_EQ(status_of([&] { Event::elapsed(start, end); }), Status::invalid_handle);
    stream.record(start);
    launch("a", stream);
    launch("b", stream);
    stream.record(end);
    stream.record(untimed);
    EXPECT_EQ(status_of([&] { Event::elapsed(start, end); }), Status::not_ready);
    end.synchronize();
    EXPECT_EQ(fake.done, "ab");
    EXPECT_FLOAT_EQ(Event::elapsed(start, end), 3); // three tasks of the fake clock
    EXPECT_FLOAT_EQ(Event::elapsed(end, start), -3);
    untimed.synchronize();
    EXPECT_EQ(status_of([&] { Event::elapsed(start, untimed); }), Status::invalid_handle);
}

TEST_F(StreamTest, HostFunctionsKeepTheirPlace) {
    Stream& stream = create_stream();
    launch("a", stream);
    stream.call([&] { fake.done += "!"; });
    stream.call(HostFunction{[](void* text) { *static_cast<std::string*>(text) += "?"; }, &fake.done});
    launch("b", stream);
    stream.synchronize();
    EXPECT_EQ(fake.done, "a!?b");
    EXPECT_GT(fake.drains, 0);
}

TEST_F(StreamTest, FaultsAreSticky) {
    struct Row {
        const char* kernel;
        Status status;
    };
    for (auto [kernel, status] : {Row{"fault:1", Status::illegal_address},
                                  {"fault:2", Status::launch_failed},
                                  {"fault:3", Status::assert_},
                                  {"fault:4", Status::illegal_address},
                                  {"fault:5", Status::illegal_instruction},
                                  {"fault:6", Status::misaligned_address},
                                  {"fault:7", Status::launch_timeout}}) {
        Context lost(device, 0, false);
        auto* inner = new Module(lost, load_program("letters"));
        auto* stream = new Stream(lost, 0, 0, Stream::Role::created);
        auto* event = new Event(lost, 0);
        inner->function(kernel)->launch(*stream, {}, {}, 0, {});
        stream->record(*event);
        EXPECT_EQ(status_of([&] { stream->synchronize(); }), status);
        EXPECT_EQ(status_of([&] { stream->synchronize(); }), status);
        EXPECT_EQ(status_of([&] { stream->idle(); }), status);
        EXPECT_EQ(status_of([&] { event->reached(); }), status);
        EXPECT_EQ(status_of([&] { lost.synchronize(); }), status);
        EXPECT_EQ(status_of([&] { lost.check(); }), status);
        EXPECT_EQ(status_of([&] { inner->function("a")->launch(lost.legacy_stream(), {}, {}, 0, {}); }), status);
        try {
            lost.check();
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(kernel), std::string::npos) << "says which kernel";
        }
    }
    launch("a", context->legacy_stream());
    context->synchronize(); // other contexts are well
}

TEST_F(StreamTest, FaultIsSeenByTheNextCallOfTheStream) {
    Stream &bad = create_stream(non_blocking), &good = create_stream(non_blocking);
    launch("fault:1", bad);
    bad.queue().synchronize(); // the device got that far by itself
    EXPECT_EQ(status_of([&] { launch("a", bad); }), Status::illegal_address);
    EXPECT_EQ(status_of([&] { launch("a", good); }), Status::illegal_address);
}

TEST_F(StreamTest, ResetHealsAPrimaryContext) {
    device.retain_primary();
    Context& primary = device.primary();
    auto* inner = new Module(primary, load_program("letters"));
    inner->function("fault:2")->launch(primary.legacy_stream(), {}, {}, 0, {});
    EXPECT_EQ(status_of([&] { primary.synchronize(); }), Status::launch_failed);
    device.reset_primary();
    device.retain_primary();
    primary.synchronize();
    inner = new Module(primary, load_program("letters"));
    inner->function("a")->launch(primary.legacy_stream(), {}, {}, 0, {});
    primary.synchronize();
    EXPECT_EQ(fake.done, "a");
    device.release_primary();
}
