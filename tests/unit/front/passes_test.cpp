#include "front.h"

#include "ast_to_ast/call_graph.h"
#include "ast_to_ast/link_modules.h"
#include "ast_to_ast/parameter_layout.h"
#include "ast_to_ast/prepare.h"
#include "ast_to_ast/print.h"
#include "ast_to_ast/verify.h"
#include "ptx/translate.h"

using namespace front;
using namespace ptx;

namespace {

std::string verified(const std::string& body) {
    const auto module = kernel_of(body);
    EXPECT_EQ(messages(*module), "") << body;
    verify(*module);
    return messages(*module);
}

std::unique_ptr<Module> linked(const std::vector<std::string>& texts) {
    std::vector<std::unique_ptr<Module>> modules;
    for (size_t i = 0; i < texts.size(); ++i) modules.push_back(parse(header + texts[i], static_cast<uint16_t>(i)));
    return link(std::move(modules));
}

std::string link_error(const std::vector<std::string>& texts) {
    try {
        linked(texts);
        return "";
    } catch (const Error& error) {
        return error.what();
    }
}

template <class... Texts> Prepared prepared(const Texts&... texts) {
    const std::string whole[] = {header + texts...};
    const std::vector<std::string_view> sources(std::begin(whole), std::end(whole));
    return prepare(sources);
}

} // namespace

TEST(Verify, SaysWhatIsWrong) {
    EXPECT_EQ(verified("add.hi.f32 %f1, %f2, %f3;"), "line 5, column 1: add.f32 has no modifier .hi\n");
    EXPECT_EQ(verified("add.pred %p1, %p2, %p3;"), "line 5, column 1: add is not defined for the types of add.pred\n");
    EXPECT_EQ(verified("mul.s32 %r1, %r2, %r3;"), "line 5, column 1: mul.s32 needs one of .lo .hi .wide\n");
    EXPECT_EQ(verified("fma.f64 %fd1, %fd2, %fd3, %fd4;"), "line 5, column 1: fma.f64 needs one of .rn .rz .rm .rp\n");
    EXPECT_EQ(verified("add.s32 %r1, %r2;"), "line 5, column 1: add.s32 takes 3 operands, not 2\n");
    EXPECT_EQ(verified("ld.global.u32 %r1, %rd1;"), "line 5, column 1: operand 2 of ld.u32 must be an address\n");
    EXPECT_EQ(verified("add.u32 %r1, %r2, [%r3];"), "line 5, column 1: operand 3 of add.u32 cannot be an address\n");
    EXPECT_EQ(verified("@%r1 ret;"), "line 5, column 6: guard '%r1' is no predicate\n");
    EXPECT_EQ(verified("add.s32 %r1, %rd2, %r3;"), "line 5, column 14: '%rd2' is .b64, which does not fit add.s32\n");
    EXPECT_EQ(verified("and.pred %p1, %r1, %p2;"), "line 5, column 15: '%r1' is .b32, which does not fit and.pred\n");
    EXPECT_EQ(verified("setp.eq.u32 %r1, %r2, %r3;"),
              "line 5, column 13: '%r1' is .b32, which does not fit setp.u32\n");
    EXPECT_EQ(verified("brx.idx %r1, list;"), "line 5, column 14: undefined list of branch targets 'list'\n");
    EXPECT_EQ(verified("call %rd1, (), proto;"),
              "line 5, column 16: undefined prototype or list of call targets 'proto'\n");
    EXPECT_EQ(verified("call %rd1;"),
              "line 5, column 6: an indirect call needs a prototype or a list of call targets\n");
}

