#include "ast_to_ast/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace ptx {
namespace {

std::string_view linkage_word(Linkage linkage) {
    switch (linkage) {
    case Linkage::internal:
        return "";
    case Linkage::visible:
        return ".visible ";
    case Linkage::external:
        return ".extern ";
    case Linkage::weak:
        return ".weak ";
    case Linkage::common:
        return ".common ";
    }
    return "";
}

template <class Range, class Each> std::string join(const Range& range, Each each) {
    std::string out;
    for (const auto& item : range) out += (out.empty() ? "" : ", ") + each(item);
    return out;
}

std::string signed_offset(int64_t offset) {
    if (offset == 0) return "";
    return offset < 0 ? fmt::format("+-{}", 0 - static_cast<uint64_t>(offset)) : fmt::format("+{}", offset);
}

std::string address_of(const Relocation& relocation) {
    std::string out = relocation.symbol;
    if (relocation.generic) out = "generic(" + out + ")";
    out += signed_offset(relocation.addend);
    if (relocation.size != 1) return out;
    return fmt::format("0x{:x}({})", uint64_t{0xff} << relocation.mask_shift, out);
}

std::string print_initial_value(const Variable& variable) {
    if (kind_of(variable.type) == TypeKind::opaque) return "";
    const unsigned size = size_of(variable.type);
    uint64_t used = (variable.bytes.size() + size - 1) / size;
    std::unordered_map<uint64_t, const Relocation*> addresses;
    for (const Relocation& relocation : variable.relocations) {
        addresses[relocation.offset / size] = &relocation;
        used = std::max(used, relocation.offset / size + 1);
    }
    std::string out;
    for (uint64_t i = 0; i < std::max<uint64_t>(used, 1); ++i) {
        if (i != 0) out += ", ";
        if (const auto found = addresses.find(i); found != addresses.end()) {
            out += address_of(*found->second);
            continue;
        }
        uint64_t bits = 0;
        for (unsigned b = 0; b < std::min(size, 8u) && i * size + b < variable.bytes.size(); ++b)
            bits |= uint64_t{variable.bytes[i * size + b]} << 8 * b;
        if (variable.type == Type::f32)
            out += fmt::format("0f{:08x}", bits);
        else if (variable.type == Type::f64)
            out += fmt::format("0d{:016x}", bits);
        else
            out += std::to_string(bits);
    }
    return " = " + (variable.is_array || variable.lanes > 1 ? "{" + out + "}" : out);
}

std::string declaration(const Variable& variable, const std::string& name) {
    std::string out = "." + std::string(name_of(variable.space));
    if (variable.managed) out += " .attribute(.managed)";
    if (!variable.points_to && variable.space != Space::reg) out += fmt::format(" .align {}", variable.alignment);
    if (variable.lanes > 1) out += fmt::format(" .v{}", variable.lanes);
    out += " ." + std::string(name_of(variable.type));
    if (variable.points_to) {
        out += " .ptr";
        if (*variable.points_to != Space::generic) out += " ." + std::string(name_of(*variable.points_to));
        if (variable.pointee_alignment != 0) out += fmt::format(" .align {}", variable.pointee_alignment);
    }
    out += " " + name;
    if (variable.is_unsized)
        out += "[]";
    else if (variable.is_array)
        out += fmt::format("[{}]", variable.element_count);
    return variable.has_initializer ? out + print_initial_value(variable) : out;
}

std::string formals(const std::vector<Variable>& variables) {
    return "(" + join(variables, [](const Variable& variable) { return declaration(variable, variable.name); }) + ")";
}

/// Prints one function. Registers, locals and labels get names that are unique in it.
class FunctionPrinter {
  public:
    explicit FunctionPrinter(const Function& function);
    std::string text() const;
    std::string instruction(const Instruction&) const;

  private:
    std::string unique(const std::string& name);
    std::string header() const;
    void append_declarations(std::string&) const;
    void append_body(std::string&) const;
    std::string operand(const Operand&) const;
    std::string symbol(const Operand&) const;
    std::string constant(const Operand&) const;
    std::string list(const std::vector<Operand>& operands) const {
        return join(operands, [this](const Operand& item) { return operand(item); });
    }
    std::string call(const Instruction&) const;

