#include "backend/device_side/device_runtime.h"

#include "ptx/device_format.h"

#include <cstdio>
#include <cstring>

namespace rt::backend {

namespace {

using ptx::device_format::Kind;
using ptx::device_format::Piece;

template <class T> void append(std::string& out, const Piece& piece, const char* length, T value) {
    char spec[64];
    size_t n = 0;
    spec[n++] = '%';
    for (unsigned i = 0; i < piece.flag_count; i++) spec[n++] = piece.flags[i];
    if (piece.width >= 0) n += size_t(std::snprintf(spec + n, 16, "%d", piece.width));
    if (piece.precision >= 0) n += size_t(std::snprintf(spec + n, 16, ".%d", piece.precision));
    std::snprintf(spec + n, 8, "%s%c", length, piece.type);
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

template <class T> T value_of(const Piece& piece) {
    T value;
    std::memcpy(&value, reinterpret_cast<const void*>(piece.argument), sizeof value);
    return value;
}

const char* text_of(const Piece& piece) { return reinterpret_cast<const char*>(value_of<uint64_t>(piece)); }

bool is_signed(const Piece& piece) { return piece.type == 'd' || piece.type == 'i'; }

} // namespace

int32_t format_device(std::string& out, const char* format, const void* packed) {
    if (!format) return -1;
    ptx::device_format::Reader reader(format, packed);
    const size_t start = out.size();
    for (Piece piece; reader.next(piece);) {
        switch (piece.kind) {
        case Kind::text:
            out.append(piece.begin, piece.size);
            break;
        case Kind::percent:
            out += '%';
            break;
        case Kind::integer:
            append(out, piece, piece.is_short ? "h" : "", value_of<int32_t>(piece));
            break;
        case Kind::long_integer:
            if (is_signed(piece))
                append(out, piece, "ll", value_of<long long>(piece));
            else
                append(out, piece, "ll", value_of<unsigned long long>(piece));
            break;
        case Kind::byte:
            append(out, piece, piece.type == 'c' ? "" : "hh", static_cast<int>(*format));
            break;
        case Kind::character:
            append(out, piece, "", value_of<int32_t>(piece));
            break;
        case Kind::string: {
            const char* text = text_of(piece);
            append(out, piece, "", text ? text : "(null)");
            break;
        }
        case Kind::wide_string: {
            const char* text = piece.argument ? text_of(piece) : "";
            if (text && *text) out.resize(start);
            break;
        }
        case Kind::vector:
            out.resize(start);
            break;
        case Kind::pointer:
            append(out, piece, "", reinterpret_cast<const void*>(value_of<uint64_t>(piece)));
            break;
        case Kind::real:
            append(out, piece, "", value_of<double>(piece));
            break;
        }
    }
    return reader.used();
}

} // namespace rt::backend
