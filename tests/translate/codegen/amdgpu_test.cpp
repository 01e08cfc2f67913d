#include "gpu_kernels.h"

#include "ast/position.h"
#include "llvm_to_code/amdgpu.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>

using namespace codegen_test;

namespace {

ptx::Image compile_for(const char* target, const char* text, std::vector<ptx::KernelInfo> kernels,
                       const ptx::AfterStage& hook = {}) {
    llvm::LLVMContext context;
    return ptx::compile_amdgpu(parse(context, text), std::move(kernels), ptx::Target::parse(target), {}, hook);
}

/// What LLVM's optimiser leaves of the kernel `k`.
std::string optimized(const char* target, const std::string& text, uint32_t parameter_bytes) {
    auto kernels = named({"k"});
    kernels[0].parameter_bytes = parameter_bytes;
    std::string optimized;
    compile_for(target, text.c_str(), std::move(kernels), [&](std::string_view stage, const std::string& dump) {
        if (stage == "optimized") optimized = dump;
        return stage != "optimized";
    });
    return optimized;
}

class Amdgpu : public testing::TestWithParam<const char*> {};

TEST_P(Amdgpu, MakesACodeObject) {
    const ptx::Image image = compile_for(GetParam(), gpu_kernels, gpu_kernel_infos());
    ASSERT_EQ(image.kernels.size(), 2u);
    EXPECT_FALSE(image.kernels[0].uses_barrier);
    EXPECT_TRUE(image.kernels[1].uses_barrier);
    EXPECT_EQ(image.kernels[1].static_shared_bytes, 1024u);
    EXPECT_GT(image.kernels[0].registers, 0u);
    EXPECT_LT(image.kernels[0].registers, 64u);
    const TemporaryFile file(image.code);
    const Ran notes = run_program(CODEGEN_READELF " -h --notes --dyn-symbols " + file.path());
    if (notes.status != 0) GTEST_SKIP() << "no llvm-readelf: " << notes.output;
    auto has = [&](const std::string& text) { return notes.output.find(text) != std::string::npos; };
    EXPECT_TRUE(has("ABI Version:                       3")) << notes.output; // code object 5
    EXPECT_TRUE(has("saxpy.kd") && has("sum.kd")) << notes.output;
    EXPECT_TRUE(has(".group_segment_fixed_size: 1024")) << notes.output;
    EXPECT_TRUE(has(".value_kind:     by_value")) << notes.output;
    EXPECT_TRUE(has(".size:           24")) << notes.output;
    EXPECT_FALSE(has("hidden_hostcall_buffer")) << notes.output;
    EXPECT_EQ(notes.output.find(" UND "), notes.output.rfind(" UND ")) << "undefined symbols\n" << notes.output;
}

/// A function whose branches are too long for an instruction, while it keeps many masks.
std::string far_branches() {
    std::string text = "define internal void @far(ptr addrspace(1) %p, i32 %x) noinline {\nentry:\n  br label %b0\n";
    constexpr int depth = 32;
    const auto block = [](const char* kind, int number) { return kind + std::to_string(number); };
    for (int i = 0; i < depth; i++) {
        const std::string n = std::to_string(i), bit = std::to_string(1u << i);
        text += "b" + n + ":\n  %m" + n + " = and i32 %x, " + bit + "\n  %c" + n + " = icmp ne i32 %m" + n +
                ", 0\n  br i1 %c" + n + ", label %" + block("b", i + 1) + ", label %e" + n + "\n";
    }
    text += block("b", depth) + ":\n";
    for (int i = 0; i < 20000; i++) text += "  store volatile i32 %x, ptr addrspace(1) %p\n";
    text += "  br label %" + block("e", depth - 1) + "\n";
    for (int i = depth - 1; i >= 0; i--)
        text += block("e", i) + ":\n  store volatile i32 " + std::to_string(i) + ", ptr addrspace(1) %p\n  " +
                (i > 0 ? "br label %" + block("e", i - 1) : "ret void") + "\n";
    return text + R"(}
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  %t = call i32 @cuttle.sreg.tid.x()
  %factor = load i32, ptr addrspace(1) %o
  %x = mul i32 %t, %factor
  call void @far(ptr addrspace(1) %o, i32 %x)
  ret void
})";
}

/// Whether functions keep a scalar register for their callers (LLVM's AMDGPU usage, "Non-Kernel Functions"): s30 to
/// s39, and eight of each sixteen from s48 on. gfx90a and gfx942 allocate none above s99.
bool is_callers(int number, std::string_view target) {
    if (number >= 100) return target.find(":gfx9") == target.npos;
    return number >= 30 && (number < 40 || (number >= 48 && number % 16 < 8));
}

