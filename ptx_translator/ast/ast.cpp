#include "ast/ast.h"

#include <algorithm>

namespace ptx {

bool Instruction::has(Modifier wanted) const {
    return std::find(modifiers.begin(), modifiers.end(), wanted) != modifiers.end();
}

Type Instruction::type(unsigned n) const {
    for (Modifier modifier : modifiers)
        if (const Type type = type_of(modifier); type != Type::none && n-- == 0) return type;
    return Type::none;
}

Space Instruction::space() const {
    for (Modifier modifier : modifiers) {
        switch (modifier) {
        case Modifier::global:
            return Space::global;
        case Modifier::shared:
        case Modifier::shared_cta:
            return Space::shared;
        case Modifier::shared_cluster:
            return Space::shared_cluster;
        case Modifier::local:
            return Space::local;
        case Modifier::const_:
            return Space::constant;
        case Modifier::param:
        case Modifier::param_entry:
        case Modifier::param_func:
            return Space::param;
        default:
            break; // every other modifier names no space
        }
    }
    return Space::generic;
}

unsigned Instruction::lanes() const {
    if (has(Modifier::v2)) return 2;
    if (has(Modifier::v4)) return 4;
    return has(Modifier::v8) ? 8 : 1;
}

Modifier Instruction::first_of(std::initializer_list<Modifier> options) const {
    for (Modifier modifier : modifiers)
        if (std::find(options.begin(), options.end(), modifier) != options.end()) return modifier;
    return Modifier::none;
}

const PerformanceDirective* Function::directive(const std::string& name) const {
    for (const PerformanceDirective& directive : directives)
        if (directive.name == name) return &directive;
    return nullptr;
}

Function* Module::function(const std::string& name) const {
    for (const auto& function : functions)
        if (function->name == name) return function.get();
    return nullptr;
}

const Variable* Module::variable(const std::string& name) const {
    for (const Variable& variable : variables)
        if (variable.name == name) return &variable;
    return nullptr;
}

} // namespace ptx
