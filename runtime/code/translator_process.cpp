#include "code/translator_process.h"

#include "code/background.h"
#include "code/spawn_server.h"
#include "code/translator_path.h"
#include "ptx/translate.h"
#include "rt/error.h"
#include "support/log.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>

namespace rt::code {
namespace {

/// Everything about the running program. One for each process of the application: a forked child makes its own and
/// leaves its parent's alone, whose locks may be held for ever there.
struct State {
    std::mutex mutex;
    std::shared_ptr<Server> server;
    std::atomic<int> control{-1}; ///< server's, for the fork handler, which may not lock
};

std::atomic<State*> process_state;

/// The child's copy of the control socket would keep the program alive after its owner has ended.
void after_fork_in_child() {
    State* old = process_state.exchange(nullptr);
    if (old == nullptr) return;
    const int control = old->control.load();
    if (control >= 0) close(control);
}

State& state() {
    State* current = process_state.load();
    if (current != nullptr) return *current;
    static const int registered = pthread_atfork(nullptr, nullptr, after_fork_in_child);
    (void)registered;
    auto fresh = std::make_unique<State>();
    if (process_state.compare_exchange_strong(current, fresh.get())) return *fresh.release();
    return *current;
}

std::shared_ptr<Server> running_server() {
    State& all = state();
    const std::lock_guard lock(all.mutex);
    if (all.server != nullptr && !all.server->usable()) {
        all.control = -1;
        all.server.reset();
    }
    if (all.server == nullptr) {
        all.server = std::make_shared<Server>(find_translator());
        all.control = all.server->control();
    }
    return all.server;
}

void drop(const std::shared_ptr<Server>& dead) {
    State& all = state();
    const std::lock_guard lock(all.mutex);
    if (all.server != dead) return;
    all.control = -1;
    all.server.reset();
}

ptx::Reply read_reply(std::span<const uint8_t> bytes, const std::string& path) {
    try {
        return ptx::deserialize_reply(bytes);
    } catch (const std::exception& error) {
        throw Error(Status::jit_compiler_not_found,
                    fmt::format("the answer of the translator {} cannot be read: {}", path, error.what()));
    }
}

void check_version(const ptx::Reply& reply, const std::string& path) {
    if (reply.version == ptx::translator_version()) return;
    const std::string text =
        fmt::format("{} is of another build than this library ('{}', not '{}'); its results are not cached", path,
                    reply.version, ptx::translator_version());
    if (first_time(text)) log(LogLevel::warning, LogChannel::translate, "{}", text);
}

} // namespace

ptx::Reply run_job(const ptx::Job& job) {
    const std::vector<uint8_t> bytes = ptx::serialize(job);
    std::string failure;
    for (int attempt = 0; attempt < 2; ++attempt) {
        const std::shared_ptr<Server> server = running_server();
        const auto frame = [&] {
            const LongWait wait;
            return server->exchange(bytes);
        }();
        if (frame) {
            ptx::Reply reply = read_reply(*frame, server->path());
            check_version(reply, server->path());
            return reply;
        }
        failure = server->how_it_ended();
        log(LogLevel::info, LogChannel::translate, "the translator {} {}", server->path(), failure);
        drop(server);
    }
    throw Error(Status::jit_compiler_not_found,
                fmt::format("the translator {} did not answer: it {}", find_translator(), failure));
}

} // namespace rt::code
