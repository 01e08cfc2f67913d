#include "program.h"

#include <string>

// Every format that device printf might be asked for: flags, widths, precisions, lengths and conversions, good and bad
// ones. A line shows the format with '#' for '%', and what came of it. Then come the functions' results.
constexpr int text_bytes = 64;

#ifdef __CUDACC__
enum Argument { none, one_int, one_long, one_double, one_string, one_pointer, star_int, star_double, two_stars };

extern "C" __global__ void say(const char* formats, const int* arguments, int count, int* results) {
    for (int i = 0; i < count; i++) {
        const char* format = formats + i * text_bytes;
        const int values[] = {0, 1, -1, 42, -12345, 2147483647, -2147483647 - 1, 65};
        const double numbers[] = {0.0, -0.0, 1.0, -1.5, 3.14159265358979, 1e10, 123456789.123, 1e-7, 2.5e100, 0x1p-1074};
        const int v = values[i % 8];
        const long long l = (i % 3 ? -1 : 1) * (1234567890123456789LL >> i % 60);
        switch (arguments[i]) {
        case none: results[i] = printf(format); break;
        case one_int: results[i] = printf(format, v); break;
        case one_long: results[i] = printf(format, l); break;
        case one_double: results[i] = printf(format, numbers[i % 10]); break;
        case one_string: results[i] = printf(format, i % 2 ? "string" : ""); break;
        case one_pointer: results[i] = printf(format, (void*)(0x7f0012345678ULL >> i % 40)); break;
        case star_int: results[i] = printf(format, i % 9 - 4, v); break;
        case star_double: results[i] = printf(format, i % 9 - 2, numbers[i % 10]); break;
        case two_stars: results[i] = printf(format, i % 11, i % 7 - 1, numbers[i % 10]); break;
        }
    }
}
#else
enum Argument { none, one_int, one_long, one_double, one_string, one_pointer, star_int, star_double, two_stars };
#endif

struct Formats {
    std::vector<char> texts;
    std::vector<int> arguments;

    void add(const std::string& format, Argument argument) {
        std::string shown = format;
        for (char& c : shown)
            if (c == '%') c = '#';
        const std::string line = shown + " |" + format + "|\n";
        if (line.size() >= text_bytes) return;
        texts.resize((arguments.size() + 1) * text_bytes);
        std::memcpy(&texts[arguments.size() * text_bytes], line.c_str(), line.size() + 1);
        arguments.push_back(argument);
    }
};

static Formats all_formats() {
    Formats out;
    const char* flags[] = {"", "-", "+", " ", "#", "0", "-+", "+0", "-#", "# 0", "-0"};
    const char* sizes[] = {"", "1", "9", ".0", ".", ".3", "9.4", "12.0", ".12"};
    for (const char* flag : flags)
        for (const char* size : sizes) {
            for (const char* conversion : {"d", "u", "x", "o"}) out.add(std::string("%") + flag + size + conversion, one_int);
            for (const char* conversion : {"lld", "llx"}) out.add(std::string("%") + flag + size + conversion, one_long);
            for (const char* conversion : {"f", "e", "g", "a"})
                out.add(std::string("%") + flag + size + conversion, one_double);
            out.add(std::string("%") + flag + size + "s", one_string);
        }
    for (const char* length : {"", "h", "hh", "l", "ll", "j", "z", "t", "L", "q", "I64"}) {
        const bool is_long = std::strchr("ljztLqI", length[0]) && length[0];
        for (const char* conversion : {"d", "i", "u", "x", "X", "o"})
            for (const char* size : {"", "8", ".5"})
                out.add(std::string("%") + size + length + conversion, is_long ? one_long : one_int);
    }
    for (const char* length : {"", "l", "h", "L"})
        for (const char* conversion : {"f", "F", "e", "E", "g", "G", "a", "A"})
            for (int i = 0; i < 10; i++) out.add(std::string("%") + length + conversion, one_double);
    for (const char* flag : {"", "-", "0", "+", "#"})
        for (const char* size : {"", "5", "20", ".2"}) {
            out.add(std::string("%") + flag + size + "c", one_int);
            out.add(std::string("%") + flag + size + "p", one_pointer);
            out.add(std::string("%") + flag + size + "i", one_int);
        }
    for (const char* format : {"%*d", "%-*d", "%0*d", "%.*d", "%*x", "%*c", "%+*u"})
        for (int i = 0; i < 3; i++) out.add(format, star_int);
    for (const char* format : {"%*f", "%-*g", "%.*f", "%.*e", "%5.*f"})
        for (int i = 0; i < 3; i++) out.add(format, star_double);
    for (const char* format : {"%*.*f", "%-*.*e", "%0*.*g"}) out.add(format, two_stars);
    for (const char* format : {"%%", "%5%", "%-%", "%.2%", "%", "100%", "%k", "%y", "%5y", "%r", "%m", "%1$d", "%'d",
                               "%b", "%D", "%U", "%C", "%v", "%-+ #0", "%l", "%ll", "%h", "%5", "%.", "%.3"}) {
        out.add(format, one_int);
    }
    for (const char* format : {"no argument", ""}) out.add(format, none);
    for (const char* format : {"%hs", "%ls", "%lls", "%10.3s", "%-10.3s|", "%.0s", "%.s"})
        for (int i = 0; i < 2; i++) out.add(format, one_string);
    for (const char* format : {"%lc", "%hc", "%hhc"}) out.add(format, one_int);
    return out;
}

int main() {
    const Formats formats = all_formats();
    const int count = (int)formats.arguments.size();
    DeviceArray<char> texts(formats.texts);
    DeviceArray<int> arguments(formats.arguments), results(count);
    LAUNCH(say, 1, 1, 0, 0)((const char*)texts.data, (const int*)arguments.data, count, results.data);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    std::fflush(stdout);
    const std::vector<int> returned = results.download();
    for (int i = 0; i < count; i++) std::printf("%d%c", returned[i], i % 40 == 39 || i + 1 == count ? '\n' : ' ');
    return passed();
}
