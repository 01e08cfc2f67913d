// The engine on an OpenCL processor device.
#include "engine.h"
#include "opencl.h"
#include "spirv_to_opencl.h"

namespace level_zero_driver {

namespace {

class PoclKernel : public KernelCode {
  public:
    explicit PoclKernel(cl_kernel kernel) : kernel_(kernel) {
        clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof count_, &count_, nullptr);
    }
    ~PoclKernel() override { clReleaseKernel(kernel_); }

    uint32_t argument_count() const override { return count_; }

    ze_result_t run(const std::vector<Argument>& arguments, const Size& groups, const Size& threads,
                    bool together) override {
        if (together) return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE;
        OpenCl& cl = opencl();
        std::lock_guard lock(cl.mutex);
        cl_int error = open_memory();
        for (cl_uint i = 0; i < arguments.size() && error == CL_SUCCESS; i++)
            error = clSetKernelArg(kernel_, i, arguments[i].bytes,
                                   arguments[i].value.empty() ? nullptr : arguments[i].value.data());
        size_t global[3], local[3];
        for (unsigned axis = 0; axis < 3; axis++) {
            local[axis] = threads[axis];
            global[axis] = size_t{groups[axis]} * threads[axis];
        }
        if (error == CL_SUCCESS)
            error = clEnqueueNDRangeKernel(cl.queue, kernel_, 3, nullptr, global, local, 0, nullptr, nullptr);
        if (error == CL_SUCCESS) error = clFinish(cl.queue);
        return error == CL_SUCCESS ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_DEVICE_LOST;
    }

  private:
    /// Lets the kernel reach all memory that was handed out.
    cl_int open_memory() {
        std::vector<void*> all;
        for (const Allocation& each : allocations()) all.push_back(each.block);
        if (all.empty()) return CL_SUCCESS;
        return clSetKernelExecInfo(kernel_, CL_KERNEL_EXEC_INFO_SVM_PTRS, all.size() * sizeof(void*), all.data());
    }

    const cl_kernel kernel_;
    cl_uint count_ = 0;
};

class PoclProgram : public Program {
  public:
    explicit PoclProgram(cl_program program) : program_(program) {}
    ~PoclProgram() override { clReleaseProgram(program_); }

    std::unique_ptr<KernelCode> kernel(const char* name) override {
        cl_int error = CL_SUCCESS;
        cl_kernel kernel = clCreateKernel(program_, name, &error);
        if (error != CL_SUCCESS) return nullptr;
        return std::make_unique<PoclKernel>(kernel);
    }

  private:
    const cl_program program_;
};

class Pocl : public Engine {
  public:
    bool is_cooperative() const override { return false; }
    void* allocate(size_t bytes) override {
        return clSVMAlloc(opencl().context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0);
    }
    void release(void* block) override { clSVMFree(opencl().context, block); }
    std::unique_ptr<Program> build(std::span<const uint8_t> spirv, const std::string& flags,
                                   std::string& log) override {
        cl_program program = build_program(spirv, flags, log);
        if (!program) return nullptr;
        return std::make_unique<PoclProgram>(program);
    }
};

} // namespace

std::unique_ptr<Engine> create_pocl() {
    if (!start_opencl()) return nullptr;
    return std::make_unique<Pocl>();
}

} // namespace level_zero_driver
