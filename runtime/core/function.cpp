#include "core/capture.h"
#include "core/context_state.h"
#include "core/launch_limits.h"
#include "core/module_state.h"
#include "core/occupancy.h"
#include "rt/green_context.h"
#include "rt/stream.h"
#include "support/log.h"
#include "support/options.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rt {
namespace {

/// By powers of two up to 32 each.
unsigned number_of_division(const ptx::Target& target) {
    return unsigned(std::countr_zero(target.columns)) * 6 + unsigned(std::countr_zero(target.rows));
}

} // namespace

Function::Function(Module& module, const ptx::KernelInfo& info)
    : HandleBase(kind), module_(module), info_(info),
      divided_(module.program().divides_blocks() &&
               module.context().device().backend().facts().target.arch == ptx::Arch::host) {}

/// With this function's lock held: others are translated beside it.
backend::Kernel* Function::translate(const ptx::Target& target) {
    if (!info_.error.empty()) throw Error(Status::invalid_ptx, name() + ": " + info_.error);
    return load(module_.program().translate(name(), target));
}

backend::Kernel* Function::load(std::shared_ptr<const ptx::Image> image) {
    auto code = module_.context().device().backend().load(std::move(image));
    auto* kernel = code->kernel(name());
    if (!kernel) throw Error(Status::invalid_image, "translated code has no kernel " + name());
    if (!kernel->info().divided) divided_ = false;
    const std::lock_guard codes(module_.state().mutex);
    module_.state().codes.push_back(std::move(code));
    return kernel;
}

backend::Kernel& Function::resolve() {
    if (auto* kernel = kernel_.load(std::memory_order_acquire)) [[likely]]
        return *kernel;
    const std::lock_guard lock(mutex_);
    if (auto* kernel = kernel_.load()) return *kernel;
    auto* kernel = translate(module_.context().device().backend().facts().target);
    kernel_.store(kernel, std::memory_order_release);
    return *kernel;
}

backend::Kernel& Function::resolve(backend::Dim3 block) {
    if (!divided_.load(std::memory_order_relaxed)) return resolve();
    ptx::Target target;
    target.divide(block.x, block.y);
    auto& place = kernels_[number_of_division(target)];
    if (auto* kernel = place.load(std::memory_order_acquire)) [[likely]]
        return *kernel;
    const std::lock_guard lock(mutex_);
    if (auto* kernel = place.load()) return *kernel;
    target = module_.context().device().backend().facts().target;
    target.divide(block.x, block.y);
    auto* kernel = make_for(target);
    if (!kernel) return *best_so_far(target);
    place.store(kernel, std::memory_order_release);
    if (!kernel_.load()) kernel_.store(kernel, std::memory_order_release);
    return *kernel;
}

/// With the lock held: the code for blocks divided like this, or what stands for it for good; nullptr while it is made.
backend::Kernel* Function::make_for(const ptx::Target& target) {
    constexpr unsigned enough = 4;
    if (!kernel_.load()) {
        auto* kernel = translate(target);
        made_++;
        return kernel;
    }
    try {
        const uint64_t division = uint64_t{1} << number_of_division(target);
        const bool asked = asked_ & division;
        if (!asked && made_ == enough) return best_so_far(target);
        if (!asked) asked_ |= division, made_++;
        auto image = module_.program().translate_later(name(), target);
        return image ? load(std::move(image)) : nullptr;
    } catch (const Error& error) {
        log(LogLevel::warning, LogChannel::translate, "kernel {} for {}: {}", name(), target.name(), error.what());
        return best_so_far(target);
    }
}

/// What there is that takes most threads of such blocks side by side.
backend::Kernel* Function::best_so_far(const ptx::Target& target) const {
    backend::Kernel* best = kernel_.load();
    unsigned most = 0;
    for (const auto& place : kernels_) {
        auto* kernel = place.load();
        if (!kernel) continue;
        const ptx::KernelInfo& made = kernel->info();
        const unsigned lanes = made.tile_columns * made.tile_rows;
        if (made.tile_columns > target.columns || made.tile_rows > target.rows || lanes <= most) continue;
        best = kernel;
        most = lanes;
    }
    return best;
}

std::vector<uint8_t> Function::pack(void* const* arguments) const {
    std::vector<uint8_t> packed(info_.parameter_bytes);
    if (info_.parameters.empty()) return packed;
    if (!arguments) throw Error(Status::invalid_value, name() + ": no arguments");
    for (size_t i = 0; i < info_.parameters.size(); i++) {
        const auto& parameter = info_.parameters[i];
        if (!arguments[i]) throw Error(Status::invalid_value, fmt::format("{}: argument {} is null", name(), i));
        std::memcpy(packed.data() + parameter.offset, arguments[i], parameter.size);
    }
    return packed;
}

void Function::launch(Stream& stream, backend::Dim3 grid, backend::Dim3 block, uint32_t dynamic_shared_bytes,
                      std::span<const uint8_t> parameters, bool cooperative, backend::Dim3 cluster) {
    stream.launch(prepare(stream, grid, block, dynamic_shared_bytes, parameters, cooperative, cluster), this);
}

backend::Launch Function::prepare(Stream& stream, backend::Dim3 grid, backend::Dim3 block,
                                  uint32_t dynamic_shared_bytes, std::span<const uint8_t> parameters, bool cooperative,
                                  backend::Dim3 cluster) {
    if (&stream.context() != &module_.context())
        throw Error(Status::invalid_handle, name() + ": the stream belongs to another context");
    module_.context().check();
    backend::Launch launch{.kernel = &resolve(block),
                           .grid = grid,
                           .block = block,
                           .cluster = cluster,
                           .dynamic_shared_bytes = dynamic_shared_bytes,
                           .cooperative = cooperative,
                           .globals = module_.globals_block(),
                           .device_side = module_.state().device_side.get(),
                           .parameters = parameters};
    GreenContext* green = stream.green();
    check_launch(*this, launch, green ? multiprocessors::count(green->set()) : all_multiprocessors);
    launch.cluster = cluster_for(grid, cluster);
    if (log_enabled(LogLevel::debug, LogChannel::launch)) [[unlikely]]
        log(LogLevel::debug, LogChannel::launch, "{} <<<({}, {}, {}), ({}, {}, {}), {}>>> on stream {}", name(), grid.x,
            grid.y, grid.z, block.x, block.y, block.z, dynamic_shared_bytes, stream.id());
    return launch;
}

int Function::max_active_blocks(int block_threads, size_t dynamic_shared_bytes) {
    auto& device = module_.context().device();
    auto& kernel = resolve();
    if (block_threads <= 0) throw Error(Status::invalid_value, "occupancy of a block without threads");
    if (dynamic_shared_bytes > UINT32_MAX) return 0;
    const int fit = blocks_per_multiprocessor(device.facts(), device.compute_capability(), kernel.info(), block_threads,
                                              dynamic_shared_bytes);
    if (fit == 0) return 0;
    const uint32_t resident = device.backend().resident_blocks_per_multiprocessor(kernel, uint32_t(block_threads),
                                                                                  uint32_t(dynamic_shared_bytes));
    return int(std::min<uint32_t>(uint32_t(fit), resident));
}

} // namespace rt