TEST(Verify, OldFormsPass) {
    for (const char* text :
         {"shfl.down.b32 %r1|%p1, %r2, 1, 31;",
          "vote.all.pred %p1, %p2;",
          "vote.ballot.b32 %r1, %p1;",
          "bar.sync 0;",
          "bar.red.or.pred %p1, 0, %p2;",
          "ld.volatile.global.u32 %r1, [%rd1];",
          "atom.global.sys.add.u32 %r1, [%rd1], 1;",
          "membar.gl;",
          "add.cc.u32 %r1, %r2, %r3;",
          "mad.f32 %f1, %f2, %f3, %f4;",
          "ld.global.nc.v4.u32 {%r1,%r2,%r3,%r4}, [%rd1];",
          "cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2;",
          "mul.wide.s32 %rd1, %r1, 4;",
          "shl.b64 %rd1, %rd2, %r3;",
          "vote.ballot.sync.b32 %r1, %p1, -1;",
          "suld.b.1d.b32.trap %r1, [%rd1, {%r2}];",
          "lop3.b32 %r1, %r2, %r3, %r4, 0x1e;",
          "prefetch.global.L2::evict_last [%rd1];",
          "fence.mbarrier_init.release.cluster;",
          "rcp.f32 %f1, %f2;",
          "red.global.v4.f32.add [%rd1], {%f1,%f2,%f3,%f4};",
          "ld.mmio.relaxed.sys.global.u32 %r1, [%rd1];",
          "wmma.mma.sync.aligned.row.col.m8n8k4.f64.f64.f64.f64.rn {%fd1,%fd2}, {%fd3}, {%fd4}, {%fd1,%fd2};",
          "mov.u64 %rd1, %clock64;",
          "selp.f32 %f1, %f2, %f3, %p1;",
          "add.u32 %r1, %tid.x, WARP_SZ;"})
        EXPECT_EQ(verified(text), "") << text;
}

TEST(Verify, NewerFormsOnlyWarn) {
    const auto module = kernel_of("add.f32x2 %rd1, %rd2, %rd3;");
    verify(*module);
    ASSERT_EQ(module->functions[0]->errors.size(), 1u);
    EXPECT_EQ(module->functions[0]->errors[0].severity, Severity::warning);
    EXPECT_EQ(module->functions[0]->errors[0].message, "add.f32x2 in this form came with PTX ISA 8.6 and sm_100");
    const std::string text = kernel_text("add.f32x2 %rd1, %rd2, %rd3;");
    const std::string_view sources[] = {text};
    EXPECT_EQ(prepare(sources).info.kernels[0].error, "");
}

TEST(Parameters, ArePackedInOrder) {
    const auto module =
        module_of(".entry k(.param .u8 a, .param .u64 b, .param .align 16 .b8 c[5], .param .u16 d) { ret; }");
    const ParameterLayout layout = layout_parameters(module->functions[0]->parameters);
    ASSERT_EQ(layout.parameters.size(), 4u);
    EXPECT_EQ(layout.parameters[1].offset, 8u);
    EXPECT_EQ(layout.parameters[2].offset, 16u);
    EXPECT_EQ(layout.parameters[2].size, 5u);
    EXPECT_EQ(layout.parameters[3].offset, 22u);
    EXPECT_EQ(layout.bytes, 24u);
    EXPECT_EQ(prepared(".entry k(.param .b8 a[40000]) { ret; }").info.kernels[0].error,
              "line 4, column 21: the parameters exceed 32764 bytes");
}

TEST(Globals, InitialisedOnesComeFirst) {
    const auto p = prepared(
        ".global .align 4 .b8 zero[100];\n.const .u32 c = 7;\n.global .u64 pointer = zero+4;\n.shared .u32 s;\n"
        ".func f() { .global .u32 inner = 3; ret; }\n.global .u64 table[2] = {f, f};\n.global .u32 last;");
    const ModuleInfo& info = p.info;
    EXPECT_EQ(p.offset_of("c"), 0u);
    EXPECT_EQ(p.offset_of("pointer"), 8u);
    EXPECT_EQ(p.offset_of("table"), 16u);
    EXPECT_EQ(p.offset_of("f:8:26:inner"), 32u);
    EXPECT_EQ(p.offset_of("zero"), 48u);
    EXPECT_EQ(p.offset_of("last"), 148u);
    EXPECT_EQ(info.block_size, 152u);
    EXPECT_EQ(info.initial_data.size(), 36u);
    EXPECT_EQ(info.initial_data[0], 7u);
    EXPECT_TRUE(info.global("c")->constant);
    EXPECT_EQ(info.global("s"), nullptr);
    ASSERT_EQ(info.relocations.size(), 3u);
    EXPECT_EQ(info.relocations[0].symbol, "zero");
    EXPECT_EQ(info.relocations[0].addend, 4);
    EXPECT_TRUE(info.relocations[1].function);
    EXPECT_EQ(info.functions_in_data, (std::vector<std::string>{"f"}));
    EXPECT_THROW(p.offset_of("nothing"), Error);
}