// LLVM takes a pair of registers for such branches, and saves it for no caller.
TEST_P(Amdgpu, BranchesFarWithoutLosingTheReturnAddress) {
    auto kernels = named({"k"});
    kernels[0].parameter_bytes = 8;
    std::string assembly;
    compile_for(GetParam(), far_branches().c_str(), std::move(kernels),
                [&](std::string_view stage, const std::string& text) {
                    if (stage == "assembly") assembly = text;
                    return stage != "assembly";
                });
    const size_t start = assembly.find("\nfar:"), end = assembly.find(".Lfunc_end", start);
    ASSERT_NE(start, std::string::npos);
    const std::string function = assembly.substr(start, end - start);
    const size_t branch = function.find("s_getpc_b64 s[");
    ASSERT_NE(branch, std::string::npos) << "its branches are no longer far";
    const int pair = std::stoi(function.substr(branch + 14));
    EXPECT_TRUE(!is_callers(pair, GetParam()) || function.find(", s" + std::to_string(pair) + ", ") < branch)
        << "not saved: s" << pair;
}

/// A kernel that stores to 12 bytes on the stack, at `address`, and takes what is at the start.
std::string stack_kernel(const std::string& address) {
    return R"(
define void @k() #1 {
entry:
  %v = alloca [12 x i8], align 4, addrspace(5)
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  %t = call i32 @cuttle.sreg.tid.x()
  %c = icmp ult i32 %t, 3
  %s = ptrtoint ptr addrspace(5) %v to i64
  %s4 = add i64 %s, 4
  store i32 7, ptr addrspace(5) %v
  br i1 %c, label %yes, label %no
yes:
  store volatile i32 1, ptr addrspace(1) %o
  br label %no
no:
  %one = phi i64 [ %s, %entry ], [ %s4, %yes ]
)" + address +
           R"(
  %a = inttoptr i64 %at to ptr addrspace(5)
  store i32 %t, ptr addrspace(5) %a
  %r = load i32, ptr addrspace(5) %v
  store i32 %r, ptr addrspace(1) %o
  ret void
})";
}

TEST_P(Amdgpu, TakesStackVariablesApart) {
    const auto stays_on_stack = [](const std::string& address) {
        const std::string code = optimized(GetParam(), stack_kernel(address), 8);
        EXPECT_NE(code.find("define"), std::string::npos);
        return code.find("alloca") != std::string::npos;
    };
    EXPECT_FALSE(stays_on_stack("  %at = add i64 %s, 8"));
    EXPECT_FALSE(stays_on_stack("  %at = add i64 %one, 4"));
    EXPECT_FALSE(stays_on_stack("  %at = select i1 %c, i64 %one, i64 %s"));
    // Outside of the variable, of another one, or anywhere in it.
    EXPECT_TRUE(stays_on_stack("  %at = add i64 %one, 8"));
    EXPECT_TRUE(stays_on_stack("  %at = select i1 %c, i64 %one, i64 %out"));
    EXPECT_TRUE(stays_on_stack("  %w = zext i32 %t to i64\n  %at = add i64 %one, %w"));
}

TEST_P(Amdgpu, ComparesInRegisters) {
    const auto with = [](const std::string& comparison) {
        return optimized(GetParam(), R"(
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %p1 = getelementptr i8, ptr addrspace(4) %p, i64 8
  %x = load i64, ptr addrspace(4) %p1
  %o = inttoptr i64 %out to ptr addrspace(1)
  %short = and i64 %x, 4294967295
  %bit = and i64 %x, 4
)" + comparison + R"(
  %r = select i1 %c, i64 %x, i64 77
  store i64 %r, ptr addrspace(1) %o
  ret void
})", 16);
    };
    const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
    EXPECT_TRUE(has(with("  %c = icmp eq i64 %bit, 0"), "icmp eq i32"));
    EXPECT_TRUE(has(with("  %c = icmp ugt i64 %short, 2147483658"), "icmp ugt i32"));
    EXPECT_TRUE(has(with("  %c = icmp sgt i64 %short, 2147483658"), "icmp ugt i32"));
    EXPECT_TRUE(has(with("  %c = icmp eq i64 %x, 5"), "icmp eq i64"));
    EXPECT_TRUE(has(with("  %c = icmp ult i64 %x, 10"), "icmp ult i64"));
}

