#include "ast_to_ast/verify.h"

#include "isa/forms.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

namespace ptx {
namespace {

std::string spelling(const Instruction& instruction) {
    std::string out(name_of(instruction.opcode));
    const Type type = instruction.type();
    return type == Type::none ? out : out + "." + std::string(name_of(type));
}

bool admits_all(const InstructionForm& form, const std::vector<Modifier>& modifiers, bool types_only) {
    return std::all_of(modifiers.begin(), modifiers.end(), [&](Modifier modifier) {
        if (types_only && type_of(modifier) == Type::none) return true;
        return std::any_of(form.places.begin(), form.places.end(), [&](const ModifierPlace& place) {
            return place.members.test(static_cast<size_t>(modifier));
        });
    });
}

std::string members_of(const ModifierPlace& place) {
    std::string out;
    for (size_t i = 0; i < place.members.size(); ++i)
        if (place.members.test(i)) out += " ." + std::string(name_of(static_cast<Modifier>(i)));
    return out;
}

/// What is wrong with an instruction that no form admits: the most telling of several complaints.
std::string complaint(const Instruction& instruction, const std::vector<InstructionForm>& forms) {
    const std::string name = spelling(instruction);
    std::vector<const InstructionForm*> candidates;
    for (const InstructionForm& form : forms)
        if (admits_all(form, instruction.modifiers, true)) candidates.push_back(&form);
    if (candidates.empty())
        return name_of(instruction.opcode).data() + std::string(" is not defined for the types of ") + name;
    for (Modifier modifier : instruction.modifiers) {
        const bool known = std::any_of(candidates.begin(), candidates.end(), [&](const InstructionForm* form) {
            return admits_all(*form, {modifier}, false);
        });
        if (!known) return name + " has no modifier ." + std::string(name_of(modifier));
    }
    for (const InstructionForm* form : candidates) {
        if (!admits_all(*form, instruction.modifiers, false)) continue;
        for (const ModifierPlace& place : form->places) {
            const bool filled = std::any_of(instruction.modifiers.begin(), instruction.modifiers.end(),
                                            [&](Modifier m) { return place.members.test(static_cast<size_t>(m)); });
            if (filled || place.optional) continue;
            return name + (place.members.count() == 1 ? " needs" : " needs one of") + members_of(place);
        }
    }
    return name + " does not have this combination of modifiers";
}

/// Opcodes whose register operands all have the width of the one type of the instruction.
bool is_uniform_width(Opcode opcode) {
    switch (opcode) {
    case Opcode::add:
    case Opcode::sub:
    case Opcode::div:
    case Opcode::rem:
    case Opcode::min:
    case Opcode::max:
    case Opcode::abs:
    case Opcode::neg:
    case Opcode::fma:
    case Opcode::and_:
    case Opcode::or_:
    case Opcode::xor_:
    case Opcode::not_:
    case Opcode::cnot:
    case Opcode::copysign:
    case Opcode::rcp:
    case Opcode::sqrt:
    case Opcode::rsqrt:
    case Opcode::sin:
    case Opcode::cos:
    case Opcode::lg2:
    case Opcode::ex2:
    case Opcode::tanh:
    case Opcode::mul:
    case Opcode::mad:
    case Opcode::addc:
    case Opcode::subc:
    case Opcode::madc:
        return true;
    default:
        return false;
    }
}

unsigned number_in(std::string_view text) {
    unsigned out = 0;
    const size_t first = std::min(text.find_first_of("0123456789"), text.size());
    std::from_chars(text.data() + first, text.data() + text.size(), out);
    return out;
}

} // namespace

class Verifier {
  public:
    explicit Verifier(const Module& module)
        : version_(module.version_major * 10 + module.version_minor), architecture_(number_in(module.target)),
          address_size_(module.address_size) {}

    void run(Function&);

  private:
    /// An instruction without its operands' names: what its verdict depends on.
    struct Verdict {
        std::string error, warning;
    };

