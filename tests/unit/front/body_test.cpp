#include "front.h"

using namespace front;
using namespace ptx;
using Kind = Operand::Kind;
using SymbolKind = Operand::SymbolKind;

TEST(Instructions, OpcodeModifiersOperandsGuard) {
    const One one("@!%p1 add.rn.ftz.f32 %f1, %f2, 0f3f800000;");
    const Instruction& add = one.instruction();
    EXPECT_EQ(add.opcode, Opcode::add);
    EXPECT_EQ(add.modifiers, (std::vector<Modifier>{Modifier::rn, Modifier::ftz, Modifier::f32}));
    EXPECT_TRUE(add.predicate_negated);
    EXPECT_EQ(one.function().registers[static_cast<size_t>(add.predicate)].name, "%p1");
    EXPECT_EQ(one.function().registers[static_cast<size_t>(one.operand(0).register_id)].name, "%f1");
    EXPECT_EQ(one.operand(2).kind, Kind::floating);
    EXPECT_EQ(one.operand(2).single_bits, 0x3f800000u);
    EXPECT_EQ(add.type(), Type::f32);
    EXPECT_TRUE(add.has(Modifier::rn));
    EXPECT_EQ(add.first_of({Modifier::rz, Modifier::rn}), Modifier::rn);
    EXPECT_EQ(add.where.line, 5u);
    EXPECT_EQ(add.where.column, 7u);
}

TEST(Instructions, LongestOpcodeWins) {
    EXPECT_EQ(One("cp.async.bulk.wait_group.read 0;").instruction().opcode, Opcode::cp_async_bulk_wait_group);
    EXPECT_EQ(One("cp.async.wait_all;").instruction().opcode, Opcode::cp_async_wait_all);
    EXPECT_EQ(One("cp.async.ca.shared.global [%r1], [%rd1], 4;").instruction().opcode, Opcode::cp_async);
    EXPECT_EQ(One("bar.warp.sync -1;").instruction().opcode, Opcode::bar_warp_sync);
    EXPECT_EQ(One("bar.sync 0;").instruction().opcode, Opcode::bar);
    EXPECT_EQ(One("st.global.u32 [%rd1], %r1;").instruction().opcode, Opcode::st);
    EXPECT_EQ(One("mbarrier.arrive.expect_tx.shared.b64 _, [%r1], 4;").instruction().opcode, Opcode::mbarrier_arrive);
}

TEST(Instructions, SpacesAndVectors) {
    EXPECT_EQ(One("ld.shared::cluster.v4.u32 {%r1,%r2,%r3,%r4}, [%r5];").instruction().space(), Space::shared_cluster);
    EXPECT_EQ(One("ld.shared::cta.u32 %r1, [%r5];").instruction().space(), Space::shared);
    EXPECT_EQ(One("ld.param::entry.u32 %r1, [%r5];").instruction().space(), Space::param);
    EXPECT_EQ(One("ld.u32 %r1, [%rd5];").instruction().space(), Space::generic);
    EXPECT_EQ(One("ld.global.v2.u32 {%r1, _}, [%rd5];").instruction().lanes(), 2u);
}

TEST(Instructions, MayTakeSeveralLines) {
    EXPECT_EQ(One("add\n .s32 // x\n %r1,\n /* y */ %r2\n, 3\n;").instruction().operands.size(), 3u);
}

TEST(Instructions, CarryTheLineOfTheLastLoc) {
    const auto module =
        kernel_of(".loc 1 23 4\nmov.u32 %r1, 1;\n.loc 2 7 1, function_name $L__info+4, inlined_at 1 23 4\nret;");
    const auto& instructions = module->functions[0]->instructions;
    EXPECT_EQ(instructions[0].line, 23u);
    EXPECT_EQ(instructions[1].file, 2u);
    EXPECT_EQ(instructions[1].line, 7u);
}

