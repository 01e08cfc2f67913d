#include "backend/cpu/device_runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace rt::backend::cpu {

namespace {

constexpr int32_t most_arguments = 32;
constexpr int widest = 1 << 16; ///< a width or precision beyond this is a mistake, not a wish

/// Reads values as the caller packed them.
class Arguments {
  public:
    explicit Arguments(const void* packed) : next_(reinterpret_cast<uintptr_t>(packed)) {}
    bool more() const { return used_ < most_arguments; }
    int32_t used() const { return used_; }
    template <class T> T take() {
        next_ = (next_ + sizeof(T) - 1) & ~(sizeof(T) - 1);
        T value;
        std::memcpy(&value, reinterpret_cast<const void*>(next_), sizeof(T));
        next_ += sizeof(T);
        used_++;
        return value;
    }

  private:
    uintptr_t next_;
    int32_t used_ = 0;
};

struct Conversion {
    std::string flags;
    int width = -1, precision = -1;
    unsigned longs = 0, shorts = 0;
    char type = 0;
};

/// A number, or '*' for one among the arguments; -1 when there is none.
int read_number(const char*& at, Arguments& arguments) {
    if (*at == '*') {
        at++;
        return arguments.more() ? arguments.take<int32_t>() : 0;
    }
    if (*at < '0' || *at > '9') return -1;
    int value = 0;
    for (; *at >= '0' && *at <= '9'; at++) value = std::min(value * 10 + (*at - '0'), widest);
    return value;
}

Conversion read_conversion(const char*& at, Arguments& arguments) {
    const Arguments before = arguments;
    Conversion conversion;
    while (*at && std::strchr("-+ #0", *at)) conversion.flags += *at++;
    const bool star = *at == '*';
    conversion.width = read_number(at, arguments);
    if (star && conversion.width < 0) {
        conversion.flags += '-';
        conversion.width = conversion.width < -widest ? widest : -conversion.width;
    }
    bool printable = true;
    if (*at == '.') {
        at++;
        if (*at == '*') { // an H100 prints such a conversion as it stands, and takes no argument, for the width either
            at++;
            printable = false;
            arguments = before;
        } else {
            conversion.precision = std::max(read_number(at, arguments), 0);
        }
    }
    conversion.width = std::min(conversion.width, widest);
    conversion.precision = std::min(conversion.precision, widest);
    for (;; at++) {
        if (*at == 'l')
            conversion.longs++;
        else if (*at == 'h')
            conversion.shorts++;
        else if (*at == 'j' || *at == 'z' || *at == 't')
            printable = false; // lengths that an H100 does not know
        else
            break;
    }
    conversion.type = printable ? *at : 0;
    if (*at) at++;
    return conversion;
}

template <class T> void append(std::string& out, const Conversion& conversion, const char* length, T value) {
    char spec[64];
    size_t n = 0;
    spec[n++] = '%';
    for (size_t i = 0; i < conversion.flags.size() && i < 8; i++) spec[n++] = conversion.flags[i];
    if (conversion.width >= 0) n += size_t(std::snprintf(spec + n, 16, "%d", conversion.width));
    if (conversion.precision >= 0) n += size_t(std::snprintf(spec + n, 16, ".%d", conversion.precision));
    std::snprintf(spec + n, 8, "%s%c", length, conversion.type);
    // The buffer must hold the result before the second call: measure first.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const int size = std::snprintf(nullptr, 0, spec, value);
    if (size <= 0) return;
    const size_t before = out.size();
    out.resize(before + size_t(size) + 1);
    std::snprintf(out.data() + before, size_t(size) + 1, spec, value);
#pragma GCC diagnostic pop
    out.resize(before + size_t(size));
}

/// `%hhd` and its like take no argument; what an H100 prints for them is the first character of the format.
bool convert_byte(std::string& out, const Conversion& conversion, char value) {
    if (!std::strchr("diuoxXc", conversion.type)) return false;
    append(out, conversion, conversion.type == 'c' ? "" : "hh", static_cast<int>(value));
    return true;
}

bool convert(std::string& out, const Conversion& conversion, Arguments& arguments) {
    switch (conversion.type) {
    case 'd':
    case 'i':
        if (conversion.longs)
            append(out, conversion, "ll", static_cast<long long>(arguments.take<int64_t>()));
        else
            append(out, conversion, conversion.shorts ? "h" : "", arguments.take<int32_t>());
        return true;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        if (conversion.longs)
            append(out, conversion, "ll", static_cast<unsigned long long>(arguments.take<uint64_t>()));
        else
            append(out, conversion, conversion.shorts ? "h" : "", arguments.take<uint32_t>());
        return true;
    case 'c':
        append(out, conversion, "", arguments.take<int32_t>());
        return true;
    case 's': {
        const auto* text = reinterpret_cast<const char*>(arguments.take<uint64_t>());
        append(out, conversion, "", text ? text : "(null)");
        return true;
    }
    case 'p':
        append(out, conversion, "", reinterpret_cast<const void*>(arguments.take<uint64_t>()));
        return true;
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        append(out, conversion, "", arguments.take<double>());
        return true;
    default:
        return false;
    }
}

} // namespace

int32_t format_device(std::string& out, const char* format, const void* packed) {
    if (!format) return -1;
    Arguments arguments(packed);
    const size_t start = out.size();
    for (const char* at = format; *at;) {
        if (*at != '%') {
            const size_t plain = std::strcspn(at, "%");
            out.append(at, plain);
            at += plain;
            continue;
        }
        const char* begin = at++;
        if (*at == '%') {
            out += *at++;
            continue;
        }
        const Conversion conversion = read_conversion(at, arguments);
        // Seen on an H100: wide strings print nothing and, unless empty, take back what the call has printed; so do
        // vectors, which also swallow the character behind them.
        const bool wide = conversion.type == 's' && conversion.longs, vector = conversion.type == 'v';
        if (wide || vector) {
            const char* text = "";
            if (wide && arguments.more()) text = reinterpret_cast<const char*>(arguments.take<uint64_t>());
            if (vector || (text && *text)) out.resize(start);
            if (vector && *at) at++;
            continue;
        }
        if (conversion.shorts > 1 && arguments.more() && convert_byte(out, conversion, *format)) continue;
        // What we cannot read, and what lies beyond CUDA's 32 arguments, is printed as it stands.
        if (!arguments.more() || !convert(out, conversion, arguments)) out.append(begin, size_t(at - begin));
    }
    return arguments.used();
}

} // namespace rt::backend::cpu
