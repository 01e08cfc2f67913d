#pragma once

#include "program.h"

#include <llvm/Support/AMDHSAKernelDescriptor.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace amdgpu {

/// An argument in the kernarg segment.
struct Argument {
    std::string kind; ///< .value_kind: "by_value", "hidden_block_count_x" ...
    uint32_t offset = 0, size = 0;
};

struct Kernel {
    const class CodeObject* code = nullptr;
    std::string name;
    llvm::amdhsa::kernel_descriptor_t descriptor{};
    uint64_t descriptor_address = 0;
    uint64_t entry = 0; ///< address
    std::vector<Argument> arguments;
    uint32_t kernarg_bytes = 0, max_flat_workgroup_size = 0, vector_registers = 0;
    bool dynamic_stack = false;
};

struct Symbol {
    uint64_t address = 0, size = 0;
};

/// A code object (an ELF file with AMD's metadata note) placed in memory and relocated.
class CodeObject {
  public:
    /// Throws std::runtime_error saying what is wrong with it.
    explicit CodeObject(std::span<const uint8_t> bytes);
    ~CodeObject();
    CodeObject(const CodeObject&) = delete;
    CodeObject& operator=(const CodeObject&) = delete;

    const Kernel* kernel(const std::string& name) const;
    const Symbol* variable(const std::string& name) const;
    const Program& program() const { return *program_; }
    const Processor& processor() const { return processor_; }
    uint64_t begin() const { return reinterpret_cast<uint64_t>(memory_); }
    uint64_t end() const { return begin() + bytes_; }

  private:
    void place(std::span<const uint8_t> bytes);
    void read_metadata(std::span<const uint8_t> bytes);

    uint8_t* memory_ = nullptr; ///< where address 0 of the file lies
    size_t bytes_ = 0;
    Processor processor_;
    std::unique_ptr<Program> program_;
    std::map<std::string, Symbol> symbols_;
    std::map<std::string, Kernel> kernels_;
};

} // namespace amdgpu
