#include "core/visible_devices.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>

namespace rt {
namespace {

bool same_letters(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::optional<int> by_uuid(std::string_view word, const std::vector<Uuid>& uuids) {
    std::optional<int> found;
    for (size_t i = 0; i < uuids.size(); i++) {
        if (!same_letters(word, uuid_text(uuids[i]).substr(0, word.size()))) continue;
        if (found) return std::nullopt; // a beginning must say which one
        found = int(i);
    }
    return found;
}

std::optional<int> by_ordinal(std::string_view word, size_t count) {
    // As atoi: "1 " and "1x" are 1.
    int value = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || value < 0 || size_t(value) >= count) return std::nullopt;
    return value;
}

std::string_view trimmed(std::string_view word) {
    while (!word.empty() && std::isspace((unsigned char)word.front())) word.remove_prefix(1);
    while (!word.empty() && std::isspace((unsigned char)word.back())) word.remove_suffix(1);
    return word;
}

} // namespace

std::string uuid_text(const Uuid& uuid) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text = "GPU-";
    for (size_t i = 0; i < uuid.size(); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[uuid[i] >> 4];
        text += digits[uuid[i] & 15];
    }
    return text;
}

std::vector<int> visible_devices(const std::optional<std::string>& variable, const std::vector<Uuid>& uuids) {
    std::vector<int> result;
    if (!variable) {
        result.resize(uuids.size());
        std::iota(result.begin(), result.end(), 0);
        return result;
    }
    std::string_view rest = *variable;
    while (!rest.empty()) {
        auto comma = rest.find(',');
        auto word = trimmed(rest.substr(0, comma));
        rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
        bool uuid = word.size() >= 4 && same_letters(word.substr(0, 4), "GPU-");
        auto device = uuid ? by_uuid(word, uuids) : by_ordinal(word, uuids.size());
        if (!device) break;
        if (std::find(result.begin(), result.end(), *device) != result.end()) return {};
        result.push_back(*device);
    }
    return result;
}

} // namespace rt
