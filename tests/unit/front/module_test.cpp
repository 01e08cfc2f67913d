#include "front.h"

using namespace front;
using namespace ptx;

TEST(Directives, HeaderIsKept) {
    const auto module = ptx::parse(".version 7.5 .target sm_90a, texmode_independent, debug .address_size 32");
    EXPECT_EQ(module->version_major, 7u);
    EXPECT_EQ(module->version_minor, 5u);
    EXPECT_EQ(module->target, "sm_90a");
    EXPECT_EQ(module->target_options, (std::vector<std::string>{"texmode_independent", "debug"}));
    EXPECT_EQ(module->address_size, 32u);
}

TEST(Directives, CommentsAndNulEndAreSkipped) {
    const std::string text = header + "/* .foo \n */ // }{\n# 3 \"x.cu\"\n@@DWARF .section x\n.entry k() { ret; }";
    EXPECT_EQ(ptx::parse(text + std::string(5, '\0') + "garbage \x80")->functions.size(), 1u);
}

TEST(Directives, FilesPragmasSectionsAndAliases) {
    const auto module = module_of(".file 1 \"a.cu\", 123, 45\n.pragma \"nounroll\", \"x\";\n"
                                  ".section .debug_abbrev { .b8 1, 2 \n L: .b32 .debug_str+3 { } .b64 foo }\n"
                                  ".func g() {ret;} .func f(); .alias f, g;");
    EXPECT_EQ(module->files.at(1), "a.cu");
    EXPECT_EQ(module->aliases.at(0).name, "f");
    EXPECT_EQ(module->aliases.at(0).target, "g");
}

TEST(Directives, EntryHasPerformanceDirectives) {
    const auto module = module_of(".visible .entry k(.param .u32 n)\n.maxntid 256, 2\n.minnctapersm 3\n.maxnreg 64\n"
                                  ".reqnctapercluster 2,1,1 .explicitcluster .pragma \"a\"; { ret; }");
    const Function& k = *module->functions.at(0);
    EXPECT_TRUE(k.is_entry && k.has_body);
    EXPECT_EQ(k.linkage, Linkage::visible);
    EXPECT_EQ(k.directive("maxntid")->values, (std::vector<uint32_t>{256, 2, 1}));
    EXPECT_EQ(k.directive("minnctapersm")->values, (std::vector<uint32_t>{3}));
    EXPECT_NE(k.directive("explicitcluster"), nullptr);
    EXPECT_EQ(k.directive("reqntid"), nullptr);
}

TEST(Directives, FunctionsHaveResultsAndParameters) {
    const auto module =
        module_of(".func (.param .b32 r, .reg .f64 q) f (.param .align 16 .b8 a[12], .reg .pred p) .noreturn;\n"
                  ".func .attribute(.unified(1, 2)) g .abi_preserve 4 { ret; } .func h;");
    const Function& f = *module->function("f");
    EXPECT_TRUE(f.noreturn);
    EXPECT_FALSE(f.has_body);
    EXPECT_EQ(f.results.size(), 2u);
    EXPECT_EQ(f.results[1].space, Space::reg);
    EXPECT_EQ(f.parameters[0].size(), 12u);
    EXPECT_EQ(f.parameters[0].alignment, 16u);
    EXPECT_NE(module->function("h"), nullptr);
}

TEST(Directives, DefinitionReplacesPrototype) {
    const auto module =
        module_of(".visible .func f(.param .b32 a);\n.entry k() { call f, (1); }\n.func f(.param .b32 a) { ret; }");
    EXPECT_EQ(module->functions.size(), 2u);
    EXPECT_TRUE(module->function("f")->has_body);
    EXPECT_EQ(module->function("f")->linkage, Linkage::visible);
}

TEST(Directives, PointerParameters) {
    const auto module = module_of(
        ".entry k(.param .u64 .ptr .global .align 8 p, .param .u64 .ptr .align 1 q, .param .texref t) { ret; }");
    const auto& parameters = module->functions[0]->parameters;
    EXPECT_EQ(parameters[0].points_to, Space::global);
    EXPECT_EQ(parameters[0].pointee_alignment, 8u);
    EXPECT_EQ(parameters[0].alignment, 8u);
    EXPECT_EQ(parameters[1].points_to, Space::generic);
    EXPECT_EQ(parameters[2].type, Type::texref);
}

