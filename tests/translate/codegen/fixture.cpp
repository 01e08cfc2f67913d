#include "fixture.h"

#include "llvm_to_code/host.h"

#include <gtest/gtest.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace codegen_test {

using ptx::host::Lane;

std::string_view declarations() {
    return R"(
declare ptr addrspace(4) @cuttle.kernel.parameters() #0
declare i64 @cuttle.global.address(i64) #0
declare i32 @cuttle.shared.dynamic() #0
declare i32 @cuttle.sreg.tid.x() #0
declare i32 @cuttle.sreg.tid.y() #0
declare i32 @cuttle.sreg.tid.z() #0
declare i32 @cuttle.sreg.ntid.x() #0
declare i32 @cuttle.sreg.ctaid.x() #0
declare i32 @cuttle.sreg.laneid() #0
declare i32 @cuttle.sreg.warpid() #0
declare void @cuttle.exit() noreturn
declare void @cuttle.trap(i32) noreturn
declare void @cuttle.barrier.sync(i32, i32) convergent
declare {i32, i1} @cuttle.shuffle(i32, i32, i32, i32, i32) convergent
declare i64 @cuttle.cvta.shared(i64) #0
declare i64 @cuttle.cvta.local(i64) #0
declare i1 @cuttle.isspacep.shared(i64) #0
declare i1 @cuttle.isspacep.local(i64) #0
declare i1 @cuttle.isspacep.global(i64) #0
attributes #0 = { nounwind memory(none) willreturn speculatable }
attributes #1 = { nounwind convergent "cuttle.kernel" }
attributes #2 = { nounwind convergent "cuttle.addressable" }
)";
}

std::vector<ptx::KernelInfo> named(std::initializer_list<const char*> names) {
    std::vector<ptx::KernelInfo> kernels;
    for (const char* name : names) {
        ptx::KernelInfo kernel;
        kernel.name = name;
        kernels.push_back(kernel);
    }
    return kernels;
}

ptx::Image compile(std::string_view body, const ptx::Target& target, const ptx::Options& options,
                   const ptx::AfterStage& after_stage) {
    llvm::LLVMContext context;
    llvm::SMDiagnostic problem;
    const std::string text = std::string(declarations()) + std::string(body);
    std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(text, problem, context);
    if (!module)
        throw std::runtime_error("line " + std::to_string(problem.getLineNo()) + ": " + problem.getMessage().str() +
                                 "\n" + problem.getLineContents().str());
    std::vector<ptx::KernelInfo> kernels;
    for (const llvm::Function& function : *module) {
        if (!function.hasFnAttribute("cuttle.kernel")) continue;
        ptx::KernelInfo kernel;
        kernel.name = function.getName().str();
        kernels.push_back(kernel);
    }
    return ptx::compile_host(std::move(module), kernels, target, options, after_stage);
}

std::string optimized(std::string_view body, const ptx::Target& target, const ptx::Options& options) {
    std::string text;
    compile(body, target, options, [&](std::string_view stage, const std::string& dump) {
        if (stage == "optimized") text = dump;
        return stage != "optimized";
    });
    return text;
}

Code::Code(const ptx::Image& image) : image_(image), file_(memfd_create("image", MFD_CLOEXEC)) {
    if (file_ < 0) throw std::runtime_error("memfd_create failed");
    if (write(file_, image.code.data(), image.code.size()) != static_cast<ssize_t>(image.code.size()))
        throw std::runtime_error("write failed");
    // The descriptor stays open: dlopen knows libraries by path, and a second use of the number would find this one.
    library_ = dlopen(("/proc/self/fd/" + std::to_string(file_)).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_) return;
    const std::string why = dlerror();
    close(file_);
    throw std::runtime_error(why);
}

Code::~Code() {
    dlclose(library_);
    close(file_);
}

const ptx::KernelInfo& Code::kernel(std::string_view name) const {
    for (const ptx::KernelInfo& kernel : image_.kernels)
        if (kernel.name == name) return kernel;
    throw std::runtime_error("no kernel " + std::string(name));
}

void* Code::symbol(const std::string& name) const { return dlsym(library_, name.c_str()); }

void Code::run_thread(std::string_view name, Lane& lane) const {
    void* address = symbol(kernel(name).symbol);
    ASSERT_NE(address, nullptr);
    reinterpret_cast<void (*)(Lane*)>(address)(&lane);
}