/// Loops that wait, one after the other, each for what a value says that nothing else wants.
std::string waits(int count) {
    std::string text = R"(
declare void @cuttle.spin()
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  br label %b0
)";
    for (int i = 0; i < count; i++) {
        const std::string n = std::to_string(i), next = std::to_string(i + 1);
        text += "b" + n + ":\n  %t" + n + " = atomicrmw add ptr addrspace(1) %o, i32 1 monotonic\n  br label %w" + n +
                "\nw" + n + ":\n  %v" + n + " = load volatile i32, ptr addrspace(1) %o\n  %c" + n +
                " = icmp ugt i32 %v" + n + ", %t" + n + "\n  br i1 %c" + n + ", label %b" + next + ", label %s" + n +
                "\ns" + n + ":\n  call void @cuttle.spin()\n  br label %w" + n + "\n";
    }
    return text + "b" + std::to_string(count) + ":\n  ret void\n}";
}

TEST_P(Amdgpu, CarriesPastWaitsOnlyWhatIsWanted) {
    constexpr int count = 8;
    const std::string code = optimized(GetParam(), waits(count), 8);
    int phis = 0;
    for (size_t at = code.find(" = phi "); at != std::string::npos; at = code.find(" = phi ", at + 1)) phis++;
    EXPECT_GT(phis, count);
    EXPECT_LT(phis, 3 * count) << code; // not a value for each loop in each of them
}

TEST_P(Amdgpu, UsesTheHardwaresBarrierAndSharedMemory) {
    std::string assembly;
    compile_for(GetParam(), gpu_kernels, gpu_kernel_infos(), [&](std::string_view stage, const std::string& text) {
        if (stage == "assembly") assembly = text;
        return true;
    });
    EXPECT_NE(assembly.find("s_barrier"), std::string::npos) << assembly;
    EXPECT_NE(assembly.find("ds_"), std::string::npos);
    EXPECT_NE(assembly.find("global_load"), std::string::npos);
    EXPECT_EQ(assembly.find("flat_load"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Processors, Amdgpu,
                         testing::Values("amdgcn:gfx1100", "amdgcn:gfx1030", "amdgcn:gfx90a", "amdgcn:gfx942"));

TEST(AmdgpuTarget, ReachesGlobalsDynamicSharedAndGenericAddresses) {
    const ptx::Image image = compile_for("amdgcn:gfx1100", R"(
declare i32 @cuttle.sreg.nwarpid() #0
declare i32 @cuttle.sreg.lanemask_lt() #0
define void @k() #1 {
  %g = call i64 @cuttle.global.address(i64 16)
  %gp = inttoptr i64 %g to ptr addrspace(1)
  %d = call i32 @cuttle.shared.dynamic()
  %dp = inttoptr i32 %d to ptr addrspace(3)
  store i32 5, ptr addrspace(3) %dp
  %dw = zext i32 %d to i64
  %s = call i64 @cuttle.cvta.shared(i64 %dw)
  %sp = inttoptr i64 %s to ptr
  %v = load volatile i32, ptr %sp
  %w = call i32 @cuttle.sreg.nwarpid()
  %m = call i32 @cuttle.sreg.lanemask_lt()
  %wm = xor i32 %w, %m
  %i = call i1 @cuttle.isspacep.shared(i64 %s)
  %iw = zext i1 %i to i32
  %vi = add i32 %v, %iw
  %r = add i32 %vi, %wm
  %old = atomicrmw add ptr addrspace(1) %gp, i32 %r syncscope("device") monotonic
  ret void
})",
                                         named({"k"}));
    const std::string code(image.code.begin(), image.code.end());
    EXPECT_NE(code.find("cuttle.globals"), std::string::npos);
}

TEST(AmdgpuTarget, CallsFunctionsByNumber) {
    std::string optimized;
    const ptx::Image image = compile_for(
        "amdgcn:gfx1100", R"(
define internal i32 @f(i32 %x) #2 { %r = add i32 %x, 11 ret i32 %r }
define internal i32 @g(i32 %x) #3 { %r = mul i32 %x, 13 ret i32 %r }
define internal i64 @h(i64 %x) #4 { ret i64 %x }
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %p1 = getelementptr i8, ptr addrspace(4) %p, i64 8
  %which = load i64, ptr addrspace(4) %p1
  %f = inttoptr i64 %which to ptr
  %r = call i32 %f(i32 5)
  %o = inttoptr i64 %out to ptr addrspace(1)
  store i32 %r, ptr addrspace(1) %o
  %o2 = getelementptr i8, ptr addrspace(1) %o, i64 8
  store i64 ptrtoint (ptr @g to i64), ptr addrspace(1) %o2
  ret void
}
attributes #2 = { "cuttle.number"="1" "cuttle.addressable" }
attributes #3 = { "cuttle.number"="7" }
attributes #4 = { "cuttle.number"="8" }
)",
        [] {
            auto kernels = named({"k"});
            kernels[0].parameter_bytes = 16;
            return kernels;
        }(),
        [&](std::string_view stage, const std::string& text) {
            if (stage == "optimized") optimized = text;
            return true;
        });
    ASSERT_EQ(image.functions.size(), 1u);
    EXPECT_EQ(image.functions[0].name, "f");
    EXPECT_EQ(image.functions[0].symbol, "16");
    EXPECT_NE(optimized.find("store i64 112"), std::string::npos) << optimized;
    EXPECT_NE(optimized.find("i64 16, label"), std::string::npos) << optimized;
    EXPECT_NE(optimized.find("i64 112, label"), std::string::npos) << optimized;
    EXPECT_EQ(optimized.find("i64 128"), std::string::npos) << "of another type\n" << optimized;
}