    const Function& function_;
    std::unordered_set<std::string> taken_;
    std::unordered_map<std::string, unsigned> next_number_;
    std::vector<std::string> registers_, locals_, labels_;
    size_t formal_registers_ = 0;
};

FunctionPrinter::FunctionPrinter(const Function& function) : function_(function) {
    for (const auto* variables : {&function.results, &function.parameters})
        for (const Variable& variable : *variables) {
            if (variable.space == Space::reg)
                ++formal_registers_;
            else
                taken_.insert(variable.name);
        }
    for (const Register& reg : function.registers) registers_.push_back(unique(reg.name));
    for (const Variable& local : function.locals) locals_.push_back(unique(local.name));
    for (const Label& label : function.labels) labels_.push_back(unique(label.name));
}

std::string FunctionPrinter::unique(const std::string& name) {
    std::string out = name;
    while (!taken_.insert(out).second) out = fmt::format("{}${}", name, ++next_number_[name]);
    return out;
}

std::string FunctionPrinter::constant(const Operand& operand) const {
    if (operand.kind == Operand::Kind::integer)
        return operand.is_unsigned ? fmt::format("{}U", operand.integer)
                                   : fmt::format("{}", static_cast<int64_t>(operand.integer));
    if (operand.is_single) return fmt::format("0f{:08x}", operand.single_bits);
    return fmt::format("0d{:016x}", operand.double_bits);
}

std::string FunctionPrinter::symbol(const Operand& operand) const {
    const bool local = operand.symbol_kind == Operand::SymbolKind::local;
    const std::string& name = local ? locals_[static_cast<size_t>(operand.local_id)] : operand.name;
    return name + signed_offset(operand.offset);
}

std::string FunctionPrinter::operand(const Operand& operand) const {
    const std::string negation = operand.negated ? "!" : "";
    switch (operand.kind) {
    case Operand::Kind::reg: {
        const Register& reg = function_.registers[static_cast<size_t>(operand.register_id)];
        std::string out = operand.negated && reg.type != Type::pred ? "-" : negation;
        out += registers_[static_cast<size_t>(operand.register_id)];
        if (operand.component >= 0) out += std::string(".") + "xyzw"[operand.component];
        return operand.name.empty() ? out : out + "." + operand.name;
    }
    case Operand::Kind::special:
        return negation + std::string(name_of(operand.special));
    case Operand::Kind::integer:
    case Operand::Kind::floating:
        return constant(operand);
    case Operand::Kind::symbol:
        return negation + symbol(operand);
    case Operand::Kind::address: {
        std::string out = this->operand(operand.base()) + signed_offset(operand.offset);
        for (size_t i = 1; i < operand.elements.size(); ++i) out += ", " + this->operand(operand.elements[i]);
        return "[" + out + "]";
    }
    case Operand::Kind::vector:
        return "{" + list(operand.elements) + "}";
    case Operand::Kind::pair:
        return this->operand(operand.elements[0]) + "|" + this->operand(operand.elements[1]);
    case Operand::Kind::label:
        return operand.label_id == none ? operand.name : labels_[static_cast<size_t>(operand.label_id)];
    case Operand::Kind::list:
        return "(" + list(operand.elements) + ")";
    case Operand::Kind::sink:
        return "_";
    }
    return "";
}

std::string FunctionPrinter::call(const Instruction& instruction) const {
    std::string out;
    for (size_t i = 0; i < instruction.operands.size(); ++i) {
        const Operand& item = instruction.operands[i];
        if (i == 0 && item.elements.empty()) continue;
        out += (out.empty() ? " " : ", ") + operand(item);
    }
    return out;
}

std::string FunctionPrinter::instruction(const Instruction& instruction) const {
    std::string out;
    if (instruction.predicate != none)
        out += fmt::format("@{}{} ", instruction.predicate_negated ? "!" : "",
                           registers_[static_cast<size_t>(instruction.predicate)]);
    out += instruction.opcode_text;
    for (Modifier modifier : instruction.modifiers) out += "." + std::string(name_of(modifier));
    if (instruction.opcode == Opcode::call) return out + call(instruction) + ";";
    if (!instruction.operands.empty()) out += " " + list(instruction.operands);
    return out + ";";
}

std::string FunctionPrinter::header() const {
    std::string out(linkage_word(function_.linkage));
    out += function_.is_entry ? ".entry " : ".func ";
    if (!function_.results.empty()) out += formals(function_.results) + " ";
    out += function_.name + formals(function_.parameters);
    for (const PerformanceDirective& directive : function_.directives)
        out += fmt::format("\n.{} {}", directive.name,
                           join(directive.values, [](uint32_t value) { return std::to_string(value); }));
    if (function_.noreturn) out += "\n.noreturn";
    return out;
}

void FunctionPrinter::append_declarations(std::string& out) const {
    for (size_t i = formal_registers_; i < registers_.size(); ++i) {
        const Register& reg = function_.registers[i];
        const std::string lanes = reg.lanes > 1 ? fmt::format(".v{} ", reg.lanes) : "";
        out += fmt::format("    .reg {}.{} {};\n", lanes, name_of(reg.type), registers_[i]);
    }
    for (size_t i = 0; i < locals_.size(); ++i)
        out += fmt::format("    {}{};\n", linkage_word(function_.locals[i].linkage),
                           declaration(function_.locals[i], locals_[i]));
    for (const Prototype& prototype : function_.prototypes)
        out += fmt::format("{}: .callprototype {} _ {}{};\n", prototype.name, formals(prototype.results),
                           formals(prototype.parameters), prototype.noreturn ? " .noreturn" : "");
    for (const CallTargets& targets : function_.call_targets)
        out += fmt::format("{}: .calltargets {};\n", targets.name,
                           join(targets.functions, [](const std::string& name) { return name; }));
    for (const BranchTargets& targets : function_.branch_targets)
        out += fmt::format("{}: .branchtargets {};\n", targets.name, join(targets.labels, [this](LabelId label) {
                               return label == none ? "_undefined" : labels_[static_cast<size_t>(label)];
                           }));
}

void FunctionPrinter::append_body(std::string& out) const {
    // Labels are in the order of the text, hence of the instructions.
    size_t next_label = 0;
    uint32_t file = 0, line = 0;
    const auto labels_before = [&](size_t index) {
        for (; next_label < labels_.size() && static_cast<size_t>(function_.labels[next_label].instruction) == index;
             ++next_label)
            out += labels_[next_label] + ":\n";
    };
    for (size_t i = 0; i < function_.instructions.size(); ++i) {
        const Instruction& item = function_.instructions[i];
        labels_before(i);
        if (item.file != file || item.line != line) out += fmt::format("    .loc {} {} 0\n", item.file, item.line);
        file = item.file;
        line = item.line;
        out += "    " + instruction(item) + "\n";
    }
    labels_before(function_.instructions.size());
}

std::string FunctionPrinter::text() const {
    std::string out = header();
    if (!function_.has_body) return out + ";\n\n";
    out += "\n{\n";
    append_declarations(out);
    append_body(out);
    return out + "}\n\n";
}

std::string prototype_of(const Function& function) {
    Function shape;
    shape.name = function.name;
    shape.is_entry = function.is_entry;
    shape.linkage = function.linkage;
    shape.noreturn = function.noreturn;
    shape.results = function.results;
    shape.parameters = function.parameters;
    return FunctionPrinter(shape).text();
}

} // namespace

std::string print(const Function& function, const Instruction& instruction) {
    return FunctionPrinter(function).instruction(instruction);
}

std::string print(const Module& module) {
    std::string out =
        fmt::format(".version {}.{}\n.target {}", module.version_major, module.version_minor, module.target);
    for (const std::string& option : module.target_options) out += ", " + option;
    out += fmt::format("\n.address_size {}\n\n", module.address_size);
    for (size_t i = 0; i < module.files.size(); ++i)
        if (!module.files[i].empty()) out += fmt::format(".file {} \"{}\"\n", i, module.files[i]);
    for (const Variable& variable : module.variables)
        out += fmt::format("{}{};\n", linkage_word(variable.linkage), declaration(variable, variable.name));
    // Prototypes first, so that every call finds its target declared.
    for (const auto& function : module.functions)
        if (!function->is_entry) out += prototype_of(*function);
    for (const bool entries : {false, true})
        for (const auto& function : module.functions)
            if (function->is_entry == entries && function->has_body) out += FunctionPrinter(*function).text();
    for (const Alias& alias : module.aliases) out += fmt::format(".alias {}, {};\n", alias.name, alias.target);
    return out;
}

} // namespace ptx