TEST(Globals, UndefinedOnesBreakTheKernelsThatUseThem) {
    const auto p = prepared(
        ".extern .global .u32 gone;\n.entry a() { .reg .b32 %r<2>; ld.global.u32 %r1, [gone]; }\n.entry b() { ret; }\n"
        ".global .u64 bad = gone;\n.entry c() { .reg .b64 %r<2>; mov.u64 %r1, bad; }",
        "");
    EXPECT_EQ(p.info.kernel("a")->error, "line 5, column 51: variable 'gone' is defined nowhere");
    EXPECT_EQ(p.info.kernel("b")->error, "");
    EXPECT_EQ(p.info.kernel("c")->error,
              "line 8, column 44: variable 'bad' holds the address of 'gone', which is defined nowhere");
    EXPECT_EQ(p.info.unresolved, (std::vector<std::string>{"variable 'gone'", "variable 'bad'"}));
}

TEST(Globals, OneTextDefinesWhatItDeclares) {
    const auto p = prepared(".extern .global .u32 alone;\n.extern .global .u32 unused;\n"
                            ".entry a() { .reg .b32 %r<2>; ld.global.u32 %r1, [alone]; }");
    EXPECT_EQ(p.info.kernel("a")->error, "");
    EXPECT_EQ(p.info.global("alone")->size, 4u);
    EXPECT_EQ(p.info.unresolved, (std::vector<std::string>{"variable 'alone'"}));
}

TEST(Globals, KernelsHaveAPlaceWhenTheirAddressIsTaken) {
    const auto p = prepared(".global .u64 table[2] = {later, 0};\n.entry none() { ret; }\n.entry later() { ret; }\n"
                            ".entry user() { .reg .b64 %r<2>; mov.u64 %r1, user; }");
    EXPECT_EQ(p.info.global("none"), nullptr);
    ASSERT_NE(p.info.global("later"), nullptr);
    ASSERT_NE(p.info.global("user"), nullptr);
    EXPECT_FALSE(p.info.global("later")->visible);
    ASSERT_EQ(p.info.relocations.size(), 1u);
    EXPECT_FALSE(p.info.relocations[0].function);
    EXPECT_EQ(p.info.relocations[0].symbol, "later");
    EXPECT_TRUE(p.info.functions_in_data.empty());
}

TEST(Unresolved, FunctionsAreNamedOnceAndTheDevicesOwnAreNot) {
    const auto p =
        prepared(".extern .func gone();\n.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);\n"
                 ".extern .func (.param .b32 r) cnpGetLastError();\n"
                 ".entry a() { .param .b32 r; call gone; call gone; call (r), cnpGetLastError; }\n.entry b() { ret; }");
    EXPECT_EQ(p.info.unresolved, (std::vector<std::string>{"function 'gone'"}));
    EXPECT_EQ(p.info.kernel("a")->error, "line 7, column 34: unresolved function 'gone'");
    EXPECT_EQ(p.info.kernel("b")->error, "");
    EXPECT_EQ(p.info.wrong, "");
}

TEST(CallGraph, FollowsCallsAddressesAndAliases) {
    const auto module = module_of(
        ".func a() { ret; } .func b() { call a; } .func c() { ret; } .func d(); .func e() { ret; }\n.alias d, e;\n"
        ".global .u64 t = c;\n.entry direct() { call b; }\n.entry through_alias() { call d; }\n"
        ".entry indirect() { .reg .b64 %r<2>; p: .callprototype _ (); call %r1, (), p; }\n"
        ".entry listed() { .reg .b64 %r<2>; l: .calltargets b; call %r1, (), l; }");
    const CallGraph graph(*module);
    const auto names = [&](const char* root) {
        std::string out;
        for (const Function* function : graph.reachable(*graph.find(root))) out += function->name + " ";
        return out;
    };
    EXPECT_EQ(names("direct"), "direct b a ");
    EXPECT_EQ(names("through_alias"), "through_alias e ");
    EXPECT_EQ(names("indirect"), "indirect b c a ");
    EXPECT_EQ(names("listed"), "listed b a ");
}

