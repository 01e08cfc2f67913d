#include "driver_run.h"

#include <stdexcept>

namespace oracle {
namespace {

constexpr size_t input_bytes = threads * input_slots * sizeof(uint64_t);
constexpr size_t output_bytes = threads * output_slots * sizeof(uint64_t);

} // namespace

void check(CUresult result, const std::string& what) {
    if (result != 0) throw std::runtime_error(what + " answers " + std::to_string(result));
}

std::vector<uint64_t> run(CUmodule module, const Case& test) {
    CUfunction kernel = nullptr;
    check(cuModuleGetFunction(&kernel, module, test.kernel.c_str()), "cuModuleGetFunction");
    const std::vector<uint64_t> inputs = read_inputs(test);
    CUdeviceptr in = 0, out = 0;
    check(cuMemAlloc_v2(&in, input_bytes), "cuMemAlloc");
    check(cuMemAlloc_v2(&out, output_bytes), "cuMemAlloc");
    check(cuMemcpyHtoD_v2(in, inputs.data(), input_bytes), "cuMemcpyHtoD");
    check(cuMemsetD8_v2(out, untouched, output_bytes), "cuMemsetD8");
    unsigned n = threads;
    void* parameters[] = {&in, &out, &n};
    check(cuLaunchKernel(kernel, threads / block_threads, 1, 1, block_threads, 1, 1, 0, nullptr, parameters, nullptr),
          "cuLaunchKernel");
    check(cuCtxSynchronize(), "cuCtxSynchronize");
    std::vector<uint64_t> outputs(threads * output_slots);
    check(cuMemcpyDtoH_v2(outputs.data(), out, output_bytes), "cuMemcpyDtoH");
    check(cuMemFree_v2(in), "cuMemFree");
    check(cuMemFree_v2(out), "cuMemFree");
    return outputs;
}

} // namespace oracle