/// Of "NAME.num_vgpr" in assembly: the number, which may be the first of those to take the greatest of.
unsigned vector_registers(const std::string& assembly, const std::string& name) {
    std::smatch found;
    const std::regex line("\\.set \\.?L?" + name + "\\.num_vgpr, (?:max\\()?([0-9]+)");
    return std::regex_search(assembly, found, line) ? unsigned(std::stoul(found[1])) : 0;
}

// A value that is wanted behind the call lies in a register that the code does not use.
TEST_P(Amdgpu, KnowsWhatLibraryCodeOverwrites) {
    auto kernels = named({"k"});
    kernels[0].parameter_bytes = 8;
    std::string assembly;
    compile_for(GetParam(), R"(
declare i64 @cuttle.malloc(i64)
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  %t = call i32 @cuttle.sreg.tid.x()
  %place = getelementptr i64, ptr addrspace(1) %o, i32 %t
  %before = load volatile i64, ptr addrspace(1) %place
  %r = call i64 @cuttle.malloc(i64 64)
  %sum = add i64 %r, %before
  store i64 %sum, ptr addrspace(1) %place
  ret void
})",
                std::move(kernels), [&](std::string_view stage, const std::string& text) {
                    if (stage == "assembly") assembly = text;
                    return stage != "assembly";
                });
    const unsigned library = vector_registers(assembly, "code\\.cuttle_gpu_malloc");
    EXPECT_GT(library, 4u) << assembly;
    EXPECT_GT(vector_registers(assembly, "k"), library) << assembly;
    EXPECT_NE(assembly.find("code.cuttle_gpu_malloc.uses_vcc, 1"), std::string::npos) << assembly;
}

TEST(AmdgpuTarget, MarksCodeThatLaunches) {
    const auto symbols = [](const char* text) {
        const ptx::Image image = compile_for("amdgcn:gfx1100", text, named({"k"}));
        EXPECT_TRUE(image.kernels[0].error.empty()) << image.kernels[0].error;
        const TemporaryFile file(image.code);
        return run_program(CODEGEN_READELF " --dyn-symbols " + file.path());
    };
    const Ran launches = symbols("declare i64 @cuttle.device.call(i32, i64)\n"
                                 "define void @k() #1 { %r = call i64 @cuttle.device.call(i32 0, i64 64) ret void }");
    if (launches.status != 0) GTEST_SKIP() << "no llvm-readelf: " << launches.output;
    EXPECT_NE(launches.output.find("cuttle.launches"), std::string::npos) << launches.output;
    const Ran prints = symbols("declare i32 @cuttle.vprintf(i64, i64)\n"
                               "define void @k() #1 { %r = call i32 @cuttle.vprintf(i64 64, i64 64) ret void }");
    EXPECT_EQ(prints.output.find("cuttle.launches"), std::string::npos) << prints.output;
}

TEST(AmdgpuTarget, SaysWhatItCannotDo) {
    auto message = [](const char* text, const char* target) -> std::string {
        try {
            const ptx::Image image = compile_for(target, text, named({"k"}));
            return image.kernels.front().error;
        } catch (const ptx::Error& error) {
            return error.what();
        }
    };
    EXPECT_EQ(message("define void @k() #1 {\n"
                      "%r = atomicrmw xchg ptr addrspace(1) inttoptr (i64 64 to ptr addrspace(1)), i128 0 monotonic\n"
                      "ret void }",
                      "amdgcn:gfx1100"),
              "no atomic operations on 128 bits on this target");
    EXPECT_EQ(message("define void @k() #1 !cuttle.shared.static !0 { ret void }\n!0 = !{i32 65552}", "amdgcn:gfx942"),
              "it has 65552 bytes of shared memory; there are 65536");
    EXPECT_NE(message("define void @k() #1 { ret void }", "amdgcn:gfx1").find("gfx1"), std::string::npos);
}

} // namespace
