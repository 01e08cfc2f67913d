#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What a translation gives, free of LLVM and of the syntax tree, with a byte form that travels between processes and
/// lies in the code cache. Used by the runtime, which links this part of the translator only.
namespace ptx {

enum class Arch : uint8_t { host, amdgcn, spirv };

/// Where code is to run. Written "host", "host:x86-64-v2", "amdgcn:gfx1100", "spirv".
struct Target {
    Arch arch = Arch::host;
    std::string cpu;        ///< LLVM's name of the processor; empty on host means the CPU found
    std::string features;   ///< LLVM feature string; host only
    /// Blocks can be divided into tiles of so many threads by %tid.x and %tid.y, powers of two, each at most 32, and 64
    /// together; 0 = not known. Code made for one division runs any block; host with Options::warp only.
    uint8_t columns = 0, rows = 0;

    std::string name() const;   ///< with a tile: "host/16x2"
    void divide(uint32_t x, uint32_t y);   ///< sets columns and rows for blocks of that size
    static Target parse(std::string_view text);   ///< throws std::invalid_argument
    bool operator==(const Target&) const = default;
};

struct Options {
    uint8_t optimization_level = 3;   ///< 0..3
    bool debug_info = false;          ///< carry .loc and symbol names into the code
    bool phases = false;              ///< host: cut kernels at barriers, see host_abi.h, instead of asking for fibers
    /// host: run threads side by side in vectors, 1 = where that is possible, 2 = where it seems to pay, too; with phases.
    uint8_t warp = 0;
    uint32_t compute_capability = 0;  ///< 89 for 8.9: what __nvvm_reflect-like queries see; 0 = the PTX's own
    bool counts = false;              ///< host, with warp: kernels count what their vectors do, see host_abi.h, Counts
    bool operator==(const Options&) const = default;
};

struct ParameterInfo {
    uint32_t offset = 0, size = 0, alignment = 1;   ///< bytes, in the packed parameter block
};

/// An entry function.
struct KernelInfo {
    std::string name;
    std::vector<ParameterInfo> parameters;
    uint32_t parameter_bytes = 0;
    std::array<uint32_t, 3> max_threads{0, 0, 0};        ///< .maxntid; 0 = not given
    std::array<uint32_t, 3> required_threads{0, 0, 0};   ///< .reqntid; 0 = not given
    uint32_t min_blocks_per_multiprocessor = 0;          ///< .minnctapersm
    std::array<uint32_t, 3> cluster{0, 0, 0};            ///< .reqnctapercluster; 0 = not given
    bool explicit_cluster = false;                       ///< .explicitcluster: a launch must give the cluster's size
    uint32_t max_cluster_rank = 0;                       ///< .maxclusterrank; 0 = not given
    std::string error;            ///< not empty: this kernel cannot be translated, and why ("line 3, column 7: ...")

    // Known only once translated.
    bool translated = false;
    std::string symbol;           ///< entry point in the code
    uint32_t static_shared_bytes = 0;
    uint32_t local_bytes = 0;     ///< per thread, one frame of the entry and what was inlined into it
    uint32_t registers = 0;       ///< an estimate on targets without a register file of CUDA's kind
    bool uses_barrier = false;    ///< synchronises lanes: see host_abi.h, needs_fibers
    uint8_t tile_columns = 0, tile_rows = 0;   ///< host: so many threads run side by side in vectors; 0 = none do
    bool divided = false;         ///< host: code of other divisions of blocks (Target::divide) may differ from this
    uint32_t phases = 0;          ///< host: the kernel is cut into so many, see host_abi.h; 0 = it is not
    uint32_t phase_bytes = 0;     ///< what each thread keeps between them
    bool uses_cooperative = false;///< grid synchronisation
    bool uses_cluster = false;    ///< meets other CTAs of its cluster, or reaches their shared memory: see host_abi.h
    bool uses_services = false;   ///< GPUs: takes two more arguments to reach the runtime, see gpu_services.h
    bool uses_heap = false;       ///< calls the device's malloc or free
};

/// A module-scope .global or .const variable. All of a module lie in one block of device memory, whose layout depends
/// on the module's text alone; kernels reach them as block + offset. A kernel whose address code or data takes, to launch
/// it from the device, is listed too, under its own name: the place, which holds nothing, is the kernel's address.
struct GlobalInfo {
    std::string name;
    uint64_t offset = 0, size = 0;
    uint32_t alignment = 1;
    bool constant = false;
    bool managed = false;
    bool visible = false;         ///< found by cuModuleGetGlobal
};

/// `*(uintN*)(block + offset) = (address of symbol) + addend`, N = 8 * size, after shifting right by `shift`.
struct GlobalRelocation {
    uint64_t offset = 0;
    uint8_t size = 8;
    uint8_t shift = 0;
    bool function = false;        ///< symbol is a function, else a global
    std::string symbol;
    int64_t addend = 0;
};

/// What a module offers, known after parsing and before translating.
struct ModuleInfo {
    uint32_t version = 0;               ///< .version as 10 * major + minor
    std::string target;                 ///< .target's architecture: "sm_90a"
    std::vector<KernelInfo> kernels;
    std::vector<GlobalInfo> globals;
    std::vector<GlobalRelocation> relocations;
    std::vector<uint8_t> initial_data;  ///< initial bytes of the block, may be shorter than it (rest zero)
    uint64_t block_size = 0;
    std::vector<std::string> functions_in_data;   ///< functions whose address initialised data holds
    std::vector<std::string> unresolved;          ///< what code uses and nothing defines: "function 'f'", "variable 'v'"
    std::string wrong;                  ///< the first error of a function that is no unresolved name
    std::string diagnostics;            ///< every message, one a line, in the form of KernelInfo::error

    const KernelInfo* kernel(std::string_view name) const;
    const GlobalInfo* global(std::string_view name) const;
};

/// The symbol of a device function in the code, for relocations.
struct FunctionSymbol {
    std::string name, symbol;
};

/// Code for one target: an ELF shared object (host), a code object (amdgcn) or SPIR-V words.
struct Image {
    Target target;
    std::vector<KernelInfo> kernels;          ///< the translated ones
    std::vector<FunctionSymbol> functions;    ///< for ModuleInfo::functions_in_data, when asked for
    std::vector<uint8_t> code;
    /// host, with Options::warp: "KERNEL: why its threads, or those of a phase, run one by one".
    std::vector<std::string> remarks = {};
};

std::vector<uint8_t> serialize(const ModuleInfo&);
std::vector<uint8_t> serialize(const Image&);
/// Both throw std::runtime_error on bytes that serialize did not make: truncated, of another format version, lying.
ModuleInfo deserialize_module_info(std::span<const uint8_t>);
Image deserialize_image(std::span<const uint8_t>);

} // namespace ptx
