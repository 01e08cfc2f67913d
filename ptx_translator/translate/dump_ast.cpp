#include "translate/dump_ast.h"

#include <fmt/format.h>

namespace ptx {
namespace {

class Dump {
  public:
    std::string module(const Module& module) {
        text_ = fmt::format(".version {}.{}\n.target {}\n", module.version_major, module.version_minor, module.target);
        for (const Variable& variable : module.variables) line(declaration(variable) + ";");
        for (const auto& function : module.functions) this->function(*function);
        return std::move(text_);
    }

  private:
    void line(const std::string& text) { text_ += text + "\n"; }

    static std::string declaration(const Variable& variable) {
        std::string vector = variable.lanes > 1 ? fmt::format(".v{} ", variable.lanes) : "";
        std::string extent = !variable.is_array    ? ""
                             : variable.is_unsized ? "[]"
                                                   : fmt::format("[{}]", variable.element_count);
        return fmt::format(".{} .align {} {}.{} {}{}", name_of(variable.space), variable.alignment, vector,
                           name_of(variable.type), variable.name, extent);
    }

    static std::string list(const std::vector<Variable>& variables) {
        std::string text;
        for (const Variable& variable : variables) text += (text.empty() ? "" : ", ") + declaration(variable);
        return "(" + text + ")";
    }

    void function(const Function& function) {
        function_ = &function;
        std::string results = function.results.empty() ? "" : list(function.results) + " ";
        line(fmt::format("\n{} {}{}{}", function.is_entry ? ".entry" : ".func", results, function.name,
                         list(function.parameters)));
        for (const PerformanceDirective& directive : function.directives)
            line(fmt::format(".{} {}", directive.name, fmt::join(directive.values, ", ")));
        for (const Diagnostic& error : function.errors) line("// " + error.text());
        if (!function.has_body) return line(";");
        line("{");
        for (const Register& reg : function.registers)
            line(fmt::format("    .reg .{} {};", name_of(reg.type), reg.name));
        for (const Variable& local : function.locals) line("    " + declaration(local) + ";");
        for (size_t i = 0; i <= function.instructions.size(); ++i) {
            for (const Label& label : function.labels)
                if (label.instruction == static_cast<int32_t>(i)) line(label.name + ":");
            if (i < function.instructions.size()) instruction(function.instructions[i]);
        }
        line("}");
    }

    void instruction(const Instruction& instruction) {
        std::string text = "    ";
        if (instruction.predicate != none)
            text +=
                fmt::format("@{}{} ", instruction.predicate_negated ? "!" : "", register_name(instruction.predicate));
        text += instruction.opcode_text;
        for (Modifier modifier : instruction.modifiers) text += fmt::format(".{}", name_of(modifier));
        line(text + (instruction.operands.empty() ? "" : " ") + join(instruction.operands) + ";");
    }

    const std::string& register_name(RegisterId id) const { return function_->registers[static_cast<size_t>(id)].name; }

    std::string join(const std::vector<Operand>& operands) const {
        std::string text;
        for (const Operand& operand : operands) text += (text.empty() ? "" : ", ") + this->operand(operand);
        return text;
    }

    static std::string offset(int64_t bytes) { return bytes == 0 ? "" : fmt::format("{:+}", bytes); }

    std::string operand(const Operand& operand) const {
        constexpr const char* components[] = {".x", ".y", ".z", ".w"};
        const char* sign = operand.negated ? "!" : "";
        switch (operand.kind) {
        case Operand::Kind::reg:
            return sign + register_name(operand.register_id) +
                   (operand.component < 0 ? "" : components[operand.component & 3]);
        case Operand::Kind::special:
            return std::string(name_of(operand.special));
        case Operand::Kind::integer:
            return fmt::format("{}", static_cast<int64_t>(operand.integer));
        case Operand::Kind::floating:
            return operand.is_single ? fmt::format("0f{:08X}", operand.single_bits)
                                     : fmt::format("0d{:016X}", operand.double_bits);
        case Operand::Kind::symbol:
            return operand.name + offset(operand.offset);
        case Operand::Kind::address: {
            std::string text = this->operand(operand.base()) + offset(operand.offset);
            for (size_t i = 1; i < operand.elements.size(); ++i) text += ", " + this->operand(operand.elements[i]);
            return "[" + text + "]";
        }
        case Operand::Kind::vector:
            return "{" + join(operand.elements) + "}";
        case Operand::Kind::pair:
            return this->operand(operand.elements[0]) + "|" + this->operand(operand.elements[1]);
        case Operand::Kind::label:
            return function_->labels[static_cast<size_t>(operand.label_id)].name;
        case Operand::Kind::list:
            return "(" + join(operand.elements) + ")";
        case Operand::Kind::sink:
            return "_";
        }
        return "?";
    }

    std::string text_;
    const Function* function_ = nullptr;
};

} // namespace

std::string dump_ast(const Module& module) { return Dump().module(module); }

} // namespace ptx
