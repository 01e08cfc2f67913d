#pragma once

#include "ast/position.h"
#include "isa/isa.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ptx {

/// Indices into the tables of the enclosing Function or Module. -1 means "none".
using RegisterId = int32_t;
using LocalId = int32_t;
using LabelId = int32_t;
constexpr int32_t none = -1;

/// A virtual register. Of parameterised names (`.reg .b32 %r<8>`) those that the body uses are there. PTX ISA 5.4.2.
/// A vector register (`.reg .v4 .f32 v`) is one register with `lanes` 4; its parts are named by Operand::component.
struct Register {
    std::string name;
    Type type = Type::none;
    uint8_t lanes = 1;
    Position where;
};

enum class Linkage : uint8_t { internal, visible, external, weak, common };

/// An address stored inside an initialiser: `bytes[offset .. offset+size)` = address of `symbol` + addend.
/// PTX ISA 5.4.5. `generic` is set for `generic(symbol)`; otherwise the value is the address in the symbol's own space.
/// `mask_shift` serves `mask() / 0xFF00(symbol)` initialisers of 8-bit arrays: the byte `(address >> mask_shift) & 0xff`.
struct Relocation {
    uint64_t offset = 0;
    uint8_t size = 8;
    std::string symbol;
    int64_t addend = 0;
    bool generic = false;
    uint8_t mask_shift = 0;
    Position where;
};

/// A variable of any addressable space: module-scope .global/.const/.shared, function-scope .local/.shared/.param,
/// and formal parameters (space param or reg). PTX ISA 5.1, 5.4.
struct Variable {
    std::string name;
    Space space = Space::generic;
    Type type = Type::none;       ///< element type
    uint8_t lanes = 1;            ///< vector length: 1, 2 or 4
    uint32_t alignment = 0;       ///< bytes; natural alignment when the source gives none
    bool is_array = false;
    bool is_unsized = false;      ///< `extern .shared .b8 s[]`
    uint64_t element_count = 1;   ///< product of all dimensions (of vectors, if lanes > 1); 0 when unsized
    Linkage linkage = Linkage::internal;
    bool managed = false;         ///< `.attribute(.managed)`
    bool assumed = false;         ///< declared only, and made a definition since there is but one text
    bool has_initializer = false;
    std::vector<uint8_t> bytes;   ///< initial value; may be shorter than size(): the rest is zero
    std::vector<Relocation> relocations;
    std::optional<Space> points_to;   ///< `.param .u64 .ptr .global .align 8 p`
    uint32_t pointee_alignment = 0;
    Position where;

    uint64_t size() const { return element_count * lanes * size_of(type); }
};

/// One operand as written. Which fields count depends on `kind`. PTX ISA 6.4.
struct Operand {
    enum class Kind : uint8_t {
        reg,        ///< `register_id`, possibly one `component` of a vector register
        special,    ///< `special`: %tid.x, WARP_SZ ...
        integer,    ///< `integer`: raw two's complement bits of a 64-bit constant; `is_unsigned` for a U suffix
        floating,   ///< `floating`: value of a decimal or 0d constant; 0f constants also set `is_single`
        symbol,     ///< name of a variable or function, with `offset` (`mov.u64 %rd, table+8`); see symbol_kind
        address,    ///< `[base + offset]`: base is a register, a symbol, or (kind of base) integer: see base()
        vector,     ///< `{a, b, ...}` in `elements`
        pair,       ///< `p|q` in `elements` (two)
        label,      ///< branch target
        list,       ///< parenthesised argument list of a call, or an unparenthesised tensor coordinate list
        sink,       ///< `_`
    };
    enum class SymbolKind : uint8_t {
        unresolved,   ///< declared nowhere: an error of the function unless it is a call target
        local,        ///< `local_id` in Function::locals
        parameter,    ///< `local_id` in Function::parameters
        result,       ///< `local_id` in Function::results
        module,       ///< a module-scope variable, by `name`
        function,     ///< by `name`
    };

    Kind kind = Kind::sink;
    Position where;
    bool negated = false;                        ///< `!p`, and `-x` on a register
    RegisterId register_id = none;
    int8_t component = -1;                       ///< 0..3 for .x/.y/.z/.w (.r/.g/.b/.a), -1 for the whole
    SpecialRegister special = SpecialRegister::none;
    uint64_t integer = 0;
    bool is_unsigned = false;
    double floating = 0;
    bool is_single = false;
    uint32_t single_bits = 0;                    ///< exact bits of a 0f constant
    uint64_t double_bits = 0;                    ///< exact bits of a 0d constant, or of the decimal one
    SymbolKind symbol_kind = SymbolKind::unresolved;
    LocalId local_id = none;
    LabelId label_id = none;
    /// Of a symbol or label; of a register, the byte or half-word selector of a video instruction: "b1", "h10".
    std::string name;
    int64_t offset = 0;                          ///< byte offset of an address or a symbol
    /// Elements of a vector, pair or list. For kind address: elements[0] is the base (reg, symbol or integer);
    /// tensor and texture operands (`[tex, {x, y}]`, `[map, {c0, c1}]`) have further elements.
    std::vector<Operand> elements;

