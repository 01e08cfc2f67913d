#pragma once

#include "backend/backend.h"
#include "ptx/image.h"
#include "rt/error.h"
#include "rt/handle.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace rt {

class Context;
class Function;

/// What cuModuleLoad*, cuLibraryLoad* and the linker may be given: PTX text, a fat binary, a fat-binary wrapper
/// (24 bytes, magic 0x466243b1), an image of ours (rt/linked_image.h), an ELF cubin (refused with no_binary_for_gpu and
/// advice). Found by looking.
struct ModuleSource {
    std::vector<std::string> ptx; ///< one text, or several to be linked (-rdc=true)
    /// Reads `image`; `size` 0 means "by its own headers, or NUL-terminated text". Chooses PTX for `compute_capability`
    /// (10 * major + minor): the newest not above it, else the lowest. Throws invalid_image, invalid_source,
    /// no_binary_for_gpu; the message says which architectures are there and what to rebuild with.
    static ModuleSource from_image(const void* image, size_t size, int compute_capability);
    /// The same for what nvcc makes for linking: a host object file, or with `library` an archive of them, whose fat
    /// binaries count, each one text. Throws as from_image, and invalid_source when there are none.
    static ModuleSource from_object(const void* image, size_t size, bool library, int compute_capability);
};

/// JIT options that we honour. CUDA driver API, CUjit_option.
struct JitOptions {
    int optimization_level = -1; ///< -1 = default
    bool debug_info = false, line_info = false;
    std::string* info_log = nullptr; ///< filled when not null
    std::string* error_log = nullptr;
};

/// PTX and what it offers: shared between contexts and loads of equal text, immutable after construction but for the
/// code made lazily per target. (Content -> one Program per process; the code cache on disk is behind it.)
class Program {
  public:
    static std::shared_ptr<Program> load(const ModuleSource&, const JitOptions&);
    /// What texts offer, without making a program of them: for linking, where a name may be defined later. Throws
    /// invalid_ptx when they are no PTX or do not go together.
    static ptx::ModuleInfo inspect(const std::vector<std::string>& ptx, const JitOptions&);
    const ptx::ModuleInfo& info() const { return info_; }
    /// Whether host code may depend on how blocks can be divided (ptx::Target::divide).
    bool divides_blocks() const;
    /// Translates (or finds in the cache) one kernel. Throws invalid_ptx, jit_compilation... with the reason.
    std::shared_ptr<const ptx::Image> translate(const std::string& kernel, const ptx::Target&);
    /// The same without waiting for the translator: nullptr while that is at work, on a thread of its own. Throws when
    /// it has failed.
    std::shared_ptr<const ptx::Image> translate_later(const std::string& kernel, const ptx::Target&);
    /// The device functions that initialised data point to.
    std::shared_ptr<const ptx::Image> translate_functions(const ptx::Target&);
    ~Program();

  private:
    Program();
    const ptx::KernelInfo& usable(const std::string& kernel) const;

    ptx::ModuleInfo info_;
    struct State;
    std::shared_ptr<State> state_; ///< kept by translations that nobody waits for
};

struct Global {
    uint64_t address = 0;
    size_t size = 0;
};

/// A program loaded into one context: its globals' memory and its loaded code. CUmodule.
class Module : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::module;

    /// Allocates and initialises the globals; or, with `shared_globals`, uses that block and leaves it alone.
    Module(Context& context, std::shared_ptr<Program> program, uint64_t shared_globals = 0);
    ~Module();

    Context& context() { return context_; }
    const ptx::ModuleInfo& info() const { return program_->info(); }
    /// nullptr when there is no such kernel; throws when the kernel is broken. The Function belongs to the module.
    Function* function(const std::string& name);
    std::vector<Function*> functions();
    /// address 0 when there is no such variable.
    Global global(const std::string& name) const;
    uint64_t globals_block() const { return globals_; }

    Program& program() { return *program_; }

    struct State;
    State& state() { return *state_; }

  private:
    Context& context_;
    std::shared_ptr<Program> program_;
    uint64_t globals_ = 0;
    std::unique_ptr<State> state_;
};

