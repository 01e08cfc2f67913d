#pragma once

#include <stdint.h>

/// A format of CUDA's device printf, taken apart: the same on the host, which prints, and on a GPU, which has to know
/// which of the arguments are strings. CUDA C++ Programming Guide, "Formatted Output"; oddities as seen on an H100.
namespace ptx::device_format {

constexpr int32_t most_arguments = 32;
constexpr int widest = 1 << 16; ///< a width or precision beyond this is a mistake, not a wish

enum class Kind : uint8_t {
    text, ///< as it stands: also a conversion that cannot be read, or lies beyond CUDA's 32 arguments
    percent,
    integer,      ///< 4 bytes
    long_integer, ///< 8
    byte,         ///< %hhd and its like take no argument; what an H100 prints is the first character of the format
    character,    ///< 4
    string,       ///< 8, the address
    wide_string,  ///< likewise; prints nothing and, unless empty, takes back what the call has printed
    vector,       ///< takes back too, and swallows the character behind it
    pointer,      ///< 8
    real,         ///< 8
};

/// Part of a format.
struct Piece {
    const char* begin = nullptr;
    uint32_t size = 0;
    Kind kind = Kind::text;
    uint64_t argument = 0; ///< address of the value; 0 without one
    // Of a conversion:
    char flags[8]{};
    unsigned flag_count = 0;
    int width = -1, precision = -1;
    bool is_short = false;
    char type = 0;

    /// Whether the argument is the address of characters.
    bool is_string() const { return argument && (kind == Kind::string || kind == Kind::wide_string); }
};

/// Reads pieces, and arguments as the caller packed them: each aligned to its size, float as double.
class Reader {
  public:
    Reader(const char* format, const void* packed) : at_(format), next_(reinterpret_cast<uint64_t>(packed)) {}

    /// False at the end.
    bool next(Piece& piece) {
        if (!*at_) return false;
        piece = {};
        piece.begin = at_;
        if (*at_ != '%') {
            while (*at_ && *at_ != '%') at_++;
        } else if (*++at_ == '%') {
            at_++;
            piece.kind = Kind::percent;
        } else {
            conversion(piece);
        }
        piece.size = uint32_t(at_ - piece.begin);
        if (piece.kind == Kind::vector && *at_) at_++;
        return true;
    }
    int32_t used() const { return used_; }
    uint64_t end_of_arguments() const { return next_; }

  private:
    bool more() const { return used_ < most_arguments; }
    uint64_t take(unsigned bytes) {
        next_ = (next_ + bytes - 1) & ~uint64_t{bytes - 1};
        const uint64_t place = next_;
        next_ += bytes;
        used_++;
        return place;
    }
    int take_number() {
        if (!more()) return 0;
        return *reinterpret_cast<const int32_t*>(take(4));
    }
    /// Some of ASCII, as bits: this is inlined in kernels, where a search would be long.
    struct Letters {
        uint64_t low = 0, high = 0;
        consteval Letters(const char* letters) {
            for (; *letters; letters++) (*letters < 64 ? low : high) |= uint64_t{1} << (*letters & 63);
        }
    };
    static bool one_of(char letter, Letters letters) {
        return letter > 0 && ((letter < 64 ? letters.low : letters.high) >> (letter & 63) & 1);
    }
    static int at_most(int value, int most) { return value < most ? value : most; }

    /// A number, or '*' for one among the arguments; -1 when there is none.
    int number() {
        if (*at_ == '*') {
            at_++;
            return take_number();
        }
        if (*at_ < '0' || *at_ > '9') return -1;
        int value = 0;
        for (; *at_ >= '0' && *at_ <= '9'; at_++) value = at_most(value * 10 + (*at_ - '0'), widest);
        return value;
    }

    static void add_flag(Piece& piece, char flag) {
        if (piece.flag_count < sizeof piece.flags) piece.flags[piece.flag_count++] = flag;
    }

    void conversion(Piece& piece) {
        const Reader before = *this;
        while (one_of(*at_, "-+ #0")) add_flag(piece, *at_++);
        const bool star = *at_ == '*';
        piece.width = number();
        if (star && piece.width < 0) {
            add_flag(piece, '-');
            piece.width = piece.width < -widest ? widest : -piece.width;
        }
        bool printable = true;
        if (*at_ == '.') {
            at_++;
            if (*at_ ==
                '*') { // an H100 prints such a conversion as it stands, and takes no argument, for the width either
                at_++;
                printable = false;
                next_ = before.next_;
                used_ = before.used_;
            } else {
                const int given = number();
                piece.precision = given < 0 ? 0 : given;
            }
        }
        piece.width = at_most(piece.width, widest);
        piece.precision = at_most(piece.precision, widest);
        unsigned longs = 0, shorts = 0;
        for (;; at_++) {
            if (*at_ == 'l')
                longs++;
            else if (*at_ == 'h')
                shorts++;
            else if (*at_ == 'j' || *at_ == 'z' || *at_ == 't')
                printable = false; // lengths that an H100 does not know
            else
                break;
        }
        piece.is_short = shorts != 0;
        piece.type = printable ? *at_ : 0;
        if (*at_) at_++;
        classify(piece, longs != 0, shorts > 1);
    }

    void value(Piece& piece, Kind kind, unsigned bytes) {
        if (!more()) return;
        piece.kind = kind;
        piece.argument = take(bytes);
    }

    void classify(Piece& piece, bool is_long, bool is_byte) {
        const char type = piece.type;
        const bool integer = one_of(type, "diuoxX");
        if (type == 's' && is_long) {
            piece.kind = Kind::wide_string;
            if (more()) piece.argument = take(8);
        } else if (type == 'v') {
            piece.kind = Kind::vector;
        } else if (is_byte && more() && (integer || type == 'c')) {
            piece.kind = Kind::byte;
        } else if (integer) {
            value(piece, is_long ? Kind::long_integer : Kind::integer, is_long ? 8 : 4);
        } else if (type == 'c') {
            value(piece, Kind::character, 4);
        } else if (type == 's') {
            value(piece, Kind::string, 8);
        } else if (type == 'p') {
            value(piece, Kind::pointer, 8);
        } else if (one_of(type, "fFeEgGaA")) {
            value(piece, Kind::real, 8);
        }
    }

    const char* at_;
    uint64_t next_;
    int32_t used_ = 0;
};

} // namespace ptx::device_format
