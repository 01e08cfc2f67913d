#include "ast_to_llvm/matrix_form_of.h"

#include <array>
#include <cstdio>
#include <string_view>

namespace ptx::ast_to_llvm {
namespace {

struct Row {
    Opcode opcode;
    std::string_view shapes, inputs;
    bool mixed;
    std::string_view accumulators, kinds;
};

constexpr Row rows[] = {
#define MATRIX_FORM(opcode, shapes, inputs, mixed, accumulators, kinds)                                                \
    {Opcode::opcode, shapes, inputs, mixed, accumulators, kinds},
#include "ast_to_llvm/matrix_forms.def"
};

struct ScaleRow {
    std::string_view kind;
    Modifier size;
    Type factors;
    uint8_t count;
    bool implied; ///< the size may be left out
};

constexpr ScaleRow scale_rows[] = {
#define MATRIX_SCALE(kind, size, factors, count, implied) {kind, Modifier::size, Type::factors, count, implied},
#include "ast_to_llvm/matrix_forms.def"
};

/// Whether a list of words separated by blanks has this one.
bool lists(std::string_view words, std::string_view word) {
    for (size_t at = 0; at <= words.size();) {
        const size_t end = std::min(words.find(' ', at), words.size());
        if (words.substr(at, end - at) == word) return true;
        at = end + 1;
    }
    return false;
}

/// D, A, B, C. PTX ISA 9.7.14.3.5: wmma of f16 names D and C alone.
std::array<Type, 4> types_of(const Instruction& instruction) {
    std::array<Type, 4> types{instruction.type(0), instruction.type(1), instruction.type(2), instruction.type(3)};
    if (types[2] == Type::none) types = {types[0], Type::f16, Type::f16, types[1]};
    if (types[3] == Type::none)
        throw Error(instruction.where, instruction.opcode_text + " needs the types of D, A, B and C");
    return types;
}

/// "f8f6f4" of .kind::f8f6f4, or nothing.
std::string_view kind_of(const Instruction& instruction) {
    for (Modifier modifier : instruction.modifiers)
        if (const std::string_view name = ptx::name_of(modifier); name.starts_with("kind::")) return name.substr(6);
    return {};
}

bool is_defined(const Instruction& instruction, std::string_view shape, const std::array<Type, 4>& types) {
    const std::string_view kind = kind_of(instruction);
    if (!kind.empty() && instruction.opcode == Opcode::mma_sp) return false; // ordered metadata alone
    const Opcode opcode = instruction.opcode == Opcode::mma_sp_ordered_metadata ? Opcode::mma_sp : instruction.opcode;
    const std::string accumulators = std::string(ptx::name_of(types[0])) + "." + std::string(ptx::name_of(types[3]));
    for (const Row& row : rows)
        if (row.opcode == opcode && lists(row.shapes, shape) && lists(row.inputs, ptx::name_of(types[1])) &&
            lists(row.inputs, ptx::name_of(types[2])) && (row.mixed || types[1] == types[2]) &&
            lists(row.accumulators, accumulators) && lists(row.kinds, kind))
            return true;
    return false;
}

MatrixRounding rounding_of(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::rn, Modifier::rz, Modifier::rm, Modifier::rp})) {
    case Modifier::rz:
        return MatrixRounding::rz;
    case Modifier::rm:
        return MatrixRounding::rm;
    case Modifier::rp:
        return MatrixRounding::rp;
    default:
        return MatrixRounding::rn;
    }
}

/// The layouts of A and B, in this order.
void read_layouts(const Instruction& instruction, MatrixForm& form) {
    unsigned found = 0;
    for (Modifier modifier : instruction.modifiers) {
        if (modifier != Modifier::row && modifier != Modifier::col) continue;
        (found++ == 0 ? form.a_column_major : form.b_column_major) = modifier == Modifier::col;
    }
    const bool any = form.family != MatrixFamily::mma;
    if (found != 2 || (!any && (form.a_column_major || !form.b_column_major)))
        throw Error(instruction.where, instruction.opcode_text + (any ? " needs two layouts" : " needs .row.col"));
}

