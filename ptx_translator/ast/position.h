#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace ptx {

/// A place in PTX text. Both count from 1; 0 means unknown. `source` numbers the texts of a linked module.
struct Position {
    uint32_t line = 0;
    uint32_t column = 0;
    uint16_t source = 0;
};

enum class Severity : uint8_t { warning, error };

/// One message about PTX text: "line 12, column 5: unknown instruction 'foo'".
struct Diagnostic {
    Position where;
    std::string message;
    Severity severity = Severity::error;

    std::string text() const;
};

/// By place in the text; of two at one place the message decides.
void sort(std::vector<Diagnostic>&);

/// What every stage of the translator throws: the text cannot be translated, and this is why.
class Error : public std::runtime_error {
  public:
    Error(Position where, const std::string& message);
    const Diagnostic& diagnostic() const { return diagnostic_; }

  private:
    Diagnostic diagnostic_;
};

} // namespace ptx