TEST(Variables, SpacesLinkageAndShapes) {
    const auto module = module_of(".extern .shared .align 16 .b8 s[];\n.visible .const .f32 c[2][3];\n"
                                  ".weak .global .v4 .f32 v;\n.common .global .u32 n;\n"
                                  ".global .attribute(.managed) .u64 m, m2[4];\n.global .texref t;\n.tex .u32 old;");
    const Variable& s = *module->variable("s");
    EXPECT_TRUE(s.is_unsized);
    EXPECT_EQ(s.size(), 0u);
    EXPECT_EQ(s.linkage, Linkage::external);
    EXPECT_EQ(module->variable("c")->element_count, 6u);
    EXPECT_EQ(module->variable("c")->space, Space::constant);
    EXPECT_EQ(module->variable("v")->alignment, 16u);
    EXPECT_EQ(module->variable("v")->size(), 16u);
    EXPECT_EQ(module->variable("n")->linkage, Linkage::common);
    EXPECT_TRUE(module->variable("m2")->managed);
    EXPECT_EQ(module->variable("old")->type, Type::texref);
    EXPECT_EQ(module->variable("absent"), nullptr);
}

TEST(Initializers, ValuesOfEveryKind) {
    const auto module =
        module_of(".global .u32 a = 5;\n.global .s16 b[3] = {-1, 0x10};\n.global .f32 c[2] = {1.5, 0f40490fdb};\n"
                  ".global .f64 d = 0d3ff0000000000000;\n.const .b32 e[2] = {1.0, 2};\n"
                  ".global .b8 f[] = {1, 2, 3};\n.global .f64 g = 3;");
    EXPECT_EQ(module->variable("a")->bytes, (std::vector<uint8_t>{5, 0, 0, 0}));
    EXPECT_EQ(module->variable("b")->bytes, (std::vector<uint8_t>{0xff, 0xff, 0x10, 0}));
    EXPECT_EQ(module->variable("b")->size(), 6u);
    EXPECT_EQ(module->variable("c")->bytes, (std::vector<uint8_t>{0, 0, 0xc0, 0x3f, 0xdb, 0x0f, 0x49, 0x40}));
    EXPECT_EQ(module->variable("d")->bytes[7], 0x3f);
    EXPECT_EQ(module->variable("e")->bytes, (std::vector<uint8_t>{0, 0, 0x80, 0x3f, 2, 0, 0, 0}));
    EXPECT_EQ(module->variable("f")->element_count, 3u);
    EXPECT_FALSE(module->variable("f")->is_unsized);
    EXPECT_EQ(module->variable("g")->bytes, (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 8, 0x40}));
}

TEST(Initializers, BracesAreRowsAndMayBePartial) {
    const auto module = module_of(".global .u8 a[3][2] = {{1}, {2, 3}};\n.global .v2 .u8 b[2] = {{1, 2}, {3, 4}};\n"
                                  ".global .u8 c[][2] = {{1}, 5, 6, {7}};");
    EXPECT_EQ(module->variable("a")->bytes, (std::vector<uint8_t>{1, 0, 2, 3}));
    EXPECT_EQ(module->variable("b")->bytes, (std::vector<uint8_t>{1, 2, 3, 4}));
    EXPECT_EQ(module->variable("c")->bytes, (std::vector<uint8_t>{1, 0, 5, 6, 7}));
    EXPECT_EQ(module->variable("c")->element_count, 6u);
}

TEST(Initializers, AddressesBecomeRelocations) {
    const auto module = module_of(".global .u32 x[4];\n.func f() { ret; }\n"
                                  ".global .u64 p[4] = {x, x+8, generic(x)-4, f};\n"
                                  ".global .b8 m[2] = {0xff(generic(x)+4), 0xFF00(x)};");
    const auto& p = module->variable("p")->relocations;
    ASSERT_EQ(p.size(), 4u);
    EXPECT_EQ(p[1].offset, 8u);
    EXPECT_EQ(p[1].addend, 8);
    EXPECT_TRUE(p[2].generic);
    EXPECT_EQ(p[2].addend, -4);
    EXPECT_EQ(p[3].symbol, "f");
    const auto& m = module->variable("m")->relocations;
    EXPECT_EQ(m[0].size, 1u);
    EXPECT_EQ(m[0].addend, 4);
    EXPECT_EQ(m[1].mask_shift, 8u);
    EXPECT_EQ(m[1].offset, 1u);
}