/// .block_scale. PTX ISA 9.7.14.3: which factors a kind may have.
void read_scale(const Instruction& instruction, MatrixForm& form) {
    const std::string_view kind = kind_of(instruction);
    const bool wanted = kind.starts_with("mx");
    if (instruction.has(Modifier::block_scale) != wanted)
        throw Error(instruction.where, instruction.opcode_text + (wanted ? " needs" : " cannot have") +
                                           " .block_scale" + (kind.empty() ? "" : " with .kind::" + std::string(kind)));
    if (!wanted) return;
    const Modifier size =
        instruction.first_of({Modifier::scale_vec_1x, Modifier::scale_vec_2x, Modifier::scale_vec_4x});
    const Type factors = instruction.type(4);
    for (const ScaleRow& row : scale_rows)
        if (row.kind == kind && row.factors == factors &&
            (row.size == size || (size == Modifier::none && row.implied))) {
            form.scale = factors == Type::ue4m3 ? MatrixScale::ue4m3 : MatrixScale::ue8m0;
            form.scale_columns = row.count;
            return;
        }
    throw Error(instruction.where, instruction.opcode_text + ": .kind::" + std::string(kind) +
                                       " has no such combination of .scale_vec and type of factors");
}

} // namespace

Modifier matrix_shape(const Instruction& instruction, unsigned& m, unsigned& n, unsigned& k) {
    for (Modifier modifier : instruction.modifiers) {
        const std::string text(ptx::name_of(modifier));
        if (std::sscanf(text.c_str(), "m%un%uk%u", &m, &n, &k) == 3) return modifier;
    }
    return Modifier::none;
}

MatrixElement matrix_element(Type type, Position where) {
    switch (type) {
#define ELEMENT(name)                                                                                                  \
    case Type::name:                                                                                                   \
        return MatrixElement::name;
        ELEMENT(f16)
        ELEMENT(bf16)
        ELEMENT(tf32)
        ELEMENT(f32)
        ELEMENT(f64)
        ELEMENT(e4m3)
        ELEMENT(e5m2)
        ELEMENT(s8)
        ELEMENT(u8)
        ELEMENT(s4)
        ELEMENT(u4)
        ELEMENT(b1)
        ELEMENT(s32)
        ELEMENT(e3m2)
        ELEMENT(e2m3)
        ELEMENT(e2m1)
#undef ELEMENT
    default:
        throw Error(where, "no matrix multiplication of " + std::string(ptx::name_of(type)) + " is defined");
    }
}

MatrixForm matrix_form_of(const Instruction& instruction) {
    MatrixForm form;
    unsigned m = 0, n = 0, k = 0;
    const Modifier shape = matrix_shape(instruction, m, n, k);
    const std::array<Type, 4> types = types_of(instruction);
    form.m = static_cast<uint16_t>(m), form.n = static_cast<uint16_t>(n), form.k = static_cast<uint16_t>(k);
    form.d = matrix_element(types[0], instruction.where);
    form.a = matrix_element(types[1], instruction.where);
    form.b = matrix_element(types[2], instruction.where);
    form.c = matrix_element(types[3], instruction.where);
    if (!is_defined(instruction, ptx::name_of(shape), types))
        throw Error(instruction.where, instruction.opcode_text + " has no form " + name_of(form));
    form.kind = !kind_of(instruction).empty();
    read_scale(instruction, form);
    if (kind_of(instruction).starts_with("mxf4")) form.a = form.b = MatrixElement::e2m1_packed;
    if (instruction.opcode == Opcode::wmma_mma)
        form.family = MatrixFamily::wmma;
    else if (shape == Modifier::m8n8k4 && form.a == MatrixElement::f16)
        form.family = MatrixFamily::quad_pair;
    form.sparse = instruction.opcode == Opcode::mma_sp || instruction.opcode == Opcode::mma_sp_ordered_metadata;
    form.saturate = instruction.has(Modifier::satfinite);
    form.conjunction = instruction.has(Modifier::and_);
    form.rounding = rounding_of(instruction);
    if (form.a == MatrixElement::b1 &&
        (!instruction.has(Modifier::popc) || instruction.first_of({Modifier::and_, Modifier::xor_}) == Modifier::none))
        throw Error(instruction.where, instruction.opcode_text + " of .b1 needs .xor.popc or .and.popc");
    read_layouts(instruction, form);
    return form;
}

std::string name_of(const MatrixForm& form) {
    constexpr const char* elements[] = {"f16", "bf16", "tf32", "f32", "f64",  "e4m3", "e5m2", "s8",    "u8",
                                        "s4",  "u4",   "b1",   "s32", "e3m2", "e2m3", "e2m1", "e2m1x2"};
    std::string out = "m" + std::to_string(form.m) + "n" + std::to_string(form.n) + "k" + std::to_string(form.k);
    for (MatrixElement element : {form.d, form.a, form.b, form.c})
        out += std::string(".") + elements[static_cast<size_t>(element)];
    return out;
}

} // namespace ptx::ast_to_llvm
