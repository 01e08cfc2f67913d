#include "examples.h"
#include "generated_document.h"

#include "ast_to_llvm/emitter.h"
#include "ptx/translate.h"
#include "text_to_ast/parse.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

// docs/ptx_coverage.md, made from the table and the oracle's kernels. `ptx_coverage FILE` compares, `ptx_coverage
// --write FILE` rewrites.
namespace {

using namespace ptx;

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

const InstructionForm* form_of(const Instruction& instruction) {
    const size_t count = instruction.operands.size();
    for (const InstructionForm& form : forms_of(instruction.opcode))
        if (count >= form.fewest_operands && count <= form.operands.size() && form.admits(instruction.modifiers))
            return &form;
    return nullptr;
}

using Cases = std::map<const InstructionForm*, size_t>;

/// How many of the oracle's kernels have an instruction of each form, beside what every kernel has to find its numbers:
/// the first instructions, up to the address of its results.
Cases cases_by_form() {
    constexpr size_t common = 15;
    Cases out;
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(ORACLE_DATA))
        if (entry.path().extension() == ".ptx") files.insert(entry.path());
    for (const auto& path : files) {
        const auto module = parse(read(path));
        for (const auto& function : module->functions) {
            std::set<const InstructionForm*> used;
            for (size_t i = function->is_entry ? common : 0; i < function->instructions.size(); ++i)
                if (const InstructionForm* form = form_of(function->instructions[i])) used.insert(form);
            for (const InstructionForm* form : used) ++out[form];
        }
    }
    return out;
}

/// Rows whose examples the host translates. Where examples are not known, an opcode with a lowering counts.
std::set<const InstructionForm*> lowered_forms() {
    std::set<const InstructionForm*> out;
    for (const InstructionForm* form : isa_test::all_forms())
        if (ast_to_llvm::lowering_of(form->opcode)) out.insert(form);
    const auto forms = isa_test::scalar_forms(true);
    const std::string text = isa_test::module_of(forms).text;
    const std::string_view sources[] = {text};
    Request request;
    request.sources = sources;
    request.options.optimization_level = 0;
    for (const KernelInfo& kernel : translate(request).kernels)
        if (!kernel.error.empty()) out.erase(forms[std::stoul(kernel.name.substr(3))]);
    return out;
}

std::string version(unsigned number) { return std::to_string(number / 10) + "." + std::to_string(number % 10); }

std::string types_of(const InstructionForm& form) {
    return form.types.empty() ? "" : "`" + std::string(form.types) + "`";
}

std::string report() {
    const auto forms = isa_test::all_forms();
    const auto lowered = lowered_forms();
    const Cases cases = cases_by_form();
    std::string out = "# PTX coverage\n\nMade by `ptx_coverage --write docs/ptx_coverage.md` from "
                      "`ptx_translator/isa/instructions.def` and the kernels of `tests/oracle/data`; a test keeps them "
                      "equal.\n\n" +
                      std::to_string(forms.size()) + " forms, " + std::to_string(lowered.size()) +
                      " of them lowered for the host. The oracle's column counts kernels with an instruction of the "
                      "form whose results an H100 gave. `{...}` may be absent; `.name` is a modifier or a group of "
                      "`modifier_groups.def`.\n\n| form | types | PTX | sm | host | oracle |\n"
                      "| --- | --- | --- | --- | --- | --- |\n";
    for (const InstructionForm* form : forms) {
        std::string text(form->text);
        for (size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, "\\");
        const auto found = cases.find(form);
        out += "| `" + text + "` | " + types_of(*form) + " | " + version(form->version) +
               (form->legacy ? " (1.x only)" : "") + " | " + std::to_string(form->architecture) + " | " +
               (lowered.contains(form) ? "yes" : "no") + " | " +
               (found == cases.end() ? "" : std::to_string(found->second)) + " |\n";
    }
    return out;
}

} // namespace

int main(int argc, char** argv) { return keep_document(argc, argv, "ptx_coverage", report); }
