#include "code/background.h"
#include "code/compile.h"
#include "code/statistics.h"
#include "rt/module.h"
#include "support/log.h"
#include "support/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <unistd.h>

namespace rt {
namespace {

using code::Compilation;
using code::Digest;

/// 10 * major + minor. Texts of a later major version are refused as such when nothing in them is understood.
constexpr uint32_t newest_ptx_version = 99;

ptx::Options options_of(const JitOptions& jit) {
    ptx::Options result;
    const int64_t level = jit.optimization_level >= 0 ? jit.optimization_level : options().optimization;
    result.optimization_level = uint8_t(std::clamp<int64_t>(level, 0, 3));
    result.debug_info = jit.debug_info || jit.line_info;
    const std::string& mode = options().cpu_mode;
    result.warp = mode == "warp" ? 1 : mode == "auto" ? 2 : 0;
    result.phases = result.warp || mode == "phases" || mode == "threads";
    result.counts = result.warp && options().profile;
    result.compute_capability = uint32_t(options().compute_capability);
    return result;
}

/// What follows ".version", read without the translator, which may have stumbled over what is new; 0 when not found.
uint32_t declared_version(std::string_view text) {
    constexpr std::string_view directive = ".version";
    size_t at = text.find(directive);
    if (at == text.npos) return 0;
    at = text.find_first_not_of(" \t", at + directive.size());
    if (at == text.npos) return 0;
    uint32_t major = 0, minor = 0;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data() + at, end, major);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.' || major > 1000) return 0;
    const auto second = std::from_chars(first.ptr + 1, end, minor);
    return second.ec == std::errc{} && minor < 10 ? 10 * major + minor : 0;
}

/// The status for a module nothing of which can be used.
Status status_of_loss(const std::vector<std::string>& sources) {
    uint32_t newest = 0;
    for (const std::string& source : sources) newest = std::max(newest, declared_version(source));
    return newest > newest_ptx_version ? Status::unsupported_ptx_version : Status::invalid_ptx;
}

std::string explain(const ptx::KernelInfo& kernel) { return fmt::format("kernel {}: {}", kernel.name, kernel.error); }

void put(std::string* log, const std::string& text) {
    if (log == nullptr || text.empty()) return;
    *log += text;
    if (!text.ends_with('\n')) *log += '\n';
}

ptx::ModuleInfo index(const Compilation& compilation, const JitOptions& jit) {
    if (compilation.sources().empty()) return {}; // a device link that had nothing to do
    try {
        return compilation.index();
    } catch (const Error& error) {
        put(jit.error_log, error.what());
        if (error.status() == Status::invalid_ptx) throw Error(status_of_loss(compilation.sources()), error.what());
        throw;
    }
}

/// The lines of `messages` that the log does not have already.
void put_new(std::string* log, std::string_view messages) {
    while (log != nullptr && !messages.empty()) {
        const std::string_view line = messages.substr(0, messages.find('\n'));
        messages.remove_prefix(std::min(messages.size(), line.size() + 1));
        if (log->find(line) == log->npos) put(log, std::string(line));
    }
}

/// Fills the logs. Throws when kernels are there but none can be used.
void report(const ptx::ModuleInfo& info, const Compilation& compilation, const JitOptions& jit) {
    size_t broken = 0;
    for (const ptx::KernelInfo& kernel : info.kernels) {
        if (kernel.error.empty()) continue;
        ++broken;
        put(jit.error_log, explain(kernel));
        log(LogLevel::warning, LogChannel::translate, "{}", explain(kernel));
    }
    put_new(broken == 0 ? jit.info_log : jit.error_log, info.diagnostics);
    put(jit.info_log, fmt::format("cuttle: {} kernels, {} of them cannot be translated; PTX {}.{} for {}",
                                  info.kernels.size(), broken, info.version / 10, info.version % 10, info.target));
    if (broken == 0 || broken < info.kernels.size()) return;
    const auto first = std::find_if(info.kernels.begin(), info.kernels.end(),
                                    [](const ptx::KernelInfo& kernel) { return !kernel.error.empty(); });
    throw Error(status_of_loss(compilation.sources()), explain(*first));
}

/// Errors that may be gone at the next try.
bool passing(const Error& error) {
    return error.status() == Status::jit_compiler_not_found || error.status() == Status::out_of_memory;
}

} // namespace

struct Program::State {
    using Result = std::shared_ptr<const ptx::Image>;

    explicit State(Compilation which) : compilation(std::move(which)) {}

    const Compilation compilation;
    std::mutex mutex;
    std::map<std::string, std::shared_future<Result>> results; ///< by kernel and target

    /// The image of one kernel or, without a name, of `functions`. Whoever comes second waits for the first.
    Result obtain(const std::string& kernel, const std::vector<std::string>& functions, const ptx::Target& target) {
        const std::string key = kernel + '\n' + target.name();
        std::promise<Result> promise;
        std::unique_lock lock(mutex);
        const auto [at, is_first] = results.try_emplace(key);
        if (is_first) at->second = promise.get_future().share();
        const std::shared_future<Result> result = at->second;
        lock.unlock();
        if (is_first) fulfil(promise, key, kernel, functions, target);
        return result.get();
    }