TEST(Prepare, ABrokenFunctionBreaksOnlyItsCallers) {
    const auto p = prepared(
        ".func bad() { foo; }\n.func middle() { call bad; }\n.entry a() { call middle; }\n.entry b() { ret; }\n"
        ".entry c()\n.maxntid 64, 2 .reqntid 32 .minnctapersm 2 .reqnctapercluster 2 { add.x; }");
    EXPECT_EQ(p.info.kernel("a")->error, "bad: line 4, column 15: unknown instruction 'foo'");
    EXPECT_EQ(p.info.kernel("b")->error, "");
    const KernelInfo& c = *p.info.kernel("c");
    EXPECT_EQ(c.error, "line 9, column 70: unknown modifier '.x'");
    EXPECT_EQ(c.max_threads, (std::array<uint32_t, 3>{64, 2, 1}));
    EXPECT_EQ(c.required_threads, (std::array<uint32_t, 3>{32, 1, 1}));
    EXPECT_EQ(c.min_blocks_per_multiprocessor, 2u);
    EXPECT_EQ(c.cluster, (std::array<uint32_t, 3>{2, 1, 1}));
    EXPECT_EQ(p.info.version, 83u);
    EXPECT_EQ(p.info.target, "sm_90");
    EXPECT_EQ(p.info.diagnostics,
              "line 4, column 15: unknown instruction 'foo'\nline 9, column 70: unknown modifier '.x'\n");
}

TEST(Prepare, IndexThrowsOnWhatIsNoModule) {
    const std::string_view sources[] = {"hello"};
    EXPECT_THROW(ptx::index(sources), Error);
    EXPECT_THROW(ptx::index({}), Error);
}

TEST(Link, DeclarationsMeetDefinitions) {
    const auto module =
        linked({".extern .func f(.param .b32 a);\n.extern .global .u32 g;\n.file 1 \"a\"\n"
                ".entry k() { .reg .b64 %r; mov.u64 %r, g; call f, (1); }",
                ".file 1 \"b\"\n.visible .func f(.param .b32 a) { .loc 1 5 1\nret; }\n.visible .global .u32 g = 4;"});
    EXPECT_EQ(module->functions.size(), 2u);
    EXPECT_TRUE(module->function("f")->has_body);
    EXPECT_EQ(module->variable("g")->bytes.at(0), 4u);
    const Instruction& ret = module->function("f")->instructions[0];
    EXPECT_EQ(module->files.at(ret.file), "b");
    EXPECT_EQ(ret.where.source, 1u);
}

// CUB chooses among its kernels by the architecture that the program says it was compiled for.
TEST(Link, AnArchitectureIsThatOfTheKernels) {
    const auto target = [](std::initializer_list<const char*> texts) {
        std::vector<std::unique_ptr<Module>> modules;
        for (const std::string text : texts) modules.push_back(parse(".version 8.3\n.target " + text, 0));
        return link(std::move(modules))->target;
    };
    const char *kernel = "sm_80\n.visible .entry k() { ret; }", *newer_kernel = "sm_100\n.weak .entry n() { ret; }";
    const char *library = "sm_90\n.visible .func f() { ret; }",
               *newer_library = "sm_100\n.visible .func g() { ret; }\n.entry own() { ret; }";
    EXPECT_EQ(target({library, kernel}), "sm_80");
    EXPECT_EQ(target({kernel, library}), "sm_80");
    EXPECT_EQ(target({newer_kernel, kernel}), "sm_100");
    EXPECT_EQ(target({newer_library, library}), "sm_100");
}

TEST(Link, InternalNamesDoNotClash) {
    const auto module =
        linked({".global .u32 x = 1;\n.func f() { ret; }\n.entry a() { .reg .b64 %r; mov.u64 %r, x; call f; }",
                ".global .u32 x = 2;\n.global .u64 p = x;\n.func f() { exit; }\n.entry b() { .reg .b64 %r; mov.u64 %r, "
                "x; call f; }"});
    EXPECT_EQ(module->variable("x")->bytes[0], 1u);
    EXPECT_EQ(module->variable("x$2")->bytes[0], 2u);
    EXPECT_EQ(module->variable("p")->relocations[0].symbol, "x$2");
    EXPECT_EQ(module->function("b")->instructions[0].operands[1].name, "x$2");
    EXPECT_EQ(module->function("b")->instructions[1].operands[1].name, "f$2");
    EXPECT_EQ(module->function("f$2")->instructions[0].opcode, Opcode::exit);
    EXPECT_EQ(module->function("a")->instructions[1].operands[1].name, "f");
}

TEST(Link, StrengthDecides) {
    const auto module = linked({".weak .func f() { ret; }\n.common .global .u32 c;\n.weak .global .u32 w = 1;\n.extern "
                                ".shared .align 4 .b8 s[];",
                                ".visible .func f() { exit; }\n.common .global .u32 c[4];\n.weak .global .u32 w = "
                                "2;\n.extern .shared .align 16 .b8 s[];"});
    EXPECT_EQ(module->function("f")->instructions[0].opcode, Opcode::exit);
    EXPECT_EQ(module->variable("c")->size(), 16u);
    EXPECT_EQ(module->variable("w")->bytes[0], 1u);
    EXPECT_EQ(module->variable("s")->alignment, 16u);
}