/// A kernel in a module. CUfunction. Its code is made on first need.
class Function : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::function;

    Function(Module& module, const ptx::KernelInfo& info);

    Module& module() { return module_; }
    const std::string& name() const { return info_.name; }
    /// As indexed: name, parameters, limits. See resolve() for the rest.
    const ptx::KernelInfo& info() const { return info_; }
    /// Translates and loads if need be. Throws with the reason when it cannot.
    backend::Kernel& resolve();
    /// The same, made for blocks of this size where that makes a difference. Any code runs any block, so only the first
    /// is waited for: while another is made, and when there are enough, this gives what fits best.
    backend::Kernel& resolve(backend::Dim3 block);
    /// The same, but nullptr when that is still to be done.
    backend::Kernel* resolved() { return kernel_.load(std::memory_order_acquire); }

    /// cuFuncSetAttribute: MAX_DYNAMIC_SHARED_SIZE_BYTES (default 48 KiB less static), carve-out, cluster dims.
    /// CUfunction_attribute numbers; throws invalid_value.
    int attribute(int attribute);
    void set_attribute(int attribute, int value);
    int cache_config = 0;

    /// Checks CUDA's launch limits (throws invalid_value, launch_out_of_resources, invalid_configuration ...),
    /// then enqueues. `parameters` is packed. A `cluster` of 0, 0, 0 is none given.
    void launch(class Stream&, backend::Dim3 grid, backend::Dim3 block, uint32_t dynamic_shared_bytes,
                std::span<const uint8_t> parameters, bool cooperative = false, backend::Dim3 cluster = {0, 0, 0});
    /// The same without the last step: what is to be enqueued, which points to `parameters`.
    backend::Launch prepare(class Stream&, backend::Dim3 grid, backend::Dim3 block, uint32_t dynamic_shared_bytes,
                            std::span<const uint8_t> parameters, bool cooperative, backend::Dim3 cluster);
    /// The cluster that a launch of this grid gets: what is given (0, 0, 0: nothing), or what the kernel asks for, by
    /// its directives or its attributes; 1, 1, 1 without either. Throws invalid_cluster_size.
    backend::Dim3 cluster_for(backend::Dim3 grid, backend::Dim3 given);
    /// Packs an array of pointers to arguments (kernelParams) by the kernel's parameter layout.
    std::vector<uint8_t> pack(void* const* arguments) const;

    /// CUDA driver API, occupancy.
    int max_active_blocks(int block_threads, size_t dynamic_shared_bytes);

  private:
    backend::Kernel* translate(const ptx::Target&);
    backend::Kernel* load(std::shared_ptr<const ptx::Image>);
    backend::Kernel* make_for(const ptx::Target&);
    backend::Kernel* best_so_far(const ptx::Target&) const;

    Module& module_;
    const ptx::KernelInfo& info_;
    std::atomic<bool> divided_; ///< code may depend on how blocks can be divided
    std::mutex mutex_;
    static constexpr unsigned divisions = 6 * 6;                     ///< by powers of two up to 32 each
    std::atomic<backend::Kernel*> kernel_ = nullptr;                 ///< made first
    std::array<std::atomic<backend::Kernel*>, divisions> kernels_{}; ///< by what blocks can be divided into
    std::atomic<int> max_dynamic_shared_ = -1;                       ///< -1 = never set
    std::atomic<int> carveout_ = -1;
    std::atomic<int> cluster_[3] = {0, 0, 0}; ///< CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_*
    std::atomic<int> non_portable_cluster_ = 0, cluster_policy_ = 0;
    unsigned made_ = 0;  ///< for divisions, or being made; guarded by the mutex, as is the next
    uint64_t asked_ = 0; ///< a bit for each division that is made on another thread
};

/// A context-independent library (cuLibraryLoad*): loads itself into a context on first use there. CUlibrary.
class Library : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::library;

    explicit Library(std::shared_ptr<Program> program);
    ~Library();

    const ptx::ModuleInfo& info() const { return program_->info(); }
    Module& module(Context&);
    /// nullptr when there is none; throws when it is broken.
    class LibraryKernel* kernel(const std::string& name);
    std::vector<LibraryKernel*> kernels();
    /// Managed variables have one address for all contexts.
    Global managed(const std::string& name);
    /// A context dies: lets go of what was loaded into it.
    void drop(Context&);

  private:
    uint64_t managed_block();

    uint64_t managed_block_ = 0; ///< one block of globals for all contexts, where there are managed variables
    backend::Device* managed_owner_ = nullptr;
    std::unique_ptr<backend::Code> managed_functions_;

    std::shared_ptr<Program> program_;
    std::mutex mutex_;
    std::unordered_map<uint64_t, std::unique_ptr<Module>> modules_; ///< by Context::id; dropped with the context
    std::map<std::string, std::unique_ptr<LibraryKernel>> kernels_;
};

/// CUkernel. Applications also pass it where a CUfunction is asked for.
class LibraryKernel : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::kernel;

    LibraryKernel(Library& library, const ptx::KernelInfo& info) : HandleBase(kind), library_(library), info_(info) {}
    Library& library() { return library_; }
    const ptx::KernelInfo& info() const { return info_; }
    const std::string& name() const { return info_.name; }
    Function& function(Context&);
    void forget(Context&); ///< called by Library::drop

  private:
    Library& library_;
    const ptx::KernelInfo& info_;
    std::atomic<Function*> last_ = nullptr; ///< where it was used last: spares every launch three look-ups
};

} // namespace rt