TEST(Initializers, ConstantExpressionsFollowC) {
    const auto module = module_of(".global .s64 a[12] = {1+2*3, (1+2)*3, 7/2, -7%3, 1<<4|1, 5>3&&2==2, ~0, !3, 1?2:3, "
                                  "(.u64)-1>>60, (.s64)2.9, 0x10+010+0b11};");
    const auto& bytes = module->variable("a")->bytes;
    const int64_t expected[] = {7, 9, 3, -1, 17, 1, -1, 0, 2, 15, 2, 27};
    for (size_t i = 0; i < std::size(expected); ++i) {
        int64_t value;
        memcpy(&value, bytes.data() + 8 * i, 8);
        EXPECT_EQ(value, expected[i]) << "element " << i;
    }
}

TEST(WholeModuleErrors, HaveLineAndColumn) {
    EXPECT_EQ(thrown(""), "line 1, column 1: the text must begin with .version, found the end of the text");
    EXPECT_EQ(thrown("\n  .target sm_90"), "line 2, column 3: the text must begin with .version, found '.target'");
    EXPECT_EQ(thrown(".version 8.3\n .func"), "line 2, column 2: .target must follow .version, found '.func'");
    EXPECT_EQ(thrown(".version x"), "line 1, column 10: expected a version such as 8.3, found 'x'");
    EXPECT_EQ(thrown(header + ".foo;"), "line 4, column 1: unknown directive '.foo'");
    EXPECT_EQ(thrown(header + "hello"), "line 4, column 1: expected a directive, found 'hello'");
    EXPECT_EQ(thrown(header + ".entry k() { ret;\n"), "line 5, column 1: '}' is missing at the end of 'k'");
    EXPECT_EQ(thrown(header + ".entry k() { ret; } }"), "line 4, column 21: expected a directive, found '}'");
    EXPECT_EQ(thrown(header + ".entry k() {\n  ^ \xff }"), "line 5, column 5: unexpected character '?'");
    EXPECT_EQ(thrown(header + "/* abc"), "line 4, column 1: comment without end");
    EXPECT_EQ(thrown(header + ".file 1 \"abc\n\""), "line 4, column 9: string without end");
    EXPECT_EQ(thrown(header + ".global .u32 a\n.global .u32 b;"), "line 5, column 1: expected ';', found '.global'");
    EXPECT_EQ(thrown(header + ".global .u33 a;"), "line 4, column 9: unknown type or attribute '.u33'");
    EXPECT_EQ(thrown(header + ".global .u32 a; .global .u32 a;"), "line 4, column 30: 'a' is defined twice");
    EXPECT_EQ(thrown(header + ".func f() {} .func f() {}"), "line 4, column 20: 'f' is defined twice");
    EXPECT_EQ(thrown(header + ".entry k() .maxntid x {}"), "line 4, column 21: expected a constant, found 'x'");
    EXPECT_EQ(thrown(header + ".global .u8 a[2] = {1,2,3};"), "line 4, column 25: more initial values than elements");
    EXPECT_EQ(thrown(header + ".global .align 3 .u8 a;"), "line 4, column 16: the alignment must be a power of two");
    EXPECT_EQ(thrown(header + ".global .u8 a[9999999][9999999];"), "line 4, column 23: the array is too large");
    EXPECT_EQ(thrown(header + ".global .u32 a = 1/0;"), "line 4, column 19: cannot compute '/' here");
}

TEST(WholeModuleErrors, NestingIsLimited) {
    EXPECT_NE(thrown(header + ".global .u32 a = " + std::string(1000000, '(')).find("nested too deep"),
              std::string::npos);
    EXPECT_NE(thrown(header + ".global .u32 a = " + std::string(1000000, '-')).find("nested too deep"),
              std::string::npos);
    EXPECT_NE(thrown(header + ".global .u32 a[2] = " + std::string(1000000, '{')).find("nested too deep"),
              std::string::npos);
    EXPECT_NE(thrown(header + ".entry k() " + std::string(1000000, '{')).find("nested too deep"), std::string::npos);
}