void Code::run_block(std::string_view name, Lane& lane) const {
    void* address = symbol(kernel(name).symbol + ".block");
    ASSERT_NE(address, nullptr);
    reinterpret_cast<void (*)(Lane*)>(address)(&lane);
}

unsigned count(std::string_view text, std::string_view what) {
    unsigned found = 0;
    for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++found;
    return found;
}

std::vector<std::string>& service_log() {
    static std::vector<std::string> log;
    return log;
}

namespace {

template <class... T> void note(const char* name, T... arguments) {
    std::string text = std::string(name) + "(";
    ((text += (text.ends_with("(") ? "" : ", ") + std::to_string(arguments)), ...);
    service_log().push_back(text + ")");
}

} // namespace

Surroundings::Surroundings() {
    service_log().clear();
    services.barrier_sync = [](Lane*, uint32_t id, uint32_t count) { note("barrier_sync", id, count); };
    services.barrier_arrive = [](Lane*, uint32_t id, uint32_t count) { note("barrier_arrive", id, count); };
    services.barrier_reduce = [](Lane*, uint32_t id, uint32_t count, uint32_t op, uint32_t predicate) -> uint32_t {
        note("barrier_reduce", id, count, op, predicate);
        return 77;
    };
    services.warp_sync = [](Lane*, uint32_t mask) { note("warp_sync", mask); };
    services.shuffle = [](Lane*, uint32_t mode, uint32_t value, uint32_t lane, uint32_t clamp, uint32_t mask) {
        note("shuffle", mode, value, lane, clamp, mask);
        return uint64_t{1} << 32 | (value + 1);
    };
    services.vote = [](Lane*, uint32_t mode, uint32_t predicate, uint32_t mask) -> uint32_t {
        note("vote", mode, predicate, mask);
        return predicate;
    };
    services.match_any = [](Lane*, uint64_t value, uint32_t mask) -> uint32_t {
        note("match_any", value, mask);
        return 5;
    };
    services.match_all = [](Lane*, uint64_t value, uint32_t mask) -> uint64_t {
        note("match_all", value, mask);
        return uint64_t{1} << 32 | mask;
    };
    services.reduce = [](Lane*, uint32_t op, uint32_t value, uint32_t mask) -> uint32_t {
        note("reduce", op, value, mask);
        return value * 2;
    };
    services.active_mask = [](Lane*) -> uint32_t { return 0xf; };
    services.spin = [](Lane*) { note("spin"); };
    services.nanosleep = [](Lane*, uint32_t time) { note("nanosleep", time); };
    services.trap = [](Lane*, uint32_t kind) {
        note("trap", kind);
        throw std::runtime_error("trap");
    };
    services.vprintf = [](Lane*, const char* format, const void*) -> int32_t {
        service_log().push_back(std::string("vprintf ") + format);
        return 3;
    };
    services.clock = [](Lane*) -> uint64_t { return 0x1122334455667788; };
    services.globaltimer = [](Lane*) -> uint64_t { return 0x99aabbccddeeff00; };
    services.grid_sync = [](Lane*) { note("grid_sync"); };
    grid.services = &services;
    grid.parameters = parameters.data();
    grid.globals = globals.data();
    for (int axis = 0; axis < 3; ++axis) grid.grid_dim[axis] = grid.block_dim[axis] = grid.cluster_dim[axis] = 1;
    grid.multiprocessor_count = 4;
    lane.grid = &grid;
    lane.shared = shared.data();
}

Ran run_program(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (!pipe) return {-1, "popen failed"};
    std::string output;
    char buffer[4096];
    while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, count);
    return {pclose(pipe), output};
}

TemporaryFile::TemporaryFile(const std::vector<uint8_t>& bytes)
    : path_((std::filesystem::temp_directory_path() / "codegen-XXXXXX").string()) {
    const int file = mkstemp(path_.data());
    if (file < 0) throw std::runtime_error("mkstemp failed");
    const ssize_t written = write(file, bytes.data(), bytes.size());
    close(file);
    if (written != static_cast<ssize_t>(bytes.size())) throw std::runtime_error("cannot write " + path_);
}

TemporaryFile::~TemporaryFile() { unlink(path_.c_str()); }

} // namespace codegen_test
