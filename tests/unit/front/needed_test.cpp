#include "front.h"

#include "ast_to_ast/prepare.h"

#include <algorithm>

using namespace front;
using namespace ptx;

// A translation reads in full only what its kernels reach. Counted, not timed.
namespace {

/// Kernels k0 ... with bodies of the same shape: twenty instructions that name nothing, and a few that do.
std::string many_kernels(unsigned count) {
    std::string text = header + ".global .u32 g;\n.func (.reg .u32 r) leaf(.reg .u32 a) { add.u32 r, a, 1; ret; }\n"
                                ".func (.reg .u32 r) unused(.reg .u32 a) { sub.u32 r, a, 1; ret; }\n";
    for (unsigned i = 0; i < count; ++i) {
        const std::string name = "k" + std::to_string(i);
        text += ".visible .entry " + name +
                "(.param .u64 p)\n{\n.reg .b32 %r<9>;\n.reg .pred %p<3>;\n"
                ".shared .align 4 .b8 s_" +
                name + "[64];\n mov.u32 %r1, s_" + name + ";\n";
        for (unsigned line = 0; line < 20; ++line) text += "\tmad.lo.s32 \t%r2, %r1, %r2, 0x7; // plain\n";
        text += "\t@%p1 bra \t$L__end;\n\tst.shared::cta.u32 [%r1+4], %r2;\n call (%r3), leaf, (%r2);\n"
                "$L__end: ret;\n}\n";
    }
    return text;
}

Prepared prepared(const std::string& text, const std::vector<std::string>& kernels) {
    const std::string_view sources[] = {text};
    return prepare(sources, kernels, {});
}

size_t instructions(const Module& module) {
    size_t count = 0;
    for (const auto& function : module.functions) count += function->instructions.size();
    return count;
}

} // namespace

TEST(Needed, OtherBodiesKeepOnlyWhatNamesSymbols) {
    const std::string text = many_kernels(3);
    const Prepared all = prepared(text, {}), one = prepared(text, {"k1"});
    EXPECT_EQ(all.info.diagnostics, "");
    const Function &whole = *one.module->function("k1"), &other = *one.module->function("k0");
    EXPECT_FALSE(whole.abridged);
    EXPECT_EQ(whole.instructions.size(), all.module->function("k1")->instructions.size());
    EXPECT_EQ(whole.registers.size(), all.module->function("k1")->registers.size());
    EXPECT_FALSE(one.module->function("leaf")->abridged);
    EXPECT_TRUE(one.module->function("unused")->abridged);
    EXPECT_TRUE(other.abridged);
    // The call.
    EXPECT_EQ(other.instructions.size(), 1u);
    EXPECT_TRUE(other.locals.empty());
    EXPECT_EQ(one.info.block_size, all.info.block_size);
    EXPECT_EQ(one.info.kernels.size(), all.info.kernels.size());
}

TEST(Needed, WorkForOneKernelHardlyGrowsWithTheModule) {
    const size_t few = instructions(*prepared(many_kernels(10), {"k1"}).module);
    const size_t many = instructions(*prepared(many_kernels(1010), {"k1"}).module);
    EXPECT_EQ(many - few, 1000u);
    EXPECT_GT(instructions(*prepared(many_kernels(1010), {}).module), 1000u * 20);
}

TEST(Needed, PositionsAndErrorsAreThoseOfTheWholeText) {
    std::string text = many_kernels(2);
    const size_t place = text.rfind("mad.lo.s32");
    text.replace(place, 10, "bad.lo.s32");
    EXPECT_EQ(prepared(text, {"k0"}).info.kernels[0].error, "");
    const std::string error = prepared(text, {"k1"}).info.kernels[1].error;
    EXPECT_NE(error, "");
    EXPECT_EQ(error, prepared(text, {}).info.kernels[1].error);
}

// What an index job reads: everything is checked, and of a body only news stay.
TEST(Needed, OutlineChecksBodiesAndKeepsNone) {
    std::string text = many_kernels(3);
    const size_t place = text.rfind("mad.lo.s32");
    text.replace(place, 10, "bad.lo.s32");
    text += ".entry twice() {\n.global .u32 own = 7;\n.reg .u64 %a;\n.reg .b32 %r<4>;\nmov.u64 %a, g;\nmov.u64 %a, g;\n"
            "mov.u64 %a, own;\ncall (%r1), leaf, (%r2);\ncall (%r1), leaf, (%r3);\nret;\n}\n"
            ".entry wrong() {\n.reg .b32 %r<4>;\nadd.f32 %r1, %r2, %r3, %r1;\ncall nobody;\nmov.b32 %r1, nothing;\n}\n";
    const std::string_view sources[] = {text};
    const Prepared outline = prepare_outline(sources), whole = prepared(text, {});
    for (const auto& function : outline.module->functions) {
        EXPECT_EQ(function->abridged, function->has_body);
        EXPECT_TRUE(function->registers.empty());
    }
    EXPECT_EQ(outline.module->function("twice")->instructions.size(), 2u);
    EXPECT_NE(outline.info.kernels[2].error, "");
    EXPECT_NE(outline.info.kernels.back().error, "");
    EXPECT_EQ(serialize(outline.info), serialize(whole.info));
    // The variable of a body lies where a translation looks for it.
    const Prepared one = prepared(text, {"k1"});
    EXPECT_EQ(one.global_offsets, outline.global_offsets);
}

TEST(Needed, RegistersMayBeAsManyAsABigTextNeeds) {
    std::string text = header;
    std::string body = "{ .reg .b32 %r<4000>; .reg .b64 %rd<4000>; .reg .f32 %f<4000>; ";
    for (unsigned i = 0; i < 6000; ++i) body += "add.s32 %r1, %r2, %r3; ";
    body += "ret; }\n";
    for (unsigned i = 0; i < 200; ++i) text += ".entry k" + std::to_string(i) + "() " + body;
    const Prepared all = prepared(text, {});
    EXPECT_EQ(all.module->function("k0")->registers.size(), 3u); // those that are named
    EXPECT_TRUE(std::all_of(all.info.kernels.begin(), all.info.kernels.end(), [](const KernelInfo& kernel) {
        return kernel.error.empty();
    })) << all.info.kernels.back().error;
}

// Found by libFuzzer: such texts took ten seconds.
TEST(Needed, RangesOfRegistersCostNothing) {
    std::string text = header + ".entry k() {\n";
    for (unsigned i = 0; i < 2000; ++i) text += ".reg .f32 %a" + std::to_string(i) + "_<888884>;\n";
    text += "add.f32 %a7_888883, %a1999_0, %a0_1;\nret;\n}\n";
    const Prepared one = prepared(text, {});
    EXPECT_EQ(one.info.diagnostics, "");
    ASSERT_EQ(one.module->function("k")->registers.size(), 3u);
    EXPECT_EQ(one.module->function("k")->registers[0].name, "%a7_888883");
}
