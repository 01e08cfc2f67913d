#pragma once

#include "ast/ast.h"
#include "text_to_ast/parse.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace front {

inline const std::string header = ".version 8.3\n.target sm_90\n.address_size 64\n";

/// A module of the declarations only.
inline std::unique_ptr<ptx::Module> module_of(const std::string& text) { return ptx::parse(header + text); }

/// A module with one kernel `k`, whose body begins at line 5 of the text; `%r`, `%rd`, `%f`, `%fd`, `%h`, `%p` exist.
inline const std::string registers = ".reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .f64 %fd<9>; "
                                     ".reg .b16 %h<9>; .reg .pred %p<9>; .reg .b128 %q<4>;";

inline std::string kernel_text(const std::string& body) {
    return header + ".entry k() { " + registers + "\n" + body + "\n}\n";
}

inline std::unique_ptr<ptx::Module> kernel_of(const std::string& body) { return ptx::parse(kernel_text(body)); }

/// The only instruction of `text`, which must be right.
struct One {
    explicit One(const std::string& text) : module(kernel_of(text)) {
        for (const auto& error : function().errors) ADD_FAILURE() << text << ": " << error.text();
        EXPECT_EQ(function().instructions.size(), 1u) << text;
    }
    const ptx::Function& function() const { return *module->functions.back(); }
    const ptx::Instruction& instruction() const { return function().instructions.at(0); }
    const ptx::Operand& operand(size_t i) const { return instruction().operands.at(i); }
    std::unique_ptr<ptx::Module> module;
};

/// What parse throws, or "".
inline std::string thrown(const std::string& text) {
    try {
        ptx::parse(text);
        return "";
    } catch (const ptx::Error& error) {
        return error.what();
    }
}

/// All messages of all functions, one a line.
inline std::string messages(const ptx::Module& module) {
    std::string out;
    for (const auto& function : module.functions)
        for (const auto& error : function->errors) out += error.text() + "\n";
    return out;
}

} // namespace front
