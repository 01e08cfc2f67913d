#include "fixture.h"

#include "core/relocate.h"
#include "rt/platform.h"

#include <cstring>

using namespace rt;

namespace {

// int first = 7; int* pointer = &second + 4 bytes; a table of functions; zeroed rest.
ptx::ModuleInfo variables(bool managed = false) {
    ptx::ModuleInfo info;
    info.target = "sm_80";
    info.globals = {{.name = "first", .offset = 0, .size = 4, .managed = managed, .visible = true},
                    {.name = "pointer", .offset = 8, .size = 8, .visible = true},
                    {.name = "function", .offset = 16, .size = 8, .visible = true},
                    {.name = "second", .offset = 64, .size = 32, .visible = true},
                    {.name = "hidden", .offset = 96, .size = 4}};
    info.block_size = 100;
    info.initial_data = {7, 0, 0, 0};
    info.relocations = {{.offset = 8, .symbol = "second", .addend = 4},
                        {.offset = 16, .function = true, .symbol = "callee"},
                        {.offset = 24, .size = 1, .shift = 8, .symbol = "hidden"}};
    info.functions_in_data = {"callee"};
    info.kernels.emplace_back().name = "kernel";
    return info;
}

template <class T> T at(uint64_t address) {
    T value;
    std::memcpy(&value, (void*)address, sizeof value);
    return value;
}

} // namespace

class ModuleTest : public RuntimeTest {};

TEST_F(ModuleTest, VariablesAreInitialized) {
    fake::program("variables").info = variables();
    std::memset((void*)fake.allocate(4096, fake::MemoryKind::device), 0xee, 4096);
    fake.release(fake.allocations.begin()->first, fake::MemoryKind::device);
    auto* module = new Module(*context, load_program("variables"));
    const Global first = module->global("first"), second = module->global("second");
    EXPECT_EQ(first.size, 4u);
    EXPECT_EQ(first.address, module->globals_block());
    EXPECT_EQ(at<int>(first.address), 7);
    EXPECT_EQ(at<uint64_t>(module->global("pointer").address), second.address + 4);
    EXPECT_EQ(at<uint64_t>(module->global("function").address), 0xf000u + 6);
    EXPECT_EQ(at<uint8_t>(first.address + 24), uint8_t((module->globals_block() + 96) >> 8));
    EXPECT_EQ(second.size, 32u);
    for (int i = 0; i < 32; i += 8) EXPECT_EQ(at<uint64_t>(second.address + i), 0u);
    EXPECT_EQ(module->global("hidden").address, 0u);
    EXPECT_EQ(module->global("nothing").address, 0u);

    memory::check_range(second.address, 32);
    EXPECT_EQ(status_of([&] { memory::release(*context, first.address, fake::MemoryKind::device); }),
              Status::invalid_value);
    delete module;
    EXPECT_TRUE(fake.allocations.empty());
    EXPECT_FALSE(memory::find(first.address));
}

TEST_F(ModuleTest, BadRelocations) {
    for (auto relocation : {ptx::GlobalRelocation{.offset = 0, .symbol = "nothing"},
                            ptx::GlobalRelocation{.offset = 96, .symbol = "first"},
                            ptx::GlobalRelocation{.offset = 0, .function = true, .symbol = "unknown"}}) {
        auto info = variables();
        info.relocations = {relocation};
        fake::program("bad").info = info;
        EXPECT_EQ(status_of([&] { Module(*context, load_program("bad")); }), Status::invalid_image);
        EXPECT_TRUE(fake.allocations.empty());
    }
}

TEST_F(ModuleTest, FunctionsByName) {
    fake::program("variables").info = variables();
    Module module(*context, load_program("variables"));
    Function* kernel = module.function("kernel");
    ASSERT_NE(kernel, nullptr);
    EXPECT_EQ(module.function("kernel"), kernel);
    EXPECT_EQ(module.function("none"), nullptr);
    EXPECT_EQ(module.functions(), std::vector<Function*>{kernel});
}

TEST_F(ModuleTest, LibrariesLoadPerContext) {
    Library library(load_program("letters"));
    LibraryKernel* kernel = library.kernel("a");
    ASSERT_NE(kernel, nullptr);
    EXPECT_EQ(library.kernel("a"), kernel);
    EXPECT_EQ(library.kernel("none"), nullptr);
    EXPECT_EQ(library.kernels().size(), 12u);
    auto* other = new Context(device, 0, false);
    Function& here = kernel->function(*context);
    Function& there = kernel->function(*other);
    EXPECT_NE(&here, &there);
    EXPECT_EQ(&kernel->function(*context), &here);
    EXPECT_EQ(&here.module(), &library.module(*context));
    delete other;
    EXPECT_EQ(handle_cast<Function>(&there), nullptr) << "dropped with its context";
    EXPECT_EQ(&kernel->function(*context), &here);
    Context again(device, 0, false);
    kernel->function(again).launch(again.legacy_stream(), {}, {}, 0, {});
    again.synchronize();
    EXPECT_EQ(fake.done, "a");
}

TEST_F(ModuleTest, LibraryOutlivedByItsContexts) {
    auto* library = new Library(load_program("letters"));
    Function* function = &library->kernel("a")->function(*context);
    function->launch(context->legacy_stream(), {}, {}, 0, {});
    delete library;
    EXPECT_EQ(fake.done, "a") << "code is not taken away from a running kernel";
    EXPECT_EQ(handle_cast<Function>(function), nullptr);
    context->synchronize();
}

TEST_F(ModuleTest, ManagedVariablesHaveOneAddress) {
    Platform::initialize();
    fake::program("managed").info = variables(true);
    Library library(load_program("managed"));
    const Global before = library.managed("first"); // before there is any context
    ASSERT_NE(before.address, 0u);
    EXPECT_EQ(at<int>(before.address), 7);
    EXPECT_EQ(library.managed("second").address, 0u) << "not a managed one";
    Context one(Platform::get().device(0), 0, false), two(Platform::get().device(0), 0, false);
    EXPECT_EQ(library.module(one).global("first").address, before.address);
    EXPECT_EQ(library.module(two).global("first").address, before.address);
    EXPECT_EQ(memory::find(before.address)->kind, fake::MemoryKind::managed);
}
