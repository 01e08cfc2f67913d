#pragma once

#include <cstdint>
#include <vector>

namespace rt {

class Context;
class GreenContext;
class Stream;

/// What CUDA keeps for each host thread.
struct ThreadState {
    struct Current {
        Context* context;
        uint64_t id;
        GreenContext* green = nullptr; ///< of `context`, which then is a primary one
        uint64_t green_id = 0;
    };
    struct OwnStream {
        Context* context;
        uint64_t context_id, epoch; ///< which life of which context
        Stream* stream;
    };
    std::vector<Current> stack;
    uint64_t checked_generation = 0; ///< no context has died since we saw the top alive
    std::vector<OwnStream> streams;  ///< CU_STREAM_PER_THREAD, by context
    int capture_mode = 0;            ///< cuThreadExchangeStreamCaptureMode

    ~ThreadState();
};

/// The calling thread's. Lives until the thread ends; on the main thread for ever, as exit handlers still call us.
ThreadState& thread_state();

} // namespace rt
