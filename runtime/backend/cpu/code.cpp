#include "backend/cpu/code.h"

#include "rt/error.h"
#include "support/log.h"

#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace rt::backend::cpu {

namespace {

bool write_all(int fd, std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
        ssize_t done = write(fd, bytes.data(), bytes.size());
        if (done <= 0) return false;
        bytes = bytes.subspan(size_t(done));
    }
    return true;
}

/// A name for descriptor `fd` that no earlier object had: the dynamic linker takes equal names for equal objects, and
/// descriptors are reused. The serial number is written in slashes.
std::string path_of(int fd) {
    static std::atomic<uint64_t> serial{0};
    std::string path = "/proc/self/fd";
    for (uint64_t n = ++serial; n; n >>= 1) path += (n & 1) ? "/." : "/";
    return path + "/" + std::to_string(fd);
}

void* open_in_memory(std::span<const uint8_t> code, const std::string& name) {
    int fd = memfd_create(("cuttle:" + name.substr(0, 200)).c_str(), MFD_CLOEXEC);
    if (fd < 0) return nullptr;
    void* handle = write_all(fd, code) ? dlopen(path_of(fd).c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
    close(fd);
    return handle;
}

/// Where memory files may not be executed.
void* open_in_file(std::span<const uint8_t> code) {
    for (const char* folder : {"/dev/shm", "/tmp", "/var/tmp"}) {
        std::string path = std::string(folder) + "/cuttle-XXXXXX";
        int fd = mkostemp(path.data(), O_CLOEXEC);
        if (fd < 0) continue;
        void* handle = write_all(fd, code) ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
        close(fd);
        unlink(path.c_str());
        if (handle) return handle;
    }
    return nullptr;
}

} // namespace

CpuCode::CpuCode(std::shared_ptr<const ptx::Image> image) : image_(std::move(image)) {
    if (image_->target.arch != ptx::Arch::host)
        throw Error{Status::invalid_image, "cpu: code for target " + image_->target.name() + " cannot run on the host"};
    const std::string name = image_->kernels.empty() ? "functions" : image_->kernels.front().name;
    handle_ = open_in_memory(image_->code, name);
    std::string reason;
    if (!handle_) {
        if (const char* text = dlerror()) reason = text;
        handle_ = open_in_file(image_->code);
    }
    if (!handle_) throw Error{Status::invalid_image, "cpu: cannot load the code of " + name + ": " + reason};
    try {
        for (const ptx::KernelInfo& info : image_->kernels) {
            if (info.symbol.empty()) continue;
            CpuKernel::Entry thread = nullptr, block = nullptr;
            CpuKernel::Phase phase = nullptr;
            CpuKernel::Chain chain = nullptr;
            const ptx::host::PhaseCut* cuts = nullptr;
            if (info.phases) {
                phase = reinterpret_cast<CpuKernel::Phase>(symbol(info.symbol + ".phase"));
                chain = reinterpret_cast<CpuKernel::Chain>(dlsym(handle_, (info.symbol + ".chain").c_str()));
                cuts = static_cast<const ptx::host::PhaseCut*>(symbol(info.symbol + ".cuts"));
            } else {
                thread = reinterpret_cast<CpuKernel::Entry>(symbol(info.symbol));
            }
            if (const void* why = dlsym(handle_, (info.symbol + ".why_fibers").c_str()))
                log(LogLevel::debug, LogChannel::launch, "kernel {} needs a fiber for each thread: {}", info.name,
                    static_cast<const char*>(why));
            std::shared_ptr<ptx::host::Counts> counts;
            if (void* place = dlsym(handle_, (info.symbol + ".counts").c_str())) {
                counts = std::make_shared<ptx::host::Counts>();
                *static_cast<ptx::host::Counts**>(place) = counts.get();
            }
            if (!info.uses_barrier) block = reinterpret_cast<CpuKernel::Entry>(symbol(info.symbol + ".block"));
            auto& kernel = kernels_[info.name];
            kernel = std::make_unique<CpuKernel>(info, thread, block, phase, chain, cuts, counts);
            if (const void* together = dlsym(handle_, (info.symbol + ".together").c_str()))
                kernel->set_together(*static_cast<const uint32_t*>(together));
        }
    } catch (...) {
        dlclose(handle_);
        throw;
    }
}

CpuCode::~CpuCode() { dlclose(handle_); }

void* CpuCode::symbol(const std::string& name) const {
    if (void* address = dlsym(handle_, name.c_str())) return address;
    throw Error{Status::invalid_image, "cpu: the code has no symbol " + name};
}

Kernel* CpuCode::kernel(const std::string& name) {
    auto found = kernels_.find(name);
    return found == kernels_.end() ? nullptr : found->second.get();
}

uint64_t CpuCode::function_address(const std::string& name) {
    for (const ptx::FunctionSymbol& function : image_->functions)
        if (function.name == name) return reinterpret_cast<uint64_t>(dlsym(handle_, function.symbol.c_str()));
    return 0;
}

} // namespace rt::backend::cpu
