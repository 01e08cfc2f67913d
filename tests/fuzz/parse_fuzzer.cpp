// libFuzzer on the lexer, the parser, the linker and the checks: whatever the bytes, ptx::index gives an answer or an
// Error.
#include "ast/position.h"
#include "ptx/translate.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

/// Texts of a linked module are apart by this line.
constexpr std::string_view next_text = "\n//---\n";

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::vector<std::string_view> texts;
    for (size_t end; (end = rest.find(next_text)) != rest.npos && texts.size() < 3;
         rest.remove_prefix(end + next_text.size()))
        texts.push_back(rest.substr(0, end));
    texts.push_back(rest);
    try {
        ptx::index(texts);
    } catch (const ptx::Error&) {
    }
    return 0;
}
