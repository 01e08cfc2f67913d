#include "group_runner.h"

#include "ptx/translate.h"

#include <cstring>
#include <stdexcept>
#include <string_view>

namespace oracle {
namespace {

using rt::backend::Fault;
using rt::backend::MemoryKind;

constexpr size_t input_bytes = threads * input_slots * sizeof(uint64_t);
constexpr size_t output_bytes = threads * output_slots * sizeof(uint64_t);

uint64_t address_of(const void* host) { return reinterpret_cast<uint64_t>(host); }

} // namespace

GroupRunner::GroupRunner(rt::backend::Device& device, const std::string& group, bool warp)
    : device_(device), group_(group), warp_(warp), in_(device.allocate(input_bytes, MemoryKind::device)),
      out_(device.allocate(output_bytes, MemoryKind::device)) {
    if (!in_ || !out_) throw std::runtime_error("no device memory");
    try {
        all_ = load({});
    } catch (const std::exception&) {
        // LLVM's SPIR-V back end gives a module up for one of its kernels; no other may.
        if (device.facts().target.arch != ptx::Arch::spirv) throw;
    }
}

GroupRunner::Loaded GroupRunner::load(const std::vector<std::string>& kernels) {
    const std::string text = read_ptx(group_);
    const std::string_view sources[] = {text};
    ptx::Request request;
    request.sources = sources;
    request.target = device_.facts().target;
    request.kernels = kernels;
    if (warp_) {
        request.options.phases = true;
        request.options.warp = 1;
        request.target.divide(block_threads, 1);
    }
    Loaded loaded{std::make_shared<const ptx::Image>(ptx::translate(request)), nullptr};
    loaded.code = device_.load(loaded.image);
    return loaded;
}

GroupRunner::~GroupRunner() {
    device_.release(in_, MemoryKind::device);
    device_.release(out_, MemoryKind::device);
}

std::vector<uint64_t> GroupRunner::run(const Case& test) {
    Loaded alone;
    if (!all_.code) alone = load({test.kernel});
    const Loaded& loaded = all_.code ? all_ : alone;
    for (const ptx::KernelInfo& info : loaded.image->kernels)
        if (info.name == test.kernel && !info.error.empty()) throw std::runtime_error(info.error);
    rt::backend::Kernel* kernel = loaded.code->kernel(test.kernel);
    if (!kernel) throw std::runtime_error("the image has no such kernel");

    const std::vector<uint64_t> inputs = read_inputs(test);
    std::vector<uint64_t> outputs(threads * output_slots);
    struct {
        uint64_t in, out;
        uint32_t n;
    } const parameters{in_, out_, threads};

    // A queue of its own: a fault is sticky.
    auto queue = device_.create_queue(0);
    queue->copy({.destination = in_, .source = address_of(inputs.data()), .width = input_bytes});
    queue->fill({.destination = out_, .value = untouched, .element_bytes = 1, .width = output_bytes});
    rt::backend::Launch launch;
    launch.kernel = kernel;
    launch.grid = {threads / block_threads, 1, 1};
    launch.block = {block_threads, 1, 1};
    launch.parameters = {reinterpret_cast<const uint8_t*>(&parameters), 20};
    queue->launch(launch);
    queue->synchronize();
    std::string message;
    if (queue->fault(&message) != Fault::none) throw std::runtime_error("the kernel faulted: " + message);
    queue->copy({.destination = address_of(outputs.data()), .source = out_, .width = output_bytes});
    queue->synchronize();
    return outputs;
}

} // namespace oracle