TEST(Link, RefusesByName) {
    EXPECT_EQ(link_error({".visible .func f() { ret; }", "\n.visible .func f() { ret; }"}),
              "text 2, line 5, column 16: 'f' is defined twice, first in text 1");
    EXPECT_EQ(link_error({".visible .global .u32 g;", ".visible .global .u32 g;"}),
              "text 2, line 4, column 23: 'g' is defined twice, first in text 1");
    EXPECT_EQ(link_error({".visible .global .u64 g;", ".extern .global .u32 g;"}),
              "text 2, line 4, column 22: 'g' has another size than in text 1");
    EXPECT_EQ(link_error({".visible .const .u32 g;", ".extern .global .u32 g;"}),
              "text 2, line 4, column 22: 'g' has another state space than in text 1");
    EXPECT_EQ(link_error({".common .global .u64 g;", ".visible .global .u32 g;"}),
              "text 2, line 4, column 23: 'g' has another size, too small for .common, than in text 1");
    EXPECT_EQ(link_error({".visible .func f() { ret; }", ".extern .func f(.param .b32 a);"}), "");
    EXPECT_EQ(link_error({".visible .func f() { ret; }",
                          ".extern .func f(.param .b32 a);\n.visible .entry k() { call f, (1); }"}),
              "text 2, line 4, column 15: 'f' has another prototype than in text 1");
    EXPECT_EQ(link_error({".visible .func f(.param .u32 a) { ret; }", ".weak .func f(.param .s32 a) { ret; }"}), "");
    EXPECT_EQ(link_error({".visible .func f(.param .b32 a) { ret; }", ".weak .func f(.param .f32 a) { ret; }"}),
              "text 2, line 4, column 13: 'f' has another prototype than in text 1");
    EXPECT_EQ(link_error({".weak .global .u32 g;", ".weak .global .u64 g;"}),
              "text 2, line 4, column 20: 'g' has another size than in text 1");
    EXPECT_EQ(link_error({".visible .global .attribute(.managed) .u32 g;", ".extern .global .u32 g;"}),
              "text 2, line 4, column 22: 'g' has another .managed attribute than in text 1");
    EXPECT_EQ(link_error({".visible .global .b8 g[16];", ".extern .global .b8 g[];"}), "");
    EXPECT_EQ(link_error({".visible .global .u32 g;", ".visible .func g() { ret; }"}),
              "text 2, line 4, column 16: 'g' is a variable elsewhere");
}

TEST(Print, IsPtxAgain) {
    const std::string text =
        header +
        ".global .align 8 .u64 p[3] = {generic(x)+4, 2};\n.extern .shared .b8 s[];\n.global .f32 x = 0f7fc00000;\n"
        ".func (.param .b32 r) f (.reg .b64 a, .param .align 4 .b8 q[12]) { .reg .b32 %r<3>; { .reg .b64 %r1; mov.u64 "
        "%r1, p+8; }\n"
        "L: @!%p1 bra L; .reg .pred %p<2>; { L: setp.lt.and.s32 %p0|%p1, %r1, -4, !%p0; @!%p1 bra L; }\n"
        "t: .branchtargets L; brx.idx %r1, t; pr: .callprototype (.param .b32 _) _ (.param .b64 _);\n"
        "{ .param .b32 o; .param .b64 i; st.param.b64 [i+0], a; call (o), a, (i), pr; ld.param.b32 %r2, [o]; }\n"
        "vadd.u32.u32.u32 %r1, %r2.b1, 0x7fffffffffffffff; ld.v2.u32 {%r1, _}, [a+-8]; mov.f64 a, 0d3ff0000000000000; "
        "ret; }";
    const auto module = parse(text);
    const std::string once = print(*module);
    const auto again = parse(once);
    EXPECT_EQ(print(*again), once);
    EXPECT_EQ(messages(*module), "line 8, column 6: undeclared register '%p1'\n");
    EXPECT_EQ(messages(*again), "");
    const Function& f = *again->function("f");
    EXPECT_EQ(f.instructions.size(), module->function("f")->instructions.size());
    EXPECT_NE(once.find("vadd.u32.u32.u32 %r1$1, %r2.b1, 9223372036854775807;"), std::string::npos) << once;
    EXPECT_NE(once.find("mov.u64 %r1, p+8;"), std::string::npos) << once;
}