    Verdict judge(const Instruction&) const;
    const Verdict& remembered(const Instruction&);
    void check_form(const Instruction&);
    void check_guard(const Instruction&);
    void check_widths(const Instruction&);
    void check_width(const Instruction&, const Operand&, Type);
    void check_lists(const Instruction&);
    void collect_lists();
    void report(Position where, std::string message, Severity severity = Severity::error) {
        function_->errors.push_back({where, std::move(message), severity});
    }

    unsigned version_, architecture_, address_size_;
    Function* function_ = nullptr;
    std::unordered_set<std::string_view> branch_lists_, call_lists_; ///< of the function
    std::unordered_map<std::string, Verdict> verdicts_;
};

namespace {

OperandShape shape_of(const Operand& operand) {
    return operand.kind == Operand::Kind::address ? OperandShape::address : OperandShape::value;
}

} // namespace

Verifier::Verdict Verifier::judge(const Instruction& instruction) const {
    const std::vector<InstructionForm>& forms = forms_of(instruction.opcode);
    const size_t count = instruction.operands.size();
    if (forms.empty()) return {};
    const InstructionForm* admitting = nullptr;
    const InstructionForm* too_new = nullptr;
    for (const InstructionForm& form : forms) {
        if (!form.admits(instruction.modifiers)) continue;
        if (admitting == nullptr) admitting = &form;
        if (count < form.fewest_operands || count > form.operands.size()) continue;
        const bool shaped = std::equal(instruction.operands.begin(), instruction.operands.end(), form.operands.begin(),
                                       [](const Operand& operand, OperandShape shape) {
                                           return shape == OperandShape::either || shape == shape_of(operand);
                                       });
        if (!shaped) continue;
        if (form.version <= version_ && form.architecture <= architecture_) return {};
        if (too_new == nullptr) too_new = &form;
    }
    const std::string name = spelling(instruction);
    if (too_new != nullptr)
        return {{},
                name + " in this form came with PTX ISA " + std::to_string(too_new->version / 10) + "." +
                    std::to_string(too_new->version % 10) + " and sm_" + std::to_string(too_new->architecture)};
    if (admitting == nullptr) return {complaint(instruction, forms), {}};
    const size_t fewest = admitting->fewest_operands, most = admitting->operands.size();
    if (count < fewest || count > most)
        return {name + " takes " + std::to_string(fewest) + (most > fewest ? " to " + std::to_string(most) : "") +
                    " operands, not " + std::to_string(count),
                {}};
    for (size_t i = 0; i < count; ++i) {
        const OperandShape wanted = admitting->operands[i];
        if (wanted == OperandShape::either || wanted == shape_of(instruction.operands[i])) continue;
        return {"operand " + std::to_string(i + 1) + " of " + name +
                    (wanted == OperandShape::address ? " must be an address" : " cannot be an address"),
                {}};
    }
    return {};
}

const Verifier::Verdict& Verifier::remembered(const Instruction& instruction) {
    std::string key;
    const auto add = [&](unsigned number) {
        key += static_cast<char>(number & 0xff);
        key += static_cast<char>(number >> 8 & 0xff);
    };
    add(static_cast<unsigned>(instruction.opcode));
    for (Modifier modifier : instruction.modifiers) add(static_cast<unsigned>(modifier));
    add(0xffff);
    for (const Operand& operand : instruction.operands) key += operand.kind == Operand::Kind::address ? 'a' : 'v';
    const auto [found, is_new] = verdicts_.try_emplace(std::move(key));
    if (is_new) found->second = judge(instruction);
    return found->second;
}

void Verifier::check_form(const Instruction& instruction) {
    const Verdict& verdict = remembered(instruction);
    if (!verdict.error.empty()) report(instruction.where, verdict.error);
    if (!verdict.warning.empty()) report(instruction.where, verdict.warning, Severity::warning);
}

void Verifier::check_guard(const Instruction& instruction) {
    if (instruction.predicate == none) return;
    const Register& guard = function_->registers[static_cast<size_t>(instruction.predicate)];
    if (guard.type != Type::pred) report(instruction.where, "guard '" + guard.name + "' is no predicate");
}

void Verifier::check_width(const Instruction& instruction, const Operand& operand, Type type) {
    if (operand.kind == Operand::Kind::pair) {
        for (const Operand& element : operand.elements) check_width(instruction, element, type);
        return;
    }
    if (operand.kind == Operand::Kind::vector || operand.kind == Operand::Kind::address)
        return report(operand.where, spelling(instruction) + " cannot take this operand");
    if (operand.kind != Operand::Kind::reg) return;
    const Register& declared = function_->registers[static_cast<size_t>(operand.register_id)];
    const bool both = (declared.type == Type::pred) == (type == Type::pred);
    if (both && size_of(declared.type) == size_of(type) && (declared.lanes == 1 || operand.component >= 0)) return;
    report(operand.where, "'" + declared.name + "' is ." + std::string(name_of(declared.type)) +
                              ", which does not fit " + spelling(instruction));
}

void Verifier::check_widths(const Instruction& instruction) {
    const Type type = instruction.type();
    if (type == Type::none || instruction.type(1) != Type::none) return;
    if (instruction.opcode == Opcode::setp) {
        // PTX ISA 9.7.6.2: d|q and the operand of the boolean operation are predicates.
        for (size_t i = 0; i < instruction.operands.size(); ++i)
            check_width(instruction, instruction.operands[i], i == 1 || i == 2 ? type : Type::pred);
        return;
    }
    if (!is_uniform_width(instruction.opcode) || instruction.has(Modifier::wide)) return;
    for (const Operand& operand : instruction.operands) check_width(instruction, operand, type);
}

// PTX ISA 11.3: the lists that brx.idx and indirect calls name.
void Verifier::check_lists(const Instruction& instruction) {
    const auto& operands = instruction.operands;
    if (instruction.opcode == Opcode::brx && operands.size() > 1 && !branch_lists_.contains(operands[1].name))
        report(operands[1].where, "undefined list of branch targets '" + operands[1].name + "'");
    if (instruction.opcode != Opcode::call) return;
    if (operands.size() > 3 && !call_lists_.contains(operands[3].name))
        report(operands[3].where, "undefined prototype or list of call targets '" + operands[3].name + "'");
    if (operands[1].kind == Operand::Kind::reg && operands.size() < 4)
        report(operands[1].where, "an indirect call needs a prototype or a list of call targets");
}

void Verifier::collect_lists() {
    branch_lists_.clear();
    call_lists_.clear();
    for (const BranchTargets& targets : function_->branch_targets) branch_lists_.insert(targets.name);
    for (const CallTargets& targets : function_->call_targets) call_lists_.insert(targets.name);
    for (const Prototype& prototype : function_->prototypes) call_lists_.insert(prototype.name);
}

void Verifier::run(Function& function) {
    function_ = &function;
    if (function.has_body && address_size_ != 64) report(function.where, "32-bit addresses are not supported");
    collect_lists();
    for (const Instruction& instruction : function.instructions) {
        const size_t before = function.errors.size();
        check_form(instruction);
        check_guard(instruction);
        check_lists(instruction);
        if (function.errors.size() == before) check_widths(instruction);
    }
    sort(function.errors);
}

void verify(Module& module) {
    Verifier verifier(module);
    for (const auto& function : module.functions)
        if (!function->abridged) verifier.run(*function);
}

BodyVerifier::BodyVerifier() = default;
BodyVerifier::~BodyVerifier() = default;

void BodyVerifier::operator()(const Module& module, Function& function) {
    if (verifier_ == nullptr) verifier_ = std::make_unique<Verifier>(module);
    verifier_->run(function);
}

} // namespace ptx
