// cuttle-selftest [GROUP...]: the cases of the oracle on the first device of the libcuda that the loader finds, against
// an NVIDIA H100's bits. `cuttle selftest` starts it. Each group runs in processes of its own, so that a kernel that
// faults, or brings the vendor's driver down, costs one case.
#include "cases.h"
#include "driver_run.h"
#include "judge.h"

#include "api/constants.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace oracle {
namespace {

struct Tally {
    unsigned right = 0, wrong = 0;
};

/// The device, its context current in this thread.
CUcontext open_device() {
    check(cuInit(0), "cuInit");
    CUdevice device = 0;
    check(cuDeviceGet(&device, 0), "cuDeviceGet");
    CUcontext context = nullptr;
    check(cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
    check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
    return context;
}

/// In a process of its own, like all that touches the driver. 0 if there is a device.
int show_device() {
    open_device();
    char name[256] = "";
    check(cuDeviceGetName(name, sizeof name, 0), "cuDeviceGetName");
    size_t bytes = 0;
    check(cuDeviceTotalMem_v2(&bytes, 0), "cuDeviceTotalMem");
    std::printf("device: %s, %.1f GiB\n", name, double(bytes) / (1 << 30));
    return 0;
}

CUmodule load(const std::string& group) {
    const std::string text = read_ptx(group);
    std::string log(8192, '\0');
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
    CUmodule module = nullptr;
    const CUresult result = cuModuleLoadDataEx(&module, text.c_str(), 2, options, values);
    if (result != 0) throw std::runtime_error("loading answers " + std::to_string(result) + ": " + log.c_str());
    return module;
}

/// Has the kernels translated side by side. Errors come again when a case is run.
void translate(CUcontext context, CUmodule module, const std::vector<Case>& cases) {
    std::atomic<size_t> next = 0;
    const auto work = [&] {
        cuCtxSetCurrent(context);
        for (size_t i = next++; i < cases.size(); i = next++) {
            CUfunction kernel = nullptr;
            cuModuleGetFunction(&kernel, module, cases[i].kernel.c_str());
        }
    };
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1u, 16u); ++i) workers.emplace_back(work);
    for (std::thread& worker : workers) worker.join();
}

/// The cases from `first` on, in this process, until one fails in a way that spoils the context. Writes a byte for each
/// that is done: whether it was wrong.
void run_cases(const std::vector<Case>& cases, size_t first, int done) {
    CUmodule module = nullptr;
    try {
        CUcontext context = open_device();
        module = load(cases[first].group);
        if (first == 0) translate(context, module, cases);
    } catch (const std::exception& error) {
        std::printf("%s: %s\n", cases[first].group.c_str(), error.what());
        return;
    }
    for (size_t i = first; i < cases.size(); ++i) {
        std::string failure;
        bool is_spoilt = false;
        try {
            const std::vector<uint64_t> outputs = run(module, cases[i]);
            failure = wrong_threads(cases[i], outputs);
        } catch (const std::exception& error) {
            failure = std::string(error.what()) + "\n";
            is_spoilt = true;
        }
        if (!failure.empty()) std::printf("%s: %s", cases[i].kernel.c_str(), failure.c_str());
        std::fflush(stdout);
        const char byte = !failure.empty();
        if (write(done, &byte, 1) != 1 || is_spoilt) return;
    }
}

/// `body` in a child; its bytes are counted. The child's status as of waitpid.
template <class Body> int in_child(Tally& tally, Body&& body) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    std::fflush(stdout);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("no process");
    if (child == 0) {
        close(ends[0]);
        body(ends[1]);
        std::fflush(stdout);
        _exit(0); // without the destructors of a driver that may be in any state
    }
    close(ends[1]);
    for (char is_wrong; read(ends[0], &is_wrong, 1) == 1;) ++(is_wrong ? tally.wrong : tally.right);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

Tally run_group(const std::vector<Case>& cases) {
    Tally tally;
    for (size_t next = 0; next < cases.size();) {
        const int status = in_child(tally, [&](int done) { run_cases(cases, next, done); });
        const size_t reached = tally.right + tally.wrong;
        if (WIFSIGNALED(status) && reached < cases.size())
            std::printf("%s: the process was ended by signal %d\n", cases[reached].kernel.c_str(), WTERMSIG(status));
        else if (reached == next)
            std::printf("%s: the process ended without a result\n", cases[reached].kernel.c_str());
        // What brought the process down is wrong; what was reported before it went counts already.
        if (reached < cases.size() && (WIFSIGNALED(status) || reached == next)) ++tally.wrong;
        next = tally.right + tally.wrong;
    }
    return tally;
}

/// Where the cases are: installed beside the program, or in the sources.
void find_cases() {
    std::error_code ignored;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    const auto installed = own / "../share/cuttle/oracle";
    if (std::filesystem::exists(installed / "data/cases.tsv", ignored)) set_folder(installed.string());
}

int selftest(const std::vector<std::string>& wanted) {
    find_cases();
    setenv("CUTTLE_LAUNCH_TIMEOUT", "60", 0); // no case takes a second
    std::map<std::string, std::vector<Case>> groups;
    for (const Case& test : read_cases())
        if (wanted.empty() || std::find(wanted.begin(), wanted.end(), test.group) != wanted.end())
            groups[test.group].push_back(test);
    for (const std::string& name : wanted)
        if (!groups.count(name)) throw std::runtime_error("no such group of cases: " + name);
    Tally nothing;
    const int status = in_child(nothing, [](int) {
        try {
            show_device();
        } catch (const std::exception& error) {
            std::printf("no device: %s\n", error.what());
            std::fflush(stdout);
            _exit(1);
        }
    });
    if (status != 0) return 1;
    Tally sum;
    for (const auto& [name, cases] : groups) {
        const Tally tally = run_group(cases);
        std::printf("%s: %u of %zu cases right\n", name.c_str(), tally.right, cases.size());
        std::fflush(stdout);
        sum.right += tally.right;
        sum.wrong += tally.wrong;
    }
    std::printf("%u cases right, %u wrong\n", sum.right, sum.wrong);
    return sum.wrong != 0;
}

} // namespace
} // namespace oracle

int main(int argc, char** argv) {
    try {
        return oracle::selftest({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cuttle-selftest: %s\n", error.what());
        return 2;
    }
}
