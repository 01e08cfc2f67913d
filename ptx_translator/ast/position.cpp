#include "ast/position.h"

#include <algorithm>
#include <tuple>

namespace ptx {

std::string Diagnostic::text() const {
    if (where.line == 0) return message;
    std::string place = "line " + std::to_string(where.line) + ", column " + std::to_string(where.column) + ": ";
    // Positions of a linked module count from the beginning of the text they are in.
    if (where.source != 0) place = "text " + std::to_string(where.source + 1) + ", " + place;
    return place + message;
}

void sort(std::vector<Diagnostic>& diagnostics) {
    std::sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
        const auto key = [](const Diagnostic& d) {
            return std::tie(d.where.source, d.where.line, d.where.column, d.message);
        };
        return key(a) < key(b);
    });
}

Error::Error(Position where, const std::string& message)
    : std::runtime_error(Diagnostic{where, message, Severity::error}.text()), diagnostic_{where, message,
                                                                                          Severity::error} {}

} // namespace ptx
