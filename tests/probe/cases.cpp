#include "probe.h"

#include <algorithm>
#include <sstream>

namespace probe {
namespace {

struct Row {
    const char *symbol, *parameters;
    bool has_body;
};

constexpr Row rows[] = {
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) {#symbol, #parameters, true},
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body) {#symbol, #parameters, true},
#define CU_STUB(symbol, name, since, twin, parameters, arguments, reason) {#symbol, #parameters, false},
#include "api/driver_api.def"
};

std::string trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

/// "(int* pi, CUdevice dev)" in its parts.
std::vector<Parameter> parse(std::string_view text) {
    std::vector<Parameter> parameters;
    std::istringstream list{std::string(text.substr(1, text.size() - 2))};
    for (std::string part; std::getline(list, part, ',');) {
        part = trimmed(part);
        std::string suffix; // "unsigned int values[4]" is a pointer
        if (const size_t bracket = part.find('['); bracket != std::string::npos)
            part.resize(bracket), suffix.push_back('*');
        size_t start = part.find_last_of(" *") + 1;
        parameters.push_back({trimmed(std::string_view(part).substr(0, start)) + suffix, part.substr(start)});
    }
    return parameters;
}

/// What is not asked: interfaces with libraries that the process does not have.
bool is_foreign(std::string_view symbol) {
    for (const char* part : {"EGL", "GL", "VDPAU", "NvSci"})
        if (symbol.find(part) != std::string_view::npos) return true;
    return false;
}

} // namespace

const std::vector<Function>& functions() {
    static const std::vector<Function> all = [] {
        std::vector<Function> list;
        for (const Row& row : rows)
            if (!is_foreign(row.symbol)) list.push_back({row.symbol, row.has_body, parse(row.parameters)});
        return list;
    }();
    return all;
}

const Function* find_function(std::string_view symbol) {
    const auto found = std::ranges::find_if(functions(), [&](const Function& f) { return f.symbol == symbol; });
    return found == functions().end() ? nullptr : &*found;
}

std::vector<Case> cases_of(const Function& function) {
    std::vector<Case> cases{{Situation::before_init, -1, 0, "before cuInit"}, {Situation::usual, -1, 0, "good"}};
    for (size_t p = 0; p < function.parameters.size(); p++) {
        const std::vector<const char*> labels = labels_of(function.parameters[p]);
        for (size_t choice = 1; choice < labels.size(); choice++) {
            const std::string_view value = labels[choice];
            std::string label = function.parameters[p].name;
            label.append("=").append(value);
            cases.push_back({Situation::usual, int(p), choice, std::move(label),
                             value == "stale" || value == "stream" || value == "event"});
        }
    }
    cases.push_back({Situation::no_context, -1, 0, "no context"});
    cases.push_back({Situation::capturing, -1, 0, "capturing"});
    cases.push_back({Situation::capturing_elsewhere, -1, 0, "capturing elsewhere"});
    return cases;
}

} // namespace probe
