#include "code/compile.h"

#include "code/code_cache.h"
#include "code/cpu_identity.h"
#include "code/statistics.h"
#include "code/translator_process.h"
#include "ptx/job.h"
#include "ptx/translate.h"
#include "rt/error.h"
#include "support/log.h"

#include <chrono>
#include <fmt/ranges.h>

namespace rt::code {
namespace {

Digest digest_of(const std::vector<std::string>& sources, const ptx::Options& options) {
    Sha256 hash;
    hash.add(ptx::translator_version());
    hash.add(uint64_t{options.optimization_level}).add(uint64_t{options.debug_info}).add(uint64_t{options.phases});
    hash.add(uint64_t{options.warp}).add(uint64_t{options.counts});
    hash.add(uint64_t{options.compute_capability}).add(uint64_t{sources.size()});
    for (const std::string& source : sources) hash.add(source);
    return hash.finish();
}

/// Everything that the result of `job` depends on, its sources and options by their digest.
Digest key_of(const ptx::Job& job, const Digest& digest) {
    Sha256 hash;
    hash.add(uint64_t(job.kind)).add(digest);
    if (job.kind == ptx::Job::Kind::index) return hash.finish();
    hash.add(job.target.name());
    const bool found_cpu = job.target.arch == ptx::Arch::host && job.target.cpu.empty();
    hash.add(std::string_view(found_cpu ? cpu_identity() : std::string()));
    for (const auto* names : {&job.kernels, &job.functions}) {
        hash.add(uint64_t{names->size()});
        for (const std::string& name : *names) hash.add(name);
    }
    return hash.finish();
}

std::string subject(const ptx::Job& job) {
    if (job.kind == ptx::Job::Kind::index) return "reading a module";
    if (job.kernels.empty()) return "translating device functions";
    return fmt::format("translating kernel {}", fmt::join(job.kernels, ", "));
}

/// The whole reply, of status ok.
ptx::Reply ask_translator(const ptx::Job& job) {
    const auto start = std::chrono::steady_clock::now();
    ptx::Reply reply = run_job(job);
    const std::chrono::nanoseconds time = std::chrono::steady_clock::now() - start;
    count_translation(job.kernels, time);
    log(LogLevel::info, LogChannel::translate, "{} took {:.1f} ms", subject(job), double(time.count()) / 1e6);
    switch (reply.status) {
    case ptx::Reply::Status::ok:
        return reply;
    case ptx::Reply::Status::invalid_ptx:
        throw Error(Status::invalid_ptx, reply.message);
    case ptx::Reply::Status::unsupported:
        throw Error(Status::not_supported, reply.message);
    case ptx::Reply::Status::internal_error:
        break;
    }
    // CUDA has no number for a compiler that fails; 218 is documented as "a PTX JIT compilation failed".
    throw Error(Status::invalid_ptx, fmt::format("{} while {}", reply.message, subject(job)));
}

/// Makes the result of the bytes, and throws if it cannot.
template <class Result> using Read = Result (*)(std::span<const uint8_t>);

template <class Result> std::optional<Result> find_in_cache(const Digest& key, Read<Result> read) {
    CodeCache* cache = CodeCache::shared();
    if (cache == nullptr) return {};
    const auto payload = cache->find(key);
    if (!payload) return {};
    try {
        Result result = read(*payload);
        ++statistics().cache_hits;
        return result;
    } catch (const std::runtime_error& error) {
        log(LogLevel::warning, LogChannel::translate, "code cache: {}; it is made again", error.what());
        cache->discard(key);
        return {};
    }
}

template <class Result> Result obtain(const ptx::Job& job, const Digest& digest, Read<Result> read) {
    CodeCache* cache = CodeCache::shared();
    const Digest key = key_of(job, digest);
    if (auto found = find_in_cache(key, read)) return std::move(*found);
    const ptx::Reply reply = ask_translator(job);
    try {
        Result result = read(reply.payload);
        // A translator of another build makes what this build's keys do not describe.
        if (cache != nullptr && reply.version == ptx::translator_version()) cache->store(key, reply.payload);
        return result;
    } catch (const std::runtime_error& error) {
        throw Error(Status::jit_compiler_not_found,
                    fmt::format("the translator's result for {} cannot be read: {}", subject(job), error.what()));
    }
}

} // namespace

Compilation::Compilation(std::vector<std::string> sources, ptx::Options options)
    : sources_(std::move(sources)), options_(options), digest_(digest_of(sources_, options_)) {}

ptx::ModuleInfo Compilation::index() const {
    ptx::Job job;
    job.kind = ptx::Job::Kind::index;
    job.sources = sources_;
    job.options = options_;
    return obtain(job, digest_, Read<ptx::ModuleInfo>(ptx::deserialize_module_info));
}

ptx::Job Compilation::translation(const ptx::Target& target) const {
    ptx::Job job;
    job.kind = ptx::Job::Kind::translate;
    job.sources = sources_;
    job.target = target;
    job.options = options_;
    return job;
}

std::optional<ptx::Image> Compilation::find(const ptx::Target& target, const std::string& kernel) const {
    ptx::Job job = translation(target);
    job.kernels = {kernel};
    return find_in_cache(key_of(job, digest_), Read<ptx::Image>(ptx::deserialize_image));
}

ptx::Image Compilation::translate(const ptx::Target& target, const std::vector<std::string>& kernels,
                                  const std::vector<std::string>& functions) const {
    ptx::Job job = translation(target);
    job.kernels = kernels;
    job.functions = functions;
    return obtain(job, digest_, Read<ptx::Image>(ptx::deserialize_image));
}

} // namespace rt::code
