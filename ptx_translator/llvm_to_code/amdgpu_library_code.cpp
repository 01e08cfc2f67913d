#include "llvm_to_code/amdgpu_library_code.h"

#include "llvm_to_code/amdgpu_jumps.h"
#include "llvm_to_code/embedded.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/matrix_functions.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Target/TargetMachine.h>

#include <map>
#include <string>

namespace ptx::code {
namespace {

using device_library::AmdgpuPart;

struct LibraryFunction {
    llvm::StringLiteral name;
    AmdgpuPart part;
    bool tells_place;    ///< reads the thread's and the block's numbers
    bool returns = true; ///< at all
};
/// Besides those of matrix_functions.h that the build has chosen.
constexpr LibraryFunction functions[] = {
    {llvm::StringLiteral("cuttle_texture_sample"), AmdgpuPart::texture, false},
    {llvm::StringLiteral("cuttle_texture_gradient"), AmdgpuPart::texture, false},
    {llvm::StringLiteral("cuttle_texture_gather"), AmdgpuPart::texture, false},
    {llvm::StringLiteral("cuttle_texture_query"), AmdgpuPart::texture, false},
    {llvm::StringLiteral("cuttle_gpu_vprintf"), AmdgpuPart::library, true},
    {llvm::StringLiteral("cuttle_gpu_malloc"), AmdgpuPart::library, true},
    {llvm::StringLiteral("cuttle_gpu_free"), AmdgpuPart::library, true},
    {llvm::StringLiteral("cuttle_gpu_assertfail"), AmdgpuPart::library, true, false},
    {llvm::StringLiteral("cuttle_gpu_trap"), AmdgpuPart::library, true, false},
    {llvm::StringLiteral("cuttle_gpu_device_call"), AmdgpuPart::library, true},
};

/// What no function of the library reads of what a kernel can pass on. The build checks it.
constexpr const char* never_read[] = {"amdgpu-no-completion-action",  "amdgpu-no-default-queue", "amdgpu-no-dispatch-id",
                                      "amdgpu-no-dispatch-ptr",       "amdgpu-no-heap-ptr",      "amdgpu-no-hostcall-ptr",
                                      "amdgpu-no-lds-kernel-id",      "amdgpu-no-multigrid-sync-arg",
                                      "amdgpu-no-queue-ptr"};
constexpr const char* place[] = {"amdgpu-no-workgroup-id-x", "amdgpu-no-workgroup-id-y", "amdgpu-no-workgroup-id-z",
                                 "amdgpu-no-workitem-id-x",  "amdgpu-no-workitem-id-y",  "amdgpu-no-workitem-id-z",
                                 "amdgpu-no-cluster-id-x",   "amdgpu-no-cluster-id-y",   "amdgpu-no-cluster-id-z",
                                 "amdgpu-no-implicitarg-ptr"};

/// In front of the names of those that are machine code, so that they are none of the bitcode's.
constexpr llvm::StringLiteral prefix = "code.";

constexpr llvm::StringLiteral stack_bytes_symbol = ".private_seg_size";

/// What LLVM's assembler knows of each function: "NAME.num_vgpr" and the like.
llvm::StringMap<uint64_t> absolute_symbols(std::string_view object) {
    using File = llvm::object::ELFObjectFile<llvm::object::ELF64LE>;
    auto file = File::create(llvm::MemoryBufferRef({object.data(), object.size()}, "device library"));
    if (!file) fail("device library: " + llvm::toString(file.takeError()));
    llvm::StringMap<uint64_t> values;
    for (const llvm::object::ELFSymbolRef symbol : file->symbols())
        if (llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Absolute)
            values[llvm::cantFail(symbol.getName())] = llvm::cantFail(symbol.getValue());
    return values;
}

/// The function takes its name's machine code.
void declare(llvm::Function& function, bool tells_place) {
    function.setName(prefix + function.getName());
    function.setLinkage(llvm::Function::ExternalLinkage);
    for (const char* attribute : never_read) function.addFnAttr(attribute);
    if (!tells_place)
        for (const char* attribute : place) function.addFnAttr(attribute);
    function.addFnAttr(llvm::Attribute::NoInline);
    function.addFnAttr(llvm::Attribute::NoRecurse);
    function.addFnAttr(llvm::Attribute::NoUnwind);
}

void declare_matrix_code(llvm::Module& module, std::string_view object) {
    if (object.empty()) return;
    llvm::StringMap<uint64_t> known; // when it is first wanted
    for (llvm::Function& function : module) {
        if (!function.getName().starts_with(matrix_function_prefix)) continue;
        if (known.empty()) known = absolute_symbols(object);
        if (!known.contains((function.getName() + stack_bytes_symbol).str())) continue;
        function.deleteBody();
        function.setDoesNotAccessMemory();
        function.setWillReturn();
        declare(function, false);
    }
}

AmdgpuPart part_of(llvm::StringRef name) {
    for (const LibraryFunction& each : functions)
        if (each.name == name) return each.part;
    return AmdgpuPart::matrix;
}

/// In assembly. The registers are those of the dispatch's address, which is never_read. A constant's value counts from
/// its own place, the address that s_getpc_b64 reads from the next instruction's.
std::string jump_to(llvm::StringRef name, bool clears_upper_bits) {
    const unsigned before_constant = clears_upper_bits ? 8 : 4;
    const auto distance = [&](const char* part, unsigned bytes) {
        return (name + "@rel32@" + part + "+" + llvm::Twine(bytes)).str();
    };
    return std::string("s_getpc_b64 s[4:5]\n\t") + (clears_upper_bits ? "s_sext_i32_i16 s5, s5\n\t" : "") +
           "s_add_u32 s4, s4, " + distance("lo", before_constant) + "\n\t" +
           "s_addc_u32 s5, s5, " + distance("hi", before_constant + 8) + "\n\t" + "s_setpc_b64 s[4:5]";
}

UsedRegisters registers_of(llvm::StringRef name, const llvm::StringMap<uint64_t>& facts) {
    const auto count = [&](const char* fact) { return unsigned(facts.lookup((name + fact).str())); };
    return {{count(".num_vgpr"), count(".num_agpr"), count(".numbered_sgpr")}};
}

/// The arguments stay where the caller has put them. The jump takes an address on the stack, in one of its registers, so
/// that what lies there belongs to the function.
void define_as_jump(llvm::Function& function, llvm::StringRef name, const llvm::StringMap<uint64_t>& facts,
                    const llvm::TargetMachine& machine) {
    const auto stack_bytes = facts.find((name + stack_bytes_symbol).str());
    if (stack_bytes == facts.end()) fail("device library: nothing is known of " + name.str());
    llvm::IRBuilder<> ir(llvm::BasicBlock::Create(function.getContext(), "", &function));
    llvm::SmallVector<llvm::Value*, 1> operands;
    llvm::SmallVector<llvm::Type*, 1> types;
    if (stack_bytes->second) {
        auto* bytes = llvm::ArrayType::get(ir.getInt8Ty(), stack_bytes->second);
        operands.push_back(ir.CreateAlloca(bytes, machine.createDataLayout().getAllocaAddrSpace()));
        types.push_back(operands.back()->getType());
    }
    const bool clears_upper_bits = machine.getMCSubtargetInfo()->checkFeatures("+gfx12-insts");
    // What the jump overwrites, whatever the machine code uses.
    const char* constraints = operands.empty() ? "~{s4},~{s5}" : "{s4},~{s5}";
    auto* type = llvm::FunctionType::get(ir.getVoidTy(), types, false);
    ir.CreateCall(llvm::InlineAsm::get(type, jump_to(name, clears_upper_bits), constraints, true), operands);
    ir.CreateUnreachable();
    declare_registers_of_jump(function, registers_of(name, facts));
    function.addFnAttr(llvm::Attribute::Naked);
    function.setLinkage(llvm::Function::InternalLinkage);
}

} // namespace

void declare_library_code(llvm::Module& module, const llvm::TargetMachine& machine) {
    for (const LibraryFunction& each : functions) {
        llvm::Function* function = module.getFunction(each.name);
        if (!function || device_library::amdgpu_code(each.part, machine.getTargetCPU()).empty()) continue;
        declare(*function, each.tells_place);
        if (!each.returns) function->setDoesNotReturn();
    }
    declare_matrix_code(module, device_library::amdgpu_code(AmdgpuPart::matrix, machine.getTargetCPU()));
}

std::vector<std::string_view> call_library_code(llvm::Module& module, const llvm::TargetMachine& machine) {
    std::map<AmdgpuPart, llvm::StringMap<uint64_t>> parts;
    std::vector<std::string_view> objects;
    for (llvm::Function& function : module) {
        llvm::StringRef name = function.getName();
        if (!name.consume_front(prefix)) continue;
        auto [known, is_new] = parts.try_emplace(part_of(name));
        if (is_new) {
            objects.push_back(device_library::amdgpu_code(known->first, machine.getTargetCPU()));
            known->second = absolute_symbols(objects.back());
        }
        define_as_jump(function, name, known->second, machine);
    }
    return objects;
}

} // namespace ptx::code