TEST(Operands, Constants) {
    EXPECT_EQ(One("mov.u32 %r1, -1;").operand(1).integer, ~uint64_t{0});
    EXPECT_EQ(One("mov.u32 %r1, 0xFFU;").operand(1).integer, 255u);
    EXPECT_TRUE(One("mov.u32 %r1, 0xFFU;").operand(1).is_unsigned);
    EXPECT_EQ(One("mov.u32 %r1, 017;").operand(1).integer, 15u);
    EXPECT_EQ(One("mov.u32 %r1, 0b101;").operand(1).integer, 5u);
    EXPECT_EQ(One("mov.u64 %rd1, 18446744073709551615;").operand(1).integer, ~uint64_t{0});
    EXPECT_EQ(One("mov.u32 %r1, (1 << 5) + 3;").operand(1).integer, 35u);
    EXPECT_EQ(One("mov.u32 %r1, WARP_SZ - 1;").operand(1).integer, 31u);
    EXPECT_EQ(One("mov.u32 %r1, WARP_SZ;").operand(1).special, SpecialRegister::warp_sz);
    EXPECT_EQ(One("mov.f64 %fd1, 0d3ff8000000000000;").operand(1).floating, 1.5);
    EXPECT_EQ(One("mov.f64 %fd1, -1.5e-3;").operand(1).floating, -1.5e-3);
    EXPECT_EQ(One("mov.f64 %fd1, .5;").operand(1).floating, 0.5);
    EXPECT_EQ(One("mov.f32 %f1, 0F7fc00001;").operand(1).single_bits, 0x7fc00001u);
    EXPECT_EQ(One("mov.f32 %f1, -0f7fc00001;").operand(1).single_bits, 0xffc00001u);
}

TEST(Operands, SpecialRegisters) {
    EXPECT_EQ(One("mov.u32 %r1, %tid.x;").operand(1).special, SpecialRegister::tid_x);
    EXPECT_EQ(One("mov.u64 %rd1, %clock64;").operand(1).special, SpecialRegister::clock64);
    EXPECT_EQ(One("mov.u32 %r1, %envreg31;").operand(1).special, SpecialRegister::envreg31);
}

TEST(Operands, AddressesKeepBaseAndOffset) {
    const One registers_("ld.global.u32 %r1, [%rd1+-4];");
    EXPECT_EQ(registers_.operand(1).kind, Kind::address);
    EXPECT_EQ(registers_.operand(1).base().kind, Kind::reg);
    EXPECT_EQ(registers_.operand(1).offset, -4);
    EXPECT_EQ(One("ld.global.u32 %r1, [%rd1 + 4 * 2 - 1];").operand(1).offset, 7);
    EXPECT_EQ(One("ld.shared.u32 %r1, [16];").operand(1).base().integer, 16u);
    const One texture("tex.2d.v4.f32.f32 {%f1,%f2,%f3,%f4}, [%rd1, {%f5, %f6}];");
    EXPECT_EQ(texture.operand(1).elements[1].kind, Kind::vector);
}

TEST(Operands, PairsVectorsSinksNegations) {
    const One setp("setp.lt.and.s32 %p1|%p2, %r1, %r2, !%p3;");
    EXPECT_EQ(setp.operand(0).kind, Kind::pair);
    EXPECT_EQ(setp.operand(0).elements.size(), 2u);
    EXPECT_TRUE(setp.operand(3).negated);
    EXPECT_EQ(One("elect.sync _|%p1, 0xffffffff;").operand(0).elements[0].kind, Kind::sink);
    EXPECT_EQ(One("mov.b64 {%r1, _}, %rd1;").operand(0).elements[1].kind, Kind::sink);
    const One video("vadd.u32.u32.u32 %r1, %r2.b1, %r3.h1;");
    EXPECT_EQ(video.operand(1).name, "b1");
    EXPECT_EQ(video.operand(2).name, "h1");
}

TEST(Operands, VectorComponents) {
    const auto module =
        kernel_of(".reg .v4 .f32 v; mov.f32 %f1, v.z; mov.f32 v.a, %f1; mov.f32 %f1, %f2.x;  mov.f32 %f1, v.q;");
    const auto& instructions = module->functions[0]->instructions;
    EXPECT_EQ(instructions[0].operands[1].component, 2);
    EXPECT_EQ(instructions[1].operands[0].component, 3);
    EXPECT_EQ(instructions[2].operands[1].component, 0);
    EXPECT_EQ(messages(*module), "line 5, column 89: unknown component '.q'\n");
}

TEST(Operands, SymbolsKnowWhereTheyLive) {
    const auto module = ptx::parse(
        header +
        ".global .u32 g[4];\n.func f() { ret; }\n.entry k(.param .u32 n) {\n.reg .b64 %rd<3>;"
        ".local .u32 l;\nld.param.u32 %rd1, [n+4];\nmov.u64 %rd1, l;\nmov.u64 %rd1, g+8;\n"
        "mov.u64 %rd1, f;\nmov.u64 %rd1, g[2];\nmov.u64 %rd2, later; ld.global.u32 %rd1, g[3]; } .global .u32 later;");
    const auto& i = module->function("k")->instructions;
    EXPECT_EQ(messages(*module), "");
    EXPECT_EQ(i[0].operands[1].base().symbol_kind, SymbolKind::parameter);
    EXPECT_EQ(i[0].operands[1].offset, 4);
    EXPECT_EQ(i[1].operands[1].symbol_kind, SymbolKind::local);
    EXPECT_EQ(i[2].operands[1].symbol_kind, SymbolKind::module);
    EXPECT_EQ(i[2].operands[1].offset, 8);
    EXPECT_EQ(i[3].operands[1].symbol_kind, SymbolKind::function);
    EXPECT_EQ(i[4].operands[1].offset, 8);
    EXPECT_EQ(i[5].operands[1].symbol_kind, SymbolKind::module);
    EXPECT_EQ(i[6].operands[1].kind, Kind::address);
    EXPECT_EQ(i[6].operands[1].offset, 12);
}

