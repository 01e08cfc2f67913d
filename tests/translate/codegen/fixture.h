#pragma once

#include "ptx/host_abi.h"
#include "llvm_to_code/compile.h"
#include "ptx/image.h"

#include <array>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// Handwritten neutral IR, compiled and run.
namespace codegen_test {

/// Compiles with compile_host. `body` is put behind the declarations of the usual cuttle.* functions; every function
/// marked "cuttle.kernel" is compiled.
ptx::Image compile(std::string_view body, const ptx::Target& target = {}, const ptx::Options& options = {},
                   const ptx::AfterStage& after_stage = {});
/// What LLVM's optimiser leaves of it.
std::string optimized(std::string_view body, const ptx::Target& target, const ptx::Options& options);

/// The same declarations, for tests that call other back ends.
std::string_view declarations();
/// KernelInfo with a name alone.
std::vector<ptx::KernelInfo> named(std::initializer_list<const char*> names);

/// A loaded host image.
class Code {
  public:
    explicit Code(const ptx::Image&);
    explicit Code(std::string_view body, const ptx::Target& target = {}, const ptx::Options& options = {})
        : Code(compile(body, target, options)) {}
    ~Code();
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    const ptx::Image& image() const { return image_; }
    const ptx::KernelInfo& kernel(std::string_view name) const;
    /// Null if it is not exported.
    void* symbol(const std::string& name) const;
    void run_thread(std::string_view kernel, ptx::host::Lane&) const;
    void run_block(std::string_view kernel, ptx::host::Lane&) const;

  private:
    ptx::Image image_;
    int file_;
    void* library_ = nullptr;
};

/// One CTA's surroundings with services that record what they are asked.
class Surroundings {
  public:
    Surroundings();
    Surroundings(const Surroundings&) = delete;
    Surroundings& operator=(const Surroundings&) = delete;

    template <class... T> void set_parameters(T... values) {
        size_t offset = 0;
        ((std::memcpy(parameters.data() + offset, &values, sizeof values), offset += sizeof values), ...);
    }

    ptx::host::Services services{};
    ptx::host::Grid grid{};
    ptx::host::Lane lane{};
    alignas(1024) std::array<uint8_t, 4096> shared{};
    alignas(16) std::array<uint8_t, 256> parameters{};
    alignas(16) std::array<uint8_t, 256> globals{};
};

/// How often `what` stands in the text.
unsigned count(std::string_view text, std::string_view what);

/// "f(1, 2)" for each service called, since the last clear().
std::vector<std::string>& service_log();

/// Output and exit status of a program.
struct Ran {
    int status;
    std::string output;
};
Ran run_program(const std::string& command);

/// A file of this process's own with these bytes, in the temporary folder; removed with the object.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::vector<uint8_t>& bytes);
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

} // namespace codegen_test