    const Operand& base() const { return elements.front(); }
};

/// One instruction. `@!p add.rn.ftz.f32 d, a, b;` has opcode add, modifiers {rn, ftz, f32}, operands {d, a, b}.
/// A call has opcode call and operands: results (list, may be empty), target (symbol or reg), arguments (list, may be
/// empty), then, for indirect calls, the name of the prototype or target list (symbol).
/// `brx.idx` has operands: index, symbol naming a .branchtargets list.
struct Instruction {
    Position where;
    Opcode opcode = Opcode::unknown;
    std::string opcode_text;                ///< as written, e.g. "cp.async.bulk" resolves to its own Opcode
    std::vector<Modifier> modifiers;        ///< in source order; types are modifiers too
    std::vector<Operand> operands;
    RegisterId predicate = none;
    bool predicate_negated = false;
    uint32_t file = 0, line = 0;            ///< from the last .loc, 0 when there is none

    bool has(Modifier m) const;
    /// The n-th modifier that is a type, Type::none when there are fewer.
    Type type(unsigned n = 0) const;
    /// The first state space named by the modifiers; Space::generic when none is. `.shared::cta` is shared,
    /// `.shared::cluster` is shared_cluster, `.param::entry` and `.param::func` are param.
    Space space() const;
    /// 1, 2, 4 or 8 by .v2/.v4/.v8.
    unsigned lanes() const;
    /// The first modifier that is one of `options`; Modifier::none when there is none.
    Modifier first_of(std::initializer_list<Modifier> options) const;
};

/// A label stands before the instruction with index `instruction` (== instructions.size() at the end of the body).
struct Label {
    std::string name;
    int32_t instruction = none;
    Position where;
};

/// `.branchtargets`, `.calltargets` and `.callprototype` inside a function body. PTX ISA 11.3.
struct BranchTargets {
    std::string name;
    std::vector<LabelId> labels;
};
struct CallTargets {
    std::string name;
    std::vector<std::string> functions;
};
struct Prototype {
    std::string name;
    std::vector<Variable> results;
    std::vector<Variable> parameters;
    bool noreturn = false;
};

/// `.maxntid 256, 1, 1` is {"maxntid", {256, 1, 1}}; missing trailing dimensions are 1. PTX ISA 11.4.
struct PerformanceDirective {
    std::string name;
    std::vector<uint32_t> values;
};

/// A .entry or .func. Nested scopes are flattened: every declaration of the body has its own index in `registers` or
/// `locals`, and operands refer to indices, so that equal names in different scopes never meet.
struct Function {
    std::string name;
    bool is_entry = false;
    bool has_body = false;
    bool noreturn = false;
    bool abridged = false;                  ///< of the body only what names symbols was read: see parse()
    Linkage linkage = Linkage::internal;
    /// .func only. Results and parameters of space reg also are registers of the same name, the first of the function,
    /// and operands name those.
    std::vector<Variable> results;
    std::vector<Variable> parameters;
    std::vector<PerformanceDirective> directives;
    std::vector<Register> registers;
    std::vector<Variable> locals;           ///< .local, .shared, .param and .const/.global of the body
    std::vector<Label> labels;
    std::vector<BranchTargets> branch_targets;
    std::vector<CallTargets> call_targets;
    std::vector<Prototype> prototypes;
    std::vector<Instruction> instructions;
    /// Why this function cannot be translated (unknown opcode, bad operand, undeclared name ...). The first one stops
    /// the translation of every kernel that reaches the function; the rest of the module stays usable.
    std::vector<Diagnostic> errors;
    Position where;

    const PerformanceDirective* directive(const std::string& name) const;
};

/// `.alias name, aliasee;` PTX ISA 5.4.7 and 11.6.
struct Alias {
    std::string name, target;
    Position where;
};

struct Module {
    unsigned version_major = 0, version_minor = 0;   ///< .version 8.3
    std::string target;                              ///< "sm_90", "sm_90a", "sm_100f"
    std::vector<std::string> target_options;         ///< texmode_independent, debug, map_f64_to_f32
    unsigned address_size = 64;
    std::vector<std::string> files;                  ///< by .file index
    std::vector<Variable> variables;                 ///< module scope: .global, .const, .shared, textures
    /// Definitions and prototypes without a definition. Heap allocated, so that addresses are stable.
    std::vector<std::unique_ptr<Function>> functions;
    std::vector<Alias> aliases;

    Function* function(const std::string& name) const;
    const Variable* variable(const std::string& name) const;
};

} // namespace ptx