TEST(Calls, EveryPartIsOptionalButTheTarget) {
    const auto call = [](const std::string& text) {
        auto module = ptx::parse(header +
                                 ".func f();\n.entry k() { .reg .b64 %rd<2>; .param .b32 a; .param .b32 r;\n"
                                 "proto: .callprototype (.param .b32 _) _ (.param .b32 _) .noreturn;\n" +
                                 text + "}");
        EXPECT_EQ(messages(*module), "") << text;
        return std::pair(module->function("k")->instructions.at(0).operands, std::move(module));
    };
    const auto full = call("call.uni (r), %rd1, (a, 3), proto;").first;
    EXPECT_EQ(full[0].elements.size(), 1u);
    EXPECT_EQ(full[1].kind, Kind::reg);
    EXPECT_EQ(full[2].elements[1].integer, 3u);
    EXPECT_EQ(full[3].name, "proto");
    const auto plain = call("call f;").first;
    EXPECT_EQ(plain.size(), 3u);
    EXPECT_EQ(plain[1].symbol_kind, SymbolKind::function);
    EXPECT_EQ(call("call unknown_function, (a);").first[1].symbol_kind, SymbolKind::unresolved);
    EXPECT_EQ(call("call (), f, ();").first[2].elements.size(), 0u);
    EXPECT_EQ(call("call %rd1, (), proto;").first.size(), 4u);
}

TEST(Calls, Prototypes) {
    const auto module = kernel_of("p: .callprototype (.param .align 8 .b8 _[16]) _ (.param .b64 _, .reg .b32 _);\n"
                                  "q: .callprototype _ ();\nt: .calltargets f, g;");
    const Function& k = *module->functions[0];
    EXPECT_EQ(k.prototypes[0].results[0].size(), 16u);
    EXPECT_EQ(k.prototypes[0].parameters.size(), 2u);
    EXPECT_EQ(k.prototypes[1].results.size(), 0u);
    EXPECT_EQ(k.call_targets[0].functions, (std::vector<std::string>{"f", "g"}));
}

TEST(Labels, BranchesForwardsAndBackwards) {
    const auto module =
        kernel_of("A: bra B;\nret;\nB: @%p1 bra.uni A;\nlist: .branchtargets A, B, C;\nbrx.idx %r1, list;\nC:");
    const Function& k = *module->functions[0];
    EXPECT_EQ(messages(*module), "");
    EXPECT_EQ(k.labels[1].name, "B");
    EXPECT_EQ(k.labels[1].instruction, 2);
    EXPECT_EQ(k.instructions[0].operands[0].label_id, 1);
    EXPECT_EQ(k.instructions[2].operands[0].label_id, 0);
    EXPECT_EQ(k.branch_targets[0].labels, (std::vector<LabelId>{0, 1, 2}));
    EXPECT_EQ(k.labels[2].instruction, 4);
    EXPECT_EQ(k.instructions[3].operands[1].name, "list");
}

TEST(Scopes, EqualNamesInBlocksNeverMeet) {
    const auto module = kernel_of(
        "{ .reg .u32 t; L: mov.u32 t, 1; bra L; bra END; }\n{ .reg .u64 t; L: mov.u64 t, 2; bra L; }\nEND: ret;");
    const Function& k = *module->functions[0];
    EXPECT_EQ(messages(*module), "");
    const auto target = [&](size_t i) {
        return k.labels.at(static_cast<size_t>(k.instructions.at(i).operands[0].label_id)).instruction;
    };
    EXPECT_EQ(target(1), 0);
    EXPECT_EQ(target(2), 5);
    EXPECT_EQ(target(4), 3);
    const auto type = [&](size_t i) {
        return k.registers[static_cast<size_t>(k.instructions.at(i).operands[0].register_id)].type;
    };
    EXPECT_EQ(type(0), Type::u32);
    EXPECT_EQ(type(3), Type::u64);
}