    /// The image of one kernel if it is there; null while another thread makes it for `self`, which is this.
    static Result obtain_later(const std::shared_ptr<State>& self, const std::string& kernel,
                               const ptx::Target& target) {
        const std::string key = kernel + '\n' + target.name();
        std::unique_lock lock(self->mutex);
        if (const auto found = self->results.find(key);
            found != self->results.end() &&
            found->second.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
            return found->second.get();
        Later& later = self->later[key];
        if (later.result.valid() && later.process == getpid()) {
            if (later.result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return nullptr;
            return later.result.get();
        }
        const auto promise = std::make_shared<std::promise<Result>>();
        later = {promise->get_future().share(), getpid()};
        lock.unlock();
        if (std::optional<ptx::Image> image = self->compilation.find(target, kernel)) {
            const auto result = std::make_shared<const ptx::Image>(std::move(*image));
            promise->set_value(result);
            return result;
        }
        code::do_later([self, promise, kernel, target] {
            try {
                promise->set_value(self->translate(kernel, {}, target));
            } catch (...) {
                promise->set_exception(std::current_exception());
            }
        });
        return nullptr;
    }

  private:
    /// What nobody waits for. A forked child has not the thread that would fulfil it.
    struct Later {
        std::shared_future<Result> result;
        pid_t process = 0;
    };
    std::map<std::string, Later> later; ///< as `results`

    void fulfil(std::promise<Result>& promise, const std::string& key, const std::string& kernel,
                const std::vector<std::string>& functions, const ptx::Target& target) {
        try {
            promise.set_value(translate(kernel, functions, target));
            return;
        } catch (const Error& error) {
            if (passing(error)) forget(key);
            promise.set_exception(std::current_exception());
        } catch (...) {
            forget(key);
            promise.set_exception(std::current_exception());
        }
    }

    void forget(const std::string& key) {
        const std::lock_guard lock(mutex);
        results.erase(key);
    }

    Result translate(const std::string& kernel, const std::vector<std::string>& functions, const ptx::Target& target) {
        if (kernel.empty()) return std::make_shared<ptx::Image>(compilation.translate(target, {}, functions));
        try {
            auto image = std::make_shared<ptx::Image>(compilation.translate(target, {kernel}, {}));
            const auto made = std::find_if(image->kernels.begin(), image->kernels.end(),
                                           [&](const ptx::KernelInfo& one) { return one.name == kernel; });
            if (made == image->kernels.end()) throw Error(Status::invalid_ptx, "the translator made no code for it");
            if (!made->error.empty()) throw Error(Status::invalid_ptx, made->error);
            return image;
        } catch (const Error& error) {
            throw Error(error.status(), fmt::format("kernel {}: {}", kernel, error.what()));
        }
    }
};

bool Program::divides_blocks() const { return state_->compilation.options().warp; }

Program::Program() = default;
Program::~Program() = default;

ptx::ModuleInfo Program::inspect(const std::vector<std::string>& ptx, const JitOptions& jit) {
    return Compilation(ptx, options_of(jit)).index();
}

std::shared_ptr<Program> Program::load(const ModuleSource& source, const JitOptions& jit) {
    /// Programs in use, by digest. A slot's lock is held while its program is made, so that it is made once.
    struct Slot {
        std::mutex mutex;
        std::weak_ptr<Program> program;
    };
    static std::mutex slots_mutex;
    static std::map<Digest, std::shared_ptr<Slot>> slots;

    code::arrange_summary();
    Compilation compilation(source.ptx, options_of(jit));
    const std::shared_ptr<Slot> slot = [&] {
        const std::lock_guard lock(slots_mutex);
        std::shared_ptr<Slot>& found = slots[compilation.digest()];
        if (found == nullptr) found = std::make_shared<Slot>();
        return found;
    }();
    const std::lock_guard lock(slot->mutex);
    std::shared_ptr<Program> program = slot->program.lock();
    if (program == nullptr) {
        program.reset(new Program);
        program->info_ = index(compilation, jit);
        program->state_ = std::make_shared<State>(std::move(compilation));
    }
    report(program->info_, program->state_->compilation, jit);
    slot->program = program;
    return program;
}

const ptx::KernelInfo& Program::usable(const std::string& kernel) const {
    const ptx::KernelInfo* info = info_.kernel(kernel);
    if (info == nullptr) throw Error(Status::not_found, fmt::format("there is no kernel {}", kernel));
    if (!info->error.empty()) throw Error(Status::invalid_ptx, explain(*info));
    return *info;
}

std::shared_ptr<const ptx::Image> Program::translate(const std::string& kernel, const ptx::Target& target) {
    usable(kernel);
    ++code::statistics().kernels;
    return state_->obtain(kernel, {}, target);
}

std::shared_ptr<const ptx::Image> Program::translate_later(const std::string& kernel, const ptx::Target& target) {
    usable(kernel);
    return State::obtain_later(state_, kernel, target);
}

std::shared_ptr<const ptx::Image> Program::translate_functions(const ptx::Target& target) {
    if (info_.functions_in_data.empty()) return std::make_shared<ptx::Image>(ptx::Image{target, {}, {}, {}});
    return state_->obtain({}, info_.functions_in_data, target);
}

} // namespace rt
