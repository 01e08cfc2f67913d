#include "examples.h"

#include <algorithm>
#include <map>

namespace isa_test {
namespace {

using namespace ptx;

constexpr size_t most_combinations = 1500;

constexpr std::string_view kernel_begin = "(.param .align 16 .b8 p_in[64])\n{\n.reg .pred %p<9>; .reg .b8 %q<9>; .reg "
                                          ".b16 %h<9>; .reg .b32 %r<17>; .reg .b64 "
                                          "%l<17>; .reg .b128 %w<9>; .local .align 16 .b8 l_mem[64];\n";

/// What stands in the places of the operands, a letter each:
///   0 1  a register of the first or second type      w  of twice the first type's width
///   h r l  of 16, 32, 64 bits    p  a predicate       D  %r0|%p1        d  p|q
///   i  a small integer           f  a fraction        a  an address     v  first type, as many as .v2, .v4, .v8 say
///   4  {four registers of the second type}
const std::map<Opcode, std::string_view>& patterns() {
    static const std::map<Opcode, std::string_view> table = {
        {Opcode::mul24, "000"},   {Opcode::mad24, "0000"},     {Opcode::sad, "0000"},     {Opcode::div, "000"},
        {Opcode::rem, "000"},     {Opcode::min, "0000"},       {Opcode::max, "0000"},     {Opcode::popc, "r0"},
        {Opcode::clz, "r0"},      {Opcode::bfind, "r0"},       {Opcode::fns, "rrrr"},     {Opcode::brev, "00"},
        {Opcode::bfe, "00rr"},    {Opcode::bfi, "000rr"},      {Opcode::szext, "00r"},    {Opcode::bmsk, "00r"},
        {Opcode::dp4a, "rrrr"},   {Opcode::dp2a, "rrrr"},      {Opcode::addc, "000"},     {Opcode::subc, "000"},
        {Opcode::madc, "0000"},   {Opcode::testp, "p0"},       {Opcode::copysign, "000"}, {Opcode::abs, "00"},
        {Opcode::neg, "00"},      {Opcode::rcp, "00"},         {Opcode::sqrt, "00"},      {Opcode::rsqrt, "00"},
        {Opcode::sin, "00"},      {Opcode::cos, "00"},         {Opcode::lg2, "00"},       {Opcode::ex2, "00"},
        {Opcode::tanh, "00"},     {Opcode::set, "011p"},       {Opcode::setp, "p00p"},    {Opcode::selp, "000p"},
        {Opcode::slct, "0001"},   {Opcode::and_, "000"},       {Opcode::or_, "000"},      {Opcode::xor_, "000"},
        {Opcode::not_, "00"},     {Opcode::cnot, "00"},        {Opcode::shf, "0000"},     {Opcode::shl, "00r"},
        {Opcode::shr, "00r"},     {Opcode::prmt, "0000"},      {Opcode::ld, "val"},       {Opcode::ldu, "va"},
        {Opcode::st, "avl"},      {Opcode::prefetch, "a"},     {Opcode::prefetchu, "a"},  {Opcode::applypriority, "aI"},
        {Opcode::discard, "aI"},  {Opcode::isspacep, "pl"},    {Opcode::cvta, "00"},      {Opcode::cvt_pack, "rrrr"},
        {Opcode::stacksave, "0"}, {Opcode::stackrestore, "0"}, {Opcode::alloca, "00i"},   {Opcode::brkpt, ""},
        {Opcode::trap, ""},       {Opcode::nanosleep, "r"},    {Opcode::pmevent, "i"},
    };
    return table;
}

bool is_video(Opcode opcode) { return opcode >= Opcode::vadd && opcode <= Opcode::vset4; }

bool has(const std::vector<Modifier>& modifiers, Modifier wanted) {
    return std::find(modifiers.begin(), modifiers.end(), wanted) != modifiers.end();
}

Type nth_type(const std::vector<Modifier>& modifiers, unsigned n) {
    for (Modifier modifier : modifiers)
        if (type_of(modifier) != Type::none && n-- == 0) return type_of(modifier);
    return Type::none;
}

/// "?" when the opcode's operands are not known.
std::string_view pattern_of(const InstructionForm& form, const std::vector<Modifier>& modifiers) {
    const bool mixed = nth_type(modifiers, 1) != Type::none;
    switch (form.opcode) {
    case Opcode::add:
    case Opcode::sub:
        return mixed ? "010" : "000";
    case Opcode::fma:
        return mixed ? "0110" : "0000";
    case Opcode::mul:
        return has(modifiers, Modifier::wide) ? "w00" : "000";
    case Opcode::mad:
        return has(modifiers, Modifier::wide) ? "w00w" : "0000";
    case Opcode::lop3:
        return form.operands.size() == 5 ? "0000i" : "D000ip";
    case Opcode::mov:
        return form.text.find(".v4") == form.text.npos ? "00" : "?";
    case Opcode::createpolicy:
        if (has(modifiers, Modifier::cvt)) return "ll";
        return has(modifiers, Modifier::range) ? "larr" : "lf";
    case Opcode::cvt:
        if (!has(modifiers, Modifier::rs)) return "011";
        return form.operands.size() == 4 ? "011r" : "04r";
    default:
        break;
    }
    if (is_video(form.opcode)) return "rrrr";
    const auto found = patterns().find(form.opcode);
    return found == patterns().end() ? "?" : found->second;
}

std::string registers(unsigned bytes, unsigned number) {
    static const std::map<unsigned, char> letters = {{0, 'p'}, {1, 'h'}, {2, 'h'}, {4, 'r'}, {8, 'l'}, {16, 'w'}};
    return std::string("%") + letters.at(bytes) + std::to_string(number);
}

unsigned bytes_of(Type type) { return type == Type::pred ? 0 : size_of(type); }

std::string vector_of(unsigned lanes, unsigned bytes, unsigned first) {
    std::string out = "{";
    for (unsigned i = 0; i < lanes; ++i) out += (i ? ", " : "") + registers(bytes, first + i);
    return out + "}";
}

/// A variable or pointer of the state space that the modifiers name.
std::string address(const std::vector<Modifier>& modifiers) {
    const bool entry = has(modifiers, Modifier::param) || has(modifiers, Modifier::param_entry);
    if (entry) return "[p_in]";
    if (has(modifiers, Modifier::param_func)) return "[p_in]";
    if (has(modifiers, Modifier::const_)) return "[c_mem]";
    if (has(modifiers, Modifier::local)) return "[l_mem]";
    for (Modifier shared : {Modifier::shared, Modifier::shared_cta, Modifier::shared_cluster})
        if (has(modifiers, shared)) return "[s_mem]";
    return "[%l1]";
}

std::string operand(char code, const std::vector<Modifier>& modifiers, unsigned number) {
    const Type first = nth_type(modifiers, 0), second = nth_type(modifiers, 1);
    const bool tiny = first != Type::none && size_of(first) == 1 && kind_of(first) == TypeKind::packed_floating;
    switch (code) {
    case '0':
        return tiny ? "%q" + std::to_string(number) : registers(bytes_of(first), number);
    case '1':
        if (size_of(second) == 1 && kind_of(second) == TypeKind::packed_floating) return "%q" + std::to_string(number);
        return registers(bytes_of(second), number);
    case 'w':
        return registers(2 * bytes_of(first), number);
    case 'h':
        return registers(2, number);
    case 'r':
        return registers(4, number);
    case 'l':
        return registers(8, number);
    case 'p':
        return registers(0, number);
    case 'D':
        return "%r0|%p1";
    case 'i':
        return "8";
    case 'I':
        return "128";
    case 'f':
        return "0.5";
    case 'a':
        return address(modifiers);
    case '4':
        return "{%r1, %r2, %r3, %r4}";
    case 'v':
        for (auto [modifier, lanes] :
             {std::pair(Modifier::v2, 2u), std::pair(Modifier::v4, 4u), std::pair(Modifier::v8, 8u)})
            if (has(modifiers, modifier)) return vector_of(lanes, bytes_of(first), number);
        return registers(bytes_of(first), number);
    default:
        return "?";
    }
}

/// How many operands of those that may be absent stand in an example.
size_t operands_in(const InstructionForm& form, const std::vector<Modifier>& modifiers) {
    size_t count = form.operands.size();
    if (form.opcode == Opcode::ld || form.opcode == Opcode::st)
        return has(modifiers, Modifier::l2_cache_hint) ? count : form.fewest_operands;
    if (!is_video(form.opcode) || form.fewest_operands == count) return count;
    const bool simd = name_of(form.opcode).back() == '2' || name_of(form.opcode).back() == '4';
    const bool second = has(modifiers, Modifier::add) || has(modifiers, Modifier::min) || has(modifiers, Modifier::max);
    return simd || second ? count : count - 1;
}

std::string instruction(const InstructionForm& form, const std::vector<Modifier>& modifiers) {
    const std::string_view pattern = pattern_of(form, modifiers);
    if (pattern == "?") return {};
    std::string out(name_of(form.opcode));
    for (Modifier modifier : modifiers) out += "." + std::string(name_of(modifier));
    const size_t count = std::min(operands_in(form, modifiers), pattern.size());
    for (size_t i = 0; i < count; ++i)
        out += (i ? ", " : " ") + operand(pattern[i], modifiers, static_cast<unsigned>(i));
    return out + ";";
}

/// 256 bits at a time are for four of 64 or eight of 32; no more than 128 bits else; nothing but words for .v8.
bool fits(const InstructionForm& form, const std::vector<Modifier>& modifiers) {
    if (form.opcode != Opcode::ld && form.opcode != Opcode::st && form.opcode != Opcode::ldu) return true;
    // Parameters to write to are those of a call.
    if (form.opcode == Opcode::st && (has(modifiers, Modifier::param) || has(modifiers, Modifier::param_func)))
        return false;
    const unsigned bytes = bytes_of(nth_type(modifiers, 0));
    const unsigned lanes = has(modifiers, Modifier::v8)   ? 8
                           : has(modifiers, Modifier::v4) ? 4
                           : has(modifiers, Modifier::v2) ? 2
                                                          : 1;
    const bool wide_only = form.text.find(".evict2") != form.text.npos;
    return wide_only ? lanes * bytes == 32 : lanes * bytes <= 16 && lanes < 8;
}

using Choices = std::vector<std::vector<Modifier>>; ///< per place; Modifier::none: absent

Choices choices_of(const InstructionForm& form) {
    Choices out;
    for (const ModifierPlace& place : form.places) {
        auto& choice = out.emplace_back();
        if (place.optional) choice.push_back(Modifier::none);
        for (size_t i = 0; i < place.members.size(); ++i)
            if (place.members.test(i)) choice.push_back(static_cast<Modifier>(i));
    }
    return out;
}

void add(std::vector<std::string>& out, const InstructionForm& form, const Choices& choices,
         const std::vector<size_t>& at) {
    std::vector<Modifier> modifiers;
    for (size_t i = 0; i < at.size(); ++i)
        if (choices[i][at[i]] != Modifier::none) modifiers.push_back(choices[i][at[i]]);
    if (!fits(form, modifiers)) return;
    std::string text = instruction(form, modifiers);
    if (!text.empty() && std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
}

} // namespace

std::vector<std::string> examples_of(const InstructionForm& form) {
    const Choices choices = choices_of(form);
    std::vector<std::string> out;
    size_t combinations = 1;
    for (const auto& choice : choices) combinations *= choice.size();
    std::vector<size_t> at(choices.size());
    if (combinations > most_combinations) {
        for (size_t place = 0; place < at.size(); ++place)
            for (size_t last = 0; last < choices.back().size(); ++last)
                for (size_t i = 0; i < choices[place].size(); ++i) {
                    std::fill(at.begin(), at.end(), size_t{0});
                    at.back() = last;
                    at[place] = i;
                    add(out, form, choices, at);
                }
        return out;
    }
    for (size_t n = 0; n < combinations; ++n) {
        add(out, form, choices, at);
        for (size_t i = at.size(); i-- > 0;) {
            if (++at[i] < choices[i].size()) break;
            at[i] = 0;
        }
    }
    return out;
}

std::vector<const InstructionForm*> all_forms() {
    std::vector<const InstructionForm*> out;
#define PTX_OPCODE(name, spelling)                                                                                     \
    for (const InstructionForm& form : forms_of(Opcode::name)) out.push_back(&form);
#include "isa/opcodes.def"
    return out;
}

std::vector<const InstructionForm*> scalar_forms(bool legacy) {
    std::vector<const InstructionForm*> out;
    for (const InstructionForm* form : all_forms())
        if ((legacy || !form->legacy) && !examples_of(*form).empty()) out.push_back(form);
    return out;
}

Module module_of(const std::vector<const InstructionForm*>& forms) {
    Module out;
    unsigned version = 90;
    for (const InstructionForm* form : forms) version = std::max(version, form->version);
    out.text = ".version " + std::to_string(version / 10) + "." + std::to_string(version % 10) +
               "\n.target sm_100a\n.address_size 64\n.shared .align 32 .b8 s_mem[64];\n.const .align 32 .b8 "
               "c_mem[64];\n";
    const auto note = [&](const std::string& what) {
        const auto count = static_cast<size_t>(std::count(out.text.begin(), out.text.end(), '\n'));
        out.lines.resize(count + 1);
        out.lines.back() = what;
    };
    for (size_t i = 0; i < forms.size(); ++i) {
        out.text += ".visible .entry row" + std::to_string(i) + std::string(kernel_begin);
        for (const std::string& example : examples_of(*forms[i])) {
            out.text += example + "\n";
            note(example);
        }
        out.text += "ret;\n}\n";
    }
    return out;
}

} // namespace isa_test