TEST(Scopes, InnerRangesAndNamesShadowOuterOnes) {
    const auto module = kernel_of("{ .reg .u64 %r<2>; mov.u64 %r1, 0; mov.u32 %r2, 0; { .reg .u16 %r1; mov.u16 %r1, 0; "
                                  "} mov.u64 %r1, 0; } mov.u32 %r1, 0;");
    const Function& k = *module->functions[0];
    const auto type = [&](size_t i) {
        return k.registers[static_cast<size_t>(k.instructions.at(i).operands[0].register_id)].type;
    };
    EXPECT_EQ(messages(*module), "");
    EXPECT_EQ(type(0), Type::u64);
    EXPECT_EQ(type(1), Type::b32);
    EXPECT_EQ(type(2), Type::u16);
    EXPECT_EQ(type(3), Type::u64);
    EXPECT_EQ(type(4), Type::b32);
}

TEST(Registers, FormalOnesComeFirst) {
    const auto module =
        module_of(".func (.reg .b32 r) f (.param .b32 p, .reg .b64 a) { .reg .b32 t; cvt.u32.u64 r, a; ret; }");
    const Function& f = *module->functions[0];
    EXPECT_EQ(messages(*module), "");
    EXPECT_EQ(f.registers[0].name, "r");
    EXPECT_EQ(f.registers[1].name, "a");
    EXPECT_EQ(f.instructions[0].operands[0].register_id, 0);
}

TEST(BodyErrors, ArePerStatementWithLineAndColumn) {
    const auto module = kernel_of(
        "foo.u32 %r1, %r2;\nadd.bar.u32 %r1, %r2, 3;\nadd.u32 %r1, %zz, 3;\n  mov.u32 %r1 5;\nmov.u32 %r99, 1;\n"
        "bra NOWHERE;\nmov.u64 %rd1, nothing;\n@%q9 ret;\nld.global.u32 %r1, [%rd1+];\nadd.u32 {%r1, ;\n.foo 3;\n"
        "mov.f32 %f1, 0f12;\nmov.u32 %r1, %tid.q;\n.reg .b32 %r<4>;\nmov.u32 %r1, 08;\nL: L: .reg .b32 ;\nret;");
    EXPECT_EQ(messages(*module), "line 5, column 1: unknown instruction 'foo'\n"
                                 "line 6, column 4: unknown modifier '.bar'\n"
                                 "line 7, column 14: undeclared register '%zz'\n"
                                 "line 8, column 15: expected ';', found '5'\n"
                                 "line 9, column 9: undeclared register '%r99'\n"
                                 "line 10, column 5: undefined label 'NOWHERE'\n"
                                 "line 11, column 15: undeclared name 'nothing'\n"
                                 "line 12, column 2: undeclared register '%q9'\n"
                                 "line 13, column 26: expected a constant, found ']'\n"
                                 "line 14, column 15: expected a constant, found ';'\n"
                                 "line 15, column 1: unknown directive '.foo'\n"
                                 "line 16, column 14: malformed constant '0f12'\n"
                                 "line 17, column 18: there is no '%tid.q'\n"
                                 "line 18, column 11: '%r' is declared twice\n"
                                 "line 19, column 14: malformed constant '08'\n"
                                 "line 20, column 4: label 'L' is defined twice\n"
                                 "line 20, column 17: expected the name of a register, found ';'\n");
    EXPECT_EQ(module->functions[0]->instructions.back().opcode, Opcode::ret);
}

TEST(BodyErrors, RegistersMustBeDeclaredBeforeUse) {
    const auto module = kernel_of("mov.u32 late, 1;\n.reg .u32 late;\n{ .reg .u32 %inner; }\nmov.u32 %inner, 2;");
    EXPECT_EQ(messages(*module),
              "line 5, column 9: undeclared name 'late'\nline 8, column 9: undeclared register '%inner'\n");
}

TEST(BodyErrors, OneFunctionDoesNotSpoilTheNext) {
    const auto module = module_of(
        ".entry a() { broken }\n.entry b() { what.is this;\n{ ret; }\nadd.u32 x\n{ ret; } }\n.entry c() { ret; }");
    EXPECT_EQ(module->functions.size(), 3u);
    EXPECT_EQ(messages(*module),
              "line 4, column 14: unknown instruction 'broken'\nline 5, column 14: unknown instruction 'what'\n"
              "line 8, column 1: expected ';', found '{'\n");
    EXPECT_TRUE(module->function("c")->errors.empty());
}

TEST(BodyErrors, LimitsHoldInBodies) {
    EXPECT_EQ(messages(*kernel_of("mov.u32 %r1, " + std::string(100000, '(') + ";"))
                  .find("line 5, column 113: nested too deep"),
              0u);
    EXPECT_EQ(messages(*kernel_of("mov.u32 " + std::string(100000, '[') + ";")).find("line 5,"), 0u);
    EXPECT_EQ(messages(*kernel_of(".reg .b32 %big<4000000000>;")), "line 5, column 11: too many registers\n");
}
