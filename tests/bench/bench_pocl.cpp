// The kernels in OpenCL on PoCL, the other layer that runs GPU programs on CPUs. report.py asks for each of its ways to
// run a work-group (POCL_WORK_GROUP_METHOD), and takes the best for each kernel.
#define CL_TARGET_OPENCL_VERSION 120
#include "driver.h"
#include "problem.h"
#include "reference.h"

#include <CL/cl.h>
#include <benchmark/benchmark.h>

#include <cstring>

namespace {

/// PoCL's CPU with all kernels; no program when there is none.
struct OpenCl {
    cl_context context = nullptr;
    cl_command_queue queue = nullptr;
    cl_program program = nullptr;

    static OpenCl& get() {
        static OpenCl cl;
        return cl;
    }

  private:
    OpenCl() {
        cl_platform_id platforms[8];
        cl_uint count = 0;
        cl_device_id device = nullptr;
        if (clGetPlatformIDs(8, platforms, &count) != CL_SUCCESS) return;
        for (cl_uint i = 0; i < count && !device; i++) {
            char name[256] = {};
            clGetPlatformInfo(platforms[i], CL_PLATFORM_NAME, sizeof name - 1, name, nullptr);
            if (std::string(name) == "Portable Computing Language")
                clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_CPU, 1, &device, nullptr);
        }
        if (!device) return;
        cl_int status = 0;
        context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &status);
        bench::must(CUresult(status), "clCreateContext");
        queue = clCreateCommandQueue(context, device, 0, &status);
        bench::must(CUresult(status), "clCreateCommandQueue");
        const std::string text = bench::read_file(BENCH_DIRECTORY "/kernels.cl");
        const char* source = text.c_str();
        cl_program made = clCreateProgramWithSource(context, 1, &source, nullptr, &status);
        bench::must(CUresult(status), "clCreateProgramWithSource");
        bench::must(CUresult(clBuildProgram(made, 1, &device, "", nullptr, nullptr)), "clBuildProgram");
        program = made;
    }
};

const char* twin_of(const std::string& kernel) {
    return kernel == "reduce_shfl" ? "reduce_shared" : kernel.c_str();
}

void pocl(benchmark::State& state, const std::string& name) {
    OpenCl& cl = OpenCl::get();
    if (!cl.program) return state.SkipWithError("there is no PoCL");
    Problem p = make_problem(name, bench::scale);
    Buf& out = p.b[p.out];
    const std::vector<char> reference = bench::reference_result(p);
    std::memset(out.p, p.zero_out ? 0 : 0xee, out.bytes);
    cl_int status = 0;
    cl_kernel kernel = clCreateKernel(cl.program, twin_of(p.name), &status);
    bench::must(CUresult(status), "clCreateKernel");
    std::vector<cl_mem> memory;
    for (const Buf& buffer : p.b) {
        memory.push_back(clCreateBuffer(cl.context, CL_MEM_USE_HOST_PTR, buffer.bytes, buffer.p, &status));
        bench::must(CUresult(status), "clCreateBuffer");
    }
    for (cl_uint i = 0; i < p.a.size(); i++) {
        const Arg& a = p.a[i];
        if (a.k == Arg::BUF)
            status = clSetKernelArg(kernel, i, sizeof(cl_mem), &memory[size_t(a.i)]);
        else
            status = clSetKernelArg(kernel, i, 4, a.k == Arg::I32 ? static_cast<const void*>(&a.i) : &a.f);
        bench::must(CUresult(status), "clSetKernelArg");
    }
    size_t local[3], global[3];
    for (int i = 0; i < 3; i++) {
        local[i] = p.block[i];
        global[i] = size_t(p.grid[i]) * local[i];
    }
    const auto run = [&] {
        bench::must(CUresult(clEnqueueNDRangeKernel(cl.queue, kernel, 3, nullptr, global, local, 0, nullptr, nullptr)),
                    "clEnqueueNDRangeKernel");
        bench::must(CUresult(clFinish(cl.queue)), "clFinish");
    };
    run();
    const std::string wrong = compare_out(p, reference.data(), out.p);
    if (!wrong.empty()) state.SkipWithError(wrong.c_str());
    for (auto _ : state) run();
    for (cl_mem one : memory) clReleaseMemObject(one);
    clReleaseKernel(kernel);
    free_problem(p);
}

bool has_twin(const std::string& name) {
    return name != "scan_lookback" && name != "radix_pass" && name != "mma_tile";
}

const bool registered = [] {
    for (const std::string& name : problem_names())
        if (has_twin(name))
            benchmark::RegisterBenchmark(("kernel/" + name + "/pocl").c_str(), pocl, name)
                ->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
    return true;
}();

} // namespace

BENCHMARK_MAIN();
